"""What a long queue costs ``campaign run`` while nothing is due. Linux only: it reads /proc."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from measuring import CAMPAIGN, say, seconds
from posting import fall_due, network, number_seen, queued, seen

FAR = 2_000_000_000.0  # 2033
REST = 8.0  # seconds in which the run starts and comes to rest
WATCHED = 20.0  # seconds
# Copies every delivery but the first, under other keys, until there are so many.
MULTIPLY = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from campaign_cli.ledger import open_ledger
from campaign_cli.ledger.schema import deliveries, drafts
with open_ledger(Path(sys.argv[1]), clock=lambda: datetime.now(UTC)) as ledger, ledger.writing() as connection:
    for table, key in ((deliveries, "key"), (drafts, "delivery")):
        names = [column.name for column in table.columns if column.name != key]
        listed = ", ".join(f'"{name}"' for name in names)
        for copy in range(1, int(sys.argv[2])):
            new = f"SELECT 'salin{copy}-' || {key}, {listed} FROM {table.name} WHERE {key} LIKE 'kirim/%'"
            connection.exec_driver_sql(f'INSERT INTO {table.name} ("{key}", {listed}) {new}')
"""
ONE_DUE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from sqlalchemy import update
from campaign_cli.ledger import open_ledger
from campaign_cli.ledger.schema import deliveries
with open_ledger(Path(sys.argv[1]), clock=lambda: datetime.now(UTC)) as ledger, ledger.writing() as connection:
    due = update(deliveries).where(deliveries.c.key == "kirim/pos-0/web-0").values(due=int(float(sys.argv[2]) * 1e6))
    connection.execute(due)
"""


def waiting() -> None:
    """100,000 waiting posts against 1,000: memory, processor time at rest, and how late one due post is."""
    small, large = _cost(1), _cost(100)
    say("100,000 waiting posts to 1,000: memory of `run`", large[0], small[0], 1.2, unit="MiB")
    say("100,000 waiting posts to 1,000: processor time at rest", large[1], small[1], 1.2)
    say("100,000 waiting posts to 1,000: lateness of one due post", large[2], small[2], 1.2)


def _cost(copies: int) -> tuple[float, float, float]:
    """Peak memory (MiB), processor seconds at rest, and lateness in seconds of one post that falls due after that."""
    with network() as url, queued(url, 100) as folder:
        fall_due(folder, FAR, 60.0)
        seconds([sys.executable, "-c", MULTIPLY, str(folder), str(copies)], folder)
        due = time.time() + REST + WATCHED + 3.0
        seconds([sys.executable, "-c", ONE_DUE, str(folder), str(due)], folder)
        with subprocess.Popen(
            [CAMPAIGN, "run"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as run:
            try:
                time.sleep(REST)
                before = _processor(run.pid)
                time.sleep(WATCHED)
                used = _processor(run.pid) - before
                while number_seen(url) < 1 and time.time() < due + 30:
                    time.sleep(0.1)
                memory = _memory(run.pid)
            finally:
                run.terminate()
        return memory, used, float(seen(url, posts=1)["arrivals"][0]) - due


def _processor(pid: int) -> float:
    """Processor seconds of a process so far, over all its threads."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text(encoding="utf-8").split()[0]) for task in tasks) / 1e9


def _memory(pid: int) -> float:
    """Peak resident memory of a process in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
