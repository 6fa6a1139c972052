"""What a sender could take up at this moment: the keys that a clock hands to its workers."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import BindParameter, Select, and_, bindparam, func, or_, select, text

from campaign_cli.ledger.base import Store
from campaign_cli.ledger.conditions import columns, free_by, sendable
from campaign_cli.ledger.schema import account_pauses, span
from campaign_cli.ledger.values import Ready

_DOUBTFUL: Final = 1_000  # more look-ups than that at a time are no use to anybody


class Handing(Store):
    """Reading what may be done now."""

    def ready(self, *, per_account: int, patience: timedelta) -> list[Ready]:
        """What is doubtful (leases that are over, look-ups that are due), and then what may be sent, soonest first and
        ``per_account`` at most of one account.

        An account that rests for no longer than ``patience`` counts as if it didn't.
        """
        with self.reading() as connection:
            now = self.now()
            wanted = {"the_now": now, "the_latest_rest": now + span(patience)}
            doubtful = connection.execute(_doubtful(), wanted).all()
            due = connection.execute(_due(), {**wanted, "the_room": per_account}).all()
        return [Ready(key=row.key, account=row.account, revision=row.token) for row in (*doubtful, *due)]


_NOW: Final[BindParameter[Any]] = bindparam("the_now")
_resting: Final = select(account_pauses.c.address).where(account_pauses.c.until > bindparam("the_latest_rest"))


@cache
def _due() -> Select[str, str, int]:
    place = func.row_number().over(partition_by=columns.account, order_by=(columns.due, columns.position, columns.key))
    rows = (
        select(columns.key, columns.account, columns.token, columns.due, columns.position, place.label("place"))
        .where(
            sendable(),
            columns.due <= _NOW,
            free_by(_NOW),
            or_(columns.next_try.is_(None), columns.next_try <= _NOW),
            columns.address.not_in(_resting),
        )
        .subquery()
    )
    return (
        select(rows.c.key, rows.c.account, rows.c.token)
        .where(rows.c.place <= bindparam("the_room"))
        .order_by(rows.c.due, rows.c.position, rows.c.key)
    )


@cache
def _doubtful() -> Select[str, str, int]:
    lapsed = and_(columns.state == text("'sending'"), columns.lease_until <= _NOW)
    look_up = and_(
        columns.state == text("'uncertain'"),
        columns.next_try <= _NOW,
        or_(columns.lease_until.is_(None), columns.lease_until <= _NOW),
        columns.address.not_in(_resting),
    )
    return (
        select(columns.key, columns.account, columns.token)
        .where(or_(lapsed, look_up))
        .order_by(columns.due, columns.position, columns.key)
        .limit(_DOUBTFUL)
    )
