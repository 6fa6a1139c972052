"""What each account may start now: a few at a time, and those with a rate one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta

from campaign_cli.models import Account


class Places:
    """The places of one process's accounts, ``per_account`` each; those in ``singly`` have one, over all processes."""

    def __init__(
        self,
        accounts: Mapping[str, Account],
        *,
        per_account: int,
        clock: Callable[[], datetime],
        singly: Collection[str] = (),
    ) -> None:
        self.spacing = {name: timedelta(minutes=1) / one.rate for name, one in accounts.items() if one.rate}
        self._accounts = frozenset(accounts)
        self._per_account = per_account
        self._singly = frozenset(singly)
        self._clock = clock
        self._taken: Counter[str] = Counter()
        self._spaced: dict[str, datetime] = {}  # account with a rate → when it may start its next delivery

    @property
    def spaced(self) -> dict[str, datetime]:
        """Accounts with a rate that rest now, and until when."""
        now = self._clock()
        self._spaced = {account: at for account, at in self._spaced.items() if at > now}
        return self._spaced

    def take(self, account: str) -> None:
        """Something of this account has started."""
        self._taken[account] += 1

    def free(self, account: str) -> None:
        """It has ended."""
        self._taken[account] -= 1

    def space(self, account: str) -> None:
        """A delivery was claimed: the next one of an account with a rate has to wait."""
        if account in self.spacing:
            self._spaced[account] = self._clock() + self.spacing[account]

    def full(self) -> set[str]:
        """Accounts without a free place."""
        return {name for name, number in self._taken.items() if number >= self._per_account}

    def not_served(self, served: Collection[str] | None) -> set[str]:
        """Accounts that are left to other processes, where this one serves only some."""
        return set() if served is None else set(self._accounts.difference(served))

    def windows(self, served: Collection[str] | None) -> list[tuple[int, set[str]]]:
        """What may be claimed, as ``(in flight for each account, accounts to leave out)``.

        All accounts share one row, except those that post one after the other, and those with a rate of their own: each
        of these may start one more when its time comes.
        """
        rated, others, resting = set(self.spacing), self.not_served(served), self.spaced
        windows = [(self._per_account, rated | self._singly | others)]
        singly = self._singly - rated - others
        if singly:
            windows.append((1, set(self._accounts - singly)))
        for name in sorted(rated - others - resting.keys()):
            one_more = 1 if name in self._singly else min(self._per_account, self._taken[name] + 1)
            windows.append((one_more, set(self._accounts) - {name}))
        return windows
