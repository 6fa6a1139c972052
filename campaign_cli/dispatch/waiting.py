"""What the drivers of the dispatcher wait with, and how long when the database can't be used."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from campaign_cli.errors import LedgerError
from campaign_cli.i18n import _

WAITS: Final = (0.5, 1.0, 2.0, 4.0, *[5.0] * 9)
"""Seconds between tries at a ledger that can't be used: about a minute in all."""


async def first(*waits: Awaitable[object]) -> None:
    """Wait for the first of them and drop the others."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def never() -> bool:
    """The answer where nobody asks whether the accounts have changed."""
    return False


class Troubles:
    """Trouble with the database that may pass: said once, tried again after longer and longer waits.

    ``patient`` never gives up, as suits a server that will come back. ``warned`` takes sentences for people.
    """

    def __init__(self, warned: Callable[[str], None], *, patient: bool) -> None:
        self._warned = warned
        self._patient = patient
        self._met = 0

    async def met(self, error: LedgerError, stop: asyncio.Event) -> None:
        """Wait before the next try, or until ``stop``; raises the error when there have been too many in a row."""
        if self._met >= len(WAITS) and not self._patient:
            raise error
        if not self._met:
            self._warned(error.message)
        seconds = WAITS[min(self._met, len(WAITS) - 1)]
        self._met += 1
        await first(stop.wait(), asyncio.sleep(seconds))

    def over(self) -> None:
        """A try has succeeded."""
        if self._met:
            self._met = 0
            self._warned(_("The ledger can be used again."))
