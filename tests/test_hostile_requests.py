"""The stage and requests that nobody should send: each is answered, nothing grows without end, no page breaks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from fuzz.conversations import Answered, Asked, Table, account_of, table
from fuzz.guards import at_most, writing_nothing

from campaign_cli.stage.containers import content_at
from campaign_cli.stage.network import fields
from campaign_cli.stage.reading import LARGEST, Bounded, Malformed, json_of
from campaign_cli.stage.server import StageServer
from campaign_cli.stage.state import StagePost
from tests.stage_helpers import Clock, png

JSON = (b"content-type", b"application/json")


@pytest.fixture
def stage() -> Iterator[Table]:
    """A stage without sockets, with an account of every network."""
    with table() as made, writing_nothing():
        yield made


def ask(stage: Table, method: str, path: str, *, query: str = "", body: Any = b"", headers: Any = (JSON,)) -> Answered:
    """One answer, within ten seconds of work."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    asked = Asked(method=method, path=path.encode(), query=query.encode(), headers=tuple(headers), body=content)
    with at_most(10):
        return asyncio.run(stage.ask(asked))


def signed_in(platform: str, *, scheme: str = "Bearer") -> tuple[tuple[bytes, bytes], ...]:
    """The headers of somebody who may."""
    secret = account_of(platform)[1]["token"]
    return (JSON, (b"authorization", f"{scheme} {secret}".encode()))


def nothing_broke(stage: Table) -> None:
    """What people and programs look at is still there."""
    for path, query in (("/", ""), ("/_stage/posts", "all=true"), ("/_stage/requests", "")):
        assert ask(stage, "GET", path, query=query).status == 200


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b"null",
            b"[]",
            b"{",
            b"\xff\xfe",
            b"[" * 99_000,
            b'{"status": "a", "x": ' + b"[" * 300 + b"]" * 300 + b"}",
        ),
        *(b'{"status": "a", "language": NaN}', b'{"status": "a", "x": 1e999}', b'{"status": "\\ud83d"}'),
        *(b'{"status": "a", "x": 99999999999999999999999}', b'{"status": "a", "media_ids": 5}', b"9" * 9_000),
        *(b'{"status": "a", "media_ids": [[]]}', b'{"status": "a", "in_reply_to_id": {"a": [1]}}'),
    ],
)
def test_a_body_that_is_none_is_a_bad_request(stage: Table, body: bytes) -> None:
    """No JSON, no object, too deep, numbers that are none, half a sign: refused, and nothing of it is kept."""
    answered = ask(stage, "POST", "/mastodon/nasional/api/v1/statuses", body=body, headers=signed_in("mastodon"))
    assert 400 <= answered.status < 500
    assert stage.app.state.posts == []
    nothing_broke(stage)


@pytest.mark.parametrize(
    ("platform", "method", "path", "more"),
    [
        ("nationbuilder", "GET", "/api/v1/sites/contoh/pages/blogs/13/posts", {"query": "limit=javascript"}),
        ("nationbuilder", "GET", "/api/v1/sites/contoh/pages/blogs/13/posts", {"query": "__token="}),
        ("slack", "GET", "/api/conversations.history", {"query": "channel=C0CONTOH01&oldest=x"}),
        ("slack", "GET", "/api/conversations.history", {"query": "channel=C0CONTOH01&cursor=%E2%80%AEabc"}),
        ("threads", "GET", "/v1.0/me/threads", {"query": "fields=id&after=1e400"}),
        ("tiktok", "POST", "/v2/video/query/", {"body": {"filters": "x"}}),
        ("tiktok", "POST", "/v2/post/publish/video/init/", {"body": {"source_info": 5}}),
        ("x", "POST", "/2/tweets", {"body": {"text": "a", "reply": "x"}}),
        ("matrix", "GET", "/_matrix/client/v3/rooms/!balai:matrix.example/messages", {"query": "filter=[1]&dir=b"}),
    ],
)
def test_another_shape_than_the_documented_one_is_a_bad_request(
    stage: Table, platform: str, method: str, path: str, more: dict[str, Any]
) -> None:
    """Words where numbers belong, numbers where objects belong: 400, or the network's own refusal."""
    root = account_of(platform)[0]
    answered = ask(stage, method, root + path, headers=signed_in(platform), **more)
    assert 400 <= answered.status < 500
    nothing_broke(stage)


