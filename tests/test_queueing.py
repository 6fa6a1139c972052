"""The difference between plan and ledger: new, changed, removed, same, frozen, past, moved, refused."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from ledger_helpers import GRACE, LEASE, Clock

from campaign_cli.content.drafts import Renderer
from campaign_cli.content.media import MediaStore
from campaign_cli.errors import InputError
from campaign_cli.ledger import Applied, Claim, Settlement, open_ledger
from campaign_cli.ledger.queueing import Difference, changes, difference
from campaign_cli.ledger.store import Ledger
from campaign_cli.models import Draft, Problem, Receipt, State
from campaign_cli.plan import LoadedPlan, Planned, expand, load_plan, open_workspace

NOW = datetime(2026, 12, 1, 0, 0, tzinfo=UTC)
ACCOUNTS: dict[str, Any] = {
    "accounts": {
        "masto": {"platform": "mastodon", "url": "https://mastodon.example", "token": "env:M", "timezone": "WIB"},
        "tele": {"platform": "telegram", "channel": "@contoh", "token": "env:T", "timezone": "WIB"},
    }
}
PLAN: dict[str, Any] = {
    "campaign": "upah",
    "title": "Upah Layak",
    "timezone": "WIB",
    "language": "id",
    "accounts": ["masto", "tele"],
    "posts": [
        {"id": "pembuka", "at": "2026-12-03 08:00", "text": "Upah layak adalah hak."},
        {"id": "penutup", "at": "2026-12-05 08:00", "text": "Terima kasih, kawan."},
    ],
}


class Counting(Renderer):
    """The real renderer; it remembers what it was asked to render."""

    rendered: list[str]

    def draft(self, planned: Planned) -> tuple[Draft | None, list[Problem]]:
        self.rendered.append(planned.key)
        return super().draft(planned)


class Desk:
    """A workspace with a plan that a test rewrites, and its ledger."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clock = Clock(NOW)
        self.plan = yaml.safe_load(yaml.safe_dump(PLAN))
        self.accounts = yaml.safe_load(yaml.safe_dump(ACCOUNTS))
        self.media = MediaStore(root)
        self.ledger: Ledger = open_ledger(root, clock=self.clock)
        self.rendered: list[str] = []

    def post(self, number: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = self.plan["posts"][number]
        return found

    def load(self) -> tuple[LoadedPlan, list[Planned]]:
        (self.root / "accounts.yaml").write_text(yaml.safe_dump(self.accounts), encoding="utf-8")
        path = self.root / "plan.yaml"
        path.write_text(yaml.safe_dump(self.plan, allow_unicode=True, sort_keys=False), encoding="utf-8")
        workspace, problems = open_workspace(self.root)
        assert [one.message for one in problems if one.severity == "error"] == []
        loaded, problems = load_plan(path, workspace)
        assert loaded is not None
        planned, more = expand(loaded)
        assert [one.message for one in (*problems, *more) if one.severity == "error"] == []
        return loaded, planned

    def compare(self, *, skip_past: bool = False) -> Difference:
        loaded, planned = self.load()
        renderer = Counting(loaded, media=self.media, templates=self.root / "templates" / "posts")
        renderer.rendered = self.rendered = []
        return difference(loaded, planned, renderer, self.ledger, now=self.clock(), skip_past=skip_past)

    def apply(self, found: Difference, **options: Any) -> Applied:
        return self.ledger.apply(changes(found, media=self.media.content, **options), actor="siti")

    def queue(self, **options: Any) -> Applied:
        return self.apply(self.compare(**options))

    def claim(self, *keys: str) -> list[Claim]:
        found = self.ledger.claim(worker="w", limit=9, per_account=5, lease=LEASE, late_grace=GRACE, keys=keys or None)
        return list(found.claims)

    def publish(self, key: str) -> None:
        """Send a delivery at its due instant; the clock stays there."""
        delivery = self.ledger.delivery(key)
        assert delivery is not None
        self.clock.at = max(self.clock.at, delivery.due)
        (claim,) = self.claim(key)
        receipt = Receipt(part=0, id=key, url=None, at=self.clock())
        settlement = Settlement(key=key, token=claim.token, state=State.PUBLISHED, receipt=receipt)
        assert all(self.ledger.settle([settlement]))

    def states(self) -> dict[str, State]:
        return {one.key: one.state for one in self.ledger.deliveries()}

    def text(self, key: str) -> str:
        delivery = self.ledger.delivery(key)
        assert delivery is not None
        return delivery.draft.parts[0].text


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.ledger.close()


def keys(items: Any) -> list[str]:
    return sorted(one.key for one in items)


ALL = ["upah/pembuka/masto", "upah/pembuka/tele", "upah/penutup/masto", "upah/penutup/tele"]


def test_a_first_queue_is_all_new(desk: Desk) -> None:
    """Everything is new the first time; a comparison writes nothing, an apply queues it with its final words."""
    found = desk.compare()
    assert keys(found.new) == ALL
    assert not found.blocked
    assert desk.states() == {}
    assert desk.apply(found) == Applied(new=4, changed=0, removed=0, moved=0, skipped=())
    assert set(desk.states().values()) == {State.WAITING}
    assert desk.text(ALL[0]) == "Upah layak adalah hak."
    assert found.drafts[ALL[0]].parts[0].text == "Upah layak adalah hak."


def test_a_second_queue_changes_and_renders_nothing(desk: Desk) -> None:
    """Running it again changes nothing, and the unchanged is never rendered."""
    desk.queue()
    before = desk.ledger.events()
    found = desk.compare()
    assert (found.empty, sorted(found.same), desk.rendered) == (True, ALL, [])
    assert not changes(found, media=desk.media.content)
    assert desk.ledger.events() == before


def test_an_edit_is_a_change(desk: Desk) -> None:
    """New words, a new time or new labels are a change of that post alone, under its old key."""
    desk.queue()
    desk.post()["text"] = "Upah layak itu hak."
    desk.post(1)["labels"] = ["tuntutan"]
    found = desk.compare()
    assert keys(found.changed) == ALL
    assert found.counts["changed"] == 4
    desk.apply(found)
    assert desk.text(ALL[0]) == "Upah layak itu hak."
    assert [one.key for one in desk.ledger.deliveries(label="tuntutan")] == ALL[2:]
    desk.post()["at"] = "2026-12-03 09:00"
    found = desk.compare()
    assert (keys(found.changed), sorted(desk.rendered)) == (ALL[:2], ALL[:2])
    desk.apply(found)
    assert desk.ledger.deliveries(keys=[ALL[0]])[0].due == datetime(2026, 12, 3, 2, tzinfo=UTC)
    assert desk.compare().empty


def test_what_the_plan_loses_is_cancelled_and_comes_back(desk: Desk) -> None:
    """A removed post is cancelled; written again it is new again."""
    desk.queue()
    lost = desk.plan["posts"].pop()
    found = desk.compare()
    assert keys(found.removed) == ALL[2:]
    desk.apply(found)
    assert [desk.states()[key] for key in ALL[2:]] == [State.CANCELLED] * 2
    assert desk.compare().empty
    desk.plan["posts"].append(lost)
    found = desk.compare()
    assert (keys(found.new), found.changed) == (ALL[2:], [])
    desk.apply(found)
    assert set(desk.states().values()) == {State.WAITING}
    assert desk.compare().empty


def test_what_a_person_cancelled_stays_cancelled(desk: Desk) -> None:
    """A queue never brings back what a person cancelled; an edit is kept for a later retry."""
    desk.queue()
    desk.ledger.cancel([ALL[0]], actor="siti")
    assert desk.compare().empty
    desk.post()["text"] = "Upah layak, sekarang."
    desk.queue()
    assert desk.states()[ALL[0]] is State.CANCELLED
    desk.ledger.retry([ALL[0]], actor="siti")
    assert desk.text(ALL[0]) == "Upah layak, sekarang."


@pytest.mark.parametrize("state", [State.SENDING, State.UNCERTAIN, State.PUBLISHED])
def test_what_is_out_is_frozen(desk: Desk, state: State) -> None:
    """Published, sending and uncertain deliveries are shown and never changed, whatever the plan says."""
    desk.queue()
    if state is State.PUBLISHED:
        desk.publish(ALL[0])
    else:
        desk.clock.at = datetime(2026, 12, 3, 1, tzinfo=UTC)
        (claim,) = desk.claim(ALL[0])
        if state is State.UNCERTAIN:
            desk.ledger.settle([Settlement(key=claim.key, token=claim.token, state=state)])
    found = desk.compare()
    assert [(one.known.key, one.differs) for one in found.frozen] == [(ALL[0], False)]
    assert found.counts["same"] == 4
    desk.post()["text"] = "Kata lain."
    found = desk.compare()
    assert [(one.known.key, one.differs, one.gone) for one in found.frozen] == [(ALL[0], True, False)]
    desk.apply(found)
    assert desk.text(ALL[0]) == "Upah layak adalah hak."
    del desk.plan["posts"][0]
    found = desk.compare()
    assert [(one.known.key, one.gone) for one in found.frozen] == [(ALL[0], True)]
    assert keys(found.removed) == ALL[1:2]
    desk.apply(found)
    assert desk.states()[ALL[0]] is state


def test_a_begun_thread_is_frozen(desk: Desk) -> None:
    """A thread with a receipt is frozen while it waits for its next part."""
    desk.plan["posts"] = [{"id": "utas", "at": "2026-12-03 08:00", "thread": ["Satu.", "Dua."]}]
    desk.queue()
    desk.clock.at = datetime(2026, 12, 3, 1, tzinfo=UTC)
    (claim,) = desk.claim("upah/utas/masto")
    desk.ledger.keep_receipt(claim, Receipt(part=0, id="1", url=None, at=desk.clock()))
    desk.ledger.settle([Settlement(key=claim.key, token=claim.token, state=State.WAITING)])
    desk.plan["posts"][0]["thread"] = ["Satu.", "Tiga."]
    found = desk.compare()
    assert [one.known.key for one in found.frozen if one.differs] == ["upah/utas/masto"]
    assert keys(found.changed) == ["upah/utas/tele"]


def test_what_starts_meanwhile_stays_frozen(desk: Desk) -> None:
    """A delivery that began to be sent between comparison and apply is left alone and named."""
    desk.queue()
    desk.post()["text"] = "Kata lain."
    desk.clock.at = datetime(2026, 12, 3, 1, tzinfo=UTC)
    found = desk.compare()
    desk.claim(ALL[0])
    applied = desk.apply(found)
    assert (applied.changed, applied.skipped) == (1, (ALL[0],))
    assert desk.states()[ALL[0]] is State.SENDING
    assert desk.text(ALL[0]) == "Upah layak adalah hak."


def test_two_queues_at_once_queue_once(desk: Desk) -> None:
    """The slower of two queues of the same plan finds its work done, and doubles nothing."""
    first, second = desk.compare(), desk.compare()
    desk.apply(first)
    applied = desk.apply(second)
    assert (applied.new, len(applied.skipped)) == (0, 4)
    assert len(desk.states()) == 4


def test_new_posts_in_the_past_stop_the_queue(desk: Desk) -> None:
    """New posts whose time is over stop everything; skip_past leaves them out and queues the rest."""
    desk.clock.at = datetime(2026, 12, 4, tzinfo=UTC)
    found = desk.compare()
    assert (keys(found.past), found.blocked) == (ALL[:2], True)
    with pytest.raises(InputError, match="2 new posts are in the past") as caught:
        desk.apply(found)
    assert "--skip-past" in caught.value.fix
    assert desk.states() == {}
    found = desk.compare(skip_past=True)
    assert (keys(found.skipped), keys(found.new), found.past) == (ALL[:2], ALL[2:], [])
    desk.apply(found)
    assert sorted(desk.states()) == ALL[2:]


def test_past_occurrences_are_always_left_out(desk: Desk) -> None:
    """Past occurrences of a recurring post are listed and left out; the others are queued, one for each day."""
    desk.plan["accounts"] = ["masto"]
    desk.plan["posts"] = [
        {"id": "ingat", "every": "daily 19:30", "from": "2026-12-01", "until": "2026-12-04", "text": "Ayo rapat."}
    ]
    desk.clock.at = datetime(2026, 12, 2, 14, tzinfo=UTC)
    found = desk.compare()
    assert keys(found.skipped) == ["upah/ingat@2026-12-01/masto", "upah/ingat@2026-12-02/masto"]
    assert keys(found.new) == ["upah/ingat@2026-12-03/masto", "upah/ingat@2026-12-04/masto"]
    assert not found.blocked
    desk.apply(found)
    assert desk.compare().empty


def test_moving_into_the_past(desk: Desk) -> None:
    """A queued post that is moved into the past stops the queue, and with skip_past keeps its old time."""
    desk.queue()
    desk.post()["at"] = "2026-11-30 08:00"
    assert keys(desk.compare().past) == ALL[:2]
    desk.queue(skip_past=True)
    assert desk.ledger.deliveries(keys=[ALL[0]])[0].due == datetime(2026, 12, 3, 1, tzinfo=UTC)


def test_an_edit_of_what_failed_waits_for_a_retry(desk: Desk) -> None:
    """A failed post whose time is over gets its new words and stays failed; with a new time it waits again."""
    desk.queue()
    desk.clock.at = datetime(2026, 12, 3, 1, tzinfo=UTC)
    for claim in desk.claim(*ALL[:2]):
        desk.ledger.settle([Settlement(key=claim.key, token=claim.token, state=State.FAILED, error="terlalu panjang")])
    desk.clock.forward(hours=1)
    assert desk.compare().empty
    desk.post()["text"] = "Lebih pendek."
    desk.queue()
    assert desk.states()[ALL[0]] is State.FAILED
    assert desk.text(ALL[0]) == "Lebih pendek."
    desk.post()["at"] = "2026-12-04 08:00"
    desk.queue()
    delivery = desk.ledger.deliveries(keys=[ALL[0]])[0]
    assert (delivery.state, delivery.error) == (State.WAITING, "")


def test_a_renamed_post_is_a_move(desk: Desk) -> None:
    """A waiting post under a new id is offered as a move, and keeps its row."""
    desk.queue()
    desk.post()["id"] = "pembukaan"
    found = desk.compare()
    assert [(one.old_key, one.delivery.key) for one in found.moved] == [
        (ALL[0], "upah/pembukaan/masto"),
        (ALL[1], "upah/pembukaan/tele"),
    ]
    assert (found.new, found.removed) == ([], [])
    assert desk.apply(found).moved == 2
    assert sorted(desk.states()) == ["upah/pembukaan/masto", "upah/pembukaan/tele", *ALL[2:]]
    assert desk.compare().empty
    events = desk.ledger.events(key="upah/pembukaan/masto")
    assert events[-1].data == {"from": ALL[0]}


def test_a_renamed_campaign_keeps_its_proofs(desk: Desk) -> None:
    """A renamed campaign moves what was published and what waits, and sends nothing again, tagged links or not."""
    desk.plan |= {"link": "https://serikat.example/upah", "utm": True}
    desk.queue()
    desk.publish(ALL[0])
    desk.clock.forward(hours=1)
    desk.claim("none")
    desk.plan["campaign"] = "upah-2027"
    found = desk.compare()
    assert len(found.moved) == 4
    assert (found.new, found.past, found.refused) == ([], [], [])
    desk.apply(found)
    assert desk.states()["upah-2027/pembuka/masto"] is State.PUBLISHED
    assert "utm_campaign=upah-2027" in desk.text("upah-2027/penutup/masto")
    moved = desk.ledger.delivery("upah-2027/pembuka/masto")
    assert moved is not None
    assert [one.id for one in moved.receipts] == [ALL[0]]
    found = desk.compare()
    assert (found.empty, found.past, [one for one in found.frozen if one.differs]) == (True, [], [])


def test_a_declined_move_changes_nothing(desk: Desk) -> None:
    """Without the moves, what was offered stays under its old name."""
    desk.queue()
    desk.post()["id"] = "pembukaan"
    desk.apply(desk.compare(), with_moves=False)
    assert sorted(desk.states()) == ALL
    assert set(desk.states().values()) == {State.WAITING}


@pytest.mark.parametrize("state", [State.SENDING, State.UNCERTAIN])
def test_what_is_doubtful_is_never_moved(desk: Desk, state: State) -> None:
    """What is on the wire or uncertain keeps its name; its words under a new one are refused."""
    desk.queue()
    desk.clock.at = datetime(2026, 12, 3, 1, tzinfo=UTC)
    (claim,) = desk.claim(ALL[0])
    if state is State.UNCERTAIN:
        desk.ledger.settle([Settlement(key=claim.key, token=claim.token, state=state)])
    desk.post()["id"] = "pembukaan"
    found = desk.compare()
    assert [(one.key, one.other) for one in found.refused] == [("upah/pembukaan/masto", ALL[0])]
    assert found.blocked


def test_the_same_words_are_refused(desk: Desk) -> None:
    """A new post that says what the account is about to say, or said lately, is refused with its place and the fix."""
    desk.queue()
    desk.plan["posts"].append({"id": "lagi", "at": "2026-12-09 08:00", "text": "Upah layak adalah hak."})
    found = desk.compare()
    assert [(one.key, one.other) for one in found.refused] == [
        ("upah/lagi/masto", ALL[0]),
        ("upah/lagi/tele", ALL[1]),
    ]
    with pytest.raises(InputError) as caught:
        desk.apply(found)
    problem = caught.value.problems[0]
    assert (problem.code, problem.file, problem.path) == ("P091", "plan.yaml", "posts[2]")
    assert problem.line > 1
    assert "repeat: true" in problem.fix
    desk.plan["posts"][-1]["repeat"] = True
    assert keys(desk.compare().new) == ["upah/lagi/masto", "upah/lagi/tele"]


def test_the_same_words_after_a_month(desk: Desk) -> None:
    """What went out more than 30 days ago may be said again; less than that, in whatever campaign, may not."""
    desk.plan["posts"].pop()
    desk.queue()
    desk.publish(ALL[0])
    desk.publish(ALL[1])
    desk.plan["campaign"] = "lain"
    desk.plan["posts"] = [{"id": "ulang", "at": "2027-02-01 08:00", "text": "Upah layak adalah hak."}]
    desk.clock.forward(days=29)
    assert len(desk.compare().refused) == 2
    desk.clock.forward(days=2)
    assert len(desk.compare().new) == 2


def test_the_same_words_twice_in_one_plan(desk: Desk) -> None:
    """Two new posts with the same words in one plan: the second is refused; its occurrences are not."""
    desk.plan["accounts"] = ["masto"]
    desk.plan["posts"] = [
        {"id": "ingat", "every": "daily 19:30", "from": "2026-12-03", "until": "2026-12-05", "text": "Ayo rapat."},
        {"id": "satu", "at": "2026-12-06 08:00", "text": "Ayo rapat."},
    ]
    found = desk.compare()
    assert keys(found.new) == [f"upah/ingat@2026-12-0{day}/masto" for day in (3, 4, 5)]
    assert keys(found.refused) == ["upah/satu/masto"]


def test_the_words_of_a_removed_post_are_free(desk: Desk) -> None:
    """Words that the same queue cancels elsewhere may be said at another time under another name."""
    desk.queue()
    desk.plan["posts"][0] = {"id": "geser", "at": "2026-12-04 08:00", "text": "Upah layak adalah hak."}
    found = desk.compare()
    assert (keys(found.new), keys(found.removed)) == (["upah/geser/masto", "upah/geser/tele"], ALL[:2])


@pytest.mark.parametrize(("plan", "rule"), [(1, 0), (0, 1), (1, 2), (2, 1)])
def test_what_is_queued_asks_for_the_approvals_of_plan_and_rules(desk: Desk, plan: int, rule: int) -> None:
    """The larger number counts; another number later is a change that a queue shows, and content is not."""
    desk.plan["approval"], desk.accounts["rules"] = plan, {"approval": rule}
    desk.queue()
    assert {one.approval for one in desk.ledger.deliveries()} == {max(plan, rule)}
    hashes = {one.key: one.content_hash for one in desk.ledger.deliveries()}
    desk.plan["approval"], desk.accounts["rules"] = 0, {}
    found = desk.compare()
    assert keys(found.changed) == ALL
    desk.apply(found)
    assert {one.approval for one in desk.ledger.deliveries()} == {0}
    assert {one.key: one.content_hash for one in desk.ledger.deliveries()} == hashes
    assert desk.compare().empty


def test_a_plan_without_an_author_is_refused_where_the_author_may_not_approve(desk: Desk) -> None:
    """Else the rule would be got round by leaving the name out."""
    desk.plan["approval"], desk.accounts["rules"] = 1, {"other_approver": True}
    assert [problem.code for problem in desk.compare().problems] == ["P092"]
    desk.plan["author"] = "Budi Santoso"
    desk.queue()
    assert {one.author for one in desk.ledger.deliveries()} == {"budi santoso"}


def test_the_later_embargo_counts_and_is_part_of_the_content(desk: Desk) -> None:
    """A plan's and a post's: the later; a change of it is a change of what is sent."""
    desk.queue()
    before = {one.key: one.content_hash for one in desk.ledger.deliveries()}
    desk.plan["embargo_until"] = "2026-12-01 08:00"
    desk.post()["embargo_until"] = "2026-12-01T08:00+09:00"
    desk.queue()
    found = {one.key: one for one in desk.ledger.deliveries()}
    assert {str(one.embargo) for one in found.values()} == {"2026-12-01 01:00:00+00:00"}
    assert all(one.content_hash != before[key] for key, one in found.items())


def test_an_error_in_a_changed_post_blocks(desk: Desk) -> None:
    """A changed post that is too long blocks the queue, and what is queued stays as it was."""
    desk.queue()
    desk.post()["text"] = "panjang " * 2000
    found = desk.compare()
    assert found.blocked
    with pytest.raises(InputError):
        desk.apply(found)
    assert desk.text(ALL[0]) == "Upah layak adalah hak."


def test_plan_order_is_kept_up_to_date(desk: Desk) -> None:
    """Posts of the same minute go in the order of the plan as it is now, without counting as changed."""
    desk.plan["accounts"] = ["masto"]
    for number, post in enumerate(desk.plan["posts"]):
        post |= {"at": "2026-12-03 08:00", "id": f"p{number}"}
    desk.queue()
    desk.plan["posts"].reverse()
    found = desk.compare()
    assert found.empty
    assert desk.apply(found).changed == 0
    desk.clock.at = datetime(2026, 12, 3, 1, tzinfo=UTC)
    assert [claim.key for claim in desk.claim()] == ["upah/p1/masto", "upah/p0/masto"]


def test_pictures_are_frozen_with_the_delivery(desk: Desk) -> None:
    """The prepared picture lies in the ledger: deleting the file afterwards changes nothing of what is sent."""
    header = struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + b"\xff\0\0" * 2 for _row in range(2)))
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    (desk.root / "poster.png").write_bytes(png)
    desk.post()["media"] = [{"file": "poster.png", "alt": "Poster merah"}]
    desk.queue()
    (desk.root / "poster.png").unlink()
    desk.clock.at = datetime(2026, 12, 3, 1, tzinfo=UTC)
    for claim in desk.claim(*ALL[:2]):
        picture = claim.draft.pictures[0]
        assert picture.alt == "Poster merah"
        assert len(desk.ledger.media(picture.sha256)) == picture.size


def test_an_apply_is_one_transaction(desk: Desk) -> None:
    """When anything fails in the middle, nothing at all is queued."""
    found = desk.compare()
    wanted = changes(found, media=desk.media.content)
    broken = replace(wanted, new=(*wanted.new, replace(wanted.new[0], key="upah/x/masto", media=("gone",))))
    with pytest.raises(Exception, match="gone"):
        desk.ledger.apply(broken, actor="siti")
    assert desk.states() == {}
    assert not (desk.root / "ledger.id").exists()
