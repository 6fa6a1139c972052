"""Approvals from the command line: nothing goes out that was not approved as it is, and everybody can see by whom."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Campaign, Ran
from signing_helpers import Ring
from staged import Staged, soon

LEAD = 4  # seconds between writing a plan and its first post: queueing and approving must be over by then
KEY = "plan/pembuka/mastodon"


def one_post(at: str, text: str = "Upah layak adalah hak.", *, name: str = "pembuka", more: str = "") -> str:
    """A post as a plan's list item."""
    return f'  - id: {name}\n    at: "{at}"\n    text: "{text}"\n{more}'


def delivery(campaign: Campaign, key: str = KEY) -> dict[str, object]:
    """A delivery as ``status --json`` has it."""
    found = {one["key"]: one for one in json.loads(campaign("status", "--json").out)["deliveries"]}
    return dict(found[key])


def rules(stage: Staged, text: str) -> None:
    """Write the workspace's rules."""
    accounts = stage.root / "accounts.yaml"
    lines = [line for line in accounts.read_text().splitlines() if not line.startswith("rules:")]
    accounts.write_text("\n".join([*lines, f"rules: {{{text}}}"]) + "\n")


def queued(campaign: Campaign, stage: Staged, posts: str, *, head: str = "approval: 1\n") -> Path:
    """Write a plan and queue it."""
    plan = stage.plan(posts, head=head)
    ran = campaign("queue", plan, "--yes")
    assert ran.code == 0, ran.err
    return plan


def approve(campaign: Campaign, plan: Path, *more: str, name: str = "Siti") -> Ran:
    """``campaign approve PLAN --as NAME --yes``."""
    return campaign("approve", plan, "--as", name, "--yes", *more)


@pytest.fixture
def ring(tmp_path: Path) -> Ring:
    """Keys beside the workspace."""
    return Ring(tmp_path.parent / f"{tmp_path.name}-keys", tmp_path)


def test_what_lacks_its_approval_waits_and_then_goes_out_once(campaign: Campaign, stage: Staged) -> None:
    """Queued for one approval it waits with ``approved: false``, `publish` exits 5; approved, it goes out."""
    plan = queued(campaign, stage, one_post(soon(seconds=LEAD)))
    assert (delivery(campaign)["state"], delivery(campaign)["approved"]) == ("waiting", False)
    time.sleep(LEAD)
    ran = campaign("publish", "--grace", "24h")
    assert ran.code == 5
    assert "not approved" in ran.err
    assert not stage.posts()
    ran = approve(campaign, plan)
    assert ran.code == 0, ran.err
    assert "Upah layak adalah hak." in ran.out
    assert "Siti (unverified)" in ran.out
    assert campaign("publish", "--grace", "24h").code == 0
    assert len(stage.posts()) == 1
    (given,) = delivery(campaign)["approvals"]  # type: ignore[misc]
    assert (given["name"], given["verified"]) == ("Siti", False)


def test_the_rule_of_the_workspace_asks_for_more_than_the_plan(campaign: Campaign, stage: Staged) -> None:
    """Two approvals are needed where the rule says so; a person counts once, however the name is written."""
    rules(stage, "approval: 2")
    plan = queued(campaign, stage, one_post(soon(hours=1)))
    for name in ("Siti Rahayu", " siti  rahayu", "SITI RAHAYU"):
        assert approve(campaign, plan, name=name).code == 0
    assert delivery(campaign)["approved"] is False
    assert approve(campaign, plan, name="Budi").code == 0
    assert delivery(campaign)["approved"] is True


