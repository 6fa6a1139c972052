"""The media of one workspace, made ready for each network: pictures by ``pictures``, videos by ``video``.

The original is never changed. The same file and limits give the same bytes, so what was dropped from memory, or from
the folder of what was made before, can be made again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Final

from campaign_cli import reasons
from campaign_cli.content import video
from campaign_cli.content.cache import MediaCache
from campaign_cli.content.pictures import SUFFIXES, Made, MediaError, Recipe, described, prepare
from campaign_cli.content.video import MAX_VIDEO, Tools, Video, prepare_video, video_type, wanted_type
from campaign_cli.i18n import _
from campaign_cli.models import Picture, Removed

if TYPE_CHECKING:
    from campaign_cli.platforms.base import Limits

MAX_FILE: Final = 64 * 1024 * 1024  # bytes of an original picture
KEPT: Final = 64 * 1024 * 1024  # prepared bytes of pictures held in memory
_VERSION: Final = 2  # raise it when the same recipe gives other bytes
_TEXT: Final = "text"  # in the place of a video's type: sent as it is
_CAPTIONS: Final = {".srt": "application/x-subrip", ".vtt": "text/vtt"}
_CUE: Final = re.compile(r"\d\d:\d\d[,.]\d\d\d[ \t]+-->")
_NO_TOOLS: Final = Tools()


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was made. ``codec`` and ``clean`` speak of videos: see ``video.Video``. ``removed``: see ``Picture``."""

    sha256: str
    mime: str
    size: int
    width: int
    height: int
    seconds: float | None = None
    codec: str = ""
    clean: bool = True
    removed: Removed = ()


