"""What we sell, end to end: the real command in processes of its own, on a clock that the tests move."""

from __future__ import annotations

import itertools
import json
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import TZPATH

import pytest
from promise_helpers import Office, clock_time, office, wait_for

from campaign_cli.ledger import Event
from campaign_cli.models import State

LEAD = 120  # seconds of the processes' clock: queueing must be over by then, however slow the machine is
DAYS = 3 * 86_400
HOUR = 3_600


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Office]:
    """A workspace with accounts that honour keys, that can be read back, and that can do neither."""
    with office(tmp_path, "keys1", "readable1", "blind1") as made:
        yield made


def posts(number: int, at: str, accounts: str = "[keys1, readable1, blind1]") -> str:
    """So many posts at one instant, each to all of these accounts."""
    return "".join(
        f'  - {{id: p{n:03d}, at: "{at}", accounts: {accounts}, text: "Nomor {n:03d}."}}\n' for n in range(number)
    )


def queue(here: Office, items: str, **options: str) -> None:
    """Queue a plan of these posts."""
    ran = here.call("queue", here.plan(items, **options), "--yes", "--skip-past")
    assert ran.code == 0, ran.err
    here.clock.advance(LEAD)


def sender_of(here: Office, events: Sequence[Event]) -> list[subprocess.Popen[str]]:
    """The processes that these events name."""
    numbers = {event.actor.split(":")[1] for event in events}
    return [process for process in here.processes if str(process.pid) in numbers]


def sent_once(here: Office, number: int) -> None:
    """So many posts are on the server, each once to each account."""
    found = Counter((post.account, post.text) for post in here.server.network.posts)
    assert set(found.values()) == {1}
    assert len(found) == number


def test_processes_together_send_each_post_once(here: Office) -> None:
    """Two `run` and two `publish` share 150 due posts: each goes out once, five of an account at a time at most, and
    claims go by due instant and plan order."""
    here.server.seconds = 0.05
    queue(here, posts(50, here.at(seconds=LEAD + 600)))
    end = clock_time(minutes=30)
    runs = [here.start("run"), here.start("run")]
    passes = [here.start("publish", "--until", end), here.start("publish", "--until", end)]
    wait_for(lambda: all(here.ready(process) for process in (*runs, *passes)))
    here.server.open.clear()
    here.clock.advance(600)
    wait_for(lambda: len(here.server.arrivals) == 15)
    for first in sender_of(here, here.events("sending")):
        first.send_signal(signal.SIGTERM)  # what it has on the wire ends, and the others take over
    here.server.open.set()
    wait_for(lambda: here.states() == {"published": 150})
    here.clock.advance(3600)
    for process in runs:
        process.send_signal(signal.SIGTERM)
    assert {process.wait() for process in (*runs, *passes)} <= {0, 130}
    sent_once(here, 150)
    assert max(here.server.most.values()) <= 5
    begun = [event.key for event in here.events("sending")]
    for account in ("keys1", "readable1", "blind1"):
        order = [key for key in begun if key.endswith(account)]
        assert order == sorted(order)
    assert len({event.actor for event in here.events("sending")}) > 1


def test_a_rate_is_shared_by_processes(tmp_path: Path) -> None:
    """Three `publish` over an account with a rate start one delivery a second between them."""
    with office(tmp_path, "keys1+rate: 60") as here:
        queue(here, posts(4, here.at(seconds=LEAD), "[keys1]"))
        passes = [here.start("publish") for _process in range(3)]
        assert [process.wait() for process in passes] == [0] * 3
        begun = [event.at for event in here.events("sending")]
        assert len(begun) == 4
        assert all(later - earlier >= timedelta(seconds=1) for earlier, later in itertools.pairwise(begun))
        sent_once(here, 4)


