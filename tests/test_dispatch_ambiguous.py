"""A transaction was written and its answer got lost: the connection to the ledger broke in that moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from dispatch_helpers import Table
from ledger_helpers import Bench, make

from campaign_cli.dispatch.desk import LedgerThread
from campaign_cli.dispatch.engine import Dispatcher
from campaign_cli.dispatch.publish import publish_pass
from campaign_cli.dispatch.settling import Settler
from campaign_cli.errors import LedgerError
from campaign_cli.ledger import Claim, Claimed, Settlement
from campaign_cli.models import State


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def losing(method: Callable[..., Any], *, answers: int = 1) -> Callable[..., Any]:
    """The method, whose first answers are lost after it has done its work."""
    lost = [True] * answers

    def call(*arguments: Any, **options: Any) -> Any:
        result = method(*arguments, **options)
        if lost:
            lost.pop()
            raise LedgerError("The connection was lost.")
        return result

    return call


async def pumped(dispatcher: Dispatcher) -> None:
    """A scheduler meets the trouble once, and goes on."""
    with pytest.raises(LedgerError, match="lost"):
        await dispatcher.pump()
    while await dispatcher.pump() or dispatcher.busy:
        await asyncio.sleep(0)
    await dispatcher.finish()
    await dispatcher.close()


def test_a_claim_that_never_reached_its_worker_is_recalled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the lost claim took was never sent: the same worker sends it at once, once, and nothing is in doubt."""
    table = Table(tmp_path)
    keys = [table.queue(f"p{number}") for number in range(7)]
    monkeypatch.setattr(table.ledger, "claim", losing(table.ledger.claim))
    asyncio.run(pumped(table.dispatcher()))
    assert sorted(table.remote.texts()) == [f"Text of p{number}" for number in range(7)]
    assert {table.state(key) for key in keys} == {"published"}
    assert table.remote.looks == 0


def test_a_claim_of_another_worker_is_never_recalled(bench: Bench) -> None:
    """Only a worker itself knows what never reached it."""
    bench.queue(make("c/p/a"), make("c/q/a"))
    bench.claim_one(worker="w1", limit=1)
    assert [claim.key for claim in bench.claim(worker="w2", recall=True).claims] == ["c/q/a"]


def test_what_is_in_hand_is_not_recalled(bench: Bench) -> None:
    """What the worker is sending stays with it; only the rest waits again, under a new token, as if untried."""
    bench.queue(make("c/p/a"), make("c/q/a"))
    taken = {claim.key: claim for claim in bench.claim().claims}
    again = bench.claim(recall=True, in_hand=["c/p/a"])
    (claim,) = again.claims
    assert (claim.key, claim.attempts) == ("c/q/a", 1)
    assert claim.token > taken["c/q/a"].token
    assert not bench.publish(taken["c/q/a"])
    assert bench.publish(taken["c/p/a"])


def test_what_was_sent_and_could_not_be_written_is_never_recalled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ledger that is away for long when an answer comes: the post is looked up after its lease, not sent again."""
    table = Table(tmp_path)
    key = table.queue("a")
    monkeypatch.setattr("campaign_cli.dispatch.settling._PATIENCE", ())
    settle, claim = table.ledger.settle, table.ledger.claim

    def away(*_arguments: Any, **_options: Any) -> Any:
        raise LedgerError("The connection was lost.")

    async def scenario() -> None:
        dispatcher = table.dispatcher()
        monkeypatch.setattr(table.ledger, "settle", away)
        await dispatcher.pump()
        while dispatcher.busy:
            await asyncio.sleep(0)
        monkeypatch.setattr(table.ledger, "claim", losing(claim))
        for _trouble in range(2):
            with pytest.raises(LedgerError, match="lost"):
                await dispatcher.pump()
        monkeypatch.setattr(table.ledger, "settle", settle)
        await dispatcher.pump()
        while dispatcher.busy:  # what had been recalled would be on its way again
            await asyncio.sleep(0)
        assert table.state(key) == "sending"
        await dispatcher.close()

    asyncio.run(scenario())
    assert len(table.remote.log) == 1


def test_a_settlement_whose_answer_got_lost_is_written_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second try finds it written: published, told once, and nobody is called to look."""
    table = Table(tmp_path)
    key = table.queue("a")
    monkeypatch.setattr("campaign_cli.dispatch.settling._PATIENCE", (0, 0))
    monkeypatch.setattr(table.ledger, "settle", losing(table.ledger.settle))
    outcome = asyncio.run(publish_pass(table.dispatcher()))
    assert (outcome.published, outcome.uncertain) == (1, 0)
    assert table.state(key) == "published"
    assert len([event for event in table.ledger.events(key=key) if event.kind == "published"]) == 1


