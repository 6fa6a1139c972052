"""The open database: one connection, transactions, and SQLite's errors in words for people."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from sqlalchemy import Engine, Table, create_engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from campaign_cli import reasons
from campaign_cli.errors import LedgerError
from campaign_cli.i18n import _
from campaign_cli.ledger import schema
from campaign_cli.ledger.schema import micros

CHUNK: Final = 500  # values of one IN list
_PARAMETERS: Final = 900  # values of one INSERT; SQLite before 3.32 takes 999

_ROOM: Final = 64 * 1024  # bytes; SQLite's shared memory alone takes half of that

_LOCKED: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_UNWRITABLE: Final = {
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
}
_CORRUPT: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}


def explain(error: BaseException, where: str) -> LedgerError:
    """What a database error means, and the way out."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _LOCKED:
        return LedgerError(
            _("The ledger {path} is locked by another program.").format(path=where),
            fix=_("Wait until the other `campaign` is done, or close the program that holds the file open."),
        )
    if code in _UNWRITABLE:
        return LedgerError(
            _("The ledger {path} can't be opened for writing; nothing was done.").format(path=where),
            fix=_("Check the owner and the permissions of the folder, and that its disk is not read-only."),
        )
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _no_room(where)):
        return LedgerError(
            _("The disk is full: the ledger {path} can't be written; nothing was done.").format(path=where),
            fix=_("Make room on the disk, then run the command again."),
        )
    if code in _CORRUPT:
        return corrupt(where)
    reason = _("the disk does not answer as it should") if code == sqlite3.SQLITE_IOERR else error
    return LedgerError(
        _("The ledger {path} can't be used: {reason}").format(path=where, reason=reason),
        fix=_("Check the disk, then run the command again."),
    )


def _no_room(where: str) -> bool:
    """Whether the disk of a file is full: SQLite calls that an I/O error where it can't make its shared memory."""
    try:
        return shutil.disk_usage(Path(where).parent).free < _ROOM
    except OSError:
        return False


def corrupt(where: str) -> LedgerError:
    """The file is damaged, or is no ledger."""
    return LedgerError(
        _("The ledger {path} is damaged or is no ledger.").format(path=where),
        fix=_(
            "Keep a copy of the file, put the newest good copy from .campaign/backups in its place, and look at the "
            "accounts before anything is sent: what went out since that copy is not in it."
        ),
    )


def from_os_error(error: OSError, where: str) -> LedgerError:
    """What an error of the file system means for the ledger."""
    return LedgerError(
        _("The ledger {path} can't be written: {reason}").format(path=where, reason=reasons.reason(error)),
        fix=_("Check the permissions of the folder and the room on its disk. Nothing was done."),
    )


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn what the database raises inside into LedgerError."""
    try:
        yield
    except DBAPIError as error:
        raise explain(error.orig or error, where) from error
    except sqlite3.Error as error:
        raise explain(error, where) from error


def sqlite_engine(path: Path | None, *, busy_timeout: float) -> Engine:
    """An engine over one connection to an existing file, or to nothing but memory (None). Connecting changes nothing.

    ``busy_timeout`` is in seconds. The connection may be used by any thread, by one at a time.
    """

    def connect() -> sqlite3.Connection:
        name = f"{path.resolve().as_uri()}?mode=rw" if path else ":memory:"
        connection = sqlite3.connect(
            name, uri=path is not None, check_same_thread=False, isolation_level=None, timeout=busy_timeout
        )
        try:
            connection.execute("PRAGMA synchronous=FULL").close()
            connection.execute("PRAGMA foreign_keys=ON").close()
        except BaseException:
            connection.close()
            raise
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=StaticPool)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    # A transaction that will write takes its lock at once: an upgrade from reading to writing could fail half way.
    writing = connection.get_execution_options().get("writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def write_ahead(connection: Connection) -> None:
    """Switch a file to a write-ahead log for good, outside of any transaction; nothing is written if it has one."""
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection) and driver.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        driver.execute("PRAGMA journal_mode=WAL").close()


class Store:
    """One open database. Not for two threads at the same moment: a lock makes the second wait."""

    ledger_id: str

    def __init__(self, engine: Engine, *, root: Path, where: str, clock: Callable[[], datetime], absent: bool) -> None:
        self.root = root
        self.where = where
        self.absent = absent
        self._clock = clock
        self._engine = engine
        self._lock = threading.RLock()
        self._host = platform.node()
        with translated(where):
            self._connection = engine.connect()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database. Doing it again is harmless."""
        with self._lock:
            self._connection.close()
            self._engine.dispose()

    def write_ahead(self) -> None:
        """Keep the journal as a write-ahead log: readers and the writer don't wait for each other."""
        with self._lock, translated(self.where):
            write_ahead(self._connection)

    def now(self) -> int:
        """The ledger's clock, in microseconds since the epoch."""
        return micros(self._clock())

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database."""
        with self._lock, translated(self.where):
            self._connection.execution_options(writing=False)
            with self._connection.begin():
                yield self._connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its start; an exception undoes all of it."""
        with self._lock, translated(self.where):
            self._connection.execution_options(writing=True)
            with self._connection.begin():
                yield self._connection

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
        rows = [self.event(kind, key, details, actor=actor, at=at) for key, details in items]
        insert_rows(connection, schema.events, rows)

    def event(self, kind: str, key: str | None, details: str, *, actor: str, at: int) -> dict[str, Any]:
        """A row of ``events``."""
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


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows that name the same columns, many by one statement.

    Python's sqlite3 hands the interpreter to the sending thread at each row that it steps over, and waits to get it
    back: row by row, the ledger would spend most of its time waiting.
    """
    if not rows:
        return
    names = list(rows[0])
    listed = ", ".join(f'"{name}"' for name in names)
    place = f"({', '.join('?' * len(names))})"
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
