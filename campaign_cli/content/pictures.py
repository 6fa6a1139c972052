"""A picture made ready for a network: upright, without metadata, of an accepted type, within its limits."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Final

from campaign_cli.content.metadata import Metadata, metadata_of
from campaign_cli.i18n import _

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS: Final = 100_000_000  # of an original: a larger one is a mistake or an attack
SMALLEST: Final = 160  # pixels: below this a picture says nothing any more
_QUALITIES: Final = (92, 85, 78, 70)
_FORMATS: Final = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "HEIF": "image/heic",
    "AVIF": "image/avif",
}
SUFFIXES: Final = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}
_READABLE: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
_HEIC: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})


class MediaError(Exception):
    """A picture or video can't be used: ``code``, ``message`` and ``fix`` for people."""

    def __init__(self, code: str, message: str, fix: str) -> None:
        super().__init__(message)
        self.code, self.message, self.fix = code, message, fix


@dataclass(frozen=True, slots=True)
class Recipe:
    """What decides the prepared bytes: the original by its content, and what the network takes.

    ``video`` is the type of a video, empty for a picture.
    """

    path: Path
    original: str
    pixels: int | None
    size: int | None
    types: tuple[str, ...]
    video: str = ""


def is_heic(head: bytes) -> bool:
    """Whether a file that begins so is a picture as iPhones save them."""
    return head[4:8] == b"ftyp" and head[8:12] in _HEIC


def described(path: Path) -> Mapping[str, str]:
    """What the metadata of an original picture says in words, by where it stands: ``EXIF ImageDescription``,
    ``EXIF Artist``, ``EXIF UserComment``, ``XMP dc:description``, ``IPTC Caption``, ``PNG Author``, ``Comment`` …;
    ``GPS`` is the place as ``latitude, longitude`` in degrees. Empty for what is no picture or can't be read as one.

    What machines write (camera, program, dates, serial numbers) is left out. Raises OSError.
    """
    return metadata(path).texts


def metadata(path: Path) -> Metadata:
    """All that an original picture tells beside what is seen on it; nothing for what is no picture. Raises OSError."""
    from PIL import Image

    content = path.read_bytes()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(BytesIO(content), formats=_formats(path, path.name)) as image:
                return metadata_of(content, image)
    except Exception:  # whatever Pillow raises over somebody else's bytes: a broken picture may tell a lot
        return metadata_of(content)


def prepare(recipe: Recipe, file: str) -> tuple[bytes, str, int, int]:
    """Bytes, type, width and height in pixels. Raises MediaError."""
    image = _upright(recipe, file)
    if recipe.pixels and image.width * image.height > recipe.pixels:
        image = _scaled(image, sqrt(recipe.pixels / (image.width * image.height)))
    mimes = _types(image, recipe.types)
    shape, scale, limit = image, 1.0, recipe.size
    while True:
        smallest = 0
        for mime in mimes:
            for content in _encodings(shape, mime, limit):
                if limit is None or len(content) <= limit:
                    return content, mime, shape.width, shape.height
                smallest = min(smallest or len(content), len(content))
        scale *= min(0.9, max(0.3, sqrt((limit or 1) / smallest)))  # size goes with the number of pixels
        if max(image.width, image.height) * scale < SMALLEST:
            message = _("The picture {file} can't be made small enough: {limit} bytes are allowed.")
            fix = _("Use a simpler or smaller picture.")
            raise MediaError("M108", message.format(file=file, limit=limit), fix)
        shape = _scaled(image, scale)


