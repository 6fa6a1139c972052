"""``campaign worker``: sends what a clock hands over, on any machine."""

from __future__ import annotations

import asyncio
import signal
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from campaign_cli.cli import diagnostics, usage
from campaign_cli.cli.context import now, open_context
from campaign_cli.cli.options import LanguageOption, WorkspaceOption
from campaign_cli.cli.progress import LogFormat, progress
from campaign_cli.cli.words import shared_zone
from campaign_cli.i18n import _

if TYPE_CHECKING:
    from campaign_cli.cli.dispatching import Edition
    from campaign_cli.dispatch.outcome import Outcome
    from campaign_cli.dispatch.progress import Progress
    from campaign_cli.ledger import Ledger

app = usage.application()


@usage.command(
    app,
    help=_(
        "Send what `campaign run --engine pgqueuer` hands over, until it is stopped; any number, on any machine. "
        "Example: campaign worker --log-format json"
    ),
)
def worker(
    log_format: Annotated[
        LogFormat, typer.Option("--log-format", metavar="auto|plain|json", help=_("How to say what happens."))
    ] = LogFormat.auto,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    from campaign_cli.cli import dispatching

    context = open_context(workspace)
    context.require_accounts()
    dispatching.shared_database(context)
    edition = dispatching.Edition(context)
    with (
        context.ledger(create=True) as ledger,
        progress(log_format, file=None, now=now, zone=shared_zone(context), redact=edition.redact) as shown,
    ):
        outcome = dispatching.interruptible(_work(edition, ledger, shown))
    diagnostics.say(_("Stopped cleanly: {counts}.").format(counts=dispatching.summary(outcome)))
    return int(dispatching.exit_code(outcome))


async def _work(edition: Edition, ledger: Ledger, shown: Progress) -> Outcome:
    """Send until a signal comes, with accounts that may change meanwhile."""
    from campaign_cli.cli import dispatching
    from campaign_cli.dispatch.jobs import serve
    from campaign_cli.dispatch.waiting import Troubles
    from campaign_cli.dispatch.worker import Hand, keep_serving, work

    stop, hand, troubles = (
        dispatching.stop_on(signal.SIGTERM, signal.SIGINT),
        Hand(),
        Troubles(shown.warned, patient=True),
    )
    address = dispatching.shared_database(edition.context)
    serving = partial(serve, address, take=hand.take, stop=stop, explain=ledger.database.explain)
    served = asyncio.create_task(keep_serving(serving, hand=hand, troubles=troubles, stop=stop))
    outcome = None
    try:
        while True:
            sender = dispatching.dispatcher(edition.context, ledger, progress=shown, outcome=outcome, handed=True)
            outcome = await work(sender, hand=hand, troubles=troubles, stop=stop, outdated=edition.outdated)
            if stop.is_set():
                return outcome
            await edition.renew()
    finally:
        stop.set()
        hand.close()
        await served
