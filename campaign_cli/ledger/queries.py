"""Conditions and readings that several parts of the ledger share."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Connection, Row

from campaign_cli.ledger import schema
from campaign_cli.ledger.base import chunks
from campaign_cli.ledger.conditions import approved, begun, columns, covered
from campaign_cli.ledger.resting import rests
from campaign_cli.ledger.schema import (
    approvals,
    deliveries,
    delivery_labels,
    drafts,
    instant,
    instant_or_none,
    receipts,
)
from campaign_cli.ledger.values import Delivery, Given, Rest
from campaign_cli.models import Receipt, State

_attempts, _proofs = schema.attempts.c, schema.receipts.c

# Built once: building a statement takes longer than running it. SQLAlchemy keeps the columns' own names for VALUES and
# SET, so parameters carry ``the_`` in front.
_END_ATTEMPTS: Final = (
    update(schema.attempts)
    .where(_attempts.delivery == bindparam("the_key"), _attempts.ended_at.is_(None))
    .values(ended_at=bindparam("the_now"), outcome=bindparam("the_outcome"), error=bindparam("the_error"))
)
_ADD_RECEIPT: Final = insert(receipts)
_COUNT_RECEIPT: Final = (
    update(deliveries).where(columns.key == bindparam("the_key")).values(sent=columns.sent + 1, tries=0)
)
_PROOFS: Final = select(_proofs.delivery, _proofs.part).where(
    or_(
        and_(_proofs.address == bindparam("the_address"), _proofs.remote_id == bindparam("the_id")),
        and_(_proofs.delivery == bindparam("the_key"), _proofs.part == bindparam("the_part")),
    )
)


def receipt_of(row: Row[Any]) -> Receipt:
    """A row of ``receipts`` as a value."""
    return Receipt(
        part=row.part,
        id=row.remote_id,
        url=row.url,
        at=instant(row.at),
        extra=json.loads(row.extra),
        withdrawn_at=instant_or_none(row.withdrawn_at),
    )


def receipts_of(connection: Connection, condition: ColumnElement[bool]) -> Mapping[str, tuple[Receipt, ...]]:
    """Receipts by delivery key, in part order, of the deliveries that meet the condition."""
    rows = connection.execute(
        select(receipts)
        .join(deliveries, columns.key == receipts.c.delivery)
        .where(condition)
        .order_by(receipts.c.delivery, receipts.c.part)
    )
    found: dict[str, tuple[Receipt, ...]] = {}
    for row in rows:
        found[row.delivery] = (*found.get(row.delivery, ()), receipt_of(row))
    return found


def read_deliveries(
    connection: Connection, condition: ColumnElement[bool], *, with_drafts: bool = False
) -> list[Delivery]:
    """The deliveries that meet a condition over ``deliveries``, by due instant, then plan order."""
    shown = (covered().label("held"), begun().label("begun"), approved().label("approved"))
    statement = select(deliveries, *shown).where(condition)
    if with_drafts:
        statement = statement.join(drafts, drafts.c.delivery == columns.key).add_columns(drafts.c.draft)
    rows = connection.execute(statement.order_by(columns.due, columns.position, columns.key)).all()
    if not rows:
        return []
    proofs = receipts_of(connection, condition)
    resting = rests(connection) if any(row.state == State.WAITING.value for row in rows) else {}
    labels: dict[str, list[str]] = defaultdict(list)
    for key, label in connection.execute(
        select(delivery_labels.c.delivery, delivery_labels.c.label)
        .join(deliveries, columns.key == delivery_labels.c.delivery)
        .where(condition)
        .order_by(delivery_labels.c.label)
    ):
        labels[key].append(label)
    given = _given(connection, condition)
    found = [
        _delivery(
            row,
            receipts=proofs.get(row.key, ()),
            labels=tuple(labels.get(row.key, ())),
            given=given.get(row.key, ()),
            with_draft=with_drafts,
        )
        for row in rows
    ]
    return [_at_rest(delivery, resting.get(delivery.address)) for delivery in found] if resting else found


def _given(connection: Connection, condition: ColumnElement[bool]) -> Mapping[str, tuple[Given, ...]]:
    """The approvals that count, by delivery key, oldest first."""
    table = approvals.c
    rows = connection.execute(
        select(table.delivery, table.name, table.at, table.signature.is_not(None).label("verified"))
        .join(deliveries, columns.key == table.delivery)
        .where(table.content_hash == columns.content_hash, table.void.is_(None), condition)
        .order_by(table.id)
    )
    found: dict[str, tuple[Given, ...]] = {}
    for row in rows:
        one = Given(name=row.name, at=instant(row.at), verified=bool(row.verified))
        found[row.delivery] = (*found.get(row.delivery, ()), one)
    return found


def _at_rest(delivery: Delivery, rest: Rest | None) -> Delivery:
    stopped = rest is not None and delivery.state is State.WAITING and delivery.due <= rest.until
    return replace(delivery, rest=rest) if stopped else delivery


def _delivery(
    row: Row[Any],
    *,
    receipts: tuple[Receipt, ...],
    labels: tuple[str, ...],
    given: tuple[Given, ...],
    with_draft: bool,
) -> Delivery:
    return Delivery(
        key=row.key,
        campaign=row.campaign,
        post=row.post,
        account=row.account,
        platform=row.platform,
        address=row.address,
        due=instant(row.due),
        state=State(row.state),
        content_hash=row.content_hash,
        attempts=row.attempts,
        receipts=receipts,
        error=row.error,
        labels=labels,
        held=bool(row.held),
        approved=bool(row.approved),
        next_try=instant_or_none(row.next_try),
        lease_until=instant_or_none(row.lease_until),
        queued_at=instant(row.queued_at),
        changed_at=instant(row.changed_at),
        parts=row.parts,
        begun=bool(row.begun),
        draft_json=row.draft if with_draft else "",
        approval=row.approval,
        signed=bool(row.signed),
        author=row.author,
        approvals=given,
        embargo=instant_or_none(row.embargo),
    )


def deliveries_by_key(connection: Connection, keys: Sequence[str], *, with_drafts: bool = False) -> list[Delivery]:
    """The deliveries with these keys, by due instant, then plan order."""
    found: list[Delivery] = []
    for some in chunks(keys):
        found += read_deliveries(connection, columns.key.in_(some), with_drafts=with_drafts)
    return found


def end_attempts(connection: Connection, key: str, *, outcome: str, error: str, at: int) -> None:
    """Close what is open of a delivery's attempts."""
    connection.execute(_END_ATTEMPTS, {"the_key": key, "the_outcome": outcome, "the_error": error, "the_now": at})


