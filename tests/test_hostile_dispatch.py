"""Bad luck for the sender: machines that sleep, clocks that are wrong, answers that lie, posts that look the same."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from dispatch_helpers import START, Remote, Reply, Table

from campaign_cli.dispatch.options import LEASE
from campaign_cli.dispatch.publish import publish_pass
from campaign_cli.errors import Unavailable
from campaign_cli.ledger import Claim, Settlement
from campaign_cli.models import Receipt, State
from campaign_cli.platforms.base import Proof

GRACE = timedelta(minutes=30)


def publish(table: Table, **options: object) -> None:
    asyncio.run(publish_pass(table.dispatcher(**options)))


def later(table: Table, **span: float) -> None:
    asyncio.run(table.clock.sleep(timedelta(**span).total_seconds()))


def claim_and_die(table: Table, *, limit: int = 1) -> tuple[Claim, ...]:
    return table.ledger.claim(worker="dead:9", limit=limit, per_account=5, lease=LEASE, late_grace=GRACE).claims


@pytest.mark.parametrize("proof", [Proof(look_up=True), Proof(look_up=True, repeat_for=timedelta.max)])
def test_what_is_proved_absent_days_later_is_missed(tmp_path: Path, proof: Proof) -> None:
    """A crash before sending that is found days later sends nothing: a call for yesterday must not go out today."""
    table = Table(tmp_path, proof=proof)
    key = table.queue("a")
    claim_and_die(table)
    later(table, days=2)
    publish(table)
    assert (table.state(key), table.remote.log) == ("missed", [])


def test_a_begun_thread_is_finished_however_late(tmp_path: Path) -> None:
    """Lateness stops no thread in its middle: the rest is sent under its own key."""
    table = Table(tmp_path, proof=Proof(look_up=True, repeat_for=timedelta.max))
    key = table.queue("a", "satu", "dua", "tiga")
    table.remote.script.extend(["ok", "lost"])
    publish(table)
    later(table, days=2)
    publish(table)
    assert (table.state(key), table.remote.texts()) == ("published", ["satu", "dua", "tiga"])


def test_a_machine_that_sleeps_during_a_request_takes_its_answer(tmp_path: Path) -> None:
    """The lease ran out while the machine slept with a request on the wire: the answer still settles the delivery."""
    table = Table(tmp_path, proof=Proof(look_up=False))
    key = table.queue("a")
    other = table.queue("b", due=timedelta(hours=1))

    async def sleeps() -> None:
        dispatcher = table.dispatcher(lockstep=False)
        asked, woken = asyncio.Event(), asyncio.Event()

        async def asleep() -> None:
            asked.set()
            await woken.wait()

        table.remote.script.append(asleep)
        await dispatcher.pump()
        await asked.wait()
        table.clock._now = START + timedelta(hours=1)
        await dispatcher.pump()
        woken.set()
        await dispatcher.finish()
        await dispatcher.close()

    asyncio.run(sleeps())
    assert (table.state(key), table.state(other)) == ("published", "published")
    assert State.UNCERTAIN not in {result.state for result in table.seen.results}


def test_a_wrong_year_in_retry_after_rests_for_a_day_at_most(tmp_path: Path) -> None:
    """A network that asks to come back in three hundred years is asked again after a day."""
    table = Table(tmp_path)
    key = table.queue("a", "satu", "dua")

    async def far_away() -> None:
        raise Unavailable("Later.", status=429, retry_at=table.clock.now() + timedelta(days=100_000))

    table.remote.script.extend(["ok", far_away])
    publish(table)
    assert table.state(key) == "waiting"
    later(table, hours=25)
    publish(table)
    assert table.state(key) == "published"


def test_two_doubtful_deliveries_with_the_same_words_share_no_post(tmp_path: Path) -> None:
    """Both answers were lost: each look-up ends with a post of its own, and nobody has to decide."""
    table = Table(tmp_path)
    keys = [table.queue(name, "Ayo turun!") for name in ("a", "b")]
    table.remote.script.extend(["drop", "drop"])
    asyncio.run(publish_pass(table.dispatcher(), until=START + timedelta(minutes=10)))
    assert [table.state(key) for key in keys] == ["published", "published"]
    assert len(table.remote.texts()) == 2


def test_of_two_with_the_same_words_the_one_that_did_not_go_out_is_sent(tmp_path: Path) -> None:
    """Only one of them reached the network: in the end there are two posts, not one and not three."""
    table = Table(tmp_path)
    keys = [table.queue(name, "Ayo turun!") for name in ("a", "b")]
    table.remote.script.extend(["lost", "drop"])
    asyncio.run(publish_pass(table.dispatcher(), until=START + timedelta(minutes=10)))
    assert [table.state(key) for key in keys] == ["published", "published"]
    assert len(table.remote.texts()) == 2


def test_a_look_up_that_took_the_post_of_another_gives_it_back(tmp_path: Path) -> None:
    """While one is being sent, the look-up of its twin finds its post: the answer to the sender decides whose it is."""
    table = Table(tmp_path)
    doubtful, sent = table.queue("a", "Ayo turun!"), table.queue("b", "Ayo turun!", position=1)
    table.remote.script.append("lost")
    asyncio.run(publish_pass(table.dispatcher(only={doubtful})))  # its first look-up finds nothing
    twin = claim_and_die(table)[0]
    assert twin.key == sent
    body = {"text": "Ayo turun!", "key": "twin"}
    post = asyncio.run(table.remote.create("web", body)).json()
    later(table, seconds=60)
    asyncio.run(publish_pass(table.dispatcher(only={doubtful})))
    assert table.state(doubtful) == "published"
    receipt = Receipt(part=0, id=post["id"], url=None, at=table.clock.now())
    settlement = Settlement(key=sent, token=twin.token, state=State.PUBLISHED, receipt=receipt)
    assert all(table.ledger.settle([settlement]))
    assert (table.state(sent), table.state(doubtful)) == ("published", "uncertain")
    asyncio.run(publish_pass(table.dispatcher(), until=table.clock.now() + timedelta(minutes=10)))
    assert table.state(doubtful) == "published"
    assert len(table.remote.texts()) == 2


def test_a_post_is_found_although_our_clock_is_ahead(tmp_path: Path) -> None:
    """A laptop ten minutes ahead of the network finds its own post, by the clock that the network's answers show."""
    table = Table(tmp_path)
    table.remote = BehindRemote(table.clock)
    key = table.queue("a")
    table.remote.script.append("drop")
    publish(table)
    later(table, minutes=5)
    publish(table)
    assert (table.state(key), table.remote.texts()) == ("published", ["Text of a"])


