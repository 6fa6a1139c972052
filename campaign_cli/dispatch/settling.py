"""Visits to the ledger: outcomes that end close together share a transaction with the claim that fills their places."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from campaign_cli.errors import LedgerError
from campaign_cli.ledger.values import Claimed

if TYPE_CHECKING:
    from campaign_cli.dispatch.desk import LedgerThread
    from campaign_cli.ledger import Settlement

_PATIENCE: Final = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds between tries when the ledger is locked or away, or its disk full: what went out must be written down."""
_TOGETHER: Final = 0.005  # seconds in which other outcomes, and a claim, may join the first one
_LARGEST: Final = 500

Order = Callable[[bool], Mapping[str, Any]]
"""The arguments of ``Ledger.claim``; called with True where an earlier try of this claim may have been written."""


_Claim = tuple["asyncio.Future[Claimed]", Claimed]
"""Who asked for a claim, and what came of it."""


class Written(NamedTuple):
    """What is on disk of a settlement (None: the claim was not ours any more); whether its place was claimed anew."""

    settlement: Settlement | None
    refilled: bool


class Settler:
    """Writes settlements down and claims, one visit after the other; while one goes on, the next one gathers."""

    def __init__(self, thread: LedgerThread) -> None:
        self._thread = thread
        self._settlements: list[tuple[Settlement, asyncio.Future[Written]]] = []
        self._orders: list[tuple[Order, asyncio.Future[Claimed]]] = []
        self._ordered = asyncio.Event()
        self._visiting: asyncio.Task[None] | None = None

    async def settle(self, settlement: Settlement) -> Written:
        """What is on disk now. Raises LedgerError.

        Once called, it is written even when the caller is cancelled.
        """
        future: asyncio.Future[Written] = asyncio.get_running_loop().create_future()
        self._settlements.append((settlement, future))
        self._go()
        return await future

    async def claim(self, order: Order) -> Claimed:
        """Claim, after what was handed in before is settled. Raises LedgerError."""
        future: asyncio.Future[Claimed] = asyncio.get_running_loop().create_future()
        self._orders.append((order, future))
        self._ordered.set()
        self._go()
        return await future

    async def flush(self) -> None:
        """Wait until everything handed in is written, or has failed."""
        if self._visiting is not None:
            await self._visiting

    def _go(self) -> None:
        if self._visiting is None or self._visiting.done():
            self._visiting = asyncio.create_task(self._visit_all())

    async def _visit_all(self) -> None:
        while self._settlements or self._orders:
            if not self._orders:
                await self._wait_for_more()
            batch, self._settlements = self._settlements[:_LARGEST], self._settlements[_LARGEST:]
            settlements = [settlement for settlement, _future in batch]
            written: list[Settlement | None] = []
            claim: _Claim | None = None
            try:
                if settlements and self._orders:
                    written, claim = await self._settle_and_claim(settlements)
                elif settlements:
                    written = await self._write(settlements)
                else:
                    await self._claim(again=False)
            except Exception as error:  # every waiting delivery hears of it; none is left hanging
                for _settlement, future in batch:
                    _fail(future, error)
                continue
            for (_settlement, future), one in zip(batch, written, strict=True):
                _answer(future, Written(one, claim is not None))
            if claim is not None:  # told last: what it found of a delivery is newer than how that was settled
                _answer(*claim)

    async def _wait_for_more(self) -> None:
        """A moment, or until there is a claim to go with what ended."""
        self._ordered.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(_TOGETHER):
                await self._ordered.wait()

    async def _settle_and_claim(self, settlements: list[Settlement]) -> tuple[list[Settlement | None], _Claim | None]:
        """Both in one transaction; one after the other, the outcomes first and patiently, where that can't be.

        The claim is returned to be told; None where it was told already.
        """
        order, future = self._orders[0]
        ledger = self._thread.ledger
        try:
            written, claimed = await self._thread.call(ledger.settle_and_claim, settlements, order(False))
        except Exception:  # whatever is wrong with the claim: it must not take what went out with it
            try:
                return await self._write(settlements), None
            finally:
                await self._claim(again=True)
        self._orders.pop(0)
        return written, (future, claimed)

    async def _claim(self, *, again: bool) -> None:
        order, future = self._orders.pop(0)
        try:
            _answer(future, await self._thread.call(self._thread.ledger.claim, **order(again)))
        except Exception as error:
            _fail(future, error)

    async def _write(self, batch: list[Settlement]) -> list[Settlement | None]:
        for pause in _PATIENCE:
            try:
                return await self._thread.call(self._thread.ledger.settle, batch)
            except LedgerError:
                await asyncio.sleep(pause)
        return await self._thread.call(self._thread.ledger.settle, batch)


def _answer(future: asyncio.Future[Any], value: Any) -> None:
    if not future.done():
        future.set_result(value)


def _fail(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
