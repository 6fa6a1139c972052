"""The NationBuilder adapter: drafts that carry their key, publishing, look-ups, permalinks, refusals."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from nationbuilder_helpers import (
    ANSWERS,
    BLOG,
    KEY,
    NOTHING,
    SETTINGS,
    TOKEN,
    check_known,
    on_its_way,
    page,
    post_json,
    recorded,
    shown,
)
from platform_helpers import NOW, Network, answer, failure_of, json_of, parts, picture
from pydantic import ValidationError

from campaign_cli.errors import Failure, Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.models import Account, Receipt
from campaign_cli.platforms.http import RecordingTransport
from campaign_cli.platforms.nationbuilder import platform

SINCE = NOW - timedelta(minutes=2)
RECEIPT = Receipt(part=0, id="15", url=None, at=NOW)
PUBLIC = shown(status="published")


def refused(network: Network, **more: Any) -> Failure:
    """What a post ends with."""
    return asyncio.run(failure_of(platform.publish(on_its_way(network, **more))))


def test_a_post_is_a_draft_first_and_then_published_whole() -> None:
    """Nothing is public before its number is kept; both requests carry every field, the second the draft's own slug."""
    network, steps = Network(replies=[NOTHING, shown(), PUBLIC]), {}
    content = parts("# Upah layak\n\nUpah **layak** adalah hak.")
    native = {"tags": ["#upah", "rilis"], "excerpt": "Ringkasan"}
    link = "https://contoh.example/upah?utm_source=a"
    receipt = asyncio.run(platform.publish(on_its_way(network, content=content, native=native, link=link, steps=steps)))
    match, draft, public = network.requests
    assert dict(match.url.params) == {"external_id": f"campaign-{KEY}"}
    assert (draft.method, draft.url.path) == ("POST", f"{BLOG}/posts")
    sent = json_of(draft)["blog_post"]
    assert sent == {
        "name": "Upah layak",
        "title": "Upah layak",
        "headline": "Upah layak",
        "status": "drafted",
        "excerpt": "Ringkasan",
        "external_id": f"campaign-{KEY}",
        "content_before_flip": "<p>Upah <strong>layak</strong> adalah hak.</p>\n\n"
        '<p><a href="https://contoh.example/upah?utm_source=a">contoh.example/upah</a></p>',
        "tags": ["upah", "rilis"],
        "published_at": "2026-12-03T01:00:00+00:00",
    }
    assert (public.method, public.url.path) == ("PUT", f"{BLOG}/posts/15")
    assert json_of(public)["blog_post"] == sent | {"status": "published", "slug": "upah_layak"}
    assert (receipt.id, receipt.url, receipt.at) == ("15", "https://contoh.nationbuilder.com/upah_layak", NOW)
    assert steps == {"post": "15"}
    check_known(network)


def test_either_name_of_a_post_in_an_answer_is_read() -> None:
    """The documentation's own sample says ``blog`` where the others say ``blog_post``."""
    network = Network(replies=[NOTHING, shown(wrapped="blog"), PUBLIC])
    assert asyncio.run(platform.publish(on_its_way(network))).id == "15"


def test_a_draft_whose_answer_was_lost_is_taken_up_again() -> None:
    """Its key finds it: no second draft is made; a public one is not published again."""
    network = Network(replies=[answer(200, {"id": 15}), shown(), PUBLIC])
    assert asyncio.run(platform.publish(on_its_way(network))).id == "15"
    assert [request.method for request in network.requests] == ["GET", "GET", "PUT"]
    done = Network(replies=[answer(200, {"id": 15}), PUBLIC])
    assert asyncio.run(platform.publish(on_its_way(done))).id == "15"
    check_known(network)


def test_another_post_that_match_names_is_not_ours() -> None:
    """What carries another key is left alone."""
    network = Network(replies=[answer(200, {"id": 9}), shown(9, external_id="wp_1"), shown(), PUBLIC])
    asyncio.run(platform.publish(on_its_way(network)))
    assert [request.method for request in network.requests] == ["GET", "GET", "POST", "PUT"]


def test_the_public_step_is_repeated_by_number() -> None:
    """After a lost answer the kept number is asked for, and published once more where it must be."""
    steps: dict[str, Any] = {}
    lost = Network(replies=[NOTHING, shown(), httpx.ReadError("cut")])
    assert isinstance(refused(lost, steps=steps), Unconfirmed)
    again = Network(replies=[shown(), PUBLIC])
    asyncio.run(platform.publish(on_its_way(again, steps=steps)))
    assert [request.method for request in again.requests] == ["GET", "PUT"]
    settled = Network(replies=[PUBLIC])
    asyncio.run(platform.publish(on_its_way(settled, steps=steps)))
    assert len(settled.requests) == 1


