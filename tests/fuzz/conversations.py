"""What our adapters ask of the stage, noted down request by request, so that it can be asked again with faults."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final
from unittest import mock
from urllib.parse import unquote, urlencode, urlsplit

import h11
import httpx

from campaign_cli import platforms
from campaign_cli.accounts import Workspace
from campaign_cli.errors import Failure
from campaign_cli.models import Part
from campaign_cli.platforms.base import Platform, Sending
from campaign_cli.platforms.http import HttpTransport
from campaign_cli.stage import containers, stage_accounts, stage_workspace
from campaign_cli.stage.app import StageApp, build_app
from campaign_cli.stage.faults import CUT
from tests import platform_helpers as helpers
from tests.stage_helpers import ACCOUNTS, Clock, file_for, with_least

URL: Final = "http://127.0.0.1:4711"
PIECE: Final = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request; ``path`` and ``query`` as they stand on the wire, ``after`` in seconds of the stage's clock;
    ``status`` is how it was answered."""

    method: str
    path: bytes
    query: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    after: float = 0.0
    status: int = 0


@dataclass
class Answered:
    """What the stage said: nothing at all where it cut the connection."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    def header(self, name: bytes) -> str:
        """A header, or ""."""
        return dict(self.headers).get(name, b"").decode("latin-1")


@dataclass
class Table:
    """A stage without sockets, and the clock that it goes by."""

    app: StageApp
    clock: Clock

    async def ask(self, asked: Asked) -> Answered:
        """As uvicorn hands it over, and as h11 must be able to write it. Raises whatever the application raises."""
        answered, pieces = Answered(), [asked.body[at : at + PIECE] for at in range(0, len(asked.body), PIECE)] or [b""]
        gone = False

        def cut() -> None:
            nonlocal gone
            gone = True

        async def receive() -> dict[str, Any]:
            if gone or not pieces:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answered.status, answered.headers = message["status"], list(message.get("headers", ()))
            else:
                answered.body += message.get("body", b"")

        await self.app(_scope(asked, cut), receive, send)
        assert gone or answered.status, "no answer"
        if answered.status:
            h11.Response(status_code=answered.status, headers=answered.headers)
        return answered


def _scope(asked: Asked, cut: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 4711),
        "client": ("127.0.0.1", 50_000),
        "scheme": "http",
        "root_path": "",
        "method": asked.method,
        "path": unquote(asked.path.decode("ascii")),
        "raw_path": asked.path,
        "query_string": asked.query,
        "headers": [(name.lower(), value) for name, value in asked.headers],
        "extensions": {CUT: cut},
    }


@contextmanager
def repeatable() -> Iterator[None]:
    """Tokens that come in the same order every time, so that a conversation can be had again."""
    chance = random.Random(4711)
    made = {
        "token_hex": lambda size=32: chance.randbytes(size).hex(),
        "token_bytes": lambda size=32: chance.randbytes(size),
        "token_urlsafe": lambda size=32: chance.randbytes(size).hex(),
        "randbelow": chance.randrange,
    }
    with mock.patch.multiple("secrets", **made):
        yield


@cache
def _played() -> tuple[Workspace, Mapping[str, str]]:
    with repeatable():
        return stage_workspace(Workspace(root=Path("/nowhere"), accounts=ACCOUNTS), URL)


@contextmanager
def table() -> Iterator[Table]:
    """A stage with one account of each network, as new; the tokens that it will give are always the same."""
    workspace, environment = _played()
    clock, reveal = Clock(), {f"env:{name}": value for name, value in environment.items()}.__getitem__
    with repeatable(), mock.patch.object(containers, "content_at", _laid_out(containers.content_at)):
        app = build_app(clock=clock.now, accounts=stage_accounts(workspace.accounts, reveal=reveal))
        for number in range(2):
            file, mime = file_for("instagram", 64 + number)
            app.state.files[helpers.picture(file).sha256] = (mime, file)
        app.state.files[helpers.video().sha256] = ("video/mp4", helpers.VIDEO)
        yield Table(app, clock)


def _laid_out(fetch: Callable[[str], Awaitable[bytes | None]]) -> Callable[[str], Awaitable[bytes | None]]:
    """Fetching where no stage listens: its own media is at hand, everything else is really asked for."""

    async def content(address: str) -> bytes | None:
        start, _slash, digest = address.rpartition("/")
        return helpers.content_of(digest) if start == f"{URL}/_stage/media" else await fetch(address)

    return content


@dataclass
class Notes(httpx.AsyncBaseTransport):
    """A wire that ends at the table, and notes what went over it."""

    table: Table
    asked: list[Asked] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Ask the table."""
        path, _mark, query = request.url.raw_path.partition(b"?")
        answered = await self.note(
            Asked(
                method=request.method,
                path=path,
                query=query,
                headers=tuple((name.lower(), value) for name, value in request.headers.raw),
                body=await request.aread(),
            )
        )
        return httpx.Response(answered.status, headers=answered.headers, content=answered.body)

    async def note(self, asked: Asked) -> Answered:
        """Ask, and keep both."""
        after = (self.table.clock.now() - Clock().now()).total_seconds()
        answered = await self.table.ask(asked)
        self.asked.append(replace(asked, after=after, status=answered.status))
        return answered


def account_of(platform: str) -> tuple[str, Mapping[str, str]]:
    """The path of a network's account on the stage, and its secrets by setting."""
    workspace, environment = _played()
    account = next(each for each in workspace.accounts.values() if each.platform == platform)
    names = [name for name in platforms.get(platform).secrets if account.settings.get(name)]
    path = f"/{platform}/{account.name}"
    return path, {name: environment[str(account.settings[name]).removeprefix("env:")] for name in names}