def test_a_machine_that_was_off_for_three_days(tmp_path: Path) -> None:
    """Nothing late goes out: it is missed, with one notice and exit code 1, recurring posts too; and `retry --at` or
    another time in the plan sends it after all, once."""
    with office(tmp_path, "keys1", "blind1") as here:
        here.accounts("keys1", "blind1", more="notify: [env:HOOK]\n")
        with (here.root / ".env").open("a", encoding="utf-8") as secrets:
            secrets.write(f'HOOK="json://127.0.0.1:{here.server.port}/hook/told"\n')
        every = f'  - {{id: harian, every: "daily 09:00", from: {here.at()[:10]}, until: {here.at(days=9)[:10]}, '
        every += 'accounts: [blind1], text: "Setiap hari.", repeat: true}\n'
        queue(here, posts(3, here.at(seconds=LEAD), "[keys1, blind1]") + every)
        recurring = {key for key in here.deliveries() if "harian" in key}
        here.clock.advance(DAYS)
        first = here.call("publish")
        assert first.code == 1
        missed = {key for key, one in here.deliveries().items() if one.state is State.MISSED}
        assert len(missed) == 6 + len(missed & recurring)
        assert len(missed & recurring) in (2, 3, 4)
        assert here.server.arrivals == []
        told = [body for path, body in here.server.others if path == "/told"]
        assert len(told) == 1
        assert all(key in told[0].decode() for key in missed)
        assert "campaign retry" in first.err + first.out
        again = here.call("publish")
        assert (again.code, again.out, again.err) == (0, "", "")
        assert len([path for path, _body in here.server.others if path == "/told"]) == 1
        key = "plan/p000/keys1"
        at = here.at(hours=5)
        assert here.call("retry", key, "--at", at, "--yes").code == 0
        plan = here.root / "plan.yaml"
        text = re.sub(r'(id: p001, at: ")[^"]*', rf"\g<1>{at}", plan.read_text(encoding="utf-8"))
        plan.write_text(text, encoding="utf-8")
        assert here.call("queue", plan, "--yes", "--skip-past").code == 0
        here.clock.advance(5 * HOUR + 10)
        here.call("publish")
        wanted = [("keys1", "Nomor 000."), ("keys1", "Nomor 001."), ("blind1", "Nomor 001.")]
        found = [(account, words) for _at, account, words in here.server.arrivals if words != "Setiap hari."]
        assert sorted(found) == sorted(wanted)
    for language in ("en", "id"):
        help_ = subprocess.run(
            [sys.executable, "-m", "campaign_cli", "--lang", language, "retry", "--help"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert "--at" in help_


def test_run_survives_a_clock_that_is_set(here: Office) -> None:
    """While `run` sleeps, the clock goes back by an hour and forward again: what is queued in the hour that comes twice
    goes out at its minute, what the jump made due goes out at once, and each goes out once."""
    queue(here, posts(1, here.at(seconds=LEAD)) + posts(1, here.at(minutes=12)).replace("000", "100"))
    run = here.start("run")
    wait_for(lambda: len(here.server.arrivals) == 3)
    here.clock.advance(-HOUR)
    queue(here, posts(1, here.at(seconds=LEAD)).replace("Nomor", "Susulan"), name="susulan")
    wait_for(lambda: len(here.server.arrivals) == 6)
    here.clock.advance(HOUR + 600)
    wait_for(lambda: here.states() == {"published": 9})
    run.send_signal(signal.SIGTERM)
    assert run.wait() == 0
    sent_once(here, 9)


def test_publish_until_survives_a_clock_that_is_set(here: Office) -> None:
    """The same for a night's pass, which ends when its end has come."""
    queue(here, posts(1, here.at(seconds=LEAD)) + posts(1, here.at(minutes=12)).replace("000", "100"))
    end = clock_time(minutes=30)
    night = here.start("publish", "--until", end)
    wait_for(lambda: len(here.server.arrivals) == 3)
    here.clock.advance(-HOUR)
    queue(here, posts(1, here.at(seconds=LEAD)).replace("Nomor", "Susulan"), name="susulan")
    wait_for(lambda: len(here.server.arrivals) == 6)
    here.clock.advance(HOUR + 600)
    wait_for(lambda: here.states() == {"published": 9})
    here.clock.advance(HOUR)
    assert night.wait() == 0
    sent_once(here, 9)


def test_between_passes_the_clock_goes_back(here: Office) -> None:
    """A pass, an hour back, a pass, an hour forward, a pass: each post once."""
    queue(here, posts(2, here.at(seconds=LEAD)))
    for shift in (-HOUR, HOUR, 0):
        assert here.call("publish").code == 0
        here.clock.advance(shift)
    sent_once(here, 6)


def test_a_zone_that_changes_its_rule(here: Office, tmp_path: Path) -> None:
    """A plan is queued and half sent, then the zone's rule changes: due instants stay, `queue` shows the difference,
    what is out is not sent again, and what waits goes out once."""
    zones = tmp_path / "zoneinfo"
    (zones / "Asia").mkdir(parents=True)
    source = next(Path(folder) for folder in TZPATH if (Path(folder) / "Asia/Makassar").exists())
    (zones / "Asia/Jakarta").write_bytes((source / "Asia/Makassar").read_bytes())  # UTC+8 from now on
    changed = {"PYTHONTZPATH": str(zones)}
    now = here.clock.now() + timedelta(hours=7, seconds=LEAD)
    at = now.strftime("%Y-%m-%d %H:%M:%S")
    later = (now + timedelta(hours=30)).strftime("%Y-%m-%d %H:%M:%S")
    queue(here, posts(1, at) + posts(1, later).replace("000", "001"))
    before = {key: one.due for key, one in here.deliveries().items()}
    assert here.call("publish").code == 0
    assert len(here.server.arrivals) == 3
    after = json.loads(here.call("status", "--json", **changed).out)["deliveries"]
    instants = {one["key"]: datetime.fromisoformat(one["due"]) for one in after}
    assert instants == before
    shown = here.call("queue", here.root / "plan.yaml", "--dry-run", "--json", "--skip-past", **changed)
    (plan,) = json.loads(shown.out)["plans"]
    assert [one["key"] if isinstance(one, dict) else one for one in plan["changed"]] == [
        f"plan/p001/{account}" for account in ("keys1", "readable1", "blind1")
    ]
    assert (plan["new"], plan["removed"]) == ([], [])
    assert here.call("queue", here.root / "plan.yaml", "--yes", "--skip-past", **changed).code == 0
    here.clock.advance(30 * HOUR)
    assert here.call("publish", "--grace", "3h", **changed).code == 0
    assert here.call("publish", "--grace", "3h").code == 0
    sent_once(here, 6)
