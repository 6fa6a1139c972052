"""A list of recipients through the whole program: whatever happens in between, nobody gets it twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from whatsapp_helpers import PHONES, listed

from campaign_cli.dispatch.options import LEASE
from campaign_cli.ledger import Changes
from campaign_cli.models import LASTING, State
from campaign_cli.platforms.whatsapp_list import mark
from tests.fault_helpers import LATE_GRACE, Scene, open_theatre


class ListScene(Scene):
    """An account with five members on its list, in a file as officers keep it."""

    def write(self, *phones: str) -> None:
        """The list as it is now."""
        path = self.root / "anggota.csv"
        path.touch(mode=0o600)
        path.write_text(listed(*phones), encoding="utf-8")
        for name, account in self.workspace.accounts.items():
            settings = {**account.settings, "recipients": "file:anggota.csv"}
            self.workspace = replace(self.workspace, accounts={name: replace(account, settings=settings)})

    def reached(self) -> Counter[str]:
        """How many messages each member got, by the last digits."""
        return Counter(person[-2:] for post in self.posts("anggota") for person in post.data["to"])

    def everything_told(self) -> str:
        """What people and the log were told, and what the ledger keeps."""
        said = [*self.told, *(one.error for one in self.deliveries().values())]
        said += [str(event.data) for event in self.ledger.events()]
        return "\n".join([*said, (self.root / ".campaign/ledger.sqlite3").read_bytes().decode("latin-1")])


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[ListScene]:
    """Five members, one post that is due."""
    empty = tmp_path / "kosong"
    empty.mkdir()
    with open_theatre(empty) as theatre:
        opened = ListScene(tmp_path / "scene", theatre, "whatsapp", ["anggota"])
        opened.write(*PHONES)
        opened.queue("anggota", "Rapat malam ini")
        try:
            yield opened
        finally:
            opened.close()


ONCE = Counter(phone[-2:] for phone in PHONES)


def test_everybody_gets_it_once(scene: ListScene) -> None:
    """One delivery, one receipt with counts; no number stays behind."""
    assert scene.settle() == []
    delivery = scene.deliveries()["anggota/kabar"]
    assert delivery.state is State.PUBLISHED
    (receipt,) = delivery.receipts
    assert {**receipt.extra, "request": ""} == {"accepted": 5, "refused": 0, "request": ""}
    assert scene.reached() == ONCE
    told = scene.everything_told()
    assert not [phone for phone in PHONES if phone in told or phone[1:] in told]


@pytest.mark.parametrize("kind", ["accept-then-drop", "drop-before", "503"])
@pytest.mark.parametrize("struck", range(5))
def test_a_lost_answer_is_never_repeated(scene: ListScene, kind: str, struck: int) -> None:
    """The others get it; that one doesn't get it twice, also after the person's --not-published."""
    scene.misbehave("anggota", kind=kind, skip=struck, times=1)
    assert scene.settle() == []
    delivery = scene.deliveries()["anggota/kabar"]
    assert (delivery.state, delivery.next_try) == (State.UNCERTAIN, None)
    assert "accepted 4 of 5 messages; 1 in doubt, 0 refused, 0 not sent" in delivery.error
    scene.ledger.resolve(delivery.key, not_published=True, actor="siti")
    assert scene.settle() == []
    assert scene.deliveries()["anggota/kabar"].state is State.UNCERTAIN
    assert scene.reached() == (ONCE if kind == "accept-then-drop" else ONCE - Counter([PHONES[struck][-2:]]))
    assert len(scene.sent["anggota"]) == 5
    scene.ledger.resolve(delivery.key, published_url="", actor="siti")
    assert scene.deliveries()["anggota/kabar"].state is State.PUBLISHED


def test_the_rest_gets_it_after_a_person_said_so(scene: ListScene) -> None:
    """Refused in the middle, a template mended: those who have it are passed over, also who joined is written to."""
    scene.misbehave("anggota", kind="refuse", skip=2, times=1)
    assert scene.settle() == []
    delivery = scene.deliveries()["anggota/kabar"]
    assert (delivery.state, len(scene.sent["anggota"])) == (State.UNCERTAIN, 3)
    scene.write(*PHONES[1:])  # the first one has left since
    scene.ledger.resolve(delivery.key, not_published=True, actor="siti")
    assert scene.settle() == []
    assert scene.deliveries()["anggota/kabar"].state is State.PUBLISHED
    assert scene.reached() == ONCE


def test_a_process_that_dies_leaves_one_at_most(scene: ListScene) -> None:
    """Its successor asks a person, and then goes on with those to whom nothing was sent."""
    name = next(iter(scene.workspace.accounts))
    claimed = scene.ledger.claim(
        worker="mati:1", limit=1, per_account=5, lease=LEASE, late_grace=LATE_GRACE, marked=[name]
    )
    (claim,) = claimed.claims
    number = scene.workspace.accounts[name].settings["phone_number_id"]
    marks = [mark(phone, salt=number) for phone in PHONES]
    scene.ledger.keep_step(claim, 0, LASTING + marks[0], "accepted")
    scene.ledger.keep_step(claim, 0, LASTING + marks[1], "the key of before")
    assert scene.ledger.let_leave([(claim.key, claim.token)]) == [None]
    asyncio.run(scene.clock.sleep(LEASE.total_seconds() + 1))
    assert scene.settle() == []
    assert (scene.deliveries()["anggota/kabar"].state, scene.reached()) == (State.UNCERTAIN, Counter())
    scene.ledger.resolve(claim.key, not_published=True, actor="siti")
    assert scene.settle() == []
    assert scene.deliveries()["anggota/kabar"].state is State.UNCERTAIN
    assert scene.reached() == ONCE - Counter([PHONES[0][-2:], PHONES[1][-2:]])


def test_what_is_out_outlives_retry_and_new_words(scene: ListScene) -> None:
    """A step that says so stays; a finished upload, which belongs to the old words, goes."""
    (claim,) = scene.ledger.claim(worker="mati:1", limit=1, per_account=5, lease=LEASE, late_grace=LATE_GRACE).claims
    scene.ledger.keep_step(claim, 0, f"{LASTING}siti", "accepted")
    scene.ledger.keep_step(claim, 0, "header", "4711")
    asyncio.run(scene.clock.sleep(LEASE.total_seconds() + 1))
    steps = {0: {f"{LASTING}siti": "accepted"}}

    def claim_again() -> dict[int, dict[str, object]]:
        (found,) = scene.ledger.claim(
            worker="baru:1", limit=1, per_account=5, lease=LEASE, late_grace=LATE_GRACE
        ).claims
        asyncio.run(scene.clock.sleep(LEASE.total_seconds() + 1))
        scene.ledger.claim(worker="baru:2", limit=1, per_account=5, lease=LEASE, late_grace=LATE_GRACE)
        return {part: dict(kept) for part, kept in found.steps.items()}

    scene.ledger.claim(worker="baru:0", limit=0, per_account=5, lease=LEASE, late_grace=LATE_GRACE)
    scene.ledger.resolve(claim.key, not_published=True, actor="siti")
    assert claim_again() == steps
    scene.ledger.resolve(claim.key, not_published=True, actor="siti")
    assert [one.key for one in scene.ledger.cancel([claim.key], actor="siti")] == [claim.key]
    assert [one.key for one in scene.ledger.retry([claim.key], actor="siti")] == [claim.key]
    assert claim_again() == steps
    scene.ledger.resolve(claim.key, not_published=True, actor="siti")
    reworded = scene.new_delivery("anggota", "Rapat besok")
    applied = scene.ledger.apply(Changes(changed=(reworded,), seen=scene.ledger.known("uji")), actor="siti")
    assert (applied.changed, applied.skipped) == (1, ())
    assert claim_again() == steps
