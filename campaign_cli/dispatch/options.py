"""The settings of a dispatcher; light to import."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

LEASE: Final = timedelta(seconds=90)
"""How long a claim is ours without renewal: an HTTP time-out (30 s), uploads before it, and a margin."""
STAY_SECONDS: Final = 20.0
"""Between two renewals of the lease while a video is on its way."""
LEASE_MARGIN: Final = timedelta(seconds=15)
"""What must be left of a lease, above the longest wait for one request, when a creating request leaves."""
FIRST_LOOK: Final = timedelta(seconds=3)
"""Between a lost answer and the first look-up: a post may need a moment to show up on the account's own timeline."""

BATCH: Final = 200
"""Deliveries of one claim."""
HANDED_BATCH: Final = 10
"""Deliveries of one claim of a worker: few, so that several workers share what is due."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """``worker`` names this process in the ledger. ``late_grace``: how late a delivery may still go out.

    ``only`` restricts everything to these deliveries (None = whatever is due). ``lockstep`` lets everything on the wire
    end before time passes: for a compressed clock, whose sleep jumps ahead. ``in_flight`` bounds the whole process,
    ``per_account`` one account, ``batch`` one claim.
    """

    worker: str
    late_grace: timedelta
    only: Collection[str] | None = None
    lockstep: bool = False
    per_account: int = 5
    in_flight: int = 500
    batch: int = BATCH
