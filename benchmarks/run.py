"""Speed and memory as ratios to something named, measured in this same run: ``make bench [-- NAME…]``.

Peers are installed from the package index into ``.bench/peers``. Each figure is the median of interleaved runs.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Sequence
from pathlib import Path

from lateness import burst, spread
from measuring import CAMPAIGN, PEERS, TOOT, compare, say, seconds
from sending import sending
from waiting import waiting

ACCOUNTS = """\
accounts:
  first:  {platform: mastodon, url: https://one.example, token: env:ONE, timezone: WIB, language: id}
  second: {platform: bluesky, handle: two.example, password: env:TWO, timezone: WIT, language: id}
"""
HEADER = """\
campaign: {name}
title: Pengukuran {name}
timezone: WIB
day: 2035-06-01
language: id
accounts: [first, second]
hashtags: [UpahLayak]
posts:
"""
# About 25 lines and 650 bytes, like the file that the YAML loaders were compared with.
POST = """\
  - id: pos-{n}
    at: 2035-0{month}-{day:02} {hour:02}:{minute:02}
    text: |
      Pos nomor {n}: upah layak adalah hak setiap buruh.
      Kita berkumpul di halaman kantor serikat pukul delapan
      pagi, membawa spanduk, air minum, dan semangat.
    audience:
      - anggota
      - publik
    theme: upah
    labels:
      - tuntutan
      - pekan-{week}
    sources:
      - https://example.org/data/{n}
      - https://example.org/lampiran/{n}
    variants:
      bluesky:
        text: |
          Pos {n}: upah layak adalah hak.
          Sampai jumpa di halaman kantor serikat.
    hashtags:
      - HidupBuruh
      - BuruhBersatu
    frame: hak
"""


def plan(name: str, posts: int, first: int = 0) -> str:
    """A plan with so many different posts; no two plans say the same, or one would be taken for the other, renamed."""
    body = (
        POST.format(n=n, month=1 + n % 5, day=1 + n // 5 % 28, hour=n // 60 % 24, minute=n % 60, week=n % 52)
        for n in range(first, first + posts)
    )
    return HEADER.format(name=name) + "".join(body)


def workspace(folder: Path, *, plans: int, posts: int) -> list[Path]:
    """A workspace with plans of so many posts each."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "accounts.yaml").write_text(ACCOUNTS, encoding="utf-8")
    paths = [folder / f"plan-{number}.yaml" for number in range(plans)]
    for number, path in enumerate(paths):
        path.write_text(plan(f"plan-{number}", posts, number * posts), encoding="utf-8")
    return paths


def light() -> None:
    """Help and the check of a small plan against another terminal client's help and version."""
    say("campaign --help to toot --help", *compare([CAMPAIGN, "--help"], [TOOT, "--help"], runs=9), 0.5)
    with tempfile.TemporaryDirectory() as folder:
        (path,) = workspace(Path(folder), plans=1, posts=30)
        ours = [CAMPAIGN, "check", str(path)]
        say("check of 30 posts to toot --version", *compare(ours, [TOOT, "--version"], runs=9, cwd=Path(folder)), 1.0)


LOAD = "import sys, yaml; yaml.load(open(sys.argv[1], encoding='utf-8'), Loader=yaml.CSafeLoader)"


def large() -> None:
    """The check of 10,000 posts against PyYAML's C loader on the same file, and its memory."""
    with tempfile.TemporaryDirectory() as folder:
        (path,) = workspace(Path(folder), plans=1, posts=10_000)
        ours, theirs = [CAMPAIGN, "check", str(path)], [sys.executable, "-c", LOAD, str(path)]
        say(
            "check of 10,000 posts on 2 accounts to yaml.load (C loader)",
            *compare(ours, theirs, runs=3, cwd=Path(folder)),
            0.8,
        )
        peak = peak_memory(ours, Path(folder)) - peak_memory(
            [CAMPAIGN, "check", str(_small(Path(folder)))], Path(folder)
        )
        sys.stdout.write(f"{'peak memory of that check, per post':<66} {peak / 10_000 / 1024:5.1f} KiB\n")


def _small(folder: Path) -> Path:
    path = folder / "small.yaml"
    path.write_text(plan("small", 1), encoding="utf-8")
    return path


def peak_memory(command: Sequence[str], cwd: Path) -> float:
    """Peak resident memory of one command in bytes (measured in a child that has no other children)."""
    script = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    found = subprocess.run(
        [sys.executable, "-c", script, *command], cwd=cwd, check=True, capture_output=True, text=True
    )
    return float(found.stdout) * (1 if sys.platform == "darwin" else 1024)


def queueing() -> None:
    """Queueing 10,000 and 100,000 posts, and the difference of the unchanged 100,000."""
    cost = {}
    for posts, plans in ((10_000, 1), (100_000, 10)):
        with tempfile.TemporaryDirectory() as folder:
            paths = workspace(Path(folder), plans=plans, posts=posts // plans)
            cost[posts] = sum(seconds([CAMPAIGN, "queue", str(path), "--yes"], Path(folder)) for path in paths) / posts
            if plans > 1:
                unchanged(Path(folder), paths)
    say("queueing one of 100,000 posts to one of 10,000 (ms a post)", cost[100_000] * 1000, cost[10_000] * 1000, 1.2)


UNCHANGED = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from campaign_cli.content.drafts import Renderer
from campaign_cli.content.media import MediaStore
from campaign_cli.ledger.queueing import difference
from campaign_cli.ledger import open_ledger
from campaign_cli.plan import expand, load_plan, open_workspace
now = lambda: datetime.now(UTC)
root = Path(sys.argv[1]); load = diff = 0.0
workspace, _ = open_workspace(root)
for name in sys.argv[2:]:
    start = time.perf_counter(); loaded, _ = load_plan(Path(name), workspace); planned, _ = expand(loaded)
    middle = time.perf_counter()
    with open_ledger(root, clock=now) as ledger:
        renderer = Renderer(loaded, media=MediaStore(root), templates=root / "templates" / "posts")
        found = difference(loaded, planned, renderer, ledger, now=now())
    assert not found.new and not found.changed, "it should be unchanged"
    load += middle - start; diff += time.perf_counter() - middle
print(load, diff)
"""


def unchanged(folder: Path, paths: Sequence[Path]) -> None:
    """The cost of finding that nothing changed, against the cost of loading the plans."""
    command = [sys.executable, "-c", UNCHANGED, str(folder), *map(str, paths)]
    found = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder)
    load, diff = map(float, found.stdout.split())
    say("difference of 100,000 unchanged posts to loading them", diff, load, 1.0)


def lateness() -> None:
    """From the due instant to the arrival at the network."""
    burst()
    spread()


BENCHMARKS: dict[str, Callable[[], None]] = {
    "light": light,
    "large": large,
    "queueing": queueing,
    "sending": sending,
    "lateness": lateness,
    "waiting": waiting,
}
PACKAGES = ("toot", "Mastodon.py")


def main(names: Sequence[str]) -> int:
    """Run the named benchmarks, or all."""
    installed = PEERS / "installed"
    if not installed.exists() or installed.read_text(encoding="utf-8") != " ".join(PACKAGES):
        sys.stdout.write(f"installing the peers ({', '.join(PACKAGES)}) into .bench/peers\n")
        venv.create(PEERS, with_pip=True)
        subprocess.run([PEERS / "bin/python", "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        installed.write_text(" ".join(PACKAGES), encoding="utf-8")
    for name in names or BENCHMARKS:
        BENCHMARKS[name]()
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    sys.stdout.write(f"({used:.0f} s of processor time)\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
