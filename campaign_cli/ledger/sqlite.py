"""A ledger in one SQLite file, or in nothing but memory: write-ahead log, full synchronisation."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.pool import StaticPool

from campaign_cli.errors import LedgerError
from campaign_cli.i18n import _
from campaign_cli.ledger.base import corrupt

_ROOM: Final = 64 * 1024  # bytes; SQLite's shared memory alone takes half of that

_LOCKED: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_UNWRITABLE: Final = {
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
}
_CORRUPT: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}


class SqliteDatabase:
    """``base.Database`` over a file that exists, or memory (None). ``busy_timeout`` is in seconds."""

    def __init__(
        self, path: Path | None, *, clock: Callable[[], datetime], busy_timeout: float, where: str = ""
    ) -> None:
        self.where = where or str(path)
        self.clock = clock
        self.path = path
        self.busy_timeout = busy_timeout

    def engine(self) -> Engine:
        """One connection, which any thread may use, one at a time."""
        engine = create_engine("sqlite://", creator=self._connect, poolclass=StaticPool)
        event.listen(engine, "begin", _begin)
        return engine

    def explain(self, error: BaseException) -> LedgerError:
        """What an SQLite error means, and the way out."""
        return explain(error, self.where)

    def before(self, connection: Connection, *, writing: bool) -> None:
        """Say which kind of transaction ``_begin`` opens."""
        connection.execution_options(writing=writing)

    def begun(self, _connection: Connection, *, writing: bool) -> None:
        """Nothing: BEGIN has taken the lock, and a file has no clock."""

    def change_counter(self, connection: Connection) -> int:
        """https://www.sqlite.org/pragma.html#pragma_data_version"""
        return int(connection.exec_driver_sql("PRAGMA data_version").scalar_one())

    def _connect(self) -> sqlite3.Connection:
        name = f"{self.path.resolve().as_uri()}?mode=rw" if self.path else ":memory:"
        connection = sqlite3.connect(
            name, uri=bool(self.path), check_same_thread=False, isolation_level=None, timeout=self.busy_timeout
        )
        try:
            connection.execute("PRAGMA synchronous=FULL").close()
            connection.execute("PRAGMA foreign_keys=ON").close()
        except BaseException:
            connection.close()
            raise
        return connection


def _begin(connection: Connection) -> None:
    # A transaction that will write takes its lock at once: an upgrade from reading to writing could fail half way.
    writing = connection.get_execution_options().get("writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def write_ahead(connection: Connection) -> None:
    """Switch a file to a write-ahead log for good, outside of any transaction; nothing is written if it has one.

    Readers and the writer don't wait for each other then.
    """
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection) and driver.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        driver.execute("PRAGMA journal_mode=WAL").close()


def explain(error: BaseException, where: str) -> LedgerError:
    """What an SQLite error means for the file ``where``, and the way out."""
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
