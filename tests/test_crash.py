"""kill -9 in the middle of publishing, over real sockets: nothing is lost, nothing goes out twice, doubt is named.

The command itself is killed first. After that, lease after lease would have to run out in real time, so senders in
child processes go on with a clock that is ahead by one more lease each time; the stage's clock goes with them.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from conftest import Campaign
from staged import Staged, soon, staged

KILLS = 15
LEAD = 3
EVERYWHERE = "[mastodon, bluesky, web, papua]"
STEP = 95  # seconds by which each sender's clock is ahead of the one before: a lease, and a little


def sender(root: Path, ahead: timedelta) -> None:
    """One pass of the real engine with a clock of its own; what a child process of this test does."""
    from campaign_cli.cli.context import open_context
    from campaign_cli.dispatch.access import transport_for
    from campaign_cli.dispatch.engine import Dispatcher
    from campaign_cli.dispatch.options import Options
    from campaign_cli.dispatch.publish import publish_pass
    from campaign_cli.ledger import open_ledger

    def clock() -> datetime:
        return datetime.now(UTC) + ahead

    async def one_pass() -> None:
        context = open_context(root)
        address = context.environment.get("CAMPAIGN_DATABASE_URL")  # with --ledger postgresql
        with open_ledger(root, clock=clock, database_url=address) as ledger:
            dispatcher = Dispatcher(
                ledger=ledger,
                workspace=context.workspace,
                secrets=context.secrets,
                clock=clock,
                sleep=asyncio.sleep,
                transport=partial(transport_for, secrets=context.secrets, clock=clock),
                options=Options(worker=f"test:{os.getpid()}", late_grace=timedelta(days=1)),
            )
            await publish_pass(dispatcher)

    asyncio.run(one_pass())


def nursery(root: Path) -> None:
    """Fork a sender for each number of seconds on stdin: its process id, then its exit code. Forks cost no imports."""
    import campaign_cli.cli.context
    import campaign_cli.dispatch.engine
    import campaign_cli.ledger.store
    import campaign_cli.platforms.http  # noqa: F401 - so that no child has to

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            sender(root, timedelta(seconds=float(line)))
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        _pid, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


@dataclass
class Senders:
    """Sender processes, one after the other, and the stage that they send to."""

    stage: Staged
    nursery: subprocess.Popen[str]
    ahead: timedelta = timedelta(0)

    def kill_command(self, *, after: int, seconds: float) -> int:
        """The real `campaign publish`, killed; its exit code."""
        command = [sys.executable, "-m", "campaign_cli", "publish"]
        begun = self.requests()
        with subprocess.Popen(command, cwd=self.stage.root, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None and self.requests() < begun + after:
                time.sleep(0.002)
            time.sleep(seconds)
            process.kill()
        return process.returncode

    def run(self, *, after: int | None = None, seconds: float = 0) -> int:
        """A sender, killed once the stage has got ``after`` more requests and a moment has gone; its exit code."""
        assert self.nursery.stdin is not None
        assert self.nursery.stdout is not None
        begun = self.requests()
        self.nursery.stdin.write(f"{self.ahead.total_seconds()}\n")
        self.nursery.stdin.flush()
        child = int(self.nursery.stdout.readline())
        ended = select.poll()
        ended.register(self.nursery.stdout, select.POLLIN)
        while after is not None and self.requests() < begun + after and not ended.poll(2):
            pass
        if after is not None and not ended.poll(seconds * 1000):
            os.kill(child, signal.SIGKILL)  # nobody has waited for it yet: the number is still its own
        return int(self.nursery.stdout.readline())

    def requests(self) -> int:
        """How many requests the stage has got."""
        return self.stage.server.state.requests.total()


def plan() -> str:
    """60 deliveries: single posts on all four networks, the same words twice, and threads where there are threads."""
    at = soon(seconds=LEAD)
    items = [f'  - {{id: p{n}, at: "{at}", accounts: {EVERYWHERE}, text: "Nomor {n}."}}\n' for n in range(10)]
    items += [
        f'  - {{id: sama{n}, at: "{at}", accounts: [mastodon], text: "Kata yang sama.", repeat: true}}\n' for n in "ab"
    ]
    parts = [f"Bagian {part} dari utas" for part in range(3)]
    items += [
        f'  - {{id: u{n}, at: "{at}", accounts: [mastodon, bluesky, papua], text: "Utas", '
        f"thread: {json.dumps([f'{part} {n}.' for part in parts])}}}\n"
        for n in range(6)
    ]
    return "".join(items)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and kill -9")
@pytest.mark.parametrize("seed", [7])
def test_kill_9_at_any_instant_loses_and_doubles_nothing(tmp_path: Path, campaign: Campaign, seed: int) -> None:
    """After 15 kills, some with answers lost too, every part is on its network once, or its delivery is uncertain."""
    chance, codes = random.Random(seed), []
    clock: Callable[[], datetime] = lambda: datetime.now(UTC) + (senders.ahead if senders else timedelta(0))  # noqa: E731
    senders: Senders | None = None
    command = [sys.executable, __file__, str(tmp_path)]
    with (
        staged(tmp_path, clock=clock) as stage,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process,
    ):
        senders = Senders(stage, process)
        assert campaign("queue", stage.plan(plan()), "--yes").code == 0
        time.sleep(LEAD)
        stage.misbehave(f"*:slow:share=0.5,seed={seed},seconds=0.05")
        for number in range(KILLS):
            kill = senders.kill_command if number == 0 else senders.run
            codes.append(kill(after=chance.randint(1, 12), seconds=chance.uniform(0, 0.06)))
            senders.ahead += timedelta(seconds=STEP)
            if number == KILLS // 2:
                stage.misbehave(f"*:accept-then-drop:share=0.2,seed={seed}")
        stage.server.misbehave([])
        settled = []
        for _pass in range(4):
            settled.append(senders.run())
            senders.ahead += timedelta(seconds=4 * STEP)
        assert process.stdin is not None
        process.stdin.close()
        assert settled == [0] * 4
        assert codes.count(-signal.SIGKILL) >= KILLS // 2
        compare(campaign, stage)


def compare(campaign: Campaign, stage: Staged) -> None:
    """What the ledger says and what the stage got."""
    deliveries = json.loads(campaign("status", "--json").out)["deliveries"]
    doubtful = [delivery for delivery in deliveries if delivery["state"] == "uncertain"]
    assert {delivery["state"] for delivery in deliveries} <= {"published", "uncertain"}
    assert {delivery["platform"] for delivery in doubtful} <= {"telegram"}  # the only one that nobody can ask
    posts = Counter((post.account, re.sub(r"<[^>]*>", "", post.text).strip()) for post in stage.posts())
    wanted = {key: 2 if "sama" in key[1] else 1 for key in posts}
    assert posts == wanted
    receipts = Counter(
        (delivery["account"], receipt["id"]) for delivery in deliveries for receipt in delivery["receipts"]
    )
    assert set(receipts.values()) == {1}
    unproved = {(post.account, post.id) for post in stage.posts() if not _proved(post.id, post.account, receipts)}
    assert {account for account, _id in unproved} <= {"papua"}
    assert len(unproved) <= len(doubtful)


def _proved(identifier: str, account: str, receipts: Counter[tuple[str, str]]) -> bool:
    return any(name == account and proof.endswith(identifier) for name, proof in receipts)


if __name__ == "__main__":
    nursery(Path(sys.argv[1]))
