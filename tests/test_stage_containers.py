"""Instagram and Threads on the stage: media is really fetched, containers end, what is refused there is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from campaign_cli.errors import Rejected, Unavailable, Unconfirmed
from campaign_cli.models import Part, Picture
from campaign_cli.platforms import instagram, threads
from tests.platform_helpers import failure_of, picture
from tests.stage_helpers import Played, file_for, open_played, png

VIDEO = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 8
BOTH = pytest.mark.parametrize("platform", ["instagram", "threads"])
ADAPTERS: dict[str, Any] = {"instagram": instagram.platform, "threads": threads.platform}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Played]:
    """A running stage with an account of every network."""
    played = open_played(tmp_path)
    with played.server, played.http:
        yield played


def medium(content: bytes, *, mime: str, name: str = "berkas", alt: str = "Massa aksi") -> Picture:
    return picture(content, mime=mime, name=name, alt=alt)


def publishing(stage: Played, platform: str, *media: tuple[Picture, bytes], text: str = "Kabar.", **more: Any) -> Any:
    content = (Part(text=text, media=tuple(one for one, _content in media)),)
    bytes_of = {one.sha256: bytes_ for one, bytes_ in media}
    return stage.run(platform, ADAPTERS[platform].publish, content=content, bytes_of=bytes_of, **more)


def refused(stage: Played, platform: str, *media: tuple[Picture, bytes], **more: Any) -> Any:
    with pytest.raises((Rejected, Unavailable, Unconfirmed)) as caught:
        publishing(stage, platform, *media, **more)
    return caught.value


def jpeg(width: int = 64, height: int = 48) -> tuple[Picture, bytes]:
    file, mime = file_for("instagram", width, height)
    return medium(file, mime=mime), file


@BOTH
def test_pictures_and_videos_make_a_carousel(stage: Played, platform: str) -> None:
    """The bytes at the public addresses are the post's, in order; alt texts where the network takes them."""
    clip = medium(VIDEO, mime="video/mp4", alt="Pidato")
    publishing(stage, platform, jpeg(), (clip, VIDEO), jpeg(80))
    (post,) = stage.posts()
    assert post["media"] == [jpeg()[0].sha256, clip.sha256, jpeg(80)[0].sha256]
    assert post["alts"] == ["Massa aksi", "Pidato" if platform == "threads" else "", "Massa aksi"]
    shown = stage.http.get(f"/_stage/media/{clip.sha256}")
    assert (shown.content, shown.headers["content-type"]) == (VIDEO, "video/mp4")
    assert stage.http.get(post["permalink"]).status_code == 200


@BOTH
def test_one_video_is_published_and_looked_up(stage: Played, platform: str) -> None:
    """A reel on Instagram; found again by its kind and words."""
    clip = medium(VIDEO, mime="video/mp4")
    receipt = publishing(stage, platform, (clip, VIDEO))
    content = (Part(text="Kabar.", media=(clip,)),)
    looked = stage.run(
        platform, lambda item: ADAPTERS[platform].look_up(item, stage.clock.now().replace(hour=0)), content=content
    )
    assert [found.receipt.id for found in looked.found] == [receipt.id]


def facebook_login(stage: Played) -> None:
    """Let the account use Facebook Login from now on."""
    account = stage.account("instagram")
    settings = {**account.settings, "login": "facebook", "account": stage.run("instagram", _number)}
    stage.workspace.accounts[account.name] = type(account)(name=account.name, platform="instagram", settings=settings)


async def _without_address(sending: Any) -> Any:
    async def nowhere(_picture: Picture) -> str:
        raise AssertionError("no public address is needed")

    sending.public_url = nowhere
    return await instagram.platform.publish(sending)


def test_a_video_is_uploaded_with_facebook_login(stage: Played) -> None:
    """No public address is asked for."""
    facebook_login(stage)
    clip = medium(VIDEO, mime="video/mp4")
    content = (Part(text="Kabar.", media=(clip,)),)
    stage.run("instagram", _without_address, content=content, bytes_of={clip.sha256: VIDEO})
    (post,) = stage.posts()
    assert post["media"] == [hashlib.sha256(VIDEO).hexdigest()]
    check = stage.run("instagram", instagram.platform.check)
    assert "instagram_content_publish" in check.scopes


@pytest.mark.parametrize("polls", [0, 2])
def test_an_upload_whose_answer_was_lost_is_not_sent_again(stage: Played, polls: int) -> None:
    """All bytes have arrived, whether Instagram still works on them or not: the next try goes on from there."""
    facebook_login(stage)
    stage.server.state.processing_polls = polls
    clip = medium(VIDEO, mime="video/mp4")
    item: dict[str, Any] = {"content": (Part(text="Kabar.", media=(clip,)),), "bytes_of": {clip.sha256: VIDEO}}
    steps: dict[str, Any] = {}
    stage.misbehave("accept-then-drop", platform="instagram", requests="changing", skip=1, times=1)
    lost = stage.run("instagram", lambda sending: failure_of(_without_address(sending)), steps=steps, **item)
    assert isinstance(lost, Unavailable)
    first = steps["container.upload"]["id"]
    stage.run("instagram", _without_address, steps=steps, **item)
    assert steps["container"] == first
    assert len(stage.posts()) == 1


async def _number(sending: Any) -> str:
    return str((await instagram.platform.check(sending)).identity)


