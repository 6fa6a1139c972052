"""LinkedIn on the stage: what it refuses, cuts off and hides; videos in parts."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from campaign_cli.errors import Failure, Rejected
from campaign_cli.models import Part, State
from campaign_cli.platforms.base import Sending
from campaign_cli.platforms.linkedin import platform
from tests.fault_helpers import Scene, decide_as_a_person, open_theatre
from tests.platform_helpers import failure_of, picture
from tests.stage_helpers import START, Played, open_played

AUTHOR = "urn:li:organization:5515715"


def test_without_the_right_to_read_a_lost_answer_waits_for_a_person(tmp_path: Path) -> None:
    """It is looked up again and again in vain, never sent again, and says why; a person's word ends it."""
    for folder in ("kosong", "kerja"):
        (tmp_path / folder).mkdir()
    with open_theatre(tmp_path / "kosong") as theatre:
        scene = Scene(tmp_path / "kerja", theatre, "linkedin", ["akun"])
        try:
            accounts, name = theatre.server.state.accounts, scene.played["akun"]
            accounts[name] = replace(accounts[name], role="poster")
            scene.queue("akun", "Pengumuman pelatihan.")
            scene.misbehave("akun", kind="accept-then-drop", times=1)
            for _pass in range(4):
                scene.publish()
                asyncio.run(scene.clock.sleep(3600))
            delivery = scene.deliveries()["akun/kabar"]
            assert delivery.state is State.UNCERTAIN
            assert "r_organization_social" in delivery.error
            assert len(scene.posts("akun")) == 1
            assert sum(one.creating for one in scene.sent["akun"]) == 1
            assert decide_as_a_person(scene, {"akun/kabar": ("Pengumuman pelatihan.",)}) == ["akun/kabar"]
            assert scene.deliveries()["akun/kabar"].state is State.PUBLISHED
        finally:
            scene.close()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Played]:
    """A running stage with an account of every network."""
    played = open_played(tmp_path)
    with played.server, played.http:
        yield played


async def _failure(sending: Sending) -> Failure:
    return await failure_of(platform.publish(sending))


def ask(stage: Played, method: str, path: str, **more: Any) -> Any:
    """A request with the account's own token and versions."""
    headers = {
        "Authorization": f"Bearer {stage.secret('linkedin')}",
        "LinkedIn-Version": "202605",
        "X-Restli-Protocol-Version": "2.0.0",
        **more.pop("headers", {}),
    }
    return stage.http.request(method, stage.path("linkedin") + path, headers=headers, **more)


def body(commentary: str, **more: Any) -> dict[str, Any]:
    """A post as LinkedIn wants it."""
    return {"author": AUTHOR, "commentary": commentary, "visibility": "PUBLIC", "lifecycleState": "PUBLISHED"} | more


def act_as_a_poster(stage: Played) -> None:
    """From here on the token may post and not read."""
    accounts, name = stage.server.state.accounts, stage.account("linkedin").name
    accounts[name] = replace(accounts[name], role="poster")


@pytest.mark.parametrize(
    ("commentary", "shown"),
    [
        ("Upah (layak)", "Upah "),
        (r"Upah \(layak\)", "Upah (layak)"),
        (r"Upah {hashtag|\#|layak} dan @[FSP](urn:li:organization:1)!", "Upah #layak dan FSP!"),
        ("Upah a_b", "Upah a"),
    ],
)
def test_an_unescaped_sign_cuts_the_post_off(stage: Played, commentary: str, shown: str) -> None:
    """LinkedIn says nothing, and shows what stands before the sign."""
    answer = ask(stage, "POST", "/rest/posts", json=body(commentary))
    assert (answer.status_code, answer.content) == (201, b"")
    assert stage.posts()[0]["text"] == shown
    assert stage.posts()[0]["id"] == answer.headers["x-restli-id"]


