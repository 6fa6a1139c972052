"""MP4 and QuickTime files read as the nested boxes that they are: length, size, codec; and what tells of people.

ISO/IEC 14496-12. What playing needs is known and stays; everything else is emptied in place, whatever it is called, and
no byte moves. A box that doesn't fit into its parent ends the reading.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from campaign_cli.content.samples import sample_ranges

_KEPT: Final = {
    b"": frozenset(b"ftyp styp moov mdat moof mfra sidx ssix pdin".split()),
    b"moov": frozenset(b"mvhd trak mvex iods".split()),
    b"trak": frozenset(b"tkhd edts mdia tapt".split()),
    b"mdia": frozenset(b"mdhd hdlr minf elng".split()),
    b"minf": frozenset(b"vmhd smhd nmhd gmhd hdlr dinf stbl".split()),
    b"stbl": frozenset(b"stsd stts ctts cslg stss stps stsc stsz stz2 stco co64 sdtp sbgp sgpd subs padb".split()),
    b"dinf": frozenset((b"dref",)),
    b"mvex": frozenset(b"mehd trex leva".split()),
    b"moof": frozenset(b"mfhd traf".split()),
    b"traf": frozenset(b"tfhd tfdt trun sbgp sgpd subs".split()),
}
"""What may lie in a box of this name (the empty one is the file)."""
_TIMES: Final = frozenset({b"mvhd", b"tkhd", b"mdhd"})  # begin with when it was made and changed
_FILLING: Final = frozenset({b"free", b"skip", b"wide"})
_PLACES: Final = frozenset({b"\xa9xyz", b"loci", b"gps ", b"GPS "})
_TRACKS_OF_PLACES: Final = frozenset({"gpmd", "camm", "gps "})
_SEEN: Final = 1024 * 1024  # bytes of a box that are looked at to say what it was
_XMP: Final = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


@dataclass(kw_only=True, slots=True)
class Film:
    """What the boxes say. ``seconds`` None = not told.

    ``telling`` are the stretches (offset, length) of bytes that tell of people; ``headers`` the offsets of the boxes
    around them, whose name becomes "free"; ``removed`` how much of which kind that is (see ``models.Picture``).
    ``hidden``: there is a track of data whose bytes can't be found.
    """

    seconds: float | None = None
    width: int = 0
    height: int = 0
    codec: str = ""
    hidden: bool = False
    telling: list[tuple[int, int]] = field(default_factory=list)
    headers: list[int] = field(default_factory=list)
    voids: list[tuple[int, int]] = field(default_factory=list)  # whole elements of WebM (start, end)
    removed: Counter[str] = field(default_factory=Counter)
    stores: list[tuple[int, int]] = field(default_factory=list)  # where pictures and sound lie
    parted: bool = False  # in fragments, each with its own index


@dataclass(frozen=True, slots=True)
class _Box:
    name: bytes
    start: int  # of its header
    body: int
    end: int


def read_film(content: bytes | memoryview) -> Film | None:
    """What an MP4 or QuickTime file says of itself; None where its boxes can't be read."""
    film = Film()
    view = memoryview(content)
    try:
        found = list(_boxes(view, 0, len(view), file=True))
        film.stores = [(box.body, box.end) for box in found if box.name == b"mdat"]
        film.parted = any(box.name == b"moof" for box in found)
        _walk(view, found, film=film, parent=b"")
    except (struct.error, IndexError, ValueError):
        return None
    end = found[-1].end if found else 0
    if any(view[end:]):  # behind the last box
        film.telling.append((end, len(view) - end))
        film.removed["appended"] += 1
    return film if any(box.name == b"moov" for box in found) else None


def without_telling(content: bytes, film: Film) -> bytes:
    """The same film, of the same length, in which nothing tells where, when and with what it was made."""
    changed = bytearray(content)
    for start, length in film.telling:
        changed[start : start + length] = bytes(length)
    for start in film.headers:
        changed[start + 4 : start + 8] = b"free"
    for start, end in film.voids:
        length = end - start
        head = b"\xec" + ((1 << 56) + length - 9).to_bytes(8, "big") if length >= 9 else bytes((0xEC, 0x7E + length))
        changed[start:end] = head + bytes(length - len(head))
    return bytes(changed)


def _boxes(view: memoryview, start: int, end: int, *, file: bool = False) -> Iterator[_Box]:
    """The boxes of one level. ValueError where one doesn't fit; what phones put behind a ``file`` needn't be one."""
    while start + 8 <= end:
        size, name = struct.unpack_from(">I4s", view, start)
        body = start + 8
        if size == 1 and body + 8 <= end:
            (size,) = struct.unpack_from(">Q", view, body)
            body += 8
        elif size == 0 and file and name in _KEPT[b""]:  # to the end of the file
            size = end - start
        if start + size > end or start + size < body:
            if file and name not in _KEPT[b""]:
                return
            raise ValueError(name)
        yield _Box(name, start, body, start + size)
        start += size


