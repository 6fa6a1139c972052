"""The transport: what each answer, and each missing one, means."""

from __future__ import annotations

import asyncio
import gzip
import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

import httpx
import pytest
from platform_helpers import NOW, Network, answer, failure_of, wire_to

from campaign_cli.errors import Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.platforms.answers import EXPLANATION_LENGTH, ask, shown_url
from campaign_cli.platforms.base import Answer, Request, Upload
from campaign_cli.platforms.connections import new_wire
from campaign_cli.platforms.http import ANSWER_BYTES, HttpTransport, RecordingTransport, user_agent

GET = Request(method="GET", url="https://serikat.example/api")
CREATE = Request(method="POST", url="https://serikat.example/api", json={"text": "Upah"}, creating=True)


def transport(network: Any, **options: Any) -> HttpTransport:
    options.setdefault("redact", lambda text: text.replace("rahasia", "•••"))
    return HttpTransport(now=lambda: NOW, wire=wire_to(network), **options)


def send(network: Any, request: Request, **options: Any) -> Answer:
    return asyncio.run(transport(network, **options).send(request))


def refused(network: Any, request: Request, **options: Any) -> Any:
    return asyncio.run(failure_of(transport(network, **options).send(request)))


@pytest.mark.parametrize(
    "error",
    [httpx.ConnectError("no such host"), httpx.ConnectTimeout(""), httpx.PoolTimeout(""), httpx.ProxyError("")],
)
@pytest.mark.parametrize("request_", [GET, CREATE])
def test_before_bytes_left(error: Exception, request_: Request) -> None:
    """A connection that never stood leaves no doubt: the same request may be sent again."""
    failure = refused(Network(replies=[error]), request_)
    assert type(failure) is Unavailable
    assert "serikat.example/api can't be reached" in failure.message
    assert failure.fix


@pytest.mark.parametrize(
    "error",
    [httpx.ReadTimeout(""), httpx.WriteTimeout(""), httpx.ReadError("reset"), httpx.RemoteProtocolError("closed")],
)
def test_after_bytes_left(error: Exception) -> None:
    """After bytes left, a creating request is in doubt, and any other can be repeated."""
    assert type(refused(Network(replies=[error]), CREATE)) is Unconfirmed
    assert type(refused(Network(replies=[error]), GET)) is Unavailable


@pytest.mark.parametrize(
    ("status", "create", "other"),
    [
        (400, Rejected, Rejected),
        (401, Unauthorized, Unauthorized),
        (403, Rejected, Rejected),
        (404, Rejected, Rejected),
        (408, Unavailable, Unavailable),
        (422, Rejected, Rejected),
        (429, Unavailable, Unavailable),
        (500, Unconfirmed, Unavailable),
        (503, Unconfirmed, Unavailable),
        (599, Unconfirmed, Unavailable),
        (206, Unconfirmed, Unavailable),
        (304, Rejected, Rejected),
    ],
)
def test_statuses(status: int, create: type, other: type) -> None:
    """Each status means what the table says, and is kept in the failure."""
    for request, kind in ((CREATE, create), (GET, other)):
        failure = refused(Network(replies=[answer(status, {"error": "Teks kosong"})]), request)
        assert type(failure) is kind
        assert failure.status == status
        assert "Teks kosong" in failure.message


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("120", NOW + timedelta(seconds=120)),
        ("-3", NOW),
        ("Thu, 03 Dec 2026 02:00:00 GMT", datetime(2026, 12, 3, 2, tzinfo=UTC)),
        ("soon", None),
        ("1e400", None),
    ],
)
def test_retry_after(value: str, expected: datetime | None) -> None:
    """Retry-After is read in seconds and as a date; nonsense names no instant."""
    failure = refused(Network(replies=[answer(429, {}, headers={"Retry-After": value})]), GET)
    assert failure.retry_at == expected


