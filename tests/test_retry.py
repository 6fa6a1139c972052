"""What becomes of a delivery whose try did not end in a receipt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from campaign_cli.dispatch.retry import (
    FIRST_REST,
    LONGEST_DISTANCE,
    LONGEST_REST,
    LONGEST_WISH,
    MAXIMUM_TRIES,
    SHORTEST_DISTANCE,
    RestDecision,
    RetryDecision,
    backoff,
    bounded,
    decide,
    explain,
    rest_after,
)
from campaign_cli.errors import (
    CredentialError,
    Held,
    LedgerError,
    Rejected,
    Unauthorized,
    Unavailable,
    Unconfirmed,
)
from campaign_cli.ledger.values import RESTING_AFTER
from campaign_cli.models import State

NOW = datetime(2026, 12, 10, 1, 0, tzinfo=UTC)


def decision(failure: Exception, *, tries: int = 1, left: bool = False) -> RetryDecision:
    return decide(failure, tries=tries, now=NOW, chance=Random(7), left=left)


def test_a_refusal_needs_a_person() -> None:
    """What the network refused for good fails, with its words and the fix."""
    decided = decision(Rejected("Too long.", fix="Shorten it."))
    assert decided == RetryDecision(state=State.FAILED, error="Too long. → Shorten it.")


@pytest.mark.parametrize("failure", [Unauthorized("401"), CredentialError("No TOKEN.")])
def test_a_bad_credential_fails_and_says_so(failure: Exception) -> None:
    """An absent secret and a refused one fail the delivery and are told apart from other failures."""
    decided = decision(failure)
    assert decided.state is State.FAILED
    assert decided.credential


def test_what_was_provably_not_done_is_tried_again() -> None:
    """An unreachable network leaves the delivery waiting, soon to be tried again."""
    decided = decision(Unavailable("No route."))
    assert decided.state is State.WAITING
    assert decided.next_try is not None
    assert timedelta(0) < decided.next_try - NOW <= timedelta(seconds=10)
    assert decided.pause_until is None


def test_the_networks_own_instant_is_honoured() -> None:
    """Where the network says when, the delivery waits until then, and so does the account."""
    later = NOW + timedelta(hours=3)
    decided = decision(Unavailable("Slow down.", status=429, retry_at=later), tries=3)
    assert (decided.next_try, decided.pause_until) == (later, later)


def test_too_many_requests_rests_the_whole_account() -> None:
    """A 429 without an instant makes the account rest as long as the delivery."""
    decided = decision(Unavailable("Slow down.", status=429))
    assert decided.pause_until == decided.next_try != None  # noqa: E711


def test_an_instant_in_the_past_is_soon() -> None:
    """A retry instant that has passed does not make a busy loop."""
    decided = decision(Unavailable("Now.", retry_at=NOW - timedelta(hours=1)))
    assert decided.next_try == NOW + SHORTEST_DISTANCE


def test_it_is_given_up_after_the_last_try() -> None:
    """A network that stays away makes the delivery fail in the end, with the last reason."""
    assert decision(Unavailable("Down."), tries=MAXIMUM_TRIES - 1).state is State.WAITING
    decided = decision(Unavailable("Down."), tries=MAXIMUM_TRIES)
    assert decided.state is State.FAILED
    assert "Down." in decided.error


def test_no_telling_answer_is_uncertain() -> None:
    """A lost answer is never a reason to try again blindly."""
    assert decision(Unconfirmed("Reset.")).state is State.UNCERTAIN


def test_a_bug_before_the_request_fails_and_after_it_is_uncertain() -> None:
    """An unexpected exception fails the delivery only where nothing can have gone out."""
    assert decision(KeyError("id")).state is State.FAILED
    assert decision(KeyError("id"), left=True).state is State.UNCERTAIN
    assert "KeyError" in decision(KeyError("id")).error


def test_a_hold_sends_it_back_to_wait() -> None:
    """A hold that comes in time leaves the delivery waiting, and held."""
    decided = decision(Held("Held: court ruling."))
    assert decided.state is State.WAITING
    assert decided.held


def test_trouble_with_the_ledger_fails_no_delivery() -> None:
    """A locked ledger before the request means waiting; after it, nobody knows."""
    assert decision(LedgerError("Locked.")).state is State.WAITING
    assert decision(LedgerError("Locked."), left=True).state is State.UNCERTAIN


def test_distances_grow_to_a_ceiling_and_are_spread() -> None:
    """The distance is drawn between zero and a bound that doubles up to the ceiling."""
    chance = Random(1)
    for tries in range(1, 60):
        drawn = [backoff(tries, chance) for _each in range(50)]
        assert all(SHORTEST_DISTANCE <= distance <= LONGEST_DISTANCE for distance in drawn)
        assert max(drawn) <= max(timedelta(seconds=10) * 2 ** min(tries - 1, 20), SHORTEST_DISTANCE)
        assert len(set(drawn)) > 10
    assert max(backoff(30, chance) for _each in range(200)) > LONGEST_DISTANCE * 0.9


def test_explain_joins_message_and_fix() -> None:
    """A failure is explained in one line; an unexpected one names its kind."""
    assert explain(Rejected("No.", fix="")) == "No."
    assert "ValueError: boom" in explain(ValueError("boom"))


IN_AN_HOUR = NOW + timedelta(hours=1)
# failure · a creating request had left · state · waits for a next try · the account pauses · tells of the account
TABLE = [
    (Unavailable("No route."), False, State.WAITING, True, False, False),
    (Unavailable("503", status=503, retry_at=IN_AN_HOUR), False, State.WAITING, True, True, False),
    (Unavailable("429", status=429), False, State.WAITING, True, True, False),
    (Unavailable("429", status=429, retry_at=IN_AN_HOUR), True, State.WAITING, True, True, False),
    (Unauthorized("401", status=401), False, State.FAILED, False, False, False),
    (CredentialError("No TOKEN."), False, State.FAILED, False, False, False),
    (Rejected("403", status=403), False, State.FAILED, False, False, False),
    (Rejected("422", status=422), False, State.FAILED, False, False, True),
    (Rejected("No address."), False, State.FAILED, False, False, None),
    (Unconfirmed("Time-out."), True, State.UNCERTAIN, False, False, False),
    (Held("Held."), False, State.WAITING, False, False, None),
    (LedgerError("Locked."), False, State.WAITING, True, False, None),
    (LedgerError("Locked."), True, State.UNCERTAIN, False, False, None),
    (KeyError("id"), False, State.FAILED, False, False, None),
    (KeyError("id"), True, State.UNCERTAIN, False, False, None),
]


@pytest.mark.parametrize(("failure", "left", "state", "tries", "rests", "works"), TABLE)
def test_what_each_failure_leads_to(
    failure: Exception, left: bool, state: State, tries: bool, rests: bool, works: bool | None
) -> None:
    """One row for each kind: only what is provably unsent waits, and the account's count hears of what is its own."""
    decided = decision(failure, left=left)
    assert decided.state is state
    assert (decided.next_try is not None, decided.pause_until is not None) == (tries, rests)
    assert decided.works is works


