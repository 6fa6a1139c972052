"""The Threads adapter: containers of text and media, chains of replies, links, topics, look-up, refusals."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from container_helpers import (
    CONTAINER,
    FILE,
    POSTED,
    form_of,
    listed,
    on_its_way,
    photo,
    refusal,
    row,
    scripted,
    threads_check,
    video,
)
from platform_helpers import NOW, answer, failure_of
from pydantic import ValidationError

from campaign_cli.errors import Failure, Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.models import Account, Draft, Part, Receipt
from campaign_cli.platforms.threads import platform
from campaign_cli.report.requests import requests_of

TEXT = "Upah layak adalah hak."
LINK = "https://www.threads.net/@fsp.contoh/post/Contoh_1-a"
FIRST = "17900000000000001"
RECEIPT = Receipt(part=0, id=POSTED, url=LINK, at=NOW)
EARLIER = (Receipt(part=0, id=FIRST, url=LINK, at=NOW),)
ITEMS = tuple(f"1800000000000001{number}" for number in range(2))
SCOPES = ("threads_basic", "threads_content_publish", "threads_delete", "threads_manage_insights")
QUOTA = answer(200, {"data": [{"quota_usage": 7, "config": {"quota_total": 250, "quota_duration": 86400}}]})


def status(code: str, reason: str = "") -> Any:
    return answer(200, {"id": CONTAINER, "status": code} | ({"error_message": reason} if reason else {}))


def network(**routes: Any) -> Any:
    """Answers by route, ``_`` for the space; every request is held against Meta's pages."""
    known: dict[str, Any] = {
        "GET /me": answer(200, {"id": "24000000000000001", "username": "fsp.contoh"}),
        "POST /me/threads": answer(200, {"id": CONTAINER}),
        f"GET /{CONTAINER}": status("FINISHED"),
        "POST /me/threads_publish": answer(200, {"id": POSTED}),
        f"GET /{POSTED}": answer(200, {"id": POSTED, "permalink": LINK}),
        "GET /me/threads_publishing_limit": QUOTA,
        **{route.replace("_", " ", 1): reply for route, reply in routes.items()},
    }
    return scripted(threads_check, known)


def item_of(through: Any, *texts: str, media: tuple[Any, ...] = (), **more: Any) -> Any:
    parts = tuple(Part(text=text, media=media if not number else ()) for number, text in enumerate(texts or (TEXT,)))
    return on_its_way("threads", through, content=parts, **more)


def sent(through: Any, path: str = "/me/threads") -> list[dict[str, str]]:
    return [form_of(request) for request in through.sent("POST", f"/v1.0{path}")]


def refused(through: Any, **more: Any) -> Failure:
    return asyncio.run(failure_of(platform.publish(item_of(through, **more))))


def test_a_text_is_published_once_it_is_finished() -> None:
    """In two steps, so that a lost answer can be settled; the container's number is kept."""
    through = network(**{f"GET_/{CONTAINER}": [status("IN_PROGRESS"), status("FINISHED")]})
    item = item_of(through)
    receipt = asyncio.run(platform.publish(item))
    assert sent(through) == [{"media_type": "TEXT", "text": TEXT}]
    assert sent(through, "/me/threads_publish") == [{"creation_id": CONTAINER}]
    assert (receipt.id, receipt.url, item.steps) == (POSTED, LINK, {"container": CONTAINER})


def test_a_later_part_answers_the_one_before() -> None:
    """By its number; link and topic stand at the first."""
    through = network()
    item = item_of(
        through, "satu", "dua", "tiga", part=1, earlier=EARLIER, link="https://a.example", native={"tags": ["upah"]}
    )
    asyncio.run(platform.publish(item))
    assert sent(through) == [{"media_type": "TEXT", "text": "dua", "reply_to_id": FIRST}]


def test_a_link_is_attached_and_the_first_tag_is_the_topic() -> None:
    """A topic may have spaces; there is one."""
    through = network()
    item = item_of(through, link="https://serikat.example/upah", native={"tags": ["Upah Layak", "Buruh"]})
    asyncio.run(platform.publish(item))
    (form,) = sent(through)
    assert (form["link_attachment"], form["topic_tag"]) == ("https://serikat.example/upah", "Upah Layak")


