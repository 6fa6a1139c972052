"""What people decide about single deliveries: cancel, retry, resolve, and a message without a plan."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import and_, delete, select, update
from sqlalchemy.engine import Connection, Row

from campaign_cli.errors import InputError
from campaign_cli.i18n import _
from campaign_cli.ledger import schema
from campaign_cli.ledger.applying import Applying
from campaign_cli.ledger.base import Store, chunks
from campaign_cli.ledger.conditions import begun, columns
from campaign_cli.ledger.gate import Gate
from campaign_cli.ledger.handout import first_unsent
from campaign_cli.ledger.holding import reschedule
from campaign_cli.ledger.queries import deliveries_by_key, end_attempts, receipts_of, store_receipt
from campaign_cli.ledger.resting import let_try
from campaign_cli.ledger.schema import deliveries, instant, micros, span
from campaign_cli.ledger.settling import forget_notices
from campaign_cli.ledger.values import Delivery, NewDelivery
from campaign_cli.ledger.withdrawing import taken_back
from campaign_cli.ledger.words import body_hash
from campaign_cli.models import DIRECT, LASTING, Draft, Receipt, State, attempt_key, delivery_key

_AGAIN: Final = (State.FAILED.value, State.MISSED.value, State.CANCELLED.value)


class Decisions(Store):
    """Orders by key. What is in another state by then is left alone, and is not in the answer."""

    def cancel(self, keys: Collection[str], *, actor: str) -> list[Delivery]:
        """Waiting deliveries don't go out; those that were cancelled now."""
        with self.writing() as connection:
            now = self.now()
            rows = _in_states(connection, keys, (State.WAITING.value,))
            done = [row.key for row in rows]
            for some in chunks(done):
                connection.execute(
                    update(deliveries)
                    .where(columns.key.in_(some))
                    .values(state=State.CANCELLED.value, next_try=None, changed_at=now)
                )
            self.record(connection, "cancelled", [(key, "{}") for key in done], actor=actor, at=now)
            return deliveries_by_key(connection, done)

    def retry(self, keys: Collection[str], *, actor: str, at: datetime | None = None) -> list[Delivery]:
        """Failed, missed and cancelled deliveries wait again, due ``at`` (default: now); those that do now.

        What has begun keeps its due instant unless ``at`` is given: it can't be missed. An account that rests
        because it kept failing is tried by one of them at once.
        """
        with self.writing() as connection:
            now = self.now()
            done: list[str] = []
            addresses: set[str] = set()
            down = taken_back(connection, keys)
            for row in _in_states(connection, keys, _AGAIN):
                if row.key in down:
                    continue  # what is left of it would answer to a post that is gone
                due = micros(at) if at is not None else (row.due if row.begun or row.due > now else now)
                reschedule(connection, row.key, due=due, now=now)
                steps = schema.steps.c
                connection.execute(
                    delete(schema.steps).where(steps.delivery == row.key, ~steps.name.startswith(LASTING))
                )
                connection.execute(
                    update(deliveries)
                    .where(columns.key == row.key)
                    .values(state=State.WAITING.value, tries=0, error="", removed=False)
                )
                forget_notices(connection, row.key, at=now)
                details = json.dumps({"was": row.state, "due": instant(due).isoformat()})
                self.record(connection, "retried", [(row.key, details)], actor=actor, at=now)
                done.append(row.key)
                addresses.add(row.address)
            let_try(connection, addresses)
            return deliveries_by_key(connection, done)

    def resolve(  # noqa: PLR0913 - all by keyword, and each is a word of the person who decides
        self,
        key: str,
        *,
        published_url: str | None = None,
        not_published: bool = False,
        receipt: Receipt | None = None,
        at: datetime | None = None,
        late_grace: timedelta = timedelta.max,
        actor: str,
    ) -> Delivery:
        """Settle an uncertain delivery by hand; the delivery as it is then.

        ``published_url`` (with the network's own ``receipt`` where known) is the proof of the part that was being
        sent; empty where it has no address, so that the attempt's key stands for it. ``not_published`` lets it be sent
        again, under a new attempt key: ``at`` a new due instant, or at its own unless that is later than ``late_grace``
        allows; then it is missed. Raises InputError when it is not uncertain, is being looked up at this moment, or the
        proof is another delivery's.
        """
        if (published_url is None) == (not not_published):
            raise InputError(_("Say one of --published URL and --not-published."))
        with self.writing() as connection:
            now = self.now()
            row = self._uncertain(connection, key, now=now)
            if published_url is None:
                self._not_published(connection, row, now=now)
                if at is not None:
                    reschedule(connection, key, due=micros(at), now=now)
                else:
                    latest = max(now - span(late_grace), 0)  # any grace fits, timedelta.max too
                    _miss(connection, key, before=latest)
                details: dict[str, Any] = {"published": False}
            else:
                self._published(connection, row, url=published_url, known=receipt, now=now)
                details = {"published": True, "url": published_url}
            forget_notices(connection, key, at=now)
            self.record(connection, "resolved", [(key, json.dumps(details))], actor=actor, at=now)
            return deliveries_by_key(connection, [key])[0]

    def _uncertain(self, connection: Connection, key: str, *, now: int) -> Row[Any]:
        row = connection.execute(select(deliveries).where(columns.key == key)).one_or_none()
        if row is None:
            raise InputError(_("There is no delivery {key}.").format(key=key), fix=_("See: campaign status"))
        if row.state != State.UNCERTAIN.value:
            raise InputError(
                _("{key} is {state}; only an uncertain delivery is settled by hand.").format(key=key, state=row.state),
                fix=_("See: campaign status --state uncertain"),
            )
        if (row.lease_until or 0) > now:
            seconds = (row.lease_until - now) // 1_000_000 + 1
            raise InputError(
                _("{key} is being looked up at this moment.").format(key=key),
                fix=_("Try again in {n} seconds.").format(n=seconds),
            )
        return row

    def _not_published(self, connection: Connection, row: Row[Any], *, now: int) -> None:
        state, error = row.restored_from or State.WAITING.value, ""
        if any(
            receipt.id == receipt.url for receipt in receipts_of(connection, columns.key == row.key).get(row.key, ())
        ):
            state, error = State.FAILED.value, _rest()
        end_attempts(connection, row.key, outcome="not published", error="", at=now)
        _set(
            connection,
            row.key,
            state=state,
            generation=row.generation + 1,
            token=row.token + 1,
            tries=0,
            error=error,
            next_try=None,
            lease_until=None,
            restored_from=None,
            changed_at=now,
        )

    def _published(self, connection: Connection, row: Row[Any], *, url: str, known: Receipt | None, now: int) -> None:
        part = first_unsent(row.parts, receipts_of(connection, columns.key == row.key).get(row.key, ()))
        name = url or attempt_key(row.key, row.content_hash, part, row.generation)
        receipt = replace(known or Receipt(part=part, id=name, url=url or None, at=instant(now)), part=part)
        other = store_receipt(connection, row.key, row.address, receipt)
        if other is not None:
            raise InputError(_("{url} is already the receipt of {key}.").format(url=url, key=other))
        end_attempts(connection, row.key, outcome="published", error="", at=now)
        state, error = State.PUBLISHED, ""
        if part + 1 < row.parts:
            # Later parts answer to this one; without the network's own id they would hang in the air.
            state = State.WAITING if known else State.FAILED
            error = "" if known else _rest()
            if row.restored_from:  # the next part may be out as well
                state, error = State.UNCERTAIN, _("The next part may be out as well: look at the account again.")
        _set(
            connection,
            row.key,
            state=state.value,
            error=error,
            token=row.token + 1,
            next_try=None,
            lease_until=None,
            restored_from=row.restored_from if state is State.UNCERTAIN else None,
            changed_at=now,
        )


