"""Settling in batches: outcomes that end close together share one transaction."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from campaign_cli.dispatch.gathering import Gathering
from campaign_cli.errors import LedgerError

if TYPE_CHECKING:
    from campaign_cli.dispatch.desk import LedgerThread
    from campaign_cli.ledger import Settlement

_PATIENCE: Final = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds between tries when the ledger is locked or away, or its disk full: what went out must be written down."""


class Settler:
    """Writes settlements down."""

    def __init__(self, thread: LedgerThread) -> None:
        self._thread = thread
        self._settlements: Gathering[Settlement, Settlement | None] = Gathering(self._write)

    async def settle(self, settlement: Settlement) -> Settlement | None:
        """What is on disk now; None when the claim was not ours any more. Raises LedgerError.

        Once called, it is written even when the caller is cancelled.
        """
        return await self._settlements.add(settlement)

    async def flush(self) -> None:
        """Wait until everything handed in is written, or has failed."""
        await self._settlements.flush()

    async def _write(self, batch: list[Settlement]) -> list[Settlement | None]:
        for pause in _PATIENCE:
            try:
                return await self._thread.call(self._thread.ledger.settle, batch)
            except LedgerError:
                await asyncio.sleep(pause)
        return await self._thread.call(self._thread.ledger.settle, batch)
