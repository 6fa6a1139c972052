"""The X adapter: posts, threads, pictures, look-ups, permalinks, and its accounts."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from platform_helpers import NOW, Clock, Network, answer, failure_of, json_of, multipart_of, parts, picture
from pydantic import ValidationError
from x_helpers import (
    ME,
    POSTED,
    SETTINGS,
    check_known,
    created,
    described,
    on_its_way,
    post_json,
    problem,
    timeline,
    uploaded,
)

from campaign_cli.errors import Rejected, Unavailable
from campaign_cli.models import Account, Receipt
from campaign_cli.platforms.http import RecordingTransport
from campaign_cli.platforms.x import PAGES, platform

FIRST = Receipt(part=0, id="1800000000000000000", url=None, at=NOW)
SINCE = NOW - timedelta(minutes=2)


def test_a_text_goes_out_and_comes_back_with_its_permalink() -> None:
    """A text is one request with nothing but the text, and the receipt has the address with the handle."""
    network = Network(replies=[created()])
    receipt = asyncio.run(platform.publish(on_its_way(network, content=parts("Upah layak adalah hak. #UpahLayak"))))
    assert json_of(network.requests[0]) == {"text": "Upah layak adalah hak. #UpahLayak"}
    assert (receipt.id, receipt.url) == (POSTED, f"https://x.com/fsp_contoh/status/{POSTED}")
    assert receipt.at == NOW
    check_known(network)


def test_what_machines_made_and_what_is_paid_for_is_labelled() -> None:
    """In X's own keys; the label of pictures stands where there are pictures, the union's own cause needs none."""
    said = []
    for native, media in (
        ({"ai_generated": True, "promotes": "paid"}, [picture()]),
        ({"ai_generated": True, "promotes": "own"}, []),
        ({"ai_generated": False, "promotes": "none"}, [picture()]),
    ):
        network = Network(replies=[*([uploaded("11"), described("11")] if media else []), created("101")])
        asyncio.run(platform.publish(on_its_way(network, content=parts("Poster", media=media), native=native)))
        said.append(
            {key: value for key, value in json_of(network.requests[-1]).items() if key not in ("text", "media")}
        )
        check_known(network)
    assert said == [{"made_with_ai": True, "paid_partnership": True}, {}, {}]


def test_without_a_handle_the_permalink_is_the_one_that_x_leads_on() -> None:
    """No request is spent on the account's name."""
    network = Network(replies=[created()])
    receipt = asyncio.run(platform.publish(on_its_way(network, settings={"token": "env:X_TOKEN"})))
    assert receipt.url == f"https://x.com/i/web/status/{POSTED}"
    assert len(network.requests) == 1


def test_a_part_of_a_thread_answers_the_part_before() -> None:
    """The later part replies to the receipt of the one before."""
    network = Network(replies=[created()])
    asyncio.run(platform.publish(on_its_way(network, content=parts("Satu", "Dua"), part=1, earlier=(FIRST,))))
    assert json_of(network.requests[0]) == {"text": "Dua", "reply": {"in_reply_to_tweet_id": FIRST.id}}
    check_known(network)


def test_pictures_are_uploaded_and_described_before_the_post() -> None:
    """Each picture is an upload and, where it has a description, an alt text; the post names them in order."""
    network = Network(replies=[uploaded("11"), described("11"), uploaded("12"), created()])
    media = [picture(), picture(b"\x89PNG2", name="hias.png", alt="")]
    asyncio.run(platform.publish(on_its_way(network, content=parts("Foto aksi", media=media))))
    first, alt, _second, post = network.requests
    assert multipart_of(first)["media"][:2] == ("poster.png", "image/png")
    assert multipart_of(first)["media_category"][2] == b"tweet_image"
    assert json_of(alt) == {"id": "11", "metadata": {"alt_text": {"text": "Poster aksi"}}}
    assert json_of(post) == {"text": "Foto aksi", "media": {"media_ids": ["11", "12"]}}
    check_known(network)


