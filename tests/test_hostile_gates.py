"""Approvals, crises and the papers about them, against colleagues who look for the way round."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from conftest import Campaign
from signing_helpers import Ring
from staged import Staged, soon
from test_cli_approve import LEAD, approve, delivery, one_post, queued, rules

from campaign_cli.errors import InputError
from campaign_cli.signatures import checked_name


@pytest.mark.parametrize(
    "name",
    ["", " ", "a\x1b[31mb", "x" * 10_000, "\u202eitiS", "\u3164", "Siti\u3164", "Siti\u034f", "Siti\ufe0f", "\u2800"],
)
def test_a_name_that_nobody_can_read_is_none(campaign: Campaign, stage: Staged, name: str) -> None:
    """Empty, endless, steering or invisible: neither an approval nor a sign-off is recorded under it."""
    plan = queued(campaign, stage, one_post(soon(hours=1)))
    assert approve(campaign, plan, name=name).code == 2
    assert delivery(campaign)["approvals"] == []
    assert campaign("evidence", "plan", "--as", name).code == 2
    assert not (stage.root / "plan-evidence.json").exists()
    assert "evidence" not in [event["kind"] for event in json.loads(campaign("log", "--json").out)["events"]]


def test_names_that_look_alike_are_not_kept() -> None:
    """A sign without width would make a second person of the first; letters with accents are letters."""
    with pytest.raises(InputError):
        checked_name("Siti\u3164Rahma")
    assert checked_name("  Sitī   Rahmá ") == "Sitī Rahmá"


def test_no_plan_bears_the_name_of_messages_without_a_plan(campaign: Campaign, stage: Staged) -> None:
    """Its queue would cancel them, and as a crisis's statement it would let them through."""
    assert campaign("post", "Sidang ditunda.", "--to", "mastodon", "--at", "23:59:59").code in (0, 2)
    plan = stage.plan(one_post(soon(hours=1)), name="langsung.yaml")
    for command in ("check", "queue", "approve"):
        ran = campaign(
            command, plan, *(["--yes"] if command != "check" else []), *(["--as", "S"] if command == "approve" else [])
        )
        assert (ran.code, "P024" in ran.out + ran.err) == (2, True), command
    assert campaign("crisis", "start", "--statement", plan, "--reason", "x").code == 2
    assert json.loads(campaign("crisis", "show", "--json").out) == {"crisis": None}


def test_the_author_alone_lets_no_statement_through_a_crisis(campaign: Campaign, stage: Staged) -> None:
    """Also where no approval is asked for otherwise: whoever wrote the statement is not who approves it."""
    rules(stage, "other_approver: true")
    plan = queued(campaign, stage, one_post(soon(seconds=LEAD)), head="author: Budi\n")
    assert campaign("crisis", "start", "--statement", plan, "--reason", "kecelakaan").code == 0
    time.sleep(LEAD)
    approve(campaign, plan, name="Budi")
    assert (campaign("publish").code, stage.posts()) == (5, [])
    assert approve(campaign, plan, name="Siti").code == 0
    assert (campaign("publish").code, len(stage.posts())) == (0, 1)


def test_a_statement_is_verified_again_where_only_signatures_count(
    campaign: Campaign, stage: Staged, tmp_path: Path
) -> None:
    """Whose key has left the file since lets nothing through, though the plan itself asks for no approval."""
    ring = Ring(tmp_path.parent / f"{tmp_path.name}-keys", tmp_path)
    ring.name("siti", "siti")
    rules(stage, "approvers: approvers")
    plan = queued(campaign, stage, one_post(soon(seconds=LEAD)), head="")
    assert campaign("crisis", "start", "--statement", plan, "--reason", "kecelakaan").code == 0
    assert approve(campaign, plan, "--sign", ring.key("siti"), name="siti").code == 0
    ring.lines.clear()
    ring.write()
    time.sleep(LEAD)
    assert (campaign("publish").code, stage.posts()) == (5, [])


def test_papers_steer_no_terminal(campaign: Campaign, stage: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a reason or the name of a user holds is shown in the evidence, and does nothing there."""
    monkeypatch.setenv("LOGNAME", "\x1b[31mroot\u202e\x9b1m<script>alert(1)</script>")
    queued(campaign, stage, one_post(soon(hours=1)))
    assert (
        campaign("hold", "--campaign", "plan", "--reason", "<img src=x onerror=alert(1)>\x1b]0;x\x07\u202e").code == 0
    )
    assert campaign("evidence", "plan", "--as", "<script>alert(1)</script>").code == 0
    page, data = ((stage.root / f"plan-evidence.{ending}").read_text() for ending in ("html", "json"))
    for text in (page, data):
        assert not set("\x1b\x07\x9b\u202e") & set(text)
    assert "<script>alert" not in page
    assert "<img" not in page
    assert json.loads(data)["holds"][0]["reason"].endswith("\u202e")
    assert campaign("log", "--verify").code == 0
