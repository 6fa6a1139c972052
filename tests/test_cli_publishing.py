"""The main job from the command line: a plan becomes posts, once, and every state has its way on."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import Campaign
from staged import SECRETS, Staged, soon

LEAD = 3  # seconds between writing a plan and its first post: queueing must be over by then
EVERYWHERE = "accounts: [mastodon, bluesky, web, papua]"


def one_post(at: str, text: str = "Upah layak adalah hak.", *, name: str = "pembuka", more: str = "") -> str:
    """A post as a plan's list item."""
    return f'  - id: {name}\n    at: "{at}"\n    text: "{text}"\n{more}'


def states(campaign: Campaign, *arguments: str) -> dict[str, str]:
    """Key → state, as ``status --json`` says."""
    ran = campaign("status", "--json", *arguments)
    assert ran.code == 0
    return {delivery["key"]: delivery["state"] for delivery in json.loads(ran.out)["deliveries"]}


def due_now(campaign: Campaign, stage: Staged, posts: str) -> Path:
    """Queue posts that fall due in a moment, and wait for that moment."""
    plan = stage.plan(posts)
    ran = campaign("queue", plan, "--yes")
    assert ran.code == 0, ran.err
    time.sleep(LEAD)
    return plan


def test_a_plan_is_published_everywhere_once(campaign: Campaign, stage: Staged) -> None:
    """Queue and publish put one post on each network; a second pass is silent and sends nothing."""
    due_now(campaign, stage, one_post(soon(seconds=LEAD), more=f"    {EVERYWHERE}\n"))
    ran = campaign("publish")
    assert ran.code == 0, ran.err
    assert sorted(post.account for post in stage.posts()) == ["bluesky", "mastodon", "papua", "web"]
    again = campaign("publish")
    assert (again.code, again.out, again.err) == (0, "", "")
    assert len(stage.posts()) == 4
    (first, *_rest) = json.loads(campaign("status", "--json").out)["deliveries"]
    assert first["state"] == "published"
    assert first["receipts"][0]["url"]
    assert {"key", "campaign", "post", "account", "platform", "due", "hash", "attempts", "error"} <= first.keys()


def test_queueing_twice_changes_nothing_and_an_edit_changes_one(campaign: Campaign, stage: Staged) -> None:
    """The difference is empty the second time; then ``~`` for the edited, ``-`` for the removed, ``+`` for the new."""
    two = one_post(soon(hours=1), name="satu") + one_post(soon(hours=2), "Bawa teman.", name="dua")
    plan = stage.plan(two)
    assert "+ 2" in campaign("queue", plan, "--yes").out
    again = json.loads(campaign("queue", plan, "--yes", "--json").out)["plans"][0]
    assert (again["new"], again["changed"], again["removed"], again["same"]) == ([], [], [], 2)
    text = plan.read_text().replace("Bawa teman.", "Bawa teman kerja.").replace("id: satu", "id: tiga")
    plan.write_text(text.replace("Upah layak adalah hak.", "Turun bersama."))
    ran = campaign("queue", plan, "--yes")
    assert re.search(r"^\+ .+  plan/tiga/mastodon$", ran.out, re.M)
    assert re.search(r"^~ .+  plan/dua/mastodon$", ran.out, re.M)
    assert re.search(r"^\- .+  plan/satu/mastodon$", ran.out, re.M)


def test_queue_asks_where_there_is_nobody_and_stops(campaign: Campaign, stage: Staged) -> None:
    """Without a terminal and without ``--yes`` nothing is queued, and the exit code is 2."""
    plan = stage.plan(one_post(soon(hours=1)))
    ran = campaign("queue", plan)
    assert ran.code == 2
    assert "--yes" in ran.err
    assert states(campaign) == {}


def test_a_dry_run_writes_nothing(campaign: Campaign, stage: Staged) -> None:
    """``queue --dry-run`` shows the difference and leaves no ledger behind."""
    ran = campaign("queue", stage.plan(one_post(soon(hours=1))), "--dry-run")
    assert ran.code == 0
    assert re.search(r"^\+ .+  plan/pembuka/mastodon$", ran.out, re.M)
    assert not (stage.root / ".campaign").exists()


def test_a_new_post_in_the_past_stops_the_queue(campaign: Campaign, stage: Staged) -> None:
    """It is listed with exit code 2; ``--skip-past`` queues the rest."""
    plan = stage.plan(one_post(soon(hours=-1), name="lama") + one_post(soon(hours=1), "Besok!", name="baru"))
    ran = campaign("queue", plan, "--yes")
    assert ran.code == 2
    assert "plan/lama/mastodon" in ran.out
    assert states(campaign) == {}
    assert campaign("queue", plan, "--yes", "--skip-past").code == 0
    assert states(campaign) == {"plan/baru/mastodon": "waiting"}


