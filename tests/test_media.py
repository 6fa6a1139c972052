"""Pictures: upright, bare of metadata, of an accepted type, within the limits; and what can't be used."""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from content_helpers import Folder
from PIL import Image, ImageCms, ImageDraw
from PIL.PngImagePlugin import PngInfo

from campaign_cli.content import MediaError, MediaStore
from campaign_cli.platforms.base import Limits

LIMITS = Limits(text=500, unit="characters")


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path)


def noise(width: int, height: int) -> Image.Image:
    """A picture that compresses badly."""
    return Image.effect_noise((width, height), 90).convert("RGB")


def opened(store: MediaStore, file: str, limits: Limits = LIMITS) -> Image.Image:
    picture = store.picture(file, alt="Gambar", limits=limits)
    content = store.content(picture.sha256)
    image = Image.open(BytesIO(content))
    assert hashlib.sha256(content).hexdigest() == picture.sha256
    assert (picture.size, picture.width, picture.height) == (len(content), *image.size)
    assert picture.mime == Image.MIME[str(image.format)]
    return image


def test_metadata_is_stripped_and_the_original_untouched(store: MediaStore, tmp_path: Path) -> None:
    """No place, no camera, no name of a photographer goes out; the file stays as it was."""
    exif = Image.Exif()
    exif[0x010F], exif[0x013B] = "Kamera", "Nama Anggota"
    exif.get_ifd(0x8825)[2] = (6.0, 10.0, 30.0)
    noise(40, 30).save(tmp_path / "a.jpg", exif=exif, comment=b"rahasia", dpi=(72, 72))
    before = (tmp_path / "a.jpg").read_bytes()
    picture = store.picture("a.jpg", alt=" Aksi ", limits=LIMITS)
    content = store.content(picture.sha256)
    for secret in (b"Exif", b"Kamera", b"Nama", b"rahasia"):
        assert secret in before
        assert secret not in content
    assert picture.alt == "Aksi"
    assert picture.name == "a.jpg"
    assert (tmp_path / "a.jpg").read_bytes() == before


def test_png_texts_are_stripped(store: MediaStore, tmp_path: Path) -> None:
    """Comments inside a PNG do not go out either, and transparency stays."""
    info = PngInfo()
    info.add_text("Author", "Nama Anggota")
    Image.new("RGBA", (8, 8), (255, 0, 0, 128)).save(tmp_path / "a.png", pnginfo=info)
    image = opened(store, "a.png")
    assert (image.format, image.mode, image.getpixel((0, 0))) == ("PNG", "RGBA", (255, 0, 0, 128))
    assert image.info == {}


def test_a_picture_is_turned_upright(store: MediaStore, tmp_path: Path) -> None:
    """What the camera noted about its position is applied, since the note itself is dropped."""
    image = Image.new("RGB", (40, 20), "white")
    ImageDraw.Draw(image).rectangle((0, 0, 9, 19), "black")
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.jpg", exif=exif, quality=95)
    turned = opened(store, "a.jpg")
    assert turned.size == (20, 40)
    dark, bright = turned.getpixel((10, 3)), turned.getpixel((10, 35))
    assert isinstance(dark, tuple)
    assert isinstance(bright, tuple)
    assert (dark[0] < 60, bright[0] > 200) == (True, True)


def test_a_colour_profile_is_applied(store: MediaStore, tmp_path: Path) -> None:
    """Colours are turned into those that every screen shows; a broken profile is passed over."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("RGB", (8, 8), (200, 30, 30)).save(tmp_path / "a.png", icc_profile=profile)
    Image.new("RGB", (8, 8), (200, 30, 30)).save(tmp_path / "b.png", icc_profile=b"bukan profil")
    for file in ("a.png", "b.png"):
        image = opened(store, file)
        assert image.info == {}
        assert image.getpixel((0, 0)) == (200, 30, 30)


@pytest.mark.parametrize(
    ("mode", "file", "expected"),
    [
        ("L", "a.bmp", "PNG"),
        ("CMYK", "a.tif", "PNG"),
        ("I;16", "a.png", "PNG"),
        ("P", "a.gif", "PNG"),
        ("RGB", "a.webp", "JPEG"),
        ("RGB", "a.jpg", "JPEG"),
        ("1", "a.png", "PNG"),
    ],
)
def test_other_kinds_become_accepted_ones(
    store: MediaStore, tmp_path: Path, mode: str, file: str, expected: str
) -> None:
    """A network that takes JPEG and PNG gets one of them, whatever the officer has."""
    Image.new(mode, (8, 8)).save(tmp_path / file)
    assert opened(store, file).format == expected


def test_webp_stays_webp_where_it_is_accepted(store: MediaStore, tmp_path: Path) -> None:
    """The file's own type is kept where the network takes it."""
    noise(20, 20).save(tmp_path / "a.webp")
    limits = Limits(text=None, unit="characters", image_types=("image/jpeg", "image/webp"))
    assert opened(store, "a.webp", limits).format == "WEBP"


def test_transparency_becomes_white_where_only_jpeg_is_accepted(store: MediaStore, tmp_path: Path) -> None:
    """Not black."""
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "a.png")
    limits = Limits(text=None, unit="characters", image_types=("image/jpeg",))
    assert opened(store, "a.png", limits).getpixel((4, 4)) == (255, 255, 255)


def test_a_picture_is_shrunk_to_the_pixels(store: MediaStore, tmp_path: Path) -> None:
    """Its shape stays."""
    noise(200, 100).save(tmp_path / "a.png")
    image = opened(store, "a.png", Limits(text=None, unit="characters", image_pixels=5000))
    assert image.size == (100, 50)


