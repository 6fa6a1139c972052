"""Calls that come close together share one visit to the ledger, and none waits for more to come."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_LARGEST: Final = 500


class Gathering(Generic[T, R]):
    """While one batch is handled, the next one gathers. ``handle`` gives one result for each item, in order."""

    def __init__(self, handle: Callable[[list[T]], Awaitable[list[R]]]) -> None:
        self._handle = handle
        self._gathered: list[tuple[T, asyncio.Future[R]]] = []
        self._handling: asyncio.Task[None] | None = None

    async def add(self, item: T) -> R:
        """The item's result; raises what ``handle`` raises. Once called, it is handled even if the caller ends."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._gathered.append((item, future))
        if self._handling is None or self._handling.done():
            self._handling = asyncio.create_task(self._handle_all())
        return await future

    async def flush(self) -> None:
        """Wait until everything handed in is handled, or has failed."""
        if self._handling is not None:
            await self._handling

    async def _handle_all(self) -> None:
        while self._gathered:
            batch, self._gathered = self._gathered[:_LARGEST], self._gathered[_LARGEST:]
            try:
                results = await self._handle([item for item, _future in batch])
            except Exception as error:  # every waiting delivery hears of it; none is left hanging
                for _item, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_item, future), result in zip(batch, results, strict=True):
                if not future.done():
                    future.set_result(result)
