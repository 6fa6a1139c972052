"""Holds: durable stops, and what to do with what became late under one."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import and_, exists, insert, or_, select, update
from sqlalchemy.engine import Connection, Row

from campaign_cli.errors import InputError
from campaign_cli.i18n import _
from campaign_cli.ledger import schema
from campaign_cli.ledger.base import Store
from campaign_cli.ledger.conditions import WAITING, columns, covered_by, scope_matches
from campaign_cli.ledger.queries import deliveries_by_key, read_deliveries
from campaign_cli.ledger.schema import deliveries, drafts, holds, instant, instant_or_none, micros, span
from campaign_cli.ledger.values import Delivery, Hold, frozen_draft
from campaign_cli.models import State

_CRISIS: Final = select(holds).where(holds.c.released_at.is_(None), holds.c.crisis.is_(True))

Late = str | timedelta | datetime
"""``"now"``, ``"skip"``, a shift of the due instant, or a new one (aware)."""


class Holding(Store):
    """Opening, reading and ending holds."""

    def hold(
        self,
        *,
        campaign: str | None = None,
        account: str | None = None,
        label: str | None = None,
        reason: str,
        actor: str,
    ) -> Hold:
        """Stop everything that matches, also what is queued later. All None stops everything."""
        self.must_exist()
        scope = {"campaign": campaign, "account": account, "label": label}
        with self.writing() as connection:
            return self.open_hold(connection, scope, reason=reason, actor=actor)

    def start_crisis(self, *, statement: str | None, reason: str, actor: str) -> Hold:
        """Stop everything but the campaign ``statement``, of which only what is approved goes out.

        While a crisis without a statement is on, this names it: nothing is released for that. Raises InputError while
        another crisis is on.
        """
        self.must_exist()
        with self.writing() as connection:
            row = connection.execute(_CRISIS).first()
            if row is not None and statement is not None and row.except_campaign is None:
                return self._name_statement(connection, row.id, statement, reason=reason, actor=actor)
            if row is not None:
                fix = _("See: campaign crisis show. It ends with: campaign crisis end")
                if row.except_campaign is None:
                    fix = _(
                        "See: campaign crisis show. It has no statement; give it one: campaign crisis start "
                        "--statement PLAN --reason …. It ends with: campaign crisis end"
                    )
                raise InputError(_("A crisis is on already."), fix=fix)
            scope = {"crisis": True, "except_campaign": statement}
            return self.open_hold(connection, scope, reason=reason, actor=actor)

    def _name_statement(self, connection: Connection, crisis: int, statement: str, *, reason: str, actor: str) -> Hold:
        named = update(holds).where(holds.c.id == crisis).values(except_campaign=statement).returning(holds)
        row = connection.execute(named).one()
        self._log_hold(connection, "held", row, reason=reason, actor=actor, at=self.now())
        return _hold(row)

    def crisis(self) -> Hold | None:
        """The crisis that is on."""
        with self.reading() as connection:
            row = connection.execute(_CRISIS).first()
            return None if row is None else _hold(row)

    def open_hold(
        self, connection: Connection, scope: Mapping[str, str | bool | None], *, reason: str, actor: str
    ) -> Hold:
        """The same in a writing transaction that is open; an empty ``scope`` stops everything."""
        now = self.now()
        values = {**scope, "reason": reason, "opened_at": now, "actor": actor}
        row = connection.execute(insert(holds).values(values).returning(holds)).one()
        self._log_hold(connection, "held", row, actor=actor, at=now)
        return _hold(row)

    def holds(self, *, open_only: bool = True) -> list[Hold]:
        """The holds, oldest first."""
        statement = select(holds).order_by(holds.c.id)
        if open_only:
            statement = statement.where(holds.c.released_at.is_(None))
        with self.reading() as connection:
            return [_hold(row) for row in connection.execute(statement)]

    def covered_in_flight(self, hold: Hold) -> list[Delivery]:
        """What the hold covers and is on the wire: being sent, or uncertain and in somebody's hands."""
        in_hand = and_(columns.state == State.UNCERTAIN.value, columns.lease_until > self.now())
        with self.reading() as connection:
            flying = or_(columns.state == State.SENDING.value, in_hand)
            return read_deliveries(connection, and_(flying, covered_by([hold.id])))

    def sent_since(self, hold: Hold) -> list[Delivery]:
        """What the hold covers and went out, at least in part, after it was opened.

        Networks date their receipts by clocks of their own, some in whole seconds, so an attempt that ended well after
        the hold counts as well.
        """
        proofs, attempts, opened = schema.receipts.c, schema.attempts.c, micros(hold.opened_at)
        dated = exists().where(proofs.delivery == columns.key, proofs.at >= opened).correlate(deliveries)
        ended = (
            exists()
            .where(
                attempts.delivery == columns.key,
                attempts.outcome == State.PUBLISHED.value,
                attempts.ended_at >= opened,
            )
            .correlate(deliveries)
        )
        with self.reading() as connection:
            return read_deliveries(connection, and_(or_(dated, ended), covered_by([hold.id])))

    def held_back(self, hold: Hold) -> list[Delivery]:
        """What waits under the hold."""
        with self.reading() as connection:
            return read_deliveries(connection, and_(WAITING, covered_by([hold.id])))

    def late_after_release(self, hold_ids: Collection[int]) -> list[Delivery]:
        """What would be due and free once these holds end."""
        ending = list(hold_ids)
        staying = (
            exists()
            .where(holds.c.released_at.is_(None), holds.c.id.not_in(ending), scope_matches())
            .correlate(deliveries)
        )
        with self.reading() as connection:
            late = and_(WAITING, columns.due <= self.now(), covered_by(ending), ~staying)
            return read_deliveries(connection, late)

    def release(
        self,
        hold_ids: Collection[int],
        *,
        actor: str,
        late: Mapping[str, Late] | None = None,
        reviewed: Collection[str] | None = None,
    ) -> list[Delivery]:
        """End holds and decide on what is late, in one transaction; the deliveries that were decided on.

        A late delivery that is not in ``late`` keeps its due instant, and is missed when that is too long ago. Where
        somebody else has ended the holds already, that decided, and nothing happens. ``reviewed``: the keys that were
        looked at, where all that is held must be. Raises InputError where more is held by now.
        """
        answers = late or {}
        with self.writing() as connection:
            now = self.now()
            if reviewed is not None:
                _refuse_unseen(connection, hold_ids, reviewed=reviewed)
            rows = connection.execute(
                update(holds)
                .where(holds.c.id.in_(list(hold_ids)), holds.c.released_at.is_(None))
                .values(released_at=now, released_by=actor)
                .returning(holds)
            ).all()
            for row in rows:
                self._log_hold(connection, "released", row, actor=actor, at=now)
            waiting = deliveries_by_key(connection, list(answers)) if rows else []
            done = [delivery.key for delivery in waiting if delivery.state is State.WAITING]
            for key in done:
                self._decide(connection, key, answers[key], actor=actor, now=now)
            return deliveries_by_key(connection, done)

    def _decide(self, connection: Connection, key: str, answer: Late, *, actor: str, now: int) -> None:
        if answer == "skip":
            connection.execute(
                update(deliveries).where(columns.key == key).values(state=State.CANCELLED.value, changed_at=now)
            )
            self.record(connection, "cancelled", [(key, '{"late": "skip"}')], actor=actor, at=now)
            return
        due = connection.execute(select(columns.due).where(columns.key == key)).scalar_one()
        if isinstance(answer, timedelta):
            new = due + span(answer)
        else:
            new = micros(answer) if isinstance(answer, datetime) else now
        reschedule(connection, key, due=new, now=now)
        details = {"due": instant(new).isoformat(), "was": instant(due).isoformat()}
        self.record(connection, "moved", [(key, json.dumps(details))], actor=actor, at=now)

    def _log_hold(
        self, connection: Connection, kind: str, row: Row[Any], *, actor: str, at: int, reason: str = ""
    ) -> None:
        names = ("campaign", "account", "label", "crisis", "except_campaign")
        scope = {name: getattr(row, name) for name in names if getattr(row, name)}
        details = {"hold": row.id, "reason": reason or row.reason} | scope
        event = self.event(kind, None, json.dumps(details, ensure_ascii=False), actor=actor, at=at)
        self.write_events(connection, [event | {"campaign": row.campaign, "account": row.account}])


