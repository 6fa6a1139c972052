"""What came of a rehearsal: what was to go out and what arrived, for the terminal, the page and JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime, tzinfo

    from campaign_cli.accounts import Workspace
    from campaign_cli.dispatch.outcome import Outcome
    from campaign_cli.ledger import Delivery
    from campaign_cli.models import Problem, State


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One part of one post on one network.

    ``planned`` is the due instant, ``at`` when it went out on the rehearsal's clock (both aware; None: it didn't).
    ``url`` is its page on the stage, which has ended. ``differences`` are sentences: what arrived otherwise than it was
    written. ``part`` counts from 0.
    """

    key: str
    post: str
    account: str
    platform: str
    part: int
    parts: int
    planned: datetime
    at: datetime | None
    state: State
    url: str
    text: str
    error: str
    differences: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stray:
    """A post on the stage that no receipt speaks of: of an uncertain delivery, or a double."""

    account: str
    platform: str
    text: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """What came of it. ``deliveries`` carry their drafts, with receipts that name the stage's pages.

    ``workspace`` is the one on the stage; ``pictures`` gives prepared bytes by SHA-256; ``problems`` are the plan's
    warnings. ``outcome`` decides the exit code, as that of ``publish`` does.
    """

    title: str
    campaign: str
    file: str
    zone: tzinfo
    day: date | None
    rows: tuple[Row, ...]
    strays: tuple[Stray, ...]
    deliveries: tuple[Delivery, ...]
    outcome: Outcome
    workspace: Workspace
    pictures: Mapping[str, bytes]
    problems: tuple[Problem, ...]
    faults: Mapping[str, int]

    @property
    def faithful(self) -> bool:
        """True when everything that arrived is what was written, and nothing else arrived."""
        return not self.strays and not any(row.differences for row in self.rows)
