"""Handing over and working, over a scripted network: pgqueuer itself is tried in tests/real/test_workers.py."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import Campaign
from dispatch_helpers import Table

from campaign_cli.dispatch.engine import Dispatcher
from campaign_cli.dispatch.handover import PATIENCE, PER_ACCOUNT, Handover
from campaign_cli.dispatch.outcome import Outcome
from campaign_cli.dispatch.waiting import Troubles, first
from campaign_cli.dispatch.worker import Hand, Taken, keep_serving, work
from campaign_cli.errors import LedgerError
from campaign_cli.ledger import Ready


class RealTime:
    """The machine's clock, in the shape of the compressed one."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    made = Table(tmp_path, "web", "baru")
    made.clock = made.remote.clock = RealTime()  # type: ignore[assignment]
    made.ledger.close()
    made.ledger = made.open()
    yield made
    made.ledger.close()


class Kept:
    """A job queue that keeps what it is given, as pgqueuer does: one job for each key and revision."""

    def __init__(self) -> None:
        self.jobs: dict[tuple[str, int], str] = {}
        self.tidied = 0

    async def put(self, due: Sequence[Ready]) -> None:
        for one in due:
            self.jobs.setdefault((one.key, one.revision), one.key)

    async def tidy(self) -> None:
        self.tidied += 1


def handed(table: Table, queue: Kept, *, clocks: int = 1) -> list[str]:
    """What so many clocks hand over, each once."""

    async def look() -> None:
        for _number in range(clocks):
            dispatcher = table.dispatcher(lockstep=False)
            await Handover(dispatcher, queue).pump()
            await dispatcher.close()

    asyncio.run(look())
    return list(queue.jobs.values())


def working(
    dispatcher: Dispatcher, hand: Hand, during: Callable[[asyncio.Event], Coroutine[Any, Any, None]]
) -> Outcome:
    """A worker that works until ``during`` is over."""

    async def scenario() -> Outcome:
        stop = asyncio.Event()
        troubles = Troubles(dispatcher.progress.warned, patient=True)
        task = asyncio.create_task(work(dispatcher, hand=hand, troubles=troubles, stop=stop))
        try:
            await asyncio.wait_for(during(stop), 20)
        finally:
            stop.set()
            outcome = await task
        return outcome

    return asyncio.run(scenario())


async def until(happened: Callable[[], bool]) -> None:
    while not happened():
        await asyncio.sleep(0.005)


def test_what_is_due_is_handed_over_once_in_order(table: Table) -> None:
    """Several clocks make one job for each delivery that is due, soonest first, and none for what is to come."""
    now = table.clock.now()
    keys = [table.queue(f"p{n}", due=now - timedelta(seconds=9 - n), position=n) for n in range(3)]
    table.queue("later", due=now + timedelta(hours=1))
    queue = Kept()
    assert handed(table, queue, clocks=3) == keys
    assert handed(table, queue) == keys


def test_what_waits_again_gets_a_new_job(table: Table) -> None:
    """After a claim the revision is another one, so that a job that was lost with its worker stands in nobody's way."""
    key = table.queue("a", due=table.clock.now())
    queue = Kept()
    handed(table, queue)
    arguments: dict[str, Any] = {"limit": 1, "per_account": 5, "late_grace": timedelta(hours=1)}
    claimed = table.ledger.claim(worker="w", lease=timedelta(0), **arguments)
    assert [claim.key for claim in claimed.claims] == [key]
    assert handed(table, queue) == [key, key]


def test_nothing_is_handed_over_that_nobody_may_send(table: Table) -> None:
    """What is held gets no job, nor does an account that rests for long; one that rests for a moment does."""
    now = table.clock.now()
    key = table.queue("a", due=now)
    other = table.queue("b", account="baru", due=now)
    table.ledger.hold(reason="Tunggu", actor="test", account="web")
    table.ledger.pause_account("fake:baru", now + PATIENCE * 10)
    assert handed(table, Kept()) == []
    table.ledger.release([hold.id for hold in table.ledger.holds()], actor="test", late={key: "now"})
    assert handed(table, Kept()) == [key]
    table.ledger.pause_account("fake:web", now + PATIENCE / 2)
    assert handed(table, Kept()) == [key]
    assert table.state(other) == "waiting"


def test_one_account_does_not_fill_the_queue(table: Table) -> None:
    """However much is due for one account, the others are handed over with it."""
    now = table.clock.now()
    for number in range(PER_ACCOUNT + 20):
        table.queue(f"p{number}", due=now - timedelta(minutes=1), position=number)
    last = table.queue("z", account="baru", due=now)
    keys = handed(table, Kept())
    assert len(keys) == PER_ACCOUNT + 1
    assert last in keys


def test_a_worker_sends_what_it_was_handed_and_nothing_else(table: Table) -> None:
    """The job of a key that was sent is over; an account of which nothing was handed over waits."""
    key = table.queue("a", due=table.clock.now())
    other = table.queue("b", account="baru", due=table.clock.now())
    hand = Hand()

    async def during(_stop: asyncio.Event) -> None:
        with hand.take(key) as taken:
            await taken.over.wait()
            assert not taken.back

    outcome = working(table.dispatcher(lockstep=False), hand, during)
    assert (outcome.published, table.state(key), table.state(other)) == (1, "published", "waiting")
    assert hand.keys == frozenset()


def test_the_ledger_keeps_the_order_whatever_key_comes_first(table: Table) -> None:
    """A worker that holds the last key of an account begins with the first one: nobody waits for another's hand."""
    now = table.clock.now()
    keys = [table.queue(f"p{n}", due=now - timedelta(seconds=1), position=n) for n in range(12)]
    hand = Hand()

    async def during(_stop: asyncio.Event) -> None:
        with hand.take(keys[-1]) as taken:
            await taken.over.wait()

    working(table.dispatcher(lockstep=False), hand, during)
    assert table.seen.order == keys


