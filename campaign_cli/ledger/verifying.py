"""Walking the chain of the event log from its beginning (see ``chain``)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.engine import Connection, RowMapping

from campaign_cli.i18n import _
from campaign_cli.ledger import chain
from campaign_cli.ledger.backup import Head
from campaign_cli.ledger.schema import events, instant

_BATCH: Final = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Break:
    """The first event that doesn't fit: its row as it stands now, and what that means, in a sentence."""

    id: int
    at: datetime | None
    kind: str
    key: str | None
    meaning: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain:
    """What the walk found: ``head`` is the newest event that fits, ``first`` and ``last`` are instants (aware).

    ``noted`` says whether a head that was noted earlier is in the chain; None where none was given.
    """

    head: Head
    first: datetime | None
    last: datetime | None
    broken: Break | None = None
    noted: bool | None = None

    @property
    def whole(self) -> bool:
        """Nothing was changed, added or taken away, as far as the log itself and the noted head can tell."""
        return self.broken is None and self.noted is not False


def verify(connection: Connection, *, noted: str | None = None) -> Chain:
    """Walk the log inside an open transaction, up to the first event that doesn't fit.

    ``noted`` is a head's hash that somebody wrote down earlier: where it is missing, the newest events were cut off, or
    all of them were written anew.
    """
    found = connection.execute(select(events).order_by(events.c.id), execution_options={"yield_per": _BATCH}).mappings()
    number, link = 0, ""
    first = last = None
    seen = noted is None
    broken = None
    for row in found:
        broken = _break(row, expected=number + 1, previous=link)
        if broken is not None:
            found.close()
            break
        number, link, last = row["id"], row["hash"], row["at"]
        first = last if first is None else first
        seen = seen or link == (noted or "").strip().lower()
    return Chain(
        head=Head(events=number, hash=link),
        first=_instant(first),
        last=_instant(last),
        broken=broken,
        noted=None if noted is None else seen,
    )


def _break(row: RowMapping, *, expected: int, previous: str) -> Break | None:
    if row["id"] == expected and row["hash"] == _link(previous, row):
        return None
    if row["id"] != expected:
        meaning = _("Events are missing before it: number {expected} should stand here. They were taken away.")
    else:
        meaning = _("It was changed or put here after it was written, or the event before it was.")
    return Break(
        id=row["id"],
        at=_instant(row["at"]),
        kind=str(row["kind"]),
        key=row["key"],
        meaning=meaning.format(expected=expected),
    )


def _link(previous: str, row: RowMapping) -> str:
    try:
        return chain.link(previous, dict(row))
    except (TypeError, ValueError):  # something that no event holds, bytes for example
        return ""


def _instant(at: Any) -> datetime | None:
    try:
        return None if at is None else instant(at)
    except (TypeError, OverflowError):
        return None
