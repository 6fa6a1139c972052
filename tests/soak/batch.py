"""One batch: a workspace, a ledger and a server of its own, so many kills, and the count."""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from postgres_server import PostgresServer, postgres_server

from soak.clock import Clock
from soak.compare import Figures, compare
from soak.control import Control, counting_server
from soak.crew import Crew
from soak.kills import LOOK_UP, POINTS, RANDOM, Killer
from soak.ledgers import PostgresLedger, Seen, SqliteLedger
from soak.network import kind_of
from soak.workspace import Expected, Size, write_workspace

LEASE = 95  # seconds: a lease, and a little; with each, new posts fall due
HOUR = 3700  # seconds: longer than any server knows a key
GAP = 2.0  # real seconds between two jumps while processes live: what has left must have arrived by then
START = 8.0  # seconds in which a command is at work, also on a busy machine
FAULTS = {
    **{"drop": 0.2, "reset": 0.05, "429": 0.03, "503": 0.05, "503-after": 0.03, "slow": 0.4},
    **{"look-reset": 0.05, "look-503": 0.03, "look-403": 0.02},
}
TRIES = 6  # at one point, before a random instant takes its place
PASSES = 40  # at the end, until everything has settled
LEDGER_PROOFS = (("ledger", "check"), ("log", "--verify"))
WORKERS = (("run", "--engine", "pgqueuer"), ("worker",), ("worker",), ("worker",))


@dataclass(frozen=True)
class Setup:
    """What is tried: the accounts (their names tell the kind of server), the ledger, and how much of it."""

    name: str
    accounts: tuple[str, ...]
    postgres: bool
    kills: int
    waves: int

    @property
    def size(self) -> Size:
        """One wave of posts falls due with each lease that goes by, so that every kill finds some to send."""
        return Size(self.accounts, self.waves, LEASE)


class Stopped(Exception):
    """The harness was asked to end."""