def give_notice(connection: Connection, items: Sequence[tuple[str, str]], *, kind: State, at: int) -> None:
    """Remember that a person should hear of these ``(key, message)``."""
    rows = [{"delivery": key, "kind": kind.value, "message": message, "at": at} for key, message in items]
    if rows:
        connection.execute(insert(schema.notices), rows)


def store_receipt(connection: Connection, key: str, address: str, receipt: Receipt) -> str | None:
    """Keep the proof of one part; doing it again is harmless.

    Returns the key of another delivery when the remote id already proves that one, and stores nothing then.
    """
    proof = {"the_key": key, "the_part": receipt.part, "the_address": address, "the_id": receipt.id}
    taken = connection.execute(_PROOFS, proof).all()
    for row in taken:
        if (row.delivery, row.part) != (key, receipt.part):
            return str(row.delivery)
    if taken:
        return None
    connection.execute(_ADD_RECEIPT, receipt_row(key, address, receipt))
    connection.execute(_COUNT_RECEIPT, {"the_key": key})
    return None


def receipt_row(key: str, address: str, receipt: Receipt) -> dict[str, Any]:
    """A new row of ``receipts``."""
    return {
        "delivery": key,
        "part": receipt.part,
        "address": address,
        "remote_id": receipt.id,
        "url": receipt.url,
        "at": schema.micros(receipt.at),
        "extra": json.dumps(dict(receipt.extra), ensure_ascii=False, sort_keys=True),
    }
