"""Settling: receipts, steps, fences, gates, and what people are told."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from ledger_helpers import LEASE, START, Bench, make

from campaign_cli.errors import ClaimLost, Held
from campaign_cli.ledger import Settlement
from campaign_cli.models import State


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_published_delivery_carries_its_proof(bench: Bench) -> None:
    """A settled delivery shows its receipt, its attempts and no error, and is out of the queue."""
    bench.queue(make())
    assert bench.publish(bench.claim_one(), remote_id="42")
    delivery = bench.ledger.delivery("c/p/a")
    assert delivery is not None
    assert (delivery.state, delivery.attempts, delivery.error) == (State.PUBLISHED, 1, "")
    assert [(one.part, one.id, one.url, one.at) for one in delivery.receipts] == [
        (0, "42", "https://contoh.example/42", START)
    ]
    assert bench.ledger.remote_ids("https://a.example") == {"42"}
    assert bench.ledger.remote_ids("https://b.example") == set()
    bench.clock.forward(days=1)
    assert bench.claim() == type(bench.claim())()


def test_a_batch_settles_what_it_may(bench: Bench) -> None:
    """One lost claim in a batch doesn't touch the others."""
    bench.queue(make("c/p/a"), make("c/q/a"), make("c/r/a"))
    claims = bench.claim().claims
    batch = [
        Settlement(key=claims[0].key, token=claims[0].token, state=State.PUBLISHED, receipt=bench.receipt("1")),
        Settlement(key=claims[1].key, token=claims[1].token - 1, state=State.PUBLISHED, receipt=bench.receipt("2")),
        Settlement(key=claims[2].key, token=claims[2].token, state=State.FAILED, error="422"),
        Settlement(key="c/gone/a", token=1, state=State.FAILED),
    ]
    assert [bool(written) for written in bench.ledger.settle(batch)] == [True, False, True, False]
    assert [bench.state(claim.key) for claim in claims] == [State.PUBLISHED, State.SENDING, State.FAILED]
    late = bench.ledger.events(kind="late")
    assert [(one.key, one.data["id"]) for one in late] == [("c/q/a", "2")]


def test_only_ends_of_attempts_settle(bench: Bench) -> None:
    """A sender can't cancel or miss anything, and nothing is written when it tries."""
    bench.queue(make())
    claim = bench.claim_one()
    for state in (State.CANCELLED, State.MISSED, State.SENDING):
        with pytest.raises(ValueError, match="c/p/a"):
            bench.settle(claim, state)
    assert bench.state("c/p/a") is State.SENDING


def test_published_without_proof_is_uncertain(bench: Bench) -> None:
    """A settlement that claims success without a receipt for every part is not believed."""
    bench.queue(make(parts=["satu", "dua"]))
    claim = bench.claim_one()
    assert bench.publish(claim)
    assert bench.state("c/p/a") is State.UNCERTAIN


def test_one_remote_id_proves_one_delivery(bench: Bench) -> None:
    """A remote id that already proves a delivery never proves a second one of that account."""
    bench.queue(make("c/p/a"), make("c/q/a"), make("c/r/b"))
    first, second, third = bench.claim().claims
    assert bench.publish(first, remote_id="1")
    with pytest.raises(ClaimLost, match="c/p/a"):
        bench.ledger.keep_receipt(second, bench.receipt("1"))
    assert bench.publish(second, remote_id="1")
    delivery = bench.ledger.delivery(second.key)
    assert delivery is not None
    assert (delivery.state, delivery.receipts) == (State.UNCERTAIN, ())
    assert "c/p/a" in delivery.error
    assert bench.publish(third, remote_id="1")
    assert bench.state(third.key) is State.PUBLISHED