def test_one_bad_plan_stops_them_all(campaign: Campaign, stage: Staged) -> None:
    """Of several plans none is queued when one has an error."""
    good = stage.plan(one_post(soon(hours=1)), name="baik.yaml")
    bad = stage.plan(one_post(soon(hours=1), "a" * 600), name="buruk.yaml")
    ran = campaign("queue", good, bad, "--yes")
    assert ran.code == 2
    assert "buruk.yaml:" in ran.err
    assert states(campaign) == {}


def test_a_refused_token_is_exit_code_3_and_stops_nobody_else(campaign: Campaign, stage: Staged) -> None:
    """One account's wrong secret fails that account alone."""
    due_now(campaign, stage, one_post(soon(seconds=LEAD), more="    accounts: [mastodon, papua]\n"))
    (stage.root / ".env").write_text((stage.root / ".env").read_text().replace(SECRETS["MASTODON_TOKEN"], "salah"))
    ran = campaign("publish")
    assert ran.code == 3
    assert states(campaign) == {"plan/pembuka/mastodon": "failed", "plan/pembuka/papua": "published"}


def test_an_absent_secret_is_exit_code_3_with_its_name(campaign: Campaign, stage: Staged) -> None:
    """The message names the variable that is missing; nothing was sent."""
    due_now(campaign, stage, one_post(soon(seconds=LEAD)))
    (stage.root / ".env").unlink()
    ran = campaign("publish")
    assert ran.code == 3
    assert "MASTODON_TOKEN" in ran.err
    assert stage.posts() == []


def test_an_answer_that_is_lost_is_looked_up_and_not_repeated(campaign: Campaign, stage: Staged) -> None:
    """Accepted, then cut off: the post is found on the account and counts as published, once."""
    stage.misbehave("mastodon:accept-then-drop:1")
    due_now(campaign, stage, one_post(soon(seconds=LEAD)))
    ran = campaign("publish")
    assert ran.code == 0, ran.err
    assert states(campaign) == {"plan/pembuka/mastodon": "published"}
    assert len(stage.posts("mastodon")) == 1


def test_where_nothing_can_be_looked_up_a_person_decides(campaign: Campaign, stage: Staged) -> None:
    """Telegram's lost answer stays uncertain with exit code 4, is not sent again, and ``resolve`` settles it."""
    stage.misbehave("telegram:accept-then-drop:1")
    due_now(campaign, stage, one_post(soon(seconds=LEAD), more="    accounts: [papua]\n"))
    assert campaign("publish").code == 4
    assert campaign("publish").code == 0
    assert len(stage.posts("papua")) == 1
    key = "plan/pembuka/papua"
    assert campaign("retry", key, "--yes").code == 2
    assert campaign("resolve", key).code == 2
    assert campaign("resolve", key, "--published", "https://t.me/fspc_papua/1").code == 0
    assert states(campaign) == {key: "published"}


def test_what_came_too_late_is_missed_and_can_be_retried(campaign: Campaign, stage: Staged) -> None:
    """Past its grace a post is not sent: exit code 1, then ``retry`` gives it a new time."""
    accounts = stage.root / "accounts.yaml"
    due_now(campaign, stage, one_post(soon(seconds=LEAD)))
    accounts.write_text(accounts.read_text() + "rules: {late_grace: 0m}\n")
    assert campaign("publish").code == 1
    assert states(campaign) == {"plan/pembuka/mastodon": "missed"}
    assert stage.posts() == []
    assert campaign("retry", "plan/pembuka/mastodon", "--yes").code == 0
    assert campaign("publish", "--grace", "24h").code == 0
    assert len(stage.posts()) == 1


def test_hold_stops_and_release_asks(campaign: Campaign, stage: Staged) -> None:
    """Under a hold nothing goes out and publish says 5; release needs an answer for what became late."""
    due_now(campaign, stage, one_post(soon(seconds=LEAD)))
    assert campaign("hold", "--reason", "menunggu", "--campaign", "plan").code == 0
    assert campaign("publish").code == 5
    assert stage.posts() == []
    unanswered = campaign("release", "--campaign", "plan")
    assert unanswered.code == 2
    assert "--late" in unanswered.err
    assert campaign("publish").code == 5
    assert campaign("release", "--campaign", "plan", "--late", "now").code == 0
    assert campaign("publish").code == 0
    assert len(stage.posts()) == 1


@pytest.mark.parametrize("span", ["99999999999d", "soon", "-1h", ""])
def test_a_span_that_is_none_is_refused(campaign: Campaign, stage: Staged, span: str) -> None:
    """``--grace`` takes spans as accounts.yaml does; anything else is exit code 2 with the way to write it."""
    ran = campaign("publish", f"--grace={span or ' '}")
    assert ran.code == 2
    assert "24h" in ran.err


def test_cancelled_posts_stay_home(campaign: Campaign, stage: Staged) -> None:
    """``cancel`` by filter takes waiting deliveries out; a second one finds nothing."""
    due_now(campaign, stage, one_post(soon(seconds=LEAD)))
    assert campaign("cancel", "--campaign", "plan", "--yes").code == 0
    assert campaign("publish").code == 0
    assert stage.posts() == []
    assert states(campaign, "--state", "cancelled") == {"plan/pembuka/mastodon": "cancelled"}


