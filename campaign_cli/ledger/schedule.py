"""What the engine's clock asks: what falls due next, which accounts rest, whether anything changed, whom to tell."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, exists, func, not_, or_, select, true, update
from sqlalchemy.engine import Connection

from campaign_cli.i18n import _
from campaign_cli.ledger import schema
from campaign_cli.ledger.conditions import WAITING, approved, begun, columns, covered, free_by, sendable
from campaign_cli.ledger.queries import deliveries_by_key, give_notice
from campaign_cli.ledger.resting import Resting, pauses, rests
from campaign_cli.ledger.schema import deliveries, instant, instant_or_none, micros, notices
from campaign_cli.ledger.values import Delivery, Notice, Rest
from campaign_cli.models import State

_TRY = case((columns.next_try > columns.due, columns.next_try), else_=columns.due)
_WAKE = case((columns.embargo > _TRY, columns.embargo), else_=_TRY)


class Schedule(Resting):
    """Reading ahead."""

    def upcoming(self, *, until: datetime, limit: int) -> list[tuple[str, datetime]]:
        """Keys that may be sent up to ``until`` and when each wakes (due, its next try, the end of its account's rest).

        Soonest first. What waits for an account that rests for longer takes no place from the others.
        """
        end = micros(until)
        with self.reading() as connection:
            resting = pauses(connection, self.now())
            others = columns.address.not_in(list(resting)) if resting else true()
            found = _upcoming(connection, others, end=end, limit=limit)
            for address, over in resting.items():
                if over <= until:
                    woken = _upcoming(connection, columns.address == address, end=end, limit=limit)
                    found += [(key, max(wake, over)) for key, wake in woken]
        return sorted(found, key=lambda pair: pair[1])[:limit] if resting else found

    def due_accounts(self) -> set[str]:
        """Accounts for which something is due that may be sent, whether they rest or not."""
        with self.reading() as connection:
            due = and_(sendable(), columns.due <= self.now(), free_by(self.now()))
            return set(connection.execute(select(columns.account).where(due).distinct()).scalars())

    def due_and_kept(self) -> list[Delivery]:
        """What is due, under no hold, and not to be sent: an approval is missing, or its embargo is not over.

        Also where the embargo is over by our clock, and the last word of its destination was that it isn't there.
        """
        with self.reading() as connection:
            now = self.now()
            unasked = and_(columns.embargo.is_not(None), columns.next_try > now, columns.tries == 0, ~begun())
            kept = or_(not_(approved()), columns.embargo > now, unasked)
            due = select(columns.key).where(WAITING, columns.due <= now, kept, ~covered())
            return deliveries_by_key(connection, list(connection.execute(due).scalars()))

    def due_at_rest(self) -> dict[str, Rest]:
        """What is due and could be sent, but for its account, which kept failing and rests; by key."""
        with self.reading() as connection:
            now = self.now()
            resting = {address: rest for address, rest in rests(connection).items() if micros(rest.until) > now}
            if not resting:
                return {}
            due = select(columns.key, columns.address).where(
                sendable(), columns.due <= now, free_by(now), columns.address.in_(list(resting))
            )
            rows = connection.execute(due.order_by(columns.due, columns.position))
            return {row.key: resting[row.address] for row in rows}

    def next_wake(self) -> datetime | None:
        """The first instant at which there is something to claim, look up or expire; None when nothing is to come.

        An account that rests wakes at the end of its pause.
        """
        with self.reading() as connection:
            resting = pauses(connection, self.now())
            awake = columns.address.not_in(list(resting))
            uncertain = and_(columns.state == State.UNCERTAIN.value, columns.next_try.is_not(None))
            ready, doubtful = and_(sendable(), awake), and_(uncertain, columns.lease_until.is_(None), awake)
            free = columns.embargo.is_(None)
            first = [
                connection.execute(
                    select(columns.due).where(ready, columns.next_try.is_(None), free).order_by(columns.due).limit(1)
                ).scalar(),
                connection.execute(select(func.min(_WAKE)).where(ready, columns.next_try.is_not(None))).scalar(),
                connection.execute(select(func.min(_WAKE)).where(ready, columns.embargo.is_not(None))).scalar(),
                connection.execute(select(func.min(columns.next_try)).where(doubtful)).scalar(),
                connection.execute(
                    select(func.min(columns.lease_until)).where(columns.lease_until.is_not(None))
                ).scalar(),
            ]
            ends = [
                micros(end)
                for address, end in resting.items()
                if connection.execute(
                    select(columns.key).where(or_(sendable(), uncertain), columns.address == address).limit(1)
                ).first()
            ]
        return instant_or_none(min([wake for wake in first if wake is not None] + ends, default=None))

    def change_counter(self) -> int:
        """A number that differs as soon as another process (or another open ledger) has written something."""
        with self.reading() as connection:
            return self.database.change_counter(connection)

    def take_notices(self) -> list[Notice]:
        """What people should hear of and nobody was told yet: failed, missed, uncertain, due and not approved.

        They count as told from here on, before they are sent: a crash in between loses a message rather than telling it
        twice, and `status` shows the delivery all the same.
        """
        with self.writing() as connection:
            self._notice_unapproved(connection)
            untold = select(notices).where(notices.c.told_at.is_(None)).order_by(notices.c.at, notices.c.id)
            found = [
                Notice(key=row.delivery, kind=State(row.kind), message=row.message, at=instant(row.at))
                for row in connection.execute(untold)
            ]
            if found:
                connection.execute(update(notices).where(notices.c.told_at.is_(None)).values(told_at=self.now()))
            return found

    def _notice_unapproved(self, connection: Connection) -> None:
        """What has fallen due without its approvals, once for each instant."""
        now = self.now()
        told = exists().where(
            notices.c.delivery == columns.key,
            notices.c.kind == State.WAITING.value,
            notices.c.at >= columns.due,
        )
        lacking = and_(columns.approval > 0, not_(approved()), ~covered(), ~told.correlate(deliveries))
        found = connection.execute(select(columns.key).where(WAITING, columns.due <= now, lacking)).scalars()
        why = _("It is due, and not approved.")
        give_notice(connection, [(key, why) for key in found], kind=State.WAITING, at=now)

    def remote_ids(self, address: str) -> set[str]:
        """The remote ids that already prove something on this account."""
        table = schema.receipts.c
        with self.reading() as connection:
            return set(connection.execute(select(table.remote_id).where(table.address == address)).scalars())

    def media(self, sha256: str) -> bytes:
        """The prepared bytes of a picture. Raises KeyError."""
        with self.reading() as connection:
            found = connection.execute(
                select(schema.media.c.bytes).where(schema.media.c.sha256 == sha256)
            ).scalar_one_or_none()
        if found is None:
            raise KeyError(sha256)
        return bytes(found)


def _upcoming(
    connection: Connection, condition: ColumnElement[bool], *, end: int, limit: int
) -> list[tuple[str, datetime]]:
    rows = connection.execute(
        select(columns.key, _WAKE.label("wake"))
        .where(
            sendable(),
            columns.due <= end,
            free_by(end),
            or_(columns.next_try.is_(None), columns.next_try <= end),
            condition,
        )
        .order_by("wake", columns.position)
        .limit(limit)
    )
    return [(row.key, instant(row.wake)) for row in rows]
