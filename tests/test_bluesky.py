"""Bluesky: records that the lexicons know, keys of our own, sessions that last, answers as a real server gave them."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lexicon import LEXICONS, faults
from platform_helpers import DUE, NOW, PNG, Network, answer, failure_of, json_of, parts, picture, sending

from campaign_cli.errors import Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.models import Account, Receipt
from campaign_cli.platforms import atproto, get
from campaign_cli.platforms.base import Sending
from campaign_cli.platforms.http import RecordingTransport

DATA = Path(__file__).parent / "data" / "bluesky"
RECORDED = json.loads((DATA / "recorded.json").read_text(encoding="utf-8"))["exchanges"]
PLATFORM = get("bluesky")
URL = "https://pds.example"
DID = "did:plc:dql55mmbw3jsueohl4wukm5z"
CID = "bafyreihojebavstxnidqk3pl73bh43sasy5veu5jsqjp4kzn6jlxzuim6u"
LOGIN = "POST /xrpc/com.atproto.server.createSession"
REFRESH = "POST /xrpc/com.atproto.server.refreshSession"
SESSION = "GET /xrpc/com.atproto.server.getSession"
PUT = "POST /xrpc/com.atproto.repo.putRecord"
GET = "GET /xrpc/com.atproto.repo.getRecord"
BLOB = "POST /xrpc/com.atproto.repo.uploadBlob"
RESOLVE = "GET /xrpc/com.atproto.identity.resolveHandle"


def recorded(label: str) -> httpx.Response:
    exchange = RECORDED[label]
    return httpx.Response(exchange["status"], text=exchange["body"], headers=exchange["headers"])


def put_reply(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"uri": f"at://{DID}/app.bsky.feed.post/{json_of(request)['rkey']}", "cid": CID})


def network(**routes: Any) -> Network:
    """A server that signs in and writes; ``routes`` by the constants' names."""
    named = {name: routes.pop(name) for name in list(routes)}
    base: dict[str, Any] = {LOGIN: recorded("createSession with app password"), PUT: put_reply}
    return Network(routes=base | {globals()[name]: reply for name, reply in named.items()})


def ready(net: Any, **options: Any) -> Sending:
    options.setdefault("settings", {"url": URL, "handle": "alice.test", "password": "env:PASSWORD"})
    return sending(PLATFORM, net, secrets={"password": "app-password"}, **options)


def publish(net: Any, **options: Any) -> Receipt:
    return asyncio.run(PLATFORM.publish(ready(net, **options)))


def refused(net: Any, **options: Any) -> Any:
    return asyncio.run(failure_of(PLATFORM.publish(ready(net, **options))))


def record_of(net: Network, index: int = -1) -> Any:
    return json_of(net.sent("POST", PUT.split()[1])[index])["record"]


