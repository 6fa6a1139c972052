"""A ledger's content from one database into another: pages from file to file, rows where a server is on one side."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Integer, Table, delete, func, select, text
from sqlalchemy.engine import Connection

from campaign_cli.ledger import schema
from campaign_cli.ledger.base import insert_rows
from campaign_cli.ledger.sqlite import SqliteDatabase, explain
from campaign_cli.ledger.store import Ledger

BACKUP_AT: Final = "backup_at"
"""Row of ``meta`` in a backup alone: the instant before which everything is in it (ISO 8601)."""
_ROWS: Final = 500
_MEDIA: Final = 1  # rows of media at a time: each may hold a whole video


def copy_pages(source: Path, target: Path, *, busy_timeout: float) -> None:
    """Copy an SQLite file, as one state of it, into an empty one while others read and write it. Raises LedgerError.

    https://www.sqlite.org/backup.html
    """
    try:
        with (
            closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True, timeout=busy_timeout)) as live,
            closing(sqlite3.connect(target)) as copy,
        ):
            live.backup(copy)
    except sqlite3.Error as error:
        raise explain(error, str(target)) from error


def copy_content(source: Connection, target: Connection) -> None:
    """Replace every row of ``target`` with those of ``source``, in batches. Both are inside a transaction."""
    for table in reversed(schema.metadata.sorted_tables):
        target.execute(delete(table))
    for table in schema.metadata.sorted_tables:
        for rows in rows_of(source, table):
            insert_rows(target, table, rows)
        _count_on(target, table)


def rows_of(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    """The rows of a table in the order of its key, in batches."""
    size = _MEDIA if table is schema.media else _ROWS
    found = connection.execute(
        select(table).order_by(*table.primary_key.columns), execution_options={"yield_per": size}
    )
    for some in found.mappings().partitions():
        yield [dict(row) for row in some]


def _count_on(connection: Connection, table: Table) -> None:
    """Let a server number new rows above those that came with their numbers. SQLite does that by itself."""
    column = table.c.get("id")
    if connection.dialect.name != "postgresql" or column is None or not isinstance(column.type, Integer):
        return
    highest = connection.execute(select(func.max(column))).scalar()
    sequence = text("SELECT setval(pg_get_serial_sequence(:table, 'id'), :highest, :used)")
    wanted = {"table": table.name, "highest": highest or 1, "used": highest is not None}
    connection.execute(sequence, wanted)


@contextmanager
def new_file(path: Path, *, at: datetime, where: str) -> Iterator[Ledger]:
    """A ledger with every table in an empty file; ``where`` names it for people. Raises LedgerError."""
    with opened_file(path, at=at, where=where) as ledger:
        ledger.migrate()
        yield ledger


def opened_file(path: Path, *, at: datetime, where: str) -> Ledger:
    """A ledger's file that nobody else uses, with a clock that stands at ``at``. Raises LedgerError."""
    return Ledger(SqliteDatabase(path, clock=lambda: at, busy_timeout=0, where=where), root=path.parent, absent=False)


def seal(path: Path, *, at: datetime | None, where: str) -> None:
    """Make a copied file one that stands alone, without a journal beside it; a backup notes its instant."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as copy:
            copy.execute("PRAGMA journal_mode=DELETE").close()
            copy.execute("PRAGMA synchronous=FULL").close()
            if at is not None:
                noted = (BACKUP_AT, at.isoformat())
                copy.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", noted).close()
    except sqlite3.Error as error:
        raise explain(error, where) from error
