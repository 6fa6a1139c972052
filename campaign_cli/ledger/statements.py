"""What every claim and every settlement runs, built once: building a statement takes longer than running it.

Parameters carry ``the_`` in front, since SQLAlchemy keeps the columns' own names for VALUES and SET. ``the_keys`` and
other plurals are lists. Instants are microseconds since the epoch.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    Subquery,
    and_,
    bindparam,
    case,
    cast,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    true,
    update,
)

from campaign_cli.ledger import schema
from campaign_cli.ledger.conditions import WAITING, approved, begun, columns, covered, free_by, sendable
from campaign_cli.ledger.schema import deliveries, drafts
from campaign_cli.ledger.values import EMBARGO_STEP

_attempts, _notices, _receipts, _steps = schema.attempts.c, schema.notices.c, schema.receipts.c, schema.steps.c
# States stand in the statements themselves: that is how SQLite finds a partial index.
_SENDING: Final = columns.state == text("'sending'")
_UNCERTAIN: Final = columns.state == text("'uncertain'")


def _list(name: str) -> BindParameter[Any]:
    return bindparam(name, expanding=True)


_KEYS: Final = columns.key.in_(_list("the_keys"))
_NOW: Final[BindParameter[Any]] = bindparam("the_now")
_KEY: Final = columns.key == bindparam("the_key")
_PAUSED: Final = select(schema.account_pauses.c.address).where(schema.account_pauses.c.until > _NOW)

# Claiming. ``scoped`` limits a statement to ``the_keys``.
LAPSED: Final = select(columns.key, columns.sent, columns.parts).where(_SENDING, columns.lease_until <= _NOW)
IN_FLIGHT: Final = (
    select(columns.account, func.count())
    .where(or_(_SENDING, _UNCERTAIN), columns.lease_until > _NOW)
    .group_by(columns.account)
)
_LEASE: Final = (
    update(deliveries)
    .where(_KEYS)
    .values(
        state=bindparam("the_state"),
        token=columns.token + 1,
        lease_until=bindparam("the_lease_until"),
        worker=bindparam("the_worker"),
        changed_at=_NOW,
    )
)
LEASE_TO_LOOK: Final = _LEASE
LEASE_TO_SEND: Final = _LEASE.values(attempts=columns.attempts + 1, tries=columns.tries + 1)
CLAIMED: Final = (
    select(
        columns.key,
        columns.campaign,
        columns.post,
        columns.account,
        columns.platform,
        columns.address,
        columns.due,
        columns.parts,
        columns.sent,
        columns.token,
        columns.generation,
        columns.content_hash,
        columns.attempts,
        columns.tries,
        columns.lease_until,
        columns.restored_from,
        columns.embargo,
        columns.approval,
        columns.signed,
        drafts.c.draft,
    )
    .outerjoin(drafts, drafts.c.delivery == columns.key)  # a lost draft is told, and stops no other
    .where(_KEYS)
)
STEPS: Final = select(schema.steps).where(_steps.delivery.in_(_list("the_keys")))
STARTS: Final = select(_attempts.attempt_key, _attempts.started_at).where(_attempts.delivery.in_(_list("the_keys")))
RECEIPTS: Final = (
    select(schema.receipts)
    .where(_receipts.delivery.in_(_list("the_keys")))
    .order_by(_receipts.delivery, _receipts.part)
)


def _scope(*, scoped: bool) -> ColumnElement[bool]:
    return _KEYS if scoped else true()


def look_up_due(*, scoped: bool) -> ColumnElement[bool]:
    """Uncertain, in nobody's hands (not in ``the_in_hand`` either), and its look-up is due."""
    return and_(
        _UNCERTAIN,
        columns.next_try <= _NOW,
        or_(columns.lease_until.is_(None), columns.lease_until <= _NOW),
        columns.key.not_in(_list("the_in_hand")),
        _scope(scoped=scoped),
    )