def test_a_picture_is_shrunk_to_the_bytes(store: MediaStore, tmp_path: Path) -> None:
    """A PNG photograph becomes a JPEG before it becomes small."""
    noise(400, 400).save(tmp_path / "a.png")
    image = opened(store, "a.png", Limits(text=None, unit="characters", image_bytes=120_000))
    assert (image.format, image.size) == ("JPEG", (400, 400))
    smaller = opened(store, "a.png", Limits(text=None, unit="characters", image_bytes=20_000))
    assert 160 <= smaller.width < 400


def test_the_same_picture_gives_the_same_bytes(store: MediaStore, tmp_path: Path) -> None:
    """Twice in one run, and in another run; and bytes that left the memory come back."""
    for name in ("a", "b", "c"):
        noise(60, 60).save(tmp_path / f"{name}.png")
    small = MediaStore(tmp_path, kept=1)
    first = small.picture("a.png", alt="A", limits=LIMITS)
    small.picture("b.png", alt="B", limits=LIMITS)
    content = small.content(first.sha256)
    assert content == store.content(store.picture("a.png", alt="A", limits=LIMITS).sha256)
    assert small.picture("a.png", alt="Lain", limits=LIMITS).alt == "Lain"
    with pytest.raises(KeyError):
        small.content("0" * 64)


def test_a_file_that_changes_is_prepared_anew(store: MediaStore, tmp_path: Path) -> None:
    """And bytes of the old content can't be had any more once they left the memory."""
    Image.new("RGB", (8, 8), "red").save(tmp_path / "a.png")
    small = MediaStore(tmp_path, kept=1)
    first = small.picture("a.png", alt="A", limits=LIMITS)
    hashed = small.file_hash("a.png")
    Image.new("RGB", (9, 9), "blue").save(tmp_path / "a.png")
    second = small.picture("a.png", alt="A", limits=LIMITS)
    assert second.sha256 != first.sha256
    assert small.file_hash("a.png") != hashed
    with pytest.raises(MediaError) as caught:
        small.content(first.sha256)
    assert caught.value.code == "M109"


def bomb() -> bytes:
    """A tiny PNG that says it has 20,000 × 20,000 pixels."""
    buffer = BytesIO()
    Image.new("1", (20_000, 20_000)).save(buffer, "PNG")
    return buffer.getvalue()


def animation() -> bytes:
    buffer = BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "green", "blue")]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def half() -> bytes:
    buffer = BytesIO()
    noise(100, 100).save(buffer, "JPEG")
    return buffer.getvalue()[:2000]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"bukan gambar", "M102"),
        (b"", "M102"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "M102"),
        (half(), "M103"),
        (bomb(), "M104"),
        (animation(), "M107"),
    ],
    ids=["text", "empty", "svg", "half", "bomb", "animation"],
)
def test_files_that_can_not_be_used(store: MediaStore, tmp_path: Path, content: bytes, code: str) -> None:
    """Each has its code, the file's name in the message, and a fix; the second time as the first."""
    (tmp_path / "a.jpg").write_bytes(content)
    for _again in range(2):
        with pytest.raises(MediaError) as caught:
            store.picture("a.jpg", alt="A", limits=LIMITS)
        assert caught.value.code == code
        assert "a.jpg" in caught.value.message
        assert caught.value.fix


def test_more_files_that_can_not_be_used(store: MediaStore, tmp_path: Path) -> None:
    """A file that is absent, outside the workspace, much too large, or impossible to make small enough."""

    def code(file: str, **limits: Any) -> str:
        with pytest.raises(MediaError) as caught:
            store.picture(file, alt="A", limits=Limits(text=None, unit="characters", **limits))
        return caught.value.code

    (tmp_path.parent / "luar.png").write_bytes(b"")
    with (tmp_path / "besar.png").open("wb") as file:
        file.truncate(65 * 1024 * 1024)
    noise(200, 200).save(tmp_path / "a.png")
    assert code("tidak-ada.png") == "M101"
    assert code("../luar.png") == "M105"
    assert code("besar.png") == "M106"
    assert code("a.png", image_bytes=100) == "M108"


def test_problems_of_pictures_stand_in_the_plan(tmp_path: Path) -> None:
    """At the picture's file name, or its alt text, or the list that is too long."""
    folder = Folder(tmp_path)
    folder.write("a.png", b"bukan gambar")
    Image.new("RGB", (8, 8)).save(tmp_path / "b.png")
    pictures = "".join("      - {file: b.png, alt: B}\n" for _number in range(5))
    examined = folder.plan(
        "accounts: [mastodon]\nposts:\n  - id: satu\n    at: 2026-12-03 08:00\n    text: Halo.\n    media:\n"
        "      - {file: a.png, alt: A}\n"
        f"      - {{file: b.png, alt: {'x' * 1501}}}\n"
        f"  - id: dua\n    at: 2026-12-03 09:00\n    text: Halo!\n    media:\n{pictures}"
    )
    found = [
        (problem.code, problem.line, problem.column) for problem in examined.problems if problem.severity == "error"
    ]
    assert found == [("M102", 10, 16), ("L005", 11, 28), ("L004", 16, 7)]


def test_what_the_plan_check_says_of_a_file_is_not_said_again(tmp_path: Path) -> None:
    """A missing file is one problem, not two."""
    examined = Folder(tmp_path).plan(
        "accounts: [mastodon]\nposts:\n"
        "  - {id: satu, at: 2026-12-03 08:00, text: Halo., media: [{file: a.png, alt: A}]}\n"
    )
    assert [problem.code for problem in examined.problems if problem.severity == "error"] == ["M002"]
