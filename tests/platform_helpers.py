"""A scripted network for adapter tests: answers in order, every request kept as it really left."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qsl

import httpx

from campaign_cli.errors import Failure
from campaign_cli.models import Account, Draft, Part, Picture, Receipt
from campaign_cli.platforms.base import Http, Platform, Sending
from campaign_cli.platforms.http import HttpTransport

NOW = datetime(2026, 12, 3, 1, 0, 5, 250_000, tzinfo=UTC)
DUE = datetime(2026, 12, 3, 1, 0, 0, tzinfo=UTC)
PNG = bytes.fromhex(  # one transparent pixel
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000000000500010d0a2db400000000"
    "49454e44ae426082"
)

VIDEO = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 4352
"""A made-up video of a bit more than 1 MiB: enough to go out in pieces."""
CONTENT = (Part(text="Upah layak adalah hak."),)
_MADE: dict[str, bytes] = {}

Reply = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


def answer(status: int = 200, data: Any = None, *, headers: Mapping[str, str] | None = None, text: str = "") -> Reply:
    """A JSON answer (or a plain one with ``text``)."""
    if text:
        return httpx.Response(status, text=text, headers=headers)
    return httpx.Response(status, json=data, headers=headers)


@dataclass(kw_only=True)
class Network:
    """Answers each request with the next of ``replies``, or by the route ``METHOD /path`` where ``routes`` has it.

    A route's value is one reply for ever, or a list that is used up. An exception is raised as the transport would.
    """

    replies: list[Reply] = field(default_factory=list)
    routes: dict[str, Reply | list[Reply]] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        route = f"{request.method} {request.url.path}"
        reply: Any = self.routes.get(route)
        if isinstance(reply, list):
            assert reply, f"no answer left for {route}"
            reply = reply.pop(0)
        elif reply is None:
            assert self.replies, f"no answer scripted for {route}"
            reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return (
            httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)
            if isinstance(reply, httpx.Response)
            else reply(request)
        )

    def sent(self, method: str, path: str) -> list[httpx.Request]:
        """The requests of one kind, in order."""
        return [request for request in self.requests if (request.method, request.url.path) == (method, path)]


def wire_to(network: Callable[[httpx.Request], httpx.Response]) -> httpx.AsyncBaseTransport:
    """A wire that ends at ``network``."""
    return httpx.MockTransport(network)


def json_of(request: httpx.Request) -> Any:
    """The JSON body of a request."""
    return json.loads(request.content)


def form_of(request: httpx.Request) -> list[tuple[str, str]]:
    """The fields of a form body, in order."""
    return parse_qsl(request.content.decode(), keep_blank_values=True)


def multipart_of(request: httpx.Request) -> dict[str, tuple[str | None, str, bytes]]:
    """The fields of a multipart body: name → (file name, content type, bytes)."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    fields: dict[str, tuple[str | None, str, bytes]] = {}
    for piece in message_from_bytes(head + request.content).walk():
        name = piece.get_param("name", header="content-disposition")
        if name:
            fields[str(name)] = (piece.get_filename(), piece.get_content_type(), piece.get_payload(decode=True))
    return fields


def picture(
    content: bytes = PNG, *, alt: str = "Poster aksi", name: str = "poster.png", mime: str = "image/png"
) -> Picture:
    """A prepared picture; its bytes come from ``content`` by hash."""
    return Picture(sha256=_made(content), name=name, mime=mime, size=len(content), width=1200, height=675, alt=alt)


def video(content: bytes = VIDEO, *, name: str = "aksi.mp4", mime: str = "video/mp4", seconds: float = 31.5) -> Picture:
    """A prepared video; its bytes come from ``content`` by hash."""
    still = picture(content, alt="", name=name, mime=mime)
    return replace(still, width=1080, height=1920, seconds=seconds)


def content_of(digest: str) -> bytes:
    """The bytes of a picture or a video that was made here; of any other, a pixel."""
    return _MADE.get(digest, PNG)


def _made(content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    _MADE[digest] = content
    return digest


def parts(*texts: str, media: Iterable[Picture] = ()) -> tuple[Part, ...]:
    """The parts of a thread; the pictures go with the first."""
    pictures = tuple(media)
    return tuple(Part(text=text, media=pictures if index == 0 else ()) for index, text in enumerate(texts))


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)


def sending(
    platform: Platform,
    network: Callable[[httpx.Request], httpx.Response] | Http,
    *,
    settings: Mapping[str, Any],
    secrets: Mapping[str, str],
    content: tuple[Part, ...] = CONTENT,
    part: int = 0,
    key: str = "0123456789abcdef0123456789abcdef01234567",
    due: datetime = DUE,
    earlier: tuple[Receipt, ...] = (),
    steps: dict[str, Any] | None = None,
    language: str = "id",
    visibility: str | None = None,
    link: str | None = None,
    native: Mapping[str, Any] | None = None,
    bytes_of: Mapping[str, bytes] | None = None,
    clock: Clock | None = None,
    memory: dict[str, Any] | None = None,
) -> Sending:
    """One part on its way out through the real transport to a scripted network (or through a given ``Http``).

    Kept steps land in ``sending.steps``, as after a durable write. Secrets are redacted as the real ones are.
    """
    clock = clock or Clock()
    account = Account(name="nasional", platform=platform.name, settings=dict(settings))
    done: dict[str, Any] = {} if steps is None else steps

    async def keep(name: str, value: Any) -> None:
        json.dumps(value)  # a step must survive a restart
        done[name] = value

    async def load(wanted: Picture) -> bytes:
        return (bytes_of or {}).get(wanted.sha256) or content_of(wanted.sha256)

    def redact(text: str) -> str:
        for secret in secrets.values():
            text = text.replace(secret, "•••")
        return text

    http: Http = (
        network
        if hasattr(network, "send")
        else HttpTransport(redact=redact, now=clock.now, wire=wire_to(network), pause_until=platform.pause_until)
    )
    return Sending(
        account=account,
        http=http,
        secret=lambda name: secrets[name],
        now=clock.now,
        sleep=clock.sleep,
        memory={} if memory is None else memory,
        draft=Draft(
            platform=platform.name,
            account=account.name,
            address=platform.address(account),
            language=language,
            parts=content,
            visibility=visibility,
            link=link,
            native=dict(native or {}),
        ),
        part=part,
        key=key,
        due=due,
        earlier=earlier,
        steps=done,
        keep=keep,
        load=load,
    )


async def failure_of(awaitable: Any) -> Failure:
    """The failure that it ends with."""
    try:
        result = await awaitable
    except Failure as failure:
        return failure
    raise AssertionError(f"no failure, but {result!r}")
