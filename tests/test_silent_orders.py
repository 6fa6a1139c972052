"""Orders that give a post another time give it none in a day of silence, and say why."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Campaign
from staged import Staged, soon
from test_cli_approve import rules

KEY = "plan/pembuka/mastodon"
WHY = "lies in a day of silence (E004)."
WAY_OUT = "waive E004 with a reason in its plan, and queue it first."
LEAD = 2


def silence(stage: Staged) -> None:
    """Every day around today is silent, in whatever zone and at whatever hour this runs."""
    today = datetime.now(UTC).date()
    days = ", ".join(str(today + timedelta(days=number)) for number in range(-2, 5))
    rules(stage, f"silent_days: [{days}]")


def queued(campaign: Campaign, stage: Staged, *, at: str, more: str = "") -> Path:
    plan = stage.plan(f'  - id: pembuka\n    at: "{at}"\n    text: "Upah layak."\n{more}')
    ran = campaign("queue", plan, "--yes")
    assert ran.code == 0, ran.err
    return plan


def held(campaign: Campaign, stage: Staged, *, more: str = "") -> None:
    """A post that became late under a hold."""
    queued(campaign, stage, at=soon(seconds=LEAD), more=more)
    assert campaign("hold", "--reason", "Rapat").code == 0
    time.sleep(LEAD)


@pytest.mark.parametrize("late", ["now", "+1d"])
def test_release_shifts_nothing_into_a_silence(campaign: Campaign, stage: Staged, late: str) -> None:
    """It is refused with the time and the way out, and the hold stays; a later day is taken."""
    held(campaign, stage)
    silence(stage)
    ran = campaign("release", "--late", late)
    assert (ran.code, WHY in ran.err, WAY_OUT in " ".join(ran.err.split())) == (2, True, True)
    assert f"{KEY}: " in ran.err
    (shown,) = json.loads(campaign("status", "--json").out)["deliveries"]
    assert (shown["state"], shown["held"]) == ("waiting", True)
    assert campaign("release", "--late", "+20d").code == 0
    assert not json.loads(campaign("status", "--json").out)["deliveries"][0]["held"]


def test_skipping_is_always_possible(campaign: Campaign, stage: Staged) -> None:
    """Nothing is said of a post that does not go out."""
    held(campaign, stage)
    silence(stage)
    assert campaign("release", "--late", "skip").code == 0


def test_what_its_plan_waived_may_be_sent_on_such_a_day(campaign: Campaign, stage: Staged) -> None:
    """The reason was given when it was queued."""
    silence(stage)
    held(campaign, stage, more='    waive: {E004: "Bukan tentang pemilihan"}\n')
    assert campaign("release", "--late", "now").code == 0
    assert campaign("publish").code == 0
    assert len(stage.posts()) == 1


@pytest.mark.parametrize("answer", ["now", "+1d"])
def test_the_end_of_a_crisis_shifts_nothing_into_a_silence(campaign: Campaign, stage: Staged, answer: str) -> None:
    """What is not late yet is shifted from its own time; kept, it stays where its plan put it."""
    queued(campaign, stage, at=soon(hours=1))
    assert campaign("crisis", "start", "--reason", "Kecelakaan").code == 0
    silence(stage)
    ran = campaign("crisis", "end", "--all", answer)
    assert (ran.code, WHY in ran.err) == (2, True)
    assert json.loads(campaign("crisis", "show", "--json").out)["crisis"] is not None
    assert campaign("crisis", "end", "--all", "+20d").code == 0


def test_retry_gives_no_time_in_a_silence(campaign: Campaign, stage: Staged) -> None:
    """Now or at a time: nothing of the choice is queued again."""
    queued(campaign, stage, at=soon(hours=1))
    assert campaign("cancel", KEY, "--yes").code == 0
    silence(stage)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="minutes")
    for more in ((), ("--at", tomorrow)):
        ran = campaign("retry", "--campaign", "plan", "--yes", *more)
        assert (ran.code, WHY in ran.err) == (2, True), ran.err
    assert json.loads(campaign("status", "--json").out)["deliveries"][0]["state"] == "cancelled"
    rules(stage, "approval: 0")
    assert campaign("retry", "--campaign", "plan", "--yes").code == 0
