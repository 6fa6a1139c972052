"""Videos on the networks that take them: what is sent, what is kept on the way, and what arrives on the stage."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import test_bluesky
import test_mastodon
import test_telegram
import test_wordpress
from films import film, video
from platform_helpers import NOW, Clock, Network, answer, failure_of, json_of, multipart_of, parts, picture
from x_helpers import POSTED, check_known, created, on_its_way, problem

from campaign_cli import platforms
from campaign_cli.errors import Rejected, Unavailable
from campaign_cli.models import Part
from campaign_cli.platforms import PLATFORMS, bluesky, mastodon, telegram, wordpress, x
from campaign_cli.platforms.mastodon_server import limits_of
from campaign_cli.platforms.x_media import PIECE
from campaign_cli.stage.comparing import difference_of, post_of
from tests.stage_helpers import Played, file_for, open_played

FILM = film(size=PIECE + 1000)
VIDEO = video(FILM)
BYTES = {VIDEO.sha256: FILM}
FILMED = parts("Video aksi", media=[VIDEO])
BEGUN = answer(200, {"data": {"id": "71", "media_key": "7_71", "expires_after_secs": 86_400}})
TAKEN = answer(200, {"data": {"expires_at": 1_796_346_005}})
WORKING = {"id": "71", "media_key": "7_71", "processing_info": {"state": "pending", "check_after_secs": 5}}
READY = answer(200, {"data": {"id": "71", "processing_info": {"state": "succeeded"}}})
NETWORKS = [name for name in PLATFORMS if platforms.get(name).limits.videos and not platforms.get(name).by_hand]


def paths(network: Network) -> list[str]:
    return [request.url.path.removeprefix("/2/media/upload") for request in network.requests]


def test_x_takes_a_video_in_pieces_and_waits_until_it_has_encoded_it() -> None:
    """Begun, two pieces, ended, looked at, posted; the upload is told as it goes."""
    clock, told = Clock(), []
    network = Network(replies=[BEGUN, TAKEN, TAKEN, answer(200, {"data": WORKING}), READY, created()])
    item = on_its_way(network, content=FILMED, bytes_of=BYTES, clock=clock)
    item.uploaded = lambda done, total: told.append((done, total))
    receipt = asyncio.run(x.platform.publish(item))
    assert receipt.id == POSTED
    assert paths(network) == ["/initialize", "/71/append", "/71/append", "/71/finalize", "", "/2/tweets"]
    assert json_of(network.requests[0]) == {
        "media_type": "video/mp4",
        "total_bytes": len(FILM),
        "media_category": "tweet_video",
    }
    pieces = [multipart_of(request) for request in network.requests[1:3]]
    assert b"".join(piece["media"][2] for piece in pieces) == FILM
    assert [piece["segment_index"][2] for piece in pieces] == [b"0", b"1"]
    assert json_of(network.requests[-1])["media"] == {"media_ids": ["71"]}
    assert clock.slept == [5.0]
    assert told == [(0, len(FILM)), (PIECE, len(FILM)), (len(FILM), len(FILM))]
    check_known(network)


def test_x_goes_on_after_the_piece_that_arrived_last() -> None:
    """Another process sends what is missing, and nothing twice."""
    steps: dict[str, Any] = {}
    cut = Network(replies=[BEGUN, TAKEN, httpx.ReadError("cut")])
    failure = asyncio.run(failure_of(x.platform.publish(on_its_way(cut, content=FILMED, bytes_of=BYTES, steps=steps))))
    assert type(failure) is Unavailable
    rest = Network(replies=[TAKEN, READY, created()])
    asyncio.run(x.platform.publish(on_its_way(rest, content=FILMED, bytes_of=BYTES, steps=steps)))
    assert paths(rest) == ["/71/append", "/71/finalize", "/2/tweets"]
    assert multipart_of(rest.requests[0])["segment_index"][2] == b"1"
    check_known(rest)


def test_x_begins_anew_where_an_upload_is_over_or_not_taken_up_again() -> None:
    """After a day, or when X refuses what comes later; a refusal of a fresh upload is a refusal."""
    steps: dict[str, Any] = {}
    cut = Network(replies=[BEGUN, TAKEN, httpx.ReadError("cut")])
    item = on_its_way(cut, content=FILMED, bytes_of=BYTES, steps=steps)
    asyncio.run(failure_of(x.platform.publish(item)))
    kept = dict(steps)
    fresh = [BEGUN, TAKEN, TAKEN, READY, created()]
    late = Network(replies=list(fresh))
    clock = Clock(NOW + timedelta(days=1))
    asyncio.run(x.platform.publish(on_its_way(late, content=FILMED, bytes_of=BYTES, steps=steps, clock=clock)))
    assert paths(late)[0] == "/initialize"
    refusing = Network(replies=[problem(400, "Your media IDs are invalid.")])
    again = on_its_way(refusing, content=FILMED, bytes_of=BYTES, steps=kept)
    assert type(asyncio.run(failure_of(x.platform.publish(again)))) is Unavailable
    anew = Network(replies=list(fresh))
    asyncio.run(x.platform.publish(on_its_way(anew, content=FILMED, bytes_of=BYTES, steps=kept)))
    assert paths(anew)[0] == "/initialize"
    bad = Network(replies=[BEGUN, TAKEN, TAKEN, problem(400, "media type unrecognized")])
    assert (
        type(asyncio.run(failure_of(x.platform.publish(on_its_way(bad, content=FILMED, bytes_of=BYTES))))) is Rejected
    )


def test_x_that_can_not_use_a_video_says_so() -> None:
    """Encoding may fail: nothing is posted."""
    failed = answer(200, {"data": {**WORKING, "processing_info": {"state": "failed"}}})
    network = Network(replies=[BEGUN, TAKEN, TAKEN, failed])
    failure = asyncio.run(failure_of(x.platform.publish(on_its_way(network, content=FILMED, bytes_of=BYTES))))
    assert type(failure) is Rejected
    assert "MP4" in failure.fix


def test_mastodon_waits_longer_for_a_video() -> None:
    """The server encodes it anew: 202, then 206 for minutes, and the description goes with the upload."""
    looks = [answer(206, {"id": "5", "url": None})] * 12
    routes: dict[str, Any] = {
        "POST /api/v2/media": answer(202, {"id": "5", "url": None}),
        "GET /api/v1/media/5": [*looks, answer(200, {"id": "5", "url": "https://m.example/5.mp4"})],
        "POST /api/v1/statuses": answer(200, test_mastodon.status("7", text="Video aksi")),
    }
    clock, told = Clock(), []
    network = Network(routes=routes)
    item = test_mastodon.ready(network, content=FILMED, bytes_of=BYTES, clock=clock)
    item.uploaded = lambda done, total: told.append(done)
    asyncio.run(mastodon.platform.publish(item))
    (upload,) = network.sent("POST", "/api/v2/media")
    fields = multipart_of(upload)
    assert fields["file"][:2] == ("aksi.mp4", "video/mp4")
    assert fields["file"][2] == FILM
    assert fields["description"][2].decode() == VIDEO.alt
    assert told == [0, len(FILM)]
    assert sum(clock.slept) > 60


@pytest.mark.parametrize(
    ("types", "videos", "taken"),
    [
        (["image/png", "video/mp4"], 1, ("video/mp4",)),
        (["image/png"], 0, mastodon.platform.limits.video_types),
        ([], 1, mastodon.platform.limits.video_types),
    ],
)
def test_a_mastodon_server_says_whether_it_takes_videos(types: list[str], videos: int, taken: tuple[str, ...]) -> None:
    """Pixelfed and others may take none; one that says nothing is taken for an ordinary one."""
    media = {"supported_mime_types": types, "video_size_limit": 40_000_000}
    found = limits_of(
        {"configuration": {"media_attachments": media}}, mastodon.platform.limits, software="mastodon 4.6.4"
    )
    assert (found.videos, found.video_types, found.video_bytes) == (videos, taken, 40_000_000)


def test_telegram_sends_a_video_with_what_clients_show_before_it_plays() -> None:
    """One message: the file, its length and sides, the caption."""
    network = Network(replies=[answer(200, test_telegram.SENT)])
    item = test_telegram.on_its_way(network, content=parts("*Aksi* hari ini", media=[VIDEO]), bytes_of=BYTES)
    asyncio.run(telegram.platform.publish(item))
    (request,) = network.requests
    assert request.url.path.endswith("/sendVideo")
    fields = multipart_of(request)
    assert fields["video"][:2] == ("aksi.mp4", "video/mp4")
    values = {
        name: content.decode() if name in ("chat_id", "caption") else json.loads(content)
        for name, (file, _mime, content) in fields.items()
        if file is None
    }
    assert (values["duration"], values["width"], values["height"]) == (2, 640, 360)
    assert values["supports_streaming"] is True
    test_telegram.check_types(test_telegram.FACTS["methods"]["sendVideo"], {**values, "video": "attach"})


def test_telegram_shows_pictures_and_videos_in_one_album() -> None:
    """Each as what it is."""
    network = Network(replies=[answer(200, {"ok": True, "result": [test_telegram.SENT["result"]] * 2})])
    content = parts("Aksi", media=[picture(), VIDEO])
    asyncio.run(telegram.platform.publish(test_telegram.on_its_way(network, content=content, bytes_of=BYTES)))
    media = json.loads(multipart_of(network.requests[0])["media"][2])
    assert [item["type"] for item in media] == ["photo", "video"]
    for item in media:
        test_telegram.check_types(test_telegram.FACTS["types"][f"InputMedia{item['type'].capitalize()}"], item)


def test_bluesky_takes_a_video_as_a_blob_of_the_accounts_own_server() -> None:
    """It stands in the record with its alt text and proportions, as the lexicon wants it."""
    blob = {"$type": "blob", "ref": {"$link": "bafkreivideo"}, "mimeType": "video/mp4", "size": len(FILM)}
    net = test_bluesky.network(BLOB=answer(200, {"blob": blob}))
    content = parts("Aksi https://serikat.example", media=[VIDEO])
    out = test_bluesky.ready(net, content=content, bytes_of=BYTES)
    asyncio.run(bluesky.platform.publish(out))
    (upload,) = net.sent("POST", test_bluesky.BLOB.split()[1])
    assert (upload.content, upload.headers["content-type"]) == (FILM, "video/mp4")
    record = test_bluesky.record_of(net)
    assert record["embed"] == {
        "$type": "app.bsky.embed.video",
        "video": blob,
        "alt": VIDEO.alt,
        "aspectRatio": {"width": 640, "height": 360},
    }
    assert list(test_bluesky.faults(record, "app.bsky.feed.post")) == []


def test_wordpress_puts_a_video_into_the_body() -> None:
    """With words for those who can't see it; a video is never the featured picture."""
    network = test_wordpress.site()
    content = parts("# Judul\n\nIsi", media=[VIDEO, picture(alt="Poster")])
    item = test_wordpress.on_its_way(network, content=content, bytes_of=BYTES)
    receipt = asyncio.run(wordpress.platform.publish(item))
    (post,) = network.posts.values()
    first, _second = network.media.values()
    shown = f'<video controls src="{first["source_url"]}" aria-label="{VIDEO.alt}"></video>'
    assert shown in post["content"]["raw"]
    assert "featured_media" not in post
    back = asyncio.run(wordpress.platform.read_back(item, receipt))
    assert back is not None
    assert back.alts == (VIDEO.alt, "Poster")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Played]:
    played = open_played(tmp_path)
    with played.server, played.http:
        yield played


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_that_takes_videos_publishes_one(stage: Played, name: str) -> None:
    """The very bytes arrive, with the words, and where the network has them with the alt text."""
    content = (Part(text="Video aksi", media=(VIDEO,)),)
    account = stage.account(name)
    (receipt,) = stage.publish(name, *content, bytes_of=BYTES)
    post = post_of(stage.server.state, account.name, receipt)
    assert post is not None
    assert [media.sha256 for media in post.media] == [VIDEO.sha256]
    draft = stage.run(name, _draft, content=content)
    assert difference_of(draft, 0, post) == ()


async def _draft(sending: Any) -> Any:
    return sending.draft


@pytest.mark.parametrize("name", [name for name in NETWORKS if platforms.get(name).limits.mixed])
def test_where_both_may_stand_in_one_post_both_arrive(stage: Played, name: str) -> None:
    """In their order."""
    file, mime = file_for(name)
    still = picture(file, alt="Poster", mime=mime)
    content = (Part(text="Aksi", media=(VIDEO, still)),)
    (receipt,) = stage.publish(name, *content, bytes_of={**BYTES, still.sha256: file})
    post = post_of(stage.server.state, stage.account(name).name, receipt)
    assert post is not None
    assert [media.sha256 for media in post.media] == [VIDEO.sha256, still.sha256]
    assert difference_of(stage.run(name, _draft, content=content), 0, post) == ()
