"""The same words twice on one account, and from many accounts at once."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from campaign_cli import platforms
from campaign_cli.i18n import _
from campaign_cli.models import Problem, Severity

if TYPE_CHECKING:
    from campaign_cli.checks.pipeline import Examined
    from campaign_cli.plan.expand import Planned

CROWD: Final = 5
"""So many accounts of one network with the same words ..."""
AT_ONCE: Final = timedelta(minutes=10)
"""... within so long, and a network may take them for one hand that steers many."""
_TAGS: Final = re.compile(r"[?&]utm_[a-z]{1,20}=[^\s&#]*")


def said_twice(examined: Examined, now: datetime) -> Iterator[Problem]:
    """Another post of the plan says the same on the same account. Occurrences and ``repeat: true`` are meant so."""
    first: dict[tuple[str, int], int] = {}
    told: set[tuple[int, int]] = set()
    for planned in examined.planned:
        draft = examined.drafts.get(planned.key)
        if examined.loaded is None or draft is None or planned.recurring or planned.post.repeat:
            continue
        words = hash(tuple((part.text, tuple(picture.sha256 for picture in part.media)) for part in draft.parts))
        earlier = first.setdefault((draft.address, words), planned.index)
        if earlier == planned.index or (earlier, planned.index) in told:
            continue
        told.add((earlier, planned.index))
        source = examined.loaded.source
        message = _('The post says the same as the post "{id}" (line {line}); queue will refuse it.').format(
            id=examined.loaded.plan.posts[earlier].id, line=source.place(("posts", earlier)).line
        )
        fix = _('Write something else, or "repeat: true" if it is meant.')
        path = ("posts", planned.index)
        yield source.problem(path, code="P250", severity=Severity.WARNING, message=message, fix=fix)


def said_by_many(examined: Examined, now: datetime) -> Iterator[Problem]:
    """The same words from many accounts of one network at once; one hint, at the first post that says them."""
    saying: dict[tuple[str, tuple[str, ...]], list[Planned]] = {}
    for planned, draft, _chosen in examined.chosen:
        words = tuple(_TAGS.sub("", part.text) for part in draft.parts)  # a link is tagged for each account
        saying.setdefault((draft.platform, words), []).append(planned)
    told: set[tuple[int, str]] = set()
    for (platform, words), together in saying.items():
        count, first = _crowd(together) if len(together) >= CROWD and any(words) else (0, together[0])
        if examined.loaded is None or count < CROWD or (first.index, platform) in told:
            continue
        told.add((first.index, platform))
        message = _("{n} accounts of {network} say the same within {minutes} minutes.").format(
            n=count, network=platforms.get(platform).title, minutes=int(AT_ONCE.total_seconds()) // 60
        )
        fix = _("Let each say it in its own words (variants), or apart in time (stagger under rules in accounts.yaml).")
        path = ("posts", first.index)
        yield examined.loaded.source.problem(path, code="E005", severity=Severity.HINT, message=message, fix=fix)


def _crowd(together: list[Planned]) -> tuple[int, Planned]:
    """The largest number of accounts that are due at once, and the first delivery of theirs."""
    most, first = 0, together[0]
    window: deque[Planned] = deque()
    accounts: Counter[str] = Counter()
    for planned in sorted(together, key=lambda one: one.due):
        window.append(planned)
        accounts[planned.account.name] += 1
        while planned.due - window[0].due > AT_ONCE:
            gone = window.popleft().account.name
            accounts[gone] -= 1
            if not accounts[gone]:
                del accounts[gone]
        if len(accounts) > most:
            most, first = len(accounts), window[0]
    return most, first
