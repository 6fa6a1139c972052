"""One delivery on its way out: its parts in order, each step durable, each receipt kept before the next part."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from campaign_cli.dispatch.clearance import clear
from campaign_cli.dispatch.desk import Desk, Seat, Verdict
from campaign_cli.dispatch.hosting import publish_media
from campaign_cli.dispatch.options import FIRST_LOOK, LEASE_MARGIN, STAY_SECONDS
from campaign_cli.dispatch.proof import sound
from campaign_cli.dispatch.retry import bounded, decide, explain
from campaign_cli.dispatch.wire import GuardedHttp
from campaign_cli.errors import CampaignError, ClaimLost, HandedOver, LedgerError, Rejected, Unauthorized, Unavailable
from campaign_cli.i18n import _
from campaign_cli.ledger.values import REQUEST
from campaign_cli.models import Picture, Receipt, State, attempt_key
from campaign_cli.platforms.answers import ahead, instant, on_our_clock
from campaign_cli.platforms.base import AT_ONCE, LookUp, Sending

if TYPE_CHECKING:
    from campaign_cli.ledger import Claim

_KNOWN: Final = "known"  # step: the receipt, while something still follows

logger = logging.getLogger(__name__)


class Attempt:
    """One try at one part of a claimed delivery; ``earlier`` are the receipts of the parts before it."""

    def __init__(self, desk: Desk, seat: Seat, claim: Claim, *, part: int, earlier: Sequence[Receipt]) -> None:
        self._desk = desk
        self._seat = seat
        self.claim = claim
        self.part = part
        self._lease_until: datetime = claim.lease_until
        self._hosted: dict[str, str] = {}  # addresses of media by their content
        self.http = GuardedHttp(
            seat.http,
            gate=self._gate,
            heard=self._heard,
            now=desk.clock,
            max_wait=seat.platform.max_wait,
            redact=desk.secrets.redact,
        )
        self.sending = self._sending(earlier)

    def _sending(self, earlier: Sequence[Receipt]) -> Sending:
        claim, seat, desk = self.claim, self._seat, self._desk
        return Sending(
            account=seat.account,
            http=self.http,
            secret=partial(desk.secret, seat.account),
            now=desk.clock,
            sleep=desk.sleep,
            memory=seat.memory,
            draft=claim.draft,
            part=self.part,
            key=attempt_key(claim.key, claim.content_hash, self.part, claim.generation),
            due=claim.due,
            earlier=tuple(earlier),
            steps=dict(claim.steps.get(self.part, {})),
            keep=self._keep,
            load=self._load,
            public_url=self._public_url,
            uploaded=partial(desk.uploaded, claim.key),
            hand_over=self._hand_over,
        )

    async def begin(self) -> None:
        """Put the attempt on disk and renew the lease. Raises ClaimLost or Held."""
        self._lease_until = await self._desk.thread.call(
            self._desk.ledger.begin_part,
            self.claim,
            self.part,
            lease=self._seat.lease,
            marked=self._seat.blind,
        )

    async def publish(self) -> Receipt:
        """Send the part. Raises what the adapter raises, CredentialError where its login is over, and Held where an
        approval or an embargo keeps it back.

        A token that was refused before its time is renewed, and the part goes out with the next try.
        """
        await clear(self._desk, self._seat, self)
        token = await self._desk.log_in(self._seat)
        try:
            return await self._published()
        except Unauthorized as error:
            if self.http.left or not await self._desk.renew(self._seat, token):
                raise
            raise Unavailable(_("The network refused a token before its end; it has been renewed.")) from error

    async def _published(self) -> Receipt:
        media = self.sending.content.media
        if not any(each.is_video for each in media) and sum(each.size for each in media) <= AT_ONCE:
            return await self._publish()
        staying = asyncio.create_task(self._stay())
        try:
            return await self._publish()
        finally:
            staying.cancel()
            await asyncio.gather(staying, return_exceptions=True)

    async def _publish(self) -> Receipt:
        """The receipt, with the fingerprint of the request that it answers to."""
        receipt = sound(await self._seat.platform.publish(self.sending))
        return replace(receipt, extra={**receipt.extra, REQUEST: self.http.request}) if self.http.request else receipt

    async def _stay(self) -> None:
        """Renew the lease again and again: large files may take longer to upload than a lease lasts."""
        while True:
            await asyncio.sleep(STAY_SECONDS)
            try:
                self._lease_until = await self._desk.thread.call(
                    self._desk.ledger.stay, self.claim, lease=self._seat.lease
                )
            except ClaimLost:
                return  # the gate says so before anything is created
            except LedgerError as error:
                logger.warning("The lease of %s could not be renewed: %s", self.claim.key, error)

    async def look_up(self, since: datetime) -> LookUp:
        """Search the account for the part. Raises what the adapter raises, and CredentialError like ``publish``."""
        await self._desk.log_in(self._seat)
        return await self._seat.platform.look_up(self.sending, since)

    async def keep_receipt(self, receipt: Receipt) -> None:
        """Make a receipt durable. Raises ClaimLost."""
        await self._desk.thread.call(self._desk.ledger.keep_receipt, self.claim, receipt)

    @property
    def known(self) -> Receipt | None:
        """The proof of this part that an earlier process had, and what was to follow had not ended."""
        kept = self.sending.steps.get(_KNOWN)
        return None if kept is None else Receipt(part=self.part, **{**kept, "at": instant(kept["at"])})

    async def follow_up(self, receipt: Receipt) -> Verdict:
        """Published, with what comes after the last part where something does; never raises a failure of that.

        The proof is on disk before (``known``): what goes wrong from here on costs what follows, and not the post.
        """
        published = Verdict(state=State.PUBLISHED, receipt=receipt, works=True)
        if not self._seat.platform.follows(self.claim.draft):
            return published
        try:
            at = receipt.at.isoformat()
            await self._keep(_KNOWN, {"id": receipt.id, "url": receipt.url, "at": at, "extra": dict(receipt.extra)})
            missing = await self._seat.platform.afterwards(self.sending, receipt)
        except Exception as failure:
            missing = _("The post is out, but what was to follow it is not: {reason}").format(reason=explain(failure))
        told = self._desk.secrets.redact(missing)
        return replace(published, error=told, notice=told)

    def judge(self, failure: Exception) -> Verdict:
        """How to settle after ``failure``."""
        if isinstance(failure, Unauthorized):
            self._seat.memory.clear()  # a session that was refused must not be used again
            if self._seat.logs_in:
                failure.fix = _("Run: campaign accounts login {name}").format(name=self._seat.account.name)
        if not isinstance(failure, CampaignError):
            text = self._desk.secrets.redact(repr(failure))
            logger.error("Unexpected error while sending %s: %s", self.claim.key, text)
        now = self._desk.clock()
        tries = self.claim.attempts if self.part == self.claim.part else 1  # a receipt sets the count back
        decision = decide(failure, tries=tries, now=now, chance=self._desk.chance, left=self.http.left)
        if isinstance(failure, HandedOver):
            return self._left_to_person(failure)
        if decision.state is State.UNCERTAIN:
            return replace(self._uncertain(decision.error), works=decision.works, pause_until=decision.pause_until)
        return Verdict(
            state=decision.state,
            error=self._desk.secrets.redact(decision.error),
            works=decision.works,
            overrun=decision.overrun,
            next_try=decision.next_try,
            pause_until=decision.pause_until,
            credential=decision.credential,
            held=decision.held,
            untried=decision.held and not self.http.left,
        )

    def _uncertain(self, error: str) -> Verdict:
        """A doubtful end: looked up soon where the network can be asked, left to a person where it can't."""
        left_at = self._desk.left_at[self.claim.key] = self.http.left_at or self._desk.clock()
        text = self._desk.secrets.redact(error)
        if self._seat.blind:
            return Verdict(state=State.UNCERTAIN, error=f"{text} {for_a_person()}")
        return Verdict(state=State.UNCERTAIN, error=text, next_try=left_at + FIRST_LOOK)

    def _left_to_person(self, failure: HandedOver) -> Verdict:
        """It lies ready: people are told all that posting it takes, and how to settle it then."""
        settle = _("When it is out: campaign resolve {key} --published URL (without URL where it has none).")
        notice = f"{failure.notice}\n{settle.format(key=self.claim.key)}"
        return Verdict(state=State.UNCERTAIN, error=failure.message, notice=notice)

    def cut_off(self) -> Verdict:
        """How to settle when this process is being ended in the middle."""
        if self.http.left:
            return Verdict(
                state=State.UNCERTAIN, error=_("Stopped before the answer came."), next_try=self._desk.clock()
            )
        return Verdict(state=State.WAITING, error=_("Stopped before anything was sent."))

    async def _gate(self) -> None:
        """Nothing may be created without a lease that outlasts the request, nor under a hold.

        Where nobody can be asked afterwards, it is on disk before the first byte that the request is about to leave: a
        claim that is found without that mark was never sent.
        """
        needed = timedelta(seconds=self._seat.platform.max_wait) + LEASE_MARGIN
        renewed = self._lease_until - self._desk.clock() < needed
        if renewed:
            await self.begin()
        if self._seat.blind:
            await self._desk.let_leave(self.claim)
        elif not renewed:
            await self._desk.pass_gate(self.claim)

    async def _heard(self, headers: Mapping[str, str]) -> None:
        """Let every process know when the network's own headers say that this account must rest."""
        now = self._desk.clock()
        self._seat.ahead = ahead(headers, now) or self._seat.ahead
        until = on_our_clock(headers, now, lambda there: self._seat.platform.pause_until(headers, there))
        if until is not None:
            await self._desk.thread.call(self._desk.ledger.pause_account, self.claim.address, bounded(until, now))

    async def _keep(self, name: str, value: Any) -> None:
        await self._desk.thread.call(self._desk.ledger.keep_step, self.claim, self.part, name, value)
        self.sending.steps[name] = value

    async def _hand_over(self, files: Mapping[str, bytes]) -> str:
        """Lay it out for a person, unless a hold or another process came in between."""
        await self._desk.pass_gate(self.claim)
        return await self._desk.hand_over(self.claim.key, files)

    async def _load(self, picture: Picture) -> bytes:
        content = await self._desk.thread.call(self._desk.ledger.media, picture.sha256)
        promised = self.claim.signed or self.claim.embargo is not None
        if promised and await asyncio.to_thread(_sha256, content) != picture.sha256:
            raise Rejected(
                _("{file} was changed past the program; it is not what was approved.").format(file=picture.name),
                fix=_("Run `campaign ledger check`: it says what is damaged, and the way out."),
            )
        return content

    async def _public_url(self, picture: Picture) -> str:
        """Where the network can fetch it, asked once for each try: days may lie between two, and the file be gone.

        Whatever lies there, everybody can fetch: under a hold, nothing is put there either.
        """
        if picture.sha256 not in self._hosted:
            await self._desk.pass_gate(self.claim)
            address = await publish_media(self._desk, self._seat.account, picture, load=self._load)
            self._hosted[picture.sha256] = address
        return self._hosted[picture.sha256]


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def send(desk: Desk, claim: Claim) -> Verdict:
    """Send what is left of a claimed delivery and say how to settle it."""
    try:
        seat = desk.seat(claim)
    except CampaignError as failure:
        return Verdict(state=State.FAILED, error=explain(failure))
    receipts = list(claim.receipts)
    parts = unsent(claim)
    for part in parts:
        attempt = Attempt(desk, seat, claim, part=part, earlier=receipts)
        receipt: Receipt | None = None
        try:
            if part != parts[0]:  # the claim itself has put the first unsent part's attempt on disk
                await attempt.begin()
            receipt = attempt.known or await attempt.publish()
            if part == parts[-1]:  # it is kept together with the state, in one transaction
                return await attempt.follow_up(receipt)
            await attempt.keep_receipt(receipt)
        except asyncio.CancelledError:
            desk.cut_off[claim.key] = attempt.cut_off()
            raise
        except Exception as failure:
            return _broken_off(attempt, receipt, failure)
        receipts.append(receipt)
    return Verdict(state=State.PUBLISHED, works=True)


