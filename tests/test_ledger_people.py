"""What people decide: hold, release, cancel, retry, resolve, and messages without a plan."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from ledger_helpers import GRACE, LEASE, START, Bench, make

from campaign_cli.errors import InputError
from campaign_cli.ledger import Hold
from campaign_cli.models import Draft, Part, Picture, Receipt, State

HOUR = timedelta(hours=1)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def held(bench: Bench, **scope: str) -> Hold:
    return bench.ledger.hold(**scope, reason="tunggu pernyataan bersama", actor="siti")


def test_a_hold_names_what_is_still_out(bench: Bench) -> None:
    """A hold lists what it covers that is on the wire, and what went out since it was opened."""
    bench.queue(make("c/p/a"), make("c/q/a"), make("d/p/b"))
    first, second, other = bench.claim().claims
    bench.publish(first)
    bench.clock.forward(seconds=1)
    hold = held(bench, campaign="c")
    assert [one.key for one in bench.ledger.covered_in_flight(hold)] == [second.key]
    bench.publish(second)
    bench.publish(other)
    assert bench.ledger.covered_in_flight(hold) == []
    assert [one.key for one in bench.ledger.sent_since(hold)] == [second.key]


def test_a_doubtful_delivery_in_hand_is_still_out(bench: Bench) -> None:
    """An uncertain delivery counts as out only while somebody looks it up and might send it again."""
    bench.doubtful()
    hold = held(bench)
    assert bench.ledger.covered_in_flight(hold) == []
    bench.ledger.claim_doubtful(worker="w", limit=1, lease=LEASE)
    assert [one.key for one in bench.ledger.covered_in_flight(hold)] == ["c/p/a"]
    bench.clock.forward(seconds=90)
    assert bench.ledger.covered_in_flight(hold) == []


def test_release_decides_on_what_became_late(bench: Bench) -> None:
    """Released posts go now, are shifted or skipped as told, and what nobody decided on is missed."""
    bench.queue(*(make(f"c/{name}/a") for name in ("now", "skip", "shift", "fixed", "missed")))
    hold = held(bench, campaign="c")
    bench.clock.forward(hours=2)
    late = bench.ledger.late_after_release([hold.id])
    assert len(late) == 5
    decided = bench.ledger.release(
        [hold.id],
        actor="budi",
        late={
            "c/now/a": "now",
            "c/skip/a": "skip",
            "c/shift/a": 3 * HOUR,
            "c/fixed/a": START + 9 * HOUR,
            "c/none/a": "now",
        },
    )
    assert len(decided) == 4
    claimed = bench.claim()
    assert [one.key for one in claimed.claims] == ["c/now/a"]
    assert [one.key for one in claimed.missed] == ["c/missed/a"]
    assert bench.state("c/skip/a") is State.CANCELLED
    dues = {one.key: one.due for one in bench.ledger.deliveries(keys=["c/shift/a", "c/fixed/a"])}
    assert dues == {"c/shift/a": START + 3 * HOUR, "c/fixed/a": START + 9 * HOUR}
    assert bench.ledger.holds() == []
    released = bench.ledger.holds(open_only=False)[0]
    assert (released.released_by, released.released_at) == ("budi", START + 2 * HOUR)


def test_a_second_hold_goes_on_holding(bench: Bench) -> None:
    """Ending one of two holds frees nothing that the other covers."""
    bench.queue(make(labels=["aksi"]))
    one, other = held(bench, campaign="c"), held(bench, label="aksi")
    assert bench.ledger.late_after_release([one.id]) == []
    bench.ledger.release([one.id], actor="siti")
    assert bench.claim().claims == ()
    assert [d.key for d in bench.ledger.late_after_release([other.id])] == ["c/p/a"]


def test_holds_stand_in_the_log(bench: Bench) -> None:
    """Opening and ending a hold are events with scope and reason."""
    hold = held(bench, campaign="c", label="aksi")
    bench.ledger.release([hold.id], actor="budi")
    bench.ledger.release([hold.id], actor="budi")
    events = bench.ledger.events(campaign="c")
    assert [(one.kind, one.actor) for one in events] == [("held", "siti"), ("released", "budi")]
    assert events[0].data == {
        "hold": hold.id,
        "reason": "tunggu pernyataan bersama",
        "campaign": "c",
        "label": "aksi",
    }


def test_cancel_takes_what_waits(bench: Bench) -> None:
    """Only waiting deliveries are cancelled; the rest is left alone."""
    bench.queue(make("c/p/a"), make("c/q/a", due=START + HOUR))
    bench.claim_one()
    done = bench.ledger.cancel(["c/p/a", "c/q/a", "c/none/a"], actor="siti")
    assert [(one.key, one.state) for one in done] == [("c/q/a", State.CANCELLED)]
    bench.clock.forward(hours=1)
    assert bench.claim(limit=9).claims == ()


@pytest.mark.parametrize("how", ["failed", "missed", "cancelled"])
def test_retry_gives_a_new_chance(bench: Bench, how: str) -> None:
    """Failed, missed and cancelled deliveries wait again, due now, and are not missed at once; tries start afresh."""
    bench.queue(make())
    if how == "failed":
        bench.settle(bench.claim_one(), State.FAILED, error="422")
    elif how == "cancelled":
        bench.ledger.cancel(["c/p/a"], actor="siti")
    bench.clock.forward(days=2)
    bench.claim()
    done = bench.ledger.retry(["c/p/a"], actor="siti")
    assert [(one.state, one.due, one.error) for one in done] == [(State.WAITING, START + timedelta(days=2), "")]
    claim = bench.claim_one()
    assert claim.attempts == 1
    assert claim.content_hash == claim.draft.content_hash(claim.due)
    assert bench.ledger.take_notices() == []


def test_retry_at_a_time(bench: Bench) -> None:
    """With ``at``, a retried delivery waits for that instant."""
    bench.queue(make())
    bench.ledger.cancel(["c/p/a"], actor="siti")
    bench.ledger.retry(["c/p/a"], actor="siti", at=START + HOUR)
    assert bench.claim().claims == ()
    bench.clock.forward(hours=1)
    assert bench.claim_one().due == START + HOUR


def test_retry_keeps_a_time_that_is_still_to_come(bench: Bench) -> None:
    """What was cancelled before its time goes at its time, not at once."""
    bench.queue(make(due=START + HOUR))
    bench.ledger.cancel(["c/p/a"], actor="siti")
    assert bench.ledger.retry(["c/p/a"], actor="siti")[0].due == START + HOUR


@pytest.mark.parametrize("state", [State.WAITING, State.PUBLISHED, State.UNCERTAIN, State.SENDING])
def test_retry_leaves_the_rest_alone(bench: Bench, state: State) -> None:
    """Nothing that waits, is out or may be out is retried."""
    bench.queue(make())
    claim = bench.claim_one()
    if state is State.PUBLISHED:
        bench.publish(claim)
    elif state is not State.SENDING:
        bench.settle(claim, state)
    assert bench.ledger.retry(["c/p/a"], actor="siti") == []
    assert bench.state("c/p/a") is state


def test_retry_goes_on_with_a_thread(bench: Bench) -> None:
    """A thread that failed half way keeps its receipts and its instant, and drops steps that may be stale."""
    bench.queue(make(parts=["satu", "dua"]))
    claim = bench.claim_one()
    bench.ledger.keep_receipt(claim, bench.receipt("1"))
    bench.ledger.keep_step(claim, 1, "media", ["9"])
    bench.settle(claim, State.FAILED, error="422")
    bench.clock.forward(days=1)
    bench.ledger.retry(["c/p/a"], actor="siti")
    again = bench.claim_one()
    assert (again.part, again.due, again.steps) == (1, START, {})


def test_resolved_as_published(bench: Bench) -> None:
    """A person's word with the address is a proof like any other."""
    claim = bench.doubtful()
    done = bench.ledger.resolve("c/p/a", published_url="https://contoh.example/9", actor="siti")
    assert (done.state, done.receipts[0].url) == (State.PUBLISHED, "https://contoh.example/9")
    assert not bench.settle(claim, State.WAITING)
    assert bench.ledger.take_notices() == []
    assert bench.ledger.events()[-1].data == {"published": True, "url": "https://contoh.example/9"}


