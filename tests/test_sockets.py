"""Connections as they really are: answers that come late, twice, cut short or never, and connections that go away."""

from __future__ import annotations

import asyncio
import gc
import gzip
import threading
import tracemalloc
import warnings
from collections.abc import Callable
from contextlib import suppress

import pytest
from socket_helpers import GOOD, LOOPS, Peer, answering, create, on, once, outcome, serve, talked, transport

from campaign_cli.errors import Rejected, Unavailable, Unconfirmed
from campaign_cli.platforms.base import Request
from campaign_cli.platforms.http import ANSWER_BYTES

pytestmark = pytest.mark.parametrize("loop", LOOPS)
secured = pytest.mark.parametrize("certificate", [None, "server"], ids=["plain", "tls"])

PACKED = gzip.compress(b'{"id": 1}', mtime=0)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LARGE = bytes(20_000_000)


@secured
@pytest.mark.parametrize(
    ("reply", "content"),
    [
        (GOOD, b"{}"),
        (CHUNKED + b"1\r\n{\r\n1;x=y\r\n}\r\n0\r\nX-Trailer: a\r\n\r\n", b"{}"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PACKED) + PACKED,
            b'{"id": 1}',
        ),
        (b"HTTP/1.0 200 OK\r\n\r\n{}", b"{}"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", b"{}"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + GOOD, b"{}"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD, b"{}"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
)
def test_answers(loop: str, certificate: str | None, reply: bytes, content: bytes) -> None:
    """Each way to write an answer is read whole, in one piece or dripping."""

    def drip(peer: Peer) -> None:
        if peer.request():
            for byte in reply:
                peer.say(bytes([byte]))

    for talk in (once(reply), drip):
        with serve(talk, certificate=certificate) as server:
            request = create(server.url, accept=(200, 204))
            answers = talked(loop, request, request, fresh_connections=True)
            assert [answer.content for answer in answers] == [content, content]
            assert len(server.requests) == 2


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}",
        CHUNKED + b"2\r\n{}\r\n",
        CHUNKED + b"x\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n" + PACKED[:9],
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000,
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
def test_answers_that_are_none(loop: str, reply: bytes) -> None:
    """An answer that is too short or can't be read leaves a creating request in doubt, and is asked for once."""
    with serve(once(reply)) as server:
        (failure,) = talked(loop, create(server.url))
        # what was cut off inside its packing can't be read by whoever wants something of it
        assert type(failure) is Unconfirmed or failure.content != b'{"id": 1}'
        assert len(server.requests) == 1


@secured
@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", CHUNKED, b"HTTP/1.1 200 OK\r\n\r\n"]
)
def test_endless_answers(loop: str, certificate: str | None, head: bytes) -> None:
    """An answer beyond the bound is cut off, and its connection with it."""
    said = []

    def talk(peer: Peer) -> None:
        peer.request()
        peer.say(head)
        while True:
            piece = b"10000\r\n" + bytes(65536) + b"\r\n" if head == CHUNKED else bytes(65536)
            peer.say(piece)
            said.append(len(piece))

    with serve(talk, certificate=certificate) as server:
        assert type(talked(loop, create(server.url))[0]) is Unconfirmed
    assert ANSWER_BYTES < sum(said) < 3 * ANSWER_BYTES  # what is on its way in buffers included


