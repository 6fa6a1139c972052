"""A small world in which time passes only while everybody waits: networks, processes that can be killed at any await,
clocks that jump. Everything runs in one thread and in one order, so that what was found is found again.
"""

from __future__ import annotations

import asyncio
import selectors
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from random import Random
from typing import Any, Final

from backends import place
from dispatch_helpers import START, FakeHttp, FakePlatform, Remote, Reply, Told

from campaign_cli.accounts import Rules, Workspace
from campaign_cli.credentials import Secrets
from campaign_cli.dispatch.engine import Dispatcher
from campaign_cli.dispatch.options import Options
from campaign_cli.dispatch.publish import publish_pass
from campaign_cli.errors import CampaignError, LedgerError, Rejected, Unavailable, Unconfirmed
from campaign_cli.ledger import open_ledger
from campaign_cli.ledger.store import Ledger
from campaign_cli.models import Account
from campaign_cli.platforms.base import Answer, Proof, Request
from campaign_cli.signatures import Signers

GRACE: Final = timedelta(minutes=30)
PROOFS: Final = {
    "kunci": Proof(look_up=False, repeat_for=timedelta(minutes=50)),
    "cari": Proof(look_up=True),
    "lengkap": Proof(look_up=True, repeat_for=timedelta(minutes=50)),
    "buta": Proof(look_up=False),
}
"""What each network can prove: by honouring keys, by being looked up, by both, by nothing."""


class Waiting(selectors.SelectSelector):
    """Nobody's sockets: to wait is to let time pass at once."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise RuntimeError("everybody waits for something that never comes")
        self.passed += max(timeout, 0.0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on that time, whose threads work in line: each run of the same steps is the same."""

    def __init__(self) -> None:
        self.waiting = Waiting()
        super().__init__(self.waiting)

    def time(self) -> float:
        return self.waiting.passed

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future


@dataclass
class Clock:
    """``true`` is the networks' time; a call gives that of our machines, which may be wrong by ``error``."""

    loop: VirtualLoop
    skipped: timedelta = timedelta(0)
    error: timedelta = timedelta(0)

    def true(self) -> datetime:
        return START + timedelta(microseconds=round(self.loop.time() * 1e6)) + self.skipped

    def __call__(self) -> datetime:
        return self.true() + self.error

    now = __call__


class Exchange:
    """A creating request that has left: it arrives and is answered whatever becomes of the process that sent it."""

    def __init__(self, network: Network, body: Mapping[str, Any]) -> None:
        self.network, self.body = network, body
        self.behaviour, before, self._after = network.script.popleft() if network.script else ("ok", 0.1, 0.1)
        loop = network.clock.loop  # type: ignore[attr-defined]
        self.answer: asyncio.Future[Reply | CampaignError] = loop.create_future()
        self._loop = loop
        self._timer = loop.call_later(before, self.arrive)
        network.on_the_way.append(self)

    def arrive(self) -> None:
        """The network gets it, now at the latest."""
        if self in self.network.on_the_way:
            self._timer.cancel()
            self.network.on_the_way.remove(self)
            result = self.network.decide(self.behaviour, self.body)
            if self.behaviour not in ("hang", "hang-after"):
                self._loop.call_later(self._after, self._reply, result)

    def _reply(self, result: Reply | CampaignError) -> None:
        if not self.answer.done():
            self.answer.set_result(result)


