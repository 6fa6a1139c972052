"""What a picture tells beside what is seen on it: of which kinds, how much, and its words as people read them.

EXIF (CIPA DC-008), XMP (ISO 16684-1), IPTC-IIM (https://iptc.org/std/IIM/4.2/), text chunks and comments. Only read
here: nothing of it is ever carried over into what is sent.
"""

from __future__ import annotations

import html
import re
import struct
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from campaign_cli.content.segments import UNPACKED, Segment, segments

if TYPE_CHECKING:
    from PIL.Image import Image

_EXIF, _GPS, _INTEROP, _SECOND = 0x8769, 0x8825, 0xA005, -1  # the tables of an EXIF block, as Pillow numbers them
_MAKER_NOTE, _USER_COMMENT, _XMP, _IPTC, _PHOTOSHOP, _PROFILE = 0x927C, 0x9286, 0x02BC, 0x83BB, 0x8649, 0x8773
_POINTERS: Final = frozenset({_EXIF, _GPS, _INTEROP, _MAKER_NOTE, _XMP, _IPTC, _PHOTOSHOP, _PROFILE})
_STRUCTURE: Final = frozenset(
    {254, 255, 256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 280, 281, 282, 283, 284, 296, 301, 317, 318, 319}
    | {320, 322, 323, 324, 325, 330, 338, 339, 340, 341, 347, 529, 530, 531, 532}
)
"""Tags without which a TIFF file could not be shown."""
_OF_MACHINES: Final = re.compile(
    r"Make$|Model$|Software$|Serial|DateTime|SubsecTime|SubSec|OffsetTime|Interop|Version|ID$"
)
# IPTC's word for what a machine made, wholly or in part: https://cv.iptc.org/newscodes/digitalsourcetype/
_BY_MACHINE: Final = b"rainedAlgorithmicMedia"
_MOST: Final = 200  # texts
_LONGEST: Final = 20_000  # characters of one
_IPTC_NAMES: Final = {
    **{5: "ObjectName", 25: "Keywords", 40: "Instructions", 80: "By-line", 85: "By-lineTitle", 90: "City"},
    **{92: "Sub-location", 95: "Province", 101: "Country", 103: "TransmissionReference", 105: "Headline"},
    **{110: "Credit", 115: "Source", 116: "Copyright", 118: "Contact", 120: "Caption", 122: "Writer"},
}
_IPTC_MACHINE: Final = frozenset({0, 55, 60, 62, 63, 70})  # dates, times, version
# Possessive, and begun only where a name begins: a packet of any shape is read once.
_XMP_ELEMENT: Final = re.compile(r"<([A-Za-z][\w:.-]*+)[^<>]*+>([^<>]*+)")
_XMP_VALUE: Final = re.compile(r"""(?<![\w:.-])([A-Za-z][\w:.-]*+)\s*+=\s*+(?:"([^"<>]*+)"|'([^'<>]*+)')""")
_XMP_MACHINE: Final = re.compile(
    r"(xml|x|xmlns|xmpMM|stEvt|stRef|crs|xmpG|aux|exifEX)[:.]|x$|xmlns$|rdf:(about|RDF|parseType)|xmp:\w*Date|xmp:Creat"
    r"|tiff:(?!Artist|Copyright|ImageDescription)|exif:(?!UserComment|GPSL)|photoshop:(Date|\w*Profile|\w*Mode|\w*Digest)"
    r"|dc:format"
)
_XMP_PLACE: Final = re.compile(r"(\d{1,3}),(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?([NSEW])")


@dataclass(slots=True)
class Metadata:
    """``kinds``: how many of each (fields of EXIF, GPS and IPTC; packets and chunks of others). ``texts`` by name."""

    kinds: Counter[str] = field(default_factory=Counter)
    texts: dict[str, str] = field(default_factory=dict)

    def note(self, name: str, text: str) -> None:
        """A text that people wrote; a second one of the same name gets a number."""
        text = text[:_LONGEST].replace("\0", "").strip()
        number, own = 1, name
        if len(self.texts) >= _MOST:
            return
        while own in self.texts:
            if self.texts[own] == text:
                return
            number += 1
            own = f"{name} {number}"
        if text:
            self.texts[own] = text