def test_settle_says_what_it_wrote(bench: Bench) -> None:
    """Who settles hears what stands in the ledger now, so that no exit code calls an uncertain delivery published."""
    bench.queue(make("c/p/a"), make("c/q/a"), make("d/p/a", parts=["satu", "dua"]))
    claims = bench.claim().claims
    batch = [
        Settlement(key=claim.key, token=claim.token, state=State.PUBLISHED, receipt=bench.receipt(remote))
        for claim, remote in zip(claims, ("1", "1", "2"), strict=True)
    ]
    written = bench.ledger.settle(batch)
    assert [one.state if one else None for one in written] == [State.PUBLISHED, State.UNCERTAIN, State.UNCERTAIN]
    assert [bool(one and one.error) for one in written] == [False, True, True]


def test_keeping_a_receipt_again_is_harmless(bench: Bench) -> None:
    """The same proof may be kept and settled again; it stands there once."""
    bench.queue(make())
    claim = bench.claim_one()
    bench.ledger.keep_receipt(claim, bench.receipt("1"))
    bench.ledger.keep_receipt(claim, bench.receipt("1"))
    assert bench.publish(claim, remote_id="1")
    delivery = bench.ledger.delivery("c/p/a")
    assert delivery is not None
    assert len(delivery.receipts) == 1


def test_steps_survive_a_crash(bench: Bench) -> None:
    """A finished step is there for the next claim, by part, and the newest of a name counts."""
    bench.queue(make(parts=["satu", "dua"]))
    claim = bench.claim_one()
    bench.ledger.keep_step(claim, 0, "media", ["1"])
    bench.ledger.keep_step(claim, 0, "media", ["1", "2"])
    bench.ledger.keep_step(claim, 1, "draft", {"id": 7})
    bench.settle(claim, State.WAITING)
    assert bench.claim_one().steps == {0: {"media": ["1", "2"]}, 1: {"draft": {"id": 7}}}


def test_each_part_begins_on_disk(bench: Bench) -> None:
    """A later part renews the lease and has an attempt of its own."""
    bench.queue(make(parts=["satu", "dua"]))
    claim = bench.claim_one()
    bench.ledger.keep_receipt(claim, bench.receipt("1"))
    bench.clock.forward(seconds=60)
    assert bench.ledger.begin_part(claim, 1, lease=LEASE) == START + timedelta(seconds=60) + LEASE
    bench.clock.forward(seconds=60)
    assert bench.claim().doubtful == ()
    assert bench.settle(claim, State.PUBLISHED, receipt=bench.receipt("2", part=1))
    delivery = bench.ledger.delivery("c/p/a")
    assert delivery is not None
    assert (delivery.attempts, delivery.state) == (2, State.PUBLISHED)


def test_the_gate_closes_with_lease_hold_and_token(bench: Bench) -> None:
    """No creating request leaves under a hold, without a lease, or without the token."""
    bench.queue(make())
    claim = bench.claim_one()
    bench.ledger.check_gate(claim.key, claim.token)
    hold = bench.ledger.hold(campaign="c", reason="tunggu", actor="siti")
    with pytest.raises(Held):
        bench.ledger.check_gate(claim.key, claim.token)
    with pytest.raises(Held):
        bench.ledger.begin_part(claim, 0, lease=LEASE)
    bench.ledger.release([hold.id], actor="siti")
    with pytest.raises(ClaimLost):
        bench.ledger.check_gate(claim.key, claim.token + 1)
    with pytest.raises(ClaimLost):
        bench.ledger.check_gate("c/none/a", 1)
    bench.clock.forward(seconds=90)
    with pytest.raises(ClaimLost):
        bench.ledger.check_gate(claim.key, claim.token)
    with pytest.raises(ClaimLost):
        bench.ledger.begin_part(claim, 0, lease=LEASE)


def test_a_late_answer_counts_until_somebody_else_has_it(bench: Bench) -> None:
    """An answer after the lease settles the delivery as long as nobody has taken it up."""
    bench.queue(make())
    claim = bench.claim_one()
    bench.clock.forward(minutes=3)
    bench.claim()
    assert bench.state("c/p/a") is State.UNCERTAIN
    assert bench.publish(claim)
    assert bench.state("c/p/a") is State.PUBLISHED
    assert bench.ledger.take_notices() == []


