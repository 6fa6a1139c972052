"""A video made ready: its length, size and codec known, and nothing in it that tells of people. Never encoded anew.

With ffmpeg and ffprobe where they are installed (https://ffmpeg.org/ffprobe.html, https://ffmpeg.org/ffmpeg.html),
else as far as the boxes of MP4 and QuickTime tell.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from campaign_cli import reasons
from campaign_cli.content.boxes import Film, read_film, without_telling
from campaign_cli.content.ebml import read_webm
from campaign_cli.content.pictures import MediaError, is_heic
from campaign_cli.i18n import _
from campaign_cli.models import Removed

MAX_VIDEO: Final = 256 * 1024 * 1024
"""Bytes of an original: it lies whole in the ledger, and in memory once or twice while it is sent."""
SUFFIXES: Final = {"video/mp4": ".mp4", "video/quicktime": ".mov", "video/webm": ".webm"}
_FORMATS: Final = {"video/mp4": ("mov", "mp4"), "video/quicktime": ("mov", "mov"), "video/webm": ("matroska", "webm")}
_PICTURES: Final = (b"avif", b"avis")  # of the same family of files
_LONGEST: Final = 1e6  # seconds: beyond any film
_PROBE_SECONDS: Final = 30.0
_COPY_SECONDS: Final = 300.0
_OUTPUT: Final = 64 * 1024  # bytes that we read of what a tool says
_ENTRIES: Final = "format=duration:stream=codec_type,codec_name,width,height:stream_side_data=rotation"


@dataclass(frozen=True, slots=True)
class Tools:
    """Where ffmpeg and ffprobe are; None where they are not installed."""

    ffmpeg: str | None = None
    ffprobe: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Video:
    """``seconds`` None and ``width`` 0 where they are not known; ``clean``: nothing in it tells of people any more.
    ``removed``: what the original told, see ``models.Picture``."""

    content: bytes
    mime: str
    width: int = 0
    height: int = 0
    seconds: float | None = None
    codec: str = ""
    clean: bool = False
    removed: Removed = ()


def video_type(path: Path) -> str | None:
    """The type of a video by how the file begins, whatever its name; None for what is no video. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(64)
    if head[4:8] == b"ftyp" and not is_heic(head) and head[8:12] not in _PICTURES:
        return "video/quicktime" if head[8:12] == b"qt  " else "video/mp4"
    if head[4:8] in (b"moov", b"mdat", b"wide"):  # as the oldest cameras begin
        return "video/quicktime"
    return "video/webm" if head[:4] == b"\x1aE\xdf\xa3" and b"webm" in head else None


def wanted_type(mime: str, types: Sequence[str], tools: Tools) -> str:
    """What a video becomes: MP4 where it is QuickTime, the network takes none, and ffmpeg is there; else it stays."""
    return "video/mp4" if mime == "video/quicktime" and mime not in types and tools.ffmpeg else mime


def prepare_video(path: Path, file: str, *, mime: str, wanted: str, tools: Tools) -> Video:
    """The video without metadata, as the type ``wanted`` (``wanted_type``). Raises MediaError and OSError."""
    content, clean = path.read_bytes(), False
    reader = read_webm if mime == "video/webm" else read_film
    told = reader(content)  # may be unable to read what ffmpeg can
    if tools.ffmpeg:
        try:
            content, clean = _copied(tools.ffmpeg, path, file, kinds=(_FORMATS[mime][0], _FORMATS[wanted][1])), True
        except MediaError:
            if mime != "video/webm":
                _moving(told, file)  # what we see ourselves, we say in the reader's language
            raise
    film = reader(content) if tools.ffmpeg else told
    if film is not None or mime != "video/webm":  # a WebM that can't be read is for ffprobe, or for the network
        film = _moving(film, file)
    if film is not None and not tools.ffmpeg:
        content, clean = without_telling(content, film), not film.hidden
    removed = tuple(sorted((+told.removed).items())) if told else ()
    video = Video(content=content, mime=wanted, clean=clean, removed=removed)
    if tools.ffprobe:
        return _probed(tools.ffprobe, path, file, video)
    if film is None:
        return video
    seconds = film.seconds and round(film.seconds, 1)
    return replace(video, width=film.width, height=film.height, seconds=seconds, codec=film.codec)


