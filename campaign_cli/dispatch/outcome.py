"""What a pass or a run did, for the exit code and for showing."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from campaign_cli.models import State

_REMEMBERED: Final = 10_000  # finished deliveries kept by name, so that a run of months stays small


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """The last word on one delivery: its state, the permalink of its first part where known, the reason otherwise.

    ``credential``: the secret was absent or refused. ``held``: a hold, or an approval that is missing, keeps it back.
    """

    key: str
    state: State
    url: str | None = None
    error: str = ""
    credential: bool = False
    held: bool = False


@dataclass
class Outcome:
    """Results by delivery; a later result of the same delivery replaces the earlier one."""

    _open: dict[str, Result] = field(default_factory=dict)
    _published: deque[Result] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    published: int = 0

    def record(self, result: Result) -> None:
        """Take in one result."""
        self._open.pop(result.key, None)
        if result.state is State.PUBLISHED:
            self.published += 1
            self._published.append(result)
        else:
            self._open[result.key] = result

    def forget(self, keys: Collection[str]) -> None:
        """These are not this process's any more."""
        for key in keys:
            self._open.pop(key, None)

    @property
    def held_keys(self) -> set[str]:
        """What a hold or a missing approval kept back when it was looked at last."""
        return {result.key for result in self._open.values() if result.held}

    @property
    def results(self) -> tuple[Result, ...]:
        """Every result still remembered: published ones first, then the others, each in the order of their end."""
        return (*self._published, *self._open.values())

    @property
    def counts(self) -> dict[str, int]:
        """How many deliveries ended in each state; ``waiting`` leaves out the held ones."""
        counts = Counter(result.state.value for result in self._open.values() if not result.held)
        return {state.value: counts[state.value] for state in State} | {"published": self.published}

    @property
    def failed(self) -> int:
        """Deliveries that the network or we refused, the credential's included."""
        return self.counts[State.FAILED]

    @property
    def refused(self) -> int:
        """Failed deliveries, but for those whose secret was absent or refused."""
        return sum(result.state is State.FAILED and not result.credential for result in self._open.values())

    @property
    def missed(self) -> int:
        """Deliveries that came too late."""
        return self.counts[State.MISSED]

    @property
    def uncertain(self) -> int:
        """Deliveries of which nobody knows yet whether they are out."""
        return self.counts[State.UNCERTAIN]

    @property
    def waiting(self) -> int:
        """Deliveries that were tried and wait for their next try."""
        return self.counts[State.WAITING]

    @property
    def unauthorized(self) -> int:
        """Deliveries whose secret was absent or refused, and those that wait because their account's was."""
        return sum(result.credential for result in self._open.values())

    @property
    def held(self) -> int:
        """Due deliveries that a hold or a missing approval keeps back."""
        return len(self.held_keys)

    @property
    def quiet(self) -> bool:
        """True when nothing happened that is worth a line."""
        return not self.published and not self._open