@secured
@pytest.mark.parametrize(
    "more",
    [
        b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n",
        b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{"x":1}',
        b"<b>Warning</b>: in plugin.php",
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_more_than_the_answer(loop: str, certificate: str | None, more: bytes, together: bool) -> None:
    """What a server says after its answer is never taken for the answer to the next request, which goes elsewhere."""
    more_was_said = threading.Event()

    def talk(peer: Peer) -> None:
        if peer.request():
            peer.say(GOOD + more if together else GOOD)
            if not together:
                peer.say(more)
            more_was_said.set()
            peer.request()

    async def work(url: str) -> list[object]:
        under_test = transport()
        first = await outcome(under_test, create(url))
        more_was_said.wait()  # the event loop hasn't seen what came
        more_was_said.clear()
        second = await outcome(under_test, create(url))
        await under_test.aclose()
        return [first, second]

    with serve(talk, certificate=certificate) as server:
        assert [answer.content for answer in on(loop, work(server.url))] == [b"{}", b"{}"]
        assert len(server.peers) == len(server.requests) == 2


@secured
@pytest.mark.parametrize("farewell", [lambda peer: peer.connection.close(), Peer.reset])
@pytest.mark.parametrize("seen", [True, False])
def test_idle_connection_that_was_closed(
    loop: str, certificate: str | None, farewell: Callable[[Peer], None], seen: bool
) -> None:
    """The next request takes a new connection and is sent once, whether the event loop has seen the end or not."""
    answered, closed = threading.Event(), threading.Event()

    def talk(peer: Peer) -> None:
        if peer.request():
            peer.say(GOOD)
            answered.wait(10)
            if not closed.is_set():
                farewell(peer)
                closed.set()
            peer.request()

    async def work(url: str) -> list[object]:
        under_test = transport()
        first = await outcome(under_test, create(url))
        answered.set()
        if seen:
            await asyncio.to_thread(closed.wait)
        closed.wait()  # without the event loop
        second = await outcome(under_test, create(url, content=b"x" * 200_000))
        await under_test.aclose()
        return [first, second]

    with serve(talk, certificate=certificate) as server:
        assert [answer.status for answer in on(loop, work(server.url))] == [200, 200]
        assert len(server.heads) == len(server.requests) == len(server.peers) == 2


@secured
def test_closed_while_the_request_was_on_its_way(loop: str, certificate: str | None) -> None:
    """A kept connection that ends once the request left leaves it in doubt: nothing sends it again."""

    def talk(peer: Peer) -> None:
        if peer.request():
            peer.say(GOOD)
        peer.request()

    with serve(talk, certificate=certificate) as server:
        first, second = talked(loop, create(server.url), create(server.url))
        assert first.status == 200
        assert type(second) is Unconfirmed
        assert (len(server.peers), len(server.requests)) == (1, 2)


@secured
@pytest.mark.parametrize("farewell", [lambda peer: peer.connection.close(), Peer.reset])
def test_upload_that_is_cut_off(loop: str, certificate: str | None, farewell: Callable[[Peer], None]) -> None:
    """A connection that ends in the middle of an upload leaves a creating one in doubt, any other to be repeated."""

    def talk(peer: Peer) -> None:
        peer.connection.recv(100_000)
        farewell(peer)

    with serve(talk, certificate=certificate) as server:
        created, other = talked(
            loop, create(server.url, content=LARGE), Request(method="POST", url=server.url, content=LARGE)
        )
        assert type(created) is Unconfirmed
        assert type(other) is Unavailable
        assert len(server.peers) == 2


def test_answer_before_the_upload_was_read(loop: str) -> None:
    """A refusal that comes before the whole request was read is taken for what it says, also by half-closing."""
    done = threading.Event()

    def talk(peer: Peer) -> None:
        peer.connection.recv(100_000)
        peer.say(b"HTTP/1.1 413 Payload Too Large\r\nContent-Length: 4\r\n\r\nmuch")
        peer.connection.shutdown(1)
        done.wait(10)  # without reading on

    with serve(talk) as server:
        (failure,) = talked(loop, create(server.url, content=LARGE))
        done.set()
        assert type(failure) is Rejected
        assert failure.status == 413
        assert len(server.peers) == 1


@secured
def test_slow_reader(loop: str, certificate: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload waits for its reader, keeps little in memory, and is given up in time."""
    monkeypatch.setattr("campaign_cli.platforms.requests._SLOWEST", 10**12)  # a line that needs no patience
    done = threading.Event()

    def talk(peer: Peer) -> None:
        peer.connection.recv(1000)
        done.wait(10)

    with serve(talk, certificate=certificate) as server:
        tracemalloc.start()
        try:
            (failure,) = talked(loop, create(server.url, content=LARGE), time_out=0.5)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            done.set()
        assert type(failure) is Unconfirmed
        assert "did not answer within" in failure.message
        assert peak < len(LARGE) / 4


@secured
@pytest.mark.parametrize("patient", [True, False], ids=["cancelled", "timed out"])
def test_late_answers(loop: str, certificate: str | None, patient: bool) -> None:
    """The answer to a request that was given up never becomes the answer to the next one."""
    asked, given_up = threading.Event(), threading.Event()

    def talk(peer: Peer) -> None:
        if peer.request().endswith(b"late"):
            asked.set()
            given_up.wait(10)
            peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
            peer.request()
        else:
            peer.say(GOOD)

    async def work(url: str) -> object:
        under_test = transport(time_out=10.0 if patient else 0.3)
        task = asyncio.create_task(outcome(under_test, create(url, content=b"late")))
        await asyncio.to_thread(asked.wait)
        if patient:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        else:
            assert type(await task) is Unconfirmed
        given_up.set()
        answer = await outcome(under_test, create(url))
        await under_test.aclose()
        return answer

    with serve(talk, certificate=certificate) as server:
        assert on(loop, work(server.url)).content == b"{}"
        assert len(server.peers) == len(server.requests) == 2


@secured
def test_cancelled_at_any_moment(loop: str, certificate: str | None) -> None:
    """Wherever a request is given up, its place is free again, and no request goes out twice."""

    async def work(url: str) -> list[object]:
        under_test = transport(time_out=3.0)
        for steps in range(60):
            task = asyncio.create_task(outcome(under_test, create(url, content=b"%d" % steps)))
            for _step in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        after = await asyncio.gather(*[outcome(under_test, create(url, content=b"after")) for _ in range(5)])
        await under_test.aclose()
        return after

    with serve(answering(GOOD), certificate=certificate) as server:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # Python's own race for a connection leaves sockets to it
            assert [answer.content for answer in on(loop, work(server.url))] == [b"{}"] * 5
            gc.collect()
        bodies = [request.partition(b"\r\n\r\n")[2] for request in server.requests]
        assert bodies.count(b"after") == 5
        assert len(bodies) - 5 == len(set(bodies)) - 1
