"""Claims: what is handed out, to whom, in which order, and what is not."""

from __future__ import annotations

import itertools
from datetime import timedelta
from pathlib import Path

import pytest
from ledger_helpers import GRACE, LEASE, START, Bench, make, paused, tamper

from campaign_cli.errors import ClaimLost, DamagedLedger
from campaign_cli.models import State, attempt_key


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def keys(claims: object) -> list[str]:
    return [one.key for one in claims]  # type: ignore[attr-defined]


def test_a_due_delivery_is_claimed_once(bench: Bench) -> None:
    """What is due is handed out with its draft, token and lease, and not again while the lease lasts."""
    bench.queue(make())
    claim = bench.claim_one()
    assert (claim.key, claim.token, claim.attempts, claim.part) == ("c/p/a", 1, 1, 0)
    assert claim.draft.parts[0].text == "Pos c/p/a"
    assert claim.lease_until == START + LEASE
    assert claim.first_attempt_at == claim.attempt_started_at == START
    assert bench.claim().claims == ()
    assert bench.state("c/p/a") is State.SENDING


def test_nothing_goes_before_its_time(bench: Bench) -> None:
    """A delivery is claimed at its due instant and not a microsecond earlier."""
    bench.queue(make(due=START + timedelta(microseconds=1)))
    assert bench.claim().claims == ()
    bench.clock.forward(microseconds=1)
    assert keys(bench.claim().claims) == ["c/p/a"]


def test_due_order_then_plan_order(bench: Bench) -> None:
    """Claims come in due order, then plan order, over all accounts."""
    bench.queue(
        make("c/late/a", due=START, position=1),
        make("c/second/b", due=START - timedelta(minutes=1), position=9),
        make("c/first/a", due=START - timedelta(minutes=1), position=2),
    )
    assert keys(bench.claim().claims) == ["c/first/a", "c/second/b", "c/late/a"]


def test_limit_takes_the_first_of_all_accounts(bench: Bench) -> None:
    """A limit takes the earliest over all accounts, not the first account's."""
    bench.queue(*(make(f"c/p{n}/{account}", position=n) for n in range(3) for account in "ab"))
    assert sorted(keys(bench.claim(limit=3).claims)) == ["c/p0/a", "c/p0/b", "c/p1/a"]


def test_in_flight_is_counted_over_processes(bench: Bench) -> None:
    """No more than ``per_account`` are in flight for one account, whoever claimed them."""
    bench.queue(*(make(f"c/p{n}/a", position=n) for n in range(8)), make("c/p/b"))
    assert len(bench.claim(per_account=3, worker="w1").claims) == 4
    with bench.open() as other:
        claimed = other.claim(worker="w2", limit=9, per_account=5, lease=LEASE, late_grace=GRACE)
    assert keys(claimed.claims) == ["c/p3/a", "c/p4/a"]
    assert bench.claim().claims == ()


def test_late_is_missed_from_the_due_instant(bench: Bench) -> None:
    """What is later than the grace is missed, with its reason and one notice; at the grace itself it still goes."""
    bench.queue(make(), make("c/q/a", due=START + timedelta(minutes=1)))
    bench.clock.forward(minutes=31)
    claimed = bench.claim()
    assert keys(claimed.missed) == ["c/p/a"]
    assert claimed.missed[0].state is State.MISSED
    assert "late_grace" in claimed.missed[0].error
    assert keys(claimed.claims) == ["c/q/a"]
    assert [(one.key, one.kind) for one in bench.ledger.take_notices()] == [("c/p/a", State.MISSED)]
    assert bench.ledger.take_notices() == []


def test_any_grace_fits(bench: Bench) -> None:
    """The longest grace there is misses nothing."""
    bench.queue(make(due=START - timedelta(days=4000)))
    assert keys(bench.claim(late_grace=timedelta.max).claims) == ["c/p/a"]


