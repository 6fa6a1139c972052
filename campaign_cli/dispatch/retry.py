"""What becomes of a delivery whose try did not end in a receipt. Pure: the clock's reading and chance are passed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final

from campaign_cli.errors import (
    CampaignError,
    CredentialError,
    Held,
    LedgerError,
    Rejected,
    Unauthorized,
    Unavailable,
    Unconfirmed,
)
from campaign_cli.i18n import _
from campaign_cli.models import State

MAXIMUM_TRIES: Final = 12
"""Tries of one part before the delivery fails; with the distances below that is about an hour."""
FIRST_DISTANCE: Final = timedelta(seconds=10)
LONGEST_DISTANCE: Final = timedelta(minutes=15)
SHORTEST_DISTANCE: Final = timedelta(seconds=1)
LONGEST_REST: Final = timedelta(days=1)
"""How long we rest at most, whatever a network asks for: asking again once a day harms nobody, and an answer with a
wrong year must not silence an account for good."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryDecision:
    """``next_try`` (aware) goes with ``waiting``; ``pause_until`` (aware) is when the whole account may send again.

    ``credential`` says that the secret was absent or refused; ``held`` that an open hold stopped it in time.
    """

    state: State
    error: str
    next_try: datetime | None = None
    pause_until: datetime | None = None
    credential: bool = False
    held: bool = False


def decide(failure: Exception, *, tries: int, now: datetime, chance: Random, left: bool = False) -> RetryDecision:
    """The state that ``failure`` leads to.

    ``tries`` counts this try, from 1. ``left`` says that a creating request has left and was not provably refused: it
    turns whatever is no clear answer into ``uncertain``.
    """
    error = explain(failure)
    if isinstance(failure, Unavailable):
        return _again(failure, tries=tries, now=now, chance=chance)
    if isinstance(failure, Held):
        return RetryDecision(state=State.WAITING, error=error, held=True)
    if isinstance(failure, Rejected | Unauthorized):
        return RetryDecision(state=State.FAILED, error=error, credential=isinstance(failure, Unauthorized))
    if left or isinstance(failure, Unconfirmed):
        return RetryDecision(state=State.UNCERTAIN, error=error)
    if isinstance(failure, LedgerError):  # nothing has left, and the ledger's own trouble is not the delivery's
        return RetryDecision(state=State.WAITING, error=error, next_try=now + backoff(tries, chance))
    return RetryDecision(state=State.FAILED, error=error, credential=isinstance(failure, CredentialError))


def explain(failure: Exception) -> str:
    """The failure in words for people: the message and the fix, or the kind of an unexpected exception."""
    if isinstance(failure, CampaignError):
        return " → ".join(filter(None, (failure.message, failure.fix)))
    return _("Unexpected error in the adapter: {kind}: {text}").format(kind=type(failure).__name__, text=failure)


def backoff(tries: int, chance: Random) -> timedelta:
    """The distance to the next try: doubled with every try up to a ceiling, and drawn evenly from zero up to that.

    Full jitter, so that many deliveries that failed together don't come back together.
    """
    ceiling = min(LONGEST_DISTANCE, FIRST_DISTANCE * float(2 ** min(tries - 1, 20)))
    return max(SHORTEST_DISTANCE, ceiling * chance.random())


def bounded(until: datetime, now: datetime) -> datetime:
    """The instant that a network named for the next try, or the end of the longest rest where that comes first."""
    return min(until, now + LONGEST_REST)


def _again(failure: Unavailable, *, tries: int, now: datetime, chance: Random) -> RetryDecision:
    """Try again later, at the network's own instant where it named one; the whole account rests after a 429."""
    error = explain(failure)
    if tries >= MAXIMUM_TRIES:
        text = _("Given up after {tries} tries. The last answer: {error}").format(tries=tries, error=error)
        return RetryDecision(state=State.FAILED, error=text)
    next_try = now + backoff(tries, chance)
    if failure.retry_at is not None:
        next_try = max(bounded(failure.retry_at, now), now + SHORTEST_DISTANCE)
    pause = next_try if failure.status == 429 or failure.retry_at is not None else None
    return RetryDecision(state=State.WAITING, error=error, next_try=next_try, pause_until=pause)