def test_a_bad_request_tells_where_it_was_met(stage: Table) -> None:
    """So that a fault of the stage's own is seen for what it is."""
    root = account_of("nationbuilder")[0]
    path = f"{root}/api/v1/sites/contoh/pages/blogs/13/posts"
    answered = ask(stage, "GET", path, query="limit=x", headers=signed_in("nationbuilder"))
    assert b"ValueError (listed, line" in answered.body


@pytest.mark.parametrize("circle", [1, 2])
def test_posts_that_answer_each_other_in_a_circle_are_shown(stage: Table, circle: int) -> None:
    """Also one that answers itself: its page ends."""
    state = stage.app.state
    for number in range(circle):
        state.add_post(
            StagePost(
                number=number,
                account="situs",
                platform="webhook",
                id=str(number),
                path=f"/webhook/situs/messages/{number}",
                text=f"Kabar {number}",
                at=state.now(),
                reply_to=str((number + 1) % circle),
            )
        )
    page = ask(stage, "GET", "/webhook/situs/messages/0")
    assert page.status == 200
    assert page.body.count(b"Kabar 0") == 1
    assert [post.id for post in state.above(state.posts[0])] == [str(number) for number in range(1, circle)]


def test_a_long_thread_ends(stage: Table) -> None:
    """A message tells what it answers, and not what that answers in turn."""
    token, path = account_of("telegram")[1]["token"], account_of("telegram")[0]
    said: dict[str, Any] = {}
    for number in range(1_100):
        stage.clock.move(seconds=2)
        body = {"chat_id": "@contoh_papua", "text": f"Bagian {number}"}
        if said:
            body["reply_parameters"] = {"message_id": said["message_id"]}  # type: ignore[assignment]
        answered = ask(stage, "POST", f"{path}/bot{token}/sendMessage", body=body)
        assert answered.status == 200, answered.body
        said = json.loads(answered.body)["result"]
    assert "reply_to_message" not in said["reply_to_message"]


def test_no_request_is_read_without_end(stage: Table) -> None:
    """A path and a body beyond all use are refused, whether the size is announced or not."""
    assert ask(stage, "GET", "/" + "9" * 5_000).status == 414
    assert ask(stage, "GET", "/nationbuilder/warta/api/v1/sites/a/pages/blogs/" + "9" * 4_999).status == 414
    large = (JSON, (b"content-length", str(LARGEST + 1).encode()))
    assert ask(stage, "POST", "/mastodon/nasional/api/v1/statuses", headers=large).status == 413


def test_a_body_that_goes_on_and_on_is_cut_off() -> None:
    """It is counted as it comes, and nobody waits for its end."""
    taken: list[int] = []
    sent: list[Any] = []

    async def drain(_scope: Any, receive: Any, _send: Any) -> None:
        while True:
            taken.append(len((await receive())["body"]))

    async def endless() -> Any:
        return {"type": "http.request", "body": bytes(2**24), "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": "/", "headers": [], "method": "POST"}
    asyncio.run(Bounded(drain)(scope, endless, send))
    assert sent[0]["status"] == 413
    assert sum(taken) <= LARGEST


def test_sorts_of_requests_are_counted_together_beyond_some_thousand(stage: Table) -> None:
    """Paths that are made up fill no memory, and no request is lost from the count."""
    state = stage.app.state
    for number in range(9_000):
        state.count("nasional", f"GET /{number}")
    assert len(state.requests) < 5_000
    assert state.requests.total() == 9_000


def test_codes_that_nobody_trades_are_forgotten(stage: Table) -> None:
    """A page that is opened a thousand times keeps the latest codes alone."""
    path, query = account_of("linkedin")[0], "response_type=code&client_id=kami&redirect_uri=http://127.0.0.1:9/"

    def code() -> str:
        led = ask(stage, "GET", f"{path}/oauth/v2/authorization", query=query).header(b"location")
        return led.partition("code=")[2].partition("&")[0]

    codes = [code() for _time in range(1_001)]

    def traded(code: str) -> int:
        form = f"grant_type=authorization_code&client_id=kami&redirect_uri=http://127.0.0.1:9/&code={code}"
        kind = ((b"content-type", b"application/x-www-form-urlencoded"),)
        return ask(stage, "POST", f"{path}/oauth/v2/accessToken", body=form.encode(), headers=kind).status

    assert [traded(codes[0]), traded(codes[-1])] == [400, 200]


@pytest.mark.parametrize("body", [b'{"lifetime": 1e999}', b'{"lifetime": 1e300}', b'{"reuse_seconds": 1e12}'])
def test_lifetimes_without_end_are_refused(stage: Table, body: bytes) -> None:
    """The rules stay as they were and can still be shown."""
    assert ask(stage, "POST", "/_stage/oauth", body=body).status == 422
    assert json.loads(ask(stage, "GET", "/_stage/oauth").body)["rules"]["lifetime"] == 7200


