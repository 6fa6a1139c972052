"""``campaign run``: the long-running scheduler."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Annotated

import typer

from campaign_cli.cli import diagnostics, usage
from campaign_cli.cli.context import now, open_context
from campaign_cli.cli.options import LanguageOption, WorkspaceOption
from campaign_cli.cli.progress import LogFormat, progress
from campaign_cli.cli.words import shared_zone
from campaign_cli.i18n import _

if TYPE_CHECKING:
    from campaign_cli.dispatch.outcome import Outcome

app = usage.application()


@usage.command(
    app, help=_("Publish everything at its minute until it is stopped. Example: campaign run --log-format json")
)
def run(
    log_format: Annotated[
        LogFormat, typer.Option("--log-format", metavar="auto|plain|json", help=_("How to say what happens."))
    ] = LogFormat.auto,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    from campaign_cli.cli import dispatching

    context = open_context(workspace)
    context.require_accounts()
    zone = shared_zone(context)
    edition = dispatching.Edition(context)
    with (
        context.ledger(create=True) as ledger,
        progress(log_format, file=None, now=now, zone=zone, redact=edition.redact) as shown,
    ):

        async def for_ever() -> Outcome:
            from campaign_cli.dispatch.clock import run_forever

            stop, outcome = dispatching.stop_on(signal.SIGTERM, signal.SIGINT), None
            while True:
                engine = dispatching.dispatcher(edition.context, ledger, progress=shown, outcome=outcome)
                outcome = await run_forever(engine, stop=stop, outdated=edition.outdated)
                if stop.is_set():
                    return outcome
                await edition.renew()

        outcome = dispatching.interruptible(for_ever())
    diagnostics.say(_("Stopped cleanly: {counts}.").format(counts=dispatching.summary(outcome)))
    return int(dispatching.exit_code(outcome))
