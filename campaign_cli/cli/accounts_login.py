"""``campaign accounts login``: sign in to an account by browser."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from campaign_cli.cli import diagnostics, usage
from campaign_cli.cli.accounts_checking import end_rests, keep, show
from campaign_cli.cli.context import Context, now, open_context
from campaign_cli.cli.options import LanguageOption, WorkspaceOption
from campaign_cli.cli.signing import (
    ClientIdOption,
    ClientSecretOption,
    KeyringOption,
    PasteOption,
    PortOption,
    RedirectOption,
    SignInOptions,
    sign_in,
)
from campaign_cli.credentials import login_name
from campaign_cli.errors import CampaignError, InputError, Unavailable
from campaign_cli.i18n import _
from campaign_cli.reasons import reason
from campaign_cli.source import suggest

if TYPE_CHECKING:
    from campaign_cli.credentials import Secrets
    from campaign_cli.logins import Login
    from campaign_cli.models import Account
    from campaign_cli.platforms.base import AccountCheck, Platform


def register(app: typer.Typer) -> None:
    """Add the command to ``campaign accounts``."""
    usage.command(
        app,
        help=_(
            "Sign in to an account by browser, and store its token on this machine. "
            "Example: campaign accounts login mastodon"
        ),
    )(login)


def login(
    name: Annotated[str, typer.Argument(metavar="NAME", help=_("An account of accounts.yaml."))],
    client_id: ClientIdOption = None,
    client_secret: ClientSecretOption = None,
    port: PortOption = None,
    paste: PasteOption = False,
    redirect: RedirectOption = None,
    keyring: KeyringOption = False,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    from campaign_cli import platforms

    context = open_context(workspace)
    context.require_accounts()
    account = context.workspace.accounts.get(name)
    if account is None:
        raise InputError(
            _("There is no account {name}.").format(name=repr(name)) + suggest(name, context.workspace.accounts),
            fix=_("Add it with: campaign accounts add {name}").format(name=name),
        )
    platform = platforms.get(account.platform)
    options = SignInOptions(
        client_id=client_id, client_secret=client_secret, port=port, paste=paste, redirect=redirect, keyring=keyring
    )
    return asyncio.run(_login(context, account, platform, options))


async def _login(context: Context, account: Account, platform: Platform, options: SignInOptions) -> int:
    from campaign_cli.signin.endpoints import endpoints

    endpoints(platform, account.settings)  # a network without a sign-in says so, whatever the secret is
    stored_as = login_name(account, platform.secrets)
    if stored_as is None:
        raise InputError(
            _("{name} takes its secret from elsewhere; a login would not be used.").format(name=account.name),
            fix=_("Write {setting}: login:{name} in accounts.yaml.").format(
                setting=platform.secrets[0], name=account.name
            ),
        )
    secrets = context.secrets
    signed = await sign_in(account, platform=platform, name=stored_as, secrets=secrets, options=options)
    found = await tested(context, account)
    await asyncio.to_thread(store, secrets, stored_as, signed.login)
    for setting, value in signed.settings.items():
        if str(account.settings.get(setting) or "") != value:
            diagnostics.warn(
                _("Write {setting}: {value} in accounts.yaml: that is what you chose.").format(
                    setting=setting, value=value
                )
            )
    if found is not None:
        keep(context, account.name, found)
        end_rests(context, [account])
        show(account.name, found)
    return int(diagnostics.ExitCode.DONE)


async def tested(context: Context, account: Account) -> AccountCheck | None:
    """What the live account says with the new login; None where it can't be reached now.

    Raises what else the check raises: the token of another account must not be stored.
    """
    from campaign_cli.dispatch.access import check_account

    try:
        return await check_account(account, secrets=context.secrets, clock=now, trust_environment=True)
    except Unavailable as error:
        diagnostics.warn(_("The account could not be tested now: {reason}").format(reason=error.message))
        return None


def store(secrets: Secrets, name: str, login: Login) -> None:
    """Put a login on the disk, while nobody renews the one before it. Raises CampaignError."""
    try:
        with secrets.logins.renewing(name):
            secrets.logins.put(name, login)
    except OSError as error:
        raise CampaignError(
            _("The token can't be stored: {reason}.").format(reason=reason(error)),
            fix=_("Log in again in a minute."),
        ) from error
