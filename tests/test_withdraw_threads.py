"""Taking a thread down while something goes wrong: refusals, lost answers, kill -9, two at once. Nothing that can still
be read is told as taken down, and nothing that was ordered down is ever sent on."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest
from conftest import Campaign
from ledger_helpers import START, Bench, make
from promise_helpers import wait_for
from staged import Staged, soon

from campaign_cli import platforms
from campaign_cli.errors import InputError, Rejected
from campaign_cli.ledger.values import ADOPTED
from campaign_cli.models import Receipt, State
from campaign_cli.stage.faults import Misbehaviour

LEAD = 2
KEY = "plan/utas/mastodon"
THREAD = '    thread: ["Satu.", "Dua.", "Tiga."]\n'


def queued(campaign: Campaign, stage: Staged, *, accounts: str = "mastodon") -> None:
    """A thread of three parts, due in a moment."""
    item = f'  - id: utas\n    at: "{soon(seconds=LEAD)}"\n    text: Utas\n    accounts: [{accounts}]\n{THREAD}'
    assert campaign("queue", stage.plan(item), "--yes").code == 0


def published(campaign: Campaign, stage: Staged, *, accounts: str = "mastodon") -> None:
    """The same, all of it out."""
    queued(campaign, stage, accounts=accounts)
    time.sleep(LEAD)
    assert campaign("publish").code == 0


def down(campaign: Campaign, key: str = KEY) -> list[bool]:
    """For each part, whether the ledger says that it was taken down."""
    found = json.loads(campaign("status", "--json").out)["deliveries"]
    (receipts,) = [one["receipts"] for one in found if one["key"] == key]
    return [receipt["withdrawn_at"] is not None for receipt in receipts]


def shown(stage: Staged) -> list[str]:
    """The texts that can still be read, in order."""
    return [post.text for post in stage.posts()]


def changing(kind: str, **more: Any) -> Misbehaviour:
    """To the second of the deletions that come."""
    return Misbehaviour.model_validate({"kind": kind, "requests": "changing", "skip": 1, "times": 1, **more})


def started(stage: Staged, *words: str) -> subprocess.Popen[str]:
    """The command as a process of its own."""
    command = [sys.executable, "-m", "campaign_cli", "--lang", "en", *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=stage.root, stdout=pipe, stderr=pipe, text=True, env={**os.environ})


@pytest.mark.parametrize(
    ("fault", "code"), [({"kind": "answer", "status": 403}, 1), ({"kind": "answer", "status": 502, "body": "html"}, 4)]
)
def test_a_part_that_is_refused_keeps_no_other_up(
    campaign: Campaign, stage: Staged, fault: dict[str, Any], code: int
) -> None:
    """The middle part stays and is named with its address; the others are down; a second time ends it."""
    published(campaign, stage)
    middle = stage.posts()[1]
    stage.server.misbehave([changing(**fault)])
    ran = campaign("withdraw", KEY, "--yes", "--json")
    (result,) = json.loads(ran.out)["withdrawn"]
    assert (ran.code, result["withdrawn"], bool(result["error"])) == (code, False, True)
    assert [part["part"] for part in result["parts"]] == [3, 1]
    assert [part["part"] for part in result["left"]] == [2]
    assert result["left"][0]["url"].endswith(middle.path)
    assert (shown(stage), down(campaign)) == (["Dua."], [True, False, True])
    again = campaign("withdraw", KEY, "--yes")
    assert (again.code, shown(stage), down(campaign)) == (0, [], [True] * 3)
    assert campaign("log", "--verify").code == 0


def test_what_is_left_is_said_in_words(campaign: Campaign, stage: Staged) -> None:
    """Without --json, the address of what is still out stands under the reason."""
    published(campaign, stage)
    stage.server.misbehave([changing("answer", status=403)])
    ran = campaign("withdraw", KEY, "--yes", "--lang", "en")
    assert "2 messages are down, the rest is not" in ran.out
    assert "taken down (" not in ran.out
    assert f"still out: {stage.server.url}" in ran.err


def test_a_part_that_is_gone_already_counts_as_down(campaign: Campaign, stage: Staged) -> None:
    """Somebody deleted the middle part by hand: the network says 404, and nothing is left."""
    published(campaign, stage)
    stage.posts()[1].status = "deleted"
    assert campaign("withdraw", KEY, "--yes").code == 0
    assert (shown(stage), down(campaign)) == ([], [True] * 3)


def test_a_lost_answer_is_no_withdrawal_until_the_network_says_so(campaign: Campaign, stage: Staged) -> None:
    """The deletion was carried out and its answer got lost: exit 4, and the second time finds it gone."""
    published(campaign, stage)
    stage.server.misbehave([changing("accept-then-drop")])
    ran = campaign("withdraw", KEY, "--yes")
    assert (ran.code, down(campaign)) == (4, [False, False, True])
    assert shown(stage) == ["Satu."]
    assert campaign("withdraw", KEY, "--yes").code == 0
    assert (shown(stage), down(campaign)) == ([], [True] * 3)


def test_a_network_that_says_gone_and_still_shows_it_is_not_believed(campaign: Campaign, stage: Staged) -> None:
    """A 404 is also what the token of another account gets: what can still be read is not told as taken down."""
    published(campaign, stage)
    stage.server.misbehave([Misbehaviour(kind="answer", status=404, requests="changing", skip=1, times=1)])
    ran = campaign("withdraw", KEY, "--yes", "--json")
    (result,) = json.loads(ran.out)["withdrawn"]
    assert (ran.code, result["withdrawn"], [one["part"] for one in result["left"]]) == (4, False, [2])
    assert (shown(stage), down(campaign)) == (["Dua."], [True, False, True])


def test_killed_in_the_middle_the_same_command_ends_it(campaign: Campaign, stage: Staged) -> None:
    """kill -9 between two deletions: what is gone is on disk, and nothing of the thread is sent on by anything."""
    published(campaign, stage)
    stage.server.misbehave([changing("slow", seconds=1)])
    with started(stage, "withdraw", KEY, "--yes") as process:
        wait_for(lambda: len(stage.posts()) == 2)
        wait_for(lambda: down(campaign) == [False, False, True])
        process.send_signal(signal.SIGKILL)
        process.wait()
    time.sleep(1.2)  # what had left arrives
    assert down(campaign) == [False, False, True]
    sent = len(stage.server.state.posts)
    assert campaign("publish").code == 0
    assert campaign("withdraw", KEY, "--yes").code == 0
    assert (shown(stage), down(campaign), len(stage.server.state.posts)) == ([], [True] * 3, sent)


def test_two_at_once_take_it_down_once(campaign: Campaign, stage: Staged) -> None:
    """Two people, two processes: each part has one line in the log, and neither hears of a failure of the network."""
    published(campaign, stage)
    stage.server.misbehave([Misbehaviour(kind="slow", requests="changing", times=6, seconds=0.3)])
    with started(stage, "withdraw", KEY, "--yes") as one, started(stage, "withdraw", KEY, "--yes") as other:
        said = [process.communicate(timeout=60) for process in (one, other)]
    ends = list(zip((one.returncode, other.returncode), said, strict=True))
    assert 0 in dict(ends), said
    assert all(code == 0 or "Nothing of" in text[1] for code, text in ends)
    assert (shown(stage), down(campaign)) == ([], [True] * 3)
    kinds = [event["kind"] for event in json.loads(campaign("log", "--json", "--key", KEY).out)["events"]]
    assert kinds.count("withdrawn") == 3
    assert campaign("log", "--verify").code == 0


def test_what_is_being_sent_is_not_taken_down_under_its_sender(campaign: Campaign, stage: Staged) -> None:
    """While a publish of it runs, withdraw says what to do and deletes nothing; what is over goes down meanwhile."""
    first = f'  - id: lama\n    at: "{soon(seconds=LEAD)}"\n    text: "Lama."\n'
    assert campaign("queue", stage.plan(first, name="lain.yaml"), "--yes").code == 0
    queued(campaign, stage)
    time.sleep(LEAD)
    stage.server.misbehave([Misbehaviour(kind="slow", times=1, skip=2, seconds=2)])
    with started(stage, "publish") as process:
        wait_for(lambda: {"Lama.", "Satu."} <= set(shown(stage)))
        refused = campaign("withdraw", KEY, "--yes", "--lang", "en")
        assert (refused.code, "campaign hold" in refused.err) == (2, True)
        assert campaign("withdraw", "lain/lama/mastodon", "--yes").code == 0
        process.communicate(timeout=60)
    assert shown(stage) == ["Satu.", "Dua.", "Tiga."]
    assert campaign("withdraw", KEY, "--yes").code == 0
    assert shown(stage) == []


def failed_after_its_first_part(campaign: Campaign, stage: Staged) -> None:
    """The network refused the second part."""
    queued(campaign, stage)
    stage.server.misbehave([Misbehaviour(kind="refuse", skip=1, times=1)])
    time.sleep(LEAD)
    assert campaign("publish").code == 1
    assert shown(stage) == ["Satu."]


def test_an_order_to_take_down_stops_the_rest_even_where_its_answer_got_lost(campaign: Campaign, stage: Staged) -> None:
    """A thread stopped after its first part; the deletion's answer is lost: retry, an edited plan and publish send
    nothing of it any more, and retry says why."""
    failed_after_its_first_part(campaign, stage)
    stage.server.misbehave([Misbehaviour(kind="accept-then-drop", requests="changing", times=1)])
    assert campaign("withdraw", KEY, "--yes").code == 4
    sent = len(stage.server.state.posts)
    again = campaign("retry", KEY, "--yes", "--lang", "en")
    assert (again.code, "was taken down, or is to be" in again.err) == (2, True)
    edited = f'  - id: utas\n    at: "{soon(seconds=1)}"\n    text: Lain\n    thread: ["Lain.", "Baru."]\n'
    campaign("queue", stage.plan(edited), "--yes")
    time.sleep(1.1)
    assert campaign("publish").code == 0
    assert len(stage.server.state.posts) == sent
    assert campaign("withdraw", KEY, "--yes").code == 0
    assert campaign("retry", KEY, "--yes").code == 2
    assert campaign("retry", "--campaign", "plan", "--yes").code == 0  # passes over it
    assert campaign("publish").code == 0
    assert (len(stage.server.state.posts), shown(stage)) == (sent, [])


def test_a_post_that_only_a_person_vouched_for_is_not_told_as_down(campaign: Campaign, stage: Staged) -> None:
    """`resolve --published` with an address that the network doesn't know: deleting by that address proves nothing."""
    key = "plan/utas/papua"
    item = f'  - id: utas\n    at: "{soon(seconds=LEAD)}"\n    accounts: [papua]\n    text: "Sebuah."\n'
    assert campaign("queue", stage.plan(item), "--yes").code == 0
    stage.server.misbehave([Misbehaviour(kind="accept-then-drop", times=1)])
    time.sleep(LEAD)
    assert campaign("publish").code == 4
    uncertain = campaign("withdraw", key, "--yes", "--lang", "en")
    assert uncertain.code == 2
    for words in (f"resolve {key} --published URL", "--not-published would send it", f"campaign cancel {key}"):
        assert words in " ".join(uncertain.err.split())
    address = "https://t.me/kanal_lain/7"
    assert campaign("resolve", key, "--published", address).code == 0
    ran = campaign("withdraw", key, "--yes", "--lang", "en")
    assert (ran.code, down(campaign, key), len(shown(stage))) == (1, [False], 1)
    assert "--by-hand" in ran.err
    assert address in ran.err


