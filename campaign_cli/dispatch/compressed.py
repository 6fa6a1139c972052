"""A clock for rehearsals: it stands still while something happens and jumps when everybody sleeps."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta


class CompressedClock:
    """``now`` and ``sleep`` of one compressed time that begins at ``start`` (aware); goes with ``Options.lockstep``."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        """The compressed time; aware."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Jump ahead, unless somebody else has been further ahead meanwhile: sleepers share the time."""
        end = self._now + timedelta(seconds=max(0.0, seconds))
        await asyncio.sleep(0)
        self._now = max(self._now, end)
