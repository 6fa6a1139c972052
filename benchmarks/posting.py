"""A workspace with ten accounts on the benchmarks' own network, and when its posts fall due."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from measuring import CAMPAIGN, ROOT, seconds

ACCOUNTS = "accounts:\n" + "".join(
    f"  web-{n}: {{platform: mastodon, url: URL, handle: '@web{n}', token: env:TOKEN_{n}, "
    "timezone: WIB, language: id}\n"
    for n in range(10)
)
HEADER = """\
campaign: kirim
title: Pengukuran pengiriman
timezone: WIB
day: 2035-06-01
language: id
accounts: [web-0, web-1, web-2, web-3, web-4, web-5, web-6, web-7, web-8, web-9]
posts:
"""
POST = """\
  - id: pos-{n}
    at: 2035-06-01 {hour:02}:{minute:02}
    text: |
      Pos nomor {n}: upah layak adalah hak setiap buruh.
      Kita berkumpul di halaman kantor serikat pukul delapan
      pagi, membawa spanduk, air minum, dan semangat.
"""
# Moves the due instants of the whole queue to FIRST (seconds since the epoch) and DISTANCE seconds from each other.
FALL_DUE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from sqlalchemy import update
from campaign_cli.ledger import open_ledger
from campaign_cli.ledger.schema import deliveries
first, distance = float(sys.argv[2]), float(sys.argv[3])
with open_ledger(Path(sys.argv[1]), clock=lambda: datetime.now(UTC)) as ledger:
    keys = [one.key for one in ledger.deliveries()]
    with ledger.writing() as connection:
        for number, key in enumerate(keys):
            due = int((first + number * distance) * 1e6)
            connection.execute(update(deliveries).where(deliveries.c.key == key).values(due=due))
"""


@contextmanager
def network() -> Iterator[str]:
    """The address of a network of its own, in a process of its own."""
    command = [sys.executable, str(ROOT / "benchmarks/network.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


@contextmanager
def queued(url: str, posts: int) -> Iterator[Path]:
    """A workspace with so many posts, each to ten accounts, waiting for the year 2035."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "accounts.yaml").write_text(ACCOUNTS.replace("URL", url), encoding="utf-8")
        (folder / ".env").write_text("".join(f"TOKEN_{n}=secret-{n}\n" for n in range(10)), encoding="utf-8")
        (folder / ".env").chmod(0o600)
        plan = (POST.format(n=n, hour=n // 60, minute=n % 60) for n in range(posts))
        (folder / "kirim.yaml").write_text(HEADER + "".join(plan), encoding="utf-8")
        seconds([CAMPAIGN, "queue", "kirim.yaml", "--yes"], folder)
        yield folder


def fall_due(folder: Path, first: float, distance: float = 0.0) -> None:
    """Let the first post fall due at an instant (seconds since the epoch), and each other so much later."""
    seconds([sys.executable, "-c", FALL_DUE, str(folder), str(first), str(distance)], folder)


def seen(url: str, *, posts: int) -> dict[str, Any]:
    """What the network saw since it was asked last."""
    with urllib.request.urlopen(url) as answer:
        found: dict[str, Any] = json.load(answer)
    assert found["posts"] == posts, found["posts"]
    return found


def number_seen(url: str) -> int:
    """How many posts the network has seen so far."""
    with urllib.request.urlopen(f"{url}/number") as answer:
        return int(json.load(answer)["posts"])
