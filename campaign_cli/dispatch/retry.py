"""What becomes of a delivery whose try did not end in a receipt. Pure: the clock's reading and chance are passed in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Final

from campaign_cli.errors import (
    CampaignError,
    CredentialError,
    Embargoed,
    Failure,
    HandedOver,
    Held,
    LedgerError,
    Rejected,
    Unauthorized,
    Unavailable,
    Unconfirmed,
)
from campaign_cli.i18n import _
from campaign_cli.ledger.values import RESTING_AFTER
from campaign_cli.models import State

MAXIMUM_TRIES: Final = 12
"""Tries of one part before the delivery fails; with the distances below that is about an hour."""
FIRST_DISTANCE: Final = timedelta(seconds=10)
LONGEST_DISTANCE: Final = timedelta(minutes=15)
SHORTEST_DISTANCE: Final = timedelta(seconds=1)
FIRST_REST: Final = timedelta(seconds=30)
LONGEST_REST: Final = timedelta(minutes=10)
"""Of an account that keeps failing: long enough to ask a network for nothing much, short enough for ``late_grace``."""
LONGEST_WISH: Final = timedelta(days=1)
"""How long we rest at most, whatever a network asks for: asking again once a day harms nobody, and an answer with a
wrong year must not silence an account for good."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryDecision:
    """``next_try`` (aware) goes with ``waiting``; ``pause_until`` (aware) is when the whole account may send again.

    ``credential`` says that the secret was absent or refused; ``held`` that a hold, a missing approval or an
    embargo stopped it in time. ``works``
    is what it tells of the account: it answered (True), it failed (False), or nothing (None); ``overrun`` that it was
    asked too often.
    """

    state: State
    error: str
    next_try: datetime | None = None
    pause_until: datetime | None = None
    credential: bool = False
    held: bool = False
    works: bool | None = None
    overrun: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class RestDecision:
    """The account's failures in a row from here on, and until when (aware) it rests; None: it doesn't."""

    failures: int
    until: datetime | None = None


def decide(failure: Exception, *, tries: int, now: datetime, chance: Random, left: bool = False) -> RetryDecision:
    """The state that ``failure`` leads to.

    ``tries`` counts this try, from 1. ``left`` says that a creating request has left and was not provably refused: it
    turns whatever is no clear answer into ``uncertain``.
    """
    error, works = explain(failure), works_after(failure)
    if isinstance(failure, Unavailable):
        return _again(failure, tries=tries, now=now, chance=chance)
    if isinstance(failure, Held):
        next_try = failure.until if isinstance(failure, Embargoed) else None
        return RetryDecision(state=State.WAITING, error=error, next_try=next_try, held=True)
    if isinstance(failure, Rejected | Unauthorized):
        credential = isinstance(failure, Unauthorized)
        return RetryDecision(state=State.FAILED, error=error, credential=credential, works=works)
    if left or isinstance(failure, Unconfirmed):
        return RetryDecision(state=State.UNCERTAIN, error=error, works=works, pause_until=asked_for(failure, now))
    if isinstance(failure, LedgerError):  # nothing has left, and the ledger's own trouble is not the delivery's
        return RetryDecision(state=State.WAITING, error=error, next_try=now + backoff(tries, chance))
    credential = isinstance(failure, CredentialError)
    return RetryDecision(state=State.FAILED, error=error, credential=credential, works=works)


def works_after(failure: Exception) -> bool | None:
    """What a failure tells of the account, whatever becomes of the delivery; see ``RetryDecision.works``.

    A refusal of one post's content is an answer like any other; 401 and 403 count against the account, and against the
    invalid requests that networks allow.
    """
    if isinstance(failure, HandedOver):
        return None
    if isinstance(failure, Rejected):
        return None if failure.status is None else failure.status not in (401, 403)
    return False if isinstance(failure, Unavailable | Unauthorized | Unconfirmed | CredentialError) else None


def rest_after(failures: int, *, now: datetime, chance: Random, overrun: bool = False) -> RestDecision:
    """What one more failure means for an account that had ``failures`` in a row before it.

    From ``RESTING_AFTER`` on it rests, at first for up to ``FIRST_REST``, doubled with every further failure up to
    ``LONGEST_REST`` and drawn evenly from zero up to that. ``overrun``: after a 429, one delivery alone tries first.
    """
    number = max(failures + 1, RESTING_AFTER if overrun else 0)
    if number < RESTING_AFTER:
        return RestDecision(failures=number)
    rest = _drawn(FIRST_REST, LONGEST_REST, number - RESTING_AFTER, chance)
    return RestDecision(failures=number, until=now + rest)


def explain(failure: Exception) -> str:
    """The failure in words for people: the message and the fix, or the kind of an unexpected exception."""
    if isinstance(failure, CampaignError):
        return " → ".join(filter(None, (failure.message, failure.fix)))
    return _("Unexpected error in the adapter: {kind}: {text}").format(kind=type(failure).__name__, text=failure)


def backoff(tries: int, chance: Random) -> timedelta:
    """The distance to the next try: doubled with every try up to a ceiling, and drawn evenly from zero up to that.

    Full jitter, so that many deliveries that failed together don't come back together.
    """
    return _drawn(FIRST_DISTANCE, LONGEST_DISTANCE, tries - 1, chance)


def _drawn(first: timedelta, longest: timedelta, doublings: int, chance: Random) -> timedelta:
    ceiling = min(longest, first * float(2 ** min(doublings, 20)))
    return max(SHORTEST_DISTANCE, ceiling * chance.random())


def bounded(until: datetime, now: datetime) -> datetime:
    """The instant that a network named for the next try, or the end of the longest wish where that comes first."""
    return min(until, now + LONGEST_WISH)


def asked_for(failure: Exception, now: datetime) -> datetime | None:
    """Until when the network asked to be left alone, if it did; look-ups keep to it as well."""
    wish = failure.retry_at if isinstance(failure, Failure) else None
    return None if wish is None else bounded(wish, now)


def _again(failure: Unavailable, *, tries: int, now: datetime, chance: Random) -> RetryDecision:
    """Try again later, at the network's own instant where it named one; the whole account rests after a 429."""
    error, overrun = explain(failure), failure.status == 429
    next_try = now + backoff(tries, chance)
    if failure.retry_at is not None:
        next_try = max(bounded(failure.retry_at, now), now + SHORTEST_DISTANCE)
    pause = next_try if overrun or failure.retry_at is not None else None
    again = RetryDecision(
        state=State.WAITING, error=error, next_try=next_try, pause_until=pause, works=False, overrun=overrun
    )
    if tries < MAXIMUM_TRIES:
        return again
    text = _("Given up after {tries} tries. The last answer: {error}").format(tries=tries, error=error)
    return replace(again, state=State.FAILED, error=text, next_try=None)
