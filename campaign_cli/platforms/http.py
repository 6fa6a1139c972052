"""The only transport, and the only translation of HTTP into our failures.

What an answer means (docs/architecture.md, "What an answer means"):

- before any byte left (DNS, connect, TLS, no free connection): Unavailable
- 429: Unavailable, with the instant that the network names; 401: Unauthorized; any other 4xx: Rejected
- after bytes left (time-out, reset, 5xx, unreadable answer): Unconfirmed for a creating request, else Unavailable
- a redirect is followed for GET alone, within one origin; otherwise Rejected, naming the new address

The network's own table (``Request.errors``) sees every answer, also a good one, before all of it.
``RecordingTransport`` is the same contract for previews.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, lru_cache
from importlib import metadata
from json import dumps, loads
from typing import Any, Final
from urllib.parse import urlsplit

import httpcore
import httpx

from campaign_cli.errors import Failure, Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.i18n import _
from campaign_cli.platforms.answers import (
    NOT_TAKEN,
    explain,
    is_loopback,
    lost,
    on_our_clock,
    one_line,
    retry_after,
    shown_url,
    system_reason,
    unreadable,
)
from campaign_cli.platforms.base import Request
from campaign_cli.platforms.connections import new_wire

ANSWER_BYTES: Final = 8 * 1024 * 1024
REDIRECTS: Final = 3
CONNECT_SECONDS: Final = 10.0
_HALF: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_REDIRECTING: Final = frozenset({301, 302, 303, 307, 308})
# A wire raises httpx's errors or, straight from below, httpcore's.
_NEVER_SENT: Final = (
    *(httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError),
    *(httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout),
)
_TOO_LATE: Final = (TimeoutError, httpx.TimeoutException, httpcore.TimeoutException)
_MALFORMED: Final = (httpx.LocalProtocolError, httpcore.LocalProtocolError)
_BROKEN: Final = (httpx.HTTPError, httpx.StreamError, httpcore.NetworkError, httpcore.ProtocolError)

Headers = Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpAnswer:
    """An answer read whole; ``headers`` has lower-case names."""

    status: int
    headers: Headers
    content: bytes
    request: Request

    @property
    def text(self) -> str:
        """Body as text; what is not UTF-8 becomes the replacement character."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """Body as JSON, no half signs in it. Raises Unconfirmed (creating request) or Unavailable where it is none."""
        try:
            value = loads(self.content)
            if _HALF.search(self.content):  # such text fits into no request, no database and no file
                value = loads(dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
            return value
        except (ValueError, RecursionError) as error:
            raise unreadable(self.request, status=self.status) from error


class HttpTransport:
    """``base.Http`` over a few connections of its own (``wire``); one for each account, closed by ``aclose``.

    ``pause_until`` (``Platform.pause_until``) reads the network's own rate headers of a 429 without Retry-After.
    ``time_out`` bounds one request in seconds, from start to last byte. ``fresh_connections`` gives each request a
    connection of its own: for networks without proof, where a stale one would leave a creating request in doubt.
    ``trust_environment``: proxies and authorities of the environment count (``connections.new_wire``).
    """

    def __init__(  # noqa: PLR0913 - the ports of the transport, all by name
        self,
        *,
        redact: Callable[[str], str],
        now: Callable[[], datetime],
        pause_until: Callable[[Headers, datetime], datetime | None] | None = None,
        wire: httpx.AsyncBaseTransport | None = None,
        time_out: float = 30.0,
        fresh_connections: bool = False,
        trust_environment: bool = False,
    ) -> None:
        self._redact = redact
        self._now = now
        self._pause_until = pause_until
        self._time_out = time_out
        self._wire = wire or new_wire(fresh_connections=fresh_connections, trust_environment=trust_environment)
        # The whole exchange has one limit (``_exchange``); a connection that doesn't stand sooner was never used.
        self._limits = {"timeout": {"connect": min(CONNECT_SECONDS, time_out), "pool": time_out / 4}}

    async def aclose(self) -> None:
        """Close every connection."""
        await self._wire.aclose()

    async def send(self, request: Request) -> HttpAnswer:
        """The answer, or the Failure that it means."""
        url = self._target(request)
        for _hop in range(REDIRECTS + 1):
            answer = await self._exchange(request, url)
            failure = request.errors(answer) if request.errors is not None else None
            if failure is not None:
                raise self._cleaned(failure, answer)
            if answer.status in request.accept:
                return answer
            if answer.status not in _REDIRECTING or "location" not in answer.headers:
                raise self._failure(answer, url)
            url = self._followed(answer, url)
        message = _("{target} redirects in a circle.").format(target=shown_url(request.url))
        raise Rejected(self._redact(message), status=answer.status)

    def _target(self, request: Request) -> httpx.URL:
        """The absolute address. Raises Rejected where it is none, holds a password, or is http off this machine."""
        try:
            url = _parsed(request.url)
        except (httpx.InvalidURL, ValueError) as error:
            raise self._bad_address(request.url) from error
        if url.scheme not in {"http", "https"} or not url.host or url.userinfo:
            raise self._bad_address(request.url)
        if url.scheme == "http" and not is_loopback(url.host):
            raise Rejected(
                _("{host} must be reached by https: over http, anybody on the way could read the password.").format(
                    host=url.host
                ),
                fix=_("Write https:// in the account's address in accounts.yaml."),
            )
        try:
            return url.copy_merge_params(request.query) if request.query else url
        except (httpx.InvalidURL, ValueError) as error:  # an id from an answer may be of any length
            raise self._bad_address(request.url) from error

    def _bad_address(self, url: str) -> Rejected:
        message = _("“{url}” is no address that can be used.").format(url=self._redact(shown_url(url)))
        return Rejected(message, fix=_("Correct the account's address in accounts.yaml."))

    def _built(self, request: Request, url: httpx.URL) -> httpx.Request:
        """The request in bytes. Raises Rejected where it can't be formed (a line end in a header)."""
        headers = {**_usual_headers(), **request.headers}
        try:
            return httpx.Request(request.method, url, headers=headers, extensions=self._limits, **_body(request))
        except (httpx.HTTPError, TypeError, ValueError) as error:
            raise self._malformed(url, error) from error

    def _malformed(self, url: httpx.URL, error: Exception) -> Rejected:
        message = _("The request to {target} can't be formed: {reason}").format(
            target=self._redact(shown_url(str(url))), reason=self._reason(error)
        )
        return Rejected(message)

    async def _exchange(self, request: Request, url: httpx.URL) -> HttpAnswer:
        """One request and its whole answer, whatever its status."""
        target = self._redact(shown_url(str(url)))
        built = self._built(request, url)
        limit = self._time_out + request.patience
        try:
            async with asyncio.timeout(limit):
                return await self._received(request, built)
        except _NEVER_SENT as error:
            message = _("{target} can't be reached: {reason}").format(target=target, reason=self._reason(error))
            raise Unavailable(message, fix=_("Check the network connection and the account's address.")) from error
        except _TOO_LATE as error:
            message = _("{target} did not answer within {seconds:g} seconds.").format(target=target, seconds=limit)
            raise lost(request, message) from error
        except _MALFORMED as error:
            raise self._malformed(url, error) from error
        except _BROKEN as error:
            message = _("The connection to {target} broke: {reason}").format(target=target, reason=self._reason(error))
            raise lost(request, message) from error

    async def _received(self, request: Request, built: httpx.Request) -> HttpAnswer:
        """The answer read whole, at most ``ANSWER_BYTES`` after decompression."""
        response = await self._wire.handle_async_request(built)
        try:
            content = bytearray()
            async for chunk in _unpacked(response):
                content += chunk
                if len(content) > ANSWER_BYTES:
                    message = _("{target} sent an answer larger than {size} MiB.").format(
                        target=self._redact(shown_url(str(built.url))), size=ANSWER_BYTES // 1024 // 1024
                    )
                    raise lost(request, message, status=response.status_code)
        finally:
            await response.aclose()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return HttpAnswer(status=response.status_code, headers=headers, content=bytes(content), request=request)

    def _followed(self, answer: HttpAnswer, url: httpx.URL) -> httpx.URL:
        """The next address of a GET within one origin. Raises Rejected with the new address for anything else."""
        try:
            new = url.join(answer.headers["location"])
        except (httpx.InvalidURL, ValueError) as error:
            raise self._failure(answer, url) from error
        same = (new.scheme, new.host, new.port) == (url.scheme, url.host, url.port)
        if answer.request.method == "GET" and same and not new.userinfo:
            return new
        raise Rejected(
            _("{target} has moved to {address}. Nothing was sent there.").format(
                target=self._redact(shown_url(str(url))),
                address=self._redact(f"{new.scheme}://{shown_url(str(new))}"),
            ),
            status=answer.status,
            fix=_("If the new address is right, write it in accounts.yaml."),
        )

    def _failure(self, answer: HttpAnswer, url: httpx.URL) -> Failure:
        """What a status outside ``accept`` means."""
        status = answer.status
        message = _("{target} answered {status}: {text}").format(
            target=self._redact(shown_url(str(url))),
            status=status,
            text=one_line(self._redact(explain(answer))) or "–",
        )
        if status == 401:
            return Unauthorized(
                message, status=status, fix=_("Renew this account's secret and run: campaign accounts check")
            )
        if status in NOT_TAKEN:
            return Unavailable(message, status=status, retry_at=self._retry_at(answer))
        if 300 <= status < 500:
            return Rejected(message, status=status)
        failure = lost(answer.request, message, status=status)
        failure.retry_at = self._retry_at(answer)
        return failure

    def _cleaned(self, failure: Exception, answer: HttpAnswer) -> Exception:
        """The network's own failure with its words bounded and redacted, and with a retry instant where it has none."""
        if isinstance(failure, Failure):
            failure.message = one_line(self._redact(failure.message))
            failure.args = (failure.message,)
            failure.status = failure.status or answer.status
        if isinstance(failure, Unavailable | Unconfirmed) and failure.retry_at is None:
            failure.retry_at = self._retry_at(answer)
        return failure

    def _retry_at(self, answer: HttpAnswer) -> datetime | None:
        now = self._now()
        named, pause_until = answer.headers.get("retry-after"), self._pause_until
        if named is not None:
            return on_our_clock(answer.headers, now, lambda there: retry_after(named, there))
        if pause_until is None:
            return None
        return on_our_clock(answer.headers, now, lambda there: pause_until(answer.headers, there))

    def _reason(self, error: Exception) -> str:
        return system_reason(error) or one_line(self._redact(str(error))) or type(error).__name__