def metadata_of(content: bytes, image: Image | None = None) -> Metadata:
    """Of a picture file. ``image``, opened by Pillow, speaks for the kinds of files that ``segments`` can't read.

    Never raises: what is broken tells nothing.
    """
    found = Metadata()
    for segment in segments(content):
        _add(found, segment)
    if _BY_MACHINE in content:  # in the signed manifest of C2PA, too, which is not read otherwise
        found.note("DigitalSourceType", "trainedAlgorithmicMedia")
    if image is not None and image.format in ("HEIF", "AVIF"):
        for key, kind in (("exif", "exif"), ("xmp", "xmp"), ("icc_profile", "profile")):
            value = image.info.get(key)
            if isinstance(value, bytes) and value:
                _add(found, Segment(kind, value))
        found.kinds["thumbnail"] += len(image.info.get("thumbnails") or ())
        found.kinds["picture"] += getattr(image, "n_frames", 1) - 1
    elif image is not None and image.format == "TIFF":
        _add_exif(found, content, _STRUCTURE)
        found.kinds["picture"] += getattr(image, "n_frames", 1) - 1
    found.kinds = +found.kinds  # without the zeros
    return found


def _add(found: Metadata, segment: Segment) -> None:
    if segment.kind == "exif":
        _add_exif(found, segment.content, frozenset())
    elif segment.kind == "xmp":
        _add_xmp(found, segment.content)
    elif segment.kind == "photoshop":
        _add_photoshop(found, segment.content)
    elif segment.kind == "profile":
        found.kinds["profile"] = 1  # in as many pieces as it needs
    else:
        found.kinds[segment.kind] += 1
        if segment.kind in ("text", "comment"):
            found.note(f"PNG {segment.name}" if segment.name else "Comment", _decoded(segment.content))


def _add_exif(found: Metadata, content: bytes, structure: frozenset[int]) -> None:
    from PIL.Image import Exif

    exif = Exif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged entries: what can be read is read
            exif.load(content)
            tables = [dict(exif), *(dict(exif.get_ifd(place)) for place in (_EXIF, _GPS, _INTEROP, _SECOND))]
    except Exception:  # somebody else's bytes in somebody else's reader: whatever it raises, they are not readable
        found.kinds["exif"] += 1
        return
    first, own, place, interop, small = tables
    _add_fields(found, first, structure)
    _add_fields(found, own, structure)
    found.kinds["exif"] += len(interop)
    found.kinds["thumbnail"] += bool(small) and not structure  # in a TIFF file: its second page
    if place:
        found.kinds["gps"] += len(place)
        found.note("GPS", _position(place))
        for tag in (0x1B, 0x1C):  # how and where, in words
            found.note("GPS area", _exif_text(place.get(tag), comment=True))


def _add_fields(found: Metadata, table: Mapping[int, Any], structure: frozenset[int]) -> None:
    """One table of EXIF: its fields, and what other standards keep in it."""
    from PIL.ExifTags import TAGS

    for tag, value in table.items():
        name = TAGS.get(tag, f"0x{tag:04X}")
        if tag == _MAKER_NOTE:
            found.kinds["maker_note"] += 1
        elif tag in (_XMP, _IPTC, _PHOTOSHOP) and isinstance(value, bytes):
            reader = {_XMP: _add_xmp, _IPTC: _add_iptc, _PHOTOSHOP: _add_photoshop}[tag]
            reader(found, value)
        elif tag == _PROFILE:
            found.kinds["profile"] = 1
        elif tag not in _POINTERS | structure:
            found.kinds["exif"] += 1
            if not _OF_MACHINES.search(name):
                found.note(f"EXIF {name}", _exif_text(value, comment=tag == _USER_COMMENT, wide=name.startswith("XP")))


def _exif_text(value: object, *, comment: bool = False, wide: bool = False) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, tuple) and wide and all(isinstance(one, int) and 0 <= one < 256 for one in value):
        value = bytes(value)
    if not isinstance(value, bytes) or not (comment or wide):
        return ""
    if wide or value.startswith(b"UNICODE\0"):
        words = value if wide else value[8:]
        big = not wide and words[:1] == b"\0"
        return words.decode("utf-16-be" if big else "utf-16-le", "replace")
    return _decoded(value[8:] if value[:8] in (b"ASCII\0\0\0", b"\0" * 8, b"JIS\0\0\0\0\0") else value)


