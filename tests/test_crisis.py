"""A crisis stops everything but what is approved of its statement, and ends with a decision on each held post."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import Campaign
from ledger_helpers import START, Bench, make, tamper
from sqlalchemy import insert
from staged import Staged, soon

from campaign_cli.errors import Held, InputError
from campaign_cli.ledger.schema import approvals
from campaign_cli.models import State


def approve(bench: Bench, key: str, *, content_hash: str | None = None, signature: str | None = None) -> None:
    """An approval of what is queued, as the database has it."""
    delivery = bench.ledger.delivery(key)
    assert delivery is not None
    row = {
        "delivery": key,
        "content_hash": content_hash or delivery.content_hash,
        "name": "ketua",
        "person": "ketua",
        "at": 0,
        "statement": "{}",
        "signature": signature,
    }
    with bench.ledger.writing() as connection:
        connection.execute(insert(approvals).values(row))


def test_only_the_approved_statement_goes_out(tmp_path: Path) -> None:
    """Other campaigns are held, and so is the statement until exactly its content is approved."""
    bench = Bench(tmp_path)
    bench.queue(make("lama/p/a"))
    crisis = bench.ledger.start_crisis(statement="pernyataan", reason="kecelakaan", actor="siti")
    bench.queue(make("pernyataan/p/a"), make("baru/p/a"))
    assert bench.claim().claims == ()
    assert [one.key for one in bench.ledger.held_back(crisis)] == ["baru/p/a", "lama/p/a", "pernyataan/p/a"]
    approve(bench, "pernyataan/p/a", content_hash="other")
    assert bench.claim().claims == ()
    approve(bench, "pernyataan/p/a")
    assert bench.claim_one().key == "pernyataan/p/a"
    bench.ledger.release([crisis.id], actor="siti")
    assert {claim.key for claim in bench.claim().claims} == {"lama/p/a", "baru/p/a"}


def test_where_signatures_count_a_name_alone_lets_nothing_through(tmp_path: Path) -> None:
    """A statement that needs signatures is held until one is there."""
    bench = Bench(tmp_path)
    bench.queue(make("pernyataan/p/a"))
    tamper(bench, "UPDATE deliveries SET signed = true")
    bench.ledger.start_crisis(statement="pernyataan", reason="kecelakaan", actor="siti")
    approve(bench, "pernyataan/p/a")
    assert bench.claim().claims == ()
    approve(bench, "pernyataan/p/a", signature="SSHSIG")
    assert bench.claim_one().key == "pernyataan/p/a"


def test_a_crisis_stops_what_was_claimed_before_it_left(tmp_path: Path) -> None:
    """The gate before each creating request sees it."""
    bench = Bench(tmp_path)
    bench.queue(make())
    claim = bench.claim_one()
    bench.ledger.start_crisis(statement=None, reason="kecelakaan", actor="siti")
    with pytest.raises(Held):
        bench.ledger.check_gate(claim.key, claim.token)


def test_one_crisis_at_a_time(tmp_path: Path) -> None:
    """A second one is refused, and so is another statement; one that had none gets one without an end in between."""
    bench = Bench(tmp_path)
    bench.queue(make())
    assert bench.ledger.crisis() is None
    crisis = bench.ledger.start_crisis(statement=None, reason="satu", actor="siti")
    assert bench.ledger.crisis() == crisis
    with pytest.raises(InputError, match="already"):
        bench.ledger.start_crisis(statement=None, reason="dua", actor="siti")
    named = bench.ledger.start_crisis(statement="pernyataan", reason="dua", actor="budi")
    assert (named.id, named.except_campaign, named.opened_at) == (crisis.id, "pernyataan", crisis.opened_at)
    assert bench.ledger.crisis() == named
    for statement in (None, "lain", "pernyataan"):
        with pytest.raises(InputError, match="already"):
            bench.ledger.start_crisis(statement=statement, reason="tiga", actor="siti")
    last = bench.ledger.events(kind="held")[-1]
    assert (last.actor, last.data["except_campaign"], last.data["reason"]) == ("budi", "pernyataan", "dua")
    assert bench.claim().claims == ()
    bench.ledger.release([crisis.id], actor="siti")
    assert bench.ledger.crisis() is None
    bench.ledger.start_crisis(statement=None, reason="tiga", actor="siti")


def test_it_starts_shows_and_ends(campaign: Campaign, stage: Staged) -> None:
    """Start holds and lists, release can't end it, end decides on each held post; the log has it all."""
    posts = "".join(
        f'  - id: {name}\n    at: "{soon(hours=hours)}"\n    text: "{name} teks"\n'
        for name, hours in (("satu", 1), ("dua", 2))
    )
    assert campaign("queue", stage.plan(posts), "--yes").code == 0
    statement = stage.plan(f'  - id: p\n    at: "{soon(hours=3)}"\n    text: "Duka."\n', name="pernyataan.yaml")
    ran = campaign("crisis", "start", "--statement", statement, "--reason", "kecelakaan", "--lang", "en")
    assert ran.code == 0, ran.err
    assert "2 deliveries are held." in ran.out
    assert "Nothing went out lately." in ran.out
    assert f"campaign approve {statement} --as NAME" in ran.out
    shown = json.loads(campaign("crisis", "show", "--json").out)
    assert shown["crisis"]["statement"] == "pernyataan"
    assert [one["key"] for one in shown["held"]] == ["plan/satu/mastodon", "plan/dua/mastodon"]
    assert shown["sent"] == []
    released = campaign("release", "--lang", "en")
    assert (released.code, "campaign crisis end" in released.err) == (2, True)
    again = campaign("crisis", "start", "--reason", "lagi", "--lang", "en")
    assert (again.code, "already" in again.err, "no statement" in again.err) == (2, True, False)
    nobody = campaign("crisis", "end", "--lang", "en")
    assert (nobody.code, "--all keep" in nobody.err) == (2, True)
    assert campaign("crisis", "end", "--all", "besok").code == 2
    assert json.loads(campaign("crisis", "show", "--json").out)["crisis"] is not None
    ended = campaign("crisis", "end", "--all", "skip")
    assert ended.code == 0, ended.err
    states = {one["key"]: one["state"] for one in json.loads(campaign("status", "--json").out)["deliveries"]}
    assert states == {"plan/satu/mastodon": "cancelled", "plan/dua/mastodon": "cancelled"}
    assert json.loads(campaign("crisis", "show", "--json").out) == {"crisis": None}
    kinds = [event["kind"] for event in json.loads(campaign("log", "--json").out)["events"]]
    assert kinds.count("held") == kinds.count("released") == 1


