"""A token that ends before the campaign does, and that nobody but a person can renew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from campaign_cli import platforms
from campaign_cli.accounts import FILE, cached_limits
from campaign_cli.credentials import login_name
from campaign_cli.errors import CredentialError
from campaign_cli.i18n import _, format_instant
from campaign_cli.logins import LoginStore
from campaign_cli.models import Problem, Severity

if TYPE_CHECKING:
    from campaign_cli.accounts import Workspace
    from campaign_cli.checks.pipeline import Examined
    from campaign_cli.models import Account
    from campaign_cli.plan.expand import Planned


def ends_too_soon(examined: Examined, now: datetime) -> Iterator[Problem]:
    """Once for each account of the plan; see ``outlived``."""
    if examined.loaded is not None:
        yield from outlived(examined.loaded.workspace, examined.planned, now=now)


def outlived(workspace: Workspace, planned: Iterable[Planned], *, now: datetime) -> Iterator[Problem]:
    """For each account whose token ends before its last post to come is due: by what this machine has stored of it."""
    last: dict[str, Planned] = {}
    for one in planned:
        if one.due >= now and (one.account.name not in last or one.due > last[one.account.name].due):
            last[one.account.name] = one
    store = LoginStore(workspace.state_dir)
    for name, one in last.items():
        account = one.account
        try:
            ends = _end(account, workspace, store)
        except CredentialError as error:
            yield _problem(account, "A008", message=error.message, fix=error.fix)
            return  # the same file for all of them
        if ends is None or ends >= one.due:
            continue
        zone = account.timezone or one.zone or UTC
        message = _("The token of {account} ends on {end}, before its last post is due ({due}).").format(
            account=name, end=format_instant(ends, zone), due=format_instant(one.due, zone)
        )
        yield _problem(account, "A022", message=message, fix=remedy(account))


def _end(account: Account, workspace: Workspace, store: LoginStore) -> datetime | None:
    """When a person must have renewed the account's token; None: not as far as is known here."""
    name = login_name(account, platforms.get(account.platform).secrets)
    if name is not None:
        login = store.all().get(name)  # when it ends is no secret: the keyring is not asked
        return None if login is None else login.ends
    known = cached_limits(workspace).get(account.name, {}).get("expires")
    try:
        ends = datetime.fromisoformat(known) if isinstance(known, str) else None
    except ValueError:
        return None
    return ends if ends is not None and ends.tzinfo is not None else None


def remedy(account: Account) -> str:
    """What a person does before the account's token ends."""
    if login_name(account, platforms.get(account.platform).secrets) is not None:
        return _("Log in again before that: campaign accounts login {name}").format(name=account.name)
    return _("Renew its secret before that, then run: campaign accounts check {name}").format(name=account.name)


def _problem(account: Account, code: str, *, message: str, fix: str) -> Problem:
    return Problem(
        code=code,
        severity=Severity.WARNING,
        file=account.place.file or FILE,
        line=account.place.line,
        column=account.place.column,
        path=f"accounts.{account.name}",
        message=message,
        fix=fix,
    )