@BOTH
@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9/tiada.jpg", "https://serikat.example/poster.jpg", "bukan alamat"]
)
def test_nothing_is_fetched_that_cannot_be_had_or_is_not_on_this_machine(
    stage: Played, platform: str, address: str
) -> None:
    """A rehearsal asks nothing of anybody; the post waits or is refused, and is not there."""

    async def publish(sending: Any) -> Any:
        async def elsewhere(_picture: Picture) -> str:
            return address

        sending.public_url = elsewhere
        return await failure_of(ADAPTERS[platform].publish(sending))

    failure = stage.run(platform, publish, content=(Part(text="Kabar.", media=(jpeg()[0],)),))
    assert isinstance(failure, Rejected | Unavailable)
    assert stage.posts() == []


def test_instagram_takes_only_jpegs_of_its_shapes(stage: Played) -> None:
    """Its subcodes say what is wrong."""
    file = png()
    assert "2207005" in refused(stage, "instagram", (medium(file, mime="image/png"), file)).code
    assert "2207009" in refused(stage, "instagram", jpeg(20, 100)).code
    assert "2207010" in refused(stage, "instagram", jpeg(), text="é" * 2201).code
    broken = medium(b"bukan video", mime="video/mp4")
    assert refused(stage, "instagram", (broken, b"bukan video")).code == "2207026"
    assert stage.posts() == []


def test_threads_counts_links_emoji_and_topics(stage: Played) -> None:
    """Six links, 34 emoji of 15 bytes, and a topic with a point are too much."""
    assert "LINK_LIMIT" in refused(stage, "threads", text=" ".join(f"https://a{n}.example" for n in range(6))).message
    assert isinstance(refused(stage, "threads", text="👩🏽‍🏭" * 34), Rejected)
    publishing(stage, "threads", text="👩🏽‍🏭" * 33, native={"tags": ["Upah Layak"]}, link="https://contoh.example")
    (post,) = stage.posts()
    assert post["data"]["topic_tag"] == "Upah Layak"
    assert post["data"]["link_attachment"] == "https://contoh.example"


@BOTH
def test_a_container_ends_after_a_day_and_is_made_anew(stage: Played, platform: str) -> None:
    """Stopped before it was published, and taken up too late."""
    steps: dict[str, Any] = {}
    stage.misbehave("drop-before", platform=platform, times=1)
    media = [jpeg()] if platform == "instagram" else []
    refused(stage, platform, *media, steps=steps)
    first = steps["container"]
    stage.clock.move(hours=25)
    publishing(stage, platform, *media, steps=steps)
    assert steps["container"] != first
    assert len(stage.posts()) == 1


@BOTH
def test_a_container_is_published_once(stage: Played, platform: str) -> None:
    """The second time the adapter asks its status and doesn't try; where it does, it asks why that was refused."""
    steps: dict[str, Any] = {}
    media = [jpeg()] if platform == "instagram" else []
    publishing(stage, platform, *media, steps=steps)
    assert isinstance(refused(stage, platform, *media, steps=steps), Unconfirmed)
    again = stage.run(platform, lambda item: _publish_again(item, platform, steps["container"]))
    assert isinstance(again, Unconfirmed if platform == "threads" else Unavailable)
    assert len(stage.posts()) == 1


async def _publish_again(sending: Any, platform: str, container: str) -> Any:
    from campaign_cli.platforms import instagram_api, threads_api

    flow = await (instagram_api if platform == "instagram" else threads_api).containers(sending)
    return await failure_of(flow.published(sending, container))


def test_the_days_cap_is_kept_and_shown(stage: Played) -> None:
    """The 101st post of a day waits, and is taken when the day is over."""
    for _post in range(100):
        publishing(stage, "instagram", jpeg())
    failure = refused(stage, "instagram", jpeg())
    assert isinstance(failure, Unavailable)
    assert failure.retry_at is not None
    check = stage.run("instagram", instagram.platform.check)
    assert any("100" in note for note in check.notes)
    stage.clock.move(hours=24)
    publishing(stage, "instagram", jpeg())


def test_unknown_parameters_tokens_and_fields_are_refused(stage: Played) -> None:
    """As the Graph API refuses them: with a code in a 400."""
    base = f"{stage.path('threads')}/v1.0"
    headers = {"Authorization": f"Bearer {stage.secret('threads')}"}

    def code(method: str, path: str, **more: Any) -> int:
        answer = stage.http.request(method, f"{base}{path}", **{"headers": headers, **more})
        assert answer.status_code == 400
        found: int = answer.json()["error"]["code"]
        return found

    assert code("POST", "/me/threads", data={"media_type": "TEXT", "text": "a", "lain": "x"}) == 100
    assert code("POST", "/me/threads", data={"media_type": "LAIN", "text": "a"}) == 100
    assert code("GET", "/me?fields=id,lain") == 100
    assert code("GET", "/me", headers={"Authorization": "Bearer salah"}) == 190
    assert code("GET", "/17900000000000999?fields=id") == 100


def test_pages_of_a_list_lead_on(stage: Played) -> None:
    """An address of an older post is found behind the first page."""
    first = publishing(stage, "threads", text="Yang pertama.")
    for number in range(60):
        stage.clock.move(minutes=1)
        publishing(stage, "threads", text=f"Kabar {number}")
    found = stage.run("threads", lambda item: threads.platform.find(item, first.url))
    assert found.id == first.id
