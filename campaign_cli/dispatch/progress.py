"""What the engine tells while it works; the command line shows it as a display, as lines or as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from campaign_cli.dispatch.outcome import Result


class Progress(Protocol):
    """Called from the event loop; must return at once and never raise."""

    def started(self, key: str, *, due: datetime) -> None:
        """A delivery was claimed and its sending begins; ``due`` is aware."""

    def uploaded(self, key: str, *, done: int, total: int) -> None:
        """So many bytes of a long upload have arrived."""

    def looking(self, key: str) -> None:
        """An uncertain delivery is being looked up on the network."""

    def settled(self, result: Result) -> None:
        """A delivery reached a state."""

    def sleeping(self, until: datetime | None) -> None:
        """Nothing to do until then (aware), or until something is queued."""

    def warned(self, message: str) -> None:
        """Something went wrong beside the deliveries; a sentence for people, without secrets."""


class Silent:
    """Tells nobody."""

    def started(self, key: str, *, due: datetime) -> None:
        """Nothing."""

    def uploaded(self, key: str, *, done: int, total: int) -> None:
        """Nothing."""

    def looking(self, key: str) -> None:
        """Nothing."""

    def settled(self, result: Result) -> None:
        """Nothing."""

    def sleeping(self, until: datetime | None) -> None:
        """Nothing."""

    def warned(self, message: str) -> None:
        """Nothing."""