@pytest.mark.parametrize("topic", ["a.b", "a&b", "x" * 51, ""])
def test_a_topic_that_threads_does_not_take_is_refused(topic: str) -> None:
    """Before anything leaves."""
    through = network()
    assert isinstance(refused(through, native={"tags": [topic]}), Rejected)
    assert through.requests == []


def test_a_picture_and_a_video_carry_their_alt_texts() -> None:
    """Alone or in a carousel, whose items are finished before it names them."""
    for medium, kind, field in ((photo(alt="Massa"), "IMAGE", "image_url"), (video(alt="Aksi"), "VIDEO", "video_url")):
        through = network()
        asyncio.run(platform.publish(item_of(through, media=(medium,))))
        address = FILE.replace("poster.jpg", medium.name)
        assert sent(through) == [{"media_type": kind, field: address, "alt_text": medium.alt, "text": TEXT}]
    answers = [answer(200, {"id": identifier}) for identifier in (*ITEMS, CONTAINER)]
    through = network(**{"POST_/me/threads": answers}, **{f"GET_/{each}": status("FINISHED") for each in ITEMS})
    item = item_of(through, media=(photo(), video()))
    asyncio.run(platform.publish(item))
    first, second, whole = sent(through)
    assert (first["is_carousel_item"], second["is_carousel_item"]) == ("true", "true")
    assert "text" not in first
    assert whole == {"media_type": "CAROUSEL", "children": ",".join(ITEMS), "text": TEXT}
    assert item.steps == {"item0": ITEMS[0], "item1": ITEMS[1], "container": CONTAINER}


def test_a_kept_container_is_published_and_a_published_one_looked_up() -> None:
    """A restart makes no second container."""
    through = network()
    asyncio.run(platform.publish(item_of(through, steps={"container": CONTAINER})))
    assert sent(through) == []
    through = network(**{f"GET_/{CONTAINER}": status("PUBLISHED")})
    assert isinstance(refused(through, steps={"container": CONTAINER}), Unconfirmed)
    assert sent(through, "/me/threads_publish") == []


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("FAILED_DOWNLOADING_VIDEO", Unavailable),
        ("FAILED_PROCESSING_AUDIO", Unavailable),
        ("FAILED_PROCESSING_VIDEO", Unavailable),
        ("INVALID_ASPEC_RATIO", Rejected),
        ("INVALID_BIT_RATE", Rejected),
        ("INVALID_DURATION", Rejected),
        ("INVALID_FRAME_RATE", Rejected),
        ("INVALID_AUDIO_CHANNELS", Rejected),
        ("INVALID_AUDIO_CHANNEL_LAYOUT", Rejected),
        ("UNKNOWN", Unavailable),
        ("", Unavailable),
    ],
)
def test_each_documented_failure_of_a_container_has_its_meaning(reason: str, kind: type[Failure]) -> None:
    """What can't be is for a person; the rest is tried again with a new container."""
    item = item_of(network(**{f"GET_/{CONTAINER}": status("ERROR", reason)}), media=(video(),))
    failure = asyncio.run(failure_of(platform.publish(item)))
    assert type(failure) is kind
    assert item.steps == {"container": None}


@pytest.mark.parametrize(
    ("code", "kind"),
    [(1, Unconfirmed), (2, Unconfirmed), (4, Unavailable), (80002, Unavailable), (10, Rejected), (190, Unauthorized)],
)
def test_the_graphs_errors_have_their_meaning(code: int, kind: type[Failure]) -> None:
    """On the request that publishes."""
    assert type(refused(network(**{"POST_/me/threads_publish": refusal(code)}))) is kind


def test_a_lost_answer_to_the_publishing_request_proves_nothing() -> None:
    """An answer without a number; and a permalink that can't be had changes no success."""
    assert isinstance(refused(network(**{"POST_/me/threads_publish": answer(200, {})})), Unconfirmed)
    receipt = asyncio.run(platform.publish(item_of(network(**{f"GET_/{POSTED}": refusal(2)}))))
    assert (receipt.id, receipt.url) == (POSTED, None)


