"""``campaign log``: what happened, by whom and when."""

from __future__ import annotations

from typing import Annotated

import typer

from campaign_cli.cli import output, usage
from campaign_cli.cli.context import open_context
from campaign_cli.cli.events import event_line
from campaign_cli.cli.options import CampaignFilter, JsonOption, LanguageOption, WorkspaceOption
from campaign_cli.cli.words import shared_zone
from campaign_cli.i18n import _

app = usage.application()


@usage.command(
    app, help=_("Show what happened, by whom and when. Example: campaign log --campaign upah-layak-2027 --last 50")
)
def log(
    campaign: CampaignFilter = None,
    key: Annotated[str | None, typer.Option("--key", metavar="KEY", help=_("Only this delivery."))] = None,
    last: Annotated[int, typer.Option("--last", min=1, metavar="N", help=_("The newest N events."))] = 100,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    context = open_context(workspace)
    with context.ledger(check_id=False) as ledger:
        events = ledger.events(campaign=campaign, key=key, limit=last)
    if json:
        output.write_json(
            {
                "events": [
                    {
                        "at": output.rfc3339(event.at),
                        "kind": event.kind,
                        "key": event.key,
                        "actor": event.actor,
                        "host": event.host,
                        "data": dict(event.data),
                    }
                    for event in events
                ]
            }
        )
        return 0
    zone = shared_zone(context)
    for event in events:
        output.write(event_line(event, zone=zone).replace("\n", " "))
    if not events:
        output.write(_("Nothing has happened here yet."))
    return 0
