"""MP4 and QuickTime files read as the nested boxes that they are: length, size, codec; and what tells of people.

ISO/IEC 14496-12. Only what is needed, by offsets into the bytes; a box that doesn't fit into its parent
ends the reading.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

_PARENTS: Final = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl"})
_TELLING: Final = frozenset({b"udta", b"meta", b"uuid"})  # places, names, cameras, XMP
_TIMES: Final = frozenset({b"mvhd", b"tkhd", b"mdhd"})  # begin with when it was made and changed
_DEEPEST: Final = 8


@dataclass(kw_only=True, slots=True)
class Film:
    """What the boxes say. ``seconds`` None = not told; ``others``: tracks that are neither picture nor sound.

    ``telling`` are the stretches (offset, length) of bytes that tell of people; ``headers`` the offsets of the boxes
    around them, whose name becomes "free".
    """

    seconds: float | None = None
    width: int = 0
    height: int = 0
    codec: str = ""
    others: int = 0
    telling: list[tuple[int, int]] = field(default_factory=list)
    headers: list[int] = field(default_factory=list)


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
        names = [box.name for box in _walk(view, 0, len(view), film=film, depth=0)]
    except (struct.error, IndexError, ValueError):
        return None
    return film if b"moov" in names else None


def without_telling(content: bytes, film: Film) -> bytes:
    """The same film, of the same length, in which nothing tells where, when and with what it was made."""
    changed = bytearray(content)
    for start, length in film.telling:
        changed[start : start + length] = bytes(length)
    for start in film.headers:
        changed[start + 4 : start + 8] = b"free"
    return bytes(changed)


def _boxes(view: memoryview, start: int, end: int) -> Iterator[_Box]:
    while start + 8 <= end:
        size, name = struct.unpack_from(">I4s", view, start)
        body = start + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", view, body)
            body += 8
        elif size == 0:
            size = end - start
        if start + size > end or start + size < body:
            raise ValueError(name)
        yield _Box(name, start, body, start + size)
        start += size


def _walk(view: memoryview, start: int, end: int, *, film: Film, depth: int) -> list[_Box]:
    """The boxes of one level; what lies below them is noted in ``film``."""
    found = list(_boxes(view, start, end))
    for box in found:
        if box.name in _TELLING:
            film.telling.append((box.body, box.end - box.body))
            film.headers.append(box.start)
        elif box.name in _TIMES:
            wide = view[box.body] == 1
            film.telling.append((box.body + 4, 16 if wide else 8))
            if box.name == b"mvhd":
                scale, length = struct.unpack_from(">IQ" if wide else ">II", view, box.body + (20 if wide else 12))
                film.seconds = length / scale if scale and length else None
        elif box.name == b"trak":
            _track(view, box, film)
        if box.name in _PARENTS and depth < _DEEPEST:
            _walk(view, box.body, box.end, film=film, depth=depth + 1)
    return found


def _track(view: memoryview, track: _Box, film: Film) -> None:
    """Size and codec of the film's first track of pictures; other tracks than pictures and sound are counted."""
    inside = {box.name: box for box in _boxes(view, track.body, track.end)}
    media = (
        {box.name: box for box in _boxes(view, inside[b"mdia"].body, inside[b"mdia"].end)} if b"mdia" in inside else {}
    )
    if b"hdlr" not in media:
        return
    kind = bytes(view[media[b"hdlr"].body + 8 : media[b"hdlr"].body + 12])
    if kind not in (b"vide", b"soun"):
        film.others += 1
    if kind != b"vide" or film.codec or b"tkhd" not in inside:
        return
    header = inside[b"tkhd"]
    matrix = struct.unpack_from(">2i", view, header.end - 44)
    width, height = (side >> 16 for side in struct.unpack_from(">2I", view, header.end - 8))
    turned = matrix[0] == 0  # by a quarter: phones hold it upright that way
    film.width, film.height = (height, width) if turned else (width, height)
    film.codec = _codec(view, media)


def _codec(view: memoryview, media: dict[bytes, _Box]) -> str:
    """The four letters of the sample description."""
    box = media.get(b"minf")
    for name in (b"stbl", b"stsd"):
        if box is None:
            return ""
        box = next((inner for inner in _boxes(view, box.body, box.end) if inner.name == name), None)
    return bytes(view[box.body + 12 : box.body + 16]).decode("latin-1") if box is not None else ""
