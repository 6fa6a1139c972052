"""``campaign retry``: failed, missed and cancelled deliveries go back to the queue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

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
from campaign_cli.cli.silence import Silence
from campaign_cli.cli.status import zone_of
from campaign_cli.cli.words import instant
from campaign_cli.errors import InputError
from campaign_cli.i18n import _, ngettext
from campaign_cli.models import State

if TYPE_CHECKING:
    from campaign_cli.ledger import Delivery

app = usage.application()
_SHOWN: Final = 10  # keys that are named one by one


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
        matching = ledger.deliveries(campaign=campaign, account=account, label=label, keys=keys or None)
        down = ledger.taken_back([one.key for one in matching])
        gone = [one for one in matching if one.key in down]
        if gone and keys:
            raise InputError(_("{key} was taken down, or is to be.").format(key=gone[0].key), fix=_anew())
        choice = select(ledger, keys=keys, campaign=campaign, account=account, label=label, states=states)
        found = [one for one in choice if one.key not in down]
        if gone:
            _tell_gone(gone)
        if not found:
            output.write(_("No failed, missed or cancelled delivery matches."))
            return 0
        chosen = choose(found, context.workspace, question=_("Queue these again?"), yes=yes)
        silence, times = Silence(context, ledger), dict[str, datetime]()
        silence.look_up(chosen)
        for delivery in chosen:  # all of them before the first is written
            zone = zone_of(delivery.account, context.workspace) or UTC
            times[delivery.key] = instant(at, now=ledger.clock(), zone=zone) if at else ledger.clock()
            silence.refuse(delivery, times[delivery.key])
        done: list[Delivery] = []
        for key, due in times.items():
            done += ledger.retry([key], actor=actor(), at=due)
    count = len(done)
    output.write(ngettext("{n} delivery queued again.", "{n} deliveries queued again.", count).format(n=count))
    approving.tell_lost(chosen, done)
    return 0


def _tell_gone(gone: Sequence[Delivery]) -> None:
    """Which are passed over, since what is left of them would answer to a post that is gone."""
    count = len(gone)
    text = ngettext(
        "{n} delivery was taken down, or is to be, and is not queued again: {keys}",
        "{n} deliveries were taken down, or are to be, and are not queued again: {keys}",
        count,
    )
    keys = ", ".join(one.key for one in gone[:_SHOWN]) + (" …" if count > _SHOWN else "")
    diagnostics.warn(f"{text.format(n=count, keys=keys)}\n  → {_anew()}")


def _anew() -> str:
    return _("To say it again, give the post another id in the plan, and queue the plan.")
