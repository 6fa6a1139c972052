"""``campaign run``: the long-running scheduler."""

from __future__ import annotations

import signal
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from campaign_cli.cli import usage
from campaign_cli.cli.context import open_context
from campaign_cli.cli.options import LanguageOption, WorkspaceOption
from campaign_cli.cli.progress import LogFormat
from campaign_cli.i18n import _

if TYPE_CHECKING:
    from campaign_cli.cli.context import Context
    from campaign_cli.cli.dispatching import Edition
    from campaign_cli.dispatch.jobs import JobQueue
    from campaign_cli.dispatch.outcome import Outcome
    from campaign_cli.dispatch.progress import Progress
    from campaign_cli.ledger import Ledger

app = usage.application()


class Engine(StrEnum):
    """Who sends: this process, or workers that are handed what falls due."""

    apscheduler = "apscheduler"
    pgqueuer = "pgqueuer"


@usage.command(
    app, help=_("Publish everything at its minute until it is stopped. Example: campaign run --log-format json")
)
def run(
    engine: Annotated[
        Engine,
        typer.Option(
            "--engine",
            metavar="apscheduler|pgqueuer",
            help=_("Send here (apscheduler), or hand what falls due to `campaign worker` on any machine (pgqueuer)."),
        ),
    ] = Engine.apscheduler,
    log_format: Annotated[
        LogFormat, typer.Option("--log-format", metavar="auto|plain|json", help=_("How to say what happens."))
    ] = LogFormat.auto,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    from campaign_cli.cli import dispatching

    context = open_context(workspace)
    context.require_accounts()
    if engine is Engine.pgqueuer:
        dispatching.shared_database(context)
    return dispatching.keep_running(context, partial(_run, engine=engine), log_format=log_format)


async def _run(edition: Edition, ledger: Ledger, shown: Progress, *, engine: Engine) -> Outcome:
    """Send or hand over until a signal comes, with accounts that may change meanwhile."""
    from campaign_cli.cli import dispatching
    from campaign_cli.dispatch.clock import run_forever
    from campaign_cli.dispatch.handover import Handover

    stop, outcome = dispatching.stop_on(signal.SIGTERM, signal.SIGINT), None
    queue = _queue(edition.context, ledger) if engine is Engine.pgqueuer else None
    try:
        while True:
            sender = dispatching.dispatcher(edition.context, ledger, progress=shown, outcome=outcome)
            outcome = await run_forever(
                sender,
                stop=stop,
                outdated=edition.outdated,
                pump=None if queue is None else Handover(sender, queue).pump,
                patient=edition.context.database is not None,
            )
            if stop.is_set():
                return outcome
            await edition.renew()
    finally:
        if queue is not None:
            await queue.close()


def _queue(context: Context, ledger: Ledger) -> JobQueue:
    from campaign_cli.cli import dispatching
    from campaign_cli.dispatch.jobs import JobQueue

    return JobQueue(dispatching.shared_database(context), explain=ledger.database.explain)