def test_what_a_person_posted_a_person_deletes(campaign: Campaign, stage: Staged) -> None:
    """On a network where no program can delete, nothing is told as down until somebody says that it is."""
    accounts = stage.root / "accounts.yaml"
    accounts.write_text(
        accounts.read_text().replace("groups:", "  tangan: {platform: manual, to: Kantor, timezone: WIB}\ngroups:")
    )
    item = f'  - id: utas\n    at: "{soon(seconds=LEAD)}"\n    accounts: [tangan]\n    text: "Sebuah."\n'
    assert campaign("queue", stage.plan(item), "--yes").code == 0
    time.sleep(LEAD)
    assert campaign("publish").code == 4
    key = "plan/utas/tangan"
    assert campaign("resolve", key, "--published", "https://contoh.example/1").code == 0
    ran = campaign("withdraw", key, "--yes", "--lang", "en")
    assert (ran.code, down(campaign, key)) == (1, [False])
    said = " ".join(ran.err.split())
    assert f"Then: campaign withdraw {key} --by-hand" in said
    assert campaign("withdraw", key, "--by-hand", "--lang", "en").code == 2  # there is nobody to ask
    assert campaign("withdraw", key, "--by-hand", "--yes").code == 0
    assert down(campaign, key) == [True]


def test_each_network_that_cannot_delete_says_why_and_what_a_person_does() -> None:
    """The words are the network's own, and none of them asks its server first."""
    without = [platforms.get(name) for name in platforms.PLATFORMS if not platforms.get(name).deletes]
    assert {"instagram", "manual", "webhook", "whatsapp", "tiktok"} <= {platform.name for platform in without}
    for platform in without:
        with pytest.raises(Rejected) as refused:
            asyncio.run(platform.delete(None, Receipt(part=0, id="1", url=None, at=START)))  # type: ignore[arg-type]
        assert refused.value.fix, platform.name


