"""Sign-ins against a stage: a workspace whose accounts log in there, and a browser that allows everything."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from campaign_cli import platforms
from campaign_cli.credentials import Secrets
from campaign_cli.errors import InputError
from campaign_cli.logins import Login
from campaign_cli.models import Account
from campaign_cli.plan import open_workspace
from campaign_cli.platforms.base import Choice, Platform
from campaign_cli.platforms.http import HttpTransport
from campaign_cli.signin.client import Application
from campaign_cli.signin.flow import SignedIn, Ways, sign_in
from campaign_cli.signin.renewal import Keeper
from campaign_cli.stage.server import StageServer
from campaign_cli.stage.state import StageAccount

START = datetime(2030, 5, 1, 1, 0, tzinfo=UTC)
OURS = Application(client_id="aplikasi-kami", client_secret="rahasia-aplikasi-5f1e")


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        """The instant."""
        return self.at

    def move(self, **time: float) -> None:
        """Let time pass."""
        self.at += timedelta(**time)


class Now(Clock):
    """The wall clock, as the commands have it, and as far ahead as it is moved."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        """The instant."""
        return datetime.now(UTC) + self.ahead

    def move(self, **time: float) -> None:
        """Let time pass."""
        self.ahead += timedelta(**time)


@dataclass
class Browser:
    """``People`` whose browser goes where it is led, in a thread of its own. ``pages`` are what it showed last."""

    pasted: str | None = None  # what is pasted; None: the address at which the browser arrived
    chosen: str | None = None
    shown: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    asked: list[Sequence[Choice]] = field(default_factory=list)
    follow: bool = True
    _thread: threading.Thread | None = None

    def show(self, address: str, *, redirect: str) -> None:
        """Open the address."""
        self.shown += [address, redirect]
        if self.follow:
            self._thread = threading.Thread(target=self._open, args=(address,), daemon=True)
            self._thread.start()

    def _open(self, address: str) -> None:
        with httpx.Client(trust_env=False, follow_redirects=True, timeout=10) as client:
            self.pages.append(client.get(address).text)

    def paste(self, wrong: InputError | None = None) -> str:
        """The address at which a browser arrives that can't reach this machine's port. Nobody pastes twice."""
        if wrong is not None:
            raise wrong
        if self.pasted is not None:
            return self.pasted
        answer = httpx.get(self.shown[0], trust_env=False, timeout=10)
        return answer.headers.get("location", "")

    async def choose(self, question: str, choices: Sequence[Choice]) -> str:
        """The wanted one."""
        self.asked.append(choices)
        return self.chosen or choices[0].value

    def close(self) -> None:
        """Wait until its page is there."""
        if self._thread is not None:
            self._thread.join(10)


@dataclass
class Office:
    """A workspace with accounts on a stage."""

    root: Path
    server: StageServer
    clock: Clock
    accounts: dict[str, Account]

    def secrets(self) -> Secrets:
        """As a new process opens them."""
        return Secrets(environment={}, root=self.root)

    def rules(self, **rules: Any) -> dict[str, int]:
        """Set rules of the stage's sign-ins; what it has counted."""
        answer = httpx.post(f"{self.server.url}/_stage/oauth", json=rules, trust_env=False)
        answer.raise_for_status()
        counts: dict[str, int] = answer.json()["counts"]
        return counts

    def sign_in(
        self,
        name: str,
        *,
        browser: Browser | None = None,
        platform: Platform | None = None,
        secrets: Secrets | None = None,
        **ways: Any,
    ) -> SignedIn:
        """Sign in, and store what came of it."""
        account, opened = self.accounts[name], secrets or self.secrets()
        adapter, person = platform or platforms.get(account.platform), browser or Browser()
        ways = {"application": None if adapter.oauth and adapter.oauth.registers else OURS, "port": 0, **ways}

        async def main() -> SignedIn:
            http = HttpTransport(redact=opened.redact, now=self.clock.now)
            try:
                return await sign_in(
                    adapter,
                    account,
                    ways=Ways(**ways),
                    people=person,
                    http=http,
                    secrets=opened,
                    clock=self.clock.now,
                )
            finally:
                await http.aclose()

        signed = asyncio.run(main())
        person.close()
        opened.logins.change(name, lambda _before: signed.login)
        return signed

    def keeper(self, secrets: Secrets) -> Keeper:
        """Who keeps logins alive."""
        return Keeper(
            secrets=secrets,
            clock=self.clock.now,
            transport=lambda: HttpTransport(redact=secrets.redact, now=self.clock.now, time_out=10),
        )

    def ready(self, name: str, secrets: Secrets | None = None) -> str:
        """Have a good token for an account; gives it."""
        opened = secrets or self.secrets()
        asyncio.run(self.keeper(opened).ready(self.accounts[name]))
        return opened.reveal(f"login:{name}")

    def login(self, name: str) -> Login:
        """What is on the disk."""
        found = self.secrets().logins.read(name)
        assert found is not None
        return found

    def works(self, name: str, token: str) -> bool:
        """Whether the stage takes the token."""
        path = {"x": "2/users/me", "mastodon": "api/v1/accounts/verify_credentials"}[self.accounts[name].platform]
        headers = {"Authorization": f"Bearer {token}"}
        address = f"{self.accounts[name].settings['url']}/{path}"
        return httpx.get(address, headers=headers, trust_env=False).status_code == 200


@contextmanager
def office(root: Path, *, clock: Clock | None = None) -> Iterator[Office]:
    """A workspace with one account of X and one of Mastodon, which log in on a stage of their own."""
    time = clock or Clock()
    with StageServer(clock=time.now) as server:
        names = {"kicau": "x", "toot": "mastodon"}
        lines = [
            f'  {name}: {{platform: {network}, url: "{server.url}/{network}/{name}", token: login:{name}}}'
            for name, network in names.items()
        ]
        (root / "accounts.yaml").write_text("\n".join(["accounts:", *lines, ""]), encoding="utf-8")
        server.state.add_accounts(
            {
                name: StageAccount(name=name, platform=network, user=name, secret=f"tertutup-{name}")
                for name, network in names.items()
            }
        )
        workspace, problems = open_workspace(root)
        assert not problems
        yield Office(root=root, server=server, clock=time, accounts=dict(workspace.accounts))


@contextmanager
def started(root: Path, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own, ended whatever happens. Its clock is ours, also where that is moved."""
    command = [sys.executable, "-m", "campaign_cli", "--lang", "en", *arguments]
    base = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(map(str, sys.path)), "HOME": str(root)}
    base |= {name: os.environ[name] for name in ("LD_PRELOAD", "CLOCK_AHEAD") if name in os.environ}
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        command, cwd=root, env={**base, **environment}, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
