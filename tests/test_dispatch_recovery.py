"""Settling what is uncertain: looked up, repeated with the same key, back to waiting, or left to a person."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from dispatch_helpers import START, Table

from campaign_cli.dispatch.compressed import CompressedClock
from campaign_cli.dispatch.options import LEASE
from campaign_cli.dispatch.publish import publish_pass
from campaign_cli.errors import Held
from campaign_cli.ledger import Claim
from campaign_cli.models import Receipt, State
from campaign_cli.platforms.base import Proof

NO_PROOF = Proof(look_up=False)
FOR_EVER = Proof(look_up=True, repeat_for=timedelta.max)
FIFTY_MINUTES = Proof(look_up=True, repeat_for=timedelta(minutes=50))
KEY_ONLY = Proof(look_up=False, repeat_for=timedelta.max)


def publish(table: Table, **options: object) -> None:
    asyncio.run(publish_pass(table.dispatcher(**options)))


def night(table: Table, hours: float = 8) -> None:
    asyncio.run(publish_pass(table.dispatcher(), until=table.clock.now() + timedelta(hours=hours)))


def later(table: Table, **span: float) -> None:
    asyncio.run(table.clock.sleep(timedelta(**span).total_seconds()))


def claim_and_die(table: Table) -> Claim:
    """Claim as a process does that is killed before or while it sends."""
    claimed = table.ledger.claim(worker="dead:9", limit=1, per_account=5, lease=LEASE, late_grace=timedelta(minutes=30))
    return claimed.claims[0]


def test_a_lost_answer_is_looked_up_and_adopted_in_the_same_pass(tmp_path: Path) -> None:
    """The network took the post and its answer was lost: the pass finds it and sends nothing again."""
    table = Table(tmp_path)
    key = table.queue("a")
    table.remote.script.append("drop")
    publish(table)
    assert table.remote.texts() == ["Text of a"]
    assert table.state(key) == "published"
    assert [result.state for result in table.seen.results] == [State.UNCERTAIN, State.PUBLISHED]
    assert table.told.notices == []


def test_a_killed_process_is_recovered_after_its_lease(tmp_path: Path) -> None:
    """Killed after the network took the post: another process finds it once the lease is over, and doubles nothing."""
    table = Table(tmp_path)
    key = table.queue("a")
    claim = claim_and_die(table)
    asyncio.run(table.remote.create("web", {"text": "Text of a", "key": "k"}))
    publish(table)
    assert table.state(key) == "sending"
    later(table, seconds=91)
    publish(table)
    assert (table.state(key), table.remote.texts()) == ("published", ["Text of a"])
    assert not table.ledger.settle([settlement_of(claim)])[0]


def settlement_of(claim: Claim):  # type: ignore[no-untyped-def]
    from campaign_cli.ledger import Settlement

    return Settlement(key=claim.key, token=claim.token, state=State.FAILED)


def test_a_process_killed_before_sending_is_sent_later(tmp_path: Path) -> None:
    """Killed before anything left: proved absent, 90 seconds after the lease's end at the latest, then sent once."""
    table = Table(tmp_path)
    key = table.queue("a")
    claim_and_die(table)
    night(table)
    assert (table.state(key), table.remote.texts()) == ("published", ["Text of a"])
    at = table.remote.log[0][0]
    assert at - START >= LEASE + timedelta(seconds=90)


def test_absence_counts_only_after_ninety_seconds(tmp_path: Path) -> None:
    """A post that never arrived is looked up early, but nothing is sent again before 90 seconds have gone."""
    table = Table(tmp_path)
    key = table.queue("a")
    table.remote.script.append("lost")
    night(table)
    assert table.state(key) == "published"
    first, second = [at for at, _account, _text in table.remote.log]
    assert timedelta(seconds=90) <= second - first <= timedelta(seconds=100)
    assert table.remote.looks >= 2


def test_absence_makes_it_wait_and_then_it_may_be_missed(tmp_path: Path) -> None:
    """Proved absent, it goes back to waiting; when that is too late by then, it is missed, not sent."""
    table = Table(tmp_path)
    key = table.queue("a")
    table.remote.script.append("lost")
    publish(table)
    later(table, hours=2)
    publish(table)
    assert (table.state(key), table.remote.texts()) == ("missed", [])