def test_a_first_part_is_found_among_the_posts() -> None:
    """By words and kind."""
    rows = (
        row("17900000000000002", media_type="IMAGE", text=TEXT),
        row("17900000000000003", media_type="TEXT_POST", text="Lain"),
        row(POSTED, media_type="TEXT_POST", text=TEXT, permalink=LINK),
    )
    looked = asyncio.run(
        platform.look_up(item_of(network(**{"GET_/me/threads": listed(*rows)})), NOW - timedelta(minutes=2))
    )
    assert ([found.receipt.id for found in looked.found], looked.complete) == ([POSTED], True)


def test_a_later_part_is_found_among_the_replies() -> None:
    """It must answer the part before, where Threads says what it answers."""
    same = {"media_type": "TEXT_POST", "text": "dua"}
    rows = (
        row("17900000000000002", replied_to={"id": "17900000000000009"}, **same),
        row("17900000000000003", replied_to={"id": FIRST}, **same),
        row("17900000000000004", **same),
    )
    through = network(**{"GET_/me/replies": listed(*rows)})
    item = item_of(through, "satu", "dua", part=1, earlier=EARLIER)
    looked = asyncio.run(platform.look_up(item, NOW - timedelta(minutes=2)))
    assert [found.receipt.id for found in looked.found] == ["17900000000000003", "17900000000000004"]
    assert all(found.receipt.part == 1 for found in looked.found)


@pytest.mark.parametrize(("state", "complete"), [("PUBLISHED", False), ("FINISHED", True)])
def test_absence_counts_only_while_the_container_is_unpublished(state: str, complete: bool) -> None:
    """A published container whose post is not listed yet is no absence."""
    through = network(**{"GET_/me/threads": listed(), f"GET_/{CONTAINER}": status(state)})
    looked = asyncio.run(platform.look_up(item_of(through, steps={"container": CONTAINER}), NOW))
    assert (looked.found, looked.complete) == ((), complete)


def test_a_look_up_that_is_refused_is_no_absence() -> None:
    """Where the token may not read replies."""
    through = network(**{"GET_/me/replies": refusal(10, status=403)})
    item = item_of(through, "satu", "dua", part=1, earlier=EARLIER)
    assert isinstance(asyncio.run(failure_of(platform.look_up(item, NOW))), Rejected)


def test_a_post_is_read_back_with_its_figures() -> None:
    """Or without, where the token may not be told; None where it is gone."""
    node = {"id": POSTED, "text": TEXT, "permalink": LINK, "timestamp": "2026-12-03T01:00:05+0000", "alt_text": "Massa"}
    figures = {"data": [{"name": "views", "values": [{"value": 90}]}, {"name": "likes", "values": [{"value": 12}]}]}
    route = f"GET_/{POSTED}/insights"
    through = network(**{f"GET_/{POSTED}": answer(200, node), route: [answer(200, figures), refusal(10)]})
    item = item_of(through)
    remote = asyncio.run(platform.read_back(item, RECEIPT))
    assert remote is not None
    assert (remote.text, remote.alts, remote.metrics) == (TEXT, ("Massa",), {"views": 90, "likes": 12})
    again = asyncio.run(platform.read_back(item, RECEIPT))
    assert again is not None
    assert again.metrics == {}
    gone = network(**{f"GET_/{POSTED}": refusal(100, subcode=33)})
    assert asyncio.run(platform.read_back(item_of(gone), RECEIPT)) is None


def test_deleting_again_is_harmless_and_a_refusal_is_told() -> None:
    """What is gone is gone."""
    through = network(**{f"DELETE_/{POSTED}": [answer(200, {"success": True}), refusal(100, subcode=33), refusal(10)]})
    for _again in range(2):
        asyncio.run(platform.delete(item_of(through), RECEIPT))
    assert isinstance(asyncio.run(failure_of(platform.delete(item_of(through), RECEIPT))), Rejected)


@pytest.mark.parametrize("url", [LINK, "threads.com/@fsp.contoh/post/Contoh_1-a?xmt=x"])
def test_an_address_leads_to_an_own_post_or_reply(url: str) -> None:
    """On either of Threads' domains."""
    routes = {"GET_/me/threads": listed(), "GET_/me/replies": listed(row(POSTED, permalink=LINK))}
    found = asyncio.run(platform.find(item_of(network(**routes)), url))
    assert found is not None
    assert (found.id, found.part) == (POSTED, 0)
    for other in ("https://contoh.example/@fsp.contoh/post/Contoh_1-a", LINK + "x", "bukan alamat"):
        assert asyncio.run(platform.find(item_of(network(**routes)), other)) is None


