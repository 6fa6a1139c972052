"""A plan file → its deliveries, their drafts, and every problem: one pass for all commands."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from campaign_cli.checks import accounts, labels, language, logins, repeats, safety, tags, times, uses, waivers
from campaign_cli.checks.texts import Composed, Said, composed, texts_of
from campaign_cli.collector import collector_paused
from campaign_cli.content import MediaStore, Renderer
from campaign_cli.content.variants import Choices
from campaign_cli.models import Draft, Problem, Severity
from campaign_cli.plan import load_plan
from campaign_cli.plan.expand import Planned, expand

if TYPE_CHECKING:
    from campaign_cli.accounts import Workspace
    from campaign_cli.plan.load import LoadedPlan

TEMPLATES: Final = Path("templates") / "posts"


@dataclass(kw_only=True)
class Examined:
    """A plan as it was found. ``drafts`` by delivery key, without those that a problem blocks; ``problems`` sorted.

    ``media`` are the workspace's pictures and videos, for rules that look at the originals.
    """

    loaded: LoadedPlan | None = None
    planned: list[Planned] = field(default_factory=list)
    drafts: dict[str, Draft] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    waived: list[Waived] = field(default_factory=list)
    media: MediaStore | None = None

    @cached_property
    def choices(self) -> Choices:
        """What the posts say on each account; who drew the drafts sets it, so that nothing is chosen twice."""
        assert self.loaded is not None  # noqa: S101 - without a plan there is nothing to choose
        return Choices(self.loaded)

    @cached_property
    def chosen(self) -> list[Composed]:
        """Every delivery with its draft and what was chosen for it; asked only when all drafts are there."""
        return list(composed(self))

    @cached_property
    def texts(self) -> list[Said]:
        """Every distinct text of the drafts with its place."""
        return texts_of(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class Waived:
    """A problem that the plan says does not count, and the reason that it gives."""

    problem: Problem
    reason: str


Rule = Callable[[Examined, datetime], Iterable[Problem]]
"""A rule looks at what was found, at an instant (aware), and says what it finds."""

RULES: Final[tuple[Rule, ...]] = (
    times.past_posts,
    times.quiet_hours,
    tags.broken_hashtags,
    repeats.said_twice,
    accounts.unread_limits,
    accounts.unreadable_approvers,
    accounts.unnamed_author,
    uses.over_quota,
    logins.ends_too_soon,
)
CONTENT_RULES: Final[tuple[Rule, ...]] = (
    *safety.RULES,
    times.silent_days,
    language.unsourced_figures,
    language.unsourced_claims,
    language.harmful_words,
    repeats.said_by_many,
    labels.unlabelled_payment,
    labels.unlabelled_machines,
    labels.uncredited_pictures,
)
"""Rules of what is sent itself; ``queue`` asks them too, of what is new or changed."""


@collector_paused()
def examine(
    path: Path,
    workspace: Workspace,
    *,
    now: datetime,
    workspace_problems: Sequence[Problem] = (),
    only: Collection[str] | None = None,
    media: MediaStore | None = None,
) -> Examined:
    """Load, expand, render, measure and judge a plan. Nothing is written, nothing leaves the machine.

    ``now`` is aware. ``only`` limits the rendering to these delivery keys; ``media`` lets the caller keep the prepared
    pictures. ``workspace_problems`` are those of accounts.yaml, listed first.
    """
    loaded, problems = load_plan(path, workspace)
    store = media or MediaStore(workspace.root)
    examined = Examined(loaded=loaded, problems=[*workspace_problems, *problems], media=store)
    if loaded is not None:
        examined.planned, problems = expand(loaded)
        examined.problems += problems
        renderer = Renderer(loaded, media=store, templates=workspace.root / TEMPLATES)
        examined.choices = renderer.choices
        examined.problems += _render(examined, renderer, only)
        judge(examined, now=now, rules=(*RULES, *CONTENT_RULES))
        examined.problems += waivers.unused(examined, now)
    examined.problems = sorted(dict.fromkeys(examined.problems), key=lambda problem: problem.sort_key)
    return examined


def judge(examined: Examined, *, now: datetime, rules: Sequence[Rule] = CONTENT_RULES) -> None:
    """Add what the rules find in ``examined.drafts`` to its problems, or to what the plan waives; ``now`` is aware."""
    loaded = examined.loaded
    found = [problem for rule in rules for problem in rule(examined, now)]
    if loaded is None:
        examined.problems += found
        return
    examined.problems += waivers.unusable(loaded)
    for problem in dict.fromkeys(found):
        reason = waivers.reason_for(problem, loaded)
        if reason is None:
            examined.problems.append(problem)
        else:
            examined.waived.append(Waived(problem=problem, reason=reason))
    examined.waived.sort(key=lambda waived: waived.problem.sort_key)


def _render(examined: Examined, renderer: Renderer, only: Collection[str] | None) -> Iterator[Problem]:
    """Fill in the drafts. What the plan's own check said of a place already is not said again."""
    told = {problem.path for problem in examined.problems if problem.severity is Severity.ERROR}
    told |= {f"{path.split('.')[0]} is empty" for path in told}
    for planned in examined.planned:
        if only is not None and planned.key not in only:
            continue
        draft, problems = renderer.draft(planned)
        if draft is not None:
            examined.drafts[planned.key] = draft
        for problem in problems:
            # A post whose text was refused is not empty, it is refused.
            empty = f"{problem.path.split('.')[0]} is empty" if problem.code == "P207" else ""
            if problem.path not in told and empty not in told:
                yield problem


def blocking(problems: Iterable[Problem]) -> bool:
    """Whether any of the problems forbids queueing."""
    return any(problem.severity is Severity.ERROR for problem in problems)
