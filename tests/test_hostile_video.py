"""Films that tell in every way that boxes allow, and tools that hang, lie or are gone."""

from __future__ import annotations

import json
import struct
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from films import box, film, track
from test_video import SAID, TAKES, failing, tool

from campaign_cli.content import MediaStore, video
from campaign_cli.content.boxes import read_film, without_telling
from campaign_cli.content.samples import sample_ranges
from campaign_cli.content.video import Tools

MARK = b"RAHASIA"
PLAYED = b"gambar yang dimainkan"


def bare(content: bytes) -> tuple[bytes, dict[str, int]]:
    """The film without what tells, and what was taken out; as long as it was."""
    found = read_film(content)
    assert found is not None
    made = without_telling(content, found)
    assert len(made) == len(content)
    again = read_film(made)
    assert again is not None
    assert (again.seconds, again.width, again.height, again.codec) == (
        found.seconds,
        found.width,
        found.height,
        found.codec,
    )
    assert +again.removed == {}
    return made, dict(+found.removed)


def moov_of(content: bytes) -> tuple[bytes, bytes, bytes]:
    """What lies before the index, the index, and what lies behind it."""
    start = content.index(b"moov") - 4
    end = start + int.from_bytes(content[start : start + 4], "big")
    return content[:start], content[start:end], content[end:]


def inside(content: bytes, parent: bytes, more: bytes) -> bytes:
    """The film with another box at the end of its first box of a name, and every size around it made right."""
    at = content.index(parent) - 4
    end = at + int.from_bytes(content[at : at + 4], "big")
    changed = bytearray(content[:end] + more + content[end:])
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
        place = content.index(name) - 4
        if place <= at:
            size = int.from_bytes(changed[place : place + 4], "big") + len(more)
            changed[place : place + 4] = size.to_bytes(4, "big")
        if name == parent:
            break
    return bytes(changed)


XYZ = box(b"\xa9xyz", struct.pack(">HH", 7, 0), MARK)
ITEM = box(b"ilst", box(b"\0\0\0\1", MARK))