def test_orders_to_misbehave_are_bounded(stage: Table) -> None:
    """The thousand and first is refused until some are deleted."""
    answers = [ask(stage, "POST", "/_stage/misbehave", body={"kind": "503"}).status for _time in range(1_001)]
    assert answers == [200] * 1_000 + [422]
    assert ask(stage, "DELETE", "/_stage/misbehave").status == 200
    assert ask(stage, "POST", "/_stage/misbehave", body={"kind": "503"}).status == 200


def test_pieces_are_no_more_than_was_announced(stage: Table) -> None:
    """Of a video on X: what does not fit is refused when it comes, and not kept."""
    root, headers = account_of("x")[0], signed_in("x")
    wanted = {"media_type": "video/mp4", "total_bytes": 10, "media_category": "tweet_video"}
    begun = ask(stage, "POST", f"{root}/2/media/upload/initialize", body=wanted, headers=headers)
    path = f"{root}/2/media/upload/{json.loads(begun.body)['data']['id']}/append"

    def append(number: int, size: int) -> int:
        head = f'--x\r\nContent-Disposition: form-data; name="segment_index"\r\n\r\n{number}\r\n--x\r\n'
        head += 'Content-Disposition: form-data; name="media"; filename="../../x"\r\n\r\n'
        kind = ((b"content-type", b"multipart/form-data; boundary=x"), headers[1])
        return ask(stage, "POST", path, body=head.encode() + b"v" * size + b"\r\n--x--\r\n", headers=kind).status

    assert [append(0, 6), append(1, 5), append(0, 7), append(1, 4), append(1, 3)] == [200, 400, 200, 400, 200]


def test_a_video_is_no_larger_than_it_said(stage: Table) -> None:
    """On Instagram, too: bytes beyond the announced ones are refused and not kept."""
    root, headers = account_of("instagram")[0], signed_in("instagram")
    own = json.loads(ask(stage, "GET", f"{root}/v25.0/me", query="fields=id", headers=headers).body)["id"]
    made = ask(
        stage,
        "POST",
        f"{root}/v25.0/{own}/media",
        body=b'{"media_type": "REELS", "upload_type": "resumable"}',
        headers=headers,
    )
    assert made.status == 200, made.body
    path = json.loads(made.body)["uri"].partition("4711")[2]

    def upload(offset: int, size: int) -> int:
        place = ((b"file_size", b"10"), (b"offset", str(offset).encode()))
        return ask(stage, "POST", path, body=b"v" * size, headers=(*headers, *place)).status

    assert [upload(0, 6), upload(6, 5), upload(6, 3)] == [200, 400, 200]


def test_a_file_runs_no_script_in_the_stages_name(stage: Table) -> None:
    """A receiver may be sent an SVG; whoever opens it sees a picture and nothing else."""
    stage.app.state.files["a"] = ("image/svg+xml", b"<svg onload='alert(1)'/>")
    shown = ask(stage, "GET", "/_stage/media/a")
    assert "sandbox" in shown.header(b"content-security-policy")


def test_what_is_fetched_has_a_bound() -> None:
    """A file that is larger is none."""
    with StageServer(clock=Clock().now) as server:
        content = png()
        server.state.files["a"] = ("image/png", content)
        address = f"{server.url}/_stage/media/a"
        assert asyncio.run(content_at(address, largest=len(content))) == content
        assert asyncio.run(content_at(address, largest=len(content) - 1)) is None


def test_words_of_a_form_are_whole_signs() -> None:
    """A part that claims an odd encoding can't bring in what no answer could repeat."""
    from starlette.requests import Request

    part = b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\n\\ud83d\r\n--x--\r\n'
    kind = b"multipart/form-data; boundary=x; charset=unicode_escape"
    bodies: Sequence[dict[str, Any]] = [{"type": "http.request", "body": part, "more_body": False}]
    waiting = iter(bodies)

    async def receive() -> Any:
        return next(waiting)

    request = Request({"type": "http", "method": "POST", "headers": [(b"content-type", kind)]}, receive)
    with pytest.raises(Malformed):
        asyncio.run(fields(request))


def test_sound_json_is_read_as_it_is() -> None:
    """The bounds cost no honest message anything."""
    value = {"a": [1, -(2**63), 1.5, None, True, "👩🏽‍🏭 \u202e"], "b": {"c": "x" * 100_000}}
    assert json_of(json.dumps(value)) == value
