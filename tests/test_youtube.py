"""The YouTube adapter: words and rights of a video, look-ups, permalinks, refusals, and its channel."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from content_helpers import Folder
from platform_helpers import NOW, failure_of, json_of, parts, picture, video
from pydantic import ValidationError
from youtube_helpers import (
    CHANNEL,
    SETTINGS,
    VIDEO,
    arrived,
    begun,
    channels,
    done,
    furnished,
    item,
    on_its_way,
    page,
    problem,
    resource,
    videos,
    youtube,
)

from campaign_cli.errors import Rejected, Unauthorized, Unavailable
from campaign_cli.models import Account, Part, Receipt
from campaign_cli.platforms.http import RecordingTransport
from campaign_cli.platforms.youtube import PAGES, platform
from campaign_cli.platforms.youtube_answers import next_quota_day

FIRST = 4 * 256 * 1024
SINCE = NOW - timedelta(minutes=2)
OUT = Receipt(part=0, id=VIDEO, url=None, at=NOW)


def told(**more: Any) -> dict[str, Any]:
    """The words and rights that go out with a video."""
    network = youtube(begun(), arrived(FIRST), done())
    asyncio.run(platform.publish(on_its_way(network, **more)))
    body: dict[str, Any] = json_of(network.requests[0])
    return body


def test_title_text_tags_and_rights_are_the_plan_s() -> None:
    """The title is a field of its own, the text is the description, the visibility is YouTube's own word."""
    body = told(
        content=furnished("Kita turun bersama.\n\nhttps://contoh.example #UpahLayak"),
        native={"title": "Upah layak 2027", "tags": ["upah", "hari buruh"]},
        visibility="unlisted",
        settings=SETTINGS | {"category": "29", "made_for_kids": True},
    )
    assert body["snippet"] == {
        "title": "Upah layak 2027",
        "description": "Kita turun bersama.\n\nhttps://contoh.example #UpahLayak",
        "tags": ["upah", "hari buruh"],
        "categoryId": "29",
    }
    assert body["status"] == {"privacyStatus": "unlisted", "selfDeclaredMadeForKids": True}


def test_without_a_title_the_first_line_is_one() -> None:
    """As much of it as fits, cut between two words."""
    assert told(content=furnished("Upah layak!\nKita turun."))["snippet"]["title"] == "Upah layak!"
    title = told(content=furnished("Upah layak adalah hak " * 9))["snippet"]["title"]
    assert title == "Upah layak adalah hak " * 4 + "Upah layak…"
    assert len(told(content=furnished("é" * 300))["snippet"]["title"]) == 100


BAD: list[tuple[dict[str, Any], str]] = [
    ({"content": parts("Tanpa video")}, "exactly one video"),
    ({"content": parts("Gambar", media=[picture()])}, "exactly one video"),
    ({"content": parts("Dua", media=[video(), video(b"2")])}, "exactly one video"),
    ({"content": furnished("")}, "can't be a title"),
    ({"native": {"title": "a" * 101}}, "can't be a title"),
    ({"native": {"title": "Upah > inflasi"}}, "can't be a title"),
    ({"content": furnished("Baik\n" + "é" * 2501)}, "can't be a description"),
    ({"content": furnished("Upah\n< inflasi")}, "can't be a description"),
    ({"native": {"tags": ["a" * 250, "b " * 125]}}, "tags are too long"),
]


@pytest.mark.parametrize(("draft", "words"), BAD)
def test_what_youtube_would_refuse_after_the_upload_is_refused_before_it(draft: dict[str, Any], words: str) -> None:
    """No byte leaves, and the message says what to write."""
    network = youtube()
    failure = asyncio.run(failure_of(platform.publish(on_its_way(network, **draft))))
    assert isinstance(failure, Rejected)
    assert words in failure.message
    assert failure.fix
    assert network.requests == []