def test_what_linkedin_does_not_know_is_refused(stage: Played) -> None:
    """Another author, an unknown key, a card without title, an old version, a wrong protocol."""
    path = "/rest/posts"
    assert ask(stage, "POST", path, json=body("a", author="urn:li:person:x")).status_code == 403
    assert ask(stage, "POST", path, json=body("a", text="b")).status_code == 422
    assert (
        ask(stage, "POST", path, json=body("a", content={"article": {"source": "https://x.example"}})).status_code
        == 422
    )
    old = ask(stage, "POST", path, json=body("a"), headers={"LinkedIn-Version": "202401"})
    assert (old.status_code, old.json()["code"]) == (426, "NONEXISTENT_VERSION")
    assert ask(stage, "POST", path, json=body("a"), headers={"X-Restli-Protocol-Version": "1.0.0"}).status_code == 400
    assert stage.posts() == []


def test_the_same_post_twice_is_refused_and_the_first_is_named(stage: Played) -> None:
    """As long as LinkedIn remembers it."""
    (receipt,) = stage.publish("linkedin", Part(text="Pengumuman."))
    failure = stage.run("linkedin", _failure, content=(Part(text="Pengumuman."),))
    assert isinstance(failure, Rejected)
    assert failure.code == "DUPLICATE_POST"
    assert receipt.id in failure.message
    stage.clock.move(hours=25)
    stage.publish("linkedin", Part(text="Pengumuman."))
    assert len(stage.posts()) == 2


def test_a_video_arrives_whole(stage: Played) -> None:
    """In parts of 4 MiB, put together by their ETags; its state is asked for until it is ready."""
    content = bytes(range(256)) * 20_000
    film = replace(picture(content, name="aksi.mp4", mime="video/mp4", alt=""), seconds=9.0)
    told: list[tuple[int, int]] = []

    async def publish(sending: Sending) -> Any:
        sending.uploaded = lambda done, total: told.append((done, total))
        return await platform.publish(sending)

    stage.run("linkedin", publish, content=(Part(text="Film.", media=(film,)),), bytes_of={film.sha256: content})
    (post,) = stage.posts()
    assert post["media"] == [hashlib.sha256(content).hexdigest()]
    assert told == [(4 * 1024 * 1024, len(content)), (len(content), len(content))]


def test_where_nothing_may_be_read_nothing_is_proved(stage: Played) -> None:
    """A token that may post alone: the post goes out with its picture, a look-up is refused, a link is believed."""
    act_as_a_poster(stage)
    (receipt,) = stage.publish("linkedin", Part(text="Pengumuman."))
    since = stage.clock.now() - timedelta(minutes=1)

    async def look_up(sending: Sending) -> Failure:
        return await failure_of(platform.look_up(sending, since))

    assert isinstance(stage.run("linkedin", look_up), Rejected)
    assert stage.run("linkedin", lambda sending: platform.read_back(sending, receipt)) is None
    found = stage.run("linkedin", lambda sending: platform.find(sending, receipt.url))
    assert found.id == receipt.id
    check = stage.run("linkedin", platform.check)
    assert check.handle == AUTHOR


def test_the_numbers_of_a_post_are_read(stage: Played) -> None:
    """What people did with it comes with the post."""
    (receipt,) = stage.publish("linkedin", Part(text="Pengumuman."))
    remote = stage.run("linkedin", lambda sending: platform.read_back(sending, receipt))
    assert remote.metrics == {"reactions": 4, "comments": 2}
    assert remote.created_at == START


def test_a_token_is_looked_into(stage: Played) -> None:
    """With the app's own id and secret: active, its scopes, its end."""
    form = {"client_id": "a", "client_secret": "b", "token": stage.secret("linkedin")}
    known = ask(stage, "POST", "/oauth/v2/introspectToken", data=form).json()
    assert known["active"]
    assert "w_organization_social" in known["scope"]
    assert not ask(stage, "POST", "/oauth/v2/introspectToken", data=form | {"token": "x"}).json()["active"]
    assert ask(stage, "POST", "/oauth/v2/introspectToken", data={"token": "x"}).status_code == 401


def test_a_day_holds_a_hundred_and_fifty_posts(stage: Played) -> None:
    """Then LinkedIn wants to be left alone until midnight UTC."""
    for number in range(150):
        assert ask(stage, "POST", "/rest/posts", json=body(f"Kabar {number}")).status_code == 201
    last = ask(stage, "POST", "/rest/posts", json=body("Kabar terakhir"))
    assert (last.status_code, "retry-after" in last.headers) == (429, False)
