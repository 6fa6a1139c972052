"""X on the stage: what it refuses, its pages, and a post that X takes only once under every loss of answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from campaign_cli.models import Part, State
from campaign_cli.platforms.x import platform
from tests.fault_helpers import Scene, open_theatre
from tests.platform_helpers import picture
from tests.stage_helpers import Played, open_played, png


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Played]:
    """A running stage with an account of every network."""
    played = open_played(tmp_path)
    with played.server, played.http:
        yield played


def x(stage: Played, method: str, path: str, *, token: str | None = None, **more: Any) -> httpx.Response:
    """One request to X on the stage."""
    headers = {"Authorization": f"Bearer {token or stage.secret('x')}"}
    return stage.http.request(method, f"{stage.path('x')}{path}", headers=headers, **more)


BAD_POSTS = [
    ({"text": ""}, 400),
    ({"text": "a", "status": "b"}, 400),
    ({"text": "é" * 281}, 403),
    ({"text": "a", "media": {"media_ids": ["1"]}}, 400),
    ({"text": "a", "media": {"media_ids": list("12345")}}, 400),
    ({"text": "a", "reply": {"in_reply_to_tweet_id": "1"}}, 403),
]


@pytest.mark.parametrize(("body", "status"), BAD_POSTS)
def test_the_stage_refuses_what_x_refuses(stage: Played, body: dict[str, Any], status: int) -> None:
    """With a problem document, and nothing is posted."""
    answer = x(stage, "POST", "/2/tweets", json=body)
    assert answer.status_code == status
    assert {"title", "detail", "type", "status"} == set(answer.json())
    assert stage.posts() == []


def test_the_stage_takes_a_text_once(stage: Played) -> None:
    """The same words again are refused, with other pictures or after a deletion they are not."""
    first = x(stage, "POST", "/2/tweets", json={"text": "Aksi"})
    assert (first.status_code, set(first.json()["data"])) == (201, {"id", "text", "edit_history_post_ids"})
    again = x(stage, "POST", "/2/tweets", json={"text": "Aksi"})
    assert (again.status_code, "duplicate content" in again.json()["detail"]) == (403, True)
    (identifier,) = [post["id"] for post in stage.posts()]
    assert x(stage, "DELETE", f"/2/tweets/{identifier}").json() == {"data": {"deleted": True}}
    assert x(stage, "POST", "/2/tweets", json={"text": "Aksi"}).status_code == 201


@pytest.mark.parametrize("path", ["/2/users/me?tweet.fields=id", "/2/tweets/1?fields=id", "/2/users/1/tweets?count=5"])
def test_the_stage_knows_its_parameters(stage: Played, path: str) -> None:
    """One that X doesn't know is refused."""
    assert x(stage, "GET", path).status_code == 400


def test_the_stage_wants_a_user_token(stage: Played) -> None:
    """Any other token is a 401 at every address."""
    for method, path in (
        ("GET", "/2/users/me"),
        ("POST", "/2/tweets"),
        ("GET", "/2/tweets/1"),
        ("POST", "/2/media/upload"),
    ):
        assert x(stage, method, path, token="salah").status_code == 401


def test_a_hundred_posts_use_up_the_quarter_of_an_hour(stage: Played) -> None:
    """The hundredth answer says that nothing remains, the next post is a 429, and after the reset it goes on."""
    for number in range(100):
        last = x(stage, "POST", "/2/tweets", json={"text": f"Nomor {number}"})
    assert (last.status_code, last.headers["x-rate-limit-remaining"]) == (201, "0")
    until = platform.pause_until(last.headers, stage.clock.now())
    refused = x(stage, "POST", "/2/tweets", json={"text": "Lagi"})
    assert refused.status_code == 429
    assert platform.pause_until(refused.headers, stage.clock.now()) == until
    assert until is not None
    stage.clock.move(seconds=(until - stage.clock.now()).total_seconds())
    assert x(stage, "POST", "/2/tweets", json={"text": "Lagi"}).status_code == 201


def test_the_page_of_a_post_shows_it_below_what_it_answers(stage: Played) -> None:
    """The timeline page names the network; a thread's page shows the parts in order, with the pictures' alt text."""
    file = png()
    parts = (Part(text="Satu #UpahLayak", media=(picture(file, alt="Poster aksi"),)), Part(text="Dua"))
    bytes_of = {parts[0].media[0].sha256: file}
    stage.publish("x", *parts, bytes_of=bytes_of)
    page = stage.http.get(stage.posts()[1]["permalink"]).text
    assert page.index("Satu #UpahLayak") < page.index("Poster aksi") < page.index("Dua")
    assert '<span class="network">X</span>' in stage.http.get("/").text


def test_links_come_back_as_they_were_written(stage: Played) -> None:
    """The stage shortens and escapes as X does; what is read back is what was sent."""
    text = "Baca & sebar <ini>: https://example.org/upah?a=1&b=2 #UpahLayak 👩🏽‍🏭"
    file = png()
    part = Part(text=text, media=(picture(file),))
    (receipt,) = stage.publish("x", part, bytes_of={part.media[0].sha256: file})
    shown = x(stage, "GET", f"/2/tweets/{receipt.id}").json()["data"]["text"]
    assert "https://t.co/" in shown
    assert "&amp;" in shown
    remote = stage.run("x", lambda sending: platform.read_back(sending, receipt))
    assert (remote.text, remote.alts) == (text, ("Poster aksi",))


@pytest.mark.parametrize("fault", ["", "accept-then-drop", "drop-before"])
def test_of_equal_posts_one_goes_out_and_the_others_say_why(
    tmp_path_factory: pytest.TempPathFactory, fault: str
) -> None:
    """Three deliveries with the same words: one is published, also when answers are lost; the others end as failed."""
    with open_theatre(tmp_path_factory.mktemp("kosong")) as theatre:
        scene = Scene(tmp_path_factory.mktemp("adegan"), theatre, "x", ["akun"])
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
            (receipt,) = [each for one in scene.deliveries().values() for each in one.receipts]
            assert [post.id for post in scene.posts("akun")] == [receipt.id]
        finally:
            scene.close()