def test_everything_that_youtube_would_refuse_is_told_at_once() -> None:
    """Each with the field that it is about, so that a check can show its place; nothing of a good draft."""
    native = {"title": "a > b", "tags": ["a" * 600]}
    bad = on_its_way(youtube(), content=parts("x < y"), native=native).draft
    assert [each.code for each in platform.objections(bad)] == ["media", "title", "", "tags"]
    assert platform.objections(on_its_way(youtube()).draft) == ()


@pytest.mark.parametrize("account", ["layar", "goyang"])
def test_a_plan_without_a_video_is_refused_by_the_check(tmp_path: Path, account: str) -> None:
    """Long before it is due."""
    folder = Folder(tmp_path)
    folder.write(
        "accounts.yaml",
        """\
        accounts:
          layar:  {platform: youtube, channel: "@fsp_contoh", token: env:Y}
          goyang: {platform: tiktok, handle: fsp.contoh, token: env:G}
        """,
    )
    plan = f"accounts: [{account}]\nposts:\n  - {{id: satu, at: 2026-12-03 08:00, text: Tanpa video.}}\n"
    examined = folder.plan(plan)
    assert any(each.severity == "error" and "video" in each.message for each in examined.problems)
    assert examined.drafts == {}


def test_a_video_that_is_made_private_is_out_and_that_is_said() -> None:
    """A project that Google hasn't audited: the receipt keeps what the answer says, and the check warns."""
    memory: dict[str, Any] = {}
    network = youtube(begun(), arrived(FIRST), done("private"), playlistItems=page())
    receipt = asyncio.run(platform.publish(on_its_way(network, memory=memory)))
    assert receipt.extra == {"privacy": "private"}
    notes = asyncio.run(platform.check(on_its_way(network, memory=memory))).notes
    assert "has probably not been audited" in notes[0]


def test_a_private_video_that_shall_be_private_is_nothing_to_say() -> None:
    """What was asked for is what is there."""
    network = youtube(begun(), arrived(FIRST), done("private"))
    assert asyncio.run(platform.publish(on_its_way(network, visibility="private"))).extra == {}


def test_a_file_that_youtube_can_not_use_is_refused() -> None:
    """It took the bytes, and says at once that they are no video: no receipt, and a retry begins anew."""
    steps: dict[str, Any] = {}
    network = youtube(begun(), arrived(FIRST), done(uploadStatus="failed", failureReason="codec"))
    failure = asyncio.run(failure_of(platform.publish(on_its_way(network, steps=steps))))
    assert isinstance(failure, Rejected)
    assert (failure.code, steps["session"]) == ("codec", None)


REFUSALS: list[tuple[int, str, type[Exception]]] = [
    (401, "authError", Unauthorized),
    (401, "youtubeSignupRequired", Rejected),
    (403, "insufficientPermissions", Unauthorized),
    (403, "forbidden", Rejected),
    (403, "accessNotConfigured", Rejected),
    (403, "authenticatedUserAccountSuspended", Rejected),
    (403, "quotaExceeded", Unavailable),
    (403, "dailyLimitExceeded", Unavailable),
    (403, "rateLimitExceeded", Unavailable),
    (403, "userRateLimitExceeded", Unavailable),
    (429, "rateLimitExceeded", Unavailable),
    (400, "uploadLimitExceeded", Unavailable),
    (403, "uploadLimitExceeded", Unavailable),
    (400, "invalidTitle", Rejected),
    (400, "invalidDescription", Rejected),
    (400, "invalidTags", Rejected),
    (400, "invalidCategoryId", Rejected),
    (400, "invalidVideoMetadata", Rejected),
    (400, "mediaBodyRequired", Rejected),
    (400, "invalidPublishAt", Rejected),
    (503, "backendError", Unavailable),
]


@pytest.mark.parametrize(("status", "reason", "kind"), REFUSALS)
def test_refusals_are_read_by_their_reason(status: int, reason: str, kind: type[Exception]) -> None:
    """The same status stands for a wrong word, a missing right and a used up day."""
    network = youtube(problem(status, reason, "Katanya begini"))
    failure = asyncio.run(failure_of(platform.publish(on_its_way(network))))
    assert type(failure) is kind
    assert "Katanya begini" in failure.message
    if status < 500:
        assert failure.code == reason
        assert failure.fix or kind is Unavailable or reason == "invalidPublishAt"


