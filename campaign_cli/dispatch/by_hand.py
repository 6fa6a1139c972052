"""What a person posts by hand, laid out in a folder of its own: ``out/manual/CAMPAIGN_POST_ACCOUNT``.

Only its owner can read it. The folder holds a mark with the delivery's key and the names of our files: doing it again
(after a crash, or a person's decision) replaces those and nothing else, and what is not ours is never touched.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from campaign_cli import reasons
from campaign_cli.errors import Unavailable
from campaign_cli.i18n import _
from campaign_cli.platforms.base import BY_HAND
from campaign_cli.private import write_whole

HandOver = Callable[[str, Mapping[str, bytes]], Awaitable[str]]
"""Given a delivery's key and files by name: lays them out, and says where."""

_MARK: Final = ".campaign.json"
_NUMBERS: Final = 100
_STRANGE: Final = re.compile(r"[^\w.@-]+")


def in_folder(root: Path) -> HandOver:
    """Lay out below the workspace ``root``."""

    async def hand_over(key: str, files: Mapping[str, bytes]) -> str:
        return await asyncio.to_thread(lay_out, root, key, files)

    return hand_over


def folder_name(key: str) -> str:
    """The folder of a delivery, relative to the workspace; another one where that is taken."""
    return f"{BY_HAND}/{_STRANGE.sub('-', key.replace('/', '_'))}"


def lay_out(root: Path, key: str, files: Mapping[str, bytes]) -> str:
    """Write the files (name → bytes); the folder, relative to ``root``. Raises Unavailable where it can't be written.

    A crash in between is harmless: the next time replaces what is there.
    """
    try:
        folder, old = _own_folder(root, key, files)
        for name in old - set(files):
            (folder / name).unlink(missing_ok=True)
        for name, content in files.items():
            write_whole(folder / name, content)
        _mark(folder, key, files)
    except OSError as error:
        raise Unavailable(
            _("The post can't be laid out in {folder}: {reason}.").format(
                folder=folder_name(key), reason=reasons.reason(error)
            ),
            fix=_("Make room there, or correct its permissions; it is tried again by itself."),
        ) from error
    return folder.relative_to(root).as_posix()


def _own_folder(root: Path, key: str, files: Mapping[str, bytes]) -> tuple[Path, set[str]]:
    """A folder that is this delivery's, marked, and the names of our files in it. Raises OSError."""
    first = root / folder_name(key)
    first.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for number in range(1, _NUMBERS):
        folder = first if number == 1 else first.with_name(f"{first.name}-{number}")
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            ours = _ours(folder, key)
            if ours is None or any(os.path.lexists(folder / name) for name in set(files) - ours):
                continue
        else:
            ours = set()
        _mark(folder, key, {*ours, *files})
        return folder, ours
    raise FileExistsError(17, os.strerror(17), str(first))


def _ours(folder: Path, key: str) -> set[str] | None:
    """The names of our files in a folder of that delivery; None where it is another's, or not ours at all."""
    if folder.is_symlink() or not folder.is_dir():
        return None
    try:
        mark = json.loads((folder / _MARK).read_text(encoding="utf-8"))
        return {str(name) for name in mark["files"] if "/" not in name} if mark["key"] == key else None
    except FileNotFoundError:
        return None if any(folder.iterdir()) else set()  # ours, cut off before its mark was there
    except (ValueError, KeyError, TypeError):
        return None


def _mark(folder: Path, key: str, names: Mapping[str, bytes] | set[str]) -> None:
    write_whole(folder / _MARK, json.dumps({"key": key, "files": sorted(names)}).encode())