def test_a_key_that_another_process_took_is_let_go(table: Table) -> None:
    """Sent elsewhere, cancelled or held meanwhile: its job is over, and nothing is sent."""
    now = table.clock.now()
    sent, held = table.queue("a", due=now), table.queue("b", account="baru", due=now)
    arguments: dict[str, Any] = {"limit": 1, "per_account": 5, "late_grace": timedelta(hours=1)}
    table.ledger.claim(worker="w", lease=timedelta(minutes=1), keys=[sent], **arguments)
    table.ledger.hold(reason="Tunggu", actor="test", account="baru")
    hand = Hand()

    async def during(_stop: asyncio.Event) -> None:
        with hand.take(sent) as one, hand.take(held) as other:
            await one.over.wait()
            await other.over.wait()
            assert not (one.back or other.back)

    working(table.dispatcher(lockstep=False), hand, during)
    assert table.remote.log == []


def test_a_stop_gives_back_what_was_not_begun(table: Table) -> None:
    """What is on the wire ends and is settled; the other keys go to another worker, also those that come later."""
    now = table.clock.now()
    keys = [table.queue(f"p{n}", due=now, position=n) for n in range(8)]
    hand, gate = Hand(), asyncio.Event()
    ends: dict[str, bool] = {}

    async def hold_up() -> None:
        await gate.wait()

    table.remote.script.extend([hold_up] * 5)

    async def job(key: str) -> None:
        with hand.take(key) as taken:
            await taken.over.wait()
            ends[key] = taken.back

    async def during(stop: asyncio.Event) -> None:
        jobs = [asyncio.create_task(job(key)) for key in keys]
        await until(lambda: len(table.remote.log) == 5)
        stop.set()
        await until(lambda: len(ends) == 3)
        gate.set()
        await asyncio.gather(*jobs, job("upah/late/web"))

    outcome = working(table.dispatcher(lockstep=False), hand, during)
    assert outcome.published == 5
    assert ends == {key: number >= 5 for number, key in enumerate(keys)} | {"upah/late/web": True}


def test_trouble_with_the_ledger_is_said_once_and_waited_for(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is away for a while costs nothing but time."""
    monkeypatch.setattr("campaign_cli.dispatch.waiting.WAITS", (0.01,))
    key = table.queue("a", due=table.clock.now())
    dispatcher = table.dispatcher(lockstep=False)
    claim, failures = dispatcher.ledger.claim, [LedgerError("Away.") for _number in range(20)]

    def away(**arguments: Any) -> Any:
        if failures:
            raise failures.pop()
        return claim(**arguments)

    dispatcher.ledger.claim = away  # type: ignore[method-assign]
    hand = Hand()

    async def during(_stop: asyncio.Event) -> None:
        with hand.take(key) as taken:
            await taken.over.wait()

    assert working(dispatcher, hand, during).published == 1
    assert table.seen.warnings == ["Away.", "The ledger can be used again."]


def test_a_lost_connection_to_the_queue_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried until it works, with one sentence before and one after."""
    monkeypatch.setattr("campaign_cli.dispatch.waiting.WAITS", (0.01,))
    said: list[str] = []
    calls: list[int] = []

    async def scenario() -> None:
        stop = asyncio.Event()

        async def serve(*, connected: Callable[[], None]) -> None:
            calls.append(1)
            if len(calls) < 4:
                raise LedgerError("Away.")
            connected()
            stop.set()

        await keep_serving(serve, hand=Hand(), troubles=Troubles(said.append, patient=True), stop=stop)

    asyncio.run(scenario())
    assert said == ["Away.", "The ledger can be used again."]


def test_a_fault_of_the_queue_ends_the_worker() -> None:
    """A worker that isn't handed anything any more doesn't go on as if it were."""

    async def scenario() -> None:
        stop = asyncio.Event()

        async def serve(*, connected: Callable[[], None]) -> None:
            raise KeyError("bug")

        with pytest.raises(KeyError):
            await keep_serving(serve, hand=Hand(), troubles=Troubles(print, patient=True), stop=stop)
        assert stop.is_set()

    asyncio.run(scenario())


def test_two_jobs_of_one_key_are_two() -> None:
    """When the context of one is left, the other one stays in hand."""

    async def scenario() -> None:
        hand = Hand()
        with hand.take("c/p/a") as one:
            with hand.take("c/p/a"):
                pass
            assert hand.keys == {"c/p/a"}
            hand.end(hand.keys)
            await first(one.over.wait())
        assert hand.keys == frozenset()
        assert isinstance(one, Taken)

    asyncio.run(scenario())


@pytest.mark.sqlite
@pytest.mark.parametrize("words", [("run", "--engine", "pgqueuer"), ("worker",)])
def test_workers_need_a_shared_database(campaign: Campaign, words: Sequence[str]) -> None:
    """Without CAMPAIGN_DATABASE_URL it says what to do, and exits with 2."""
    assert campaign("init", ".").code == 0
    ran = campaign(*words)
    assert ran.code == 2
    assert "CAMPAIGN_DATABASE_URL is not set" in ran.err


def test_a_missing_extra_names_the_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pgqueuer isn't installed, the message says how to get it."""
    from campaign_cli.errors import MissingExtra

    monkeypatch.delitem(sys.modules, "campaign_cli.dispatch.jobs", raising=False)
    for name in [name for name in sys.modules if name.partition(".")[0] == "pgqueuer"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pgqueuer", None)
    with pytest.raises(MissingExtra) as caught:
        import campaign_cli.dispatch.jobs  # noqa: F401
    assert caught.value.fix == "pip install 'campaign-cli[postgres]'"