@pytest.mark.parametrize(
    ("failures", "overrun", "number", "longest"),
    [
        (0, False, 1, None),
        (RESTING_AFTER - 2, False, RESTING_AFTER - 1, None),
        (RESTING_AFTER - 1, False, RESTING_AFTER, FIRST_REST),
        (RESTING_AFTER, False, RESTING_AFTER + 1, 2 * FIRST_REST),
        (RESTING_AFTER + 2, False, RESTING_AFTER + 3, 8 * FIRST_REST),
        (RESTING_AFTER + 9, False, RESTING_AFTER + 10, LONGEST_REST),
        (10_000, False, 10_001, LONGEST_REST),
        (0, True, RESTING_AFTER, FIRST_REST),
        (RESTING_AFTER, True, RESTING_AFTER + 1, 2 * FIRST_REST),
    ],
)
def test_an_account_rests_longer_with_every_failure_in_a_row(
    failures: int, overrun: bool, number: int, longest: timedelta | None
) -> None:
    """Below the number nothing happens; from there on the bound doubles up to ten minutes, evenly drawn from zero."""
    chance = Random(5)
    drawn = [rest_after(failures, now=NOW, chance=chance, overrun=overrun) for _each in range(300)]
    assert {decided.failures for decided in drawn} == {number}
    if longest is None:
        assert set(drawn) == {RestDecision(failures=number)}
        return
    rests = [decided.until - NOW for decided in drawn if decided.until is not None]
    assert len(rests) == 300
    assert min(rests) >= SHORTEST_DISTANCE
    assert longest * 0.9 < max(rests) <= longest
    assert min(rests) < longest * 0.1


def test_an_absurd_wish_is_bounded() -> None:
    """A network that asks for ten years is asked again tomorrow."""
    decided = decision(Unavailable("Later.", status=429, retry_at=NOW + timedelta(days=3650)))
    assert decided.next_try == decided.pause_until == NOW + LONGEST_WISH
    assert bounded(NOW + timedelta(hours=2), NOW) == NOW + timedelta(hours=2)


def test_the_last_try_still_tells_the_account_to_rest() -> None:
    """A delivery that is given up after a 429 doesn't hide from the others what the network asked for."""
    decided = decision(Unavailable("Slow down.", status=429, retry_at=IN_AN_HOUR), tries=MAXIMUM_TRIES)
    assert (decided.state, decided.pause_until, decided.next_try) == (State.FAILED, IN_AN_HOUR, None)


def test_a_doubtful_end_lets_the_account_rest_when_asked_to() -> None:
    """Whether or not the post is out, the network's wish counts for everything else of that account."""
    failure = Unconfirmed("Reset.")
    failure.retry_at = NOW + timedelta(minutes=9)
    decided = decision(failure, left=True)
    assert (decided.state, decided.pause_until) == (State.UNCERTAIN, NOW + timedelta(minutes=9))