def _upright(recipe: Recipe, file: str) -> Image:
    """The decoded first image, turned as the camera was held, in colours that every screen shows alike."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large pictures: our own limit decides
            with Image.open(recipe.path, formats=_formats(recipe.path, file)) as opened:
                if opened.width * opened.height > MAX_PIXELS:
                    raise Image.DecompressionBombError
                if getattr(opened, "n_frames", 1) > 1 and opened.format not in ("MPO", "TIFF", "HEIF"):  # pages, series
                    message = _("The picture {file} is animated; only still pictures can be sent.").format(file=file)
                    raise MediaError("M107", message, _("Save one image of it as PNG or JPEG."))
                kind = opened.format or ""
                opened.load()
                image = _in_srgb(ImageOps.exif_transpose(opened))
    except MediaError:
        raise
    except Image.DecompressionBombError as error:
        message = _("The picture {file} has more than {limit} million pixels.")
        message = message.format(file=file, limit=MAX_PIXELS // 1_000_000)
        raise MediaError("M104", message, _("Save it smaller: 4000 × 3000 is plenty.")) from error
    except UnidentifiedImageError as error:
        message = _("The file {file} is neither a picture nor a video that can be read.").format(file=file)
        raise MediaError("M102", message, _("Use a JPEG, PNG, WebP or HEIC picture, or an MP4 video.")) from error
    except Exception as error:  # Pillow raises whatever it stumbles over: TypeError for a TIFF cut short, for one
        message = _("The picture {file} is broken: {reason}.").format(file=file, reason=error)
        raise MediaError("M103", message, _("Export it again from the program it was made with.")) from error
    image.info = {"was": kind}  # of all metadata, only what kind of file it came from
    return image


def _formats(path: Path, file: str) -> tuple[str, ...]:
    """What Pillow may read; HEIC with the help of an extra. Raises MediaError where it is not installed."""
    with path.open("rb") as opened:
        head = opened.read(12)
    if not is_heic(head):
        return _READABLE
    try:
        from pillow_heif import register_heif_opener
    except ImportError as error:
        message = _("The picture {file} is a HEIC file, and the part that reads those is not installed.")
        fix = _('Install it with: pip install "campaign-cli[heic]", or export the picture as JPEG.')
        raise MediaError("M122", message.format(file=file), fix) from error
    register_heif_opener()
    return ("HEIF",)


def _in_srgb(image: Image) -> Image:
    """RGB or RGBA; a colour profile is applied, since it is dropped with all other metadata."""
    from PIL import ImageCms

    clear = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "CMYK", "L") and not clear:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            changed = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            image = changed or image
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a broken profile: the colours as they are
    if image.mode in ("I;16", "I", "F"):
        image = image.convert("L")
    return image.convert("RGBA" if clear else "RGB")


def _types(image: Image, accepted: tuple[str, ...]) -> list[str]:
    """The file's own type first; PNG for transparency and drawings, JPEG for photographs and for what is too big."""
    writable = [mime for mime in accepted if mime in SUFFIXES] or ["image/jpeg"]
    own = _FORMATS.get(str(image.info["was"]))
    wanted = [own] if own else []
    wanted += ["image/png", "image/jpeg"] if image.mode == "RGBA" or own is None else ["image/jpeg"]
    return [mime for mime in dict.fromkeys(wanted) if mime in writable] or writable[:1]


def _scaled(image: Image, factor: float) -> Image:
    from PIL import Image as images

    size = (max(1, int(image.width * factor)), max(1, int(image.height * factor)))
    smaller = image.resize(size, images.Resampling.LANCZOS)
    smaller.info = dict(image.info)
    return smaller


def _encodings(image: Image, mime: str, limit: int | None) -> Iterator[bytes]:
    """The picture as bytes, best first, without any metadata; no lower quality where it could not reach the limit."""
    from PIL import Image as images

    bare = images.new(image.mode, image.size)
    bare.paste(image)
    if mime == "image/png":
        yield _saved(bare, "PNG")
        return
    if mime == "image/jpeg" and bare.mode == "RGBA":
        bare = images.alpha_composite(images.new("RGBA", bare.size, "white"), bare).convert("RGB")
    for quality in _QUALITIES:
        if mime == "image/webp":
            content = _saved(bare, "WEBP", quality=quality, method=4)
        else:
            content = _saved(bare, "JPEG", quality=quality, optimize=True, progressive=True)
        yield content
        if limit is not None and len(content) > 2 * limit:
            return


def _saved(image: Image, kind: str, **options: int | bool) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