def test_a_picture_that_x_still_works_on_is_waited_for() -> None:
    """The state is asked for as often as X wants, at the distance that it names; what failed is refused."""
    pending, done = {"state": "in_progress", "check_after_secs": 3}, {"state": "succeeded"}
    network = Network(
        replies=[
            uploaded(processing_info=pending),
            uploaded(processing_info=pending),
            uploaded(processing_info=done),
            described(),
            created(),
        ]
    )
    clock = Clock()
    asyncio.run(platform.publish(on_its_way(network, content=parts("Foto", media=[picture()]), clock=clock)))
    assert clock.slept == [3.0, 3.0]
    check_known(network)
    broken = Network(replies=[uploaded(processing_info={"state": "failed"})])
    failure = asyncio.run(failure_of(platform.publish(on_its_way(broken, content=parts("Foto", media=[picture()])))))
    assert isinstance(failure, Rejected)


def test_a_picture_that_takes_too_long_is_tried_again_and_not_sent_again() -> None:
    """After some looks it is put off; the next try goes on waiting for the same upload."""
    pending = {"state": "pending", "check_after_secs": 1}
    network = Network(replies=[uploaded(processing_info=pending)] * 7)
    steps: dict[str, Any] = {}
    item = on_its_way(network, content=parts("Foto", media=[picture()]), steps=steps)
    assert isinstance(asyncio.run(failure_of(platform.publish(item))), Unavailable)
    later = Network(replies=[uploaded(), described(), created()])
    asyncio.run(platform.publish(on_its_way(later, content=parts("Foto", media=[picture()]), steps=steps)))
    assert [request.method for request in later.requests] == ["GET", "POST", "POST"]


def test_an_upload_that_x_has_forgotten_is_made_anew() -> None:
    """X keeps an upload for a day: one that ends soon is neither used nor taken for described."""
    content, steps = parts("Foto", media=[picture()]), {}
    network = Network(replies=[uploaded("11", expires_after_secs=86_400), described("11"), problem(503, "Full")])
    asyncio.run(failure_of(platform.publish(on_its_way(network, content=content, steps=steps))))
    soon = Network(replies=[created()])
    asyncio.run(platform.publish(on_its_way(soon, content=content, steps=steps)))
    late = Network(replies=[uploaded("12"), described("12"), created()])
    clock = Clock(NOW + timedelta(hours=23, minutes=55))
    asyncio.run(platform.publish(on_its_way(late, content=content, steps=steps, clock=clock)))
    assert json_of(late.requests[-1])["media"] == {"media_ids": ["12"]}


def looked_up(*pages: Any, **more: Any) -> Any:
    """What a look-up finds on these pages, and the network that it asked."""
    network = Network(routes={"GET /2/users/me": answer(200, ME)}, replies=list(pages))
    return asyncio.run(platform.look_up(on_its_way(network, **more), SINCE)), network


def test_a_lost_post_is_found_on_the_account() -> None:
    """The timeline since the first try is asked for, of this account; the same words are the post."""
    found, network = looked_up(timeline(post_json("8", "Lain."), post_json("7", "Upah layak adalah hak.")))
    assert [one.receipt.id for one in found.found] == ["7"]
    assert (found.found[0].created_at, found.complete) == (NOW, True)
    assert network.requests[1].url.params["start_time"] == "2026-12-03T00:58:05Z"
    assert network.requests[1].url.path == "/2/users/2244994945/tweets"
    check_known(network)


