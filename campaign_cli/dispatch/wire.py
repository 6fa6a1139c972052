"""The guarded way to the network: the gate before each creating request, and what is known of requests that left."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Final

from campaign_cli.errors import ClaimLost, Held, Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.i18n import _
from campaign_cli.platforms.base import Answer, Http, Request

logger = logging.getLogger(__name__)

MARGIN_SECONDS: Final = 5.0
"""Above a platform's ``max_wait``: the transport's own time-out speaks first, this one is for what it can't see."""

_PROVABLY_NOT_DONE: Final = (Rejected, Unavailable, Unauthorized, Held, ClaimLost)


class GuardedHttp:
    """``base.Http`` for one try at one part.

    ``gate`` is awaited before every creating request and raises Held or ClaimLost. ``heard`` is given the headers of
    every answer. ``left`` says that a creating request has left and was not provably refused; ``left_at`` (aware) when
    the last one did, and ``request`` its fingerprint.
    """

    def __init__(
        self,
        http: Http,
        *,
        gate: Callable[[], Awaitable[None]],
        heard: Callable[[Mapping[str, str]], Awaitable[None]],
        now: Callable[[], datetime],
        max_wait: float,
        redact: Callable[[str], str],
    ) -> None:
        self._http = http
        self._gate = gate
        self._heard = heard
        self._now = now
        self._deadline = max_wait + MARGIN_SECONDS
        self._redact = redact
        self.left = False
        self.request = ""
        self.left_at: datetime | None = None

    async def send(self, request: Request) -> Answer:
        """The answer, or a Failure; Held and ClaimLost by the gate."""
        if not request.creating:
            return await self._exchange(request)
        await self._gate()
        before = self.left
        self.left, self.left_at = True, self._now()
        self.request = fingerprint(request, redact=self._redact)
        try:
            return await self._exchange(request)
        except _PROVABLY_NOT_DONE:
            self.left = before
            raise

    async def _exchange(self, request: Request) -> Answer:
        """One request; a transport that hangs is cut off, so that no lease is outlived."""
        try:
            async with asyncio.timeout(self._deadline + request.patience):
                answer = await self._http.send(request)
        except TimeoutError as error:
            message = _("No answer within {seconds:g} seconds.").format(seconds=self._deadline + request.patience)
            raise (Unconfirmed if request.creating else Unavailable)(message) from error
        try:
            await self._heard(answer.headers)
        except Exception:
            # The answer is here, and may be the only proof: reading its rate headers must not lose it.
            logger.warning("The rate headers of an answer could not be used", exc_info=True)
        return answer


def fingerprint(request: Request, *, redact: Callable[[str], str]) -> str:
    """SHA-256 of a request as it left, without its headers and with its secrets redacted: what a receipt answers to.

    Over canonical JSON of method, address, query, body (JSON, form, or the SHA-256 of raw bytes) and files.
    """
    said = {
        "method": request.method,
        "url": request.url,
        "query": dict(request.query),
        "json": request.json,
        "form": request.form,
        "content": None if request.content is None else sha256(request.content).hexdigest(),
        "uploads": [(one.field, one.name, one.mime, sha256(one.content).hexdigest()) for one in request.uploads],
    }
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return sha256(redact(text).encode("utf-8", "surrogatepass")).hexdigest()