def test_resolved_as_not_published(bench: Bench) -> None:
    """After a person's no, it is sent under a new attempt key, and steps of the old one are gone."""
    claim = bench.doubtful()
    bench.ledger.keep_step(claim, 0, "media", ["1"])
    assert bench.ledger.resolve("c/p/a", not_published=True, actor="siti").state is State.WAITING
    assert not bench.publish(claim)
    again = bench.claim_one()
    assert (again.generation, again.attempts, again.steps) == (claim.generation + 1, 1, {})
    assert again.first_attempt_at == START


def test_resolving_part_of_a_thread(bench: Bench) -> None:
    """With the network's own id the thread goes on; without it, a person finishes it."""
    for name, remote_id, state in (("p", "7", State.WAITING), ("q", None, State.FAILED)):
        bench.queue(make(f"c/{name}/a", parts=["satu", "dua"]))
        bench.settle(bench.claim_one(), State.UNCERTAIN)
        url = f"https://contoh.example/{name}"
        known = Receipt(part=0, id=remote_id, url=url, at=START, extra={"cid": "b"}) if remote_id else None
        done = bench.ledger.resolve(f"c/{name}/a", published_url=url, receipt=known, actor="siti")
        assert done.state is state
        if remote_id:
            claim = bench.claim_one()
            assert (claim.receipts[0].id, claim.receipts[0].extra) == ("7", {"cid": "b"})
            bench.settle(claim, State.FAILED)