def lines(name: str) -> list[str]:
    text = (DATA / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def receipt(part: int = 0) -> Receipt:
    return Receipt(
        part=part, id=f"at://{DID}/app.bsky.feed.post/3lbj5yqk2s2{part}a", url=None, at=NOW, extra={"cid": CID}
    )


def test_text_post() -> None:
    """A post is written under its own key, only where nothing is yet, with the due instant as its time."""
    net = network()
    got = publish(net)
    login, put = net.requests
    assert json_of(login) == {"identifier": "alice.test", "password": "app-password"}
    body = json_of(put)
    assert body["record"] == {
        "$type": "app.bsky.feed.post",
        "text": "Upah layak adalah hak.",
        "createdAt": "2026-12-03T01:00:00.000Z",
        "langs": ["id"],
    }
    assert (body["repo"], body["collection"], body["swapRecord"]) == (DID, "app.bsky.feed.post", None)
    assert got.id == f"at://{DID}/app.bsky.feed.post/{body['rkey']}"
    assert got.url == f"https://bsky.app/profile/alice.test/post/{body['rkey']}"
    assert got.extra == {"cid": CID}


def test_requests_follow_the_lexicons() -> None:
    """No request carries a field that its lexicon does not know, and every value has the type it asks for."""
    net = network(BLOB=recorded("uploadBlob"), RESOLVE=answer(200, {"did": DID}))
    words = "Aksi 🚩 @teman.test #UpahLayak https://serikat.example/aksi?a=1"
    publish(net, content=parts(words, media=[picture()]), native={"self_labels": ["graphic-media"]})
    publish(net, content=parts(words), native={"title": "Upah layak", "excerpt": "Tuntutan"}, language="en-GB")
    publish(net, content=parts("a", "b"), part=1, earlier=(receipt(),))
    for request in net.sent("POST", PUT.split()[1]):
        body = json_of(request)
        assert faults(body, "com.atproto.repo.putRecord") == []
        assert faults(body["record"], "app.bsky.feed.post") == []
    for request in net.sent("POST", LOGIN.split()[1]):
        assert faults(json_of(request), "com.atproto.server.createSession") == []
    for path in (RESOLVE, GET):
        known = LEXICONS[path.rpartition("/")[2]]["main"]["parameters"]["properties"]
        for request in net.sent("GET", path.split()[1]):
            assert set(request.url.params) <= set(known)


def test_the_validator_refuses() -> None:
    """The test's own validator finds unknown, missing, too long and mistyped members."""
    record = {
        "text": "x" * 301,
        "unknown": 1,
        "facets": [{"index": {"byteStart": -1, "byteEnd": "2"}, "features": [{"$type": "lain"}]}],
        "embed": {"$type": "app.bsky.embed.images", "images": [{"image": {"$type": "x"}}] * 5},
        "langs": ["ID!"],
    }
    found = "\n".join(faults(record, "app.bsky.feed.post"))
    for part in (
        "text: too long",
        "unknown: unknown",
        "createdAt: missing",
        "byteStart",
        "byteEnd",
        "no lain",
        "array",
    ):
        assert part in found
    assert "langs[0]: no language" in found


def test_facets_are_in_bytes() -> None:
    """Links, hashtags and mentions are marked by UTF-8 bytes, also after emoji; links get their scheme."""
    net = network(RESOLVE=answer(200, {"did": DID}))
    text = "Upah layak 🚩 é @Teman.test #UpahLayak, https://serikat.example/a. contoh.org/x"
    publish(net, content=parts(text))
    raw = text.encode()
    marked = {
        raw[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode(): facet["features"][0]
        for facet in record_of(net)["facets"]
    }
    assert marked == {
        "@Teman.test": {"$type": "app.bsky.richtext.facet#mention", "did": DID},
        "#UpahLayak": {"$type": "app.bsky.richtext.facet#tag", "tag": "UpahLayak"},
        "https://serikat.example/a": {"$type": "app.bsky.richtext.facet#link", "uri": "https://serikat.example/a"},
        "contoh.org/x": {"$type": "app.bsky.richtext.facet#link", "uri": "https://contoh.org/x"},
    }


@given(st.text(alphabet="aé🚩 #@.:/https\u0301example", max_size=60))
def test_facets_of_any_text(text: str) -> None:
    """Whatever the text, facets lie in order, within it, on character boundaries, and never overlap."""
    raw, end = text.encode(), 0
    for facet in atproto.facets(text, {"a.h": DID}):
        start, stop = facet["index"]["byteStart"], facet["index"]["byteEnd"]
        assert end <= start < stop <= len(raw)
        raw[start:stop].decode()
        end = stop


def test_hashtags_that_are_too_long() -> None:
    """A hashtag over 64 graphemes stays text, since the record would be refused."""
    assert atproto.facets("#" + "a" * 65, {}) == []
    assert len(atproto.facets("#" + "a" * 64, {})) == 1


def test_unknown_people_stay_text() -> None:
    """A mention that nobody has stays text; what was resolved is kept, so that a repeat writes the same record."""
    net = network(RESOLVE=[answer(400, {"error": "InvalidRequest"}), answer(200, {"did": DID})])
    out = ready(net, content=parts("@tiada.test @ada.test @satu @nama@server.test a@b.test"))
    asyncio.run(PLATFORM.publish(out))
    assert out.steps == {"people": {"ada.test": DID}}
    assert len(record_of(net)["facets"]) == 1
    asyncio.run(PLATFORM.publish(out))
    assert record_of(net, 0) == record_of(net, 1)
    assert len(net.sent("GET", RESOLVE.split()[1])) == 2


def test_people_that_cannot_be_asked_for_now() -> None:
    """A server that can't resolve a name now puts the post off."""
    assert type(refused(network(RESOLVE=answer(503, {})), content=parts("@ada.test"))) is Unavailable


def test_pictures() -> None:
    """Pictures go up raw, and stand in the record with alt text and proportions; no card beside them."""
    net = network(BLOB=recorded("uploadBlob"))
    out = ready(net, content=parts("Aksi https://serikat.example", media=[picture(alt="Poster")]))
    asyncio.run(PLATFORM.publish(out))
    (upload,) = net.sent("POST", BLOB.split()[1])
    assert (upload.content, upload.headers["content-type"]) == (PNG, "image/png")
    blob = json.loads(RECORDED["uploadBlob"]["body"])["blob"]
    assert record_of(net)["embed"] == {
        "$type": "app.bsky.embed.images",
        "images": [{"image": blob, "alt": "Poster", "aspectRatio": {"width": 1200, "height": 675}}],
    }
    assert out.steps == {"blob0": blob}
    asyncio.run(PLATFORM.publish(out))
    assert len(net.sent("POST", BLOB.split()[1])) == 1


def test_pictures_that_the_server_dropped() -> None:
    """An upload that the server has thrown away is made again, once."""
    net = network(BLOB=recorded("uploadBlob"), PUT=[recorded("unknown blob"), recorded("post with image")])
    old = {"$type": "blob", "ref": {"$link": "x"}, "mimeType": "image/png", "size": 1}
    publish(net, content=parts("Aksi", media=[picture()]), steps={"blob0": old})
    assert record_of(net)["embed"]["images"][0]["image"]["size"] == 149
    net = network(BLOB=recorded("uploadBlob"), PUT=recorded("unknown blob"))
    assert refused(net, content=parts("Aksi", media=[picture()])).code == "BlobNotFound"
    assert refused(net).code == "BlobNotFound"


def test_card() -> None:
    """Without pictures the last link becomes a card, named by the plan or by the link's host."""
    net = network()
    publish(net, content=parts("https://a.example https://www.serikat.example/aksi"))
    assert record_of(net)["embed"]["external"] == {
        "uri": "https://www.serikat.example/aksi",
        "title": "serikat.example",
        "description": "",
    }
    publish(net, native={"title": "Upah", "excerpt": "Kabar"}, link="https://serikat.example/b")
    card = record_of(net)["embed"]["external"]
    assert card == {"uri": "https://serikat.example/b", "title": "Upah", "description": "Kabar"}


def test_threads() -> None:
    """A part replies to the one before it, under the first; it is dated one millisecond later."""
    net = network()
    publish(net, content=parts("a", "b", "c"), part=2, earlier=(receipt(0), receipt(1)))
    record = record_of(net)
    assert record["reply"]["root"] == {"uri": receipt(0).id, "cid": CID}
    assert record["reply"]["parent"] == {"uri": receipt(1).id, "cid": CID}
    assert record["createdAt"] == "2026-12-03T01:00:00.002Z"


def test_record_keys_are_valid() -> None:
    """Record keys and timestamps have the syntax that every implementation tests with."""
    syntax = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")
    assert all(syntax.fullmatch(line) for line in lines("tid_syntax_valid.txt"))
    assert not any(syntax.fullmatch(line) for line in lines("tid_syntax_invalid.txt"))
    stamp = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
    shape = re.sub(r"\d", "0", atproto.timestamp(DUE))
    assert shape in {re.sub(r"\d", "0", line) for line in lines("datetime_syntax_valid.txt")}
    for instant in (DUE, datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)):
        assert syntax.fullmatch(atproto.record_key(instant, "x"))
        assert stamp.fullmatch(atproto.timestamp(instant))
        assert atproto.timestamp(instant) not in lines("datetime_syntax_invalid.txt")


@given(st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2100, 1, 1)), st.text(), st.text())  # noqa: DTZ001
def test_record_keys(naive: datetime, one: str, other: str) -> None:
    """The same instant and key give the same record key in any zone; keys sort by instant."""
    instant = atproto.created_at(naive.replace(tzinfo=UTC), 0)
    abroad = instant.astimezone(timezone(timedelta(hours=9)))
    assert atproto.record_key(instant, one) == atproto.record_key(abroad, one)
    assert atproto.record_key(instant, one) < atproto.record_key(instant + timedelta(milliseconds=1), other)


