"""One wall clock for every process of a batch, which the harness moves forward while they run."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "tools" / "ahead.c"


class NoCompiler(RuntimeError):
    """The shim that moves clocks can't be built here."""


class Clock:
    """``environment`` puts a process on this clock. The folder must be readable by every user that runs one."""

    def __init__(self, folder: Path) -> None:
        self._ahead = 0
        self._file = folder / "clock"
        self._file.write_bytes(struct.pack("=q", 0))
        shim = folder / "ahead.so"
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            raise NoCompiler("A C compiler is needed to move the processes' clocks: apt-get install gcc libc6-dev")
        subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", shim, SOURCE, "-ldl"], check=True)
        self.environment = {"LD_PRELOAD": str(shim), "CLOCK_AHEAD_FILE": str(self._file)}

    def now(self) -> datetime:
        """The processes' instant (aware)."""
        return datetime.now(UTC) + timedelta(seconds=self._ahead)

    def advance(self, seconds: int) -> None:
        """Move all of them."""
        self._ahead += seconds
        file = os.open(self._file, os.O_WRONLY)
        try:
            os.pwrite(file, struct.pack("=q", self._ahead), 0)
        finally:
            os.close(file)