@dataclass
class RecordingTransport:
    """For previews: keeps every request, and answers it with its ``sample`` (or what ``sample(request)`` gives)."""

    requests: list[Request] = field(default_factory=list)

    async def send(self, request: Request) -> HttpAnswer:
        """The sample as a JSON answer with the first accepted status and the sample's headers."""
        self.requests.append(request)
        sample = request.sample(request) if callable(request.sample) else request.sample
        content = b"" if sample is None else dumps(sample, ensure_ascii=False).encode()
        return HttpAnswer(status=request.accept[0], headers=request.sample_headers, content=content, request=request)


@cache
def _usual_headers() -> Headers:
    """What every request carries unless it says otherwise."""
    return {
        "Accept": "*/*",
        "Accept-Encoding": "gzip, deflate",
        "Connection": "keep-alive",
        "User-Agent": user_agent(),
    }


@cache
def user_agent() -> str:
    """``campaign-cli/VERSION (+address of the project)``, as networks ask of automatic clients."""
    try:
        project = metadata.metadata("campaign-cli")
    except metadata.PackageNotFoundError:
        return "campaign-cli"
    addresses = [row.partition(",")[2].strip() for row in project.get_all("Project-URL") or ()]
    contact = f" (+{addresses[0]})" if addresses else ""
    return f"campaign-cli/{project['Version']}{contact}"


@lru_cache(maxsize=1024)
def _parsed(address: str) -> httpx.URL:
    """The address, read once for the many requests that go there. Raises ValueError and httpx.InvalidURL."""
    urlsplit(address).port  # noqa: B018 - raises for a host or port that can't be, which httpx lets pass
    return httpx.URL(address)


def _unpacked(response: httpx.Response) -> AsyncIterable[bytes]:
    """The body in pieces; what is not packed needn't go through httpx's decoders."""
    stream = response.stream
    if "content-encoding" in response.headers or not isinstance(stream, httpx.AsyncByteStream):
        return response.aiter_bytes()
    return stream


def _body(request: Request) -> dict[str, Any]:
    """The body in httpx's own arguments."""
    if request.uploads:
        files = [(upload.field, (upload.name, upload.content, upload.mime)) for upload in request.uploads]
        return {"files": files, "data": dict(request.form or {})}
    if request.form is not None:
        return {"data": dict(request.form)}
    if request.json is not None:
        return {"json": request.json}
    return {} if request.content is None else {"content": request.content}
