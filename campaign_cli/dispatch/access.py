"""Ways to the network outside a delivery: an account's transport, and the check of its credential."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from campaign_cli import platforms
from campaign_cli.credentials import login_name
from campaign_cli.errors import Unauthorized
from campaign_cli.i18n import _
from campaign_cli.models import Account, Receipt
from campaign_cli.platforms.base import AccountCheck, Session
from campaign_cli.signin.renewal import Keeper

if TYPE_CHECKING:
    from campaign_cli.credentials import Secrets
    from campaign_cli.platforms.http import HttpTransport


def transport_for(
    account: Account, *, secrets: Secrets, clock: Callable[[], datetime], trust_environment: bool = False
) -> HttpTransport:
    """A transport of the account's own. A network without proof gets a fresh connection for each request.

    ``trust_environment``: use the proxy and the certificates that the environment names.
    """
    from campaign_cli.platforms.http import HttpTransport

    platform = platforms.get(account.platform)
    return HttpTransport(
        redact=secrets.redact,
        now=clock,
        pause_until=platform.pause_until,
        time_out=platform.max_wait,
        fresh_connections=platform.blind(account),
        trust_environment=trust_environment,
    )


def keeper_for(secrets: Secrets, *, clock: Callable[[], datetime], trust_environment: bool = False) -> Keeper:
    """Who keeps logins alive; see ``transport_for``."""
    return Keeper(
        secrets=secrets,
        clock=clock,
        transport=partial(token_transport, secrets=secrets, clock=clock, trust_environment=trust_environment),
    )


def token_transport(
    *, secrets: Secrets, clock: Callable[[], datetime], trust_environment: bool = False
) -> HttpTransport:
    """A transport for signing in and renewing."""
    from campaign_cli.platforms.http import HttpTransport

    return HttpTransport(redact=secrets.redact, now=clock, trust_environment=trust_environment)


async def check_account(
    account: Account, *, secrets: Secrets, clock: Callable[[], datetime], trust_environment: bool = False
) -> AccountCheck:
    """What the live account says of itself. Raises Unauthorized, Rejected, Unavailable or CredentialError."""
    platform = platforms.get(account.platform)
    name = login_name(account, platform.secrets)
    keeper = keeper_for(secrets, clock=clock, trust_environment=trust_environment)
    token = await keeper.ready(account)
    session = partial(_opened, account, secrets=secrets, clock=clock, trust_environment=trust_environment)
    try:
        async with session() as opened:
            found = await platform.check(opened)
    except Unauthorized as error:
        if name is None:
            raise
        error.fix = _("Run: campaign accounts login {name}").format(name=account.name)
        if not await keeper.refused(account, token):
            raise
        async with session() as opened:
            found = await platform.check(opened)
    login = secrets.logins.read(name) if name else None
    if login is None:
        return found
    return replace(
        found, scopes=found.scopes or login.scopes, expires=login.ends or (None if login.renews else found.expires)
    )


async def find_post(
    account: Account, url: str, *, secrets: Secrets, clock: Callable[[], datetime], trust_environment: bool = False
) -> Receipt | None:
    """The account's post behind a permalink, where the address or the network tells it. Raises Failure."""
    async with session_of(account, secrets=secrets, clock=clock, trust_environment=trust_environment) as session:
        return await platforms.get(account.platform).find(session, url)


@asynccontextmanager
async def session_of(
    account: Account, *, secrets: Secrets, clock: Callable[[], datetime], trust_environment: bool
) -> AsyncIterator[Session]:
    """A session of the account outside any delivery, its login renewed. Raises CredentialError, Failure."""
    await keeper_for(secrets, clock=clock, trust_environment=trust_environment).ready(account)
    async with _opened(account, secrets=secrets, clock=clock, trust_environment=trust_environment) as session:
        yield session


@asynccontextmanager
async def _opened(
    account: Account, *, secrets: Secrets, clock: Callable[[], datetime], trust_environment: bool
) -> AsyncIterator[Session]:
    transport = transport_for(account, secrets=secrets, clock=clock, trust_environment=trust_environment)
    try:
        yield Session(
            account=account,
            http=transport,
            secret=lambda setting: secrets.reveal(account.settings[setting]),
            now=clock,
            sleep=asyncio.sleep,
            memory={},
        )
    finally:
        await transport.aclose()
