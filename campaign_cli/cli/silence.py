"""Days of silence, and the times that ``release``, ``crisis end`` and ``retry`` give posts without their plan."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

from campaign_cli.cli.words import shared_zone
from campaign_cli.errors import InputError
from campaign_cli.i18n import _, format_instant

if TYPE_CHECKING:
    from campaign_cli.cli.context import Context
    from campaign_cli.ledger import Delivery, Ledger

CODE: Final = "E004"


class Silence:
    """The workspace's days of silence, as ``checks.times.silent_days`` has them, for deliveries of the ledger."""

    def __init__(self, context: Context, ledger: Ledger) -> None:
        self._context, self._ledger = context, ledger
        self._days = frozenset(context.workspace.rules.silent_days)
        self._waived: Mapping[str, Mapping[str, str]] = {}

    def look_up(self, deliveries: Collection[Delivery]) -> None:
        """Read what the plans of these deliveries waived."""
        self._waived = self._ledger.waivers([one.key for one in deliveries]) if self._days else {}

    def refuse(self, delivery: Delivery, due: datetime) -> None:
        """Raise InputError where a new time (aware) lies in a day of silence that the delivery's plan doesn't waive."""
        account = self._context.workspace.accounts.get(delivery.account)
        zone = (account.timezone if account else None) or shared_zone(self._context)
        if due.astimezone(zone).date() not in self._days or CODE in self._waived.get(delivery.key, {}):
            return
        raise InputError(
            _("{key}: {time} lies in a day of silence ({code}).").format(
                key=delivery.key, time=format_instant(due, zone), code=CODE
            ),
            fix=_(
                "Choose a time before or after the silence (silent_days in accounts.yaml), or skip it. Where the rule "
                "is not meant for this post, waive {code} with a reason in its plan, and queue it first."
            ).format(code=CODE),
        )
