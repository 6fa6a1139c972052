"""GoToSocial, Pleroma, Pixelfed and Takahē: the Mastodon adapter on a stage that plays each of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from campaign_cli import platforms
from campaign_cli.errors import Failure, Rejected, Unauthorized, Unconfirmed
from campaign_cli.models import Part
from campaign_cli.platforms.base import Sending
from campaign_cli.stage.mastodon_kinds import KINDS, played
from tests.platform_helpers import failure_of, picture
from tests.stage_helpers import Played, open_played, png

PLATFORM = platforms.get("mastodon")
OTHERS = sorted(set(KINDS) - {"mastodon"})
PICTURE = png()
FILES = {hashlib.sha256(PICTURE).hexdigest(): PICTURE}
POSTER = picture(PICTURE, alt="Poster aksi")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Played]:
    """A running stage."""
    running = open_played(tmp_path)
    with running.server, running.http:
        yield running


def play(stage: Played, kind: str) -> None:
    """Let the Mastodon account's server be of this kind."""
    accounts, name = stage.server.state.accounts, stage.account("mastodon").name
    accounts[name] = replace(accounts[name], role=kind)


async def _failure(sending: Sending) -> Failure:
    return await failure_of(PLATFORM.publish(sending))


def failure(stage: Played, **members: Any) -> Failure:
    found: Failure = stage.run("mastodon", _failure, bytes_of=FILES, **members)
    return found


def publish(stage: Played, *parts: Part, **members: Any) -> list[Any]:
    return stage.publish("mastodon", *parts, bytes_of=FILES, **members)


def look_up(stage: Played, **members: Any) -> Any:
    since = stage.clock.now() - timedelta(minutes=1)
    return stage.run("mastodon", lambda sending: PLATFORM.look_up(sending, since), bytes_of=FILES, **members)


@pytest.mark.parametrize("kind", OTHERS)
def test_the_check_names_the_software_and_what_it_means(stage: Played, kind: str) -> None:
    """nodeinfo decides; the officer is told that no key protects there."""
    play(stage, kind)
    found = stage.run("mastodon", PLATFORM.check)
    assert found.software == f"{kind} {KINDS[kind].version}"
    assert f"This server is {found.software}" in found.notes[0]
    assert (found.limits.text, found.limits.source) == (500, "instance")
    assert not PLATFORM.may_repeat(None, software=found.software, age=timedelta(0))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", OTHERS)
def test_a_post_with_a_picture_arrives_and_is_read_back(stage: Played, kind: str) -> None:
    """The same requests do on all of them, ids of any form; deleting twice is harmless."""
    play(stage, kind)
    (receipt,) = publish(stage, Part(text="Upah layak. https://contoh.example/a", media=(POSTER,)))
    (post,) = stage.posts()
    assert (post["id"], post["alts"]) == (receipt.id, ["Poster aksi"])
    remote = stage.run("mastodon", lambda sending: PLATFORM.read_back(sending, receipt))
    assert remote.text == "Upah layak. https://contoh.example/a"
    for _again in range(2):
        stage.run("mastodon", lambda sending: PLATFORM.delete(sending, receipt))
    assert stage.posts() == []


@pytest.mark.parametrize("kind", OTHERS)
def test_a_lost_answer_is_looked_up(stage: Played, kind: str) -> None:
    """Found among many, page by page, whatever its ids look like."""
    play(stage, kind)
    stage.misbehave("accept-then-drop", platform="mastodon", times=1)
    content = (Part(text="Yang hilang.", media=(POSTER,)),)
    assert isinstance(failure(stage, content=content), Unconfirmed)
    for number in range(45):
        publish(stage, Part(text=f"Sesudahnya {number}.", media=(picture(PICTURE, alt=""),)), key=f"{number:040d}")
        if number % 20 == 19:
            stage.clock.move(minutes=31)  # uploads have a window of their own
    since = stage.clock.now() - timedelta(hours=3)
    look = stage.run("mastodon", lambda sending: PLATFORM.look_up(sending, since), content=content)
    assert [found.receipt.id for found in look.found] == [stage.posts()[0]["id"]]
    assert look.complete


@pytest.mark.parametrize(("kind", "posts"), [("gotosocial", 2), ("takahe", 2), ("pleroma", 1), ("mastodon", 1)])
def test_who_heeds_a_key(stage: Played, kind: str, posts: int) -> None:
    """GoToSocial and Takahē make a second post of the same key: why nothing is repeated there."""
    play(stage, kind)
    for _again in range(2):
        publish(stage, Part(text="Sekali."))
    assert len(stage.posts()) == posts


