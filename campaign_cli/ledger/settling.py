"""What a sender writes while it holds a claim, and how it ends: everything fenced by the claim's token.

A lease that has run out stops creating requests (``begin_part``, ``check_gate``). It doesn't stop what is already
known: receipts and settlements count until somebody else has taken the delivery, and the network's own answer counts
even after that while the delivery is left to a person.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, select, update
from sqlalchemy.engine import Connection, Row

from campaign_cli.errors import CampaignError, ClaimLost, Embargoed, Held
from campaign_cli.i18n import _
from campaign_cli.ledger import schema, statements
from campaign_cli.ledger.base import chunks, insert_rows
from campaign_cli.ledger.conditions import columns
from campaign_cli.ledger.endings import End, Ending, end_of, rows_of, undisputed
from campaign_cli.ledger.handout import attempt_row
from campaign_cli.ledger.queries import end_attempts, give_notice, receipt_row, receipts_of, store_receipt
from campaign_cli.ledger.schema import deliveries, instant, micros, span
from campaign_cli.ledger.values import ADOPTED, Claim, Settlement
from campaign_cli.ledger.withdrawing import taken_back
from campaign_cli.models import Receipt, State

_LOOK_AGAIN: Final = 3_000_000  # microseconds
_OURS: Final = (State.SENDING.value, State.UNCERTAIN.value)
_ENDS: Final = (State.PUBLISHED, State.WAITING, State.FAILED, State.UNCERTAIN)


class Settling(Ending):
    """The writing side of a claim."""

    def begin_part(self, claim: Claim, part: int, *, lease: timedelta, marked: bool = False) -> datetime:
        """Put a new attempt on disk and renew the lease; until when it is ours now.

        Called before each creating request of a later part and before each re-send. ``marked``: ``let_leave`` comes
        before each request. Raises ClaimLost, Held.
        """
        with self.writing() as connection:
            now = self.now()
            row = self._ours(connection, claim.key, claim.token, now=now)
            until = now + span(lease)
            connection.execute(statements.RENEW, {"the_key": claim.key, "the_lease_until": until, "the_now": now})
            end_attempts(connection, claim.key, outcome="repeated", error="", at=now)
            new = attempt_row(row, part=part, worker=row.worker, at=now, marked=marked)
            connection.execute(statements.ADD_ATTEMPT, new)
            return instant(until)

    def stay(self, claim: Claim, *, lease: timedelta) -> datetime:
        """Renew the lease of an attempt that goes on (a long upload); until when it is ours now. Raises ClaimLost."""
        with self.writing() as connection:
            now = self.now()
            row = connection.execute(statements.GATE, {"the_key": claim.key}).one_or_none()
            refusal = _refusal(row, claim.key, claim.token, now=now)
            if isinstance(refusal, ClaimLost):  # a hold stops what is created, not what is uploaded
                raise refusal
            until = now + span(lease)
            connection.execute(statements.STAY, {"the_key": claim.key, "the_lease_until": until})
            return instant(until)

    def check_gate(self, key: str, token: int) -> None:
        """Nothing when a creating request may leave now. Raises ClaimLost, Held."""
        (refusal,) = self.check_gates([(key, token)])
        if refusal is not None:
            raise refusal

    def check_gates(self, claims: Sequence[tuple[str, int]]) -> list[CampaignError | None]:
        """For each key and token, why no creating request may leave now (ClaimLost, Held), or None."""
        with self.reading() as connection:
            return _refusals(connection, claims, now=self.now())

    def let_leave(self, claims: Sequence[tuple[str, int]]) -> list[CampaignError | None]:
        """Like ``check_gates``; and the open attempts of those that may leave say from here on that they may have left.

        For networks that can prove nothing afterwards: a claim whose process died before this was never sent.
        """
        with self.writing() as connection:
            now = self.now()
            refusals = _refusals(connection, claims, now=now)
            leaving = [key for (key, _token), refusal in zip(claims, refusals, strict=True) if refusal is None]
            for some in chunks(leaving):
                connection.execute(statements.MARK_LEFT, {"the_keys": some, "the_now": now})
            return refusals

    def keep_step(self, claim: Claim, part: int, name: str, value: Any) -> None:
        """Make one finished step of a part durable (a JSON value); an older one of that name goes. Raises ClaimLost."""
        with self.writing() as connection:
            self._fenced(connection, claim.key, claim.token)
            step = {"delivery": claim.key, "part": part, "generation": claim.generation, "name": name}
            connection.execute(statements.FORGET_STEP, {f"the_{column}": wanted for column, wanted in step.items()})
            connection.execute(statements.ADD_STEP, step | {"value": json.dumps(value, ensure_ascii=False)})

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

    def settle(self, settlements: Sequence[Settlement]) -> list[Settlement | None]:
        """End attempts, in one transaction; for each, what was written (None: somebody else owns the delivery now).

        What is written may be less than what was handed in: published without every receipt, or with a proof that is
        another delivery's, is uncertain. The same settlement again counts as written. Raises ValueError for a state
        that is no end of an attempt.
        """
        if any(settlement.state not in _ENDS for settlement in settlements):
            raise ValueError(settlements)
        with self.writing() as connection:
            now = self.now()
            plain = self._settle_plain(connection, settlements, now=now)
            return [plain.get(one.key) or self._settle(connection, one, now=now) for one in settlements]

    def _settle_plain(
        self, connection: Connection, settlements: Sequence[Settlement], *, now: int
    ) -> dict[str, Settlement]:
        """Settle together what is ours and whose proof is nobody else's: nearly everything. What was written."""
        often = Counter(one.key for one in settlements)
        rows = rows_of(connection, often)
        owned = [one for one in settlements if often[one.key] == 1 and one.key in rows and _owns(one, rows[one.key])]
        plain = undisputed(connection, rows, owned)
        new = [receipt_row(one.key, rows[one.key].address, one.receipt) for one in plain if one.receipt is not None]
        insert_rows(connection, schema.receipts, new)
        ends = [end_of(rows[one.key], one, new=one.receipt is not None) for one in plain]
        self._end(connection, ends, now=now)
        return {one.key: _written(one, end) for one, end in zip(plain, ends, strict=True)}

    def _settle(self, connection: Connection, settlement: Settlement, *, now: int) -> Settlement | None:
        row = _row(connection, settlement.key)
        if row is None:
            return None
        if _is_written(connection, settlement, row):
            return settlement
        if not _owns(settlement, row) and not _proves(settlement, row, now=now):
            self._remember_late(connection, row, settlement, now=now)
            return None
        if settlement.receipt is not None:
            other = self._store_proof(connection, row, settlement.receipt, now=now)
            if other is not None:
                # Two look-ups found the same post: the second looks again, now that it is known whose it is.
                again = instant(now + _LOOK_AGAIN) if ADOPTED in settlement.receipt.extra else None
                error = _taken(settlement.receipt, other)
                settlement = replace(settlement, state=State.UNCERTAIN, error=error, next_try=again)
            row = _row(connection, settlement.key) or row
        end = end_of(row, settlement)
        self._end(connection, [end], now=now)
        return _written(settlement, end)

    def _store_proof(self, connection: Connection, row: Row[Any], receipt: Receipt, *, now: int) -> str | None:
        """Like ``store_receipt``; and the network's own answer takes a post back from a look-up that guessed wrong."""
        other = store_receipt(connection, row.key, row.address, receipt)
        if other is None or ADOPTED in receipt.extra or not self._give_back(connection, other, receipt, now=now):
            return other
        return store_receipt(connection, row.key, row.address, receipt)

    def _give_back(self, connection: Connection, key: str, receipt: Receipt, *, now: int) -> bool:
        """Take a post that was found by its words alone from the wrong delivery, which is looked up again then.

        Only from one that is over and has one part: what answered to a later part can't be undone. Nor from one that
        was taken down, or is to be: it would be looked for, not be found, and go out.
        """
        if taken_back(connection, [key]):
            return False
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

    def _remember_late(self, connection: Connection, row: Row[Any], settlement: Settlement, *, now: int) -> None:
        """A proof that came too late to count is still worth a line in the log."""
        if settlement.receipt is not None:
            details = {"id": settlement.receipt.id, "url": settlement.receipt.url, "state": row.state}
            self.record(connection, "late", [(row.key, json.dumps(details))], actor=row.worker or "", at=now)

    def _ours(self, connection: Connection, key: str, token: int, *, now: int) -> Row[Any]:
        row = connection.execute(statements.GATE, {"the_key": key}).one_or_none()
        refusal = _refusal(row, key, token, now=now)
        if row is None or refusal is not None:
            raise refusal or ClaimLost(key)
        return row

    def _fenced(self, connection: Connection, key: str, token: int) -> None:
        row = connection.execute(statements.FENCE, {"the_key": key}).one_or_none()
        if row is None or row.token != token or row.state not in _OURS:
            raise ClaimLost(_("The claim on {key} is over.").format(key=key))


