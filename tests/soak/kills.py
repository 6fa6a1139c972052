"""One kill after the other: each waits until a process sits at a named point, or for a random instant, and kills it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from soak.control import Control, wait_for
from soak.crew import Crew, Process
from soak.ledgers import ATTEMPTS, SENDING, Seen

PATIENCE = 4.0  # seconds for a process to reach a point, its start included
CLAIM, ATTEMPT, REQUEST, ACCEPTED = "after claim", "after attempt", "mid-request", "after acceptance"
SETTLE, THREAD, UPLOAD, LOOK_UP, RANDOM = "before settle", "mid-thread", "mid-upload", "mid-look-up", "random instant"
POINTS = (CLAIM, ATTEMPT, REQUEST, ACCEPTED, SETTLE, THREAD, UPLOAD, LOOK_UP)
_AT = {REQUEST: "head", ACCEPTED: "stored", THREAD: "second", UPLOAD: "upload"}


@dataclass
class Killer:
    """Kills one process of a crew at a time."""

    crew: Crew
    server: Control
    ledger: Seen
    chance: random.Random

    def kill(self, point: str) -> bool:
        """Whether a process was killed at this point; False where none reached it in time."""
        ways: dict[str, Callable[[], bool]] = {
            CLAIM: lambda: self._watched("hold", SENDING),
            ATTEMPT: lambda: self._watched("hold-reply", ATTEMPTS),
            SETTLE: self._before_settle,
            LOOK_UP: self._mid_look_up,
            RANDOM: self._random,
        }
        try:
            return ways.get(point, lambda: self._stopped(_AT[point]))()
        finally:
            self.server.release("go")

    def _stopped(self, at: str) -> bool:
        """Kill whoever's request the server has stopped; what was sent by then may still count, or not."""
        self.server.arm(at, skip=self.chance.choice((0, 0, 1, 3)))
        owner = self._owner()
        if owner is None:
            return False
        self.crew.kill(owner)
        self.server.release("drop" if at == "stored" else self.chance.choice(("drop", "go")))
        return True

    def _mid_look_up(self) -> bool:
        """Two answers are lost, so that there is something to look up."""
        self.server.ask("lose", number=2)
        self.server.arm("lookup")
        owner = self._owner(seconds=2 * PATIENCE)
        self.server.ask("lose", number=0)
        if owner is not None:
            self.crew.kill(owner)
        return owner is not None

    def _before_settle(self) -> bool:
        """The answer is there, and the ledger can't be written."""
        self.server.arm("stored")
        owner = self._owner()
        if owner is None:
            return False
        with self.ledger.locked():
            self.server.release("go")
            wait_for(lambda: self.server.ask("look")["answered"] > 0, seconds=PATIENCE)
            time.sleep(self.chance.uniform(0.03, 0.12))
            self.crew.kill(owner)
        return True

    def _watched(self, hold: str, query: str) -> bool:
        """Kill whoever has just written this to the ledger; the server reads none of its requests meanwhile."""
        old = {row[:2] for row in self.ledger.rows(query)}
        self.server.arm(hold)
        owner: Process | None = None

        def written() -> bool:
            nonlocal owner
            for row in self.ledger.rows(query):
                owner = self.crew.worker(row[2]) if row[:2] not in old else None
                if owner is not None:
                    return True
            return not self.crew.alive()

        wait_for(written, seconds=PATIENCE, pause=0.0003)
        if owner is not None:
            self.crew.kill(owner)
        self.server.release("drop" if owner is not None else "go")
        return owner is not None

    def _random(self) -> bool:
        """Some requests from now and some milliseconds later, or at any instant of a process's life."""
        if self.chance.random() < 0.3:
            time.sleep(self.chance.uniform(0.0, 1.5))
        else:
            wanted = self.server.ask("look")["arrivals"] + self.chance.randint(1, 15)
            enough = lambda: self.server.ask("look")["arrivals"] >= wanted or not self.crew.alive()  # noqa: E731
            wait_for(enough, seconds=PATIENCE)
            time.sleep(self.chance.uniform(0.0, 0.06))
        alive = self.crew.alive()
        if alive:
            self.crew.kill(self.chance.choice(alive))
            return True
        return False

    def _owner(self, *, seconds: float = PATIENCE) -> Process | None:
        """Whose request the server has stopped, once it has; None where nobody's came."""
        wait_for(lambda: bool(self.server.paused()) or not self.crew.alive(), seconds=seconds)
        ports = self.server.paused()
        return self.crew.owner(ports[0]) if ports else None