def _position(place: Mapping[int, Any]) -> str:
    """``latitude, longitude`` in degrees, south and west negative; empty where they are not both there."""
    sides = []
    for reference, tag, negative in ((1, 2, "S"), (3, 4, "W")):
        try:
            degrees, minutes, seconds = ([float(part) for part in place[tag]] + [0.0, 0.0])[:3]
        except (KeyError, TypeError, ValueError, ZeroDivisionError):
            return ""
        side = degrees + minutes / 60 + seconds / 3600
        sides.append(-side if str(place.get(reference, "")).startswith(negative) else side)
    return "{:.6f}, {:.6f}".format(*sides)


def _add_xmp(found: Metadata, packet: bytes) -> None:
    """The words of an XMP packet, taken out of the text of it: no XML is expanded."""
    found.kinds["xmp"] += 1
    packet = packet[:UNPACKED]
    wide = packet.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = re.sub(r"<\?[^>]*+>", "", packet.decode("utf-16" if wide else "utf-8", "replace"))
    places: dict[str, str] = {}
    for name, value in _xmp_values(text):
        if "GPSL" in name:
            places[name.rpartition(":")[2]] = value
        elif not _XMP_MACHINE.match(name):
            found.note(f"XMP {name}", html.unescape(value))
    if places:
        found.kinds["gps"] += len(places)
        found.note("GPS", _xmp_position(places))


def _xmp_values(text: str) -> Iterator[tuple[str, str]]:
    """Names and words; an element of a list has the name of the one around it."""
    around = ""
    for match in _XMP_ELEMENT.finditer(text):
        name, value = match[1], match[2].strip()
        around = around if name.startswith("rdf:") else name
        if value:
            yield around or name, value
    for match in _XMP_VALUE.finditer(text):
        value = (match[2] or match[3] or "").strip()
        if value:
            yield match[1], value


def _xmp_position(places: Mapping[str, str]) -> str:
    sides = []
    for name in ("GPSLatitude", "GPSLongitude"):
        match = _XMP_PLACE.match(places.get(name, ""))
        if match is None:
            return ""
        side = int(match[1]) + float(match[2]) / 60 + float(match[3] or 0) / 3600
        sides.append(-side if match[4] in "SW" else side)
    return "{:.6f}, {:.6f}".format(*sides)


def _add_photoshop(found: Metadata, content: bytes) -> None:
    """Photoshop's resources: IPTC, EXIF, XMP and thumbnails among them."""
    at = content.find(b"8BIM")
    while at >= 0 and content.startswith(b"8BIM", at) and at + 12 <= len(content):
        (number,) = struct.unpack_from(">H", content, at + 4)
        at += 6 + (content[at + 6] // 2 + 1) * 2  # a name, filled up to an even length
        if at + 4 > len(content):
            return
        (length,) = struct.unpack_from(">I", content, at)
        body = content[at + 4 : at + 4 + length]
        at += 4 + length + length % 2
        if number == 0x0404:
            _add_iptc(found, body)
        elif number in (0x0422, 0x0423):
            _add_exif(found, body, frozenset())
        elif number == 0x0424:
            _add_xmp(found, body)
        elif number in (0x0409, 0x040C):
            found.kinds["thumbnail"] += 1
        elif number == 0x040F:
            found.kinds["profile"] = 1
        else:
            found.kinds["other"] += 1


def _add_iptc(found: Metadata, content: bytes) -> None:
    at = 0
    while at + 5 <= len(content) and content[at] == 0x1C:
        record, number, length = struct.unpack_from(">BBH", content, at + 1)
        body = content[at + 5 : at + 5 + length]
        at += 5 + length
        if record == 2:
            found.kinds["iptc"] += 1
            if number not in _IPTC_MACHINE:
                found.note(f"IPTC {_IPTC_NAMES.get(number, number)}", _decoded(body))


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")
