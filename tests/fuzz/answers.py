"""Every adapter against servers that answer anything: the answer that it expects, spoilt in some places."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import httpx
from hypothesis import strategies as st

from campaign_cli import platforms
from campaign_cli.errors import CampaignError
from campaign_cli.models import Part, Receipt
from campaign_cli.platforms.base import LookUp, Platform, RemotePost, Request, Sending
from campaign_cli.platforms.http import HttpTransport
from tests import platform_helpers as helpers
from tests.fault_lines import AUTOMATIC
from tests.stage_helpers import ACCOUNTS, with_least

SECRET: Final = "123456789:rahasia-kelompok-4711-abcdefghijklm"  # made up, in the form of Telegram's
SECRETS: Final[Mapping[str, str]] = {
    "recipients": "telepon,nama\n+628120000011,Siti\n",
    "webhook": f"https://discord.com/api/webhooks/123456789/{SECRET[10:]}",
}
NASTY: Final[tuple[Any, ...]] = (
    *(None, "", 0, -1, 1e308, True, [], {}, [[]], [None], {"": None}),
    *("\x1b]0;judul\x07\x1b[2J", "a\x00b", "\ud83d", "\u202e", "x" * 70_000, "../../etc/passwd", "=cmd()", "<script>"),
    *("http://169.254.169.254/", "file:///etc/passwd", "0000-00-00", "9999-12-31T23:59:60Z", "NaN", 2**70, -(2**70)),
)
BODIES: Final = (b"", b"null", b"[]", b"{", b'"x"', b"\xff\xfe", b"<html>maaf</html>", b"[" * 9_000, b'{"a":1}' * 9_000)
STATUSES: Final = (200, 201, 202, 204, 206, 301, 302, 308, 400, 401, 403, 404, 409, 410, 422, 429, 500, 502, 503, 599)
HEADERS: Final[tuple[tuple[str, str], ...]] = (
    *(("retry-after", value) for value in ("0", "-5", "99999999999", "besok", "Wed, 21 Oct 2015 07:28:00 GMT", "1e9")),
    *(("x-ratelimit-reset", value) for value in ("0", "-1", "nan", "9" * 40, "2026-99-99")),
    *(("ratelimit-reset", "inf"), ("x-rate-limit-reset", "1e400"), ("x-ratelimit-reset-after", "NaN")),
    *(("location", value) for value in ("", "//evil.example/", "http://127.0.0.1:1/", "gopher://x", "/\x7f")),
    *(("content-type", "text/html"), ("content-type", "application/json; charset=utf-7"), ("range", "bytes=x-")),
    *(("x-restli-id", ""), ("x-restli-id", "\x1b[31m"), ("content-length", "5"), ("content-encoding", "gzip")),
)


@dataclass(frozen=True, kw_only=True)
class Spoilt:
    """How one answer differs from the expected one: values put at places of its JSON (the place counts modulo its
    number of places), or a whole other body; another status; more headers."""

    places: tuple[tuple[int, Any], ...] = ()
    body: bytes | None = None
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()


def seldom(strategy: st.SearchStrategy[Any], nothing: Any = None) -> st.SearchStrategy[Any]:
    """One time in five; otherwise nothing. (``one_of`` forgets a strategy that it is given twice.)"""
    return st.integers(0, 4).flatmap(lambda one: strategy if one == 4 else st.just(nothing))


place = st.tuples(st.integers(0, 400), st.sampled_from(NASTY))
spoilt = st.builds(
    Spoilt,
    places=st.one_of(st.just(()), st.lists(place, min_size=1, max_size=3).map(tuple)),
    body=seldom(st.one_of(st.sampled_from(BODIES), st.binary(max_size=40))),
    status=seldom(st.sampled_from(STATUSES)),
    headers=seldom(st.lists(st.sampled_from(HEADERS), min_size=1, max_size=2).map(tuple), ()),
)
cases = st.tuples(
    st.sampled_from(AUTOMATIC),
    st.sampled_from(("publish", "look_up", "read_back", "delete", "check", "find")),
    st.lists(spoilt, min_size=1, max_size=6),
)
Case = tuple[str, str, list[Spoilt]]


@dataclass
class Wire:
    """Answers each request with its own sample, spoilt as the next order says (the last one holds on)."""

    orders: list[Spoilt]
    expected: Request | None = None
    unreadable_creations: int = 0
    count: int = 0

    def __call__(self, _request: httpx.Request) -> httpx.Response:
        order = self.orders[min(self.count, len(self.orders) - 1)]
        self.count += 1
        expected = self.expected
        assert expected is not None
        body = order.body
        if body is None:
            sample = json.loads(json.dumps(expected.sample))
            for place, value in order.places:
                sample = put(sample, place, deepcopy(value))
            text = sample if isinstance(sample, str) and not order.places else json.dumps(sample)
            body = text.encode("utf-8", "surrogatepass")
        headers = {**expected.sample_headers, **dict(order.headers)}
        return httpx.Response(
            order.status or 200,
            headers=[(name, value.encode("utf-8")) for name, value in headers.items()],
            stream=httpx.ByteStream(body),
        )


@dataclass
class Http:
    """The real transport over the wire; it tells the wire what is asked for. Endless asking is a fault."""

    transport: HttpTransport
    wire: Wire
    asked: int = field(default=0)

    async def send(self, request: Request) -> Any:
        """The answer, or the failure that it means."""
        self.asked += 1
        assert self.asked < 2_000, "it asks for ever"
        self.wire.expected = request
        return await self.transport.send(request)


def attempt(case: Case) -> str:
    """Run one case; what it ended with. Raises AssertionError, or whatever must never come out of an adapter."""
    name, operation, orders = case
    platform = platforms.get(name)
    sending = _sending(platform, orders)
    try:
        result = asyncio.run(_run(platform, operation, sending))
    except CampaignError as error:
        told = f"{error.message} {error.fix}"
        assert SECRET[10:] not in told, told
        assert not [sign for sign in error.message if sign < " " and sign != "\n"], error.message
        return type(error).__name__
    if operation == "publish":
        assert isinstance(result, Receipt)
    elif operation == "look_up":
        assert isinstance(result, LookUp)
    elif operation == "read_back":
        assert result is None or isinstance(result, RemotePost)
    return type(result).__name__


def _sending(platform: Platform, orders: list[Spoilt]) -> Sending:
    account = next(one for one in ACCOUNTS.values() if one.platform == platform.name)
    secrets = {name: SECRETS.get(name, SECRET) for name in platform.secrets}
    clock, wire = helpers.Clock(), Wire(orders)
    transport = HttpTransport(
        redact=lambda text: text.replace(SECRET, "•••"),
        now=clock.now,
        wire=helpers.wire_to(wire),
        pause_until=platform.pause_until,
    )
    http = Http(transport, wire)
    content, bytes_of = with_least(platform.name, (Part(text="Upah layak adalah hak."),))
    settings = platform.Settings.model_validate(dict(account.settings)).model_dump(by_alias=True)
    made = helpers.sending(
        platform, http, settings=settings, secrets=secrets, content=content, bytes_of=bytes_of, clock=clock
    )

    async def public_url(_picture: object) -> str:
        return "https://contoh.example/media/poster.jpg"

    made.public_url = public_url  # type: ignore[assignment]
    return made


async def _run(platform: Platform, operation: str, sending: Sending) -> Any:
    receipt = Receipt(part=0, id="1234567890", url="https://contoh.example/1", at=helpers.NOW)
    if operation == "publish":
        return await platform.publish(sending)
    if operation == "look_up":
        return await platform.look_up(sending, helpers.NOW - timedelta(minutes=5))
    if operation == "find":
        return await platform.find(sending, "https://contoh.example/1")
    if operation == "check":
        return await platform.check(sending)
    return await getattr(platform, operation)(sending, receipt)


def put(value: Any, place: int, nasty: Any) -> Any:
    """The value with ``nasty`` at one of its places; place 0 is the whole."""
    places = list(_places(value, ()))
    path = places[place % len(places)]
    if not path:
        return nasty
    inside = value
    for step in path[:-1]:
        inside = inside[step]
    if place % 7 == 6 and isinstance(inside, dict):
        del inside[path[-1]]
    else:
        inside[path[-1]] = nasty
    return value


def _places(value: Any, path: tuple[Any, ...]) -> Any:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inside in items:
        yield from _places(inside, (*path, step))
