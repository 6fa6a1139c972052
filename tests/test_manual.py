"""What a person posts by hand: laid out once at its minute, told once, settled by that person alone."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import Campaign
from platform_helpers import NOW, PNG, Network, failure_of, parts, picture, sending
from pydantic import ValidationError
from staged import Staged, soon
from test_rehearsal import perform

from campaign_cli.dispatch.by_hand import folder_name, lay_out
from campaign_cli.dispatch.notify import compose
from campaign_cli.dispatch.options import LEASE
from campaign_cli.errors import HandedOver, Rejected, Unavailable
from campaign_cli.i18n import use_language
from campaign_cli.ledger import open_ledger
from campaign_cli.models import Receipt, State
from campaign_cli.plan import open_workspace
from campaign_cli.platforms.manual import platform
from campaign_cli.report.requests import requests_of
from tests.fault_helpers import LATE_GRACE, Scene, open_theatre
from tests.stage_helpers import png

SETTINGS = {"to": "Grup WhatsApp Anggota", "share": "whatsapp"}
KEY = "upah/pembuka/grup"
TEXT = "Upah layak & hak.\nBaca https://contoh.example/upah?a=1 #UpahLayak"


def handed(text: str = TEXT, *, share: str = "whatsapp", **more: Any) -> tuple[HandedOver, dict[str, bytes]]:
    """What publishing ends with, and the files that were laid out."""
    files: dict[str, bytes] = {}
    item = sending(platform, Network(), settings={**SETTINGS, "share": share}, secrets={}, content=parts(text, **more))

    async def hand_over(laid_out: Any) -> str:
        files.update(laid_out)
        return "out/manual/x"

    item.hand_over = hand_over
    failure = asyncio.run(failure_of(platform.publish(item)))
    assert isinstance(failure, HandedOver)
    return failure, files


def test_everything_is_laid_out_and_a_person_is_told() -> None:
    """The text as it is, the files in their order, their alt texts, the link; the notice holds all that it takes."""
    failure, files = handed(media=[picture(), picture(alt="Foto aksi", mime="image/jpeg", name="aksi.jpg")])
    assert list(files) == ["text.txt", "01.png", "02.jpg", "alt.txt", "link.txt"]
    assert files["text.txt"].decode() == TEXT
    assert files["01.png"] == PNG
    assert files["alt.txt"].decode() == "01.png: Poster aksi\n02.jpg: Foto aksi\n"
    assert "Grup WhatsApp Anggota" in failure.message
    assert "out/manual/x" in failure.message
    assert TEXT in failure.notice
    assert failure.message in failure.notice
    assert files["link.txt"].decode().strip() in failure.notice


@pytest.mark.parametrize("language", ["id", "en"])
def test_a_wrong_choice_is_told_in_the_readers_language(tmp_path: Path, language: str) -> None:
    """What may be written stands there without words of another language."""
    text = "accounts:\n  grup: {platform: manual, to: Grup, share: signal, timezone: WIB, language: id}\n"
    (tmp_path / "accounts.yaml").write_text(text, encoding="utf-8")
    use_language(language)
    _workspace, problems = open_workspace(tmp_path)
    (problem,) = [one for one in problems if one.severity == "error"]
    assert problem.message.endswith(": whatsapp, telegram, none.")


def test_a_share_link_opens_with_the_text() -> None:
    """WhatsApp takes the text; Telegram a link and the words around it, or the text alone."""
    _failure, files = handed()
    link = urlsplit(files["link.txt"].decode().strip())
    assert (link.netloc, parse_qs(link.query)) == ("wa.me", {"text": [TEXT]})
    _failure, files = handed(share="telegram")
    link = urlsplit(files["link.txt"].decode().strip())
    assert (link.netloc, link.path) == ("t.me", "/share/url")
    assert parse_qs(link.query) == {
        "url": ["https://contoh.example/upah?a=1"],
        "text": ["Upah layak & hak.\nBaca #UpahLayak"],
    }
    _failure, files = handed("Tanpa tautan", share="telegram")
    assert parse_qs(urlsplit(files["link.txt"].decode()).query) == {"url": ["Tanpa tautan\n".strip()]}
    failure, files = handed(share="none")
    assert "link.txt" not in files
    assert "http" not in failure.notice.replace(TEXT, "")


def test_without_a_person_nothing_is_laid_out() -> None:
    """An adapter that is given no port refuses."""
    item = sending(platform, Network(), settings=SETTINGS, secrets={})
    assert isinstance(asyncio.run(failure_of(platform.publish(item))), Rejected)


def test_nothing_can_be_asked_read_or_deleted() -> None:
    """And the check says what will happen."""
    item, receipt = (
        sending(platform, Network(), settings=SETTINGS, secrets={}),
        Receipt(part=0, id="k", url=None, at=NOW),
    )
    looked = asyncio.run(platform.look_up(item, NOW))
    assert (looked.found, looked.complete) == ((), False)
    assert asyncio.run(platform.read_back(item, receipt)) is None
    assert isinstance(asyncio.run(failure_of(platform.delete(item, receipt))), Rejected)
    found = asyncio.run(platform.check(item))
    assert (found.identity, found.handle) == ("grup whatsapp anggota", "Grup WhatsApp Anggota")
    assert "out/manual" in found.notes[0]


@pytest.mark.parametrize("settings", [{}, {"to": " "}, {"to": "Grup", "share": "signal"}, {"to": "Grup", "url": "x"}])
def test_settings_name_a_place(settings: dict[str, str]) -> None:
    """A place, and a share link that is known."""
    with pytest.raises(ValidationError):
        platform.Settings.model_validate(settings)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_is_its_owners_alone(tmp_path: Path) -> None:
    """0700 and 0600, whatever the umask is."""
    before = os.umask(0)
    try:
        folder = tmp_path / lay_out(tmp_path, KEY, {"text.txt": b"satu", "01.jpg": b"gambar"})
    finally:
        os.umask(before)
    assert folder == tmp_path / "out/manual/upah_pembuka_grup"
    assert (mode(folder), mode(folder.parent)) == (0o700, 0o700)
    assert {mode(path) for path in folder.iterdir()} == {0o600}
    assert (folder / "text.txt").read_bytes() == b"satu"


def test_doing_it_again_replaces_ours_alone(tmp_path: Path) -> None:
    """What we wrote before is replaced or goes; a note that a person put there stays."""
    first = tmp_path / lay_out(tmp_path, KEY, {"text.txt": b"satu", "01.jpg": b"a", "02.jpg": b"b"})
    (first / "catatan.txt").write_text("sudah saya cek")
    again = tmp_path / lay_out(tmp_path, KEY, {"text.txt": b"dua", "01.jpg": b"c"})
    assert again == first
    assert sorted(path.name for path in first.iterdir()) == [".campaign.json", "01.jpg", "catatan.txt", "text.txt"]
    assert (first / "text.txt").read_bytes() == b"dua"
    assert (first / "catatan.txt").read_text() == "sudah saya cek"


def test_what_is_not_ours_is_never_touched(tmp_path: Path) -> None:
    """Another delivery's folder of the same name, a person's folder, a link to elsewhere, a person's file in ours."""
    place = tmp_path / "out/manual"
    elsewhere = tmp_path / "rumah"
    elsewhere.mkdir()
    (elsewhere / "text.txt").write_text("milik orang")
    place.mkdir(parents=True)
    (place / "upah_pembuka_grup").symlink_to(elsewhere)
    (place / "upah_pembuka_grup-2").mkdir()
    (place / "upah_pembuka_grup-2/text.txt").write_text("milik orang")
    third = tmp_path / lay_out(tmp_path, "upah_pembuka/x/grup".replace("x/", ""), {"text.txt": b"lain"})
    assert third.name == "upah_pembuka_grup-3"
    fourth = tmp_path / lay_out(tmp_path, KEY, {"text.txt": b"kita"})
    assert fourth.name == "upah_pembuka_grup-4"
    (fourth / "01.jpg").write_text("milik orang")
    fifth = tmp_path / lay_out(tmp_path, KEY, {"text.txt": b"kita", "01.jpg": b"kita"})
    assert fifth.name == "upah_pembuka_grup-5"
    for path in (elsewhere / "text.txt", place / "upah_pembuka_grup-2/text.txt", fourth / "01.jpg"):
        assert path.read_text() == "milik orang"
    assert (third / "text.txt").read_bytes() == b"lain"


