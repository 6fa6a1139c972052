"""What must be true of every ledger, each as a search for deliveries of which it is not.

Each rule gives a Finding for each delivery, in plain words. Nothing is changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.engine import Connection, Row

from campaign_cli.i18n import _
from campaign_cli.ledger.approved import hash_of
from campaign_cli.ledger.conditions import columns
from campaign_cli.ledger.schema import (
    approvals,
    attempts,
    deliveries,
    delivery_media,
    drafts,
    events,
    instant,
    instant_or_none,
    media,
    receipts,
)
from campaign_cli.models import Draft, State

_BATCH: Final = 500
_STATES: Final = [state.value for state in State]
_UNSENT: Final = [State.WAITING.value, State.FAILED.value, State.MISSED.value, State.CANCELLED.value]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Something that is wrong: of a delivery (``key``) or of the whole; what to do about it."""

    rule: str
    message: str
    fix: str
    key: str | None = None


Rule = Callable[[Connection], Iterator[Finding]]


def _look() -> str:
    return _("Look at the account; what is out must not be sent again: `campaign hold` while you look.")


def _restore() -> str:
    return _("Restore the newest backup that is sound: `campaign ledger restore` lists them.")


def states(connection: Connection) -> Iterator[Finding]:
    """Every state is one of the seven; a lease and a worker belong to what is on its way, and to nothing else."""
    on_its_way = [State.SENDING.value, State.UNCERTAIN.value]
    sending = columns.state == State.SENDING.value
    unleased = and_(sending, or_(columns.lease_until.is_(None), columns.worker.is_(None)))
    leased = and_(columns.state.not_in(on_its_way), columns.lease_until.is_not(None))
    for row in _deliveries(connection, columns.state.not_in(_STATES)):
        yield _of("states", row, _("{key}: there is no state “{state}”."), _restore(), state=row.state)
    for row in _deliveries(connection, unleased):
        yield _of("states", row, _("{key}: it is being sent, and nobody holds it."), _restore())
    for row in _deliveries(connection, leased):
        message = _("{key}: it is {state}, and somebody still holds it.")
        yield _of("states", row, message, _restore(), state=row.state)


def contents(connection: Connection) -> Iterator[Finding]:
    """Every delivery has its draft, and the content hash is that of the draft and the due instant."""
    without = ~exists().where(drafts.c.delivery == columns.key)
    for row in _deliveries(connection, without):
        yield _of("contents", row, _("{key}: its draft is gone, so it can't be sent."), _restore())
    joined = select(
        columns.key, columns.due, columns.embargo, columns.parts, columns.content_hash, columns.address, drafts.c.draft
    )
    for row in _stream(connection, joined.join(drafts, drafts.c.delivery == columns.key).order_by(columns.key)):
        message = _misfit(row)
        if message:
            yield _of("contents", row, message, _restore())


def _misfit(row: Row[Any]) -> str:
    """What is wrong with a draft; empty when it is the one that was queued."""
    try:
        draft = Draft.from_json(row.draft)
        fits = draft.content_hash(instant(row.due), embargo=instant_or_none(row.embargo)) == row.content_hash
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return _("{key}: its draft can't be read.")
    if not fits:
        return _("{key}: its draft or its due instant is not what was queued; it was changed past the program.")
    if len(draft.parts) != row.parts or draft.address != row.address:
        return _("{key}: its draft has other parts or another address than it has.")
    return ""


def proofs(connection: Connection) -> Iterator[Finding]:
    """Receipts are counted, have no hole, and a delivery is published exactly when every part has one."""
    numbers = (
        select(
            receipts.c.delivery,
            func.count().label("number"),
            func.min(receipts.c.part).label("lowest"),
            func.max(receipts.c.part).label("highest"),
        )
        .group_by(receipts.c.delivery)
        .subquery()
    )
    number = func.coalesce(numbers.c.number, 0)
    counted = select(
        columns.key,
        columns.state,
        columns.parts,
        columns.sent,
        number.label("number"),
        numbers.c.lowest,
        numbers.c.highest,
    ).select_from(deliveries.outerjoin(numbers, numbers.c.delivery == columns.key))
    published = columns.state == State.PUBLISHED.value
    wrong = or_(
        columns.sent != number,
        numbers.c.lowest != 0,
        numbers.c.highest != number - 1,
        and_(published, number != columns.parts),
        and_(columns.state.in_(_UNSENT), number >= columns.parts),
    )
    for row in _stream(connection, counted.where(wrong).order_by(columns.key)):
        yield _of("receipts", row, _unproved(row), _look(), sent=row.sent, number=row.number, parts=row.parts)
    for row in _deliveries(connection, columns.parts < 1):
        yield _of("receipts", row, _("{key}: it has no part."), _restore())


def _unproved(row: Row[Any]) -> str:
    if row.state == State.PUBLISHED.value and row.number != row.parts:
        return _("{key}: it counts as published, and {number} of {parts} parts have a receipt.")
    if row.sent != row.number:
        return _("{key}: it counts {sent} receipts and has {number}.")
    if row.number and (row.lowest != 0 or row.highest != row.number - 1):
        return _("{key}: a part in the middle has no receipt.")
    return _("{key}: all of its parts have receipts, and it does not count as published.")


def remote_ids(connection: Connection) -> Iterator[Finding]:
    """No post of an account proves two things."""
    there = (receipts.c.address, receipts.c.remote_id)
    twice = select(*there, func.min(receipts.c.delivery).label("key")).group_by(*there).having(func.count() > 1)
    for row in _stream(connection, twice):
        message = _("{key}: the post {id} is the receipt of two parts or deliveries.")
        yield _of("receipts", row, message, _look(), id=row.remote_id)


