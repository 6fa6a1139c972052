"""``campaign publish``: one pass over what is due, for cron."""

from __future__ import annotations

import signal
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from campaign_cli.cli import diagnostics, output, usage
from campaign_cli.cli.context import Context, now, open_context
from campaign_cli.cli.options import JsonOption, LanguageOption, WorkspaceOption
from campaign_cli.cli.words import duration, instant, machine_zone, shared_zone
from campaign_cli.i18n import _

if TYPE_CHECKING:
    from campaign_cli.cli.dispatching import Edition
    from campaign_cli.dispatch.outcome import Outcome
    from campaign_cli.dispatch.progress import Progress
    from campaign_cli.ledger import Ledger

from campaign_cli.cli.progress import LogFormat, progress

app = usage.application()


@usage.command(app, help=_("Publish what is due, once, and end. Example: campaign publish --until 05:00"))
def publish(
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help=_("Stay and send what falls due up to then, e.g. 05:00.")),
    ] = None,
    grace: Annotated[
        str | None,
        typer.Option("--grace", metavar="SPAN", help=_("How late a post may go out in this pass, e.g. 24h.")),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Only say what would go."))] = False,
    log_format: Annotated[
        LogFormat, typer.Option("--log-format", metavar="auto|plain|json", help=_("How to say what happens."))
    ] = LogFormat.auto,
    log_file: Annotated[
        Path | None, typer.Option("--log-file", metavar="FILE", help=_("Append the log to this file."))
    ] = None,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    from campaign_cli.cli import dispatching

    context = open_context(workspace)
    context.require_accounts()
    end = instant(until, now=now(), zone=machine_zone()) if until else None
    lateness = duration(grace) if grace else None
    with context.ledger() as ledger:
        if dry_run:
            return _would_go(context, ledger, end, grace=lateness, json=json)
        zone = shared_zone(context)
        edition = dispatching.Edition(context)
        with progress(log_format, file=log_file, now=now, zone=zone, redact=edition.redact) as shown:
            outcome, stopped = dispatching.interruptible(_pass(edition, ledger, shown, until=end, grace=lateness))
    if json:
        output.write_json(dispatching.as_json(outcome))
    elif not outcome.quiet and log_file is None:
        diagnostics.say(dispatching.summary(outcome))
    code = dispatching.exit_code(outcome)
    return int(diagnostics.ExitCode.INTERRUPTED if stopped and code is diagnostics.ExitCode.DONE else code)


async def _pass(
    edition: Edition, ledger: Ledger, shown: Progress, *, until: datetime | None, grace: timedelta | None
) -> tuple[Outcome, bool]:
    """One pass, or one night of it with accounts that may change meanwhile; and whether a signal ended it."""
    from campaign_cli.cli import dispatching
    from campaign_cli.dispatch.publish import publish_pass

    stop, outcome = dispatching.stop_on(signal.SIGTERM, signal.SIGINT), None
    while True:
        engine = dispatching.dispatcher(edition.context, ledger, progress=shown, grace=grace, outcome=outcome)
        outcome = await publish_pass(engine, until=until, stop=stop, outdated=edition.outdated)
        if stop.is_set() or not edition.outdated():
            return outcome, stop.is_set()
        await edition.renew()


def _would_go(context: Context, ledger: Ledger, until: datetime | None, *, grace: timedelta | None, json: bool) -> int:
    from campaign_cli.cli.status import as_json, show_deliveries
    from campaign_cli.dispatch.publish import would_go
    from campaign_cli.ledger.gate import demanded

    lateness = grace if grace is not None else context.workspace.rules.late_grace
    found = would_go(ledger, now=ledger.clock(), until=until, late_grace=lateness)
    deliveries = [one for one in found if demanded(one, context.workspace.rules).approved]
    if json:
        output.write_json({"deliveries": [as_json(delivery, context.workspace) for delivery in deliveries]})
    elif deliveries:
        show_deliveries(deliveries, context.workspace)
    else:
        output.write(_("Nothing is due."))
    return int(diagnostics.ExitCode.DONE)
