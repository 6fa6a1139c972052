"""Posts on TikTok: videos in pieces, pictures that are fetched, and what TikTok makes of them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from platform_helpers import NOW, VIDEO, Clock, Network, failure_of, json_of, parts, picture, video
from tiktok_helpers import (
    INFO,
    INIT,
    PHOTO,
    POST,
    PUBLISH_ID,
    SECRET,
    SETTINGS,
    STATUS,
    UPLOAD,
    begun,
    good,
    on_its_way,
    out,
    piece,
    refused,
    state,
    tiktok,
)

from campaign_cli.errors import Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.models import Part
from campaign_cli.platforms.tiktok import platform
from campaign_cli.platforms.tiktok_post import CHUNK, piece_ends

KEPT = {
    "id": PUBLISH_ID,
    "url": UPLOAD,
    "user": "fsp.contoh",
    "level": "PUBLIC_TO_EVERYONE",
    "until": (NOW + timedelta(hours=1)).isoformat(),
}
LONG = b"\1" * (2 * CHUNK + 1000)
SINCE = NOW - timedelta(minutes=2)
PICTURES = (picture(b"1", name="satu.jpg", mime="image/jpeg"), picture(b"2", name="dua.jpg", mime="image/jpeg"))
ADDRESSES = {"satu.jpg": "https://serikat.example/1.jpg", "dua.jpg": "https://serikat.example/2.jpg"}


def paths(network: Network) -> list[str]:
    """What was asked, without who posts."""
    return [f"{one.method} {one.url.path}" for one in network.requests if one.url.path != INFO]


def test_a_video_is_begun_sent_and_followed_until_it_is_out() -> None:
    """Who posts decides what is allowed; the number is on disk before the first byte; the address is the post's own."""
    network, steps = tiktok(begun(), piece(), state("PROCESSING_UPLOAD", uploaded_bytes=len(VIDEO)), out()), {}
    told: list[tuple[int, int]] = []
    item = on_its_way(network, steps=steps)
    item.uploaded = lambda count, total: told.append((count, total))
    receipt = asyncio.run(platform.publish(item))
    assert [one.url.path for one in network.requests[:2]] == [INFO, INIT]
    assert json_of(network.requests[1]) == {
        "post_info": {
            "title": "Upah layak adalah hak.",
            "privacy_level": "PUBLIC_TO_EVERYONE",
            "disable_comment": False,
            "disable_duet": False,
            "disable_stitch": True,
            "brand_content_toggle": False,
            "brand_organic_toggle": False,
        },
        "source_info": {
            "source": "FILE_UPLOAD",
            "video_size": len(VIDEO),
            "chunk_size": len(VIDEO),
            "total_chunk_count": 1,
        },
    }
    put = network.requests[2]
    assert (put.url, put.content) == (httpx.URL(UPLOAD), VIDEO)
    assert put.headers["content-range"] == f"bytes 0-{len(VIDEO) - 1}/{len(VIDEO)}"
    assert told == [(0, len(VIDEO)), (len(VIDEO), len(VIDEO))]
    assert (receipt.id, receipt.url) == (POST, f"https://www.tiktok.com/@fsp.contoh/video/{POST}")
    assert receipt.extra == {"publish_id": PUBLISH_ID}
    assert steps["post"] == KEPT


@pytest.mark.parametrize(
    ("total", "ends"),
    [
        (1, [1]),
        (CHUNK - 1, [CHUNK - 1]),
        (2 * CHUNK - 1, [2 * CHUNK - 1]),
        (2 * CHUNK, [CHUNK, 2 * CHUNK]),
        (3 * CHUNK + 123, [CHUNK, 2 * CHUNK, 3 * CHUNK + 123]),
    ],
)
def test_the_last_piece_takes_what_is_left_over(total: int, ends: list[int]) -> None:
    """The number of pieces is the size divided by a piece's, rounded down, as TikTok wants it."""
    assert list(piece_ends(total)) == ends


def test_a_long_video_goes_out_in_pieces_and_resumes() -> None:
    """TikTok says how much it has; the rest alone is sent, and every byte once."""
    content, steps = (Part(text="Aksi", media=(video(LONG),)),), {}
    first = tiktok(begun(), piece(206), refused(502, "internal_error"))
    failure = asyncio.run(failure_of(platform.publish(on_its_way(first, content=content, steps=steps))))
    assert type(failure) is Unconfirmed  # it was the last piece
    again = tiktok(state("PROCESSING_UPLOAD", uploaded_bytes=CHUNK), piece(), out())
    asyncio.run(platform.publish(on_its_way(again, content=content, steps=steps)))
    assert paths(again) == [f"POST {STATUS}", "PUT /video/", f"POST {STATUS}"]
    put = again.requests[1]
    assert put.headers["content-range"] == f"bytes {CHUNK}-{len(LONG) - 1}/{len(LONG)}"
    assert put.content == LONG[CHUNK:]
    source = json_of(first.requests[1])["source_info"]
    assert (source["chunk_size"], source["total_chunk_count"]) == (CHUNK, 2)


