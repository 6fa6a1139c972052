"""What the metadata of an original picture tells: its words for the checks, its kinds for the preview."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from picture_metadata import MARKER, TELLING, jpeg

from campaign_cli.content import MediaError, MediaStore
from campaign_cli.content.pictures import described, metadata
from campaign_cli.platforms.base import Limits

PLACE = "-6.175000, 106.825000"
EXIF = {
    "EXIF ImageDescription": "RAHASIA keterangan",
    "EXIF Artist": "RAHASIA nama",
    "EXIF Copyright": "RAHASIA hak",
    "EXIF XPComment": "RAHASIA xp",
    "EXIF UserComment": "RAHASIA komentar",
    "GPS": PLACE,
    "GPS area": "RAHASIA tempat",
}
XMP = {"XMP dc:description": "RAHASIA xmp & lagi", "XMP photoshop:City": "RAHASIA kota", "GPS": PLACE}
IPTC = {"IPTC Caption": "RAHASIA caption", "IPTC By-line": "RAHASIA byline", "IPTC City": "RAHASIA city"}
TIFF = {"EXIF ImageDescription": "RAHASIA keterangan", "EXIF Artist": "RAHASIA nama"}
TEXTS = {
    "PNG Author": "RAHASIA tEXt",
    "PNG Description": "RAHASIA zTXt",
    "PNG Comment": "RAHASIA iTXt",
    "PNG Title": "RAHASIA akhir",
}
WORDS: dict[str, dict[str, str]] = {
    "a.jpg": EXIF | XMP | IPTC | {"XMP a": "RAHASIA lanjutan", "Comment": "RAHASIA jpeg"},
    "kamera.jpg": {"EXIF ImageDescription": "RAHASIA kamera"},
    "a.png": EXIF | XMP | IPTC | TEXTS,
    "a.webp": EXIF | XMP,
    "a.gif": XMP | {"Comment": "RAHASIA gif!"},
    "a.tif": TIFF | XMP | IPTC,
    "a.avif": EXIF | XMP,
    "a.heic": EXIF | XMP,
}


@pytest.mark.parametrize("file", TELLING)
def test_the_words_of_every_kind_of_metadata_are_read(tmp_path: Path, file: str) -> None:
    """EXIF, XMP, IPTC, texts and comments are told by where they stand, and the place as degrees; numbers of machines,
    such as a camera's, are not, since they look like a person's."""
    (tmp_path / file).write_bytes(TELLING[file]())
    assert described(tmp_path / file) == WORDS[file]


def test_the_words_come_by_the_name_in_the_plan(tmp_path: Path) -> None:
    """A check asks by the file's name; what is no picture says nothing, what lies elsewhere is refused."""
    store = MediaStore(tmp_path)
    (tmp_path / "a.jpg").write_bytes(jpeg())
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7 RAHASIA")
    assert store.described("a.jpg")["EXIF Artist"] == "RAHASIA nama"
    assert store.described("a.pdf") == {}
    for file in ("../a.jpg", "absent.jpg"):
        with pytest.raises(MediaError):
            store.described(file)


@pytest.mark.parametrize("make", TELLING.values(), ids=TELLING)
def test_a_file_cut_anywhere_is_read_as_far_as_it_goes(tmp_path: Path, make: Callable[[], bytes]) -> None:
    """A damaged picture ends the reading where it is damaged, and nothing breaks."""
    content, path = make(), tmp_path / "a"
    for length in range(0, len(content), max(1, len(content) // 40)):
        path.write_bytes(content[:length])
        metadata(path)


@pytest.mark.parametrize("make", TELLING.values(), ids=TELLING)
def test_a_file_cut_anywhere_is_said_to_be_broken(tmp_path: Path, make: Callable[[], bytes]) -> None:
    """Whatever the reader stumbles over, the officer is told that the picture is broken, or it is shown as it is."""
    content = make()
    for length in range(0, len(content), max(1, len(content) // 40)):
        (tmp_path / f"{length}").write_bytes(content[:length])
        with suppress(MediaError):
            MediaStore(tmp_path).picture(f"{length}", alt="", limits=Limits(text=500, unit="characters"))


@pytest.mark.parametrize("file", TELLING)
def test_a_file_with_wrong_bytes_tells_what_it_can(tmp_path: Path, file: str) -> None:
    """Bytes changed, lost, doubled: it is read, or said to be broken, and no metadata is in what is sent."""
    content, chance = TELLING[file](), Random(file)
    for number in range(40):
        changed = bytearray(content)
        for _wrong in range(chance.choice((1, 3, 9))):
            place = chance.randrange(len(changed))
            piece = chance.choice((b"", b"\xff" * 4, b"\0" * 4, changed[place : place + 40] * 2, chance.randbytes(2)))
            changed[place : place + chance.randrange(1, 9)] = piece
        (tmp_path / f"{number}").write_bytes(bytes(changed))
        described(tmp_path / f"{number}")
        store = MediaStore(tmp_path)
        with suppress(MediaError):
            picture = store.picture(f"{number}", alt="", limits=Limits(text=500, unit="characters"))
            assert MARKER not in store.content(picture.sha256)
