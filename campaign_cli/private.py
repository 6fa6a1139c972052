"""Files that are written whole or not at all, for their owner's eyes unless it is said otherwise."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path


def write_private(path: Path, text: str, *, room: Path | None = None) -> None:
    """Give a file (0600) this UTF-8 text, making its folder (0700). It is on the disk before anybody is told.

    ``room`` is what ``reserve`` took for it. Raises OSError; then the older file is as it was.
    """
    path.parent.mkdir(mode=0o700, exist_ok=True)
    write_whole(path, text.encode("utf-8"), room=room)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_whole(path: Path, content: bytes, *, mode: int = 0o600, room: Path | None = None) -> None:
    """Give a file these bytes and this mode. An older file stays until the new one is synced. Raises OSError."""
    if room is not None and room.exists():
        handle, temporary = os.open(room, os.O_WRONLY), str(room)
    else:  # mkstemp makes it 0600
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}."[:64])
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.truncate()
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):  # a disk that has become read-only takes no deletion either
            Path(temporary).unlink(missing_ok=True)
        raise


def reserve(room: Path, size: int) -> None:
    """Take so many bytes of the disk (0600) for a later ``write_private``: a disk that is full says so now.

    Raises OSError.
    """
    try:
        with os.fdopen(os.open(room, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(b"\0" * size)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        with suppress(OSError):
            room.unlink(missing_ok=True)
        raise
