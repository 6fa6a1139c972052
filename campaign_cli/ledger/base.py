"""The open database: one connection, transactions, the log of events. What differs between databases is a port."""

from __future__ import annotations

import os
import platform
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self

from sqlalchemy import Engine, Table, select
from sqlalchemy.engine import Connection, RootTransaction
from sqlalchemy.exc import DBAPIError

from campaign_cli import reasons
from campaign_cli.errors import DamagedLedger, LedgerError
from campaign_cli.i18n import _
from campaign_cli.ledger import chain, schema
from campaign_cli.ledger.schema import micros

CHUNK: Final = 500  # values of one IN list
_PARAMETERS: Final = 900  # values of one INSERT; SQLite before 3.32 takes 999


class Database(Protocol):
    """What differs between SQLite and PostgreSQL. ``where`` names it for people, without a password.

    ``path`` is its file, where it is one; ``busy_timeout``, in seconds, how long to wait for others.
    """

    where: str
    path: Path | None
    busy_timeout: float

    def engine(self) -> Engine:
        """An engine for one connection at a time. Connecting changes nothing."""

    def explain(self, error: BaseException) -> LedgerError:
        """What a database error means, and the way out."""

    def before(self, connection: Connection, *, writing: bool) -> None:
        """Set up a transaction that is about to begin."""

    def begun(self, connection: Connection, *, writing: bool) -> datetime | None:
        """Finish the beginning of a transaction: a writing one is the only one from here on. The database's own time,
        where it has a clock."""

    def clock(self) -> datetime:
        """The database's time between two transactions, or the clock that was passed in (aware)."""

    def change_counter(self, connection: Connection) -> int:
        """A number that differs as soon as another process has written something."""


def corrupt(where: str) -> DamagedLedger:
    """The database is damaged, or is no ledger."""
    return DamagedLedger(
        _("The ledger {path} is damaged or is no ledger.").format(path=where),
        fix=_(
            "Run `campaign ledger restore FILE` with the newest good copy of .campaign/backups; without FILE it lists "
            "them. What may have gone out since that copy is looked up, and not sent blindly."
        ),
    )


def from_os_error(error: OSError, where: str) -> LedgerError:
    """What an error of the file system means for the ledger."""
    return LedgerError(
        _("The ledger {path} can't be written: {reason}").format(path=where, reason=reasons.reason(error)),
        fix=_("Check the permissions of the folder and the room on its disk. Nothing was done."),
    )


@contextmanager
def translated(explain: Callable[[BaseException], LedgerError]) -> Iterator[None]:
    """Turn what the database raises inside into LedgerError."""
    try:
        yield
    except DBAPIError as error:
        raise explain(error.orig or error) from error
    except sqlite3.Error as error:  # beside SQLAlchemy: at the beginning of a transaction
        raise explain(error) from error