def test_used_up_quotas_name_their_end() -> None:
    """Midnight in California for the project's day, a day later for the channel's own limit."""
    day = asyncio.run(failure_of(platform.publish(on_its_way(youtube(problem(403, "quotaExceeded"))))))
    assert day.retry_at == datetime(2026, 12, 3, 8, 0, tzinfo=UTC)
    limit = asyncio.run(failure_of(platform.publish(on_its_way(youtube(problem(400, "uploadLimitExceeded"))))))
    assert limit.retry_at == NOW + timedelta(days=1)
    after = asyncio.run(failure_of(platform.publish(on_its_way(youtube(problem(429, "x", retry_after="77"))))))
    assert after.retry_at == NOW + timedelta(seconds=77)


@pytest.mark.parametrize(
    ("now", "midnight"),
    [
        (datetime(2027, 7, 1, 6, 59, tzinfo=UTC), datetime(2027, 7, 1, 7, tzinfo=UTC)),
        (datetime(2027, 7, 1, 7, 0, tzinfo=UTC), datetime(2027, 7, 2, 7, tzinfo=UTC)),
        (datetime(2026, 11, 1, 8, 0, tzinfo=UTC), datetime(2026, 11, 2, 8, tzinfo=UTC)),
        (datetime(2027, 3, 14, 9, 0, tzinfo=UTC), datetime(2027, 3, 15, 7, tzinfo=UTC)),
    ],
)
def test_the_quota_s_day_begins_at_midnight_in_california(now: datetime, midnight: datetime) -> None:
    """In summer, in winter, and on the days between."""
    assert next_quota_day(now) == midnight


def looked_up(*pages: Any, **more: Any) -> Any:
    """What a look-up finds on these pages, and the network that it asked."""
    network = youtube(*pages)
    return asyncio.run(platform.look_up(on_its_way(network, **more), SINCE)), network


def test_a_lost_video_is_found_among_the_uploads() -> None:
    """The same title and description since the first try, whatever the white space."""
    old = (SINCE - timedelta(seconds=1)).isoformat()
    found, network = looked_up(page(item("a" * 11, title="Lain"), item("b" * 11, title=" Upah  layak adalah hak.")))
    assert [one.receipt.id for one in found.found] == ["b" * 11]
    assert (found.found[0].created_at, found.complete) == (NOW, True)
    assert network.requests[1].url.params["playlistId"].startswith("UU")
    found, _network = looked_up(page(item("a" * 11, at=old), token="b"))
    assert (found.found, found.complete) == ((), True)


def test_uploads_are_read_back_to_the_first_try() -> None:
    """Page after page; a search that has to stop before that proves no absence."""
    found, network = looked_up(page(item("a" * 11, title="x"), token="b"), page(item("c" * 11)))
    assert [one.receipt.id for one in found.found] == ["c" * 11]
    assert network.requests[2].url.params["pageToken"] == "b"
    found, _network = looked_up(*[page(item("a" * 11, title="x"), token="b")] * PAGES)
    assert (found.found, found.complete) == ((), False)


def test_a_channel_without_uploads_has_no_such_video() -> None:
    """Its playlist is not there, which is an answer; any other refusal is none."""
    found, _network = looked_up(problem(404, "playlistNotFound"))
    assert (found.found, found.complete) == ((), True)
    network = youtube(problem(403, "playlistItemsNotAccessible"))
    assert isinstance(asyncio.run(failure_of(platform.look_up(on_its_way(network), SINCE))), Rejected)


@pytest.mark.parametrize("body", [{}, {"items": [{"id": "x"}]}, {"items": [item("a") | {"contentDetails": {}}]}, []])
def test_half_a_list_proves_nothing(body: Any) -> None:
    """What can't be read is no absence."""
    network = youtube(httpx.Response(200, json=body))
    assert type(asyncio.run(failure_of(platform.look_up(on_its_way(network), SINCE)))) is Unavailable


