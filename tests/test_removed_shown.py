"""What was removed from a picture is shown: kinds and counts, never what it said; and it is no part of what is sent."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import Campaign
from picture_metadata import TELLING, jpeg
from refusals import HEAD, workspace
from report_helpers import account, draft

from campaign_cli.content import MediaStore
from campaign_cli.ledger.words import body_hash
from campaign_cli.models import Draft, Picture
from campaign_cli.platforms.base import Limits
from campaign_cli.report.words import removed_text

LIMITS = Limits(text=500, unit="characters")
POST = "  - {id: satu, at: H-1 08:00, text: Halo, media: [{file: a.jpg, alt: Aksi}, {file: b.png, alt: Poster}]}\n"
SHOWN = (
    "GPS position, 18 EXIF fields, 2 maker notes, 4 IPTC fields, 2 XMP packets, 2 thumbnails, 1 comment, "
    "1 further picture, colour profile, data behind the end, 1 other block"
)
KINDS: dict[str, dict[str, int]] = {
    "a.jpg": {
        **{"gps": 12, "exif": 18, "maker_note": 2, "iptc": 4, "xmp": 2, "thumbnail": 2, "comment": 1, "picture": 1},
        **{"profile": 1, "appended": 1, "other": 1},
    },
    "kamera.jpg": {"exif": 1, "thumbnail": 1},
    "a.png": {
        **{"gps": 7, "exif": 9, "maker_note": 1, "iptc": 4, "xmp": 1, "thumbnail": 1, "text": 4, "time": 1},
        **{"profile": 1, "appended": 1, "other": 1},
    },
    "a.webp": {"gps": 7, "exif": 9, "maker_note": 1, "xmp": 1, "profile": 1, "appended": 1, "other": 1},
    "a.gif": {"gps": 2, "xmp": 1, "comment": 1, "appended": 1, "other": 1},
    "a.tif": {"gps": 6, "exif": 2, "iptc": 4, "xmp": 1, "profile": 1, "picture": 1},
    "a.avif": {"gps": 7, "exif": 8, "maker_note": 1, "xmp": 1, "profile": 1},
    "a.heic": {"gps": 7, "exif": 9, "maker_note": 1, "xmp": 1, "profile": 1},
}


def prepared(root: Path, file: str, content: bytes) -> Picture:
    (root / file).write_bytes(content)
    return MediaStore(root).picture(file, alt="Aksi", limits=LIMITS)


@pytest.mark.parametrize("file", TELLING)
def test_every_kind_that_was_removed_is_counted(tmp_path: Path, file: str) -> None:
    """By name, with its number; the same from the folder of what was made before."""
    made = prepared(tmp_path, file, TELLING[file]())
    assert dict(made.removed) == KINDS[file]
    for _run in range(2):
        store = MediaStore(tmp_path, cache=tmp_path / "cache")
        assert store.picture(file, alt="Aksi", limits=LIMITS) == made


def test_a_bare_picture_has_nothing_removed(tmp_path: Path) -> None:
    """What was prepared once is bare."""
    made = prepared(tmp_path, "a.jpg", jpeg())
    store = MediaStore(tmp_path)
    store.picture("a.jpg", alt="Aksi", limits=LIMITS)
    assert prepared(tmp_path, "b.jpg", store.content(made.sha256)).removed == ()


def test_the_words_name_the_place_first() -> None:
    """Each kind with its number, in words."""
    one = Picture(sha256="0" * 64, name="a.jpg", mime="image/jpeg", size=1, width=1, height=1, alt="")
    assert removed_text(one) == ""
    assert removed_text(replace(one, removed=tuple(sorted(KINDS["a.jpg"].items())))) == SHOWN
    counts = {"exif": 1, "text": 2, "time": 1, "tag": 3, "track": 1}
    words = "1 EXIF field, 2 text chunks, 3 video tags, time of making, 1 data track"
    assert removed_text(replace(one, removed=tuple(counts.items()))) == words


def test_the_preview_shows_what_was_removed(campaign: Campaign, tmp_path: Path) -> None:
    """In the terminal, on the page and as JSON, of the plan and of what is queued; a bare picture has no such line,
    and not a word of what was removed is there."""
    workspace(tmp_path)
    (tmp_path / "a.jpg").write_bytes(jpeg())
    prepared(tmp_path, "b.jpg", jpeg())
    bare = MediaStore(tmp_path)
    (tmp_path / "b.png").write_bytes(bare.content(bare.picture("b.jpg", alt="", limits=LIMITS).sha256))
    (tmp_path / "plan.yaml").write_text(HEAD + POST)
    assert campaign("queue", "plan.yaml", "--yes").code == 0
    for more in ((), ("--queued",)):
        shown = campaign("preview", "plan.yaml", *more).out
        assert " ".join(line.strip("│ ") for line in shown.splitlines()).count(f"Removed: {SHOWN}") == 1
        campaign("preview", "plan.yaml", "--html", "preview.html", *more)
        page = (tmp_path / "preview.html").read_text()
        assert page.count(f"<b>Removed</b> (a.jpg): {SHOWN}</p>") == 1
        assert "(b.jpg):" in page
        told = campaign("preview", "plan.yaml", "--json", *more).out
        media = json.loads(told)["posts"][0]["draft"]["parts"][0]["media"]
        assert [each["removed"] for each in media] == [KINDS["a.jpg"], {}]
        for said in (shown, page, told):
            assert "RAHASIA" not in said
            assert "106.8" not in said


def test_what_was_removed_is_no_part_of_what_is_sent() -> None:
    """Approvals, repeats and keys see the same post, whatever the original told; a stored draft comes back whole."""
    due = datetime(2026, 12, 3, 1, 0, tzinfo=UTC)
    bare = Picture(sha256="0" * 64, name="a.jpg", mime="image/jpeg", size=1, width=1, height=1, alt="")
    telling = replace(bare, removed=(("exif", 3), ("gps", 4)))
    first, second = (draft(account(), "Aksi", media=(one,)) for one in (bare, telling))
    assert first != second
    assert first.content_hash(due) == second.content_hash(due)
    assert body_hash(first) == body_hash(second)
    for one in (first, second):
        assert Draft.from_json(one.to_json()) == one
    assert '"removed":{"exif":3,"gps":4}' in second.to_json()
    assert "removed" not in first.to_json()