@pytest.mark.parametrize(
    ("more", "kinds"),
    [
        (box(b"udta", XYZ, box(b"\xa9nam", MARK), box(b"XMP_", MARK)), {"gps": 1, "tag": 1, "xmp": 1}),
        (box(b"udta", box(b"meta", bytes(4), ITEM)), {"tag": 1}),
        (box(b"udta", box(b"loci", bytes(6), MARK)), {"gps": 1}),
        (box(b"meta", box(b"keys", b"com.apple.quicktime.location.ISO6709"), ITEM), {"gps": 1}),
        (box(b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac"), MARK), {"xmp": 1}),
        (box(b"uuid", bytes(16), MARK), {"other": 1}),
        (box(b"free", MARK), {"other": 1}),
        (box(b"skip", bytes(9)), {}),
        (box(b"RHS!", MARK), {"other": 1}),
    ],
    ids=[
        "a place",
        "a title",
        "a 3GPP place",
        "Apple's place",
        "XMP",
        "somebody's box",
        "filled filling",
        "empty filling",
        "unknown",
    ],
)
@pytest.mark.parametrize("parent", [b"", b"moov", b"trak", b"mdia", b"minf", b"stbl"])
def test_whatever_playing_does_not_need_is_emptied(parent: bytes, more: bytes, kinds: dict[str, int]) -> None:
    """At every level, whatever it is called; what is played stays."""
    whole = film(place=b"", seconds=3, turned=True)
    whole = inside(whole, parent, more) if parent else whole + more
    made, removed = bare(whole + box(b"mdat", PLAYED))
    usual = {"time": 1, "gps": 1}  # which ``film`` says itself
    assert removed == {kind: usual.get(kind, 0) + kinds.get(kind, 0) for kind in usual | kinds}
    assert MARK not in made
    assert PLAYED in made


def test_names_of_programs_and_folders_are_emptied() -> None:
    """The handler's name, the camera that coded the pictures, and where the film lay on somebody's disk."""
    entry = box(b"avc1", bytes(42), MARK.ljust(32, b"!"), bytes(4))
    assert entry.index(MARK) == 50
    whole = film(place=b"")
    old = box(b"stsd", bytes(4), struct.pack(">I", 1), box(b"avc1", bytes(8)))
    short = len(entry) - 16
    first, second = whole.split(old, 1)
    whole = first + box(b"stsd", bytes(4), struct.pack(">I", 1), entry) + second
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
        at = whole.index(name) - 4
        size = int.from_bytes(whole[at : at + 4], "big") + short
        whole = whole[:at] + size.to_bytes(4, "big") + whole[at + 4 :]
    whole = inside(whole, b"minf", box(b"dinf", box(b"dref", bytes(7), b"\1", box(b"alis", b"\0\0\0\1", MARK))))
    whole = inside(whole, b"minf", box(b"hdlr", bytes(8), b"url ", b"appl", bytes(8), MARK))
    made, _removed = bare(whole)
    assert whole.count(MARK) == 3
    assert MARK not in made
    found = read_film(made)
    assert found is not None
    assert found.codec == "avc1"


def test_the_index_may_lie_behind_the_pictures() -> None:
    """As cameras write it: it is found and emptied, and with it what they put behind everything."""
    head, index, rest = moov_of(film(seconds=7.5, place=MARK))
    long = struct.pack(">I4sQ", 1, b"mdat", 16 + len(PLAYED)) + PLAYED
    made, removed = bare(head + rest + long + index + b"SEFH" + MARK)
    assert removed == {"gps": 1, "time": 1, "appended": 1}
    assert MARK not in made
    assert PLAYED in made
    to_the_end = struct.pack(">I4s", 0, b"mdat") + PLAYED
    assert PLAYED in bare(head + index + to_the_end)[0]


def sampled(kind: bytes, codec: bytes, chunks: list[int], tables: list[bytes]) -> bytes:
    """A track whose samples lie in chunks at these offsets."""
    whole = track(kind, codec=codec)
    more = b"".join(tables) + box(b"stco", bytes(4), struct.pack(f">{len(chunks) + 1}I", len(chunks), *chunks))
    changed = whole + more
    for name in (b"trak", b"mdia", b"minf", b"stbl"):
        at = changed.index(name) - 4
        size = int.from_bytes(changed[at : at + 4], "big") + len(more)
        changed = changed[:at] + size.to_bytes(4, "big") + changed[at + 4 :]
    return changed


def sizes(width: int, *each: int) -> bytes:
    """The table of the bytes of each sample, in entries of so many bits."""
    count = struct.pack(">I", len(each))
    if width == 32:
        return box(b"stsz", bytes(8), count, struct.pack(f">{len(each)}I", *each))
    packed = {
        16: struct.pack(f">{len(each)}H", *each),
        8: bytes(each),
        4: bytes(high << 4 | low for high, low in zip(each[::2], [*each[1::2], 0], strict=False)),
    }[width]
    return box(b"stz2", bytes(7), bytes([width]), count, packed)


@pytest.mark.parametrize("width", [32, 16, 8, 4])
def test_a_track_of_places_is_emptied_with_all_that_it_holds(tmp_path: Path, width: int) -> None:
    """What an action camera noted every second lies between the pictures: there it is blanked, and they stay."""
    groups = box(b"stsc", bytes(4), struct.pack(">I6I", 2, 1, 2, 1, 2, 1, 1))  # two samples, then one in a chunk
    tables = [groups, sizes(width, 7, 7, 7)]
    places = [len(film(more=sampled(b"meta", b"gpmd", [0, 0], tables))) - 16 + offset for offset in (3, 30)]
    whole = film(more=sampled(b"meta", b"gpmd", places, tables), place=b"")
    base = places[0] - 3 - len(film()) + len(film(place=b""))
    whole = film(more=sampled(b"meta", b"gpmd", [base + 3, base + 30], tables), place=b"")
    store = b"AAA" + MARK * 2 + b"B" * 13 + MARK + b"CCC"
    whole = whole[:-24] + box(b"mdat", store)
    assert whole[base : base + 3] == b"AAA"
    (tmp_path / "a.mp4").write_bytes(whole)
    prepared = MediaStore(tmp_path).prepared("a.mp4", TAKES)
    made = MediaStore(tmp_path)
    content = made.content(made.picture("a.mp4", alt="", limits=TAKES).sha256)
    assert prepared.clean
    assert dict(prepared.removed) == {"gps": 2, "time": 1, "track": 1}
    assert content.endswith(b"AAA" + bytes(14) + b"B" * 13 + bytes(7) + b"CCC")
    assert b"gpmd" not in content


def test_a_table_can_not_empty_what_is_no_sample() -> None:
    """Offsets that lead to the index, behind the end, or over each other without end, touch the store alone, once."""
    tables = {
        b"stsc": memoryview(bytes(4) + struct.pack(">I3I", 1, 1, 2**32 - 1, 1)),
        b"stsz": memoryview(bytes(4) + struct.pack(">II", 2**31, 2**32 - 1)),
        b"stco": memoryview(bytes(4) + struct.pack(">I", 5000) + struct.pack(">5000I", *range(5000))),
    }
    assert sample_ranges(tables, [(100, 120), (200, 210)]) == [(100, 20), (200, 10)]
    lying = {b"stsz": memoryview(bytes(8) + struct.pack(">I", 2**32 - 1)), b"stco": tables[b"stco"]}
    assert sample_ranges(lying, [(100, 120)]) == []
    assert sample_ranges({}, [(0, 10)]) == []


def test_a_film_in_fragments_with_a_track_of_data_may_still_tell(tmp_path: Path) -> None:
    """There the places stand in indexes of their own: only ffmpeg takes them out, which is said."""
    fragment = box(b"moof", box(b"mfhd", bytes(8)), box(b"traf", box(b"tfhd", bytes(8)), box(b"udta", MARK)))
    whole = film(more=sampled(b"meta", b"gpmd", [], [])) + fragment
    assert MARK not in bare(whole)[0]
    (tmp_path / "a.mp4").write_bytes(whole)
    assert not MediaStore(tmp_path).prepared("a.mp4", TAKES).clean


@pytest.mark.parametrize("place", range(0, 700, 7))
def test_a_film_with_a_wrong_byte_is_read_or_refused(place: int) -> None:
    """Whatever stands where a size or a name should be, nothing breaks."""
    content = bytearray(film(more=sampled(b"meta", b"gpmd", [9], [sizes(16, 4)])))
    for wrong in (0, 1, 0x7F, 0xFF):
        changed = bytes(content[:place]) + bytes([wrong] * 4) + bytes(content[place + 4 :])
        found = read_film(changed)
        if found is not None:
            assert len(without_telling(changed, found)) == len(changed)


def stream(**facts: Any) -> str:
    return json.dumps({**SAID, "streams": [{**SAID["streams"][1], **facts}]})  # type: ignore[index, dict-item]


@pytest.mark.parametrize(
    "said",
    [
        "[" * 60_000,
        "null",
        '{"streams": null}',
        '{"streams": ["video"]}',
        stream(side_data_list=["miring"]),
        stream(side_data_list=[{"rotation": "miring"}]),
        stream(side_data_list=5),
        stream(width=None),
        stream(width=1).replace('"width": 1', '"width": 1e999'),
    ],
    ids=[
        "deep",
        "null",
        "no streams",
        "a word",
        "words for sides",
        "a word for a turn",
        "a number of sides",
        "no width",
        "infinite",
    ],
)
def test_what_a_tool_says_may_be_anything(tmp_path: Path, said: str) -> None:
    """Then the film can't be used, with its name, and nothing breaks."""
    (tmp_path / "said").write_text(said)
    ffprobe = tool(tmp_path, "ffprobe", f"/bin/cat {tmp_path}/said")
    (tmp_path / "a.mp4").write_bytes(film())
    error = failing(MediaStore(tmp_path, tools=Tools(ffprobe=ffprobe)), "a.mp4")
    assert error.code == "M121"
    assert "a.mp4" in error.message


@pytest.mark.parametrize("length", ["nan", "inf", "-5", "0", "N/A", "1e300"])
def test_a_length_that_is_none_is_not_known(tmp_path: Path, length: str) -> None:
    """It is neither stored nor compared."""
    said = json.dumps({**SAID, "format": {"duration": length}})
    ffprobe = tool(tmp_path, "ffprobe", f"echo '{said}'")
    (tmp_path / "a.mp4").write_bytes(film())
    store = MediaStore(tmp_path, tools=Tools(ffprobe=ffprobe))
    assert store.picture("a.mp4", alt="", limits=TAKES).seconds is None


@pytest.mark.parametrize("name", ["ffmpeg", "ffprobe"])
def test_a_tool_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """After its time, and the officer is told how long that was."""
    monkeypatch.setattr(video, "_PROBE_SECONDS", 0.1)
    monkeypatch.setattr(video, "_COPY_SECONDS", 0.1)
    (tmp_path / "a.mp4").write_bytes(film())
    tools = Tools(**{name: tool(tmp_path, name, "exec /bin/sleep 600")})
    error = failing(MediaStore(tmp_path, tools=tools), "a.mp4")
    assert error.code == "M121"
    assert "longer than 0.1 seconds" in error.message


@pytest.mark.parametrize("name", ["ffmpeg", "ffprobe"])
def test_a_tool_that_is_gone_is_named(tmp_path: Path, name: str) -> None:
    """The film is not blamed for it."""
    (tmp_path / "a.mp4").write_bytes(film())
    error = failing(MediaStore(tmp_path, tools=Tools(**{name: str(tmp_path / name)})), "a.mp4")
    assert f"{name} can't be run" in error.message


def test_a_tool_that_writes_nothing_is_no_film(tmp_path: Path) -> None:
    """Success without a file is a failure."""
    (tmp_path / "a.mp4").write_bytes(film())
    error = failing(MediaStore(tmp_path, tools=Tools(ffmpeg=tool(tmp_path, "ffmpeg", "exit 0"))), "a.mp4")
    assert error.code == "M121"


def test_the_same_film_gives_the_same_bytes() -> None:
    """Twice emptied is once emptied."""
    first = bare(film())[0]
    assert all(left == right for left, right in pairwise([first, bare(first)[0], bare(bare(first)[0])[0]]))


def test_a_broken_film_is_told_in_the_words_of_the_reader(tmp_path: Path) -> None:
    """Not in those of a tool, of whose lines the first says why and the others what follows from it."""
    failed = tool(
        tmp_path, "ffmpeg", "echo 'Stream map matches no streams.' >&2; echo 'To ignore this, add ?' >&2; exit 1"
    )
    store = MediaStore(tmp_path, tools=Tools(ffmpeg=failed))
    (tmp_path / "a.mp4").write_bytes(film()[:60])
    assert "its parts can't be read" in failing(store, "a.mp4").message
    (tmp_path / "b.mp4").write_bytes(film())
    assert "matches no streams" in failing(store, "b.mp4").message
