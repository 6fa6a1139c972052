"""One pass over what is due: claimed, sent in order, settled, told."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from dispatch_helpers import START, Table
from ledger_helpers import paused

from campaign_cli.dispatch.publish import publish_pass, would_go
from campaign_cli.errors import LedgerError
from campaign_cli.models import State
from campaign_cli.platforms.base import Proof

NO_PROOF = Proof(look_up=False)


def test_what_is_due_goes_out_once_and_the_rest_waits(tmp_path: Path) -> None:
    """A pass sends everything due, in order of due instant and plan, and nothing else; a second pass sends nothing."""
    table = Table(tmp_path)
    table.queue("later", due=timedelta(hours=1))
    table.queue("b", position=2)
    table.queue("a", position=1)
    table.queue("first", due=timedelta(minutes=-5), position=9)
    outcome = asyncio.run(publish_pass(table.dispatcher()))
    assert table.remote.texts() == ["Text of first", "Text of a", "Text of b"]
    assert outcome.published == 3
    assert outcome.results[0].url == "https://fake.example/1"
    again = asyncio.run(publish_pass(table.dispatcher()))
    assert again.quiet
    assert table.state("upah/later/web") == "waiting"


def test_a_thread_goes_out_in_order_and_each_part_knows_the_one_before(tmp_path: Path) -> None:
    """The parts of a thread wait for each other and answer each other."""
    table = Table(tmp_path)
    key = table.queue("thread", "one", "two", "three")
    asyncio.run(publish_pass(table.dispatcher()))
    assert [(post["text"], post["after"]) for post in table.remote.posts["web"]] == [
        ("one", []),
        ("two", ["1"]),
        ("three", ["1", "2"]),
    ]
    delivery = table.ledger.delivery(key)
    assert delivery is not None
    assert [receipt.id for receipt in delivery.receipts] == ["1", "2", "3"]


def test_a_thread_that_was_stopped_goes_on_at_part_two(tmp_path: Path) -> None:
    """After a refusal for now at part two, the next pass begins at part two, and lateness no longer counts."""
    table = Table(tmp_path)
    key = table.queue("thread", "one", "two", "three")
    table.remote.script.extend(["ok", "429"])
    outcome = asyncio.run(publish_pass(table.dispatcher()))
    assert outcome.waiting == 1
    assert table.remote.texts() == ["one"]
    asyncio.run(table.clock.sleep(3600))
    asyncio.run(publish_pass(table.dispatcher()))
    assert table.remote.texts() == ["one", "two", "three"]
    assert table.state(key) == "published"


def test_too_many_requests_rest_the_account_for_every_process(tmp_path: Path) -> None:
    """After a 429 nothing leaves for that account until the network's instant; others go on."""
    table = Table(tmp_path, "web", "other")
    for number in range(8):
        table.queue(f"p{number}", position=number)
        table.queue(f"p{number}", account="other", position=number)
    table.remote.script.extend(["429"])
    asyncio.run(publish_pass(table.dispatcher(per_account=1)))
    limited = "web" if not table.remote.posts["web"] else "other"
    free = "other" if limited == "web" else "web"
    assert (len(table.remote.texts(limited)), len(table.remote.texts(free))) == (0, 8)
    assert paused(table.ledger, table.clock.now()) == {f"fake:{limited}": START + timedelta(seconds=40)}
    asyncio.run(table.clock.sleep(40))
    asyncio.run(publish_pass(table.dispatcher()))
    assert len(table.remote.texts(limited)) == 8


def test_rate_headers_of_a_success_rest_the_account_too(tmp_path: Path) -> None:
    """Headers that say that the allowance is used up pause the account."""
    table = Table(tmp_path)
    table.queue("a")
    table.remote.script.append("rest")
    asyncio.run(publish_pass(table.dispatcher()))
    assert paused(table.ledger, table.clock.now()) == {"fake:web": START + timedelta(seconds=60)}


