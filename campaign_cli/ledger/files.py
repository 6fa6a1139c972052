"""Files beside the ledger: private, whole or not at all, and where the backups lie."""

from __future__ import annotations

import os
import re
import shutil
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from campaign_cli.errors import InputError
from campaign_cli.i18n import _
from campaign_cli.ledger.base import from_os_error

FOLDER: Final = ".campaign"
FILE: Final = "ledger.sqlite3"
BACKUPS: Final = "backups"
_AUTOMATIC: Final = re.compile(r"ledger-\d{8}T\d{12}\.sqlite3")
_STALE: Final = timedelta(days=1)
_BESIDE: Final = ("", "-journal", "-wal", "-shm")
"""What SQLite keeps beside a file."""


def ledger_file(root: Path) -> Path:
    """The ledger of a workspace, where it is a file."""
    return root / FOLDER / FILE


def backups_of(root: Path) -> Path:
    """Where the backups of a workspace lie."""
    return root / FOLDER / BACKUPS


def automatic_path(folder: Path, at: datetime, *, why: str = "") -> Path:
    """A free name for a copy that nobody named; ``why`` marks those that are made on the way and never deleted."""
    while True:
        path = folder / f"ledger-{at:%Y%m%dT%H%M%S%f}{why and f'-{why}'}.sqlite3"
        if not path.exists():
            return path
        at += timedelta(microseconds=1)


def automatic(root: Path) -> list[Path]:
    """The backups that ``campaign ledger backup`` named itself, oldest first; nothing else."""
    return [path for path in kept(root) if _AUTOMATIC.fullmatch(path.name)]


def kept(root: Path) -> list[Path]:
    """Every copy of a ledger among the backups, oldest first."""
    with suppress(OSError):
        return sorted(path for path in backups_of(root).glob("ledger-*.sqlite3") if path.is_file())
    return []


@contextmanager
def whole_file(target: Path, *, force: bool = False) -> Iterator[Path]:
    """A new empty file (0600) of another name that takes ``target``'s place, synced, when the block ends well.

    Missing folders are made (0700). Raises InputError where ``target`` exists, unless ``force``; LedgerError.
    """
    _refuse_existing(target, force=force)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    try:
        try:
            private_folder(target.parent)
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            remove_stale(temporary, ".ledger-*.tmp")
            yield temporary
            synced(temporary)
            put(temporary, target, force=force)
            synced(target.parent)
        except OSError as error:
            raise from_os_error(error, str(target)) from error
    finally:
        remove(temporary)


def private_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing, for their owner alone. Raises OSError."""
    if not path.is_dir():
        private_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def _refuse_existing(target: Path, *, force: bool) -> None:
    if target.is_dir() or (target.exists() and not force):
        raise InputError(
            _("{path} exists, and nothing was written.").format(path=target),
            fix=_("Choose another name, or say --force to replace a file."),
        )


def put(temporary: Path, target: Path, *, force: bool) -> None:
    """Give a finished file its name. Raises InputError where there is one, unless ``force``; OSError."""
    if force:
        temporary.replace(target)
        return
    try:
        os.link(temporary, target)  # unlike a rename, it never replaces what somebody else has put there meanwhile
    except FileExistsError:
        _refuse_existing(target, force=False)
    except OSError:  # a file system without hard links
        _refuse_existing(target, force=False)
        temporary.rename(target)


def synced(path: Path) -> None:
    """Put a file, or a folder's list of names, on the disk. Raises OSError."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def remove(path: Path) -> None:
    """Remove an SQLite file and what stands beside it; what isn't there needs no removing."""
    for suffix in _BESIDE:
        with suppress(OSError):
            path.with_name(path.name + suffix).unlink()


def remove_stale(new: Path, pattern: str) -> None:
    """Remove what a killed process left beside ``new`` a day ago or more, by the file system's own time."""
    with suppress(OSError):
        latest = new.stat().st_mtime - _STALE.total_seconds()
        for path in new.parent.glob(pattern):
            if path.lstat().st_mtime > latest:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                remove(path)


def put_aside(path: Path, *, at: datetime) -> Path | None:
    """Give a file that can't be read, and what SQLite keeps beside it, another name; None where there was nothing.

    Nothing of it may stay: SQLite would play an old journal into the next file of that name. Raises LedgerError.
    """
    aside = automatic_path(path.parent, at, why="damaged")
    moved = False
    try:
        for suffix in _BESIDE:
            source = path.with_name(path.name + suffix)
            if source.exists():
                source.chmod(0o600)
                source.rename(aside.with_name(aside.name + suffix))
                moved = True
    except OSError as error:
        raise from_os_error(error, str(path)) from error
    return aside if moved else None


def open_to_others(paths: list[Path]) -> list[Path]:
    """Those that somebody else than their owner may read or write."""
    found = []
    for path in paths:
        with suppress(OSError):
            if stat.S_IMODE(path.stat().st_mode) & 0o077:
                found.append(path)
    return found
