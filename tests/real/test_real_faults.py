"""Each fault at each request that changes something, and kill -9 in between, on the real servers: exactly once.

The real command publishes through proxies that spoil every request the first time. Later passes run some minutes
ahead of the servers, as ``CLOCK_AHEAD`` says, so that nobody has to wait for leases and for the proof of absence.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import Servers, Workspace, wait_until
from fault_proxy import KINDS, FaultProxy, Proxies
from PIL import Image
from soak.clock import Clock

NETWORKS = ("mastodon", "bluesky", "web", "matrix")
PARTS = ("satu", "dua", "tiga")
STEP = 100
"""Seconds by which a pass runs ahead of the one before: a lease, or the proof of absence, and a little."""
KILLED_STEP = 200
"""After a kill: a lease, and then the proof of absence."""
PASSES, KILLS = 16, 24
SETTLED = {"published", "failed", "missed", "cancelled"}


@dataclass
class Faulty:
    """A workspace whose accounts are proxies, by ``kind-network``; the clock of its processes can be moved."""

    workspace: Workspace
    clock: Clock
    proxies: dict[str, FaultProxy]
    servers: Servers
    run: str

    def text(self, name: str, shape: str, part: str = "") -> str:
        """What no other post of these servers says."""
        return f"Kabar {self.run} {name} {shape}{part}."

    def plan(self) -> str:
        """A text, a picture and a thread for every proxy."""
        posts = []
        for name in self.proxies:
            head = f"at: @AT@, accounts: [{name}]"
            parts = json.dumps([self.text(name, "utas", part) for part in PARTS])
            media = f"[{{file: media/{name}.png, alt: {json.dumps(self.text(name, 'poster'))}, consent: true}}]"
            posts += [
                f"  - {{id: {name}-teks, {head}, text: {json.dumps(self.text(name, 'teks'))}}}",
                f"  - {{id: {name}-gambar, {head}, text: {json.dumps(self.text(name, 'gambar'))}, media: {media}}}",
                f"  - {{id: {name}-utas, {head}, text: {json.dumps(self.text(name, 'judul'))}, thread: {parts}}}",
            ]
        return "campaign: gangguan\ntimezone: WIB\nlanguage: id\naccounts: [semua]\nposts:\n" + "\n".join(posts) + "\n"

    def publish(self) -> subprocess.CompletedProcess[str]:
        """One pass on the clock as it is now."""
        return self.workspace.campaign("publish", "--grace", "24h")

    def kill_when_held(self) -> int:
        """One pass, killed when a server has accepted something whose answer is held back; its exit code."""
        for proxy in self.proxies.values():
            proxy.holding.clear()
        command = [sys.executable, "-m", "campaign_cli", "publish", "--grace", "24h"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CAMPAIGN_")}
        with subprocess.Popen(
            command,
            cwd=self.workspace.folder,
            env=environment | dict(self.workspace.secrets),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                while process.poll() is None and not any(proxy.holding.wait(0.02) for proxy in self.proxies.values()):
                    pass
            finally:
                process.kill()
        return process.returncode

    def settle(self) -> list[str]:
        """Pass after pass until nothing moves any more; what is not published then."""
        for _pass in range(PASSES):
            ran = self.publish()
            states = {item["state"] for item in self.workspace.deliveries().values()}
            assert ran.returncode == _code(states), f"{states}: {ran.stdout}\n{ran.stderr}"
            assert not any(secret in ran.stdout + ran.stderr for secret in self.workspace.secrets.values())
            if states <= SETTLED:
                break
            self.clock.advance(STEP)
        found = self.workspace.deliveries()
        return [
            f"{name}: {item['state']}: {item['error']}" for name, item in found.items() if item["state"] != "published"
        ]

    def amounts(self, network: str) -> Counter[str]:
        """How often each of our texts is on the real server; WordPress has a thread in one post, Matrix a picture in an
        event of its own."""
        client: Any = {"web": self.servers.wordpress}.get(network) or getattr(self.servers, network)
        own = [text for text in client.texts() if f"Kabar {self.run} " in text]
        names = [name for name in self.proxies if name.endswith(f"-{network}")]
        shapes = ("teks", "gambar", "poster") if network == "matrix" else ("teks", "gambar")
        wanted = [self.text(name, shape) for name in names for shape in shapes]
        wanted += [self.text(name, "utas", part) for name in names for part in PARTS]
        return Counter({text: sum(text in one for one in own) for text in wanted})


def _code(states: set[str]) -> int:
    """The exit code that goes with these states."""
    return 4 if "uncertain" in states else 1 if states & {"failed", "missed"} else 0


@contextmanager
def faulty(folder: Path, servers: Servers, kinds: tuple[str, ...]) -> Iterator[Faulty]:
    """The real servers behind one proxy for each of these faults."""
    targets = {"mastodon": servers.mastodon.url, "bluesky": servers.bluesky.url, "web": servers.wordpress.url}
    targets["matrix"] = servers.matrix.url
    proxies = {
        f"k{number}-{network}": FaultProxy(target, kind)
        for number, kind in enumerate(kinds)
        for network, target in targets.items()
    }
    with Proxies(list(proxies.values())):
        clock = Clock(folder)
        secrets = _write_workspace(folder, proxies, servers)
        workspace = Workspace(folder=folder, secrets=secrets | clock.environment)
        yield Faulty(workspace, clock, proxies, servers, f"{time.time_ns() % 10**9}")


def _write_workspace(folder: Path, proxies: dict[str, FaultProxy], servers: Servers) -> dict[str, str]:
    """accounts.yaml and pictures; the secrets, each account's under a name of its own."""
    lines, secrets = ["accounts:"], {}
    (folder / "media").mkdir()
    known = {
        "mastodon": ("token", servers.mastodon.token, "platform: mastodon"),
        "bluesky": ("password", servers.bluesky.password, f"platform: bluesky, handle: {servers.bluesky.handle}"),
        "web": ("password", servers.wordpress.password, "platform: wordpress, username: redaksi"),
        "matrix": ("token", servers.matrix.token, f'platform: matrix, room: "{servers.matrix.room}"'),
    }
    for number, (name, proxy) in enumerate(proxies.items()):
        setting, secret, rest = known[name.partition("-")[2]]
        variable = f"RAHASIA_{number}"
        secrets[variable] = secret
        lines.append(f'  {name}: {{{rest}, url: "{proxy.url}", {setting}: env:{variable}}}')
        Image.new("RGB", (320, 240), (number * 9 % 256, number * 31 % 256, 90)).save(folder / "media" / f"{name}.png")
    lines.append(f"groups: {{semua: [{', '.join(proxies)}]}}")
    (folder / "accounts.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return secrets


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory, servers: Servers) -> Iterator[tuple[Faulty, list[str]]]:
    """Every fault at every request, and passes until nothing moves; what is not published after that."""
    with faulty(tmp_path_factory.mktemp("gangguan"), servers, KINDS) as made:
        wait_until(made.workspace.queue(made.plan()))
        yield made, made.settle()