@dataclass
class Batch:
    """Everything that runs."""

    setup: Setup
    clock: Clock
    server: Control
    crew: Crew
    ledger: Seen
    chance: random.Random
    database: PostgresServer | None
    expected: list[Expected]
    jumped: float = 0.0

    def kill_all(self, figures: Figures, stop: threading.Event) -> None:
        """Every kill; the first third on a server that behaves."""
        killer = Killer(self.crew, self.server, self.ledger, self.chance)
        for number, point in enumerate(self._points()):
            if stop.is_set():
                raise Stopped
            if number == self.setup.kills // 3:
                self.server.ask("faults", shares=FAULTS)
            if self.database is not None and number in (self.setup.kills // 3, 2 * self.setup.kills // 3):
                self._cut_database(figures)
            figures.kills[self._kill(killer, point)] += 1
            self._after_kill()

    def settle(self, figures: Figures) -> None:
        """Let everything come to its end on a server that behaves."""
        self.server.ask("faults", shares={})
        if not self.setup.postgres:
            self.crew.stop()
        for number in range(PASSES):
            self._jump(HOUR if number % 3 == 2 else LEASE)  # look-ups may be an hour apart
            if self.setup.postgres:
                self._staff()
                time.sleep(GAP)
            else:
                self.crew.start("publish").popen.wait(timeout=300)
                self.crew.alive()
            if self._settled():
                break
        figures.notes["passes to settle"] += number + 1
        self.crew.stop()

    def deliveries(self) -> list[dict[str, Any]]:
        """What the product says of them."""
        return list(json.loads(self.crew.call("status", "--json"))["deliveries"])

    def _points(self) -> list[str]:
        """Each named point as often, and some random instants, in a random order."""
        blind = all(kind_of(name) == "blind" for name in self.setup.accounts)
        named = [point for point in POINTS if not (blind and point == LOOK_UP)]
        points = named * max((self.setup.kills * 2 // 3) // len(named), 1)
        points += [RANDOM] * (self.setup.kills - len(points))
        self.chance.shuffle(points)
        return points

    def _kill(self, killer: Killer, point: str) -> str:
        """Kill somebody at this point, or at a random instant where nobody comes by; what it was."""
        for number in range(TRIES * 5):
            self._staff()
            tried = point if number < TRIES else RANDOM
            if killer.kill(tried):
                return tried
            self._jump(LEASE)
        raise RuntimeError(f"nobody could be killed at {point}")

    def _staff(self) -> None:
        """Start whoever is missing: with SQLite one or two senders, else a scheduler and three workers."""
        roles = [process.role for process in self.crew.alive()]
        if self.setup.postgres:
            for role in (Counter(WORKERS) - Counter(roles)).elements():
                self.crew.start(*role)
            return
        while len(roles) < (2 if self.chance.random() < 0.25 else 1):
            role = "publish" if self.chance.random() < 0.6 else "run"
            roles.append(self.crew.start(role).role)

    def _after_kill(self) -> None:
        """Mostly a lease goes by; when nobody lives, also none or two."""
        alone = not self.crew.alive()
        self._jump(self.chance.choice((0, *[LEASE] * 8, 2 * LEASE)) if alone else LEASE)

    def _jump(self, seconds: int) -> None:
        if self.crew.alive():
            time.sleep(max(self.jumped + GAP - time.monotonic(), 0.0))
        self.jumped = time.monotonic()
        self.clock.advance(seconds)

    def _cut_database(self, figures: Figures) -> None:
        """A power cut for PostgreSQL while everybody works; who is only just starting may well give up."""
        assert self.database is not None
        self._staff()
        time.sleep(START)
        self._jump(LEASE)
        time.sleep(self.chance.uniform(0.2, 1.5))
        self.database.restart(immediate=True)
        figures.notes["PostgreSQL restarted"] += 1

    def _settled(self) -> bool:
        """Nothing waits or is on its way; what can be asked is published."""
        ends = {True: {"published", "uncertain", "failed", "missed"}, False: {"published", "failed", "missed"}}
        return all(one["state"] in ends[kind_of(one["account"]) == "blind"] for one in self.deliveries())


def run_batch(setup: Setup, *, seed: int, stop: threading.Event) -> Figures:
    """Run it whole; what it showed. Its folder is kept where a promise was broken. Raises Stopped."""
    folder = Path(tempfile.mkdtemp(prefix=f"soak-{setup.name}-"))
    folder.chmod(0o755)  # PostgreSQL's user reads the clock
    begun = time.monotonic()
    figures = Figures()
    try:
        with _batch(setup, folder, seed=seed) as batch:
            batch.kill_all(figures, stop)
            batch.settle(figures)
            deliveries, posts = batch.deliveries(), batch.server.ask("posts")
            figures.add(compare(batch.expected, deliveries, posts))
            for proof in LEDGER_PROOFS:
                batch.crew.expect(*proof)
            figures.broken += batch.crew.trouble
            figures.notes.update(batch.crew.ends)
            (folder / "posts.json").write_text(json.dumps(posts, indent=1), encoding="utf-8")
            (folder / "deliveries.json").write_text(json.dumps(deliveries, indent=1), encoding="utf-8")
    except BaseException:
        sys.stderr.write(f"{setup.name} was broken off; its folder is {folder}\n")
        raise
    figures.seconds = time.monotonic() - begun
    if figures.broken:
        figures.broken.append(f"the folder of this batch (seed {seed}): {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return figures


@contextmanager
def _batch(setup: Setup, folder: Path, *, seed: int) -> Iterator[Batch]:
    clock = Clock(folder)
    root = folder / "workspace"
    with ExitStack() as stack:
        server = stack.enter_context(counting_server(seed=seed, environment=clock.environment))
        database = stack.enter_context(postgres_server(environment=clock.environment)) if setup.postgres else None
        ledger: Seen = PostgresLedger(database.url) if database is not None else SqliteLedger(root)
        crew = Crew(root, {**clock.environment, **ledger.environment})
        stack.callback(crew.end)
        first = clock.now() + timedelta(minutes=5)
        expected = write_workspace(root, port=server.port, size=setup.size, first=first)
        crew.call("queue", "plan.yaml", "--yes")
        clock.advance(300)
        yield Batch(setup, clock, server, crew, ledger, random.Random(seed), database, expected)