def test_a_retry_is_judged_from_the_due_instant_too(bench: Bench) -> None:
    """A delivery that waits for another try is missed when the grace is over, whatever its next try."""
    bench.queue(make())
    bench.settle(bench.claim_one(), State.WAITING, next_try=START + timedelta(minutes=40))
    bench.clock.forward(minutes=31)
    assert keys(bench.claim().missed) == ["c/p/a"]


def test_a_begun_thread_is_finished(bench: Bench) -> None:
    """A thread with a receipt is never missed: its next part goes however late."""
    bench.queue(make(parts=["satu", "dua"]))
    claim = bench.claim_one()
    bench.ledger.keep_receipt(claim, bench.receipt("1"))
    bench.settle(claim, State.WAITING, next_try=START + timedelta(hours=5))
    bench.clock.forward(hours=6)
    again = bench.claim_one()
    assert again.part == 1
    assert [one.id for one in again.receipts] == ["1"]


def test_next_try_is_kept(bench: Bench) -> None:
    """After a provable failure nothing is claimed before the next try, and the try is counted."""
    bench.queue(make())
    bench.settle(bench.claim_one(), State.WAITING, error="429", next_try=START + timedelta(seconds=20))
    bench.clock.forward(seconds=19)
    assert bench.claim().claims == ()
    bench.clock.forward(seconds=1)
    again = bench.claim_one()
    assert (again.token, again.attempts, again.first_attempt_at) == (2, 2, START)
    assert again.attempt_started_at == START + timedelta(seconds=20)


def test_an_expired_lease_is_uncertain(bench: Bench) -> None:
    """A lease that runs out makes its delivery uncertain, told once, and due for a look-up at once."""
    bench.queue(make())
    bench.claim_one()
    bench.clock.forward(seconds=90)
    claimed = bench.claim()
    assert keys(claimed.doubtful) == ["c/p/a"]
    assert claimed.claims == ()
    assert bench.state("c/p/a") is State.UNCERTAIN
    assert [one.kind for one in bench.ledger.take_notices()] == [State.UNCERTAIN]
    doubtful = bench.ledger.claim_doubtful(worker="w2", limit=5, lease=LEASE)
    assert [(one.key, one.token, one.attempts) for one in doubtful] == [("c/p/a", 2, 1)]
    assert doubtful[0].attempt_started_at == START
    assert bench.ledger.claim_doubtful(worker="w3", limit=5, lease=LEASE) == ()


def test_a_lapsed_claim_with_every_receipt_is_published(bench: Bench) -> None:
    """When the sender died between the last receipt and its settlement, the proof counts."""
    bench.queue(make())
    bench.ledger.keep_receipt(bench.claim_one(), bench.receipt("7"))
    bench.clock.forward(minutes=5)
    assert bench.claim().doubtful == ()
    assert bench.state("c/p/a") is State.PUBLISHED


def test_a_doubtful_lease_can_lapse_too(bench: Bench) -> None:
    """A look-up that never ended is taken up again, under a new token."""
    bench.doubtful()
    assert bench.ledger.claim_doubtful(worker="w2", limit=5, lease=LEASE)[0].token == 2
    bench.clock.forward(minutes=2)
    assert bench.ledger.claim_doubtful(worker="w3", limit=5, lease=LEASE)[0].token == 3


def test_a_look_up_waits_for_its_time(bench: Bench) -> None:
    """An uncertain delivery is taken at its next look-up, and one without is left to a person."""
    claim = bench.doubtful(next_try=START + timedelta(seconds=30))
    assert bench.ledger.claim_doubtful(worker="w", limit=5, lease=LEASE) == ()
    bench.clock.forward(seconds=30)
    claim = bench.ledger.claim_doubtful(worker="w", limit=5, lease=LEASE)[0]
    assert bench.settle(claim, State.UNCERTAIN, error="403", next_try=None)
    bench.clock.forward(days=1)
    assert bench.ledger.claim_doubtful(worker="w", limit=5, lease=LEASE) == ()