def test_resolved_as_not_published_hours_later(bench: Bench) -> None:
    """Later than late_grace it is missed at once, where ``retry`` finds it; with a new instant it waits for that."""
    for name in ("p", "q"):
        bench.queue(make(f"c/{name}/a"))
        bench.settle(bench.claim_one(), State.UNCERTAIN)
    bench.clock.forward(hours=3)
    missed = bench.ledger.resolve("c/p/a", not_published=True, late_grace=GRACE, actor="siti")
    assert missed.state is State.MISSED
    assert [one.state for one in bench.ledger.retry(["c/p/a"], actor="siti")] == [State.WAITING]
    later = START + timedelta(hours=5)
    moved = bench.ledger.resolve("c/q/a", not_published=True, at=later, late_grace=GRACE, actor="siti")
    assert (moved.state, moved.due) == (State.WAITING, later)
    bench.clock.forward(hours=2)
    again = {claim.key: claim for claim in bench.claim().claims}["c/q/a"]
    assert (again.generation, again.due, again.attempts) == (1, later, 1)


def test_a_begun_thread_that_did_not_go_on_is_never_missed(bench: Bench) -> None:
    """A thread that has begun is finished, however late a person says that its second part is not out."""
    bench.queue(make(parts=["satu", "dua"]))
    claim = bench.claim_one()
    bench.ledger.keep_receipt(claim, bench.receipt("1"))
    bench.settle(claim, State.UNCERTAIN)
    bench.clock.forward(days=2)
    assert bench.ledger.resolve(claim.key, not_published=True, late_grace=GRACE, actor="siti").state is State.WAITING