def test_the_check_says_scopes_end_and_what_of_the_day_is_used() -> None:
    """And which permissions are missing for threads, deletions and figures."""
    facts = answer(200, {"data": {"is_valid": True, "scopes": list(SCOPES), "expires_at": 1796259605}})
    check = asyncio.run(platform.check(item_of(network(**{"GET_/debug_token": facts}))))
    assert (check.identity, check.handle, check.scopes) == ("24000000000000001", "@fsp.contoh", SCOPES)
    assert check.expires is not None
    assert any("7" in note and "250" in note for note in check.notes)
    assert any("threads_read_replies" in note for note in check.notes)


def test_the_check_fails_where_the_token_may_not_publish_or_is_anothers() -> None:
    """A token whose permissions Threads doesn't tell passes, and that is said."""
    facts = answer(200, {"data": {"is_valid": True, "scopes": ["threads_basic"]}})
    failure = asyncio.run(failure_of(platform.check(item_of(network(**{"GET_/debug_token": facts})))))
    assert "threads_content_publish" in failure.message
    untold = network(**{"GET_/debug_token": refusal(10)})
    assert asyncio.run(platform.check(item_of(untold))).scopes == ()
    other = item_of(untold, settings={"token": "env:H", "handle": "lain"})
    assert "@fsp.contoh" in asyncio.run(failure_of(platform.check(other))).message


@pytest.mark.parametrize(
    ("text", "used"),
    [("é" * 5, 5), ("Hak 👩🏽‍🏭", 19), ("🇮🇩", 8), ("1️⃣ 1#*", 11), ("biasa", 5), ("❤️", 6)],
)
def test_emoji_count_by_their_bytes(text: str, used: int) -> None:
    """Other characters count one."""
    count = platform.measure(text, platform.limits, media=0)[0]
    assert (count.used, count.limit) == (used, 500)


def test_different_links_are_counted() -> None:
    """Also without https; the same one twice counts once."""
    text = "https://a.example/1 https://a.example/1 serikat.org"
    count = platform.measure(text, platform.limits, media=0)[1]
    assert (count.used, count.limit, count.unit) == (2, 5, "links")


def test_a_thread_takes_one_post_and_its_replies_of_the_day() -> None:
    """Threads counts them apart."""
    parts = tuple(Part(text=text) for text in ("satu", "dua", "tiga"))
    draft = Draft(platform="threads", account="a", address="a", language="id", parts=parts)
    assert [(use.what, use.amount, use.limit) for use in platform.uses(draft)] == [
        ("posts", 1, 250),
        ("replies", 2, 1000),
    ]


def test_settings_and_addresses() -> None:
    """The handle, else the token's reference, tells profiles apart."""

    def address(**settings: Any) -> str:
        return platform.address(Account(name="a", platform="threads", settings={"token": "env:H", **settings}))

    assert address(handle="@FSP.Contoh") == address(handle="fsp.contoh") == "graph.threads.net/@fsp.contoh"
    assert address() == "graph.threads.net/env:H"
    for wrong in ({"handle": "dua kata"}, {"url": "http://a.example"}, {"lain": 1}):
        with pytest.raises(ValidationError):
            address(**wrong)


def test_a_preview_shows_the_requests_without_secrets() -> None:
    """Two parts: the second answers what the first will be."""
    account = Account(name="utas", platform="threads", settings={"token": "env:THREADS_TOKEN"})
    parts = (Part(text="satu", media=(photo(),)), Part(text="dua"))
    draft = Draft(platform="threads", account="utas", address="a", language="id", parts=parts)
    shown = asyncio.run(requests_of(draft, account=account, key="a/b/c", due=NOW, content=lambda _digest: b""))
    made = [request.body for request in shown if request.method == "POST" and not request.creating]
    assert made[0]["image_url"] == "{public_url:poster.jpg}"
    assert made[1]["reply_to_id"] == "{post_id_1}"
    assert [request.part for request in shown if request.creating] == [0, 1]
    assert all("‹env:THREADS_TOKEN›" in request.headers["Authorization"] for request in shown)
