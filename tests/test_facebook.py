"""The Facebook adapter: posts, photos, comments, refusals, the page's access."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from facebook_helpers import (
    PAGE,
    PHOTO,
    POSTED,
    SETTINGS,
    SPECIFICATION,
    TOKEN,
    UNKNOWN,
    check_known,
    film,
    linked,
    listed,
    made,
    on_its_way,
    refusal,
)
from platform_helpers import NOW, Clock, Network, answer, failure_of, form_of, multipart_of, parts, picture
from pydantic import ValidationError

from campaign_cli.errors import Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.models import Account, Receipt
from campaign_cli.platforms.facebook import platform
from campaign_cli.platforms.facebook_api import own_pages, settings_of
from campaign_cli.platforms.graph import Graph
from campaign_cli.platforms.http import RecordingTransport

TEXT = "Upah layak adalah hak."
FIRST = Receipt(part=0, id=POSTED, url=None, at=NOW)
SINCE = NOW - timedelta(minutes=2)
THREAD: dict[str, Any] = {"content": parts("Satu", "Dua"), "part": 1, "earlier": (FIRST,)}


def _published(network: Network, **more: Any) -> Receipt:
    receipt: Receipt = asyncio.run(platform.publish(on_its_way(network, **more)))
    check_known(network)
    return receipt


def test_a_text_goes_out_with_its_link_and_comes_back_with_its_permalink() -> None:
    """The post is one form; its address for people is asked for, and the token is in a header alone."""
    network = Network(replies=[made(), linked()])
    receipt = _published(network, link="https://example.org/upah")
    post, asked = network.requests
    assert (post.method, post.url.path) == ("POST", f"/v25.0/{PAGE}/feed")
    assert form_of(post) == [("message", TEXT), ("link", "https://example.org/upah")]
    assert dict(asked.url.params) == {"fields": "permalink_url"}
    assert (receipt.id, receipt.url) == (POSTED, f"https://www.facebook.com/{PAGE}/posts/pfbid02Contoh")
    assert TOKEN not in str(post.url) + str(asked.url)


def test_a_permalink_that_can_not_be_had_makes_no_failure() -> None:
    """The post is out: the address by its number stands in."""
    network = Network(replies=[made(), refusal(4, status=403)])
    assert _published(network).url == f"https://www.facebook.com/{POSTED}"


@pytest.mark.parametrize("count", [1, 3])
def test_photos_are_uploaded_unseen_and_described_before_the_post(count: int) -> None:
    """Each photo is an upload that nobody sees, with its alt text; the post shows them in order, without a card."""
    uploads = [made(str(int(PHOTO) + number)) for number in range(count)]
    network = Network(replies=[*uploads, made(), linked()])
    media = [picture(b"\x89PNG%d" % number, alt=f"Gambar {number}" if number < 2 else "") for number in range(count)]
    _published(network, content=parts("Foto", media=media), link="https://example.org/upah")
    for number, request in enumerate(network.requests[:count]):
        assert request.url.path == f"/v25.0/{PAGE}/photos"
        fields = multipart_of(request)
        assert fields["published"][2] == b"false"
        assert fields["source"][:2] == ("poster.png", "image/png")
        assert fields.get("alt_text_custom", (None, "", b""))[2] == (b"Gambar %d" % number if number < 2 else b"")
    shown = [(f"attached_media[{number}]", {"media_fbid": str(int(PHOTO) + number)}) for number in range(count)]
    form = form_of(network.requests[count])
    assert [(name, json.loads(value)) for name, value in form[1:]] == shown
    assert form[0] == ("message", "Foto")


def test_a_photo_is_made_anew_before_facebook_drops_it() -> None:
    """What is kept of an upload is used within a day, and not after it."""
    content, steps = parts("Foto", media=[picture()]), {}
    network = Network(replies=[made(PHOTO), refusal(4)])
    asyncio.run(failure_of(platform.publish(on_its_way(network, content=content, steps=steps))))
    soon = Network(replies=[made(), linked()])
    assert len(_paths(soon, content=content, steps=steps)) == 2
    late = Network(replies=[made("122000000000009"), made(), linked()])
    assert len(_paths(late, content=content, steps=steps, clock=Clock(NOW + timedelta(hours=21)))) == 3


def _paths(network: Network, **more: Any) -> list[str]:
    _published(network, **more)
    return [request.url.path for request in network.requests]


def test_a_later_part_is_a_comment_under_the_first() -> None:
    """It carries one picture at most; what can't be a comment is refused before anything leaves."""
    network = Network(replies=[made("122000000000007_9"), linked("122000000000007_9")])
    receipt = _published(network, **THREAD)
    assert network.requests[0].url.path == f"/v25.0/{POSTED}/comments"
    assert form_of(network.requests[0]) == [("message", "Dua")]
    assert (receipt.part, receipt.id) == (1, "122000000000007_9")
    one = Network(replies=[made(PHOTO), made("122000000000007_9"), linked("122000000000007_9")])
    content = (THREAD["content"][0], parts("Dua", media=[picture()])[0])
    _published(one, **THREAD | {"content": content})
    assert form_of(one.requests[1]) == [("message", "Dua"), ("attachment_id", PHOTO)]
    for media in ([picture(), picture()], [film(b"x")]):
        content = (THREAD["content"][0], parts("Dua", media=media)[0])
        failure = asyncio.run(failure_of(platform.publish(on_its_way(Network(), **THREAD | {"content": content}))))
        assert isinstance(failure, Rejected)
        assert failure.fix


