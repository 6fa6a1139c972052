"""TikTok on the stage: uploads that are really put together, pictures that are fetched, what it refuses, its roles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from campaign_cli.errors import Failure, Rejected, Unauthorized, Unavailable
from campaign_cli.models import Part
from campaign_cli.platforms.base import Sending
from campaign_cli.platforms.tiktok import platform
from campaign_cli.platforms.tiktok_post import CHUNK
from tests.platform_helpers import failure_of, picture, video
from tests.stage_helpers import Played, file_for, open_played, png

PUBLISH = "/v2/post/publish"
LONG = b"\1" * (2 * CHUNK + 1000)
INFO = {"title": "Aksi", "privacy_level": "SELF_ONLY"}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Played]:
    """A running stage with an account of every network."""
    played = open_played(tmp_path)
    with played.server, played.http:
        yield played


def plays(stage: Played, role: str) -> None:
    """Let the account be of this sort."""
    name, accounts = stage.account("tiktok").name, stage.server.state.accounts
    accounts[name] = replace(accounts[name], role=role)


def tiktok(stage: Played, path: str, body: Any = None, *, token: str | None = None) -> httpx.Response:
    """One request to TikTok on the stage."""
    headers = {"Authorization": f"Bearer {token or stage.secret('tiktok')}"}
    return stage.http.post(f"{stage.path('tiktok')}{path}", json=body or {}, headers=headers)


def begin(stage: Played, *, size: int = 10, chunk: int = 10, count: int = 1, **info: Any) -> httpx.Response:
    """A video begins."""
    source = {"source": "FILE_UPLOAD", "video_size": size, "chunk_size": chunk, "total_chunk_count": count}
    return tiktok(stage, f"{PUBLISH}/video/init/", {"post_info": INFO | info, "source_info": source})


def put(stage: Played, address: str, content: bytes, span: str) -> httpx.Response:
    """A piece."""
    return stage.http.put(address, content=content, headers={"Content-Range": span, "Content-Type": "video/mp4"})


async def attempt(sending: Sending) -> Failure:
    """What publishing ends with."""
    return await failure_of(platform.publish(sending))


def test_the_bytes_of_all_pieces_are_the_video(stage: Played) -> None:
    """What was sent in pieces is what the stage holds, with who may see it."""
    content = (Part(text="Aksi #UpahLayak", media=(video(LONG),)),)
    (receipt,) = stage.publish("tiktok", *content, visibility="friends")
    (post,) = stage.posts()
    assert stage.server.state.files[post["media"][0]] == ("video/mp4", LONG)
    assert (post["text"], post["visibility"]) == ("Aksi #UpahLayak", "MUTUAL_FOLLOW_FRIENDS")
    assert receipt.url is None  # TikTok names public posts alone
    assert receipt.id.startswith("v_pub_file~")
    assert "video/mp4" in stage.http.get(post["permalink"]).text


def test_pieces_come_in_their_order_alone(stage: Played) -> None:
    """A gap is 416, a piece that is none 400, a wrong token 404; each piece says how much has arrived."""
    size = len(LONG)
    address = begin(stage, size=size, chunk=CHUNK, count=2).json()["data"]["upload_url"]
    assert put(stage, address, LONG[CHUNK:], f"bytes {CHUNK}-{size - 1}/{size}").status_code == 416
    assert put(stage, address, LONG[:CHUNK], f"bytes 0-{CHUNK - 2}/{size}").status_code == 400
    assert put(stage, address + "x", LONG[:CHUNK], f"bytes 0-{CHUNK - 1}/{size}").status_code == 404
    first = put(stage, address, LONG[:CHUNK], f"bytes 0-{CHUNK - 1}/{size}")
    assert (first.status_code, first.headers["content-range"]) == (206, f"bytes 0-{CHUNK}/{size}")
    assert stage.posts() == []
    assert put(stage, address, LONG[CHUNK:], f"bytes {CHUNK}-{size - 1}/{size}").status_code == 201
    assert len(stage.posts()) == 1


@pytest.mark.parametrize(
    ("size", "chunk", "count"),
    [
        (0, 0, 1),
        (4_000_000, 2_000_000, 2),
        (20_000_000, 4_000_000, 5),
        (20_000_000, 5_242_880, 4),
        (70_000_000, 70_000_000, 1),
    ],
)
def test_pieces_of_other_sizes_are_refused(stage: Played, size: int, chunk: int, count: int) -> None:
    """As TikTok's guide has it."""
    assert begin(stage, size=size, chunk=chunk, count=count).json()["error"]["code"] == "invalid_param"