def test_an_account_never_has_more_than_five_in_flight(tmp_path: Path) -> None:
    """Five at a time for one account, however many are due."""
    table = Table(tmp_path)
    for number in range(30):
        table.queue(f"p{number}", position=number)
    full = asyncio.Event()

    async def delay(account: str) -> None:
        if table.remote.in_flight[account] >= 5:
            full.set()
        await full.wait()
        await asyncio.sleep(0.005)

    table.remote.delay = delay
    asyncio.run(publish_pass(table.dispatcher()))
    assert len(table.remote.texts()) == 30
    assert table.remote.most_in_flight == 5


def test_a_slow_account_holds_up_nobody(tmp_path: Path) -> None:
    """While five requests of one account hang, all posts of the other go out."""
    table = Table(tmp_path, "slow", "quick")
    for number in range(20):
        table.queue(f"p{number}", account="slow", due=timedelta(seconds=-60))
        table.queue(f"p{number}", account="quick")
    release = asyncio.Event()

    async def delay(account: str) -> None:
        if account == "slow":
            await release.wait()
        elif len(table.remote.posts["quick"]) == 19:
            release.set()

    table.remote.delay = delay
    outcome = asyncio.run(publish_pass(table.dispatcher()))
    assert outcome.published == 40


def test_a_refusal_is_final_and_blocks_nobody(tmp_path: Path) -> None:
    """A refused post fails with the network's words; the others go out; people are told once."""
    table = Table(tmp_path)
    first = table.queue("a", position=0)
    table.queue("b", position=1)
    table.remote.script.append("refuse")
    outcome = asyncio.run(publish_pass(table.dispatcher(per_account=1)))
    assert (outcome.failed, outcome.published, outcome.unauthorized) == (1, 1, 0)
    assert [notice.key for notice in table.told.notices] == [first]
    asyncio.run(publish_pass(table.dispatcher()))
    assert len(table.told.notices) == 1


def test_an_absent_secret_fails_its_own_account_alone(tmp_path: Path) -> None:
    """A missing secret fails that account's deliveries with the fix; the other account is not touched."""
    table = Table(tmp_path, Table.account("web", token="env:NOT_SET"), "other")
    key = table.queue("a")
    table.queue("a", account="other")
    outcome = asyncio.run(publish_pass(table.dispatcher()))
    assert (outcome.unauthorized, outcome.failed, outcome.published) == (1, 1, 1)
    delivery = table.ledger.delivery(key)
    assert delivery is not None
    assert "NOT_SET" in delivery.error


def test_a_refused_secret_is_a_credential_and_never_shown(tmp_path: Path) -> None:
    """A 401 fails the delivery as a credential; a secret that the network echoes is not stored."""
    table = Table(tmp_path)
    key = table.queue("a")
    table.remote.script.append("401")
    outcome = asyncio.run(publish_pass(table.dispatcher()))
    assert outcome.unauthorized == 1
    delivery = table.ledger.delivery(key)
    assert delivery is not None
    assert "s3cret-token" not in delivery.error


def test_a_bug_in_an_adapter_fails_before_and_is_uncertain_after(tmp_path: Path) -> None:
    """An adapter that breaks before anything left fails; one that breaks on the answer leaves it uncertain."""
    table = Table(tmp_path, proof=NO_PROOF)
    table.remote.script.append("bug-after")
    key = table.queue("after")
    outcome = asyncio.run(publish_pass(table.dispatcher()))
    assert outcome.uncertain == 1
    assert table.state(key) == "uncertain"
    table.platform.bug = True
    key = table.queue("before")
    assert asyncio.run(publish_pass(table.dispatcher())).failed == 1
    assert table.state(key) == "failed"


def test_a_hold_stops_the_next_part_in_the_middle_of_a_thread(tmp_path: Path) -> None:
    """A hold that comes while part one is on the wire lets it end and stops part two; release goes on there."""
    table = Table(tmp_path)
    key = table.queue("thread", "one", "two")

    async def hold() -> None:
        await asyncio.to_thread(table.ledger.hold, reason="berita duka", actor="sekjen")

    table.remote.script.append(hold)
    outcome = asyncio.run(publish_pass(table.dispatcher()))
    assert table.remote.texts() == ["one"]
    assert (outcome.held, outcome.waiting, outcome.uncertain) == (1, 0, 0)
    assert table.state(key) == "waiting"
    table.ledger.release([hold.id for hold in table.ledger.holds()], actor="sekjen")
    asyncio.run(publish_pass(table.dispatcher()))
    assert table.remote.texts() == ["one", "two"]