def test_everything_is_published_in_the_end(spoilt: tuple[Faulty, list[str]]) -> None:
    """These networks can prove what became of a request, so nobody has to decide."""
    assert spoilt[1] == []


@pytest.mark.parametrize("network", NETWORKS)
def test_each_part_is_on_the_real_server_once(spoilt: tuple[Faulty, list[str]], network: str) -> None:
    """Read back by another client: every text, picture post and part of a thread is there, and none twice."""
    amounts = spoilt[0].amounts(network)
    assert {text: number for text, number in amounts.items() if number != 1} == {}
    assert len(amounts) == len(KINDS) * (2 + len(PARTS) + (network == "matrix"))


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("number", range(len(KINDS)), ids=KINDS)
def test_every_fault_struck(spoilt: tuple[Faulty, list[str]], network: str, number: int) -> None:
    """Each proxy has spoilt as many requests as there were different ones: at least one for each post and part."""
    posts = 2 + (1 if network == "web" else len(PARTS))
    assert spoilt[0].proxies[f"k{number}-{network}"].struck.total() >= posts


def test_kill_9_after_acceptance(tmp_path: Path, servers: Servers) -> None:
    """The command is killed while the servers' answers are on the way, again and again, at every request in turn."""
    with faulty(tmp_path, servers, ("hold",)) as made:
        wait_until(made.workspace.queue(made.plan()))
        codes = []
        while (code := made.kill_when_held()) == -signal.SIGKILL and len(codes) < KILLS:
            codes.append(code)
            made.clock.advance(KILLED_STEP)
        assert len(codes) >= 5
        assert made.settle() == []
        for network in NETWORKS:
            amounts = made.amounts(network)
            assert set(amounts.values()) == {1}, amounts
