"""What one message may hold on a network, how much of it is used, and what the network charges for or counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What one message may hold. ``unit`` names what is counted; ``None`` means no limit.

    ``source`` is ``documented`` (the network's documentation) or ``instance`` (read from the live server).
    """

    text: int | None
    unit: str
    text_bytes: int | None = None
    caption: int | None = None  # text of a message that carries media, where that differs
    url_length: int | None = None  # every link counts as this many; 0: as many as it has
    images: int = 4
    image_bytes: int | None = None
    image_pixels: int | None = None
    image_types: tuple[str, ...] = ("image/jpeg", "image/png")
    image_ratio: tuple[float, float] | None = None  # width to height: the narrowest and the widest that is taken
    alt: int | None = None
    videos: int = 0
    video_bytes: int | None = None
    video_seconds: float | None = None
    video_types: tuple[str, ...] = ("video/mp4",)
    mixed: bool = False  # pictures and videos may stand in one message
    media_least: int = 0  # pictures and videos that a message must have at least
    source: str = "documented"


@dataclass(frozen=True, kw_only=True, slots=True)
class Count:
    """One measurement: ``used`` of ``limit`` (``None`` = unlimited) in ``unit``."""

    used: int
    limit: int | None
    unit: str

    @property
    def over(self) -> bool:
        """True when it does not fit."""
        return self.limit is not None and self.used > self.limit


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """What sending one delivery takes of something that the network charges for or counts.

    ``what`` names it in a word for people (``USD``, ``posts``, ``units``). At most ``limit`` (None = no end) may be
    taken within ``period`` (None = for ever) by one account, whatever posts it is for. ``zone``: the network counts by
    days, and begins anew at midnight in this IANA zone.
    """

    what: str
    amount: Decimal
    limit: Decimal | None = None
    period: timedelta | None = None
    zone: str = ""