def test_a_rule_that_was_raised_after_queueing_counts(campaign: Campaign, stage: Staged) -> None:
    """What was queued without any approval is not sent once the workspace asks for one."""
    queued(campaign, stage, one_post(soon(seconds=LEAD)), head="")
    rules(stage, "approval: 1")
    assert delivery(campaign)["approved"] is False
    time.sleep(LEAD)
    assert campaign("publish").code == 5
    assert not stage.posts()
    rules(stage, "approval: 0")  # lowered again: only `queue` takes it back
    assert campaign("publish").code == 5
    assert not stage.posts()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ('text: "Upah layak adalah hak!"', "text"),
        ("at: LATER", "due time"),
        ("media: [{file: poster.png, alt: Poster lain}]", "alt text"),
    ],
)
def test_any_change_voids_the_approval_and_is_named(campaign: Campaign, stage: Staged, change: str, said: str) -> None:
    """After a change and a queue, the approval is void, and status, approve and queue say what is another now."""
    from PIL import Image

    Image.new("RGB", (8, 8), "red").save(stage.root / "poster.png")
    post = one_post(soon(hours=1), more="    media: [{file: poster.png, alt: Poster}]\n")
    plan = queued(campaign, stage, post)
    assert approve(campaign, plan).code == 0
    assert delivery(campaign)["approved"] is True
    key, _colon, _rest = change.partition(":")
    change = change.replace("LATER", f'"{soon(hours=2)}"')
    written = plan.read_text().splitlines()
    lines = [f"    {change}" if line.strip().startswith(f"{key}:") else line for line in written]
    plan.write_text("\n".join(lines) + "\n")
    ran = campaign("approve", plan, "--as", "Budi", "--yes")
    assert ran.code == 2  # the ledger still has what was approved
    assert "plan.yaml:7:" in ran.err
    ran = campaign("queue", plan, "--yes")
    assert ran.code == 0, ran.err
    assert said in ran.out
    assert "Siti" in ran.out
    assert delivery(campaign)["approved"] is False
    assert f"changed since: {said}" in campaign("status").out
    assert f"changed since: {said}" in campaign("approve", plan, "--as", "Budi", "--yes").out
    assert f"changed since: {said}" in campaign("approve", plan, "--list").out


def test_approve_asks_where_there_is_nobody_and_stops(campaign: Campaign, stage: Staged) -> None:
    """Without a terminal and without ``--yes`` nothing is approved; without a name neither."""
    plan = queued(campaign, stage, one_post(soon(hours=1)))
    assert campaign("approve", plan, "--as", "Siti").code == 2
    assert campaign("approve", plan, "--yes").code == 2
    assert campaign("approve", plan, "--as", " ", "--yes").code == 2
    assert campaign("approve", plan, "--as", "a\x1b[31mb", "--yes").code == 2
    assert delivery(campaign)["approved"] is False


def test_an_approval_can_be_taken_back(campaign: Campaign, stage: Staged) -> None:
    """``--withdraw`` voids it, says so in the log, and the post does not go out."""
    plan = queued(campaign, stage, one_post(soon(hours=1)))
    approve(campaign, plan)
    ran = campaign("approve", plan, "--as", "siti", "--withdraw")
    assert ran.code == 0, ran.err
    assert delivery(campaign)["approved"] is False
    assert "taken back" in campaign("status").out
    assert "approval void" in campaign("log").out
    assert campaign("approve", plan, "--as", "Budi", "--withdraw").code == 2


def test_a_plan_with_an_error_is_not_called_another_than_the_ledgers(campaign: Campaign, stage: Staged) -> None:
    """The error is what stands in the way; queueing it again, which the difference would ask for, is refused too."""
    plan = queued(campaign, stage, one_post(soon(hours=1)))
    plan.write_text(plan.read_text(encoding="utf-8").replace("Upah layak", "NIK 3201019941010001, upah layak"))
    ran = campaign("approve", plan, "--as", "Siti", "--yes", "--lang", "en")
    assert (ran.code, "error S001" in ran.err) == (2, True)
    assert "The plan has errors; nothing was approved." in ran.err
    assert "differ" not in ran.err


def test_one_post_alone_can_be_approved(campaign: Campaign, stage: Staged) -> None:
    """``--post`` approves that post on all its accounts and nothing else."""
    posts = one_post(soon(hours=1), more="    accounts: [mastodon, papua]\n") + one_post(
        soon(hours=2), "Bawa teman.", name="dua"
    )
    plan = queued(campaign, stage, posts)
    assert approve(campaign, plan, "--post", "pembuka").code == 0
    found = {one["key"]: one["approved"] for one in json.loads(campaign("status", "--json").out)["deliveries"]}
    assert found == {KEY: True, "plan/pembuka/papua": True, "plan/dua/mastodon": False}
    assert campaign("approve", plan, "--post", "tiada", "--as", "Siti", "--yes").code == 2


def test_no_order_sends_what_is_not_approved(campaign: Campaign, stage: Staged) -> None:
    """Neither post, nor retry, nor release now, nor resolve: they wait, and the senders exit 5."""
    rules(stage, "approval: 1")
    ran = campaign("post", "Sidang ditunda.", "--to", "mastodon")
    assert ran.code == 5
    assert "campaign approve langsung --post" in ran.err
    plan = queued(campaign, stage, one_post(soon(seconds=LEAD)), head="")
    assert campaign("cancel", KEY, "--yes").code == 0
    assert campaign("retry", KEY, "--yes").code == 0
    time.sleep(LEAD)
    assert campaign("publish").code == 5
    assert campaign("hold", "--reason", "uji").code == 0
    assert campaign("publish").code == 5
    assert campaign("release", "--late", "now").code == 0
    assert campaign("publish", "--grace", "24h").code == 5
    assert not stage.posts()
    assert plan.exists()


