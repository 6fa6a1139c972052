"""WebM without ffmpeg: its length, size and codec are read, and what it tells of people is emptied in place."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from test_video import TAKES

from campaign_cli.content import MediaStore
from campaign_cli.content.boxes import without_telling
from campaign_cli.content.ebml import read_webm

MARK = b"RAHASIA"
PLAYED = b"gambar yang dimainkan"


def element(name: int, *content: bytes, endless: bool = False) -> bytes:
    """An element with what lies in it; an endless one doesn't say how long it is."""
    inside = b"".join(content)
    size = b"\x01" + b"\xff" * 7 if endless else (0x4000 | len(inside)).to_bytes(2, "big")
    return name.to_bytes((name.bit_length() + 7) // 8, "big") + size + inside


def webm(*more: bytes, endless: bool = False, track: bytes = b"", info: bytes = b"") -> bytes:
    """A film of VP9 and Opus, of 61.5 seconds."""
    head = element(0x1A45DFA3, element(0x4282, b"webm"))
    facts = element(0x2AD7B1, (1_000_000).to_bytes(3, "big")) + element(0x4489, struct.pack(">d", 61_500.0))
    video = element(0xE0, element(0xB0, (1280).to_bytes(2, "big")), element(0xBA, (720).to_bytes(2, "big")))
    pictures = element(0xAE, element(0x83, b"\1"), element(0x86, b"V_VP9"), video, element(0x536E, MARK))
    sound = element(0xAE, element(0x83, b"\2"), element(0x86, b"A_OPUS"))
    cluster = element(0x1F43B675, element(0xE7, b"\0"), element(0xA3, PLAYED), endless=endless)
    return head + element(
        0x18538067,
        element(0x1549A966, facts, element(0x4D80, MARK), element(0x5741, MARK), info),
        element(0x1654AE6B, pictures, sound, track),
        cluster,
        cluster,
        *more,
        endless=endless,
    )


@pytest.mark.parametrize("endless", [False, True])
def test_nothing_in_a_webm_tells_of_people(tmp_path: Path, endless: bool) -> None:
    """Tags, titles, dates, attachments, chapters and filling; also where a recorder left the lengths open."""
    told = [
        element(0x1254C367, element(0x7373, element(0x67C8, element(0x45A3, b"LOCATION"), element(0x4487, MARK)))),
        element(0x1254C367, MARK),
        element(0x1941A469, MARK),
        element(0x1043A770, MARK),
        element(0xEC, MARK),
        element(0xEC, bytes(30)),
    ]
    info = element(0x7BA9, MARK) + element(0x4461, bytes(8)) + element(0xBF, MARK[:4]) + element(0x7384, b"")
    content = webm(*told, endless=endless, info=info)
    (tmp_path / "a.webm").write_bytes(content)
    store = MediaStore(tmp_path)
    picture = store.picture("a.webm", alt="", limits=TAKES)
    made = store.content(picture.sha256)
    assert (picture.seconds, picture.width, picture.height, picture.mime) == (61.5, 1280, 720, "video/webm")
    assert dict(picture.removed) == {"gps": 1, "tag": 4, "time": 1, "other": 3}
    assert MARK not in made
    assert made.count(PLAYED) == 2
    assert len(made) == len(content)
    prepared = store.prepared("a.webm", TAKES)
    assert (prepared.clean, prepared.codec) == (True, "vp9")
    again = read_webm(made)
    assert again is not None
    assert (again.seconds, again.width, again.codec, +again.removed) == (61.5, 1280, "vp9", {})


def test_tracks_of_other_things_may_still_tell(tmp_path: Path) -> None:
    """They lie among the pictures: only ffmpeg takes them out, which is said."""
    (tmp_path / "a.webm").write_bytes(webm(track=element(0xAE, element(0x83, b"\x21"), element(0x86, b"D_WEBVTT"))))
    assert not MediaStore(tmp_path).prepared("a.webm", TAKES).clean


@pytest.mark.parametrize("place", range(0, 300, 3))
def test_a_webm_with_a_wrong_byte_is_read_or_passed_over(place: int) -> None:
    """Whatever stands where a name or a length should be, nothing breaks and nothing moves."""
    content = webm(element(0x1254C367, MARK))
    for wrong in (0, 1, 0x40, 0xFF):
        changed = content[:place] + bytes([wrong] * 2) + content[place + 2 :]
        for cut in (changed, changed[:place]):
            found = read_webm(cut)
            if found is not None:
                assert len(without_telling(cut, found)) == len(cut)
