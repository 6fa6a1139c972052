"""The TikTok adapter: what it refuses, how it reads refusals, reading back, permalinks, and its account."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from platform_helpers import NOW, failure_of, parts, picture, video
from pydantic import ValidationError
from tiktok_helpers import (
    INFO,
    POST,
    PUBLISH_ID,
    SETTINGS,
    TOKEN,
    creator,
    good,
    on_its_way,
    out,
    refused,
    state,
    tiktok,
)

from campaign_cli.errors import Rejected, Unauthorized, Unavailable
from campaign_cli.models import Account, Part, Receipt
from campaign_cli.platforms.http import RecordingTransport
from campaign_cli.platforms.tiktok import platform

OUT = Receipt(part=0, id=POST, url=None, at=NOW)
PICTURE = picture(b"1", name="satu.jpg", mime="image/jpeg")


def film(text: str = "Aksi", **more: Any) -> tuple[Part, ...]:
    """A text with a video."""
    return (Part(text=text, media=(video(**more),)),)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"content": parts("Tanpa media")}, "one video, or one to 35 pictures"),
    ({"content": parts("Dua", media=[video(), video(b"2")])}, "one video, or one to 35 pictures"),
    ({"content": parts("Campur", media=[video(), PICTURE])}, "one video, or one to 35 pictures"),
    ({"content": film("a" * 2199 + "👩")}, "too long"),
    ({"content": parts("a" * 4001, media=[PICTURE])}, "too long"),
    ({"content": parts("a", media=[PICTURE]), "native": {"title": "a" * 89 + "👩"}}, "too long"),
    ({"content": film(), "native": {"title": "Judul"}}, "no title"),
]


@pytest.mark.parametrize(("draft", "words"), BAD)
def test_what_tiktok_would_refuse_is_refused_before_it_leaves(draft: dict[str, Any], words: str) -> None:
    """Nothing is asked, and the message says what to write."""
    network = tiktok()
    failure = asyncio.run(failure_of(platform.publish(on_its_way(network, **draft))))
    assert isinstance(failure, Rejected)
    assert words in failure.message
    assert failure.fix
    assert network.requests == []


def test_what_the_account_does_not_allow_is_refused_before_the_upload() -> None:
    """A visibility that TikTok doesn't offer it now, and a video that is too long for it."""
    failure = asyncio.run(failure_of(platform.publish(on_its_way(tiktok(), visibility="followers"))))
    assert (type(failure), failure.code) == (Rejected, "privacy_level_option_mismatch")
    assert "public, friends, private" in failure.fix
    long = on_its_way(tiktok(max_video_post_duration_sec=30))
    assert "31.5 seconds" in asyncio.run(failure_of(platform.publish(long))).message


REFUSALS: list[tuple[int, str, type[Exception]]] = [
    (400, "invalid_param", Rejected),
    (401, "access_token_invalid", Unauthorized),
    (401, "scope_not_authorized", Unauthorized),
    (401, "scope_permission_missed", Unauthorized),
    (403, "spam_risk_too_many_posts", Unavailable),
    (403, "spam_risk_too_many_pending_share", Unavailable),
    (403, "reached_active_user_cap", Unavailable),
    (403, "spam_risk_user_banned_from_posting", Rejected),
    (403, "unaudited_client_can_only_post_to_private_accounts", Rejected),
    (403, "url_ownership_unverified", Rejected),
    (403, "privacy_level_option_mismatch", Rejected),
    (403, "spam_risk_text", Rejected),
    (429, "rate_limit_exceeded", Unavailable),
    (500, "internal_error", Unavailable),
    (503, "", Unavailable),
    (200, "spam_risk_too_many_posts", Unavailable),
    (200, "spam_risk_user_banned_from_posting", Rejected),
    (200, "internal", Unavailable),
]


@pytest.mark.parametrize(("status", "code", "kind"), REFUSALS)
def test_refusals_are_read_by_their_code(status: int, code: str, kind: type[Exception]) -> None:
    """Also in a 200: TikTok answers so where an account may not post."""
    network = tiktok(refused(status, code))
    failure = asyncio.run(failure_of(platform.publish(on_its_way(network))))
    assert type(failure) is kind
    if 0 < status < 500 and code != "internal":
        assert failure.code == code
        assert "Katanya begini" in failure.message
        assert failure.fix or kind is Unavailable or code == "invalid_param"