def test_a_message_without_a_plan_is_approved_by_its_campaign(campaign: Campaign, stage: Staged) -> None:
    """``campaign approve langsung`` shows and approves it; then a pass sends it."""
    rules(stage, "approval: 1")
    campaign("post", "Sidang ditunda.", "--to", "mastodon")
    assert campaign("approve", "langsung", "--as", "Siti", "--yes").code == 0
    assert campaign("publish").code == 0
    assert len(stage.posts()) == 1


def test_a_signed_approval_is_verified_when_it_is_given_and_when_it_is_used(
    campaign: Campaign, stage: Staged, ring: Ring
) -> None:
    """With approvers, a bare name is refused; one signature covers a plan, and the posts go out on it."""
    rules(stage, "approval: 1, approvers: approvers")
    ring.name("siti@serikat.example", "siti")
    posts = one_post(soon(seconds=LEAD), more="    accounts: [mastodon, papua]\n")
    plan = queued(campaign, stage, posts, head="")
    assert approve(campaign, plan, name="siti@serikat.example").code == 2
    ran = approve(campaign, plan, "--sign", ring.key("siti"), name="siti@serikat.example")
    assert ran.code == 0, ran.err
    (given,) = delivery(campaign)["approvals"]  # type: ignore[misc]
    assert given["verified"] is True
    time.sleep(LEAD)
    ran = campaign("publish")
    assert ran.code == 0, ran.err
    assert len(stage.posts()) == 2


