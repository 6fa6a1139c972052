"""What a ledger that is about to be replaced still tells, and how that goes on in what takes its place.

Only what stops something is taken over: holds, orders to take down, approvals that no longer count, embargoes. So even
from a ledger that is damaged, of which nobody can say what is true, whatever can be read is used: at worst something
waits for a person.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import DatabaseError

from campaign_cli.i18n import _
from campaign_cli.ledger import schema
from campaign_cli.ledger.base import chunks
from campaign_cli.ledger.conditions import begun as has_begun
from campaign_cli.ledger.conditions import columns
from campaign_cli.ledger.schema import deliveries
from campaign_cli.ledger.withdrawing import CLEARED, ORDERED, order_down, taken_back
from campaign_cli.models import State

_ON_ITS_WAY: Final = (State.SENDING.value, State.UNCERTAIN.value)
_TAKEN_DOWN: Final = ("withdrawing", "withdrawn")  # events


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What the ledger that is replaced tells: the highest token that it gave out, the content hash of each key that is
    out or on its way, its open holds, the approvals that no longer count, the receipts of what was taken down, the keys
    that are to be taken down (by every name that they had), and until when each key was under embargo.

    Not ``whole``: it is damaged, and there may be more.
    """

    token: int = 0
    begun: Mapping[str, str] = field(default_factory=dict)
    holds: Sequence[Row[Any]] = ()
    void: Sequence[Row[Any]] = ()
    withdrawn: Sequence[Row[Any]] = ()
    taken_down: frozenset[str] = frozenset()
    embargoes: Mapping[str, int] = field(default_factory=dict)
    whole: bool = True


def known_of(connection: Connection, *, damaged: bool = False) -> Known:
    """Read it before its rows go; of a ``damaged`` one as much as can be read."""
    read = _Reading(connection, damaged=damaged)
    begun = or_(columns.state.in_((State.PUBLISHED.value, *_ON_ITS_WAY)), has_begun())
    tokens = read.rows(select(func.coalesce(func.max(columns.token), 0).label("token")))
    hashes = read.rows(select(columns.key, columns.content_hash).where(begun))
    embargoes = read.rows(select(columns.key, columns.embargo).where(columns.embargo.is_not(None)))
    withdrawn = read.rows(select(schema.receipts).where(schema.receipts.c.withdrawn_at.is_not(None)))
    holds = read.rows(_open_holds())
    void = read.rows(select(schema.approvals).where(schema.approvals.c.void.is_not(None)))
    down = _taken_down(read) | {row.delivery for row in withdrawn}
    return Known(
        token=max((row.token for row in tokens), default=0),
        begun={row.key: row.content_hash for row in hashes},
        holds=holds,
        void=void,
        withdrawn=withdrawn,
        taken_down=frozenset(down),
        embargoes={row.key: row.embargo for row in embargoes},
        whole=read.whole,
    )


class _Reading:
    """Rows of one database, each question by itself: one that can't be answered hides no other."""

    def __init__(self, connection: Connection, *, damaged: bool) -> None:
        self._connection = connection
        self._damaged = damaged
        self.whole = True

    def rows(self, statement: Select[Any]) -> list[Row[Any]]:
        """What is found, up to where it can't be read."""
        if not self._damaged:
            return list(self._connection.execute(statement))
        found: list[Row[Any]] = []
        # On a server, a question that fails ends its transaction, or what is marked off of it.
        server = self._connection.dialect.name == "postgresql"
        try:
            with self._connection.begin_nested() if server else nullcontext():
                for row in self._connection.execute(statement):
                    found.append(row)
        except DatabaseError:
            self.whole = False
        return found


def _taken_down(read: _Reading) -> set[str]:
    """The keys that are to be taken down: what the deliveries say, what the log says, and their names of before."""
    steps, events = schema.steps.c, schema.events.c
    down = {row.delivery for row in read.rows(select(steps.delivery).where(steps.name.in_((ORDERED, CLEARED))))}
    told = select(events.kind, events.key, events.details).where(events.kind.in_((*_TAKEN_DOWN, "moved")))
    before: dict[str, str] = {}
    for row in read.rows(told.order_by(events.id)):
        if row.key is None:
            continue
        if row.kind != "moved":
            down.add(row.key)
        elif old := _moved_from(row.details):
            before[row.key] = old
            down |= {row.key} if old in down else set()
    for key in list(down):
        while (key := before.pop(key, "")) and key not in down:
            down.add(key)
    return down


def _moved_from(details: str) -> str:
    """Under which name a delivery was known; empty where only its time was moved."""
    try:
        return str(json.loads(details).get("from") or "")
    except (ValueError, AttributeError):
        return ""


def void_on(connection: Connection, void: Sequence[Row[Any]]) -> None:
    """What was taken back since the backup stays taken back."""
    table = schema.approvals
    for row in void:
        same = [table.c[name] == getattr(row, name) for name in ("delivery", "content_hash", "person", "at")]
        connection.execute(update(table).where(*same, table.c.void.is_(None)).values(void=row.void))


def stay_down(connection: Connection, known: Known, *, now: int) -> list[str]:
    """What was to be taken down stays so, whatever the backup says: nothing of it is sent.

    The keys, sorted, of which the backup doesn't say it itself.
    """
    table = schema.receipts
    keys = _there(connection, known.taken_down)
    said = taken_back(connection, keys)
    for row in known.withdrawn:
        same = [table.c[name] == getattr(row, name) for name in ("delivery", "part", "remote_id")]
        there = update(table).where(*same, table.c.withdrawn_at.is_(None))
        connection.execute(there.values(withdrawn_at=row.withdrawn_at))
    order_down(connection, keys)
    state, cancelled = columns.state, State.CANCELLED.value
    why = _("It was taken down since the backup.")
    for some in chunks(keys):
        ours = update(deliveries).where(columns.key.in_(some))
        connection.execute(ours.where(state.in_(_ON_ITS_WAY)).values(restored_from=cancelled))
        waiting = ours.where(state == State.WAITING.value)
        connection.execute(waiting.values(state=cancelled, error=why, next_try=None, changed_at=now))
    return [key for key in keys if key not in said]


def _there(connection: Connection, keys: Collection[str]) -> list[str]:
    found: list[str] = []
    for some in chunks(sorted(keys)):
        found += connection.execute(select(columns.key).where(columns.key.in_(some))).scalars()
    return sorted(found)


def ending_early(connection: Connection, embargoes: Mapping[str, int]) -> list[str]:
    """The campaigns of which something would be free sooner than it was in the ledger that is replaced, sorted."""
    early: set[str] = set()
    for some in chunks(embargoes):
        for row in connection.execute(
            select(columns.key, columns.campaign, columns.embargo).where(columns.key.in_(some))
        ):
            if row.embargo is None or row.embargo < embargoes[row.key]:
                early.add(row.campaign)
    return sorted(early)


def open_holds(connection: Connection) -> Sequence[Row[Any]]:
    """The rows of the holds that are open, oldest first."""
    return connection.execute(_open_holds()).all()


def _open_holds() -> Select[Any]:
    table = schema.holds
    return select(table).where(table.c.released_at.is_(None)).order_by(table.c.id)
