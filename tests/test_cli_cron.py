"""The crontab line and the systemd units work as they are printed."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from pathlib import Path

import pytest
from conftest import Campaign
from staged import Staged, soon


def cron_line(text: str) -> tuple[str, str]:
    """The five time fields and the command of the only crontab line."""
    (line,) = [
        line for line in text.split("# ~/.config", maxsplit=1)[0].splitlines() if line and not line.startswith("#")
    ]
    *times, command = line.split(None, 5)
    return " ".join(times), command.replace(r"\%", "%")


def test_the_line_runs_as_cron_would_run_it(campaign: Campaign, tmp_path: Path) -> None:
    """With an empty environment and from another folder, through sh, the printed command works."""
    campaign("init", "kerja 100%")
    times, command = cron_line(campaign("cron", "show", "--workspace", "kerja 100%").out)
    assert times == "*/5 * * * *"
    ran = subprocess.run(["/bin/sh", "-c", command], cwd="/", env={}, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert (tmp_path / "kerja 100%/.campaign/publish.log").read_text() == ""


def test_the_line_publishes_what_is_due(campaign: Campaign, stage: Staged) -> None:
    """Run as cron would, the line sends what fell due, with the secrets of .env, and logs it."""
    plan = stage.plan(f'  - {{id: malam, at: "{soon(seconds=3)}", text: "Selamat malam, kawan."}}\n')
    assert campaign("queue", plan, "--yes").code == 0
    _times, command = cron_line(campaign("cron", "show").out)
    time.sleep(3)
    # Nothing of the environment but the clock, where the tests are run in another year.
    clock = {name: os.environ[name] for name in ("LD_PRELOAD", "CLOCK_AHEAD") if name in os.environ}
    ran = subprocess.run(["/bin/sh", "-c", command], cwd="/", env=clock, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert [post.text for post in stage.posts()] == ["Selamat malam, kawan."]
    assert "plan/malam/mastodon" in (stage.root / ".campaign/publish.log").read_text()


def test_a_night_is_converted_to_the_zone_of_the_machine(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    """21:00–05:00 in Jayapura is 12:00–20:00 on a machine that keeps UTC."""
    monkeypatch.setenv("TZ", "Africa/Abidjan")
    campaign("init", "kerja")
    ran = campaign("cron", "show", "-w", "kerja", "--nightly", "21:00-05:00", "--timezone", "WIT")
    times, command = cron_line(ran.out)
    assert times == "0 12 * * *"
    assert shlex.split(command)[-2:] == ["--until", "20:00"]
    assert "OnCalendar=*-*-* 12:00:00" in ran.out


@pytest.mark.parametrize("text", ["21:00", "later", "21:00-25:00"])
def test_a_night_that_is_none_is_refused(campaign: Campaign, text: str) -> None:
    """A span that can't be read ends with exit code 2 and the way to write it."""
    campaign("init", "kerja")
    ran = campaign("cron", "show", "-w", "kerja", "--nightly", text)
    assert ran.code == 2
    assert "21:00-05:00" in ran.err
