"""Deleting what is out, part by part, where the network lets programs delete."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from datetime import datetime
from typing import TYPE_CHECKING

from campaign_cli import platforms
from campaign_cli.dispatch.access import session_of
from campaign_cli.errors import Rejected
from campaign_cli.i18n import _
from campaign_cli.ledger.withdrawing import still_out

if TYPE_CHECKING:
    from campaign_cli.credentials import Secrets
    from campaign_cli.ledger import Delivery
    from campaign_cli.models import Account, Receipt


def can_delete(delivery: Delivery) -> bool:
    """Whether programs may delete on its network."""
    return delivery.platform in platforms.PLATFORMS and platforms.get(delivery.platform).deletes


async def delete_parts(
    delivery: Delivery,
    account: Account | None,
    *,
    secrets: Secrets,
    clock: Callable[[], datetime],
    trust_environment: bool = False,
) -> AsyncGenerator[Receipt]:
    """Delete what is still out, the last part first; each part as soon as it is gone. Repeating it is harmless.

    Raises Rejected where the account is gone or lies elsewhere by now, Failure, CredentialError.
    """
    platform = platforms.get(delivery.platform)
    if account is None or platform.address(account) != delivery.address:
        raise Rejected(
            _("{account} is not in accounts.yaml any more, or has another address by now.").format(
                account=delivery.account
            ),
            fix=_("Delete it on the network, then: campaign withdraw {key} --by-hand").format(key=delivery.key),
        )
    async with session_of(account, secrets=secrets, clock=clock, trust_environment=trust_environment) as session:
        for receipt in still_out(delivery):
            await platform.delete(session, receipt)
            yield receipt