def test_a_kept_post_stays_and_a_shifted_one_moves(campaign: Campaign, stage: Staged) -> None:
    """Keep leaves the due instant; a shift counts from it."""
    plan = stage.plan(f'  - id: satu\n    at: "{soon(hours=1)}"\n    text: "satu"\n')
    assert campaign("queue", plan, "--yes").code == 0
    (before,) = json.loads(campaign("status", "--json").out)["deliveries"]
    assert campaign("crisis", "start", "--reason", "uji").code == 0
    assert campaign("crisis", "end", "--all", "keep").code == 0
    (kept,) = json.loads(campaign("status", "--json").out)["deliveries"]
    assert (kept["state"], kept["due"], kept["held"]) == ("waiting", before["due"], False)
    assert campaign("crisis", "start", "--reason", "uji").code == 0
    assert campaign("crisis", "end", "--all", "+1d").code == 0
    (moved,) = json.loads(campaign("status", "--json").out)["deliveries"]
    assert moved["due"][:10] > before["due"][:10]


def test_whose_approval_the_end_voids_is_told(campaign: Campaign, stage: Staged) -> None:
    """Another time is other content: what was approved before the crisis waits for its approval again."""
    plan = stage.plan(f'  - id: satu\n    at: "{soon(hours=1)}"\n    text: "satu"\n', head="approval: 1\n")
    assert campaign("queue", plan, "--yes").code == 0
    assert campaign("approve", plan, "--as", "Siti", "--yes").code == 0
    for answer, told in (("keep", False), ("+1d", True)):
        assert campaign("crisis", "start", "--reason", "uji").code == 0
        ended = campaign("crisis", "end", "--all", answer, "--lang", "en")
        says = "warning: plan/satu/mastodon has another time now and must be approved again: campaign approve PLAN"
        assert (ended.code, says in ended.err) == (0, told)


def test_a_crisis_without_a_statement_says_how_it_gets_one(campaign: Campaign, stage: Staged) -> None:
    """Where a second one is refused."""
    plan = stage.plan(f'  - id: satu\n    at: "{soon(hours=1)}"\n    text: "satu"\n')
    assert campaign("queue", plan, "--yes").code == 0
    assert campaign("crisis", "start", "--reason", "uji").code == 0
    again = campaign("crisis", "start", "--reason", "lagi", "--lang", "en")
    assert (again.code, "campaign crisis start --statement PLAN --reason" in again.err) == (2, True)


def test_a_broken_statement_holds_nothing_and_says_what_does(campaign: Campaign, stage: Staged) -> None:
    """The plan's problems are shown, nothing is half done, and the fix stops everything."""
    bad = stage.root / "rusak.yaml"
    bad.write_text("campaign: rusak\nposts: [")
    ran = campaign("crisis", "start", "--statement", bad, "--reason", "uji", "--lang", "en")
    assert ran.code == 2
    assert "rusak.yaml" in ran.err
    assert "without --statement" in ran.err
    assert campaign("crisis", "end", "--lang", "en").code == 2
    assert campaign("status", "--lang", "en").out.strip() == "Nothing is queued here."


def test_a_late_post_is_asked_about_by_itself(tmp_path: Path) -> None:
    """What fell due under the crisis is late after it; what waits still is not."""
    bench = Bench(tmp_path)
    bench.queue(make("c/p/a"), make("c/q/a", due=START + timedelta(hours=9)))
    crisis = bench.ledger.start_crisis(statement=None, reason="uji", actor="siti")
    bench.clock.forward(hours=2)
    assert bench.claim().missed == ()
    assert [one.key for one in bench.ledger.late_after_release([crisis.id])] == ["c/p/a"]
    bench.ledger.release([crisis.id], actor="siti", late={"c/p/a": "now", "c/q/a": timedelta(days=1)})
    assert bench.claim_one().key == "c/p/a"
    moved = bench.ledger.delivery("c/q/a")
    assert moved is not None
    assert moved.due == START + timedelta(hours=33)
    assert bench.state("c/q/a") is State.WAITING
