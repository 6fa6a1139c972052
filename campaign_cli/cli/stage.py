"""``campaign stage``: the local rehearsal server."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import typer

from campaign_cli.cli import output, usage
from campaign_cli.cli.context import now, open_context
from campaign_cli.cli.options import LanguageOption, WorkspaceOption
from campaign_cli.i18n import _

app = usage.application()


@usage.command(
    app,
    help=_(
        "Run the local rehearsal server that plays every platform, until Ctrl-C. Example: campaign stage --port 8765"
    ),
)
def stage(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help=_("Loopback port; 0 takes a free one."))] = 8765,
    misbehave: Annotated[
        list[str] | None,
        typer.Option(
            "--misbehave", metavar="PLATFORM:KIND[:TIMES]", help=_("Make a platform misbehave, e.g. mastodon:503:2.")
        ),
    ] = None,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    import signal
    import threading

    from campaign_cli.stage import open_stage

    context = open_context(workspace)
    context.require_accounts()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_arguments: stop.set())
    with open_stage(context.workspace, context.environment, clock=now, port=port, misbehave=misbehave or ()) as server:
        output.write(
            _("The stage plays {n} accounts at {url} (Ctrl-C ends it).").format(
                n=len(context.workspace.accounts), url=server.url
            )
        )
        with suppress(KeyboardInterrupt):
            stop.wait()
    output.write(_("The stage is closed; nothing of it stays."))
    return 0