def test_a_folder_that_was_begun_is_gone_on_with(tmp_path: Path) -> None:
    """A crash after the folder was made, or in the middle of its files, leaves no second one."""
    (tmp_path / "out/manual/upah_pembuka_grup").mkdir(parents=True)
    assert lay_out(tmp_path, KEY, {"text.txt": b"satu"}) == folder_name(KEY)
    (tmp_path / folder_name(KEY) / "text.txt").unlink()
    assert lay_out(tmp_path, KEY, {"text.txt": b"satu"}) == folder_name(KEY)


def test_a_place_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    """Nothing was told to anybody, so it simply waits."""
    (tmp_path / "out").write_text("a file")
    with pytest.raises(Unavailable) as caught:
        lay_out(tmp_path, KEY, {"text.txt": b"satu"})
    assert caught.value.fix


def test_strange_keys_stay_in_their_folder(tmp_path: Path) -> None:
    """An occurrence's sign may stand in a name; nothing leads out of the folder."""
    assert folder_name("upah/pengingat@2026-12-07.2/grup") == "out/manual/upah_pengingat@2026-12-07.2_grup"
    folder = (tmp_path / lay_out(tmp_path, "../../x y/..", {"text.txt": b"satu"})).resolve()
    assert folder.parent == (tmp_path / "out/manual").resolve()


