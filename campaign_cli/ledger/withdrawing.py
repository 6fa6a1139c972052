"""Taking back what is out: the intent before the network is asked, and each deleted part after it.

The intent is kept beside the delivery (``ORDERED``): from then on nothing of it is sent any more, also where the
network's answer got lost and nobody knows yet whether a part is gone.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, exists, insert, not_, or_, select, update
from sqlalchemy.engine import Connection

from campaign_cli.errors import InputError
from campaign_cli.i18n import _
from campaign_cli.ledger import schema
from campaign_cli.ledger.base import Store, chunks
from campaign_cli.ledger.conditions import columns
from campaign_cli.ledger.queries import deliveries_by_key, read_deliveries
from campaign_cli.ledger.schema import deliveries, micros
from campaign_cli.ledger.values import Delivery
from campaign_cli.models import LASTING, Receipt, State

ORDERED: Final = "withdrawing"
"""Step of part 0: somebody has ordered to take the delivery down."""
CLEARED: Final = "withdrawn"
"""Step of a part without a receipt: a person has deleted what was out of it."""
_OVER: Final = (State.PUBLISHED, State.FAILED, State.MISSED, State.CANCELLED)
_proofs, _steps = schema.receipts.c, schema.steps.c


class Withdrawing(Store):
    """What went out, and what of it was taken back."""

    def sent_after(self, since: datetime) -> list[Delivery]:
        """What went out, at least in part, at or after an instant (aware) and was not taken back, newest first."""
        recent = and_(_proofs.at >= micros(since), _proofs.withdrawn_at.is_(None))
        condition = exists().where(_proofs.delivery == columns.key, recent).correlate(deliveries)
        with self.reading() as connection:
            found = read_deliveries(connection, condition)
        return sorted(found, key=lambda one: max(receipt.at for receipt in one.receipts), reverse=True)

    def half_out(self, keys: Collection[str]) -> dict[str, tuple[int, ...]]:
        """By key, the parts of which something may be out though they have no receipt, and nobody has cleared it."""
        with self.reading() as connection:
            return _half_out(connection, keys)

    def taken_back(self, keys: Collection[str]) -> set[str]:
        """Those that somebody has ordered to take down."""
        with self.reading() as connection:
            return taken_back(connection, keys)

    def begin_withdrawal(self, key: str, *, reason: str, actor: str) -> Delivery:
        """Write down that a delivery is taken back, before anything is asked of the network; the delivery, with draft.

        Raises InputError where nothing of it is out, or it is not over.
        """
        with self.writing() as connection:
            delivery = next(iter(deliveries_by_key(connection, [key], with_drafts=True)), None)
            if delivery is None:
                raise InputError(_("There is no delivery {key}.").format(key=key), fix=_("See: campaign status"))
            refuse_withdrawal(delivery, half=bool(_half_out(connection, [key])))
            order_down(connection, [key])
            details = json.dumps({"reason": reason} if reason else {}, ensure_ascii=False)
            self.record(connection, "withdrawing", [(key, details)], actor=actor, at=self.now())
            return delivery

    def withdrawn(self, key: str, receipt: Receipt, *, by_hand: bool, actor: str) -> None:
        """One part is gone from the network; again is harmless."""
        with self.writing() as connection:
            now = self.now()
            done = connection.execute(
                update(schema.receipts)
                .where(_proofs.delivery == key, _proofs.part == receipt.part, _proofs.withdrawn_at.is_(None))
                .values(withdrawn_at=now)
                .returning(_proofs.id)
            ).all()
            if not done:
                return
            details: Mapping[str, Any] = {"part": receipt.part + 1, "id": receipt.id, "url": receipt.url}
            if by_hand:
                details = {**details, "by_hand": True}
            text = json.dumps(details, ensure_ascii=False)
            self.record(connection, "withdrawn", [(key, text)], actor=actor, at=now)

    def cleared(self, key: str, part: int, *, actor: str) -> None:
        """A person has deleted what was out of a part that has no receipt."""
        with self.writing() as connection:
            _note(connection, key, part=part, name=CLEARED)
            details = json.dumps({"part": part + 1, "by_hand": True})
            self.record(connection, "withdrawn", [(key, details)], actor=actor, at=self.now())


def refuse_withdrawal(delivery: Delivery, *, half: bool) -> None:
    """Raise InputError where nothing of a delivery is out, or it is not over. ``half``: see ``half_out``."""
    if delivery.state not in _OVER:
        raise InputError(
            _("{key} is not over, so it can't be taken back yet.").format(key=delivery.key), fix=_way_out(delivery)
        )
    if not still_out(delivery) and not half:
        raise InputError(
            _("Nothing of {key} is out.").format(key=delivery.key), fix=_("See: campaign status --state published")
        )


def still_out(delivery: Delivery) -> tuple[Receipt, ...]:
    """The proofs of what was not taken back, the last part first, so that no answer stands alone."""
    return tuple(receipt for receipt in reversed(delivery.receipts) if receipt.withdrawn_at is None)


def order_down(connection: Connection, keys: Collection[str]) -> None:
    """From here on nothing of these deliveries is sent."""
    for key in keys:
        _note(connection, key, part=0, name=ORDERED)


def taken_back(connection: Connection, keys: Collection[str]) -> set[str]:
    """Those of which something was taken down, or was ordered to be."""
    found: set[str] = set()
    for some in chunks(keys):
        ordered = select(_steps.delivery).where(_steps.delivery.in_(some), _steps.name.in_((ORDERED, CLEARED)))
        gone = select(_proofs.delivery).where(_proofs.delivery.in_(some), _proofs.withdrawn_at.is_not(None))
        found.update(connection.execute(ordered.union(gone)).scalars())
    return found


def _half_out(connection: Connection, keys: Collection[str]) -> dict[str, tuple[int, ...]]:
    other = schema.steps.alias().c
    proved = exists().where(_proofs.delivery == _steps.delivery, _proofs.part == _steps.part)
    cleared = exists().where(other.delivery == _steps.delivery, other.part == _steps.part, other.name == CLEARED)
    lasting = and_(_steps.name.startswith(LASTING), _steps.value != "null", not_(or_(proved, cleared)))
    found: dict[str, tuple[int, ...]] = {}
    for some in chunks(keys):
        wanted = select(_steps.delivery, _steps.part).where(_steps.delivery.in_(some), lasting).distinct()
        for key, part in connection.execute(wanted.order_by(_steps.delivery, _steps.part)):
            found[key] = (*found.get(key, ()), part)
    return found


def _note(connection: Connection, key: str, *, part: int, name: str) -> None:
    """Keep a step of no generation; again is harmless."""
    step = {"delivery": key, "part": part, "generation": 0, "name": name}
    there = select(exists().where(*(_steps[column] == value for column, value in step.items())))
    if not connection.execute(there).scalar():
        connection.execute(insert(schema.steps).values(**step, value="true"))


def _way_out(delivery: Delivery) -> str:
    if delivery.state is State.UNCERTAIN:
        return _(
            "Look at the account. It is out: campaign resolve {key} --published URL, then withdraw it. It is not: "
            "--not-published would send it, so first campaign hold --campaign {campaign} --reason …, and afterwards "
            "campaign cancel {key}"
        ).format(key=delivery.key, campaign=delivery.campaign)
    if delivery.state is State.WAITING:
        return _("Cancel it first: campaign cancel {key}").format(key=delivery.key)
    return _("Hold it, and try again in a moment: campaign hold --reason …")
