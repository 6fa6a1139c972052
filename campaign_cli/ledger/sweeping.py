"""What every claim looks at first: leases that ran out, accounts that moved, posts that are too late."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, and_, or_, select, true, update
from sqlalchemy.engine import Connection

from campaign_cli.i18n import _
from campaign_cli.ledger.base import Store, chunks
from campaign_cli.ledger.queries import WAITING, columns, end_attempts, give_notice, sendable
from campaign_cli.ledger.schema import deliveries
from campaign_cli.models import State


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What a claim asks for; instants and spans in microseconds."""

    now: int
    worker: str
    limit: int
    lease: int
    per_account: int = 0
    exclude: frozenset[str] = frozenset()
    keys: frozenset[str] | None = None
    addresses: Mapping[str, str] | None = None
    in_hand: frozenset[str] = frozenset()
    spacing: Mapping[str, int] = field(default_factory=dict)

    def scope(self) -> ColumnElement[bool]:
        """Only the deliveries this order speaks of."""
        return true() if self.keys is None else columns.key.in_(self.keys)


class Sweeping(Store):
    """Moving on what no sender holds."""

    def _expire(self, connection: Connection, order: Order) -> list[str]:
        lapsed = and_(
            columns.state == State.SENDING.value,
            columns.lease_until <= order.now,
            columns.key.not_in(order.in_hand),
        )
        rows = connection.execute(select(columns.key, columns.sent, columns.parts).where(lapsed)).all()
        whole = [row.key for row in rows if row.sent >= row.parts]
        broken = [row.key for row in rows if row.sent < row.parts]
        error = _("The sender stopped before an answer came.")
        self._enter(connection, whole, state=State.PUBLISHED, error="", order=order)
        self._enter(connection, broken, state=State.UNCERTAIN, error=error, order=order, next_try=order.now)
        for row in rows:
            end_attempts(connection, row.key, outcome="lapsed", error="", at=order.now)
        return broken

    def _park(self, connection: Connection, order: Order) -> list[str]:
        if order.addresses is None:
            return []
        due = and_(columns.due <= order.now, order.scope())
        pairs = connection.execute(select(columns.account, columns.address).where(WAITING, due).distinct()).all()
        parked: list[str] = []
        for account, address in pairs:
            today = order.addresses.get(account)
            if today == address:
                continue
            moved = and_(sendable(), due, columns.account == account, columns.address == address)
            keys = list(connection.execute(select(columns.key).where(moved)).scalars())
            error = _elsewhere(account, old=address, new=today)
            self._enter(connection, keys, state=State.FAILED, error=error, order=order)
            parked += keys
        return parked

    def _miss(self, connection: Connection, order: Order, *, latest: int) -> list[str]:
        late = and_(sendable(), columns.due < latest, columns.sent == 0, order.scope())
        missed = list(connection.execute(select(columns.key).where(late)).scalars())
        error = _("It was later than late_grace allows when a sender looked.")
        self._enter(connection, missed, state=State.MISSED, error=error, order=order)
        return missed

    def _enter(
        self,
        connection: Connection,
        keys: Sequence[str],
        *,
        state: State,
        error: str,
        order: Order,
        next_try: int | None = None,
    ) -> None:
        values = {"state": state.value, "error": error, "next_try": next_try, "lease_until": None}
        for some in chunks(keys):
            connection.execute(update(deliveries).where(columns.key.in_(some)).values(**values, changed_at=order.now))
        details = json.dumps({"error": error} if error else {}, ensure_ascii=False)
        self.record(connection, state.value, [(key, details) for key in keys], actor=order.worker, at=order.now)
        if state is not State.PUBLISHED:
            give_notice(connection, [(key, error) for key in keys], kind=state, at=order.now)

    def _leave_to_person(self, connection: Connection, order: Order) -> None:
        if order.addresses is None:
            return
        pairs = connection.execute(
            select(columns.account, columns.address).where(look_up_due(order), order.scope()).distinct()
        ).all()
        for account, address in pairs:
            today = order.addresses.get(account)
            if today != address:
                connection.execute(
                    update(deliveries)
                    .where(look_up_due(order), columns.account == account, columns.address == address, order.scope())
                    .values(next_try=None, error=_elsewhere(account, old=address, new=today), changed_at=order.now)
                )


def _elsewhere(account: str, *, old: str, new: str | None) -> str:
    if new is None:
        return _("Account {account} is no longer in accounts.yaml. Put it back, or cancel this delivery.").format(
            account=account
        )
    return _(
        "Account {account} was {old} when this was queued and is {new} now. Put the old address back, "
        "or queue the plan again for the new one."
    ).format(account=account, old=old, new=new)


def look_up_due(order: Order) -> ColumnElement[bool]:
    """Uncertain, in nobody's hands, and its look-up is due."""
    return and_(
        columns.state == State.UNCERTAIN.value,
        columns.next_try <= order.now,
        or_(columns.lease_until.is_(None), columns.lease_until <= order.now),
        columns.key.not_in(order.in_hand),
    )
