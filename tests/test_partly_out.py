"""What is out in part, though no whole part has a receipt, has begun: frozen, finished however late, never sent twice.

A Matrix room shows a text before its pictures; whoever can read the text must get the rest, and the text only once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from backends import place
from care_helpers import restore
from conftest import Campaign
from ledger_helpers import GRACE, LEASE, START, Bench, make
from staged import Staged, soon

from campaign_cli.ledger import Changes, Claim, Settlement, open_ledger
from campaign_cli.ledger.backup import back_up
from campaign_cli.models import LASTING, State
from tests.fault_helpers import Scene, open_theatre

WORDS = "Kabar dengan gambar"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A room, and a pass for which an hour is too late."""
    empty = tmp_path / "kosong"
    empty.mkdir()
    with open_theatre(empty) as theatre:
        opened = Scene(tmp_path / "scene", theatre, "matrix", ["balai"], late_grace=timedelta(hours=1))
        opened.queue("balai", WORDS, pictures=2)
        try:
            yield opened
        finally:
            opened.close()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def half(scene: Scene, **order: Any) -> str:
    """Let the text go out and strike the first picture; the key."""
    scene.misbehave("balai", skip=1, times=1, **order)
    scene.publish()
    assert [post.text for post in scene.posts("balai")] == [WORDS]
    assert scene.deliveries()["balai/kabar"].receipts == ()
    return scene.keys["balai/kabar"]


def whole(scene: Scene) -> list[tuple[str, list[str]]]:
    """What readers see: the texts, each with the descriptions of its pictures; every event stands there once."""
    events = [event["content"]["body"] for post in scene.posts("balai") for event in post.data["events"]]
    assert len(events) == len(set(events))
    return [(scene.posts("balai")[0].text, events[1:])] if events else []


WHOLE = [(WORDS, ["Gambar 0", "Gambar 1"])]


@pytest.mark.parametrize("order", [{"kind": "429", "seconds": 3600}, {"kind": "503"}, {"kind": "accept-then-drop"}])
def test_pictures_that_come_too_late_still_come(scene: Scene, order: dict[str, Any]) -> None:
    """The text is out, and nobody could send or look for hours: it is no missed post, and it is finished."""
    half(scene, **order)
    asyncio.run(scene.clock.sleep(5 * 3600))
    assert scene.settle() == []
    assert scene.deliveries()["balai/kabar"].state is State.PUBLISHED
    assert whole(scene) == WHOLE


@pytest.mark.parametrize("later", [None, timedelta(hours=3)])
def test_another_try_sends_what_is_missing(scene: Scene, later: timedelta | None) -> None:
    """A picture was refused: with `retry`, at once or at another time, the text is not sent again."""
    key = half(scene, kind="refuse")
    assert scene.deliveries()["balai/kabar"].state is State.FAILED
    asyncio.run(scene.clock.sleep(1800))
    scene.ledger.retry([key], actor="siti", at=None if later is None else scene.clock.now() + later)
    assert scene.settle() == []
    assert scene.deliveries()["balai/kabar"].state is State.PUBLISHED
    assert whole(scene) == WHOLE


def test_a_persons_word_is_for_what_is_in_doubt(scene: Scene) -> None:
    """`resolve --not-published` speaks of the picture that is missing: the text, which is known to be out, stays."""
    key = half(scene, kind="drop-before")
    asyncio.run(scene.clock.sleep(7200))
    scene.ledger.resolve(key, not_published=True, late_grace=GRACE, actor="siti")
    assert scene.settle() == []
    assert scene.deliveries()["balai/kabar"].state is State.PUBLISHED
    assert whole(scene) == WHOLE


def begun(bench: Bench, key: str = "c/p/a", value: object = "terkirim") -> Claim:
    """A delivery of which something is out, and that waits for the rest."""
    bench.queue(make(key))
    claim = bench.claim_one()
    bench.ledger.keep_step(claim, 0, f"{LASTING}teks", value)
    assert bench.settle(claim, State.WAITING)
    return claim


