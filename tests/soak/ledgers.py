"""The ledger seen and locked from outside, while the product's processes use it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

SENDING = "SELECT key, token, worker FROM deliveries WHERE state = 'sending'"
# An attempt that its claim did not begin: a later part of a thread, or a repeat of a doubtful one.
ATTEMPTS = (
    "SELECT a.id, a.part, a.worker FROM attempts a JOIN deliveries d ON d.key = a.delivery "
    "WHERE a.ended_at IS NULL AND (a.part > 0 OR d.state = 'uncertain')"
)


class Seen(Protocol):
    """A ledger from outside."""

    environment: dict[str, str]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query finds now; nothing while the ledger can't be read."""

    def locked(self) -> AbstractContextManager[None]:
        """Nobody else writes meanwhile."""


class SqliteLedger:
    """The file of a workspace."""

    def __init__(self, root: Path) -> None:
        self.environment: dict[str, str] = {}
        self._path = root / ".campaign" / "ledger.sqlite3"
        self._reader: sqlite3.Connection | None = None

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """See Seen."""
        if self._reader is None:
            self._reader = sqlite3.connect(f"{self._path.as_uri()}?mode=ro", uri=True, isolation_level=None)
        try:
            return list(self._reader.execute(query))
        except sqlite3.OperationalError:
            return []

    @contextmanager
    def locked(self) -> Iterator[None]:
        """See Seen."""
        with closing(sqlite3.connect(self._path, isolation_level=None, timeout=10)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            try:
                yield
            finally:
                writer.execute("ROLLBACK")


class PostgresLedger:
    """A database of a server."""

    def __init__(self, url: str) -> None:
        self.environment = {"CAMPAIGN_DATABASE_URL": url}
        self._url = url
        self._reader: Any = None

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """See Seen."""
        import psycopg

        try:
            if self._reader is None or self._reader.closed:
                self._reader = psycopg.connect(self._url, autocommit=True)
            return list(self._reader.execute(query))
        except psycopg.OperationalError:  # it is being restarted
            return []

    @contextmanager
    def locked(self) -> Iterator[None]:
        """See Seen."""
        import psycopg

        with psycopg.connect(self._url) as writer:
            writer.execute("LOCK TABLE deliveries IN EXCLUSIVE MODE")
            yield
            writer.rollback()