class Messages(Applying):
    """Deliveries without a plan."""

    def add_message(  # noqa: PLR0913 - what a plan would say, all by name
        self,
        drafts: Sequence[Draft],
        *,
        due: datetime,
        media: Callable[[str], bytes],
        actor: str,
        labels: Sequence[str] = (),
        repeat: bool = False,
        gate: Gate | None = None,
    ) -> list[Delivery]:
        """Queue one message for several accounts, a delivery for each draft, in the campaign ``langsung``.

        ``gate``: what is asked for before it may go out; None: nothing.

        ``media`` gives the prepared bytes of a SHA-256. The same words to the same account, live or of the last
        30 days, are refused unless ``repeat``: raises InputError.
        """
        self.must_exist()
        with self.writing() as connection:
            now = self.now()
            post = _free_name(connection, instant(now))
            new = [
                (gate or Gate()).kept(_direct(draft, post=post, due=due, labels=tuple(labels), position=n))
                for n, draft in enumerate(drafts)
            ]
            if not repeat:
                for delivery in new:
                    self._refuse_double(connection, delivery, now=now)
            self._store_media(connection, new, media)
            self._insert(connection, new, actor=actor, now=now)
            self._claim_workspace()
            return deliveries_by_key(connection, [delivery.key for delivery in new])

    def _refuse_double(self, connection: Connection, delivery: NewDelivery, *, now: int) -> None:
        for other in self._alike(connection, [delivery.body_hash], now=now):
            if other.alive and other.address == delivery.address:
                raise InputError(
                    _("The same message is already queued or was sent to {account}: {key}").format(
                        account=delivery.account, key=other.key
                    ),
                    fix=_("Say --repeat if it should go out again."),
                )