def test_an_incomplete_search_is_no_absence(tmp_path: Path) -> None:
    """Where the search did not reach back far enough, it stays uncertain, however long ago it is."""
    table = Table(tmp_path)
    key = table.queue("a")
    table.remote.script.append("lost")
    table.remote.complete = False
    night(table, hours=30)
    assert (table.state(key), table.remote.texts()) == ("uncertain", [])


@pytest.mark.parametrize("complete", [True, False])
def test_what_the_network_will_never_tell_is_left_to_a_person(tmp_path: Path, complete: bool) -> None:
    """It is looked up once, neither sent again nor asked for ever, and says what to do; what is found counts."""
    table = Table(tmp_path)
    lost, found = table.queue("a"), table.queue("b")
    table.remote.script.extend(["lost", "drop"])
    table.remote.complete, table.remote.answerable = complete, False
    night(table, hours=30)
    assert (table.state(lost), table.state(found)) == ("uncertain", "published")
    assert len(table.remote.texts()) == 1
    assert table.remote.looks == 2
    (delivery,) = table.ledger.deliveries(keys=[lost])
    assert delivery.next_try is None
    assert "campaign resolve" in delivery.error


def test_a_refused_search_is_no_absence_and_is_repeated_more_and_more_rarely(tmp_path: Path) -> None:
    """A look-up that is refused leaves it uncertain; the distances between look-ups grow up to an hour."""
    table = Table(tmp_path)
    key = table.queue("a")
    table.remote.script.append("lost")
    table.remote.searchable = False
    night(table, hours=24)
    assert (table.state(key), table.remote.texts()) == ("uncertain", [])
    assert 20 <= table.remote.looks <= 45
    table.remote.searchable = True
    night(table, hours=2)
    assert table.state(key) in ("waiting", "missed")


@pytest.mark.parametrize("searchable", [False, True])
def test_what_stays_in_doubt_for_hours_asks_a_person_once(tmp_path: Path, searchable: bool) -> None:
    """A look-up that is refused, or never reaches back far enough, goes on; a person hears once what can be done."""
    table = Table(tmp_path)
    key = table.queue("a")
    table.remote.script.append("lost")
    table.remote.searchable, table.remote.complete = searchable, False
    night(table, hours=2)
    (before,) = table.ledger.deliveries(keys=[key])
    assert "campaign resolve" not in before.error
    table.told.notices.clear()
    night(table, hours=24)
    (delivery,) = table.ledger.deliveries(keys=[key])
    assert "campaign resolve" in delivery.error
    assert delivery.next_try is not None
    (notice,) = table.told.notices
    assert (notice.key, "campaign resolve" in notice.message) == (key, True)


def test_only_what_was_created_after_the_attempt_is_adopted(tmp_path: Path) -> None:
    """The same words of yesterday are not this post."""
    table = Table(tmp_path)
    key = table.queue("a", "Same words", due=timedelta(minutes=100))
    asyncio.run(table.remote.create("web", {"text": "Same words", "key": "by hand"}))
    later(table, minutes=100)
    table.remote.script.append("lost")
    night(table)
    assert table.state(key) == "published"
    assert len(table.remote.texts()) == 2


def test_a_post_that_seems_older_may_be_ours_after_the_clock_was_set_back(tmp_path: Path) -> None:
    """The clock was an hour ahead when it was sent, and is right when it is looked up: the post is there, so it is
    neither called missed nor sent again, and a person hears of it."""
    table = Table(tmp_path)
    key = table.queue("a")
    table.remote.clock = CompressedClock(table.clock.now() - timedelta(minutes=55))
    claim_and_die(table)
    asyncio.run(table.remote.create("web", {"text": "Text of a", "key": "k"}))
    night(table)
    assert table.state(key) == "uncertain"
    assert table.remote.texts() == ["Text of a"]
    found = table.ledger.delivery(key)
    assert found is not None
    assert "the clock may have been wrong" in found.error
    assert found.next_try is None
    known = Receipt(part=0, id="1", url=None, at=table.clock.now())
    assert table.ledger.resolve(key, published_url="https://fake.example/1", receipt=known, actor="siti")


