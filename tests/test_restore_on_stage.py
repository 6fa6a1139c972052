"""Restoring on the stage: what went out since the backup is found again, and nothing goes out twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from care_helpers import NETWORKS, Stage, on_stage

from campaign_cli.ledger.backup import back_up
from campaign_cli.ledger.care import check
from campaign_cli.models import State

ASKED = ("mastodon", "bluesky", "web")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Stage]:
    """A workspace on a stage."""
    with on_stage(tmp_path) as made:
        yield made


def saved(scene: Stage) -> Path:
    """A backup of now."""
    with scene.open() as ledger:
        return back_up(ledger).path


def sound(scene: Stage) -> None:
    with scene.open() as ledger:
        assert check(ledger).findings == []


def test_what_went_out_after_the_backup_is_adopted_and_nothing_goes_out_twice(scene: Stage) -> None:
    """Six posts on each network: some out before the backup, others after it, then the ledger is lost. The look-ups
    adopt what went out, with its permalink; what did not is sent or missed by its lateness; Telegram needs a person."""
    minutes = {"p1": 0, "p2": 1, "p3": 10, "p4": 15, "p5": 20, "p6": 300}
    for account in NETWORKS:
        for post, due in minutes.items():
            scene.queue(account, post, due=timedelta(minutes=due))
    scene.publish(minutes=5)  # p1, p2
    backup = saved(scene)
    scene.publish(minutes=12)  # p3, p4
    before = {account: scene.texts(account) for account in NETWORKS}
    assert [len(texts) for texts in before.values()] == [4] * 4
    permalinks = {}
    with scene.open() as ledger:
        permalinks = {one.key: one.receipts[0].url for one in ledger.deliveries() if one.receipts}
    scene.lose()
    scene.later(minutes=4)  # p5 falls due while nobody sends

    done = scene.restore(backup)
    assert Counter(key.split("/")[1] for key in done.doubts.asked) == {"p3": 3, "p4": 3, "p5": 3}
    assert [key.split("/")[1:] for key in done.doubts.for_a_person] == [[p, "papua"] for p in ("p3", "p4", "p5")]
    states = scene.states()
    assert all(states[f"{post}/{account}"] is State.PUBLISHED for post in ("p1", "p2") for account in NETWORKS)
    assert all(states[f"p6/{account}"] is State.WAITING for account in NETWORKS)
    sound(scene)

    scene.publish(seconds=60)
    states = scene.states()
    assert all(states[f"{post}/{account}"] is State.PUBLISHED for post in ("p3", "p4") for account in ASKED)
    assert all(states[f"p5/{account}"] is State.UNCERTAIN for account in ASKED)  # absence doesn't count yet
    scene.publish(minutes=15)
    assert all(scene.states()[f"p5/{account}"] is State.PUBLISHED for account in ASKED)
    for account in ASKED:
        expected = [f"Upah layak: {post} di {account}." for post in ("p1", "p2", "p3", "p4", "p5")]
        assert len(scene.texts(account)) == len(set(scene.texts(account))) == len(expected)
    assert scene.texts("papua") == before["papua"]
    with scene.open() as ledger:
        found = {one.key: one for one in ledger.deliveries()}
        for key, url in permalinks.items():
            if not key.endswith("papua"):
                assert found[key].receipts[0].url == url
        doubtful = [one for one in found.values() if one.state is State.UNCERTAIN]
        assert {one.account for one in doubtful} == {"papua"}
        assert all(one.next_try is None and "campaign resolve" in one.error for one in doubtful)
        for one in doubtful[:2]:
            ledger.resolve(one.key, published_url=permalinks[one.key] or "", actor="siti")
        ledger.resolve(doubtful[2].key, not_published=True, actor="siti")
    scene.publish()
    assert len(scene.texts("papua")) == 5
    sound(scene)


def test_what_was_not_sent_and_is_late_by_now_is_missed(scene: Stage) -> None:
    """Days later, what a look-up proves unsent does not go out any more."""
    for account in ASKED:
        scene.queue(account, "pagi", due=timedelta(minutes=10))
    backup = saved(scene)
    scene.lose()
    scene.later(days=2)
    scene.restore(backup)
    scene.publish(minutes=15)
    assert set(scene.states().values()) == {State.MISSED}
    assert [scene.texts(account) for account in ASKED] == [[], [], []]


def test_every_part_of_a_thread_is_looked_up_before_one_is_sent(scene: Stage) -> None:
    """A thread that went out whole after the backup is adopted part by part; one that was cut off is finished."""
    texts = ("Satu: upah.", "Dua: cuti.", "Tiga: serikat.")
    for account in ("mastodon", "bluesky"):
        scene.queue(account, "utas", *texts, due=timedelta(minutes=5))
    backup = saved(scene)
    scene.publish(minutes=6)
    assert all(scene.texts(account) == sorted(texts) for account in ("mastodon", "bluesky"))
    scene.lose()
    scene.restore(backup)
    scene.publish(minutes=10)
    assert all(scene.texts(account) == sorted(texts) for account in ("mastodon", "bluesky"))
    assert set(scene.states().values()) == {State.PUBLISHED}

    scene.queue("mastodon", "lagi", "Empat.", "Lima.", "Enam.", due=timedelta(minutes=20))
    backup = saved(scene)
    scene.stage.misbehave("mastodon:answer:status=422,skip=1,times=1")
    scene.publish(minutes=10)
    assert "Empat." in scene.texts("mastodon")
    assert "Lima." not in scene.texts("mastodon")
    scene.restore(backup)
    scene.publish(minutes=15)
    assert scene.texts("mastodon") == sorted([*texts, "Empat.", "Lima.", "Enam."])


def test_what_had_ended_goes_back_to_what_it_was(scene: Stage) -> None:
    """Cancelled, failed and missed posts are looked up, and stay what they were when they did not go out; one that was
    ordered again after the backup and went out is adopted."""
    for post in ("batal", "gagal", "ulang"):
        scene.queue("mastodon", post, due=timedelta(minutes=1))
    scene.queue("web", "tunda", due=timedelta(minutes=90))
    with scene.open() as ledger:
        ledger.cancel(
            [scene.keys["batal/mastodon"], scene.keys["ulang/mastodon"], scene.keys["tunda/web"]], actor="siti"
        )
    scene.stage.misbehave("mastodon:answer:status=422,times=1")
    scene.later(minutes=1)
    scene.publish()
    assert scene.states()["gagal/mastodon"] is State.FAILED
    scene.queue("bluesky", "lewat", due=timedelta(minutes=2))
    scene.later(minutes=40)
    scene.publish()
    assert scene.states()["lewat/bluesky"] is State.MISSED
    backup = saved(scene)
    with scene.open() as ledger:
        ledger.retry([scene.keys["ulang/mastodon"]], actor="siti")
    scene.publish()
    sent = scene.texts("mastodon")
    assert "Upah layak: ulang di mastodon." in sent
    scene.lose()
    scene.later(minutes=50)
    scene.restore(backup)
    assert scene.states()["tunda/web"] is State.UNCERTAIN  # it fell due after the backup
    scene.publish(minutes=20)
    states = scene.states()
    assert states["batal/mastodon"] is State.CANCELLED
    assert states["tunda/web"] is State.CANCELLED
    assert states["gagal/mastodon"] is State.FAILED
    assert states["lewat/bluesky"] is State.MISSED
    assert states["ulang/mastodon"] is State.PUBLISHED
    assert scene.texts("mastodon") == sent
    assert scene.texts("web") == scene.texts("bluesky") == []
    sound(scene)
