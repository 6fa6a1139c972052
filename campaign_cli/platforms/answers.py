"""What adapters and the transport need to read an answer: failures for unreadable ones, short texts, instants.

Apart from ``http.py`` so that adapters can use it without importing the HTTP library.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from ipaddress import ip_address
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, urlsplit

from campaign_cli import reasons
from campaign_cli.errors import Failure, Unavailable, Unconfirmed
from campaign_cli.i18n import _
from campaign_cli.platforms.base import Answer, Http, Request

T = TypeVar("T")

NOT_TAKEN: Final = frozenset({408, 421, 425, 429})
"""Statuses that say that the request was not processed, whoever gives them (RFC 9110, RFC 8470)."""

EXPLANATION_LENGTH: Final = 300  # characters of a network's own words that we show
_TELLING: Final = 6  # characters: what is shorter opens nothing, and may be a word of any message
_EXPLAINING_KEYS: Final = ("error_description", "message", "description", "detail", "error", "title", "code")
_UNREMARKABLE: Final = timedelta(seconds=5)  # clocks that differ by this much are the same
_TOKENS_IN_PATH: Final = (
    (re.compile(r"/(?:file/)?bot[^/]*:[^/]*"), "/bot•••"),
    (re.compile(r"/webhooks/(\d+)/[^/]+"), r"/webhooks/\1/•••"),
    (re.compile(r"/services/T\w+/B\w+/[^/]+"), "/services/•••"),
    (re.compile(r"/upload/v1/[^/]+"), "/upload/v1/•••"),
)
_TAGS: Final = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)


async def ask(http: Http, request: Request, read: Callable[[Any], T]) -> T:
    """Send, and read the JSON body with ``read``; a body without what ``read`` wants is an unreadable answer.

    Raises what ``Http.send`` raises; Unconfirmed for an unreadable answer to a creating request, else Unavailable.
    """
    return read_json(request, await http.send(request), read)


def read_json(request: Request, answer: Answer, read: Callable[[Any], T]) -> T:
    """What ``read`` takes from the JSON body. Raises Unconfirmed for a creating request, else Unavailable."""
    data = answer.json()
    try:
        return read(data)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise unreadable(request, status=answer.status) from error


def unreadable(request: Request, *, status: int | None = None) -> Failure:
    """The failure for an answer that can't be understood."""
    message = _("{target} sent an answer that can't be read.").format(target=shown_url(request.url))
    return lost(request, message, status=status)


def lost(request: Request, message: str, *, status: int | None = None) -> Failure:
    """Unconfirmed where the request may have made something public, else Unavailable."""
    if request.creating:
        return Unconfirmed(message, status=status)
    return Unavailable(message, status=status)


def explain(answer: Answer) -> str:
    """The network's own words about an error.

    They may be long and may echo a secret: the transport redacts the message of every failure, and cuts it after that.
    """
    return _words(answer.text)


def json_object(text: str) -> dict[str, Any]:
    """The JSON object that the text is; empty where it is none."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def numbers(data: Any, names: Mapping[str, str]) -> dict[str, int]:
    """What a network counts of a post; ``names`` maps our word to its field. What is no number is left out."""
    if not isinstance(data, Mapping):
        return {}
    found = {word: data.get(field) for word, field in names.items()}
    return {word: value for word, value in found.items() if isinstance(value, int) and not isinstance(value, bool)}


def one_line(text: str) -> str:
    """The text without tags and control characters, in one line of at most ``EXPLANATION_LENGTH`` characters."""
    plain = _TAGS.sub(" ", text[: EXPLANATION_LENGTH * 40])
    plain = "".join(character if character.isprintable() else " " for character in plain)
    plain = " ".join(plain.split())
    return plain if len(plain) <= EXPLANATION_LENGTH else plain[: EXPLANATION_LENGTH - 1] + "…"


def shown_url(url: str) -> str:
    """Host and path of an address for people: no user information, query or fragment, and no token in the path."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.partition("://")[0]
    host = parts.netloc.rpartition("@")[2]
    path = parts.path
    for token, shown in _TOKENS_IN_PATH:
        path = token.sub(shown, path)
    return one_line(host + path) or one_line(parts.scheme)


@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """True for this machine: localhost, 127.0.0.0/8, ::1."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def system_reason(error: BaseException) -> str:
    """What the operating system said below the library's error, in the user's language; "" where it said nothing."""
    below: BaseException | None = error
    for _depth in range(10):
        if isinstance(below, socket.gaierror):
            return _("the name of the server is not known (DNS)")
        if isinstance(below, ConnectionRefusedError):
            return reasons.reason(below)
        if isinstance(below, BaseExceptionGroup):
            below = below.exceptions[0]
        elif below is not None:
            below = below.__cause__ or below.__context__
    return ""


def conceal(failure: Failure, address: str) -> None:
    """Take what opens an upload out of a message: its address, and what stands in that address's query."""
    values = (value for _name, value in parse_qsl(urlsplit(address).query) if len(value) >= _TELLING)
    for secret in (address, *values):
        failure.message = failure.message.replace(secret, "•••")
    failure.args = (failure.message,)


def retry_after(value: str, now: datetime) -> datetime | None:
    """The instant that a Retry-After header names, in seconds or as a date (RFC 9110 10.2.3), if it can be read."""
    try:
        return in_seconds(float(value), now)
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(value)
        return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def in_seconds(seconds: float, now: datetime) -> datetime | None:
    """The instant that lies so far ahead, or ``now`` for one in the past; None where no calendar goes that far."""
    try:
        return now + timedelta(seconds=max(0.0, seconds))
    except (OverflowError, ValueError):
        return None


def instant(text: str) -> datetime:
    """An aware instant from ISO 8601; UTC where it names no offset. Raises ValueError."""
    parsed = datetime.fromisoformat(text.strip())
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)


def epoch(seconds: Any) -> datetime | None:
    """The instant so many seconds after 1970 began, from a number or a text; None where it can't be read."""
    try:
        return datetime.fromtimestamp(float(seconds), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def ahead(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How far the server's clock (header Date, whole seconds) is ahead of ours; None where it doesn't say."""
    try:
        said = parsedate_to_datetime(headers.get("date", ""))
        return (said if said.tzinfo is not None else said.replace(tzinfo=UTC)) - now
    except (ValueError, TypeError, OverflowError):
        return None


def on_our_clock(
    headers: Mapping[str, str], now: datetime, read: Callable[[datetime], datetime | None]
) -> datetime | None:
    """The instant that ``read`` takes from an answer, given the server's own now, on our clock."""
    distance = ahead(headers, now) or timedelta(0)
    if abs(distance) < _UNREMARKABLE:
        return read(now)
    try:
        at = read(now + distance)
        return None if at is None else at - distance
    except OverflowError:
        return None


def _words(text: str) -> str:
    """The explaining members of a JSON body, else the text itself."""
    data = json_object(text)
    inner = data.get("error")
    if isinstance(inner, dict):
        data = inner
    words = [data[key] for key in _EXPLAINING_KEYS if isinstance(data.get(key), str) and data[key]]
    return ": ".join(dict.fromkeys(reversed(words[:2]))) or text