@pytest.mark.parametrize("behind", [timedelta(hours=-1), timedelta(0), timedelta(hours=1)])
def test_what_a_server_says_of_time_is_read_on_its_own_clock(behind: timedelta) -> None:
    """A Retry-After with a date, and a reset instant, mean the same distance whatever our clock says."""
    date = format_datetime(NOW - behind, usegmt=True)
    later = format_datetime(NOW - behind + timedelta(minutes=7), usegmt=True)
    dated = refused(Network(replies=[answer(429, {}, headers={"Retry-After": later, "Date": date})]), GET)
    spaced = refused(Network(replies=[answer(429, {}, headers={"Retry-After": "420", "Date": date})]), GET)
    reset = refused(
        Network(replies=[answer(429, {}, headers={"X-Reset": later, "Date": date})]),
        CREATE,
        pause_until=lambda headers, now: max(now, parsedate_to_datetime(headers["x-reset"])),
    )
    for failure in (dated, spaced, reset):
        assert abs(failure.retry_at - NOW - timedelta(minutes=7)) < timedelta(seconds=1)  # headers know whole seconds


def test_retry_from_the_networks_own_headers() -> None:
    """Without Retry-After the network's own rate headers say when it will take the request."""
    later = NOW + timedelta(minutes=5)
    failure = refused(
        Network(replies=[answer(429, {}, headers={"X-Reset": "5"})]),
        CREATE,
        pause_until=lambda headers, now: now + timedelta(minutes=int(headers["x-reset"])),
    )
    assert failure.retry_at == later


def test_own_table_comes_first() -> None:
    """The network's own table decides before the status does, and its words are bounded and redacted."""

    def table(got: Answer) -> Exception | None:
        return Unavailable(f"taruh nanti rahasia\n{got.json()['why']}") if got.status == 500 else None

    request = Request(method="POST", url="https://serikat.example/", creating=True, errors=table)
    failure = refused(Network(replies=[answer(500, {"why": "x" * 900}, headers={"Retry-After": "7"})]), request)
    assert type(failure) is Unavailable
    assert failure.message.startswith("taruh nanti ••• x")
    assert len(failure.message) == EXPLANATION_LENGTH
    assert str(failure) == failure.message
    assert failure.status == 500
    assert failure.retry_at == NOW + timedelta(seconds=7)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<html><style>p{}</style><h1>Bad\x1b[31m</h1>\n<p>gateway</p>", "Bad [31m gateway"),
        ('{"error": {"message": "No", "code": 7}}', ": No"),
        ('{"error": "InvalidRequest", "message": "Record/text must not be longer"}', "InvalidRequest: Record"),
        ('{"error": "invalid", "error_description": "salah"}', "invalid: salah"),
        ("[1]", "[1]"),
        ("", ": –"),
        ("rahasia", ": •••"),
    ],
)
def test_error_text(text: str, shown: str) -> None:
    """A network's words are shown in one line: no tags, no control characters, no secrets."""
    failure = refused(Network(replies=[httpx.Response(400, text=text)]), GET)
    assert shown in failure.message
    assert failure.message.isprintable()


def test_redirects_of_a_creating_request() -> None:
    """A creating request never follows a redirect; the message names the new address."""
    network = Network(replies=[httpx.Response(308, headers={"Location": "https://baru.example/api?k=1"})])
    failure = refused(network, CREATE)
    assert type(failure) is Rejected
    assert "has moved to https://baru.example/api." in failure.message
    assert failure.fix
    assert len(network.requests) == 1


def test_redirects_of_a_get() -> None:
    """A GET follows three redirects within its own origin, with its credentials, and no more."""
    hop = httpx.Response(302, headers={"Location": "/lain"})
    request = Request(method="GET", url=GET.url, headers={"Authorization": "Bearer rahasia"})
    network = Network(replies=[hop, hop, hop, answer(200, {"ok": True})])
    assert send(network, request).json() == {"ok": True}
    assert {sent.headers["authorization"] for sent in network.requests} == {"Bearer rahasia"}
    assert "in a circle" in refused(Network(replies=[hop] * 4), GET).message