def test_a_clock_that_differs_a_little_does_not_hide_the_post(tmp_path: Path) -> None:
    """A server whose clock is a minute behind still shows a post that is ours."""
    table = Table(tmp_path)
    key = table.queue("a")
    table.remote.script.append("drop")

    dispatcher = table.dispatcher()
    store = table.remote._store

    def behind(account: str, body):  # type: ignore[no-untyped-def]
        post = store(account, body)
        post["at"] -= timedelta(minutes=1)
        return post

    table.remote._store = behind  # type: ignore[method-assign]
    asyncio.run(publish_pass(dispatcher))
    assert (table.state(key), len(table.remote.texts())) == ("published", 1)


def test_a_post_that_proves_another_delivery_is_not_adopted(tmp_path: Path) -> None:
    """Two deliveries of the same words: the one that went out is the proof of one alone."""
    table = Table(tmp_path)
    first = table.queue("a", "Same words", position=0)
    second = table.queue("b", "Same words", position=1)
    table.remote.script.extend(["ok", "lost"])
    publish(table, per_account=1)
    assert (table.state(first), table.state(second)) == ("published", "uncertain")
    night(table)
    assert table.state(second) == "published"
    assert len(table.remote.texts()) == 2


def test_twins_that_were_both_killed_find_a_post_each(tmp_path: Path) -> None:
    """Two deliveries of the same words, killed minutes apart after the network took them: each finds its own post."""
    table = Table(tmp_path)
    keys = [table.queue("a", "Same words"), table.queue("b", "Same words", due=timedelta(minutes=5))]
    for number, key in enumerate(keys):
        later(table, minutes=5 * number)
        claimed = claim_and_die(table)
        assert claimed.key == key
        asyncio.run(table.remote.create("web", {"text": "Same words", "key": claimed.key}))
    later(table, minutes=10)
    night(table)
    assert [table.state(key) for key in keys] == ["published"] * 2
    assert table.remote.texts() == ["Same words"] * 2


def test_the_same_key_is_repeated_where_the_network_removes_doubles(tmp_path: Path) -> None:
    """Not found, on a network that honours keys for ever: sent again with the same key while it may still go out."""
    table = Table(tmp_path, proof=FOR_EVER)
    table.remote.honours_keys = True
    key = table.queue("a")
    claim_and_die(table)
    later(table, minutes=20)
    publish(table)
    assert table.state(key) == "published"
    assert table.remote.texts() == ["Text of a"]


def test_a_repeat_that_meets_its_first_try_makes_no_double(tmp_path: Path) -> None:
    """Taken but not shown on the timeline: the repeat carries the same key, and the network answers with the first."""
    table = Table(tmp_path, proof=KEY_ONLY)
    table.remote.honours_keys = True
    key = table.queue("a")
    table.remote.script.append("drop")
    publish(table)
    assert (table.state(key), table.remote.texts()) == ("published", ["Text of a"])
    assert len(table.remote.log) == 2


def test_no_repeat_after_the_keys_time_is_over(tmp_path: Path) -> None:
    """After the network has forgotten the key, an absent post waits (and is missed) instead of being repeated."""
    table = Table(tmp_path, proof=FIFTY_MINUTES)
    key = table.queue("a")
    claim_and_die(table)
    later(table, minutes=51)
    publish(table)
    assert table.state(key) in ("waiting", "missed")
    assert table.remote.log == []


def test_no_repeat_on_a_server_that_is_another_software(tmp_path: Path) -> None:
    """A compatible server that ignores keys gets no repeat."""
    table = Table(tmp_path, proof=KEY_ONLY)
    table.platform.software = "Other 4"
    key = table.queue("a")
    table.remote.script.append("lost")
    night(table)
    assert (table.state(key), len(table.remote.log)) == ("uncertain", 1)


