"""How late posts reach the network under ``campaign run``."""

from __future__ import annotations

import statistics
import subprocess
import time

from measuring import CAMPAIGN, say
from posting import fall_due, network, number_seen, queued, seen
from sending import bare

POSTS = 1_000
LEAD = 12.0  # seconds in which the run starts and comes to rest


def burst() -> None:
    """1,000 posts due at one instant: the last one's lateness against the time that bare httpx needs for 1,000."""
    with network() as url:
        runs = [(max(_lateness(url, 0.0)), POSTS / bare(url, POSTS)) for _ in range(3)]
    ours, httpx = (statistics.median(run[place] for run in runs) for place in (0, 1))
    say("1,000 posts due at once: the last arrives, to bare httpx", ours, httpx, 1.7)


def spread() -> None:
    """One post every 10 ms: the median lateness, in units of 20 ms."""
    with network() as url:
        median = statistics.median(statistics.median(_lateness(url, 0.01)) for _ in range(3))
    say("one post every 10 ms: median lateness to 20 ms", median, 0.02, 1.0)


def _lateness(url: str, distance: float) -> list[float]:
    """Seconds from the due instant to the arrival, of each post in the order of arrival."""
    with queued(url, POSTS // 10) as folder:
        first = time.time() + LEAD
        fall_due(folder, first, distance)
        with subprocess.Popen(
            [CAMPAIGN, "run"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as run:
            try:
                _wait(url, until=first + distance * POSTS + 60)
            finally:
                run.terminate()
        arrivals = seen(url, posts=POSTS)["arrivals"]
    # They leave in due order, but for a few that overtake each other: the n-th arrival belongs to the n-th instant.
    return [arrival - (first + number * distance) for number, arrival in enumerate(sorted(arrivals))]


def _wait(url: str, *, until: float) -> None:
    while number_seen(url) < POSTS and time.time() < until:
        time.sleep(0.5)