@pytest.mark.parametrize("way", ["key gone", "expired", "file gone", "file outside", "no tool"])
def test_a_signature_that_no_longer_verifies_stops_the_post(
    campaign: Campaign, stage: Staged, ring: Ring, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever became of the approver's key, the approval is void from then on, and nothing is sent."""
    rules(stage, "approval: 1, approvers: approvers")
    ring.name("siti", "siti")
    plan = queued(campaign, stage, one_post(soon(seconds=LEAD)), head="")
    assert approve(campaign, plan, "--sign", ring.key("siti"), name="siti").code == 0
    assert delivery(campaign)["approved"] is True
    if way == "key gone":
        ring.lines.clear()
        ring.name("siti", "lain")
    elif way == "expired":
        ring.lines.clear()
        ring.name("siti", "siti", options=f'valid-before="{datetime.now(UTC) - timedelta(days=2):%Y%m%d}"')
    elif way == "file gone":
        (stage.root / "approvers").unlink()
    elif way == "file outside":
        (stage.root / "approvers").rename(stage.root.parent / f"{stage.root.name}-approvers")
        (stage.root / "approvers").symlink_to(stage.root.parent / f"{stage.root.name}-approvers")
    else:
        monkeypatch.setattr("shutil.which", lambda _name: None)
    time.sleep(LEAD)
    ran = campaign("publish")
    assert ran.code == 5, ran.err
    assert "not approved" in ran.err
    assert not stage.posts()
    assert delivery(campaign)["approved"] is False
    assert "approval void" in campaign("log").out
    monkeypatch.undo()
    ring.lines.clear()
    ring.name("siti", "siti")
    assert campaign("publish", "--workspace", stage.root).code == 5  # mending the file brings nothing back
    assert not stage.posts()


def test_an_embargo_waits_for_the_clock_of_the_network(campaign: Campaign, stage: Staged) -> None:
    """While the network's Date is behind the end, nothing leaves, not even a picture; each pass exits 5."""
    from PIL import Image

    Image.new("RGB", (8, 8), "red").save(stage.root / "poster.png")
    at = soon(seconds=LEAD)
    more = f'    embargo_until: "{at}"\n    media: [{{file: poster.png, alt: Poster}}]\n'
    queued(campaign, stage, one_post(at, more=more), head="")
    stage.misbehave("mastodon:wrong-date:seconds=600")
    time.sleep(LEAD)
    ran = campaign("publish", "--grace", "24h")
    assert ran.code == 5, ran.err
    assert "by the clock of its destination" in ran.err
    asked = {label for (account, label), _count in stage.server.state.requests.items() if account == "mastodon"}
    assert all("media" not in label for label in asked)
    assert not stage.posts()
    stage.server.app.faults.orders.clear()
    ran = campaign("publish")
    assert ran.code == 5  # its next try is ten minutes away, and it is due
    assert "by the clock of its destination" in ran.err
    assert not stage.posts()
    assert delivery(campaign)["embargo"]


def test_a_network_that_tells_no_time_gets_nothing_under_embargo(campaign: Campaign, stage: Staged) -> None:
    """Without a Date nobody can say that the embargo is over."""
    at = soon(seconds=LEAD)
    queued(campaign, stage, one_post(at, more=f'    embargo_until: "{at}"\n'), head="")
    stage.misbehave("mastodon:no-date")
    time.sleep(LEAD)
    assert campaign("publish").code == 5
    assert not stage.posts()


def test_a_post_before_its_embargo_is_an_error_to_check_and_to_queue(campaign: Campaign, stage: Staged) -> None:
    """The plan's or the post's, whichever is later; told at the post's time."""
    head = f'embargo_until: "{soon(hours=1)}"\n'
    plan = stage.plan(one_post(soon(minutes=30)) + one_post(soon(hours=2), "Lain.", name="dua"), head=head)
    for command in (("check", plan), ("queue", plan, "--yes")):
        ran = campaign(*command)
        assert ran.code == 2
        assert (ran.out + ran.err).count("T014") == 1
    later = one_post(soon(hours=2), more=f'    embargo_until: "{soon(hours=3)}"\n')
    assert "T014" in campaign("check", stage.plan(later, head=head)).out
    assert "T014" in campaign("check", "--explain", "T014").out


def test_a_rehearsal_needs_no_approval_and_keeps_embargoes(campaign: Campaign, stage: Staged) -> None:
    """On the stage everybody has approved, and the stage's clock is the network's."""
    rules(stage, "approval: 2, approvers: approvers, other_approver: true")
    plan = stage.plan(one_post(soon(hours=2), more=f'    embargo_until: "{soon(hours=1)}"\n'))
    ran = campaign("rehearse", plan)
    assert ran.code == 0, ran.out + ran.err


def test_preview_and_queue_say_what_is_asked_for(campaign: Campaign, stage: Staged) -> None:
    """How many approvals it needs, and until when it is under embargo."""
    more = f'    embargo_until: "{soon(hours=1)}"\n'
    plan = stage.plan(one_post(soon(hours=2), more=more), head="approval: 2\n")
    shown = campaign("preview", plan).out
    assert "needs 2 approvals; under embargo until" in shown
    assert "needs 2 approvals; under embargo until" in campaign("queue", plan, "--yes").out
    assert "0 of 2 approvals" in campaign("preview", plan, "--queued").out
    (post,) = json.loads(campaign("preview", plan, "--json").out)["posts"]
    assert (post["approvals_needed"], bool(post["embargo"])) == (2, True)


def test_an_order_that_voids_an_approval_says_so(campaign: Campaign, stage: Staged) -> None:
    """After `retry` it must be approved again, and the person who ordered it is told."""
    plan = queued(campaign, stage, one_post(soon(hours=1)))
    approve(campaign, plan)
    campaign("cancel", KEY, "--yes")
    ran = campaign("retry", KEY, "--yes")
    assert "must be approved again" in ran.err
    assert delivery(campaign)["approved"] is False


def test_two_people_approve_what_was_queued_before_its_author_mattered(campaign: Campaign, stage: Staged) -> None:
    """As ``status`` says of it: it names no author, so one person could be that; queueing it anew asks for the name."""
    plan = queued(campaign, stage, one_post(soon(hours=1)))
    rules(stage, "approval: 1, other_approver: true")
    assert "two people must approve it" in campaign("status", "--lang", "en").out
    shown = json.loads(campaign("preview", plan, "--queued", "--json").out)
    assert [entry["approvals_needed"] for entry in shown["posts"]] == [2]
    assert approve(campaign, plan, name="Siti").code == 0
    crisis = campaign("crisis", "start", "--reason", "uji", "--lang", "en").out
    assert ("1 of 2 approvals" in crisis, "approved by" in crisis) == (True, False)
    (held,) = json.loads(campaign("crisis", "show", "--json").out)["held"]
    assert (held["approved"], held["approvals_needed"]) == (False, 2)
    assert campaign("crisis", "end", "--all", "keep").code == 0
    for name, enough in (("Siti", False), ("Budi", True)):
        ran = approve(campaign, plan, name=name)
        assert ran.code == 0, ran.err
        assert delivery(campaign)["approved"] is enough
    assert "two people" not in campaign("status", "--lang", "en").out
    plan.write_text(plan.read_text(encoding="utf-8").replace("Upah layak", "Kerja layak"))
    assert "P092" in campaign("queue", plan, "--yes").err
    assert "nothing was approved" in campaign("approve", "nihil.yaml", "--as", "Siti", "--lang", "en").err


def test_the_author_and_the_other(campaign: Campaign, stage: Staged, ring: Ring) -> None:
    """With other_approver the plan's author is refused, by name and by key, and somebody else is not."""
    rules(stage, "approval: 1, approvers: approvers, other_approver: true")
    ring.name("budi", "budi")
    ring.name("alias", "budi")
    ring.name("siti", "siti")
    assert "P092" in campaign("queue", stage.plan(one_post(soon(hours=1))), "--yes").err
    plan = queued(campaign, stage, one_post(soon(hours=1)), head="author: Budi\n")
    assert approve(campaign, plan, "--sign", ring.key("budi"), name="budi").code == 2
    assert approve(campaign, plan, "--sign", ring.key("budi"), name="alias").code == 2
    assert delivery(campaign)["approved"] is False
    assert approve(campaign, plan, "--sign", ring.key("siti"), name="siti").code == 0
    assert delivery(campaign)["approved"] is True


def test_the_authors_rule_that_is_switched_on_later_counts_and_is_told(campaign: Campaign, stage: Staged) -> None:
    """What was approved by one person, who may have written it, waits; queued again with its author, it goes."""
    at = soon(seconds=LEAD)
    plan = queued(campaign, stage, one_post(at))
    approve(campaign, plan)
    assert "other_approver" not in campaign("status").out
    rules(stage, "other_approver: true")
    assert delivery(campaign)["approved"] is False
    told = " ".join(campaign("status").out.split())
    assert "names no author, so two people must approve it" in told
    time.sleep(LEAD)
    assert campaign("publish").code == 5
    assert not stage.posts()
    plan = queued(campaign, stage, one_post(at), head="approval: 1\nauthor: Budi\n")
    assert "other_approver" not in campaign("status").out
    assert campaign("publish").code == 0
    assert len(stage.posts()) == 1


def test_approve_reads_as_json(campaign: Campaign, stage: Staged) -> None:
    """``--json`` gives one document with every approval that there ever was."""
    plan = queued(campaign, stage, one_post(soon(hours=1)))
    (found,) = json.loads(approve(campaign, plan, "--json").out)["deliveries"]
    (one,) = found["history"]
    assert (one["name"], one["counts"], one["verified"], one["hash"]) == ("Siti", True, False, found["hash"])


def test_other_bytes_of_a_picture_void_the_approval(campaign: Campaign, stage: Staged) -> None:
    """The same name, the same alt text, another picture: it is not what was approved; the old one again is."""
    from PIL import Image

    picture = stage.root / "poster.png"
    Image.new("RGB", (8, 8), "red").save(picture)
    old = picture.read_bytes()
    plan = queued(campaign, stage, one_post(soon(hours=1), more="    media: [{file: poster.png, alt: Poster}]\n"))
    approve(campaign, plan)
    Image.new("RGB", (8, 8), "blue").save(picture)
    assert campaign("approve", plan, "--as", "Budi", "--yes").code == 2
    assert "voids the approval of Siti (picture)" in campaign("queue", plan, "--yes").out
    assert delivery(campaign)["approved"] is False
    picture.write_bytes(old)
    assert campaign("queue", plan, "--yes").code == 0
    assert delivery(campaign)["approved"] is True


def test_the_log_tells_who_approved_what(campaign: Campaign, stage: Staged, ring: Ring) -> None:
    """Name, key and content of each approval stand in the log, in words."""
    rules(stage, "approval: 1, approvers: approvers")
    ring.name("siti", "siti")
    plan = queued(campaign, stage, one_post(soon(hours=1)), head="")
    approve(campaign, plan, "--sign", ring.key("siti"), name="siti")
    campaign("approve", plan, "--as", "siti", "--withdraw")
    lines = campaign("log").out
    assert "signed with SHA256:" in lines
    assert str(delivery(campaign)["hash"]) in lines
    assert "siti, withdrawn" in lines
    assert campaign("log", "--verify").code == 0
    assert campaign("ledger", "check").code == 0