class Network(Remote):
    """One account's network. ``script`` holds ``(behaviour, seconds to arrive, seconds to answer)`` for the requests
    to come: ok · drop, 502-after, hang-after (accepted, and the sender never hears of it) · lost, 503, hang (never
    accepted, and it doesn't know) · 429, down, refuse (said so)."""

    def __init__(self, clock: Clock, *, honours_keys: bool) -> None:
        super().__init__(clock, honours_keys=honours_keys)  # type: ignore[arg-type]
        self.script: deque[tuple[str, float, float]] = deque()  # type: ignore[assignment]
        self.on_the_way: list[Exchange] = []

    def dated(self) -> dict[str, str]:
        return self.headers()

    def headers(self) -> dict[str, str]:
        return {"date": format_datetime(self.clock.true())}  # type: ignore[attr-defined]

    async def create(self, account: str, body: Mapping[str, Any]) -> Reply:
        result = await Exchange(self, {"account": account, **body}).answer
        if isinstance(result, CampaignError):
            raise result
        return result

    def decide(self, behaviour: str, body: Mapping[str, Any]) -> Reply | CampaignError:
        """What is accepted, and what the sender is told."""
        said: dict[str, CampaignError] = {
            "429": Unavailable("Slow down.", status=429, retry_at=self.clock.now() + timedelta(seconds=40)),
            "down": Unavailable("No route."),
            "refuse": Rejected("Not allowed.", fix="Change it."),
            "lost": Unconfirmed("Reset."),
            "503": Unconfirmed("503"),
            "hang": Unconfirmed("Never said."),
        }
        if behaviour in said:
            return said[behaviour]
        post = self._store(str(body["account"]), body)
        return Reply(200, self.headers(), post) if behaviour == "ok" else Unconfirmed(behaviour)

    def _store(self, account: str, body: Mapping[str, Any]) -> dict[str, Any]:
        post = super()._store(account, body)
        if "true" not in post:  # dated by the network's own clock
            post |= {"true": True, "at": self.clock.true(), "id": f"{account}-{len(self.posts[account])}"}  # type: ignore[attr-defined]
        return post


class Mortal:
    """What a process holds of the outside: a ledger or a transport that nothing reaches once the process is dead."""

    def __init__(self, inner: Any, process: Process) -> None:
        self._inner, self._process = inner, process

    @property
    def remote(self) -> Any:
        return self._inner.remote

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            if self._process.dead:
                raise LedgerError("This process is dead.")
            return found(*args, **kwargs)

        return call


class MortalHttp:
    """A transport of a process that can die; ``leaving`` hears of each creating request."""

    def __init__(self, inner: FakeHttp, process: Process, leaving: Callable[[Mapping[str, Any]], None]) -> None:
        self.inner, self.remote, self._process, self._leaving = inner, inner.remote, process, leaving

    async def send(self, request: Request) -> Answer:
        if self._process.dead:
            raise Unavailable("This process is dead.")
        if request.creating:
            self._leaving(request.json)
        return await self.inner.send(request)

    async def aclose(self) -> None:
        await self.inner.aclose()


@dataclass(eq=False)
class Process:
    """One ``publish``, by its worker's name; ``kill`` ends it as kill -9 does."""

    worker: str
    ledger: Ledger
    dead: bool = False
    task: asyncio.Task[Any] | None = None

    @property
    def running(self) -> bool:
        return self.task is not None and not self.task.done()

    def kill(self) -> None:
        """Nothing that it holds reaches anything any more, and its memory is gone."""
        self.dead = True
        if self.task is not None:
            self.task.cancel()


