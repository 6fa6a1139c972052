"""Reading for people: deliveries and what happened to them."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, select, true

from campaign_cli.ledger import schema
from campaign_cli.ledger.base import Store, chunks
from campaign_cli.ledger.conditions import columns
from campaign_cli.ledger.queries import deliveries_by_key, read_deliveries
from campaign_cli.ledger.schema import deliveries, delivery_labels, instant, micros
from campaign_cli.ledger.values import Delivery, Event
from campaign_cli.models import State

_MOVED: Final = "moved"
_QUEUEING: Final = ("queued", "changed", _MOVED)  # kinds of events with which words come into the ledger


class Records(Store):
    """Deliveries and events as values."""

    def deliveries(  # noqa: PLR0913 - filters, all by name
        self,
        *,
        campaign: str | None = None,
        account: str | None = None,
        address: str | None = None,
        state: State | Collection[State] | None = None,
        label: str | None = None,
        since: datetime | None = None,
        keys: Collection[str] | None = None,
        with_drafts: bool = False,
    ) -> list[Delivery]:
        """The deliveries that meet every filter (``since``: due then or later, aware), by due instant, then plan order.

        Unknown keys are left out.
        """
        condition = filters(campaign=campaign, account=account, address=address, state=state, label=label, since=since)
        with self.reading() as connection:
            if keys is None:
                return read_deliveries(connection, condition, with_drafts=with_drafts)
            found = [
                delivery
                for some in chunks(dict.fromkeys(keys))
                for delivery in read_deliveries(
                    connection, and_(columns.key.in_(some), condition), with_drafts=with_drafts
                )
            ]
        return sorted(found, key=lambda delivery: delivery.due)

    def delivery(self, key: str) -> Delivery | None:
        """One delivery with its draft; None for an unknown key."""
        with self.reading() as connection:
            return next(iter(deliveries_by_key(connection, [key], with_drafts=True)), None)

    def events(
        self, *, campaign: str | None = None, key: str | None = None, kind: str | None = None, limit: int | None = None
    ) -> list[Event]:
        """What happened, oldest first; ``limit`` keeps the newest."""
        table = schema.events
        statement = select(table).order_by(table.c.id.desc())
        for column, wanted in (("campaign", campaign), ("key", key), ("kind", kind)):
            if wanted is not None:
                statement = statement.where(table.c[column] == wanted)
        if limit is not None:
            statement = statement.limit(limit)
        with self.reading() as connection:
            rows = connection.execute(statement).all()
        return [
            Event(
                id=row.id,
                at=instant(row.at),
                kind=row.kind,
                key=row.key,
                campaign=row.campaign,
                account=row.account,
                actor=row.actor,
                host=row.host,
                pid=row.pid,
                data=json.loads(row.details),
            )
            for row in reversed(rows)
        ]

    def waivers(self, keys: Collection[str]) -> dict[str, dict[str, str]]:
        """By key, code → reason of what the plan waived when it was queued as it is now; the others are absent."""
        table, found = schema.events.c, dict[str, dict[str, str]]()
        wanted = select(table.key, table.kind, table.details).where(table.kind.in_(_QUEUEING)).order_by(table.id)
        with self.reading() as connection:
            for some in chunks(dict.fromkeys(keys)):
                for row in connection.execute(wanted.where(table.key.in_(some))):
                    told = json.loads(row.details)
                    if row.kind != _MOVED or "from" in told:  # else it got another time, and kept its words
                        found[row.key] = told.get("waived", {})
        return {key: waived for key, waived in found.items() if waived}


def filters(
    *,
    campaign: str | None = None,
    account: str | None = None,
    address: str | None = None,
    state: State | Collection[State] | None = None,
    label: str | None = None,
    since: datetime | None = None,
) -> ColumnElement[bool]:
    """A condition over ``deliveries``; what is None doesn't count."""
    parts: list[ColumnElement[bool]] = [true()]
    if campaign is not None:
        parts.append(columns.campaign == campaign)
    if account is not None:
        parts.append(columns.account == account)
    if address is not None:
        parts.append(columns.address == address)
    if state is not None:
        states = [state] if isinstance(state, State) else list(state)
        parts.append(columns.state.in_([one.value for one in states]))
    if label is not None:
        table = delivery_labels.c
        parts.append(exists().where(table.delivery == columns.key, table.label == label).correlate(deliveries))
    if since is not None:
        parts.append(columns.due >= micros(since))
    return and_(*parts)
