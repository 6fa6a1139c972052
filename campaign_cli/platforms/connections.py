"""An account's connections, as ``http.py`` uses them: below httpx's client.

Cookies, redirects, authentication and hooks would cost as much again as the request, and none is wanted.
"""

from __future__ import annotations

import http.cookiejar
import logging
import ssl
from collections.abc import AsyncIterator
from functools import cache
from typing import Any, Final, cast
from urllib.request import getproxies

import httpcore
import httpx

from campaign_cli.platforms.sockets import Sockets

CONNECTIONS: Final = 5  # as many as an account has in flight; more slow one client down


def new_wire(
    *, fresh_connections: bool = False, trust_environment: bool = False, trusted: ssl.SSLContext | None = None
) -> httpx.AsyncBaseTransport:
    """Connections as every account gets them: few, no cookies, no redirects, proxies only when asked.

    ``fresh_connections`` gives each request one of its own. ``trusted`` replaces the certificates of the public
    authorities.
    """
    for name in ("httpx", "httpcore"):  # they log whole addresses, and Telegram's hold the token
        logging.getLogger(name).setLevel(logging.WARNING)
    keep = 0 if fresh_connections else CONNECTIONS
    trusted = trusted or _public_authorities()
    return Proxied(trusted=trusted) if trust_environment and getproxies() else Direct(keep=keep, trusted=trusted)


class Direct(httpx.AsyncBaseTransport):
    """Straight to each address. Raises httpcore's errors."""

    def __init__(self, *, keep: int, trusted: ssl.SSLContext) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trusted,
            max_connections=CONNECTIONS,
            max_keepalive_connections=keep,
            keepalive_expiry=5.0,
            network_backend=Sockets(),
        )

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
        answer = await self._pool.handle_async_request(wanted)
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._answer.aiter_stream()

    async def aclose(self) -> None:
        if _goes_on(self._answer):
            await self._answer.extensions["network_stream"].aclose()
        await self._answer.aclose()


def _goes_on(answer: httpcore.Response) -> bool:
    """The server said more than its answer. httpcore would take that for the answer to the next request.

    It shows it to nobody, so this looks inside; where that has changed, no connection is used twice.
    """
    try:
        parser = cast(Any, answer.stream)._stream._connection._h11_state
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


@cache
def _public_authorities() -> ssl.SSLContext:
    """One for all: reading the certificates takes longer than a request."""
    return httpx.create_ssl_context(trust_env=False)