def test_used_up_limits_name_their_end() -> None:
    """A day for the day's posts; a minute for requests, where TikTok names nothing else."""
    for reply, wait in (
        (refused(403, "spam_risk_too_many_posts"), timedelta(days=1)),
        (refused(429, "rate_limit_exceeded"), timedelta(minutes=1)),
        (refused(429, "rate_limit_exceeded", retry_after="7"), timedelta(seconds=7)),
    ):
        failure = asyncio.run(failure_of(platform.publish(on_its_way(tiktok(reply)))))
        assert failure.retry_at == NOW + wait


@pytest.mark.parametrize("body", [good(), good(publish_id="1"), refused(200, ""), state()])
def test_half_an_answer_begins_nothing(body: Any) -> None:
    """Without a number and an address there is no upload; it is tried again."""
    assert type(asyncio.run(failure_of(platform.publish(on_its_way(tiktok(body)))))) is Unavailable


def shown(**more: Any) -> Any:
    """An own post."""
    item = {
        "id": POST,
        "create_time": int(NOW.timestamp()),
        "video_description": "Upah layak adalah hak.",
        "share_url": f"https://www.tiktok.com/@fsp.contoh/video/{POST}?x=1",
        **more,
    }
    return good(videos=[item])


def test_a_post_reads_back_with_its_numbers() -> None:
    """By its own number, else by the one that it had from the beginning; one that nobody sees can't be read."""
    numbers = {"view_count": 1204, "like_count": 37, "comment_count": 2, "share_count": 0}
    remote = asyncio.run(platform.read_back(on_its_way(tiktok(shown(**numbers))), OUT))
    assert remote is not None
    assert (remote.text, remote.created_at) == ("Upah layak adalah hak.", NOW.replace(microsecond=0))
    assert remote.metrics == {"views": 1204, "likes": 37, "comments": 2, "shares": 0}
    early = Receipt(part=0, id=PUBLISH_ID, url=None, at=NOW)
    later = asyncio.run(platform.read_back(on_its_way(tiktok(out(), shown())), early))
    assert later is not None
    assert later.id == PUBLISH_ID
    for replies in ([state()], [refused(400, "invalid_publish_id")], [out(), good(videos=[])]):
        assert asyncio.run(platform.read_back(on_its_way(tiktok(*replies)), early)) is None


@pytest.mark.parametrize(
    "url",
    [
        f"https://www.tiktok.com/@fsp.contoh/video/{POST}",
        f" tiktok.com/@fsp.contoh/video/{POST}/?is_from_webapp=1 ",
        f"https://m.tiktok.com/@FSP.Contoh/photo/{POST}",
    ],
)
def test_a_permalink_names_the_post(url: str) -> None:
    """TikTok is asked whether it is the account's own."""
    receipt = asyncio.run(platform.find(on_its_way(tiktok(shown())), url))
    assert receipt is not None
    assert (receipt.id, receipt.part) == (POST, 0)
    assert receipt.url is not None
    assert receipt.url.endswith(f"/{'photo' if 'photo' in url else 'video'}/{POST}")


def test_other_addresses_name_no_post() -> None:
    """What is no address of a post is not asked for; another account's post is not shown to this token."""
    network = tiktok()
    for url in ("https://vm.tiktok.com/ZM123/", f"https://tiktok.com.example/@a/video/{POST}", POST):
        assert asyncio.run(platform.find(on_its_way(network), url)) is None
    assert network.requests == []
    link = f"https://www.tiktok.com/@lain/video/{POST}"
    assert asyncio.run(platform.find(on_its_way(tiktok(good(videos=[]))), link)) is None


def test_without_the_right_to_read_the_address_must_do() -> None:
    """A token without video.list: the account's name in the address tells whose post it is."""
    for name, found in (("fsp.contoh", True), ("lain", False)):
        network = tiktok(refused(401, "scope_not_authorized"))
        receipt = asyncio.run(platform.find(on_its_way(network), f"https://www.tiktok.com/@{name}/video/{POST}"))
        assert (receipt is not None) is found


def test_deleting_is_left_to_a_person() -> None:
    """TikTok has no way for programs; nothing is asked."""
    network = tiktok()
    failure = asyncio.run(failure_of(platform.delete(on_its_way(network), OUT)))
    assert isinstance(failure, Rejected)
    assert "by hand" in failure.fix
    assert network.requests == []