def _walk(view: memoryview, found: list[_Box], *, film: Film, parent: bytes) -> None:
    """The boxes of one level; what lies below them is noted in ``film``."""
    for box in found:
        if box.name not in _KEPT[parent]:
            _empty(view, box, film)
            continue
        if box.name == b"trak" and not _track(view, box, film):
            continue
        if box.name in _TIMES:
            _times(view, box, film)
        elif box.name == b"hdlr":  # a name in words, after kind and maker
            film.telling.append((box.body + 12, box.end - box.body - 12))
        elif box.name == b"stsd":
            _programs(view, box, film)
        elif box.name == b"dref":  # where the film lay on somebody's disk
            film.telling += [
                (inner.body + 4, inner.end - inner.body - 4) for inner in _boxes(view, box.body + 8, box.end)
            ]
        elif box.name in _KEPT:
            _walk(view, list(_boxes(view, box.body, box.end)), film=film, parent=box.name)


def _empty(view: memoryview, box: _Box, film: Film) -> None:
    """Blank a box, and say what it was."""
    inside = bytes(view[box.body : min(box.end, box.body + _SEEN)])
    film.telling.append((box.body, box.end - box.body))
    if box.name not in _FILLING:
        film.headers.append(box.start)
        film.removed.update(_kinds(box.name, inside))
    elif any(inside):
        film.removed["other"] += 1


def _kinds(name: bytes, inside: bytes) -> Iterator[str]:
    """What a box with telling content holds: one kind for each entry."""
    if name == b"uuid" and inside.startswith(_XMP):
        yield "xmp"
    elif name == b"udta":
        at = 0
        while at + 8 <= len(inside):
            size, inner = struct.unpack_from(">I4s", inside, at)
            if size < 8:
                return
            yield from _kinds(inner, inside[at + 8 : at + size]) if inner in (b"meta", b"uuid") else (_kind_of(inner),)
            at += size
    elif name == b"meta":
        yield "gps" if b"location" in inside or b"\xa9xyz" in inside else "tag"
    elif name in _PLACES:
        yield "gps"
    elif name != b"tref":  # which track belongs to which
        yield "other"


def _kind_of(name: bytes) -> str:
    return "gps" if name in _PLACES else "xmp" if name == b"XMP_" else "tag"


def _times(view: memoryview, box: _Box, film: Film) -> None:
    wide = view[box.body] == 1
    start, length = box.body + 4, 16 if wide else 8
    if any(view[start : start + length]):
        film.removed["time"] = 1
    film.telling.append((start, length))
    if box.name == b"mvhd":
        scale, units = struct.unpack_from(">IQ" if wide else ">II", view, box.body + (20 if wide else 12))
        film.seconds = units / scale if scale and units else None


def _programs(view: memoryview, box: _Box, film: Film) -> None:
    """The name of the program or camera that coded the pictures: 32 bytes of each description."""
    for entry in _boxes(view, box.body + 8, box.end):
        if entry.end - entry.start >= 86 and film.codec.encode("latin-1") == entry.name:
            film.telling.append((entry.start + 50, 32))


def _track(view: memoryview, track: _Box, film: Film) -> bool:
    """Whether a track is of pictures or sound; any other one is emptied, with all that it holds of the file."""
    inside = {box.name: box for box in _boxes(view, track.body, track.end)}
    media = (
        {box.name: box for box in _boxes(view, inside[b"mdia"].body, inside[b"mdia"].end)} if b"mdia" in inside else {}
    )
    if b"hdlr" not in media:
        return True
    kind = bytes(view[media[b"hdlr"].body + 8 : media[b"hdlr"].body + 12])
    samples = _sample_tables(view, media)
    if kind not in (b"vide", b"soun"):
        film.removed["track"] += 1
        film.removed["gps"] += _codec(samples) in _TRACKS_OF_PLACES
        film.hidden |= film.parted or not samples.keys() & {b"stco", b"co64"}
        film.telling += [*sample_ranges(samples, film.stores), (track.body, track.end - track.body)]
        film.headers.append(track.start)
        return False
    if kind != b"vide" or film.codec or b"tkhd" not in inside:
        return True
    header = inside[b"tkhd"]
    matrix = struct.unpack_from(">2i", view, header.end - 44)
    width, height = (side >> 16 for side in struct.unpack_from(">2I", view, header.end - 8))
    turned = matrix[0] == 0  # by a quarter: phones hold it upright that way
    film.width, film.height = (height, width) if turned else (width, height)
    film.codec = _codec(samples)
    return True


def _sample_tables(view: memoryview, media: dict[bytes, _Box]) -> dict[bytes, memoryview]:
    """The boxes of a track's sample table, without their headers."""
    box = media.get(b"minf")
    if box is not None:
        box = next((inner for inner in _boxes(view, box.body, box.end) if inner.name == b"stbl"), None)
    return {inner.name: view[inner.body : inner.end] for inner in _boxes(view, box.body, box.end)} if box else {}


def _codec(tables: dict[bytes, memoryview]) -> str:
    """The four letters of the sample description."""
    return bytes(tables[b"stsd"][12:16]).decode("latin-1") if b"stsd" in tables else ""