@pytest.mark.parametrize(
    "location",
    [
        "https://lain.example/",
        "http://serikat.example/api",
        "https://serikat.example:8443/api",
        "//lain.example",
        "https://orang:sandi@serikat.example/",
    ],
)
def test_redirects_carry_nothing_to_another_origin(location: str) -> None:
    """Another host, scheme or port is never followed: the credentials stay where they belong."""
    network = Network(replies=[httpx.Response(301, headers={"Location": location})])
    failure = refused(network, GET)
    assert type(failure) is Rejected
    assert "has moved to" in failure.message
    assert "sandi" not in failure.message
    assert len(network.requests) == 1


def test_redirect_that_cannot_be_read() -> None:
    """A redirect to nonsense, or to nowhere, is a refusal."""
    assert type(refused(Network(replies=[httpx.Response(302, headers={"Location": "https://["})]), GET)) is Rejected
    assert type(refused(Network(replies=[httpx.Response(302)]), GET)) is Rejected


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "127.8.9.1", "[::1]:80", "localhost:3000", "LOCALHOST"])
def test_plain_http_on_this_machine(host: str) -> None:
    """Loopback may be reached by http."""
    assert send(Network(replies=[answer(200, {})]), Request(method="GET", url=f"http://{host}/")).status == 200


@pytest.mark.parametrize(
    "url",
    [
        "http://serikat.example/",
        "http://127.0.0.1.example/",
        "http://10.0.0.1/",
        "ftp://serikat.example/",
        "https://orang:sandi@serikat.example/",
        "https://",
        "serikat.example",
        "https://[",
        "https://serikat.example:99999/",
    ],
)
def test_addresses_that_are_refused(url: str) -> None:
    """An address without https, without a host, or with a password in it is refused before anything is sent."""
    network = Network()
    failure = refused(network, Request(method="GET", url=url))
    assert type(failure) is Rejected
    assert "accounts.yaml" in failure.fix
    assert "sandi" not in failure.message
    assert network.requests == []


def test_query() -> None:
    """A query is added to the one that is there."""
    network = Network(replies=[answer(200, {})])
    address = "https://serikat.example/?rest_route=/wp/v2/posts"
    request = Request(method="GET", url=address, query={"slug": "upah layak"})
    send(network, request)
    assert str(network.requests[0].url) == "https://serikat.example/?rest_route=%2Fwp%2Fv2%2Fposts&slug=upah+layak"


def test_headers_of_an_answer() -> None:
    """The headers of an answer have lower-case names."""
    got = send(Network(replies=[answer(200, {}, headers={"X-RateLimit-Remaining": "0"})]), GET)
    assert got.headers["x-ratelimit-remaining"] == "0"


def test_unreadable_answers() -> None:
    """What is no JSON leaves a creating request in doubt, and so does JSON without what was asked for."""

    async def run(request: Request, reply: Any) -> Any:
        return await failure_of(ask(transport(Network(replies=[reply])), request, lambda data: data["id"]))

    for reply in (answer(200, text="<html>ok"), answer(200, {"no": 1}), answer(200, []), answer(200, text="[" * 10**5)):
        assert type(asyncio.run(run(CREATE, reply))) is Unconfirmed
        assert type(asyncio.run(run(GET, reply))) is Unavailable


def test_answers_are_bounded() -> None:
    """An endless answer, or one that only grows when unpacked, is cut off."""
    packed = gzip.compress(bytes(ANSWER_BYTES + 1))
    reply = httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(packed))
    failure = refused(lambda _request: reply, CREATE)
    assert type(failure) is Unconfirmed
    assert "larger than 8 MiB" in failure.message


