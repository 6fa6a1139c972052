"""Mastodon: every request as its documentation wants it, every answer as the server gave it."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from platform_helpers import (
    NOW,
    PNG,
    Clock,
    Network,
    answer,
    failure_of,
    json_of,
    multipart_of,
    parts,
    picture,
    sending,
)
from pydantic import ValidationError

from campaign_cli.errors import Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.models import Account, Receipt
from campaign_cli.platforms import get
from campaign_cli.platforms.base import Sending
from campaign_cli.platforms.http import RecordingTransport
from campaign_cli.platforms.mastodon_text import plain_text, same_text

DATA = Path(__file__).parent / "data" / "mastodon"
SPECIFICATION = json.loads((DATA / "specification.json").read_text(encoding="utf-8"))
RECORDED = json.loads((DATA / "recorded.json").read_text(encoding="utf-8"))["exchanges"]
PLATFORM = get("mastodon")
URL = "https://mastodon.example"
POST = "POST /api/v1/statuses"
MEDIA = "POST /api/v2/media"
VERIFY = "GET /api/v1/accounts/verify_credentials"
OWN = "GET /api/v1/accounts/7/statuses"
PARENT = Receipt(part=0, id="100", url=None, at=NOW)


def ready(network: Any, **options: Any) -> Sending:
    options.setdefault("settings", {"url": URL, "token": "env:TOKEN"})
    return sending(PLATFORM, network, secrets={"token": "rahasia"}, **options)


def recorded(label: str, index: int = 0) -> httpx.Response:
    exchange = RECORDED[label][index]
    return httpx.Response(exchange["status"], json=exchange["body"], headers=exchange["headers"])


def status(identifier: str = "101", *, text: str = "Upah layak adalah hak.", **members: Any) -> dict[str, Any]:
    content = f"<p>{text}</p>"
    at = NOW.isoformat().replace("+00:00", "Z")
    return {"id": identifier, "url": f"{URL}/@fspc/{identifier}", "created_at": at, "content": content} | members


def publish(network: Any, **options: Any) -> Receipt:
    return asyncio.run(PLATFORM.publish(ready(network, **options)))


def refused(network: Any, **options: Any) -> Any:
    return asyncio.run(failure_of(PLATFORM.publish(ready(network, **options))))


def test_text_post() -> None:
    """A post says visibility, language and sensitivity outright, and carries the attempt's key."""
    network = Network(routes={POST: answer(200, status())})
    receipt = publish(network)
    (request,) = network.requests
    assert json_of(request) == {
        "status": "Upah layak adalah hak.",
        "visibility": "public",
        "sensitive": False,
        "language": "id",
    }
    assert request.headers["idempotency-key"] == "0123456789abcdef0123456789abcdef01234567"
    assert request.headers["authorization"] == "Bearer rahasia"
    assert receipt == Receipt(part=0, id="101", url=f"{URL}/@fspc/101", at=NOW)


def test_requests_follow_the_specification() -> None:
    """No field, header or query is sent that the server's specification does not know."""
    network = Network(
        routes={
            POST: answer(200, status()),
            MEDIA: answer(200, {"id": "5"}),
            VERIFY: answer(200, {"id": "7", "acct": "fspc"}),
            OWN: answer(200, []),
            "GET /.well-known/nodeinfo": answer(404, {}),
        }
    )
    full = ready(
        network,
        content=parts("Satu", media=[picture()]) + parts("Dua", media=[picture()]),
        part=1,
        earlier=(PARENT,),
        visibility="private",
        native={"cw": "Politik", "sensitive": True},
        language="en-GB",
    )
    asyncio.run(PLATFORM.publish(full))
    asyncio.run(PLATFORM.look_up(full, NOW))
    properties = SPECIFICATION[POST]["properties"]
    body = json_of(network.sent("POST", "/api/v1/statuses")[0])
    kinds = {"string": str, "boolean": bool, "array": list}
    assert set(body) == {
        "status", "visibility", "sensitive", "language", "media_ids", "spoiler_text", "in_reply_to_id"
    }  # fmt: skip
    for name, value in body.items():
        assert isinstance(value, kinds[properties[name]["type"]])
        assert value in properties[name].get("enum", [value])
    assert body["language"] == "en"
    assert set(multipart_of(network.sent("POST", "/api/v2/media")[0])) <= set(SPECIFICATION[MEDIA]["properties"])
    known = SPECIFICATION["GET /api/v1/accounts/{id}/statuses"]["query"]
    assert set(network.sent("GET", "/api/v1/accounts/7/statuses")[0].url.params) <= set(known)
    assert set(PLATFORM.visibilities) == set(properties["visibility"]["enum"])


