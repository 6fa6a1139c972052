"""What people write for zones, clock times and durations: ``WIB``, ``07:30``, ``30m``."""

from __future__ import annotations

import re
from datetime import time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from campaign_cli.i18n import INDONESIAN_ZONES

_CLOCK: Final = re.compile(r"([0-9]{1,2})[:.]([0-9]{2})(?:[:.]([0-9]{2}))?")
_DURATION: Final = re.compile(r"(?:(\d{1,4})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?")


class UnknownZone(ValueError):
    """Not a zone; the argument is what was written."""


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """The zone of WIB, WITA, WIT or an IANA name (``Asia/Tokyo``). Raises UnknownZone."""
    key = INDONESIAN_ZONES.get(name.strip().upper(), name.strip())
    try:
        return ZoneInfo(key)
    except (KeyError, ValueError, OSError) as error:
        raise UnknownZone(name) from error


def zone_names() -> tuple[str, ...]:
    """Every name that ``zone_of`` takes, for suggestions; reads the zone database, so only for messages."""
    from zoneinfo import available_timezones

    return (*INDONESIAN_ZONES, *sorted(available_timezones()))


def clock_of(text: str) -> time:
    """``07:30`` or ``07:30:15`` (a point instead of the colon is Indonesian usage). Raises ValueError."""
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    return time(int(match[1]), int(match[2]), int(match[3] or 0))


def duration_of(text: str) -> timedelta:
    """``90s``, ``30m``, ``24h``, ``1h30m`` or ``2d``. Raises ValueError."""
    match = _DURATION.fullmatch(text.strip())
    if match is None or not match[0]:
        raise ValueError(text)
    days, hours, minutes, seconds = (int(piece or 0) for piece in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
