"""Embargoes of recurring posts, and what a plan's author, a command or a clock does to them: never earlier."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import Campaign
from dispatch_helpers import START, Table
from staged import Staged

from campaign_cli.dispatch.publish import publish_pass

HOUR = timedelta(hours=1)
TODAY = datetime.now(UTC).date()
DAILY = {
    "every": '    every: "daily 12:00"\n    from: {first}\n    until: {last}\n',
    "rrule": "    rrule: FREQ=DAILY;UNTIL={until}\n    from: {first} 12:00\n",
}


def day(number: int) -> str:
    """So many days from today."""
    return (TODAY + timedelta(days=number)).isoformat()


def recurring(stage: Staged, how: str, *, first: int, last: int, embargo: str = "", head: str = "") -> Path:
    """A plan with one post a day at noon, WIB."""
    until = (TODAY + timedelta(days=last)).strftime("%Y%m%dT235900")
    times = DAILY[how].format(first=day(first), last=day(last), until=until)
    more = f'    embargo_until: "{embargo}"\n' if embargo else ""
    return stage.plan(f"  - id: harian\n    text: Ingat.\n{times}{more}", head=head)


def held(campaign: Campaign) -> dict[str, Any]:
    """Each delivery's embargo (UTC), by the day of its name."""
    found = json.loads(campaign("status", "--json").out)["deliveries"]
    return {
        one["post"].split("@")[1]: one["embargo"] and datetime.fromisoformat(one["embargo"]).astimezone(UTC)
        for one in found
        if one["state"] == "waiting"
    }


@pytest.mark.parametrize("how", DAILY)
def test_an_occurrence_before_the_embargo_is_an_error_at_its_rule(campaign: Campaign, stage: Staged, how: str) -> None:
    """Five days, and an embargo to the third: nothing of it is queued, the place and the ways out are named."""
    plan = recurring(stage, how, first=1, last=5, embargo=f"{day(3)} 08:00")
    ran = campaign("queue", plan, "--yes", "--lang", "en")
    assert (ran.code, ran.err.count("T014")) == (2, 1)
    line = next(n for n, text in enumerate(plan.read_text().splitlines(), start=1) if text.strip().startswith(how))
    assert f"plan.yaml:{line}:" in ran.err
    assert "from" in ran.err.split("T014")[1]
    assert "Nothing is queued here" in campaign("status", "--lang", "en").out
    plan = recurring(stage, how, first=3, last=5, embargo=f"{day(3)} 08:00")
    assert campaign("queue", plan, "--yes").code == 0
    assert set(held(campaign)) == {day(3), day(4), day(5)}


def test_the_later_of_the_two_counts_for_every_occurrence(campaign: Campaign, stage: Staged) -> None:
    """The plan's and the post's: whichever is later, whichever it is."""
    for plan_says, post_says in ((1, 2), (2, 1)):
        head = f'embargo_until: "{day(plan_says)} 08:00"\n'
        plan = recurring(stage, "every", first=3, last=5, embargo=f"{day(post_says)} 08:00", head=head)
        assert campaign("queue", plan, "--yes").code == 0
        expected = datetime.fromisoformat(f"{day(2)}T08:00+07:00").astimezone(UTC)
        assert set(held(campaign).values()) == {expected}


def test_an_embargo_that_is_moved_is_shown_and_never_forgotten(campaign: Campaign, stage: Staged) -> None:
    """Later: what is due before is an error, and what was queued keeps its embargo meanwhile. Earlier, and none:
    `queue` names what it was until, since from then on something may go out sooner."""
    plan = recurring(stage, "every", first=3, last=5, embargo=f"{day(3)} 08:00")
    assert campaign("queue", plan, "--yes").code == 0
    before = held(campaign)
    plan = recurring(stage, "every", first=3, last=5, embargo=f"{day(4)} 08:00")
    assert campaign("queue", plan, "--yes").code == 2
    assert held(campaign) == before
    plan = recurring(stage, "every", first=4, last=5, embargo=f"{day(4)} 08:00")
    assert campaign("queue", plan, "--yes").code == 0
    later = datetime.fromisoformat(f"{day(4)}T08:00+07:00").astimezone(UTC)
    assert held(campaign) == {day(4): later, day(5): later}
    plan = recurring(stage, "every", first=4, last=5, embargo=f"{day(2)} 08:00")
    shown = campaign("queue", plan, "--dry-run", "--lang", "en")
    assert shown.out.count("embargo ends sooner: it was until") == 2
    plan = recurring(stage, "every", first=4, last=5)
    shown = campaign("queue", plan, "--dry-run", "--lang", "en")
    assert shown.out.count("under no embargo any more: it was until") == 2
    assert campaign("queue", plan, "--yes").code == 0
    assert held(campaign) == {day(4): None, day(5): None}
    events = json.loads(campaign("log", "--json").out)["events"]
    changed = [event["data"] for event in events if event["kind"] == "changed"]
    assert changed[-1]["embargo_was"] == later.isoformat()
    assert campaign("log", "--lang", "en").out.count("it was under embargo until") == 4


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    """One account on the scripted network."""
    made = Table(tmp_path)
    yield made
    made.ledger.close()