class BehindRemote(Remote):
    """A network whose clock is ten minutes behind ours, as its Date header says."""

    def _store(self, account: str, body: Any) -> dict[str, Any]:
        post = super()._store(account, body)
        post["at"] -= timedelta(minutes=10)
        return post

    def headers(self) -> dict[str, str]:
        return {"date": (self.clock.now() - timedelta(minutes=10)).strftime("%a, %d %b %Y %H:%M:%S GMT")}


@pytest.mark.parametrize("answer", [{"id": "\ud800"}, {"id": ""}, {"id": ["7"]}, {"id": None}])
def test_an_answer_that_can_not_be_stored_stops_nobody_else(tmp_path: Path, answer: dict[str, Any]) -> None:
    """A receipt that no database takes leaves its own delivery uncertain; the others of its batch are published."""
    table = Table(tmp_path)
    key, fine = table.queue("a"), table.queue("b")
    create = table.remote.create

    async def odd(account: str, body: Any) -> Reply:
        reply = await create(account, body)
        return Reply(200, {}, answer) if body["text"] == "Text of a" else reply

    table.remote.create = odd  # type: ignore[method-assign]
    table.remote.searchable = False
    publish(table)
    assert (table.state(key), table.state(fine)) == ("uncertain", "published")


def test_a_message_of_ones_own_does_not_answer_for_others(tmp_path: Path) -> None:
    """What somebody else's crashed process left in doubt is not in the outcome of a pass over other deliveries."""
    table = Table(tmp_path)
    table.queue("a")
    claim_and_die(table)
    later(table, seconds=100)
    own = table.queue("b", due=table.clock.now())
    publish(table, only={own})
    assert {result.key for result in table.seen.results} == {own}


def test_a_rate_holds_between_processes(tmp_path: Path) -> None:
    """The claim itself makes an account with a rate rest, so that two processes at once start one delivery, not two."""
    table = Table(tmp_path, Table.account("web", rate=1))
    for name in "abc":
        table.queue(name)
    spacing = {"web": timedelta(minutes=1)}
    with table.open() as other:
        found = [
            ledger.claim(worker="w", limit=9, per_account=5, lease=LEASE, late_grace=GRACE, spacing=spacing).claims
            for ledger in (table.ledger, other)
        ]
    assert [len(claims) for claims in found] == [1, 0]


def test_a_late_answer_settles_what_waits_for_a_person(tmp_path: Path) -> None:
    """A suspended process comes back with the network's answer: better proof than any person's, if none has decided."""
    table = Table(tmp_path, proof=Proof(look_up=False))
    keys = [table.queue("a"), table.queue("b", position=1)]
    claims = claim_and_die(table, limit=2)
    later(table, seconds=100)
    publish(table)
    assert [table.state(key) for key in keys] == ["uncertain", "uncertain"]
    table.ledger.resolve(keys[1], not_published=True, actor="siti")
    receipts = [Receipt(part=0, id=claim.key, url=None, at=table.clock.now()) for claim in claims]
    settlements = [
        Settlement(key=claim.key, token=claim.token, state=State.PUBLISHED, receipt=receipt)
        for claim, receipt in zip(claims, receipts, strict=True)
    ]
    assert [bool(written) for written in table.ledger.settle(settlements)] == [True, False]
    assert [table.state(key) for key in keys] == ["published", "waiting"]
    assert [event.key for event in table.ledger.events(kind="late")] == [keys[1]]
