"""``campaign accounts``: what is there, whether it works, and which networks there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from campaign_cli.cli import accounts_add, accounts_login, diagnostics, output, usage
from campaign_cli.cli.accounts_checking import as_json, check_all, show
from campaign_cli.cli.context import now, open_context
from campaign_cli.cli.options import JsonOption, LanguageOption, WorkspaceOption
from campaign_cli.errors import CampaignError
from campaign_cli.i18n import _, zone_label
from campaign_cli.platforms import PLATFORMS

app = usage.application(help=_("Add, list and check accounts, log in to them, and list the networks."))
accounts_add.register(app)
accounts_login.register(app)


@usage.command(app, "list", help=_("List the accounts of accounts.yaml. Example: campaign accounts list"))
def list_accounts(json: JsonOption = False, workspace: WorkspaceOption = None, lang: LanguageOption = None) -> int:
    from campaign_cli import platforms

    context = open_context(workspace)
    groups = context.workspace.groups
    rows = [
        {
            "name": account.name,
            "platform": account.platform,
            "address": platforms.get(account.platform).address(account),
            "language": account.language,
            "timezone": str(account.timezone) if account.timezone else None,
            "groups": [name for name, members in groups.items() if account.name in members],
        }
        for account in context.workspace.accounts.values()
    ]
    if json:
        output.write_json({"accounts": rows})
    else:
        diagnostics.show_problems(context.problems)
        cells = [
            (
                account.name,
                account.platform,
                account.language or "",
                zone_label(account.timezone, now()) if account.timezone else "",
                shown_address(account.settings),
            )
            for account in context.workspace.accounts.values()
        ]
        output.write_table((_("account"), _("platform"), _("language"), _("zone"), _("address")), cells)
        for name, members in groups.items():
            output.write_sentences(_("group {name}: {members}").format(name=name, members=", ".join(members)))
    context.require_accounts()
    return 0


def shown_address(settings: Mapping[str, Any]) -> str:
    """Where an account is, as people know it: its handle or channel, and its server."""
    parts = [str(settings[name]) for name in ("handle", "channel", "url") if settings.get(name)]
    return " · ".join(parts)


@usage.command(
    app, "platforms", help=_("List the networks that have an adapter. Example: campaign accounts platforms --json")
)
def list_platforms(json: JsonOption = False, lang: LanguageOption = None) -> int:
    if json:
        output.write_json({"platforms": [{"name": name} for name in PLATFORMS]})
        return 0
    for name in PLATFORMS:
        output.write(name)
    return 0


@usage.command(
    app,
    help=_(
        "Prove that accounts work and read their limits from the live server. Example: campaign accounts check mastodon"
    ),
)
def check(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[ACCOUNT]…", help=_("Accounts or groups (default: all)."))
    ] = None,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    import asyncio

    context = open_context(workspace)
    context.require_accounts()
    diagnostics.show_problems(context.problems)  # such as secrets that others can read
    accounts = context.resolve(names or context.workspace.accounts)
    results = asyncio.run(check_all(context, accounts))
    if json:
        output.write_json({"accounts": [as_json(name, result) for name, result in results.items()]})
    else:
        for name, result in results.items():
            show(name, result)
    return int(
        diagnostics.strongest(diagnostics.exit_code_of(r) for r in results.values() if isinstance(r, CampaignError))
    )