@cache
def destinations(*, scoped: bool) -> Select[Any]:
    """Account and address of everything that waits and is due, and how the address fares."""
    due = and_(WAITING, columns.due <= _NOW, _scope(scoped=scoped))
    # As expressions, the two don't tempt SQLite to walk the accounts' index through all that is not due.
    account, address = (columns.account + "").label("account"), (columns.address + "").label("address")
    return _faring(select(account, address).where(due).distinct().subquery())


def _faring(there: Subquery) -> Select[Any]:
    """Rows of account and address with the address's failures in a row, and whether it rests."""
    pauses = schema.account_pauses.c
    failures, until = func.coalesce(pauses.failures, 0), func.coalesce(pauses.until, 0)
    return select(
        there.c.account, there.c.address, failures.label("failures"), (until > _NOW).label("rests")
    ).select_from(there.outerjoin(schema.account_pauses, pauses.address == there.c.address))


@cache
def moved(*, scoped: bool) -> Select[str]:
    """Keys that are due for an account at an address."""
    there = and_(columns.account == bindparam("the_account"), columns.address == bindparam("the_address"))
    return select(columns.key).where(sendable(), columns.due <= _NOW, there, _scope(scoped=scoped))


@cache
def too_late(*, scoped: bool) -> Select[str]:
    """Keys that nothing of went out and whose instant lies before ``the_latest``.

    The end of an embargo is such an instant, and so is the one at which it ends by its destination's clock.
    """
    latest: BindParameter[Any] = bindparam("the_latest")
    # Other steps hold no number, and a server may look at a condition's parts in any order: CASE keeps it.
    until = case((_steps.name == EMBARGO_STEP, cast(_steps.value, BigInteger)), else_=0)
    later = exists().where(_steps.delivery == columns.key, until >= latest).correlate(deliveries)
    over = or_(columns.embargo.is_(None), and_(columns.embargo < latest, ~later))
    return select(columns.key).where(sendable(), columns.due < latest, ~begun(), over, _scope(scoped=scoped))


@cache
def under_demand(*, scoped: bool, signed: bool, another: bool) -> Select[Any]:
    """What is due, has not begun, and asks for fewer than ``the_approval`` approvals, or not for signed ones.

    ``another``: or for a single one, without saying who may not be the only one to give it.
    """
    less = columns.approval < bindparam("the_approval")
    if signed:
        less = or_(less, and_(columns.approval > 0, ~columns.signed))
    if another:
        less = or_(less, and_(columns.approval == 1, columns.author == ""))
    due = and_(WAITING, columns.due <= _NOW, ~begun(), less)
    return select(columns.key, columns.approval, columns.signed, columns.author).where(due, _scope(scoped=scoped))


@cache
def ready(*, scoped: bool, one: bool) -> Select[int, int, str, str]:
    """Due instant, position, key and account of what may be sent now, in order, ``the_room`` at most.

    For ``one`` account, it is read along that account's own index; for several, along the due instants of all.
    """
    several = (columns.account + "").in_(_list("the_accounts"))
    return (
        select(columns.due, columns.position, columns.key, columns.account)
        .where(
            sendable(),
            columns.account == bindparam("the_account") if one else several,
            columns.due <= _NOW,
            free_by(_NOW),
            or_(columns.next_try.is_(None), columns.next_try <= _NOW),
            columns.address.not_in(_PAUSED),
            _scope(scoped=scoped),
        )
        .order_by(columns.due, columns.position, columns.key)
        .limit(bindparam("the_room"))
        .with_for_update(skip_locked=True)
    )


@cache
def doubtful_destinations(*, scoped: bool) -> Select[Any]:
    """Account and address of everything whose look-up is due, and how the address fares."""
    due = look_up_due(scoped=scoped)
    return _faring(select(columns.account, columns.address).where(due).distinct().subquery())