def test_pictures() -> None:
    """Pictures go up with their alt text first; their ids are kept and stand in the post in order."""
    uploads = [answer(200, {"id": "5"}), answer(200, {"id": "6"})]
    network = Network(routes={MEDIA: uploads, POST: answer(200, status())})
    out = ready(network, content=parts("Aksi", media=[picture(alt="Satu"), picture(alt="Dua", name="dua.png")]))
    asyncio.run(PLATFORM.publish(out))
    first, second = network.sent("POST", "/api/v2/media")
    assert multipart_of(first)["file"] == ("poster.png", "image/png", PNG)
    assert multipart_of(first)["description"][2] == b"Satu"
    assert multipart_of(second)["description"][2] == b"Dua"
    assert json_of(network.requests[-1])["media_ids"] == ["5", "6"]
    assert out.steps == {"media0": "5", "media1": "6"}


def test_pictures_that_take_time() -> None:
    """A picture that the server still works on is asked for until it is ready."""
    clock = Clock()
    network = Network(
        routes={
            MEDIA: answer(202, {"id": "5", "url": None}),
            "GET /api/v1/media/5": [answer(206, {"id": "5"}), answer(200, {"id": "5", "url": "x"})],
            POST: answer(200, status()),
        }
    )
    publish(network, content=parts("Aksi", media=[picture()]), clock=clock)
    assert len(clock.slept) == 2
    assert json_of(network.requests[-1])["media_ids"] == ["5"]


def test_pictures_that_never_get_ready() -> None:
    """A picture that stays unfinished puts the post off; the next try goes on with the same upload."""
    routes = {MEDIA: answer(202, {"id": "5"}), "GET /api/v1/media/5": answer(206, {"id": "5"})}
    network = Network(routes=dict(routes))
    out = ready(network, content=parts("Aksi", media=[picture()]))
    assert type(asyncio.run(failure_of(PLATFORM.publish(out)))) is Unavailable
    assert out.steps == {"media0": "5"}
    network.routes |= {"GET /api/v1/media/5": answer(200, {"id": "5"}), POST: answer(200, status())}
    asyncio.run(PLATFORM.publish(out))
    assert len(network.sent("POST", "/api/v2/media")) == 1


def test_pictures_that_the_server_cannot_use() -> None:
    """A picture that fails on the server is refused with the server's words."""
    routes = {MEDIA: answer(202, {"id": "5"}), "GET /api/v1/media/5": answer(422, {"error": "Gambar rusak"})}
    failure = refused(Network(routes=routes), content=parts("Aksi", media=[picture()]))
    assert type(failure) is Rejected
    assert failure.message == "The server could not use the file: Gambar rusak"


def test_uploads_of_an_earlier_process() -> None:
    """After a restart an upload is used again while the server still has it, and made anew when it is gone."""
    content = parts("Aksi", media=[picture()])
    network = Network(routes={"GET /api/v1/media/5": answer(200, {"id": "5"}), POST: answer(200, status())})
    publish(network, content=content, steps={"media0": "5"})
    assert json_of(network.requests[-1])["media_ids"] == ["5"]
    network.routes |= {"GET /api/v1/media/5": answer(404, {}), MEDIA: answer(200, {"id": "6"})}
    publish(network, content=content, steps={"media0": "5"})
    assert json_of(network.requests[-1])["media_ids"] == ["6"]