@pytest.mark.parametrize(
    ("scope", "free"),
    [
        ({"campaign": "c"}, ["d/p/a"]),
        ({"account": "a"}, ["c/p/b"]),
        ({"label": "aksi"}, ["d/p/a"]),
        ({"campaign": "c", "account": "a"}, ["c/p/b", "d/p/a"]),
        ({"campaign": "d", "label": "aksi"}, ["c/p/a", "c/p/b", "d/p/a"]),
        ({}, []),
    ],
)
def test_holds_stop_what_they_cover(bench: Bench, scope: dict[str, str], free: list[str]) -> None:
    """A hold covers what meets all of its scopes, and what it covers is neither claimed nor missed."""
    bench.queue(make("c/p/a", labels=["aksi", "x"]), make("c/p/b", labels=["aksi"]), make("d/p/a", labels=["x"]))
    bench.ledger.hold(**scope, reason="tunggu", actor="siti")
    assert sorted(keys(bench.claim().claims)) == free
    bench.clock.forward(hours=2)
    assert keys(bench.claim().missed) == []
    held = {one.key for one in bench.ledger.deliveries() if one.held}
    assert held == {"c/p/a", "c/p/b", "d/p/a"} - set(free)


def test_a_hold_covers_what_is_queued_later(bench: Bench) -> None:
    """What is queued under an open hold is held from its first moment."""
    bench.ledger.hold(campaign="c", reason="tunggu", actor="siti")
    bench.queue(make())
    assert bench.claim().claims == ()


def test_paused_and_excluded_accounts_rest(bench: Bench) -> None:
    """Nothing is claimed for an address that rests, nor for an account the caller leaves out; others go on."""
    bench.queue(make("c/p/a"), make("c/p/b"), make("c/p/d"))
    bench.ledger.pause_account("https://a.example", START + timedelta(minutes=2))
    bench.ledger.pause_account("https://a.example", START + timedelta(minutes=1))
    assert paused(bench.ledger, START) == {"https://a.example": START + timedelta(minutes=2)}
    assert keys(bench.claim(exclude_accounts={"b"}).claims) == ["c/p/d"]
    bench.clock.forward(minutes=2)
    assert keys(bench.claim().claims) == ["c/p/a", "c/p/b"]


def test_keys_limit_a_claim(bench: Bench) -> None:
    """With ``keys``, nothing else is claimed, missed or parked."""
    bench.queue(make("c/p/a"), make("c/q/a"), make("c/old/a", due=START - timedelta(days=1)))
    claimed = bench.claim(keys=["c/q/a"], addresses={"a": "https://a.example"})
    assert (keys(claimed.claims), claimed.missed, claimed.parked) == (["c/q/a"], (), ())
    assert bench.claim(keys=[]).claims == ()


def test_a_changed_address_parks(bench: Bench) -> None:
    """What is due for an account that is elsewhere or gone fails with the reason; what is not due yet is left alone."""
    bench.queue(make("c/p/a"), make("c/p/b"), make("c/p/ok"), make("c/next/a", due=START + timedelta(hours=1)))
    claimed = bench.claim(addresses={"a": "https://new.example", "ok": "https://ok.example"})
    assert keys(claimed.claims) == ["c/p/ok"]
    reasons = {one.key: one.error for one in claimed.parked}
    assert "https://a.example" in reasons["c/p/a"]
    assert "https://new.example" in reasons["c/p/a"]
    assert "no longer in accounts.yaml" in reasons["c/p/b"]
    assert bench.state("c/p/a") is State.FAILED
    assert bench.state("c/next/a") is State.WAITING


def test_a_held_delivery_is_not_parked(bench: Bench) -> None:
    """A hold beats parking: nothing happens to what it covers."""
    bench.queue(make())
    bench.ledger.hold(reason="tunggu", actor="siti")
    assert bench.claim(addresses={}).parked == ()


def test_a_look_up_never_asks_another_address(bench: Bench) -> None:
    """An uncertain delivery whose account is elsewhere by now is left to a person."""
    bench.doubtful()
    assert bench.ledger.claim_doubtful(worker="w", limit=5, lease=LEASE, addresses={"a": "https://new.example"}) == ()
    delivery = bench.ledger.delivery("c/p/a")
    assert delivery is not None
    assert (delivery.state, delivery.next_try) == (State.UNCERTAIN, None)
    assert "https://new.example" in delivery.error


