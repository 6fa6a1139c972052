"""The product's processes: the real command, started, killed and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

# How a pass ends, and a long-running command that was asked to: done, failed or missed, uncertain, waiting or held.
EXPECTED_ENDS = frozenset({0, 1, 4, 5})
REFUSED, NO_DATABASE = 2, "error: The database server"


@dataclass
class Process:
    """One running command; ``role`` is its command line after ``campaign``."""

    role: tuple[str, ...]
    popen: subprocess.Popen[bytes]
    stderr: Path


@dataclass
class Crew:
    """The running processes of a batch. ``trouble`` tells of those that ended as no command should."""

    root: Path
    environment: Mapping[str, str]
    processes: list[Process] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)
    stopping: bool = False
    _number: int = 0

    def start(self, *role: str) -> Process:
        """Start ``campaign ROLE``."""
        self._number += 1
        stderr = self.root.parent / f"{self._number:03d}-{role[0]}.log"
        process = Process(role, self._popen(role, stderr.open("wb")), stderr)
        self.processes.append(process)
        return process

    def call(self, *arguments: str) -> bytes:
        """A short command, to its end; its stdout."""
        command = [sys.executable, "-m", "campaign_cli", "--lang", "en", *arguments]
        return subprocess.run(command, cwd=self.root, env=self._whole(), check=True, stdout=subprocess.PIPE).stdout

    def expect(self, *arguments: str) -> None:
        """A short command that must end with 0; what it says otherwise is trouble."""
        command = [sys.executable, "-m", "campaign_cli", "--lang", "en", *arguments]
        done = subprocess.run(command, cwd=self.root, env=self._whole(), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.trouble.append(f"{' '.join(arguments)} ended with {done.returncode}: {done.stdout}{done.stderr}")

    def alive(self) -> list[Process]:
        """Those that run; the others are looked at and forgotten."""
        for process in list(self.processes):
            code = process.popen.poll()
            if code is not None:
                self.processes.remove(process)
                self._ended(process, code)
        return self.processes

    def kill(self, process: Process) -> None:
        """SIGKILL, without another instruction from now on."""
        with suppress(ProcessLookupError):
            os.kill(process.popen.pid, signal.SIGSTOP)
            os.kill(process.popen.pid, signal.SIGKILL)
        process.popen.wait()
        if process in self.processes:
            self.processes.remove(process)

    def owner(self, port: int) -> Process | None:
        """Whose socket a port of this machine is (Linux's /proc)."""
        inode = _inode(port)
        return next((one for one in self.processes if inode and inode in _inodes(one.popen.pid)), None)

    def worker(self, name: str) -> Process | None:
        """The process that the ledger calls ``HOST:PID:CHANCE``."""
        return next((one for one in self.processes if str(one.popen.pid) in name.split(":")), None)

    def stop(self) -> None:
        """Ask every process to end, and wait for it."""
        self.stopping = True
        for process in self.alive():
            process.popen.terminate()
        for process in list(self.processes):
            try:
                process.popen.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self.trouble.append(f"{' '.join(process.role)} did not end within a minute of SIGTERM")
                self.kill(process)
        self.alive()
        self.stopping = False

    def end(self) -> None:
        """Leave nothing behind."""
        for process in list(self.processes):
            self.kill(process)

    def _ended(self, process: Process, code: int) -> None:
        said = process.stderr.read_text(encoding="utf-8", errors="replace")
        self.ends[f"{process.role[0]} ended with {code}"] += 1
        ends = EXPECTED_ENDS if self.stopping or process.role[0] == "publish" else frozenset()
        if self.stopping:
            ends |= {-signal.SIGTERM}  # it had not begun yet
        if code == REFUSED and said.startswith(NO_DATABASE):
            return  # it was only just starting when PostgreSQL was cut off; whoever started it does so again
        if code not in ends or "Traceback" in said:
            self.trouble.append(f"{' '.join(process.role)} ended with {code}: {said[-2000:]}")

    def _popen(self, role: Sequence[str], stderr: IO[bytes]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "campaign_cli", "--lang", "en", *role]
        with stderr:
            return subprocess.Popen(
                command,
                cwd=self.root,
                env=self._whole(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            )

    def _whole(self) -> dict[str, str]:
        mine = {name: value for name, value in os.environ.items() if not name.startswith("CAMPAIGN_")}
        return {**mine, **self.environment}


def _inode(port: int) -> str:
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        columns = line.split()
        if columns[1].endswith(f":{port:04X}"):
            return columns[9]
    return ""


def _inodes(pid: int) -> set[str]:
    found = set()
    with suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                found.add(str(entry.readlink()).removeprefix("socket:[").rstrip("]"))
    return found
