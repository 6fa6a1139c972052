"""Times that are over, and times at which people sleep."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, tzinfo
from typing import TYPE_CHECKING

from campaign_cli.i18n import _, format_instant, ngettext
from campaign_cli.models import Problem, Severity
from campaign_cli.wallclock import clock_of

if TYPE_CHECKING:
    from campaign_cli.checks.pipeline import Examined
    from campaign_cli.plan.expand import Planned
    from campaign_cli.plan.load import LoadedPlan


def past_posts(examined: Examined, now: datetime) -> Iterator[Problem]:
    """A post whose time is over, once for all its accounts; of a recurring post, how many of its days are over."""
    loaded = examined.loaded
    by_post: dict[int, list[Planned]] = {}
    for planned in examined.planned:
        if planned.due < now:
            by_post.setdefault(planned.index, []).append(planned)
    for index, over in by_post.items():
        assert loaded is not None  # noqa: S101 - without a plan nothing is planned
        first = over[0]
        if first.recurring:
            count = len({planned.post_id for planned in over})
            message = ngettext(
                "{count} day of this post is in the past and will be left out.",
                "{count} days of this post are in the past and will be left out.",
                count,
            ).format(count=count)
            fix = _("Leave it, or let the post begin later (from).")
            yield _at_time(loaded, index, "T103", Severity.HINT, message=message, fix=fix)
        else:
            message = _("The time {time} is in the past.").format(time=format_instant(first.due, first.zone))
            fix = _("Move it, or queue the rest with: campaign queue --skip-past")
            yield _at_time(loaded, index, "T101", Severity.WARNING, message=message, fix=fix)


def quiet_hours(examined: Examined, now: datetime) -> Iterator[Problem]:
    """A post during the workspace's quiet hours, in the zone of each account; once for each post and zone."""
    loaded = examined.loaded
    written = loaded.workspace.rules.quiet_hours if loaded is not None else None
    if loaded is None or not written:
        return
    begins, ends = (clock_of(part) for part in written.split("-"))
    told: set[tuple[int, tzinfo]] = set()
    for planned in examined.planned:
        zone = planned.account.timezone or planned.zone
        if planned.due < now or (planned.index, zone) in told:
            continue
        if not is_between(planned.due.astimezone(zone).time(), begins, ends):
            continue
        told.add((planned.index, zone))
        message = _("{time} lies in the quiet hours ({hours}).")
        message = message.format(time=format_instant(planned.due, zone), hours=written)
        fix = _("Choose another time, or leave it: this is a warning.")
        yield _at_time(loaded, planned.index, "T102", Severity.WARNING, message=message, fix=fix)


def silent_days(examined: Examined, now: datetime) -> Iterator[Problem]:
    """A post on one of the workspace's days of silence, in the zone of each account; once for each post and day."""
    loaded = examined.loaded
    if loaded is None or not loaded.workspace.rules.silent_days:
        return
    days = frozenset(loaded.workspace.rules.silent_days)
    told: set[tuple[int, date, tzinfo]] = set()
    for planned in examined.planned:
        zone = planned.account.timezone or planned.zone
        day = planned.due.astimezone(zone).date()
        if planned.due < now or day not in days or (planned.index, day, zone) in told:
            continue
        told.add((planned.index, day, zone))
        message = _("{time} lies in a day of silence.").format(time=format_instant(planned.due, zone))
        fix = _("Choose a day before or after the silence (silent_days in accounts.yaml).")
        yield _at_time(loaded, planned.index, "E004", Severity.ERROR, message=message, fix=fix)


def is_between(clock: time, begins: time, ends: time) -> bool:
    """Whether a clock time lies from ``begins`` up to ``ends``, over midnight where that is earlier."""
    if begins <= ends:
        return begins <= clock < ends
    return clock >= begins or clock < ends


def _at_time(loaded: LoadedPlan, index: int, code: str, severity: Severity, *, message: str, fix: str) -> Problem:
    """A problem at the key of the post that says when."""
    post = loaded.plan.posts[index]
    key = next(name for name in ("at", "every", "rrule") if getattr(post, name) is not None)
    return loaded.source.problem(("posts", index, key), code=code, severity=severity, message=message, fix=fix)