@dataclass
class Universe:
    """A workspace, its networks and its processes. ``leaving(address, body)`` is called for each creating request, with
    the address that its process knows; what it raises is raised again by whoever lets time pass."""

    root: Path
    leaving: Callable[[str, Mapping[str, Any]], None]
    rules: Rules = field(default_factory=Rules)
    signers: Signers | None = None
    processes: dict[str, Process] = field(default_factory=dict)
    ended: list[Process] = field(default_factory=list)
    told: Told = field(default_factory=Told)
    _broken: Exception | None = None

    def __post_init__(self) -> None:
        self.loop = VirtualLoop()
        self.clock = Clock(self.loop)
        self.platforms = {name: FakePlatform(proof) for name, proof in PROOFS.items()}
        self.networks = {
            name: Network(self.clock, honours_keys=proof.repeat_for is not None) for name, proof in PROOFS.items()
        }
        self.accounts = {name: self.account(name) for name in PROOFS}
        self.ledger = self.open()

    def account(self, name: str, *, address: str = "") -> Account:
        """The account of that name is on the network of that name."""
        return Account(
            name=name,
            platform=name,
            settings={"token": "env:TOKEN", "address": address, "url": f"https://{name}.example"},
        )

    def address(self, name: str) -> str:
        """The account's address of today."""
        return self.platforms[name].address(self.accounts[name])

    def open(self) -> Ledger:
        """Another opening of the one ledger."""
        return open_ledger(self.root, clock=self.clock, **place(self.root))

    def start(self, worker: str, *, until: timedelta | None = None) -> None:
        """A pass, or a night's pass, that goes on while time passes."""
        process = Process(worker, self.open())
        self.processes[worker] = process
        process.task = self.loop.create_task(self._pass(process, until))

    async def _pass(self, process: Process, until: timedelta | None) -> None:
        dispatcher = Dispatcher(
            ledger=Mortal(process.ledger, process),  # type: ignore[arg-type]
            workspace=Workspace(root=self.root, accounts=dict(self.accounts), rules=self.rules),
            secrets=Secrets(environment={"TOKEN": "s3cret"}, root=self.root),
            clock=self.clock,
            sleep=asyncio.sleep,
            transport=lambda account: self._transport(account, process),
            options=Options(worker=process.worker, late_grace=GRACE),
            notifier=self.told,
            signers=self.signers,
            platform_of=lambda name: self.platforms[name],
            chance=Random(3),
        )
        await publish_pass(dispatcher, until=None if until is None else self.clock() + until)

    def _transport(self, account: Account, process: Process) -> MortalHttp:
        address = self.platforms[account.name].address(account)

        def leaving(body: Mapping[str, Any]) -> None:
            try:
                self.leaving(address, body)
            except Exception as error:  # the dispatcher would take it for the adapter's
                self._broken = self._broken or error
                raise

        return MortalHttp(FakeHttp(self.networks[account.name], account.name), process, leaving)

    def elapse(self, seconds: float) -> None:
        """Let time pass; processes that have ended are put away, and their errors raised."""
        self._run(asyncio.sleep(seconds))

    def step(self, steps: int) -> None:
        """Let everybody go on by so many turns of the event loop, without any time."""

        async def turns() -> None:
            for _turn in range(steps):
                await asyncio.sleep(0)

        self._run(turns())

    def finish(self, worker: str) -> None:
        """Let time pass until this process has ended."""
        process = self.processes.get(worker)
        if process is not None and process.task is not None:
            self._run(asyncio.wait([process.task]))

    def jump(self, *, sleep: timedelta = timedelta(0), error: timedelta = timedelta(0)) -> None:
        """The machine sleeps, or its clock is set. What is about to leave has left, what has left arrives before."""
        self.step(60)
        for network in self.networks.values():
            for exchange in list(network.on_the_way):
                exchange.arrive()
        self.clock.skipped += sleep
        self.clock.error += error

    def kill(self, worker: str) -> None:
        """kill -9."""
        process = self.processes.pop(worker, None)
        if process is not None:
            process.kill()
            self.ended.append(process)

    def _run(self, work: Awaitable[Any]) -> None:
        self.loop.run_until_complete(work)
        if self._broken is not None:
            raise self._broken
        for worker, process in list(self.processes.items()):
            if not process.running:
                del self.processes[worker]
                self.ended.append(process)
        for process in [one for one in self.ended if not one.running]:
            self.ended.remove(process)
            process.ledger.close()
            if not process.dead and process.task is not None:
                process.task.result()
            elif process.task is not None and not process.task.cancelled():
                process.task.exception()  # whatever the dead say

    def close(self) -> None:
        """End everything."""
        for worker in list(self.processes):
            self.kill(worker)
        for _minute in range(20):
            self.elapse(60)
        assert not self.ended
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()
        self.ledger.close()