def test_half_a_part_without_a_proof_is_not_nothing(tmp_path: Any) -> None:
    """The text of a part is out, its picture was refused: there is no receipt, and something can be read all the same.
    A person clears it; until then it isn't down, and nothing of it is sent after the order."""
    bench = Bench(tmp_path)
    bench.queue(make(parts=["satu", "dua"]))
    claim = bench.claim_one()
    bench.ledger.keep_receipt(claim, bench.receipt("r0"))
    bench.ledger.begin_part(claim, 1, lease=claim.lease_until - bench.clock())
    bench.ledger.keep_step(claim, 1, "out/event1", {"id": "x"})
    bench.settle(claim, State.FAILED, error="refused")
    assert bench.ledger.half_out(["c/p/a"]) == {"c/p/a": (1,)}
    delivery = bench.ledger.begin_withdrawal("c/p/a", reason="", actor="siti")
    bench.ledger.withdrawn("c/p/a", delivery.receipts[0], by_hand=False, actor="siti")
    bench.ledger.begin_withdrawal("c/p/a", reason="", actor="siti")  # something is out still
    bench.ledger.cleared("c/p/a", 1, actor="siti")
    assert bench.ledger.half_out(["c/p/a"]) == {}
    with pytest.raises(InputError, match="Nothing of"):
        bench.ledger.begin_withdrawal("c/p/a", reason="", actor="siti")
    assert bench.ledger.taken_back(["c/p/a"]) == {"c/p/a"}
    assert bench.ledger.retry(["c/p/a"], actor="siti") == []