def test_fenced_writes_are_refused(bench: Bench) -> None:
    """Steps and receipts of a lost claim are refused."""
    claim = bench.doubtful()
    bench.ledger.claim_doubtful(worker="w2", limit=1, lease=LEASE)
    with pytest.raises(ClaimLost):
        bench.ledger.keep_step(claim, 0, "media", 1)
    with pytest.raises(ClaimLost):
        bench.ledger.keep_receipt(claim, bench.receipt("1"))


def test_absence_puts_it_back(bench: Bench) -> None:
    """An uncertain delivery whose absence was proved waits again under the same attempt key."""
    first = bench.doubtful()
    found = bench.ledger.claim_doubtful(worker="w2", limit=1, lease=LEASE)[0]
    assert bench.settle(found, State.WAITING)
    again = bench.claim_one()
    assert (again.generation, again.content_hash) == (first.generation, first.content_hash)
    assert again.first_attempt_at == START


def test_people_are_told_once(bench: Bench) -> None:
    """Failed and uncertain are told once, however often a look-up finds nothing."""
    claim = bench.doubtful()
    for _turn in range(3):
        claim = bench.ledger.claim_doubtful(worker="w", limit=1, lease=LEASE)[0]
        bench.settle(claim, State.UNCERTAIN, error="503", next_try=START)
    assert [(one.kind, one.message) for one in bench.ledger.take_notices()] == [(State.UNCERTAIN, "reset")]
    claim = bench.ledger.claim_doubtful(worker="w", limit=1, lease=LEASE)[0]
    bench.settle(claim, State.FAILED, error="gone")
    assert [(one.key, one.kind) for one in bench.ledger.take_notices()] == [("c/p/a", State.FAILED)]
    assert bench.ledger.take_notices() == []


def test_the_log_tells_the_whole_way(bench: Bench) -> None:
    """Every change of state stands in the log, with who, where and which process."""
    claim = bench.doubtful()
    claim = bench.ledger.claim_doubtful(worker="w2", limit=1, lease=LEASE)[0]
    bench.settle(claim, State.WAITING, error="not there")
    bench.publish(bench.claim_one())
    events = bench.ledger.events(campaign="c")
    assert [one.kind for one in events] == ["queued", "sending", "uncertain", "waiting", "sending", "published"]
    assert {one.key for one in events} == {"c/p/a"}
    assert [one.actor for one in events] == ["siti", "w1", "w1", "w2", "w1", "w1"]
    assert all(one.pid and one.host and one.account == "a" for one in events)
    assert bench.ledger.events(campaign="other") == []
    assert [one.kind for one in bench.ledger.events(key="c/p/a", limit=2)] == ["sending", "published"]


def test_media_is_kept_with_the_delivery(bench: Bench) -> None:
    """The prepared bytes are in the ledger by their hash; an unknown hash is a KeyError."""
    from dataclasses import replace

    bench.queue(replace(make("c/p/a"), media=("abc", "def")), replace(make("c/q/a"), media=("abc",)))
    assert bench.ledger.media("abc") == b"abc"
    with pytest.raises(KeyError):
        bench.ledger.media("nothing")


def test_an_attempt_that_goes_on_keeps_its_lease(bench: Bench) -> None:
    """Also under a hold, and without counting as another attempt; not once the lease is over."""
    bench.queue(make())
    claim = bench.claim_one()
    bench.ledger.hold(reason="tunggu", actor="siti")
    bench.clock.forward(seconds=30)
    assert bench.ledger.stay(claim, lease=LEASE) == START + timedelta(seconds=30) + LEASE
    delivery = bench.ledger.delivery(claim.key)
    assert delivery is not None
    assert (delivery.attempts, delivery.state) == (1, State.SENDING)
    bench.clock.forward(days=1)
    with pytest.raises(ClaimLost):
        bench.ledger.stay(claim, lease=LEASE)
