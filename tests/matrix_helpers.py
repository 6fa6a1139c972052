"""A homeserver for the tests of the Matrix adapter: scripted, and strict by the specification."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

from chat_specification import Checked
from matrix_specification import extract, matrix_check
from platform_helpers import NOW, PNG, answer, sending

from campaign_cli.models import Receipt
from campaign_cli.platforms.base import Sending
from campaign_cli.platforms.matrix import platform

TOKEN = "syt_rahasia_sekali"
ROOM = "!balai:contoh.example"
SETTINGS = {"url": "https://matrix.example", "room": ROOM, "token": "env:MATRIX_TOKEN"}
ME = {"user_id": "@kampanye:contoh.example", "device_id": "PERANGKAT1", "is_guest": False}
V3 = "/_matrix/client/v3"
INSIDE = f"{V3}/rooms/{ROOM}"
SEND = f"{INSIDE}/send/m.room.message"
KEY = "0123456789abcdef0123456789abcdef01234567"
MISSING = {"errcode": "M_NOT_FOUND", "error": "Event not found."}
SPECIFICATION = extract()
RECEIPT = Receipt(part=0, id="$t", url=None, at=NOW, extra={"room": ROOM, "events": ["$g"]})


def network(**routes: Any) -> Checked:
    """A homeserver: every request is held against the specification; events are numbered as they come."""
    known: dict[str, Any] = {
        f"GET {V3}/account/whoami": answer(200, ME),
        f"GET {INSIDE}/state/m.room.encryption/": answer(404, MISSING),
        "POST /_matrix/media/v3/upload": [answer(200, {"content_uri": f"mxc://contoh.example/{n}"}) for n in "abc"],
        **{f"PUT {SEND}/{KEY}.{number}": answer(200, {"event_id": f"$acara{number}"}) for number in range(3)},
        **{route.replace("_", " ", 1): reply for route, reply in routes.items()},
    }
    return Checked(check=matrix_check(SPECIFICATION), routes=known)


def on_its_way(through: Any, **more: Any) -> Sending:
    more.setdefault("settings", SETTINGS)
    return sending(platform, through, secrets={"token": TOKEN}, **more)


def event(identifier: str, content: dict[str, Any], *, at: datetime = NOW, transaction: str | None = None) -> Any:
    """A message of the account as the server shows it."""
    return {
        "event_id": identifier,
        "type": "m.room.message",
        "sender": ME["user_id"],
        "room_id": ROOM,
        "origin_server_ts": int(at.timestamp() * 1000),
        "content": content,
        "unsigned": {"transaction_id": transaction} if transaction else {},
    }


def text(words: str = "Upah layak adalah hak.") -> dict[str, Any]:
    return {"msgtype": "m.text", "body": words, "m.mentions": {}}


def image(alt: str = "Poster aksi", url: str = "mxc://contoh.example/lain") -> dict[str, Any]:
    info = {"mimetype": "image/png", "size": len(PNG), "w": 1200, "h": 675}
    return {"msgtype": "m.image", "body": alt, "filename": "poster.png", "url": url, "info": info, "m.mentions": {}}


def page(*events: Any, end: str = "") -> Any:
    return answer(200, {"start": "t0", "chunk": list(events)} | ({"end": end} if end else {}))


def looked_up(through: Any, *, since: timedelta = timedelta(minutes=5), **more: Any) -> tuple[Any, Sending]:
    item = on_its_way(through, **more)
    return asyncio.run(platform.look_up(item, NOW - since)), item


def room(**states: Any) -> Checked:
    """A room with these states."""
    known = {
        f"m.room.member/{ME['user_id']}": {"membership": "join"},
        "m.room.power_levels/": {"users_default": 0, "events_default": 0},
        "m.room.name/": {"name": "Balai"},
    }
    names = ("m.room.encryption/", "m.room.canonical_alias/", "m.room.create/", *known)
    found = {name: (known | states).get(name) for name in names}
    routes = {
        f"GET_{INSIDE}/state/{name}": answer(404, MISSING) if content is None else answer(200, content)
        for name, content in found.items()
    }
    return network(
        **routes,
        **{"GET_/_matrix/client/v1/media/config": answer(200, {"m.upload.size": 1_000_000})},
    )
