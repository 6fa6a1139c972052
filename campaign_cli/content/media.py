"""Pictures made ready for a network: upright, without metadata, of an accepted type, within its limits.

The original is never changed. The same file and limits give the same bytes, so what was dropped from memory can be made
again.
"""

from __future__ import annotations

import hashlib
import warnings
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Final

from campaign_cli import reasons
from campaign_cli.i18n import _
from campaign_cli.models import Picture

if TYPE_CHECKING:
    from PIL.Image import Image

    from campaign_cli.platforms.base import Limits

MAX_FILE: Final = 64 * 1024 * 1024  # bytes of an original
MAX_PIXELS: Final = 100_000_000  # of an original: a larger one is a mistake or an attack
KEPT: Final = 64 * 1024 * 1024  # prepared bytes held in memory
SMALLEST: Final = 160  # pixels: below this a picture says nothing any more
_QUALITIES: Final = (92, 85, 78, 70)
_FORMATS: Final = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_SUFFIXES: Final = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}
_READABLE: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")


class MediaError(Exception):
    """A picture can't be used: ``code``, ``message`` and ``fix`` for people."""

    def __init__(self, code: str, message: str, fix: str) -> None:
        super().__init__(message)
        self.code, self.message, self.fix = code, message, fix


@dataclass(frozen=True, slots=True)
class Recipe:
    """What decides the prepared bytes: the original by its content, and what the network takes."""

    path: Path
    original: str
    pixels: int | None
    size: int | None
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Prepared:
    sha256: str
    mime: str
    size: int
    width: int
    height: int


class MediaStore:
    """The pictures of one workspace. ``kept`` bounds the bytes held in memory; what falls out is made again."""

    def __init__(self, root: Path, *, kept: int = KEPT) -> None:
        self._root = root.resolve()
        self._kept = kept
        self._held = 0
        self._bytes: OrderedDict[str, bytes] = OrderedDict()
        self._prepared: dict[Recipe, _Prepared | MediaError] = {}
        self._recipes: dict[str, Recipe] = {}
        self._hashes: dict[str, tuple[int, int, str]] = {}

    def picture(self, file: str, *, alt: str, limits: Limits) -> Picture:
        """The picture as it will be sent. ``file`` counts from the workspace. Raises MediaError."""
        path = self._path(file)
        recipe = Recipe(path, self._hash(file, path), limits.image_pixels, limits.image_bytes, limits.image_types)
        prepared = self._prepared.get(recipe)
        if prepared is None:
            try:
                prepared = self._prepare(recipe, file)
            except MediaError as error:
                prepared = error
            self._prepared[recipe] = prepared
        if isinstance(prepared, MediaError):
            raise prepared
        return Picture(
            sha256=prepared.sha256,
            name=path.stem + _SUFFIXES[prepared.mime],
            mime=prepared.mime,
            size=prepared.size,
            width=prepared.width,
            height=prepared.height,
            alt=alt.strip(),
        )

    def content(self, sha256: str) -> bytes:
        """The prepared bytes of a picture that ``picture`` returned. KeyError for others; MediaError if it is gone."""
        if sha256 not in self._bytes:
            recipe = self._recipes[sha256]
            prepared = self._prepare(recipe, recipe.path.name)
            if prepared.sha256 != sha256:
                message = _("The file {file} changed while it was in use.").format(file=recipe.path.name)
                raise MediaError("M109", message, _("Run the command again."))
        self._bytes.move_to_end(sha256)
        return self._bytes[sha256]

    def file_hash(self, file: str) -> str:
        """SHA-256 of the original, read again only when its size or time changed. Raises MediaError."""
        return self._hash(file, self._path(file))

    def _path(self, file: str) -> Path:
        path = (self._root / file).resolve()
        if not path.is_relative_to(self._root):
            message = _("The file {file} lies outside the workspace.").format(file=file)
            raise MediaError("M105", message, _("Copy it into the workspace, for example to media/."))
        return path

    def _hash(self, file: str, path: Path) -> str:
        try:
            status = path.stat()
            known = self._hashes.get(file)
            if known is not None and known[:2] == (status.st_size, status.st_mtime_ns):
                return known[2]
            if status.st_size > MAX_FILE:
                message = _("The file {file} is larger than {limit} MiB.").format(file=file, limit=MAX_FILE >> 20)
                raise MediaError("M106", message, _("Save the picture smaller."))
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            message = _("The file {file} can't be read: {reason}.").format(file=file, reason=reasons.reason(error))
            raise MediaError("M101", message, _("Check the name and the permissions.")) from error
        self._hashes[file] = (status.st_size, status.st_mtime_ns, digest)
        return digest

    def _prepare(self, recipe: Recipe, file: str) -> _Prepared:
        content, mime, width, height = prepare(recipe, file)
        digest = hashlib.sha256(content).hexdigest()
        self._recipes[digest] = recipe
        self._bytes[digest] = content
        self._held = sum(map(len, self._bytes.values()))
        while self._held > self._kept and len(self._bytes) > 1:
            self._held -= len(self._bytes.popitem(last=False)[1])
        return _Prepared(digest, mime, len(content), width, height)


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
            with Image.open(recipe.path, formats=_READABLE) as opened:
                if opened.width * opened.height > MAX_PIXELS:
                    raise Image.DecompressionBombError
                if getattr(opened, "n_frames", 1) > 1 and opened.format not in ("MPO", "TIFF"):  # depth maps, pages
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
        message = _("The file {file} is not a picture that can be read.").format(file=file)
        raise MediaError("M102", message, _("Use a JPEG, PNG or WebP file.")) from error
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError) as error:
        message = _("The picture {file} is broken: {reason}.").format(file=file, reason=error)
        raise MediaError("M103", message, _("Export it again from the program it was made with.")) from error
    image.info = {"was": kind}  # of all metadata, only what kind of file it came from
    return image


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
    writable = [mime for mime in accepted if mime in _SUFFIXES] or ["image/jpeg"]
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
