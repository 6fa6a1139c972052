"""WebM files read as the nested elements that they are (RFC 8794, RFC 9559): length, size, codec; and what tells of
people, which is emptied in place: no byte moves."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from campaign_cli.content.boxes import Film

_SEGMENT, _CLUSTER, _INFO, _TRACKS, _TRACK, _VIDEO = 0x18538067, 0x1F43B675, 0x1549A966, 0x1654AE6B, 0xAE, 0xE0
_VOID, _CHECKSUM = 0xEC, 0xBF
_CLUSTERED: Final = frozenset({0xE7, 0xA3, 0xA0, 0xA7, 0xAB, 0x5854})
"""What lies in a cluster; seen beside it where a cluster doesn't say how long it is."""
_KEPT: Final = _CLUSTERED | {0x1A45DFA3, _SEGMENT, _CLUSTER, _INFO, _TRACKS, 0x114D9B74, 0x1C53BB6B}
_KINDS: Final = {0x1254C367: "tag", 0x7BA9: "tag", 0x7384: "tag", 0x4461: "time", 0x536E: "tag"}
_PROGRAMS: Final = frozenset({0x4D80, 0x5741})  # which must be there, if only as an empty text
_CODECS: Final = {b"V_VP8": "vp8", b"V_VP9": "vp9", b"V_AV1": "av1"}


@dataclass(frozen=True, slots=True)
class _Element:
    name: int
    start: int
    body: int
    end: int


def read_webm(content: bytes | memoryview) -> Film | None:
    """What a WebM file says of itself; None where its elements can't be read, or show nothing."""
    film = Film()
    view = memoryview(content)
    try:
        for element in _elements(view, 0, len(view)):
            if element.name == _INFO:
                _info(view, element, film)
            elif element.name == _TRACKS:
                for track in _elements(view, element.body, element.end):
                    _track(view, track, film)
            elif element.name not in _KEPT:
                _void(view, element, film)
    except (IndexError, ValueError, struct.error):
        return None
    return film if film.codec else None


def _elements(view: memoryview, start: int, end: int) -> Iterator[_Element]:
    """The elements of one level; those of a segment, and of a cluster without an end, follow as if beside it."""
    while start < end:
        length = 9 - view[start].bit_length()
        name = int.from_bytes(view[start : start + length], "big")
        at = start + length
        width = 9 - view[at].bit_length()
        size = int.from_bytes(view[at : at + width], "big") - (1 << (7 * width))
        endless, body = size == (1 << (7 * width)) - 1, at + width
        if length > 4 or width > 8 or (body + size > end and not endless):
            raise ValueError(start)
        inner = name == _SEGMENT or (endless and name == _CLUSTER)
        if endless and not inner:
            raise ValueError(start)
        yield _Element(name, start, body, end if endless else body + size)
        start = body if inner else body + size


def _void(view: memoryview, element: _Element, film: Film) -> None:
    """Put filling in an element's place, and say what it was."""
    film.voids.append((element.start, element.end))
    if element.name == _VOID and not any(view[element.body : element.end]):
        return
    if element.name == 0x1254C367 and b"LOCATION" in bytes(view[element.body : element.end]).upper():
        film.removed["gps"] += 1
    elif element.name != _CHECKSUM:  # of what has changed
        film.removed[_KINDS.get(element.name, "other")] += 1


def _info(view: memoryview, info: _Element, film: Film) -> None:
    unit, length = 1_000_000, 0.0  # nanoseconds, units
    for element in _elements(view, info.body, info.end):
        value = bytes(view[element.body : element.end])
        if element.name == 0x2AD7B1:
            unit = int.from_bytes(value, "big")
        elif element.name == 0x4489:
            (length,) = struct.unpack(">d" if len(value) == 8 else ">f", value)
        elif element.name in _PROGRAMS:
            film.telling.append((element.body, len(value)))
        else:
            _void(view, element, film)
    seconds = length * unit / 1e9
    film.seconds = seconds if 0 < seconds < 1e6 else None


def _track(view: memoryview, track: _Element, film: Film) -> None:
    """Size and codec of the first track of pictures; tracks of other things lie among the pictures, and stay."""
    if track.name != _TRACK:
        _void(view, track, film)
        return
    inside = list(_elements(view, track.body, track.end))
    for element in inside:
        if element.name in (0x536E, _VOID, _CHECKSUM):
            _void(view, element, film)
    facts = {element.name: bytes(view[element.body : element.end]) for element in inside}
    kind = facts.get(0x83, b"")
    film.hidden |= kind not in (b"\1", b"\2")
    if kind != b"\1" or film.codec:
        return
    film.codec = _CODECS.get(facts.get(0x86, b""), facts.get(0x86, b"").decode("latin-1"))
    for element in inside:
        if element.name == _VIDEO:
            numbers = _numbers(view, element)
            film.width, film.height = numbers.get(0xB0, 0), numbers.get(0xBA, 0)


def _numbers(view: memoryview, parent: _Element) -> dict[int, int]:
    """The elements of one level as numbers."""
    inside = _elements(view, parent.body, parent.end)
    return {each.name: int.from_bytes(view[each.body : each.end], "big") for each in inside}
