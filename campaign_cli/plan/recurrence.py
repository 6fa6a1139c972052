"""Recurring posts: ``every: "mon,wed 19:30"`` and ``rrule: FREQ=WEEKLY;BYDAY=MO;COUNT=6``, as wall-clock times.

Each occurrence keeps its wall-clock time, whatever clocks do in between; zones come later, one for each account.
Rules are those of RFC 5545 §3.3.10, read by python-dateutil.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Final

from campaign_cli.i18n import _
from campaign_cli.plan.model import Post
from campaign_cli.plan.times import Calendar, TimeProblem, parse_day, parse_moment
from campaign_cli.source import suggest
from campaign_cli.wallclock import clock_of

MAX_OCCURRENCES: Final = 1_000
_WEEKDAYS: Final = (
    ("mon", "monday", "sen", "senin"),
    ("tue", "tuesday", "sel", "selasa"),
    ("wed", "wednesday", "rab", "rabu"),
    ("thu", "thursday", "kam", "kamis"),
    ("fri", "friday", "jum", "jumat", "jum'at"),
    ("sat", "saturday", "sab", "sabtu"),
    ("sun", "sunday", "min", "minggu", "ahad"),
)
_DAY_NUMBERS: Final = {name: number for number, names in enumerate(_WEEKDAYS) for name in names}
_DAILY: Final = ("daily", "day", "harian", "hari")
_EVERY: Final = re.compile(r"(?P<days>[^\d\s](?:\D*[^\d\s])?)\s+(?P<times>\d[\d:.]*(?:\s*,\s*\d[\d:.]*)*)")
_TOO_FAST: Final = ("SECONDLY", "MINUTELY", "HOURLY")


def occurrences(post: Post, calendar: Calendar) -> list[tuple[str, datetime]]:
    """``(suffix, naive wall-clock time)`` of each occurrence, in order; the suffix is ``@DATE``, ``@DATE.2`` …

    Raises TimeProblem; its ``key`` is the key of the post that it stands at.
    """
    walls = _every(post, calendar) if post.every is not None else _rule(post, calendar)
    if len(walls) > MAX_OCCURRENCES:
        message = _("The post recurs more than {limit} times.").format(limit=MAX_OCCURRENCES)
        raise TimeProblem("T010", message, _("Let it end earlier, or make several posts of it."))
    if not walls:
        message = _("The post never occurs between its first and its last day.")
        raise TimeProblem("T011", message, _('Check "from", "until" and the days.'))
    counts: dict[date, int] = {}
    named = []
    for wall in walls:
        day = wall.date()
        counts[day] = counts.get(day, 0) + 1
        named.append((f"@{day}" if counts[day] == 1 else f"@{day}.{counts[day]}", wall))
    return named


def _every(post: Post, calendar: Calendar) -> list[datetime]:
    weekdays, times = _days_and_times(str(post.every))
    start, _with_time = _begin(post, calendar)
    if post.until is None:
        message = _("A recurring post needs its last day.")
        raise TimeProblem("T008", message, _('Add "until: H-1" or a date.'))
    end = _end(post, calendar, start.date())
    if (end - start.date()).days > 366 * 10:
        message = _("The post recurs for more than ten years.")
        raise TimeProblem("T010", message, _("Let it end earlier."), key="until")
    walls: list[datetime] = []
    day = start.date()
    while day <= end and len(walls) <= MAX_OCCURRENCES:
        if day.weekday() in weekdays:
            walls += [datetime.combine(day, at) for at in times]
        day += timedelta(days=1)
    return walls


def _days_and_times(text: str) -> tuple[set[int], list[time]]:
    """``mon,wed 07:30,19:30`` → weekdays (Monday 0) and times in order."""
    match = _EVERY.fullmatch(text.strip().lower())
    if match is None:
        message = _('"{every}" is not understood.').format(every=text)
        raise TimeProblem("T002", message, _('Write days and times, like "mon,wed 19:30" or "daily 07:30,17:00".'))
    weekdays: set[int] = set()
    for name in re.split(r"\s*,\s*|\s+", match["days"]):
        if name in _DAILY:
            weekdays |= set(range(7))
        elif name in _DAY_NUMBERS:
            weekdays.add(_DAY_NUMBERS[name])
        else:
            message = _('"{name}" is not a day of the week.').format(name=name) + suggest(name, _DAY_NUMBERS)
            raise TimeProblem("T002", message, _("Write mon, tue, wed, thu, fri, sat, sun, or daily."))
    times = set()
    for at in re.split(r"\s*,\s*", match["times"]):
        try:
            times.add(clock_of(at))
        except ValueError:
            message = _("There is no time {time}.").format(time=at)
            fix = _("Hours go from 00 to 23, minutes and seconds from 00 to 59.")
            raise TimeProblem("T003", message, fix) from None
    return weekdays, sorted(times)


def _begin(post: Post, calendar: Calendar) -> tuple[datetime, bool]:
    """The first day (and time, where ``from`` gives one)."""
    if post.from_ is None:
        message = _("A recurring post needs its first day.")
        raise TimeProblem("T008", message, _('Add "from: H-7" or a date.'))
    try:
        return datetime.combine(parse_day(post.from_, calendar), time()), False
    except TimeProblem as problem:
        as_day = problem
    try:
        moment = parse_moment(post.from_, calendar)
    except TimeProblem as as_moment:
        told = as_day if as_moment.code == "T002" else as_moment
        raise TimeProblem(told.code, told.message, told.fix, key="from") from None
    if moment.tzinfo is not None:
        message = _('"from" can\'t have an offset: a recurring post keeps its time on the clock.')
        raise TimeProblem("T012", message, _("Delete the offset."), key="from")
    return moment, True


def _end(post: Post, calendar: Calendar, start: date) -> date:
    """The last day, which counts as a whole."""
    try:
        end = parse_day(str(post.until), calendar)
    except TimeProblem as problem:
        raise TimeProblem(problem.code, problem.message, problem.fix, key="until") from None
    if end < start:
        message = _('"until" ({until}) lies before "from" ({start}).').format(until=end, start=start)
        raise TimeProblem("T013", message, _("Correct one of the two."), key="until")
    return end


def _rule(post: Post, calendar: Calendar) -> list[datetime]:
    text = str(post.rrule).strip().upper().removeprefix("RRULE:")
    parts = dict(part.split("=", 1) for part in text.split(";") if "=" in part)
    if len(parts) != len([part for part in text.split(";") if part]) or "\n" in text:
        raise TimeProblem("T009", _("The rule can't be read."), _rule_form())
    start, with_time = _begin(post, calendar)
    if parts.get("FREQ") in _TOO_FAST:
        message = _("A post can't recur by the second, minute or hour.")
        raise TimeProblem("T009", message, _("Use DAILY with BYHOUR, WEEKLY, MONTHLY or YEARLY."))
    if not with_time and "BYHOUR" not in parts:
        message = _("The rule gives no time of day.")
        raise TimeProblem("T009", message, _('Add BYHOUR=8;BYMINUTE=0 to the rule, or a time to "from".'))
    if "COUNT" not in parts and "UNTIL" not in parts and post.until is None:
        message = _("The rule never ends.")
        raise TimeProblem("T008", message, _('Add COUNT=6 to the rule, or "until: H-1" to the post.'))
    end = datetime.combine(_end(post, calendar, start.date()), time.max) if post.until is not None else None
    return _occurrences_of(parts, start=start, end=end)


def _occurrences_of(parts: dict[str, str], *, start: datetime, end: datetime | None) -> list[datetime]:
    """At most one more than allowed. A rule that can hardly ever be met is cut off after ten years.

    COUNT and UNTIL are applied here: dateutil looks for the next match until the year 9999 where nothing stops it.
    """
    from dateutil.rrule import rrule, rrulestr

    last = min(moment for moment in (start + timedelta(days=3_660), end, _until(parts)) if moment is not None)
    if "BYHOUR" in parts and "BYMINUTE" not in parts:
        parts["BYMINUTE"] = str(start.minute)
    kept = ";".join(f"{name}={value}" for name, value in parts.items() if name not in {"COUNT", "UNTIL"})
    try:
        count = int(parts.get("COUNT", MAX_OCCURRENCES + 1))
        if count < 1 or int(parts.get("INTERVAL", "1")) < 1:
            raise ValueError(_("COUNT and INTERVAL begin at 1"))
        rule = rrulestr(f"{kept};UNTIL={last:%Y%m%dT%H%M%S}", dtstart=start)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        message = _("The rule can't be read: {reason}.").format(reason=str(error).rstrip("."))
        raise TimeProblem("T009", message, _rule_form()) from None
    if not isinstance(rule, rrule):
        raise TimeProblem("T009", _("Only a single RRULE is possible here."), _rule_form())
    return list(islice(rule, min(count, MAX_OCCURRENCES + 1)))


def _until(parts: dict[str, str]) -> datetime | None:
    """UNTIL as wall-clock time; a last day counts as a whole."""
    text = parts.get("UNTIL")
    if text is None:
        return None
    match = re.fullmatch(r"(\d{8})(?:T(\d{6})Z?)?", text)
    try:
        if match is not None:
            return datetime.strptime(match[1] + (match[2] or "235959"), "%Y%m%d%H%M%S")  # noqa: DTZ007 - wall clock
    except ValueError:
        pass
    message = _("The rule's UNTIL is not a date.")
    raise TimeProblem("T009", message, _('Write UNTIL=20261210, or "until: 2026-12-10" beside the rule.'))


def _rule_form() -> str:
    return _("Write it as in RFC 5545, like FREQ=WEEKLY;BYDAY=MO,WE;COUNT=6.")
