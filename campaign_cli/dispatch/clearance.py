"""What is asked right before anything of a delivery leaves: are its approvals good, and is its embargo over there?

Both fail closed. A signature that can't be verified now no longer counts, and says why. An embargo is over when the
destination itself says so, in the ``Date`` of an answer to a request that carries no credential and nothing of the
post; our own clock has said so before, at the claim. Who has no server (a person who posts by hand) goes by the clocks
of the workspace's other accounts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from campaign_cli.errors import ClaimLost, Embargoed, Failure, Held
from campaign_cli.i18n import _
from campaign_cli.ledger.values import EMBARGO_STEP
from campaign_cli.platforms.base import Http, Request
from campaign_cli.signatures import key_of

if TYPE_CHECKING:
    from campaign_cli.dispatch.desk import Desk, Seat
    from campaign_cli.dispatch.sending import Attempt

ASK_AGAIN: Final = timedelta(minutes=1)
"""After a destination did not say what time it is."""
ASK_AT_LEAST: Final = timedelta(hours=1)
"""The longest time until a destination whose clock is behind is asked again."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LEAST: Final = timedelta(seconds=1)
_ANY: Final = range(100, 600)  # whatever it answers, what counts is the date


async def clear(desk: Desk, seat: Seat, attempt: Attempt) -> None:
    """Nothing where a delivery of which nothing is out may leave now. Raises Held, Embargoed."""
    if attempt.sending.earlier:
        return  # it was cleared when it began, and what has begun is finished
    if attempt.claim.signed:
        await _verify(desk, attempt)
    if attempt.claim.embargo is not None:
        await _ask_there(desk, seat, attempt, embargo=attempt.claim.embargo)


async def _verify(desk: Desk, attempt: Attempt) -> None:
    """Verify every signature again. What fails is void from here on; Held where too few are left."""
    claim = attempt.claim
    found, author = await desk.thread.call(desk.ledger.signatures, claim.key)
    void: dict[int, str] = {}
    keys: set[bytes] = set()
    async with desk.verifying:
        for one in found:
            key, why = key_of(one.signature), ""
            if not one.whole or key is None:
                why = _("What was signed is not this delivery.")
            elif key in keys:
                why = _("The key has approved it already, under another name.")
            else:
                keys.add(key)
                why = await asyncio.to_thread(
                    desk.signers.objection, one.text, one.signature, name=one.name, author=author, at=desk.clock()
                )
            if why:
                void[one.id] = why
    if not void:
        return
    await desk.thread.call(desk.ledger.void_approvals, void, actor=desk.worker)
    try:
        await desk.pass_gate(claim)
    except ClaimLost:
        raise
    except Held as failure:
        raise Held(f"{failure.message} {' '.join(dict.fromkeys(void.values()))}", fix=failure.fix) from failure


async def _ask_there(desk: Desk, seat: Seat, attempt: Attempt, *, embargo: datetime) -> None:
    """Embargoed until the destination's clock, too, has reached the end of the embargo."""
    here = seat.platform.home(seat.account)
    servers = [(here, attempt.http)] if here else list(_others(desk, seat))
    told: datetime | None = None
    for address, http in servers:
        told = await _date_of(http, address)
        if told is not None and told >= embargo:
            return
        if told is not None:
            break
    now = desk.clock()
    if told is not None:
        # Our clock is ahead of theirs: what is late counts from when theirs is there (``statements.too_late``).
        # However far behind it says to be, it is asked again: one wrong answer must not hold a post for years.
        until = now + min(max(embargo - told, _LEAST), ASK_AT_LEAST)
        await attempt.sending.keep(EMBARGO_STEP, (until - _EPOCH) // timedelta(microseconds=1))
        raise Embargoed(_("Its embargo is not over by the clock of its destination."), until=until)
    reason = _("Its destination does not say what time it is, so nobody can say that its embargo is over.")
    if not servers:
        reason = _("No account here has a server that could say what time it is, so its embargo can't be over.")
    raise Embargoed(reason, until=now + ASK_AGAIN)


def _others(desk: Desk, seat: Seat) -> Iterator[tuple[str, Http]]:
    """The servers of the workspace's other accounts."""
    for name in desk.workspace.accounts:
        other = desk.seat_of(name) if name != seat.account.name else None
        address = other.platform.home(other.account) if other is not None else None
        if other is not None and address:
            yield address, other.http


async def _date_of(http: Http, address: str) -> datetime | None:
    """What time it is there (aware); None where it does not say."""
    try:
        answer = await http.send(Request(method="HEAD", url=address, accept=_ANY))
    except Failure:
        return None
    return _read(answer.headers)


def _read(headers: Mapping[str, str]) -> datetime | None:
    try:
        told = parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError, OverflowError):
        return None
    return told if told.tzinfo is not None else None
