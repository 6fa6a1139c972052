"""A worker: sends for the keys that it is given, in the order that the ledger keeps over all processes.

A key in hand is no right to send that delivery: it says that its account has something due. The worker claims from the
ledger for the accounts of its keys, and the ledger gives what comes first, whoever was handed it. So order, rates and
places hold over all workers, and nobody waits behind a worker that died. A key stays in hand until the ledger says
that there is nothing to be done about it: sent, taken by another process, held, cancelled.

It looks for nothing by itself: without a running clock, no worker sends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from campaign_cli.dispatch.handover import PATIENCE, PER_ACCOUNT
from campaign_cli.dispatch.waiting import Troubles, first, never
from campaign_cli.errors import LedgerError

if TYPE_CHECKING:
    from campaign_cli.dispatch.engine import Dispatcher
    from campaign_cli.dispatch.outcome import Outcome

_CLAIM_SECONDS: Final = 0.03  # between two claims: each keeps every other process from writing for a moment
_LOOK_SECONDS: Final = 0.5  # between two looks at what became of the keys in hand, and for a place that became free
_FREE_SECONDS: Final = 0.1  # the same while nothing is on the wire here: others may have taken every place
_IDLE_SECONDS: Final = 2.0  # between two looks at accounts.yaml


class Taken:
    """A key in hand. ``over`` is set when its job has ended, with ``back`` when another worker is to take it."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self.back = False


class Hand:
    """The keys that this worker has been given, each with its jobs; ``wake`` is called when one comes."""

    def __init__(self) -> None:
        self.wake: Callable[[], None] = _nothing
        self._taken: dict[str, list[Taken]] = {}
        self._closed = False

    @property
    def keys(self) -> frozenset[str]:
        """What is in hand."""
        return frozenset(self._taken)

    @property
    def accounts(self) -> frozenset[str]:
        """The accounts of what is in hand."""
        return frozenset(key.rsplit("/", 1)[-1] for key in self._taken)

    @contextmanager
    def take(self, key: str) -> Iterator[Taken]:
        """Hold a key until its job is over, or until the context is left."""
        taken = Taken()
        self._taken.setdefault(key, []).append(taken)
        if self._closed:
            self.end([key], back=True)
        self.wake()
        try:
            yield taken
        finally:
            others = [one for one in self._taken.pop(key, []) if one is not taken]
            if others:
                self._taken[key] = others

    def end(self, keys: Collection[str], *, back: bool = False) -> None:
        """Their jobs are done, or another worker is to take them."""
        for key in keys:
            for taken in self._taken.pop(key, []):
                taken.back = back
                taken.over.set()

    def close(self, *, keep: Collection[str] = ()) -> None:
        """Take no more: what comes goes back, and so does what is here, but for what is to be kept for a while."""
        self._closed = True
        self.end(self.keys - set(keep), back=True)


async def work(
    dispatcher: Dispatcher,
    *,
    hand: Hand,
    troubles: Troubles,
    stop: asyncio.Event,
    outdated: Callable[[], bool] = never,
) -> Outcome:
    """Send for the keys in hand until ``stop``; then what was not begun goes back, and what is on the wire ends first.

    ``outdated`` as in ``clock.run_forever``: the keys stay in hand for the next dispatcher. Closes the dispatcher.
    Trouble with the ledger is waited for; raises LedgerError when it comes while the last ones end.
    """
    dispatcher.accounts = ()
    hand.wake = dispatcher.changed.set
    looking = _Looking(dispatcher, hand, troubles)
    try:
        while not (stop.is_set() or outdated()):
            dispatcher.changed.clear()
            try:
                started = await looking.pump()
            except LedgerError as error:
                await troubles.met(error, stop)
                continue
            if not started:
                await first(stop.wait(), dispatcher.changed.wait(), asyncio.sleep(looking.pause()))
        if stop.is_set():
            hand.close(keep=dispatcher.in_hand())
        await dispatcher.finish()
        if stop.is_set():
            hand.end(hand.keys)
    finally:
        hand.wake = _nothing
        await dispatcher.close()
    return dispatcher.outcome


class Serve(Protocol):
    """Fills the hand until it is told to stop; ``jobs.serve`` over one pair of connections."""

    async def __call__(self, *, connected: Callable[[], None]) -> None:
        """Calls ``connected`` once it can work. Raises LedgerError when the connection is lost."""


async def keep_serving(serve: Serve, *, hand: Hand, troubles: Troubles, stop: asyncio.Event) -> None:
    """Serve until ``stop``, again and again when the connection is lost.

    Whatever else it raises sets ``stop``: a worker that isn't handed anything any more must not seem to work.
    """
    try:
        while not stop.is_set():
            try:
                await serve(connected=troubles.over)
            except LedgerError as error:
                hand.wake()
                await troubles.met(error, stop)
    finally:
        stop.set()


class _Looking:
    """Claims for the accounts of the keys in hand, and lets go of keys that nothing is to be done about."""

    def __init__(self, dispatcher: Dispatcher, hand: Hand, troubles: Troubles) -> None:
        self._dispatcher = dispatcher
        self._troubles = troubles
        self._hand = hand
        self._looked = self._claimed = -_LOOK_SECONDS

    async def pump(self) -> int:
        """The number of deliveries started. Raises LedgerError."""
        if not self._hand.keys:
            return 0
        time = asyncio.get_running_loop().time
        await asyncio.sleep(self._claimed + _CLAIM_SECONDS - time())
        self._dispatcher.accounts = self._hand.accounts
        started = await self._dispatcher.pump()
        self._troubles.over()
        now = self._claimed = time()
        if now - self._looked >= _LOOK_SECONDS:
            self._looked = now
            await self._let_go()
        return started

    def pause(self) -> float:
        """Seconds until it is worth looking again, if nobody wakes it."""
        if not self._hand.keys:
            return _IDLE_SECONDS
        return _LOOK_SECONDS if self._dispatcher.busy else _FREE_SECONDS

    async def _let_go(self) -> None:
        keys, dispatcher = self._hand.keys, self._dispatcher
        ready = await dispatcher.thread.call(dispatcher.ledger.ready, per_account=PER_ACCOUNT, patience=PATIENCE)
        self._hand.end(keys - {one.key for one in ready} - set(dispatcher.in_hand()))


def _nothing() -> None:
    """Nobody to wake."""
