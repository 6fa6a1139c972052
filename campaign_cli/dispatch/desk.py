"""What sending one delivery needs: the ledger in its own thread, the account's seat, clock and chance."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from campaign_cli import platforms
from campaign_cli.credentials import login_name
from campaign_cli.dispatch.by_hand import HandOver
from campaign_cli.dispatch.gathering import Gathering
from campaign_cli.dispatch.options import LEASE, LEASE_MARGIN
from campaign_cli.errors import CampaignError, CredentialError, Rejected
from campaign_cli.i18n import _
from campaign_cli.models import Account, Receipt, State
from campaign_cli.platforms.base import Http, Platform

if TYPE_CHECKING:
    from campaign_cli.accounts import Workspace
    from campaign_cli.credentials import Secrets
    from campaign_cli.ledger import Claim, Ledger
    from campaign_cli.signatures import Signers
    from campaign_cli.signin.renewal import Keeper

P = ParamSpec("P")
T = TypeVar("T")


class LedgerThread:
    """Runs the ledger's calls one by one in a thread of their own: the event loop never waits on a disk."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")

    async def call(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """``function(*args, **kwargs)`` in the ledger's thread; raises what it raises."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, partial(function, *args, **kwargs))

    def close(self) -> None:
        """Wait for the last call and end the thread; the ledger stays open."""
        self._executor.shutdown(wait=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """How to settle a delivery: a state, the receipt of its last part where there is one, or why not.

    ``next_try`` (aware): when a waiting one is tried, or an uncertain one looked up, again; None with ``uncertain``
    means that a person decides. ``lost``: the claim is not ours any more, so nothing is to be settled. ``notice`` is
    what people are told in the place of ``error``. ``untried``: it was stopped before anything was tried. The other
    fields are those of ``RetryDecision``.
    """

    state: State
    receipt: Receipt | None = None
    error: str = ""
    next_try: datetime | None = None
    pause_until: datetime | None = None
    credential: bool = False
    held: bool = False
    works: bool | None = None
    overrun: bool = False
    lost: bool = False
    notice: str = ""
    untried: bool = False


@dataclass(kw_only=True)
class Seat:
    """An account's place on its network: one small transport, and what lives as long as the process."""

    account: Account
    platform: Platform
    http: Http
    memory: dict[str, Any] = field(default_factory=dict)
    logs_in: bool = False  # its secret is a login, which may have to be renewed before a request
    software: str | None = None  # server software as the account check names it; None = not asked yet
    ahead: timedelta | None = None  # how far the server's clock is ahead of ours; None = it has not said

    @property
    def blind(self) -> bool:
        """Nothing can be proved of this account once a request has left."""
        return self.platform.blind(self.account)

    @property
    def lease(self) -> timedelta:
        """A lease that outlasts one request of this network."""
        return max(LEASE, timedelta(seconds=self.platform.max_wait) + 2 * LEASE_MARGIN)


@dataclass(kw_only=True)
class Desk:
    """Shared by every delivery of one dispatcher; ``left_at`` remembers when a doubtful request left this process,
    ``cut_off`` how to settle what was being sent when the process was ended."""

    thread: LedgerThread
    workspace: Workspace
    secrets: Secrets
    clock: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]
    transport: Callable[[Account], Http]
    hand_over: HandOver
    signers: Signers
    platform_of: Callable[[str], Platform] = platforms.get
    late_grace: timedelta = timedelta.max
    uploaded: Callable[[str, int, int], None] = lambda _key, _done, _total: None
    chance: Random = field(default_factory=Random)
    left_at: dict[str, datetime] = field(default_factory=dict)
    cut_off: dict[str, Verdict] = field(default_factory=dict)
    keeper: Keeper | None = None
    worker: str = ""
    verifying: asyncio.Lock = field(default_factory=asyncio.Lock)  # one signature may cover many deliveries
    _seats: dict[str, Seat] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._gate: Gathering[tuple[str, int], CampaignError | None] = Gathering(self._look_at_gates)
        self._exit: Gathering[tuple[str, int], CampaignError | None] = Gathering(self._open_exits)

    async def log_in(self, seat: Seat) -> str:
        """Have a token that is good for the next requests of an account; gives it, "" where it uses no login.

        Raises CredentialError, Unavailable.
        """
        return await self.keeper.ready(seat.account) if seat.logs_in and self.keeper is not None else ""

    async def renew(self, seat: Seat, token: str) -> bool:
        """After the network refused an account's ``token``: whether there is another one now. Raises Unavailable."""
        if not token or self.keeper is None or not await self.keeper.refused(seat.account, token):
            return False
        seat.memory.clear()  # what was begun with the old token
        return True

    async def pass_gate(self, claim: Claim) -> None:
        """Nothing when a creating request may leave now. Raises ClaimLost, Held, LedgerError."""
        refusal = await self._gate.add((claim.key, claim.token))
        if refusal is not None:
            raise refusal

    async def let_leave(self, claim: Claim) -> None:
        """Like ``pass_gate``; and it is on disk from here on that the request may have left."""
        refusal = await self._exit.add((claim.key, claim.token))
        if refusal is not None:
            raise refusal

    async def _look_at_gates(self, claims: list[tuple[str, int]]) -> list[CampaignError | None]:
        return await self.thread.call(self.ledger.check_gates, claims)

    async def _open_exits(self, claims: list[tuple[str, int]]) -> list[CampaignError | None]:
        return await self.thread.call(self.ledger.let_leave, claims)

    @property
    def ledger(self) -> Ledger:
        """The ledger; to be called through ``thread`` alone."""
        return self.thread.ledger

    def seat(self, claim: Claim) -> Seat:
        """The account of a claimed delivery. Raises Rejected where the account is gone or is another one by now."""
        seat = self.seat_of(claim.account)
        if seat is None:
            raise Rejected(
                _("Account “{name}” is no longer in accounts.yaml.").format(name=claim.account),
                fix=_("Put it back, or cancel this delivery."),
            )
        address = seat.platform.address(seat.account)
        if address != claim.address:
            raise Rejected(
                _("Account “{name}” was {old} when this was queued and is {new} now.").format(
                    name=claim.account, old=claim.address, new=address
                ),
                fix=_("Put the old address back in accounts.yaml, or queue the plan again for the new one."),
            )
        return seat

    def seat_of(self, name: str) -> Seat | None:
        """The account of this name, or None where there is none."""
        account = self.workspace.accounts.get(name)
        return self._seats.get(name) or (self._sit(account) if account is not None else None)

    def secret(self, account: Account, setting: str) -> str:
        """The secret behind a setting. Raises CredentialError."""
        reference = account.settings.get(setting)
        if not reference:
            raise CredentialError(
                _("Account “{name}” names no {setting}.").format(name=account.name, setting=setting),
                fix=_("Write {setting}: env:NAME in accounts.yaml, and the secret itself in .env.").format(
                    setting=setting
                ),
            )
        return self.secrets.reveal(str(reference))

    def sit(self) -> None:
        """Open every account's transport, so that the first delivery needn't wait until the HTTP library is loaded."""
        for account in self.workspace.accounts.values():
            if account.name not in self._seats:
                self._sit(account)

    def _sit(self, account: Account) -> Seat:
        platform = self.platform_of(account.platform)
        logs_in = login_name(account, platform.secrets) is not None
        seat = Seat(account=account, platform=platform, http=self.transport(account), logs_in=logs_in)
        self._seats[account.name] = seat
        return seat

    async def close(self) -> None:
        """Close every transport and end the ledger's thread."""
        for seat in self._seats.values():
            close = getattr(seat.http, "aclose", None)
            if close is not None:
                with suppress(Exception):  # a connection that won't close cleanly changes nothing of what was sent
                    await close()
        self._seats.clear()
        await self._gate.flush()
        await self._exit.flush()
        self.thread.close()
