"""Settling what is uncertain, in this order: look it up, repeat with the same key, wait, leave it to a person.

A doubtful delivery is claimed with a lease of its own and stays ``uncertain`` meanwhile.

- *Adopted* is only what the network created after the first try under this key began, less ``SKEW`` for clocks that
  differ, and whose remote id is on no other receipt. The first try counts, not the last: a network that honours keys
  answers a repeat with the post of the first try. What the network finds by our own key (``created_at`` is None: it
  knows no instant of its own) needs no such proof.
- *Absence* counts only when the search was complete and ``ABSENCE_AFTER`` has gone since the request left. Where
  another process sent it, the latest instant at which it can have left is the end of the lease.
- What could not be settled for ``ASK_AFTER`` is looked up on, and a person is asked: where a token may not read, or a
  page's list is not whole, it would else be in doubt for ever without anybody knowing what to do.
- What a network will never tell of an attempt (``LookUp.answerable``) is left to a person at once.
- A look-up that was refused is no absence. Nor is a free post with the same words from up to ``CLOCK_SET`` before that:
  our clock may have been ahead at the first try, and set back since.
- What is uncertain since a restore (``ledger/restoring.py``) is never repeated by its key here: each part is looked up
  in turn, and what is proved unsent goes back to the state that it had in the backup, and through a claim from there.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from campaign_cli.dispatch.desk import Desk, Seat, Verdict
from campaign_cli.dispatch.options import FIRST_LOOK
from campaign_cli.dispatch.proof import sound
from campaign_cli.dispatch.retry import MAXIMUM_TRIES, asked_for, explain, works_after
from campaign_cli.dispatch.sending import Attempt, for_a_person, lost, unsent
from campaign_cli.errors import CampaignError, ClaimLost, CredentialError, Rejected, Unauthorized
from campaign_cli.i18n import _, ngettext
from campaign_cli.ledger.values import ADOPTED
from campaign_cli.models import Receipt, State
from campaign_cli.platforms.base import Found, Session

if TYPE_CHECKING:
    from campaign_cli.ledger import Claim

SKEW: Final = timedelta(minutes=2)
_UNREMARKABLE: Final = timedelta(seconds=5)  # clocks that differ by this much are the same: SKEW covers it
ABSENCE_AFTER: Final = timedelta(seconds=90)
LONGEST_DISTANCE: Final = timedelta(hours=1)
CLOCK_SET: Final = timedelta(hours=1)
"""How far a clock may be set back between a try and its look-up: an hour, as where summer time was got wrong."""
ASK_AFTER: Final = timedelta(hours=3)
_DOUBTED: Final = timedelta(hours=3)  # whoever else the older post may belong to has been settled by then


async def settle_doubtful(desk: Desk, claim: Claim) -> Verdict:
    """One try at settling an uncertain delivery. ``uncertain`` without ``next_try`` is left to a person."""
    try:
        seat = desk.seat(claim)
    except CampaignError as failure:
        return Verdict(state=State.UNCERTAIN, error=explain(failure), next_try=_later(desk, claim))
    parts = unsent(claim)
    if not parts:
        return Verdict(state=State.PUBLISHED)
    attempt = Attempt(desk, seat, claim, part=parts[0], earlier=claim.receipts)
    if attempt.known is not None:
        return await _received(desk, attempt, attempt.known)
    try:
        verdict, absent = await _looked_up(desk, seat, attempt)
        if verdict is None and claim.attempts >= MAXIMUM_TRIES:
            verdict = _given_up(claim, absent=absent)
        may_go = not claim.restored and not _too_late(desk, claim)
        if verdict is None and may_go and await _repeatable(desk, seat, attempt):
            verdict = await _repeated(desk, attempt, absent=absent)
    except ClaimLost:
        return Verdict(state=State.UNCERTAIN, error=lost(), lost=True)
    if verdict is None and absent:
        verdict = Verdict(state=State.WAITING, error=_("Looked up: it did not go out."))
    if verdict is None:
        verdict = Verdict(state=State.UNCERTAIN, error=for_a_person())
    if verdict.next_try is not None and verdict.state is State.UNCERTAIN and _long_in_doubt(desk, claim):
        verdict = replace(verdict, error=f"{verdict.error} {for_a_person()}", notice=_asking())
    return verdict if verdict.receipt is None else await _received(desk, attempt, verdict.receipt)


def _long_in_doubt(desk: Desk, claim: Claim) -> bool:
    return desk.clock() - (claim.attempt_started_at or claim.due) >= ASK_AFTER


def _asking() -> str:
    """What people hear once; the same words each time, by which the ledger knows that they have heard it."""
    hours = int(ASK_AFTER / timedelta(hours=1))
    text = ngettext(
        "For {n} hour, it could not be found out whether this is out.",
        "For {n} hours, it could not be found out whether this is out.",
        hours,
    ).format(n=hours)
    return f"{text} {for_a_person()}"


def _given_up(claim: Claim, *, absent: bool) -> Verdict:
    """A network that answers every try with doubt is not asked for ever."""
    if not absent:
        return Verdict(state=State.UNCERTAIN, error=for_a_person())
    text = _("Given up after {tries} tries without a clear answer. Looked up: it did not go out.")
    return Verdict(state=State.FAILED, error=text.format(tries=claim.attempts))


async def _looked_up(desk: Desk, seat: Seat, attempt: Attempt) -> tuple[Verdict | None, bool]:
    """Step 1: the verdict if the search settles or delays it, and whether absence is proved."""
    claim = attempt.claim
    if not seat.platform.proof.look_up:
        return None, False
    try:
        since = _earliest(seat, claim)
        look = await attempt.look_up(since - CLOCK_SET)
        if _earliest(seat, claim) < since:  # only its answers have told how far the server's clock is behind
            since = _earliest(seat, claim)
            look = await attempt.look_up(since - CLOCK_SET)
        free = await _free(desk, claim, look.found, since=since - CLOCK_SET)
        receipt = _adoptable(free, since=since)
    except ClaimLost:
        raise
    except Exception as failure:
        text = _("It could not be looked up: {error}").format(error=desk.secrets.redact(explain(failure)))
        works = None if isinstance(failure, Rejected) else works_after(failure)  # it may post, and not read
        credential = isinstance(failure, Unauthorized | CredentialError)
        doubt = Verdict(state=State.UNCERTAIN, error=text, next_try=_later(desk, claim))
        pause_until = asked_for(failure, desk.clock())
        return replace(doubt, works=works, credential=credential, pause_until=pause_until), False
    if receipt is not None:
        return Verdict(state=State.PUBLISHED, receipt=replace(receipt, part=attempt.part), works=True), False
    if not look.answerable:
        return Verdict(state=State.UNCERTAIN, error=for_a_person()), False
    too_early = _not_yet_absent(desk, seat, claim, complete=look.complete)
    if too_early is None and free:
        return _older(desk, claim), False
    return too_early, too_early is None


def _older(desk: Desk, claim: Claim) -> Verdict:
    """The verdict while a free post with the same words is there that seems older than the first try."""
    text = _(
        "A post with the same words is on the account, from shortly before this was sent: "
        "the clock may have been wrong. "
        "Look at it, then settle this: campaign resolve KEY --published URL, or --not-published."
    )
    soon = desk.clock() - first_try(claim) < _DOUBTED
    return Verdict(state=State.UNCERTAIN, error=text, next_try=_later(desk, claim) if soon else None)


def _not_yet_absent(desk: Desk, seat: Seat, claim: Claim, *, complete: bool) -> Verdict | None:
    """The verdict while nothing found does not mean that nothing is there; None when absence is proved."""
    if not complete:
        text = _("It was not found, but the search did not reach back far enough.")
        return Verdict(state=State.UNCERTAIN, error=text, next_try=_later(desk, claim))
    counts_from = left_by(desk, seat, claim) + ABSENCE_AFTER
    if desk.clock() < counts_from:
        text = _("Not found on the account so far. It is looked up again.")
        return Verdict(state=State.UNCERTAIN, error=text, next_try=min(_later(desk, claim), counts_from))
    return None


def _earliest(seat: Seat, claim: Claim) -> datetime:
    """Since when, on the server's own clock, a post can be this attempt's."""
    behind = min(seat.ahead or timedelta(0), timedelta(0))
    return first_try(claim) - SKEW + (behind if -behind > _UNREMARKABLE else timedelta(0))


async def _free(desk: Desk, claim: Claim, found: tuple[Found, ...], *, since: datetime) -> list[Found]:
    """The posts found that are from then on and prove nothing else."""
    recent = [one for one in found if one.created_at is None or one.created_at >= since]
    if not recent:
        return []
    taken = await desk.thread.call(desk.ledger.remote_ids, claim.address)
    return [one for one in recent if one.receipt.id not in taken]


def _adoptable(free: list[Found], *, since: datetime) -> Receipt | None:
    """The oldest of the free posts that can be this attempt's.

    The oldest, since a delivery with the same words that began later can be behind a later post alone: whoever took
    that one from it would leave it with nothing to find, and it would go out again.
    """
    possible = [one for one in free if one.created_at is None or one.created_at >= since]
    if not possible:
        return None
    mine = min(possible, key=lambda one: one.created_at or since)
    receipt = sound(mine.receipt)
    # Found by our own key (no instant), it is ours beyond doubt; found by its words, it may be another's.
    return receipt if mine.created_at is None else replace(receipt, extra={**receipt.extra, ADOPTED: True})


def _too_late(desk: Desk, claim: Claim) -> bool:
    """Proved absent, and later than it may go out: it waits again, and the next claim calls it missed."""
    return not claim.begun and desk.clock() - claim.due > desk.late_grace


async def _repeatable(desk: Desk, seat: Seat, attempt: Attempt) -> bool:
    """Step 2's condition: the network removes doubles of this key, now, by what its own server says it is."""
    if seat.platform.proof.repeat_for is None:
        return False
    if seat.software is None:
        seat.software = await _software(seat, attempt.sending)
    age = desk.clock() - first_try(attempt.claim)
    return seat.platform.may_repeat(attempt.sending, software=seat.software or "", age=age)


