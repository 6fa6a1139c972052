"""How attempts end, many at once: what one settlement leaves of a delivery, and writing it down."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.engine import Connection, Row

from campaign_cli.i18n import _
from campaign_cli.ledger import schema, statements
from campaign_cli.ledger.base import Store, chunks
from campaign_cli.ledger.queries import END_ATTEMPTS, ended_attempts, give_notice
from campaign_cli.ledger.schema import micros
from campaign_cli.ledger.values import Settlement
from campaign_cli.models import State


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    """What becomes of a row of ``deliveries``; ``sent`` and ``tries`` with the receipt that came with it."""

    row: Row[Any]
    state: State
    error: str
    next_try: datetime | None
    sent: int
    tries: int


class Ending(Store):
    """Writing ends down."""

    def _end(self, connection: Connection, ends: Sequence[End], *, now: int) -> None:
        """Give each row its new state, close its attempts, say so in the log and to people."""
        if not ends:
            return
        connection.execute(statements.END, [_values(end, now=now) for end in ends])
        outcomes = [ended_attempts(end.row.key, outcome=end.state.value, error=end.error, at=now) for end in ends]
        connection.execute(END_ATTEMPTS, outcomes)
        turned = [end for end in ends if end.row.state != end.state.value]
        for some in chunks(end.row.key for end in turned):
            connection.execute(statements.FORGET_NOTICES, {"the_keys": some, "the_now": now})
        for state in (State.FAILED, State.UNCERTAIN):
            told = [(end.row.key, end.error) for end in turned if end.state is state]
            give_notice(connection, told, kind=state, at=now)
        events = [
            self.event(end.state.value, end.row.key, _details(end), actor=end.row.worker or "", at=now) for end in ends
        ]
        connection.execute(insert(schema.events), events)


def end_of(row: Row[Any], settlement: Settlement, *, new: bool = False) -> End:
    """Where a settlement leaves a row: published only when every part has its receipt.

    ``new``: a receipt has come since the row was read; it sets the count of tries back.
    """
    state, error, next_try = settlement.state, settlement.error, settlement.next_try
    sent, tries = (row.sent + 1, 0) if new else (row.sent, row.tries)
    if state is State.PUBLISHED and sent < row.parts:
        state, error, next_try = State.UNCERTAIN, _("A part has no receipt."), None
    return End(row=row, state=state, error=error, next_try=next_try, sent=sent, tries=tries)


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


def _values(end: End, *, now: int) -> dict[str, Any]:
    return {
        "the_key": end.row.key,
        "the_token": end.row.token,
        "the_state": end.state.value,
        "the_sent": end.sent,
        "the_tries": end.tries,
        "the_error": end.error,
        "the_next_try": None if end.next_try is None else micros(end.next_try),
        "the_now": now,
    }


def _details(end: End) -> str:
    details: dict[str, Any] = {"error": end.error} if end.error else {}
    if end.next_try is not None:
        details["next_try"] = end.next_try.isoformat()
    return json.dumps(details, ensure_ascii=False)