@pytest.mark.parametrize("sent_by_another", [False, True])
def test_what_another_process_sent_since_is_not_held_any_more(tmp_path: Path, *, sent_by_another: bool) -> None:
    """A process that let go of a delivery under a hold doesn't end by calling it held once another one has sent it."""
    table = Table(tmp_path)
    table.queue("thread", "one", "two")

    async def hold() -> None:
        await asyncio.to_thread(table.ledger.hold, reason="berita duka", actor="sekjen")

    async def both() -> int:
        with table.open() as opened:
            first = table.dispatcher(opened)
            await first.pump()
            while first.busy:
                await asyncio.sleep(0)
            assert first.outcome.held == 1
            if sent_by_another:
                table.ledger.release([hold.id for hold in table.ledger.holds()], actor="sekjen")
                await publish_pass(table.dispatcher())
            await first.finish()
            await first.close()
            return first.outcome.held

    table.remote.script.append(hold)
    assert asyncio.run(both()) == (0 if sent_by_another else 1)
    assert table.remote.texts() == (["one", "two"] if sent_by_another else ["one"])


def test_what_is_held_is_not_claimed_and_is_said(tmp_path: Path) -> None:
    """A due post under a hold stays, counts as held, and would not go."""
    table = Table(tmp_path)
    key = table.queue("a")
    table.ledger.hold(reason="berita duka", actor="sekjen")
    assert would_go(table.ledger, now=table.clock.now()) == []
    outcome = asyncio.run(publish_pass(table.dispatcher()))
    assert (outcome.held, table.remote.texts(), table.state(key)) == (1, [], "waiting")


def test_late_is_missed_with_one_notice(tmp_path: Path) -> None:
    """Later than the grace allows, a post is missed, and people hear of it once."""
    table = Table(tmp_path)
    key = table.queue("a", due=timedelta(minutes=-31))
    outcome = asyncio.run(publish_pass(table.dispatcher()))
    assert (outcome.missed, table.state(key), table.remote.texts()) == (1, "missed", [])
    asyncio.run(publish_pass(table.dispatcher()))
    assert [(notice.key, notice.kind) for notice in table.told.notices] == [(key, State.MISSED)]


def test_a_wider_grace_sends_it_after_all(tmp_path: Path) -> None:
    """The grace is the pass's own."""
    table = Table(tmp_path)
    table.queue("a", due=timedelta(hours=-3))
    outcome = asyncio.run(publish_pass(table.dispatcher(late_grace=timedelta(hours=24))))
    assert outcome.published == 1


def test_two_dispatchers_on_one_ledger_send_each_post_once(tmp_path: Path) -> None:
    """Claims are exclusive: two passes side by side over one file make no double."""
    table = Table(tmp_path, "web", "other")
    for number in range(60):
        table.queue(f"p{number}", account="web" if number % 2 else "other", position=number)
    with table.open() as second:

        async def both() -> None:
            await asyncio.gather(
                publish_pass(table.dispatcher(worker="one:1")),
                publish_pass(table.dispatcher(second, worker="two:2")),
            )

        asyncio.run(both())
    texts = table.remote.texts("web") + table.remote.texts("other")
    assert len(texts) == len(set(texts)) == 60


def test_only_restricts_the_pass_to_its_own(tmp_path: Path) -> None:
    """A message sent by hand takes nothing else along, and leaves what is late alone."""
    table = Table(tmp_path)
    mine = table.queue("mine")
    table.queue("due")
    late = table.queue("late", due=timedelta(hours=-2))
    outcome = asyncio.run(publish_pass(table.dispatcher(only=[mine])))
    assert table.remote.texts() == ["Text of mine"]
    assert [result.key for result in outcome.results] == [mine]
    assert table.state(late) == "waiting"