def test_preview_shows_what_will_be_laid_out() -> None:
    """No request; the files, and where they will lie."""
    item = sending(platform, Network(), settings=SETTINGS, secrets={}, content=parts(TEXT, media=[picture()]))
    (shown,) = asyncio.run(
        requests_of(item.draft, account=item.account, key=KEY, due=item.due, content=lambda _digest: PNG)
    )
    assert shown.url == "out/manual/upah_pembuka_grup"
    assert shown.body["text.txt"] == TEXT
    assert shown.body["01.png"].startswith("‹poster.png")
    assert shown.creating is False


POST = '  - id: kabar\n    at: "{at}"\n    accounts: [grup]\n    text: "Rapat anggota malam ini."\n'
ACCOUNT = '  grup: {platform: manual, to: "Grup Anggota", share: whatsapp, timezone: WIB}\n'


def fall_due(campaign: Campaign, stage: Staged, post: str, key: str) -> None:
    """Queue a post for the account by hand (or another one) and let it be due now."""
    accounts = stage.root / "accounts.yaml"
    accounts.write_text(accounts.read_text(encoding="utf-8").replace("accounts:\n", f"accounts:\n{ACCOUNT}", 1))
    assert campaign("queue", stage.plan(post.format(at=soon(days=1))), "--yes").code == 0
    assert campaign("cancel", key, "--yes").code == 0
    assert campaign("retry", key, "--yes").code == 0


def status_of(campaign: Campaign) -> dict[str, Any]:
    (found,) = json.loads(campaign("status", "--json").out)["deliveries"]
    return dict(found)


@pytest.fixture
def due(campaign: Campaign, stage: Staged) -> Staged:
    """A workspace with one post by hand that is due now, and was published by a pass."""
    fall_due(campaign, stage, POST, "plan/kabar/grup")
    ran = campaign("publish")
    assert ran.code == 4
    assert "Waiting for a person" in ran.out + ran.err
    return stage


def test_it_waits_for_a_person(campaign: Campaign, due: Staged) -> None:
    """Uncertain with the reason, laid out in the folder, told once, and not tried again; then it is settled."""
    before = status_of(campaign)
    assert (before["state"], before["attempts"]) == ("uncertain", 1)
    assert "out/manual/plan_kabar_grup" in before["error"]
    assert (due.root / "out/manual/plan_kabar_grup/text.txt").read_text() == "Rapat anggota malam ini."
    assert campaign("publish").code == 0
    assert status_of(campaign) == before
    with open_ledger(due.root, clock=lambda: NOW) as ledger:
        notices = ledger.take_notices()
        assert [(one.key, one.kind) for one in notices] == [("plan/kabar/grup", State.UNCERTAIN)]
        assert ledger.take_notices() == []
    _title, body = compose(notices)
    for wanted in ("Rapat anggota malam ini.", "https://wa.me/?text=Rapat", "campaign resolve plan/kabar/grup"):
        assert wanted in body
    assert campaign("resolve", "plan/kabar/grup", "--published").code == 0
    after = status_of(campaign)
    assert after["state"] == "published"
    assert [(len(receipt["id"]), receipt["url"]) for receipt in after["receipts"]] == [(40, None)]


def test_a_permalink_is_kept_where_there_is_one(campaign: Campaign, due: Staged) -> None:
    """A Story or a TikTok has an address."""
    url = "https://www.tiktok.example/@contoh/video/7"
    assert campaign("resolve", "plan/kabar/grup", "--published", url).code == 0
    assert [receipt["url"] for receipt in status_of(campaign)["receipts"]] == [url]


