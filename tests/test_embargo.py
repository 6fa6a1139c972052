"""Embargoes: nothing leaves before, whatever is ordered, and whatever our own clock says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from dispatch_helpers import START, Table

from campaign_cli import platforms
from campaign_cli.dispatch.publish import publish_pass
from campaign_cli.models import Account, State
from campaign_cli.platforms.base import Proof

HOUR = timedelta(hours=1)


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    """One account on the scripted network."""
    made = Table(tmp_path)
    yield made
    made.ledger.close()


def publish(table: Table, *, until: timedelta | None = None, **options: object) -> object:
    """One pass now, or one that stays."""
    end = None if until is None else table.clock.now() + until
    return asyncio.run(publish_pass(table.dispatcher(**options), until=end))


def test_nothing_leaves_before_the_end_whatever_grace_is_given(table: Table) -> None:
    """A due delivery under embargo is not claimed, nobody is asked anything, and the pass counts it as held."""
    table.queue("a", due=-HOUR, embargo=HOUR)
    outcome = publish(table, late_grace=timedelta(days=9))
    assert outcome.held == 1  # type: ignore[attr-defined]
    assert table.remote.log == []
    assert table.remote.asked == []


def test_it_goes_out_when_both_clocks_are_past_the_end(table: Table) -> None:
    """A pass that stays sends it at the end of the embargo, after one question without a credential."""
    table.queue("a", due=-HOUR, embargo=HOUR)
    publish(table, until=2 * HOUR)
    ((at, _account, _text),) = table.remote.log
    assert at == START + HOUR
    (asked,) = table.remote.asked
    assert (asked.method, asked.url, dict(asked.headers), asked.creating) == ("HEAD", "https://fake.example", {}, False)


def test_a_clock_of_ours_that_is_ahead_sends_nothing_early(table: Table) -> None:
    """The destination's Date decides: it waits until that would be past the end, and is not missed for it."""
    table.remote.behind = 3 * HOUR
    key = table.queue("a", due=HOUR, embargo=HOUR)
    publish(table, until=10 * HOUR)
    assert table.state(key) == "published"
    assert table.remote.log[0][0] == START + 4 * HOUR
    reasons = [event.data.get("error", "") for event in table.ledger.events(key=key, kind="waiting")]
    assert reasons == ["Its embargo is not over by the clock of its destination."] * 3  # asked within each hour


def test_a_clock_that_is_far_ahead_costs_no_tries(table: Table) -> None:
    """However often the destination is asked, that is no failed try: the first real one has the whole number."""
    key = table.queue("a", embargo=timedelta(0))
    for _hour in range(15):  # its clock stands still
        table.remote.behind += HOUR
        publish(table)
        asyncio.run(table.clock.sleep(3600))
    table.remote.behind = timedelta(0)
    table.remote.script.append("down")
    publish(table)
    assert table.state(key) == "waiting"
    found = table.ledger.delivery(key)
    assert found is not None
    assert "No route" in found.error