def forget_notices(connection: Connection, key: str, *, at: int) -> None:
    """What was not told yet of a state that is over needn't be."""
    connection.execute(statements.FORGET_NOTICES, {"the_keys": [key], "the_now": at})


def _refusals(connection: Connection, claims: Sequence[tuple[str, int]], *, now: int) -> list[CampaignError | None]:
    rows = {
        row.key: row
        for some in chunks(key for key, _token in claims)
        for row in connection.execute(statements.GATES, {"the_keys": some})
    }
    return [_refusal(rows.get(key), key, token, now=now) for key, token in claims]


def _refusal(row: Row[Any] | None, key: str, token: int, *, now: int) -> CampaignError | None:
    """Why nothing may be sent for a claim now; None when it may."""
    if row is None or row.token != token or row.state not in _OURS or (row.lease_until or 0) <= now:
        return ClaimLost(_("The claim on {key} is over.").format(key=key))
    if row.held:
        return Held(_("{key} is held.").format(key=key), fix=_("See `campaign status`, then `campaign release`."))
    if not row.approved:
        return Held(_("{key} is not approved.").format(key=key), fix=_("See: campaign status; campaign approve PLAN"))
    if row.embargo is not None and row.embargo > now:
        return Embargoed(_("{key} is under embargo.").format(key=key), until=instant(row.embargo))
    return None


