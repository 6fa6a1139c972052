"""The whole Matrix specification against our requests and the extract of the ordinary tests; and answers of a Synapse.

They are read from ``CAMPAIGN_CONTRACTS`` or ``../shared/contracts``.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import jsonschema
import pytest
from chat_specification import Checked
from matrix_helpers import ME, ROOM, SETTINGS, TOKEN, network, text
from matrix_specification import USED, answer_schema, extract, matrix_check, part_of, whole
from platform_helpers import NOW, Network, failure_of, parts, picture, sending

from campaign_cli.errors import Rejected, Unauthorized
from campaign_cli.models import Receipt
from campaign_cli.platforms.matrix import platform

PROJECT = Path(__file__).resolve().parents[2]
CONTRACTS = Path(os.environ.get("CAMPAIGN_CONTRACTS") or PROJECT.parent / "shared" / "contracts")
RECORDED = CONTRACTS / "recorded-local/matrix-synapse-1.163.2.jsonl"

pytestmark = pytest.mark.skipif(
    not (CONTRACTS / "matrix").is_dir() or not RECORDED.is_file(),
    reason="the specification and the recorded answers are not here; CAMPAIGN_CONTRACTS names their folder",
)


@pytest.fixture(scope="module")
def specification() -> dict[str, Any]:
    """All of its files."""
    return whole(CONTRACTS / "matrix")


def test_the_extract_is_a_part_of_the_whole(specification: dict[str, Any]) -> None:
    """Whatever lies beside the ordinary tests says what the specification says, word for word."""
    assert extract() == json.loads(json.dumps(part_of(specification)))


def test_the_server_is_asked_nothing_that_it_does_not_know(specification: dict[str, Any]) -> None:
    """All that the adapter can ask: every address, argument and field is in the whole specification."""
    alias = "#kantor:contoh.example"
    found: dict[str, Any] = {
        r"GET .*/account/whoami": ME,
        r"GET .*/directory/room/.*": {"room_id": ROOM},
        r"GET .*/state/m.room.member/.*": {"membership": "join"},
        r"GET .*/messages": {"start": "a", "chunk": []},
        r"GET .*/event/.*": {"event_id": "$t", "sender": ME["user_id"], "origin_server_ts": 1, "content": text()},
        r"GET .*/relations/.*": {"chunk": []},
        r"GET .*/media/v3/config": {"m.upload.size": 5},
        r"POST .*/upload": {"content_uri": "mxc://contoh.example/a"},
        r"PUT .*": {"event_id": "$t"},
    }

    def answered(request: httpx.Request) -> httpx.Response:
        route = f"{request.method} {request.url.path}"
        for pattern, body in found.items():
            if re.fullmatch(pattern, route):
                return httpx.Response(200, json=body)
        return httpx.Response(404, json={"errcode": "M_NOT_FOUND", "error": "Not found"})

    class Everything(Checked):
        def __call__(self, request: httpx.Request) -> httpx.Response:
            self.replies = [answered]
            return super().__call__(request)

    through = Everything(check=matrix_check(specification))
    film = replace(picture(mime="video/mp4"), seconds=3.5)
    content = parts("**Upah** layak", "dua", media=[picture(), film])
    item = sending(platform, through, settings={**SETTINGS, "room": alias}, secrets={"token": TOKEN}, content=content)

    async def everything() -> None:
        first = await platform.publish(item)
        item.part, item.earlier, steps = 1, (first,), dict(item.steps)
        item.steps.clear()
        second = await platform.publish(item)
        item.steps.clear()
        await platform.look_up(item, NOW)
        item.steps.update(steps)
        for receipt in (first, second):
            await platform.read_back(item, receipt)
            assert await platform.find(item, str(receipt.url)) is not None
            await platform.delete(item, receipt)
        await platform.check(item)

    asyncio.run(everything())
    asked = {answer_name(request) for request in through.requests}
    assert asked == set(USED)


def answer_name(request: httpx.Request) -> str:
    """Which operation of those that are used a request was."""
    path = request.url.raw_path.decode().partition("?")[0]
    for name in USED:
        method, template = name.split(" ")
        if method == request.method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]*", template), path):
            return name
    raise AssertionError(path)


# --- recorded answers of a Synapse


def exchanges() -> dict[str, dict[str, Any]]:
    lines = [json.loads(line) for line in RECORDED.read_text(encoding="utf-8").splitlines()]
    return {line["label"]: line for line in lines}


def replayed(*labels: str) -> Network:
    """The recorded answers, each to its own method and path."""
    routes: dict[str, Any] = {}
    for label in labels:
        asked, answered = exchanges()[label]["request"], exchanges()[label]["response"]
        reply = httpx.Response(answered["status"], content=answered["body"].encode())
        routes[f"{asked['method']} {unquote(httpx.URL(asked['url']).path)}"] = reply
    return Network(routes=routes)


def room_and_event() -> tuple[str, str]:
    path = unquote(httpx.URL(exchanges()["get event"]["request"]["url"]).path).split("/")
    return path[5], path[7]


def on_its_way(through: Network, **more: Any) -> Any:
    settings = {"url": "http://127.0.0.1:8008", "room": room_and_event()[0], "token": "env:T"}
    return sending(platform, through, settings=settings, secrets={"token": "contoh"}, **more)


def test_recorded_answers_have_the_shape_of_the_specification(specification: dict[str, Any]) -> None:
    """Every good answer that was recorded to a request that we make fits its schema."""
    checked = 0
    for exchange in exchanges().values():
        request = httpx.Request(exchange["request"]["method"], exchange["request"]["url"])
        if exchange["response"]["status"] == 200:
            schema = answer_schema(specification, request)
            jsonschema.Draft202012Validator(dict(schema)).validate(json.loads(exchange["response"]["body"]))
            checked += 1
    assert checked >= 10


def test_a_recorded_event_reads_back_and_a_redacted_one_is_gone() -> None:
    """What Synapse showed before and after the redaction."""
    room, event = room_and_event()
    receipt = Receipt(part=0, id=event, url=None, at=NOW, extra={"room": room})
    through = replayed("get event")
    through.routes[f"GET /_matrix/client/v1/rooms/{room}/relations/{event}/m.annotation"] = httpx.Response(404)
    shown = asyncio.run(platform.read_back(on_its_way(through), receipt))
    assert shown is not None
    assert (shown.text, shown.id) == ("hi", event)
    assert asyncio.run(platform.read_back(on_its_way(replayed("redacted event")), receipt)) is None


def test_recorded_messages_are_searched() -> None:
    """A picture that Synapse showed among its messages is found by its transaction id."""
    through = replayed("messages")
    (page,) = [json.loads(exchanges()["messages"]["response"]["body"])]
    event = next(one for one in page["chunk"] if one["content"].get("msgtype") == "m.image")
    me = {"user_id": event["sender"], "device_id": "A"}
    through.routes["GET /_matrix/client/v3/account/whoami"] = httpx.Response(200, json=me)
    body = re.sub(r'"txn2"', '"kunci.0"', exchanges()["messages"]["response"]["body"])
    route = f"GET {unquote(httpx.URL(exchanges()['messages']['request']['url']).path)}"
    through.routes[route] = [httpx.Response(200, content=body.encode()), httpx.Response(200, json={"chunk": []})]
    item = on_its_way(through, key="kunci", content=parts("", media=[picture()]))
    look = asyncio.run(platform.look_up(item, platform_start(event)))
    assert [found.receipt.id for found in look.found] == [event["event_id"]]


def platform_start(event: dict[str, Any]) -> Any:
    return NOW.fromtimestamp(event["origin_server_ts"] / 1000 - 60, NOW.tzinfo)


@pytest.mark.parametrize(
    ("label", "kind", "code"),
    [
        ("bad token", Unauthorized, "M_UNKNOWN_TOKEN"),
        ("no token", Unauthorized, "M_MISSING_TOKEN"),
        ("not in room", Rejected, "M_FORBIDDEN"),
        ("too large", Rejected, "M_TOO_LARGE"),
    ],
)
def test_recorded_refusals_are_understood(label: str, kind: type, code: str) -> None:
    """Synapse's own refusals, as answers to an event."""
    answered = exchanges()[label]["response"]
    through = network()
    sent = f"PUT /_matrix/client/v3/rooms/{ROOM}/send/m.room.message/0123456789abcdef0123456789abcdef01234567.0"
    through.routes[sent] = httpx.Response(answered["status"], content=answered["body"].encode())
    item = sending(platform, through, settings=SETTINGS, secrets={"token": TOKEN})
    failure = asyncio.run(failure_of(platform.publish(item)))
    assert isinstance(failure, kind)
    assert failure.code == code
