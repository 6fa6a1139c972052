"""Taking back what is out: the intent before the network is asked, and each deleted part after it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, exists, update

from campaign_cli.errors import InputError
from campaign_cli.i18n import _
from campaign_cli.ledger import schema
from campaign_cli.ledger.base import Store
from campaign_cli.ledger.conditions import columns
from campaign_cli.ledger.queries import deliveries_by_key, read_deliveries
from campaign_cli.ledger.schema import deliveries, micros
from campaign_cli.ledger.values import Delivery
from campaign_cli.models import Receipt, State

_OVER: Final = (State.PUBLISHED, State.FAILED, State.MISSED, State.CANCELLED)
_proofs = schema.receipts.c


class Withdrawing(Store):
    """What went out, and what of it was taken back."""

    def sent_after(self, since: datetime) -> list[Delivery]:
        """What went out, at least in part, at or after an instant (aware) and was not taken back, newest first."""
        recent = and_(_proofs.at >= micros(since), _proofs.withdrawn_at.is_(None))
        condition = exists().where(_proofs.delivery == columns.key, recent).correlate(deliveries)
        with self.reading() as connection:
            found = read_deliveries(connection, condition)
        return sorted(found, key=lambda one: max(receipt.at for receipt in one.receipts), reverse=True)

    def begin_withdrawal(self, key: str, *, reason: str, actor: str) -> Delivery:
        """Write down that a delivery is taken back, before anything is asked of the network; the delivery, with draft.

        Raises InputError where nothing of it is out, or it is not over.
        """
        with self.writing() as connection:
            delivery = next(iter(deliveries_by_key(connection, [key], with_drafts=True)), None)
            if delivery is None:
                raise InputError(_("There is no delivery {key}.").format(key=key), fix=_("See: campaign status"))
            refuse_withdrawal(delivery)
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


def refuse_withdrawal(delivery: Delivery) -> None:
    """Raise InputError where nothing of a delivery is out, or it is not over."""
    if delivery.state not in _OVER:
        raise InputError(
            _("{key} is not over, so it can't be taken back yet.").format(key=delivery.key), fix=_way_out(delivery)
        )
    if not still_out(delivery):
        raise InputError(
            _("Nothing of {key} is out.").format(key=delivery.key), fix=_("See: campaign status --state published")
        )


def still_out(delivery: Delivery) -> tuple[Receipt, ...]:
    """The proofs of what was not taken back, the last part first, so that no answer stands alone."""
    return tuple(receipt for receipt in reversed(delivery.receipts) if receipt.withdrawn_at is None)


def _way_out(delivery: Delivery) -> str:
    if delivery.state is State.UNCERTAIN:
        return _("Look at the account, then: campaign resolve KEY --published URL | --not-published")
    if delivery.state is State.WAITING:
        return _("Cancel it first: campaign cancel {key}").format(key=delivery.key)
    return _("Hold it, and try again in a moment: campaign hold --reason …")
