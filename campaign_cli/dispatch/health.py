"""How accounts fare: what each delivery tells of its account goes into the ledger, for every process to see.

An account that keeps failing rests, and the others go on (``retry.rest_after``, ``ledger.resting``).
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import TYPE_CHECKING, Final

from campaign_cli.dispatch.retry import rest_after
from campaign_cli.errors import LedgerError
from campaign_cli.i18n import _, format_instant

if TYPE_CHECKING:
    from campaign_cli.dispatch.desk import Desk, Verdict
    from campaign_cli.dispatch.progress import Progress
    from campaign_cli.ledger import Claim
    from campaign_cli.ledger.values import Rest

_SHOWN: Final = 300  # characters of a failure in a sentence that speaks of something else


class Health:
    """Keeps count for one dispatcher. ``told`` are the addresses whose rest has been said aloud."""

    def __init__(self, desk: Desk, progress: Progress) -> None:
        self._desk = desk
        self._progress = progress
        self.told: set[str] = set()

    async def note(self, claim: Claim, verdict: Verdict) -> None:
        """Take in what came of a delivery, before its place is free for the next one. Never raises LedgerError."""
        desk = self._desk
        try:
            if verdict.pause_until is not None:
                await desk.thread.call(desk.ledger.pause_account, claim.address, verdict.pause_until)
            if verdict.works is False:
                await self._failed(claim, verdict)
            elif verdict.works and claim.failures:
                await desk.thread.call(desk.ledger.account_works, claim.address)
                self.told.discard(claim.address)
        except LedgerError as error:  # a rest is a courtesy; the delivery's own state is what counts
            self._progress.warned(error.message)

    async def _failed(self, claim: Claim, verdict: Verdict) -> None:
        desk = self._desk
        rest = await desk.thread.call(
            desk.ledger.count_failure,
            claim.address,
            decide=partial(self._decide, overrun=verdict.overrun),
            error=verdict.error[:_SHOWN],
            credential=verdict.credential,
        )
        if rest is not None:
            self.tell(claim.account, rest)

    def _decide(self, failures: int, *, overrun: bool) -> tuple[int, datetime | None]:
        decision = rest_after(failures, now=self._desk.clock(), chance=self._desk.chance, overrun=overrun)
        return decision.failures, decision.until

    def tell(self, account: str, rest: Rest) -> str:
        """The rest in words, said aloud once for each account while it lasts."""
        known = self._desk.workspace.accounts.get(account)
        sentence = resting_line(rest, account=account, zone=(known.timezone if known else None) or UTC)
        if rest.address not in self.told:
            self.told.add(rest.address)
            self._progress.warned(sentence)
        return sentence


def resting_line(rest: Rest, *, account: str, zone: tzinfo) -> str:
    """Since when and until when an account rests, why, and what to do."""
    text = _(
        "Account {account} has kept failing since {since} and rests until {until}; then one delivery tries it. "
        "The last failure: {error} → As soon as this succeeds, sending goes on: campaign accounts check {account}"
    )
    since, until = (format_instant(at, zone) for at in (rest.since, rest.until))
    return text.format(account=account, since=since, until=until, error=rest.error)
