"""The clock's side of several machines: what falls due is handed to the workers, and nothing is sent here.

Every look hands over everything that the ledger says a sender could take up now. A key that has its job already, from
this clock or from another one, gets no second; one whose job was lost gets a new one.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from campaign_cli.dispatch.engine import Dispatcher
    from campaign_cli.ledger import Ready

PER_ACCOUNT: Final = 200
"""Keys of one account that are handed over at a time: one account's long queue must not fill the workers' hands."""
PATIENCE: Final = timedelta(seconds=10)
"""An account that rests for no longer than this keeps its jobs; with a longer rest they end, and come again later."""
_TIDY: Final = timedelta(hours=1)


class Queue(Protocol):
    """Takes the keys; ``jobs.JobQueue`` is the real one."""

    async def put(self, due: Sequence[Ready]) -> None:
        """One job for each key and revision that has none, in this order."""

    async def tidy(self) -> None:
        """Forget past jobs."""


class Handover:
    """In place of the dispatcher's own pump; the dispatcher lends its ledger, thread and clock."""

    def __init__(self, dispatcher: Dispatcher, queue: Queue) -> None:
        self._dispatcher = dispatcher
        self._queue = queue
        self._tidied = dispatcher.clock()

    async def pump(self) -> int:
        """Hand over what is due; always 0, for nothing was started here. Raises LedgerError."""
        dispatcher = self._dispatcher
        due = await dispatcher.thread.call(dispatcher.ledger.ready, per_account=PER_ACCOUNT, patience=PATIENCE)
        if due:
            await self._queue.put(due)
        if dispatcher.clock() - self._tidied >= _TIDY:
            self._tidied = dispatcher.clock()
            await self._queue.tidy()
        return 0
