"""Publishing what is due, against scripts that keep nothing."""

from __future__ import annotations

import statistics
import sys
import time

from measuring import CAMPAIGN, PEERS, ROOT, say_at_least, seconds
from posting import fall_due, network, queued, seen

POSTS = 2_000


def sending() -> None:
    """2,000 due posts to ten accounts, against bare httpx with the same requests, and against a Mastodon.py loop."""
    with network() as url:
        runs = [(_campaign(url), bare(url, POSTS), _loop(url)) for _ in range(3)]
    ours, httpx, loop = (statistics.median(run[place] for run in runs) for place in range(3))
    say_at_least("publishing 2,000 posts to ten accounts to bare httpx", ours, httpx, 0.65)
    say_at_least("publishing 2,000 posts to ten accounts to a Mastodon.py loop", ours, loop, 5.0)


def _campaign(url: str) -> float:
    """Requests a second, as the network saw them."""
    with queued(url, POSTS // 10) as folder:
        fall_due(folder, time.time())
        seconds([CAMPAIGN, "publish", "--log-file", "publish.log"], folder)
        return float(seen(url, posts=POSTS)["rate"])


def bare(url: str, posts: int) -> float:
    """Requests a second of ten small httpx clients."""
    seconds([sys.executable, str(ROOT / "benchmarks/bare.py"), url, str(posts // 10)])
    return float(seen(url, posts=posts)["rate"])


def _loop(url: str) -> float:
    seconds([str(PEERS / "bin/python"), str(ROOT / "benchmarks/mastodon_loop.py"), url, "secret"])
    return float(seen(url, posts=200)["rate"])