def test_record_keys_of_one_instant_differ() -> None:
    """Many posts of one millisecond have record keys of their own."""
    assert len({atproto.record_key(DUE, str(number)) for number in range(500)}) == 500


def test_a_repeat_finds_its_own_post() -> None:
    """Where our very record stands already, the earlier try was a success."""
    net = network(PUT=recorded("putRecord swapRecord null on existing (InvalidSwap)"))
    uri = f"at://{DID}/app.bsky.feed.post/3lbj5yqk2s22a"
    net.routes[GET] = lambda _request: httpx.Response(200, json={"uri": uri, "cid": CID, "value": record_of(net)})
    assert publish(net).id == uri


def test_another_post_in_our_place() -> None:
    """Where something else stands under our key, nothing is overwritten and a person must look."""
    net = network(PUT=recorded("putRecord swapRecord null on existing (InvalidSwap)"), GET=recorded("getRecord"))
    failure = refused(net)
    assert type(failure) is Unconfirmed
    assert "https://bsky.app/profile/alice.test/post/" in failure.message
    for reply in (recorded("getRecord missing"), answer(503, {}), answer(400, {"error": "InvalidRequest"})):
        net.routes[GET] = reply
        assert type(refused(net)) is Unconfirmed


@pytest.mark.parametrize("reply", [answer(500, {"error": "InternalServerError"}), httpx.ReadError(""), answer(200, {})])
def test_doubt(reply: Any) -> None:
    """A record whose answer is lost is in doubt."""
    assert type(refused(network(PUT=reply))) is Unconfirmed


