"""YouTube on the stage: uploads that are really put together, what it refuses, its quota, and its locked projects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from campaign_cli.errors import Failure, Rejected, Unavailable
from campaign_cli.models import Part
from campaign_cli.platforms.base import Sending
from campaign_cli.platforms.youtube import platform
from tests.platform_helpers import VIDEO, failure_of, video
from tests.stage_helpers import Played, open_played

UPLOAD = "/upload/youtube/v3/videos"
UNIT = 256 * 1024
WORDS = {"snippet": {"title": "Judul"}, "status": {"privacyStatus": "public"}}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Played]:
    """A running stage with an account of every network."""
    played = open_played(tmp_path)
    with played.server, played.http:
        yield played


def plays(stage: Played, role: str) -> None:
    """Let the account's project or server be of this sort."""
    name, accounts = stage.account("youtube").name, stage.server.state.accounts
    accounts[name] = replace(accounts[name], role=role)


def youtube(stage: Played, method: str, path: str, **more: Any) -> httpx.Response:
    """One request to YouTube on the stage."""
    headers = {"Authorization": f"Bearer {stage.secret('youtube')}", **more.pop("headers", {})}
    url = path if path.startswith("http") else f"{stage.path('youtube')}{path}"
    return stage.http.request(method, url, headers=headers, **more)


def begin(stage: Played, body: Any = None, *, total: int = 2 * UNIT, **query: str) -> httpx.Response:
    """A new session."""
    headers = {"X-Upload-Content-Length": str(total), "X-Upload-Content-Type": "video/mp4"}
    params = {"uploadType": "resumable", "part": "snippet,status", **query}
    return youtube(stage, "POST", UPLOAD, params=params, json=body or WORDS, headers=headers)


def put(stage: Played, address: str, content: bytes, span: str) -> httpx.Response:
    """A piece."""
    return youtube(stage, "PUT", address, content=content, headers={"Content-Range": span})


def test_the_bytes_of_all_pieces_are_the_video(stage: Played) -> None:
    """What was sent in pieces is what the stage holds; its page shows title, text and the file."""
    (receipt,) = stage.publish("youtube", Part(text="Upah layak.\n\nKita turun.", media=(video(),)))
    (post,) = stage.posts()
    assert stage.server.state.files[post["media"][0]] == ("video/mp4", VIDEO)
    assert (post["title"], post["visibility"], post["id"]) == ("Upah layak.", "public", receipt.id)
    shown = stage.http.get(post["permalink"]).text
    assert "video/mp4" in shown
    assert "<img" not in shown
    assert "Content warning" not in shown


def test_a_session_takes_pieces_in_their_order_alone(stage: Played) -> None:
    """A gap, an odd length, another total and a piece that is no piece are refused; a repeated one is fine."""
    address, content = begin(stage).headers["location"], b"\1" * (2 * UNIT)
    for piece, span in (
        (content[UNIT:], f"bytes {UNIT}-{2 * UNIT - 1}/{2 * UNIT}"),
        (content[:100], f"bytes 0-99/{2 * UNIT}"),
        (content[:UNIT], f"bytes 0-{UNIT - 1}/{3 * UNIT}"),
        (content[:UNIT], f"bytes 0-{UNIT - 2}/{2 * UNIT}"),
        (content[:UNIT], "0-99"),
    ):
        assert put(stage, address, piece, span).status_code == 400, span
    for _again in range(2):
        kept = put(stage, address, content[:UNIT], f"bytes 0-{UNIT - 1}/{2 * UNIT}")
        assert (kept.status_code, kept.headers["range"]) == (308, f"bytes=0-{UNIT - 1}")
    done = put(stage, address, content[UNIT:], f"bytes {UNIT}-{2 * UNIT - 1}/{2 * UNIT}")
    asked = put(stage, address, b"", f"bytes */{2 * UNIT}")
    assert done.json() == asked.json()
    assert put(stage, f"{UPLOAD}?upload_id=lain", b"", f"bytes */{2 * UNIT}").status_code == 404


BAD: list[tuple[dict[str, Any], str]] = [
    ({"snippet": {"title": ""}}, "invalidTitle"),
    ({"snippet": {"title": "a" * 101}}, "invalidTitle"),
    ({"snippet": {"title": "<b>"}}, "invalidTitle"),
    ({"snippet": {"title": "a", "description": "é" * 2501}}, "invalidDescription"),
    ({"snippet": {"title": "a", "tags": ["b" * 501]}}, "invalidTags"),
    ({"snippet": {"title": "a", "judul": "b"}}, "badRequest"),
    ({"snippet": {"title": "a"}, "status": {"privacyStatus": "secret"}}, "invalidVideoMetadata"),
    ({"snippet": {"title": "a"}, "statistics": {}}, "unexpectedPart"),
]


