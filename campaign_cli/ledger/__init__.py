"""The ledger: the database of deliveries, attempts, receipts, holds and events, and the only truth about them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from campaign_cli.ledger.values import (
    Applied,
    Changes,
    Claim,
    Claimed,
    Delivery,
    Event,
    Hold,
    Known,
    Move,
    NewDelivery,
    Notice,
    Ready,
    Settlement,
)

if TYPE_CHECKING:
    from campaign_cli.ledger.store import Ledger

__all__ = [
    "Applied",
    "Changes",
    "Claim",
    "Claimed",
    "Delivery",
    "Event",
    "Hold",
    "Known",
    "Ledger",
    "Move",
    "NewDelivery",
    "Notice",
    "Ready",
    "Settlement",
    "open_ledger",
]


def open_ledger(
    workspace_root: Path,
    *,
    clock: Callable[[], datetime] | None,
    database_url: str | None = None,
    create: bool = True,
    check_id: bool = True,
    busy_timeout: float = 10.0,
) -> Ledger:
    """The ledger of a workspace; see ``store.open_ledger``. SQLAlchemy is imported here and not before."""
    from campaign_cli.ledger import store

    return store.open_ledger(
        workspace_root,
        clock=clock,
        database_url=database_url,
        create=create,
        check_id=check_id,
        busy_timeout=busy_timeout,
    )
