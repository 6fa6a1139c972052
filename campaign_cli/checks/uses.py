"""What a plan takes of what networks charge for or count: money, posts a day, units of a quota."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from campaign_cli import platforms
from campaign_cli.i18n import _, ngettext
from campaign_cli.models import Problem, Severity
from campaign_cli.platforms.base import Platform, Use

if TYPE_CHECKING:
    from campaign_cli.checks.pipeline import Examined
    from campaign_cli.models import Draft
    from campaign_cli.source import Source


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What one delivery takes, and when (aware). ``post`` is its number in the plan; None for another plan's."""

    account: str
    address: str
    due: datetime
    use: Use
    post: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Total:
    """What deliveries take together, for one account. ``text`` says it for people."""

    account: str
    what: str
    amount: Decimal

    @property
    def text(self) -> str:
        """``0.235 USD`` or ``12 posts``."""
        return _("{amount} {what}").format(amount=f"{self.amount.normalize():f}", what=_word(self.what, self.amount))


def counts(platform: str) -> bool:
    """Whether a network charges or counts at all; what does not need not be read again."""
    return platform in platforms.PLATFORMS and type(platforms.get(platform)).uses is not Platform.uses


def taken(draft: Draft, due: datetime, *, post: int | None = None) -> list[Taken]:
    """What one draft takes."""
    return [
        Taken(account=draft.account, address=draft.address, due=due, use=use, post=post)
        for use in platforms.get(draft.platform).uses(draft)
    ]


def totals(items: Iterable[Taken]) -> list[Total]:
    """One line for each account and thing, in the order in which they come."""
    sums: dict[tuple[str, str], Decimal] = {}
    for item in items:
        key = (item.account, item.use.what)
        sums[key] = sums.get(key, Decimal(0)) + item.use.amount
    return [Total(account=account, what=what, amount=amount) for (account, what), amount in sums.items()]


def beside(earlier: Iterable[Taken], examined: Examined) -> Iterator[Problem]:
    """Posts of the plan that don't fit beside what other plans take, which are checked with it."""
    if examined.loaded is not None:
        others = [replace(item, post=None) for item in earlier]
        yield from beyond([*others, *of_plan(examined)], source=examined.loaded.source)


def over_quota(examined: Examined, now: datetime) -> Iterator[Problem]:
    """Posts of the plan that a network's quota leaves no room for, whatever else is queued."""
    if examined.loaded is not None:
        yield from beyond(of_plan(examined), source=examined.loaded.source)


def of_plan(examined: Examined) -> list[Taken]:
    """What the plan's deliveries take, in the plan's order."""
    return [
        item
        for planned in examined.planned
        if counts(planned.account.platform) and (draft := examined.drafts.get(planned.key)) is not None
        for item in taken(draft, planned.due, post=planned.index)
    ]


def beyond(items: Sequence[Taken], *, source: Source) -> Iterator[Problem]:
    """One error for each post of the plan that does not fit into a quota with all that falls due around it.

    A quota is counted over any stretch of its period, as the strictest network does it, or by the days of a zone where
    the network is known to begin anew at midnight there.
    """
    told: set[tuple[int, str]] = set()
    for item in _overflowing(items):
        if item.post is None or (item.post, item.account) in told:
            continue
        told.add((item.post, item.account))
        limit = item.use.limit or Decimal(0)
        message = _("{account} may send {limit} {what} {period}; this post would be more than that.")
        yield source.problem(
            ("posts", item.post),
            code="L010",
            severity=Severity.ERROR,
            message=message.format(
                account=item.account,
                limit=f"{limit.normalize():f}",
                what=_word(item.use.what, limit),
                period=_within(item.use),
            ),
            fix=_("Move posts apart, or leave the account out of some of them."),
        )


def _overflowing(items: Sequence[Taken]) -> Iterator[Taken]:
    """The plan's own uses that don't fit, whoever comes first."""
    by_quota: dict[tuple[str, str, timedelta | None], list[Taken]] = {}
    for item in items:
        if item.use.limit is not None:
            by_quota.setdefault((item.address, item.use.what, item.use.period), []).append(item)
    for group in by_quota.values():
        window: deque[Taken] = deque()
        total = Decimal(0)
        for item in sorted(group, key=lambda one: one.due):
            while window and _is_over(window[0], item):
                total -= window.popleft().use.amount
            window.append(item)
            total += item.use.amount
            while total > (item.use.limit or Decimal(0)):
                # what is queued already may fall due later, and keeps its place: the plan's own post has to go
                beyond_it = next((one for one in reversed(window) if one.post is not None), None)
                if beyond_it is None:
                    break
                window.remove(beyond_it)
                total -= beyond_it.use.amount
                yield beyond_it


def _is_over(earlier: Taken, later: Taken) -> bool:
    """Whether an earlier use no longer counts when a later one is made."""
    period, zone = later.use.period, later.use.zone
    if zone:
        there = ZoneInfo(zone)
        return earlier.due.astimezone(there).date() < later.due.astimezone(there).date()
    return period is not None and earlier.due <= later.due - period


def _word(what: str, amount: Decimal) -> str:
    """Money by its code, the rest in words."""
    count = 1 if amount == 1 else 2
    words = {
        "posts": ngettext("post", "posts", count),
        "replies": ngettext("reply", "replies", count),
        "messages": ngettext("message", "messages", count),
        "units": ngettext("unit", "units", count),
        "uploads": ngettext("upload", "uploads", count),
        "publications": ngettext("publication", "publications", count),
    }
    return words.get(what, what)


def _within(use: Use) -> str:
    period = use.period
    if period is None:
        return _("in all")
    if use.zone:
        return _("a day (from midnight, {zone})").format(zone=use.zone)
    minutes = int(period.total_seconds()) // 60
    if minutes % 60:
        return ngettext("in {n} minute", "in {n} minutes", minutes).format(n=minutes)
    return ngettext("in {n} hour", "in {n} hours", minutes // 60).format(n=minutes // 60)
