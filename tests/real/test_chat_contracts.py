"""What the Discord and Slack adapters send, held against the whole official specifications.

They are read from ``CAMPAIGN_CONTRACTS`` or ``../shared/contracts``; small extracts are part of the ordinary tests.
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest
from chat_specification import Checked, discord_check, extract, slack_check
from platform_helpers import NOW, answer, parts, picture, sending

from campaign_cli import platforms

PROJECT = Path(__file__).resolve().parents[2]
CONTRACTS = Path(os.environ.get("CAMPAIGN_CONTRACTS") or PROJECT.parent / "shared" / "contracts")
DISCORD = CONTRACTS / "discord/openapi.json"
SLACK = CONTRACTS / "slack/slack_web_openapi_v2_without_examples.json"
HOOK = "/api/v10/webhooks/123/rahasia"
MESSAGE = {"id": "17", "channel_id": "55"}
TS = "1796259605.000200"

pytestmark = pytest.mark.skipif(
    not (DISCORD.is_file() and SLACK.is_file()), reason="the specifications are not here; CAMPAIGN_CONTRACTS names them"
)


async def everything(name: str, through: Any, **more: Any) -> None:
    """All that an adapter can ask: a thread with pictures and native fields, look-up, reading, finding, deleting."""
    adapter = platforms.get(name)
    content = parts("**Upah** layak", "dua", media=[picture(), picture(alt="")])
    item = sending(adapter, through, content=content, native={"silent": True, "link_preview": False}, **more)
    first = await adapter.publish(item)
    item.part, item.earlier = 1, (first,)
    second = await adapter.publish(item)
    await adapter.look_up(item, NOW)
    item.part = 0
    await adapter.look_up(item, NOW)
    for receipt in (first, second):
        await adapter.read_back(item, receipt)
        await adapter.find(item, str(receipt.url))
        await adapter.delete(item, receipt)
    await adapter.check(item)


@pytest.mark.parametrize("thread", [None, "99"])
def test_discord_is_asked_nothing_that_it_does_not_know(thread: str | None) -> None:
    """Every path, argument and field is in the whole specification, with the right type and within its bounds."""
    specification = json.loads(DISCORD.read_text(encoding="utf-8"))
    through = Checked(
        check=discord_check(specification),
        routes={
            f"POST {HOOK}": answer(200, MESSAGE),
            f"GET {HOOK}": answer(200, {"id": "123", "guild_id": "77", "channel_id": "55", "name": "Serikat"}),
            f"GET {HOOK}/messages/17": answer(200, MESSAGE),
            f"DELETE {HOOK}/messages/17": httpx.Response(204),
        },
    )
    settings = {"webhook": "env:D"} | ({"thread": thread} if thread else {})
    secret = "https://discord.com/api/webhooks/123/rahasia"
    asyncio.run(everything("discord", through, settings=settings, secrets={"webhook": secret}))
    assert {(request.method, request.url.path) for request in through.requests} == {
        tuple(route.split(" ")) for route in through.routes
    }


def test_slack_is_asked_nothing_that_it_does_not_know() -> None:
    """Every argument is in the archived specification, or among what is known to be newer."""
    ok: dict[str, Any] = {"ok": True}
    link = f"https://x.slack.com/archives/C0123/p{TS.replace('.', '')}"
    pages = answer(200, ok | {"messages": [{"ts": TS, "user": "U1", "text": ""}]})
    answers: dict[str, Any] = {
        "POST auth.test": answer(200, ok | {"user_id": "U1"}),
        "POST files.getUploadURLExternal": answer(
            200, ok | {"file_id": "F1", "upload_url": "https://a.example/upload/v1/x"}
        ),
        "POST files.completeUploadExternal": answer(200, ok | {"files": []}),
        "GET files.info": answer(200, ok | {"file": {"mimetype": "image/png"}}),
        "POST chat.postMessage": answer(200, ok | {"ts": TS, "channel": "C0123"}),
        "GET chat.getPermalink": answer(200, ok | {"permalink": link}),
        "GET conversations.history": pages,
        "GET conversations.replies": pages,
        "GET conversations.info": answer(200, ok | {"channel": {"name": "umum", "is_member": True}}),
        "POST chat.delete": answer(200, ok),
    }
    routes = {route.replace(" ", " /api/"): reply for route, reply in answers.items()}
    routes["POST /upload/v1/x"] = answer(200, text="OK")
    through = Checked(check=slack_check(json.loads(SLACK.read_text(encoding="utf-8"))), routes=routes)
    settings = {"channel": "C0123", "token": "env:S"}
    asyncio.run(everything("slack", through, settings=settings, secrets={"token": "xoxb-1"}))
    assert {f"{request.method} {request.url.path}" for request in through.requests} == set(routes)


@pytest.mark.parametrize(("network", "whole"), [("discord", DISCORD), ("slack", SLACK)])
def test_the_extracts_are_parts_of_the_whole(network: str, whole: Path) -> None:
    """Whatever the extract beside the ordinary tests says stands in the specification word for word."""
    assert lacking(extract(network), json.loads(whole.read_text(encoding="utf-8"))) == []


def lacking(part: Any, whole: Any, path: str = "") -> list[str]:
    """Where a part says something that the whole does not."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return [one for key, value in part.items() for one in lacking(value, whole.get(key), f"{path}/{key}")]
    if isinstance(part, list) and isinstance(whole, list) and len(part) == len(whole):
        return [one for number, value in enumerate(part) for one in lacking(value, whole[number], f"{path}/{number}")]
    return [] if part == whole else [path]
