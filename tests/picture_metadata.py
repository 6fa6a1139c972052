"""Pictures that tell all they can: every kind of metadata, with a marker in each that must never leave."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

MARKER = b"RAHASIA"
"""Stands in every piece of metadata, plain or in the other writings that those know."""
XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" '
    'xmlns:exif="http://ns.adobe.com/exif/1.0/" photoshop:City="RAHASIA kota" exif:GPSLatitude="6,10.5S" '
    'exif:GPSLongitude="106,49.5E" xmpMM:DocumentID="xmp.did:3201011501900001">'
    '<dc:description><rdf:Alt><rdf:li xml:lang="x-default">RAHASIA xmp &amp; lagi</rdf:li></rdf:Alt></dc:description>'
    '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
).encode()


def exif(orientation: int = 1) -> bytes:
    """An EXIF block with names, a comment, a place, a maker note and (if Pillow writes it) a thumbnail."""
    block = Image.Exif()
    block[0x0112] = orientation
    block[0x010F], block[0x010E], block[0x013B] = "RAHASIA kamera", "RAHASIA keterangan", "RAHASIA nama"
    block[0x8298] = "RAHASIA hak"
    block[0x9C9C] = "RAHASIA xp".encode("utf-16-le")
    own = block.get_ifd(0x8769)
    own[0x9286] = b"ASCII\0\0\0RAHASIA komentar"
    own[0x927C] = b"RAHASIA maker note"
    own[0xA431] = "RAHASIA 3201011501900001"
    own[0x9003] = "2026:11:01 10:00:00"
    place = block.get_ifd(0x8825)
    place.update({1: "S", 2: (6.0, 10.0, 30.0), 3: "E", 4: (106.0, 49.0, 30.0), 0x1C: b"ASCII\0\0\0RAHASIA tempat"})
    return block.tobytes()


def exif_with_thumbnail() -> bytes:
    """An EXIF block as cameras write it: a description, and behind it a smaller picture that has one of its own."""
    buffer = BytesIO()
    drawn(size=(16, 12)).save(buffer, "JPEG", comment=b"RAHASIA gambar mini")
    small = buffer.getvalue()
    text = b"RAHASIA kamera\0"
    first = struct.pack("<HHHIII", 1, 0x010E, 2, len(text), 56, 26)  # one field; the next table begins at 26
    second = struct.pack("<H", 2) + struct.pack("<HHII", 0x0201, 4, 1, 56 + len(text))
    second += struct.pack("<HHII", 0x0202, 4, 1, len(small)) + struct.pack("<I", 0)
    return b"Exif\0\0II*\0" + struct.pack("<I", 8) + first + second + text + small


def iptc() -> bytes:
    """IPTC-IIM: caption, byline, city and a date."""
    fields = ((120, b"RAHASIA caption"), (80, b"RAHASIA byline"), (90, b"RAHASIA city"), (55, b"20261101"))
    return b"".join(struct.pack(">BBBH", 0x1C, 2, number, len(text)) + text for number, text in fields)


def photoshop() -> bytes:
    """Photoshop's resources: IPTC, and a thumbnail."""
    found = b"Photoshop 3.0\0"
    for number, body in ((0x0404, iptc()), (0x040C, b"RAHASIA thumbnail")):
        found += b"8BIM" + struct.pack(">HHI", number, 0, len(body)) + body + b"\0" * (len(body) % 2)
    return found


def profile() -> bytes:
    """A colour profile that names somebody."""
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return made.replace(b"sRGB", b"RAHA", 1) + MARKER


