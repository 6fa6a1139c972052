"""Settling in batches: outcomes that end close together share one transaction, and none waits for more to come."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from campaign_cli.errors import LedgerError

if TYPE_CHECKING:
    from campaign_cli.dispatch.desk import LedgerThread
    from campaign_cli.ledger import Settlement

_LARGEST: Final = 500
_PATIENCE: Final = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds between tries when the ledger is locked or the disk is full: what went out must be written down."""


class Settler:
    """While one batch is being written, the next one gathers."""

    def __init__(self, thread: LedgerThread) -> None:
        self._thread = thread
        self._gathered: list[tuple[Settlement, asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def settle(self, settlement: Settlement) -> bool:
        """True when it is on disk; False when the claim was not ours any more. Raises LedgerError.

        Once called, it is written even when the caller is cancelled.
        """
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._gathered.append((settlement, future))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        return await future

    async def flush(self) -> None:
        """Wait until everything handed in is written, or has failed."""
        if self._writing is not None:
            await self._writing

    async def _write_all(self) -> None:
        while self._gathered:
            batch, self._gathered = self._gathered[:_LARGEST], self._gathered[_LARGEST:]
            try:
                written = await self._write([settlement for settlement, _future in batch])
            except Exception as error:  # every waiting delivery hears of it; none is left hanging
                for _settlement, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_settlement, future), done in zip(batch, written, strict=True):
                if not future.done():
                    future.set_result(done)

    async def _write(self, batch: list[Settlement]) -> list[bool]:
        for pause in _PATIENCE:
            try:
                return await self._thread.call(self._thread.ledger.settle, batch)
            except LedgerError:
                await asyncio.sleep(pause)
        return await self._thread.call(self._thread.ledger.settle, batch)