def test_an_upload_without_an_answer_can_be_repeated() -> None:
    """An upload is not public: a lost answer to it leaves nothing in doubt."""
    routes = {MEDIA: httpx.ReadTimeout("")}
    assert type(refused(Network(routes=routes), content=parts("Aksi", media=[picture()]))) is Unavailable


@pytest.mark.parametrize("reply", [answer(503, {}), httpx.ReadTimeout(""), answer(200, {"id": "1"}), answer(200, [])])
def test_doubt(reply: Any) -> None:
    """A post whose answer is lost, or can't be read, is in doubt."""
    assert type(refused(Network(routes={POST: reply}))) is Unconfirmed


def test_recorded_answers() -> None:
    """What Mastodon 4.6.4 answered is understood: posts, refusals in any language, bad tokens."""
    receipt = publish(Network(routes={POST: recorded("post public")}))
    assert receipt.url == "http://localhost:3000/@mastodonpy_test/" + receipt.id
    assert receipt.at == datetime.fromisoformat(RECORDED["post public"][0]["body"]["created_at"])
    failure = refused(Network(routes={POST: recorded("empty")}))
    assert (type(failure), failure.status) == (Rejected, 422)
    assert "バリデーション" in failure.message
    failure = refused(Network(routes={POST: recorded("unauthorized", 1)}))
    assert (type(failure), failure.status) == (Unauthorized, 401)
    network = Network(routes={MEDIA: recorded("media"), POST: recorded("post")})
    publish(network, content=parts("Aksi", media=[picture()]))
    assert json_of(network.requests[-1])["media_ids"] == [RECORDED["media"][0]["body"]["id"]]


def test_recorded_requests_look_like_ours() -> None:
    """Fields of our post stand in the recorded answer as they were meant."""
    body = RECORDED["post private with warning"][0]["body"]
    assert (body["visibility"], body["spoiler_text"], body["sensitive"]) == ("private", "Content warning", True)
    assert same_text("http://example.org/", RECORDED["link"][0]["body"]["content"])


def test_look_up_finds_the_post_of_this_attempt() -> None:
    """A look-up finds the own status with the same text, pictures and place, made since the attempt began."""
    old = status("90", created_at="2026-12-03T00:00:00.000Z")
    page = [
        status("110", text="Lain"),
        status("109", in_reply_to_id="3"),
        status("108", media_attachments=[{}]),
        status("107"),
        old,
    ]
    network = Network(routes={VERIFY: answer(200, {"id": 7, "acct": "fspc"}), OWN: answer(200, page)})
    found = asyncio.run(PLATFORM.look_up(ready(network), NOW - timedelta(minutes=2)))
    assert [one.receipt.id for one in found.found] == ["107"]
    assert found.found[0].created_at == NOW
    assert found.complete


def test_look_up_pages_until_it_is_past_the_attempt() -> None:
    """The search goes on over pages until it is past the attempt or at the end; only then absence counts."""
    old = status("90", text="Lama", created_at="2026-12-02T00:00:00.000Z")
    pages = [answer(200, [status("110", text="Lain")]), answer(200, [status("105", text="Lain"), old])]
    network = Network(routes={VERIFY: answer(200, {"id": "7", "acct": "fspc"}), OWN: pages})
    out = ready(network)
    assert asyncio.run(PLATFORM.look_up(out, NOW)).complete
    assert [request.url.params.get("max_id") for request in network.sent("GET", OWN.split()[1])] == [None, "110"]
    network.routes[OWN] = answer(200, [status("110", text="Lain")])
    assert not asyncio.run(PLATFORM.look_up(out, NOW)).complete
    network.routes[OWN] = answer(200, [])
    assert asyncio.run(PLATFORM.look_up(out, NOW)).complete
    assert len(network.sent("GET", "/api/v1/accounts/verify_credentials")) == 1