def test_a_video_stands_alone() -> None:
    """Pictures beside it are refused before anything leaves."""
    content = parts("Film", media=[film(b"x"), picture()])
    assert isinstance(asyncio.run(failure_of(platform.publish(on_its_way(Network(), content=content)))), Rejected)


def test_a_double_is_a_refusal_unless_a_try_went_before() -> None:
    """Facebook's word that it has the text already says that it is out only where an answer was lost before."""
    steps: dict[str, Any] = {}
    first = asyncio.run(failure_of(platform.publish(on_its_way(Network(replies=[refusal(506)]), steps=steps))))
    assert isinstance(first, Rejected)
    assert first.fix
    lost = asyncio.run(failure_of(platform.publish(on_its_way(Network(replies=[refusal(2, status=500)]), steps=steps))))
    assert isinstance(lost, Unconfirmed)
    for again in (refusal(506), refusal(100, subcode=1366051)):
        failure = asyncio.run(failure_of(platform.publish(on_its_way(Network(replies=[again]), steps=steps))))
        assert isinstance(failure, Unconfirmed)


REFUSALS = [
    (refusal(100, subcode=1390008), Unavailable),
    (refusal(100, subcode=1363047), Unconfirmed),
    (refusal(100, subcode=1609010), Unconfirmed),
    (refusal(324, subcode=1366046), Rejected),
    (refusal(100, subcode=1366051), Rejected),
    (refusal(100, subcode=1404102), Rejected),
    (refusal(100, subcode=1609008), Rejected),
]


@pytest.mark.parametrize(("reply", "kind"), REFUSALS)
def test_facebooks_own_subcodes_are_understood(reply: Any, kind: type[Exception]) -> None:
    """Too fast comes back later, away is in doubt, and what a person must change is refused with the way out."""
    failure = asyncio.run(failure_of(platform.publish(on_its_way(Network(replies=[reply])))))
    assert type(failure) is kind
    assert failure.code
    assert failure.fix or kind is not Rejected


def test_what_is_gone_is_deleted() -> None:
    """Deleting twice is harmless; a refusal is none, and "gone" to the token of another page neither."""
    me = answer(200, {"id": PAGE, "name": "Serikat"})
    for replies in ([answer(200, {"success": True})], [refusal(100, subcode=33), me]):
        network = Network(replies=replies)
        asyncio.run(platform.delete(on_its_way(network), FIRST))
        check_known(network)
    other = Network(replies=[refusal(100, subcode=33), answer(200, {"id": "99", "name": "Lain"})])
    failure = asyncio.run(failure_of(platform.delete(on_its_way(other), FIRST)))
    assert isinstance(failure, Rejected)
    assert "Lain (99)" in failure.message
    failure = asyncio.run(failure_of(platform.delete(on_its_way(Network(replies=[refusal(200, status=403)])), FIRST)))
    assert isinstance(failure, Rejected)


def _check(token: Any, *, me: str = PAGE, page: dict[str, Any] | None = None) -> Any:
    network = Network(
        routes={
            "GET /v25.0/me": answer(200, {"id": me, "name": "Serikat Contoh"}),
            f"GET /v25.0/{PAGE}": answer(200, {"id": PAGE, "name": "Serikat Contoh", **(page or {})}),
            "GET /v25.0/debug_token": token,
        }
    )
    try:
        return asyncio.run(platform.check(on_its_way(network)))
    finally:
        check_known(network)


def _token(**facts: Any) -> Any:
    scopes = ["pages_manage_posts", "pages_read_engagement", "pages_manage_engagement"]
    return answer(200, {"data": {"is_valid": True, "type": "PAGE", "expires_at": 0, "scopes": scopes, **facts}})