def test_what_a_person_did_not_post_is_laid_out_again(campaign: Campaign, due: Staged) -> None:
    """--not-published lets it fall due anew, with a new notice."""
    assert campaign("resolve", "plan/kabar/grup", "--not-published", "--at", "now").code == 0
    assert campaign("publish").code == 4
    assert status_of(campaign)["state"] == "uncertain"
    with open_ledger(due.root, clock=lambda: NOW) as ledger:
        assert len(ledger.take_notices()) == 1
    assert [path.name for path in (due.root / "out/manual").iterdir()] == ["plan_kabar_grup"]


def test_a_hold_keeps_it_back(campaign: Campaign, stage: Staged) -> None:
    """Nothing is laid out, nobody is told."""
    fall_due(campaign, stage, POST, "plan/kabar/grup")
    assert campaign("hold", "--account", "grup", "--reason", "duka").code == 0
    assert campaign("publish").code == 5
    assert status_of(campaign)["state"] == "waiting"
    assert not (stage.root / "out").exists()


def test_a_network_with_addresses_wants_one(campaign: Campaign, stage: Staged) -> None:
    """--published without URL is for networks that give none."""
    fall_due(campaign, stage, POST.replace("grup", "papua"), "plan/kabar/papua")
    stage.misbehave("telegram:accept-then-drop:1")
    assert campaign("publish").code == 4
    ran = campaign("resolve", "plan/kabar/papua", "--published")
    assert ran.code == 2
    assert "address" in ran.out + ran.err
    assert status_of(campaign)["state"] == "uncertain"


def test_a_crash_before_it_was_written_down_lays_it_out_again(tmp_path: Path) -> None:
    """A process that died with the files in place has told nobody: the next one does, once."""
    empty = tmp_path / "kosong"
    empty.mkdir()
    with open_theatre(empty) as theatre:
        scene = Scene(tmp_path / "scene", theatre, "manual", ["grup"])
        try:
            key = scene.queue("grup", "Rapat")
            claimed = scene.ledger.claim(
                worker="mati:1",
                limit=1,
                per_account=5,
                lease=LEASE,
                late_grace=LATE_GRACE,
                marked=list(scene.workspace.accounts),
            )
            assert [claim.key for claim in claimed.claims] == [key]
            folder = scene.root / lay_out(scene.root, key, {"text.txt": b"Rapat"})
            asyncio.run(scene.clock.sleep(LEASE.total_seconds() + 1))
            assert scene.settle() == []
            delivery = scene.deliveries()["grup/kabar"]
            assert (delivery.state, delivery.next_try) == (State.UNCERTAIN, None)
            assert "Waiting for a person" in delivery.error
            assert [path.name for path in folder.parent.iterdir()] == [folder.name]
            assert [one.key for one in scene.ledger.take_notices()] == [key]
        finally:
            scene.close()


def test_a_rehearsal_plays_the_person_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It counts as arrived, on time, with its pictures; the workspace stays as it was, and no notice goes out."""
    root = tmp_path / "workspace"
    (tmp_path / "scratch").mkdir()
    root.mkdir()
    (root / "accounts.yaml").write_text(f"accounts:\n{ACCOUNT}")
    (root / "poster.png").write_bytes(png(400, 300))
    (root / "plan.yaml").write_text(
        "campaign: upah\ntimezone: WIB\nday: 2026-12-10\nlanguage: id\naccounts: [grup]\nposts:\n"
        "  - id: a\n    at: H 08:00\n    text: Turun bersama.\n    media: [{file: poster.png, alt: Poster}]\n"
    )
    done = perform(root)
    (row,) = done.rows
    assert (row.state, row.differences, done.strays, done.faithful) == (State.PUBLISHED, (), (), True)
    assert row.at is not None
    assert 0 <= (row.at - row.planned).total_seconds() < 10
    assert (done.outcome.published, done.outcome.uncertain) == (1, 0)


def test_the_rehearsal_counts_what_a_person_has_to_do(campaign: Campaign, stage: Staged) -> None:
    """The summary says it, and all is well: exit 0."""
    accounts = stage.root / "accounts.yaml"
    accounts.write_text(accounts.read_text(encoding="utf-8").replace("accounts:\n", f"accounts:\n{ACCOUNT}", 1))
    ran = campaign("rehearse", stage.plan(POST.format(at=soon(days=1))))
    assert ran.code == 0, ran.err
    assert "1 of them has to be posted by a person." in ran.out.replace("\n", " ")
    assert not (stage.root / "out").exists()