def _refuse_unseen(connection: Connection, hold_ids: Collection[int], *, reviewed: Collection[str]) -> None:
    """Raises InputError where something came under the holds that nobody has looked at."""
    standing = and_(holds.c.released_at.is_(None), holds.c.id.in_(list(hold_ids)), scope_matches())
    held = connection.execute(select(columns.key).where(WAITING, exists().where(standing).correlate(deliveries)))
    unseen = set(held.scalars()) - set(reviewed)
    if unseen:
        raise InputError(
            _("Something came under the hold meanwhile: {keys}. Nothing was released.").format(
                keys=", ".join(sorted(unseen))
            ),
            fix=_("Run the command again, and decide on it as well."),
        )


def reschedule(connection: Connection, key: str, *, due: int, now: int) -> None:
    """Give a delivery a new due instant, and with it a new content hash, which nobody has approved yet.

    Its embargo stays. Raises DamagedLedger.
    """
    draft = connection.execute(select(drafts.c.draft).where(drafts.c.delivery == key)).scalar_one_or_none()
    embargo = connection.execute(select(columns.embargo).where(columns.key == key)).scalar_one_or_none()
    content_hash = frozen_draft(key, draft).content_hash(instant(due), embargo=instant_or_none(embargo))
    connection.execute(
        update(deliveries)
        .where(columns.key == key)
        .values(
            due=due,
            content_hash=content_hash,
            next_try=None,
            changed_at=now,
        )
    )


def _hold(row: Row[Any]) -> Hold:
    return Hold(
        id=row.id,
        campaign=row.campaign,
        account=row.account,
        label=row.label,
        reason=row.reason,
        opened_at=instant(row.opened_at),
        actor=row.actor,
        released_at=instant_or_none(row.released_at),
        released_by=row.released_by or "",
        crisis=bool(row.crisis),
        except_campaign=row.except_campaign,
    )