def test_what_a_dead_look_up_left_and_an_account_moved_wakes_nobody(bench: Bench) -> None:
    """The lease of a look-up that was killed ends with what it was for: no scheduler wakes for it again and again."""
    bench.doubtful()
    assert bench.ledger.claim_doubtful(worker="dead:9", limit=1, lease=LEASE)
    bench.clock.forward(seconds=91)
    assert bench.ledger.claim_doubtful(worker="w", limit=1, lease=LEASE, addresses={"a": "elsewhere"}) == ()
    assert bench.state("c/p/a") is State.UNCERTAIN
    assert bench.ledger.next_wake() is None


def test_look_ups_skip_resting_accounts_and_keep_to_keys(bench: Bench) -> None:
    """Look-ups leave out accounts that rest or are excluded, and keep to the keys they are given."""
    bench.doubtful()
    assert bench.ledger.claim_doubtful(worker="w", limit=5, lease=LEASE, exclude_accounts={"a"}) == ()
    assert bench.ledger.claim_doubtful(worker="w", limit=5, lease=LEASE, keys=["c/q/a"]) == ()
    bench.ledger.pause_account("https://a.example", START + timedelta(minutes=1))
    assert bench.ledger.claim_doubtful(worker="w", limit=5, lease=LEASE) == ()


def test_the_attempt_is_on_disk_before_the_network(bench: Bench) -> None:
    """A claim leaves its attempt, with its key, in the ledger that another process sees."""
    bench.queue(make())
    claim = bench.claim_one()
    with bench.open() as other, other.reading() as connection:
        rows = connection.exec_driver_sql("SELECT attempt_key, part, worker, ended_at FROM attempts").all()
    assert rows == [(attempt_key("c/p/a", claim.content_hash, 0, 0), 0, "w1", None)]


def test_a_clock_that_jumps_back_sends_nothing_twice(bench: Bench) -> None:
    """A clock that goes back finds nothing to claim among what was taken."""
    bench.queue(make())
    bench.claim_one()
    bench.clock.forward(hours=-2)
    assert bench.claim().claims == ()


def test_upcoming_and_next_wake(bench: Bench) -> None:
    """What comes next is told by due instant or next try, without what is held, with the end of a pause."""
    assert bench.ledger.next_wake() is None
    bench.queue(
        make("c/p/a"), make("c/q/b", due=START + timedelta(minutes=5)), make("c/r/c", due=START + timedelta(minutes=9))
    )
    bench.settle(bench.claim_one(), State.WAITING, next_try=START + timedelta(minutes=7))
    hour = START + timedelta(hours=1)
    assert bench.ledger.upcoming(until=hour, limit=2) == [
        ("c/q/b", START + timedelta(minutes=5)),
        ("c/p/a", START + timedelta(minutes=7)),
    ]
    assert bench.ledger.upcoming(until=START, limit=9) == []
    assert bench.ledger.next_wake() == START + timedelta(minutes=5)
    bench.ledger.hold(account="b", reason="tunggu", actor="siti")
    assert bench.ledger.next_wake() == START + timedelta(minutes=7)
    bench.ledger.pause_account("https://a.example", START + timedelta(minutes=8))
    assert bench.ledger.next_wake() == START + timedelta(minutes=8)
    bench.ledger.pause_account("https://c.example", START + timedelta(minutes=30))
    assert bench.ledger.next_wake() == START + timedelta(minutes=8)


def test_a_look_up_wakes_nobody_while_its_account_rests(bench: Bench) -> None:
    """What is looked up on an account that rests is due when the rest ends, not before."""
    claim = bench.doubtful()
    assert bench.ledger.next_wake() == START
    bench.ledger.pause_account(claim.address, START + timedelta(minutes=9))
    assert bench.ledger.next_wake() == START + timedelta(minutes=9)


