"""Connections over TLS: who is believed, and what an answer that was cut short is worth."""

from __future__ import annotations

import socket

import pytest
from platform_helpers import NOW
from socket_helpers import (
    CERTIFICATES,
    GOOD,
    LOOPS,
    Peer,
    answering,
    create,
    on,
    once,
    outcome,
    serve,
    talked,
    transport,
)

from campaign_cli.errors import Unavailable, Unconfirmed
from campaign_cli.platforms.base import Request
from campaign_cli.platforms.connections import _authorities
from campaign_cli.platforms.http import HttpTransport

pytestmark = pytest.mark.parametrize("loop", LOOPS)


def _speaks(host: str) -> bool:
    """Whether this machine has that kind of address."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.bind((host, 0))
    except OSError:
        return False
    return True


@pytest.mark.parametrize("host", [host for host in ("127.0.0.1", "::1") if _speaks(host)])
def test_requests_share_an_encrypted_connection(loop: str, host: str) -> None:
    """Several requests go over one connection, with HTTP/1.1 alone on offer."""
    with serve(answering(GOOD), host=host, certificate="server") as server:
        answers = talked(loop, *[create(server.url, json={"n": number}) for number in range(3)])
        assert [answer.status for answer in answers] == [200, 200, 200]
        assert [peer.alpn for peer in server.peers] == ["http/1.1"]
        assert [request.partition(b"\r\n\r\n")[2] for request in server.requests] == [
            b'{"n":0}',
            b'{"n":1}',
            b'{"n":2}',
        ]


@pytest.mark.parametrize("certificate", ["expired", "other_host"])
def test_refused_certificates(loop: str, certificate: str) -> None:
    """A certificate that is over, or another host's, is provably nothing sent, each time anew."""
    with serve(answering(GOOD), certificate=certificate) as server:
        url = f"https://localhost:{server.port}/"
        for failure in talked(loop, create(url), create(url)):
            assert type(failure) is Unavailable
            assert "CERTIFICATE_VERIFY_FAILED" in failure.message
        assert server.heads == []


def test_unknown_authority(loop: str) -> None:
    """Only public authorities are believed unless others are named."""

    async def work(url: str) -> object:
        under_test = HttpTransport(redact=str, now=lambda: NOW)
        try:
            return await outcome(under_test, create(url))
        finally:
            await under_test.aclose()

    with serve(answering(GOOD), certificate="server") as server:
        assert type(on(loop, work(server.url))) is Unavailable
        assert server.heads == []


def test_authorities_of_the_environment(loop: str, environment: pytest.MonkeyPatch) -> None:
    """Who the environment names is believed where it is to be trusted, as behind a proxy that looks inside."""

    async def work(url: str, trust: bool) -> object:
        under_test = HttpTransport(redact=str, now=lambda: NOW, trust_environment=trust)
        try:
            return await outcome(under_test, create(url))
        finally:
            await under_test.aclose()

    environment.setattr("campaign_cli.platforms.connections._authorities", _authorities.__wrapped__)  # read anew
    environment.setenv("SSL_CERT_FILE", str(CERTIFICATES / "authority.pem"))
    with serve(answering(GOOD), certificate="server") as server:
        assert type(on(loop, work(server.url, False))) is Unavailable
        assert server.heads == []
        assert getattr(on(loop, work(server.url, True)), "status", None) == 200
        for unreadable in (CERTIFICATES / "absent.pem", CERTIFICATES / "README.md"):
            environment.setenv("SSL_CERT_FILE", str(unreadable))
            failure = on(loop, work(server.url, True))
            assert type(failure) is Unavailable
            assert "SSL_CERT_FILE or SSL_CERT_DIR names can't be read" in failure.message
        assert len(server.heads) == 1


@pytest.mark.parametrize("words", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_server_without_tls(loop: str, words: bytes) -> None:
    """A server that hangs up or speaks plainly instead of shaking hands has been sent nothing."""

    def talk(peer: Peer) -> None:
        peer.connection.recv(65536)
        peer.say(words)

    with serve(talk) as server:
        (failure,) = talked(loop, create(server.url.replace("http:", "https:")))
        assert type(failure) is Unavailable


def test_handshake_that_never_ends(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that accepts and says nothing is left in time, with nothing sent."""
    monkeypatch.setattr("campaign_cli.platforms.http.CONNECT_SECONDS", 0.1)
    with serve(lambda peer: peer.connection.recv(65536) and peer.connection.recv(65536)) as server:
        (failure,) = talked(loop, create(server.url.replace("http:", "https:")))
        assert type(failure) is Unavailable


@pytest.mark.parametrize("farewell", [lambda peer: peer.connection.close(), lambda peer: peer.connection.unwrap()])
def test_closed_after_a_whole_answer(loop: str, farewell: object) -> None:
    """A whole answer counts, whether the server says goodbye or not."""
    with serve(once(GOOD, then=farewell), certificate="server") as server:  # type: ignore[arg-type]
        assert [answer.status for answer in talked(loop, create(server.url))] == [200]


@pytest.mark.parametrize(
    "part",
    [
        b"",
        b"HTTP/1.1 200 O",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    ],
)
@pytest.mark.parametrize("farewell", [lambda peer: peer.connection.close(), lambda peer: peer.connection.unwrap()])
def test_closed_in_the_middle_of_an_answer(loop: str, part: bytes, farewell: object) -> None:
    """An answer that was cut short leaves a creating request in doubt; it is sent once."""
    with serve(once(part, then=farewell), certificate="server") as server:  # type: ignore[arg-type]
        created, got = talked(loop, create(server.url), Request(method="GET", url=server.url))
        assert type(created) is Unconfirmed
        assert type(got) is Unavailable
        assert len(server.requests) == 2


def test_reset_in_the_middle_of_an_answer(loop: str) -> None:
    """A reset in the middle of an encrypted answer leaves a creating request in doubt."""
    part = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"
    with serve(once(part, then=Peer.reset), certificate="server") as server:
        assert type(talked(loop, create(server.url))[0]) is Unconfirmed


def test_damaged_record(loop: str) -> None:
    """Bytes that are no TLS record, where the answer should come, leave a creating request in doubt."""

    def talk(peer: Peer) -> None:
        peer.request()
        raw = peer.connection.detach()
        with socket.socket(fileno=raw) as plain:
            plain.sendall(GOOD)

    with serve(talk, certificate="server") as server:
        assert type(talked(loop, create(server.url))[0]) is Unconfirmed


def test_large_encrypted_upload_and_answer(loop: str) -> None:
    """20 MB go out and 5 MB come in, unchanged."""
    picture = bytes(range(256)) * 80_000
    large = b"x" * 5_000_000
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(large)
    with serve(answering(reply + large), certificate="server") as server:
        (answer,) = talked(loop, create(server.url, content=picture))
        assert answer.content == large
        assert server.requests[0].endswith(picture)


def test_closed_transport(loop: str) -> None:
    """Closing says goodbye, so that the server needn't wait."""
    ended: list[bytes] = []

    def talk(peer: Peer) -> None:
        peer.request()
        peer.say(GOOD)
        ended.append(peer.connection.recv(1))  # raises where the connection ends without goodbye

    async def work(url: str) -> None:
        under_test = transport()
        await under_test.send(create(url))
        await under_test.aclose()

    with serve(talk, certificate="server") as server:
        on(loop, work(server.url))
    assert ended == [b""]
