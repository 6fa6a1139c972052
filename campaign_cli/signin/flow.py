"""Signing in: a person allows it in a browser, and the network gives a token.

The browser comes back to this machine (``loopback``), or a person pastes what it was led to. What a network needs
beyond that (a page's own token) is ``Platform.complete``.
"""

from __future__ import annotations

import asyncio
import secrets as chance
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlsplit

from campaign_cli.errors import CredentialError, InputError, Unavailable
from campaign_cli.i18n import _
from campaign_cli.logins import Login
from campaign_cli.models import Account
from campaign_cli.platforms.answers import is_loopback
from campaign_cli.platforms.base import Choose, Http, Platform, Session
from campaign_cli.signin import loopback
from campaign_cli.signin.client import Application, Refused, TokenClient, Tokens, register
from campaign_cli.signin.endpoints import Endpoints, endpoints

if TYPE_CHECKING:
    from collections.abc import Mapping

    from campaign_cli.credentials import Secrets

PORT: Final = 8719
"""Where the browser comes back, where the network must know the redirect address beforehand."""


class People(Protocol):
    """Who signs in, as far as this needs them."""

    def show(self, address: str, *, redirect: str) -> None:
        """Let them open ``address`` in a browser; ``redirect`` must be known to the application."""

    def paste(self, wrong: InputError | None) -> str:
        """What they paste: a code, or the whole address at which the browser arrived.

        Raises ``wrong``, which is what was wrong with the paste before, where nobody can be asked again.
        """

    @property
    def choose(self) -> Choose:
        """Lets them choose."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ways:
    """How to sign in. ``application`` None: it registers itself. ``port`` None: the usual one. ``paste``: a person
    pastes the code; ``redirect`` is the application's redirect address where it is not on this machine."""

    application: Application | None = None
    port: int | None = None
    paste: bool = False
    redirect: str = ""
    patience: float = loopback.WAIT_SECONDS


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedIn:
    """The login to store, and settings of the account that are known by now."""

    login: Login
    settings: Mapping[str, str] = field(default_factory=dict)


async def sign_in(  # noqa: PLR0913 - all but the first two by name
    platform: Platform,
    account: Account,
    *,
    ways: Ways,
    people: People,
    http: Http,
    secrets: Secrets,
    clock: Callable[[], datetime],
) -> SignedIn:
    """Sign in as ``account``. Nothing is stored yet.

    Raises CredentialError where the network or the person refused, InputError for what can't work, Unavailable.
    """
    at = endpoints(platform, account.settings)
    state, verifier = chance.token_urlsafe(32), chance.token_urlsafe(64)
    secrets.conceal(verifier)
    try:
        async with _redirect(at, ways, state=state) as (redirect, listener):
            application = ways.application or await _registered(at, redirect, http=http)
            secrets.conceal(application.client_secret)
            client = TokenClient(at, application, http=http)
            people.show(client.authorize_url(redirect=redirect, state=state, verifier=verifier), redirect=redirect)
            if listener is not None:
                code = await listener.wait(ways.patience)
            else:
                code = _pasted(people, state=state, shown=redirect == at.oauth.pasted)
        secrets.conceal(code)
        tokens = await client.trade_code(code, redirect=redirect, verifier=verifier, now=clock())
        secrets.conceal(tokens.access, tokens.refresh)
        tokens = await _longer(client, at, tokens, now=clock())
    except Refused as error:
        raise CredentialError(
            _("The network gave no token: {words}").format(words=secrets.redact(error.message)),
            fix=_("Check the application's id, its secret and its redirect address, then log in again."),
        ) from error
    except Unavailable as error:
        error.fix = error.fix or _("Nothing was stored. Log in again in a few minutes.")
        raise
    secrets.conceal(tokens.access, tokens.refresh)
    login = _login(platform, at, tokens, application=application, redirect=redirect, now=clock())
    return await _completed(platform, account, login, people=people, http=http, clock=clock)