class MediaStore:
    """The media of one workspace.

    ``cache`` is the folder in which prepared media are kept (None: nowhere), ``tools`` what helps with videos. ``kept``
    bounds the bytes held in memory; what falls out is made again. Videos are never held there.
    """

    def __init__(self, root: Path, *, cache: Path | None = None, tools: Tools = _NO_TOOLS, kept: int = KEPT) -> None:
        self._root = root.resolve()
        self._cache = MediaCache(cache) if cache is not None else None
        self._tools = tools
        self._kept = kept
        self._held = 0
        self._bytes: OrderedDict[str, bytes] = OrderedDict()
        self._prepared: dict[Recipe, Prepared | MediaError] = {}
        self._recipes: dict[str, Recipe] = {}
        self._described: dict[str, Mapping[str, str]] = {}
        self._hashes: dict[Path, tuple[int, int, str]] = {}

    def picture(self, file: str, *, alt: str, limits: Limits) -> Picture:
        """The picture or video as it will be sent. ``file`` counts from the workspace. Raises MediaError."""
        prepared = self.prepared(file, limits)
        suffixes = video.SUFFIXES if prepared.mime.startswith("video/") else SUFFIXES
        return Picture(
            sha256=prepared.sha256,
            name=_named(file) + suffixes[prepared.mime],
            mime=prepared.mime,
            size=prepared.size,
            width=prepared.width,
            height=prepared.height,
            alt=alt.strip(),
            seconds=prepared.seconds,
            removed=prepared.removed,
        )

    def captions(self, file: str, *, largest: int) -> Picture:
        """A file with subtitles, as it is: SubRip or WebVTT in UTF-8. Raises MediaError."""
        path = self._path(file)
        mime = _CAPTIONS.get(path.suffix.lower())
        digest = self._hash(file, path)
        content = b"" if path.stat().st_size > largest else path.read_bytes()
        if mime is None or not _has_cues(content):
            raise MediaError(
                "M130",
                _("The file {file} holds no subtitles that can be sent.").format(file=file),
                _("Save them as .srt or .vtt in UTF-8, with times, and at most {size} MB.").format(
                    size=largest // 1_000_000
                ),
            )
        if hashlib.sha256(content).hexdigest() != digest:
            raise _changed(file)
        self._recipes[digest] = Recipe(path, digest, None, None, (mime,), _TEXT)
        return Picture(sha256=digest, name=path.name, mime=mime, size=len(content), width=0, height=0, alt="")

    def prepared(self, file: str, limits: Limits) -> Prepared:
        """What is known of a file once it is ready for these limits. Raises MediaError."""
        path = self._path(file)
        original, kind = self._hash(file, path), self._kind(file, path)
        if kind:
            wanted = wanted_type(kind, limits.video_types, self._tools)
            recipe = Recipe(path, original, None, None, (wanted,), kind)
        else:
            recipe = Recipe(path, original, limits.image_pixels, limits.image_bytes, limits.image_types)
        prepared = self._prepared.get(recipe)
        if prepared is None:
            try:
                prepared = self._made(recipe, file)[0]
            except MediaError as error:
                prepared = error
            self._prepared[recipe] = prepared
        if isinstance(prepared, MediaError):
            raise prepared
        return prepared

    def content(self, sha256: str) -> bytes:
        """The prepared bytes of what ``picture`` returned. KeyError for others; MediaError if they are gone."""
        if sha256 in self._bytes:
            self._bytes.move_to_end(sha256)
            return self._bytes[sha256]
        recipe = self._recipes[sha256]
        if recipe.video == _TEXT:
            return self._unchanged(recipe)
        prepared, content = self._made(recipe, recipe.path.name)
        if prepared.sha256 != sha256:
            raise _changed(recipe.path.name)
        return content

    def _unchanged(self, recipe: Recipe) -> bytes:
        """The bytes of a file that is sent as it is."""
        try:
            content = recipe.path.read_bytes()
        except OSError as error:
            raise _unreadable(recipe.path.name, error) from error
        if hashlib.sha256(content).hexdigest() != recipe.original:
            raise _changed(recipe.path.name)
        return content

    def file_hash(self, file: str) -> str:
        """SHA-256 of the original, read again only when its size or time changed. Raises MediaError."""
        return self._hash(file, self._path(file))

    def described(self, file: str) -> Mapping[str, str]:
        """The words in the metadata of an original, read once: see ``pictures.described``. Raises MediaError."""
        path = self._path(file)
        digest = self._hash(file, path)
        if digest not in self._described:
            try:
                self._described[digest] = {} if self._kind(file, path) else described(path)
            except OSError as error:
                raise _unreadable(file, error) from error
        return self._described[digest]

    def _path(self, file: str) -> Path:
        try:
            path = (self._root / file).resolve()
        except (OSError, RuntimeError, ValueError) as error:  # links in a circle, a name that can't be one
            message = _("The file {file} can't be looked for.").format(file=file)
            raise MediaError("M101", message, _("Correct the name.")) from error
        if not path.is_relative_to(self._root):
            message = _("The file {file} lies outside the workspace.").format(file=file)
            raise MediaError("M105", message, _("Copy it into the workspace, for example to media/."))
        return path

    def _kind(self, file: str, path: Path) -> str:
        """The type of a video; empty for a picture."""
        try:
            return video_type(path) or ""
        except OSError as error:
            raise _unreadable(file, error) from error

    def _hash(self, file: str, path: Path) -> str:
        try:
            status = path.stat()
            known = self._hashes.get(path)
            if known is not None and known[:2] == (status.st_size, status.st_mtime_ns):
                return known[2]
            if not S_ISREG(status.st_mode):  # a pipe would be waited for, a device read without end
                message = _("The file {file} is no ordinary file.").format(file=file)
                raise MediaError("M101", message, _("Name a picture or a video."))
            limit = MAX_VIDEO if status.st_size > MAX_FILE and video_type(path) else MAX_FILE
            if status.st_size > limit:
                message = _("The file {file} is larger than {limit} MiB.").format(file=file, limit=limit >> 20)
                raise MediaError("M106", message, _("Save it smaller."))
            with path.open("rb") as opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
        except OSError as error:
            raise _unreadable(file, error) from error
        self._hashes[path] = (status.st_size, status.st_mtime_ns, digest)
        return digest

    def _made(self, recipe: Recipe, file: str) -> tuple[Prepared, bytes]:
        """Made before, or now. Raises MediaError."""
        key = self._key(recipe)
        found = self._cached(key)
        if found is None:
            found = self._make(recipe, file)
            if self._cache is not None:
                self._cache.put(key, asdict(found[0]), found[1])
        prepared, content = found
        self._recipes[prepared.sha256] = recipe
        if not recipe.video:
            self._keep(prepared.sha256, content)
        return prepared, content

    def _make(self, recipe: Recipe, file: str) -> tuple[Prepared, bytes]:
        """Of the very original that the recipe names, and of nothing else. Raises MediaError."""
        try:
            if recipe.video:
                film = prepare_video(recipe.path, file, mime=recipe.video, wanted=recipe.types[0], tools=self._tools)
                if self._hash(file, recipe.path) != recipe.original:
                    raise _changed(file)
                return _facts(film), film.content
            original = recipe.path.read_bytes()
        except OSError as error:
            raise _unreadable(file, error) from error
        if _digest(original) != recipe.original:
            self._hashes.pop(recipe.path, None)
            raise _changed(file)
        made = prepare(recipe, original, file)
        return _facts(made), made.content

    def _cached(self, key: str) -> tuple[Prepared, bytes] | None:
        found = self._cache.get(key) if self._cache is not None else None
        if found is None:
            return None
        try:
            facts = {**found[0], "removed": tuple((kind, count) for kind, count in found[0].get("removed", ()))}
            return Prepared(**facts), found[1]
        except (TypeError, ValueError):  # another program's facts
            return None

    def _key(self, recipe: Recipe) -> str:
        """A name for what the recipe gives: other tools make other bytes of a video."""
        tools = [bool(self._tools.ffmpeg), bool(self._tools.ffprobe)] if recipe.video else []
        words = [_VERSION, recipe.original, recipe.pixels, recipe.size, recipe.types, recipe.video, tools]
        return hashlib.sha256(json.dumps(words).encode()).hexdigest()

    def _keep(self, digest: str, content: bytes) -> None:
        self._bytes[digest] = content
        self._held = sum(map(len, self._bytes.values()))
        while self._held > self._kept and len(self._bytes) > 1:
            self._held -= len(self._bytes.popitem(last=False)[1])


def _named(file: str) -> str:
    """A file's name without its ending, as networks may be told it: no line ends or other signs that can't be seen."""
    return "".join(sign if sign.isprintable() else "-" for sign in Path(file).stem)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _facts(made: Made | Video) -> Prepared:
    return Prepared(
        sha256=_digest(made.content),
        size=len(made.content),
        **{each.name: getattr(made, each.name) for each in fields(made) if each.name != "content"},
    )


def _has_cues(content: bytes) -> bool:
    try:
        return _CUE.search(content.decode()) is not None
    except UnicodeDecodeError:
        return False


def _unreadable(file: str, error: OSError) -> MediaError:
    message = _("The file {file} can't be read: {reason}.").format(file=file, reason=reasons.reason(error))
    return MediaError("M101", message, _("Check the name and the permissions."))


def _changed(file: str) -> MediaError:
    message = _("The file {file} changed while it was in use.").format(file=file)
    return MediaError("M109", message, _("Run the command again."))
