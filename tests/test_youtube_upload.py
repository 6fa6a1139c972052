"""YouTube's resumable uploads: in pieces, from where they stopped, and what their session proves after a crash."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from platform_helpers import NOW, VIDEO, Clock, failure_of, json_of
from youtube_helpers import (
    SECRET,
    SESSION,
    TOKEN,
    UPLOAD,
    arrived,
    begun,
    done,
    furnished,
    on_its_way,
    page,
    problem,
    youtube,
)
from youtube_helpers import VIDEO as IDENTIFIER

from campaign_cli.errors import Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.platforms.youtube import platform

UNIT = 256 * 1024
FIRST = 4 * UNIT
TOTAL = len(VIDEO)


def pieces(network: Any) -> list[tuple[str, bytes]]:
    """What was put into the session: where, and which bytes."""
    return [(one.headers["content-range"], one.content) for one in network.requests if one.method == "PUT"]


def test_a_video_goes_out_in_pieces() -> None:
    """A session with the words and the file's size, then every byte once, then the video's own answer."""
    network = youtube(begun(), arrived(FIRST), done())
    told: list[tuple[int, int]] = []
    sending = on_its_way(network)
    sending.uploaded = lambda count, total: told.append((count, total))
    receipt = asyncio.run(platform.publish(sending))
    begin = network.requests[0]
    assert json_of(begin) == {
        "snippet": {"title": "Upah layak adalah hak.", "description": "Upah layak adalah hak."},
        "status": {"privacyStatus": "public", "selfDeclaredMadeForKids": False},
    }
    assert dict(begin.url.params) == {"uploadType": "resumable", "part": "snippet,status"}
    assert (begin.headers["x-upload-content-type"], begin.headers["x-upload-content-length"]) == (
        "video/mp4",
        str(TOTAL),
    )
    assert pieces(network) == [
        (f"bytes 0-{FIRST - 1}/{TOTAL}", VIDEO[:FIRST]),
        (f"bytes {FIRST}-{TOTAL - 1}/{TOTAL}", VIDEO[FIRST:]),
    ]
    assert told == [(0, TOTAL), (FIRST, TOTAL), (TOTAL, TOTAL)]
    assert (receipt.id, receipt.url) == (IDENTIFIER, f"https://www.youtube.com/watch?v={IDENTIFIER}")
    assert (receipt.at, receipt.extra) == (NOW, {})
    assert {one.headers["authorization"] for one in network.requests} == {f"Bearer {TOKEN}"}


def test_the_session_is_on_disk_before_the_first_byte_leaves() -> None:
    """Whatever happens after that, another process can ask it how far it is."""
    steps: dict[str, Any] = {}
    network = youtube(begun(), httpx.ReadError("reset"))
    assert isinstance(asyncio.run(failure_of(platform.publish(on_its_way(network, steps=steps)))), Unavailable)
    assert steps == {"session": SESSION}


def test_an_interrupted_upload_goes_on_where_it_stopped() -> None:
    """Another process asks the session how much has arrived, and sends the rest alone."""
    steps: dict[str, Any] = {"session": SESSION}
    kept = 2 * UNIT
    network = youtube(arrived(kept), done())
    asyncio.run(platform.publish(on_its_way(network, steps=steps)))
    assert pieces(network) == [(f"bytes */{TOTAL}", b""), (f"bytes {kept}-{TOTAL - 1}/{TOTAL}", VIDEO[kept:])]


def test_what_did_not_arrive_is_sent_again() -> None:
    """The answer's Range counts, not what was sent: also after the last piece, and where nothing arrived at first."""
    network = youtube(begun(), arrived(UNIT), arrived(3 * UNIT), done())
    asyncio.run(platform.publish(on_its_way(network)))
    starts = [where.partition("-")[0] for where, _content in pieces(network)]
    assert starts == ["bytes 0", f"bytes {UNIT}", f"bytes {3 * UNIT}"]
    stuck = youtube(begun(), arrived(0))
    failure = asyncio.run(failure_of(platform.publish(on_its_way(stuck))))
    assert isinstance(failure, Unavailable)
    assert len(stuck.requests) == 2


@pytest.mark.parametrize("status", [404, 410])
def test_a_session_that_youtube_has_forgotten_begins_anew(status: int) -> None:
    """Sessions end after some days: another one is made, and takes the whole file."""
    steps: dict[str, Any] = {"session": SESSION}
    other = SESSION.replace(SECRET, "lain")
    network = youtube(problem(status, "notFound"), begun(other), arrived(FIRST), done())
    asyncio.run(platform.publish(on_its_way(network, steps=steps)))
    assert steps == {"session": other}
    assert b"".join(content for _where, content in pieces(network)) == VIDEO


def test_a_finished_session_is_the_video() -> None:
    """Where the last answer was lost, the next try finds the video there and sends nothing."""
    network = youtube(done())
    receipt = asyncio.run(platform.publish(on_its_way(network, steps={"session": SESSION})))
    assert receipt.id == IDENTIFIER
    assert pieces(network) == [(f"bytes */{TOTAL}", b"")]


