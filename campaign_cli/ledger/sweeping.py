"""What every claim looks at first: leases that ran out, accounts that moved, posts that are too late."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, select, update
from sqlalchemy.engine import Connection, Row

from campaign_cli.errors import DamagedLedger
from campaign_cli.i18n import _
from campaign_cli.ledger import statements
from campaign_cli.ledger.base import Store, chunks
from campaign_cli.ledger.conditions import columns
from campaign_cli.ledger.gate import NOTHING, Demands
from campaign_cli.ledger.queries import end_attempts, give_notice
from campaign_cli.ledger.schema import deliveries, instant, instant_or_none, span
from campaign_cli.ledger.values import frozen_draft
from campaign_cli.models import Draft, State


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
    marked: frozenset[str] = frozenset()
    serves: frozenset[str] | None = None
    demands: Demands = NOTHING

    @classmethod
    def of(  # noqa: PLR0913 - the caller's decisions, all by keyword
        cls,
        *,
        now: int,
        worker: str,
        limit: int,
        lease: timedelta,
        per_account: int = 0,
        exclude_accounts: Collection[str] = (),
        keys: Collection[str] | None = None,
        addresses: Mapping[str, str] | None = None,
        in_hand: Collection[str] = (),
        spacing: Mapping[str, timedelta] | None = None,
        marked: Collection[str] = (),
        serves: Collection[str] | None = None,
        demands: Demands = NOTHING,
    ) -> Order:
        """From spans and collections of any kind."""
        return cls(
            now=now,
            worker=worker,
            limit=limit,
            lease=span(lease),
            per_account=per_account,
            exclude=frozenset(exclude_accounts),
            keys=None if keys is None else frozenset(keys),
            addresses=addresses,
            in_hand=frozenset(in_hand),
            spacing={name: span(distance) for name, distance in (spacing or {}).items()},
            marked=frozenset(marked),
            serves=None if serves is None else frozenset(serves),
            demands=demands,
        )

    def left_to_others(self, account: str) -> bool:
        """Whoever asks doesn't serve it, and needn't even know it."""
        return self.serves is not None and account not in self.serves

    @property
    def scoped(self) -> bool:
        """It speaks of some deliveries alone."""
        return self.keys is not None

    def parameters(self, **more: object) -> dict[str, object]:
        """What the statements of a claim ask for, and ``more``."""
        keys = {} if self.keys is None else {"the_keys": sorted(self.keys)}
        return {"the_now": self.now, **keys, **{f"the_{name}": value for name, value in more.items()}}


class Sweeping(Store):
    """Moving on what no sender holds."""

    def _recall(self, connection: Connection, order: Order) -> None:
        """Let wait again what was claimed under this worker's name and never reached it."""
        ours = and_(columns.state == State.SENDING.value, columns.worker == order.worker)
        found = connection.execute(select(columns.key).where(ours)).scalars()
        keys = [key for key in found if key not in order.in_hand]
        self._wait_again(connection, keys, error=_("The claim never reached its sender."), order=order)

    def _wait_again(self, connection: Connection, keys: Sequence[str], *, error: str, order: Order) -> None:
        """Let wait, as if untried, what was claimed and provably not sent."""
        back = {"state": State.WAITING.value, "lease_until": None, "worker": None, "changed_at": order.now}
        for some in chunks(keys):
            there = update(deliveries).where(columns.key.in_(some))
            connection.execute(there.values(**back, tries=columns.tries - 1))
        for key in keys:
            end_attempts(connection, key, outcome="unsent", error="", at=order.now)
        details = json.dumps({"error": error}, ensure_ascii=False)
        self.record(connection, State.WAITING.value, [(key, details) for key in keys], actor=order.worker, at=order.now)

    def _demand(self, connection: Connection, order: Order) -> None:
        """Let what is due ask for the approvals that the workspace's rules ask for today, where that is more."""
        asked = order.demands
        if asked == NOTHING:
            return
        less = statements.under_demand(scoped=order.scoped, signed=asked.signed, another=asked.another)
        for row in connection.execute(less, order.parameters(approval=asked.approval)).all():
            least = asked.least(row.approval, author=row.author)
            values = {"approval": least, "signed": bool(row.signed or asked.signed)}
            connection.execute(update(deliveries).where(columns.key == row.key).values(**values))
            self.record(connection, "demanded", [(row.key, json.dumps(values))], actor=order.worker, at=order.now)

    def _expire(self, connection: Connection, order: Order) -> list[str]:
        lapsed = connection.execute(statements.LAPSED, {"the_now": order.now})
        rows = [row for row in lapsed if row.key not in order.in_hand]
        whole = [row.key for row in rows if row.sent >= row.parts]
        begun = [row.key for row in rows if row.sent < row.parts]
        idle = _idle(connection, begun)
        broken = [key for key in begun if key not in idle]
        self._wait_again(connection, sorted(idle), error=_("The sender stopped before anything left."), order=order)
        error = _("The sender stopped before an answer came.")
        self._enter(connection, whole, state=State.PUBLISHED, error="", order=order)
        self._enter(connection, broken, state=State.UNCERTAIN, error=error, order=order, next_try=order.now)
        for row in rows:
            end_attempts(connection, row.key, outcome="lapsed", error="", at=order.now)
        return broken

    def _park(self, connection: Connection, order: Order, due: Sequence[Row[Any]]) -> list[str]:
        """Fail what is due for an address that its account doesn't have any more."""
        if order.addresses is None:
            return []
        parked: list[str] = []
        for row in due:
            account, address = row.account, row.address
            today = order.addresses.get(account)
            if today == address:
                continue
            there = order.parameters(account=account, address=address)
            keys = list(connection.execute(statements.moved(scoped=order.scoped), there).scalars())
            error = _elsewhere(account, old=address, new=today)
            self._enter(connection, keys, state=State.FAILED, error=error, order=order)
            parked += keys
        return parked

    def _read_drafts(
        self, connection: Connection, order: Order, rows: Sequence[Row[Any]], *, unreadable: State
    ) -> dict[str, Draft]:
        """The drafts by key, of the leased; those that can't be read go to a person in the state ``unreadable``, and so
        do those that are not what was approved, or put under embargo."""
        found: dict[str, Draft] = {}
        for row in rows:
            try:
                found[row.key] = _as_promised(row, frozen_draft(row.key, row.draft))
            except DamagedLedger as error:
                self._enter(connection, [row.key], state=unreadable, error=f"{error.message} {error.fix}", order=order)
        return found

    def _miss(self, connection: Connection, order: Order, *, latest: int) -> list[str]:
        late = statements.too_late(scoped=order.scoped)
        missed = list(connection.execute(late, order.parameters(latest=latest)).scalars())
        error = _(
            "It was later than late_grace allows when a sender looked. "
            "Give it another time: campaign retry KEY --at TIME, or in the plan, and queue again."
        )
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

    def _leave_to_person(self, connection: Connection, order: Order) -> Sequence[Row[Any]]:
        """Leave what can't be looked up, for its account has moved; where the look-ups are that are due."""
        parameters = order.parameters(in_hand=sorted(order.in_hand))
        due = connection.execute(statements.doubtful_destinations(scoped=order.scoped), parameters).all()
        for row in due if order.addresses is not None else ():
            account, address = row.account, row.address
            today = (order.addresses or {}).get(account)
            if today != address and not order.left_to_others(account):
                there = and_(columns.account == account, columns.address == address)
                left = {"next_try": None, "lease_until": None, "error": _elsewhere(account, old=address, new=today)}
                connection.execute(
                    update(deliveries)
                    .where(statements.look_up_due(scoped=order.scoped), there)
                    .values(**left, changed_at=order.now),
                    parameters,
                )
        return due


