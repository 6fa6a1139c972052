"""Working through a list of recipients so that nobody gets a message twice, whatever happens in between.

Each recipient is a step of the delivery, under a hash of the number (``whatsapp_list.mark``). Before a message leaves,
the step says that it may be out; Meta's answer makes it ``accepted``, a provable refusal takes it back. So a process
that dies leaves one recipient in doubt at most, and whoever is in doubt or has it is passed over from then on, also
after ``campaign retry``, ``campaign resolve --not-published`` and a changed plan (``models.LASTING``).

How it ends: *published* when everybody was asked and nobody is in doubt (refusals of single recipients are counted);
the failure itself when nobody can have it; else *Unconfirmed* with the counts, for a person to decide. Where nothing at
all was accepted, that person's ``--not-published`` counts for those in doubt as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from campaign_cli.errors import Failure, Held, LedgerError, Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.i18n import _
from campaign_cli.models import LASTING, Receipt
from campaign_cli.platforms.answers import ask
from campaign_cli.platforms.base import Request, Sending
from campaign_cli.platforms.whatsapp_answers import THIS_PERSON, cleaned
from campaign_cli.platforms.whatsapp_list import Recipient, mark

_ACCEPTED: Final = "accepted"  # and not Meta's id of the message, which holds the number
_DOUBTS: Final = 3
"""Lost answers in a row after which nobody else is written to: the way to Meta is broken, each would be in doubt."""
_PATIENCE: Final = 3  # pauses for one recipient, once somebody has the message
_LONGEST_PAUSE: Final = 15.0  # seconds; the lease must outlive it
_SHORTEST_PAUSE: Final = 1.0


class Round:
    """One attempt's way through the list; ``salt`` goes into the hashes and must stay the same for an account."""

    def __init__(self, sending: Sending, *, salt: str) -> None:
        self._sending = sending
        self._salt = salt
        self._marks: dict[str, str] = sending.memory.setdefault("marks", {})
        self._all = 0
        self._refused = 0
        self._lost_in_a_row = 0
        self._last: Failure | None = None

    async def go(self, people: Sequence[Recipient], request: Callable[[Recipient], Request]) -> Receipt:
        """Write to everybody who is left. Raises Failure, Held, ClaimLost."""
        self._all, finished = len(people), True
        for person in people:
            try:
                await self._visit(person, request)
            except Failure as failure:
                self._last, finished = cleaned(failure), False
            except Held:  # it may wait; but not where somebody is in doubt, who would be forgotten with a changed plan
                if not self._doubtful:
                    raise
                finished = False
            if not finished or self._lost_in_a_row >= _DOUBTS:
                break
        return self._end()

    @property
    def _accepted(self) -> int:
        """How many have it for certain, also from earlier attempts."""
        return sum(state == _ACCEPTED for state in self._states())

    @property
    def _doubtful(self) -> int:
        """How many may have it."""
        return sum(state != _ACCEPTED for state in self._states())

    def _states(self) -> list[Any]:
        return [state for name, state in self._sending.steps.items() if name.startswith(LASTING) and state]

    async def _visit(self, person: Recipient, request: Callable[[Recipient], Request]) -> None:
        name = await self._mark(person)
        state = self._sending.steps.get(LASTING + name)
        if state == _ACCEPTED:
            return
        if state and (state == self._sending.key or self._accepted):  # in doubt, and nobody said that it is not out
            return
        if self._sending.steps.get(f"refused/{name}"):
            self._refused += 1
            return
        await self._write(name, request(person))

    async def _write(self, name: str, request: Request) -> None:
        """One message. Raises the failure that stops everything else."""
        keep, step = self._sending.keep, LASTING + name
        for pause in range(_PATIENCE + 1):
            await keep(step, self._sending.key)  # from here on it may be out
            try:
                await ask(self._sending.http, request, lambda body: str(body["messages"][0]["id"]))
            except Unconfirmed as failure:
                self._lost_in_a_row, self._last = self._lost_in_a_row + 1, cleaned(failure)
                return
            except Rejected as failure:
                await keep(step, None)
                if failure.code not in THIS_PERSON:
                    raise
                await keep(f"refused/{name}", failure.code)
                self._refused, self._lost_in_a_row, self._last = self._refused + 1, 0, failure
                return
            except Unavailable as failure:
                await keep(step, None)
                if not self._states() or pause == _PATIENCE:
                    raise
                await self._sending.sleep(self._pause(failure))
            except Unauthorized:
                await keep(step, None)
                raise
            except (Held, LedgerError):  # the gate spoke before anything left
                await self._take_back(step)
                raise
            else:
                await keep(step, _ACCEPTED)
                self._lost_in_a_row = 0
                return

    async def _take_back(self, step: str) -> None:
        try:
            await self._sending.keep(step, None)
        except Exception:  # not ours to write any more: that one stays in doubt
            return

    def _pause(self, failure: Unavailable) -> float:
        if failure.retry_at is None:
            return _SHORTEST_PAUSE
        wanted = (failure.retry_at - self._sending.now()).total_seconds()
        return min(max(wanted, _SHORTEST_PAUSE), _LONGEST_PAUSE)

    async def _mark(self, person: Recipient) -> str:
        """Worked out once in a process: it takes its time on purpose."""
        if person.phone not in self._marks:
            self._marks[person.phone] = await asyncio.to_thread(mark, person.phone, salt=self._salt)
        return self._marks[person.phone]

    def _end(self) -> Receipt:
        accepted, doubtful = self._accepted, self._doubtful
        left = max(0, self._all - accepted - doubtful - self._refused)
        if not (accepted or doubtful) and self._last is not None:
            raise self._last
        if doubtful or left:
            raise self._unfinished(left)
        sending, counts = self._sending, {"accepted": accepted, "refused": self._refused}
        return Receipt(part=sending.part, id=sending.key, url=None, at=sending.now(), extra=counts)

    def _unfinished(self, left: int) -> Unconfirmed:
        """The counts, and what made it stop. A member's number is nowhere in it."""
        message = _(
            "WhatsApp accepted {accepted} of {all} messages; {doubtful} in doubt, {refused} refused, {left} not sent."
        ).format(accepted=self._accepted, all=self._all, doubtful=self._doubtful, refused=self._refused, left=left)
        rest = _("With --not-published only those get it to whom nothing was sent; with --published it stays as it is.")
        last = self._last
        why = " → ".join(filter(None, (last.message, last.fix))) if last else ""
        failure = Unconfirmed(" ".join(filter(None, (message, why, rest))), status=last.status if last else None)
        failure.retry_at = last.retry_at if last else None
        return failure