@pytest.mark.parametrize("state", [State.PUBLISHED, State.WAITING, State.FAILED, State.UNCERTAIN])
def test_the_same_settlement_again_counts_as_written(bench: Bench, state: State) -> None:
    """Whatever it says, the second time it finds the row as it would write it."""
    claim = claimed(bench)
    options = {
        State.PUBLISHED: {"receipt": bench.receipt("1")},
        State.WAITING: {"error": "No route.", "next_try": bench.clock()},
        State.FAILED: {"error": "Too long."},
        State.UNCERTAIN: {"error": "Reset.", "next_try": bench.clock()},
    }[state]
    assert bench.settle(claim, state, **options)
    assert bench.settle(claim, state, **options)
    found = bench.ledger.delivery(claim.key)
    assert found is not None
    assert (found.state, len(found.receipts)) == (state, int(state is State.PUBLISHED))


def test_another_settlement_of_an_old_claim_still_counts_for_nothing(bench: Bench) -> None:
    """Another proof, another reason or another claim is no repetition."""
    claim = claimed(bench)
    assert bench.settle(claim, State.WAITING, error="No route.")
    assert not bench.settle(claim, State.WAITING, error="Another.")
    assert not bench.settle(claim, State.FAILED, error="No route.")
    newer = bench.claim_one()
    assert not bench.settle(claim, State.WAITING, error="No route.")
    assert bench.publish(newer, remote_id="1")
    assert not bench.publish(newer, remote_id="2")


def claimed(bench: Bench) -> Claim:
    bench.queue(make())
    return bench.claim_one()


@pytest.mark.parametrize("written", [True, False])
def test_a_receipt_that_could_not_be_kept_is_not_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    """In the middle of a thread the ledger breaks off: the proof is in our hands, and the thread goes on after it."""
    table = Table(tmp_path)
    key = table.queue("thread", "one", "two", "three")
    keep = losing(table.ledger.keep_receipt)
    if not written:
        lost = [True]

        def keep(*arguments: Any) -> None:  # type: ignore[misc]
            if lost:
                lost.pop()
                raise LedgerError("Locked.")
            type(table.ledger).keep_receipt(table.ledger, *arguments)

    monkeypatch.setattr(table.ledger, "keep_receipt", keep)
    asyncio.run(publish_pass(table.dispatcher()))
    assert table.remote.texts() == ["one", "two", "three"]
    assert [post["after"] for post in table.remote.posts["web"]] == [[], ["1"], ["1", "2"]]
    assert table.state(key) == "published"
    assert table.remote.looks == 0


def test_a_claim_that_may_have_been_written_is_said_again_when_the_outcomes_fail() -> None:
    """Where neither the shared visit nor the outcomes alone succeed, the claim that follows is said to be a repeat."""
    asked: list[bool] = []

    class Broken:
        def settle_and_claim(self, _settlements: object, _order: object) -> None:
            raise LedgerError("gone during the commit")

        def settle(self, _settlements: object) -> None:
            raise ValueError("torn")

        def claim(self, *, again: bool) -> Claimed:
            asked.append(again)
            return Claimed()

    async def both() -> list[object]:
        thread = LedgerThread(cast(Any, Broken()))
        settler = Settler(thread)
        outcome = Settlement(key="c/p/a", token=1, state=State.WAITING)
        ends = await asyncio.gather(
            settler.settle(outcome), settler.claim(lambda again: {"again": again}), return_exceptions=True
        )
        thread.close()
        return ends

    settled, claimed = asyncio.run(both())
    assert isinstance(settled, ValueError)
    assert claimed == Claimed()
    assert asked == [True]
