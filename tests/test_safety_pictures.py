"""Pictures: whether the people on them agreed, and what their files tell beside what is seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from content_helpers import ACCOUNTS, Folder, codes
from picture_metadata import chunk, drawn, heic, jpeg, tiff
from PIL import Image

from campaign_cli.checks import Examined
from campaign_cli.models import Problem

REMOVED = "It is removed from what is sent; the file in your folder still has it."
POST = "accounts: [mastodon]\nposts:\n  - id: satu\n    at: 2026-12-03 08:00\n    text: Halo\n"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    (tmp_path / "media").mkdir()
    for name in ("a", "b", "c"):
        drawn().save(tmp_path / "media" / f"{name}.png")
    return made


def safety_of(examined: Examined) -> list[Problem]:
    return [problem for problem in examined.problems if problem.code.startswith("S")]


def media(*items: str) -> str:
    return POST + "    media:\n" + "".join(f"      - {{{item}, alt: Poster}}\n" for item in items)


def test_consent_is_asked_for(folder: Folder) -> None:
    """A picture about which nothing is written is a hint at its file."""
    (problem,) = safety_of(folder.plan(media("file: media/a.png")))
    assert (problem.code, problem.severity) == ("S014", "hint")
    assert (problem.file, problem.line, problem.column) == ("plan.yaml", 10, 16)
    assert problem.path == "posts[0].media[0].file"
    assert problem.message == "Can members be recognised on this picture, and have they agreed?"
    assert problem.fix == (
        "Write consent: true if they have, or if nobody can be recognised; else use another picture."
    )


def test_no_consent_blocks(folder: Folder) -> None:
    """consent: false is an error at that word, wherever it is written."""
    (problem,) = safety_of(folder.plan(media("file: media/a.png, consent: false")))
    assert (problem.code, problem.severity) == ("S015", "error")
    assert (problem.line, problem.column, problem.path) == (10, 38, "posts[0].media[0].consent")
    assert problem.message == "The people on this picture have not agreed to be seen."
    assert problem.fix == "Use another picture, or make their faces unrecognisable and write: consent: true"


def test_it_is_asked_once_for_each_file(folder: Folder) -> None:
    """One answer counts for the whole plan; a refusal is told at every place."""
    assert safety_of(folder.plan(media("file: media/a.png, consent: true"))) == []
    asked = folder.plan(media("file: media/a.png", "file: media/a.png", "file: media/b.png"))
    assert [problem.path for problem in safety_of(asked)] == ["posts[0].media[0].file", "posts[0].media[2].file"]
    answered = folder.plan(media("file: media/a.png", "file: media/a.png, consent: true"))
    assert safety_of(answered) == []
    refused = folder.plan(media(*["file: media/a.png, consent: false"] * 2, "file: media/a.png"))
    assert [problem.path for problem in safety_of(refused)] == [
        "posts[0].media[0].consent",
        "posts[0].media[1].consent",
    ]


def test_only_pictures_that_are_shown(folder: Folder) -> None:
    """Those of the variant of an account; what no account shows is not asked about."""
    body = """\
        accounts: [mastodon, langit]
        posts:
          - id: satu
            at: 2026-12-03 08:00
            text: Halo
            media: [{file: media/a.png, alt: A}]
            variants:
              mastodon: {media: [{file: media/b.png, alt: B}]}
              langit: {media: []}
              web: {media: [{file: media/c.png, alt: C}]}
          - id: dua
            at: 2026-12-04 08:00
            text: Dua
            variants:
              mastodon: {media: [{file: media/c.png, alt: C}]}
        """
    assert [problem.path for problem in safety_of(folder.plan(body))] == [
        "posts[0].variants.mastodon.media[0].file",
        "posts[1].variants.mastodon.media[0].file",
    ]


def exif(**fields: str) -> Image.Exif:
    block = Image.Exif()
    numbers = {"description": 0x010E, "artist": 0x013B, "copyright": 0x8298, "model": 0x0110}
    for name, text in fields.items():
        block[numbers[name]] = text
    return block


def telling(folder: Folder, block: Image.Exif) -> list[Problem]:
    """What is said of a picture with this EXIF block."""
    drawn().save(folder.root / "media" / "a.jpg", exif=block)
    return safety_of(folder.plan(media("file: media/a.jpg, consent: true")))


def test_where_it_was_taken(folder: Folder) -> None:
    """A position is a warning at the file; the position itself is not repeated."""
    block = exif()
    block.get_ifd(0x8825).update({1: "S", 2: (6.0, 10.0, 30.0), 3: "E", 4: (106.0, 49.0, 30.0)})
    (problem,) = telling(folder, block)
    assert (problem.code, problem.severity) == ("S016", "warning")
    assert (problem.line, problem.column, problem.path) == (10, 16, "posts[0].media[0].file")
    assert problem.message == "The file of this picture tells where it was taken (GPS)."
    assert problem.fix == REMOVED


def test_personal_data_in_the_file(folder: Folder) -> None:
    """A number or a protected name in a caption is a warning that names the field alone."""
    folder.write("accounts.yaml", ACCOUNTS + "protected: [Budi Santoso]\npublic_contacts: [redaksi@serikat.example]\n")
    (problem,) = telling(folder, exif(description="WA 0812-0000-1234"))
    assert (problem.code, problem.severity, problem.path) == ("S017", "warning", "posts[0].media[0].file")
    assert problem.message == "The file of this picture holds personal data (EXIF ImageDescription)."
    assert problem.fix == REMOVED
    (problem,) = telling(folder, exif(artist="Budi Santoso"))
    assert problem.code == "S017"
    assert problem.message == "The file of this picture holds personal data (EXIF Artist)."
    assert telling(folder, exif(description="redaksi@serikat.example")) == []


def test_somebody_is_named(folder: Folder) -> None:
    """Who took it is a hint; a description without names or numbers is nothing, nor is the camera."""
    (problem,) = telling(folder, exif(artist="Tim Media", copyright="Tim Media", description="Aksi", model="X100"))
    assert (problem.code, problem.severity, problem.path) == ("S018", "hint", "posts[0].media[0].file")
    assert problem.message == "The file of this picture names somebody (EXIF Artist, EXIF Copyright)."
    assert problem.fix == REMOVED
    assert telling(folder, exif(description="Aksi di depan istana", model="X100")) == []


@pytest.mark.parametrize("make", [jpeg, tiff, heic])
def test_files_of_phones_and_cameras(folder: Folder, make: object) -> None:
    """JPEG, TIFF and HEIC tell alike; words that somebody chose for a field's name are not repeated."""
    assert callable(make)
    folder.write("media/a.foto", make())
    problems = safety_of(folder.plan(media("file: media/a.foto, consent: true")))
    assert [problem.code for problem in problems] == ["S016", "S018"]
    assert not [problem for problem in problems if "RAHASIA" in problem.message]


def test_names_of_fields_are_not_repeated(folder: Folder) -> None:
    """The keyword of a PNG text is whatever somebody wrote."""
    content = (folder.root / "media" / "a.png").read_bytes()
    text = chunk(b"tEXt", b"Author Budi Santoso\0x") + chunk(b"tEXt", b"Author 2\0y")
    folder.write("media/a.png", content[:-12] + text + content[-12:])
    (problem,) = safety_of(folder.plan(media("file: media/a.png, consent: true")))
    assert problem.message == "The file of this picture names somebody (PNG)."


def test_each_file_is_told_once(folder: Folder) -> None:
    """The same picture in two posts is one finding, at its first place."""
    drawn().save(folder.root / "media" / "a.jpg", exif=exif(artist="Tim"))
    items = media("file: media/a.jpg, consent: true", "file: media/a.jpg, consent: true")
    assert [problem.path for problem in safety_of(folder.plan(items))] == ["posts[0].media[0].file"]


def test_a_picture_that_can_not_be_read(folder: Folder) -> None:
    """It is told where it is made ready, and nothing more is said of it."""
    examined = folder.plan(media("file: media/nihil.jpg, consent: true"))
    assert codes(examined) == ["M002"]
