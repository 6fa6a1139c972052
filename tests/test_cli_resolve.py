"""What a person says of a delivery in doubt, and how it goes on from there."""

from __future__ import annotations

import json
import time

import pytest
from conftest import Campaign
from staged import Staged, soon

LEAD = 3
THREAD = """  - id: utas
    at: "{at}"
    accounts: [{account}]
    text: x
    thread: ["Bagian satu.", "Bagian dua.", "Bagian tiga."]
"""


def states(campaign: Campaign) -> dict[str, str]:
    return {one["key"]: one["state"] for one in json.loads(campaign("status", "--json").out)["deliveries"]}


def in_doubt(campaign: Campaign, stage: Staged, posts: str) -> None:
    """Queue, and lose the first answer of the Telegram channel, which nobody can look into."""
    assert campaign("queue", stage.plan(posts), "--yes").code == 0
    time.sleep(LEAD)
    stage.misbehave("telegram:accept-then-drop:1")
    assert campaign("publish").code == 4


def test_a_thread_goes_on_after_a_person_named_its_part(campaign: Campaign, stage: Staged) -> None:
    """The address names the message, so the next parts answer to it, and each part is out once."""
    in_doubt(campaign, stage, THREAD.format(at=soon(seconds=LEAD), account="papua"))
    (first,) = stage.posts("papua")
    url = f"https://t.me/fspc_papua/{first.id}"
    ran = campaign("resolve", "plan/utas/papua", "--published", url)
    assert ran.code == 0, ran.err
    assert campaign("publish").code == 0
    assert [post.text for post in stage.posts("papua")] == ["Bagian satu.", "Bagian dua.", "Bagian tiga."]
    assert [post.reply_to for post in stage.posts("papua")][1:] == [post.id for post in stage.posts("papua")][:2]
    assert states(campaign) == {"plan/utas/papua": "published"}


def test_an_address_of_another_channel_does_not_let_the_thread_go_on(campaign: Campaign, stage: Staged) -> None:
    """It is the person's word, and counts; but nothing can answer to it, and that is said."""
    in_doubt(campaign, stage, THREAD.format(at=soon(seconds=LEAD), account="papua"))
    ran = campaign("resolve", "plan/utas/papua", "--published", "https://t.me/lain/7")
    assert "post it by hand" in ran.out
    assert states(campaign) == {"plan/utas/papua": "failed"}


def test_what_is_not_out_is_sent_when_the_person_says(campaign: Campaign, stage: Staged) -> None:
    """``--at now`` gives it a new instant in the same step, under a new key."""
    post = f'  - id: a\n    at: "{soon(seconds=LEAD)}"\n    accounts: [papua]\n    text: "Pesan."\n'
    in_doubt(campaign, stage, post)
    ran = campaign("resolve", "plan/a/papua", "--not-published", "--at", "now")
    assert ran.code == 0, ran.err
    assert campaign("publish").code == 0
    assert states(campaign) == {"plan/a/papua": "published"}
    assert len(stage.posts("papua")) == 2  # the person was wrong, and had been asked to look


def test_one_that_is_too_late_by_then_says_how_to_send_it(campaign: Campaign, stage: Staged) -> None:
    """Later than late_grace it is missed, and the printed line sends it."""
    accounts = stage.root / "accounts.yaml"
    accounts.write_text(accounts.read_text(encoding="utf-8") + "\nrules: {late_grace: 8s}\n", encoding="utf-8")
    in_doubt(campaign, stage, f'  - id: a\n    at: "{soon(seconds=LEAD)}"\n    accounts: [papua]\n    text: "Pesan."\n')
    time.sleep(8)
    ran = campaign("resolve", "plan/a/papua", "--not-published")
    assert "late_grace" in ran.out
    assert "campaign retry plan/a/papua" in ran.out.replace("\n", " ")
    assert states(campaign) == {"plan/a/papua": "missed"}
    assert campaign("retry", "plan/a/papua", "--yes").code == 0
    assert campaign("publish").code == 0


@pytest.mark.parametrize("arguments", [("--published", "https://t.me/x/1", "--at", "now"), ("--at", "now"), ()])
def test_words_that_don_t_go_together(campaign: Campaign, stage: Staged, arguments: tuple[str, ...]) -> None:
    """An instant goes with --not-published alone."""
    assert campaign("resolve", "plan/a/papua", *arguments).code == 2