def test_look_up_of_a_later_part() -> None:
    """A part of a thread is looked for below the part before it."""
    page = [status("110", in_reply_to_id="100"), status("109")]
    routes = {VERIFY: answer(200, {"id": "7", "acct": "x"}), OWN: [answer(200, page), answer(200, [])]}
    network = Network(routes=routes | {"GET /.well-known/nodeinfo": answer(404, {})})
    content = parts("Satu", "Upah layak adalah hak.")
    out = ready(network, content=content, part=1, earlier=(PARENT,))
    assert [one.receipt.id for one in asyncio.run(PLATFORM.look_up(out, NOW)).found] == ["110"]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (answer(200, {"id": "110", "text": "*Upah* layak!"}), True),
        (answer(200, {"id": "110", "text": "Upah layak?"}), False),
        (answer(404, {}), True),
    ],
)
def test_look_up_where_the_server_takes_signs_out(source: Any, found: bool) -> None:
    """Where only signs differ the server's plain text decides; without it the likeness counts."""
    routes = {
        VERIFY: answer(200, {"id": "7", "acct": "fspc"}),
        OWN: [answer(200, [status("110", text="<em>Upah</em> layak!")]), answer(200, [])],
        "GET /api/v1/statuses/110/source": source,
    }
    out = ready(Network(routes=routes), content=parts("*Upah* layak!"))
    assert bool(asyncio.run(PLATFORM.look_up(out, NOW)).found) is found


def test_look_up_refused() -> None:
    """A refused look-up is a failure, never an absence."""
    routes = {VERIFY: answer(200, {"id": "7", "acct": "fspc"}), OWN: answer(403, {})}
    assert type(asyncio.run(failure_of(PLATFORM.look_up(ready(Network(routes=routes)), NOW)))) is Rejected


@pytest.mark.parametrize(
    ("ours", "html"),
    [
        ("Aksi & <b>", "<p>Aksi &amp; &lt;b&gt;</p>"),
        ("Satu\n\nDua\ntiga", "<p>Satu</p><p>Dua<br />tiga</p>"),
        ("Halo @teman@lain.example!", '<p>Halo <span class="h-card"><a href="x">@<span>teman</span></a></span>!</p>'),
        ("#Upah", '<p><a href="x">#<span>Upah</span></a></p>'),
        ("caf\u0065\u0301", "<p>caf\u00e9</p>"),
    ],
)
def test_same_text(ours: str, html: str) -> None:
    """A text is known again in the server's HTML."""
    assert same_text(ours, html)
    assert not same_text(ours + "x", html)


def test_plain_text() -> None:
    """Paragraphs and lines stay apart, lists too."""
    assert plain_text("<ul><li>a</li><li>b</li></ul><p>c</p>").split() == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("software", "age", "may"),
    [
        ("mastodon 4.6.4", timedelta(minutes=50), True),
        ("mastodon 4.6.4", timedelta(minutes=50, seconds=1), False),
        ("gotosocial 0.19", timedelta(0), False),
        ("mastodonlike 1", timedelta(0), False),
        ("", timedelta(0), False),
    ],
)
def test_repeating(software: str, age: timedelta, may: bool) -> None:
    """The same key is sent again only to Mastodon itself, and only while it remembers keys."""
    assert PLATFORM.may_repeat(ready(Network()), software=software, age=age) is may