def test_a_video_reads_back_with_its_numbers() -> None:
    """Title, description and what YouTube counts; a number that is switched off is left out."""
    shown = resource() | {"statistics": {"viewCount": "1204", "likeCount": "37"}}
    remote = asyncio.run(platform.read_back(on_its_way(youtube(videos=videos(shown))), OUT))
    assert remote is not None
    assert (remote.title, remote.text) == ("Upah layak adalah hak.", "Upah layak adalah hak.")
    assert (remote.created_at, remote.metrics) == (NOW, {"views": 1204, "likes": 37})
    assert asyncio.run(platform.read_back(on_its_way(youtube(videos=videos())), OUT)) is None


@pytest.mark.parametrize(
    "url",
    [
        f"https://www.youtube.com/watch?v={VIDEO}",
        f" https://m.youtube.com/watch?app=desktop&v={VIDEO}&t=3s ",
        f"https://youtu.be/{VIDEO}?si=x",
        f"youtube.com/shorts/{VIDEO}",
        f"https://www.youtube.com/live/{VIDEO}/",
    ],
)
def test_a_permalink_in_any_spelling_names_the_video(url: str) -> None:
    """YouTube is asked whose it is."""
    receipt = asyncio.run(platform.find(on_its_way(youtube(videos=videos(resource()))), url))
    assert receipt == Receipt(part=0, id=VIDEO, url=f"https://www.youtube.com/watch?v={VIDEO}", at=NOW)


def test_other_addresses_name_no_video() -> None:
    """What is no address of a video is not asked for; another channel's video is not ours."""
    network = youtube(videos=videos(resource(channel="UClain")))
    for url in ("https://www.youtube.com/@fsp", f"https://youtube.com.example/watch?v={VIDEO}", VIDEO):
        assert asyncio.run(platform.find(on_its_way(network), url)) is None
    assert network.requests == []
    assert asyncio.run(platform.find(on_its_way(network), f"https://youtu.be/{VIDEO}")) is None


def test_delete_can_be_repeated() -> None:
    """One that is gone already is no failure; a missing right is."""
    network = youtube(httpx.Response(204), problem(404, "videoNotFound"))
    for _again in range(2):
        asyncio.run(platform.delete(on_its_way(network), OUT))
    assert [one.url.params["id"] for one in network.requests] == [VIDEO, VIDEO]
    refused = youtube(problem(403, "forbidden"))
    assert isinstance(asyncio.run(failure_of(platform.delete(on_its_way(refused), OUT))), Rejected)


def test_check_says_whose_channel_it_is_and_what_to_know() -> None:
    """The channel of accounts.yaml must be the token's; that uploads may stay private is said in any case."""
    network = youtube(channels=channels(longUploadsStatus="eligible"), playlistItems=page(item("a" * 11)))
    found = asyncio.run(platform.check(on_its_way(network)))
    assert (found.identity, found.handle) == (CHANNEL, "@fsp_contoh")
    notes = " ".join(found.notes)
    for word in ("stays private", "100 uploads a day", "15 minutes"):
        assert word in notes
    assert "probably" not in notes
    with pytest.raises(Rejected, match="@fsp_contoh"):
        asyncio.run(platform.check(on_its_way(network, settings=SETTINGS | {"channel": "@lain"})))


def test_check_sees_that_the_newest_uploads_are_locked() -> None:
    """All of them private, where nobody would want that."""
    network = youtube(playlistItems=page(item("a" * 11, privacy="private")))
    assert "has probably not been audited" in asyncio.run(platform.check(on_its_way(network))).notes[0]


def test_an_account_without_a_channel_is_told_so() -> None:
    """An empty list is an answer; what is no list is none."""
    none = youtube(channels=httpx.Response(200, json={"kind": "youtube#channelListResponse"}))
    with pytest.raises(Rejected, match="no channel"):
        asyncio.run(platform.check(on_its_way(none)))
    with pytest.raises(Unavailable):
        asyncio.run(platform.check(on_its_way(youtube(channels=httpx.Response(200, json={"kind": "x"})))))


