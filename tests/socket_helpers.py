"""Real servers on loopback, one thread for each connection, that say and do exactly what a test wants."""

from __future__ import annotations

import asyncio
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import uvloop
from platform_helpers import NOW

from campaign_cli.errors import Failure
from campaign_cli.platforms.base import Answer, Request
from campaign_cli.platforms.connections import new_wire
from campaign_cli.platforms.http import HttpTransport

T = TypeVar("T")
CERTIFICATES = Path(__file__).parent / "data/tls"
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}
PATIENCE = 20.0  # seconds until a test that hangs fails


class Peer:
    """The server's end of one connection."""

    def __init__(self, connection: socket.socket, server: Server) -> None:
        self.connection = connection
        self.alpn = connection.selected_alpn_protocol() if isinstance(connection, ssl.SSLSocket) else None
        self._server = server
        self._got = b""

    def request(self) -> bytes:
        """The next request, whole; empty when the other side is gone. The server keeps it, too."""
        while b"\r\n\r\n" not in self._got:
            if not (more := self.connection.recv(65536)):
                return b""
            self._got += more
        head, _, rest = self._got.partition(b"\r\n\r\n")
        self._server.heads.append(head)
        length = next((int(row[15:]) for row in head.lower().split(b"\r\n") if row.startswith(b"content-length:")), 0)
        pieces, missing = [rest], length - len(rest)
        while missing > 0:
            if not (more := self.connection.recv(1 << 20)):
                return b""
            pieces.append(more)
            missing -= len(more)
        body = b"".join(pieces)
        self._got = body[length:]
        self._server.requests.append(head + b"\r\n\r\n" + body[:length])
        return self._server.requests[-1]

    def say(self, data: bytes) -> None:
        """Send it."""
        self.connection.sendall(data)

    def reset(self) -> None:
        """Close with a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


Talk = Callable[[Peer], None]


class Server(socketserver.ThreadingTCPServer):
    """Keeps what it was told: ``heads`` of requests that began, whole ``requests``, and each connection's ``peers``."""

    def __init__(self, talk: Talk, *, host: str, tls: ssl.SSLContext | None) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.heads: list[bytes] = []
        self.requests: list[bytes] = []
        self.peers: list[Peer] = []
        self.wrong: list[BaseException] = []
        self._talk = talk
        self._tls = tls
        super().__init__((host, 0), socketserver.BaseRequestHandler)
        name = f"[{host}]" if ":" in host else host
        self.port = self.server_address[1]
        self.url = f"{'https' if tls else 'http'}://{name}:{self.port}/"

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Talk, until either side has had enough."""
        request.settimeout(PATIENCE)
        with suppress(OSError):  # the other side went away, or refused the certificate
            if self._tls is not None:
                request = self._tls.wrap_socket(request, server_side=True)
            peer = Peer(request, self)
            self.peers.append(peer)
            try:
                self._talk(peer)
            except OSError:
                raise
            except BaseException as error:  # told by ``serve``
                self.wrong.append(error)
            finally:
                peer.connection.close()

    def shutdown_request(self, request: Any) -> None:
        """A talk closes as it likes."""
        request.close()


@contextmanager
def serve(talk: Talk, *, host: str = "127.0.0.1", certificate: str | None = None) -> Iterator[Server]:
    """A server that runs until the end of the block."""
    tls = None if certificate is None else _identity(certificate)
    with Server(talk, host=host, tls=tls) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
            for peer in server.peers:
                with suppress(OSError):
                    peer.connection.shutdown(socket.SHUT_RDWR)
    assert server.wrong == []


def _identity(certificate: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / f"{certificate}.pem")
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


@cache
def trusted() -> ssl.SSLContext:
    """Trusts the authority of the test certificates, and no other."""
    return ssl.create_default_context(cafile=str(CERTIFICATES / "authority.pem"))


def answering(*answers: bytes) -> Talk:
    """Answers one request after the other on each connection, the last answer again and again."""

    def talk(peer: Peer) -> None:
        for number in range(1000):
            if not peer.request():
                return
            peer.say(answers[min(number, len(answers) - 1)])

    return talk


def once(reply: bytes, *, then: Callable[[Peer], Any] = lambda peer: peer.connection.close()) -> Talk:
    """Answers one request, and then does something else with the connection."""

    def talk(peer: Peer) -> None:
        if peer.request():
            peer.say(reply)
            then(peer)

    return talk


def transport(**options: Any) -> HttpTransport:
    """What an adapter sends through, trusting the test authority."""
    wired = {"fresh_connections", "trust_environment"} & options.keys()
    wire = new_wire(trusted=trusted(), **{name: options.pop(name) for name in wired})
    return HttpTransport(redact=str, now=lambda: NOW, wire=wire, **options)


def create(url: str, **options: Any) -> Request:
    """A request that makes something public."""
    return Request(method="POST", url=url, creating=True, **options)


async def outcome(under_test: HttpTransport, request: Request) -> Answer | Failure:
    """The answer, or the failure; never anything else."""
    try:
        return await under_test.send(request)
    except Failure as failure:
        return failure


def on(loop: str, work: Coroutine[Any, Any, T]) -> T:
    """Run it on that kind of event loop."""

    async def patiently() -> T:
        async with asyncio.timeout(PATIENCE):
            return await work

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        return runner.run(patiently())


def talked(loop: str, *requests: Request, **options: Any) -> list[Answer | Failure]:
    """The outcomes of several requests, one after the other, through one transport."""

    async def work() -> list[Answer | Failure]:
        under_test = transport(**options)
        try:
            return [await outcome(under_test, request) for request in requests]
        finally:
            await under_test.aclose()

    return on(loop, work())