def test_what_somebody_removed_is_not_made_anew_by_itself() -> None:
    """A person's retry begins anew."""
    steps: dict[str, Any] = {"post": "15"}
    assert isinstance(refused(Network(replies=[NOTHING]), steps=steps), Rejected)
    assert steps["post"] is None


def test_a_post_that_the_site_keeps_back_is_told() -> None:
    """A 200 with a draft is no publication."""
    failure = refused(Network(replies=[NOTHING, shown(), shown()]))
    assert isinstance(failure, Rejected)
    assert "drafted" in failure.message


def test_pictures_are_refused_before_anything_leaves() -> None:
    """There is no documented way to put one into a post."""
    network = Network()
    assert isinstance(refused(network, content=parts("Foto", media=[picture()])), Rejected)
    assert network.requests == []


def test_own_title_and_slug_are_kept() -> None:
    """The variant's title leaves the text whole; its slug goes with the draft."""
    network = Network(replies=[NOTHING, shown(slug="rilis-1"), shown(slug="rilis-1", status="published")])
    native = {"title": "Rilis", "slug": "rilis-1"}
    receipt = asyncio.run(
        platform.publish(on_its_way(network, native=native, settings={"website": "https://www.serikat.example/"}))
    )
    sent = json_of(network.requests[1])["blog_post"]
    assert (sent["name"], sent["slug"], sent["content_before_flip"]) == (
        "Rilis",
        "rilis-1",
        "<p>Upah layak adalah hak.</p>",
    )
    assert receipt.url == "https://www.serikat.example/rilis-1"


def looked_up(*replies: Any, **more: Any) -> Any:
    """What a look-up finds, and the network that it asked."""
    network = Network(replies=list(replies))
    found = asyncio.run(platform.look_up(on_its_way(network, **more), SINCE))
    check_known(network)
    return found, network


def test_a_look_up_asks_for_the_kept_number() -> None:
    """Public: found, without an instant to be judged by; a draft, or nothing: absent."""
    found, _network = looked_up(PUBLIC, steps={"post": "15"})
    assert [(one.receipt.id, one.created_at) for one in found.found] == [("15", None)]
    for reply in (shown(), NOTHING):
        gone, _network = looked_up(reply, steps={"post": "15"})
        assert (gone.found, gone.complete) == ((), True)


def test_without_the_number_the_key_is_looked_for_in_index_and_list() -> None:
    """Where the index knows nothing, every page of the list is read; absence counts at its end alone."""
    found, _network = looked_up(answer(200, {"id": 15}), PUBLIC)
    assert [one.receipt.id for one in found.found] == ["15"]
    other = post_json(9, external_id=None, status="published")
    ours = post_json(15, status="published")
    listed, network = looked_up(NOTHING, page(other, more=ANSWERS["next"]), page(ours))
    assert [one.receipt.id for one in listed.found] == ["15"]
    assert dict(network.requests[2].url.params) == {"limit": "100", "__nonce": "NONCE", "__token": "TOKEN"}
    absent, _network = looked_up(answer(400, {"code": "no_matches"}), page(other))
    assert (absent.found, absent.complete) == ((), True)
    endless, _network = looked_up(NOTHING, *[page(other, more=ANSWERS["next"])] * 30)
    assert not endless.complete


@pytest.mark.parametrize(
    "reply", [answer(503, {"code": "server_error"}), answer(200, {"results": []}), answer(403, {})]
)
def test_a_list_that_can_not_be_read_is_no_absence(reply: Any) -> None:
    """Refused, out of order, or without a word on the next page."""
    network = Network(replies=[NOTHING, reply])
    failure = asyncio.run(failure_of(platform.look_up(on_its_way(network), SINCE)))
    assert isinstance(failure, Rejected | Unavailable)


def test_a_post_is_read_back_as_html() -> None:
    """Both halves of it, its heading, its instant."""
    post = shown(
        status="published",
        headline="Upah",
        content_after_flip="<p>Lanjutan</p>",
        published_at="2026-12-03T08:00:00+07:00",
    )
    network = Network(replies=[post, NOTHING])
    remote = asyncio.run(platform.read_back(on_its_way(network), RECEIPT))
    assert remote is not None
    assert (remote.title, remote.text, remote.html) == ("Upah", "<p>Upah</p><p>Lanjutan</p>", True)
    assert remote.created_at == datetime(2026, 12, 3, 1, tzinfo=UTC)
    assert remote.url == "https://contoh.nationbuilder.com/upah_layak"
    assert asyncio.run(platform.read_back(on_its_way(network), RECEIPT)) is None
    check_known(network)