def test_a_lost_piece_before_the_last_is_simply_tried_again() -> None:
    """Without its last byte nothing can be posted."""
    content = (Part(text="Aksi", media=(video(LONG),)),)
    network = tiktok(begun(), httpx.ReadError("reset"))
    assert type(asyncio.run(failure_of(platform.publish(on_its_way(network, content=content))))) is Unavailable


@pytest.mark.parametrize(
    ("known", "clock"),
    [
        (state("PROCESSING_UPLOAD", uploaded_bytes=77), Clock()),  # not at the end of a piece
        (state("PROCESSING_UPLOAD", uploaded_bytes=0), Clock(NOW + timedelta(minutes=56))),  # an old address
        (refused(400, "invalid_publish_id"), Clock()),
    ],
)
def test_an_upload_that_can_not_go_on_begins_anew(known: Any, clock: Clock) -> None:
    """With another number; the old one never gets its last byte."""
    steps: dict[str, Any] = {"post": KEPT}
    network = tiktok(known, begun("v_pub_file~v2-1.2"), piece(), out())
    receipt = asyncio.run(platform.publish(on_its_way(network, steps=steps, clock=clock)))
    assert receipt.extra == {"publish_id": "v_pub_file~v2-1.2"}
    assert steps["post"]["id"] == "v_pub_file~v2-1.2"


def test_a_finished_upload_is_not_sent_again() -> None:
    """Also where TikTok still works on it, or doesn't say how much it has."""
    for known in (out(), state("PROCESSING_UPLOAD", uploaded_bytes=len(VIDEO)), state("PROCESSING_UPLOAD")):
        network = tiktok(known, out(), out())
        asyncio.run(platform.publish(on_its_way(network, steps={"post": KEPT})))
        assert set(paths(network)) == {f"POST {STATUS}"}


def test_a_piece_that_does_not_fit_is_asked_about() -> None:
    """TikTok has other bytes than we know of, perhaps all: that is in doubt, and the upload is kept."""
    steps: dict[str, Any] = {}
    failure = asyncio.run(failure_of(platform.publish(on_its_way(tiktok(begun(), piece(416)), steps=steps))))
    assert type(failure) is Unconfirmed
    assert steps["post"]["id"] == PUBLISH_ID


def test_a_refused_piece_ends_its_upload() -> None:
    """An address that is over: a person's retry begins anew."""
    for status in (400, 403, 404):
        steps: dict[str, Any] = {}
        failure = asyncio.run(failure_of(platform.publish(on_its_way(tiktok(begun(), piece(status)), steps=steps))))
        assert type(failure) is Rejected
        assert steps["post"] is None


def test_what_opens_the_upload_is_in_no_message() -> None:
    """Neither its address nor its token, also where a proxy repeats the request."""
    for reply in (httpx.Response(502, text=f"<p>{UPLOAD}</p>"), httpx.Response(400, text=SECRET)):
        failure = asyncio.run(failure_of(platform.publish(on_its_way(tiktok(begun(), reply)))))
        assert SECRET not in f"{failure} {failure.message} {failure.fix}"


def test_pictures_are_named_and_fetched() -> None:
    """Their public addresses go out in order, the text below them, a title of their own above it."""
    network = tiktok(good(publish_id="p_pub_url~v2.1"), out())
    content = parts("Foto aksi #UpahLayak", media=PICTURES)
    item = on_its_way(network, content=content, native={"title": "Aksi"}, addresses=ADDRESSES, visibility="friends")
    receipt = asyncio.run(platform.publish(item))
    assert paths(network)[0] == f"POST {PHOTO}"
    assert json_of(network.requests[1]) == {
        "media_type": "PHOTO",
        "post_mode": "DIRECT_POST",
        "post_info": {
            "title": "Aksi",
            "description": "Foto aksi #UpahLayak",
            "privacy_level": "MUTUAL_FOLLOW_FRIENDS",
            "disable_comment": False,
            "auto_add_music": False,
            "brand_content_toggle": False,
            "brand_organic_toggle": False,
        },
        "source_info": {
            "source": "PULL_FROM_URL",
            "photo_images": ["https://serikat.example/1.jpg", "https://serikat.example/2.jpg"],
            "photo_cover_index": 0,
        },
    }
    assert receipt.url == f"https://www.tiktok.com/@fsp.contoh/photo/{POST}"


