"""Pictures and files that nobody should have sent: bombs, cut ones, other things under a picture's name; and every
way in which an honest camera writes one."""

from __future__ import annotations

import os
import struct
import threading
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from content_helpers import Folder
from picture_metadata import chunk, jpeg
from PIL import Image, ImageCms

from campaign_cli.content import MediaError, MediaStore
from campaign_cli.content.pictures import described
from campaign_cli.platforms.base import Limits

LIMITS = Limits(text=500, unit="characters")
JPEG = Limits(text=500, unit="characters", image_types=("image/jpeg",))
ROWS = zlib.compress((b"\0" + b"\x20" * 24) * 8)


def png(*more: bytes, width: int = 8, height: int = 8) -> bytes:
    """A PNG of three colours with more chunks in it."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + chunk(b"IDAT", ROWS) + chunk(b"IEND", b"")


def packed(size: int) -> bytes:
    """So many bytes of nothing in few."""
    return zlib.compress(bytes(size), 9)


def gif_of_65535() -> bytes:
    """A GIF of one pixel whose one frame says it is 65,535 pixels wide and high."""
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0) + b"\x02\x02\x44\x01\0\x3b"
    return b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0) + frame


def moving(kind: str) -> bytes:
    """An animation of two frames."""
    buffer = BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def failing(root: Path, content: bytes) -> MediaError:
    (root / "a.jpg").write_bytes(content)
    with pytest.raises(MediaError) as caught:
        MediaStore(root).picture("a.jpg", alt="", limits=LIMITS)
    return caught.value


def sent(root: Path, content: bytes, limits: Limits = LIMITS) -> Image.Image:
    """The picture as a network gets it."""
    (root / "a.jpg").write_bytes(content)
    store = MediaStore(root)
    return Image.open(BytesIO(store.content(store.picture("a.jpg", alt="", limits=limits).sha256)))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (png(width=50_000, height=50_000), "M104"),
        (png(width=2**31 - 1, height=2**31 - 1), "M104"),
        (gif_of_65535(), "M104"),
        (png(chunk(b"zTXt", b"k\0\0" + packed(10_000_000))), "M103"),
        (png(chunk(b"iTXt", b"k\0\1\0\0\0" + packed(10_000_000))), "M103"),
        (png(chunk(b"iCCP", b"k\0\0" + packed(10_000_000))), "M103"),
        (png(chunk(b"tEXt", b"k\0v") * 100_000), "M103"),
        (png(chunk(b"raHs", b"") * 100_000), "M103"),
        (moving("WEBP"), "M107"),
        (moving("AVIF"), "M107"),
        (png(chunk(b"acTL", struct.pack(">II", 3, 0))), "M107"),
        (b"%PDF-1.7\n1 0 obj <</Type /Catalog>>", "M102"),
        (b"<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY a 'aaaa'>]><svg>&a;</svg>", "M102"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "M102"),
        (b"\0\0\0\x18ftypavif" + b"rubbish" * 90, "M102"),
        (b"8BPS\0\1" + bytes(100), "M102"),
    ],
    ids=[
        "50,000 × 50,000",
        "2 billion",
        "frame larger than its GIF",
        "zTXt bomb",
        "iTXt bomb",
        "profile bomb",
        "100,000 texts",
        "100,000 chunks",
        "WebP that moves",
        "AVIF that moves",
        "APNG",
        "PDF",
        "SVG",
        "EPS",
        "AVIF of rubbish",
        "PSD",
    ],
)
def test_bombs_and_strangers_are_refused(tmp_path: Path, content: bytes, code: str) -> None:
    """Each with its code, name and a fix, without being unpacked; its metadata is read without harm, too."""
    error = failing(tmp_path, content)
    assert error.code == code
    assert "a.jpg" in error.message
    assert error.fix
    assert sum(map(len, described(tmp_path / "a.jpg").values())) < 100_000


def test_a_file_that_is_two_things_becomes_a_picture_alone(tmp_path: Path) -> None:
    """What lies behind or inside it (an archive, a page, a script) is gone."""
    for more in (b"PK\x03\x04 arsip", b"%PDF-1.7 halaman", b"<script>alert(1)</script>"):
        content = jpeg() + more
        (tmp_path / "a.png").write_bytes(content)
        store = MediaStore(tmp_path)
        made = store.content(store.picture("a.png", alt="", limits=LIMITS).sha256)
        assert more in content
        assert more not in made
        assert made.startswith(b"\xff\xd8\xff")
        assert made.endswith(b"\xff\xd9")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_picture_is_upright_however_the_camera_was_held(tmp_path: Path, kind: str, orientation: int) -> None:
    """All eight ways, in every kind of file that notes them."""
    upright = Image.new("RGB", (40, 20), "white")
    upright.paste("black", (0, 0, 10, 10))  # top left
    turn = {
        **{2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM},
        **{5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE},
        8: Image.Transpose.ROTATE_270,
    }.get(orientation)
    held = upright if turn is None else upright.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    made = sent(tmp_path, saved(held, kind, exif=exif.tobytes(), quality=95)).convert("L")
    assert made.size == (40, 20)
    darkness = [made.getpixel(place) for place in ((4, 4), (35, 4), (4, 15), (35, 15))]
    assert [int(str(grey)) < 60 for grey in darkness] == [True, False, False, False]


def test_damaged_metadata_damages_no_picture(tmp_path: Path) -> None:
    """An EXIF block of rubbish turns nothing and refuses nothing."""
    for block in (
        b"Exif\0\0II*\0\xff\xff\xff\x7f",
        b"Exif\0\0" + b"\xff" * 50,
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\1" * 90,
    ):
        image = Image.new("RGB", (40, 20), "red")
        assert sent(tmp_path, saved(image, "JPEG", exif=block)).size == (40, 20)


def test_greys_of_sixteen_bits_stay_greys(tmp_path: Path) -> None:
    """What a scanner saved is not burnt out to white."""
    for mode, kind, greys in (
        ("I;16", "PNG", {0: 0, 257: 1, 32896: 128, 65535: 255}),
        ("I;16", "TIFF", {0: 0, 32896: 128, 65535: 255}),
        ("I", "TIFF", {0: 0, 32896: 128, 65535: 255}),
        ("F", "TIFF", {0.0: 0, 0.5: 128, 1.0: 255}),
    ):
        image = Image.new(mode, (len(greys), 1))
        for place, grey in enumerate(greys):
            image.putpixel((place, 0), grey)  # type: ignore[arg-type]
        made = sent(tmp_path, saved(image, kind)).convert("L")
        for place, shown in enumerate(greys.values()):
            assert abs(int(str(made.getpixel((place, 0)))) - shown) <= 1, (mode, kind)


def test_a_profile_is_applied_also_where_there_is_transparency(tmp_path: Path) -> None:
    """As in the screenshots of phones and Macs: the colours are the same as without transparency."""
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = lab.replace(b"rXYZ", b"tXYZ").replace(b"gXYZ", b"rXYZ").replace(b"tXYZ", b"gXYZ")  # red is green there
    opaque = sent(tmp_path, saved(Image.new("RGB", (8, 8), (220, 30, 40)), "PNG", icc_profile=swapped))
    clear = sent(tmp_path, saved(Image.new("RGBA", (8, 8), (220, 30, 40, 100)), "PNG", icc_profile=swapped))
    red, green, _blue = opaque.getpixel((4, 4))  # type: ignore[misc]
    assert green > red + 60
    assert clear.getpixel((4, 4)) == (*opaque.getpixel((4, 4)), 100)  # type: ignore[misc]


def test_colours_of_print_and_palettes_are_kept(tmp_path: Path) -> None:
    """CMYK as printers get it, and a palette with a clear colour, which becomes white where nothing can be clear."""
    red, _green, blue = sent(tmp_path, saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG")).getpixel((4, 4))  # type: ignore[misc]
    assert (red > 200, blue < 80) == (True, True)
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([0, 0, 0, 200, 0, 0])
    palette.putpixel((0, 0), 0)
    for kind in ("PNG", "GIF"):
        content = saved(palette, kind, transparency=0)
        made = sent(tmp_path, content)
        assert (made.mode, made.getpixel((0, 0))[3], made.getpixel((4, 4))) == ("RGBA", 0, (200, 0, 0, 255))  # type: ignore[index]
        bright = sent(tmp_path, content, JPEG).resize((2, 2), box=(0, 0, 1, 1)).getpixel((0, 0))
        assert min(bright) > 120  # type: ignore[type-var, arg-type]


def test_what_is_no_ordinary_file_is_not_waited_for(tmp_path: Path) -> None:
    """A pipe and a folder are refused at once; so are links that lead outside, in a circle, or nowhere."""
    os.mkfifo(tmp_path / "pipa.png")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "luar.png").symlink_to("/etc/hostname")
    (tmp_path / "nol.png").symlink_to("/dev/zero")
    (tmp_path / "putar.png").symlink_to("putar.png")
    (tmp_path / "hilang.png").symlink_to("tiada.png")
    expected = {
        **{"pipa.png": "M101", "folder.png": "M101", "luar.png": "M105", "nol.png": "M105", "putar.png": "M101"},
        **{"hilang.png": "M101", "../../etc/hostname": "M105", "/etc/hostname": "M105", "a\0b.png": "M101"},
        "x" * 5000: "M101",
    }
    found: dict[str, str] = {}

    def ask() -> None:
        for file in expected:
            for call in (MediaStore(tmp_path).file_hash, MediaStore(tmp_path).described):
                with pytest.raises(MediaError) as caught:
                    call(file)
                found[file] = caught.value.code

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(60)  # a pipe would be waited for until the end of time
    assert found == expected


def test_a_link_inside_the_workspace_is_followed(tmp_path: Path) -> None:
    """Officers keep one poster for several campaigns."""
    (tmp_path / "asli").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "asli" / "poster.png")
    (tmp_path / "poster.png").symlink_to("asli/poster.png")
    assert MediaStore(tmp_path).picture("poster.png", alt="", limits=LIMITS).name == "poster.png"


def test_a_file_that_changes_after_its_hash_is_not_taken_for_it(tmp_path: Path) -> None:
    """Not even where size and time say that it is the same: what was approved is what is sent."""
    Image.new("RGB", (8, 8), "red").save(tmp_path / "a.bmp")
    before = (tmp_path / "a.bmp").stat()
    store = MediaStore(tmp_path, cache=tmp_path / "cache")
    first = store.file_hash("a.bmp")
    Image.new("RGB", (8, 8), "blue").save(tmp_path / "a.bmp")
    os.utime(tmp_path / "a.bmp", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (tmp_path / "a.bmp").stat().st_size == before.st_size
    with pytest.raises(MediaError) as caught:
        store.picture("a.bmp", alt="", limits=LIMITS)
    assert caught.value.code == "M109"
    assert list((tmp_path / "cache").glob("*")) == []
    assert store.file_hash("a.bmp") != first
    assert store.picture("a.bmp", alt="", limits=LIMITS).removed == ()


def test_two_that_prepare_the_same_picture_leave_one_whole_entry(tmp_path: Path) -> None:
    """Side by side, again and again: each has the bytes, and nothing half is left."""
    Image.effect_noise((200, 200), 90).convert("RGB").save(tmp_path / "a.png")
    made: list[bytes] = []

    def prepare() -> None:
        for _again in range(5):
            store = MediaStore(tmp_path, cache=tmp_path / "cache")
            made.append(store.content(store.picture("a.png", alt="", limits=LIMITS).sha256))

    several = [threading.Thread(target=prepare) for _one in range(4)]
    for one in several:
        one.start()
    for one in several:
        one.join()
    assert len(made) == 20
    assert len(set(made)) == 1
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_a_folder_of_prepared_media_that_others_may_read_is_closed(tmp_path: Path) -> None:
    """Also one that was made by hand."""
    (tmp_path / "cache").mkdir(mode=0o755)
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    MediaStore(tmp_path, cache=tmp_path / "cache").picture("a.png", alt="", limits=LIMITS)
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700


def test_no_hostile_file_ends_a_check_with_a_traceback(tmp_path: Path) -> None:
    """Each is a problem at its line, of the plan."""
    folder = Folder(tmp_path)
    os.mkfifo(tmp_path / "pipa.png")
    folder.write("bom.png", png(width=50_000, height=50_000))
    folder.write("halaman.png", b"%PDF-1.7")
    media = "".join(f"      - {{file: {name}, alt: A}}\n" for name in ("bom.png", "halaman.png"))
    body = "accounts: [mastodon]\nposts:\n  - id: a\n    at: 2026-12-03 08:00\n    text: Halo\n    media:\n"
    found = [(problem.code, problem.line) for problem in folder.plan(body + media).problems if problem.code[0] == "M"]
    assert found == [("M104", 10), ("M102", 11)]
    pipe = folder.plan(body + "      - {file: pipa.png, alt: A}\n").problems
    assert [(problem.code, problem.line) for problem in pipe if problem.code[0] == "M"] == [("M002", 10)]
    assert "no ordinary file" in next(problem.message for problem in pipe if problem.code == "M002")


def test_a_name_with_signs_that_can_not_be_seen_is_told_without_them(tmp_path: Path) -> None:
    """Line ends, terminal sequences and signs that turn the text don't go out with the picture."""
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    for name, told in (
        ("garis\nbaru.png", "garis-baru.png"),
        ("\x1b[31mmerah.png", "-[31mmerah.png"),
        ("a\u202eb.gif", "a-b.png"),
    ):
        (tmp_path / name).write_bytes((tmp_path / "a.png").read_bytes())
        assert MediaStore(tmp_path).picture(name, alt="", limits=LIMITS).name == told
