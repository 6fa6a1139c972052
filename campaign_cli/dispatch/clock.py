"""The long-running scheduler: APScheduler, in memory, is the alarm queue of what falls due next. Its only importer.

One alarm for each delivery that falls due within ``WINDOW``, carrying only its key; it wakes the pump, and the pump
claims from the ledger in batches. A tick refills the window. It also sees what no alarm rings for: what another process
queued, released or left behind, and what became overdue while the machine slept.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from campaign_cli.dispatch.engine import Dispatcher
from campaign_cli.dispatch.outcome import Outcome
from campaign_cli.dispatch.waiting import Troubles, first, never
from campaign_cli.errors import LedgerError

if TYPE_CHECKING:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

WINDOW: Final = timedelta(seconds=60)
ALARMS: Final = 1_000
TICK_SECONDS: Final = 1.0
_SWEEP_SECONDS: Final = 10.0  # between two claims that nothing has called for
_NOTICE_SECONDS: Final = 15.0
_OWN: Final = "own look-up"  # no delivery's key: those hold slashes

logger = logging.getLogger(__name__)


async def run_forever(
    dispatcher: Dispatcher,
    *,
    stop: asyncio.Event,
    outdated: Callable[[], bool] = never,
    pump: Callable[[], Awaitable[int]] | None = None,
    patient: bool = False,
) -> Outcome:
    """Send everything at its minute until ``stop`` is set; then let what is on the wire end, and write it down.

    ``outdated``, asked before every claim, ends it as well: the accounts are not the dispatcher's any more. ``pump`` is
    what to do whenever something falls due, in place of the dispatcher's own. Closes the dispatcher. Raises LedgerError
    when the ledger can't be used for a minute, unless ``patient``.
    """
    alarms = Alarms(dispatcher)
    troubles = Troubles(dispatcher.progress.warned, patient=patient)
    try:
        if pump is None:
            dispatcher.make_ready()
        alarms.start()
        try:
            while not (stop.is_set() or outdated()):
                await _pump(dispatcher, pump or dispatcher.pump, stop=stop, troubles=troubles)
        finally:
            await alarms.stop()
        await dispatcher.finish()
        await dispatcher.tell()
    finally:
        await dispatcher.close()
    return dispatcher.outcome


async def _pump(
    dispatcher: Dispatcher, pump: Callable[[], Awaitable[int]], *, stop: asyncio.Event, troubles: Troubles
) -> None:
    dispatcher.changed.clear()
    try:
        started = await pump()
    except LedgerError as error:
        await troubles.met(error, stop)
        return
    troubles.over()
    if not started:
        await first(stop.wait(), dispatcher.changed.wait())


class Alarms:
    """The rolling window of alarms over the ledger."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._scheduler = _scheduler()
        self._set: dict[str, datetime] = {}
        self._overdue: set[str] = set()
        self._counter: int | None = None
        self._swept = self._told = _monotonic()
        self._next = dispatcher.clock()  # the instant that was last shown as the next one
        self._ticking: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to tick."""
        self._scheduler.start()
        self._ticking = asyncio.create_task(self._tick())

    async def stop(self) -> None:
        """No alarm rings after this."""
        if self._ticking is not None:
            self._ticking.cancel()
            with suppress(asyncio.CancelledError):
                await self._ticking
        self._scheduler.remove_all_jobs()
        self._scheduler.shutdown(wait=False)
        await asyncio.sleep(0)  # APScheduler hands its shutdown to the event loop
        if self._telling is not None:
            await self._telling

    async def _tick(self) -> None:
        """Look again and again, on a clock that nobody sets.

        APScheduler goes by the wall clock: where that is set back by an hour, its next tick would be an hour away.
        """
        while True:
            try:
                await self._look()
            except Exception:
                logger.exception("A tick of the scheduler failed")
            await asyncio.sleep(TICK_SECONDS)

    async def _look(self) -> None:
        """Refill the window, and wake the pump for what no alarm rings for."""
        dispatcher = self._dispatcher
        now = dispatcher.clock()
        try:
            counter = await dispatcher.thread.call(dispatcher.ledger.change_counter)
            coming = await dispatcher.thread.call(dispatcher.ledger.upcoming, until=now + WINDOW, limit=ALARMS)
        except LedgerError:
            dispatcher.changed.set()  # the pump finds out for itself, and tells it
            return
        overdue = {key for key, wake in coming if wake <= now}
        self._refill({key: wake for key, wake in coming if wake > now})
        called = counter != self._counter or overdue - self._overdue or len(coming) >= ALARMS or now >= self._next
        if called or _monotonic() - self._swept >= _SWEEP_SECONDS:
            self._swept = _monotonic()
            dispatcher.changed.set()
        if counter != self._counter or now >= self._next:
            await self._show_next()
        self._counter, self._overdue = counter, overdue
        self._tell()

    async def _show_next(self) -> None:
        """Say when the next one falls due; asked again when the ledger has changed, or when that instant is over."""
        dispatcher = self._dispatcher
        now = dispatcher.clock()
        try:
            coming = await dispatcher.thread.call(dispatcher.ledger.next_wake)
        except LedgerError:
            return  # the pump tells it
        self._next = coming or datetime.max.replace(tzinfo=UTC)
        if coming is None or coming > now:
            dispatcher.progress.sleeping(coming)

    def _refill(self, wanted: dict[str, datetime]) -> None:
        """Make the alarms those of ``wanted``."""
        own = [at for at in (self._dispatcher.next_look(), *self._dispatcher.spaced.values()) if at is not None]
        if own:
            wanted[_OWN] = min(own)
        for key in self._set.keys() - wanted.keys():
            del self._set[key]
            if self._scheduler.get_job(key) is not None:  # it may have rung already
                self._scheduler.remove_job(key)
        for key, wake in wanted.items():
            if self._set.get(key) != wake:
                self._set[key] = wake
                self._alarm(key, wake)

    def _alarm(self, key: str, wake: datetime) -> None:
        from apscheduler.triggers.date import DateTrigger

        # APScheduler reads the machine's clock; the distance is taken on ours.
        at = datetime.now(UTC) + (wake - self._dispatcher.clock())
        self._scheduler.add_job(self._ring, DateTrigger(at), args=(key,), id=key, replace_existing=True)

    async def _ring(self, key: str) -> None:
        """Something falls due now: the pump asks the ledger what."""
        self._set.pop(key, None)
        self._dispatcher.changed.set()

    def _tell(self) -> None:
        """Notices go out beside the sending, never before it."""
        if _monotonic() - self._told >= _NOTICE_SECONDS and (self._telling is None or self._telling.done()):
            self._told = _monotonic()
            self._telling = asyncio.create_task(self._dispatcher.tell())


def _scheduler() -> AsyncIOScheduler:
    """In memory, in UTC; an alarm is never too late to ring: lateness is the ledger's to judge."""
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it logs every alarm
    return AsyncIOScheduler(
        timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
    )


def _monotonic() -> float:
    """Seconds that go on evenly, whatever the wall clock is set to."""
    return asyncio.get_running_loop().time()
