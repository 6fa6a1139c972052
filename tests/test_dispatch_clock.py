"""The long-running scheduler: alarms from the ledger, what other processes change, and a clean stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dispatch_helpers import Table

from campaign_cli.dispatch import clock as clock_module
from campaign_cli.dispatch import waiting
from campaign_cli.dispatch.clock import run_forever
from campaign_cli.dispatch.outcome import Outcome
from campaign_cli.errors import LedgerError
from campaign_cli.models import State
from campaign_cli.platforms.base import Proof


class RealTime:
    """The machine's clock, in the shape of the compressed one."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def real_table(root: Path, *accounts: str, **options: Any) -> Table:
    table = Table(root, *accounts, **options)
    table.clock = table.remote.clock = RealTime()  # type: ignore[assignment]
    table.ledger.close()
    table.ledger = table.open()
    return table


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.02)


async def running(table: Table, during: Callable[[], Any], **options: Any) -> Outcome:
    """Run until ``during`` has ended, then stop."""
    stop = asyncio.Event()
    run = asyncio.create_task(run_forever(table.dispatcher(lockstep=False, **options), stop=stop))
    try:
        await during()
    finally:
        stop.set()
        outcome = await run
    return outcome


def test_each_goes_out_when_it_falls_due(tmp_path: Path) -> None:
    """What is due goes at once, what falls due meanwhile at its instant, what lies ahead not at all."""
    table = real_table(tmp_path)
    now = table.clock.now()
    table.queue("now", due=now)
    table.queue("soon", due=now + timedelta(seconds=0.7))
    table.queue("far", due=now + timedelta(hours=1))

    async def during() -> None:
        await until(lambda: len(table.remote.texts()) == 2)

    outcome = asyncio.run(running(table, during))
    assert table.remote.texts() == ["Text of now", "Text of soon"]
    assert outcome.published == 2
    sent_at = table.remote.log[1][0]
    assert sent_at >= now + timedelta(seconds=0.7)
    assert table.state("upah/far/web") == "waiting"


def test_what_another_process_queues_is_noticed(tmp_path: Path) -> None:
    """A post that another process queues while we sleep goes out."""
    table = real_table(tmp_path)
    table.queue("far", due=table.clock.now() + timedelta(hours=1))

    async def during() -> None:
        await asyncio.sleep(0.3)
        with table.open() as other:
            mine, table.ledger = table.ledger, other
            table.queue("new", due=table.clock.now())
            table.ledger = mine
        await until(lambda: bool(table.remote.texts()))

    asyncio.run(running(table, during))
    assert table.remote.texts() == ["Text of new"]


def test_a_released_hold_lets_it_go(tmp_path: Path) -> None:
    """A hold that another process opened keeps it back; its release is noticed."""
    table = real_table(tmp_path)
    hold = table.ledger.hold(reason="tunggu", actor="sekjen")
    table.queue("a", due=table.clock.now())

    async def during() -> None:
        await asyncio.sleep(1.2)
        assert table.remote.log == []
        with table.open() as other:
            other.release([hold.id], actor="sekjen")
        await until(lambda: bool(table.remote.texts()))

    asyncio.run(running(table, during))
    assert table.remote.texts() == ["Text of a"]


def test_a_stop_lets_what_is_on_the_wire_end(tmp_path: Path) -> None:
    """Stopped in the middle of an answer: the answer is awaited and written down, and nothing new begins."""
    table = real_table(tmp_path)
    now = table.clock.now()
    first = table.queue("a", due=now, position=0)
    second = table.queue("b", due=now, position=1)
    stop, leave = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        stop.set()
        await leave.wait()

    table.remote.script.append(slow)

    async def scenario() -> Outcome:
        run = asyncio.create_task(run_forever(table.dispatcher(lockstep=False, per_account=1), stop=stop))
        await stop.wait()
        await asyncio.sleep(0.2)
        assert not run.done()
        leave.set()
        return await run

    outcome = asyncio.run(scenario())
    assert outcome.published == 1
    assert (table.state(first), table.state(second)) == ("published", "waiting")


def test_a_lost_answer_is_settled_while_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost answer is looked up without anybody asking."""
    table = real_table(tmp_path)
    key = table.queue("a", due=table.clock.now())
    table.remote.script.append("drop")

    async def during() -> None:
        await until(lambda: any(result.state is State.PUBLISHED for result in table.seen.results))

    outcome = asyncio.run(running(table, during))
    assert (outcome.published, outcome.uncertain, table.state(key)) == (1, 0, "published")
    assert table.remote.texts() == ["Text of a"]


def test_a_retry_is_not_forgotten(tmp_path: Path) -> None:
    """What could not be reached is tried again at its next try."""
    table = real_table(tmp_path)
    table.queue("a", due=table.clock.now())
    table.remote.script.extend(["down"])

    async def during() -> None:
        await until(lambda: bool(table.remote.texts()))

    assert asyncio.run(running(table, during)).published == 1


def test_notices_go_out_beside_the_sending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure is told while the run goes on, once."""
    monkeypatch.setattr(clock_module, "_NOTICE_SECONDS", 0.0)
    table = real_table(tmp_path, proof=Proof(look_up=False))
    key = table.queue("a", due=table.clock.now())
    table.remote.script.append("refuse")

    async def during() -> None:
        await until(lambda: bool(table.told.notices))
        await asyncio.sleep(1.2)

    asyncio.run(running(table, during))
    assert [notice.key for notice in table.told.notices] == [key]


def test_many_at_one_instant_all_go(tmp_path: Path) -> None:
    """Two hundred alarms at one instant send two hundred posts, each once."""
    table = real_table(tmp_path, *[f"a{number}" for number in range(10)])
    due = table.clock.now() + timedelta(seconds=1.5)
    for number in range(200):
        table.queue(f"p{number}", account=f"a{number % 10}", due=due)

    async def during() -> None:
        await until(lambda: len(table.remote.log) >= 200)

    outcome = asyncio.run(running(table, during))
    assert outcome.published == 200
    assert len(table.remote.log) == 200
    assert min(at for at, _account, _text in table.remote.log) >= due


def test_passing_trouble_with_the_ledger_does_not_end_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger that is locked for a moment is a warning; one that stays unusable ends the run with its error."""
    monkeypatch.setattr(waiting, "WAITS", (0.01,) * 10)
    table = real_table(tmp_path)
    table.queue("a", due=table.clock.now())
    dispatcher = table.dispatcher(lockstep=False)
    claim = dispatcher.ledger.claim
    failures = [LedgerError("Locked."), LedgerError("Locked.")]

    def locked(**arguments: Any) -> Any:
        if failures:
            raise failures.pop()
        return claim(**arguments)

    dispatcher.ledger.claim = locked  # type: ignore[method-assign]

    async def scenario() -> None:
        stop = asyncio.Event()
        run = asyncio.create_task(run_forever(dispatcher, stop=stop))
        await until(lambda: bool(table.remote.texts()))
        stop.set()
        await run

    asyncio.run(scenario())
    assert table.seen.warnings == ["Locked.", "The ledger can be used again."]
    failures.extend(LedgerError("Gone.") for _number in range(99))
    with pytest.raises(LedgerError, match="Gone"):
        asyncio.run(run_forever(table.dispatcher(lockstep=False), stop=asyncio.Event()))
