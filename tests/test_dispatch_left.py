"""A network that proves nothing: it is on disk before the first byte that a request is about to leave."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from backends import place
from dispatch_helpers import START, Table
from ledger_helpers import Bench, make

from campaign_cli.dispatch.options import LEASE
from campaign_cli.dispatch.publish import publish_pass
from campaign_cli.models import Receipt, State
from campaign_cli.platforms.base import Proof

BLIND = Proof(look_up=False)

# Dies with SIGKILL at a point: a real process, nothing of it can tidy up.
DYING = """
import asyncio, json, os, signal, sys
from pathlib import Path
import dispatch_helpers
from dispatch_helpers import FakeHttp, FakePlatform, Table
from campaign_cli.dispatch.publish import publish_pass
from campaign_cli.platforms.base import Proof

def die(*_arguments, **_options):
    os.kill(os.getpid(), signal.SIGKILL)

root, point, where = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
dispatch_helpers.place = lambda _root: where
table = Table(root, proof=Proof(look_up=False))
if point == "claimed":
    FakePlatform.publish = die
elif point == "at the gate":
    type(table.ledger).let_leave = die
elif point == "leaving":
    FakeHttp.send = die
elif point == "second part":
    sent = FakeHttp.send
    async def send(self, request):
        return die() if request.json["text"] == "two" else await sent(self, request)
    FakeHttp.send = send
asyncio.run(publish_pass(table.dispatcher(worker="dead:9")))
"""


def publish(table: Table) -> None:
    asyncio.run(publish_pass(table.dispatcher()))


def killed(table: Table, point: str) -> None:
    """Let a process on the same ledger die at a point, and its lease run out."""
    where = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    ran = subprocess.run(
        [sys.executable, "-c", DYING, str(table.root), point, json.dumps(place(table.root))],
        env={**os.environ, "PYTHONPATH": where},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == -signal.SIGKILL, ran.stderr.decode()
    asyncio.run(table.clock.sleep(LEASE.total_seconds() + 1))


@pytest.mark.parametrize("point", ["claimed", "at the gate"])
def test_what_a_killed_process_had_not_sent_goes_out_without_a_person(tmp_path: Path, point: str) -> None:
    """Killed between the claim and the send: provably nothing left, so the posts simply wait again, and go out once."""
    table = Table(tmp_path, proof=BLIND)
    keys = [table.queue(f"p{number}") for number in range(5)]
    killed(table, point)
    publish(table)
    assert sorted(table.remote.texts()) == [f"Text of p{number}" for number in range(5)]
    assert {table.state(key) for key in keys} == {"published"}
    assert table.told.notices == []


def test_what_may_have_left_is_a_persons(tmp_path: Path) -> None:
    """Killed after the mark: nobody knows, and nothing is sent again."""
    table = Table(tmp_path, proof=BLIND)
    key = table.queue("a")
    killed(table, "leaving")
    publish(table)
    assert table.remote.texts() == []
    found = table.ledger.delivery(key)
    assert found is not None
    assert (found.state, found.next_try) == (State.UNCERTAIN, None)


def test_a_killed_thread_is_in_doubt_for_the_part_that_was_leaving_alone(tmp_path: Path) -> None:
    """Part one has its receipt; part two was leaving: a person decides about two, and one is not sent again."""
    table = Table(tmp_path, proof=BLIND)
    key = table.queue("thread", "one", "two", "three")
    killed(table, "second part")
    publish(table)
    found = table.ledger.delivery(key)
    assert found is not None
    assert (found.state, [one.part for one in found.receipts]) == (State.UNCERTAIN, [0])
    assert table.remote.texts() == []


@pytest.mark.parametrize(("proof", "begun"), [(BLIND, True), (BLIND, False), (Proof(look_up=True), False)])
def test_a_thread_between_two_parts_goes_on(tmp_path: Path, proof: Proof, begun: bool) -> None:
    """Died between two parts, with the first one's receipt kept: the second was never sent, and follows."""
    table = Table(tmp_path, proof=proof)
    key = table.queue("thread", "one", "two")
    claim = table.ledger.claim(
        worker="dead:9", limit=1, per_account=5, lease=LEASE, late_grace=timedelta(days=1), marked=["web"]
    ).claims[0]
    assert table.ledger.let_leave([(key, claim.token)]) == [None]
    table.ledger.keep_receipt(claim, Receipt(part=0, id="first", url=None, at=START))
    if begun:
        table.ledger.begin_part(claim, 1, lease=LEASE, marked=True)
    asyncio.run(table.clock.sleep(LEASE.total_seconds() + 1))
    publish(table)
    assert table.remote.texts() == ["two"]
    assert (table.state(key), table.remote.looks) == ("published", 0)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def lapse(bench: Bench) -> None:
    bench.clock.forward(minutes=5)


def test_an_attempt_that_nobody_marks_proves_nothing(bench: Bench) -> None:
    """Where the sender doesn't mark, or is of an earlier version, a lease that ran out leaves it uncertain."""
    bench.queue(make())
    bench.claim_one()
    lapse(bench)
    assert [one.key for one in bench.claim(marked=["a"]).doubtful] == ["c/p/a"]


def left_then_began(bench: Bench, claim: object) -> None:
    bench.ledger.let_leave([(claim.key, claim.token)])  # type: ignore[attr-defined]
    bench.ledger.begin_part(claim, 0, lease=LEASE, marked=True)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("between", "state"),
    [
        (lambda bench, claim: None, State.SENDING),
        (lambda bench, claim: bench.ledger.let_leave([(claim.key, claim.token)]), State.UNCERTAIN),
        (lambda bench, claim: bench.ledger.begin_part(claim, 0, lease=LEASE, marked=True), State.SENDING),
        (left_then_began, State.UNCERTAIN),
    ],
    ids=["nothing", "left", "renewed", "left, then renewed"],
)
def test_only_what_never_left_under_this_key_waits(
    bench: Bench, between: Callable[[Bench, object], object], state: State
) -> None:
    """A request that left before the lease was renewed is not forgotten by the new attempt."""
    bench.queue(make())
    claim = bench.claim_one(marked=["a"])
    between(bench, claim)
    lapse(bench)
    bench.claim(marked=["a"])
    assert bench.state("c/p/a") is state


def test_a_refused_try_and_a_second_claim_that_died_idle(bench: Bench) -> None:
    """An earlier try that was provably refused says nothing about this one: it waits."""
    bench.queue(make())
    claim = bench.claim_one(marked=["a"])
    bench.ledger.let_leave([(claim.key, claim.token)])
    bench.settle(claim, State.WAITING, error="429")
    bench.claim_one(marked=["a"])
    lapse(bench)
    (again,) = bench.claim(marked=["a"]).claims
    assert again.attempts == 2


def test_nothing_leaves_after_the_lease(bench: Bench) -> None:
    """A process that slept until its lease was over gets no mark, and may not send."""
    bench.queue(make())
    claim = bench.claim_one(marked=["a"])
    lapse(bench)
    (refusal,) = bench.ledger.let_leave([(claim.key, claim.token)])
    assert refusal is not None
    assert [one.key for one in bench.claim(marked=["a"]).claims] == ["c/p/a"]


def test_provable_networks_are_not_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the network can be asked, no write comes between claim and settlement."""
    table = Table(tmp_path)
    table.queue("a")
    monkeypatch.setattr(type(table.ledger), "let_leave", None)
    publish(table)
    assert table.remote.texts() == ["Text of a"]
    assert table.clock.now() == START
