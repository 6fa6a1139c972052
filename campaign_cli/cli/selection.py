"""Choosing deliveries by key or filter, for cancel and retry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from campaign_cli.cli.status import show_deliveries
from campaign_cli.cli.words import confirm, state_word
from campaign_cli.errors import InputError
from campaign_cli.i18n import _
from campaign_cli.models import State
from campaign_cli.source import suggest

if TYPE_CHECKING:
    from campaign_cli.accounts import Workspace
    from campaign_cli.ledger import Delivery, Ledger


def select(
    ledger: Ledger,
    *,
    keys: Sequence[str] | None,
    campaign: str | None,
    account: str | None,
    label: str | None,
    states: Sequence[State],
) -> list[Delivery]:
    """The deliveries that are meant and in one of ``states``. A key that is absent or in another state is an error."""
    if not keys and not (campaign or account or label):
        raise InputError(_("Nothing was chosen."), fix=_("Say which: keys, or --campaign, --account or --label."))
    found = ledger.deliveries(campaign=campaign, account=account, label=label, keys=keys or None)
    refuse_unknown(ledger, keys or (), found)
    known = {delivery.key: delivery for delivery in found}
    for key in keys or ():
        if known[key].state not in states:
            raise InputError(
                _("{key} is {state}.").format(key=key, state=state_word(known[key].state)),
                fix=_way_out(known[key].state),
            )
    return [delivery for delivery in found if delivery.state in states]


def refuse_unknown(ledger: Ledger, keys: Sequence[str], found: Sequence[Delivery]) -> None:
    """Raise InputError for the first key that is not among ``found``."""
    known = {delivery.key for delivery in found}
    for key in keys:
        if key not in known:
            everything = [delivery.key for delivery in ledger.deliveries()]
            message = _("There is no delivery {key}.").format(key=key) + suggest(key, everything)
            raise InputError(message, fix=_("See: campaign status"))


def _way_out(state: State) -> str:
    if state is State.UNCERTAIN:
        return _("Look at the account, then: campaign resolve KEY --published URL | --not-published")
    if state is State.PUBLISHED:
        return _("It is out. To take it down: campaign withdraw KEY")
    return _("See: campaign status")


def choose(found: list[Delivery], workspace: Workspace, *, question: str, yes: bool) -> list[Delivery]:
    """Show what was found and ask; an empty list when the answer is no."""
    show_deliveries(found, workspace)
    return found if confirm(question, assume=yes) else []
