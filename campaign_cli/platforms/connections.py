"""An account's connections, as ``http.py`` uses them: below httpx's client.

Cookies, redirects, authentication and hooks would cost as much again as the request, and none is wanted.
"""

from __future__ import annotations

import asyncio
import http.cookiejar
import logging
import ssl
from collections.abc import AsyncIterator
from functools import cache
from typing import Any, Final, cast
from urllib.request import getproxies

import httpcore
import httpx

from campaign_cli import reasons
from campaign_cli.i18n import _
from campaign_cli.platforms.sockets import Sockets

CONNECTIONS: Final = 5  # as many as an account has in flight; more slow one client down
IDLE_SECONDS: Final = 5.0  # servers close what is idle for longer


def new_wire(
    *, fresh_connections: bool = False, trust_environment: bool = False, trusted: ssl.SSLContext | None = None
) -> httpx.AsyncBaseTransport:
    """Connections as every account gets them: few, no cookies, no redirects.

    ``fresh_connections`` gives each request one of its own. ``trust_environment``: the environment may name proxies,
    and authorities of its own in the place of the public ones. ``trusted`` replaces these.
    """
    for name in ("httpx", "httpcore"):  # they log whole addresses, and Telegram's hold the token
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        trusted = trusted or _authorities(trust_environment=trust_environment)
    except OSError as error:
        return NoWay(error)
    return (
        Proxied(trusted=trusted)
        if trust_environment and getproxies()
        else Direct(keep=not fresh_connections, trusted=trusted)
    )


class Direct(httpx.AsyncBaseTransport):
    """Straight to each address, over connections of which each is used by one request at a time.

    Raises httpcore's errors. httpcore's own pool loses a place for ever where a time-out comes at the wrong moment.
    """

    def __init__(self, *, keep: bool, trusted: ssl.SSLContext) -> None:
        self._keep = keep
        self._trusted = trusted
        self._sockets = Sockets()
        self._places = asyncio.Semaphore(CONNECTIONS)
        self._idle: list[httpcore.AsyncHTTPConnection] = []  # the one that was used last stands at the end
        self._busy: set[httpcore.AsyncHTTPConnection] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer's status and headers; its body is still to be read."""
        url = request.url
        wanted = httpcore.Request(
            method=request.method,
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        try:
            async with asyncio.timeout(request.extensions["timeout"]["pool"] if self._places.locked() else None):
                await self._places.acquire()
        except TimeoutError as error:
            raise httpcore.PoolTimeout("every connection is in use") from error
        try:
            connection, answer = await self._answered(wanted)
        except BaseException:
            self._places.release()
            raise
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(self, connection, answer))

    async def _answered(self, wanted: httpcore.Request) -> tuple[httpcore.AsyncHTTPConnection, httpcore.Response]:
        """The connection that took the request, and the head of the answer."""
        while True:
            connection = await self._connection(wanted.url.origin)
            self._busy.add(connection)
            try:
                return connection, await connection.handle_async_request(wanted)
            except httpcore.ConnectionNotAvailable:  # a kept one that is over; nothing was sent
                await self._drop(connection)
            except BaseException:
                await self._drop(connection)
                raise

    async def _connection(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        """An idle connection, or a new one that is not open yet."""
        while (over := next((idle for idle in self._idle if idle.has_expired()), None)) is not None:
            self._idle.remove(over)
            await over.aclose()
        kept = next((idle for idle in reversed(self._idle) if idle.can_handle_request(origin)), None)
        if kept is not None:
            self._idle.remove(kept)
            return kept
        return httpcore.AsyncHTTPConnection(
            origin, ssl_context=self._trusted, keepalive_expiry=IDLE_SECONDS, network_backend=self._sockets
        )

    async def _drop(self, connection: httpcore.AsyncHTTPConnection) -> None:
        self._busy.discard(connection)
        await connection.aclose()

    async def done(self, connection: httpcore.AsyncHTTPConnection, answer: httpcore.Response) -> None:
        """Keep the connection if the answer was read whole and nothing came after it; else close it."""
        try:
            await answer.aclose()
            if self._keep and connection.is_idle() and not _goes_on(answer) and len(self._idle) < CONNECTIONS:
                self._busy.discard(connection)
                self._idle.append(connection)
        finally:
            if connection in self._busy:
                await self._drop(connection)
            self._places.release()

    async def aclose(self) -> None:
        """Close every connection; what is on its way ends without an answer."""
        self._keep = False
        for connection in (*self._idle, *self._busy):
            await connection.aclose()
        self._idle.clear()


class _Body(httpx.AsyncByteStream):
    def __init__(self, wire: Direct, connection: httpcore.AsyncHTTPConnection, answer: httpcore.Response) -> None:
        self._wire = wire
        self._connection = connection
        self._answer = answer

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._answer.aiter_stream()

    async def aclose(self) -> None:
        await self._wire.done(self._connection, self._answer)


def _goes_on(answer: httpcore.Response) -> bool:
    """The server said more than its answer. httpcore would take that for the answer to the next request.

    It shows it to nobody, so this looks inside; where that has changed, no connection is used twice.
    """
    try:
        parser = cast(Any, answer.stream)._connection._h11_state
    except AttributeError:
        return True
    return bool(parser.trailing_data[0])


class Proxied(httpx.AsyncBaseTransport):
    """By way of the proxies that the environment names for each address. Raises httpx's errors.

    Each request has a connection of its own: here nothing looks whether a kept one is still alive and silent.
    """

    def __init__(self, *, trusted: ssl.SSLContext) -> None:
        self._client = httpx.AsyncClient(
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=0),
            cookies=http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(allowed_domains=[])),
            verify=trusted,
            trust_env=True,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer's status and headers; its body is still to be read."""
        return await self._client.send(request, stream=True, follow_redirects=False)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()


class NoWay(httpx.AsyncBaseTransport):
    """Where nobody can be believed, since the environment's authorities can't be read: nothing is sent.

    Told with each request, so that what is due waits until somebody has mended it. Raises ConnectError.
    """

    def __init__(self, error: OSError) -> None:
        # the numbers of TLS's own errors are not the system's
        self._reason = str(error) if isinstance(error, ssl.SSLError) else reasons.reason(error)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Never an answer."""
        message = _("the certificates that SSL_CERT_FILE or SSL_CERT_DIR names can't be read: {reason}")
        raise httpcore.ConnectError(message.format(reason=self._reason))


@cache
def _authorities(*, trust_environment: bool) -> ssl.SSLContext:
    """Who is believed; one for all, since reading the certificates takes longer than a request.

    An office whose proxy looks into what passes names its own authority in ``SSL_CERT_FILE`` or ``SSL_CERT_DIR``.
    """
    return httpx.create_ssl_context(trust_env=trust_environment)
