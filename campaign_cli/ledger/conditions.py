"""What may be said of a delivery inside a statement: held, approved, begun, under embargo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, and_, distinct, exists, func, not_, or_, select, text

from campaign_cli.ledger import schema
from campaign_cli.ledger.schema import approvals, deliveries, delivery_labels, holds
from campaign_cli.models import LASTING

columns = deliveries.c
WAITING = columns.state == text("'waiting'")  # in the statement itself: that is how a partial index is found
_steps = schema.steps.c


def _counting() -> ColumnElement[bool]:
    """A row of ``approvals`` that counts for the delivery: of this very content, not void, signed where asked."""
    given = approvals.c
    return and_(
        given.delivery == columns.key,
        given.content_hash == columns.content_hash,
        given.void.is_(None),
        or_(not_(columns.signed), given.signature.is_not(None)),
    )


def _by_another() -> ColumnElement[bool]:
    """Somebody else than the author has approved it; anybody, where no author is named."""
    return (
        exists()
        .where(_counting(), or_(columns.author == "", approvals.c.person != columns.author))
        .correlate(deliveries)
    )


def scope_matches() -> ColumnElement[bool]:
    """The hold of a row of ``holds`` covers the delivery of a row of ``deliveries``.

    A crisis lets through the statement that it names, and only what somebody has approved of it.
    """
    label = delivery_labels.c
    # Both tables stand outside; left to itself, SQLAlchemy would see the nearer one only.
    labelled = exists().where(label.delivery == columns.key, label.label == holds.c.label).correlate(deliveries, holds)
    return and_(
        or_(holds.c.campaign.is_(None), holds.c.campaign == columns.campaign),
        or_(holds.c.account.is_(None), holds.c.account == columns.account),
        or_(holds.c.label.is_(None), labelled),
        or_(
            holds.c.except_campaign.is_(None),
            holds.c.except_campaign != columns.campaign,
            ~_by_another(),
        ),
    )


def covered() -> ColumnElement[bool]:
    """Some open hold covers the delivery."""
    return exists().where(holds.c.released_at.is_(None), scope_matches()).correlate(deliveries)


def covered_by(hold_ids: Sequence[int]) -> ColumnElement[bool]:
    """One of these holds covers the delivery, open or not."""
    return exists().where(holds.c.id.in_(hold_ids), scope_matches()).correlate(deliveries)


def approved() -> ColumnElement[bool]:
    """As many people as it needs have approved this very content; or it has begun, and what began is finished.

    A person counts once. The author counts, but not alone. Nothing is looked up where nothing needs to be.
    """
    people = select(func.count(distinct(approvals.c.person))).where(_counting()).correlate(deliveries).scalar_subquery()
    enough = and_(people >= columns.approval, _by_another())
    return or_(columns.approval == 0, begun(), enough)


def sendable() -> ColumnElement[bool]:
    """Waiting, approved and under no hold. Whether its embargo is over is asked apart, since that depends on when."""
    return and_(WAITING, approved(), ~covered())


def free_by(now: int | BindParameter[Any]) -> ColumnElement[bool]:
    """No embargo keeps it back then (microseconds)."""
    return or_(columns.embargo.is_(None), columns.embargo <= now)


def partly_out() -> ColumnElement[bool]:
    """A finished step says that something of the delivery is out (``models.LASTING``)."""
    lasting = and_(_steps.name.startswith(LASTING), _steps.value != "null")
    return exists().where(_steps.delivery == columns.key, lasting).correlate(deliveries)


def begun() -> ColumnElement[bool]:
    """Something of the delivery is out: it is frozen, and finished however late."""
    return or_(columns.sent > 0, partly_out())
