"""``python -m fuzz plans|answers|requests NUMBER``: run that many, and end with 1 where one brings anything down."""

from __future__ import annotations

import argparse
import gc
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

GROWTH: Final = 1.2
"""How much more memory a run may hold at its end than in its middle."""
BATCH: Final = 2_000
"""Cases that Hypothesis remembers at a time: its own memory of them must not count as ours."""


def fuzz(
    cases: st.SearchStrategy[Any], attempt: Callable[[Any], str], *, number: int, tell: bool = False
) -> Counter[str]:
    """Try so many cases; how often each ended how. Raises what a case raised, with the smallest such case shown."""
    ends: Counter[str] = Counter()
    held: list[int] = []
    began = time.monotonic()
    for first in range(0, number, BATCH):
        _batch(cases, attempt, ends, number=min(BATCH, number - first), start=first)
        gc.collect()
        held.append(_held())
        if tell:
            seconds = time.monotonic() - began
            sys.stdout.write(f"{ends.total():>8} in {seconds:>6.0f} s, {held[-1]} MiB\n")
            sys.stdout.flush()
    if len(held) >= 6 and held[-1] > held[len(held) // 2] * GROWTH:
        raise AssertionError(f"memory grows: {held} MiB")
    return ends


def _batch(
    cases: st.SearchStrategy[Any], attempt: Callable[[Any], str], ends: Counter[str], *, number: int, start: int
) -> None:
    @seed(start)
    @settings(
        max_examples=number,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
    )
    @given(case=cases)
    def one(case: Any) -> None:
        ends[attempt(case)] += 1

    one()


def _held() -> int:
    """MiB that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() // 2**20


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="fuzz")
    parser.add_argument("what", choices=("plans", "answers", "requests"))
    parser.add_argument("number", type=int, nargs="?", default=100_000)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if wanted.what == "plans":
            from fuzz.plans import cases, workspace

            ends = fuzz(cases, workspace(Path(folder)), number=wanted.number, tell=True)
        elif wanted.what == "requests":
            from fuzz.stage import attempt as ask
            from fuzz.stage import cases as requests

            ends = fuzz(requests, ask, number=wanted.number, tell=True)
        else:
            from fuzz.answers import attempt
            from fuzz.answers import cases as answers

            ends = fuzz(answers, attempt, number=wanted.number, tell=True)
    counts = ", ".join(f"{count} {name}" for name, count in ends.most_common())
    sys.stdout.write(f"{ends.total()} {wanted.what}: {counts}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