@pytest.mark.parametrize(("body", "reason"), BAD)
def test_the_stage_refuses_the_words_that_youtube_refuses(stage: Played, body: dict[str, Any], reason: str) -> None:
    """With its reason, before any byte."""
    refused = begin(stage, body)
    assert (refused.status_code, refused.json()["error"]["errors"][0]["reason"]) == (400, reason)


def test_unknown_parameters_are_refused(stage: Played) -> None:
    """As Google refuses them."""
    assert begin(stage, notify="true").status_code == 400
    for path in ("videos?id=a", "videos?part=x&id=a", "channels?part=snippet&me=true", "playlistItems?playlistId=a"):
        assert youtube(stage, "GET", f"/youtube/v3/{path}").status_code == 400, path


def test_a_server_that_keeps_half_a_piece_gets_the_rest(stage: Played) -> None:
    """The adapter goes on from where the answer's Range says, and every byte is there in the end."""
    plays(stage, "halting")
    told: list[int] = []

    async def attempt(sending: Sending) -> None:
        sending.uploaded = lambda count, _total: told.append(count)
        await platform.publish(sending)

    stage.run("youtube", attempt)
    (post,) = stage.posts()
    assert told == [0, 2 * UNIT, len(VIDEO)]
    assert stage.server.state.files[post["media"][0]][1] == VIDEO


def test_what_a_locked_project_uploads_is_private_and_the_check_says_so(stage: Played) -> None:
    """The video is out, but private: the receipt keeps it, and the account's check warns."""
    plays(stage, "unaudited")
    (receipt,) = stage.publish("youtube", Part(text="Upah layak."))
    (post,) = stage.posts()
    assert (post["visibility"], receipt.extra) == ("private", {"privacy": "private"})
    assert "has probably not been audited" in stage.run("youtube", platform.check).notes[0]


def test_a_video_is_worked_up_after_a_while(stage: Played) -> None:
    """At first it is uploaded, then processed."""
    (receipt,) = stage.publish("youtube", Part(text="Upah layak."))
    query = {"part": "status,processingDetails", "id": receipt.id}
    answers = [youtube(stage, "GET", "/youtube/v3/videos", params=query).json()["items"][0] for _look in range(2)]
    assert [one["status"]["uploadStatus"] for one in answers] == ["uploaded", "processed"]
    assert [one["processingDetails"]["processingStatus"] for one in answers] == ["processing", "succeeded"]


def test_the_day_s_uploads_are_used_up_at_a_hundred(stage: Played) -> None:
    """The next one waits until midnight in California; reading goes on; a day later it goes."""
    for _number in range(100):
        assert begin(stage).status_code == 200
    assert begin(stage).json()["error"]["errors"][0]["reason"] == "quotaExceeded"

    async def attempt(sending: Sending) -> Failure:
        return await failure_of(platform.publish(sending))

    failure = stage.run("youtube", attempt)
    assert isinstance(failure, Unavailable)
    assert failure.retry_at is not None
    assert stage.run("youtube", platform.check).handle == "@fsp_contoh"
    stage.clock.move(days=1)
    assert begin(stage).status_code == 200


def test_a_session_needs_its_own_token_and_video(stage: Played) -> None:
    """A wrong token is 401; a deleted video answers no longer."""
    address = begin(stage, total=1).headers["location"]
    assert stage.http.put(address, content=b"\1", headers={"Content-Range": "bytes 0-0/1"}).status_code == 401
    identifier = put(stage, address, b"\1", "bytes 0-0/1").json()["id"]
    assert youtube(stage, "DELETE", "/youtube/v3/videos", params={"id": identifier}).status_code == 204
    assert put(stage, address, b"", "bytes */1").status_code == 404


def test_a_picture_alone_is_refused_before_it_leaves(stage: Played) -> None:
    """YouTube takes videos, and nothing reaches the stage."""

    async def attempt(sending: Sending) -> Failure:
        sending.draft = replace(sending.draft, parts=(Part(text="Tanpa video."),))
        return await failure_of(platform.publish(sending))

    assert isinstance(stage.run("youtube", attempt), Rejected)
    assert not stage.server.state.requests
