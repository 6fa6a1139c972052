"""Files that are written whole or not at all, for their owner's eyes unless it is said otherwise."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Give a file (0600) this UTF-8 text, making its folder (0700). It is on the disk before anybody is told.

    Raises OSError; then the older file is as it was.
    """
    path.parent.mkdir(mode=0o700, exist_ok=True)
    write_whole(path, text.encode("utf-8"))
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_whole(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Give a file these bytes and this mode. An older file stays until the new one is synced. Raises OSError."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}."[:64])  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