async def _software(seat: Seat, session: Session) -> str | None:
    """The server's software, asked live and once; None where it doesn't say, so that it is asked again."""
    try:
        return (await seat.platform.check(session)).software
    except Exception:  # no answer is no proof: nothing is repeated
        return None


async def _repeated(desk: Desk, attempt: Attempt, *, absent: bool) -> Verdict:
    """Step 2: the same request with the same key. What was not proved absent stays uncertain unless it succeeds."""
    try:
        await attempt.begin()
        receipt = await attempt.publish()
    except ClaimLost:
        raise
    except Exception as failure:
        verdict = attempt.judge(failure)
        if absent or verdict.state is State.UNCERTAIN:
            return verdict
        return replace(verdict, state=State.UNCERTAIN, next_try=_later(desk, attempt.claim))
    return Verdict(state=State.PUBLISHED, receipt=receipt, works=True)


async def _received(desk: Desk, attempt: Attempt, receipt: Receipt) -> Verdict:
    """Published, or on with the next part of the thread. Days late, nothing follows any more."""
    if not set(unsent(attempt.claim)) - {receipt.part}:
        if attempt.claim.restored or desk.clock() - attempt.claim.due > desk.late_grace:
            return Verdict(state=State.PUBLISHED, receipt=receipt, works=True)
        return await attempt.follow_up(receipt)
    try:
        await attempt.keep_receipt(receipt)
    except ClaimLost:
        return Verdict(state=State.UNCERTAIN, receipt=receipt, error=lost(), lost=True)
    if attempt.claim.restored:  # the next part may be out as well
        return Verdict(state=State.UNCERTAIN, next_try=attempt.sending.now(), works=True)
    return Verdict(state=State.WAITING, works=True)


def first_try(claim: Claim) -> datetime:
    """When the first try under this key began."""
    return claim.first_attempt_at or claim.attempt_started_at or claim.due


def left_by(desk: Desk, seat: Seat, claim: Claim) -> datetime:
    """The latest instant at which the request can have left: known here, or the end of the sender's lease."""
    known = None if claim.restored else desk.left_at.get(claim.key)  # others may have sent it since
    return known if known is not None else (claim.attempt_started_at or claim.due) + seat.lease


def _later(desk: Desk, claim: Claim) -> datetime:
    """The next look-up: as far ahead as the attempt lies back, so that the distances double, up to an hour."""
    now = desk.clock()
    age = now - (claim.attempt_started_at or now)
    return now + min(max(age, FIRST_LOOK * 3), LONGEST_DISTANCE)