def _pasted(people: People, *, state: str, shown: bool) -> str:
    """The code, asked for until what is pasted holds one. Raises CredentialError where the network refused."""
    wrong: InputError | None = None
    while True:
        pasted = people.paste(wrong)
        try:
            return loopback.code_in(pasted, state=state, shown=shown)
        except InputError as error:
            wrong = error


@asynccontextmanager
async def _redirect(at: Endpoints, ways: Ways, *, state: str) -> AsyncIterator[tuple[str, loopback.Listener | None]]:
    """The redirect address, and who listens there (None: a person pastes)."""
    host, port = at.oauth.loopback, ways.port if ways.port is not None else (0 if at.registers else PORT)
    if ways.redirect or ways.paste:
        own = f"http://{host}:{port or PORT}{loopback.PATH}" if host else ""
        address = ways.redirect or at.oauth.pasted or own
        if not address:
            raise _needs_https()
        if address == ways.redirect:
            _require_private(address)
        yield address, None
    elif not host:
        raise _needs_https()
    else:
        async with loopback.listening(state, port=port) as listener:
            yield f"http://{host}:{listener.port}{loopback.PATH}", listener


def _require_private(address: str) -> None:
    """Raise InputError for a redirect address over which others could read the code."""
    try:
        parts = urlsplit(address)
        good = bool(parts.hostname) and (parts.scheme == "https" or is_loopback(parts.hostname or ""))
    except ValueError:
        good = False
    if not good:
        raise InputError(
            _("{address} is no redirect address that keeps the code to yourselves.").format(address=address),
            fix=_("Write https://… as it is registered for the application, or leave --redirect out."),
        )


def _needs_https() -> InputError:
    return InputError(
        _("This network leads the browser back to https addresses alone."),
        fix=_(
            "Register an https address of your own for the application (any page of your site), and say "
            "--redirect https://… : then paste the address at which the browser arrives."
        ),
    )


async def _registered(at: Endpoints, redirect: str, *, http: Http) -> Application:
    """This program, registered at the account's own server. Raises InputError where the network knows no such thing."""
    if not at.registers:
        raise InputError(
            _("The application's id is missing."),
            fix=_("Make an application at {page} and say --client-id ID.").format(page=at.oauth.help or at.authorize),
        )
    return await register(
        at.registers, redirects=[redirect], scopes=at.oauth.separator.join(at.oauth.scopes), http=http
    )


async def _longer(client: TokenClient, at: Endpoints, tokens: Tokens, *, now: datetime) -> Tokens:
    """The short-lived token of Meta's networks traded for one that lives longer; others as they are."""
    if at.oauth.renewal != "exchange" or not at.trades:
        return tokens
    longer = await client.exchange(0, tokens.access, now=now)
    return replace(longer, scopes=longer.scopes or tokens.scopes)


def _login(
    platform: Platform, at: Endpoints, tokens: Tokens, *, application: Application, redirect: str, now: datetime
) -> Login:
    renewal = at.renewal
    if renewal == "refresh" and not tokens.refresh:  # a network that gives refresh tokens to some applications only
        renewal = "none"
    return Login(
        platform=platform.name,
        server=at.token,
        access=tokens.access,
        refresh=tokens.refresh,
        issued=now,
        expires=tokens.expires,
        refresh_expires=tokens.refresh_expires,
        scopes=tokens.scopes or at.oauth.scopes,
        client_id=application.client_id,
        client_secret=application.client_secret,
        redirect=redirect,
        renewal=renewal if tokens.expires else "none",
    )


async def _completed(
    platform: Platform,
    account: Account,
    login: Login,
    *,
    people: People,
    http: Http,
    clock: Callable[[], datetime],
) -> SignedIn:
    """What the network needs beyond the token (``Platform.complete``)."""
    session = Session(
        account=account, http=http, secret=lambda _setting: login.access, now=clock, sleep=asyncio.sleep, memory={}
    )
    granted = await platform.complete(session, people.choose)
    if granted is None:
        return SignedIn(login=login)
    if granted.token is not None:
        login = replace(
            login, access=granted.token, refresh="", expires=granted.expires, refresh_expires=None, renewal="none"
        )
    return SignedIn(login=login, settings=granted.settings)