def test_resolve_refuses(bench: Bench) -> None:
    """Only an uncertain delivery that nobody is looking up is settled by hand, with a proof of its own."""
    with pytest.raises(InputError, match="no delivery"):
        bench.ledger.resolve("c/p/a", not_published=True, actor="siti")
    bench.queue(make("c/q/a", due=START - timedelta(seconds=1)))
    with pytest.raises(InputError, match="waiting"):
        bench.ledger.resolve("c/q/a", not_published=True, actor="siti")
    bench.publish(bench.claim_one(), remote_id="https://contoh.example/1")
    bench.doubtful()
    with pytest.raises(InputError, match="one of"):
        bench.ledger.resolve("c/p/a", actor="siti")
    with pytest.raises(InputError, match="c/q/a"):
        bench.ledger.resolve("c/p/a", published_url="https://contoh.example/1", actor="siti")
    bench.ledger.claim_doubtful(worker="w", limit=1, lease=LEASE)
    with pytest.raises(InputError, match="looked up") as caught:
        bench.ledger.resolve("c/p/a", not_published=True, actor="siti")
    assert "90" in caught.value.fix or "91" in caught.value.fix


def message(account: str, text: str = "Kita menang!") -> Draft:
    picture = Picture(sha256="abc", name="a.jpg", mime="image/jpeg", size=3, width=1, height=1, alt="Massa aksi")
    return Draft(
        platform="mastodon",
        account=account,
        address=f"https://{account}.example",
        language="id",
        parts=(Part(text=text, media=(picture,)),),
    )


def test_a_message_without_a_plan(bench: Bench) -> None:
    """One message for several accounts is queued in one go, with its media, and sent like any other."""
    done = bench.ledger.add_message(
        [message("a"), message("b")], due=START, media=lambda _sha: b"jpg", actor="siti", labels=["darurat"]
    )
    assert [one.key for one in done] == ["langsung/20261207-010000/a", "langsung/20261207-010000/b"]
    assert done[0].labels == ("darurat",)
    assert bench.ledger.media("abc") == b"jpg"
    assert len(bench.claim().claims) == 2


def test_a_repeated_message_is_refused(bench: Bench) -> None:
    """The same words to the same account are refused for 30 days unless a repeat is wished."""
    for _turn in range(2):
        bench.ledger.add_message([message("a", str(_turn))], due=START, media=lambda _s: b"", actor="siti")
    assert {one.post for one in bench.ledger.deliveries()} == {"20261207-010000", "20261207-010000-2"}
    for claim in bench.claim().claims:
        bench.publish(claim)
    with pytest.raises(InputError, match="langsung/20261207-010000/a"):
        bench.ledger.add_message([message("b"), message("a", "0")], due=START, media=lambda _s: b"", actor="siti")
    assert len(bench.ledger.deliveries()) == 2
    bench.ledger.add_message([message("a", "0")], due=START, media=lambda _s: b"", actor="siti", repeat=True)
    bench.clock.forward(days=31)
    bench.claim()
    bench.ledger.add_message([message("a", "1")], due=START, media=lambda _s: b"", actor="siti")


def test_filters_of_deliveries(bench: Bench) -> None:
    """Deliveries are found by campaign, account, state, label and key, all together."""
    bench.queue(make("c/p/a", labels=["x"]), make("c/p/b"), make("d/p/a", due=START + HOUR, labels=["x", "y"]))
    found = lambda **f: [one.key for one in bench.ledger.deliveries(**f)]  # noqa: E731
    assert found(campaign="c") == ["c/p/a", "c/p/b"]
    assert found(account="a", label="x") == ["c/p/a", "d/p/a"]
    assert found(keys=["d/p/a", "c/p/a", "c/none/a"], label="y") == ["d/p/a"]
    assert found(state=State.SENDING) == []
    bench.ledger.cancel(["c/p/a"], actor="siti")
    assert found(state=(State.CANCELLED,)) == ["c/p/a"]
    with pytest.raises(LookupError):
        _ = bench.ledger.deliveries()[0].draft
    assert bench.ledger.deliveries(campaign="d", with_drafts=True)[0].draft.parts[0].text == "Pos d/p/a"
    assert bench.ledger.delivery("c/none/a") is None


def test_no_order_is_written_inside_a_look(bench: Bench) -> None:
    """What was only read may be old by the time of writing: a writing transaction never begins inside a reading one."""
    bench.queue(make())
    with bench.ledger.reading(), pytest.raises(RuntimeError, match="only reads"):
        held(bench)
    assert bench.ledger.holds() == []
