"""When: absolute times, times counted from the campaign's day, slots; and wall-clock time in a zone as an instant.

No time is ever guessed: a time that is missing, impossible, skipped or doubled by a clock change is a TimeProblem.
Skipped and doubled times are those of PEP 495 (https://peps.python.org/pep-0495/).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final

from campaign_cli.i18n import _
from campaign_cli.plan.model import Slot
from campaign_cli.source import suggest
from campaign_cli.wallclock import clock_of

_ABSOLUTE: Final = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})(?:[Tt]|\s+)(?P<clock>\d{1,2}[:.]\d{2}(?:[:.]\d{2})?)\s*(?P<offset>[Zz]|[+-]\d{2}:?\d{2})?"
)
_NAMED: Final = re.compile(r"(?P<day>\d{4}-\d{2}-\d{2}|(?:hari\s+)?[hd](?:\s*[+-]\s*\d{1,4})?)\s+(?P<time>\S+)", re.I)
_ANCHOR: Final = re.compile(r"(?:hari\s+)?[hd]\s*(?:(?P<sign>[+-])\s*(?P<days>\d{1,4}))?", re.I)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_CLOCK_LIKE: Final = re.compile(r"\d{1,2}[:.]\d{2}(?:[:.]\d{2})?")


class TimeProblem(ValueError):
    """A time that can't be used: code, message and fix. ``key`` names the key it stands at, where that is another."""

    def __init__(self, code: str, message: str, fix: str = "", *, key: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fix = fix
        self.key = key


@dataclass(frozen=True, kw_only=True, slots=True)
class Calendar:
    """What times are counted from: the campaign's day (``None`` = not written) and the slots of accounts.yaml."""

    day: date | None
    slots: Mapping[str, str]


def forms() -> str:
    """The forms that a time may have, for messages."""
    return _("Write it like: {examples}.").format(
        examples='"H-7 08:00", "2026-12-03 08:00", "2026-12-03T08:00+07:00", "H-7 pagi", {slot: pagi}'
    )


def parse_moment(at: str | Slot, calendar: Calendar) -> datetime:
    """``at`` of a post: aware where an offset is written, else naive wall-clock time. Raises TimeProblem."""
    if isinstance(at, Slot):
        day = parse_day(at.day if at.day is not None else "H", calendar)
        return datetime.combine(day, _slot(at.slot, calendar))
    text = at.strip()
    absolute = _ABSOLUTE.fullmatch(text)
    if absolute is not None:
        wall = datetime.combine(parse_day(absolute["day"], calendar), _clock(absolute["clock"]))
        return wall if absolute["offset"] is None else wall.replace(tzinfo=_offset(absolute["offset"]))
    named = _NAMED.fullmatch(text)
    if named is not None:
        return datetime.combine(parse_day(named["day"], calendar), _clock_or_slot(named["time"], calendar))
    if _DATE.fullmatch(text) or _ANCHOR.fullmatch(text):
        message = _('"{at}" is a day without a time.').format(at=text)
        raise TimeProblem("T002", message, _('Add the time, like "{at} 08:00".').format(at=text))
    if _CLOCK_LIKE.fullmatch(text):
        message = _('"{at}" is a time without a day.').format(at=text)
        raise TimeProblem("T002", message, _('Add the day, like "H {at}" or "H-7 {at}".').format(at=text))
    raise TimeProblem("T002", _('"{at}" is not understood as a time.').format(at=_short(text)), forms())


def parse_day(text: str, calendar: Calendar) -> date:
    """``2026-12-03``, ``H``, ``H-7``, ``D+1``. Raises TimeProblem."""
    text = text.strip()
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            message = _("There is no day {day}.").format(day=text)
            raise TimeProblem("T003", message, _("Correct the date (year-month-day).")) from None
    anchor = _ANCHOR.fullmatch(text)
    if anchor is None:
        message = _('"{day}" is not understood as a day.').format(day=_short(text))
        raise TimeProblem("T002", message, _("Write H-7, H, H+1 or a date like 2026-12-03."))
    if calendar.day is None:
        message = _('"{day}" counts from the day of the campaign, and the plan has none.').format(day=text)
        raise TimeProblem("T006", message, _('Write "day: 2026-12-10" at the top of the plan.'))
    distance = int(anchor["days"] or 0)
    try:
        return calendar.day + timedelta(days=-distance if anchor["sign"] == "-" else distance)
    except OverflowError:
        raise TimeProblem("T003", _("There is no day {day}.").format(day=text), _("Correct the date.")) from None


@lru_cache(maxsize=65_536)
def to_instant(wall: datetime, zone: tzinfo) -> datetime:
    """Wall-clock time in a zone as an instant in UTC. Raises TimeProblem where the clock skips or repeats that time."""
    first, second = wall.replace(tzinfo=zone, fold=0), wall.replace(tzinfo=zone, fold=1)
    try:
        instant = first.astimezone(UTC)
        if first.utcoffset() == second.utcoffset():
            return instant
        skipped = instant.astimezone(zone).replace(tzinfo=None, fold=0) != wall
        other = second.astimezone(UTC)
    except OverflowError:
        raise TimeProblem("T003", _("The time is out of range."), _("Correct the year.")) from None
    shown = f"{wall:%Y-%m-%d %H:%M}"
    if skipped:
        message = _("{time} does not exist in {zone}: the clock is put forward over it.").format(time=shown, zone=zone)
        pair = (other.astimezone(zone), instant.astimezone(zone))  # read with the offsets after and before
        code = "T004"
    else:
        message = _("{time} happens twice in {zone}: the clock is put back.").format(time=shown, zone=zone)
        pair = (first, second)
        code = "T005"
    fix = _("Write {one} or {two}, or another time.")
    raise TimeProblem(code, message, fix.format(one=_with_offset(pair[0]), two=_with_offset(pair[1])))


def _with_offset(at: datetime) -> str:
    return at.isoformat(timespec="minutes" if not at.second else "seconds")


def _clock(text: str) -> time:
    try:
        return clock_of(text)
    except ValueError:
        message = _("There is no time {time}.").format(time=text)
        raise TimeProblem("T003", message, _("Hours go from 00 to 23, minutes and seconds from 00 to 59.")) from None


def _clock_or_slot(text: str, calendar: Calendar) -> time:
    return _clock(text) if text[:1].isdigit() else _slot(text, calendar)


def _slot(name: str, calendar: Calendar) -> time:
    if name in calendar.slots:
        return clock_of(calendar.slots[name])
    message = _('There is no slot "{name}" in accounts.yaml.').format(name=name) + suggest(name, calendar.slots)
    known = ", ".join(f"{slot} ({at})" for slot, at in calendar.slots.items())
    fix = _("Slots: {known}.").format(known=known) if known else _('Write "slots: {pagi: "07:30"}" in accounts.yaml.')
    raise TimeProblem("T007", message, fix)


def _offset(text: str) -> tzinfo:
    if text in "Zz":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    if hours > 14 or minutes > 59:
        message = _("There is no offset {offset}.").format(offset=text)
        raise TimeProblem("T003", message, _("Write it like +07:00."))
    ahead = datetime.strptime(f"{text[0]}{hours:02}{minutes:02}", "%z").tzinfo
    return ahead if ahead is not None else UTC


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
