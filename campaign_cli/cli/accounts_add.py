"""``campaign accounts add``: ask what a network needs, test it on the live account, and only then write it down."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from campaign_cli.cli import diagnostics, output, usage
from campaign_cli.cli.accounts_asking import Answers, ask_all, given
from campaign_cli.cli.accounts_checking import keep, refuse_same, show
from campaign_cli.cli.accounts_login import store, tested
from campaign_cli.cli.context import Context, interactive, now, open_context
from campaign_cli.cli.entries import Written, add_variable, free_variable, with_account
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
from campaign_cli.credentials import Secrets, is_reference, login_of
from campaign_cli.errors import CredentialError, Unavailable
from campaign_cli.i18n import _
from campaign_cli.keyrings import require_keyring, to_keyring
from campaign_cli.models import Account

if TYPE_CHECKING:
    from campaign_cli.platforms.base import AccountCheck, Platform
    from campaign_cli.signin.flow import SignedIn

SERVICE: Final = "campaign"


def register(app: typer.Typer) -> None:
    """Add the command to ``campaign accounts``."""
    usage.command(
        app,
        help=_(
            "Add an account: what it needs is asked for, tested on the network, and written into accounts.yaml; "
            "secrets go into .env. Example: campaign accounts add kanal --platform telegram "
            "--set channel=@union --secret token=env:TELEGRAM_TOKEN"
        ),
    )(add)


def add(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help=_("What to call it in plans."))] = None,
    platform: Annotated[str | None, typer.Option("--platform", metavar="P", help=_("The network."))] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help=_("A setting, like handle=@union."))
    ] = None,
    secrets: Annotated[
        list[str] | None,
        typer.Option(
            "--secret",
            metavar="KEY=REFERENCE",
            help=_("Where a secret is, like token=env:NAME, or token=login to sign in; never the secret itself."),
        ),
    ] = None,
    timezone: Annotated[
        str | None, typer.Option("--timezone", metavar="ZONE", help=_("WIB, WITA, WIT or an IANA name."))
    ] = None,
    language: Annotated[
        str | None, typer.Option("--language", metavar="CODE", help=_("The language of its posts."))
    ] = None,
    untested: Annotated[bool, typer.Option("--untested", help=_("Write it without asking the network."))] = False,
    client_id: ClientIdOption = None,
    client_secret: ClientSecretOption = None,
    port: PortOption = None,
    paste: PasteOption = False,
    redirect: RedirectOption = None,
    keyring: KeyringOption = False,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    context = open_context(workspace)
    context.require_accounts()
    if keyring:
        require_keyring(SERVICE)  # now, and not when everything is typed and tested
    answers = ask_all(
        Answers(
            name=name or "",
            platform=platform or "",
            settings=given(settings or (), option="--set"),
            secrets=given(secrets or (), option="--secret"),
            common={key: value for key, value in (("timezone", timezone), ("language", language)) if value},
        ),
        taken=context.workspace,
        ask_for_more=interactive(),
    )
    options = SignInOptions(
        client_id=client_id, client_secret=client_secret, port=port, paste=paste, redirect=redirect, keyring=keyring
    )
    return asyncio.run(_add(context, _placed(context, answers, keyring=keyring), options=options, untested=untested))


@dataclass(frozen=True, kw_only=True)
class New:
    """An account on its way: its entry, with which secrets it is tried, and what of them is to be stored where.

    ``typed`` are secrets by setting; ``variables`` the names under which they are tried (and, without the keyring,
    kept).
    """

    name: str
    platform: Platform
    entry: Mapping[str, Any]
    typed: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    keyring: bool = False

    @property
    def final(self) -> dict[str, Any]:
        """The entry as it is written."""
        kept = {setting: f"keyring:{SERVICE}/{self.name}-{setting}" for setting in self.typed} if self.keyring else {}
        return {**self.entry, **kept}


def _placed(context: Context, answers: Answers, *, keyring: bool) -> New:
    """The answers as an entry; what was typed gets a variable."""
    from campaign_cli import platforms

    typed = {setting: text for setting, text in answers.secrets.items() if not is_reference(text)}
    variables = {setting: free_variable(context.environment, f"{answers.name}_{setting}") for setting in typed}
    references = {
        setting: f"env:{variables[setting]}" if setting in typed else text for setting, text in answers.secrets.items()
    }
    return New(
        name=answers.name,
        platform=platforms.get(answers.platform),
        entry={"platform": answers.platform, **answers.settings, **references, **answers.common},
        typed=typed,
        variables=variables,
        keyring=keyring,
    )


async def _add(context: Context, new: New, *, options: SignInOptions, untested: bool) -> int:
    environment = {**context.environment, **{new.variables[key]: value for key, value in new.typed.items()}}
    secrets = Secrets(environment=environment, root=context.root)
    usage.redact_with(secrets.redact)
    context = replace(context, secrets=secrets, environment=environment)
    logs_in = next((login_of(new.entry[key]) for key in new.platform.secrets if login_of(new.entry.get(key))), None)
    account = _unread(new)  # where some settings are known only after the sign-in
    if not (logs_in and new.platform.signed_in):
        account = with_account(context.root, new.name, new.entry).account(new.name)
    signed = None
    if logs_in and not await _has_login(secrets, logs_in, account):
        signed = await sign_in(account, platform=new.platform, name=logs_in, secrets=secrets, options=options)
        new = replace(new, entry={**new.entry, **signed.settings})
    account = with_account(context.root, new.name, new.entry).account(new.name)
    found = None if untested else await tested(context, account)
    if found is not None:
        refuse_same(context, new.name, found)
    written = with_account(context.root, new.name, new.final)
    written.account(new.name)
    await asyncio.to_thread(_store, context, new, written, signed=signed, logs_in=logs_in)
    return _told(context, new, found)


async def _has_login(secrets: Secrets, name: str, account: Account) -> bool:
    """Whether this machine is logged in already, at the account's own server, and can stay so."""
    from campaign_cli.dispatch.access import keeper_for

    try:
        await keeper_for(secrets, clock=now, trust_environment=True).ready(account)
    except Unavailable:
        return True
    except CredentialError:
        return False
    return secrets.logins.read(name) is not None


def _unread(new: New) -> Account:
    """The account before all its settings are known: with the usual value of what isn't written."""
    usual = {
        name: each.get_default() for name, each in new.platform.Settings.model_fields.items() if not each.is_required()
    }
    common = ("platform", "timezone", "language")
    own = {key: value for key, value in new.entry.items() if key not in common}
    return Account(name=new.name, platform=new.platform.name, settings={**usual, **own})


def _store(context: Context, new: New, written: Written, *, signed: SignedIn | None, logs_in: str | None) -> None:
    """Secrets first: an entry without its secret would be worse than a secret without its entry."""
    if signed is not None and logs_in is not None:
        store(context.secrets, logs_in, signed.login)
    for setting, secret in new.typed.items():
        if new.keyring:
            to_keyring(SERVICE, f"{new.name}-{setting}", secret)
        else:
            add_variable(context.root, new.variables[setting], secret)
    written.save()


def _told(context: Context, new: New, found: AccountCheck | None) -> int:
    if found is not None:
        keep(context, new.name, found)
        show(new.name, found)
    output.write(_("{name} is in accounts.yaml.").format(name=new.name))
    if new.typed and not new.keyring:
        names = ", ".join(new.variables.values())
        output.write(_("Its secret is in .env: {names}.").format(names=names))
    if found is None:
        diagnostics.say(
            _("It was not tested. When there is a connection: campaign accounts check {name}").format(name=new.name)
        )
    return int(diagnostics.ExitCode.DONE)
