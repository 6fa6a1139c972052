"""Posts → one ``Planned`` for each occurrence and account, each with its instant."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from campaign_cli.i18n import _
from campaign_cli.models import Account, Problem, Severity, delivery_key
from campaign_cli.plan.embargoes import Embargoes
from campaign_cli.plan.load import LoadedPlan
from campaign_cli.plan.meaning import accounts_of
from campaign_cli.plan.model import Post
from campaign_cli.plan.recurrence import occurrences
from campaign_cli.plan.times import Calendar, TimeProblem, parse_day, parse_moment, to_instant
from campaign_cli.wallclock import UnknownZone, zone_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """One occurrence of a post for one account.

    ``post_id`` carries the occurrence (``@DATE[.n]``); ``index`` is the post's place in the plan; ``order`` runs
    through the whole plan; ``due`` is in UTC; ``zone`` is the zone in which the time was meant. Before ``embargo``
    (UTC) nothing may send it, whatever else is said.
    """

    key: str
    campaign: str
    post_id: str
    index: int
    order: int
    account: Account
    due: datetime
    zone: ZoneInfo
    recurring: bool
    post: Post
    embargo: datetime | None = None


def expand(loaded: LoadedPlan, *, only_accounts: Collection[str] | None = None) -> tuple[list[Planned], list[Problem]]:
    """Every delivery that the plan asks for, and the problems of its times. Past times are not judged.

    Rules of the workspace apply: with ``stagger``, the accounts of a post follow each other at that distance.
    Deliveries that ``only_accounts`` leaves out still count, so that the others keep their order and their instant.
    """
    calendar, problems = _calendar(loaded)
    planned: list[Planned] = []
    embargoes = Embargoes(loaded, calendar)
    order = 0
    for index, post in enumerate(loaded.plan.posts):
        try:
            moments, recurring = _moments(post, calendar)
        except TimeProblem as problem:
            if problem.code != "T006" or "day" not in loaded.source.value:  # a day that is wrong is told at the day
                problems.append(_located(loaded, index, problem))
            continue
        embargo = embargoes.of(index)
        for item in _deliveries(loaded, index, moments=moments, problems=problems):
            suffix, account, due, zone = item
            order += 1
            if embargo is not None:
                embargoes.judge(index, due, embargo=embargo, zone=zone)
            if only_accounts is not None and account.name not in only_accounts:
                continue
            post_id = post.id + suffix
            planned.append(
                Planned(
                    key=delivery_key(loaded.plan.campaign, post_id, account.name),
                    campaign=loaded.plan.campaign,
                    post_id=post_id,
                    index=index,
                    order=order,
                    account=account,
                    due=due,
                    zone=zone,
                    recurring=recurring,
                    post=post,
                    embargo=embargo,
                )
            )
    return planned, sorted((*problems, *embargoes.problems), key=lambda problem: problem.sort_key)


def past(planned: Iterable[Planned], now: datetime) -> list[Planned]:
    """Those whose instant lies before ``now`` (aware)."""
    return [item for item in planned if item.due < now]


def _calendar(loaded: LoadedPlan) -> tuple[Calendar, list[Problem]]:
    """The campaign's day and the slots; a day that can't be used is told once, and no post is blamed for it."""
    day: date | None = None
    problems = []
    text = loaded.plan.day
    if text is not None:
        try:
            day = parse_day(text, Calendar(day=None, slots={}))
        except TimeProblem as problem:
            code = "T002" if problem.code == "T006" else problem.code
            message = _("The day of the campaign is not a date.") if problem.code == "T006" else problem.message
            fix = _('Write it like "day: 2026-12-10".')
            problems.append(
                loaded.source.problem(("day",), code=code, severity=Severity.ERROR, message=message, fix=fix)
            )
    return Calendar(day=day, slots=loaded.workspace.slots), problems


def _moments(post: Post, calendar: Calendar) -> tuple[list[tuple[str, datetime]], bool]:
    """``(suffix, moment)`` of each occurrence, and whether the post recurs. Empty where a problem is told elsewhere."""
    if post.at is not None:
        moment = parse_moment(post.at, calendar)
        if moment.tzinfo is not None and post.zone is not None:
            message = _('A time with an offset can\'t have a "zone" too.')
            raise TimeProblem("T012", message, _("Delete the offset or the zone."))
        return [("", moment)], False
    if post.every is not None or post.rrule is not None:
        return occurrences(post, calendar), True
    return [], False


def _deliveries(
    loaded: LoadedPlan, index: int, *, moments: list[tuple[str, datetime]], problems: list[Problem]
) -> Iterator[tuple[str, Account, datetime, ZoneInfo]]:
    """Occurrence by occurrence, account by account. A time that a zone lacks is told once for that zone."""
    post = loaded.plan.posts[index]
    stagger = loaded.workspace.rules.stagger or timedelta()
    targets = [(account, _zone(loaded, post, account)) for account in accounts_of(loaded, post)]
    told: set[ZoneInfo] = set()
    for suffix, moment in moments:
        for position, (account, zone) in enumerate(targets):
            try:
                instant = moment.astimezone(UTC) if moment.tzinfo is not None else to_instant(moment, zone)
                due = instant + position * stagger
            except TimeProblem as problem:
                if zone not in told:
                    problems.append(_located(loaded, index, problem))
                told.add(zone)
            except OverflowError:
                problems.append(_located(loaded, index, TimeProblem("T003", _("The time is out of range."))))
            else:
                yield suffix, account, due, zone


def _zone(loaded: LoadedPlan, post: Post, account: Account) -> ZoneInfo:
    """The zone a post's wall-clock time is meant in, for an account."""
    if post.zone == "account":
        return account.timezone if isinstance(account.timezone, ZoneInfo) else loaded.zone
    try:
        return zone_of(post.zone) if post.zone else loaded.zone
    except UnknownZone:
        return loaded.zone  # told when the plan was loaded


def _located(loaded: LoadedPlan, index: int, problem: TimeProblem) -> Problem:
    """The problem at the key of the post that it is about."""
    written = loaded.source.value["posts"][index]
    key = problem.key or next((name for name in ("at", "every", "rrule") if name in written), "at")
    return loaded.source.problem(
        ("posts", index, key), code=problem.code, severity=Severity.ERROR, message=problem.message, fix=problem.fix
    )
