"""``campaign retry``: failed, missed and cancelled deliveries go back to the queue."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Annotated

import typer

from campaign_cli.cli import approving, diagnostics, output, usage
from campaign_cli.cli.context import actor, now, open_context
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
from campaign_cli.cli.status import zone_of
from campaign_cli.cli.words import instant
from campaign_cli.i18n import _, ngettext
from campaign_cli.models import State

if TYPE_CHECKING:
    from campaign_cli.ledger import Delivery

app = usage.application()


@usage.command(
    app,
    help=_(
        "Queue failed, missed or cancelled deliveries again, by key or filter. Example: campaign retry KEY --at 17:00"
    ),
)
def retry(
    keys: KeysArgument = None,
    campaign: CampaignFilter = None,
    account: AccountFilter = None,
    label: LabelFilter = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help=_("When (default: now), in the account's zone."))
    ] = None,
    yes: YesOption = False,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    context = open_context(workspace)
    context.require_accounts()
    if at:
        instant(at, now=now(), zone=UTC)  # a time that is none is told before anything is asked
    states = (State.FAILED, State.MISSED, State.CANCELLED)
    with context.ledger() as ledger:
        found = select(ledger, keys=keys, campaign=campaign, account=account, label=label, states=states)
        if not found:
            output.write(_("No failed, missed or cancelled delivery matches."))
            return 0
        chosen = choose(found, context.workspace, question=_("Queue these again?"), yes=yes)
        done: list[Delivery] = []
        for delivery in chosen:
            zone = zone_of(delivery.account, context.workspace) or UTC
            due = instant(at, now=ledger.clock(), zone=zone) if at else ledger.clock()
            done += ledger.retry([delivery.key], actor=actor(), at=due)
        down = ledger.taken_back([delivery.key for delivery in chosen])
    count = len(done)
    output.write(ngettext("{n} delivery queued again.", "{n} deliveries queued again.", count).format(n=count))
    for key in sorted(down):
        diagnostics.warn(_("{key} was to be taken down; nothing of it is sent again.").format(key=key))
    approving.tell_lost(chosen, done)
    return 0
