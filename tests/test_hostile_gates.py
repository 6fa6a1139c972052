"""Approvals, crises and the papers about them, against colleagues who look for the way round."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from care_helpers import asks, restore
from conftest import Campaign
from dispatch_helpers import FakePlatform, Table
from ledger_helpers import START, Bench, make, tamper
from signing_helpers import Ring
from sqlalchemy import insert
from staged import Staged, soon
from test_approvals import asking, change, say_yes
from test_cli_approve import LEAD, approve, delivery, one_post, queued, rules

from campaign_cli.dispatch.publish import publish_pass
from campaign_cli.errors import InputError
from campaign_cli.ledger import NewDelivery
from campaign_cli.ledger.approved import statement
from campaign_cli.ledger.backup import back_up
from campaign_cli.ledger.invariants import approved as sound_approvals
from campaign_cli.ledger.schema import approvals
from campaign_cli.ledger.store import Ledger
from campaign_cli.models import Draft, Picture, Receipt, State
from campaign_cli.platforms.base import Sending
from campaign_cli.signatures import checked_name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a\x1b[31mb",
        "x" * 10_000,
        "\u202eitiS",
        "\u3164",
        "Siti\u3164",
        "Siti\u034f",
        "Siti\ufe0f",
        "\u2800",
        "\u0405iti",
    ],
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


def test_ending_a_hold_twice_decides_once(tmp_path: Path) -> None:
    """Two people end the same crisis at once: the second finds it over, and its answer shifts nothing once more."""
    bench = Bench(tmp_path)
    bench.queue(make("a/p/x"))
    due = bench.ledger.delivery("a/p/x").due  # type: ignore[union-attr]
    crisis = bench.ledger.start_crisis(statement=None, reason="r", actor="siti")
    answer = {"a/p/x": timedelta(days=1)}
    assert len(bench.ledger.release([crisis.id], actor="siti", late=answer)) == 1
    assert bench.ledger.release([crisis.id], actor="budi", late=answer) == []
    assert bench.ledger.delivery("a/p/x").due - due == timedelta(days=1)  # type: ignore[union-attr]


def test_what_is_queued_during_the_review_is_not_released_unseen(tmp_path: Path) -> None:
    """The crisis stays on until somebody has decided on that, too."""
    bench = Bench(tmp_path)
    bench.queue(make("a/p/x"))
    crisis = bench.ledger.start_crisis(statement=None, reason="r", actor="siti")
    seen = [one.key for one in bench.ledger.held_back(crisis)]
    bench.queue(make("b/p/x"))
    with pytest.raises(InputError, match="b/p/x"):
        bench.ledger.release([crisis.id], actor="siti", late={}, reviewed=seen)
    assert bench.claim().claims == ()
    bench.ledger.release([crisis.id], actor="siti", late={}, reviewed=[*seen, "b/p/x"])
    assert len(bench.claim().claims) == 2


@pytest.mark.parametrize("wrong", ["Thu, 01 Jan 1970 00:00:00 GMT", "Mon, 01 Jan 0001 00:00:00 GMT"])
def test_one_wrong_answer_holds_no_post_for_years(tmp_path: Path, wrong: str) -> None:
    """A destination whose clock was reset is asked again within the hour, and the post goes out, late as it is."""
    table = Table(tmp_path)
    key = table.queue("a", embargo=timedelta(0))
    right = table.remote.dated
    table.remote.dated = lambda: {"date": wrong}  # type: ignore[method-assign]
    asyncio.run(publish_pass(table.dispatcher()))
    table.remote.dated = right  # type: ignore[method-assign]
    assert table.state(key) == "waiting"
    asyncio.run(publish_pass(table.dispatcher(), until=table.clock.now() + timedelta(hours=2)))
    assert table.state(key) == "published"
    table.ledger.close()


def embargoed(until: datetime) -> NewDelivery:
    """A delivery that is due when its embargo ends."""
    new = make("c/p/x", due=until)
    draft = Draft.from_json(new.draft_json)
    return replace(new, embargo=until, content_hash=draft.content_hash(until, embargo=until))


@pytest.mark.sqlite
def test_a_restore_ends_no_embargo_sooner_and_brings_nothing_back(tmp_path: Path) -> None:
    """The embargo was moved and a post taken down since the backup: the campaign is held, and down stays down."""
    bench, hour = Bench(tmp_path), timedelta(hours=1)
    bench.queue(embargoed(START + hour), make("b/p/x"))
    bench.publish(bench.claim_one())
    file = back_up(bench.ledger).path
    bench.clock.forward(minutes=1)
    change(bench, embargoed(START + 3 * hour))
    (out,) = bench.ledger.delivery("b/p/x").receipts  # type: ignore[union-attr]
    bench.ledger.withdrawn("b/p/x", out, by_hand=False, actor="siti")
    restore(bench.root, bench.clock, file, asks=asks)
    bench.ledger.close()
    bench.ledger = bench.open()
    assert [one.campaign for one in bench.ledger.holds()] == ["c"]
    bench.clock.at = START + 2 * hour
    assert bench.claim().claims == ()
    (receipt,) = bench.ledger.delivery("b/p/x").receipts  # type: ignore[union-attr]
    assert receipt.withdrawn_at is not None


@pytest.mark.sqlite
def test_an_approval_that_was_written_into_the_database_is_found(tmp_path: Path) -> None:
    """A row that fits its content in every way, but that the log knows nothing of."""
    bench = Bench(tmp_path)
    bench.queue(asking(), asking("c/q/a"))
    say_yes(bench, "Siti")
    other = bench.ledger.deliveries(keys=["c/q/a"], with_drafts=True)[0]
    shown = statement(other.draft_json, due=other.due, embargo=None, signed=None)
    row = {"delivery": other.key, "content_hash": other.content_hash, "name": "Siti", "person": "siti", "at": 0}
    with bench.ledger.writing() as connection:
        connection.execute(insert(approvals).values({**row, "statement": shown}))
    with bench.ledger.reading() as connection:
        (finding,) = sound_approvals(connection)
    assert finding.key == "c/q/a"


def test_two_people_end_a_crisis_at_once(campaign: Campaign, stage: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second hears that it was over already, and that nothing of what was answered counts."""
    queued(campaign, stage, one_post(soon(hours=1)), head="")
    assert campaign("crisis", "start", "--reason", "r").code == 0
    release = Ledger.release

    def overtaken(self: Ledger, ids: list[int], **more: object) -> object:
        release(self, ids, actor="other", late={})
        return release(self, ids, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Ledger, "release", overtaken)
    ran = campaign("crisis", "end", "--all", "+1d")
    assert (ran.code, "Somebody else has ended the crisis" in ran.err) == (2, True)