def test_the_check_tells_the_page_its_permissions_and_its_end() -> None:
    """Name, permissions, and when the token ends, where Facebook tells."""
    end = datetime(2027, 2, 1, tzinfo=UTC)
    until = datetime(2027, 3, 1, tzinfo=UTC)
    facts = _token(expires_at=int(end.timestamp()), data_access_expires_at=int(until.timestamp()))
    checked = _check(facts, page={"username": "serikat.contoh", "link": "https://www.facebook.com/serikat.contoh"})
    assert (checked.identity, checked.handle, checked.expires) == (PAGE, "@serikat.contoh", end)
    assert "pages_manage_posts" in checked.scopes
    assert any("2027-03-01" in note for note in checked.notes)
    forever = _check(_token())
    assert (forever.handle, forever.expires) == ("Serikat Contoh", None)
    assert any("no end by time" in note for note in forever.notes)


def test_the_check_warns_of_what_is_missing() -> None:
    """Permissions for comments and for looking up, a page that isn't public, and a token that can't be inspected."""
    notes = " ".join(_check(_token(scopes=["pages_manage_posts"]), page={"is_published": False}).notes)
    for word in ("pages_manage_engagement", "pages_read_engagement", "not published"):
        assert word in notes
    for unable in (refusal(100), refusal(190)):
        checked = _check(unable)
        assert (checked.scopes, checked.expires) == ((), None)
        assert any("doesn't tell" in note for note in checked.notes)


def test_the_check_refuses_what_can_not_post() -> None:
    """Another page's or a person's token, one that is not valid, and one that lacks the permission to post."""
    with pytest.raises(Rejected) as wrong:
        _check(_token(), me="5")
    assert PAGE in wrong.value.message
    with pytest.raises(Rejected) as lacking:
        _check(_token(scopes=["pages_show_list"]))
    assert "pages_manage_posts" in lacking.value.message
    with pytest.raises(Unauthorized):
        _check(_token(is_valid=False))


def test_the_pages_of_a_person_are_listed_with_their_tokens() -> None:
    """For the choice after signing in: name, number, the page's own token, and whether the person may post there."""
    rows = [
        {"id": PAGE, "name": "Serikat", "access_token": "EAAHalaman", "tasks": ["CREATE_CONTENT", "MODERATE"]},
        {"id": "100000000002", "name": "Cabang", "access_token": "EAALain", "tasks": ["ANALYZE"]},
    ]
    network = Network(replies=[listed(*rows)])
    item = on_its_way(network)
    item.account = Account(name="a", platform="facebook", settings={"token": "env:FACEBOOK_TOKEN"})
    graph = Graph(base="https://graph.facebook.com/v25.0", title="Facebook")
    pages = asyncio.run(own_pages(item, graph))
    assert [(page.id, page.name, page.token, page.may_post) for page in pages] == [
        (PAGE, "Serikat", "EAAHalaman", True),
        ("100000000002", "Cabang", "EAALain", False),
    ]
    check_known(network)


def test_the_reading_of_the_specification_is_strict() -> None:
    """An unknown edge, parameter, field, word or file, and a token in an address are told."""
    for asked in UNKNOWN:
        assert list(SPECIFICATION.wrong(asked)), asked


def test_settings_know_their_forms() -> None:
    """A page is a number, also unquoted in YAML; a version has its own form; nothing else is taken."""
    account = Account(name="a", platform="facebook", settings=SETTINGS | {"page": 100000000001})
    assert settings_of(account).page == PAGE
    assert platform.address(account) == f"graph.facebook.com/{PAGE}"
    for wrong in ({"page": "serikat.contoh"}, {"version": "25"}, {"handle": "x"}, {"page": None}):
        with pytest.raises(ValidationError):
            settings_of(Account(name="a", platform="facebook", settings=SETTINGS | wrong))


def test_a_preview_shows_every_request() -> None:
    """Uploads, the post and the question for its address, with placeholders for what only Facebook can give."""
    recording = RecordingTransport()
    item = on_its_way(recording, content=parts("Foto", media=[picture(), picture(b"2")]))
    asyncio.run(platform.publish(item))
    assert [request.method for request in recording.requests] == ["POST", "POST", "POST", "GET"]
    assert recording.requests[2].form is not None
    assert "{photo_id_2}" in recording.requests[2].form["attached_media[1]"]
    assert [request.creating for request in recording.requests] == [False, False, True, False]


def test_the_text_is_measured_in_characters() -> None:
    """Code points, against Facebook's limit."""
    (count,) = platform.measure("é" * 63_207, platform.limits, media=0)
    assert (count.used, count.limit, count.over) == (63_207, 63_206, True)