@pytest.mark.parametrize(("value", "state"), [("terkirim", State.SENDING), (None, State.MISSED)])
def test_what_has_begun_is_never_missed(bench: Bench, value: object, state: State) -> None:
    """However late; a step that was taken back says nothing."""
    claim = begun(bench, value=value)
    bench.clock.forward(days=2)
    claimed = bench.claim().claims
    assert bench.state(claim.key) is state
    assert [one.begun for one in claimed] == [True] * (state is State.SENDING)


@pytest.mark.parametrize("state", [State.WAITING, State.FAILED, State.CANCELLED])
def test_what_has_begun_is_frozen(bench: Bench, state: State) -> None:
    """For `queue` it is out, whatever became of it; a copy under another name says the same as something that is."""
    claim = begun(bench)
    if state is State.FAILED:
        bench.settle(bench.claim_one(), state)
    elif state is State.CANCELLED:
        bench.ledger.cancel([claim.key], actor="siti")
    known = bench.ledger.known("c")[claim.key]
    assert (known.state, known.frozen) == (state, True)
    (alike,) = bench.ledger.alike([known.body_hash])
    assert alike.alive


def test_what_began_since_the_comparison_is_left_alone(bench: Bench) -> None:
    """`queue` compared before the text went out, and writes after it: the old words stay."""
    bench.queue(make())
    seen = bench.ledger.known("c")
    claim = bench.claim_one()
    bench.ledger.keep_step(claim, 0, f"{LASTING}teks", "terkirim")
    bench.settle(claim, State.WAITING)
    applied = bench.ledger.apply(Changes(changed=(make(text="Kata lain."),), seen=seen), actor="siti")
    assert (applied.changed, applied.skipped) == (0, (claim.key,))


def test_what_has_begun_keeps_its_instant(bench: Bench) -> None:
    """`retry` without a time: it can't be missed, and its key stays the same."""
    claim = begun(bench)
    bench.settle(bench.claim_one(), State.FAILED)
    bench.clock.forward(hours=2)
    (again,) = bench.ledger.retry([claim.key], actor="siti")
    assert (again.due, again.content_hash, again.begun) == (START, claim.content_hash, True)


def test_a_restore_knows_what_has_begun(bench: Bench) -> None:
    """It failed before the backup, and may have gone out under the same key since: that key is looked up."""
    claim = begun(bench)
    bench.settle(bench.claim_one(), State.FAILED)
    bench.clock.forward(hours=1)
    file = back_up(bench.ledger).path
    bench.clock.forward(hours=1)
    restore(bench.root, bench.clock, file, asks=lambda _name: True)
    (doubtful,) = bench.ledger.claim_doubtful(worker="w", limit=9, lease=GRACE)
    assert (doubtful.key, doubtful.generation, doubtful.content_hash) == (claim.key, 0, claim.content_hash)


def test_queue_says_why_an_edit_changes_nothing(campaign: Campaign, stage: Staged) -> None:
    """An edited plan meets a post whose text is out without its picture: the line says so, and the old words stay."""
    plan = stage.plan(f'  - id: kabar\n    at: "{soon(hours=1)}"\n    text: "Kabar lama."\n')
    assert campaign("queue", plan, "--yes").code == 0
    later = datetime.now(UTC) + timedelta(hours=2)
    with open_ledger(stage.root, clock=lambda: later, **place(stage.root)) as ledger:
        (claim,) = ledger.claim(worker="w", limit=1, per_account=1, lease=LEASE, late_grace=timedelta(days=1)).claims
        ledger.keep_step(claim, 0, f"{LASTING}teks", "terkirim")
        assert ledger.settle([Settlement(key=claim.key, token=claim.token, state=State.FAILED, error="gambar")])[0]
    plan.write_text(plan.read_text(encoding="utf-8").replace("lama", "baru"), encoding="utf-8")
    ran = campaign("queue", plan, "--yes")
    assert (ran.code, "* 1 frozen" in ran.out) == (0, True)
    assert "plan/kabar/mastodon  frozen: failed, part of it is out" in ran.out
    assert "Kabar lama." in campaign("preview", plan, "--queued").out
