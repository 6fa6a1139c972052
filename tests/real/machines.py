"""Machines on one machine: each in a network namespace of its own, reached over a wire that can be cut.

A namespace sees the servers of this machine as ``localhost``, through a relay at the other end of its wire. Where
namespaces are not permitted (no root, no ``ip``), a machine is a loopback address of its own with a relay that falls
silent; then only its way to the database can be cut.
"""

from __future__ import annotations

import os
import re
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_HOSTS = Path("/etc/netns")


class Relay:
    """Passes bytes between ``host:port`` and 127.0.0.1:port; a silent one takes connections and passes nothing."""

    def __init__(self, host: str, port: int) -> None:
        self.silent = False
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server((host, port), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for one
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                inner, _address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass, args=(inner,), daemon=True).start()

    def _pass(self, inner: socket.socket) -> None:
        with (
            suppress(OSError),
            inner,
            socket.create_connection(self._target) as outer,
            selectors.DefaultSelector() as both,
        ):
            both.register(inner, selectors.EVENT_READ, outer)
            both.register(outer, selectors.EVENT_READ, inner)
            while True:
                for key, _events in both.select(timeout=0.2):
                    if self.silent:
                        continue
                    data = key.fileobj.recv(65536)  # type: ignore[union-attr]
                    if not data:
                        return
                    key.data.sendall(data)


@dataclass
class Machine:
    """One machine: ``host`` is how it reaches the servers of this one, ``folder`` its copy of the workspace."""

    name: str
    host: str
    folder: Path
    environment: Mapping[str, str]
    prefix: tuple[str, ...] = ()
    wire: str = ""
    relays: list[Relay] = field(default_factory=list)
    processes: list[subprocess.Popen[str]] = field(default_factory=list)
    logs: list[Path] = field(default_factory=list)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start ``campaign WORDS`` there; what it says goes to a file of ``logs``."""
        log = self.folder.parent / f"{self.name}-{len(self.logs)}-{words[0]}.log"
        with log.open("w", encoding="utf-8") as stderr:
            process = subprocess.Popen(
                self._command(*words, "--log-format", "plain"),
                cwd=self.folder,
                env=self._whole(),
                stdin=subprocess.DEVNULL,
                stderr=stderr,
                text=True,
            )
        self.processes.append(process)
        self.logs.append(log)
        return process

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """``campaign WORDS`` there, to its end."""
        return subprocess.run(
            self._command(*words),
            cwd=self.folder,
            env=self._whole(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def _command(self, *words: str) -> list[str]:
        return [*self.prefix, sys.executable, "-m", "campaign_cli", "--lang", "en", *words]

    def _whole(self) -> dict[str, str]:
        mine = {name: value for name, value in os.environ.items() if not name.startswith("CAMPAIGN_")}
        return mine | dict(self.environment)

    def said(self) -> str:
        """Everything that its processes said."""
        return "".join(log.read_text(encoding="utf-8") for log in self.logs)

    def cut(self) -> None:
        """From now on nothing reaches it, and nothing tells it so."""
        if self.wire:
            subprocess.run(["ip", "link", "set", self.wire, "down"], check=True)
        for relay in self.relays:
            relay.silent = not self.wire

    def mend(self) -> None:
        """Join it again."""
        if self.wire:
            subprocess.run(["ip", "link", "set", self.wire, "up"], check=True)
        for relay in self.relays:
            relay.silent = False

    def stop(self, *, seconds: float = 60) -> list[int]:
        """Ask its processes to end; their exit codes."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        return [process.wait(timeout=seconds) for process in self.processes]

    def end(self) -> None:
        """Leave nothing behind."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()
        for relay in self.relays:
            relay.close()


def namespaces_permitted() -> bool:
    """Whether this process may make network namespaces."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"campaign-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode == 0
    if made:
        made = subprocess.run(["ip", "netns", "exec", name, "true"], capture_output=True, check=False).returncode == 0
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    return made


@contextmanager
def wired(number: int, ports: Sequence[int]) -> Iterator[tuple[tuple[str, ...], str, list[Relay]]]:
    """A namespace with a wire to this machine: the prefix of its commands, the wire's name here, its relays."""
    _sweep()
    space, here = f"campaign-{os.getpid()}-{number}", f"cv{os.getpid() % 100000}n{number}"
    net = (os.getpid() * 16 + number) % (1 << 14) * 4  # four addresses of its own, also beside another run
    near, far = (f"10.77.{(net + end) >> 8}.{(net + end) & 255}" for end in (1, 2))
    inside = ("ip", "netns", "exec", space)
    hosts = _HOSTS / space / "hosts"
    with ExitStack() as undo:
        _ip("netns", "add", space)
        undo.callback(_ip, "netns", "del", space)
        hosts.parent.mkdir(parents=True)
        undo.callback(shutil.rmtree, hosts.parent)
        hosts.write_text(f"{near} localhost\n", encoding="ascii")
        _ip("link", "add", here, "type", "veth", "peer", "name", "wire", "netns", space)
        _ip("addr", "add", f"{near}/30", "dev", here)
        _ip("link", "set", here, "up")
        for words in (("addr", "add", f"{far}/30", "dev", "wire"), ("link", "set", "wire", "up")):
            subprocess.run([*inside, "ip", *words], check=True)
        subprocess.run([*inside, "ip", "link", "set", "lo", "up"], check=True)
        yield inside, here, [Relay(near, port) for port in ports]


def _sweep() -> None:
    """Take away what runs that were killed have left: their wires would catch what is meant for ours."""
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    for space, process in re.findall(r"^(campaign-(\d+)-\d+)", listed, re.MULTILINE):
        if not Path("/proc", process).exists():
            _ip("netns", "del", space)
            shutil.rmtree(_HOSTS / space, ignore_errors=True)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