@pytest.mark.parametrize("category", ["politik", "2 9", "-1", 1.5])
def test_a_category_is_a_number(category: object) -> None:
    """As YAML reads it, or as text; anything else is told before YouTube refuses it."""
    assert platform.Settings.model_validate({"token": "env:T", "category": 29}).category == "29"  # type: ignore[attr-defined]
    with pytest.raises(ValidationError, match="category on YouTube"):
        platform.Settings.model_validate({"token": "env:T", "category": category})


def test_what_machines_made_and_what_is_paid_for_is_labelled() -> None:
    """In YouTube's own properties; the part of the paid promotion is named only where there is one."""
    both, none = (youtube(begun(), arrived(FIRST), done()) for _video in range(2))
    asyncio.run(platform.publish(on_its_way(both, native={"ai_generated": True, "promotes": "paid"})))
    asyncio.run(platform.publish(on_its_way(none, native={"ai_generated": False, "promotes": "own"})))
    said, plain = (json_of(network.requests[0]) for network in (both, none))
    assert said["status"]["containsSyntheticMedia"] is True
    assert said["paidProductPlacementDetails"] == {"hasPaidProductPlacement": True}
    assert both.requests[0].url.params["part"] == "snippet,status,paidProductPlacementDetails"
    assert set(plain) == {"snippet", "status"}
    assert "containsSyntheticMedia" not in plain["status"]


def test_a_video_takes_one_of_the_day_s_uploads() -> None:
    """YouTube counts uploads apart from its other quota."""
    (use,) = platform.uses(on_its_way(youtube()).draft)
    assert (use.what, use.amount, use.limit, use.period) == ("uploads", Decimal(1), Decimal(100), timedelta(days=1))
    assert use.zone == "America/Los_Angeles"


def test_signing_in_asks_google_for_a_token_that_is_renewed() -> None:
    """Google gives a refresh token only offline and with consent, and one scope covers all that is asked."""
    oauth = platform.oauth
    assert oauth is not None
    assert oauth.extra == {"access_type": "offline", "prompt": "consent"}
    assert (oauth.pkce, oauth.renewal, oauth.lifetime) == (True, "refresh", timedelta(hours=1))
    assert oauth.scopes == ("https://www.googleapis.com/auth/youtube.force-ssl",)


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({"channel": "@FSP_Contoh"}, "www.googleapis.com/@fsp_contoh"),
        ({"channel": CHANNEL}, f"www.googleapis.com/{CHANNEL}"),
        ({}, "www.googleapis.com/env:YOUTUBE_TOKEN"),
    ],
)
def test_spellings_of_one_account_are_one_address(settings: dict[str, str], address: str) -> None:
    """The channel tells the account; without one, its token does."""
    account = Account(name="a", platform="youtube", settings={"token": "env:YOUTUBE_TOKEN", **settings})
    assert platform.address(account) == address


@pytest.mark.parametrize("channel", ["fsp_contoh", "@a", "https://youtube.com/@fsp", "UC123"])
def test_a_name_that_no_channel_has_is_refused(channel: str) -> None:
    """With the form that is wanted."""
    with pytest.raises(ValidationError, match="not the name of a channel"):
        platform.Settings.model_validate({"token": "env:T", "channel": channel})


def test_text_is_measured_in_bytes() -> None:
    """As YouTube limits a description."""
    (count,) = platform.measure("é👩", platform.limits, media=1)
    assert (count.used, count.limit, count.unit) == (6, 5_000, "bytes")


def test_a_preview_shows_every_piece_without_a_network() -> None:
    """Over a recording transport the same code gives the requests, with placeholders for what only YouTube knows."""
    recorder = RecordingTransport()
    receipt = asyncio.run(platform.publish(on_its_way(recorder, content=(Part(text="Satu", media=(video(),)),))))
    assert [request.method for request in recorder.requests] == ["POST", "PUT", "PUT"]
    assert [request.creating for request in recorder.requests] == [False, False, True]
    assert "{upload_id}" in recorder.requests[1].url
    assert receipt.url == "https://www.youtube.com/watch?v={video_id}"
