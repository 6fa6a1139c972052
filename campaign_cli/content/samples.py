"""Where in an MP4 or QuickTime file the samples of a track lie (ISO/IEC 14496-12, sections 8.6.1 to 8.7.5)."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate

_Range = tuple[int, int]


def sample_ranges(tables: Mapping[bytes, memoryview], stores: Sequence[_Range]) -> list[_Range]:
    """The stretches (offset, length) of a track's samples, as far as they lie in ``stores`` (start, end): the places
    where a file keeps samples. ``tables`` are the boxes of its sample table by name, without their headers.

    Raises struct.error where a table is shorter than it says.
    """
    chunks = list(_chunks(tables))
    merged: list[list[int]] = []
    for start, end in sorted((start, start + length) for start, length in chunks if length):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    found = []
    for lowest, highest in stores:
        for start, end in merged:
            if start < highest and end > lowest:
                found.append((max(start, lowest), min(end, highest) - max(start, lowest)))
    return found


def _chunks(tables: Mapping[bytes, memoryview]) -> Iterator[_Range]:
    """Each chunk of samples: where it begins, and its bytes."""
    bytes_of = _sums(tables)
    groups = list(struct.iter_unpack(">III", _entries(tables.get(b"stsc"), 12)))
    firsts = [first for first, _count, _description in groups]
    sample = 0
    for number, (offset,) in enumerate(_offsets(tables), 1):
        group = bisect_right(firsts, number) - 1
        count = groups[group][1] if group >= 0 else 0
        yield offset, bytes_of(sample + count) - bytes_of(sample)
        sample += count


def _offsets(tables: Mapping[bytes, memoryview]) -> Iterator[tuple[int]]:
    if b"co64" in tables:
        return struct.iter_unpack(">Q", _entries(tables[b"co64"], 8))
    return struct.iter_unpack(">I", _entries(tables.get(b"stco"), 4))


def _sums(tables: Mapping[bytes, memoryview]) -> Callable[[int], int]:
    """A function from a number of samples to the bytes of the first so many."""
    table = tables.get(b"stsz")
    if table is None:  # stz2, of small samples: half bytes, bytes or pairs of bytes
        return _small_sums(tables.get(b"stz2"))
    size, count = struct.unpack_from(">II", table, 4)
    if size:
        return lambda number: size * min(number, count)
    sums = [0, *accumulate(size for (size,) in struct.iter_unpack(">I", _entries(table, 4, at=8)))]
    return lambda number: sums[min(number, len(sums) - 1)]


def _small_sums(table: memoryview | None) -> Callable[[int], int]:
    if table is None:
        return lambda _number: 0
    width, count = struct.unpack_from(">xxxBI", table, 4)
    body = bytes(table[12 : 12 + (count * width + 7) // 8])
    if width == 16:
        sizes = [size for (size,) in struct.iter_unpack(">H", body[: len(body) // 2 * 2])]
    elif width == 4:
        sizes = [half for pair in body for half in (pair >> 4, pair & 15)]
    else:
        sizes = list(body)
    sums = [0, *accumulate(sizes)]
    return lambda number: sums[min(number, len(sums) - 1)]


def _entries(table: memoryview | None, width: int, *, at: int = 4) -> memoryview:
    """The entries of a table that begins with their count, at ``at``; as many as are there."""
    if table is None:
        return memoryview(b"")
    (count,) = struct.unpack_from(">I", table, at)
    body = table[at + 4 : at + 4 + count * width]
    return body[: len(body) // width * width]