def test_what_x_makes_of_a_text_is_known_again() -> None:
    """Short links, a link for the pictures, escaped signs, other compositions and spaces make no difference."""
    text = "Baca & sebar: https://contoh.example.org/upah?utm_source=x lalu serikat.org\n\ncafe\u0301"
    links = [
        {"url": "https://t.co/aaa", "expanded_url": "https://www.contoh.example.org/upah?utm_source=x"},
        {"url": "https://t.co/bbb", "expanded_url": "http://serikat.org/"},
        {"url": "https://t.co/ccc", "expanded_url": "https://x.com/fsp_contoh/status/7/photo/1", "media_key": "3_1"},
    ]
    shown = "Baca &amp; sebar: https://t.co/aaa lalu https://t.co/bbb\n\ncafé https://t.co/ccc"
    media = {"attachments": {"media_keys": ["3_1"]}, "entities": {"urls": links}}
    content = parts(text, media=[picture()])
    assert looked_up(timeline(post_json("7", shown, **media)), content=content)[0].found
    other = [links[0] | {"expanded_url": "https://lain.example.org/"}, *links[1:]]
    media["entities"] = {"urls": other}
    assert not looked_up(timeline(post_json("7", shown, **media)), content=content)[0].found
    media["entities"] = {"urls": links[2:]}  # what X doesn't say of a link can't be held against it
    assert looked_up(timeline(post_json("7", shown, **media)), content=content)[0].found


@pytest.mark.parametrize("name", ["note_post", "note_tweet"])
def test_a_long_text_is_read_whole(name: str) -> None:
    """X cuts a long text, and keeps the whole of it apart; under its old name as well."""
    text = "Panjang. " * 60
    short = post_json("7", "Panjang. Panjang… https://t.co/x", **{name: {"text": text}})
    assert looked_up(timeline(short), content=parts(text))[0].found


@pytest.mark.parametrize(
    ("more", "ours"),
    [
        ({"referenced_posts": [{"type": "replied_to", "id": FIRST.id}]}, True),
        ({"referenced_tweets": [{"type": "replied_to", "id": FIRST.id}]}, True),
        ({"conversation_id": FIRST.id}, True),
        ({"referenced_posts": [{"type": "replied_to", "id": "5"}]}, False),
        ({"conversation_id": "5"}, False),
    ],
)
def test_a_part_is_found_in_its_place_of_the_thread(more: dict[str, Any], ours: bool) -> None:
    """It answers the part before, or stands in the same conversation; names that X puts before a reply don't count."""
    thread = {"content": parts("Satu", "Dua"), "part": 1, "earlier": (FIRST,)}
    found, _network = looked_up(timeline(post_json("7", "@FSP_Contoh Dua", **more)), **thread)
    assert bool(found.found) is ours


def test_other_posts_are_not_taken_for_ours() -> None:
    """A reply is no first part, a picture too many is another post, and so is what is older."""
    posts = [
        post_json("7", "Upah layak adalah hak.", conversation_id="5"),
        post_json("8", "Upah layak adalah hak.", attachments={"media_keys": ["3_1"]}),
        post_json("9", "Upah layak adalah hak!"),
        post_json("10", "Upah layak adalah hak.") | {"created_at": "2026-12-03T00:58:04.000Z"},
    ]
    assert looked_up(timeline(*posts))[0].found == ()


def test_a_timeline_is_read_to_its_end() -> None:
    """Pages are followed, also an empty one; the search is complete at the last, and not where it has to stop."""
    found, network = looked_up(
        timeline(token="a"), timeline(post_json("7", "Upah layak adalah hak."), token="b"), timeline()
    )
    assert [one.receipt.id for one in found.found] == ["7"]
    assert found.complete
    assert [request.url.params.get("pagination_token") for request in network.requests[1:]] == [None, "a", "b"]
    check_known(network)
    found, _network = looked_up(*[timeline(token="a")] * PAGES)
    assert not found.complete


@pytest.mark.parametrize(
    "page",
    [
        answer(200, {"errors": [{"title": "Not Found Error"}]}),
        answer(200, {"meta": {}}),
        timeline(count=3),
        timeline(post_json("7", "x") | {"created_at": "gestern"}),
    ],
)
def test_half_a_timeline_proves_nothing(page: Any) -> None:
    """Errors in the place of posts, or fewer than X counts, are no absence."""
    network = Network(routes={"GET /2/users/me": answer(200, ME)}, replies=[page])
    failure = asyncio.run(failure_of(platform.look_up(on_its_way(network), SINCE)))
    assert isinstance(failure, Unavailable)


