"""An account's connections, as ``http.py`` uses them: below httpx's client.

Cookies, redirects, authentication and hooks would cost as much again as the request, and none is wanted.
"""

from __future__ import annotations

import http.cookiejar
import logging
import ssl
from collections.abc import AsyncIterator
from functools import cache
from typing import Final
from urllib.request import getproxies

import httpcore
import httpx

from campaign_cli.platforms.sockets import Sockets

CONNECTIONS: Final = 5  # as many as an account has in flight; more slow one client down


def new_wire(*, fresh_connections: bool = False, trust_environment: bool = False) -> httpx.AsyncBaseTransport:
    """Connections as every account gets them: few, no cookies, no redirects, proxies only when asked.

    ``fresh_connections`` gives each request one of its own.
    """
    for name in ("httpx", "httpcore"):  # they log whole addresses, and Telegram's hold the token
        logging.getLogger(name).setLevel(logging.WARNING)
    keep = 0 if fresh_connections else CONNECTIONS
    return Proxied(keep=keep) if trust_environment and getproxies() else Direct(keep=keep)


class Direct(httpx.AsyncBaseTransport):
    """Straight to each address. Raises httpcore's errors."""

    def __init__(self, *, keep: int) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_ssl_context(),
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
        await self._answer.aclose()


class Proxied(httpx.AsyncBaseTransport):
    """By way of the proxies that the environment names for each address. Raises httpx's errors."""

    def __init__(self, *, keep: int) -> None:
        self._client = httpx.AsyncClient(
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=keep),
            cookies=http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(allowed_domains=[])),
            verify=_ssl_context(),
            trust_env=True,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer's status and headers; its body is still to be read."""
        return await self._client.send(request, stream=True, follow_redirects=False)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()


@cache
def _ssl_context() -> ssl.SSLContext:
    """One for all: reading the certificates takes longer than a request."""
    return httpx.create_ssl_context(trust_env=False)
