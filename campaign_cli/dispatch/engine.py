"""The dispatcher: claims what is due in batches, sends up to five at a time for each account, settles what came of it.

Whoever drives it (``publish``, ``clock``) calls ``pump`` whenever something may have fallen due or a place became free.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final

from campaign_cli import platforms
from campaign_cli.credentials import login_name
from campaign_cli.dispatch.by_hand import HandOver, in_folder
from campaign_cli.dispatch.desk import Desk, LedgerThread, Verdict
from campaign_cli.dispatch.health import Health
from campaign_cli.dispatch.logins import LoginWatch
from campaign_cli.dispatch.options import LEASE, Options
from campaign_cli.dispatch.outcome import Outcome, Result
from campaign_cli.dispatch.places import Places
from campaign_cli.dispatch.progress import Progress, Silent
from campaign_cli.dispatch.proof import storable
from campaign_cli.dispatch.recovery import settle_doubtful
from campaign_cli.dispatch.sending import for_a_person, send
from campaign_cli.dispatch.settling import Settler
from campaign_cli.errors import LedgerError
from campaign_cli.i18n import _
from campaign_cli.ledger.gate import demands
from campaign_cli.ledger.values import Claim, Claimed, Delivery, Settlement
from campaign_cli.models import Account, State
from campaign_cli.platforms.base import Http, Platform
from campaign_cli.signatures import Signers

if TYPE_CHECKING:
    from campaign_cli.accounts import Workspace
    from campaign_cli.credentials import Secrets
    from campaign_cli.dispatch.notify import Notifier
    from campaign_cli.ledger import Ledger
    from campaign_cli.signin.renewal import Keeper

_DOUBTFUL_BATCH: Final = 20
_DOUBTFUL_DISTANCE: Final = timedelta(seconds=1)  # between two looks for doubtful ones while there is much to send


class Dispatcher:
    """Sends for one process; used once. ``outcome`` (an earlier dispatcher's, or a new one) grows while it works.

    ``clock`` gives aware instants, ``sleep`` waits for seconds of that clock, ``transport`` opens an account's.
    ``changed`` is set when a place became free or something may have fallen due. ``accounts`` are those that it takes
    deliveries of; None means all of them, and it may change between two pumps. ``hand_over`` lays out what a person
    posts by hand (default: in a folder of the workspace). ``signers`` verifies signatures; without it, none is good.
    """

    def __init__(  # noqa: PLR0913 - the ports of the engine, all by name
        self,
        *,
        ledger: Ledger,
        workspace: Workspace,
        secrets: Secrets,
        clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        transport: Callable[[Account], Http],
        options: Options,
        notifier: Notifier | None = None,
        progress: Progress | None = None,
        platform_of: Callable[[str], Platform] = platforms.get,
        chance: Random | None = None,
        outcome: Outcome | None = None,
        hand_over: HandOver | None = None,
        keeper: Keeper | None = None,
        signers: Signers | None = None,
    ) -> None:
        self.ledger = ledger
        self.options = options
        self.clock = clock
        self.sleep = sleep
        self.progress: Progress = progress or Silent()
        self.outcome = outcome or Outcome()
        self.changed = asyncio.Event()
        self.accounts: Collection[str] | None = None
        self.thread = LedgerThread(ledger)
        self._workspace = workspace
        self._notifier = notifier
        self._desk = Desk(
            thread=self.thread,
            workspace=workspace,
            secrets=secrets,
            clock=clock,
            sleep=sleep,
            transport=transport,
            hand_over=hand_over or in_folder(workspace.root),
            platform_of=platform_of,
            chance=chance or Random(),  # noqa: S311 - it spreads retries and keeps no secret
            late_grace=options.late_grace,
            uploaded=lambda key, done, total: self.progress.uploaded(key, done=done, total=total),
            keeper=keeper,
            signers=signers or Signers(root=workspace.root, approvers=workspace.rules.approvers, tool=None),
            worker=options.worker,
        )
        self._logins = None
        if keeper is not None:
            accounts = workspace.accounts.values()
            own = [each for each in accounts if login_name(each, platform_of(each.platform).secrets)]
            self._logins = LoginWatch(keeper, own, clock=clock, notifier=notifier, warned=self.progress.warned)
        self._addresses = {
            name: platform_of(account.platform).address(account) for name, account in workspace.accounts.items()
        }
        self._blind = {
            name for name, account in workspace.accounts.items() if platform_of(account.platform).blind(account)
        }
        self.health = Health(self._desk, self.progress)
        self._settler = Settler(self.thread)
        self._tasks: dict[asyncio.Task[None], Claim] = {}
        singly = {name for name, account in workspace.accounts.items() if platform_of(account.platform).singly}
        self._places = Places(workspace.accounts, per_account=options.per_account, clock=clock, singly=singly)
        self._looks: dict[str, datetime] = {}  # deliveries of this process that are looked up again
        self._doubtful_looked: datetime | None = None
        self._broken: BaseException | None = None
        self._unanswered = False  # a claim that the ledger may have written, though it did not say so
        self._leaving: set[str] = set()  # handed in to be settled: their places are claimed in the same visit
        self._refilled: set[str] = set()  # settled, and their places claimed anew
        self._unsettled: set[str] = set()  # sent, and not written down: never to be recalled

    @property
    def busy(self) -> bool:
        """True while something is on the wire."""
        return bool(self._tasks)

    async def pump(self) -> int:
        """Claim and start what can go now; the number of deliveries started. Raises LedgerError."""
        self._raise_broken()
        started = 0
        for per_account, excluded in self._places.windows(self.accounts):
            claimed = await self._claim(per_account, excluded)
            for claim in claimed.claims:
                self._start(claim, self._deliver(claim))
            started += len(claimed.claims)
        return started + await self._pump_doubtful(started)

    def make_ready(self) -> None:
        """Have everything loaded that the first delivery will need."""
        self._desk.sit()

    async def finish(self) -> None:
        """Let everything on the wire end, and write it down."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        await self._settler.flush()
        self._raise_broken()
        await self._forget_released()

    async def _forget_released(self) -> None:
        """What this process had to let go of under a hold may be out by now, through another one."""
        keys = self.outcome.held_keys
        if not keys:
            return
        with suppress(LedgerError):  # unasked, it counts as held
            found = await self.thread.call(self.ledger.deliveries, keys=keys, state=State.WAITING)
            kept = {one.key for one in found if one.held or not one.approved or one.embargo is not None}
            self.outcome.forget(keys - kept)

    async def tell(self) -> None:
        """Tell people, once, of what failed, was missed or stays uncertain, and of logins that end. Never raises."""
        if self._logins is not None:
            await self._logins.look()
        if self._notifier is None or not self._notifier.enabled:
            return
        try:
            notices = await self.thread.call(self.ledger.take_notices)
        except LedgerError as error:
            self.progress.warned(error.message)
            return
        trouble = await self._notifier.tell(notices)
        if trouble:
            self.progress.warned(trouble)

    def next_look(self) -> datetime | None:
        """When the next doubtful delivery of this process is to be looked up; None without one to come."""
        now = self.clock()
        self._looks = {key: at for key, at in self._looks.items() if at > now}
        return min(self._looks.values(), default=None)

    @property
    def spaced(self) -> dict[str, datetime]:
        """Accounts with a rate that rest now, and until when."""
        return self._places.spaced

    def note(self, result: Result) -> None:
        """Take a result into the outcome and tell it."""
        self.outcome.record(result)
        self.progress.settled(result)

    async def close(self) -> None:
        """End it: what is still on the wire is cut off, and settled by what is known of it."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for key, verdict in self._desk.cut_off.items():
            claim = next((claim for claim in self._tasks.values() if claim.key == key), None)
            if claim is not None:
                with suppress(LedgerError):
                    await self._settle(claim, verdict)
        self._tasks.clear()
        with suppress(LedgerError):
            await self._settler.flush()
        await self._desk.close()

    async def _claim(self, per_account: int, excluded: set[str]) -> Claimed:
        if self._room() <= 0:
            return Claimed()
        recall, self._unanswered = self._unanswered, True  # until the ledger has answered
        claimed = await self._settler.claim(lambda again: self._order(per_account, excluded, recall=recall or again))
        self._unanswered = False
        for claim in claimed.claims:
            self._places.space(claim.account)
        self._note_all(claimed.missed, State.MISSED, _("It came too late."))
        self._note_all(claimed.parked, State.FAILED, "")
        only = self.options.only
        own = [delivery for delivery in claimed.doubtful if only is None or delivery.key in only]
        self._note_all(own, State.UNCERTAIN, _("The process that was sending it ended without a word."))
        return claimed

    def _room(self) -> int:
        """How many may be claimed; what is handed in to be settled leaves its place in the same visit."""
        return min(self.options.batch, self.options.in_flight - len(self._tasks) + len(self._leaving))

    def _order(self, per_account: int, excluded: set[str], *, recall: bool) -> dict[str, Any]:
        """The arguments of ``Ledger.claim``."""
        return {
            "worker": self.options.worker,
            "limit": self._room(),
            "per_account": per_account,
            "lease": LEASE,
            "late_grace": self.options.late_grace,
            "exclude_accounts": excluded,
            "keys": self.options.only,
            "addresses": self._addresses,
            "in_hand": [*self.in_hand(), *(self._unsettled if recall else ())],
            "spacing": self._places.spacing,
            "recall": recall,
            "marked": self._blind,
            "serves": self.accounts,
            "demands": demands(self._workspace.rules),
        }

    def _note_all(self, deliveries: Iterable[Delivery], state: State, error: str) -> None:
        for delivery in deliveries:
            self.note(Result(key=delivery.key, state=state, error=delivery.error or error))

    def in_hand(self) -> list[str]:
        """What this process has on the wire. When the machine slept, the leases may be over, and the tasks go on."""
        return [claim.key for claim in self._tasks.values()]

    async def _pump_doubtful(self, started: int) -> int:
        """Claim and start the uncertain deliveries whose look-up is due."""
        now = self.clock()
        looked = self._doubtful_looked
        room = min(_DOUBTFUL_BATCH, self.options.in_flight - len(self._tasks))
        if room <= 0 or (started and looked is not None and abs(now - looked) < _DOUBTFUL_DISTANCE):
            return 0
        self._doubtful_looked = now
        claims: Sequence[Claim] = await self.thread.call(
            self.ledger.claim_doubtful,
            worker=self.options.worker,
            limit=room,
            lease=LEASE,
            exclude_accounts=self._places.full() | self._places.not_served(self.accounts),
            addresses=self._addresses,
            keys=self.options.only,
            in_hand=self.in_hand(),
            serves=self.accounts,
        )
        for claim in claims:
            self._looks.pop(claim.key, None)
            self._start(claim, self._recover(claim))
        return len(claims)

    def _start(self, claim: Claim, work: Coroutine[Any, Any, None]) -> None:
        self._places.take(claim.account)
        task = asyncio.create_task(work)
        self._tasks[task] = claim
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A place is free. The driver hears of an error (ours or the ledger's) before anything more is claimed."""
        if task.cancelled():
            self.changed.set()
            return  # ``close`` still needs its claim
        claim = self._tasks.pop(task)
        self._places.free(claim.account)
        if task.exception() is not None:
            self._unsettled.add(claim.key)
        self._broken = self._broken or task.exception()
        if not self._tasks or claim.key not in self._refilled:
            self.changed.set()
        self._refilled.discard(claim.key)

    async def _deliver(self, claim: Claim) -> None:
        self.progress.started(claim.key, due=claim.due)
        await self._settle(claim, await send(self._desk, claim))

    async def _recover(self, claim: Claim) -> None:
        self.progress.looking(claim.key)
        await self._settle(claim, await settle_doubtful(self._desk, claim))

    async def _settle(self, claim: Claim, verdict: Verdict) -> None:
        """Write the verdict down, fenced, and tell it."""
        await self.health.note(claim, verdict)
        wanted = Settlement(
            key=claim.key,
            token=claim.token,
            state=verdict.state,
            receipt=verdict.receipt,
            error=storable(verdict.error),
            next_try=verdict.next_try,
            notice=storable(verdict.notice),
            untried=verdict.untried,
        )
        written = None if verdict.lost else await self._written(wanted)
        if written is None:
            self._lost(claim, verdict)
            return
        if written.state is State.UNCERTAIN and written.next_try is not None:
            self._looks[claim.key] = written.next_try
        else:
            self._desk.left_at.pop(claim.key, None)
        receipts = (*claim.receipts, *([verdict.receipt] if verdict.receipt else []))
        self.note(
            Result(
                key=claim.key,
                state=written.state,
                url=next((receipt.url for receipt in receipts if receipt.url), None),
                error=written.error,
                credential=verdict.credential,
                held=verdict.held,
            )
        )

    async def _written(self, wanted: Settlement) -> Settlement | None:
        """Settle; the driver is called at once, so that its claim can go with it."""
        self._leaving.add(wanted.key)
        self.changed.set()
        try:
            written, refilled = await self._settler.settle(wanted)
        finally:
            self._leaving.discard(wanted.key)
        if refilled and written is not None and written.state is State.PUBLISHED:
            self._refilled.add(wanted.key)
        return written

    def _lost(self, claim: Claim, verdict: Verdict) -> None:
        """Another process owns it by now. What we know is said aloud: it may be all that a person has to go by."""
        error = verdict.error
        if verdict.receipt is not None:
            error = _("It went out ({url}), but the lease was over before that could be written down.").format(
                url=verdict.receipt.url or verdict.receipt.id
            )
            self.progress.warned(f"{claim.key}: {error} {for_a_person()}")
        self.note(Result(key=claim.key, state=State.UNCERTAIN, error=error))

    def _raise_broken(self) -> None:
        broken, self._broken = self._broken, None
        if broken is not None:
            raise broken
