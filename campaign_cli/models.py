"""Frozen values that travel through the program: what a post is, where it goes, what became of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Any, Final

LASTING: Final = "out/"
"""A finished step whose name begins so, and that is not None, says that something is out, though no whole part may be.
The delivery has begun: it is frozen, and finished however late. The step stays when the delivery is tried again or sent
anew because a person said so."""


class Severity(StrEnum):
    """How much a problem matters: only an error blocks."""

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"


class State(StrEnum):
    """What a delivery is. ``held`` and ``approved`` are derived, not stored."""

    WAITING = "waiting"
    SENDING = "sending"
    PUBLISHED = "published"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    CANCELLED = "cancelled"
    MISSED = "missed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where something is written: a file relative to the workspace, line and column from 1 (0 = no place)."""

    file: str = ""
    line: int = 0
    column: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """A located finding. ``code`` is a letter and three digits; ``path`` is like ``posts[3].variants.x.text``."""

    code: str
    severity: Severity
    file: str
    line: int
    column: int
    path: str
    message: str
    fix: str = ""

    @property
    def sort_key(self) -> tuple[str, int, int, str]:
        """By file, line, column, code."""
        return (self.file, self.line, self.column, self.code)


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """A named destination as written in accounts.yaml.

    ``settings`` holds the platform's own keys; where ``Platform.secrets`` names one, the value is a *reference*
    (``env:NAME``), never the secret.
    """

    name: str
    platform: str
    settings: Mapping[str, Any]
    timezone: tzinfo | None = None
    language: str | None = None
    rate: float | None = None  # posts a minute, where the officer sets one
    media_host: str | Mapping[str, str] | None = None  # an account that hosts files, or {folder, url}
    place: Place = Place()


Removed = tuple[tuple[str, int], ...]
"""Kinds of metadata, and how much of each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A prepared image or video: the bytes are stored by ``sha256``; ``size`` in bytes, ``width`` and ``height`` in
    pixels (0 = unknown), ``seconds`` how long a video lasts (None for images).

    ``removed`` says what the original had beside what is seen, and this has no more: kinds (gps, exif, maker_note,
    thumbnail, xmp, iptc, text, comment, profile, time, picture, track, tag, appended, other) and how much of each,
    never what it said. It is no part of what is sent.
    """

    sha256: str
    name: str
    mime: str
    size: int
    width: int
    height: int
    alt: str
    seconds: float | None = None
    removed: Removed = ()

    @property
    def is_video(self) -> bool:
        """Whether it moves."""
        return self.mime.startswith("video/")

    def _plain(self) -> dict[str, Any]:
        """As JSON values; an image's are what they were before there were videos, so that its hashes stay."""
        values = asdict(self)
        if self.seconds is None:
            del values["seconds"]
        values["removed"] = dict(self.removed)
        if not self.removed:
            del values["removed"]
        return values

    @classmethod
    def _from_plain(cls, values: Mapping[str, Any]) -> Picture:
        return cls(**{**values, "removed": tuple(sorted(values.get("removed", {}).items()))})


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One message: a whole post, or one part of a thread."""

    text: str
    media: tuple[Picture, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """The final content of one post for one account, ready to send.

    ``native`` holds the network's own fields (title, slug, excerpt, categories, tags, cw …), JSON values only.
    ``link`` is set only where the network shows the link apart from the text (a card, a line below the body).
    """

    platform: str
    account: str
    address: str
    language: str
    parts: tuple[Part, ...]
    visibility: str | None = None
    link: str | None = None
    native: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """Canonical JSON: the same draft gives the same text."""
        return _canonical(self._plain())

    def _plain(self) -> dict[str, Any]:
        """As JSON values; by hand, because ``dataclasses.asdict`` copies everything, for every draft."""
        return {
            "platform": self.platform,
            "account": self.account,
            "address": self.address,
            "language": self.language,
            "parts": [
                {"text": part.text, "media": [picture._plain() for picture in part.media]} for part in self.parts
            ],
            "visibility": self.visibility,
            "link": self.link,
            "native": dict(self.native),
        }

    @classmethod
    def from_json(cls, text: str) -> Draft:
        """The draft that ``to_json`` wrote."""
        data = json.loads(text)
        data["parts"] = tuple(
            Part(text=part["text"], media=tuple(Picture._from_plain(picture) for picture in part["media"]))
            for part in data["parts"]
        )
        return cls(**data)

    def content_hash(self, due: datetime, *, embargo: datetime | None = None) -> str:
        """SHA-256 over platform, address, parts, media, alt text, visibility, language, native fields, due instant, and
        the embargo where there is one.

        The account's *name* is left out (it is in the delivery key); instants are aware and count as instants.
        """
        data = self.as_sent()._plain()
        del data["account"]
        until = "" if embargo is None else f"\nembargo {embargo.timestamp():.6f}"
        return hashlib.sha256(f"{_canonical(data)}\n{due.timestamp():.6f}{until}".encode()).hexdigest()

    def as_sent(self) -> Draft:
        """The same without what only the preview tells: what was removed from the originals of its pictures."""
        if not any(picture.removed for picture in self.pictures):
            return self
        parts = (
            replace(part, media=tuple(replace(picture, removed=()) for picture in part.media)) for part in self.parts
        )
        return replace(self, parts=tuple(parts))

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Every picture and video of every part, in order."""
        return tuple([picture for part in self.parts for picture in part.media])

    @property
    def files(self) -> tuple[Picture, ...]:
        """Everything whose bytes go out with it: ``pictures``, and the files of native fields (``native_file``)."""
        return self.pictures + files_in(self.native)


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """The proof that one part is out: the network's id, its permalink where known, the instant (aware).

    ``extra`` holds what later parts need of it (Bluesky's cid). ``withdrawn_at`` (aware) is when it was taken back.
    """

    part: int
    id: str
    url: str | None
    at: datetime
    extra: Mapping[str, Any] = field(default_factory=dict)
    withdrawn_at: datetime | None = None


def native_file(file: Picture) -> dict[str, Any]:
    """A file as the value of a native field (a thumbnail), or one of its values (captions, by language)."""
    return replace(file, removed=())._plain()


def files_in(value: Any) -> tuple[Picture, ...]:
    """The files that a native field, or all of them, hold (``native_file``)."""
    if not isinstance(value, Mapping):
        return ()
    if "sha256" in value:
        return (Picture._from_plain(value),)
    return tuple(file for inner in value.values() for file in files_in(inner))


def _canonical(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


DIRECT: Final = "langsung"
"""The campaign of messages without a plan; no plan may bear its name."""


def delivery_key(campaign: str, post: str, account: str) -> str:
    """``campaign/post[@DATE[.n]]/account``; ``post`` already carries its occurrence."""
    return f"{campaign}/{post}/{account}"


def attempt_key(delivery: str, content_hash: str, part: int, generation: int) -> str:
    """The key of an attempt: the same after a restart, another for each part, content and person's decision."""
    return hashlib.sha256(f"{delivery}\n{content_hash}\n{part}\n{generation}".encode()).hexdigest()[:40]