def test_pixelfed_refuses_a_key_that_it_knows(stage: Played) -> None:
    """A first part that was refused goes out at the next try, without the key; of a reply nothing is sure."""
    play(stage, "pixelfed")
    content = (Part(text="Foto", media=(POSTER,)), Part(text="Lanjutan."))
    steps: dict[str, Any] = {}
    assert isinstance(failure(stage, content=content, steps=steps, visibility="direct"), Rejected)
    assert isinstance(failure(stage, content=(Part(text="Tanpa gambar."),), key="7" * 40), Rejected)
    first = stage.run("mastodon", PLATFORM.publish, content=content[:1], steps=steps, bytes_of=FILES, key="7" * 40)
    assert [post["text"] for post in stage.posts()] == ["Foto"]
    reply = {"content": content, "part": 1, "earlier": (first,), "key": "8" * 40}
    stage.run("mastodon", PLATFORM.publish, **reply)
    assert isinstance(failure(stage, **reply), Unconfirmed)
    assert [post["text"] for post in stage.posts()] == ["Foto", "Lanjutan."]


def test_pixelfed_takes_no_post_without_a_picture(stage: Played) -> None:
    """The limits say so, the notes too, and the server's refusal is for good; a reply needs none."""
    play(stage, "pixelfed")
    found = stage.run("mastodon", PLATFORM.check)
    assert found.limits.media_least == 1
    assert "only with a picture" in found.notes[1]
    assert failure(stage, content=(Part(text="Tanpa gambar."),)).status == 403
    assert len(publish(stage, Part(text="Foto", media=(POSTER,)), Part(text="Lanjutan."))) == 2


@pytest.mark.parametrize(("kind", "complete"), [("pixelfed", False), ("gotosocial", True)])
def test_a_reply_that_no_list_shows_is_not_absent(stage: Played, kind: str, complete: bool) -> None:
    """Pixelfed's list of statuses has no replies: finding none there proves nothing."""
    play(stage, kind)
    content = (Part(text="Foto", media=(POSTER,)), Part(text="Lanjutan."))
    (first,) = publish(stage, content[0])
    look = look_up(stage, content=content, part=1, earlier=(first,))
    assert (look.found, look.complete) == ((), complete)


@pytest.mark.parametrize("kind", OTHERS)
def test_the_others_count_every_character(stage: Played, kind: str) -> None:
    """A long link counts in full, and the measure knows it, whatever the server announces; too long is refused."""
    play(stage, kind)
    limits = stage.run("mastodon", PLATFORM.check).limits
    text = "Baca https://contoh.example/" + "a" * 600
    (count,) = PLATFORM.measure(text, limits, media=0)
    assert (count.used, count.over) == (len(text), True)
    (elsewhere,) = PLATFORM.measure(text, PLATFORM.limits, media=0)
    assert not elsewhere.over
    refused = failure(stage, content=(Part(text=text, media=(POSTER,)),))
    assert (type(refused), refused.status) == (Rejected, KINDS[kind].invalid)


def test_takahe_refuses_a_token_in_its_own_way(stage: Played) -> None:
    """400 and plain text: it is the token all the same."""
    play(stage, "takahe")
    refused = failure(stage, secret="salah")
    assert isinstance(refused, Unauthorized)
    assert refused.fix


def test_pleroma_has_its_limits_elsewhere(stage: Played) -> None:
    """max_toot_chars, upload_limit and description_limit stand beside everything else."""
    accounts, name = stage.server.state.accounts, stage.account("mastodon").name
    accounts[name] = replace(accounts[name], role="pleroma", text_limit=5_000)
    limits = stage.run("mastodon", PLATFORM.check).limits
    assert (limits.text, limits.image_bytes, limits.alt) == (5_000, 16_777_216, 1_500)


@pytest.mark.parametrize(
    ("software", "kind"),
    [
        ("gotosocial 0.19", "gotosocial"),
        ("akkoma 3.13", "pleroma"),
        ("mastodon 4.6", "mastodon"),
        ("4.6.4", ""),
        ("", ""),
    ],
)
def test_a_rehearsal_plays_what_the_check_found(software: str, kind: str) -> None:
    """The software that ``accounts check`` kept decides which server the stage is."""
    assert played(software) == kind