def _idle(connection: Connection, keys: Sequence[str]) -> set[str]:
    """Those of which nothing can be on its way: between two parts, or with a request that lacks its mark."""
    idle: set[str] = set()
    for some in chunks(keys):
        wanted = {"the_keys": some}
        idle |= set(some) - set(connection.execute(statements.OPEN, wanted).scalars())
        idle |= set(connection.execute(statements.NEVER_LEFT, wanted).scalars())
    return idle


def _elsewhere(account: str, *, old: str, new: str | None) -> str:
    if new is None:
        return _("Account {account} is no longer in accounts.yaml. Put it back, or cancel this delivery.").format(
            account=account
        )
    return _(
        "Account {account} was {old} when this was queued and is {new} now. Put the old address back, "
        "or queue the plan again for the new one."
    ).format(account=account, old=old, new=new)


def _as_promised(row: Row[Any], draft: Draft) -> Draft:
    """The draft, where the content hash that people approved is really its own. Raises DamagedLedger."""
    if row.approval or row.signed or row.embargo is not None:
        content_hash = draft.content_hash(instant(row.due), embargo=instant_or_none(row.embargo))
        if content_hash != row.content_hash:
            raise DamagedLedger(
                _("{key}: its draft or its time was changed past the program; it is not what was approved.").format(
                    key=row.key
                ),
                fix=_("Run `campaign ledger check`: it says what is damaged, and the way out."),
            )
    return draft