def test_who_writes_a_message_does_not_approve_it_alone(campaign: Campaign, stage: Staged, tmp_path: Path) -> None:
    """Where signatures count, the name of a user of the machine is nobody's there: the author must be said."""
    ring = Ring(tmp_path.parent / f"{tmp_path.name}-keys", tmp_path)
    ring.name("siti@serikat.example", "siti")
    ring.name("budi@serikat.example", "budi")
    rules(stage, "approval: 1, approvers: approvers, other_approver: true")
    words = ("post", "Sidang ditunda.", "--to", "mastodon")
    ran = campaign(*words)
    assert (ran.code, "--as NAME" in ran.err) == (2, True)
    assert campaign(*words, "--as", "siti@serikat.example").code == 5
    mine = campaign("approve", "langsung", "--as", "siti@serikat.example", "--sign", ring.key("siti"), "--yes")
    assert (mine.code, "author" in mine.err) == (2, True)
    other = campaign("approve", "langsung", "--as", "budi@serikat.example", "--sign", ring.key("budi"), "--yes")
    assert other.code == 0, other.err
    assert campaign("publish").code == 0
    assert len(stage.posts()) == 1


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "change", ["UPDATE drafts SET draft = replace(draft, 'Pos', 'Lain')", "UPDATE deliveries SET due = due - 1"]
)
def test_what_was_changed_past_the_program_is_not_what_was_approved(tmp_path: Path, change: str) -> None:
    """Words or time under an approved hash: nothing goes out, and a person is told."""
    bench = Bench(tmp_path)
    bench.queue(asking())
    say_yes(bench, "Siti")
    tamper(bench, change)
    assert bench.claim().claims == ()
    found = bench.ledger.delivery("c/p/a")
    assert found is not None
    assert (found.state, "not what was approved" in found.error) == (State.FAILED, True)


def test_bytes_that_are_not_what_was_promised_do_not_leave(tmp_path: Path) -> None:
    """Under an embargo, as with a signature, a picture is looked at once more before it goes."""

    class Loading(FakePlatform):
        async def publish(self, sending: Sending) -> Receipt:
            await sending.load(sending.content.media[0])
            return await super().publish(sending)

    table = Table(tmp_path)
    table.platform = Loading()
    picture = Picture(sha256="a" * 64, name="aksi.png", mime="image/png", size=3, width=1, height=1, alt="Massa")
    key = table.queue("a", media={picture: b"png"}, embargo=timedelta(0))
    asyncio.run(publish_pass(table.dispatcher()))
    assert (table.state(key), table.remote.texts()) == ("failed", [])
    table.ledger.close()
