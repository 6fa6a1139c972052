"""Backups: one SQLite file that holds the whole ledger of one moment, wherever the ledger lives.

It is made while others send, it is private (0600), and it is there whole or not at all. Its ``meta`` says when it was
made: everything that happened before that instant is in it. A ledger holds no secrets, and so no backup does.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from campaign_cli.ledger import files, schema
from campaign_cli.ledger.copying import copy_content, copy_pages, new_file, opened_file, seal
from campaign_cli.ledger.store import Ledger


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """The newest event of a log: its number (0: none) and its hash, which stands for every event before it."""

    events: int
    hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Backup:
    """A backup that was made: ``size`` in bytes, ``at`` (aware) its instant; ``deleted`` are older ones that went."""

    path: Path
    size: int
    at: datetime
    deliveries: int
    head: Head
    deleted: tuple[Path, ...] = ()


def back_up(ledger: Ledger, target: Path | None = None, *, force: bool = False, keep: int | None = None) -> Backup:
    """Copy the ledger of this moment to ``target``, or to a file of our own naming in ``.campaign/backups``.

    ``keep`` then deletes the oldest of those that were named by us, up to so many; nothing else is touched. ``force``
    replaces a file. Raises InputError where ``target`` exists, LedgerError (no ledger, disk full): nothing is left.
    """
    ledger.must_exist()
    at = ledger.clock()
    path = target or files.automatic_path(files.backups_of(ledger.root), at)
    with files.whole_file(path, force=force) as temporary:
        at = _write(ledger, temporary, where=str(path))
        with opened_file(temporary, at=at, where=str(path)) as copy, copy.reading() as connection:
            deliveries, head = count(connection), head_of(connection)
    deleted = _thin_out(ledger.root, keep=keep) if keep is not None and target is None else ()
    return Backup(path=path, size=path.stat().st_size, at=at, deliveries=deliveries, head=head, deleted=deleted)


def _write(ledger: Ledger, temporary: Path, *, where: str) -> datetime:
    """Fill the file; the instant before which everything is in it."""
    if ledger.file is not None:
        at = ledger.clock()
        copy_pages(ledger.file, temporary, busy_timeout=ledger.database.busy_timeout)
    else:
        with ledger.reading() as connection:
            at = schema.instant(ledger.now())
            write_rows(connection, temporary, at=at, where=where)
    seal(temporary, at=at, where=where)
    return at


def write_rows(connection: Connection, temporary: Path, *, at: datetime, where: str) -> None:
    """Write the rows that an open transaction sees into an empty file."""
    with new_file(temporary, at=at, where=where) as copy, copy.writing() as target:
        copy_content(connection, target)


def keep_replaced(ledger: Ledger, connection: Connection) -> Path | None:
    """A copy of a ledger that is about to be replaced in this writing transaction; None where nothing is in it."""
    if not count(connection) and not head_of(connection).events:
        return None
    at = schema.instant(ledger.now())
    path = files.automatic_path(files.backups_of(ledger.root), at, why="replaced")
    with files.whole_file(path) as temporary:
        if ledger.file is not None:
            copy_pages(ledger.file, temporary, busy_timeout=ledger.database.busy_timeout)
        else:
            write_rows(connection, temporary, at=at, where=str(path))
        seal(temporary, at=at, where=str(path))
    return path


def count(connection: Connection) -> int:
    """The number of deliveries."""
    return int(connection.execute(select(func.count()).select_from(schema.deliveries)).scalar_one())


def head_of(connection: Connection) -> Head:
    """The newest event."""
    newest = select(schema.events.c.id, schema.events.c.hash).order_by(schema.events.c.id.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    return Head(events=0, hash="") if row is None else Head(events=row.id, hash=row.hash)


def _thin_out(root: Path, *, keep: int) -> tuple[Path, ...]:
    deleted = []
    for path in files.automatic(root)[: -max(keep, 1)]:
        with suppress(OSError):  # what can't be deleted stays, and the new backup counts all the same
            path.unlink()
            deleted.append(path)
    return tuple(deleted)
