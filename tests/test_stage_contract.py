"""Every network's adapter against the stage that plays it: over the registry, so that a new network joins by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from campaign_cli import platforms
from campaign_cli.errors import Failure, Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.models import Part
from campaign_cli.platforms.base import Request, Sending
from tests.fault_lines import AUTOMATIC, BY_STATUS, describes
from tests.platform_helpers import failure_of, picture, video
from tests.stage_helpers import START, VIDEOS, Played, file_for, open_played

TEXT = "Upah layak adalah hak.\n\nBaca https://contoh.example/upah?a=1&b=2 #UpahLayak — 👩🏽‍🏭"
NAMELESS = ("slack-webhook", "webhook", "whatsapp")
"""Networks that can't be asked for a post: nothing can be read, found or deleted, and that is said."""
MIDNIGHT = ("linkedin",)
"""Networks that say of "too many requests" only that it is enough for the day (in UTC)."""
pytestmark = pytest.mark.parametrize("platform", AUTOMATIC)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Played]:
    """A running stage with an account of every network."""
    played = open_played(tmp_path)
    with played.server, played.http:
        yield played


async def _failure(sending: Sending) -> Failure:
    return await failure_of(platforms.get(sending.account.platform).publish(sending))


def test_a_text_arrives_as_it_was_written(stage: Played, platform: str) -> None:
    """The stage holds the text, and the receipt names a page that opens."""
    (receipt,) = stage.publish(platform, Part(text=TEXT))
    (post,) = stage.posts()
    assert (post["account"], post["platform"]) == (stage.account(platform).name, platform)
    assert "Upah layak adalah hak" in post["text"] + post["title"]
    assert "#UpahLayak" in post["text"]
    assert receipt.id.rpartition("/")[2] == post["id"]
    assert receipt.at == stage.clock.now() >= START
    page = stage.http.get(post["permalink"])
    assert page.status_code == 200
    assert "UpahLayak" in page.text


@pytest.mark.parametrize("count", [1, 2])
def test_pictures_arrive_with_their_alt_text(stage: Played, platform: str, count: int) -> None:
    """The very bytes arrive, described where the network has descriptions."""
    files, mime = [file_for(platform, 64 + number)[0] for number in range(count)], file_for(platform)[1]
    pictures = tuple(picture(file, alt=f"Gambar {number}", mime=mime) for number, file in enumerate(files))
    bytes_of = {hashlib.sha256(file).hexdigest(): file for file in files}
    if platforms.get(platform).limits.images < count:  # refused before anything leaves
        content = (Part(text="Dengan gambar.", media=pictures),)
        assert isinstance(stage.run(platform, _failure, content=content, bytes_of=bytes_of), Rejected)
        assert stage.posts() == []
        return
    stage.publish(platform, Part(text="Dengan gambar.", media=pictures), bytes_of=bytes_of)
    (post,) = stage.posts()
    assert post["media"] == list(bytes_of)
    described = describes(platform)
    assert post["alts"] == [f"Gambar {number}" if described else "" for number in range(count)]
    shown = stage.http.get(f"/_stage/media/{post['media'][0]}")
    assert (shown.status_code, shown.content, shown.headers["content-type"]) == (200, files[0], mime)


def test_a_post_is_read_back_and_deleted(stage: Played, platform: str) -> None:
    """What is read back is what was sent; after deleting there is nothing, and deleting twice is harmless."""
    adapter = platforms.get(platform)
    (receipt,) = stage.publish(platform, Part(text="Pengumuman pelatihan."))
    remote = stage.run(platform, lambda sending: adapter.read_back(sending, receipt))
    if adapter.proof.look_up:
        assert "Pengumuman pelatihan." in (remote.title or "") + remote.text
    for _again in range(2):
        if not adapter.deletes:
            with pytest.raises(Rejected):
                stage.run(platform, lambda sending: adapter.delete(sending, receipt))
            return
        stage.run(platform, lambda sending: adapter.delete(sending, receipt))
    assert stage.posts() == []
    assert stage.run(platform, lambda sending: adapter.read_back(sending, receipt)) is None