def test_without_proof_a_person_decides(tmp_path: Path) -> None:
    """No look-up and no key: it stays uncertain for ever, is told once, and says how to settle it."""
    table = Table(tmp_path, proof=NO_PROOF)
    key = table.queue("a")
    table.remote.script.append("drop")
    night(table, hours=48)
    assert (table.state(key), len(table.remote.log)) == ("uncertain", 1)
    delivery = table.ledger.delivery(key)
    assert delivery is not None
    assert "campaign resolve" in delivery.error
    assert [notice.key for notice in table.told.notices] == [key]


def test_without_proof_a_killed_process_leaves_it_to_a_person(tmp_path: Path) -> None:
    """The same after a crash: the first look at it leaves it to a person."""
    table = Table(tmp_path, proof=NO_PROOF)
    key = table.queue("a")
    claim_and_die(table)
    night(table, hours=3)
    assert (table.state(key), table.remote.log) == ("uncertain", [])


def test_a_thread_goes_on_after_its_lost_part_is_found(tmp_path: Path) -> None:
    """Part two's answer was lost and found again: part three follows it."""
    table = Table(tmp_path)
    key = table.queue("thread", "one", "two", "three")
    table.remote.script.extend(["ok", "drop"])
    publish(table)
    assert table.state(key) == "published"
    assert [(post["text"], post["after"]) for post in table.remote.posts["web"]] == [
        ("one", []),
        ("two", ["1"]),
        ("three", ["1", "2"]),
    ]


def test_a_repeat_under_a_hold_creates_nothing(tmp_path: Path) -> None:
    """A hold stops the repeat, too; after the release it is settled."""
    table = Table(tmp_path, proof=FOR_EVER)
    key = table.queue("a")
    claim_and_die(table)
    later(table, minutes=5)
    hold = table.ledger.hold(reason="tunggu", actor="sekjen")
    publish(table)
    assert (table.remote.texts(), table.state(key)) == ([], "waiting")
    table.ledger.release([hold.id], actor="sekjen")
    publish(table)
    assert table.remote.texts() == ["Text of a"]


def test_an_uncertain_one_blocks_nobody(tmp_path: Path) -> None:
    """While one post is uncertain, the next of the same account goes out."""
    table = Table(tmp_path, proof=NO_PROOF)
    table.queue("a", position=0)
    other = table.queue("b", position=1)
    table.remote.script.append("lost")
    publish(table, per_account=1)
    assert table.state(other) == "published"


def test_a_lease_that_ran_out_creates_nothing(tmp_path: Path) -> None:
    """A process that was suspended between claim and send is stopped at the gate, and sends under a new claim."""
    table = Table(tmp_path)
    key = table.queue("a")

    publish_of = table.platform.publish

    async def slow(sending):  # type: ignore[no-untyped-def]
        if table.clock.now() == START:
            later_than_lease = START + LEASE + timedelta(seconds=1)
            table.clock._now = later_than_lease
            table.ledger_of_another_process()  # type: ignore[attr-defined]
        return await publish_of(sending)

    def another_process() -> None:
        with table.open() as other:
            other.claim(worker="two:2", limit=5, per_account=5, lease=LEASE, late_grace=timedelta(minutes=30))

    table.ledger_of_another_process = another_process  # type: ignore[attr-defined]
    table.platform.publish = slow  # type: ignore[method-assign]
    publish(table)
    assert [result.state for result in table.seen.results] == [State.WAITING, State.PUBLISHED]
    assert (table.state(key), table.remote.texts()) == ("published", ["Text of a"])


def test_a_long_preparation_renews_the_lease_before_it_creates(tmp_path: Path) -> None:
    """Uploads that eat up the lease are followed by a renewal, so that the creating request is covered."""
    table = Table(tmp_path)
    key = table.queue("a")
    leases: list[datetime | None] = []
    publish_of = table.platform.publish

    async def slow(sending):  # type: ignore[no-untyped-def]
        await sending.sleep(60)
        return await publish_of(sending)

    async def look() -> None:
        delivery = await asyncio.to_thread(table.ledger.delivery, key)
        assert delivery is not None
        leases.append(delivery.lease_until)

    table.platform.publish = slow  # type: ignore[method-assign]
    table.remote.script.append(look)
    publish(table)
    assert leases == [START + timedelta(seconds=60) + LEASE]
    assert table.state(key) == "published"


