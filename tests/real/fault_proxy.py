"""A proxy before a real server that spoils requests: each that changes something, the first time that it comes.

One request a connection, read whole and passed on as it is, so that the server sees what the command sent.

==============  =====================================================================================================
drop-answer     passed on; when the server has answered, the connection is reset
half-answer     passed on; half of the answer comes back, then the connection is reset
reset-middle    half of the request is passed on, then both connections are reset
502-after       passed on; 502 comes back instead of the server's answer
late            passed on; the answer comes seconds later
429             not passed on; 429 with Retry-After
503             not passed on; 503
hold            passed on; the answer is kept back until the other side is gone (``holding`` is set)
==============  =====================================================================================================
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
import struct
import threading
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

LATE_SECONDS = 2.0
REST_SECONDS = 20
KINDS = ("drop-answer", "half-answer", "reset-middle", "502-after", "late", "429", "503")
_READING = ("GET", "HEAD")


@dataclass(frozen=True)
class Message:
    """A request or an answer: its head with the empty line, and its body."""

    head: bytes
    body: bytes

    @property
    def method(self) -> str:
        return self.head.split(b" ", 1)[0].decode()

    @property
    def path(self) -> str:
        return self.head.split(b" ", 2)[1].decode()

    def header(self, name: str) -> str:
        """A header's value; empty where there is none."""
        for line in self.head.split(b"\r\n")[1:]:
            key, _colon, value = line.partition(b":")
            if key.strip().lower() == name.encode():
                return value.strip().decode("latin-1")
        return ""

    @property
    def digest(self) -> str:
        """The same for a request that is sent again, though a multipart body has another boundary then."""
        boundary = self.header("content-type").partition("boundary=")[2].encode()
        body = self.body.replace(boundary, b"") if boundary else self.body
        return hashlib.sha256(f"{self.method} {self.path}\n".encode() + body).hexdigest()

    def to_server(self) -> bytes:
        """The bytes to pass on: one request for each connection, else as it came."""
        lines = [line for line in self.head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
        return b"\r\n".join([lines[0], b"Connection: close", *lines[1:]]) + self.body


@dataclass
class FaultProxy:
    """A proxy before ``target`` (http://host:port); ``url`` is where it listens while the loop of ``Proxies`` runs.

    ``struck`` counts what was spoilt, by method and path.
    """

    target: str
    kind: str
    url: str = ""
    struck: Counter[str] = field(default_factory=Counter)
    holding: threading.Event = field(default_factory=threading.Event)
    _seen: set[str] = field(default_factory=set)

    async def start(self) -> asyncio.Server:
        """Listen on a free port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return server

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read(reader)
            kind = self.kind if self._strikes(request) else ""
            if kind == "reset-middle":
                await self._half(request)
                reset(writer)
            elif kind in ("429", "503"):
                await _answer(writer, _refusal(kind))
            else:
                await self._passed_on(kind, request, (reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass  # one of the two sides went away, as killed processes do
        finally:
            writer.close()

    def _strikes(self, request: Message) -> bool:
        """Whether a request is one that changes something and comes for the first time."""
        if not self.kind or request.method in _READING or request.digest in self._seen:
            return False
        self._seen.add(request.digest)
        self.struck[f"{request.method} {request.path.partition('?')[0]}"] += 1
        return True

    async def _passed_on(
        self, kind: str, request: Message, client: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    ) -> None:
        """Let the server answer in full; only then comes the fault."""
        reader, writer = client
        answer = await self._asked(request.to_server())
        if kind == "drop-answer":
            reset(writer)
        elif kind == "half-answer":
            await _answer(writer, answer[: len(answer) - max(1, len(answer.partition(b"\r\n\r\n")[2]) // 2)])
            reset(writer)
        elif kind == "hold":
            self.holding.set()
            await reader.read()
        else:
            if kind == "late":
                await asyncio.sleep(LATE_SECONDS)
            await _answer(writer, _refusal("502") if kind == "502-after" else answer)

    async def _asked(self, request: bytes) -> bytes:
        """The server's whole answer."""
        reader, writer = await self._server()
        try:
            writer.write(request)
            await writer.drain()
            return await reader.read()
        finally:
            writer.close()

    async def _half(self, request: Message) -> None:
        """Half of the request's body, and a reset."""
        _reader, writer = await self._server()
        content = request.to_server()
        writer.write(content[: len(content) - (len(request.body) + 1) // 2])
        await writer.drain()
        reset(writer)

    async def _server(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        where = urlsplit(self.target)
        return await asyncio.open_connection(where.hostname, where.port)


class Proxies:
    """Proxies that listen, in a thread of their own, while the ``with`` block lasts."""

    def __init__(self, proxies: list[FaultProxy]) -> None:
        self._proxies = proxies
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault proxies", daemon=True)
        self._servers: list[asyncio.Server] = []

    def __enter__(self) -> list[FaultProxy]:
        """Every ``url`` is known from here on."""
        self._thread.start()
        self._servers = [self._run(proxy.start()) for proxy in self._proxies]
        return self._proxies

    def __exit__(self, *_error: object) -> None:
        """Stop listening and let nothing go on."""
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _stop(self) -> None:
        for server in self._servers:
            server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with RST: not one byte more, and no orderly end."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _read(reader: asyncio.StreamReader) -> Message:
    """A whole request. Raises IncompleteReadError when the other side goes away before."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = Message(head, b"").header("content-length")
    return Message(head, await reader.readexactly(int(length)) if length else b"")


async def _answer(writer: asyncio.StreamWriter, content: bytes) -> None:
    writer.write(content)
    await writer.drain()


def _refusal(status: str) -> bytes:
    """What a server before the server says."""
    rest = f"Retry-After: {REST_SECONDS}\r\n" if status == "429" else ""
    page = f"<html><body><h1>{status}</h1></body></html>"
    head = f"HTTP/1.1 {status} Sorry\r\nContent-Type: text/html\r\n{rest}Content-Length: {len(page)}\r\n"
    return f"{head}Connection: close\r\n\r\n{page}".encode()
