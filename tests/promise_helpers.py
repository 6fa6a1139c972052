"""Real processes of the command, on a clock that a test moves, against a server that writes down what arrives when."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

import backends
import pytest
from postgres_server import postgres_server
from soak.answers import TOKEN, answer
from soak.clock import Clock, NoCompiler
from soak.messages import Answer, Request, read_head
from soak.network import Network, kind_of

from campaign_cli.ledger import Delivery, Event, open_ledger
from campaign_cli.ledger.store import Ledger

PATIENCE = 120.0  # seconds until a test gives up; nothing is measured by it


@dataclass
class Counting:
    """A server whose accounts honour keys (``keys1``), can be read back (``readable1``) or neither (``blind1``).

    ``arrivals`` holds ``(monotonic seconds, account, words)`` of each creating request, ``most`` how many of an account
    were there at once. ``seconds`` is how long an answer takes, ``open`` lets answers out. ``others`` are the rest.
    """

    seconds: float = 0.0
    port: int = 0
    network: Network = field(default_factory=Network)
    arrivals: list[tuple[float, str, str]] = field(default_factory=list)
    others: list[tuple[str, bytes]] = field(default_factory=list)
    most: Counter[str] = field(default_factory=Counter)
    open: threading.Event = field(default_factory=threading.Event)
    _now: Counter[str] = field(default_factory=Counter)

    def texts(self, account: str | None = None) -> list[str]:
        """What was accepted, in order."""
        return [post.text for post in list(self.network.posts) if account in (None, post.account)]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while (request := await read_head(reader)) is not None:
                    await request.read(reader)
                    writer.write((await self._answer(request)).encode())
                    await writer.drain()
        finally:  # also where the server ends
            writer.close()

    async def _answer(self, request: Request) -> Answer:
        if not request.creating:
            self.others.append((request.path, request.body))
            if request.account == "hook":
                return Answer(200, {})
            return answer(self.network, request)
        account, fields = request.account, request.fields()
        self.arrivals.append((time.monotonic(), account, str(fields.get("status") or fields.get("text"))))
        self._now[account] += 1
        self.most[account] = max(self.most[account], self._now[account])
        try:
            found = answer(self.network, request)
            await asyncio.sleep(self.seconds)
            while not self.open.is_set():
                await asyncio.sleep(0.01)
            return found
        finally:
            self._now[account] -= 1


@contextmanager
def counting(**options: Any) -> Iterator[Counting]:
    """The server, listening in a thread of its own."""
    server = Counting(**options)
    server.open.set()
    loop = asyncio.new_event_loop()
    listening = threading.Event()

    async def serve() -> None:
        made = await asyncio.start_server(server._serve, "127.0.0.1", 0, backlog=500)
        server.port = made.sockets[0].getsockname()[1]
        listening.set()
        async with made:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)

    work = loop.create_task(serve())
    thread = threading.Thread(target=lambda: (loop.run_until_complete(work), loop.close()), daemon=True)
    thread.start()
    assert listening.wait(PATIENCE)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(work.cancel)
        thread.join(PATIENCE)


@dataclass
class Ran:
    """What a command left."""

    code: int
    out: str
    err: str


@dataclass
class Office:
    """A workspace whose accounts live on a counting server, and the processes that work there."""

    root: Path
    server: Counting
    clock: Clock
    database: dict[str, str]
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def accounts(self, *names: str, more: str = "") -> None:
        """Write accounts.yaml."""
        lines = "".join(self._account(name) for name in names)
        (self.root / "accounts.yaml").write_text(f"accounts:\n{lines}{more}", encoding="utf-8")

    def _account(self, name: str) -> str:
        name, _sign, more = name.partition("+")
        address = f'url: "http://127.0.0.1:{self.server.port}/{name}", token: env:TOKEN{", " * bool(more)}{more}'
        if kind_of(name) == "blind":
            return f'  {name}: {{platform: telegram, channel: "@{name}_contoh", {address}}}\n'
        return f"  {name}: {{platform: mastodon, handle: {name}, {address}}}\n"

    def plan(self, posts: str, *, name: str = "plan", zone: str = "WIB") -> Path:
        """Write a plan; ``posts`` are the YAML list items."""
        path = self.root / f"{name}.yaml"
        path.write_text(f"campaign: {name}\ntimezone: {zone}\nlanguage: id\nposts:\n{posts}", encoding="utf-8")
        return path

    def at(self, **distance: float) -> str:
        """An instant so far from the processes' now, as a plan writes it."""
        return (self.clock.now() + timedelta(**distance)).isoformat(timespec="seconds")

    def call(self, *words: str | Path, **more: str) -> Ran:
        """A command, to its end."""
        environment = self.environment(more)
        ran = subprocess.run(
            self._command(words), cwd=self.root, env=environment, capture_output=True, text=True, check=False
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """A command that goes on; ended with the test, whatever happens."""
        log = (self.root / f"{len(self.processes)}.log").open("w", encoding="utf-8")
        with log:
            process = subprocess.Popen(
                self._command(words),
                cwd=self.root,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                text=True,
            )
        self.processes.append(process)
        return process

    def ready(self, process: subprocess.Popen[str]) -> bool:
        """Whether a process has the ledger open (Linux's /proc)."""
        links = []
        for entry in Path(f"/proc/{process.pid}/fd").iterdir():
            with suppress(OSError):
                links.append(str(entry.readlink()))
        opened = "socket:" if self.database else str(self.root / ".campaign" / "ledger.sqlite3")
        return any(link.startswith(opened) for link in links)

    def log_of(self, process: subprocess.Popen[str]) -> str:
        """What a process has said so far."""
        return (self.root / f"{self.processes.index(process)}.log").read_text(encoding="utf-8")

    def ledger(self) -> Ledger:
        """The ledger, opened once more."""
        return open_ledger(self.root, clock=None if self.database else self.clock.now, **self.database)

    def deliveries(self) -> dict[str, Delivery]:
        """By key."""
        with self.ledger() as ledger:
            return {delivery.key: delivery for delivery in ledger.deliveries()}

    def states(self) -> Counter[str]:
        """How many deliveries are in each state."""
        return Counter(delivery.state.value for delivery in self.deliveries().values())

    def events(self, kind: str) -> list[Event]:
        """What happened of one kind, oldest first."""
        with self.ledger() as ledger:
            return ledger.events(kind=kind)

    def _command(self, words: Any) -> list[str]:
        given = [str(word) for word in words]
        return [sys.executable, "-m", "campaign_cli", *([] if "--lang" in given else ["--lang", "en"]), *given]

    def environment(self, more: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
        """What the processes run in."""
        mine = {name: value for name, value in os.environ.items() if not name.startswith("CAMPAIGN_")}
        if self.database:
            mine["CAMPAIGN_DATABASE_URL"] = self.database["database_url"]
        return {**mine, "PYTHONPATH": os.pathsep.join(sys.path), **self.clock.environment, **more}

    def end(self) -> None:
        """End every process, for good."""
        for process in self.processes:
            process.kill()
            process.wait()


@contextmanager
def office(folder: Path, *names: str, more: str = "", seconds: float = 0.0) -> Iterator[Office]:
    """A workspace with these accounts (``keys1``, ``blind1+rate: 60``), its server and its clock."""
    root = folder / "serikat"
    root.mkdir()
    with ExitStack() as stack:
        server = stack.enter_context(counting(seconds=seconds))
        try:
            clock = Clock(Path(stack.enter_context(TemporaryDirectory())))
        except NoCompiler as error:
            pytest.skip(str(error))  # CI and the real servers' tests install one, so that it is never skipped there
        made = Office(root, server, clock, database=stack.enter_context(_database(clock)))
        made.accounts(*names, more=more)
        secrets = root / ".env"
        secrets.touch(mode=0o600)
        secrets.write_text(f'TOKEN="{TOKEN}"\n', encoding="utf-8")
        stack.callback(made.end)
        yield made


@contextmanager
def _database(clock: Clock) -> Iterator[dict[str, str]]:
    """With ``--ledger postgresql``, a server of its own on that clock, for its time is the ledger's."""
    if backends.server is None:
        yield {}
        return
    Path(clock.environment["LD_PRELOAD"]).parent.chmod(0o755)  # PostgreSQL runs as another user
    with postgres_server(environment=clock.environment) as server:
        yield {"database_url": server.url}


def clock_time(**distance: float) -> str:
    """So far from now, in the machine's zone, as ``--until`` takes it."""
    return (datetime.now(UTC).astimezone() + timedelta(**distance)).strftime("%H:%M")


def wait_for(wanted: Callable[[], Any], *, seconds: float = PATIENCE) -> None:
    """Until it is so. Raises AssertionError when it takes far too long."""
    end = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < end
        time.sleep(0.02)
