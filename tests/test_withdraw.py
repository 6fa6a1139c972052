"""Taking down what is out: intent first, each part once, and nothing that answers to what is gone."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from conftest import Campaign
from ledger_helpers import Bench, make
from staged import Staged, soon

from campaign_cli.errors import InputError
from campaign_cli.ledger.withdrawing import still_out
from campaign_cli.models import State
from campaign_cli.stage.faults import Misbehaviour

LEAD = 3
EVERYWHERE = "    accounts: [mastodon, bluesky, web, papua]\n"


def published(campaign: Campaign, stage: Staged, more: str = "") -> None:
    """One post that is out."""
    plan = stage.plan(f'  - id: pembuka\n    at: "{soon(seconds=LEAD)}"\n    text: "Upah layak."\n{more}')
    assert campaign("queue", plan, "--yes").code == 0
    time.sleep(LEAD)
    assert campaign("publish").code == 0


def test_a_published_post_is_deleted_on_every_network(campaign: Campaign, stage: Staged) -> None:
    """Each network deletes; the log says who and why, status says when, and a second time is refused."""
    published(campaign, stage, EVERYWHERE)
    keys = [f"plan/pembuka/{name}" for name in ("mastodon", "bluesky", "web", "papua")]
    ran = campaign("withdraw", *keys, "--reason", "salah angka", "--yes", "--json")
    assert ran.code == 0, ran.err
    assert [one["withdrawn"] for one in json.loads(ran.out)["withdrawn"]] == [True] * 4
    assert stage.posts() == []
    shown = json.loads(campaign("status", "--json").out)["deliveries"]
    assert all(one["state"] == "published" and one["receipts"][0]["withdrawn_at"] for one in shown)
    log = json.loads(campaign("log", "--json", "--key", keys[0]).out)["events"]
    assert [event["kind"] for event in log][-2:] == ["withdrawing", "withdrawn"]
    assert log[-2]["data"] == {"reason": "salah angka"}
    assert campaign("log", "--verify").code == 0
    again = campaign("withdraw", keys[0], "--yes", "--lang", "en")
    assert (again.code, "Nothing of plan/pembuka/mastodon is out." in again.err) == (2, True)


def test_retry_says_what_it_passes_over(campaign: Campaign, stage: Staged) -> None:
    """What was taken down is named, with the way out; the rest of the campaign is queued again."""
    published(campaign, stage, EVERYWHERE)
    key = "plan/pembuka/mastodon"
    assert campaign("withdraw", key, "--yes").code == 0
    ran = campaign("retry", "--campaign", "plan", "--yes", "--lang", "en")
    assert ran.code == 0
    assert f"warning: 1 delivery was taken down, or is to be, and is not queued again: {key}" in ran.err
    assert "To say it again, give the post another id in the plan, and queue the plan." in ran.err
    one = campaign("retry", key, "--yes", "--lang", "en")
    assert (one.code, f"{key} was taken down, or is to be." in one.err) == (2, True)
    assert "taken down" not in campaign("retry", "plan/pembuka/web", "--yes", "--lang", "en").err


def test_a_network_that_refuses_leaves_the_post_and_says_so(campaign: Campaign, stage: Staged) -> None:
    """An answer that never came or a refusal is no withdrawal; doing it again, or by hand, ends it."""
    published(campaign, stage)
    stage.server.misbehave([Misbehaviour(kind="answer", status=503, requests="changing", times=1)])
    key = "plan/pembuka/mastodon"
    ran = campaign("withdraw", key, "--yes", "--lang", "en")
    assert ran.code == 4
    assert "✗ plan/pembuka/mastodon" in ran.err
    assert len(stage.posts()) == 1
    assert json.loads(campaign("status", "--json").out)["deliveries"][0]["receipts"][0]["withdrawn_at"] is None
    still = campaign("withdraw", key, "--by-hand", "--yes")  # a person's word, while the network says otherwise
    assert (still.code, stage.posts()[0].path in still.err) == (1, True)
    assert f"let the program do it: campaign withdraw {key}" in still.err
    assert json.loads(campaign("status", "--json").out)["deliveries"][0]["receipts"][0]["withdrawn_at"] is None
    stage.posts()[0].status = "deleted"
    assert campaign("withdraw", key, "--by-hand", "--yes").code == 0
    log = json.loads(campaign("log", "--json", "--key", key).out)["events"]
    assert log[-1]["data"]["by_hand"] is True


def test_nobody_is_asked_without_a_terminal(campaign: Campaign, stage: Staged) -> None:
    """Without --yes and without a terminal nothing is deleted; an unknown key is told with the nearest one."""
    published(campaign, stage)
    ran = campaign("withdraw", "plan/pembuka/mastodon", "--lang", "en")
    assert (ran.code, len(stage.posts())) == (2, 1)
    ran = campaign("withdraw", "plan/pembuka/mastodn", "--yes", "--lang", "en")
    assert ran.code == 2
    assert "plan/pembuka/mastodon" in ran.err
    assert len(stage.posts()) == 1


def test_a_secret_that_is_refused_ends_with_three(campaign: Campaign, stage: Staged) -> None:
    """The token was changed meanwhile: exit 3, the post stays, and no secret is shown."""
    published(campaign, stage)
    environment = stage.root / ".env"
    environment.write_text(environment.read_text().replace("rahasia-mastodon-9f2c", "salah-sekali-1234"))
    ran = campaign("withdraw", "plan/pembuka/mastodon", "--yes")
    assert (ran.code, len(stage.posts())) == (3, 1)
    assert "salah-sekali-1234" not in ran.out + ran.err


def test_a_thread_goes_from_its_end(tmp_path: Path) -> None:
    """The last part is taken down first; a part that is gone is not named again, and its instant stays."""
    bench = Bench(tmp_path)
    bench.queue(make(parts=["satu", "dua"]))
    claim = bench.claim_one()
    bench.ledger.keep_receipt(claim, bench.receipt("r0"))
    bench.ledger.begin_part(claim, 1, lease=claim.lease_until - bench.clock())
    bench.publish(claim, part=1, remote_id="r1")
    delivery = bench.ledger.begin_withdrawal("c/p/a", reason="", actor="siti")
    assert [receipt.id for receipt in still_out(delivery)] == ["r1", "r0"]
    bench.ledger.withdrawn("c/p/a", still_out(delivery)[0], by_hand=False, actor="siti")
    first = bench.clock()
    bench.clock.forward(minutes=1)
    bench.ledger.withdrawn("c/p/a", still_out(delivery)[0], by_hand=False, actor="siti")
    left = bench.ledger.delivery("c/p/a")
    assert left is not None
    assert [receipt.withdrawn_at for receipt in left.receipts] == [None, first]
    assert [event.kind for event in bench.ledger.events(key="c/p/a")][-2:] == ["withdrawing", "withdrawn"]


def test_what_is_not_over_is_not_taken_down(tmp_path: Path) -> None:
    """Waiting, sending and uncertain are refused, each with its way out."""
    bench = Bench(tmp_path)
    bench.queue(make())
    with pytest.raises(InputError, match="not over") as refused:
        bench.ledger.begin_withdrawal("c/p/a", reason="", actor="siti")
    assert "campaign cancel c/p/a" in refused.value.fix
    claim = bench.claim_one()
    with pytest.raises(InputError) as refused:
        bench.ledger.begin_withdrawal("c/p/a", reason="", actor="siti")
    assert "hold" in refused.value.fix
    bench.settle(claim, State.UNCERTAIN, error="reset", next_try=bench.clock())
    with pytest.raises(InputError) as refused:
        bench.ledger.begin_withdrawal("c/p/a", reason="", actor="siti")
    assert "resolve" in refused.value.fix
    assert "withdrawing" not in [event.kind for event in bench.ledger.events(key="c/p/a")]


def test_the_rest_of_a_thread_never_answers_to_a_post_that_is_gone(tmp_path: Path) -> None:
    """A thread failed after its first part, which was taken down: retry leaves it alone."""
    bench = Bench(tmp_path)
    bench.queue(make(parts=["satu", "dua"]))
    claim = bench.claim_one()
    bench.ledger.keep_receipt(claim, bench.receipt("r0"))
    bench.settle(claim, State.FAILED, error="refused")
    delivery = bench.ledger.begin_withdrawal("c/p/a", reason="", actor="siti")
    bench.ledger.withdrawn("c/p/a", still_out(delivery)[0], by_hand=False, actor="siti")
    assert bench.ledger.retry(["c/p/a"], actor="siti") == []
    assert bench.state("c/p/a") is State.FAILED


def test_what_went_out_lately_leaves_out_what_is_down(tmp_path: Path) -> None:
    """Newest first, from an instant on."""
    bench = Bench(tmp_path)
    bench.queue(make("c/p/a"), make("c/q/a"), make("c/r/a"))
    start = bench.clock()
    for key in ("c/p/a", "c/q/a", "c/r/a"):
        bench.publish(bench.claim_one(keys=[key]))
        bench.clock.forward(minutes=1)
    assert [one.key for one in bench.ledger.sent_after(start)] == ["c/r/a", "c/q/a", "c/p/a"]
    delivery = bench.ledger.begin_withdrawal("c/q/a", reason="", actor="siti")
    bench.ledger.withdrawn("c/q/a", still_out(delivery)[0], by_hand=False, actor="siti")
    assert [one.key for one in bench.ledger.sent_after(bench.clock() - (bench.clock() - start) * 2 / 3)] == ["c/r/a"]
