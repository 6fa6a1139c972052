"""Facebook on the stage: what it refuses, its usage windows, a video in pieces, and a text that it takes only once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from campaign_cli.errors import Failure, Unavailable, Unconfirmed
from campaign_cli.models import Part, State
from campaign_cli.platforms.base import Sending
from campaign_cli.platforms.facebook import platform
from campaign_cli.platforms.facebook_api import own_pages
from tests.facebook_helpers import film
from tests.fault_helpers import Scene, open_theatre
from tests.platform_helpers import failure_of, picture
from tests.stage_helpers import START, Played, open_played, png

PAGE = "100000000001"
FILM = bytes(range(256)) * 4096 * 2 + b"akhir"  # two whole pieces and a rest


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Played]:
    """A running stage with an account of every network."""
    played = open_played(tmp_path)
    with played.server, played.http:
        yield played


def facebook(stage: Played, method: str, path: str, *, token: str | None = None, **more: Any) -> httpx.Response:
    """One request to the Graph API on the stage."""
    headers = {"Authorization": f"Bearer {token or stage.secret('facebook')}"}
    return stage.http.request(method, f"{stage.path('facebook')}/v25.0{path}", headers=headers, **more)


async def _failure(sending: Sending) -> Failure:
    return await failure_of(platform.publish(sending))


BAD = [
    ("POST", f"/{PAGE}/feed", {"data": {"published": "true"}}, 100, 0),
    ("POST", f"/{PAGE}/feed", {"data": {"message": "é" * 63_207}}, 100, 0),
    ("POST", f"/{PAGE}/feed", {"data": {"message": "a", "attached_media[0]": '{"media_fbid": "1"}'}}, 100, 0),
    ("POST", "/100000000009/feed", {"data": {"message": "a"}}, 100, 33),
    ("POST", f"/{PAGE}_1/comments", {"data": {"message": "a"}}, 100, 33),
    ("POST", f"/{PAGE}/photos", {"data": {"published": "false"}, "files": {"source": b"x"}}, 100, 1366046),
    ("POST", f"/{PAGE}/videos", {"data": {"upload_phase": "finish", "upload_session_id": "1"}}, 100, 0),
    ("GET", f"/{PAGE}", {"params": {"fields": "id,warna"}}, 100, 0),
    ("GET", f"/{PAGE}_1", {}, 100, 33),
    ("DELETE", f"/{PAGE}_1", {}, 100, 33),
]


@pytest.mark.parametrize(("method", "path", "more", "code", "subcode"), BAD)
def test_the_stage_refuses_what_facebook_refuses(
    stage: Played, method: str, path: str, more: dict[str, Any], code: int, subcode: int
) -> None:
    """A 400 with Meta's error object, and nothing is posted."""
    refused = facebook(stage, method, path, **more)
    error = refused.json()["error"]
    assert (refused.status_code, error["code"], error.get("error_subcode", 0)) == (400, code, subcode)
    assert stage.posts() == []


@pytest.mark.parametrize("path", ["/me", "/debug_token", f"/{PAGE}/published_posts"])
def test_the_stage_wants_the_pages_token_in_the_header(stage: Played, path: str) -> None:
    """Any other is code 190 with status 400; one in the address is none."""
    for more in ({"token": "salah"}, {"token": "salah", "params": {"access_token": stage.secret("facebook")}}):
        refused = facebook(stage, "GET", path, **more)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, 190)


def test_the_stage_shows_the_page_to_choose(stage: Played) -> None:
    """The list of a person's pages has the one, with the token that opens it."""
    (page,) = stage.run("facebook", own_pages)
    assert (page.id, page.token, page.may_post) == (PAGE, stage.secret("facebook"), True)


def test_a_day_has_its_calls(stage: Played) -> None:
    """When they are used up, every request is a 400 with the page's code, and the header says for how many minutes."""
    for _call in range(4_800):
        stage.server.state.spend("laman", "calls", limit=4_800, seconds=86_400)
    refused = facebook(stage, "GET", "/me")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, 80001)
    until = platform.pause_until(refused.headers, stage.clock.now())
    assert until == START + timedelta(days=1)
    failure = stage.run("facebook", _failure)
    assert isinstance(failure, Unavailable)
    assert failure.retry_at == until
    stage.clock.move(days=1)
    assert facebook(stage, "GET", "/me").status_code == 200


def test_the_same_text_twice_in_a_row_is_refused(stage: Played) -> None:
    """After another post or a deletion it is taken."""
    first = facebook(stage, "POST", f"/{PAGE}/feed", data={"message": "Aksi"})
    again = facebook(stage, "POST", f"/{PAGE}/feed", data={"message": "Aksi"})
    assert (again.status_code, again.json()["error"]["code"]) == (400, 506)
    assert facebook(stage, "DELETE", f"/{first.json()['id']}").json() == {"success": True}
    assert facebook(stage, "POST", f"/{PAGE}/feed", data={"message": "Aksi"}).status_code == 200


