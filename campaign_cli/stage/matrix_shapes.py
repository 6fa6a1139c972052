"""What a Matrix homeserver says: its JSON shapes and errors, and what people read of an event."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from datetime import datetime
from html import unescape
from typing import Any, Final

from campaign_cli.stage.network import Refusal
from campaign_cli.stage.state import StageAccount, StagePost, StageState

EVENT_BYTES: Final = 62_000  # of the content; the server's own members need the rest of the 65,536
UPLOAD_BYTES: Final = 50 * 1024 * 1024
_TAG: Final = re.compile(r"<[^>]+>")


def refusal(status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> Refusal:
    """A standard error."""
    return Refusal(status, {"errcode": code, "error": message, **more}, headers=headers)


def seen(content: Mapping[str, Any]) -> str:
    """What people read of a text: the formatted body where there is one."""
    if content.get("format") != "org.matrix.custom.html":
        return str(content["body"])
    return unescape(_TAG.sub("", str(content["formatted_body"]).replace("<br>", "\n")))


def user_of(account: StageAccount) -> str:
    """The account's Matrix ID."""
    return f"@{re.sub('[^a-z0-9._=/-]', '_', account.name.lower())}:stage.example"


def room_of(account: StageAccount) -> str:
    """The room's ID; an alias stands for one."""
    if account.user.startswith("!"):
        return account.user
    return f"!{zlib.crc32(account.user.encode()):08x}:stage.example"


def device_of(token: str) -> str:
    """The device that a token belongs to."""
    return f"{zlib.crc32(token.encode()):08X}"


def state_of(account: StageAccount, kind: str, key: str) -> dict[str, Any] | None:
    """One state of the room. ``role`` is encrypted, or reader for who may not write."""
    states: dict[tuple[str, str], dict[str, Any]] = {
        ("m.room.member", user_of(account)): {"membership": "join", "displayname": account.name},
        ("m.room.power_levels", ""): {"users_default": 0, "events_default": 50 if account.role == "reader" else 0},
        ("m.room.create", ""): {"sender": "@admin:stage.example", "content": {"room_version": "11"}},
        ("m.room.name", ""): {"name": account.name},
    }
    if account.role == "encrypted":
        states["m.room.encryption", ""] = {"algorithm": "m.megolm.v1.aes-sha2"}
    return states.get((kind, key))


def events_of(state: StageState, account: StageAccount) -> list[tuple[StagePost, dict[str, Any]]]:
    """The events of an account, redacted ones too, oldest first."""
    found = [(post, event) for post in state.posts if post.account == account.name for event in post.data["events"]]
    return sorted(found, key=lambda item: str(item[1]["id"]))


def event_json(account: StageAccount, post: StagePost, event: Mapping[str, Any]) -> dict[str, Any]:
    """An event as its own device sees it."""
    unsigned: dict[str, Any] = {"transaction_id": event["transaction"], "membership": "join"}
    return {
        "event_id": event["id"],
        "type": "m.room.message",
        "sender": user_of(account),
        "room_id": room_of(account),
        "origin_server_ts": int(datetime.fromisoformat(event["at"]).timestamp() * 1000),
        "content": event["content"],
        "unsigned": unsigned,
    }