def one(**more: Any) -> dict[str, Any]:
    """X's answer on one post."""
    users = {"users": [{"id": ME["data"]["id"], "username": "FSP_Contoh"}]}
    return {"data": post_json("7", "Baca https://t.co/aaa https://t.co/ccc", **more), "includes": users}


def test_a_post_reads_back_as_it_was_written() -> None:
    """Links are whole, and alt texts stand in the order of the pictures."""
    links = [
        {"url": "https://t.co/aaa", "expanded_url": "https://contoh.example/"},
        {"url": "https://t.co/ccc", "expanded_url": "https://x.com/FSP_Contoh/status/7/photo/1"},
    ]
    body = one(attachments={"media_keys": ["3_2", "3_1"]}, entities={"urls": links})
    body["data"]["public_metrics"] = {"like_count": 3, "reply_count": 1, "repost_count": 2, "impression_count": 90}
    body["includes"]["media"] = [{"media_key": "3_1", "alt_text": "Satu"}, {"media_key": "3_2", "alt_text": "Dua"}]
    network = Network(replies=[answer(200, body)])
    remote = asyncio.run(platform.read_back(on_its_way(network), Receipt(part=0, id="7", url=None, at=NOW)))
    assert (remote.text, remote.alts) == ("Baca https://contoh.example/", ("Dua", "Satu"))
    assert (remote.url, remote.created_at) == ("https://x.com/fsp_contoh/status/7", NOW)
    assert remote.metrics == {"likes": 3, "replies": 1, "reposts": 2, "views": 90}
    check_known(network)


@pytest.mark.parametrize("reply", [answer(404, {"title": "Not Found"}), answer(200, {"errors": [{"title": "Gone"}]})])
def test_what_is_gone_reads_back_as_nothing(reply: Any) -> None:
    """X says so in two ways."""
    receipt = Receipt(part=0, id="7", url=None, at=NOW)
    assert asyncio.run(platform.read_back(on_its_way(Network(replies=[reply])), receipt)) is None


@pytest.mark.parametrize("body", [one(created_at="kemarin"), one(created_at=7), {"data": ["7"]}, []])
def test_a_post_that_can_not_be_read_is_no_answer(body: Any) -> None:
    """An answer in another shape says nothing of the post: neither what it is, nor that it is gone."""
    receipt = Receipt(part=0, id="7", url=None, at=NOW)
    network = Network(replies=[answer(200, body)])
    failure = asyncio.run(failure_of(platform.read_back(on_its_way(network), receipt)))
    assert type(failure) is Unavailable


def found_by(url: str, body: dict[str, Any] | None = None) -> tuple[Receipt | None, Network]:
    routes: dict[str, Any] = {"GET /2/users/me": answer(200, ME), "GET /2/tweets/7": answer(200, body or one())}
    network = Network(routes=routes)
    return asyncio.run(platform.find(on_its_way(network), url)), network


@pytest.mark.parametrize(
    "url",
    [
        "https://x.com/FSP_Contoh/status/7",
        " https://twitter.com/fsp_contoh/status/7?s=20 ",
        "https://x.com/i/web/status/7",
        "x.com/lain/status/7/",
        "https://mobile.twitter.com/fsp_contoh/statuses/7#m",
    ],
)
def test_a_permalink_in_any_spelling_names_the_post(url: str) -> None:
    """The number tells the post, whatever stands in the place of the name; X is asked whose it is."""
    receipt, network = found_by(url)
    assert receipt == Receipt(part=0, id="7", url="https://x.com/fsp_contoh/status/7", at=NOW)
    check_known(network)


def test_other_addresses_name_no_post() -> None:
    """What is no address of a post is not asked for; another account's post is not ours."""
    for url in ("https://x.com/fsp_contoh", "https://x.com.example/a/status/7", "https://x.com/a/status/x", "7"):
        receipt, network = found_by(url)
        assert receipt is None
        assert network.requests == []
    other = one() | {"includes": {"users": [{"id": "5"}]}}
    assert found_by("https://x.com/fsp_contoh/status/7", other)[0] is None


