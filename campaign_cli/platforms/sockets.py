"""One connection to a server, as httpcore asks for it; lighter than its own, which goes through anyio.

https://www.encode.io/httpcore/network-backends/
"""

from __future__ import annotations

import asyncio
import re
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
        with _connecting():
            async with asyncio.timeout(timeout):
                _transport, stream = await loop.create_connection(
                    Stream, host, port, happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS
                )
        return stream

    async def sleep(self, seconds: float) -> None:
        """Between two tries at a connection."""
        await asyncio.sleep(seconds)


class Stream(httpcore.AsyncNetworkStream, asyncio.Protocol):
    """One connection, used by one request at a time.

    Head and body of a request leave together, when its answer is read. Reading and writing have no time-outs of their
    own: the transport has one for the whole exchange.
    """

    def __init__(self) -> None:
        self._transport = asyncio.Transport()
        self._unsent = bytearray()
        self._unread = bytearray()
        self._over = False
        self._error: Exception | None = None
        self._waiting: asyncio.Future[None] | None = None  # for bytes to read, or for room to write
        self._full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)

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
        self._over, self._full, self._error = True, False, error
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
        """What comes next; empty at the end. Raises ReadError."""
        if self._unsent:
            await self._flush()
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
        """Gather; what is large leaves at once."""
        self._unsent += buffer
        if len(self._unsent) >= _GATHERED:
            await self._flush()

    async def _flush(self) -> None:
        """Send what was gathered. Where the connection is over, reading tells how, and what the server said before."""
        data = bytes(self._unsent)
        self._unsent.clear()
        if not self._over:
            self._transport.write(data)
        while self._full:
            await self._changed()

    async def aclose(self) -> None:
        """Close it at once: whatever was to be said has been said."""
        self._transport.close()
        await asyncio.sleep(0)
        self._transport.abort()

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
            self._transport.abort()
            raise
        if transport is None:
            raise httpcore.ConnectError("closed during the TLS handshake")
        self._transport = transport
        return self

    def get_extra_info(self, info: str) -> Any:
        """As httpcore asks. An idle connection that is readable was closed by the other side, or is out of step."""
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


def _first(error: OSError) -> OSError:
    """Of several addresses' errors, which Python puts into one text, the first; else the error."""
    number = _ERRNO.search(str(error)) if error.errno is None else None
    return OSError(int(number[1]), str(error)) if number is not None else error