def test_pictures_without_a_public_address_are_refused() -> None:
    """The account names no media_host, and that is said before anything leaves."""
    network = tiktok()
    failure = asyncio.run(failure_of(platform.publish(on_its_way(network, content=parts("x", media=PICTURES)))))
    assert isinstance(failure, Rejected)
    assert "media_host" in failure.fix + failure.message
    assert paths(network) == []


def test_a_lost_answer_to_pictures_is_for_a_person() -> None:
    """Without its number nobody can ask for the post; with it, TikTok is asked and nothing is sent again."""
    steps: dict[str, Any] = {}
    more: dict[str, Any] = {"content": parts("x", media=PICTURES), "addresses": ADDRESSES, "steps": steps}
    failure = asyncio.run(failure_of(platform.publish(on_its_way(tiktok(httpx.ReadError("reset")), **more))))
    assert type(failure) is Unconfirmed
    found = asyncio.run(platform.look_up(on_its_way(tiktok(), **more), SINCE))
    assert (found.found, found.complete, found.answerable) == ((), False, False)
    steps["post"] = KEPT
    network = tiktok(out(), out())
    asyncio.run(platform.publish(on_its_way(network, **more)))
    assert set(paths(network)) == {f"POST {STATUS}"}


FAILS: list[tuple[str, type[Exception]]] = [
    ("file_format_check_failed", Rejected),
    ("duration_check_failed", Rejected),
    ("frame_rate_check_failed", Rejected),
    ("picture_size_check_failed", Rejected),
    ("spam_risk_text", Rejected),
    ("spam_risk", Rejected),
    ("spam_risk_user_banned_from_posting", Rejected),
    ("publish_cancelled", Rejected),
    ("auth_removed", Unauthorized),
    ("internal", Unavailable),
    ("video_pull_failed", Unavailable),
    ("photo_pull_failed", Unavailable),
    ("spam_risk_too_many_posts", Unavailable),
]


@pytest.mark.parametrize(("reason", "kind"), FAILS)
def test_a_post_that_failed_says_why(reason: str, kind: type[Exception]) -> None:
    """It is not out: it is tried again where that can help, and begins anew."""
    steps: dict[str, Any] = {}
    network = tiktok(begun(), piece(), state("FAILED", fail_reason=reason))
    failure = asyncio.run(failure_of(platform.publish(on_its_way(network, steps=steps))))
    assert type(failure) is kind
    assert reason in failure.message
    assert failure.code == reason
    assert failure.fix or kind is Unavailable or reason == "publish_cancelled"
    assert steps["post"] is None


def test_a_post_that_tiktok_still_works_on_is_in_doubt() -> None:
    """It is waited for a while, and then looked up: neither sent again nor taken for published."""
    clock, busy = Clock(), state("PROCESSING_UPLOAD", uploaded_bytes=len(VIDEO))
    network = tiktok(begun(), piece(), *[busy] * 6)
    failure = asyncio.run(failure_of(platform.publish(on_its_way(network, clock=clock))))
    assert type(failure) is Unconfirmed
    assert sum(clock.slept) == 35


def test_a_moderated_post_is_out_without_an_address() -> None:
    """TikTok names a public post only after moderation: the number that it had from the beginning is the receipt."""
    network = tiktok(begun(), piece(), *[state(publicaly_available_post_id=[])] * 6)
    receipt = asyncio.run(platform.publish(on_its_way(network)))
    assert (receipt.id, receipt.url) == (PUBLISH_ID, None)


def test_a_private_post_is_not_waited_for() -> None:
    """It never gets a number that everybody can see."""
    clock, network = Clock(), tiktok(begun(), piece(), state())
    receipt = asyncio.run(platform.publish(on_its_way(network, visibility="private", clock=clock)))
    assert (receipt.id, receipt.url, clock.slept) == (PUBLISH_ID, None, [])


def test_a_question_that_fails_takes_nothing_back() -> None:
    """Every byte is there: whatever goes wrong then leaves it in doubt, with TikTok's own wish for a pause."""
    for reply in (refused(503, "internal_error"), refused(401, "access_token_invalid"), httpx.ReadError("reset")):
        failure = asyncio.run(failure_of(platform.publish(on_its_way(tiktok(begun(), piece(), reply)))))
        assert type(failure) is Unconfirmed
    network = tiktok(begun(), piece(), refused(429, "rate_limit_exceeded", retry_after="90"))
    failure = asyncio.run(failure_of(platform.publish(on_its_way(network))))
    assert (type(failure), failure.retry_at) == (Unconfirmed, NOW + timedelta(seconds=90))