@pytest.mark.parametrize(
    "info", [{"judul": "x"}, {"title": "a" * 2201}, {"title": 5}, {"privacy_level": "SECRET"}, {"description": "x"}]
)
def test_the_stage_refuses_what_tiktok_does_not_know(stage: Played, info: dict[str, Any]) -> None:
    """An unknown key, a wrong type or word, a text that is too long."""
    assert begin(stage, **info).status_code in (400, 403)
    assert stage.posts() == []


def test_pictures_are_fetched_and_posted(stage: Played) -> None:
    """The very bytes, in their order; a type that TikTok doesn't take fails, and so does what isn't there."""
    file, mime = file_for("tiktok")
    bytes_of = {picture(file).sha256: file}
    pictures = (picture(file, mime=mime),)
    (receipt,) = stage.publish("tiktok", Part(text="Foto", media=pictures), bytes_of=bytes_of, native={"title": "Aksi"})
    (post,) = stage.posts()
    assert (post["title"], post["text"], post["media"]) == ("Aksi", "Foto", list(bytes_of))
    assert receipt.url is not None
    assert "/photo/" in receipt.url
    wrong = png()
    content = (Part(text="Foto", media=(picture(wrong),)),)
    failure = stage.run("tiktok", attempt, content=content, bytes_of={picture(wrong).sha256: wrong}, key="1" * 40)
    assert (type(failure), failure.code) == (Rejected, "file_format_check_failed")

    async def elsewhere(sending: Sending) -> Failure:
        async def public_url(_picture: Any) -> str:
            return "https://elsewhere.example/1.jpg"

        sending.public_url = public_url
        return await attempt(sending)

    failure = stage.run("tiktok", elsewhere, content=(Part(text="Foto", media=pictures),), key="2" * 40)
    assert (type(failure), failure.code) == (Unavailable, "photo_pull_failed")


def test_an_app_without_an_audit_posts_privately_alone(stage: Played) -> None:
    """A public post is refused with the reason; a private one goes out."""
    plays(stage, "unaudited")
    failure = stage.run("tiktok", attempt)
    assert (type(failure), failure.code) == (Rejected, "unaudited_client_can_only_post_to_private_accounts")
    assert "visibility: private" in failure.fix
    stage.run("tiktok", platform.publish, visibility="private", key="1" * 40)
    assert [post["visibility"] for post in stage.posts()] == ["SELF_ONLY"]


def test_a_private_account_has_followers_in_the_place_of_everybody(stage: Played) -> None:
    """What is not offered is refused before the upload."""
    plays(stage, "private")
    failure = stage.run("tiktok", attempt)
    assert (type(failure), failure.code) == (Rejected, "privacy_level_option_mismatch")
    assert "followers, friends, private" in failure.fix


def test_a_post_that_is_moderated_for_long_is_out_without_an_address(stage: Played) -> None:
    """The receipt holds the number that it had from the beginning, by which it can't be read yet."""
    plays(stage, "moderated")
    (receipt,) = stage.publish("tiktok", Part(text="Aksi"))
    assert receipt.url is None
    assert stage.run("tiktok", lambda sending: platform.read_back(sending, receipt)) is None


def test_the_day_s_posts_are_used_up(stage: Played) -> None:
    """The sixteenth waits for a day."""
    plays(stage, "capped")
    for number in range(15):
        stage.clock.move(seconds=20)
        assert begin(stage).status_code == 200, number
    stage.clock.move(seconds=60)
    failure = stage.run("tiktok", attempt)
    assert (type(failure), failure.code) == (Unavailable, "spam_risk_too_many_posts")
    assert failure.retry_at is not None
    stage.clock.move(days=1)
    assert begin(stage).status_code == 200


def test_the_minute_s_requests_are_used_up_at_six(stage: Played) -> None:
    """Beginnings are counted by the minute."""
    answers = [begin(stage).status_code for _number in range(7)]
    assert answers == [200] * 6 + [429]
    stage.clock.move(seconds=60)
    assert begin(stage).status_code == 200


def test_numbers_are_the_account_s_own(stage: Played) -> None:
    """An unknown one is 400, a wrong token 401; an unknown field of a post is refused."""
    assert tiktok(stage, f"{PUBLISH}/status/fetch/", {"publish_id": "x"}).json()["error"]["code"] == (
        "invalid_publish_id"
    )
    assert tiktok(stage, f"{PUBLISH}/creator_info/query/", token="act.salah").status_code == 401
    assert isinstance(stage.run("tiktok", attempt, secret="act.salah"), Unauthorized)
    (receipt,) = stage.publish("tiktok", Part(text="Aksi"))
    body = {"filters": {"video_ids": [receipt.id]}}
    assert tiktok(stage, "/v2/video/query/?fields=id,likes", body).status_code == 400
    assert tiktok(stage, "/v2/video/query/?fields=id", body).json()["data"]["videos"] == [{"id": receipt.id}]
