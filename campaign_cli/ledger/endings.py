"""How attempts end, many at once: what one settlement leaves of a delivery, and writing it down."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection, Row

from campaign_cli.i18n import _
from campaign_cli.ledger import statements
from campaign_cli.ledger.base import Store, chunks
from campaign_cli.ledger.queries import give_notice
from campaign_cli.ledger.schema import micros
from campaign_cli.ledger.values import Settlement
from campaign_cli.models import State


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    """What becomes of a row of ``deliveries``. ``new``: with a receipt that the row doesn't count yet.

    ``notice`` is what people are told in the place of ``error``. ``untried``: its last try is not counted.
    """

    row: Row[Any]
    state: State
    error: str
    next_try: datetime | None
    new: bool
    notice: str = ""
    untried: bool = False


class Ending(Store):
    """Writing ends down."""

    def _end(self, connection: Connection, ends: Sequence[End], *, now: int) -> None:
        """Give each row its new state, close its attempts, say so in the log and to people."""
        if not ends:
            return
        alike: dict[tuple[str, str, int | None, int, int], list[str]] = defaultdict(list)
        for end in ends:
            next_try = None if end.next_try is None else micros(end.next_try)
            alike[end.state.value, end.error, next_try, int(end.new), int(end.untried)].append(end.row.key)
        for (outcome, error, next_try, new, untried), keys in alike.items():
            values = {"the_state": outcome, "the_error": error, "the_next_try": next_try, "the_new": new}
            values["the_untried"] = 0 if new else untried
            ending = statements.END if outcome == State.UNCERTAIN.value else statements.END_FOR_GOOD
            for some in chunks(keys):
                connection.execute(ending, {**values, "the_keys": some, "the_now": now})
                closing = {"the_state": outcome, "the_error": error, "the_keys": some, "the_now": now}
                connection.execute(statements.END_ATTEMPTS, closing)
        turned = [end for end in ends if end.row.state != end.state.value]
        for some in chunks(end.row.key for end in turned):
            connection.execute(statements.FORGET_NOTICES, {"the_keys": some, "the_now": now})
        for state in (State.FAILED, State.UNCERTAIN, State.PUBLISHED):
            told = [
                (end.row.key, end.notice or end.error)
                for end in turned
                if end.state is state and (end.notice or state is not State.PUBLISHED)
            ]
            give_notice(connection, told, kind=state, at=now)
        give_notice(connection, _still_untold(connection, ends), kind=State.UNCERTAIN, at=now)
        events = [
            self.event(end.state.value, end.row.key, _details(end), actor=end.row.worker or "", at=now) for end in ends
        ]
        self.write_events(connection, events)


def end_of(row: Row[Any], settlement: Settlement, *, new: bool = False) -> End:
    """Where a settlement leaves a row: published only when every part has its receipt.

    What is uncertain since a restore, and proved unsent, goes back to the state that it had in the backup.
    """
    state, error, next_try = settlement.state, settlement.error, settlement.next_try
    if state is State.PUBLISHED and row.sent + new < row.parts:
        state, error, next_try = State.UNCERTAIN, _("A part has no receipt."), None
    if state is State.WAITING and row.restored_from:
        state, next_try = State(row.restored_from), None  # proved unsent: what the backup says of it is true
    notice = settlement.notice if state is settlement.state else ""
    untried = settlement.untried and state is State.WAITING
    return End(row=row, state=state, error=error, next_try=next_try, new=new, notice=notice, untried=untried)


def rows_of(connection: Connection, keys: Iterable[str]) -> dict[str, Row[Any]]:
    """Rows of ``deliveries`` by key."""
    return {row.key: row for some in chunks(keys) for row in connection.execute(statements.ROWS, {"the_keys": some})}


def undisputed(
    connection: Connection, rows: Mapping[str, Row[Any]], settlements: Sequence[Settlement]
) -> list[Settlement]:
    """Those without a receipt, and those whose receipt is the first for its part and for its post on the network."""
    proofs = [(rows[one.key].address, one.receipt.id) for one in settlements if one.receipt is not None]
    taken = {proof for proof, times in Counter(proofs).items() if times > 1}
    addresses = sorted({address for address, _id in proofs})
    for some in chunks(remote_id for _address, remote_id in proofs):
        found = connection.execute(statements.PROVED, {"the_addresses": addresses, "the_ids": some})
        taken |= {(row.address, row.remote_id) for row in found}
    proved = [one.key for one in settlements if one.receipt is not None]
    sent = {
        (row.delivery, row.part)
        for some in chunks(proved)
        for row in connection.execute(statements.PROOFS_OF, {"the_keys": some})
    }
    return [
        one
        for one in settlements
        if one.receipt is None
        or not ((rows[one.key].address, one.receipt.id) in taken or (one.key, one.receipt.part) in sent)
    ]


def _still_untold(connection: Connection, ends: Sequence[End]) -> list[tuple[str, str]]:
    """What people must hear, once, of deliveries that stay uncertain."""
    stay = [
        (end.row.key, end.notice)
        for end in ends
        if end.notice and end.state is State.UNCERTAIN and end.row.state == State.UNCERTAIN.value
    ]
    told = {
        (row.delivery, row.message)
        for some in chunks(key for key, _message in stay)
        for row in connection.execute(statements.NOTICES_OF, {"the_keys": some})
    }
    return [one for one in stay if one not in told]


def _details(end: End) -> str:
    details: dict[str, Any] = {"error": end.error} if end.error else {}
    if end.next_try is not None:
        details["next_try"] = end.next_try.isoformat()
    return json.dumps(details, ensure_ascii=False)
