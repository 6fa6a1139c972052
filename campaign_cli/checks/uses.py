"""What a plan takes of what networks charge for or count: money, posts a day, units of a quota."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from campaign_cli import platforms
from campaign_cli.i18n import N_, _, ngettext
from campaign_cli.models import Problem, Severity
from campaign_cli.platforms.base import Platform, Use

if TYPE_CHECKING:
    from campaign_cli.checks.pipeline import Examined
    from campaign_cli.models import Draft
    from campaign_cli.source import Source

_WORDS: Final = {
    "posts": N_("posts"),
    "replies": N_("replies"),
    "messages": N_("messages"),
    "units": N_("units"),
    "uploads": N_("uploads"),
    "publications": N_("publications"),
}


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
        return _("{amount} {what}").format(amount=f"{self.amount.normalize():f}", what=_word(self.what))


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
    """One error for each post of the plan that does not fit into a quota with what falls due before it.

    A quota is counted over any stretch of its period, as the strictest network does it.
    """
    told: set[tuple[int, str]] = set()
    for item in _overflowing(items):
        if item.post is None or (item.post, item.account) in told:
            continue
        told.add((item.post, item.account))
        limit, period = item.use.limit or Decimal(0), item.use.period
        message = _("{account} may send {limit} {what} {period}; this post would be more than that.")
        yield source.problem(
            ("posts", item.post),
            code="L010",
            severity=Severity.ERROR,
            message=message.format(
                account=item.account, limit=f"{limit.normalize():f}", what=_word(item.use.what), period=_within(period)
            ),
            fix=_("Move posts apart, or leave the account out of some of them."),
        )


def _overflowing(items: Sequence[Taken]) -> Iterator[Taken]:
    by_quota: dict[tuple[str, str, timedelta | None], list[Taken]] = {}
    for item in items:
        if item.use.limit is not None:
            by_quota.setdefault((item.address, item.use.what, item.use.period), []).append(item)
    for (_address, _what, period), group in by_quota.items():
        window: deque[Taken] = deque()
        total = Decimal(0)
        for item in sorted(group, key=lambda one: one.due):
            while period is not None and window and window[0].due <= item.due - period:
                total -= window.popleft().use.amount
            window.append(item)
            total += item.use.amount
            if total > (item.use.limit or Decimal(0)):
                yield item


def _word(what: str) -> str:
    """Money by its code, the rest in words."""
    return _(_WORDS[what]) if what in _WORDS else what


def _within(period: timedelta | None) -> str:
    if period is None:
        return _("in all")
    minutes = int(period.total_seconds()) // 60
    if minutes % 60:
        return ngettext("in {n} minute", "in {n} minutes", minutes).format(n=minutes)
    return ngettext("in {n} hour", "in {n} hours", minutes // 60).format(n=minutes // 60)
