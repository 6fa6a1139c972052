"""What the benchmarks share: running commands, comparing their times, saying the ratio."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
PEERS = ROOT / ".bench/peers"
CAMPAIGN = str(Path(sys.executable).parent / "campaign")
TOOT = str(PEERS / "bin/toot")


def seconds(command: Sequence[str], cwd: Path = ROOT) -> float:
    """Wall time of one command that must succeed."""
    start = time.perf_counter()
    subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return time.perf_counter() - start


def compare(ours: Sequence[str], theirs: Sequence[str], *, runs: int, cwd: Path = ROOT) -> tuple[float, float]:
    """Medians of interleaved runs, after one of each to warm the disk."""
    pairs = [(seconds(ours, cwd), seconds(theirs, cwd)) for _ in range(runs + 1)][1:]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def say(what: str, ours: float, theirs: float, goal: float, *, unit: str = "s") -> None:
    """One line: the ratio, its goal, and the figures behind it."""
    ratio = ours / theirs
    mark = "ok" if ratio <= goal else "MISSED"
    sys.stdout.write(f"{what:<66} {ratio:5.2f}  (goal ≤ {goal}: {mark}; {ours:.3f} {unit} to {theirs:.3f} {unit})\n")
    sys.stdout.flush()


def say_at_least(what: str, ours: float, theirs: float, goal: float) -> None:
    """Like ``say``, for figures a second: more is better."""
    ratio = ours / theirs
    mark = "ok" if ratio >= goal else "MISSED"
    sys.stdout.write(f"{what:<66} {ratio:5.2f}  (goal ≥ {goal}: {mark}; {ours:.0f}/s to {theirs:.0f}/s)\n")
    sys.stdout.flush()