def test_next_wake_knows_leases_and_look_ups(bench: Bench) -> None:
    """The end of a lease and the time of a look-up are instants to wake at."""
    bench.queue(make())
    claim = bench.claim_one()
    assert bench.ledger.next_wake() == START + LEASE
    bench.settle(claim, State.UNCERTAIN, next_try=START + timedelta(seconds=50))
    assert bench.ledger.next_wake() == START + timedelta(seconds=50)


def test_another_process_is_noticed(bench: Bench) -> None:
    """The change counter moves when somebody else writes, and stays while nobody does."""
    bench.queue(make())
    before = bench.ledger.change_counter()
    assert bench.ledger.change_counter() == before
    with bench.open() as other:
        bench.queue(make("c/q/a"), ledger=other)
    assert bench.ledger.change_counter() != before


STEPS = [State.WAITING, State.UNCERTAIN, State.FAILED, State.PUBLISHED]


@pytest.mark.parametrize(("first", "second"), list(itertools.product(STEPS, STEPS)))
def test_an_old_token_never_writes(tmp_path: Path, first: State, second: State) -> None:
    """Whatever became of a delivery, a token from before its last claim settles nothing; what only a person could
    settle is the exception: there the network's own answer, however late, is the proof."""
    bench = Bench(tmp_path)
    bench.queue(make())
    old = bench.claim_one()
    bench.clock.forward(seconds=90)
    bench.claim()
    new = bench.ledger.claim_doubtful(worker="w2", limit=1, lease=LEASE)[0]
    receipt = bench.receipt("1")
    assert bench.settle(new, first, receipt=receipt if first is State.PUBLISHED else None)
    proves = (first, second) == (State.UNCERTAIN, State.PUBLISHED)
    assert bench.settle(old, second, receipt=receipt if second is State.PUBLISHED else None) is proves
    assert bench.state("c/p/a") is (State.PUBLISHED if proves else first)
    with pytest.raises(ClaimLost):
        bench.ledger.check_gate(old.key, old.token)


@pytest.mark.parametrize(
    "damage",
    ["UPDATE drafts SET draft = 'x' WHERE delivery = 'c/p/a'", "DELETE FROM drafts WHERE delivery = 'c/p/a'"],
)
def test_a_draft_that_cannot_be_read_stops_no_other(bench: Bench, damage: str) -> None:
    """What has no readable draft fails with its key and the way out, and everything else is claimed; to order it again
    is refused in plain words."""
    bench.queue(make(), make("c/q/a", position=1), make("c/r/b"))
    tamper(bench, damage)
    claimed = bench.claim()
    assert sorted(keys(claimed.claims)) == ["c/q/a", "c/r/b"]
    (parked,) = claimed.parked
    assert (parked.key, parked.state, parked.lease_until) == ("c/p/a", State.FAILED, None)
    assert "c/p/a" in parked.error
    assert "campaign ledger check" in parked.error
    assert [notice.key for notice in bench.ledger.take_notices()] == ["c/p/a"]
    assert bench.claim().parked == ()
    with pytest.raises(DamagedLedger, match="c/p/a"):
        bench.ledger.retry(["c/p/a"], actor="siti")


def test_what_may_be_out_and_cannot_be_read_waits_for_a_person(bench: Bench) -> None:
    """An uncertain delivery without a readable draft stays uncertain, since it may be out, and stops no look-up."""
    bench.doubtful()
    bench.doubtful("c/q/a")
    bench.ledger.take_notices()
    tamper(bench, "UPDATE drafts SET draft = '[]' WHERE delivery = 'c/p/a'")
    assert keys(bench.ledger.claim_doubtful(worker="w", limit=5, lease=LEASE)) == ["c/q/a"]
    left = bench.ledger.delivery("c/p/a")
    assert left is not None
    assert (left.state, left.next_try, left.lease_until) == (State.UNCERTAIN, None, None)
    assert "campaign ledger check" in left.error
    assert [notice.key for notice in bench.ledger.take_notices()] == ["c/p/a"]
    bench.clock.forward(hours=1)
    assert keys(bench.ledger.claim_doubtful(worker="w", limit=5, lease=LEASE)) == ["c/q/a"]
