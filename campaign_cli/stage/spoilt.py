"""The answers of a bad day: what comes back instead of a network's own answer."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from html import escape
from typing import Any, Literal
from urllib.parse import unquote

from starlette.datastructures import Headers
from starlette.types import Message, Scope

Body = Literal["error", "html", "empty", "half", "gzip", "nameless"]
BODIES: tuple[Body, ...] = ("error", "html", "empty", "half", "gzip", "nameless")
Retry = Literal["none", "seconds", "date"]

ELSEWHERE = "https://elsewhere.example"
"""Where a redirect of the stage leads: nowhere."""

_IDENTIFIER = re.compile(r"(?:.*_)?(?:id|uri|cid|ts)|name")


@dataclass(frozen=True, kw_only=True, slots=True)
class Spoilt:
    """An answer to be sent instead: ``seconds`` is what Retry-After asks for, as ``retry`` says it."""

    status: int
    body: Body
    retry: Retry
    seconds: float

    def messages(self, scope: Scope, *, own: bytes, now: datetime) -> list[Message]:
        """As ASGI messages. ``own`` is the network's answer where the request was carried out; ``now`` is aware."""
        content, kind = self._content(scope, own)
        headers = {"content-type": kind, "content-length": str(len(content))}
        if self.body == "gzip":
            headers["content-encoding"] = "gzip"
        if 300 <= self.status < 400:
            headers["location"] = ELSEWHERE + scope["path"]
        if self.retry == "seconds":
            headers["retry-after"] = str(max(1, round(self.seconds)))
        if self.retry == "date":
            headers["retry-after"] = format_datetime(now + timedelta(seconds=self.seconds), usegmt=True)
        raw = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
        return [
            {"type": "http.response.start", "status": self.status, "headers": raw},
            {"type": "http.response.body", "body": content},
        ]

    def _content(self, scope: Scope, own: bytes) -> tuple[bytes, str]:
        """The bytes and their type."""
        if self.body == "html":
            return _page(scope, self.status), "text/html; charset=utf-8"
        known = own or json.dumps({"error": "Something went wrong", "status": self.status}).encode()
        contents: Mapping[str, bytes] = {
            "error": json.dumps({"error": "Something went wrong", "status": self.status}).encode(),
            "empty": b"",
            "half": known[: max(1, len(known) // 2)],
            "gzip": gzip.compress(known)[:10] + b"not deflated at all",
            "nameless": _nameless(known),
        }
        return contents[self.body], "application/json"


def _page(scope: Scope, status: int) -> bytes:
    """As a proxy with an open heart shows it: with everything that was asked, secrets too."""
    asked = [f"{scope['method']} {unquote(scope['path'])}"]
    asked += [f"{name}: {value}" for name, value in Headers(scope=scope).items()]
    lines = "".join(f"<p>{escape(line)}</p>" for line in asked)
    return f"<html><head><title>{status}</title></head><body><h1>{status}</h1>{lines}</body></html>".encode()


def _nameless(content: bytes) -> bytes:
    """The JSON without anything that says which post it is; what is no JSON becomes an empty object."""
    try:
        value = json.loads(content)
    except ValueError:
        value = {}
    return json.dumps(_without_names(value)).encode()


def _without_names(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_names(inner) for key, inner in value.items() if not _IDENTIFIER.fullmatch(str(key))}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_without_names(inner) for inner in value]
    return value