def test_the_gate_says_held(tmp_path: Path) -> None:
    """The ledger's gate is the one that the engine asks."""
    table = Table(tmp_path)
    table.queue("a")
    claim = claim_and_die(table)
    table.ledger.hold(reason="x", actor="y")
    with pytest.raises(Held):
        table.ledger.check_gate(claim.key, claim.token)
    table.ledger.keep_receipt(claim, Receipt(part=0, id="7", url=None, at=START))


def test_an_answer_after_the_lease_counts_until_somebody_else_has_it(tmp_path: Path) -> None:
    """An answer that comes after the lease is written down; once another process holds the post, it is said aloud."""
    table = Table(tmp_path)
    kept, taken = table.queue("a", position=0), table.queue("b", position=1)

    def other_process(*, look_up: bool) -> None:
        with table.open() as other:
            other.claim(worker="two:2", limit=9, per_account=0, lease=LEASE, late_grace=timedelta(hours=9))
            if look_up:
                other.claim_doubtful(worker="two:2", limit=9, lease=LEASE)

    async def lapse() -> None:
        table.clock._now += LEASE + timedelta(seconds=1)
        await asyncio.to_thread(other_process, look_up=False)

    async def lapse_and_look() -> None:
        table.clock._now += LEASE + timedelta(seconds=1)
        await asyncio.to_thread(other_process, look_up=True)

    table.remote.script.extend([lapse, lapse_and_look])
    publish(table, per_account=1)
    assert table.state(kept) == "published"
    assert table.state(taken) == "uncertain"
    assert ["https://fake.example/2" in warning for warning in table.seen.warnings] == [True]
    later(table, minutes=3)
    publish(table)
    assert (table.state(taken), len(table.remote.texts())) == ("published", 2)


def test_a_repeat_that_fails_without_proof_of_absence_stays_uncertain(tmp_path: Path) -> None:
    """Where nothing can be looked up, a refused repeat does not prove that the first try failed."""
    table = Table(tmp_path, proof=KEY_ONLY)
    key = table.queue("a")
    table.remote.script.extend(["lost", "refuse", "401", "ok"])
    publish(table)
    assert table.state(key) == "uncertain"
    night(table, hours=1)
    assert (table.state(key), len(table.remote.log)) == ("published", 4)


def test_a_look_up_without_its_secret_stays_uncertain(tmp_path: Path) -> None:
    """A secret that is gone is no proof of anything; when it is back, the post is found."""
    table = Table(tmp_path)
    key = table.queue("a")
    claim_and_die(table)
    asyncio.run(table.remote.create("web", {"text": "Text of a", "key": "k"}))
    look_up = table.platform.look_up

    async def signed_in(sending, since):  # type: ignore[no-untyped-def]
        sending.secret("token")
        return await look_up(sending, since)

    table.platform.look_up = signed_in  # type: ignore[method-assign]
    later(table, minutes=5)
    table.environment = {}
    publish(table)
    delivery = table.ledger.delivery(key)
    assert delivery is not None
    assert (delivery.state, "TOKEN" in delivery.error) == (State.UNCERTAIN, True)
    table.environment = {"TOKEN": "s3cret-token"}
    night(table)
    assert (table.state(key), len(table.remote.texts())) == ("published", 1)


def test_an_uncertain_post_of_an_account_that_is_gone_is_left_to_a_person(tmp_path: Path) -> None:
    """Without the account nobody can look: it stays uncertain and says why."""
    table = Table(tmp_path, "web", "other")
    key = table.queue("a")
    claim_and_die(table)
    del table.accounts["web"]
    night(table)
    delivery = table.ledger.delivery(key)
    assert delivery is not None
    assert (delivery.state, "accounts.yaml" in delivery.error) == (State.UNCERTAIN, True)
