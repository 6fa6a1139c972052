"""A crisis stops everything but its approved statement: the real command, several processes, one of them killed."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from promise_helpers import Office, Ran, clock_time, office, wait_for

LEAD = 120  # seconds of the processes' clock: queueing must be over by then, however slow the machine is
LEASE = 95  # seconds: a lease, and a little
STATEMENT = "Kami berduka."
ACCOUNTS = ("keys1", "readable1", "blind1")


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Office]:
    """A workspace with three accounts."""
    with office(tmp_path, *ACCOUNTS) as made:
        yield made


def queue(here: Office, *, threads: int = 0, singles: int = 0) -> None:
    """Threads of three parts, then single posts, all due soon."""
    at, accounts = here.at(seconds=LEAD), ", ".join(ACCOUNTS)
    items = [
        f'  - {{id: u{n}, at: "{at}", accounts: [{accounts}], text: Utas, '
        f'thread: ["Utas {n}, satu.", "Utas {n}, dua.", "Utas {n}, tiga."]}}\n'
        for n in range(threads)
    ]
    items += [
        f'  - {{id: p{n:03d}, at: "{at}", accounts: [{accounts}], text: "Nomor {n:03d}."}}\n' for n in range(singles)
    ]
    ran = here.call("queue", here.plan("".join(items)), "--yes")
    assert ran.code == 0, ran.err
    here.clock.advance(LEAD)


def statement(here: Office, *, name: str = "pernyataan", minutes: float = 5) -> Path:
    """The plan of a statement, which is due soon."""
    at, accounts = here.at(minutes=minutes), ", ".join(ACCOUNTS)
    item = f'  - {{id: duka, at: "{at}", accounts: [{accounts}], text: "{STATEMENT}"}}\n'
    return here.plan(item, name=name)


def started(here: Office) -> bool:
    """The crisis is in the ledger."""
    return bool(here.events("held"))


def arrived_after(here: Office, instant: float) -> list[str]:
    """What came to the server after an instant."""
    return [words for at, _account, words in here.server.arrivals if at > instant]


def shown(here: Office) -> dict[str, Any]:
    """What ``crisis show`` says."""
    found: dict[str, Any] = json.loads(here.call("crisis", "show", "--json").out)
    return found


def once(here: Office) -> None:
    """No account has the same words twice."""
    posts = Counter((post.account, post.text) for post in here.server.network.posts)
    assert all(times == 1 for times in posts.values()), posts


def only_the_statement(here: Office, processes: Sequence[subprocess.Popen[str]]) -> None:
    """From a crisis in the middle of sending to its end, with these processes at work all the while."""
    wait_for(lambda: len(here.server.arrivals) == 15)
    plan = statement(here)
    crisis = here.start("crisis", "start", "--statement", str(plan), "--reason", "kecelakaan", "--json")
    wait_for(lambda: started(here))
    here.server.open.set()
    assert crisis.wait() == 0, here.log_of(crisis)
    returned = time.monotonic()
    told = json.loads(here.log_of(crisis))
    out = {key for key, one in here.deliveries().items() if one.receipts}
    assert told["still_out"] == []
    assert {one["key"] for one in told["sent"]} == out  # what was on the wire is listed
    assert len(out) == 15
    assert here.call("queue", plan, "--yes").code == 0
    here.clock.advance(6 * 60)  # due, and not approved
    for words in (["publish"], ["post", "Kabar lain.", "--to", "keys1"]):
        assert here.call(*words).code == 5, words
    assert here.call("retry", "--campaign", "plan", "--yes").code == 0
    assert arrived_after(here, returned) == []
    approved = here.call("approve", plan, "--as", "Ketua", "--yes")
    assert approved.code == 0, approved.err
    wait_for(lambda: len(arrived_after(here, returned)) == len(ACCOUNTS))
    assert set(arrived_after(here, returned)) == {STATEMENT}
    assert all(process.poll() is None for process in processes)
    ended = here.call("crisis", "end", "--all", "keep", "--late", "skip")
    assert ended.code == 0, ended.err
    assert set(here.states()) == {"published", "cancelled"}
    assert here.call("publish").code == 0
    assert set(arrived_after(here, returned)) == {STATEMENT}
    once(here)


def test_nothing_but_the_statement_leaves_once_it_has_begun(here: Office) -> None:
    """Two schedulers and a night's pass are in the middle of threads and posts: when `crisis start` has returned, no
    part of anything leaves but what somebody approves of the statement, whatever is ordered."""
    queue(here, threads=3, singles=30)
    here.server.open.clear()
    words: list[list[str]] = [["run"], ["run"], ["publish", "--until", clock_time(hours=2)]]
    only_the_statement(here, [here.start(*one) for one in words])


@pytest.mark.postgresql
def test_workers_on_other_machines_stop_as_well(here: Office) -> None:
    """Two clocks hand over through pgqueuer, three workers send: the same."""
    queue(here, threads=3, singles=30)
    here.server.open.clear()
    clocks = [here.start("run", "--engine", "pgqueuer") for _clock in range(2)]
    only_the_statement(here, [*clocks, *(here.start("worker") for _worker in range(3))])


def test_killed_while_it_waits_the_crisis_is_on(here: Office) -> None:
    """kill -9 of `crisis start` after it has begun: everything is held, `crisis show` says what is on the wire, a
    statement can still be named, and nothing is released for that."""
    queue(here, singles=30)
    here.server.open.clear()
    here.start("run")
    wait_for(lambda: len(here.server.arrivals) == 15)
    crisis = here.start("crisis", "start", "--reason", "kecelakaan")
    wait_for(lambda: started(here))
    crisis.send_signal(signal.SIGKILL)
    crisis.wait()
    found = shown(here)
    assert (len(found["still_out"]), len(found["held"])) == (15, 75)
    here.server.open.set()
    wait_for(lambda: shown(here)["still_out"] == [])
    assert here.call("crisis", "start", "--reason", "lagi").code == 2
    broken = here.root / "rusak.yaml"
    broken.write_text("campaign: rusak\nposts: [", encoding="utf-8")
    assert here.call("crisis", "start", "--statement", broken, "--reason", "lagi").code == 2
    named = here.call("crisis", "start", "--statement", statement(here), "--reason", "kecelakaan")
    assert named.code == 0, named.err
    assert shown(here)["crisis"]["statement"] == "pernyataan"
    assert here.call("crisis", "start", "--statement", statement(here, name="lain"), "--reason", "r").code == 2
    assert here.call("publish").code == 5
    assert len(here.server.arrivals) == 15


def test_a_sender_that_stands_still_is_named(here: Office) -> None:
    """A process is stopped with its requests on the wire: exit 4 after one lease, and their keys; going on, it sends
    nothing more."""
    queue(here, threads=1, singles=2)
    here.server.open.clear()
    stuck = here.start("publish")
    wait_for(lambda: len(here.server.arrivals) == 9)
    stuck.send_signal(signal.SIGSTOP)
    crisis = here.start("crisis", "start", "--reason", "kecelakaan", "--json")
    wait_for(lambda: started(here))
    here.clock.advance(LEASE)
    assert crisis.wait() == 4
    assert set(json.loads(here.log_of(crisis))["still_out"]) == set(here.deliveries())
    returned = time.monotonic()
    here.server.open.set()
    stuck.send_signal(signal.SIGCONT)
    stuck.wait()
    assert arrived_after(here, returned) == []
    assert here.call("publish").code in (4, 5)
    assert arrived_after(here, returned) == []


def test_a_hold_and_a_crisis_end_each_by_its_own(here: Office) -> None:
    """A hold that was there holds the statement, too, and that is said; `release` ends it and not the crisis, and asks
    nothing of what the crisis holds on."""
    assert here.call("hold", "--reason", "sidang").code == 0
    queue(here, singles=2)
    plan = statement(here, minutes=1)
    began = here.call("crisis", "start", "--statement", plan, "--reason", "kecelakaan")
    assert (began.code, "Another hold may cover the statement" in _flat(began)) == (0, True)
    assert here.call("queue", plan, "--yes").code == 0
    assert here.call("approve", plan, "--as", "Ketua", "--yes").code == 0
    here.clock.advance(90)
    assert here.call("publish").code == 5
    assert here.server.arrivals == []
    released = here.call("release", "--late", "now")
    assert released.code == 0, released.err
    assert shown(here)["crisis"] is not None
    assert here.call("approve", plan, "--as", "Ketua", "--yes").code == 0  # sent now: another time than was approved
    assert here.call("publish").code in (0, 5)
    assert here.server.texts() == [STATEMENT] * 3
    assert here.call("release", "--late", "now").code == 2
    assert here.call("hold", "--reason", "sidang kedua").code == 0
    assert here.call("crisis", "end", "--all", "now").code == 0
    assert here.call("publish").code == 5
    assert here.server.texts() == [STATEMENT] * 3
    assert here.call("release", "--late", "now").code == 0
    assert here.call("publish").code == 0
    assert len(here.server.texts()) == 3 + 6
    once(here)


def _flat(ran: Ran) -> str:
    return " ".join(ran.err.split())
