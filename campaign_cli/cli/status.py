"""``campaign status``: deliveries and their states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import tzinfo
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
from campaign_cli.cli.words import shared_zone, state_filter, state_word
from campaign_cli.i18n import _, format_instant, ngettext
from campaign_cli.models import State

if TYPE_CHECKING:
    from campaign_cli.accounts import Workspace
    from campaign_cli.ledger import Delivery, Hold
    from campaign_cli.ledger.approved import Approval

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
    from campaign_cli.cli.approving import without_author
    from campaign_cli.ledger.gate import demanded
    from campaign_cli.ledger.verified import verified_now

    context = open_context(workspace)
    with context.ledger(check_id=False) as ledger:
        found = ledger.deliveries(campaign=campaign, account=account, label=label, state=state_filter(state))
        checked = verified_now(found, ledger, context.signers())
        deliveries = [demanded(delivery, context.workspace.rules) for delivery in checked]
        told = ledger.approvals([delivery.key for delivery in deliveries if not delivery.approved])
        holds = ledger.holds()
    if json:
        output.write_json({"deliveries": [as_json(delivery, context.workspace) for delivery in deliveries]})
        return 0
    if deliveries:
        show_deliveries(deliveries, context.workspace, told=told)
        output.write(summary(deliveries))
        nameless = without_author(deliveries, context.workspace.rules)
        if nameless:
            output.write_sentences(nameless)
    elif campaign or account or label or state:
        output.write(_("No delivery matches."))
    else:
        output.write(_("Nothing is queued here."))
    for hold in holds:
        output.write_sentences(held_line(hold, zone=shared_zone(context)))
    return 0


def scope(hold: Hold) -> str:
    """What a hold covers, in words."""
    parts = [
        _("campaign {name}").format(name=hold.campaign) if hold.campaign else "",
        _("account {name}").format(name=hold.account) if hold.account else "",
        _("label {name}").format(name=hold.label) if hold.label else "",
    ]
    if hold.except_campaign:
        return _("everything but what is approved of the campaign {name}").format(name=hold.except_campaign)
    return ", ".join(part for part in parts if part) or _("everything")


def held_line(hold: Hold, *, zone: tzinfo) -> str:
    """An open hold with its reason, its author and its instant."""
    return _("On hold since {instant}: {scope}. {actor}: {reason}").format(
        instant=format_instant(hold.opened_at, zone), scope=scope(hold), actor=hold.actor, reason=hold.reason
    )


def as_json(delivery: Delivery, workspace: Workspace) -> dict[str, Any]:
    """One delivery as outside programs read it, with the approvals that the rules of today ask for."""
    from campaign_cli.ledger.gate import demanded

    delivery = demanded(delivery, workspace.rules)
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
            {
                "id": receipt.id,
                "url": receipt.url,
                "at": output.rfc3339(receipt.at, zone),
                "withdrawn_at": output.rfc3339(receipt.withdrawn_at, zone) if receipt.withdrawn_at else None,
            }
            for receipt in delivery.receipts
        ],
        "error": _at_rest(delivery, workspace) or delivery.error or None,
        "held": delivery.held,
        "approved": delivery.approved,
        "approvals": [
            {"name": given.name, "at": output.rfc3339(given.at, zone), "verified": given.verified}
            for given in delivery.approvals
        ],
        "approvals_needed": delivery.approval,
        "embargo": None if delivery.embargo is None else output.rfc3339(delivery.embargo, zone),
        "labels": list(delivery.labels),
    }


def zone_of(account: str, workspace: Workspace) -> Any:
    """The account's own zone, for showing; UTC where it has none."""
    from datetime import UTC

    known = workspace.accounts.get(account)
    return (known.timezone if known else None) or UTC


def show_deliveries(
    deliveries: list[Delivery], workspace: Workspace, *, told: Mapping[str, Sequence[Approval]] | None = None
) -> None:
    """A table on stdout: due instant in the account's zone, state, key, and the permalink or the reason.

    ``told`` is the story of the approvals of those that lack one; how many they need, the rules of today say.
    """
    from campaign_cli.ledger.gate import demanded

    deliveries = [demanded(delivery, workspace.rules) for delivery in deliveries]
    rows = [
        (
            format_instant(delivery.due, zone_of(delivery.account, workspace)),
            state_word(delivery.state, held=delivery.held, approved=delivery.approved),
            delivery.key,
            _withdrawn(delivery, workspace)
            or next((receipt.url for receipt in delivery.receipts if receipt.url), None)
            or _reason(delivery, workspace, told=(told or {}).get(delivery.key, ())),
        )
        for delivery in deliveries
    ]
    output.write_table((_("due"), _("state"), _("delivery"), _("link or reason")), rows)
    for sentence in dict.fromkeys(_at_rest(delivery, workspace) for delivery in deliveries if delivery.rest):
        output.write_sentences(sentence)


def _withdrawn(delivery: Delivery, workspace: Workspace) -> str:
    """When it was taken down; empty where something of it is still out."""
    gone = [receipt.withdrawn_at for receipt in delivery.receipts if receipt.withdrawn_at]
    if not gone or len(gone) < len(delivery.receipts):
        return ""
    at = format_instant(max(gone), zone_of(delivery.account, workspace))
    return _("taken down {instant}").format(instant=at)


def _reason(delivery: Delivery, workspace: Workspace, *, told: Sequence[Approval]) -> str:
    from campaign_cli.cli.approving import missing
    from campaign_cli.report.words import given_by

    if delivery.rest is not None:
        return _("The account rests; see below.")
    if delivery.state is not State.WAITING:
        return delivery.error
    reasons = [delivery.error, missing(delivery, told)]
    if delivery.approved and delivery.approvals:
        names = ", ".join(given_by(one.name, verified=one.verified) for one in delivery.approvals)
        reasons.append(_("approved by {names}").format(names=names))
    if delivery.embargo is not None:
        until = format_instant(delivery.embargo, zone_of(delivery.account, workspace))
        reasons.append(_("under embargo until {instant}").format(instant=until))
    return "; ".join(filter(None, reasons))


def _at_rest(delivery: Delivery, workspace: Workspace) -> str:
    """Since when, until when and why its account rests; empty where it doesn't."""
    from campaign_cli.dispatch.health import resting_line

    if delivery.rest is None:
        return ""
    return resting_line(delivery.rest, account=delivery.account, zone=zone_of(delivery.account, workspace))


def summary(deliveries: list[Delivery]) -> str:
    """``12 deliveries: 10 published, 1 waiting, 1 waiting (held)``."""
    counts = Counter((delivery.state, delivery.held and delivery.state is State.WAITING) for delivery in deliveries)
    words = ", ".join(
        f"{counts[state, held]} {state_word(state, held=held)}"
        for state in State
        for held in (False, True)
        if counts[state, held]
    )
    total = ngettext("{n} delivery", "{n} deliveries", len(deliveries)).format(n=len(deliveries))
    return f"{total}: {words}"