@cache
def conversation(platform: str) -> tuple[Asked, ...]:
    """Everything that the adapter of a network asks for: posts with and without pictures, a thread, looking up, reading
    back, checking, signing in, taking down; then the stage's own addresses."""
    with table() as open_table:
        notes = Notes(open_table)
        asyncio.run(_talk(platforms.get(platform), notes))
        return tuple(notes.asked)


async def _talk(adapter: Platform, notes: Notes) -> None:
    if not adapter.by_hand:
        await _publish(adapter, notes)
    await _sign_in(adapter, notes)
    kind = ((b"content-type", b"application/json"),)
    order = b'{"kind": "503", "platform": "%s", "times": 1}' % adapter.name.encode()
    await notes.note(Asked(method="POST", path=b"/_stage/misbehave", headers=kind, body=order))
    await notes.note(Asked(method="POST", path=b"/_stage/oauth", headers=kind, body=b'{"lifetime": 600}'))
    await notes.note(Asked(method="GET", path=b"/_stage/media/" + helpers.video().sha256.encode()))
    await notes.note(Asked(method="GET", path=b"/", query=b"account=nasional&platform=mastodon"))


async def _publish(adapter: Platform, notes: Notes) -> None:
    mime = file_for(adapter.name)[1]
    files = [file_for(adapter.name, 64 + number)[0] for number in range(min(2, adapter.limits.images))]
    pictures = tuple(helpers.picture(file, mime=mime, alt="Massa aksi") for file in files)
    plain = "Upah layak adalah hak. https://contoh.example/upah #UpahLayak"
    thread = (Part(text=plain), Part(text="Bagian dua.")) if adapter.threads else (Part(text=plain),)
    receipts = []
    for text, native in ((thread, {}), ((Part(text="Dengan gambar.", media=pictures),), {"title": "Upah"})):
        earlier: tuple[Any, ...] = ()
        for part in range(len(text)):
            with suppress(Failure):
                key = f"{len(receipts)}{part}".zfill(40)
                sending = _sending(adapter, notes, content=text, part=part, earlier=earlier, native=native, key=key)
                earlier = (*earlier, await adapter.publish(sending))
        receipts.extend(earlier)
    last = _sending(adapter, notes, content=thread[:1])
    for ask in (lambda: adapter.look_up(last, Clock().now() - timedelta(hours=1)), lambda: adapter.check(last)):
        with suppress(Failure):
            await ask()
    for receipt in receipts:
        for ask in (adapter.read_back, adapter.delete):
            with suppress(Failure):
                await ask(last, receipt)
        with suppress(Failure):
            await adapter.find(last, receipt.url or "")


def _sending(adapter: Platform, notes: Notes, **members: Any) -> Sending:
    workspace, _environment = _played()
    account = next(each for each in workspace.accounts.values() if each.platform == adapter.name)
    clock = notes.table.clock
    members["content"], bytes_of = with_least(adapter.name, members["content"])
    transport = HttpTransport(redact=str, now=clock.now, wire=notes, pause_until=adapter.pause_until)
    secrets = account_of(adapter.name)[1]
    settings = adapter.Settings.model_validate(dict(account.settings)).model_dump(by_alias=True)
    made = helpers.sending(
        adapter, transport, settings=settings, secrets=secrets, clock=clock, bytes_of=bytes_of, **members
    )

    async def public_url(picture: Any) -> str:
        return f"{URL}/_stage/media/{picture.sha256}"

    made.public_url = public_url  # type: ignore[assignment]
    return made


async def _sign_in(adapter: Platform, notes: Notes) -> None:
    """Ask for a code, trade it, renew: as far as the network goes."""
    facts = adapter.oauth
    if facts is None:
        return
    root, form = account_of(adapter.name)[0], ((b"content-type", b"application/x-www-form-urlencoded"),)

    async def ask(method: str, address: str, values: Mapping[str, str]) -> Answered:
        text, path = urlencode(values).encode(), (root + urlsplit(address.replace("{url}", "")).path).encode()
        if method == "GET":
            return await notes.note(Asked(method=method, path=path, query=text))
        return await notes.note(Asked(method=method, path=path, headers=form, body=text))

    client, secret = "kami", {}
    if facts.registers:
        made = await ask("POST", facts.registers, {"client_name": "kami", "redirect_uris": f"{URL}/kembali"})
        client = json.loads(made.body)["client_id"]
        secret = {"client_secret": json.loads(made.body)["client_secret"]}
    both, proof = {facts.client_name: client, "redirect_uri": f"{URL}/kembali"}, "v" * 43
    digest = hashlib.sha256(proof.encode()).digest()
    hashed = digest.hex() if facts.challenge == "hex" else urlsafe_b64encode(digest).decode().rstrip("=")
    wish = {"response_type": "code", "state": "s", "scope": " ".join(facts.scopes), "code_challenge": hashed}
    led = await ask("GET", facts.authorize, wish | both)
    code = led.header(b"location").partition("code=")[2].partition("&")[0]
    trade = {"grant_type": "authorization_code", "code": code, "code_verifier": proof}
    given = await ask("POST", facts.token, trade | both | secret)
    tokens = json.loads(given.body)
    renewal = {"grant_type": "refresh_token", "refresh_token": str(tokens.get("refresh_token")), **both, **secret}
    await ask("POST", facts.token, renewal)
    for address, _fields in facts.exchange:
        await ask("GET", address, {"access_token": tokens["access_token"]})