def publish(table: Table, *, until: timedelta | None = None, **options: object) -> None:
    """One pass now, or one that stays."""
    end = None if until is None else table.clock.now() + until
    asyncio.run(publish_pass(table.dispatcher(**options), until=end))


def test_a_network_that_lives_in_the_future_ends_nothing(table: Table) -> None:
    """Its Date is years ahead: our own clock must have reached the end as well, whatever is ordered."""
    table.remote.behind = -10_000 * HOUR
    keys = [table.queue(f"harian@2026-12-{10 + n}", due=-HOUR, embargo=HOUR) for n in range(3)]
    table.ledger.cancel(keys[:1], actor="siti")
    table.ledger.retry(keys[:1], actor="siti")
    publish(table, late_grace=9999 * HOUR)
    asyncio.run(table.clock.sleep(59 * 60))
    publish(table, late_grace=9999 * HOUR)
    assert table.remote.log == []
    publish(table, until=timedelta(minutes=2))
    assert len(table.remote.log) == 3
    assert {at for at, _account, _text in table.remote.log} == {START + HOUR}


def test_a_clock_of_ours_that_is_set_forward_and_orders_to_send_now(table: Table) -> None:
    """A day ahead: retry, release now and resolve --not-published --at now move the due instant, and nothing leaves
    before the network's own clock is there; each occurrence by itself."""
    table.remote.behind = 24 * HOUR
    keys = [table.queue(f"harian@2026-12-{10 + n}", due=-HOUR, embargo=timedelta(0)) for n in range(3)]
    ledger = table.ledger
    ledger.cancel(keys[:1], actor="siti")
    ledger.retry(keys[:1], actor="siti")
    hold = ledger.hold(reason="uji", actor="siti")
    ledger.release([hold.id], actor="siti", late={keys[1]: "now"})
    ledger.claim(
        worker="mati", limit=1, per_account=1, lease=timedelta(seconds=1), late_grace=9999 * HOUR, keys=[keys[2]]
    )
    asyncio.run(table.clock.sleep(2))
    ledger.claim(worker="lain", limit=0, per_account=1, lease=timedelta(seconds=1), late_grace=9999 * HOUR)
    assert table.state(keys[2]) == "uncertain"
    ledger.resolve(keys[2], not_published=True, at=table.clock.now(), actor="siti")
    publish(table, late_grace=9999 * HOUR, until=23 * HOUR)
    assert table.remote.log == []
    publish(table, late_grace=9999 * HOUR, until=3 * HOUR)
    assert sorted(table.state(key) for key in keys) == ["published"] * 3
    assert all(at >= START + 24 * HOUR for at, _account, _text in table.remote.log)


def test_a_date_that_changes_between_parts_stops_no_thread_and_starts_none(table: Table) -> None:
    """The first part asks; a Date that then jumps back leaves no thread half out, and one that never had a first part
    waits."""

    async def jump() -> None:
        table.remote.behind = 5 * HOUR

    table.remote.script.append(jump)
    first = table.queue("a", "satu", "dua", "tiga", embargo=timedelta(0))
    publish(table)
    second = table.queue("b", "empat", "lima", embargo=timedelta(0))
    publish(table)
    assert (table.state(first), table.state(second)) == ("published", "waiting")
    assert [text for _at, _account, text in table.remote.log] == ["satu", "dua", "tiga"]
    table.remote.dateless = True
    publish(table, until=timedelta(minutes=10))
    assert table.state(second) == "waiting"
    assert len(table.remote.log) == 3
