"""A plan file → a ``LoadedPlan`` and every problem of it at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from campaign_cli.accounts import Workspace
from campaign_cli.i18n import _
from campaign_cli.models import DIRECT, Problem, Severity
from campaign_cli.plan.model import Plan
from campaign_cli.plan.naming import with_ids
from campaign_cli.source import Source, read_source
from campaign_cli.source.shapes import Codes, empty_fix, problems_of, real_path
from campaign_cli.wallclock import UnknownZone, zone_of


@dataclass(kw_only=True)
class LoadedPlan:
    """A plan with where it was read: ``path`` of the file, the workspace, and the plan's own zone.

    Where the file has problems of severity error, ``plan`` is what remains of it without the values at fault.
    """

    plan: Plan
    source: Source
    path: Path
    workspace: Workspace
    zone: ZoneInfo

    @property
    def day(self) -> date | None:
        """Hari H, where the plan has one that exists."""
        try:
            return date.fromisoformat(self.plan.day) if self.plan.day else None
        except ValueError:
            return None  # told by problems_in


def load_plan(path: Path, workspace: Workspace) -> tuple[LoadedPlan | None, list[Problem]]:
    """Read a plan. None where nothing of it can be used; the problems are sorted by place."""
    loaded, problems = plan_of(read_source(path, shown=_shown(path, workspace.root)), path, workspace)
    if loaded is not None and loaded.plan.campaign == DIRECT:  # what is queued for one would cancel the other's
        message = _('"{name}" is the campaign of messages without a plan.').format(name=DIRECT)
        fix = _("Give the campaign another name.")
        taken = loaded.source.problem(("campaign",), code="P024", severity=Severity.ERROR, message=message, fix=fix)
        problems = sorted([*problems, taken], key=lambda problem: problem.sort_key)
    return loaded, problems


def plan_of(source: Source, path: Path, workspace: Workspace) -> tuple[LoadedPlan | None, list[Problem]]:
    """The same for a source that is already read; ``path`` is where its files count from."""
    from campaign_cli.plan.meaning import problems_in

    problems = list(source.problems)
    if not isinstance(source.value, dict):
        if not problems:
            message = _("A plan begins with keys such as campaign, timezone and posts.")
            fix = _("`campaign init` makes a folder with an example.")
            problems.append(source.problem((), code="P033", severity=Severity.ERROR, message=message, fix=fix))
        return None, problems
    problems += _empty_keys(source)
    plan, found = _plan(source, with_ids(source.value))
    problems += found
    try:
        zone = zone_of(plan.timezone) if plan.timezone else ZoneInfo("UTC")
    except UnknownZone:
        zone = ZoneInfo("UTC")  # told by problems_in
    loaded = LoadedPlan(plan=plan, source=source, path=path, workspace=workspace, zone=zone)
    problems += problems_in(loaded)
    return loaded, sorted(set(problems), key=lambda problem: problem.sort_key)


def _shown(path: Path, root: Path) -> str:
    """The file's name in messages: from the workspace where it lies in it."""
    try:
        return path.absolute().relative_to(root.absolute()).as_posix()
    except ValueError:
        return path.as_posix()


def _empty_keys(source: Source) -> list[Problem]:
    """Keys without a value, which are errors in a plan: most often the value begins with # and is a comment."""
    problems = []
    for path, group in _groups(source.value):
        if None not in group.values():
            continue
        for key, value in group.items():
            if value is None:
                message = _('The key "{key}" has no value.').format(key=key)
                fix = empty_fix(source, (*path, key))
                problems.append(
                    source.problem(
                        (*path, key), code="P034", severity=Severity.ERROR, message=message, fix=fix, key=True
                    )
                )
    return problems


def _groups(value: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    """The plan's own groups of keys with their paths: not ``vars`` and ``with``, whose values are the officer's."""
    yield (), value
    posts = value.get("posts")
    for index, post in enumerate(posts if isinstance(posts, list) else ()):
        if not isinstance(post, dict):
            continue
        yield ("posts", index), post
        media = post["media"] if isinstance(post.get("media"), list) else ()
        inner = [(("posts", index, "media", number), item) for number, item in enumerate(media)]
        variants = post.get("variants")
        if isinstance(variants, dict):
            inner += [(("posts", index, "variants", name), item) for name, item in variants.items()]
        yield from ((path, item) for path, item in inner if isinstance(item, dict))


def _codes() -> Codes:
    card = (
        "P030",
        _("Cards are not available in this version."),
        _("Delete the card, and put a finished picture under media."),
    )
    return Codes(refused={"card": card})


def _plan(source: Source, value: dict[str, Any]) -> tuple[Plan, list[Problem]]:
    """The plan; values of a wrong kind are reported and left out, so that the rest is still checked."""
    problems: list[Problem] = []
    for _attempt in range(4):
        try:
            return Plan.model_validate(value), problems
        except ValidationError as error:
            known = {(problem.path, problem.code) for problem in problems}
            new = problems_of(error, source, model=Plan, codes=_codes())
            problems += [problem for problem in new if (problem.path, problem.code) not in known]
            for details in error.errors(include_url=False, include_context=False, include_input=False):
                value = _without(value, real_path(details["loc"]))
    return Plan(), problems


def _without(value: Any, path: Sequence[str | int]) -> Any:
    """A copy without what stands at a path. List items keep their numbers: the nearest key above goes, and a post that
    is not a group of keys becomes an empty one."""
    keys = [index for index, step in enumerate(path) if isinstance(step, str)]
    if not keys:
        return value
    if len(path) == 2 and path[0] == "posts":
        posts = [{} if index == path[1] else post for index, post in enumerate(value["posts"])]
        return {**value, "posts": posts}
    return _drop(value, path[: keys[-1] + 1])


def _drop(value: Any, path: Sequence[str | int]) -> Any:
    step, rest = path[0], path[1:]
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return [_drop(item, rest) if index == step else item for index, item in enumerate(value)]
    if not isinstance(value, dict) or step not in value:
        return value
    if not rest:
        return {key: item for key, item in value.items() if key != step}
    return {key: _drop(item, rest) if key == step else item for key, item in value.items()}