def test_one_message_without_a_plan(campaign: Campaign, stage: Staged) -> None:
    """``post`` sends at once, refuses the same words again, and queues with ``--at``."""
    assert campaign("post", "Sidang ditunda.", "--to", "mastodon", "--to", "papua").code == 0
    assert sorted(post.text for post in stage.posts()) == ["Sidang ditunda."] * 2
    assert campaign("post", "Sidang ditunda.", "--to", "mastodon").code == 2
    later = campaign("post", "Sidang mulai lagi.", "--to", "papua", "--at", "2035-01-01 08:00")
    assert later.code == 0, later.err
    assert "2035" in later.out
    assert len(stage.posts()) == 2
    too_long = campaign("post", "a" * 600, "--to", "mastodon")
    assert too_long.code == 2
    assert "500" in too_long.err


def test_another_ledger_refuses(campaign: Campaign, stage: Staged) -> None:
    """A second clone, whose ledger.id names another ledger, neither queues nor sends until it adopts."""
    plan = stage.plan(one_post(soon(hours=1)))
    campaign("queue", plan, "--yes")
    (stage.root / "ledger.id").write_text("00000000000000000000000000000000\n")
    for command in (("queue", plan, "--yes"), ("publish",), ("post", "x", "--to", "papua")):
        ran = campaign(*command)
        assert ran.code == 2
        assert "campaign ledger adopt" in ran.err
    assert campaign("ledger", "adopt", "--yes").code == 0
    assert campaign("queue", plan, "--yes").code == 0


def test_what_would_go_is_told_without_sending(campaign: Campaign, stage: Staged) -> None:
    """``publish --dry-run --until`` lists what falls due by then."""
    campaign("queue", stage.plan(one_post(soon(minutes=5))), "--yes")
    assert "plan/pembuka" not in campaign("publish", "--dry-run").out
    listed = campaign("publish", "--dry-run", "--until", soon(minutes=10), "--json")
    assert [delivery["key"] for delivery in json.loads(listed.out)["deliveries"]] == ["plan/pembuka/mastodon"]
    assert stage.posts() == []


def test_accounts_are_proved_and_their_limits_kept(campaign: Campaign, stage: Staged) -> None:
    """``accounts check`` says who each account is, stores limits, and gives 3 for a wrong secret."""
    ran = campaign("accounts", "check", "--json")
    assert ran.code == 0
    assert all(account["ok"] for account in json.loads(ran.out)["accounts"])
    assert json.loads((stage.root / ".campaign/accounts.json").read_text())["mastodon"]["limits"]["text"] == 500
    (stage.root / ".env").write_text((stage.root / ".env").read_text().replace(SECRETS["PAPUA"], "1:salah"))
    assert campaign("accounts", "check", "papua").code == 3
    assert campaign("accounts", "check", "papau").code == 2


def test_no_secret_is_in_anything_that_was_written_or_shown(campaign: Campaign, stage: Staged) -> None:
    """After successes and failures, no secret is in a file of ours, in an output or in a page."""
    plan = stage.plan(one_post(soon(seconds=LEAD), more=f"    {EVERYWHERE}\n"))
    stage.misbehave("telegram:refuse:1")
    shown = ""
    commands = (
        ("queue", plan, "--yes"),
        ("publish", "--until", soon(seconds=LEAD + 1)),
        ("preview", plan, "--html", "page.html"),
        ("preview", plan, "--requests"),
        ("preview", plan, "--requests", "--json"),
        ("accounts", "check"),
        ("status",),
        ("log",),
        ("cron", "show"),
    )
    for command in commands:
        ran = campaign(*command)
        shown += ran.out + ran.err
    files = [path for path in stage.root.rglob("*") if path.is_file() and path.name != ".env"]
    assert (stage.root / "page.html") in files
    everything = shown.encode() + b"".join(path.read_bytes() for path in files)
    for secret in SECRETS.values():
        assert secret.encode() not in everything


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_notices_what_is_queued_and_stops_cleanly(
    campaign: Campaign, stage: Staged, number: signal.Signals
) -> None:
    """A running scheduler sends what another process queues, within seconds, and ends on a signal with exit code 0."""
    command = [sys.executable, "-m", "campaign_cli", "run", "--log-format", "json", "--lang", "en"]
    with subprocess.Popen(command, cwd=stage.root, stderr=subprocess.PIPE, text=True, env={**os.environ}) as process:
        try:
            time.sleep(1.5)
            campaign("queue", stage.plan(one_post(soon(seconds=LEAD))), "--yes")
            end = time.monotonic() + 10
            while not stage.posts() and time.monotonic() < end:
                time.sleep(0.05)
            assert len(stage.posts()) == 1
        finally:
            process.send_signal(number)
        _out, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    records = [json.loads(line) for line in errors.splitlines() if line.startswith("{")]
    assert [record["state"] for record in records if record["event"] == "settled"] == ["published"]
    assert states(campaign) == {"plan/pembuka/mastodon": "published"}