def test_read_back_and_delete() -> None:
    """A post is read back as plain text with alt texts, as HTML where there is no source, and as gone once deleted."""
    one = "/api/v1/statuses/101"
    shown = status(media_attachments=[{"description": "Poster"}, {"description": None}], spoiler_text="Politik")
    shown |= {"favourites_count": 5, "reblogs_count": 2, "replies_count": None}
    routes: dict[str, Any] = {
        f"GET {one}": answer(200, shown),
        f"GET {one}/source": answer(200, {"id": "101", "text": "Upah **layak**"}),
        f"DELETE {one}": [answer(200, {}), answer(404, {})],
    }
    network = Network(routes=routes)
    out, receipt = ready(network), Receipt(part=0, id="101", url=None, at=NOW)
    post = asyncio.run(PLATFORM.read_back(out, receipt))
    assert post is not None
    assert (post.text, post.html, post.alts, post.title) == ("Upah **layak**", False, ("Poster", ""), "Politik")
    assert {word: post.metrics.get(word) for word in ("likes", "reposts", "replies")} == {
        "likes": 5,
        "reposts": 2,
        "replies": None,
    }
    routes[f"GET {one}/source"] = answer(403, {})
    post = asyncio.run(PLATFORM.read_back(out, receipt))
    assert post is not None
    assert (post.text, post.html) == ("<p>Upah layak adalah hak.</p>", True)
    asyncio.run(PLATFORM.delete(out, receipt))
    asyncio.run(PLATFORM.delete(out, receipt))
    routes[f"GET {one}"] = recorded("missing")
    assert asyncio.run(PLATFORM.read_back(out, receipt)) is None


def check(routes: dict[str, Any], **options: Any) -> Any:
    return asyncio.run(PLATFORM.check(ready(Network(routes=routes), **options)))


def test_check_from_recorded_answers() -> None:
    """The check reads who we are, the software, and the server's own limits (recorded from Mastodon 4.6.4)."""
    routes = {
        VERIFY: recorded("verify"),
        "GET /api/v2/instance": recorded("instance v2"),
        "GET /.well-known/nodeinfo": recorded("nodeinfo"),
        "GET /nodeinfo/2.0": recorded("nodeinfo", 1),
    }
    result = check(routes, settings={"url": "http://localhost:3000", "token": "env:TOKEN"})
    assert (result.identity, result.handle) == ("117020457910412882", "@mastodonpy_test")
    assert result.software == "mastodon 4.6.4"
    assert result.limits.source == "instance"
    assert (result.limits.text, result.limits.url_length, result.limits.images) == (500, 23, 4)
    assert (result.limits.alt, result.limits.image_bytes) == (10000, 16777216)
    assert "image/avif" in result.limits.image_types
    assert all(kind.startswith("image/") for kind in result.limits.image_types)


def test_check_of_an_older_server() -> None:
    """A server without version 2 of the answer is read through version 1; without nodeinfo nothing is assumed."""
    routes = {
        VERIFY: answer(200, {"id": "7", "acct": "fspc", "moved": {"id": "8"}}),
        "GET /api/v2/instance": answer(404, {}),
        "GET /api/v1/instance": recorded("instance v1"),
        "GET /.well-known/nodeinfo": answer(404, {}),
    }
    result = check(routes)
    assert result.software == "4.6.4"
    assert result.limits.alt == 1500
    assert result.notes == ("This account has moved to another server.",)


@pytest.mark.parametrize(
    ("nodeinfo", "version", "software"),
    [
        ({"name": "mastodon", "version": "4.3"}, "2.7.2 (compatible; Lain 1.0)", "2.7.2 (compatible; Lain 1.0)"),
        ({"name": "gotosocial", "version": "0.19"}, "0.19", "gotosocial 0.19"),
    ],
)
def test_software(nodeinfo: dict[str, str], version: str, software: str) -> None:
    """Only a server whose nodeinfo and version agree counts as Mastodon; the token never goes to nodeinfo."""
    network = Network(
        routes={
            VERIFY: answer(200, {"id": "7", "acct": "fspc"}),
            "GET /api/v2/instance": answer(200, {"version": version}),
            "GET /.well-known/nodeinfo": answer(
                200, {"links": [{"href": "https://lain.example/ni"}, {"href": f"{URL}/ni"}]}
            ),
            "GET /ni": answer(200, {"software": nodeinfo}),
        }
    )
    result = asyncio.run(PLATFORM.check(ready(network)))
    assert result.software == software
    assert result.limits is not None
    assert result.limits.text == 500
    assert all("authorization" not in request.headers for request in network.sent("GET", "/ni"))
    assert {request.url.host for request in network.requests} == {"mastodon.example"}


