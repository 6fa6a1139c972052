"""What is asked of every picture is asked of a video's thumbnail, too: it is what most people see."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from content_helpers import Folder
from films import film
from picture_metadata import jpeg
from PIL import Image

from campaign_cli.models import Problem

BASE = "posts[0].variants.youtube.thumbnail"
FAMILIES = ("S014", "S015", "S016", "S017", "S018", "E007", "E008", "E009")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.write("accounts.yaml", "accounts: {kanal: {platform: youtube, channel: '@contoh', token: 'env:YT'}}\n")
    made.write("media/aksi.mp4", film())
    made.write("media/sampul.jpg", plain())
    return made


def plain() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (64, 36), "red").save(buffer, "JPEG")
    return buffer.getvalue()


def told(folder: Folder, thumbnail: str, *, text: str = "Upah layak") -> list[tuple[str, str]]:
    """Code and path of what is said of the thumbnail."""
    return [(one.code, one.path) for one in problems(folder, thumbnail, text=text)]


def problems(folder: Folder, thumbnail: str, *, text: str = "Upah layak") -> list[Problem]:
    examined = folder.plan(
        f"accounts: [kanal]\nposts:\n  - id: satu\n    at: 2026-12-03 08:00\n    text: {text}\n"
        "    media: [{file: media/aksi.mp4, alt: Massa, consent: true}]\n"
        f"    variants:\n      youtube: {{title: Upah, thumbnail: {thumbnail}}}\n"
    )
    return [one for one in examined.problems if one.code in FAMILIES or one.severity == "error"]


def test_consent_is_asked_where_it_can_be_answered(folder: Folder) -> None:
    """A name alone says nothing; the fix shows the form that does. No is an error."""
    (problem,) = problems(folder, "media/sampul.jpg")
    assert (problem.code, problem.severity, problem.path) == ("S014", "hint", BASE)
    assert "thumbnail: {file: media/sampul.jpg, consent: true}" in problem.fix
    assert told(folder, "{file: media/sampul.jpg}") == [("S014", f"{BASE}.file")]
    assert told(folder, "{file: media/sampul.jpg, consent: true}") == []
    assert told(folder, "{file: media/sampul.jpg, consent: false}") == [("S015", f"{BASE}.consent")]


def test_what_its_file_tells_is_told(folder: Folder) -> None:
    """The place in the original stays in the workspace's folder."""
    folder.write("media/sampul.jpg", jpeg())
    for thumbnail, path in (
        ("media/sampul.jpg", BASE),
        ("{file: media/sampul.jpg, consent: true}", f"{BASE}.file"),
    ):
        assert {("S016", path), ("S018", path)} <= set(told(folder, thumbnail))


def test_a_thumbnail_is_labelled_and_credited(folder: Folder) -> None:
    """What a machine or somebody else made is said to those who watch."""
    ours = "{file: media/sampul.jpg, consent: true"
    assert told(folder, f"{ours}, origin: ai}}") == [("E007", f"{BASE}.origin")]
    assert told(folder, f"{ours}, origin: ai}}", text="Sampul dibuat dengan AI") == []
    assert told(folder, f"{ours}, origin: other}}") == [("E008", f"{BASE}.origin")]
    assert told(folder, f"{ours}, origin: other, credit: Ani Contoh}}") == [("E009", f"{BASE}.credit")]
    assert told(folder, f"{ours}, origin: other, credit: Ani Contoh}}", text="Foto Ani Contoh") == []


def test_both_forms_are_the_same_picture(folder: Folder) -> None:
    """What is sent does not depend on how it is written; a key that doesn't exist is an error."""
    plan = (
        "accounts: [kanal]\nposts:\n  - id: satu\n    at: 2026-12-03 08:00\n    text: Upah\n"
        "    media: [{file: media/aksi.mp4, alt: Massa}]\n"
        "    variants:\n      youtube: {title: Upah, thumbnail: FORM}\n"
    )
    drafts = [
        folder.draft(plan.replace("FORM", form), "kanal").to_json()
        for form in ("media/sampul.jpg", "{file: media/sampul.jpg, consent: true}")
    ]
    assert drafts[0] == drafts[1]
    assert "sampul" in drafts[0]
    assert ("P020", f"{BASE}.alt") in told(folder, "{file: media/sampul.jpg, alt: Sampul}")
    assert ("M101", f"{BASE}.file") in told(folder, "{file: media/tiada.jpg}")