def test_broken_compression() -> None:
    """An answer that can't be unpacked is an unreadable one."""

    def network(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip"))

    assert type(refused(network, CREATE)) is Unconfirmed


def test_request_that_cannot_be_formed() -> None:
    """A line end in a header is refused before anything is sent, and can't smuggle another header in."""

    async def run() -> Any:
        async with new_wire() as wire:
            under_test = HttpTransport(redact=str, now=lambda: NOW, wire=wire)
            server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
            async with server:
                port = server.sockets[0].getsockname()[1]
                url = f"http://127.0.0.1:{port}/"
                return [
                    await failure_of(under_test.send(Request(method="GET", url=url, headers={"X": "a\r\nY: b"}))),
                    await failure_of(under_test.send(Request(method="GET", url=url, headers={"X": "é→"}))),
                    await failure_of(under_test.send(Request(method="POST", url=url, json={"a": object()}))),
                ]

    for failure in asyncio.run(run()):
        assert type(failure) is Rejected
        assert "can't be formed" in failure.message


def test_bodies() -> None:
    """Forms, files, JSON and raw bytes leave as the adapter wrote them, with the program's name."""
    network = Network(routes={"POST /": answer(200, {})})
    upload = Upload(field="file", name="poster.png", mime="image/png", content=b"\x89PNG")
    url = "https://serikat.example/"
    send(network, Request(method="POST", url=url, form={"a": ["1", "2"], "b": True}))
    send(network, Request(method="POST", url=url, form={"alt": "Aksi"}, uploads=[upload]))
    send(network, Request(method="POST", url=url, content=b"raw", headers={"Content-Type": "image/png"}))
    form, multipart, raw = network.requests
    assert form.content == b"a=1&a=2&b=true"
    assert multipart.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="file"; filename="poster.png"\r\nContent-Type: image/png\r\n\r\n\x89PNG' in multipart.content
    assert b'name="alt"\r\n\r\nAksi' in multipart.content
    assert (raw.content, raw.headers["content-type"]) == (b"raw", "image/png")
    assert {request.headers["user-agent"] for request in network.requests} == {user_agent()}
    assert user_agent().startswith("campaign-cli")


def test_secrets_in_a_path_are_not_shown() -> None:
    """A bot's token in the path is in no message and no log line."""
    request = Request(method="POST", url="https://api.telegram.example/bot123:AAEt/sendMessage", creating=True)
    failure = refused(Network(replies=[answer(400, {"description": "chat not found"})]), request)
    assert failure.message == "api.telegram.example/bot•••/sendMessage answered 400: chat not found"
    assert shown_url("https://orang:sandi@serikat.example/a?k=rahasia#x") == "serikat.example/a"


def test_libraries_do_not_log_addresses(caplog: pytest.LogCaptureFixture) -> None:
    """Even with everything logged, the HTTP library's own lines (which hold whole addresses) stay out."""
    caplog.set_level(logging.DEBUG)

    async def run() -> None:
        async with new_wire() as wire:
            under_test = HttpTransport(redact=str, now=lambda: NOW, wire=wire)
            await failure_of(under_test.send(Request(method="GET", url="http://127.0.0.1:1/bot1:AAE/getMe")))

    asyncio.run(run())
    assert "AAE" not in caplog.text


async def serve(reply: bytes, talk: Any) -> list[int]:
    """A raw server that answers every request with ``reply``; returns the number of requests on each connection."""
    connections: list[int] = []
    handlers: list[asyncio.Task[Any] | None] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        index = len(connections)
        connections.append(0)
        handlers.append(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                connections[index] += 1
                writer.write(reply)
                if not reply:
                    break
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        await talk(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        await asyncio.gather(*[task for task in handlers if task is not None])
    return connections


@pytest.mark.parametrize(("fresh", "expected"), [(False, [2]), (True, [1, 1])])
def test_fresh_connections(fresh: bool, expected: list[int]) -> None:
    """Connections are kept, except for networks where a stale one would leave a post in doubt."""

    async def talk(url: str) -> None:
        under_test = HttpTransport(redact=str, now=lambda: NOW, fresh_connections=fresh)
        for _number in range(2):
            await under_test.send(Request(method="POST", url=url, creating=True))
        await under_test.aclose()

    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=b\r\n\r\n{}"
    assert asyncio.run(serve(reply, talk)) == expected


def test_real_connection_closed_without_an_answer() -> None:
    """A server that takes the request and hangs up leaves a creating request in doubt."""

    async def talk(url: str) -> None:
        under_test = HttpTransport(redact=str, now=lambda: NOW)
        failure = await failure_of(under_test.send(Request(method="POST", url=url, creating=True)))
        assert type(failure) is Unconfirmed
        await under_test.aclose()

    asyncio.run(serve(b"", talk))


def test_real_time_out() -> None:
    """A server that drips for ever is left after the time-out, counted over the whole request."""

    async def talk(url: str) -> None:
        under_test = HttpTransport(redact=str, now=lambda: NOW, time_out=0.2)
        failure = await failure_of(under_test.send(Request(method="POST", url=url, creating=True)))
        assert type(failure) is Unconfirmed
        assert "did not answer within 0.2 seconds" in failure.message
        await under_test.aclose()

    asyncio.run(serve(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", talk))


def test_nobody_listens() -> None:
    """A closed port is provably nothing sent."""

    async def run() -> Any:
        under_test = HttpTransport(redact=str, now=lambda: NOW)
        try:
            return await failure_of(under_test.send(Request(method="POST", url="http://127.0.0.1:1/", creating=True)))
        finally:
            await under_test.aclose()

    assert type(asyncio.run(run())) is Unavailable


def test_recording() -> None:
    """A preview keeps the requests in order and answers each with its sample, computed or written."""
    recorder = RecordingTransport()

    async def run() -> list[Any]:
        first = Request(method="POST", url="/a", json={"n": 1}, sample={"id": "{media_id}"}, accept=(201,))
        second = Request(method="POST", url="/b", json={"n": 2}, sample=lambda request: request.json)
        third = Request(method="DELETE", url="/c")
        return [await recorder.send(request) for request in (first, second, third)]

    first, second, third = asyncio.run(run())
    assert (first.status, first.json()) == (201, {"id": "{media_id}"})
    assert second.json() == {"n": 2}
    assert third.text == ""
    assert [request.url for request in recorder.requests] == ["/a", "/b", "/c"]


def test_a_networks_words_steer_no_terminal_and_fill_no_ledger() -> None:
    """Whatever an adapter puts into a failure: no control signs, no turned writing, no book."""
    failure = Rejected("kata \x1b]0;judul\x07\u202e\ud83d selesai\nbaris", fix="\x1b[2Jlihat")
    assert failure.message == "kata  ]0;judul    selesai\nbaris"
    assert str(failure) == failure.message
    assert failure.fix == " [2Jlihat"
    assert len(Unavailable("x" * 70_000).message) == 2_000


def test_half_a_sign_in_an_answer_becomes_a_question_mark() -> None:
    """JSON can smuggle in what no text can hold; whole pairs stay."""
    body = b'{"ts": "a\\ud83d", "\\uDE00": ["\\ud83d\\ude00"]}'
    answered = send(Network(replies=[httpx.Response(200, content=body)]), GET)
    assert answered.json() == {"ts": "a?", "?": ["😀"]}


def test_a_query_that_no_address_can_hold_is_refused() -> None:
    """An id from a network's answer may be of any length; nothing leaves, and nothing else is raised."""
    request = Request(method="GET", url="https://serikat.example/api", query={"id": "x" * 70_000})
    network = Network(replies=[httpx.Response(200)])
    assert type(refused(network, request)) is Rejected
    assert network.requests == []