def pictures(connection: Connection) -> Iterator[Finding]:
    """Every picture that a draft names is there, and its bytes are those of its SHA-256."""
    bad = set()
    for row in _stream(connection, select(media.c.sha256, media.c.bytes).order_by(media.c.sha256), size=1):
        if hashlib.sha256(row.bytes).hexdigest() != row.sha256:
            bad.add(row.sha256)
    have = set(connection.execute(select(media.c.sha256)).scalars()) - bad
    for sha256 in sorted(bad):
        users = select(delivery_media.c.delivery).where(delivery_media.c.sha256 == sha256)
        key = connection.execute(users.order_by(delivery_media.c.delivery).limit(1)).scalar()
        message = _("The bytes of picture {sha256} are not the ones that were queued.").format(sha256=sha256)
        yield Finding(rule="pictures", key=key, message=f"{key}: {message}" if key else message, fix=_restore())
    wanted = select(drafts.c.delivery.label("key"), drafts.c.draft).order_by(drafts.c.delivery)
    for row in _stream(connection, wanted.where(drafts.c.draft.contains('"sha256"'))):
        for sha256 in sorted(_named(row.draft) - have - bad):
            yield _of("pictures", row, _("{key}: its picture {sha256} is gone."), _restore(), sha256=sha256)


def _named(draft: str) -> set[str]:
    """The pictures of a draft; none where it can't be read, which ``contents`` tells."""
    try:
        return {file.sha256 for file in Draft.from_json(draft).files}
    except (ValueError, KeyError, TypeError):
        return set()


def open_attempts(connection: Connection) -> Iterator[Finding]:
    """What nobody is sending or looking up has no open attempt."""
    left = exists().where(attempts.c.delivery == columns.key, attempts.c.ended_at.is_(None))
    for row in _deliveries(connection, and_(columns.lease_until.is_(None), left)):
        yield _of("attempts", row, _("{key}: an attempt at it is still open, and nobody is sending it."), _look())


def told(connection: Connection) -> Iterator[Finding]:
    """The log knows of every delivery that is out, under the name that it had then."""
    published = select(events.c.key).where(events.c.kind.in_([State.PUBLISHED.value, "resolved"]))
    known = set(connection.execute(published.distinct()).scalars())
    earlier = {
        row.key: _from(row.details)
        for row in connection.execute(select(events.c.key, events.c.details).where(events.c.kind == "moved"))
    }
    for row in _deliveries(connection, columns.state == State.PUBLISHED.value):
        if not known & _names(row.key, earlier):
            yield _of("log", row, _("{key}: it counts as published, and the log does not know of it."), _look())


def _from(details: str) -> Any:
    try:
        return json.loads(details).get("from")
    except (ValueError, TypeError, AttributeError):  # which breaks the chain as well
        return None


def _names(key: str, earlier: dict[str, Any]) -> set[str]:
    """The names that a delivery has had."""
    names: set[str] = set()
    name: Any = key
    while isinstance(name, str) and name not in names:
        names.add(name)
        name = earlier.get(name)
    return names


def approved(connection: Connection) -> Iterator[Finding]:
    """What an approval says was shown is the content that it counts for; and the log knows of it."""
    given, logged = approvals.c, _logged_approvals(connection)
    shown = (given.name, given.content_hash, given.statement, given.void)
    for row in _stream(connection, select(given.delivery.label("key"), *shown).order_by(given.id)):
        try:
            fits = hash_of(row.statement) == row.content_hash
        except (ValueError, KeyError, TypeError, AttributeError):
            fits = False
        if not fits:
            message = _("{key}: the approval of {name} is not of the content that it counts for.")
            fix = _("Take it back: campaign approve PLAN --withdraw --as NAME; then look, and approve again.")
            yield _of("approvals", row, message, fix, name=row.name)
        elif row.void is None and (row.key, row.name, row.content_hash) not in logged:
            message = _("{key}: the log knows nothing of the approval of {name}: it came past the program.")
            fix = _(
                "Ask {name}. Take it back: campaign approve PLAN --withdraw --as NAME; then look, and approve again."
            )
            yield _of("approvals", row, message, fix.format(name=row.name), name=row.name)


def _logged_approvals(connection: Connection) -> set[tuple[str, str, str]]:
    """Delivery, name and content hash of each approval that the log tells of."""
    found = set()
    for row in _stream(connection, select(events.c.key, events.c.details).where(events.c.kind == "approved")):
        with suppress(ValueError, AttributeError):  # a broken line is the chain's to tell
            told = json.loads(row.details)
            found.add((row.key, told.get("name"), told.get("hash")))
    return found


RULES: Final[tuple[Rule, ...]] = (states, contents, proofs, remote_ids, pictures, open_attempts, told, approved)


def _deliveries(connection: Connection, condition: ColumnElement[bool]) -> Iterator[Row[Any]]:
    return _stream(connection, select(columns.key, columns.state).where(condition).order_by(columns.key))


def _stream(connection: Connection, statement: Any, *, size: int = _BATCH) -> Iterator[Row[Any]]:
    yield from connection.execute(statement, execution_options={"yield_per": size})


def _of(rule: str, row: Row[Any], message: str, fix: str, **values: object) -> Finding:
    return Finding(rule=rule, key=row.key, message=message.format(key=row.key, **values), fix=fix)
