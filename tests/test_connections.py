"""An account's connections: how many there are, who reaches them by which way, and what closing them means."""

from __future__ import annotations

import asyncio
import select
import socket
import threading
from collections.abc import Callable

import pytest
from socket_helpers import GOOD, LOOPS, Peer, answering, create, on, once, outcome, serve, talked, transport

from campaign_cli.errors import Unavailable, Unconfirmed
from campaign_cli.platforms.connections import CONNECTIONS

pytestmark = pytest.mark.parametrize("loop", LOOPS)
secured = pytest.mark.parametrize("certificate", [None, "server"], ids=["plain", "tls"])


@secured
def test_no_more_than_five_at_once(loop: str, certificate: str | None) -> None:
    """Twelve requests at once share five connections, and each gets its own answer."""
    together = threading.Barrier(CONNECTIONS)

    def talk(peer: Peer) -> None:
        number = 0
        while body := peer.request().partition(b"\r\n\r\n")[2]:
            if number == 0:
                together.wait(10)  # all of them are open
            number += 1
            peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    async def work(url: str) -> list[bytes]:
        under_test = transport()
        requests = [create(url, content=b"%d" % number) for number in range(12)]
        answers = await asyncio.gather(*[under_test.send(request) for request in requests])
        await under_test.aclose()
        return [answer.content for answer in answers]

    with serve(talk, certificate=certificate) as server:
        assert on(loop, work(server.url)) == [b"%d" % number for number in range(12)]
        assert len(server.peers) == CONNECTIONS


def test_no_place_in_time(loop: str) -> None:
    """A request that gets no connection in time was provably not sent."""

    async def work(url: str) -> list[object]:
        under_test = transport(time_out=1.0)
        return await asyncio.gather(*[outcome(under_test, create(url)) for _ in range(CONNECTIONS + 1)])

    with serve(lambda peer: peer.request() and peer.request()) as server:
        kinds = [type(failure) for failure in on(loop, work(server.url))]
        assert kinds == [Unconfirmed] * CONNECTIONS + [Unavailable]
        assert len(server.requests) == CONNECTIONS


def test_each_address_has_its_own_connections(loop: str) -> None:
    """A kept connection is used for its own host and port alone."""
    with serve(answering(GOOD)) as one, serve(answering(GOOD), certificate="server") as other:
        talked(loop, *[create(server.url) for server in (one, other, one, other)])
        assert [len(server.peers) for server in (one, other)] == [1, 1]
        assert [len(server.requests) for server in (one, other)] == [2, 2]


@secured
@pytest.mark.parametrize("part", [b"", b"HTTP/1.1 200 OK\r\n\r\n{"])
def test_closing_in_the_middle(loop: str, certificate: str | None, part: bytes) -> None:
    """What is on its way when the connections are closed ends in doubt, also where the end would close the answer."""
    said = threading.Event()

    def talk(peer: Peer) -> None:
        peer.request()
        peer.say(part)
        said.set()
        peer.request()

    async def work(url: str) -> object:
        under_test = transport()
        task = asyncio.create_task(outcome(under_test, create(url)))
        await asyncio.to_thread(said.wait)
        for _step in range(20):
            await asyncio.sleep(0)
        await under_test.aclose()
        return await task

    with serve(talk, certificate=certificate) as server:
        assert type(on(loop, work(server.url))) is Unconfirmed


def test_half_closed(loop: str) -> None:
    """A server that will say nothing more, before it answered, leaves a creating request in doubt at once."""
    with serve(once(b"", then=lambda peer: (peer.connection.shutdown(socket.SHUT_WR), peer.request()))) as server:
        assert type(talked(loop, create(server.url))[0]) is Unconfirmed


