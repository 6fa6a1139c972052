"""``campaign status``: deliveries and their states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from campaign_cli.cli import output, usage
from campaign_cli.cli.context import open_context
from campaign_cli.cli.options import (
    AccountFilter,
    CampaignFilter,
    JsonOption,
    LabelFilter,
    LanguageOption,
    StateFilter,
    WorkspaceOption,
)
from campaign_cli.cli.words import state_filter, state_word
from campaign_cli.i18n import _, format_instant, ngettext
from campaign_cli.models import State

if TYPE_CHECKING:
    from campaign_cli.accounts import Workspace
    from campaign_cli.ledger import Delivery

app = usage.application()


@usage.command(
    app,
    help=_("Show deliveries and their states. Example: campaign status --campaign upah-layak-2027 --state uncertain"),
)
def status(
    campaign: CampaignFilter = None,
    account: AccountFilter = None,
    label: LabelFilter = None,
    state: StateFilter = None,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    context = open_context(workspace)
    with context.ledger(check_id=False) as ledger:
        deliveries = ledger.deliveries(campaign=campaign, account=account, label=label, state=state_filter(state))
    if json:
        output.write_json({"deliveries": [as_json(delivery, context.workspace) for delivery in deliveries]})
        return 0
    if not deliveries:
        output.write(_("Nothing is queued here."))
        return 0
    output.show(delivery_table(deliveries, context.workspace))
    output.write(summary(deliveries))
    return 0


def as_json(delivery: Delivery, workspace: Workspace) -> dict[str, Any]:
    """One delivery as outside programs read it."""
    zone = zone_of(delivery.account, workspace)
    return {
        "key": delivery.key,
        "campaign": delivery.campaign,
        "post": delivery.post,
        "account": delivery.account,
        "platform": delivery.platform,
        "due": output.rfc3339(delivery.due, zone),
        "state": delivery.state.value,
        "hash": delivery.content_hash,
        "attempts": delivery.attempts,
        "receipts": [
            {"id": receipt.id, "url": receipt.url, "at": output.rfc3339(receipt.at, zone)}
            for receipt in delivery.receipts
        ],
        "error": delivery.error or None,
        "held": delivery.held,
        "approved": delivery.approved,
        "labels": list(delivery.labels),
    }


def zone_of(account: str, workspace: Workspace) -> Any:
    """The account's own zone, for showing; UTC where it has none."""
    from datetime import UTC

    known = workspace.accounts.get(account)
    return (known.timezone if known else None) or UTC


def delivery_table(deliveries: list[Delivery], workspace: Workspace) -> Any:
    """Key, due instant, state, and the permalink or the reason."""
    rows = [
        (
            delivery.key,
            format_instant(delivery.due, zone_of(delivery.account, workspace)),
            state_word(delivery.state, held=delivery.held),
            next((receipt.url for receipt in delivery.receipts if receipt.url), None) or delivery.error or "",
        )
        for delivery in deliveries
    ]
    return output.table((_("delivery"), _("due"), _("state"), _("link or reason")), rows)


def summary(deliveries: list[Delivery]) -> str:
    """``12 deliveries: 10 published, 2 waiting``."""
    counts = [(state, sum(1 for delivery in deliveries if delivery.state is state)) for state in State]
    words = ", ".join(f"{count} {state_word(state)}" for state, count in counts if count)
    total = ngettext("{n} delivery", "{n} deliveries", len(deliveries)).format(n=len(deliveries))
    return f"{total}: {words}"
