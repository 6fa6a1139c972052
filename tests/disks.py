"""Disks that are full or read-only for real, for command lines in a process of their own.

A small file system in memory inside a mount namespace where that is permitted, so that root meets it too and nothing
stays behind; else a limit on the size of files, and permissions. This file is also the program that runs there.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

FULL, ROOM, READ_ONLY, WRITABLE, FILES = "full", "room", "read-only", "writable", "files"


class Ran(NamedTuple):
    """What a command left."""

    code: int
    out: str
    err: str


@cache
def namespace() -> tuple[str, ...]:
    """The command that gives a process mounts of its own; empty where that is not permitted."""
    for unshare in (("unshare", "--mount"), ("unshare", "--map-root-user", "--mount")):
        with contextlib.suppress(FileNotFoundError):
            tried = [*unshare, "mount", "-t", "tmpfs", "tmpfs", "/tmp"]
            if subprocess.run(tried, capture_output=True, check=False).returncode == 0:
                return unshare
    return ()


def on_a_small_disk(root: Path, *steps: str | Sequence[str | Path]) -> list[Ran]:
    """Move a workspace to a disk of 4 MiB and go on there: ``FULL``, ``ROOM``, ``READ_ONLY``, ``WRITABLE`` change the
    disk, ``FILES`` lists what is on it, a sequence is a command line. The last two have results."""
    given = [step if isinstance(step, str) else [str(word) for word in step] for step in steps]
    command = [*namespace(), sys.executable, __file__, str(root), "mounted" if namespace() else "limited"]
    ran = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return [Ran(*json.loads(line)) for line in ran.stdout.splitlines()]


def _sh(command: str) -> None:
    subprocess.run(["bash", "-c", command], check=True, capture_output=True)


def _mounted(step: str, root: Path) -> None:
    commands = {
        "begin": 'cp -a "$R" "$R.x"; mount -t tmpfs -o size=4m tmpfs "$R"; cp -a "$R.x/." "$R"; rm -r "$R.x"',
        FULL: 'cat /dev/zero > "$R/isi" || true',
        ROOM: 'rm "$R/isi"',
        READ_ONLY: 'mount -o remount,ro "$R"',
        WRITABLE: 'mount -o remount,rw "$R"',
    }
    _sh(f"set -e; R='{root}'; {commands[step]}")


def _limited(step: str, root: Path) -> None:
    if step in (FULL, ROOM):
        _soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0 if step == FULL else hard, hard))
    elif step != "begin":
        _sh(f"chmod -R {'a-w' if step == READ_ONLY else 'u+w'} '{root}'")


def _call(arguments: list[str]) -> Ran:
    from campaign_cli.cli.main import run

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(arguments)
    return Ran(code, out.getvalue(), err.getvalue())


def main() -> None:
    """Take the steps from stdin; one line for each that has a result."""
    root, change = Path(sys.argv[1]), {"mounted": _mounted, "limited": _limited}[sys.argv[2]]
    change("begin", root)
    os.chdir(root)
    for step in json.load(sys.stdin):
        if isinstance(step, list):
            sys.__stdout__.write(json.dumps(_call(step)) + "\n")
        elif step == FILES:
            names = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.name != "isi")
            sys.__stdout__.write(json.dumps(Ran(0, "\n".join(names), "")) + "\n")
        else:
            change(step, root)


if __name__ == "__main__":
    main()