def test_recorded_answers() -> None:
    """What a real server answered is understood: writes, repeats and refusals with its own words."""
    for label in ("putRecord new rkey", "putRecord identical again (no commit in answer)"):
        got = publish(network(PUT=recorded(label)))
        assert (got.id.rpartition("/")[2], got.extra["cid"]) == ("3lbj5yqk2s22a", CID)
    for label in ("putRecord non-TID rkey", "createRecord 301 graphemes"):
        failure = refused(network(PUT=recorded(label)))
        assert (type(failure), failure.code, failure.status) == (Rejected, "InvalidRequest", 400)
        assert failure.message.startswith("Bluesky refused it: InvalidRequest: Invalid")
    assert type(refused(network(PUT=recorded("createRecord no auth")))) is Unauthorized


def test_look_up() -> None:
    """A look-up asks for our own key: the record is ours whatever the clocks say, and its absence is certain."""
    net = network(GET=recorded("getRecord"))
    out = ready(net)
    look = asyncio.run(PLATFORM.look_up(out, NOW + timedelta(days=1)))
    assert [(one.receipt.id, one.created_at) for one in look.found] == [
        (f"at://{DID}/app.bsky.feed.post/3lbj5yqk2s22a", None)
    ]
    assert look.complete
    net.routes |= {GET: recorded("getRecord missing"), PUT: put_reply}
    look = asyncio.run(PLATFORM.look_up(out, NOW))
    assert (look.found, look.complete) == ((), True)
    asyncio.run(PLATFORM.publish(out))
    assert net.sent("GET", GET.split()[1])[0].url.params["rkey"] == json_of(net.requests[-1])["rkey"]
    net.routes[GET] = answer(400, {"error": "RepoNotFound"})
    assert asyncio.run(failure_of(PLATFORM.look_up(out, NOW))).code == "RepoNotFound"


def test_repeating_is_always_safe() -> None:
    """The same key can be sent again whenever."""
    assert PLATFORM.may_repeat(ready(network()), software="", age=timedelta(days=400))


def test_one_session_for_many_posts() -> None:
    """Posts that start together sign in once."""
    net, memory = network(), {}

    async def run() -> None:
        await asyncio.gather(*[PLATFORM.publish(ready(net, key=str(number), memory=memory)) for number in range(5)])

    asyncio.run(run())
    assert len(net.sent("POST", LOGIN.split()[1])) == 1
    assert "app-password" not in repr(memory)


def test_expired_session() -> None:
    """A session that has run out is refreshed with its own token, and the post goes out."""
    net = network(PUT=[recorded("getSession expired token"), put_reply], REFRESH=recorded("refreshSession"))
    publish(net)
    assert [request.url.path.rpartition(".")[2] for request in net.requests] == [
        "createSession", "putRecord", "refreshSession", "putRecord",
    ]  # fmt: skip
    refresh = json.loads(RECORDED["createSession with app password"]["body"])["refreshJwt"]
    assert net.requests[2].headers["authorization"] == f"Bearer {refresh}"


@pytest.mark.parametrize("trouble", ["getSession invalid token", "getSession expired token"])
def test_useless_session(trouble: str) -> None:
    """A session that can't be refreshed is replaced by signing in again."""
    net = network(PUT=[recorded(trouble), put_reply], REFRESH=recorded("getSession expired token"))
    publish(net)
    assert len(net.sent("POST", LOGIN.split()[1])) == 2