@pytest.mark.parametrize(
    ("known", "found", "complete"),
    [
        ([out()], 1, True),
        ([state("FAILED", fail_reason="internal")], 0, True),
        ([state("PROCESSING_UPLOAD", uploaded_bytes=0)], 0, True),
        ([state("PROCESSING_UPLOAD", uploaded_bytes=len(VIDEO))] * 6, 0, False),
        ([state("PROCESSING_UPLOAD")] * 6, 0, False),
        ([state("PROCESSING_UPLOAD", uploaded_bytes=len(VIDEO)), out()], 1, True),
    ],
)
def test_the_number_proves_what_became_of_the_post(known: list[Any], found: int, complete: bool) -> None:
    """Out, failed, without its last byte, or not decided: what TikTok says counts, whatever the clocks say."""
    looked = asyncio.run(platform.look_up(on_its_way(tiktok(*known), steps={"post": KEPT}), SINCE))
    assert (len(looked.found), looked.complete, looked.answerable) == (found, complete, True)
    assert all(one.created_at is None for one in looked.found)


def test_a_number_that_tiktok_does_not_know_proves_nothing() -> None:
    """A person decides."""
    network = tiktok(refused(400, "invalid_publish_id"))
    looked = asyncio.run(platform.look_up(on_its_way(network, steps={"post": KEPT}), SINCE))
    assert (looked.found, looked.complete, looked.answerable) == ((), False, False)


def test_what_the_account_promotes_and_allows_is_declared() -> None:
    """As accounts.yaml says, and never more than the account itself allows."""
    settings = SETTINGS | {"promotes": "own", "comments": False, "stitches": True, "ai_generated": True}
    network = tiktok(begun(), piece(), out(), duet_disabled=True)
    asyncio.run(platform.publish(on_its_way(network, settings=settings)))
    info = json_of(network.requests[1])["post_info"]
    flags = {name: info[name] for name in info if name not in ("title", "privacy_level")}
    assert flags == {
        "disable_comment": True,
        "disable_duet": True,
        "disable_stitch": True,
        "brand_content_toggle": False,
        "brand_organic_toggle": True,
        "is_aigc": True,
    }


@pytest.mark.parametrize(
    ("native", "settings", "said"),
    [
        ({"ai_generated": True, "promotes": "own"}, {}, (True, False, True)),
        ({"promotes": "paid"}, {"promotes": "own", "ai_generated": True}, (True, True, False)),
        ({"ai_generated": False, "promotes": "none"}, {"promotes": "paid", "ai_generated": True}, (None, False, False)),
        ({}, {"promotes": "own", "ai_generated": True}, (True, False, True)),
    ],
)
def test_a_post_s_own_labels_come_before_the_accounts(native: Any, settings: Any, said: Any) -> None:
    """Made by machines, paid for by others, for the own cause: each as the post says, else as the account does."""
    network = tiktok(begun(), piece(), out())
    asyncio.run(platform.publish(on_its_way(network, native=native, settings=SETTINGS | settings)))
    info = json_of(network.requests[1])["post_info"]
    assert (info.get("is_aigc"), info["brand_content_toggle"], info["brand_organic_toggle"]) == said


def test_pictures_carry_the_label_of_an_advertisement() -> None:
    """As videos do; of pictures it can't be said that machines made them: that is refused before it goes."""
    network = tiktok(good(publish_id=PUBLISH_ID), out())
    item = on_its_way(network, content=parts("Foto", media=PICTURES), addresses=ADDRESSES, native={"promotes": "paid"})
    asyncio.run(platform.publish(item))
    info = json_of(network.requests[1])["post_info"]
    assert (info["brand_content_toggle"], info["brand_organic_toggle"]) == (True, False)
    made = on_its_way(tiktok(), content=parts("Foto", media=PICTURES), native={"ai_generated": True})
    assert [one.code for one in platform.objections(made.draft)] == ["ai_generated"]


def test_a_paid_promotion_is_not_private() -> None:
    """TikTok's own rule, said before anything leaves."""
    item = on_its_way(tiktok(), native={"promotes": "paid"}, visibility="private")
    assert [one.code for one in platform.objections(item.draft)] == ["promotes"]
    assert list(platform.objections(on_its_way(tiktok(), native={"promotes": "own"}, visibility="private").draft)) == []
