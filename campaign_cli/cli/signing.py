"""The person at the terminal who signs in, and the application that an office has registered with a network."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from campaign_cli.cli import diagnostics, output
from campaign_cli.cli.context import interactive, now
from campaign_cli.cli.words import ask
from campaign_cli.credentials import is_reference
from campaign_cli.errors import InputError
from campaign_cli.i18n import _
from campaign_cli.keyrings import require_keyring
from campaign_cli.logins import SERVICE
from campaign_cli.platforms import get

if TYPE_CHECKING:
    from campaign_cli.credentials import Secrets
    from campaign_cli.models import Account
    from campaign_cli.platforms.base import Choice, Platform
    from campaign_cli.signin.client import Application
    from campaign_cli.signin.endpoints import Endpoints
    from campaign_cli.signin.flow import SignedIn

ClientIdOption = Annotated[
    str | None, typer.Option("--client-id", metavar="ID", help=_("The id of your application at the network."))
]
ClientSecretOption = Annotated[
    str | None,
    typer.Option(
        "--client-secret",
        metavar="REFERENCE",
        help=_("Where its secret is: env:NAME, file:PATH or keyring:SERVICE/NAME; never the secret itself."),
    ),
]
PortOption = Annotated[
    int | None,
    typer.Option("--port", min=0, max=65535, help=_("Where on this machine the browser comes back; 0 takes any.")),
]
PasteOption = Annotated[
    bool, typer.Option("--paste", help=_("Paste the code, or the address where the browser arrived: for servers."))
]
RedirectOption = Annotated[
    str | None,
    typer.Option("--redirect", metavar="URL", help=_("Your application's own redirect address; goes with --paste.")),
]
KeyringOption = Annotated[bool, typer.Option("--keyring", help=_("Keep the secrets in the system's keyring."))]


@dataclass(frozen=True, kw_only=True)
class SignInOptions:
    """What the command line says of a sign-in."""

    client_id: str | None = None
    client_secret: str | None = None
    port: int | None = None
    paste: bool = False
    redirect: str | None = None
    keyring: bool = False


class Terminal:
    """``signin.flow.People`` at a terminal, or a script that reads stdout and writes stdin."""

    def __init__(self, *, title: str, registers: bool) -> None:
        self._title = title
        self._registers = registers

    def show(self, address: str, *, redirect: str) -> None:
        """The address alone on a line of stdout, whole, so that it can be copied or read by a program."""
        if not self._registers:
            diagnostics.say(_("Redirect address that the application must know: {address}").format(address=redirect))
        diagnostics.say(_("Open this address in a browser, sign in to {title} and allow it:").format(title=self._title))
        output.write(address)
        sys.stdout.flush()

    def paste(self, wrong: InputError | None) -> str:
        """A line of the terminal, which is asked for again where it was wrong, or of stdin."""
        question = _("Paste the code, or the whole address at which the browser arrived:")
        if interactive():
            if wrong is not None:
                diagnostics.show_error(wrong)
            return ask(question)
        if wrong is not None:
            raise wrong
        diagnostics.say(question)
        text = sys.stdin.readline()
        if not text.strip():
            raise InputError(_("Nothing was pasted."), fix=_("Write the code into the command's standard input."))
        return text

    async def choose(self, question: str, choices: Sequence[Choice]) -> str:
        """The only one without asking; else a number at the terminal."""
        if len(choices) == 1:
            return choices[0].value
        if not choices or not interactive():
            names = ", ".join(f"{choice.value} ({choice.label})" for choice in choices)
            raise InputError(
                question, fix=_("Name it in accounts.yaml; found: {names}.").format(names=names or _("nothing"))
            )
        for number, choice in enumerate(choices, start=1):
            diagnostics.say(f"  {number}. {choice.label} ({choice.value})")
        while True:
            answer = ask(question)
            if answer.isascii() and answer.isdigit() and 1 <= int(answer) <= len(choices):
                return choices[int(answer) - 1].value
            diagnostics.say(_("Please answer with a number from 1 to {n}.").format(n=len(choices)))


async def sign_in(
    account: Account, *, platform: Platform, name: str, secrets: Secrets, options: SignInOptions
) -> SignedIn:
    """Sign in as ``account``; what came of it is tried out under ``name`` and not stored yet."""
    from campaign_cli.dispatch.access import token_transport
    from campaign_cli.signin import flow
    from campaign_cli.signin.endpoints import endpoints

    at = endpoints(platform, account.settings)
    before = secrets.logins.all().get(name)
    in_keyring = options.keyring or (before is not None and before.in_keyring)
    if in_keyring:
        require_keyring(SERVICE)  # now, and not when the code is spent
    application = application_for(at, account, secrets=secrets, options=options)
    own = before.redirect if before is not None and before.redirect.startswith("https://") else ""
    ways = flow.Ways(
        application=application,
        port=options.port,
        paste=options.paste or bool(options.redirect),
        redirect=options.redirect or (own if options.paste else ""),
    )
    http = token_transport(secrets=secrets, clock=now, trust_environment=True)
    try:
        signed = await flow.sign_in(
            platform,
            account,
            ways=ways,
            people=Terminal(title=platform.title, registers=bool(at.registers)),
            http=http,
            secrets=secrets,
            clock=now,
        )
    finally:
        await http.aclose()
    signed = replace(signed, login=replace(signed.login, in_keyring=in_keyring))
    secrets.logins.try_out(name, signed.login)
    secrets.conceal_login(name, signed.login)
    return signed


def application_for(at: Endpoints, account: Account, *, secrets: Secrets, options: SignInOptions) -> Application | None:
    """The application of the command line, of accounts.yaml where the network has it there, of an earlier login with
    this network, or as it is typed.

    None where it registers itself. Raises InputError where there is nobody to ask.
    """
    from campaign_cli.signin.client import Application

    if options.client_id:
        return Application(client_id=options.client_id.strip(), client_secret=_referred(options.client_secret, secrets))
    if options.client_secret:
        raise InputError(_("The secret's application is missing."), fix=_("Say --client-id ID as well."))
    if at.registers:
        return None
    own, reference = (account.settings.get(key) for key in ("client_id", "client_secret"))
    if own:
        return Application(client_id=str(own), client_secret=secrets.reveal(str(reference)) if reference else "")
    kept = next((name for name, login in secrets.logins.all().items() if login.server == at.token), None)
    known = secrets.logins.read(kept) if kept is not None else None
    if known is not None:
        return Application(client_id=known.client_id, client_secret=known.client_secret)
    return _asked_application(at, get(account.platform).title, secrets=secrets)


def _asked_application(at: Endpoints, title: str, *, secrets: Secrets) -> Application:
    """The application as it is typed. Raises InputError where there is nobody to ask."""
    from campaign_cli.signin.client import Application

    page = at.oauth.help or at.authorize
    if not interactive():
        raise InputError(
            _("Signing in to {title} needs an application of yours.").format(title=title),
            fix=_("Make one at {page}, then say --client-id ID --client-secret env:NAME.").format(page=page),
        )
    diagnostics.say(
        _("{title} knows programs by an application that you make once, at {page}.").format(title=title, page=page)
    )
    client_id = ask(_("The application's id:"))
    if not client_id:
        raise InputError(_("The application's id is missing."), fix=_("Copy it from {page}.").format(page=page))
    secret = hidden(_("The application's secret (it is not shown; Enter for none):"))
    secrets.conceal(secret)
    return Application(client_id=client_id, client_secret=secret)


def hidden(question: str) -> str:
    """What is typed without being shown."""
    text: str = typer.prompt(question, default="", show_default=False, hide_input=True, prompt_suffix=" ", err=True)
    return text.strip()


def checked_reference(value: str, *, option: str) -> str:
    """A reference to a secret. Raises InputError for anything else, without repeating it: it may be the secret."""
    if not is_reference(value):
        raise InputError(
            _("{option} takes a reference to a secret, never the secret itself.").format(option=option),
            fix=_(
                "Write env:NAME, file:PATH or keyring:SERVICE/NAME. What stands in a command line, others on this "
                "machine may have read: make a new secret."
            ),
        )
    return value


def _referred(reference: str | None, secrets: Secrets) -> str:
    return secrets.reveal(checked_reference(reference, option="--client-secret")) if reference else ""