def test_check_says_who_posts_and_who_sees_it() -> None:
    """The name of accounts.yaml must be the token's; that an app without an audit posts privately is always said."""
    found = asyncio.run(platform.check(on_its_way(tiktok())))
    assert (found.identity, found.handle) == ("fsp.contoh", "@fsp.contoh")
    assert found.limits is not None
    assert (found.limits.video_seconds, found.limits.source) == (300, "instance")
    notes = " ".join(found.notes)
    for word in ("audited", "visibility: private", "public, friends, private", "300 seconds", "15 posts"):
        assert word in notes
    with pytest.raises(Rejected, match="@fsp"):
        asyncio.run(platform.check(on_its_way(tiktok(), settings=SETTINGS | {"handle": "lain"})))
    banned = tiktok()
    banned.routes[f"POST {INFO}"] = refused(200, "spam_risk_user_banned_from_posting")
    with pytest.raises(Rejected, match="user_banned_from_posting"):
        asyncio.run(platform.check(on_its_way(banned)))


def test_a_private_account_offers_its_followers() -> None:
    """What TikTok offers at the moment is what the check shows."""
    network = tiktok(privacy_level_options=["FOLLOWER_OF_CREATOR", "SELF_ONLY"])
    assert "followers, private" in " ".join(asyncio.run(platform.check(on_its_way(network))).notes)


def test_a_post_takes_one_of_the_day_s() -> None:
    """TikTok counts them for each account."""
    (use,) = platform.uses(on_its_way(tiktok()).draft)
    assert (use.what, use.amount, use.limit, use.period) == ("posts", Decimal(1), Decimal(15), timedelta(days=1))


def test_signing_in_is_tiktok_s_own_kind() -> None:
    """The application's id has another name, scopes are separated by commas, a token lives for a day."""
    oauth = platform.oauth
    assert oauth is not None
    assert (oauth.client_name, oauth.separator, oauth.lifetime) == ("client_key", ",", timedelta(hours=24))
    assert (oauth.pkce, oauth.renewal) == (True, "refresh")
    assert set(oauth.scopes) == {"user.info.basic", "video.publish", "video.list"}


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({"handle": "@FSP.Contoh"}, "open.tiktokapis.com/@fsp.contoh"),
        ({"handle": "fsp.contoh"}, "open.tiktokapis.com/@fsp.contoh"),
        ({}, "open.tiktokapis.com/env:TIKTOK_TOKEN"),
    ],
)
def test_spellings_of_one_account_are_one_address(settings: dict[str, str], address: str) -> None:
    """The handle tells the account; without one, its token does."""
    account = Account(name="a", platform="tiktok", settings={"token": "env:TIKTOK_TOKEN", **settings})
    assert platform.address(account) == address


@pytest.mark.parametrize("handle", ["serikat pekerja", "a", "a" * 25, "https://tiktok.com/@fsp"])
def test_a_name_that_tiktok_can_not_have_is_refused(handle: str) -> None:
    """With the form that is wanted."""
    with pytest.raises(ValidationError, match="not the name of an account"):
        platform.Settings.model_validate({"token": "env:T", "handle": handle})


def test_text_is_measured_in_utf16() -> None:
    """An emoji counts as many units as it has."""
    (count,) = platform.measure("Aksi 👩", platform.limits, media=1)
    assert (count.used, count.limit, count.unit) == (7, 2_200, "utf16")


def test_a_preview_shows_the_requests_without_a_network() -> None:
    """Over a recording transport the same code gives the requests, with placeholders for what only TikTok knows."""
    recorder = RecordingTransport()
    receipt = asyncio.run(platform.publish(on_its_way(recorder)))
    assert [request.creating for request in recorder.requests] == [False, False, True, False]
    assert "{upload_token}" in recorder.requests[2].url
    assert receipt.url == "https://www.tiktok.com/@{username}/video/{post_id}"
    assert TOKEN not in recorder.requests[2].headers.values()


def test_the_creator_s_answer_must_be_whole() -> None:
    """An answer without what is allowed allows nothing."""
    network = tiktok()
    network.routes[f"POST {INFO}"] = good(creator_username="fsp.contoh")
    assert type(asyncio.run(failure_of(platform.publish(on_its_way(network))))) is Unavailable
    network.routes[f"POST {INFO}"] = creator()
    assert asyncio.run(platform.check(on_its_way(network))).handle == "@fsp.contoh"
