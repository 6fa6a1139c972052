"""One pass over what is due, or one night of it; and what would go, as a pure reading of the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from campaign_cli.dispatch.engine import Dispatcher
from campaign_cli.dispatch.outcome import Outcome, Result
from campaign_cli.dispatch.waiting import first, never
from campaign_cli.errors import LedgerError
from campaign_cli.i18n import _
from campaign_cli.models import State

if TYPE_CHECKING:
    from campaign_cli.ledger import Delivery, Ledger

_LISTED: Final = 100_000
_LOOK_PATIENCE: Final = timedelta(seconds=5)  # a single pass stays for the first look-up of what it sent, not for more
_POLL: Final = timedelta(seconds=5)  # how soon a night's pass notices what was queued, released or retried
_SHORTEST: Final = timedelta(seconds=1)  # between two claims that nothing new calls for


async def publish_pass(
    dispatcher: Dispatcher,
    *,
    until: datetime | None = None,
    stop: asyncio.Event | None = None,
    outdated: Callable[[], bool] = never,
) -> Outcome:
    """Send what is due and end; with ``until`` (aware), stay and send what falls due up to then.

    A single pass waits only for what it began itself: the first look-up of an answer that was lost, and the spacing of
    an account with a rate. ``stop`` lets what is on the wire end and starts nothing more; so does ``outdated``, asked
    before every claim: the accounts are not the dispatcher's any more. Closes the dispatcher. Raises LedgerError, after
    everything on the wire has ended.
    """
    try:
        await _pump(dispatcher, until=until, stop=stop or asyncio.Event(), outdated=outdated)
        await dispatcher.finish()
        await _note_held(dispatcher)
        await _note_kept(dispatcher)
        await _note_resting(dispatcher)
        await dispatcher.tell()
    finally:
        await dispatcher.close()
    return dispatcher.outcome


def would_go(
    ledger: Ledger, *, now: datetime, until: datetime | None = None, late_grace: timedelta = timedelta.max
) -> list[Delivery]:
    """What a pass at ``now`` (or one that stays ``until`` then) would send, soonest first. Reads and changes nothing.

    What is held, not approved, or so late that it would be missed is left out.
    """
    end = max(now, until) if until is not None else now
    wakes = dict(ledger.upcoming(until=end, limit=_LISTED))
    found = [
        delivery for delivery in ledger.deliveries(keys=wakes) if delivery.begun or now - delivery.due <= late_grace
    ]
    return sorted(found, key=lambda delivery: wakes[delivery.key])


async def _pump(
    dispatcher: Dispatcher, *, until: datetime | None, stop: asyncio.Event, outdated: Callable[[], bool]
) -> None:
    """Claim and send until nothing is left to do."""
    try:
        while not (stop.is_set() or outdated()):
            dispatcher.changed.clear()
            if await dispatcher.pump() or dispatcher.changed.is_set():  # a place became free while it was claiming
                continue
            wake = await _next_wake(dispatcher, until=until)
            if dispatcher.busy:
                await _changed_or(dispatcher, wake, stop)
            elif wake is None:
                return
            else:
                await _sleep_until(dispatcher, wake, stop)
    except LedgerError:
        with suppress(LedgerError):
            await dispatcher.finish()
        raise


async def _next_wake(dispatcher: Dispatcher, *, until: datetime | None) -> datetime | None:
    """When to claim again; None when there is nothing left to wait for."""
    now = dispatcher.clock()
    own = await _own_wake(dispatcher)
    if until is None:
        return own
    thread, ledger = dispatcher.thread, dispatcher.ledger
    coming = await thread.call(ledger.next_wake)
    wakes = [max(wake, now + _SHORTEST) for wake in (own, coming) if wake is not None]
    if not dispatcher.busy:
        dispatcher.progress.sleeping(coming if coming is not None and coming <= until else None)
    if dispatcher.options.lockstep:
        return min([wake for wake in wakes if wake <= until], default=None)
    # In real time others may queue, release or retry meanwhile: stay to the end, and look again and again.
    return min([*wakes, now + _POLL, until]) if now < until else None


async def _own_wake(dispatcher: Dispatcher) -> datetime | None:
    """When this pass has something to do that it began itself."""
    own = dispatcher.next_look()
    wakes = [own] if own is not None and own - dispatcher.clock() <= _LOOK_PATIENCE else []
    if dispatcher.spaced:
        accounts = await dispatcher.thread.call(dispatcher.ledger.due_accounts)
        wakes += [at for account, at in dispatcher.spaced.items() if account in accounts]
    return min(wakes, default=None)


async def _changed_or(dispatcher: Dispatcher, wake: datetime | None, stop: asyncio.Event) -> None:
    """Wait until a place is free or it is time; in lockstep, time stands still while something is on the wire."""
    waits: list[Awaitable[Any]] = [dispatcher.changed.wait(), stop.wait()]
    if wake is not None and not dispatcher.options.lockstep:
        waits.append(_until(dispatcher, wake))
    await first(*waits)


async def _sleep_until(dispatcher: Dispatcher, wake: datetime, stop: asyncio.Event) -> None:
    await first(_until(dispatcher, wake), stop.wait())


async def _until(dispatcher: Dispatcher, wake: datetime) -> None:
    await dispatcher.sleep(max((wake - dispatcher.clock()).total_seconds(), 0.0))


async def _note_held(dispatcher: Dispatcher) -> None:
    """What is due and held belongs to the outcome, too."""
    holds = await dispatcher.thread.call(dispatcher.ledger.holds)
    if not holds:
        return
    only = dispatcher.options.only
    for delivery in await dispatcher.thread.call(dispatcher.ledger.late_after_release, [hold.id for hold in holds]):
        if only is None or delivery.key in only:
            result = Result(key=delivery.key, state=State.WAITING, error=_("Held: see campaign hold."), held=True)
            dispatcher.note(result)


async def _note_kept(dispatcher: Dispatcher) -> None:
    """So does what is due and lacks an approval, or is under embargo."""
    only = dispatcher.options.only
    known = dispatcher.outcome.held_keys
    for delivery in await dispatcher.thread.call(dispatcher.ledger.due_and_kept):
        if delivery.key not in known and (only is None or delivery.key in only):
            over = delivery.embargo is not None and delivery.embargo <= dispatcher.clock()  # by our clock alone
            error = delivery.error if over else _("It is under embargo.")
            if not delivery.approved:
                error = _("It is not approved: {n} of {needed} approvals.").format(
                    n=len(delivery.approvals), needed=delivery.approval
                )
            dispatcher.note(Result(key=delivery.key, state=State.WAITING, error=error, held=True))


async def _note_resting(dispatcher: Dispatcher) -> None:
    """So does what is due and waits because its account rests; said once for each account."""
    only = dispatcher.options.only
    for key, rest in (await dispatcher.thread.call(dispatcher.ledger.due_at_rest)).items():
        if only is None or key in only:
            sentence = dispatcher.health.tell(key.rsplit("/", 1)[-1], rest)
            result = Result(key=key, state=State.WAITING, error=sentence, credential=rest.credential)
            dispatcher.outcome.record(result)