def test_a_wrong_secret_is_unauthorized(stage: Played, platform: str) -> None:
    """The network's own 401 becomes Unauthorized, and nothing is posted."""
    failure = stage.run(platform, _failure, secret="000000001:salah")
    assert isinstance(failure, Unauthorized)
    assert stage.posts() == []


def test_the_account_check_passes(stage: Played, platform: str) -> None:
    """The account says who it is."""
    check = stage.run(platform, platforms.get(platform).check)
    assert check.identity
    assert check.handle
    if platform == "mastodon":
        assert check.software.lower() == "mastodon 4.6.4"
        assert (check.limits.text, check.limits.url_length, check.limits.images) == (500, 23, 4)


def test_a_dropped_answer_is_unconfirmed_and_looked_up(stage: Played, platform: str) -> None:
    """The post is there, the answer is not: Unconfirmed; a look-up finds it where the network allows one."""
    adapter = platforms.get(platform)
    stage.misbehave("accept-then-drop", platform=platform, times=1)
    steps: dict[str, Any] = {}
    failure = stage.run(platform, _failure, steps=steps)
    assert isinstance(failure, Unconfirmed)
    (post,) = stage.posts()
    since = stage.clock.now() - timedelta(minutes=1)
    looked = stage.run(platform, lambda sending: adapter.look_up(sending, since), steps=steps)
    if not adapter.proof.look_up:
        assert (looked.found, looked.complete) == ((), False)
        return
    assert looked.complete
    assert [found.receipt.id.rpartition("/")[2] for found in looked.found] == [post["id"]]


def test_a_cut_before_the_post_leaves_nothing(stage: Played, platform: str) -> None:
    """The connection breaks before anything is stored; the look-up says so, and sending again makes one post."""
    adapter = platforms.get(platform)
    steps: dict[str, Any] = {}
    stage.misbehave("drop-before", platform=platform, times=1)
    failure = stage.run(platform, _failure, steps=steps)
    assert isinstance(failure, Unconfirmed | Unavailable)
    assert stage.posts() == []
    since = stage.clock.now() - timedelta(minutes=1)
    assert stage.run(platform, lambda sending: adapter.look_up(sending, since), steps=steps).found == ()
    decided = (
        {"key": "1" * 40} if adapter.proof.blind else {}
    )  # where nothing is proved, a person said that it is not out
    stage.run(platform, adapter.publish, steps=steps, **decided)
    assert len(stage.posts()) == 1


def test_half_an_answer_is_unconfirmed(stage: Played, platform: str) -> None:
    """200 with a body that can't be read proves nothing, but where the status alone is the answer."""
    stage.misbehave("malformed", platform=platform, times=1)
    if platform in BY_STATUS:
        (receipt,) = stage.publish(platform, Part(text=TEXT))
        assert [receipt.id] == [post["id"] for post in stage.posts()]
        return
    assert isinstance(stage.run(platform, _failure), Unconfirmed)
    assert len(stage.posts()) == 1


def test_too_many_requests_name_an_instant(stage: Played, platform: str) -> None:
    """429 in the network's own words is Unavailable, with the instant to come back at."""
    stage.misbehave("429", platform=platform, times=1, seconds=120)
    failure = stage.run(platform, _failure)
    assert isinstance(failure, Unavailable)
    midnight = START.replace(hour=0) + timedelta(days=1)
    assert failure.retry_at == (midnight if platform in MIDNIGHT else stage.clock.now() + timedelta(seconds=120))
    assert stage.posts() == []


def test_a_refusal_is_for_good(stage: Played, platform: str) -> None:
    """The network's own refusal is Rejected."""
    stage.misbehave("refuse", platform=platform, times=1)
    assert isinstance(stage.run(platform, _failure), Rejected)
    assert stage.posts() == []