@cache
def doubtful(*, scoped: bool) -> Select[str]:
    """Keys whose look-up is due, but not for ``the_excluded`` accounts, ``the_room`` at most."""
    return (
        select(columns.key)
        .where(
            look_up_due(scoped=scoped),
            columns.account.not_in(_list("the_excluded")),
            columns.address.not_in(_PAUSED),
        )
        .order_by(columns.next_try, columns.position)
        .limit(bindparam("the_room"))
        .with_for_update(skip_locked=True)
    )


# Holding a claim.
_GATE: Final = select(
    columns.key,
    columns.token,
    columns.state,
    columns.lease_until,
    columns.worker,
    columns.content_hash,
    columns.generation,
    columns.embargo,
    covered().label("held"),
    approved().label("approved"),
)
GATE: Final = _GATE.where(_KEY)
GATES: Final = _GATE.where(_KEYS)
MARK_LEFT: Final = (
    update(schema.attempts).where(_attempts.delivery.in_(_list("the_keys")), _attempts.ended_at.is_(None))
).values(left_at=_NOW)
_before = schema.attempts.alias()
OPEN: Final = select(_attempts.delivery).where(_attempts.delivery.in_(_list("the_keys")), _attempts.ended_at.is_(None))
NEVER_LEFT: Final = select(_attempts.delivery).where(
    _attempts.delivery.in_(_list("the_keys")),
    _attempts.ended_at.is_(None),
    _attempts.left_at == 0,
    ~exists().where(
        _before.c.attempt_key == _attempts.attempt_key, _before.c.outcome == "repeated", _before.c.left_at > 0
    ),
)
"""Deliveries whose open attempt was to be marked before its request left, and is not."""
FENCE: Final = select(columns.token, columns.state).where(_KEY)
RENEW: Final = (
    update(deliveries)
    .where(_KEY)
    .values(
        lease_until=bindparam("the_lease_until"),
        attempts=columns.attempts + 1,
        tries=columns.tries + 1,
        changed_at=_NOW,
    )
)
STAY: Final = update(deliveries).where(_KEY).values(lease_until=bindparam("the_lease_until"))
ADD_ATTEMPT: Final = insert(schema.attempts)
FORGET_STEP: Final = delete(schema.steps).where(
    *(_steps[name] == bindparam(f"the_{name}") for name in ("delivery", "part", "generation", "name"))
)
ADD_STEP: Final = insert(schema.steps)

# Settling.
ROWS: Final = select(deliveries).where(_KEYS).with_for_update()
ROW: Final = select(deliveries).where(_KEY).with_for_update()
PROOFS_OF: Final = select(_receipts.delivery, _receipts.part).where(_receipts.delivery.in_(_list("the_keys")))
PROVED: Final = select(_receipts.address, _receipts.remote_id).where(
    _receipts.address.in_(_list("the_addresses")), _receipts.remote_id.in_(_list("the_ids"))
)
END: Final = (
    update(deliveries)
    .where(_KEYS)
    .values(
        state=bindparam("the_state"),
        sent=columns.sent + bindparam("the_new"),
        tries=columns.tries * (1 - bindparam("the_new"))
        - case((columns.tries > 0, bindparam("the_untried", type_=Integer)), else_=0),
        error=bindparam("the_error"),
        next_try=bindparam("the_next_try"),
        lease_until=None,
        worker=None,
        changed_at=_NOW,
    )
)
END_FOR_GOOD: Final = END.values(restored_from=None)
END_ATTEMPTS: Final = (
    update(schema.attempts)
    .where(_attempts.delivery.in_(_list("the_keys")), _attempts.ended_at.is_(None))
    .values(ended_at=_NOW, outcome=bindparam("the_state"), error=bindparam("the_error"))
)
NOTICES_OF: Final = select(_notices.delivery, _notices.message).where(_notices.delivery.in_(_list("the_keys")))
FORGET_NOTICES: Final = (
    update(schema.notices)
    .where(_notices.delivery.in_(_list("the_keys")), _notices.told_at.is_(None))
    .values(told_at=_NOW)
)