def test_only_the_last_piece_may_have_made_a_video() -> None:
    """A lost answer to an earlier piece is simply tried again; one to the last is in doubt."""
    for replies, kind in (
        ((begun(), problem(503, "backendError")), Unavailable),
        ((begun(), arrived(FIRST), problem(503, "backendError")), Unconfirmed),
        ((begun(), arrived(FIRST), httpx.ReadError("reset")), Unconfirmed),
        ((begun(), arrived(FIRST), httpx.Response(200, json={"kind": "youtube#video"})), Unconfirmed),
    ):
        failure = asyncio.run(failure_of(platform.publish(on_its_way(youtube(*replies)))))
        assert type(failure) is kind


def test_a_refused_piece_ends_its_session() -> None:
    """After a refusal a person's retry begins with new words; after a token's end the session goes on."""
    for reply, kind, left in (
        (problem(400, "invalidVideoMetadata"), Rejected, None),
        (problem(401, "authError"), Unauthorized, SESSION),
        (problem(403, "rateLimitExceeded"), Unavailable, SESSION),
    ):
        steps: dict[str, Any] = {}
        network = youtube(begun(), reply)
        assert type(asyncio.run(failure_of(platform.publish(on_its_way(network, steps=steps))))) is kind
        assert steps["session"] == left


def test_pieces_fit_the_line() -> None:
    """On a quick line they grow to 16 MiB, on a slow one they shrink to 256 KiB."""
    size = 40 * FIRST
    for seconds, sizes in ((1, [4, 8, 16, 32, 64, 36]), (60, [4, 2, *[1] * 154])):
        clock, sent = Clock(), 0

        def reply(request: httpx.Request, clock: Clock = clock, seconds: int = seconds) -> httpx.Response:
            nonlocal sent
            clock.at += timedelta(seconds=seconds)
            sent += len(request.content)
            return done() if sent == size else arrived(sent)

        network = youtube(begun(), *[reply] * len(sizes))
        sending = on_its_way(network, content=furnished(content=b"\0" * size), clock=clock)
        asyncio.run(platform.publish(sending))
        assert [len(content) // UNIT for _where, content in pieces(network)] == sizes


def test_what_opens_the_session_is_in_no_message() -> None:
    """Neither its address nor its secret, also where a proxy repeats the request."""
    echo = httpx.Response(502, text=f"<html>PUT {SESSION} failed: upload_id={SECRET}</html>")
    for reply in (echo, httpx.Response(400, text=SESSION), httpx.ReadError(SESSION)):
        failure = asyncio.run(failure_of(platform.publish(on_its_way(youtube(begun(), arrived(FIRST), reply)))))
        assert SECRET not in f"{failure} {failure.message} {failure.fix}"


def test_the_token_goes_to_its_own_server_alone() -> None:
    """A session elsewhere takes bytes without it."""
    network = youtube(begun(f"https://upload.contoh.example{UPLOAD}?upload_id=1"), arrived(FIRST), done())
    asyncio.run(platform.publish(on_its_way(network)))
    assert ["authorization" in one.headers for one in network.requests] == [True, False, False]


@pytest.mark.parametrize("address", ["", "https://www.googleapis.com/upload/youtube/v3/videos"])
def test_a_session_without_an_address_is_no_answer(address: str) -> None:
    """Nothing was created: it is tried again."""
    network = youtube(begun(address))
    assert isinstance(asyncio.run(failure_of(platform.publish(on_its_way(network)))), Unavailable)


@pytest.mark.parametrize("span", ["bytes=5-9", "bytes=0-x", f"bytes=0-{TOTAL}"])
def test_an_impossible_range_is_no_answer(span: str) -> None:
    """It says nothing of what has arrived."""
    network = youtube(begun(), httpx.Response(308, headers={"range": span}))
    assert isinstance(asyncio.run(failure_of(platform.publish(on_its_way(network)))), Unavailable)


def test_the_session_proves_what_became_of_the_video() -> None:
    """The look-up asks the session first: what it answers is ours beyond doubt, whatever the clocks say."""
    network = youtube(done())
    sending = on_its_way(network, steps={"session": SESSION})
    found = asyncio.run(platform.look_up(sending, NOW - timedelta(minutes=2)))
    assert [(one.receipt.id, one.created_at) for one in found.found] == [(IDENTIFIER, None)]
    assert found.complete


@pytest.mark.parametrize("reply", [arrived(FIRST), problem(404, "notFound")])
def test_an_unfinished_or_forgotten_session_leaves_it_to_the_uploads(reply: Any) -> None:
    """The channel's own list decides then: not there, so absent."""
    network = youtube(reply, playlistItems=page())
    found = asyncio.run(platform.look_up(on_its_way(network, steps={"session": SESSION}), NOW))
    assert (found.found, found.complete) == ((), True)
    assert [one.url.path.rpartition("/")[2] for one in network.requests] == ["videos", "channels", "playlistItems"]


def test_a_refused_question_proves_nothing() -> None:
    """A session that can't be asked is neither there nor absent."""
    network = youtube(problem(503, "backendError"))
    failure = asyncio.run(failure_of(platform.look_up(on_its_way(network, steps={"session": SESSION}), NOW)))
    assert type(failure) is Unavailable
