"""Small films made by hand: the boxes of MP4 and QuickTime, with as much in them as a test needs."""

from __future__ import annotations

import hashlib
import struct

from campaign_cli.models import Picture

PLACE = b"-06.1754+106.8272/"


def box(name: bytes, *content: bytes) -> bytes:
    """A box with what lies in it."""
    inside = b"".join(content)
    return struct.pack(">I4s", 8 + len(inside), name) + inside


def track(kind: bytes, *, codec: bytes = b"avc1", width: int = 0, height: int = 0, turned: bool = False) -> bytes:
    """A track of pictures (vide), sound (soun) or something else."""
    one = 0x10000
    matrix = (0, one, 0, -one, 0, 0, 0, 0, 0x40000000) if turned else (one, 0, 0, 0, one, 0, 0, 0, 0x40000000)
    times = struct.pack(">III", 0, 3_900_000_000, 3_900_000_001)
    header = box(b"tkhd", times, bytes(28), struct.pack(">9i2I", *matrix, width << 16, height << 16))
    sample = box(b"stsd", bytes(4), struct.pack(">I", 1), box(codec, bytes(8)))
    media = box(
        b"mdia",
        box(b"mdhd", times, struct.pack(">II", 1000, 0), bytes(4)),
        box(b"hdlr", bytes(8), kind, bytes(12)),
        box(b"minf", box(b"stbl", sample)),
    )
    return box(b"trak", header, media)


def film(
    *,
    seconds: float = 2.0,
    width: int = 640,
    height: int = 360,
    codec: bytes = b"avc1",
    brand: bytes = b"isom",
    turned: bool = False,
    place: bytes = PLACE,
    more: bytes = b"",
    size: int = 0,
) -> bytes:
    """A film that says where and when it was made; ``size`` fills it up with pictures that nobody decodes."""
    header = box(
        b"mvhd",
        struct.pack(">IIIII", 0, 3_900_000_000, 3_900_000_001, 1000, round(seconds * 1000)),
        bytes(80),
    )
    telling = box(b"udta", box(b"\xa9xyz", struct.pack(">HH", len(place), 0), place))
    sides = {"width": width, "height": height}
    tracks = track(b"vide", codec=codec, turned=turned, **sides) + track(b"soun", codec=b"mp4a") + more
    head = box(b"ftyp", brand, bytes(4), b"mp42") + box(b"moov", header, tracks, telling)
    return head + box(b"mdat", bytes(max(size - len(head) - 8, 16)))


def video(content: bytes, *, alt: str = "Massa aksi berbaris", name: str = "aksi.mp4", seconds: float = 2.0) -> Picture:
    """A prepared video with these bytes."""
    digest = hashlib.sha256(content).hexdigest()
    facts = {"mime": "video/mp4", "size": len(content), "width": 640, "height": 360, "seconds": seconds}
    return Picture(sha256=digest, name=name, alt=alt, **facts)  # type: ignore[arg-type]
