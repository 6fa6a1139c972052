"""The counting server: ``python -m soak.server`` prints its two ports as JSON and serves until its stdin closes.

One port speaks HTTP to the product, the other one JSON lines to the harness (``control``). A *point* that was armed
stops the first request that reaches it (a ``hold`` every one) until the harness releases it: by dropping the connection
or by going on, in which case whatever has arrived counts, also from a process that is dead by then.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from soak.answers import answer, is_reply, refusal
from soak.messages import Answer, Request, read_head
from soak.network import Network

HOLDS = frozenset({"hold", "hold-reply"})


class Dropped(Exception):
    """This connection ends here, with a reset."""


@dataclass
class Desk:
    """The harness's orders and what has come of them. ``shares`` maps a fault to how often it happens (0 to 1)."""

    chance: random.Random
    point: str = ""
    skip: int = 0
    paused: list[int] = field(default_factory=list)  # the senders' own ports
    decision: asyncio.Future[str] | None = None
    arrivals: int = 0
    answered: int = 0  # answers sent on after a release
    shares: dict[str, float] = field(default_factory=dict)
    losing: int = 0  # so many posts more are accepted without an answer, whatever the shares say

    def arm(self, point: str, skip: int) -> None:
        """Stop at a point, after letting ``skip`` requests pass it; an empty one stops nothing."""
        self.release("go")
        self.point, self.skip, self.paused, self.answered = point, skip, [], 0
        self.decision = asyncio.get_running_loop().create_future()

    def release(self, how: str) -> None:
        """End every stop: ``drop`` or ``go``."""
        self.point = ""
        if self.decision is not None and not self.decision.done():
            self.decision.set_result(how)

    async def at(self, point: str, port: int) -> None:
        """Stop here if that was ordered. Raises Dropped."""
        if point != self.point or self.decision is None:
            return
        if self.skip > 0:
            self.skip -= 1
            return
        if point not in HOLDS:
            self.point = ""
        self.paused.append(port)
        if await asyncio.shield(self.decision) == "drop":
            raise Dropped

    def fault(self, among: Sequence[str]) -> str:
        """One of these faults, or none, by chance."""
        drawn = self.chance.random()
        for name in among:
            drawn -= self.shares.get(name, 0)
            if drawn < 0:
                return name
        return ""


class Server:
    """Answers every connection."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.network = Network()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, request after request."""
        port = writer.get_extra_info("peername")[1]
        try:
            while (request := await read_head(reader)) is not None:
                handle = self._create if request.creating or request.uploading else self._tell
                found = await handle(request, reader, port)
                writer.write(found.encode())
                await writer.drain()
                if port in self.desk.paused:
                    self.desk.answered += 1
        except (Dropped, asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.transport.abort()

    async def _tell(self, request: Request, reader: asyncio.StreamReader, port: int) -> Answer:
        """A request that changes nothing."""
        await request.read(reader)
        if request.looking:
            await self.desk.at("lookup", port)
        fault = self.desk.fault(("look-reset", "look-503", *(["look-403"] if request.looking else [])))
        if fault == "look-reset":
            raise Dropped
        return refusal(request, int(fault[-3:])) if fault else answer(self.network, request)

    async def _create(self, request: Request, reader: asyncio.StreamReader, port: int) -> Answer:
        """A creating request or an upload: every point lies in here."""
        desk = self.desk
        if request.creating:
            desk.arrivals += 1
            await desk.at("hold", port)
            await desk.at("head", port)
        fault = desk.fault(("reset", "429", "503", "drop", "503-after")) if port not in desk.paused else ""
        if fault == "reset":
            raise Dropped
        if request.uploading:
            await request.read(reader, upto=request.length // 2)
            await desk.at("upload", port)
        await request.read(reader)
        if request.creating and is_reply(request):
            await desk.at("hold-reply", port)
            await desk.at("second", port)
        if fault in {"429", "503"}:
            return refusal(request, int(fault))
        found = answer(self.network, request)
        if request.creating and found.status == 200:
            await desk.at("stored", port)
        if port in desk.paused:
            return found
        if request.creating and desk.losing > 0:
            desk.losing -= 1
            raise Dropped
        if desk.fault(("slow",)):
            await asyncio.sleep(desk.chance.uniform(0.0, 0.08))
        if fault == "drop":
            raise Dropped
        return refusal(request, 503) if fault == "503-after" else found

    async def control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The harness's own connection."""
        while line := await reader.readline():
            order = json.loads(line)
            done = self._orders()[order.pop("do")](**order)
            writer.write(json.dumps(done).encode() + b"\n")
            await writer.drain()
        writer.close()

    def _orders(self) -> dict[str, Callable[..., Any]]:
        desk = self.desk
        return {
            "arm": desk.arm,
            "release": desk.release,
            "look": lambda: {"arrivals": desk.arrivals, "paused": desk.paused, "answered": desk.answered},
            "faults": lambda shares: desk.shares.clear() or desk.shares.update(shares),
            "lose": lambda number: setattr(desk, "losing", number),
            "posts": lambda: [post.facts() for post in self.network.posts],
        }


def _listener() -> socket.socket:
    """Small buffers: a sender must not be done with a picture of which half was read."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
    listener.bind(("127.0.0.1", 0))
    return listener


async def _main(seed: int) -> None:
    server = Server(Desk(random.Random(seed)))
    product = await asyncio.start_server(server.serve, sock=_listener(), limit=64 * 1024)
    harness = await asyncio.start_server(server.control, "127.0.0.1", 0)
    ports = [listening.sockets[0].getsockname()[1] for listening in (product, harness)]
    sys.stdout.write(json.dumps({"product": ports[0], "harness": ports[1]}) + "\n")
    sys.stdout.flush()
    with suppress(asyncio.CancelledError):
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
