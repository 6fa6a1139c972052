"""A thousand due posts, and many processes: the heavy form of the promises. `make soak` runs it."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from promise_helpers import Office, clock_time, office, wait_for

from campaign_cli.models import State

POSTS = 200
ACCOUNTS = ("keys1", "keys2", "readable1", "readable2", "readable3")
SWEEP = timedelta(seconds=10)  # within which a living process looks for what the dead left
JUMP = 91  # seconds: a lease is over
Record = Callable[[str, object], None]


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Office]:
    """A workspace with five accounts and a thousand posts, due in an hour."""
    with office(tmp_path, *ACCOUNTS, seconds=0.05) as made:
        names = ", ".join(ACCOUNTS)
        items = "".join(
            f'  - {{id: p{n:03d}, at: "{made.at(hours=1)}", accounts: [{names}], text: "Nomor {n:03d}."}}\n'
            for n in range(POSTS)
        )
        ran = made.call("queue", made.plan(items), "--yes")
        assert ran.code == 0, ran.err
        yield made


def begin(here: Office, number: int) -> None:
    """So many ``run`` and as many ``publish``, ready, when everything falls due."""
    end = clock_time(hours=4)
    for _pair in range(number):
        here.start("run")
        here.start("publish", "--until", end)
    wait_for(lambda: all(here.ready(process) for process in here.processes))
    here.clock.advance(3600)


def kill_one(here: Office) -> dict[str, datetime]:
    """kill -9 for whoever has requests on the wire; until when the leases of what it leaves behind last."""
    here.server.open.clear()
    wait_for(lambda: here.states()["sending"] > 0)
    worker = here.events("sending")[-1].actor
    victim = next(process for process in here.processes if str(process.pid) == worker.split(":")[1])
    victim.kill()
    victim.wait()
    its = {event.key for event in here.events("sending") if event.actor == worker}
    left = [one for one in here.deliveries().values() if one.key in its and one.state is State.SENDING]
    here.server.open.set()
    assert left
    return {one.key: one.lease_until for one in left if one.lease_until is not None}


def rest(here: Office) -> None:
    """Until everything is published; what is proved absent only after a while gets that while."""
    for _while in range(20):
        wait_for(lambda: not here.states()["sending"])
        if here.states() == {"published": POSTS * len(ACCOUNTS)}:
            return
        here.clock.advance(JUMP)
        time.sleep(2)  # for those who look
    raise AssertionError(here.states())


def check(here: Office) -> None:
    """Each post is on the server once."""
    found = Counter((post.account, post.text) for post in here.server.network.posts)
    assert set(found.values()) == {1}
    assert len(found) == POSTS * len(ACCOUNTS)
    assert max(here.server.most.values()) <= 5


def test_ten_processes_of_which_two_are_killed_send_a_thousand_posts_once(
    here: Office, record_property: Record
) -> None:
    """Ten processes on one ledger, 1,000 due posts, kill -9 for two of them while their requests are on the wire: each
    is sent once, and none waits for a dead process longer than its lease."""
    begun = time.monotonic()
    begin(here, 5)
    leases: dict[str, datetime] = {}
    for so_far in (100, 400):
        wait_for(lambda so_far=so_far: len(here.server.arrivals) >= so_far)
        leases |= kill_one(here)
        here.clock.advance(JUMP)
    rest(here)
    doubted = {event.key: event.at for event in here.events("uncertain") if event.key in leases}
    assert doubted.keys() == leases.keys()
    waits = [doubted[key] - end for key, end in leases.items()]
    check(here)
    actors = {event.actor for event in here.events("sending")}
    record_property("processes at work", len(actors))
    record_property("left in doubt by the killed", len(leases))
    record_property("longest wait beyond the lease", f"{max(waits).total_seconds():.1f} s")
    record_property("seconds", round(time.monotonic() - begun))
    assert max(waits) < SWEEP + timedelta(seconds=JUMP)  # the jump itself, and the next look


def test_a_hold_in_the_middle_of_a_thousand_posts(here: Office, record_property: Record) -> None:
    """Hold in the middle of 1,000 due posts, with two `run` and two `publish` at work: nothing starts after it."""
    begin(here, 2)
    wait_for(lambda: len(here.server.arrivals) >= 300)
    hold = here.call("hold", "--reason", "henti")
    returned = time.monotonic()
    assert hold.code == 0
    sent = len(here.server.arrivals)
    assert here.call("publish").code == 5
    assert [at for at, _account, _words in here.server.arrivals if at > returned] == []
    since = {event.key for event in here.events("published") if event.at >= here.events("held")[0].at}
    assert all(str(key) in hold.out for key in since)
    record_property("sent before", sent)
    record_property("listed as gone out meanwhile", len(since))
    assert here.call("release", "--late", "now").code == 0
    wait_for(lambda: here.states() == {"published": POSTS * len(ACCOUNTS)})
    check(here)
    for process in here.processes:
        process.send_signal(signal.SIGTERM)
