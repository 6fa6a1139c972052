"""A hold beats everything, and a release asks: the real command in processes of its own."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from promise_helpers import PATIENCE, Office, clock_time, office, wait_for

LEAD = 120  # seconds of the processes' clock: queueing must be over by then, however slow the machine is
LEASE = 95  # seconds: a lease, and a little


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Office]:
    """A workspace with three accounts."""
    with office(tmp_path, "keys1", "readable1", "blind1") as made:
        yield made


def queue(here: Office, *, threads: int = 0, singles: int = 0, accounts: str = "[keys1, readable1, blind1]") -> None:
    """Threads of three parts, then single posts, all due soon."""
    at = here.at(seconds=LEAD)
    items = [
        f'  - {{id: u{n}, at: "{at}", accounts: {accounts}, text: Utas, '
        f'thread: ["Utas {n}, satu.", "Utas {n}, dua.", "Utas {n}, tiga."]}}\n'
        for n in range(threads)
    ]
    items += [
        f'  - {{id: p{n:03d}, at: "{at}", accounts: {accounts}, text: "Nomor {n:03d}."}}\n' for n in range(singles)
    ]
    ran = here.call("queue", here.plan("".join(items)), "--yes")
    assert ran.code == 0, ran.err
    here.clock.advance(LEAD)


def held(here: Office) -> bool:
    """The hold is in the ledger."""
    return bool(here.events("held"))


def arrived_after(here: Office, instant: float) -> list[str]:
    """What came to the server after an instant."""
    return [words for at, _account, words in here.server.arrivals if at > instant]


def test_nothing_starts_after_a_hold_has_returned(here: Office) -> None:
    """In the middle of many due posts, with `run` and `publish` at work: after `hold` has returned 0 nothing starts, no
    later part of a thread either; what went out meanwhile is listed; `publish` says 5 and `release` wants an answer."""
    queue(here, threads=3, singles=40)
    here.server.open.clear()
    run, night = here.start("run"), here.start("publish", "--until", clock_time(hours=2))
    wait_for(lambda: len(here.server.arrivals) == 15)
    hold = here.start("hold", "--campaign", "plan", "--reason", "henti")
    wait_for(lambda: held(here))
    here.server.open.set()
    assert hold.wait() == 0
    returned = time.monotonic()
    assert here.call("publish").code == 5
    assert arrived_after(here, returned) == []
    listed = here.log_of(hold)
    out = {key: one for key, one in here.deliveries().items() if one.receipts}
    assert len(out) == 15
    assert all(key in listed for key in out)
    begun = Counter(one.state.value for one in out.values())
    assert begun == {"waiting": 9, "published": 6}  # nine threads of which one part is out
    unanswered = here.call("release", "--campaign", "plan")
    assert (unanswered.code, "--late" in unanswered.err) == (2, True)
    assert here.call("release", "--campaign", "plan", "--late", "now").code == 0
    wait_for(lambda: here.states() == {"published": 129})
    for process in (run, night):
        process.send_signal(signal.SIGTERM)
    assert run.wait() == 0
    assert Counter((post.account, post.text) for post in here.server.network.posts).most_common(1)[0][1] == 1
    assert len(here.server.network.posts) == 3 * (3 * 3 + 40)


def test_a_hold_that_something_outlives_says_so(here: Office) -> None:
    """A process that stands still with its request on the wire: `hold` ends with 4 after one lease and names it."""
    queue(here, singles=1, accounts="[blind1]")
    here.server.open.clear()
    stuck = here.start("publish")
    wait_for(lambda: len(here.server.arrivals) == 1)
    stuck.send_signal(signal.SIGSTOP)
    hold = here.start("hold", "--reason", "henti")
    wait_for(lambda: held(here))
    here.clock.advance(LEASE)
    assert hold.wait() == 4
    assert "plan/p000/blind1" in here.log_of(hold)
    here.server.open.set()
    stuck.send_signal(signal.SIGCONT)
    stuck.wait()
    assert here.states() == {"published": 1}  # the network's own answer counts
    assert len(here.server.arrivals) == 1


def on_a_terminal(here: Office, words: Sequence[str], answers: Sequence[str]) -> tuple[int, str]:
    """Run a command on a terminal and give one answer to each question; its exit code and what it showed."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "campaign_cli", "--lang", "en", *words]
    with subprocess.Popen(
        command, cwd=here.root, env=here.environment(), stdin=slave, stdout=slave, stderr=slave, close_fds=True
    ) as process:
        here.processes.append(process)  # type: ignore[arg-type]
        os.close(slave)
        shown, left, end = "", list(answers), time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if left and shown.count("[skip]") > len(answers) - len(left):
                os.write(master, f"{left.pop(0)}\n".encode())
            if not select.select([master], [], [], 0.2)[0]:
                continue
            read = b""
            with suppress(OSError):  # Linux's way to say that the other end is closed
                read = os.read(master, 4096)
            if not read:
                break
            shown += read.decode()
        code = process.wait(timeout=PATIENCE)
    os.close(master)
    assert left == []
    return code, shown


def test_a_release_asks_about_each_late_post(here: Office) -> None:
    """On a terminal, each post that became late is asked about: now, later, or not at all; and so it happens."""
    assert here.call("hold", "--reason", "menunggu").code == 0
    queue(here, singles=3, accounts="[blind1]")
    here.clock.advance(2 * 3600)
    assert here.call("publish").code == 5
    code, shown = on_a_terminal(here, ["release"], ["now", "besok", "+2h", "skip"])
    assert (code, "besok" in shown) == (0, True)
    assert here.call("publish").code == 0
    assert here.server.texts() == ["Nomor 000."]
    here.clock.advance(2 * 3600 + 5)
    assert here.call("publish").code == 0
    assert here.server.texts() == ["Nomor 000.", "Nomor 001."]
    assert here.states() == {"published": 2, "cancelled": 1}
