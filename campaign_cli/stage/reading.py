"""What comes in is a stranger's: JSON of any shape, numbers that are none, bodies without an end."""

from __future__ import annotations

import json
import math
import traceback
from typing import Any, Final

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

LARGEST: Final = 400 * 2**20
"""Bytes that a request or an answer may have: the largest video there is (256 MiB), in base64 as well."""
LONGEST: Final = 2_048
"""Signs that a path may have."""
_DEPTH: Final = 64
_DIGITS: Final = 19

SHAPES: Final = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)
"""What a handler runs into where a request has another shape than the network documents."""


class Malformed(ValueError):
    """A body that can't be read, or that no answer could repeat."""


class _TooLarge(Exception):
    """More bytes than anybody needs."""


def json_of(content: bytes | str) -> Any:
    """The value of a JSON text. Raises Malformed for what is none, and for what strict JSON can't hold: halves of
    surrogate pairs, numbers beyond 64 bits, no numbers at all, and values within values without an end."""
    try:
        value = json.loads(content, parse_int=_whole, parse_float=_finite, parse_constant=_none)
    except (ValueError, RecursionError) as error:
        raise Malformed(str(error)) from error
    return checked(value)


def checked(value: Any) -> Any:
    """The value, unless text or depth of something in it is Malformed."""
    waiting = [(value, 0)]
    while waiting:
        each, depth = waiting.pop()
        if depth > _DEPTH:
            raise Malformed("too deep")
        if isinstance(each, str):
            _encodable(each)
        elif isinstance(each, dict):
            waiting += [(inner, depth + 1) for pair in each.items() for inner in pair]
        elif isinstance(each, list):
            waiting += [(inner, depth + 1) for inner in each]
    return value


def told(error: Exception) -> str:
    """Which shape was missed, and where: so that a fault of the stage's own can be told from one of a request."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "campaign_cli" in frame.filename]
    place = f" ({ours[-1].name}, line {ours[-1].lineno})" if ours else ""
    return f"The request can't be read: {type(error).__name__}{place}"


class Bounded:
    """ASGI middleware, outermost: 414 for a path and 413 for a body that are larger than anything of use."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. The size that it announces counts, and what really comes."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0").decode("latin-1")
        if len(scope["path"]) > LONGEST:
            await Response("URI Too Long", 414)(scope, receive, send)
            return
        came = int(announced) if announced.isascii() and announced.isdigit() and len(announced) <= _DIGITS else 0
        try:
            if came > LARGEST:
                raise _TooLarge
            await self.app(scope, _counted(receive), send)
        except _TooLarge:
            await Response("Content Too Large", 413, {"Connection": "close"})(scope, receive, send)


def _counted(receive: Receive) -> Receive:
    came = 0

    async def next_message() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came > LARGEST:
            raise _TooLarge
        return message

    return next_message


def _encodable(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Malformed("half of a surrogate pair") from error


def _whole(digits: str) -> int:
    if len(digits) > _DIGITS + 1:
        raise Malformed("a number beyond 64 bits")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise Malformed("a number without an end")
    return number


def _none(word: str) -> float:
    raise Malformed(f"{word} is no JSON")