def _moving(film: Film | None, file: str) -> Film:
    """A film with pictures in it. Raises MediaError."""
    if film is None:
        raise _broken(file, _("its parts can't be read"))
    if not film.codec:
        raise _broken(file, _("there are no moving pictures in it"))
    return film


def _copied(ffmpeg: str, path: Path, file: str, *, kinds: tuple[str, str]) -> bytes:
    """The first track of pictures and the first of sound, bit for bit, in a file without any metadata."""
    with tempfile.TemporaryDirectory(prefix="campaign-video-") as folder:
        target = Path(folder) / "video"
        order = [ffmpeg, "-nostdin", "-hide_banner", "-v", "error", "-protocol_whitelist", "file", "-f", kinds[0]]
        order += ["-i", f"file:{path}", "-map", "0:V:0", "-map", "0:a:0?", "-c", "copy", "-map_metadata", "-1"]
        order += ["-map_chapters", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"]
        order += ["-movflags", "+faststart"] if kinds[1] != "webm" else []
        order += ["-fs", str(MAX_VIDEO * 2), "-f", kinds[1], f"file:{target}"]
        _run(order, file, path=path, seconds=_COPY_SECONDS)
        if not target.exists():
            raise _broken(file, _("there are no moving pictures in it"))
        if target.stat().st_size > MAX_VIDEO:
            message = _("The file {file} is larger than {limit} MiB.").format(file=file, limit=MAX_VIDEO >> 20)
            raise MediaError("M106", message, _("Save it smaller."))
        return target.read_bytes()


def _probed(ffprobe: str, path: Path, file: str, video: Video) -> Video:
    """Length, size and codec as ffprobe tells them. Raises MediaError where there are no moving pictures."""
    order = [ffprobe, "-hide_banner", "-v", "error", "-protocol_whitelist", "file", "-f", _FORMATS[video.mime][0]]
    said = _run(
        [*order, "-show_entries", _ENTRIES, "-of", "json", f"file:{path}"], file, path=path, seconds=_PROBE_SECONDS
    )
    try:
        data = json.loads(said)
        stream = next(one for one in data["streams"] if one.get("codec_type") == "video")
        width, height, codec = int(stream["width"]), int(stream["height"]), str(stream["codec_name"])
        seconds = _seconds(data.get("format", {}).get("duration"))
        if any(int(turn.get("rotation") or 0) % 180 for turn in stream.get("side_data_list") or []):
            width, height = height, width
    except (ValueError, KeyError, TypeError, StopIteration, AttributeError, OverflowError, RecursionError) as error:
        raise _broken(file, _("there are no moving pictures in it")) from error
    return replace(video, width=width, height=height, seconds=seconds, codec=codec)


def _seconds(said: object) -> float | None:
    """None for what is no length of time."""
    try:
        seconds = float(str(said))
    except ValueError:
        return None
    return (round(seconds, 1) or None) if 0 < seconds < _LONGEST else None


def _run(order: Sequence[str], file: str, *, path: Path, seconds: float) -> str:
    """What a tool says, within bounds of time and size; it sees no environment and no input. Raises MediaError."""
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
        try:
            done = subprocess.run(
                order, stdin=subprocess.DEVNULL, stdout=said, stderr=complained, env={}, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise _broken(file, _("reading it took longer than {seconds:g} seconds").format(seconds=seconds)) from error
        except OSError as error:
            reason = _("{tool} can't be run: {reason}").format(tool=Path(order[0]).name, reason=reasons.reason(error))
            raise _broken(file, reason) from error
        for output in (said, complained):
            output.seek(0)
        if done.returncode:
            words = complained.read(_OUTPUT).decode("utf-8", "replace").replace(f"file:{path}: ", "")
            lines = [line.strip() for line in words.split("\n") if line.strip()]
            raise _broken(
                file, lines[0][:200].rstrip(".") if lines else str(done.returncode)
            )  # the others follow from it
        return said.read(_OUTPUT).decode("utf-8", "replace")


def _broken(file: str, reason: str) -> MediaError:
    message = _("The video {file} is broken: {reason}.").format(file=file, reason=reason)
    return MediaError("M121", message, _("Export it again as MP4 (H.264 and AAC)."))
