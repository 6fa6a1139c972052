"""Renewing tokens in time, and by one process only.

A renewal runs under a lock of the login (``LoginStore.renewing``), looks at the disk again once it has it, and puts
the new tokens on the disk before anybody uses them. It runs in a thread of its own, which nothing but the end of the
process interrupts: an answer with a rotated refresh token must not be lost because something else was cancelled. Where
the process is killed between answer and disk, the next one asks with the token it has, since many servers take the one
before last for a while; where this one doesn't, a person must log in again, and is told why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from campaign_cli import platforms, reasons
from campaign_cli.credentials import login_name
from campaign_cli.errors import CredentialError, Failure, Unavailable
from campaign_cli.i18n import _
from campaign_cli.logins import Login
from campaign_cli.platforms.addresses import same_origin
from campaign_cli.platforms.answers import shown_url
from campaign_cli.signin.client import Application, Refused, TokenClient, Tokens
from campaign_cli.signin.endpoints import Endpoints, endpoints

if TYPE_CHECKING:
    from campaign_cli.credentials import Secrets
    from campaign_cli.models import Account
    from campaign_cli.platforms.http import HttpTransport

SHORTEST_MARGIN: Final = timedelta(minutes=5)
LONGEST_MARGIN: Final = timedelta(days=1)
USABLE: Final = timedelta(seconds=30)
"""What must be left of a token for a request to go out with it, where it could not be renewed."""
_PATIENCE: Final = timedelta(seconds=30)  # between two tries, while the token is still good


class Keeper:
    """Keeps the logins of one process's accounts alive. ``transport`` opens a transport inside a running loop."""

    def __init__(
        self, *, secrets: Secrets, clock: Callable[[], datetime], transport: Callable[[], HttpTransport]
    ) -> None:
        self._secrets = secrets
        self._store = secrets.logins
        self._clock = clock
        self._transport = transport
        self._locks: dict[str, asyncio.Lock] = {}
        self._not_before: dict[str, datetime] = {}
        self._unstored: dict[str, tuple[Login, Login]] = {}  # before and after a renewal that the disk didn't take

    def login(self, account: Account) -> tuple[str, Login] | None:
        """The login that an account uses, by name; None where it uses none. Raises CredentialError."""
        name = login_name(account, platforms.get(account.platform).secrets)
        login = self._store.read(name) if name else None
        return (name, login) if name and login else None

    async def ready(self, account: Account) -> str:
        """Have a token that is good for now; gives it, "" without a login. While it is good, this costs one ``stat``.

        Raises CredentialError where a person must log in again, Unavailable where the network can't be asked now, or
        where what it answered can't be stored.
        """
        known = self.login(account)
        if known is None:
            return ""  # nobody logged in: said when the secret is asked for
        name, login = known
        at = endpoints(platforms.get(account.platform), account.settings)
        own = same_origin(login.server, at.token)
        # A page's token serves Instagram, too; but where an address is written, it must be the login's own.
        if not own and (login.platform == account.platform or account.settings.get("url")):
            raise _elsewhere(account, name, login)
        now = self._clock()
        if not (own and due(login, now)):
            if over(login, now):
                raise log_in_again(name, login)
            return login.access
        if not over(login, now) and now < self._not_before.get(name, now) and name not in self._unstored:
            return login.access
        async with self._locks.setdefault(name, asyncio.Lock()):
            await asyncio.to_thread(self._renew, name, at, now)
        return self._token(name)

    async def refused(self, account: Account, token: str) -> bool:
        """The network has refused this token though it is good by its date (a wrong clock, a login elsewhere): whether
        there is another one now, by renewing it or from another process.

        One that was given a moment ago isn't renewed: the next would be refused, too. Raises Unavailable.
        """
        known = self.login(account)
        now = self._clock()
        if known is None or known[1].access != token:
            return known is not None
        name, login = known
        if login.renewal != "refresh" or now - login.issued < SHORTEST_MARGIN:
            return False
        at = endpoints(platforms.get(account.platform), account.settings)
        if not same_origin(login.server, at.token):
            return False
        async with self._locks.setdefault(name, asyncio.Lock()):
            await asyncio.to_thread(self._renew, name, at, now, refused=token)
        return self._token(name) != token

    def _token(self, name: str) -> str:
        login = self._store.read(name)
        return "" if login is None else login.access

    def warn(self, name: str, level: int) -> bool:
        """Take it on to tell people that a login ends (``level``: days before): True for one process alone."""
        mine = False

        def told(login: Login | None) -> Login | None:
            nonlocal mine
            mine = login is not None and (login.warned is None or level < login.warned)
            return replace(login, warned=level) if login is not None and mine else login

        try:
            self._store.change(name, told)
        except OSError:
            return False
        return mine

    def _renew(self, name: str, at: Endpoints, now: datetime, *, refused: str = "") -> None:
        """Renew under the lock, unless somebody else has by now. ``refused``: this access token is, also before its
        time."""
        login: Login | None = None
        try:
            with self._store.renewing(name):
                login = self._store.read(name, anew=True)
                if name in self._unstored and login is not None:
                    login = self._stored_late(name, login)
                if login is not None and login.renews and (due(login, now) or login.access == refused):
                    self._renewed(name, login, at, now, must=bool(refused))
        except OSError as error:
            self._not_before[name] = now + _PATIENCE
            known = login or self._store.read(name)
            if known is None or refused or over(known, now):
                raise Unavailable(
                    _("The token of {name} can't be renewed now: {reason}.").format(
                        name=name, reason=reasons.reason(error)
                    )
                ) from error
        if login is not None and over(login, now) and not due(login, now):
            raise log_in_again(name, login)

    def _renewed(self, name: str, login: Login, at: Endpoints, now: datetime, *, must: bool) -> None:
        """Ask, and store the answer. ``must``: the token is good for nothing, whatever its date says."""
        self._secrets.conceal_login(name, login)
        try:
            self._put(name, replace(login, renewing=now))
            tokens = asyncio.run(self._asked(login, at, now))
        except Refused as error:
            words = self._secrets.redact(error.message)
            if login.renewing is not None:
                words += " " + _("An earlier renewal ended before its answer was stored.")
            refused = replace(login, renewing=None, refused=words)
            self._put(name, refused)
            if over(refused, now):
                raise log_in_again(name, refused) from error
        except Failure:
            self._not_before[name] = now + _PATIENCE
            if must or over(login, now):
                raise
        else:
            fresh = renewed(login, tokens, now=now)
            self._secrets.conceal_login(name, fresh)
            self._unstored[name] = login, fresh
            self._put(name, fresh)
            del self._unstored[name]

    def _put(self, name: str, login: Login) -> None:
        """Store it. A disk or a keyring that takes nothing now is no refusal of the network's. Raises Unavailable."""
        try:
            self._store.put(name, login)
        except CredentialError as error:
            raise Unavailable(error.message, fix=error.fix) from error

    def _stored_late(self, name: str, login: Login) -> Login:
        """Store what the network gave and the disk did not take before, unless a person has logged in since."""
        before, fresh = self._unstored[name]
        if (login.access, login.refresh) == (before.access, before.refresh):
            self._put(name, fresh)
            login = fresh
        del self._unstored[name]
        return login

    async def _asked(self, login: Login, at: Endpoints, now: datetime) -> Tokens:
        http = self._transport()
        try:
            application = Application(client_id=login.client_id, client_secret=login.client_secret)
            client = TokenClient(at, application, http=http)
            if login.renewal == "exchange":
                return await client.exchange(1, login.access, now=now)
            return await client.refresh(login.refresh, now=now)
        finally:
            await http.aclose()