@pytest.mark.parametrize("words", [b"", b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"])
def test_server_that_does_not_wait_for_the_request(loop: str, words: bytes) -> None:
    """A server that closes, or speaks, before a byte was sent is seen in time or leaves a doubt; it is asked once."""

    def talk(peer: Peer) -> None:
        peer.say(words)

    with serve(talk) as server:
        (failure,) = talked(loop, create(server.url))
        assert isinstance(failure, Unavailable | Unconfirmed)
        assert len(server.peers) == 1


def test_first_address_refuses(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a name has several addresses, the one that answers gets the request, once."""
    ask = socket.getaddrinfo

    def both(host: str, *rest: object, **options: object) -> list[object]:
        if host != "localhost":
            return list(ask(host, *rest, **options))  # type: ignore[arg-type]
        port = rest[0]
        kinds = ((socket.AF_INET6, ("::1", port, 0, 0)), (socket.AF_INET, ("127.0.0.1", port)))
        return [(family, socket.SOCK_STREAM, 6, "", address) for family, address in kinds]

    monkeypatch.setattr(socket, "getaddrinfo", both)  # uvloop asks the system instead
    with serve(answering(GOOD), certificate="server") as server:
        (answer,) = talked(loop, create(f"https://localhost:{server.port}/"))
        assert answer.status == 200
        assert len(server.requests) == 1


@pytest.mark.parametrize("host", ["nowhere.invalid", "a..example", "x" * 64 + ".example"])
def test_names_that_lead_nowhere(loop: str, host: str) -> None:
    """A name without an address, or that can be none, is nothing sent."""
    assert type(talked(loop, create(f"https://{host}/"))[0]) is Unavailable


def test_connect_time_out(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that does not come about in time was used for nothing."""
    monkeypatch.setattr("campaign_cli.platforms.http.CONNECT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf:
        port = deaf.getsockname()[1]
        waiting = []
        for _number in range(8):  # until the system takes no more
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
            waiting.append(client)
        try:
            assert type(talked(loop, create(f"https://127.0.0.1:{port}/"))[0]) is Unavailable
        finally:
            for client in waiting:
                client.close()


def _proxy(reply: bytes) -> Callable[[Peer], None]:
    """A proxy that lets through where ``reply`` says 200."""

    def talk(peer: Peer) -> None:
        head = peer.request()
        peer.say(reply)
        if b" 200 " not in reply:
            return
        host, _, port = head.split()[1].decode().rpartition(":")
        with socket.create_connection((host.strip("[]"), int(port))) as target:
            ends = {peer.connection: target, target: peer.connection}
            while True:
                for end in select.select(list(ends), [], [], 10)[0]:
                    if not (data := end.recv(65536)):
                        return
                    ends[end].sendall(data)

    return talk


def test_proxy_of_the_environment(loop: str, environment: pytest.MonkeyPatch) -> None:
    """A proxy is used where the environment is to be trusted, and sees nothing but the host's name."""
    with (
        serve(answering(GOOD), certificate="server") as server,
        serve(_proxy(b"HTTP/1.1 200 Connected\r\n\r\n")) as proxy,
    ):
        environment.setenv("HTTPS_PROXY", proxy.url)
        for trust, seen in ((False, 0), (True, 2)):
            request = create(server.url, json={"text": "Upah"})
            answers = talked(loop, request, request, trust_environment=trust)
            assert [answer.status for answer in answers] == [200, 200]
            assert len(proxy.heads) == seen
        environment.setenv("NO_PROXY", "127.0.0.1")
        talked(loop, create(server.url), trust_environment=True)
        assert len(proxy.heads) == 2
        assert len(server.requests) == 5
        assert not any(b"Upah" in head for head in proxy.heads)


@pytest.mark.parametrize("reply", [b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", b"HTTP/1.1 502 Bad\r\n\r\n"])
def test_proxy_that_refuses(loop: str, environment: pytest.MonkeyPatch, reply: bytes) -> None:
    """What a proxy did not let through was provably not sent."""
    with serve(answering(GOOD), certificate="server") as server, serve(_proxy(reply)) as proxy:
        environment.setenv("HTTPS_PROXY", proxy.url)
        assert type(talked(loop, create(server.url), trust_environment=True)[0]) is Unavailable
        assert server.heads == []


@pytest.mark.parametrize("certificate", ["expired", "other_host"])
def test_refused_certificates_behind_a_proxy(loop: str, environment: pytest.MonkeyPatch, certificate: str) -> None:
    """Behind a proxy, too, a wrong certificate is nothing sent."""
    with (
        serve(answering(GOOD), certificate=certificate) as server,
        serve(_proxy(b"HTTP/1.1 200 Connected\r\n\r\n")) as proxy,
    ):
        environment.setenv("HTTPS_PROXY", proxy.url)
        url = f"https://localhost:{server.port}/"
        assert type(talked(loop, create(url), trust_environment=True)[0]) is Unavailable
        assert server.heads == []
