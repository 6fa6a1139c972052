"""One connection to a server, as httpcore asks for it; lighter than its own, which goes through anyio.

https://www.encode.io/httpcore/network-backends/
"""

from __future__ import annotations

import asyncio
import re
import select
import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

import httpcore

_GATHERED: Final = 64 * 1024  # bytes that leave together
_UNREAD: Final = 256 * 1024  # bytes that are taken in before somebody reads them
_NEXT_ADDRESS_SECONDS: Final = 0.25  # RFC 8305, 5
_ERRNO: Final = re.compile(r"\[Errno (-?\d+)\]")


class Sockets(httpcore.AsyncNetworkBackend):
    """Opens connections on the running event loop."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to whichever of the host's addresses answers first. Raises ConnectError, ConnectTimeout."""
        loop = asyncio.get_running_loop()
        # uvloop tries one address after the other
        options: Any = (
            {"happy_eyeballs_delay": _NEXT_ADDRESS_SECONDS} if isinstance(loop, asyncio.BaseEventLoop) else {}
        )
        with _connecting():
            async with asyncio.timeout(timeout):
                _transport, stream = await loop.create_connection(Stream, host, port, **options)
        return stream

    async def sleep(self, seconds: float) -> None:
        """Between two tries at a connection."""
        await asyncio.sleep(seconds)


class Stream(httpcore.AsyncNetworkStream, asyncio.Protocol):
    """One connection, used by one request at a time.

    Head and body of a request leave together, when its answer is read or when there is enough of them. Before the first
    byte leaves, the connection must be alive and silent: what came before the request is no answer to it. Reading and
    writing have no time-outs of their own: the transport has one for the whole exchange.
    """

    def __init__(self) -> None:
        self._transport = asyncio.Transport()
        self._tcp = self._transport  # below TLS
        self._unsent = bytearray()
        self._unread = bytearray()
        self._used = False  # by an earlier request
        self._left = False  # a byte of this request
        self._over = False
        self._error: Exception | None = None
        self._waiting: asyncio.Future[None] | None = None  # for bytes to read, or for room to write
        self._full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = self._tcp = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Take it in; no more than there is room for."""
        self._unread += data
        if len(self._unread) >= _UNREAD:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Nothing more will come."""
        self._over = True
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        """Nothing more will come, nor go."""
        self._over, self._error = True, self._error or error
        self._wake()

    def pause_writing(self) -> None:
        """The system takes no more for now."""
        self._full = True

    def resume_writing(self) -> None:
        """It does again."""
        self._full = False
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def _changed(self) -> None:
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            await self._waiting
        finally:
            self._waiting = None

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What comes next; empty at the end. Raises ReadError, and what ``_begin`` raises."""
        if self._unsent:
            await self._flush()
        self._left = False  # what is written after this belongs to the next request
        while not (self._unread or self._over):
            await self._changed()
        if not self._unread and self._error is not None:
            raise httpcore.ReadError(str(self._error)) from self._error
        data = bytes(self._unread[:max_bytes])
        del self._unread[:max_bytes]
        if not self._over:
            self._transport.resume_reading()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Gather; what is large leaves at once, in pieces. Raises WriteError, and what ``_begin`` raises."""
        for start in range(0, len(buffer), _GATHERED):
            self._unsent += buffer[start : start + _GATHERED]
            if len(self._unsent) < _GATHERED:
                continue
            await self._flush()
            if self._over:  # httpcore reads what the server said before that
                raise httpcore.WriteError("closed before the whole request was sent")

    async def _flush(self) -> None:
        """Send what was gathered, as fast as the other side takes it. If the connection is over, reading tells how."""
        if not self._left:
            self._begin()
        data = bytes(self._unsent)
        self._unsent.clear()
        if not self._over:
            self._transport.write(data)
        while self._full and not self._over:
            await self._changed()

    def _begin(self) -> None:
        """Right before the first byte of a request. Nothing was sent where this raises.

        On a connection that was used before, ConnectionNotAvailable: the pool takes another one. Else ConnectError.
        """
        out_of_step = self._over or bool(self._unread) or self._transport.is_closing()
        if self._used and (out_of_step or _is_readable(self._tcp.get_extra_info("socket"))):
            raise httpcore.ConnectionNotAvailable
        if out_of_step:
            raise httpcore.ConnectError("closed, or out of step, before anything was sent") from self._error
        self._used = self._left = True

    async def aclose(self) -> None:
        """Close it at once: what was not sent by now never is, and what has not come is no answer."""
        self._error = self._error or ConnectionAbortedError("closed on this side")
        self._transport.close()
        try:
            await asyncio.sleep(0)  # for TLS to say goodbye
        finally:
            self._tcp.abort()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        """The same connection, encrypted. Raises ConnectError, ConnectTimeout."""
        loop = asyncio.get_running_loop()
        try:
            with _connecting():
                async with asyncio.timeout(timeout):
                    transport = await loop.start_tls(
                        self._transport, self, ssl_context, server_hostname=server_hostname
                    )
        except BaseException:
            self._tcp.abort()
            raise
        if transport is None:
            raise httpcore.ConnectError("closed during the TLS handshake")
        self._transport = transport
        return self

    def get_extra_info(self, info: str) -> Any:
        """As httpcore asks, often: an idle connection that is readable is not used again. ``_begin`` looks closer."""
        if info == "is_readable":
            return self._over or bool(self._unread) or self._transport.is_closing()
        return self._transport.get_extra_info(info)


@contextmanager
def _connecting() -> Iterator[None]:
    """Failures before anything was sent, in httpcore's terms."""
    try:
        yield
    except TimeoutError as error:
        raise httpcore.ConnectTimeout(str(error)) from error
    except OSError as error:  # ssl.SSLError is one
        raise httpcore.ConnectError(str(error)) from _first(error)
    except UnicodeError as error:  # no name that DNS could know
        raise httpcore.ConnectError(str(error)) from error


def _is_readable(connection: socket.socket) -> bool:
    """Bytes, or the end, have come that the event loop has not seen yet. Costs 1 µs."""
    if connection.fileno() < 0:
        return True
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([connection], [], [], 0)[0])
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


def _first(error: OSError) -> OSError:
    """Of several addresses' errors, which Python puts into one text, the first; else the error."""
    number = _ERRNO.search(str(error)) if error.errno is None else None
    return OSError(int(number[1]), str(error)) if number is not None else error
