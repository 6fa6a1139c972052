"""``python -m soak``: run the soak, print its figures, and end with 1 where a promise is broken."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path

from soak.batch import Setup, Stopped, run_batch
from soak.compare import Figures
from soak.kills import POINTS, RANDOM
from soak.promises import prove

PROJECT = Path(__file__).resolve().parents[2]
PROGRESS = PROJECT / ".soak" / "progress.json"
BATCHES = 3
SETUPS = (
    Setup("keys", ("keys1", "keys2"), postgres=False, kills=28, waves=40),
    Setup("readable", ("readable1", "readable2"), postgres=False, kills=28, waves=40),
    Setup("blind", ("blind1", "blind2"), postgres=False, kills=28, waves=40),
    Setup("postgresql-keys", ("keys1", "keys2"), postgres=True, kills=28, waves=40),
    Setup("postgresql-readable", ("readable1", "readable2"), postgres=True, kills=28, waves=40),
    Setup("postgresql-blind", ("blind1", "blind2"), postgres=True, kills=28, waves=40),
)
SHORT = (
    *(replace(setup, kills=9, waves=14) for setup in SETUPS[:3]),
    Setup("postgresql", ("keys1", "readable1", "blind1"), postgres=True, kills=9, waves=14),
)


class Progress:
    """Batches that are done, on disk; those of other code count for nothing."""

    def __init__(self, *, fresh: bool) -> None:
        self._code = _fingerprint()
        self.done: dict[str, Figures] = {}
        if PROGRESS.exists() and not fresh:
            data = json.loads(PROGRESS.read_text(encoding="utf-8"))
            if data["code"] == self._code:
                self.done = {name: Figures.from_json(figures) for name, figures in data["batches"].items()}

    def keep(self, name: str, figures: Figures) -> None:
        """Write one more batch down, whole or not at all."""
        self.done[name] = figures
        PROGRESS.parent.mkdir(exist_ok=True)
        data = {"code": self._code, "batches": {name: one.as_json() for name, one in self.done.items()}}
        part = PROGRESS.with_suffix(".part")
        part.write_text(json.dumps(data, indent=1), encoding="utf-8")
        part.replace(PROGRESS)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 all promises held, 1 one is broken, 130 interrupted (the next run goes on from here)."""
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    parser.add_argument("--short", action="store_true", help="about a minute instead of all of it")
    parser.add_argument("--fresh", action="store_true", help="forget the batches that are done")
    parser.add_argument("--setup", action="append", help="only this set-up (may be repeated)")
    parser.add_argument("--seed", type=int, default=2027)
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 4), help="batches at the same time")
    given = parser.parse_args(arguments)
    setups = [one for one in (SHORT if given.short else SETUPS) if not given.setup or one.name in given.setup]
    batches = 1 if given.short else BATCHES
    progress = None if given.short else Progress(fresh=given.fresh)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that nothing is left running then, either
    try:
        done = _run(setups, batches=batches, seed=given.seed, jobs=given.jobs, progress=progress, stop=stop)
    except KeyboardInterrupt:
        sys.stderr.write("Stopped; `make soak` goes on from here.\n")
        return 130
    code = _report(setups, done, batches=batches)
    return code if given.short or given.setup else max(code, _report_promises())


def _run(
    setups: Sequence[Setup], *, batches: int, seed: int, jobs: int, progress: Progress | None, stop: threading.Event
) -> dict[str, Figures]:
    """Figures by ``SETUP/NUMBER``."""
    done = dict(progress.done) if progress is not None else {}
    running: dict[Future[Figures], str] = {}
    with ThreadPoolExecutor(jobs) as pool:
        for number in range(batches):
            for place, setup in enumerate(setups):
                name = f"{setup.name}/{number}"
                if name not in done:
                    own = seed + 100 * number + place
                    running[pool.submit(run_batch, setup, seed=own, stop=stop)] = name
        try:
            for future in as_completed(running):
                name = running[future]
                done[name] = future.result()
                sys.stderr.write(f"{name}: {_words(done[name])}\n")
                if progress is not None:
                    progress.keep(name, done[name])
        except (KeyboardInterrupt, Stopped, Exception):
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return done


def _report(setups: Sequence[Setup], done: dict[str, Figures], *, batches: int) -> int:
    """Print everything; the exit code."""
    whole = Figures()
    for setup in setups:
        figures = Figures()
        for number in range(batches):
            figures.add(done[f"{setup.name}/{number}"])
        sys.stdout.write(f"{setup.name}: {_words(figures)}\n")
        points = ", ".join(f"{figures.kills[point]} {point}" for point in (*POINTS, RANDOM) if figures.kills[point])
        sys.stdout.write(f"    killed: {points}\n")
        notes = ", ".join(f"{name}: {number}" for name, number in sorted(figures.notes.items()))
        sys.stdout.write(f"    besides: {notes}\n")
        whole.add(figures)
    sys.stdout.write(f"in all: {_words(whole)}\n")
    for line in whole.broken:
        sys.stdout.write(f"BROKEN: {line}\n")
    return 1 if whole.broken else 0


def _report_promises() -> int:
    """What other tests prove, printed; the exit code."""
    found = prove()
    for promise in found:
        sys.stdout.write(f"{promise}\n")
    return 1 if not found or any(promise.end == "broken" for promise in found) else 0


def _words(figures: Figures) -> str:
    return (
        f"{figures.kills.total()} kills, {figures.deliveries} deliveries, {figures.published} published, "
        f"{figures.uncertain} uncertain, {figures.lost} lost, {figures.double} double, {figures.seconds:.0f} s"
        + (f", {len(figures.broken)} findings" if figures.broken else "")
    )


def _fingerprint() -> str:
    """Of the product and of this harness."""
    found = hashlib.sha256()
    for folder in ("campaign_cli", "tests/soak"):
        for path in sorted((PROJECT / folder).rglob("*.py")):
            found.update(path.read_bytes())
    return found.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
