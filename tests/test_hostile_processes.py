"""The real command as a process: ended in the middle of its work, and overtaken by an edit of accounts.yaml."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
from conftest import Campaign
from promise_helpers import wait_for
from staged import Staged, soon

from campaign_cli.credentials import Secrets, load_environment
from campaign_cli.plan import open_workspace
from campaign_cli.stage import stage_accounts

LEAD = 3


def started(stage: Staged, *words: str) -> subprocess.Popen[str]:
    """The command as a process of its own."""
    command = [sys.executable, "-m", "campaign_cli", *words, "--log-format", "plain", "--lang", "en"]
    return subprocess.Popen(command, cwd=stage.root, stderr=subprocess.PIPE, text=True, env={**os.environ})


def states(campaign: Campaign) -> list[str]:
    """Every delivery's state."""
    return sorted(delivery["state"] for delivery in json.loads(campaign("status", "--json").out)["deliveries"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_pass_that_is_ended_finishes_what_is_on_the_wire(
    campaign: Campaign, stage: Staged, number: signal.Signals
) -> None:
    """The first signal starts nothing more and leaves nothing in doubt, also on a network that can't be asked."""
    items = "".join(
        f'  - {{id: p{n}, at: "{soon(seconds=LEAD)}", accounts: [papua], text: "Nomor {n}."}}\n' for n in range(8)
    )
    assert campaign("queue", stage.plan(items), "--yes").code == 0
    time.sleep(LEAD)
    stage.misbehave("papua:slow:seconds=0.8")
    with started(stage, "publish") as process:
        wait_for(lambda: bool(stage.server.state.requests))
        time.sleep(0.3)
        process.send_signal(number)
        process.communicate(timeout=20)
    assert process.returncode == 130
    assert states(campaign) == ["published"] * 5 + ["waiting"] * 3
    assert len(stage.posts()) == 5


def test_a_running_scheduler_learns_of_new_accounts(campaign: Campaign, stage: Staged) -> None:
    """An account that was written down after `run` began gets its posts; nothing is parked as “no longer there”."""
    with started(stage, "run") as process:
        try:
            time.sleep(1.5)
            accounts = stage.root / "accounts.yaml"
            url = f"{stage.server.url}/telegram/baru"
            new = f'  baru: {{platform: telegram, url: "{url}", channel: "@fspc_baru", token: env:BARU}}'
            accounts.write_text(accounts.read_text().replace("groups:", f"{new}\ngroups:"))
            with (stage.root / ".env").open("a") as environment:
                environment.write('BARU="987654321:rahasia-baru-5d1e0c"\n')
            workspace, problems = open_workspace(stage.root)
            assert not problems
            secrets = Secrets(environment=load_environment(stage.root, {})[0], root=stage.root)
            stage.server.state.add_accounts(stage_accounts(workspace.accounts, reveal=secrets.reveal))
            item = f'  - {{id: kabar, at: "{soon(seconds=LEAD)}", accounts: [baru], text: "Akun baru."}}\n'
            assert campaign("queue", stage.plan(item), "--yes").code == 0
            wait_for(lambda: bool(stage.posts("baru")))
        finally:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert process.returncode == 0
    assert states(campaign) == ["published"]


def test_a_broken_accounts_file_does_not_stop_a_running_scheduler(campaign: Campaign, stage: Staged) -> None:
    """While accounts.yaml has errors, what was queued before goes out to the accounts as they were."""
    item = f'  - {{id: kabar, at: "{soon(seconds=LEAD + 2)}", accounts: [papua], text: "Tetap jalan."}}\n'
    assert campaign("queue", stage.plan(item), "--yes").code == 0
    accounts = stage.root / "accounts.yaml"
    whole = accounts.read_text()
    with started(stage, "run") as process:
        try:
            time.sleep(1.5)
            accounts.write_text(whole + "accounts: [\n")
            wait_for(lambda: bool(stage.posts("papua")))
        finally:
            process.send_signal(signal.SIGTERM)
        _out, errors = process.communicate(timeout=20)
    assert "accounts.yaml has errors" in errors
    accounts.write_text(whole)
    assert states(campaign) == ["published"]
    assert stage.posts("papua")[0].at <= datetime.now(UTC)
