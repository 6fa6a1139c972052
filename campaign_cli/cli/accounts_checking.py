"""Proving that accounts work, and what is said and kept of it: for ``campaign accounts`` check, add and login."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from campaign_cli.cli import diagnostics, output
from campaign_cli.cli.context import Context, now
from campaign_cli.cli.words import machine_zone
from campaign_cli.errors import CampaignError, CredentialError, InputError, LedgerError, Unauthorized
from campaign_cli.i18n import _, format_instant, ngettext
from campaign_cli.models import State
from campaign_cli.reasons import reason
from campaign_cli.report.words import unit_word

if TYPE_CHECKING:
    from campaign_cli.models import Account
    from campaign_cli.platforms.base import AccountCheck


async def check_all(context: Context, accounts: tuple[Account, ...]) -> dict[str, Any]:
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
            keep(context, account.name, found)
    _same_account(results)
    end_rests(context, [account for account in accounts if not isinstance(results[account.name], CampaignError)])
    _outlived(context, accounts, results)
    return results


def keep(context: Context, name: str, found: Any) -> None:
    """Keep the limits for checks without a connection; where that can't be, the account works all the same."""
    from campaign_cli.accounts import store_check

    try:
        store_check(context.workspace, name, as_json(name, found) | {"checked_at": output.rfc3339(now())})
    except OSError as error:
        diagnostics.warn(_("The limits of {name} can't be kept: {reason}").format(name=name, reason=reason(error)))


def end_rests(context: Context, accounts: Sequence[Account]) -> None:
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


def refuse_same(context: Context, name: str, found: AccountCheck) -> None:
    """Raise InputError where another entry is known to be the same account of the network."""
    from campaign_cli.accounts import cached_limits

    mine = context.workspace.accounts
    for other, known in cached_limits(context.workspace).items():
        if other in mine and other != name and (known.get("url"), known.get("identity")) == (found.url, found.identity):
            raise InputError(
                _("{name} and {other} are the same account ({handle}).").format(
                    name=name, other=other, handle=found.handle
                ),
                fix=_("Nothing was written: every post would go out twice."),
            )


def as_json(name: str, result: Any) -> dict[str, Any]:
    """What a check found, or why it failed, as JSON values."""
    from dataclasses import asdict

    if isinstance(result, CampaignError):
        return {"account": name, "ok": False, "error": result.message, "fix": result.fix}
    expires = None if result.expires is None else output.rfc3339(result.expires)
    left = None if result.expires is None else max(0, (result.expires - now()).days)
    return {"account": name, "ok": True, **asdict(result), "expires": expires, "days_left": left}


def show(name: str, result: Any) -> None:
    """Say what a check found, or why it failed."""
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
    if result.scopes:
        output.write_sentences("    " + _("may: {scopes}").format(scopes=", ".join(result.scopes)))
    if result.expires is not None:
        output.write_sentences("    " + _ending(result.expires))
    for note in result.notes:
        output.write(f"    {note}")


def _ending(expires: datetime) -> str:
    days = max(0, (expires - now()).days)
    left = ngettext("{n} day left", "{n} days left", days).format(n=days)
    return _("ends on {instant}: {left}").format(instant=format_instant(expires, machine_zone()), left=left)


def _outlived(context: Context, accounts: Sequence[Account], results: Mapping[str, Any]) -> None:
    """Say where something is queued for after the end of a token."""
    from campaign_cli.checks.logins import remedy

    ending = [one for one in accounts if getattr(results[one.name], "expires", None) is not None]
    try:
        with context.ledger(check_id=False) as ledger:
            for account in ending if not ledger.absent else ():
                waiting = ledger.deliveries(account=account.name, state=State.WAITING)
                late = [one for one in waiting if one.due > results[account.name].expires]
                if late:
                    text = ngettext(
                        "{n} queued post of {account} is due after its token ends.",
                        "{n} queued posts of {account} are due after its token ends.",
                        len(late),
                    ).format(n=len(late), account=account.name)
                    diagnostics.warn(f"{text} → {remedy(account)}")
    except LedgerError as error:
        diagnostics.warn(error.message)