def drawn(mode: str = "RGB", size: tuple[int, int] = (64, 48)) -> Image.Image:
    """Something to see."""
    image = Image.new("RGB", size, "white")
    image.paste("navy", (0, 0, size[0] // 2, size[1] // 2))
    return image.convert(mode)


def jpeg(orientation: int = 1) -> bytes:
    """A JPEG with EXIF, XMP in two packets, IPTC, a profile, a comment, an unknown part, a second picture, and more."""
    buffer = BytesIO()
    drawn().save(
        buffer, "JPEG", exif=exif(orientation), icc_profile=profile(), comment=b"RAHASIA jpeg", dpi=(72, 72), quality=90
    )
    content = buffer.getvalue()
    parts = _part(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP)
    parts += _part(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 40 + b"<a>RAHASIA lanjutan</a>")
    parts += _part(0xED, photoshop()) + _part(0xEB, b"JP\0\1RAHASIA c2pa") + _part(0xE0, b"JFXX\0\x10RAHASIA")
    second = BytesIO()
    drawn(size=(8, 8)).save(second, "JPEG", exif=exif())
    return content[:2] + parts + content[2:] + second.getvalue() + b"RAHASIA film"


def _part(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def chunk(name: bytes, body: bytes) -> bytes:
    """One chunk of a PNG file."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png() -> bytes:
    """A PNG with every kind of text, EXIF, XMP, IPTC in digits, a profile, a time, an unknown chunk, and more."""
    info = PngInfo()
    info.add_text("Author", "RAHASIA tEXt")
    info.add_text("Description", "RAHASIA zTXt", zip=True)
    info.add_itxt("Comment", "RAHASIA iTXt", lang="id", zip=True)
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    digits = photoshop()[14:]
    info.add_text("Raw profile type iptc", f"\niptc\n{len(digits):8}\n{digits.hex()}\n", zip=True)
    buffer = BytesIO()
    drawn("RGBA").save(buffer, "PNG", pnginfo=info, exif=exif(), icc_profile=profile(), dpi=(72, 72))
    content = buffer.getvalue()
    more = chunk(b"tEXt", b"Title\0RAHASIA akhir") + chunk(b"tIME", struct.pack(">H5B", 2026, 11, 1, 10, 0, 0))
    more += chunk(b"raHs", b"RAHASIA sendiri")
    return content[:-12] + more + content[-12:] + b"RAHASIA di belakang"


def webp() -> bytes:
    """A WebP with EXIF, XMP, a profile, an unknown chunk, and more behind."""
    buffer = BytesIO()
    drawn().save(buffer, "WEBP", exif=exif(), xmp=XMP, icc_profile=profile())
    content = buffer.getvalue()
    body = content[12:] + b"RAHS" + struct.pack("<I", 8) + b"RAHASIA!"
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body + b"RAHASIA di belakang"


def gif() -> bytes:
    """A still GIF with a comment, XMP, an unknown extension, and more behind."""
    buffer = BytesIO()
    drawn("P").save(buffer, "GIF")
    content = buffer.getvalue()
    at = 13 + 3 * 2 ** (content[10] % 8 + 1)
    own = b"\x21\xfe\x0cRAHASIA gif!\0" + b"\x21\xff\x0bRAHASIA1.0!\x07RAHASIA\0"
    own += b"\x21\xff\x0bXMP DataXMP" + b"".join(
        bytes([len(part)]) + part for part in (XMP[at : at + 255] for at in range(0, len(XMP), 255))
    )
    return content[:at] + own + b"\0" + content[at:] + b"RAHASIA di belakang"


def tiff() -> bytes:
    """A TIFF with names, a place, XMP, IPTC, a profile and a second page."""
    buffer = BytesIO()
    tags = Image.Exif()
    tags[0x010E], tags[0x013B] = "RAHASIA keterangan", "RAHASIA nama"
    tags[0x02BC], tags[0x83BB] = XMP, iptc()
    tags.get_ifd(0x8825).update({1: "S", 2: (6.0, 10.0, 30.0), 3: "E", 4: (106.0, 49.0, 30.0)})
    drawn().save(
        buffer, "TIFF", exif=tags.tobytes(), icc_profile=profile(), save_all=True, append_images=[drawn(size=(9, 9))]
    )
    return buffer.getvalue()


def avif() -> bytes:
    """An AVIF with EXIF, XMP and a profile."""
    buffer = BytesIO()
    drawn().save(buffer, "AVIF", exif=exif(), xmp=XMP, icc_profile=profile())
    return buffer.getvalue()


def heic() -> bytes:
    """A HEIC as phones write it, with EXIF, XMP and a profile."""
    import pillow_heif

    buffer = BytesIO()
    made = pillow_heif.from_pillow(drawn())
    made.info["icc_profile"], made.info["icc_profile_type"] = profile(), "prof"
    made.save(buffer, exif=exif(), xmp=XMP)
    return buffer.getvalue()


def camera() -> bytes:
    """A JPEG with a smaller picture inside its EXIF block."""
    buffer = BytesIO()
    drawn().save(buffer, "JPEG", exif=exif_with_thumbnail())
    return buffer.getvalue()


TELLING = {
    "a.jpg": jpeg,
    "kamera.jpg": camera,
    "a.png": png,
    "a.webp": webp,
    "a.gif": gif,
    "a.tif": tiff,
    "a.avif": avif,
    "a.heic": heic,
}
