"""Claims: one compare-and-set transaction before any network call.

A claim gives a lease and a fencing token. Whoever comes later with an older token changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy.engine import Connection, Row

from campaign_cli.ledger import schema, statements
from campaign_cli.ledger.base import chunks, insert_rows
from campaign_cli.ledger.gate import NOTHING, Demands
from campaign_cli.ledger.handout import attempt_row, claims_of, first_unsent, receipts_by_key
from campaign_cli.ledger.queries import deliveries_by_key
from campaign_cli.ledger.resting import faring, on_trial, one_each, rest
from campaign_cli.ledger.schema import span
from campaign_cli.ledger.sweeping import Order, Sweeping
from campaign_cli.ledger.values import Claim, Claimed
from campaign_cli.models import State

Place = tuple[int, int, str]
"""Due instant, position and key: by these, deliveries are sent."""

_FEW: Final = 3  # accounts that are asked one by one


class Claiming(Sweeping):
    """Taking deliveries to send, and taking uncertain ones to look up."""

    def claim(  # noqa: PLR0913 - all by keyword, and each is a decision of the caller's
        self,
        *,
        worker: str,
        limit: int,
        per_account: int,
        lease: timedelta,
        late_grace: timedelta,
        exclude_accounts: Collection[str] = (),
        keys: Collection[str] | None = None,
        addresses: Mapping[str, str] | None = None,
        in_hand: Collection[str] = (),
        spacing: Mapping[str, timedelta] | None = None,
        recall: bool = False,
        marked: Collection[str] = (),
        serves: Collection[str] | None = None,
        demands: Demands = NOTHING,
    ) -> Claimed:
        """Take up to ``limit`` due deliveries, at most ``per_account`` in flight for each account over all processes.

        In the same transaction: leases that ran out leave their delivery uncertain; what is later than
        ``late_grace`` is missed, unless held or begun; what is due for an account that ``addresses`` (account →
        address of today) doesn't have or has elsewhere is parked as failed, and so is what has no readable draft.
        ``keys`` limits claiming, missing and parking to these deliveries.

        ``in_hand`` are deliveries that the caller is sending at this moment: their leases may have run out while the
        machine slept, and the caller still knows best. ``spacing`` (account → distance) lets an account start one
        delivery at most, and no process another one before that distance is over.

        ``recall``: an earlier claim of this worker got no answer, so it may have been written. What is being sent under
        the worker's name and is not ``in_hand`` was never handed to it, and waits again. ``marked`` accounts
        are those for which ``let_leave`` comes before each request: without its mark, nothing of them has left.

        ``serves``: the accounts that the caller sends for, where not all: the others are neither taken nor parked.
        ``demands``: what the workspace's rules ask for today; a delivery that was queued for fewer approvals, or not
        for signed ones, asks for as many from here on.
        """
        with self.writing() as connection:
            order = Order.of(
                now=self.now(),
                worker=worker,
                limit=limit,
                lease=lease,
                per_account=per_account,
                exclude_accounts=exclude_accounts,
                keys=keys,
                addresses=addresses,
                in_hand=in_hand,
                spacing=spacing,
                marked=marked,
                serves=serves,
                demands=demands,
            )
            if recall:
                self._recall(connection, order)
            return self._claim_due(connection, order, latest=max(order.now - span(late_grace), 0))  # timedelta.max too

    def claim_doubtful(  # noqa: PLR0913 - as above
        self,
        *,
        worker: str,
        limit: int,
        lease: timedelta,
        exclude_accounts: Collection[str] = (),
        addresses: Mapping[str, str] | None = None,
        keys: Collection[str] | None = None,
        in_hand: Collection[str] = (),
        serves: Collection[str] | None = None,
    ) -> tuple[Claim, ...]:
        """Take uncertain deliveries whose look-up is due. They stay uncertain; no attempt is begun.

        One whose account is gone or has another address by now is left to a person. ``in_hand`` and ``serves`` as in
        ``claim``. So is one whose draft can't be read; it may be out, and stays uncertain.
        """
        with self.writing() as connection:
            order = Order.of(
                now=self.now(),
                worker=worker,
                limit=limit,
                lease=lease,
                exclude_accounts=exclude_accounts,
                keys=keys,
                addresses=addresses,
                in_hand=in_hand,
                serves=serves,
            )
            due = self._leave_to_person(connection, order)
            alone = on_trial(due)
            busy = _in_flight(connection, order) if alone else {}
            others = {row.account for row in due if order.left_to_others(row.account)}
            excluded = order.exclude | others | {account for account in alone if busy.get(account)}
            wanted = order.parameters(in_hand=sorted(order.in_hand), excluded=sorted(excluded), room=limit)
            found = list(connection.execute(statements.doubtful(scoped=order.scoped), wanted).scalars())
            taken = one_each(found, alone)
            rows = _leased(connection, order, taken, state=State.UNCERTAIN)
            drafts = self._read_drafts(connection, order, rows, unreadable=State.UNCERTAIN)
            rows = [row for row in rows if row.key in drafts]
            return faring(claims_of(connection, rows, receipts_by_key(connection, rows), drafts=drafts), due)

    def _claim_due(self, connection: Connection, order: Order, *, latest: int) -> Claimed:
        """Sweep, then take; what fell due before ``latest`` is too late."""
        doubtful = self._expire(connection, order)
        self._demand(connection, order)
        found = connection.execute(statements.destinations(scoped=order.scoped), order.parameters())
        due = [row for row in found if not order.left_to_others(row.account)]
        parked = self._park(connection, order, due)
        missed = self._miss(connection, order, latest=latest)
        taken = self._take(connection, order, due)
        claims = self._begin(connection, order, taken)
        begun = {claim.key for claim in claims}
        parked += [key for key in taken if key not in begun]
        return Claimed(
            claims=faring(claims, due),
            missed=tuple(deliveries_by_key(connection, missed)),
            doubtful=tuple(deliveries_by_key(connection, doubtful)),
            parked=tuple(deliveries_by_key(connection, parked)),
        )

    def _take(self, connection: Connection, order: Order, due: Sequence[Row[Any]]) -> list[str]:
        """Keys to send, in due order, then plan order, as many as each account has room for."""
        busy, alone = _in_flight(connection, order), on_trial(due)
        rooms: dict[str, int] = {}
        for account in sorted({row.account for row in due if not row.rests} - order.exclude):
            most = 1 if account in alone else order.per_account
            room = min(most - busy.get(account, 0), 1 if account in order.spacing else order.limit)
            if room > 0:
                rooms[account] = room
        found = _first(connection, order, rooms) if len(rooms) > _FEW else {}
        for account in rooms.keys() - found.keys():
            wanted = order.parameters(account=account, room=rooms[account])
            found[account] = _places(connection.execute(statements.ready(scoped=order.scoped, one=True), wanted))
        places = [place for account, room in rooms.items() for place in found[account][:room]]
        return [key for _due, _position, key in sorted(places)[: order.limit]]

    def _begin(self, connection: Connection, order: Order, taken: Sequence[str]) -> list[Claim]:
        """Lease what was taken and can be read, with an attempt at the first unsent part of each on disk."""
        rows = _leased(connection, order, taken, state=State.SENDING)
        drafts = self._read_drafts(connection, order, rows, unreadable=State.FAILED)
        rows = [row for row in rows if row.key in drafts]
        if not rows:
            return []
        for row in rows:
            if row.account in order.spacing:
                rest(connection, row.address, until=order.now + order.spacing[row.account])
        proofs = receipts_by_key(connection, rows)
        new = [
            attempt_row(
                row,
                part=first_unsent(row.parts, proofs.get(row.key, ())),
                worker=order.worker,
                at=order.now,
                marked=row.account in order.marked,
            )
            for row in rows
        ]
        insert_rows(connection, schema.attempts, new)
        self.record(connection, "sending", [(row.key, "{}") for row in rows], actor=order.worker, at=order.now)
        return claims_of(connection, rows, proofs, drafts=drafts, begun=new)


def _first(connection: Connection, order: Order, rooms: Mapping[str, int]) -> dict[str, list[Place]]:
    """What may be sent first, by account, read at once; an account is there only if its room is filled or it has no
    more. Accounts mostly take turns in a plan, so that nearly every one is."""
    window = max(rooms.values()) * len(rooms)
    wanted = order.parameters(accounts=list(rooms), room=window)
    rows = connection.execute(statements.ready(scoped=order.scoped, one=False), wanted).all()
    found: dict[str, list[Place]] = {account: [] for account in rooms}
    for row in rows:
        found[row.account].append((row.due, row.position, row.key))
    everything = len(rows) < window
    return {account: places for account, places in found.items() if everything or len(places) >= rooms[account]}


def _in_flight(connection: Connection, order: Order) -> dict[str, int]:
    """How many each account has on its way, over all processes."""
    return {row[0]: row[1] for row in connection.execute(statements.IN_FLIGHT, {"the_now": order.now})}


def _places(rows: Iterable[Row[Any]]) -> list[Place]:
    return [(row.due, row.position, row.key) for row in rows]


def _leased(connection: Connection, order: Order, taken: Sequence[str], *, state: State) -> list[Row[Any]]:
    """The rows of these keys, in their order, after a new token and a lease; one to send counts as a try."""
    lease = statements.LEASE_TO_SEND if state is State.SENDING else statements.LEASE_TO_LOOK
    values = order.parameters(state=state.value, lease_until=order.now + order.lease, worker=order.worker)
    rows: dict[str, Row[Any]] = {}
    for some in chunks(taken):
        connection.execute(lease, values | {"the_keys": some})
        rows |= {row.key: row for row in connection.execute(statements.CLAIMED, {"the_keys": some})}
    return [rows[key] for key in taken]