def test_a_permalink_leads_to_a_public_post_of_the_blog() -> None:
    """By the slug at its end; a draft, another slug or another site is none."""

    def found(url: str, **more: Any) -> Receipt | None:
        network = Network(replies=[page(post_json(15, **{"status": "published", **more}))])
        return asyncio.run(platform.find(on_its_way(network), url))

    ours = found("https://contoh.nationbuilder.com/upah_layak/")
    assert ours is not None
    assert (ours.part, ours.id) == (0, "15")
    assert found("https://contoh.nationbuilder.com/upah_layak", status="drafted") is None
    assert found("https://contoh.nationbuilder.com/lain") is None
    assert found("https://lain.nationbuilder.com/upah_layak") is None


def test_deleting_is_repeatable() -> None:
    """204, then the nation's own “not found”."""
    network = Network(replies=[recorded("deleted"), NOTHING])
    for _again in range(2):
        asyncio.run(platform.delete(on_its_way(network), RECEIPT))
    check_known(network)


@pytest.mark.parametrize(
    ("status", "body", "kind", "word"),
    [
        (400, {"code": "bad_request", "message": "Bad Request"}, Rejected, ""),
        (401, {"code": "unauthorized", "message": "Not authorized"}, Unauthorized, "Developer"),
        (403, {"code": "forbidden", "message": "Forbidden"}, Rejected, "permission"),
        (404, {"code": "not_found", "message": "Record not found"}, Rejected, "blog"),
        (422, {"code": "validation_failed", "validation_errors": ["Slug has already been taken"]}, Rejected, "slug"),
        (429, {"code": "rate_limited", "message": "Slow down"}, Unavailable, ""),
        (500, {"code": "server_error"}, Unconfirmed, ""),
        (503, {"code": "server_error"}, Unconfirmed, ""),
    ],
)
def test_each_refusal_means_what_nationbuilder_says(status: int, body: Any, kind: type, word: str) -> None:
    """Of the step that publishes; the validation's own words are shown, the token never is."""
    failure = refused(Network(replies=[NOTHING, shown(), answer(status, body)]))
    assert type(failure) is kind
    assert word in failure.fix
    assert TOKEN not in failure.message
    assert all(error in failure.message for error in body.get("validation_errors", ()))


def test_a_draft_that_failed_is_no_doubt() -> None:
    """Nothing of it is public: it is simply tried again."""
    assert isinstance(refused(Network(replies=[NOTHING, answer(500, {})])), Unavailable)


def test_the_rate_headers_say_when_to_come_back() -> None:
    """Under the name of V2, and under those that V1 was seen to use; what isn't used up asks for nothing."""
    at = NOW + timedelta(seconds=8)
    for name in ("ratelimit", "x-ratelimit"):
        headers = {f"{name}-remaining": "0", f"{name}-reset": str(int(at.timestamp()))}
        assert platform.pause_until(headers, NOW) == at.replace(microsecond=0)
    assert platform.pause_until(ANSWERS["deleted"]["headers"], NOW) is None


def test_an_account_is_its_blog() -> None:
    """The blog's name and what V1 doesn't say; every spelling of a nation is one address."""
    blog = answer(200, {"blog": {"id": 13, "slug": "kabar", "name": "Kabar FSP Contoh", "status": "published"}})
    network = Network(replies=[blog])
    check = asyncio.run(platform.check(on_its_way(network)))
    assert (check.handle, check.url) == ("Kabar FSP Contoh", "https://contoh.nationbuilder.com/kabar")
    assert check.identity == "contoh.nationbuilder.com/contoh/13"
    check_known(network)
    written = SETTINGS | {"nation": None, "url": "https://Contoh.nationbuilder.com/"}
    account = Account(name="a", platform="nationbuilder", settings=written)
    assert platform.address(account) == check.identity


@pytest.mark.parametrize(
    "wrong", [{"nation": "contoh.example"}, {"nation": None}, {"site": "a/b"}, {"blog": "kabar"}, {"blog": -1}]
)
def test_an_account_that_is_none_is_told(wrong: dict[str, Any]) -> None:
    """A slug, a site, a number; without nation an address."""
    with pytest.raises(ValidationError):
        platform.Settings.model_validate(SETTINGS | wrong)


def test_a_preview_shows_every_request_with_placeholders() -> None:
    """Match, draft and publication run through the recording transport to the end."""
    transport = RecordingTransport()
    receipt = asyncio.run(platform.publish(on_its_way(transport)))
    assert receipt.id == "{post_id}"
    assert [request.method for request in transport.requests] == ["GET", "POST", "PUT"]
    assert [request.creating for request in transport.requests] == [False, False, True]


def test_which_nation_must_be_written() -> None:
    """By its name or by its address: the message names both."""
    with pytest.raises(ValidationError, match="Which nation"):
        platform.Settings.model_validate({"site": "a", "blog": 3, "token": "env:NB"})
