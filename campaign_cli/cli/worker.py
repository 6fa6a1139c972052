"""``campaign worker``: sends what a clock hands over, on any machine."""

from __future__ import annotations

import signal
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from campaign_cli.cli import usage
from campaign_cli.cli.context import open_context
from campaign_cli.cli.options import LanguageOption, WorkspaceOption
from campaign_cli.cli.progress import LogFormat
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
    return dispatching.keep_running(context, _work, log_format=log_format)


async def _work(edition: Edition, ledger: Ledger, shown: Progress) -> Outcome:
    """Send until a signal comes, with accounts that may change meanwhile."""
    import asyncio

    from campaign_cli.cli import dispatching
    from campaign_cli.dispatch.jobs import serve
    from campaign_cli.dispatch.waiting import Troubles
    from campaign_cli.dispatch.worker import Hand, keep_serving, work

    stop, hand = dispatching.stop_on(signal.SIGTERM, signal.SIGINT), Hand()
    troubles = Troubles(shown.warned, patient=True)
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