def _row(connection: Connection, key: str) -> Row[Any] | None:
    return connection.execute(statements.ROW, {"the_key": key}).one_or_none()


def _proves(settlement: Settlement, row: Row[Any], *, now: int) -> bool:
    """The network's own answer, however late, for a delivery that is left to a person who has not decided yet."""
    receipt = settlement.receipt
    doubtful = row.state == State.UNCERTAIN.value and row.next_try is None and (row.lease_until or 0) <= now
    return doubtful and settlement.state is State.PUBLISHED and receipt is not None and ADOPTED not in receipt.extra


def _owns(settlement: Settlement, row: Row[Any]) -> bool:
    """Nobody else has taken the delivery, and nobody has decided on it, since the claim that is settled."""
    return bool(row.token == settlement.token and row.state in _OURS)


def _is_written(connection: Connection, settlement: Settlement, row: Row[Any]) -> bool:
    """The row stands as this settlement leaves it: its answer got lost, not its transaction."""
    receipt = settlement.receipt
    if row.token != settlement.token or row.state != settlement.state.value or row.lease_until is not None:
        return False
    if settlement.state is not State.PUBLISHED:
        next_try = None if settlement.next_try is None else micros(settlement.next_try)
        if (row.next_try, row.error) != (next_try, settlement.error):
            return False
    proofs = receipts_of(connection, columns.key == row.key).get(row.key, ())
    return receipt is None or any((one.part, one.id) == (receipt.part, receipt.id) for one in proofs)


def _taken(receipt: Receipt, other: str) -> str:
    return _("The post {id} is already the receipt of {key}.").format(id=receipt.id, key=other)


def _written(settlement: Settlement, end: End) -> Settlement:
    """The settlement as the row holds it now."""
    if settlement.state is end.state:
        return settlement
    return replace(settlement, state=end.state, error=end.error, next_try=end.next_try)