def _broken_off(attempt: Attempt, receipt: Receipt | None, failure: Exception) -> Verdict:
    """How to settle after ``failure``, before this part's receipt came (None) or while it was being kept."""
    if isinstance(failure, ClaimLost):
        if receipt is None and not attempt.http.left:  # we know better than the lease: it may simply wait again
            return Verdict(state=State.WAITING, error=_("The lease was over before anything was sent."))
        return Verdict(state=State.UNCERTAIN, receipt=receipt, error=lost(), lost=True)
    if receipt is not None and isinstance(failure, LedgerError):
        # The proof is in our hands: it is written down with the state, and the thread goes on from there.
        return Verdict(state=State.WAITING, receipt=receipt, error=explain(failure))
    return attempt.judge(failure)


def lost() -> str:
    """What to say when the lease was over before the end."""
    return _("The lease was over before the answer came; whoever holds the delivery now settles it.")


def for_a_person() -> str:
    """What to say where the network can't be asked."""
    return _(
        "The network can't say whether it went out. Look at the account, then settle it:"
        " campaign resolve KEY --published URL, or --not-published."
    )


def unsent(claim: Claim) -> list[int]:
    """The parts without a receipt, in order."""
    done = {receipt.part for receipt in claim.receipts}
    return [part for part in range(len(claim.draft.parts)) if part not in done]