def test_check_of_a_mixed_up_token() -> None:
    """A token that belongs to another account than accounts.yaml says is refused."""
    settings = {"url": URL, "token": "env:TOKEN", "handle": "@FSPC"}
    routes = {
        VERIFY: answer(200, {"id": "7", "acct": "lain"}),
        "GET /api/v2/instance": answer(200, {"version": "4.6.4"}),
        "GET /.well-known/nodeinfo": answer(404, {}),
    }
    failure = asyncio.run(failure_of(PLATFORM.check(ready(Network(routes=routes), settings=settings))))
    assert failure.message == "The token belongs to @lain, accounts.yaml says @FSPC."
    routes[VERIFY] = answer(200, {"id": "7", "acct": "fspc"})
    assert check(routes, settings=settings).handle == "@fspc"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2026-12-03T02:00:00.5Z"},
         datetime(2026, 12, 3, 2, 0, 0, 500_000, tzinfo=UTC)),
        ({"x-ratelimit-remaining": "1", "x-ratelimit-reset": "2026-12-03T02:00:00Z"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2020-01-01T00:00:00Z"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "nanti"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_pause(headers: dict[str, str], expected: datetime | None) -> None:
    """The account rests until the window opens again, when nothing of it remains."""
    assert PLATFORM.pause_until(headers, NOW) == expected


def test_rate_limit_of_a_post() -> None:
    """A 429 without Retry-After is tried again when the server's own window opens."""
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2026-12-03T02:00:00.000Z"}
    failure = refused(Network(routes={POST: answer(429, {"error": "Throttled"}, headers=headers)}))
    assert type(failure) is Unavailable
    assert failure.retry_at == datetime(2026, 12, 3, 2, tzinfo=UTC)


def test_measuring() -> None:
    """A link counts as the server says, whatever its length."""
    long = "Baca https://serikat.example/" + "x" * 200
    (count,) = PLATFORM.measure(long, PLATFORM.limits, media=0)
    assert (count.used, count.limit, count.over) == (28, 500, False)


def test_addresses() -> None:
    """Spellings of one account are equal; two accounts of one server are not."""

    def address(**settings: str) -> str:
        return PLATFORM.address(Account(name="a", platform="mastodon", settings=settings))

    one = address(url="https://Mastodon.example/", token="env:A", handle="@FSPC")
    assert one == address(url="https://mastodon.example:443", token="env:B", handle="fspc") == "mastodon.example/@fspc"
    assert address(url=URL, token="env:A") != address(url=URL, token="env:B")


@pytest.mark.parametrize(
    "url", ["mastodon.example", "https://", "https://a:b@c.example", "ftp://x.example", "https://["]
)
def test_settings(url: str) -> None:
    """An address that is none is an error of accounts.yaml."""
    with pytest.raises(ValidationError, match=r"This is not the address of a server"):
        PLATFORM.Settings.model_validate({"url": url, "token": "env:T"})


def test_preview() -> None:
    """A preview runs the same code, with placeholders for what only the server can give."""
    recorder = RecordingTransport()
    receipt = publish(recorder, content=parts("Aksi", media=[picture()]))
    upload, post = recorder.requests
    assert (upload.method, upload.url) == ("POST", f"{URL}/api/v2/media")
    assert post.json["media_ids"] == ["{media_id_1}"]
    assert (post.creating, upload.creating) == (True, False)
    assert receipt.id == "{status_id_1}"