def test_a_night_sends_what_falls_due_until_its_end(tmp_path: Path) -> None:
    """With an end, the pass sleeps from due instant to due instant, tries again what failed for now, and then ends."""
    table = Table(tmp_path)
    table.remote.script.extend(["ok", "down"])
    for hours in (1, 3, 5, 9):
        table.queue(f"h{hours}", due=timedelta(hours=hours))
    outcome = asyncio.run(publish_pass(table.dispatcher(), until=START + timedelta(hours=5)))
    assert outcome.published == 3
    instants = [at - START for at, _account, _text in table.remote.log]
    assert instants[0] == timedelta(hours=1)
    assert instants[1] == timedelta(hours=3)
    assert timedelta(hours=3) < instants[2] < timedelta(hours=3, minutes=1)
    assert instants[3] == timedelta(hours=5)
    assert table.state("upah/h9/web") == "waiting"


def test_a_rate_spaces_an_account_and_the_pass_stays_for_it(tmp_path: Path) -> None:
    """Two posts a minute are thirty seconds apart; the other account does not wait."""
    table = Table(tmp_path, Table.account("web", rate=2), "other")
    for number in range(4):
        table.queue(f"p{number}", position=number)
        table.queue(f"p{number}", account="other", position=number)
    outcome = asyncio.run(publish_pass(table.dispatcher()))
    assert outcome.published == 8
    spaced = [(at - START).total_seconds() for at, account, _text in table.remote.log if account == "web"]
    assert spaced == [0, 30, 60, 90]
    assert all(at == START for at, account, _text in table.remote.log if account == "other")


def test_an_account_that_is_another_one_by_now_parks_its_posts(tmp_path: Path) -> None:
    """After its address has changed, nothing leaves for an account; the reason names both addresses."""
    table = Table(tmp_path)
    key = table.queue("a")
    table.accounts = {"web": Table.account("web", address="new")}
    outcome = asyncio.run(publish_pass(table.dispatcher()))
    assert (outcome.failed, table.remote.texts()) == (1, [])
    delivery = table.ledger.delivery(key)
    assert delivery is not None
    assert "fake:new" in delivery.error


def test_would_go_reads_and_changes_nothing(tmp_path: Path) -> None:
    """The listing names what is due now or up to an instant, without what would be missed."""
    table = Table(tmp_path)
    table.queue("late", due=timedelta(hours=-1))
    now = table.queue("now")
    soon = table.queue("soon", due=timedelta(hours=1))
    grace = timedelta(minutes=30)
    assert [one.key for one in would_go(table.ledger, now=START, late_grace=grace)] == [now]
    until = START + timedelta(hours=2)
    assert [one.key for one in would_go(table.ledger, now=START, until=until, late_grace=grace)] == [now, soon]
    assert table.state("upah/late/web") == "waiting"


def test_a_pass_that_is_cut_off_settles_by_what_it_knows(tmp_path: Path) -> None:
    """Ctrl-C while an answer is awaited leaves that post uncertain; what has not left goes back to wait."""
    table = Table(tmp_path)
    sent = table.queue("a")
    waiting = table.queue("b", "one", "two")

    async def scenario() -> None:
        hanging = asyncio.Event()

        async def hang() -> None:
            hanging.set()
            await asyncio.Event().wait()

        table.remote.script.extend([hang])
        task = asyncio.create_task(publish_pass(table.dispatcher(per_account=1)))
        await hanging.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
    assert table.state(sent) == "uncertain"
    assert table.state(waiting) == "waiting"


def test_a_ledger_that_fails_ends_the_pass_with_its_error(tmp_path: Path) -> None:
    """Trouble with the ledger is raised to the command, after what is on the wire has ended."""
    table = Table(tmp_path)
    table.queue("a")
    dispatcher = table.dispatcher()

    def broken(**_arguments: object) -> None:
        raise LedgerError("The disk is full.")

    dispatcher.ledger.claim = broken  # type: ignore[method-assign, assignment]
    with pytest.raises(LedgerError, match="disk is full"):
        asyncio.run(publish_pass(dispatcher))


def test_transports_are_closed_at_the_end(tmp_path: Path) -> None:
    """A pass leaves no open connection behind."""
    table = Table(tmp_path)
    table.queue("a")
    dispatcher = table.dispatcher()
    opened = []
    make = dispatcher._desk.transport
    dispatcher._desk.transport = lambda account: opened.append(make(account)) or opened[-1]  # type: ignore[func-returns-value]
    asyncio.run(publish_pass(dispatcher))
    assert [http.closed for http in opened] == [True]  # type: ignore[attr-defined]