def renewed(login: Login, tokens: Tokens, *, now: datetime) -> Login:
    """The login with new tokens; what the answer leaves out stays as it was."""
    return replace(
        login,
        access=tokens.access,
        refresh=tokens.refresh or login.refresh,
        issued=now,
        expires=tokens.expires or (now + (login.expires - login.issued) if login.expires else None),
        refresh_expires=tokens.refresh_expires or login.refresh_expires,
        scopes=tokens.scopes or login.scopes,
        renewing=None,
        refused="",
        warned=None,
    )


def due(login: Login, now: datetime) -> bool:
    """Whether it is time to renew it.

    A token that is traded must be good for the trade, and a campaign may be silent for weeks: at half its life. One
    with a refresh token: a tenth of its life before its end, at least five minutes and at most a day.
    """
    if not login.renews or login.expires is None:
        return False
    life = login.expires - login.issued
    if login.renewal == "exchange":
        return login.issued + life / 2 <= now < login.expires
    margin = min(max(SHORTEST_MARGIN, life / 10), LONGEST_MARGIN, life / 2)
    return now >= login.expires - margin


def over(login: Login, now: datetime) -> bool:
    """Whether a request that leaves now may come too late for the access token."""
    return login.expires is not None and now >= login.expires - USABLE


def _elsewhere(account: Account, name: str, login: Login) -> CredentialError:
    """Where accounts.yaml names another server by now: the login's secrets don't go there."""
    message = _("The login {name} is one of {server}, which is not where {account} is.")
    return CredentialError(
        message.format(name=name, server=shown_url(login.server), account=account.name),
        fix=_("Run: campaign accounts login {name}").format(name=account.name),
    )


def log_in_again(name: str, login: Login) -> CredentialError:
    """What to say when only a person can go on."""
    message = _("The login {name} is over.").format(name=name)
    if login.refused:
        message = _("The network no longer renews the login {name}: {words}").format(name=name, words=login.refused)
    return CredentialError(message, fix=_("Run: campaign accounts login {name}").format(name=name))
