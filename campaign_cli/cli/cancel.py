"""``campaign cancel``: waiting deliveries don't go out."""

from __future__ import annotations

from campaign_cli.cli import output, usage
from campaign_cli.cli.context import actor, open_context
from campaign_cli.cli.options import (
    AccountFilter,
    CampaignFilter,
    KeysArgument,
    LabelFilter,
    LanguageOption,
    WorkspaceOption,
    YesOption,
)
from campaign_cli.cli.selection import choose, select
from campaign_cli.i18n import _, ngettext
from campaign_cli.models import State

app = usage.application()


@usage.command(
    app, help=_("Cancel waiting deliveries, by key or filter. Example: campaign cancel --campaign upah-layak-2027")
)
def cancel(
    keys: KeysArgument = None,
    campaign: CampaignFilter = None,
    account: AccountFilter = None,
    label: LabelFilter = None,
    yes: YesOption = False,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    context = open_context(workspace)
    context.require_accounts()
    with context.ledger() as ledger:
        found = select(ledger, keys=keys, campaign=campaign, account=account, label=label, states=(State.WAITING,))
        if not found:
            output.write(_("No waiting delivery matches."))
            return 0
        chosen = choose(found, context.workspace, question=_("Cancel these?"), yes=yes)
        done = ledger.cancel([delivery.key for delivery in chosen], actor=actor())
    output.write(ngettext("{n} delivery cancelled.", "{n} deliveries cancelled.", len(done)).format(n=len(done)))
    return 0