def test_a_post_that_a_look_up_took_for_another_stays_down(tmp_path: Any) -> None:
    """It was found by its words alone, and taken down; then the real owner's answer comes: the one that was ordered
    down is not looked for, not found, and sent after all."""
    bench = Bench(tmp_path)
    bench.queue(make("c/p/a", text="sama"))
    first = bench.claim_one()
    bench.settle(first, State.UNCERTAIN, error="reset", next_try=bench.clock())
    (looked,) = bench.ledger.claim_doubtful(worker="w1", limit=1, lease=first.lease_until - bench.clock())
    adopted = Receipt(part=0, id="r1", url=None, at=bench.clock(), extra={ADOPTED: True})
    bench.settle(looked, State.PUBLISHED, receipt=adopted)
    delivery = bench.ledger.begin_withdrawal("c/p/a", reason="", actor="siti")
    bench.ledger.withdrawn("c/p/a", delivery.receipts[0], by_hand=False, actor="siti")
    bench.queue(make("c/q/a", text="sama"))
    other = bench.claim_one()
    bench.settle(other, State.PUBLISHED, receipt=bench.receipt("r1"))
    assert (bench.state("c/p/a"), bench.state("c/q/a")) == (State.PUBLISHED, State.UNCERTAIN)
    bench.clock.forward(minutes=10)
    assert bench.claim().claims == ()
