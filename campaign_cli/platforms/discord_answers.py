"""Reading Discord's answers: refusals by their codes, and rates.

https://docs.discord.com/developers/topics/opcodes-and-status-codes#json · topics/rate-limits
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from json import loads
from typing import Any, Final

from campaign_cli.errors import Rejected, Unauthorized, Unavailable
from campaign_cli.i18n import _
from campaign_cli.platforms.answers import NOT_TAKEN, explain, in_seconds
from campaign_cli.platforms.base import Answer

UNKNOWN_MESSAGE: Final = 10008
_NO_WEBHOOK: Final = (10015, 40001, 50027)  # unknown webhook, unauthorized, invalid webhook token
_BUSY: Final = (20016, 20028, 40004, 40062)  # slow mode, write rate, sending switched off, resource is rate limited
_REST: Final = timedelta(seconds=60)
_FORUM: Final = (220001, 220003)  # a forum wants to know the thread; no thread can be made elsewhere
_CLOSED: Final = (50083, 160005)  # the thread is archived or locked
_NOT_ALLOWED: Final = (10003, 50001, 50013, 50024, 220004)  # the channel is gone, or the webhook may not post there


def errors(now: Callable[[], datetime]) -> Callable[[Answer], Exception | None]:
    """Discord's own table for ``Request.errors``; ``now`` dates its ``retry_after`` seconds."""

    def read(answer: Answer) -> Exception | None:
        if not 400 <= answer.status < 500 or answer.status in NOT_TAKEN - {429}:
            return None
        data = _parsed(answer.text)
        if answer.status == 429:
            return _throttled(answer, data, now=now())
        return _failure(answer, data, now=now())

    return read


def pause_until(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """``X-RateLimit-Reset-After`` (seconds, with a fraction), when nothing of the bucket remains."""
    if headers.get("x-ratelimit-remaining", "").strip() != "0":
        return None
    try:
        return in_seconds(float(headers.get("x-ratelimit-reset-after", "")), now)
    except ValueError:
        return None


def _throttled(answer: Answer, data: Mapping[str, Any], *, now: datetime) -> Unavailable:
    """Too many requests. The transport reads a Retry-After header; else the seconds stand in the body."""
    seconds, retry_at = data.get("retry_after"), None
    if "retry-after" not in answer.headers and isinstance(seconds, int | float):
        retry_at = in_seconds(seconds, now)
    return Unavailable(_words(answer, data), status=429, retry_at=retry_at)


def _failure(answer: Answer, data: Mapping[str, Any], *, now: datetime) -> Exception:
    code, status, message = _code(data), answer.status, _words(answer, data)
    if code == UNKNOWN_MESSAGE:
        return Rejected(message, status=status, code=str(code))
    if code in _NO_WEBHOOK or status == 401 or (status in {404, 405} and code == 0):
        fix = _("Copy the webhook's address again (channel settings, Integrations, Webhooks) into the secret.")
        return Unauthorized(message, status=status, code=str(code), fix=fix)
    if code in _BUSY:
        return Unavailable(message, status=status, code=str(code), retry_at=now + _REST)
    return Rejected(message, status=status, code=str(code), fix=_fix(code))


def _fix(code: int) -> str:
    if code in _FORUM:
        return _("The webhook belongs to a forum: write the number of a thread there as thread: in accounts.yaml.")
    if code in _CLOSED:
        return _("The thread is closed: open it in Discord, or write another thread: in accounts.yaml.")
    if code in _NOT_ALLOWED:
        return _("In Discord, make a new webhook for the channel, and copy its address into the secret.")
    return ""


def _words(answer: Answer, data: Mapping[str, Any]) -> str:
    """Discord's words, with the field that it names in an invalid body."""
    details = "; ".join(_details(data.get("errors"), ()))
    text = explain(answer) + (f" ({details})" if details else "")
    return _("Discord refused it: {text}").format(text=text)


def _details(errors: Any, path: tuple[str, ...]) -> Iterator[str]:
    """``content: Must be 2000 or fewer in length.`` for each field. /reference#error-messages"""
    for key, value in errors.items() if isinstance(errors, dict) else ():
        if key == "_errors" and isinstance(value, list):
            for one in value:
                yield f"{'.'.join(path)}: {one.get('message', '') if isinstance(one, dict) else one}"
        elif len(path) < 5:
            yield from _details(value, (*path, str(key)))


def _code(data: Mapping[str, Any]) -> int:
    code = data.get("code")
    return code if isinstance(code, int) else 0


def _parsed(text: str) -> dict[str, Any]:
    try:
        data = loads(text)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
