"""Logins while a dispatcher runs: renewed before they are needed, and people told some days before one ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from campaign_cli.errors import CampaignError
from campaign_cli.i18n import _, format_instant

if TYPE_CHECKING:
    from campaign_cli.dispatch.notify import Notifier
    from campaign_cli.logins import Login
    from campaign_cli.models import Account
    from campaign_cli.signin.renewal import Keeper

DAYS: Final = (0, 1, 7)
"""Before its end, people are told of a login at each of these."""
_DISTANCE: Final = timedelta(hours=1)


class LoginWatch:
    """Looks at the logins of a dispatcher's accounts now and then. ``warned`` says a sentence in the log."""

    def __init__(
        self,
        keeper: Keeper,
        accounts: Iterable[Account],
        *,
        clock: Callable[[], datetime],
        notifier: Notifier | None,
        warned: Callable[[str], None],
    ) -> None:
        self._keeper = keeper
        self._accounts = list(accounts)
        self._clock = clock
        self._notifier = notifier
        self._warned = warned
        self._looked: datetime | None = None

    async def look(self) -> None:
        """Once an hour: renew what must not wait for a delivery, and tell of what ends soon. Never raises."""
        now = self._clock()
        if self._looked is not None and abs(now - self._looked) < _DISTANCE:
            return
        self._looked = now
        for account in self._accounts:
            with suppress(CampaignError):  # said where a delivery or `accounts check` needs it
                await self._look_at(account, now)

    async def _look_at(self, account: Account, now: datetime) -> None:
        known = self._keeper.login(account)
        if known is not None and known[1].renewal == "exchange":  # a token that is traded too late is lost
            await self._keeper.ready(account)
            known = self._keeper.login(account)
        if known is None:
            return
        name, login = known
        level = warning_level(login, now)
        if level is None or not await asyncio.to_thread(self._keeper.warn, name, level):
            return
        sentence = ending(login, account)
        self._warned(sentence)
        if self._notifier is not None and self._notifier.enabled:
            trouble = await self._notifier.say(_("campaign: a login ends"), sentence)
            if trouble:
                self._warned(trouble)


def warning_level(login: Login, now: datetime) -> int | None:
    """How near the end of a login is, as the ``DAYS`` at which people are told; None: not yet, or told already."""
    if login.ends is None:
        return None
    level = next((days for days in DAYS if login.ends - now <= timedelta(days=days)), None)
    return level if level is not None and (login.warned is None or level < login.warned) else None


def ending(login: Login, account: Account) -> str:
    """Which login ends when, and what to do."""
    assert login.ends is not None  # noqa: S101 - asked only of those that end
    text = _("The login of {account} ends on {instant}; nothing is sent there after that. → {command}")
    at = format_instant(login.ends, account.timezone or UTC)
    return text.format(account=account.name, instant=at, command=f"campaign accounts login {account.name}")