def _rest() -> str:
    return _("The rest of the thread was not sent: post it by hand, or cancel it.")


def _direct(draft: Draft, *, post: str, due: datetime, labels: tuple[str, ...], position: int) -> NewDelivery:
    content_hash = draft.content_hash(due)
    return NewDelivery(
        key=delivery_key(DIRECT, post, draft.account),
        campaign=DIRECT,
        post=post,
        series=post,
        account=draft.account,
        platform=draft.platform,
        address=draft.address,
        position=position,
        due=due,
        draft_json=draft.to_json(),
        parts=len(draft.parts),
        content_hash=content_hash,
        body_hash=body_hash(draft),
        input_hash=content_hash,
        labels=labels,
        media=tuple(dict.fromkeys(file.sha256 for file in draft.files)),
    )


def _free_name(connection: Connection, now: datetime) -> str:
    name = f"{now:%Y%m%d-%H%M%S}"
    taken = set(
        connection.execute(
            select(columns.post).where(columns.campaign == DIRECT, columns.post.startswith(name)).distinct()
        ).scalars()
    )
    if name not in taken:
        return name
    return next(wanted for n in range(2, len(taken) + 3) if (wanted := f"{name}-{n}") not in taken)


def _in_states(connection: Connection, keys: Collection[str], states: Sequence[str]) -> list[Row[Any]]:
    return [
        row
        for some in chunks(dict.fromkeys(keys))
        for row in connection.execute(
            select(deliveries, begun().label("begun"))
            .where(columns.key.in_(some), columns.state.in_(states))
            .order_by(columns.due)
        )
    ]


def _miss(connection: Connection, key: str, *, before: int) -> None:
    """What waits and was due before that instant is missed, unless it has begun: the next claim would say the same."""
    late = and_(columns.state == State.WAITING.value, ~begun(), columns.due < before)
    missed = {"state": State.MISSED.value, "error": _("It was later than late_grace allows when it was settled.")}
    connection.execute(update(deliveries).where(columns.key == key, late).values(**missed))


def _set(connection: Connection, key: str, **values: Any) -> None:
    connection.execute(update(deliveries).where(columns.key == key).values(**values))
