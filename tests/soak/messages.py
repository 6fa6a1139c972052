"""HTTP/1.1 as far as the counting server needs it: one request read in pieces, so that it can stop in between."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from email.parser import BytesParser
from email.policy import HTTP
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

WORDS = {200: "OK", 202: "Accepted", 206: "Partial Content", 400: "Bad Request", 401: "Unauthorized"}


@dataclass
class Request:
    """A request whose head has arrived; ``body`` is empty until ``read`` has taken it."""

    method: str
    account: str
    path: str  # below the account's own address
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""

    @property
    def length(self) -> int:
        """Bytes of the body."""
        return int(self.headers.get("content-length", "0"))

    @property
    def creating(self) -> bool:
        """Whether it makes something public."""
        return self.method == "POST" and (self.path == "/api/v1/statuses" or "/send" in self.path)

    @property
    def uploading(self) -> bool:
        """Whether it carries a picture."""
        return self.method == "POST" and (self.path == "/api/v2/media" or self.path.endswith("/sendPhoto"))

    @property
    def looking(self) -> bool:
        """Whether it searches the account's own posts."""
        return self.method == "GET" and self.path.startswith("/api/v1/accounts/") and self.path.endswith("/statuses")

    def fields(self) -> dict[str, Any]:
        """The body: JSON, or the parts of a form (files as bytes)."""
        kind = self.headers.get("content-type", "")
        if kind.startswith("application/json"):
            return dict(json.loads(self.body))
        if not kind.startswith("multipart/"):
            return dict(parse_qsl(self.body.decode()))
        head = f"Content-Type: {kind}\r\n\r\n".encode()
        form = BytesParser(policy=HTTP).parsebytes(head + self.body)
        found: dict[str, Any] = {}
        for part in form.iter_parts():  # type: ignore[attr-defined]
            content = part.get_payload(decode=True)
            found[part.get_param("name", header="content-disposition")] = (
                content if part.get_filename() else content.decode()
            )
        return found

    async def read(self, reader: asyncio.StreamReader, *, upto: int | None = None) -> None:
        """Take the body, or its first bytes. Raises IncompleteReadError where the sender has ended before."""
        wanted = self.length if upto is None else upto
        if wanted > len(self.body):
            self.body += await reader.readexactly(wanted - len(self.body))


async def read_head(reader: asyncio.StreamReader) -> Request | None:
    """The next request's head; None when the connection is over."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    line, *rows = head.split("\r\n")
    method, target, _version = line.split(" ")
    headers = {name.lower(): value.strip() for name, _colon, value in (row.partition(":") for row in rows if row)}
    address = urlsplit(target)
    _empty, account, path = address.path.split("/", 2)
    return Request(method, account, f"/{path}", dict(parse_qsl(address.query)), headers)


@dataclass(frozen=True)
class Answer:
    """A status, a JSON body and headers of its own."""

    status: int
    body: Any
    headers: tuple[tuple[str, str], ...] = ()

    def encode(self) -> bytes:
        """In bytes, with the server's clock in its Date."""
        content = json.dumps(self.body).encode()
        rows = [
            f"HTTP/1.1 {self.status} {WORDS.get(self.status, 'Other')}",
            f"Date: {format_datetime(datetime.now(UTC), usegmt=True)}",
            "Content-Type: application/json",
            f"Content-Length: {len(content)}",
            *(f"{name}: {value}" for name, value in self.headers),
        ]
        return "\r\n".join(rows).encode() + b"\r\n\r\n" + content