def test_delete_can_be_repeated() -> None:
    """One that is gone already is no failure."""
    network = Network(replies=[answer(200, {"data": {"deleted": True}}), answer(404, {"title": "Not Found"})])
    for _again in range(2):
        asyncio.run(platform.delete(on_its_way(network), FIRST))
    check_known(network)


def test_check_says_who_the_token_belongs_to_and_what_it_costs() -> None:
    """The handle of accounts.yaml must be the token's; the notes speak of rights, prices and limits."""
    network = Network(replies=[answer(200, {"data": ME["data"] | {"protected": True}})])
    found = asyncio.run(platform.check(on_its_way(network)))
    assert (found.identity, found.handle, found.url) == ("2244994945", "@FSP_Contoh", "https://x.com/FSP_Contoh")
    notes = " ".join(found.notes)
    for word in ("media.write", "two hours", "0.20 USD", "100 posts", "protected"):
        assert word in notes
    check_known(network)
    mixed_up = on_its_way(Network(replies=[answer(200, ME)]), settings=SETTINGS | {"handle": "lain"})
    with pytest.raises(Rejected, match="FSP_Contoh"):
        asyncio.run(platform.check(mixed_up))


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({"handle": "@FSP_Contoh"}, "api.x.com/@fsp_contoh"),
        ({"handle": "fsp_contoh", "url": "https://api.x.com/"}, "api.x.com/@fsp_contoh"),
        ({}, "api.x.com/env:X_TOKEN"),
    ],
)
def test_spellings_of_one_account_are_one_address(settings: dict[str, str], address: str) -> None:
    """The handle tells the account; without one, its token does."""
    account = Account(name="a", platform="x", settings={"token": "env:X_TOKEN", **settings})
    assert platform.address(account) == address


@pytest.mark.parametrize("handle", ["serikat pekerja", "fsp.contoh", "a" * 16, "https://x.com/fsp"])
def test_a_name_that_x_can_not_have_is_refused(handle: str) -> None:
    """With the form that is wanted."""
    with pytest.raises(ValidationError, match="not the name of an account"):
        platform.Settings.model_validate({"token": "env:X_TOKEN", "handle": handle})


def test_text_is_measured_as_x_weighs_it() -> None:
    """A link counts 23, an emoji 2; pictures don't count."""
    (count,) = platform.measure("👩🏽‍🏭 https://contoh.example.org/" + "a" * 100, platform.limits, media=4)
    assert (count.used, count.limit, count.unit) == (26, 280, "weighted")


def test_a_preview_shows_the_requests_without_a_network() -> None:
    """Over a recording transport the same code gives the requests, with placeholders for what only X knows."""
    recorder = RecordingTransport()
    content = parts("Satu", "Dua", media=[picture(), picture(b"2")])
    receipt = asyncio.run(platform.publish(on_its_way(recorder, content=content)))
    assert [request.creating for request in recorder.requests] == [False, False, False, False, True]
    assert recorder.requests[-1].json["media"] == {"media_ids": ["{media_id_1}", "{media_id_2}"]}
    assert receipt.url == "https://x.com/fsp_contoh/status/{post_id_1}"
    asyncio.run(platform.publish(on_its_way(recorder, content=content, part=1, earlier=(receipt,))))
    assert recorder.requests[-1].json["reply"] == {"in_reply_to_tweet_id": "{post_id_1}"}


def test_an_own_address_is_asked_in_the_place_of_x() -> None:
    """The setting ``url`` leads every request elsewhere."""
    network = Network(replies=[created()])
    settings = SETTINGS | {"url": "https://x.contoh.example/api"}
    asyncio.run(platform.publish(on_its_way(network, settings=settings)))
    assert network.requests[0].url == httpx.URL("https://x.contoh.example/api/2/tweets")
