"""What a sender writes while it holds a claim, and how it ends: everything fenced by the claim's token.

A lease that has run out stops creating requests (``begin_part``, ``check_gate``). It doesn't stop what is already
known: receipts and settlements count until somebody else has taken the delivery.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection, Row

from campaign_cli.errors import ClaimLost, Held
from campaign_cli.i18n import _
from campaign_cli.ledger import schema
from campaign_cli.ledger.base import Store
from campaign_cli.ledger.claims import attempt_row
from campaign_cli.ledger.queries import columns, covered, end_attempts, give_notice, receipts_of, store_receipt
from campaign_cli.ledger.schema import deliveries, instant, micros
from campaign_cli.ledger.values import ADOPTED, Claim, Settlement
from campaign_cli.models import Receipt, State

_LOOK_AGAIN: Final = 3_000_000  # microseconds
_OURS: Final = (State.SENDING.value, State.UNCERTAIN.value)
_ENDS: Final = (State.PUBLISHED, State.WAITING, State.FAILED, State.UNCERTAIN)


class Settling(Store):
    """The writing side of a claim."""

    def begin_part(self, claim: Claim, part: int, *, lease: timedelta) -> datetime:
        """Put a new attempt on disk and renew the lease; until when it is ours now.

        Called before each creating request of a later part and before each re-send. Raises ClaimLost, Held.
        """
        with self.writing() as connection:
            now = self.now()
            row = self._ours(connection, claim.key, claim.token, now=now)
            until = now + lease // timedelta(microseconds=1)
            connection.execute(
                update(deliveries)
                .where(columns.key == claim.key)
                .values(lease_until=until, attempts=columns.attempts + 1, tries=columns.tries + 1, changed_at=now)
            )
            end_attempts(connection, claim.key, outcome="repeated", error="", at=now)
            connection.execute(insert(schema.attempts).values(**attempt_row(row, part=part, worker=row.worker, at=now)))
            return instant(until)

    def check_gate(self, key: str, token: int) -> None:
        """Nothing when a creating request may leave now. Raises ClaimLost, Held."""
        with self.reading() as connection:
            self._ours(connection, key, token, now=self.now())

    def keep_step(self, claim: Claim, part: int, name: str, value: Any) -> None:
        """Make one finished step of a part durable (a JSON value); an older one of that name goes. Raises ClaimLost."""
        with self.writing() as connection:
            self._fenced(connection, claim.key, claim.token)
            step = {"delivery": claim.key, "part": part, "generation": claim.generation, "name": name}
            table = schema.steps
            connection.execute(delete(table).where(*(table.c[column] == wanted for column, wanted in step.items())))
            connection.execute(insert(table).values(**step, value=json.dumps(value, ensure_ascii=False)))

    def keep_receipt(self, claim: Claim, receipt: Receipt) -> None:
        """Make the proof of one part durable; again is harmless.

        Raises ClaimLost, also when the remote id is the proof of another delivery.
        """
        with self.writing() as connection:
            self._fenced(connection, claim.key, claim.token)
            other = store_receipt(connection, claim.key, claim.address, receipt)
            if other is not None:
                raise ClaimLost(_taken(receipt, other))
            end_attempts(connection, claim.key, outcome="published", error="", at=self.now())

    def settle(self, settlements: Sequence[Settlement]) -> list[bool]:
        """End attempts, in one transaction; for each, whether it counted (False: somebody else owns the delivery now).

        Raises ValueError for a state that is no end of an attempt.
        """
        if any(settlement.state not in _ENDS for settlement in settlements):
            raise ValueError(settlements)
        with self.writing() as connection:
            now = self.now()
            return [self._settle(connection, settlement, now=now) for settlement in settlements]

    def _settle(self, connection: Connection, settlement: Settlement, *, now: int) -> bool:
        row = connection.execute(select(deliveries).where(columns.key == settlement.key)).one_or_none()
        if row is None:
            return False
        if row.token != settlement.token or row.state not in _OURS:
            self._remember_late(connection, row, settlement, now=now)
            return False
        state, error, next_try = settlement.state, settlement.error, settlement.next_try
        if settlement.receipt is not None:
            other = self._store_proof(connection, row, settlement.receipt, now=now)
            if other is not None:
                state, error = State.UNCERTAIN, _taken(settlement.receipt, other)
                # Two look-ups found the same post: the second looks again, now that it is known whose it is.
                next_try = instant(now + _LOOK_AGAIN) if ADOPTED in settlement.receipt.extra else None
        if state is State.PUBLISHED and not _whole(connection, row.key):
            state, error, next_try = State.UNCERTAIN, _("A part has no receipt."), None
        self._end(connection, row, state=state, error=error, next_try=next_try, now=now)
        return True

    def _store_proof(self, connection: Connection, row: Row[Any], receipt: Receipt, *, now: int) -> str | None:
        """Like ``store_receipt``; and the network's own answer takes a post back from a look-up that guessed wrong."""
        other = store_receipt(connection, row.key, row.address, receipt)
        if other is None or ADOPTED in receipt.extra or not self._give_back(connection, other, receipt, now=now):
            return other
        return store_receipt(connection, row.key, row.address, receipt)

    def _give_back(self, connection: Connection, key: str, receipt: Receipt, *, now: int) -> bool:
        """Take a post that was found by its words alone from the wrong delivery, which is looked up again then.

        Only from one that is over and has one part: what answered to a later part can't be undone.
        """
        proofs = receipts_of(connection, columns.key == key).get(key, ())
        row = connection.execute(select(deliveries).where(columns.key == key)).one()
        if row.parts != 1 or row.state != State.PUBLISHED.value or not any(ADOPTED in one.extra for one in proofs):
            return False
        connection.execute(delete(schema.receipts).where(schema.receipts.c.delivery == key))
        error = _("The post {id} turned out to be another delivery's. It is looked up again.").format(id=receipt.id)
        connection.execute(
            update(deliveries)
            .where(columns.key == key)
            .values(
                state=State.UNCERTAIN.value, sent=0, token=columns.token + 1, next_try=now, error=error, changed_at=now
            )
        )
        give_notice(connection, [(key, error)], kind=State.UNCERTAIN, at=now)
        details = json.dumps({"error": error}, ensure_ascii=False)
        self.record(connection, State.UNCERTAIN.value, [(key, details)], actor=row.worker or "", at=now)
        return True

    def _end(
        self, connection: Connection, row: Row[Any], *, state: State, error: str, next_try: datetime | None, now: int
    ) -> None:
        connection.execute(
            update(deliveries)
            .where(columns.key == row.key)
            .values(
                state=state.value,
                error=error,
                next_try=None if next_try is None else micros(next_try),
                lease_until=None,
                worker=None,
                changed_at=now,
            )
        )
        end_attempts(connection, row.key, outcome=state.value, error=error, at=now)
        if row.state != state.value:
            forget_notices(connection, row.key, at=now)
        if state in (State.FAILED, State.UNCERTAIN) and row.state != state.value:
            give_notice(connection, [(row.key, error)], kind=state, at=now)
        details: dict[str, Any] = {"error": error} if error else {}
        if next_try is not None:
            details["next_try"] = next_try.isoformat()
        text = json.dumps(details, ensure_ascii=False)
        self.record(connection, state.value, [(row.key, text)], actor=row.worker or "", at=now)

    def _remember_late(self, connection: Connection, row: Row[Any], settlement: Settlement, *, now: int) -> None:
        """A proof that came too late to count is still worth a line in the log."""
        if settlement.receipt is not None:
            details = {"id": settlement.receipt.id, "url": settlement.receipt.url, "state": row.state}
            self.record(connection, "late", [(row.key, json.dumps(details))], actor=row.worker or "", at=now)

    def _ours(self, connection: Connection, key: str, token: int, *, now: int) -> Row[Any]:
        row = connection.execute(select(deliveries, covered().label("held")).where(columns.key == key)).one_or_none()
        if row is None or row.token != token or row.state not in _OURS or (row.lease_until or 0) <= now:
            raise ClaimLost(_("The claim on {key} is over.").format(key=key))
        if row.held:
            raise Held(_("{key} is held.").format(key=key), fix=_("See `campaign status`, then `campaign release`."))
        return row

    def _fenced(self, connection: Connection, key: str, token: int) -> None:
        row = connection.execute(select(columns.token, columns.state).where(columns.key == key)).one_or_none()
        if row is None or row.token != token or row.state not in _OURS:
            raise ClaimLost(_("The claim on {key} is over.").format(key=key))


def forget_notices(connection: Connection, key: str, *, at: int) -> None:
    """What was not told yet of a state that is over needn't be."""
    table = schema.notices
    connection.execute(update(table).where(table.c.delivery == key, table.c.told_at.is_(None)).values(told_at=at))


def _whole(connection: Connection, key: str) -> bool:
    row = connection.execute(select(columns.sent, columns.parts).where(columns.key == key)).one()
    return bool(row.sent >= row.parts)


def _taken(receipt: Receipt, other: str) -> str:
    return _("The post {id} is already the receipt of {key}.").format(id=receipt.id, key=other)
