"""Deleting what is out, part by part, where the network lets programs delete, and reading whether it is gone."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from campaign_cli import platforms
from campaign_cli.dispatch.access import session_of
from campaign_cli.errors import CampaignError, Failure, Rejected, Unauthorized, Unconfirmed
from campaign_cli.i18n import _
from campaign_cli.ledger.withdrawing import still_out

if TYPE_CHECKING:
    from campaign_cli.credentials import Secrets
    from campaign_cli.ledger import Delivery
    from campaign_cli.models import Account, Receipt
    from campaign_cli.platforms.base import Platform, Session

_LOOKS: Final = (0.0, 1.0, 3.0)
"""Seconds before each look at what was deleted: some networks show it for a moment longer."""


def can_delete(delivery: Delivery) -> bool:
    """Whether programs may delete on its network."""
    return delivery.platform in platforms.PLATFORMS and platforms.get(delivery.platform).deletes


class Withdrawal:
    """What is out of one delivery (with its draft), and the way to its network."""

    def __init__(
        self,
        delivery: Delivery,
        account: Account | None,
        *,
        secrets: Secrets,
        clock: Callable[[], datetime],
        trust_environment: bool = False,
    ) -> None:
        self._delivery = delivery
        self._account = account
        self._secrets = secrets
        self._clock = clock
        self._trust_environment = trust_environment

    async def delete(self) -> AsyncGenerator[tuple[Receipt, CampaignError | None]]:
        """Delete what is still out, the last part first; each part with why it is still there, if it is.

        One that the network refuses keeps no other part up. Repeating it is harmless. Raises Rejected where the network
        lets no program delete, or the account is gone or lies elsewhere by now; CredentialError; and, before the part
        that it is about, what would end every other part the same way: Unauthorized, no connection, a lost answer, 429.
        """
        platform, account = self._way()
        async with self._session(account) as session:
            for receipt in still_out(self._delivery):
                try:
                    await self._delete(platform, session, receipt)
                except Failure as failure:
                    if not _of_this_part(failure):
                        raise
                    yield receipt, failure
                else:
                    yield receipt, None

    async def readable(self) -> list[Receipt]:
        """What the network still shows of it, where it can be asked."""
        try:
            platform, account = self._way()
            async with self._session(account) as session:
                found = [await _shown(platform, session, receipt) for receipt in still_out(self._delivery)]
        except CampaignError:
            return []
        return [receipt for receipt in found if receipt is not None]

    def _way(self) -> tuple[Platform, Account]:
        """Its adapter and its account of today. Raises Rejected."""
        delivery = self._delivery
        platform = platforms.get(delivery.platform) if delivery.platform in platforms.PLATFORMS else None
        if platform is None or self._account is None or platform.address(self._account) != delivery.address:
            raise Rejected(
                _("{account} is not in accounts.yaml any more, or has another address by now.").format(
                    account=delivery.account
                ),
                fix=_("Delete it on the network, then: campaign withdraw {key} --by-hand").format(key=delivery.key),
            )
        return platform, self._account

    async def _delete(self, platform: Platform, session: Session, receipt: Receipt) -> None:
        """Delete one part, and see that it is gone. Raises Failure.

        "There is no such post" is an answer to a token of another account as well, so what can be read is read.
        """
        known = await _named(platform, session, receipt) if platform.deletes else receipt
        if known is None:
            raise Rejected(
                _("The network finds no post of this account at the address that was given for it."),
                fix=_(
                    "Look there, and delete it by hand where it still is; then: campaign withdraw {key} --by-hand"
                ).format(key=self._delivery.key),
            )
        try:
            await platform.delete(session, known)
        except Rejected as failure:
            settle = _("Then: campaign withdraw {key} --by-hand").format(key=self._delivery.key)
            failure.fix = f"{failure.fix} {settle}".strip()
            raise
        await _see_it_gone(platform, session, known)

    def _session(self, account: Account) -> AbstractAsyncContextManager[Session]:
        return session_of(account, secrets=self._secrets, clock=self._clock, trust_environment=self._trust_environment)


async def _see_it_gone(platform: Platform, session: Session, receipt: Receipt) -> None:
    """Nothing once the network shows it no more, or can't be read; Unconfirmed where it goes on showing it."""
    for seconds in _LOOKS:
        await session.sleep(seconds)
        try:
            there = await platform.read_back(session, receipt)
        except CampaignError:
            return  # the network's word to the deletion counts
        if there is None:
            return
    raise Unconfirmed(
        _("The network took the deletion, and still shows the post."),
        status=200,
        fix=_("Try again in some minutes. If it stays, the token may be another account's: campaign accounts check"),
    )


async def _shown(platform: Platform, session: Session, receipt: Receipt) -> Receipt | None:
    """The part, where the network shows it. Raises Failure."""
    known = await _named(platform, session, receipt)
    return receipt if known is not None and await platform.read_back(session, known) is not None else None


async def _named(platform: Platform, session: Session, receipt: Receipt) -> Receipt | None:
    """The part by the network's own name. Of what a person called published, the address may be all that is known."""
    if receipt.url is None or receipt.id != receipt.url:
        return receipt
    found = await platform.find(session, receipt.url)
    return None if found is None else replace(found, part=receipt.part)


def _of_this_part(failure: Failure) -> bool:
    """Whether it says nothing of the parts to come: a refusal, or an answer that is neither a yes nor a no."""
    return isinstance(failure, Rejected) or (
        not isinstance(failure, Unauthorized) and failure.status not in (None, 429)
    )
