"""Several machines on one ledger: two clocks hand over through pgqueuer, three workers send, and anything may fail.

The servers are a real PostgreSQL and a counting server; the processes are the real command, each machine in a network
namespace of its own where that is permitted. One wall clock for all of them can be moved, because leases last 90 s.
"""

from __future__ import annotations

import json
import signal
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from machines import Machine, Relay, namespaces_permitted, wired
from postgres_server import PostgresServer, postgres_server
from soak.answers import TOKEN
from soak.clock import Clock
from soak.control import Control, counting_server
from soak.network import kind_of

ACCOUNTS = ("keys1", "readable1", "readable2", "blind1")
WORKERS = 3
LEASE = 95  # seconds: a lease, and a little
SLOW = {"slow": 1.0}


@dataclass
class Union:
    """The machines of a federation: ``clocks`` run, ``workers`` send; all share a database and a network."""

    clock: Clock
    server: Control
    database: PostgresServer
    clocks: list[Machine]
    workers: list[Machine]

    @property
    def machines(self) -> list[Machine]:
        return [*self.clocks, *self.workers]

    def campaign(self, *words: str) -> str:
        """A short command on the first machine, to its end; its stdout."""
        process = self.clocks[0].run(*words)
        assert process.returncode == 0, process.stderr
        return process.stdout

    def queue(self, count: int, *, seconds: int = 8) -> None:
        """Queue so many posts for every account, all due at one instant."""
        at = (self.clock.now() + timedelta(seconds=seconds)).isoformat(timespec="seconds")
        names = ", ".join(ACCOUNTS)
        posts = "".join(f'  - {{id: p{n:03d}, at: "{at}", text: "Kabar {n}."}}\n' for n in range(count))
        plan = f"campaign: serikat\ntimezone: WIB\nlanguage: id\naccounts: [{names}]\nposts:\n{posts}"
        (self.clocks[0].folder / "plan.yaml").write_text(plan, encoding="utf-8")
        self.campaign("queue", "plan.yaml", "--yes")

    def begin(self) -> None:
        """Start every machine's process, all on an empty database, and wait until the workers are there."""
        for machine in self.clocks:
            machine.start("run", "--engine", "pgqueuer")
        for machine in self.workers:
            machine.start("worker")
        sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'campaign queue'"
        self.until(lambda: self.rows(sessions)[0][0] >= 2 * WORKERS)

    def busy(self) -> list[Machine]:
        """The workers that have something in flight."""
        names = self.rows("SELECT DISTINCT worker FROM deliveries WHERE state = 'sending'")
        pids = {int(name.split(":")[1]) for (name,) in names}
        return [machine for machine in self.workers if machine.processes[0].pid in pids]

    def states(self) -> Counter[str]:
        return Counter(one["state"] for one in self.deliveries())

    def deliveries(self) -> list[dict[str, Any]]:
        return list(json.loads(self.campaign("status", "--json"))["deliveries"])

    def arrived(self) -> Counter[tuple[str, str]]:
        """How often each text arrived at each account."""
        return Counter((post["account"], post["text"]) for post in self.server.ask("posts"))

    def rows(self, query: str) -> list[Any]:
        with psycopg.connect(self.database.url) as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type]

    def until(self, wanted: Callable[[], bool], *, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not wanted():
            assert time.monotonic() < end, self.describe()
            time.sleep(0.05)

    def describe(self) -> str:
        """How things stand, for a failure."""
        open_ones = self.rows(
            "SELECT key, state, token, to_timestamp(lease_until / 1e6), worker FROM deliveries "
            "WHERE state NOT IN ('published', 'waiting') LIMIT 20"
        )
        jobs = self.rows("SELECT dedupe_key, status, queue_manager_id, heartbeat FROM campaign_pgqueuer LIMIT 20")
        said = [f"== {machine.name}\n{machine.said()[-400:]}" for machine in self.machines]
        return "\n".join([str(self.states()), str(self.clock.now()), *map(str, open_ones), *map(str, jobs), *said])

    def settle(self) -> None:
        """Let the clock run until nothing is left but what a person must decide."""
        self.server.ask("faults", shares={})
        for _round in range(20):
            if all(one["state"] in ("published", "uncertain") and self.over(one) for one in self.deliveries()):
                return
            self.clock.advance(LEASE)
            time.sleep(1.5)
        raise AssertionError(self.states())

    @staticmethod
    def over(delivery: dict[str, Any]) -> bool:
        return delivery["state"] == "published" or kind_of(delivery["account"]) == "blind"

    def check_once(self, count: int) -> Counter[str]:
        """Nothing is lost, nothing is double, and what is doubtful is doubtful alone where nobody can look."""
        arrived, states = self.arrived(), Counter[str]()
        deliveries = self.deliveries()
        assert len(deliveries) == count * len(ACCOUNTS)
        for one in deliveries:
            times = arrived[one["account"], f"Kabar {int(one['post'][1:])}."]
            assert times <= 1, one
            assert times == 1 or one["state"] != "published", one
            assert one["state"] == "published" or kind_of(one["account"]) == "blind", one
            states[one["state"]] += 1
        return states

    def check_order(self) -> None:
        """Each account's deliveries were begun in plan order, over all workers."""
        begun = defaultdict(list)
        for account, post in self.rows(
            "SELECT d.account, d.post FROM attempts a JOIN deliveries d ON d.key = a.delivery ORDER BY a.id"
        ):
            if post not in begun[account]:
                begun[account].append(post)
        assert all(posts == sorted(posts) for posts in begun.values()), begun

    def check_places(self) -> None:
        """No account ever had more than five in flight, over all workers."""
        moments = defaultdict(list)
        for account, began, ended in self.rows(
            "SELECT d.account, a.started_at, a.ended_at FROM attempts a JOIN deliveries d ON d.key = a.delivery"
        ):
            moments[account] += [(began, 1), (ended, -1)]
        for account, changes in moments.items():
            flying = 0
            for _at, change in sorted(changes):
                flying += change
                assert flying <= 5, account

    def check_stop(self) -> None:
        """Everything ends cleanly when asked to, and said no word of a fault."""
        for machine in self.machines:
            machine.processes = [one for one in machine.processes if one.poll() is None]
            assert set(machine.stop()) <= {0, 4}, machine.said()
            assert "Traceback" not in machine.said()
            assert "fault of the program" not in machine.said()
            assert self.database.password not in machine.said()


@contextmanager
def union(folder: Path) -> Iterator[Union]:
    """Everything started but the processes. PostgreSQL, which isn't root, must find its clock in the folder."""
    folder.chmod(0o755)
    clock = Clock(folder)
    with ExitStack() as stack:
        database = stack.enter_context(postgres_server(environment=clock.environment))
        server = stack.enter_context(counting_server(seed=7, environment=clock.environment))
        apart = namespaces_permitted()
        made = []
        for number in range(1, 3 + WORKERS):
            name = f"clock{number}" if number <= 2 else f"worker{number - 2}"
            network = Network(number, database, server.port, apart)
            made.append(_machine(stack, folder / name, clock=clock, network=network))
        yield Union(clock, server, database, made[:2], made[2:])


@dataclass(frozen=True)
class Network:
    """What a machine of a number reaches: the database and the counting server, from ``apart`` or over loopback."""

    number: int
    database: PostgresServer
    port: int
    apart: bool


def _machine(stack: ExitStack, folder: Path, *, clock: Clock, network: Network) -> Machine:
    folder.mkdir()
    database, apart = network.database, network.apart
    accounts = "".join(_account(account, network.port) for account in ACCOUNTS)
    (folder / "accounts.yaml").write_text(f"accounts:\n{accounts}rules: {{late_grace: 60d}}\n", encoding="utf-8")
    host = "localhost" if apart else f"127.0.0.{network.number + 1}"
    url = database.url.replace("127.0.0.1", host)
    environment = {**clock.environment, "TOKEN": TOKEN, "CAMPAIGN_DATABASE_URL": url}
    machine = Machine(folder.name, host, folder, environment)
    if apart:
        ports = (database.port, network.port)
        machine.prefix, machine.wire, machine.relays = stack.enter_context(wired(network.number, ports))
    else:
        machine.relays = [Relay(host, database.port)]
    stack.callback(machine.end)
    return machine


def _account(name: str, port: int) -> str:
    address = f'url: "http://localhost:{port}/{name}", token: env:TOKEN'
    if kind_of(name) == "blind":
        return f'  {name}: {{platform: telegram, channel: "@{name}_soak", {address}}}\n'
    return f"  {name}: {{platform: mastodon, handle: {name}, {address}}}\n"


@pytest.fixture
def serikat() -> Iterator[Union]:
    with tempfile.TemporaryDirectory(prefix="serikat") as folder, union(Path(folder)) as made:
        yield made


def test_two_clocks_and_three_workers_send_everything_once(serikat: Union) -> None:
    """Each post arrives once, in order, with at most five in flight for each account over all workers, who share
    the work."""
    serikat.server.ask("faults", shares=SLOW)
    serikat.begin()
    serikat.queue(60)
    serikat.until(lambda: serikat.states()["published"] == 60 * len(ACCOUNTS))
    assert serikat.check_once(60)["published"] == 60 * len(ACCOUNTS)
    serikat.check_order()
    serikat.check_places()
    assert len(serikat.rows("SELECT DISTINCT worker FROM attempts")) > 1
    serikat.until(lambda: serikat.rows("SELECT count(*) FROM campaign_pgqueuer") == [(0,)], seconds=20)
    serikat.check_stop()


def test_a_worker_that_dies_and_one_that_is_frozen_hold_nobody_up(serikat: Union) -> None:
    """What a dead worker had is looked up after its lease, its other keys go on at once; one that sleeps past its
    heartbeat and its lease finds its jobs with others and sends nothing twice."""
    serikat.server.ask("faults", shares=SLOW)
    serikat.begin()
    serikat.queue(80)
    serikat.until(lambda: len(serikat.busy()) >= 2)
    dead, frozen = serikat.busy()[:2]
    dead.processes[0].kill()
    frozen.processes[0].send_signal(signal.SIGSTOP)
    others = [machine for machine in serikat.workers if machine not in (dead, frozen)]
    before = others[0].said().count("published")
    serikat.clock.advance(LEASE)  # the leases of both are over, and so are their heartbeats
    serikat.until(lambda: others[0].said().count("published") > before)
    serikat.until(lambda: serikat.states()["waiting"] + serikat.states()["sending"] == 0)
    frozen.processes[0].send_signal(signal.SIGCONT)
    serikat.settle()
    states = serikat.check_once(80)
    assert states["uncertain"] <= 10  # at most what two workers had in flight where nobody can look
    serikat.check_order()
    dead.processes.pop().wait()
    serikat.check_stop()


def test_a_worker_that_is_cut_off_in_the_middle(serikat: Union) -> None:
    """The others go on, its own deliveries are settled without it, and it works again when it is back."""
    serikat.server.ask("faults", shares=SLOW)
    serikat.begin()
    serikat.queue(80)
    serikat.until(lambda: sum(serikat.arrived().values()) >= 60)
    serikat.until(lambda: len(serikat.busy()) >= 1)
    lost = serikat.busy()[0]
    lost.cut()
    serikat.until(lambda: serikat.states()["waiting"] == 0, seconds=120)
    serikat.clock.advance(LEASE)
    serikat.until(lambda: "can't be used" in lost.said(), seconds=90)
    lost.mend()
    serikat.until(lambda: "can be used again" in lost.said(), seconds=60)
    serikat.settle()
    serikat.check_once(80)
    serikat.check_order()
    for other in serikat.workers:
        if other is not lost:
            assert set(other.stop()) <= {0, 4}, other.said()
    serikat.queue(110)
    serikat.settle()
    serikat.check_once(110)
    serikat.check_stop()


def test_postgresql_is_restarted_in_the_middle_twice(serikat: Union) -> None:
    """A power cut of the server loses nothing that was sent, and nobody has to be started anew."""
    serikat.server.ask("faults", shares=SLOW)
    serikat.begin()
    serikat.queue(100)
    for arrived in (80, 200):
        serikat.until(lambda wanted=arrived: sum(serikat.arrived().values()) >= wanted)  # type: ignore[misc]
        serikat.database.restart(immediate=True)
    serikat.until(lambda: serikat.states()["waiting"] == 0, seconds=90)
    serikat.settle()
    serikat.check_once(100)
    serikat.check_order()
    for machine in serikat.machines:
        assert machine.said().count("warning    The database server") <= 2, machine.said()
    serikat.check_stop()


def test_a_hold_stops_every_worker(serikat: Union) -> None:
    """After `hold` has returned, nothing that it covers arrives from any machine; after `release` the rest goes out."""
    serikat.server.ask("faults", shares=SLOW)
    serikat.begin()
    serikat.queue(80)
    serikat.until(lambda: sum(serikat.arrived().values()) >= 60)
    serikat.campaign("hold", "--reason", "Tunggu.")
    held = sum(serikat.arrived().values())
    time.sleep(3)
    assert sum(serikat.arrived().values()) == held < 80 * len(ACCOUNTS)
    serikat.campaign("release", "--late", "now")
    serikat.until(lambda: serikat.states()["published"] == 80 * len(ACCOUNTS))
    serikat.check_once(80)
    serikat.check_stop()


def test_a_key_that_is_picked_again_and_again_is_sent_once(serikat: Union) -> None:
    """Jobs that pgqueuer gives to two workers, and jobs that come back from the dead, change nothing."""
    serikat.server.ask("faults", shares=SLOW)
    serikat.begin()
    serikat.queue(40)
    with psycopg.connect(serikat.database.url, autocommit=True) as connection:
        again = "UPDATE campaign_pgqueuer SET status = 'queued', queue_manager_id = NULL WHERE status = 'picked'"

        def sent() -> bool:
            if connection.execute("SELECT to_regclass('campaign_pgqueuer')").fetchone() != (None,):
                connection.execute(again)
            return serikat.states()["published"] == 40 * len(ACCOUNTS)

        serikat.until(sent)
    assert serikat.check_once(40)["published"] == 40 * len(ACCOUNTS)
    serikat.check_order()
    serikat.check_stop()
