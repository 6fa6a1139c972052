"""``campaign rehearse``: a whole plan on the local stage, over real HTTP, on a compressed clock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from campaign_cli.cli import output, usage
from campaign_cli.cli.context import now, open_context
from campaign_cli.cli.options import JsonOption, LanguageOption, PlanArgument, WorkspaceOption
from campaign_cli.i18n import _

if TYPE_CHECKING:
    pass

app = usage.application()


@usage.command(
    app,
    help=_(
        "Publish a whole plan on the local stage, over real HTTP, on a compressed clock. "
        "Example: campaign rehearse campaigns/x.yaml --html rehearsal.html"
    ),
)
def rehearse(
    plan: PlanArgument,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help=_("Write the timeline page to this file."))
    ] = None,
    misbehave: Annotated[
        list[str] | None,
        typer.Option(
            "--misbehave", metavar="PLATFORM:KIND[:TIMES]", help=_("Make a platform misbehave, e.g. mastodon:503:2.")
        ),
    ] = None,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    from campaign_cli.stage.rehearsal import rehearse as perform

    context = open_context(workspace)
    with output.console(stderr=True).status(_("rehearsing")) as status:
        result = perform(
            plan,
            context.workspace,
            now=now(),
            workspace_problems=context.problems,
            misbehave=misbehave or (),
            say=lambda text: status.update(output.visible(text)),
        )
    if json:
        output.write_json(_as_json(result))
    else:
        _show(result)
    if html is not None:
        _write_page(html, result, quiet=json)
    return int(_exit_code(result))
