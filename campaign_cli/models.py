"""Frozen values that travel through the program: what a post is, where it goes, what became of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Any, Final

LASTING: Final = "out/"
"""A finished step whose name begins so says that something is out: it stays when the delivery is tried again, gets
other words, or is sent anew because a person said so."""


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A prepared image or video: the bytes are stored by ``sha256``; ``size`` in bytes, ``width`` and ``height`` in
    pixels (0 = unknown), ``seconds`` how long a video lasts (None for images)."""

    sha256: str
    name: str
    mime: str
    size: int
    width: int
    height: int
    alt: str
    seconds: float | None = None

    @property
    def is_video(self) -> bool:
        """Whether it moves."""
        return self.mime.startswith("video/")

    def _plain(self) -> dict[str, Any]:
        """As JSON values; an image's are what they were before there were videos, so that its hashes stay."""
        values = asdict(self)
        if self.seconds is None:
            del values["seconds"]
        return values


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
            Part(text=part["text"], media=tuple(Picture(**picture) for picture in part["media"]))
            for part in data["parts"]
        )
        return cls(**data)

    def content_hash(self, due: datetime, *, embargo: datetime | None = None) -> str:
        """SHA-256 over platform, address, parts, media, alt text, visibility, language, native fields, due instant, and
        the embargo where there is one.

        The account's *name* is left out (it is in the delivery key); instants are aware and count as instants.
        """
        data = self._plain()
        del data["account"]
        until = "" if embargo is None else f"\nembargo {embargo.timestamp():.6f}"
        return hashlib.sha256(f"{_canonical(data)}\n{due.timestamp():.6f}{until}".encode()).hexdigest()

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Every picture and video of every part, in order."""
        return tuple(picture for part in self.parts for picture in part.media)


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """The proof that one part is out: the network's id, its permalink where known, the instant (aware).

    ``extra`` holds what later parts need of it (Bluesky's cid).
    """

    part: int
    id: str
    url: str | None
    at: datetime
    extra: Mapping[str, Any] = field(default_factory=dict)


def _canonical(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def delivery_key(campaign: str, post: str, account: str) -> str:
    """``campaign/post[@DATE[.n]]/account``; ``post`` already carries its occurrence."""
    return f"{campaign}/{post}/{account}"


def attempt_key(delivery: str, content_hash: str, part: int, generation: int) -> str:
    """The key of an attempt: the same after a restart, another for each part, content and person's decision."""
    return hashlib.sha256(f"{delivery}\n{content_hash}\n{part}\n{generation}".encode()).hexdigest()[:40]
