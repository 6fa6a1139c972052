"""``campaign hold``: a durable stop that beats everything."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from campaign_cli.cli import diagnostics, output, usage
from campaign_cli.cli.context import Context, actor, open_context
from campaign_cli.cli.options import AccountFilter, CampaignFilter, LabelFilter, LanguageOption, WorkspaceOption
from campaign_cli.cli.status import scope, show_deliveries
from campaign_cli.i18n import _, ngettext
from campaign_cli.models import State

if TYPE_CHECKING:
    from campaign_cli.ledger import Hold, Ledger

app = usage.application()

POLL = 0.1  # seconds between two looks at what is still out


@usage.command(
    app,
    help=_(
        "Stop what has not gone out yet, and wait for what is on the wire. "
        'Example: campaign hold --campaign upah-layak-2027 --reason "menunggu pernyataan bersama"'
    ),
)
def hold(
    reason: Annotated[str, typer.Option("--reason", "-r", metavar="R", help=_("Why; it is shown to everybody."))],
    campaign: CampaignFilter = None,
    account: AccountFilter = None,
    label: LabelFilter = None,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    context = open_context(workspace)
    with context.ledger(create=True) as ledger:
        opened = ledger.hold(campaign=campaign, account=account, label=label, reason=reason, actor=actor())
        output.write(
            _("Held: {scope}. Nothing that this covers goes out until `campaign release`.").format(scope=scope(opened))
        )
        still_out = wait_for_flying(ledger, opened)
        sent = ledger.sent_since(opened)
        _show(
            context, sent, ngettext("{n} delivery went out meanwhile:", "{n} deliveries went out meanwhile:", len(sent))
        )
        if not still_out:
            return int(diagnostics.ExitCode.DONE)
        _show(
            context,
            ledger.deliveries(keys=still_out),
            ngettext("{n} is still out:", "{n} are still out:", len(still_out)),
        )
    return int(diagnostics.ExitCode.UNCERTAIN)


def wait_for_flying(ledger: Ledger, opened: Hold) -> list[str]:
    """Wait, one lease at most, for what is on the wire; the keys that are still out after that.

    So is what its sender never answered for, and somebody else called uncertain: that sender may only be suspended.
    """
    from campaign_cli.dispatch.options import LEASE

    end, seen = ledger.clock() + LEASE + timedelta(seconds=1), set[str]()
    while True:
        flying = [delivery.key for delivery in ledger.covered_in_flight(opened)]
        seen.update(flying)
        if not flying or ledger.clock() >= end:
            return [
                one.key for one in ledger.deliveries(keys=seen) if one.key in flying or one.state is State.UNCERTAIN
            ]
        time.sleep(POLL)


def _show(context: Context, deliveries: list, title: str) -> None:  # type: ignore[type-arg]
    if deliveries:
        output.write(title.format(n=len(deliveries)))
        show_deliveries(deliveries, context.workspace)