def test_session_that_is_never_accepted() -> None:
    """Signing in again that doesn't help ends with a refused credential, not in a circle."""
    net = network(PUT=recorded("getSession expired token"), REFRESH=recorded("refreshSession"))
    assert type(refused(net)) is Unauthorized
    assert len(net.sent("POST", PUT.split()[1])) == 3


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (recorded("createSession wrong password"), Unauthorized, "Invalid identifier or password"),
        (recorded("createSession rate limited"), Unavailable, "Rate Limit Exceeded"),
        (answer(401, {"error": "AuthFactorTokenRequired"}), Unauthorized, "a code sent by e-mail"),
        (answer(401, {"error": "AccountTakedown"}), Rejected, "taken this account down"),
        (answer(401, text="<html>"), Unauthorized, "did not let us sign in"),
        (answer(503, {}), Unavailable, "answered 503"),
        (answer(200, {"did": DID}), Unavailable, "can't be read"),
    ],
)
def test_signing_in(reply: Any, kind: type, words: str) -> None:
    """What goes wrong at signing in is told apart, with a fix where a person can do something."""
    failure = refused(network(LOGIN=reply))
    assert type(failure) is kind
    assert words in failure.message
    assert kind is not Unauthorized or failure.fix
    if kind is Unavailable and failure.status == 429:
        assert failure.retry_at is None or failure.retry_at == datetime.fromtimestamp(1795310196, UTC)


@pytest.mark.parametrize(
    ("url", "endpoint", "host"),
    [
        ("https://bsky.social", "https://morel.us-east.host.bsky.network", "morel.us-east.host.bsky.network"),
        ("https://bsky.social", "http://insecure.example", "bsky.social"),
        ("http://127.0.0.1:2583", "https://localhost", "127.0.0.1"),
        ("http://[::1]:2583", "https://localhost", "::1"),
    ],
)
def test_the_server_behind_the_entryway(url: str, endpoint: str, host: str) -> None:
    """Posts go to the personal data server that the DID document names, never from https to http."""
    services = [
        {"id": "#lain", "serviceEndpoint": "https://lain.example"},
        {"id": "#atproto_pds", "serviceEndpoint": endpoint},
    ]
    body = json.loads(RECORDED["createSession with app password"]["body"]) | {"didDoc": {"service": services}}
    net = network(LOGIN=answer(200, body))
    publish(net, settings={"url": url, "handle": "alice.test", "password": "env:P"})
    assert net.requests[1].url.host == host


def test_read_back_and_delete() -> None:
    """A post is read back with text and alt texts; deleting it twice is harmless."""
    delete = "POST /xrpc/com.atproto.repo.deleteRecord"
    embed = {"$type": "app.bsky.embed.images", "images": [{"alt": "Poster", "image": {}}]}
    value = {"text": "Aksi", "createdAt": "2026-12-03T01:00:00.000Z", "embed": embed}
    net = network(GET=[answer(200, {"uri": receipt().id, "cid": CID, "value": value}), recorded("getRecord missing")])
    net.routes[delete] = [recorded("deleteRecord"), recorded("deleteRecord again (idempotent)")]
    out = ready(net)
    post = asyncio.run(PLATFORM.read_back(out, receipt()))
    assert post is not None
    assert (post.text, post.alts, post.created_at) == ("Aksi", ("Poster",), DUE)
    for _time in range(2):
        asyncio.run(PLATFORM.delete(out, receipt()))
    body = json_of(net.sent("POST", delete.split()[1])[0])
    assert faults(body, "com.atproto.repo.deleteRecord") == []
    assert body["rkey"] == "3lbj5yqk2s20a"
    others = replace(receipt(), id="at://did:plc:lain/app.bsky.feed.post/3lbj5yqk2s20a")
    with pytest.raises(Rejected, match="did:plc:lain"):  # the server would say that it is done
        asyncio.run(PLATFORM.delete(out, others))
    assert len(net.sent("POST", delete.split()[1])) == 2
    assert asyncio.run(PLATFORM.read_back(out, receipt())) is None
    net.routes[GET] = answer(200, {"uri": receipt().id, "cid": CID, "value": {"createdAt": "kemarin"}})
    post = asyncio.run(PLATFORM.read_back(out, receipt()))
    assert post is not None
    assert post.created_at is None


def token(scope: str) -> str:
    body = base64.urlsafe_b64encode(json.dumps({"scope": scope}).encode()).decode().rstrip("=")
    return f"x.{body}.y"


