"""A network that answers each POST after 20 ms, like Mastodon's, as fast as Python can: ``python network.py``.

Prints its port. GET gives the number of POSTs, when each arrived, and how many there were a second, from the first
one's arrival to the last one's answer, and starts anew. GET /number gives the number so far.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field

DELAY_SECONDS = 0.02


@dataclass
class Seen:
    """What has come since the last GET; ``number`` never starts anew."""

    number: int = 0
    posts: int = 0
    first: float = 0.0
    last: float = 0.0
    arrivals: list[float] = field(default_factory=list)  # seconds since the epoch


seen = Seen()


class Network(asyncio.Protocol):
    """One connection, one request at a time."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.data = b""

    def data_received(self, data: bytes) -> None:
        """Answer as soon as a request is whole."""
        self.data += data
        head, end, body = self.data.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        size = next((int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:")), 0)
        if not end or len(body) < size:
            return
        self.data = body[size:]
        if head.startswith(b"GET /number"):
            self.answer({"posts": seen.posts})
            return
        if head.startswith(b"GET"):
            rate = seen.posts / ((seen.last - seen.first) or 1)
            self.answer({"posts": seen.posts, "rate": rate, "arrivals": seen.arrivals})
            seen.posts, seen.arrivals = 0, []
            return
        if not seen.posts:
            seen.first = time.perf_counter()
        seen.number, seen.posts = seen.number + 1, seen.posts + 1
        seen.arrivals.append(time.time())
        asyncio.get_running_loop().call_later(DELAY_SECONDS, self.created, str(seen.number))

    def created(self, identifier: str) -> None:
        """Answer with a status."""
        url = f"https://one.example/@web/{identifier}"
        self.answer({"id": identifier, "url": url, "created_at": "2035-06-01T01:00:00.000Z"})
        seen.last = time.perf_counter()

    def answer(self, content: object) -> None:
        """Send JSON, if anybody still listens."""
        body = json.dumps(content).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        if not self.transport.is_closing():
            self.transport.write(head.encode() + body)


async def main() -> None:
    """Listen on a free port until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Network, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
