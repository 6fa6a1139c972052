"""Prepared media kept on disk, so that ``check``, ``preview`` and ``queue`` don't make the same bytes again.

One file for each recipe: a line with the SHA-256 of the rest, a line of JSON (what was made), then the bytes.
Everything in it can be made again: it may be deleted at any time, and an entry that is not what it says it is counts
as absent.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

BOUND: Final = 1024 * 1024 * 1024
"""Bytes of all entries together: some campaigns' pictures, and a few videos of the largest size."""
LARGEST: Final = 512 * 1024 * 1024
"""Bytes of one entry: twice those of the largest video."""
_HEAD: Final = 4096  # bytes of a line, at most


class MediaCache:
    """A folder (0700) of prepared media (0600). What can't be written is not kept; nothing here ever raises."""

    def __init__(self, folder: Path, *, bound: int = BOUND) -> None:
        self._folder = folder
        self._bound = bound

    def get(self, recipe: str) -> tuple[dict[str, Any], bytes] | None:
        """What was made by a recipe (its hash), and the bytes; None where it is absent or damaged."""
        path = self._folder / recipe
        try:
            if path.stat().st_size > LARGEST:
                return None
            with path.open("rb") as file:
                mark, line, content = file.readline(_HEAD), file.readline(_HEAD), file.read()
            facts = json.loads(line) if mark == _mark(line, content) else None
        except (OSError, ValueError, RecursionError):
            return None
        if not isinstance(facts, dict):
            return None
        with suppress(OSError):
            os.utime(path)  # what was not used for longest goes first
        return facts, content

    def put(self, recipe: str, facts: Mapping[str, Any], content: bytes) -> None:
        """Keep it; ``facts`` holds JSON values."""
        temporary, line = "", json.dumps(dict(facts)).encode() + b"\n"
        try:
            for folder in (self._folder.parent, self._folder):
                folder.mkdir(mode=0o700, exist_ok=True)
            self._folder.chmod(0o700)  # also one that was made by hand
            handle, temporary = tempfile.mkstemp(dir=self._folder, prefix=".")  # mkstemp makes it 0600
            with os.fdopen(handle, "wb") as file:
                file.writelines((_mark(line, content), line, content))
            Path(temporary).replace(self._folder / recipe)
            self._tidy()
        except OSError:
            with suppress(OSError):
                Path(temporary).unlink(missing_ok=True)

    def _tidy(self) -> None:
        """Delete what was not used for longest, until the rest fits."""
        entries = []
        for path in self._folder.iterdir():
            with suppress(OSError):  # another process tidies as well
                status = path.stat()
                entries.append((status.st_mtime_ns, status.st_size, path))
        held = sum(size for _used, size, _path in entries)
        for _used, size, path in sorted(entries):
            if held <= self._bound:
                return
            with suppress(OSError):
                path.unlink()
            held -= size


def _mark(line: bytes, content: bytes) -> bytes:
    """What shows that neither the facts nor the bytes were changed."""
    digest = hashlib.sha256(line)
    digest.update(content)
    return digest.hexdigest().encode() + b"\n"
