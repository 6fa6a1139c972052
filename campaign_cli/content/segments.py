"""The parts of a picture file that are not the picture: found by the file's own order of parts, nothing decoded.

JPEG (ITU T.81, annex B), PNG (https://www.w3.org/TR/png-3/), WebP
(https://developers.google.com/speed/webp/docs/riff_container) and GIF 89a. Everything in such a file is somebody
else's: a length that leads nowhere ends the reading, and what is unpacked has a bound.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Final

UNPACKED: Final = 1024 * 1024  # bytes of one compressed text, at most
_AFTER_SCAN: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # the next marker behind the coded pixels
_JPEG_KINDS: Final = (
    (0xE1, b"Exif\0\0", "exif"),
    (0xE1, b"http://ns.adobe.com/xap/1.0/\0", "xmp"),
    (0xE1, b"http://ns.adobe.com/xmp/extension/\0", "xmp"),
    (0xE2, b"ICC_PROFILE\0", "profile"),
    (0xE2, b"MPF\0", ""),  # where the further pictures lie: they are counted themselves
    (0xED, b"Photoshop 3.0\0", "photoshop"),
    (0xEE, b"Adobe", ""),  # which colours: belongs to the picture
    (0xE0, b"JFIF\0", ""),
    (0xE0, b"JFXX\0", "thumbnail"),
    (0xFE, b"", "comment"),
)
_PNG_PICTURE: Final = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB sBIT bKGD pHYs hIST sPLT cICP mDCV cLLI acTL fcTL fdAT".split()
)
_WEBP_PICTURE: Final = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"})
_RIFF_KINDS: Final = {b"EXIF": "exif", b"XMP ": "xmp", b"ICCP": "profile"}


@dataclass(frozen=True, slots=True)
class Segment:
    """``kind``: exif, xmp, photoshop, profile, thumbnail, comment, text, time, picture (a further one), appended
    (behind the picture) or other. ``name`` is the keyword of a text."""

    kind: str
    content: bytes
    name: str = ""


def segments(content: bytes) -> Iterator[Segment]:
    """All that a JPEG, PNG, WebP or GIF file holds beside its pixels; nothing for other files. Never raises."""
    walk = next((walk for head, walk in _WALKS if content.startswith(head)), None)
    if walk is None:
        return
    try:
        yield from walk(content)
    except (struct.error, IndexError):
        return  # it ends in the middle of a part


def _jpeg(content: bytes) -> Iterator[Segment]:
    """Every picture of the file: phones append a smaller one, a depth map or a film."""
    end = yield from _jpeg_picture(content, 0)
    while content.startswith(b"\xff\xd8\xff", end):
        yield Segment("picture", b"")
        end = yield from _jpeg_picture(content, end)
    yield from _rest(content, end)


def _jpeg_picture(content: bytes, start: int) -> Generator[Segment, None, int]:
    """One picture from its first marker; its end is what the generator returns."""
    at = start + 2
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker in (0xFF, 0x01) or 0xD0 <= marker <= 0xD7:  # filling, or without content
            at += 1 if marker == 0xFF else 2
            continue
        if marker == 0xD9:
            break
        (length,) = struct.unpack_from(">H", content, at + 2)
        body = content[at + 4 : at + 2 + length]
        at += 2 + max(length, 2)
        if 0xE0 <= marker <= 0xEF or marker == 0xFE:
            yield from _application(marker, body)
        elif marker == 0xDA:
            behind = _AFTER_SCAN.search(content, at)
            at = behind.start() if behind else len(content)
    return min(at + 2, len(content))


def _application(marker: int, body: bytes) -> Iterator[Segment]:
    for known, head, kind in _JPEG_KINDS:
        if marker == known and body.startswith(head):
            if kind:
                yield Segment(kind, body[len(head) :])
            return
    yield Segment("other", body)


def _png(content: bytes) -> Iterator[Segment]:
    at, name = 8, b""
    while at + 8 <= len(content) and name != b"IEND":
        length, name = struct.unpack_from(">I4s", content, at)
        body = content[at + 8 : at + 8 + length]
        at += 12 + length
        if name in (b"tEXt", b"zTXt", b"iTXt"):
            yield _png_text(name, body)
        elif name not in _PNG_PICTURE:
            yield Segment({b"eXIf": "exif", b"iCCP": "profile", b"tIME": "time"}.get(name, "other"), body)
    yield from _rest(content, at)


def _png_text(name: bytes, body: bytes) -> Segment:
    """A keyword and its text (UTF-8); XMP, and what ImageMagick keeps as hexadecimal digits, by their own kinds."""
    keyword, _zero, value = body.partition(b"\0")
    if name == b"zTXt":
        value = _unpacked(value[1:]).decode("latin-1").encode()
    elif name == b"iTXt":
        packed, value = (
            value[:1] == b"\1",
            value[2:].split(b"\0", 2)[-1],
        )  # behind the language and the translated keyword
        value = _unpacked(value) if packed else value
    else:
        value = value.decode("latin-1").encode()
    if keyword == b"XML:com.adobe.xmp":
        return Segment("xmp", value)
    if keyword.startswith(b"Raw profile type "):
        kind = {b"exif": "exif", b"APP1": "exif", b"iptc": "photoshop", b"8bim": "photoshop", b"xmp": "xmp"}
        kind[b"icc"] = kind[b"icm"] = "profile"
        return Segment(kind.get(keyword[17:], "other"), _from_digits(value))
    return Segment("text", value, keyword.decode("latin-1"))


def _from_digits(value: bytes) -> bytes:
    """What ``\\n name \\n length \\n digits`` says."""
    try:
        return bytes.fromhex(b"".join(value.split()[2:]).decode("ascii"))
    except ValueError:
        return b""


def _unpacked(value: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(value, UNPACKED)
    except zlib.error:
        return b""


def _webp(content: bytes) -> Iterator[Segment]:
    (length,) = struct.unpack_from("<I", content, 4)
    at, end = 12, min(8 + length, len(content))
    while at + 8 <= end:
        name, size = struct.unpack_from("<4sI", content, at)
        if name not in _WEBP_PICTURE:
            yield Segment(_RIFF_KINDS.get(name, "other"), content[at + 8 : at + 8 + size])
        at += 8 + size + size % 2
    yield from _rest(content, end)


def _gif(content: bytes) -> Iterator[Segment]:
    at = 13 + _palette(content[10])
    while at < len(content) and content[at] != 0x3B:
        start = at + (10 + _palette(content[at + 9]) + 1 if content[at] == 0x2C else 2)
        body, end = _sub_blocks(content, start)
        if content[at] == 0x21:
            yield from _gif_extension(content[at + 1], body)
        elif content[at] != 0x2C:
            return
        at = end
    yield from _rest(content, at + 1)


def _palette(flags: int) -> int:
    return 3 * 2 ** (flags % 8 + 1) if flags & 0x80 else 0


def _sub_blocks(content: bytes, at: int) -> tuple[bytes, int]:
    found = []
    while size := content[at]:
        found.append(content[at + 1 : at + 1 + size])
        at += 1 + size
    return b"".join(found), at + 1


def _gif_extension(label: int, body: bytes) -> Iterator[Segment]:
    if label in (0xFE, 0x01):  # 0x01: a text that is drawn, with twelve bytes of how
        yield Segment("comment", body if label == 0xFE else body[12:])
    elif label == 0xFF and body.startswith(b"XMP DataXMP"):
        yield Segment("xmp", body[11:])
    elif label == 0xFF and body.startswith(b"ICCRGBG1"):
        yield Segment("profile", body[11:])
    elif label == 0xFF and not body.startswith((b"NETSCAPE2.0", b"ANIMEXTS1.0")):  # these: how often it is played
        yield Segment("other", body)


def _rest(content: bytes, at: int) -> Iterator[Segment]:
    """What lies behind the picture, unless it is filling."""
    behind = content[at:].strip(b"\0")
    if behind:
        yield Segment("appended", behind)


_WALKS: Final = (
    (b"\xff\xd8\xff", _jpeg),
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"RIFF", _webp),
    (b"GIF8", _gif),
)