@pytest.mark.parametrize("silent", ["unreachable", "dateless", "unreadable", "zoneless"])
def test_who_does_not_say_what_time_it_is_gets_nothing(
    table: Table, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing leaves, it is tried again a minute later, and after late_grace it is missed."""
    table.remote.gone, table.remote.dateless = silent == "unreachable", silent == "dateless"
    if silent in ("unreadable", "zoneless"):
        date = {"unreadable": "soon", "zoneless": "Thu, 10 Dec 2026 09:00:00 -0000"}[silent]
        monkeypatch.setattr(table.remote, "dated", lambda: {"date": date})
    key = table.queue("a", embargo=timedelta(0))
    publish(table)
    found = table.ledger.delivery(key)
    assert found is not None
    assert (found.state, found.next_try) == (State.WAITING, START + timedelta(minutes=1))
    assert "does not say what time it is" in found.error
    publish(table, until=HOUR)
    assert table.state(key) == "missed"
    assert table.remote.log == []


def test_a_clock_that_was_ahead_by_a_moment_excuses_no_lateness(table: Table) -> None:
    """A Date that was two seconds short does not let a machine that then slept for days send it all the same."""
    table.remote.behind = timedelta(seconds=2)
    key = table.queue("a", embargo=timedelta(0))
    publish(table)
    assert table.state(key) == "waiting"
    asyncio.run(table.clock.sleep(3 * 86400))
    publish(table)
    assert table.state(key) == "missed"
    assert table.remote.log == []


def test_retry_and_release_now_do_not_end_an_embargo(table: Table) -> None:
    """An order to send now moves the due instant, and the embargo stays where it is."""
    key = table.queue("a", due=2 * HOUR, embargo=HOUR)
    table.ledger.cancel([key], actor="siti")
    table.ledger.retry([key], actor="siti", at=START)
    hold = table.ledger.hold(reason="uji", actor="siti")
    table.ledger.release([hold.id], actor="siti", late={key: "now"})
    found = table.ledger.delivery(key)
    assert found is not None
    assert found.embargo == START + HOUR
    assert publish(table).held == 1  # type: ignore[attr-defined]
    assert table.remote.log == []


def test_lateness_counts_from_the_end_of_the_embargo(table: Table) -> None:
    """What was due long before its embargo ended is not late when it ends; and is, when that is long ago."""
    key = table.queue("a", due=-5 * HOUR, embargo=timedelta(minutes=-29))
    other = table.queue("b", due=-5 * HOUR, embargo=timedelta(minutes=-31))
    publish(table)
    assert (table.state(key), table.state(other)) == ("published", "missed")


def test_a_repeat_with_the_same_key_asks_again(tmp_path: Path) -> None:
    """A crash before the question leaves a doubtful delivery: its recovery asks, too, before it sends."""
    table = Table(tmp_path, proof=Proof(look_up=True, repeat_for=HOUR))
    key = table.queue("a", embargo=timedelta(0))
    table.ledger.claim(worker="dead:1", limit=1, per_account=1, lease=timedelta(seconds=90), late_grace=HOUR)
    table.remote.behind = HOUR
    asyncio.run(table.clock.sleep(100))
    publish(table, until=timedelta(minutes=20))
    assert table.remote.log == []
    assert table.remote.asked
    assert table.state(key) in ("uncertain", "waiting")
    publish(table, until=2 * HOUR)
    assert table.remote.log[0][0] >= START + HOUR
    table.ledger.close()


def test_later_parts_of_a_thread_ask_no_more(table: Table) -> None:
    """Once the first part is out, the embargo is over everywhere."""
    table.queue("a", "satu", "dua", "tiga", embargo=timedelta(0))
    publish(table)
    assert len(table.remote.log) == 3
    assert len(table.remote.asked) == 1


def test_a_later_pass_that_waits_for_the_destinations_clock_says_so(table: Table) -> None:
    """Each pass counts it as held while it is due and its destination has not said that the embargo is over."""
    table.remote.behind = 3 * HOUR
    key = table.queue("a", due=-HOUR, embargo=timedelta(0))
    for _pass in range(2):  # the second asks nobody: it is not time to ask again
        outcome = publish(table)
        assert [(one.key, one.held, one.error) for one in outcome.results] == [  # type: ignore[attr-defined]
            (key, True, "Its embargo is not over by the clock of its destination.")
        ]
        assert outcome.held == 1  # type: ignore[attr-defined]
    assert len(table.remote.asked) == 1
    table.remote.behind = timedelta(0)
    asyncio.run(table.clock.sleep(3600))
    assert publish(table).held == 0  # type: ignore[attr-defined]
    assert table.state(key) == "published"


def test_what_failed_after_its_embargo_is_not_held_by_it(table: Table) -> None:
    """A network that is down is another reason to wait, and nobody's hold."""
    key = table.queue("a", embargo=timedelta(0))
    table.remote.script.append("down")
    for _pass in range(2):
        assert publish(table).held == 0  # type: ignore[attr-defined]
    assert table.state(key) == "waiting"


def test_who_has_no_server_goes_by_the_clocks_of_others(tmp_path: Path) -> None:
    """An account without a server waits for a Date of another account's; without any, it never goes out by itself."""
    alone = Table.account("tangan", url="")
    table = Table(tmp_path, alone)
    table.queue("a", account="tangan", embargo=timedelta(0))
    publish(table)
    assert table.remote.log == []
    table.accounts["web"] = Table.account("web")
    table.remote.behind = HOUR
    asyncio.run(table.clock.sleep(61))
    publish(table)
    assert table.remote.log == []
    publish(table, until=3 * HOUR)
    assert len(table.remote.log) == 1
    table.ledger.close()


def test_the_gate_holds_what_was_claimed_before_the_clock_was_set_back(table: Table) -> None:
    """A claim is no right to send: right before the request, the ledger's clock is asked once more."""
    key = table.queue("a", embargo=timedelta(0))
    (claim,) = table.ledger.claim(worker="w", limit=1, per_account=1, lease=HOUR, late_grace=HOUR).claims
    table.clock._now -= HOUR  # type: ignore[attr-defined]
    (refusal,) = table.ledger.check_gates([(key, claim.token)])
    assert refusal is not None
    assert "embargo" in str(refusal)


def test_the_registry_says_where_to_ask() -> None:
    """Every network has a server that can be asked for the time, but for the one that is a person."""
    without = []
    for name in platforms.PLATFORMS:
        platform = platforms.get(name)
        field = platform.Settings.model_fields.get("url")
        if field is None:
            without.append(name)
    assert without == ["manual"]


def test_a_webhook_is_asked_at_its_server_and_not_at_its_address() -> None:
    """To call a webhook's own address may do something: only its server is asked."""
    settings = {"url": "https://hook.example/geheim/1", "secret": "env:S"}
    account = Account(name="kait", platform="webhook", settings=settings)
    assert platforms.get("webhook").home(account) == "https://hook.example/"


def test_instagram_is_asked_where_its_login_is() -> None:
    """Two kinds of login mean two servers."""
    for login, home in (("instagram", "https://graph.instagram.com"), ("facebook", "https://graph.facebook.com")):
        settings = {"token": "env:T", "login": login, "account": "17841400000000000"}
        assert platforms.get("instagram").home(Account(name="ig", platform="instagram", settings=settings)) == home