def test_a_list_has_pages(stage: Played) -> None:
    """Newest first; the address of the next page carries the token, as Meta's does."""
    for number in range(3):
        facebook(stage, "POST", f"/{PAGE}/feed", data={"message": f"Nomor {number}"})
        stage.clock.move(minutes=1)
    page = facebook(stage, "GET", f"/{PAGE}/published_posts", params={"fields": "message", "limit": "2"}).json()
    assert [row["message"] for row in page["data"]] == ["Nomor 2", "Nomor 1"]
    assert f"access_token={stage.secret('facebook')}" in page["paging"]["next"]
    following = {"fields": "message", "limit": "2", "after": "2"}
    last = facebook(stage, "GET", f"/{PAGE}/published_posts", params=following).json()
    assert [row["message"] for row in last["data"]] == ["Nomor 0"]
    assert "next" not in last["paging"]


def test_a_video_arrives_whole_and_is_deleted(stage: Played) -> None:
    """In pieces; its post has its bytes, is read back and commented, and goes with its id."""
    video = film(FILM)
    first, second = Part(text="Film aksi", media=(video,)), Part(text="Keterangan")
    receipts = stage.publish("facebook", first, second, bytes_of={video.sha256: FILM})
    posts = stage.posts()
    assert [post["text"] for post in posts] == ["Film aksi", "Keterangan"]
    assert (posts[0]["media"], posts[1]["reply_to"]) == ([video.sha256], receipts[0].id)
    assert stage.http.get(posts[0]["permalink"]).status_code == 200
    remote = stage.run("facebook", lambda sending: platform.read_back(sending, receipts[0]))
    assert (remote.text, remote.metrics["comments"]) == ("Film aksi", 1)
    assert stage.run("facebook", lambda sending: platform.find(sending, receipts[0].url)).id == receipts[0].id
    stage.run("facebook", lambda sending: platform.delete(sending, receipts[0]))
    assert stage.run("facebook", lambda sending: platform.read_back(sending, receipts[0])) is None


@pytest.mark.parametrize("struck", range(5))
def test_a_video_whose_answer_is_lost_goes_out_once(stage: Played, struck: int) -> None:
    """At the start, at any piece, at the end: what is in doubt is found, the rest is sent again."""
    video, steps = film(FILM), {}
    once = {
        "content": (Part(text="Film aksi", media=(video,)),),
        "bytes_of": {video.sha256: FILM},
        "steps": steps,
    }
    stage.misbehave("accept-then-drop", platform="facebook", times=1, requests="changing", skip=struck)
    failure = stage.run("facebook", _failure, **once)
    since = stage.clock.now() - timedelta(minutes=1)
    looked = stage.run("facebook", lambda sending: platform.look_up(sending, since), **once)
    assert looked.complete
    if struck == 4:
        assert isinstance(failure, Unconfirmed)
        assert [one.receipt.id for one in looked.found] == [post["id"] for post in stage.posts()]
    else:
        assert isinstance(failure, Unavailable)
        assert looked.found == ()
        stage.run("facebook", platform.publish, **once)
    assert [post["media"] for post in stage.posts()] == [[video.sha256]]


def test_the_page_of_a_post_shows_it_above_its_comments(stage: Played) -> None:
    """The timeline names the network; a thread's page shows the first part, the picture's alt text and the comment."""
    file = png()
    content = (Part(text="Satu #UpahLayak", media=(picture(file, alt="Poster aksi"),)), Part(text="Dua"))
    stage.publish("facebook", *content, bytes_of={content[0].media[0].sha256: file})
    page = stage.http.get(stage.posts()[1]["permalink"]).text
    assert page.index("Satu #UpahLayak") < page.index("Poster aksi") < page.index("Dua")
    assert '<span class="network">Facebook</span>' in stage.http.get("/").text


@pytest.mark.parametrize("fault", ["", "accept-then-drop", "drop-before"])
def test_of_equal_posts_one_goes_out_and_the_others_say_why(
    tmp_path_factory: pytest.TempPathFactory, fault: str
) -> None:
    """Three deliveries with the same words: one is published, also when answers are lost; the others end as failed."""
    with open_theatre(tmp_path_factory.mktemp("kosong")) as theatre:
        scene = Scene(tmp_path_factory.mktemp("adegan"), theatre, "facebook", ["akun"])
        try:
            for number in range(3):
                scene.queue("akun", "Kata yang sama.", post=f"pos{number}")
            if fault:
                scene.misbehave("akun", kind=fault, times=1)
            assert scene.settle() == []
            ended = sorted(one.state.value for one in scene.deliveries().values())
            assert ended == [State.FAILED.value, State.FAILED.value, State.PUBLISHED.value]
            assert len(scene.showing("akun", "Kata yang sama.")) == 1
            failed = [one for one in scene.deliveries().values() if one.state is State.FAILED]
            assert all(one.error for one in failed)
        finally:
            scene.close()
