"""Several senders at once on one ledger: threads and processes, some of which die."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from backends import place
from ledger_helpers import GRACE, LEASE, START, Bench, make

from campaign_cli.errors import ClaimLost
from campaign_cli.models import State

SENDER = """
    import os, sys
    from datetime import datetime, timedelta
    from pathlib import Path
    from campaign_cli.ledger import Settlement, open_ledger
    from campaign_cli.models import Receipt, State

    root, worker, dies = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    at = datetime.fromisoformat(sys.argv[4])
    place = dict(database_url=sys.argv[5]) if sys.argv[5:] else {}
    sent = 0
    with open_ledger(root, clock=lambda: at, **place) as ledger, open(root / f"{worker}.sent", "a") as out:
        while True:
            claims = ledger.claim(
                worker=worker, limit=7, per_account=50, lease=timedelta(seconds=90), late_grace=timedelta(days=1)
            ).claims
            if not claims:
                break
            batch = []
            for claim in claims:
                print(claim.key, file=out, flush=True)
                sent += 1
                if sent == dies:
                    os.kill(os.getpid(), 9)
                receipt = Receipt(part=0, id=f"{worker}-{claim.key}", url=None, at=at)
                batch.append(
                    Settlement(key=claim.key, token=claim.token, state=State.PUBLISHED, receipt=receipt)
                )
            ledger.settle(batch)
"""


def senders(root: Path, number: int, *, dies: int = 0) -> list[int]:
    """Run sender processes until each finds nothing more (or kills itself at its n-th sending); their exit codes."""
    program = textwrap.dedent(SENDER)
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(root), f"w{n}", str(dies), START.isoformat(), *place(root).values()]
        )
        for n in range(number)
    ]
    return [process.wait() for process in running]


def sent(root: Path) -> Counter[str]:
    """How often each key was sent, by any process."""
    return Counter(line for path in root.glob("*.sent") for line in path.read_text().split())


def test_processes_never_share_a_delivery(tmp_path: Path) -> None:
    """Processes that claim from one ledger send everything, each delivery once."""
    bench = Bench(tmp_path)
    bench.queue(*(make(f"c/p{n}/{'abc'[n % 3]}", position=n) for n in range(150)))
    assert senders(tmp_path, 3) == [0, 0, 0]
    found = sent(tmp_path)
    assert len(found) == 150
    assert set(found.values()) == {1}
    assert {one.state for one in bench.ledger.deliveries()} == {State.PUBLISHED}


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_a_killed_process_leaves_doubt_and_no_double(tmp_path: Path) -> None:
    """What a killed process had claimed becomes uncertain after its lease; nothing is lost, nothing is sent again."""
    bench = Bench(tmp_path)
    bench.queue(*(make(f"c/p{n}/a", position=n) for n in range(60)))
    assert senders(tmp_path, 2, dies=9) == [-signal.SIGKILL] * 2
    assert senders(tmp_path, 2) == [0, 0]
    bench.clock.forward(seconds=90)
    claimed = bench.claim(per_account=50)
    assert claimed.claims == ()
    found = sent(tmp_path)
    assert set(found.values()) == {1}
    states = Counter(one.state for one in bench.ledger.deliveries())
    assert states[State.UNCERTAIN] == len(claimed.doubtful) > 0
    assert states[State.PUBLISHED] + states[State.UNCERTAIN] == 60


def test_threads_with_ledgers_of_their_own(tmp_path: Path) -> None:
    """Threads that each opened the ledger claim every delivery once, and no account has more in flight than allowed."""
    bench = Bench(tmp_path)
    bench.queue(*(make(f"c/p{n}/{'ab'[n % 2]}", position=n) for n in range(40)))

    def take(worker: str) -> list[str]:
        with bench.open() as ledger:
            found = ledger.claim(worker=worker, limit=100, per_account=5, lease=LEASE, late_grace=GRACE)
            return [claim.key for claim in found.claims]

    with ThreadPoolExecutor(6) as pool:
        found = [key for keys in pool.map(take, [f"w{n}" for n in range(6)]) for key in keys]
    assert len(found) == len(set(found)) == 10


def test_one_ledger_in_many_threads(tmp_path: Path) -> None:
    """One open ledger that several threads use does their work one after the other."""
    bench = Bench(tmp_path)
    bench.queue(*(make(f"c/p{n}/a", position=n) for n in range(30)))

    def send(_turn: int) -> int:
        claims = bench.claim(limit=1).claims
        return sum(bench.publish(claim) for claim in claims)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(send, range(40))) == 30


def test_opening_at_once_makes_one_ledger(tmp_path: Path) -> None:
    """Processes that open a workspace for the first time at the same moment share one ledger."""
    program = (
        "import sys; from datetime import UTC, datetime; from pathlib import Path; "
        "from campaign_cli.ledger import open_ledger; "
        "print(open_ledger(Path(sys.argv[1]), clock=lambda: datetime.now(UTC)).ledger_id)"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _n in range(4)
    ]
    names = {process.communicate()[0].strip() for process in running}
    assert {process.returncode for process in running} == {0}
    assert len(names) == 1
    assert "" not in names
    assert "ledger.sqlite3" in {path.name for path in (tmp_path / ".campaign").iterdir()}


def test_a_hold_beats_a_running_sender(tmp_path: Path) -> None:
    """A hold from another process closes the gate of what was claimed before it."""
    bench = Bench(tmp_path)
    bench.queue(make())
    claim = bench.claim_one()
    with bench.open() as other:
        other.hold(reason="henti", actor="siti")
    with pytest.raises(Exception, match="held"):
        bench.ledger.check_gate(claim.key, claim.token)
    assert bench.settle(claim, State.WAITING)
    assert bench.claim().claims == ()
    with pytest.raises(ClaimLost):
        bench.ledger.check_gate(claim.key, claim.token)
