"""The harness's hand on the counting server."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

TESTS = Path(__file__).resolve().parents[1]


@dataclass
class Control:
    """Orders to one server; ``port`` is where the product finds it."""

    port: int
    stream: TextIO

    def ask(self, order: str, **details: Any) -> Any:
        """What the server says to an order."""
        self.stream.write(json.dumps({"do": order, **details}) + "\n")
        self.stream.flush()
        return json.loads(self.stream.readline())

    def arm(self, point: str, *, skip: int = 0) -> None:
        """Stop the first request that reaches a point, after ``skip`` others."""
        self.ask("arm", point=point, skip=skip)

    def release(self, how: str) -> None:
        """``drop`` what is stopped, or let it ``go`` on."""
        self.ask("release", how=how)

    def paused(self) -> list[int]:
        """The ports of the senders that are stopped."""
        return list(self.ask("look")["paused"])


@contextmanager
def counting_server(*, seed: int, environment: Mapping[str, str]) -> Iterator[Control]:
    """A server process, ended at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "soak.server", str(seed)],
        env={**os.environ, **environment, "PYTHONPATH": str(TESTS)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        ports = json.loads(process.stdout.readline())
        with (
            socket.create_connection(("127.0.0.1", ports["harness"])) as link,
            link.makefile("rw", encoding="utf-8", newline="\n") as stream,
        ):
            yield Control(ports["product"], stream)
    finally:
        process.kill()
        process.communicate()


def wait_for(happened: Callable[[], bool], *, seconds: float, pause: float = 0.002) -> bool:
    """Look again and again; whether it happened in time."""
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True