def test_check() -> None:
    """The check says who we are, and advises where the password or the handle could be better."""
    me = {"did": DID, "handle": "baru.test", "active": True}
    login = json.loads(RECORDED["createSession with app password"]["body"])
    net = network(SESSION=answer(200, me), LOGIN=answer(200, login | {"accessJwt": token("com.atproto.access")}))
    result = asyncio.run(PLATFORM.check(ready(net)))
    assert (result.identity, result.handle, result.url) == (DID, "@baru.test", "https://bsky.app/profile/baru.test")
    assert len(result.notes) == 2
    net = network(SESSION=answer(200, me | {"handle": "alice.test"}))
    assert asyncio.run(PLATFORM.check(ready(net))).notes == ()
    net = network(SESSION=answer(200, me | {"handle": "alice.test"}), LOGIN=answer(200, login | {"accessJwt": "rusak"}))
    assert asyncio.run(PLATFORM.check(ready(net))).notes == ()
    net = network(SESSION=answer(200, me | {"active": False, "status": "deactivated"}))
    failure = asyncio.run(failure_of(PLATFORM.check(ready(net))))
    assert failure.message == "This account is not active: deactivated."


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"ratelimit-remaining": "0", "ratelimit-reset": str(int(NOW.timestamp()) + 60)},
         (NOW + timedelta(seconds=60)).replace(microsecond=0)),
        ({"ratelimit-remaining": "3", "ratelimit-reset": "99999999999"}, None),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "1"}, None),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "1e99"}, None),
        ({"ratelimit-remaining": "0"}, None),
    ],
)  # fmt: skip
def test_pause(headers: dict[str, str], expected: datetime | None) -> None:
    """The account rests until the window opens again, when nothing of it remains."""
    assert PLATFORM.pause_until(headers, NOW) == expected


def test_measuring() -> None:
    """Both limits count: graphemes as readers see them, and bytes."""
    counts = PLATFORM.measure("🚩" * 300, PLATFORM.limits, media=0)
    assert [(count.used, count.limit) for count in counts] == [(300, 300), (1200, 3000)]
    assert PLATFORM.measure("👩‍👩‍👧‍👦" * 150, PLATFORM.limits, media=0)[1].over


def test_addresses() -> None:
    """Spellings of one account are equal; another server is another account."""

    def address(**settings: str) -> str:
        settings = {"password": "env:P", **settings}
        return PLATFORM.address(Account(name="a", platform="bluesky", settings=settings))

    assert address(handle="@Alice.Test") == address(handle="alice.test", url="https://BSKY.social/")
    assert address(handle="alice.test") == "bsky.social/@alice.test"
    assert address(handle="alice.test", url="http://127.0.0.1:8765") == "127.0.0.1:8765/@alice.test"


def test_permalink_of_a_broken_handle() -> None:
    """Where the handle doesn't work, the permalink names the DID."""
    login = json.loads(RECORDED["createSession with app password"]["body"]) | {"handle": "handle.invalid"}
    got = publish(network(LOGIN=answer(200, login)))
    assert got.url is not None
    assert got.url.startswith(f"https://bsky.app/profile/{DID}/post/")


def test_permalink_on_this_machine() -> None:
    """A server on this machine shows its own posts: bsky.app can't see them."""
    settings = {"url": "http://127.0.0.1:8765/bluesky/b", "handle": "alice.test", "password": "env:P"}
    net = Network(
        routes={
            LOGIN.replace("/xrpc", "/bluesky/b/xrpc"): recorded("createSession with app password"),
            PUT.replace("/xrpc", "/bluesky/b/xrpc"): put_reply,
        }
    )
    got = publish(net, settings=settings)
    assert got.url == f"http://127.0.0.1:8765/bluesky/b/profile/alice.test/post/{got.id.rpartition('/')[2]}"


def test_preview() -> None:
    """A preview runs the same code, with placeholders for what only the server can give."""
    recorder = RecordingTransport()
    publish(recorder, content=parts("Aksi @teman.test", media=[picture()]))
    assert [request.url.rpartition(".")[2] for request in recorder.requests] == [
        "createSession", "resolveHandle", "uploadBlob", "putRecord",
    ]  # fmt: skip
    body = recorder.requests[-1].json
    assert body["repo"] == "did:plc:{did}"
    assert body["record"]["embed"]["images"][0]["image"]["ref"] == {"$link": "{blob_1}"}
    assert [request.creating for request in recorder.requests] == [False, False, False, True]