class Store:
    """One open database. Not for two threads at the same moment: a lock makes the second wait."""

    ledger_id: str

    def __init__(self, database: Database, *, root: Path, absent: bool) -> None:
        self.root = root
        self.database = database
        self.absent = absent
        self._engine = database.engine()
        self._lock = threading.RLock()
        self._host = platform.node()
        self._writing = False  # the open transaction, if any, is the only writing one
        self._now: int | None = None  # the instant of the open transaction, where the database has a clock
        with translated(database.explain):
            self._connection = self._engine.connect()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def where(self) -> str:
        """The database, for people."""
        return self.database.where

    @property
    def file(self) -> Path | None:
        """The file that the database is; None for a server, and for one in memory."""
        return self.database.path

    def close(self) -> None:
        """Close the database. Doing it again is harmless."""
        with self._lock:
            self._connection.close()
            self._engine.dispose()

    def clock(self) -> datetime:
        """The ledger's clock (aware): the database server's where it has one, else the one that was passed in."""
        return self.database.clock()

    def now(self) -> int:
        """The ledger's clock, in microseconds since the epoch; inside a transaction of a server, its beginning."""
        return micros(self.clock()) if self._now is None else self._now

    def reading(self) -> AbstractContextManager[Connection]:
        """A transaction that sees one state of the database."""
        return self._transaction(writing=False)

    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction that is the only writing one from its start; an exception undoes all of it."""
        return self._transaction(writing=True)

    @contextmanager
    def _transaction(self, *, writing: bool) -> Iterator[Connection]:
        with self._lock, translated(self.database.explain):
            if self._connection.in_transaction():  # this thread's own, since the lock is: both end together
                if writing and not self._writing:
                    raise RuntimeError("what only reads can't begin to write: another writer may have been faster")
                yield self._connection
                return
            transaction, at = self._open_transaction(writing=writing)
            with transaction:
                self._writing = writing
                self._now = None if at is None else micros(at)
                try:
                    yield self._connection
                finally:
                    self._now = None

    def _open_transaction(self, *, writing: bool) -> tuple[RootTransaction, datetime | None]:
        """An open transaction and its instant. A connection that was lost since the last one is replaced, once."""
        try:
            return self._try_transaction(writing=writing)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        return self._try_transaction(writing=writing)

    def _try_transaction(self, *, writing: bool) -> tuple[RootTransaction, datetime | None]:
        self.database.before(self._connection, writing=writing)
        transaction = self._connection.begin()
        try:
            return transaction, self.database.begun(self._connection, writing=writing)
        except BaseException:
            transaction.rollback()
            raise

    def must_exist(self) -> None:
        """Raises LedgerError when there is no ledger behind this, so that nothing is written into the void."""
        if self.absent:
            raise LedgerError(
                _("There is no ledger here yet: {path}").format(path=self.where), fix=_("Queue a plan first.")
            )

    def record(
        self, connection: Connection, kind: str, items: Iterable[tuple[str | None, str]], *, actor: str, at: int
    ) -> None:
        """Write one event for each ``(delivery key or None, JSON details)``."""
        self.write_events(connection, [self.event(kind, key, details, actor=actor, at=at) for key, details in items])

    def event(self, kind: str, key: str | None, details: str, *, actor: str, at: int) -> dict[str, Any]:
        """A row of ``events`` that has no place in the chain yet."""
        return {
            "at": at,
            "kind": kind,
            "key": key,
            "campaign": key.split("/", 1)[0] if key else None,
            "account": key.rsplit("/", 1)[-1] if key else None,
            "actor": actor,
            "host": self._host,
            "pid": os.getpid(),
            "details": details,
        }

    def write_events(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows to the log, each bound to the one before by its hash."""
        if not rows:
            return
        last = connection.execute(_LAST_EVENT).one_or_none()
        number, previous = (last.id, last.hash) if last is not None else (0, "")
        chained = []
        for row in rows:
            number += 1
            linked = {"id": number, **row}
            previous = linked["hash"] = chain.link(previous, linked)
            chained.append(linked)
        insert_rows(connection, schema.events, chained)


_LAST_EVENT: Final = select(schema.events.c.id, schema.events.c.hash).order_by(schema.events.c.id.desc()).limit(1)


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows that name the same columns, many by one statement.

    Python's sqlite3 hands the interpreter to the sending thread at each row that it steps over, and waits to get it
    back: row by row, the ledger would spend most of its time waiting.
    """
    if not rows:
        return
    names = list(rows[0])
    listed = ", ".join(f'"{name}"' for name in names)
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    place = f"({', '.join([mark] * len(names))})"
    head = f"INSERT INTO {table.name} ({listed}) VALUES "  # noqa: S608 - our own names
    size = _PARAMETERS // len(names)
    for start in range(0, len(rows), size):
        some = rows[start : start + size]
        values = tuple(row[name] for row in some for name in names)
        connection.exec_driver_sql(head + ", ".join([place] * len(some)), values)


def chunks(values: Iterable[str]) -> Iterator[list[str]]:
    """The values in lists that fit one IN clause."""
    everything = list(values)
    for start in range(0, len(everything), CHUNK):
        yield everything[start : start + CHUNK]
