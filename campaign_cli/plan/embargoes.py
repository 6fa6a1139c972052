"""Until when nothing may be sent: what a plan and its posts say, the later of the two for each post."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from campaign_cli.i18n import _, format_instant
from campaign_cli.models import Problem, Severity
from campaign_cli.plan.load import LoadedPlan
from campaign_cli.plan.model import Slot
from campaign_cli.plan.times import Calendar, TimeProblem, parse_moment, to_instant
from campaign_cli.wallclock import UnknownZone, zone_of

KEY = "embargo_until"
_Path = tuple[str | int, ...]


@dataclass
class Embargoes:
    """The embargoes of one plan. An embargo is one instant for all accounts: a time without an offset is in the zone
    that the post names, else in the plan's."""

    loaded: LoadedPlan
    calendar: Calendar
    problems: list[Problem] = field(default_factory=list)
    _told: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._plan = self._read((KEY,), self.loaded.plan.embargo_until, zone=self.loaded.zone)
        self._posts = [
            self._read(("posts", index, KEY), post.embargo_until, zone=self._zone(post.zone))
            for index, post in enumerate(self.loaded.plan.posts)
        ]

    def of(self, index: int) -> datetime | None:
        """The embargo of a post (UTC), where there is one."""
        return max((at for at in (self._plan, self._posts[index]) if at is not None), default=None)

    def judge(self, index: int, due: datetime, *, embargo: datetime, zone: tzinfo) -> None:
        """Tell, once for each post, that it is due before its embargo is over; both instants are aware."""
        if due >= embargo or index in self._told:
            return
        self._told.add(index)
        written = self.loaded.source.value["posts"][index]
        key = next((name for name in ("at", "every", "rrule") if name in written), "at")
        message = _("It is due {due}, before its embargo is over ({embargo}).").format(
            due=format_instant(due, zone), embargo=format_instant(embargo, zone)
        )
        fix = _("Give it a later time, or correct embargo_until.")
        if key != "at":
            fix = _("Let it begin later (from), or correct embargo_until.")
        self._tell(("posts", index, key), "T014", message, fix)

    def _zone(self, written: str | None) -> tzinfo:
        try:
            return zone_of(written) if written and written != "account" else self.loaded.zone
        except UnknownZone:
            return self.loaded.zone  # told when the plan was loaded

    def _read(self, path: _Path, at: str | Slot | None, *, zone: tzinfo) -> datetime | None:
        """The instant (UTC); None where none is written, or none that can be used, which is an error."""
        if at is None:
            return None
        try:
            moment = parse_moment(at, self.calendar)
            return moment.astimezone(UTC) if moment.tzinfo is not None else to_instant(moment, zone)
        except TimeProblem as problem:
            if problem.code != "T006" or "day" not in self.loaded.source.value:  # told at the day
                self._tell(path, problem.code, problem.message, problem.fix)
        except OverflowError:
            self._tell(path, "T003", _("The time is out of range."), "")
        return None

    def _tell(self, path: _Path, code: str, message: str, fix: str) -> None:
        self.problems.append(
            self.loaded.source.problem(path, code=code, severity=Severity.ERROR, message=message, fix=fix)
        )
