"""``campaign ledger``: look after the ledger."""

from __future__ import annotations

from campaign_cli.cli import output, usage
from campaign_cli.cli.context import actor, open_context
from campaign_cli.cli.options import LanguageOption, WorkspaceOption, YesOption
from campaign_cli.cli.words import confirm
from campaign_cli.i18n import _

app = usage.application(help=_("Look after the ledger."))


@app.callback()
def ledger() -> None:
    """Keeps ``adopt`` a subcommand."""


@usage.command(
    app, help=_("Make this workspace's ledger.id name the ledger that is here. Example: campaign ledger adopt")
)
def adopt(yes: YesOption = False, workspace: WorkspaceOption = None, lang: LanguageOption = None) -> int:
    context = open_context(workspace)
    output.write(_("A second ledger can send everything again. Adopt only when the other ledger is gone for good."))
    if not confirm(_("Adopt this ledger?"), assume=yes):
        return 0
    with context.ledger(create=True, check_id=False) as opened:
        opened.adopt(actor=actor())
        output.write(_("ledger.id now names this ledger: {id}").format(id=opened.ledger_id))
    return 0
