"""The ledger's side of ``queue``: what a comparison needs to know, and one transaction that carries it out."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any, Final, TypeVar

from sqlalchemy import and_, bindparam, delete, exists, insert, or_, select, update
from sqlalchemy.engine import Connection

from campaign_cli.ledger import schema
from campaign_cli.ledger.approving import Approving
from campaign_cli.ledger.base import chunks
from campaign_cli.ledger.conditions import begun, columns, partly_out
from campaign_cli.ledger.schema import (
    deliveries,
    delivery_labels,
    delivery_media,
    drafts,
    instant,
    instant_or_none,
    micros,
    span,
)
from campaign_cli.ledger.settling import forget_notices
from campaign_cli.ledger.values import Applied, Changes, Known, NewDelivery
from campaign_cli.models import LASTING, State

RECENT: Final = timedelta(days=30)
"""How long the words of a published delivery count as just said."""

_BATCH: Final = 2_000  # rows of one INSERT
_LIVE: Final = (State.WAITING.value, State.SENDING.value, State.UNCERTAIN.value)
_KNOWN: Final = (
    columns.key,
    columns.campaign,
    columns.series,
    columns.state,
    columns.input_hash,
    columns.content_hash,
    columns.body_hash,
    columns.address,
    columns.position,
    columns.due,
    begun().label("begun"),
    columns.removed,
    columns.recurring,
)
_PLACE: Final = update(deliveries).where(columns.key == bindparam("the_key")).values(position=bindparam("the_position"))
_STATES: Final = {state.value: state for state in State}
T = TypeVar("T")


class Applying(Approving):
    """Comparing with the ledger, and writing what a plan asks for."""

    def _claim_workspace(self) -> None:
        """Write ``ledger.id``, or refuse when it names another ledger."""
        raise NotImplementedError

    def known(self, campaign: str) -> dict[str, Known]:
        """Every row of a campaign by key: one plain SELECT, whatever the length of the plan."""
        with self.reading() as connection:
            return {
                row.key: _known(row) for row in connection.execute(select(*_KNOWN).where(columns.campaign == campaign))
            }

    def alike(self, body_hashes: Collection[str]) -> list[Known]:
        """Every row with one of these words, of any campaign, and whether it is alive."""
        with self.reading() as connection:
            return self._alike(connection, body_hashes, now=self.now())

    def _alike(self, connection: Connection, body_hashes: Collection[str], *, now: int) -> list[Known]:
        table = schema.receipts.c
        recently = exists().where(table.delivery == columns.key, table.at >= now - span(RECENT))
        since = columns.changed_at >= now - span(RECENT)
        left_half = and_(columns.state != State.PUBLISHED.value, partly_out(), since)
        alive = or_(columns.state.in_(_LIVE), recently, left_half)
        return [
            _known(row)
            for some in chunks(dict.fromkeys(body_hashes))
            for row in connection.execute(select(*_KNOWN, alive.label("alive")).where(columns.body_hash.in_(some)))
        ]

    def apply(self, changes: Changes, *, actor: str) -> Applied:
        """Carry out what ``queue`` found, all or nothing.

        What is not as the comparison saw it any more (it is being sent, another ``queue`` was faster) is left alone and
        named in ``skipped``. The first apply writes ``ledger.id``. Raises LedgerError, ForeignLedger.
        """
        self.must_exist()
        with self.writing() as connection:
            now = self.now()
            stale = self._stale(connection, changes)
            new = [delivery for delivery in changes.new if delivery.key not in stale]
            changed = [delivery for delivery in changes.changed if delivery.key not in stale]
            removed = [key for key in changes.removed if key not in stale]
            moved = [move for move in changes.moved if not {move.old_key, move.delivery.key} & stale]
            if changes.media is not None:
                redrawn = [move.delivery for move in moved if not move.as_it_is]
                self._store_media(connection, [*new, *changed, *redrawn], changes.media)
            for move in moved:
                self._rename(connection, move.old_key, move.delivery, as_it_is=move.as_it_is, actor=actor, now=now)
            for delivery in changed:
                self._change(connection, delivery, seen=changes.seen[delivery.key], actor=actor, now=now)
            self._remove(connection, removed, actor=actor, now=now)
            self._insert(connection, new, actor=actor, now=now)
            self._place(connection, changes.positions)
            self._claim_workspace()  # last: nothing is named before everything is there to commit
        return Applied(
            new=len(new), changed=len(changed), removed=len(removed), moved=len(moved), skipped=tuple(sorted(stale))
        )

    def _stale(self, connection: Connection, changes: Changes) -> set[str]:
        """Keys that are not as the comparison saw them."""
        touched = [delivery.key for delivery in (*changes.new, *changes.changed)]
        touched += [*changes.removed, *(move.old_key for move in changes.moved)]
        touched += [move.delivery.key for move in changes.moved]
        current = {
            row.key: _known(row)
            for some in chunks(touched)
            for row in connection.execute(select(*_KNOWN).where(columns.key.in_(some)))
        }
        return {key for key in touched if not _same(current.get(key), changes.seen.get(key))}

    def _insert(self, connection: Connection, new: Sequence[NewDelivery], *, actor: str, now: int) -> None:
        for some in _batches(new):
            rows = [_values(one) | {"queued_at": now, "changed_at": now, "state": State.WAITING.value} for one in some]
            connection.execute(insert(deliveries), rows)
            _write_content(connection, some)
            details = [
                (one.key, json.dumps({"due": one.due.isoformat(), **_gate(one), **_waived(one)})) for one in some
            ]
            self.record(connection, "queued", details, actor=actor, at=now)

    def _change(self, connection: Connection, one: NewDelivery, *, seen: Known, actor: str, now: int) -> None:
        # What needs a person gets the new words and stays, until `retry`: what a person cancelled, and what failed or
        # was missed when its instant is over. The rest waits to be sent.
        over = seen.state in (State.FAILED, State.MISSED) and micros(one.due) < now
        state = seen.state if over or (seen.state is State.CANCELLED and not seen.removed) else State.WAITING
        values = {"state": state.value, "removed": False, "tries": 0, "next_try": None, "error": ""}
        if state is not State.WAITING:
            del values["error"]
        embargo = connection.execute(select(columns.embargo).where(columns.key == one.key)).scalar_one_or_none()
        connection.execute(
            update(deliveries).where(columns.key == one.key).values(**_values(one), **values, changed_at=now)
        )
        self._replace_content(connection, one)
        forget_notices(connection, one.key, at=now)
        details = json.dumps(
            {"was": seen.state.value, "due": one.due.isoformat(), **_gate(one), **_waived(one)} | _was(one, embargo)
        )
        kind = "queued" if seen.removed else "changed"
        self.record(connection, kind, [(one.key, details)], actor=actor, at=now)

    def _replace_content(self, connection: Connection, one: NewDelivery) -> None:
        # A finished step belongs to the old words: an uploaded picture, a draft on the server.
        steps = schema.steps.c
        for table in (drafts, delivery_labels, delivery_media):
            connection.execute(delete(table).where(table.c.delivery == one.key))
        connection.execute(delete(schema.steps).where(steps.delivery == one.key, ~steps.name.startswith(LASTING)))
        _write_content(connection, [one])

    def _remove(self, connection: Connection, keys: Sequence[str], *, actor: str, now: int) -> None:
        values = {"state": State.CANCELLED.value, "removed": True, "next_try": None, "changed_at": now}
        for some in chunks(keys):
            connection.execute(update(deliveries).where(columns.key.in_(some)).values(**values))
        self.record(connection, "cancelled", [(key, '{"by": "plan"}') for key in keys], actor=actor, at=now)

    def _rename(
        self, connection: Connection, old_key: str, one: NewDelivery, *, as_it_is: bool, actor: str, now: int
    ) -> None:
        """A new key for a row; one that stays as it is keeps everything else but the hash of its inputs."""
        names = {name: getattr(one, name) for name in ("key", "campaign", "post", "series", "account", "position")}
        values = names | {"input_hash": one.input_hash, "changed_at": now}
        if not as_it_is:
            values = _values(one) | {"changed_at": now}
        self._void_moved(connection, old_key, actor=actor)
        connection.execute(update(deliveries).where(columns.key == old_key).values(**values))
        if not as_it_is:
            self._replace_content(connection, one)
        self.record(
            connection, "moved", [(one.key, json.dumps({"from": old_key, **_waived(one)}))], actor=actor, at=now
        )

    def _place(self, connection: Connection, positions: Mapping[str, int]) -> None:
        """Plan order of what is otherwise unchanged."""
        for some in _batches(positions.items()):
            connection.execute(_PLACE, [{"the_key": key, "the_position": position} for key, position in some])

    def _store_media(self, connection: Connection, new: Sequence[NewDelivery], load: Callable[[str], bytes]) -> None:
        wanted = {sha256 for delivery in new for sha256 in delivery.media}
        table = schema.media
        for some in chunks(sorted(wanted)):
            have = set(connection.execute(select(table.c.sha256).where(table.c.sha256.in_(some))).scalars())
            for sha256 in some:
                if sha256 not in have:
                    connection.execute(insert(table).values(sha256=sha256, bytes=load(sha256)))


def _write_content(connection: Connection, some: Sequence[NewDelivery]) -> None:
    """Drafts, labels and pictures of rows that are there already."""
    connection.execute(insert(drafts), [{"delivery": one.key, "draft": one.draft_json} for one in some])
    labels = [{"delivery": one.key, "label": label} for one in some for label in dict.fromkeys(one.labels)]
    if labels:
        connection.execute(insert(delivery_labels), labels)
    pictures = [{"delivery": one.key, "sha256": sha256} for one in some for sha256 in dict.fromkeys(one.media)]
    if pictures:
        connection.execute(insert(delivery_media), pictures)


def _waived(one: NewDelivery) -> dict[str, Any]:
    """For the log: what does not count, and why."""
    return {"waived": dict(one.waived)} if one.waived else {}


def _values(one: NewDelivery) -> dict[str, Any]:
    return {
        "key": one.key,
        "campaign": one.campaign,
        "post": one.post,
        "series": one.series,
        "account": one.account,
        "platform": one.platform,
        "address": one.address,
        "position": one.position,
        "due": micros(one.due),
        "parts": one.parts,
        "content_hash": one.content_hash,
        "body_hash": one.body_hash,
        "input_hash": one.input_hash,
        "recurring": one.recurring,
        "approval": one.approval,
        "signed": one.signed,
        "author": one.author,
        "embargo": None if one.embargo is None else micros(one.embargo),
    }


def _gate(one: NewDelivery) -> dict[str, Any]:
    """What is asked for before it may go out, for the log."""
    asked: dict[str, Any] = {"approval": one.approval} if one.approval else {}
    return asked if one.embargo is None else asked | {"embargo": one.embargo.isoformat()}


def _was(one: NewDelivery, embargo: int | None) -> dict[str, Any]:
    """For the log: until when it was under embargo (microseconds), where that is another instant now."""
    before = instant_or_none(embargo)
    return {} if before in (None, one.embargo) else {"embargo_was": before.isoformat()}


def _known(row: Sequence[Any]) -> Known:
    """A row of ``_KNOWN``, and of ``alive`` where that was asked for."""
    key, campaign, series, state, inputs, content, words, address, position, due, out, removed, recurring, *alive = row
    return Known(
        key,
        campaign,
        series,
        _STATES[state],
        inputs,
        content,
        words,
        address,
        position,
        instant(due),
        bool(out),
        bool(removed),
        bool(recurring),
        bool(alive and alive[0]),
    )


def _same(current: Known | None, seen: Known | None) -> bool:
    return seen is None if current is None else current.same(seen)


def _batches(values: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(values)
    while some := list(islice(iterator, _BATCH)):
        yield some
