"""``campaign accounts``: what is there, whether it works, and which networks there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from campaign_cli.cli import diagnostics, output, usage
from campaign_cli.cli.context import Context, now, open_context
from campaign_cli.cli.options import JsonOption, LanguageOption, WorkspaceOption
from campaign_cli.errors import CampaignError, CredentialError, InputError, LedgerError, Unauthorized
from campaign_cli.i18n import _, zone_label
from campaign_cli.platforms import PLANNED, PLATFORMS
from campaign_cli.reasons import reason
from campaign_cli.report.words import unit_word

if TYPE_CHECKING:
    from campaign_cli.models import Account

app = usage.application(help=_("List, check and explain accounts and platforms."))


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
    output.write_sentences(_("Not yet: {names}").format(names=", ".join(PLANNED)))
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
    accounts = context.resolve(names or context.workspace.accounts)
    results = asyncio.run(_check_all(context, accounts))
    if json:
        output.write_json({"accounts": [_as_json(name, result) for name, result in results.items()]})
    else:
        for name, result in results.items():
            _show(name, result)
    return int(
        diagnostics.strongest(diagnostics.exit_code_of(r) for r in results.values() if isinstance(r, CampaignError))
    )


async def _check_all(context: Context, accounts: tuple[Account, ...]) -> dict[str, Any]:
    """Name → AccountCheck, or the error that it met. One after the other: it is said as it is found."""
    from campaign_cli.dispatch.access import check_account

    results: dict[str, Any] = {}
    for account in accounts:
        try:
            found = await check_account(account, secrets=context.secrets, clock=now, trust_environment=True)
        except CampaignError as error:
            error.message, error.fix = context.secrets.redact(error.message), context.secrets.redact(error.fix)
            results[account.name] = error
        else:
            results[account.name] = found
            _keep(context, account.name, found)
    _same_account(results)
    _end_rests(context, [account for account in accounts if not isinstance(results[account.name], CampaignError)])
    return results


def _keep(context: Context, name: str, found: Any) -> None:
    """Keep the limits for checks without a connection; where that can't be, the account works all the same."""
    from campaign_cli.accounts import store_check

    try:
        store_check(context.workspace, name, _as_json(name, found) | {"checked_at": output.rfc3339(now())})
    except OSError as error:
        diagnostics.warn(_("The limits of {name} can't be kept: {reason}").format(name=name, reason=reason(error)))


def _end_rests(context: Context, accounts: Sequence[Account]) -> None:
    """What works need not rest any more, though it kept failing: what waits for it goes out now."""
    from campaign_cli import platforms

    try:
        with context.ledger(check_id=False) as ledger:
            for account in accounts if ledger.rests() else ():
                if ledger.account_works(platforms.get(account.platform).address(account)):
                    diagnostics.say(
                        _("{name} no longer rests: what waits for it goes out again.").format(name=account.name)
                    )
    except LedgerError as error:
        diagnostics.warn(error.message)


def _same_account(results: dict[str, Any]) -> None:
    """Two entries that turn out to be one account of a network are an error: every post would go out twice."""
    seen: dict[tuple[str, str], str] = {}
    for name, result in list(results.items()):
        if isinstance(result, CampaignError):
            continue
        identity = (result.url or "", result.identity)
        if identity in seen:
            results[name] = InputError(
                _("{name} and {other} are the same account ({handle}).").format(
                    name=name, other=seen[identity], handle=result.handle
                ),
                fix=_("Remove one of them from accounts.yaml: every post would go out twice."),
            )
        seen.setdefault(identity, name)


def _as_json(name: str, result: Any) -> dict[str, Any]:
    from dataclasses import asdict

    if isinstance(result, CampaignError):
        return {"account": name, "ok": False, "error": result.message, "fix": result.fix}
    return {"account": name, "ok": True, **asdict(result)}


def _show(name: str, result: Any) -> None:
    if isinstance(result, CampaignError):
        kind = _("credentials") if isinstance(result, Unauthorized | CredentialError) else _("error")
        output.write(f"✗ {name}: {kind}: {result.message}")
        if result.fix:
            output.write(f"    → {result.fix}")
        return
    limits = ""
    if result.limits is not None and result.limits.text is not None:
        unit = unit_word(result.limits.unit)
        limits = _("; a post may hold {n} {unit}").format(n=result.limits.text, unit=unit)
    output.write(f"✓ {name}: {result.handle} {result.software}".rstrip() + limits)
    for note in result.notes:
        output.write(f"    {note}")