def test_out_of_order_proves_nothing(stage: Played, platform: str) -> None:
    """503 to a creating request is Unconfirmed; to a step before it, Unavailable."""
    stage.misbehave("503", platform=platform, times=1)
    assert isinstance(stage.run(platform, _failure), Unconfirmed | Unavailable)
    assert stage.posts() == []


def test_a_permalink_names_its_post(stage: Played, platform: str) -> None:
    """The address that a person copies leads back to the receipt, with all that a reply to it needs; no other does."""
    adapter = platforms.get(platform)
    (receipt,) = stage.publish(platform, Part(text="Pengumuman pelatihan."))
    if platform in NAMELESS:
        assert receipt.url == (stage.posts()[0]["permalink"] if platform == "webhook" else None)
        assert stage.run(platform, lambda sending: adapter.find(sending, stage.posts()[0]["permalink"])) is None
        return
    assert receipt.url
    found = stage.run(platform, lambda sending: adapter.find(sending, f" {receipt.url} "))
    assert found is not None
    assert (found.part, found.id) == (0, receipt.id)
    if platform == "bluesky":
        assert found.extra == receipt.extra
    head, _slash, last = receipt.url.rstrip("/").rpartition("/")
    others = (f"{head}/999999999999", "https://contoh.example/pos/1", "bukan alamat", receipt.url.replace(last, ""))
    for other in others:
        missing = stage.run(platform, lambda sending, url=other: adapter.find(sending, url))
        assert missing is None or (platform, missing.id) == ("telegram", "999999999999")


class Watched:
    """A transport that counts what it sends, and never lets the first creating request leave."""

    def __init__(self, http: Any) -> None:
        self.http, self.sent, self.stops = http, [], 1

    async def send(self, request: Request) -> Any:
        if request.creating and self.stops:
            self.stops -= 1
            raise Unavailable("No route.")
        self.sent.append(request)
        return await self.http.send(request)

    @property
    def uploads(self) -> int:
        """Requests that carried a file, or the address of one."""
        return sum(bool(request.uploads or request.content or _names_file(request)) for request in self.sent)

    @property
    def uploaded(self) -> int:
        """Bytes of files that left."""
        return sum(len(request.content or b"") for request in self.sent)


def _names_file(request: Request) -> bool:
    return bool(request.form) and "image_url" in (request.form or {})


def test_steps_that_are_done_are_not_done_again(stage: Played, platform: str) -> None:
    """Stopped between the uploads and the post: another process goes on with the kept steps, and uploads none."""
    adapter, steps = platforms.get(platform), {}
    if not adapter.limits.images and platform not in VIDEOS:  # no uploads, no steps
        return
    files = [file_for(platform, 64 + number)[0] for number in range(min(2, adapter.limits.images))]
    mime = file_for(platform)[1]
    part = Part(text="Dengan gambar.", media=tuple(picture(file, alt="Gambar", mime=mime) for file in files))
    if platform in VIDEOS:
        part = Part(text="Dengan video.", media=(video(),))
    watched: list[Watched] = []

    async def attempt(sending: Sending) -> Any:
        watched.append(Watched(sending.http))
        watched[-1].stops = 1 if len(watched) == 1 else 0
        sending.http = watched[-1]
        return await adapter.publish(sending)

    once = {"content": (part,), "bytes_of": {hashlib.sha256(file).hexdigest(): file for file in files}, "steps": steps}
    with pytest.raises(Unavailable):
        stage.run(platform, attempt, **once)
    assert stage.posts() == [] or stage.posts()[0]["status"] == "draft"
    stage.run(platform, attempt, **once)
    first, second = watched
    if platform in VIDEOS:
        assert first.uploaded + second.uploaded == part.media[0].size  # in pieces, and no byte twice
    elif any((request.uploads or request.content) and request.creating for request in second.sent):
        assert (first.uploads, second.uploads) == (0, 1)  # files and post are one request
    else:
        assert (first.uploads, second.uploads) == (len(files), 0)
    assert len(stage.posts()) == 1
