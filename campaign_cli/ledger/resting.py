"""Accounts that rest: because their network, or their rate, asked for it, or because they kept failing.

Every process sees it, for it stands in the ledger. An address whose failures in a row have reached ``RESTING_AFTER``
is tried by one delivery at a time after its rest (see ``claims``), until one succeeds. It has a row only while there is
something to remember.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, delete, func, insert, select, update
from sqlalchemy.engine import Connection, Row

from campaign_cli.ledger.base import Store, chunks
from campaign_cli.ledger.schema import account_pauses, instant, micros
from campaign_cli.ledger.values import RESTING_AFTER, Claim, Rest

_pauses = account_pauses.c


class Resting(Store):
    """What stops an account for a while."""

    def pause_account(self, address: str, until: datetime) -> None:
        """No process claims for this address before ``until``; a shorter pause never cuts a longer one."""
        with self.writing() as connection:
            connection.execute(delete(account_pauses).where(_pauses.until <= self.now(), _pauses.failures == 0))
            rest(connection, address, until=micros(until))

    def rests(self) -> dict[str, Rest]:
        """Addresses that rest because they kept failing, or may be tried by one delivery alone, by address."""
        with self.reading() as connection:
            return rests(connection)

    def count_failure(
        self, address: str, *, decide: Callable[[int], tuple[int, datetime | None]], error: str, credential: bool
    ) -> Rest | None:
        """One more failure in a row; the rest that begins with it, if one does.

        ``decide`` gets the failures so far, and gives their number from here on and the end of the rest. What fails
        while an address rests was sent before, and says nothing new.
        """
        with self.writing() as connection:
            now = self.now()
            row = connection.execute(select(account_pauses).where(_pauses.address == address)).one_or_none()
            if row is not None and row.failures >= RESTING_AFTER and row.until > now:
                return None
            failures, until = decide(0 if row is None else row.failures)
            end = max(0 if until is None else micros(until), 0 if row is None else row.until)
            since = row.since if row is not None and row.failures else now
            values = {"failures": failures, "until": end, "since": since, "error": error, "credential": credential}
            if row is None:
                connection.execute(insert(account_pauses).values(address=address, **values))
            else:
                connection.execute(update(account_pauses).where(_pauses.address == address).values(**values))
            return None if until is None else rests(connection).get(address)

    def account_works(self, address: str) -> bool:
        """Its failures are over, and so is the rest that they brought; whether there was one.

        What the network or a rate asked for stays.
        """
        with self.writing() as connection:
            row = connection.execute(select(account_pauses).where(_pauses.address == address)).one_or_none()
            if row is None or not row.failures:
                return False
            if (row.asked or 0) <= self.now():
                connection.execute(delete(account_pauses).where(_pauses.address == address))
            else:
                works = {"failures": 0, "until": row.asked, "since": None, "error": "", "credential": False}
                connection.execute(update(account_pauses).where(_pauses.address == address).values(**works))
            return bool(row.failures >= RESTING_AFTER)


def rest(connection: Connection, address: str, *, until: int) -> None:
    """Nothing starts for this address before ``until``; a shorter rest never cuts a longer one."""
    longer = {
        name: case((func.coalesce(_pauses[name], 0) > until, _pauses[name]), else_=until) for name in ("until", "asked")
    }
    changed = connection.execute(update(account_pauses).where(_pauses.address == address).values(**longer))
    if not changed.rowcount:
        connection.execute(insert(account_pauses).values(address=address, until=until, asked=until))


def let_try(connection: Connection, addresses: Collection[str]) -> None:
    """One delivery may try these addresses now, though they have kept failing; what was asked for stays."""
    for some in chunks(sorted(addresses)):
        troubled = and_(_pauses.address.in_(some), _pauses.failures > 0)
        connection.execute(update(account_pauses).where(troubled).values(until=func.coalesce(_pauses.asked, 0)))


def pauses(connection: Connection, now: int) -> dict[str, datetime]:
    """Addresses that rest for whatever reason, and until when."""
    rows = connection.execute(select(account_pauses).where(_pauses.until > now))
    return {row.address: instant(row.until) for row in rows}


def rests(connection: Connection) -> dict[str, Rest]:
    """Addresses that kept failing."""
    rows = connection.execute(select(account_pauses).where(_pauses.failures >= RESTING_AFTER))
    return {row.address: _rest(row) for row in rows}


def on_trial(due: Sequence[Row[Any]]) -> set[str]:
    """Accounts that kept failing: one delivery alone may try them."""
    return {row.account for row in due if row.failures >= RESTING_AFTER}


def one_each(keys: Sequence[str], alone: Collection[str]) -> list[str]:
    """The keys, but only the first of each account in ``alone``."""
    accounts = [key.rsplit("/", 1)[-1] for key in keys]
    return [
        key
        for number, (key, account) in enumerate(zip(keys, accounts, strict=True))
        if account not in alone or account not in accounts[:number]
    ]


def faring(claims: Sequence[Claim], due: Sequence[Row[Any]]) -> tuple[Claim, ...]:
    """The claims with the failures of their addresses."""
    failures = {row.address: row.failures for row in due if row.failures}
    if not failures:
        return tuple(claims)
    return tuple(replace(claim, failures=failures.get(claim.address, 0)) for claim in claims)


def _rest(row: Row[Any]) -> Rest:
    return Rest(
        address=row.address,
        since=instant(row.since),
        until=instant(row.until),
        failures=row.failures,
        error=row.error,
        credential=bool(row.credential),
    )
