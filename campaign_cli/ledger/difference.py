"""What a comparison of a plan with the ledger found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from campaign_cli.ledger.values import Known, Move, NewDelivery
from campaign_cli.models import Draft, Problem, Severity

if TYPE_CHECKING:
    from campaign_cli.checks.pipeline import Waived
    from campaign_cli.checks.uses import Taken
    from campaign_cli.content.media import MediaStore
    from campaign_cli.content.variants import Choices
    from campaign_cli.plan.expand import Planned


class Drawing(Protocol):
    """What the comparison needs of ``content.Renderer``."""

    @property
    def media(self) -> MediaStore | None:
        """The workspace's pictures and videos, for rules that look at the originals."""

    @property
    def choices(self) -> Choices:
        """What the posts say on each account."""

    def input_hash(self, planned: Planned) -> str:
        """Everything that the draft and its instant depend on, without rendering."""

    def draft(self, planned: Planned) -> tuple[Draft | None, list[Problem]]:
        """The final content, or why there is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Frozen:
    """A row that ``queue`` never touches. ``differs``: the plan says something else now; ``gone``: it has lost it."""

    known: Known
    differs: bool
    gone: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Double:
    """New words that an account said already, or is about to say as ``other``."""

    key: str
    other: str


@dataclass(kw_only=True)
class Difference:
    """What ``queue`` would do. ``past`` stops it (new posts whose time is over); ``skipped`` are left out and listed.

    ``same`` are the keys of what needs nothing. ``positions`` is new plan order of what is otherwise the same. ``uses``
    is what the new and the changed take of what networks charge for or count.
    """

    campaign: str
    known: dict[str, Known]
    new: list[NewDelivery] = field(default_factory=list)
    changed: list[NewDelivery] = field(default_factory=list)
    removed: list[Known] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    frozen: list[Frozen] = field(default_factory=list)
    past: list[Planned] = field(default_factory=list)
    skipped: list[Planned] = field(default_factory=list)
    moved: list[Move] = field(default_factory=list)
    refused: list[Double] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    waived: list[Waived] = field(default_factory=list)
    positions: dict[str, int] = field(default_factory=dict)
    uses: list[Taken] = field(default_factory=list)

    @property
    def blocked(self) -> bool:
        """True when nothing may be queued as it stands."""
        return bool(self.past) or any(problem.severity is Severity.ERROR for problem in self.problems)

    @property
    def empty(self) -> bool:
        """True when there is nothing to ask about."""
        return not (self.new or self.changed or self.removed or self.moved)

    @property
    def counts(self) -> Mapping[str, int]:
        """``new, changed, removed, moved, same, frozen, past, skipped``; the frozen that agree count as same."""
        agreeing = sum(1 for one in self.frozen if not one.differs)
        return {
            "new": len(self.new),
            "changed": len(self.changed),
            "removed": len(self.removed),
            "moved": len(self.moved),
            "same": len(self.same) + agreeing,
            "frozen": len(self.frozen) - agreeing,
            "past": len(self.past),
            "skipped": len(self.skipped),
        }

    @property
    def drafts(self) -> dict[str, Draft]:
        """What was rendered, by key."""
        moved = [move.delivery for move in self.moved]
        return {one.key: Draft.from_json(one.draft_json) for one in (*self.new, *self.changed, *moved)}
