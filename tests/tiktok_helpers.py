"""A scripted TikTok that takes no request which the pages of the Content Posting API don't know."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from chat_specification import Checked
from platform_helpers import CONTENT, Reply, answer, json_of, sending, video

from campaign_cli.models import Part, Picture
from campaign_cli.platforms.tiktok import platform

TOKEN = "act.contoh-token-rahasia"
SETTINGS = {"token": "env:TIKTOK_TOKEN", "handle": "@fsp.contoh"}
PUBLISH_ID = "v_pub_file~v2-1.123456789"
SECRET = "Xza123-rahasia"
UPLOAD = f"https://open-upload.tiktokapis.com/video/?upload_id=67890&upload_token={SECRET}"
POST = "7512345678901234567"
INFO = "/v2/post/publish/creator_info/query/"
INIT = "/v2/post/publish/video/init/"
PHOTO = "/v2/post/publish/content/init/"
STATUS = "/v2/post/publish/status/fetch/"
KNOWN: Mapping[str, Any] = json.loads((Path(__file__).parent / "data/tiktok/requests.json").read_text(encoding="utf-8"))
_TYPES = {"text": str, "flag": bool, "number": int, "list": list}


def tiktok(*replies: Reply, **more: Any) -> Checked:
    """A network with these answers in order; who posts is answered as often as it is asked."""
    return Checked(check=check_known, replies=list(replies), routes={f"POST {INFO}": creator(**more)})


def check_known(request: httpx.Request) -> None:
    """Only addresses, parameters and keys that the pages name, with values of their kind; the token in its header."""
    if request.method == "PUT":
        assert "authorization" not in request.headers, "the token is not for that address"
        assert request.headers["content-type"] in KNOWN["upload"]["Content-Type"]
        assert int(request.headers["content-length"]) == len(request.content)
        return
    known = KNOWN["requests"][request.url.path]
    assert request.method == "POST"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["content-type"] == "application/json; charset=UTF-8"
    assert set(request.url.params) <= set(known.get("query", ()))
    for name in request.url.params.get("fields", "").split(","):
        assert not name or name in KNOWN["video"], name
    body = json_of(request) if request.content else {}
    for name, value in _leaves(body):
        rule = known["body"][name]
        assert value in rule if isinstance(rule, list) else isinstance(value, _TYPES[rule]), (name, value)
    assert set(known.get("needed", ())) <= {name for name, _value in _leaves(body)}


def _leaves(value: Any, path: str = "") -> list[tuple[str, Any]]:
    if not isinstance(value, dict):
        return [(path, value)]
    return [leaf for name, inner in value.items() for leaf in _leaves(inner, f"{path}.{name}".lstrip("."))]


def on_its_way(network: Any, *, addresses: Mapping[str, str] | None = None, **more: Any) -> Any:
    """One post on its way to TikTok; ``addresses``: where the media of these names can be fetched."""
    more.setdefault("settings", SETTINGS)
    more.setdefault("content", (Part(text=CONTENT[0].text, media=(video(),)),))
    item = sending(platform, network, secrets={"token": TOKEN}, **more)

    async def public_url(wanted: Picture) -> str:
        return (addresses or {})[wanted.name]

    if addresses is not None:
        item.public_url = public_url
    return item


def good(**data: Any) -> Reply:
    """A good answer."""
    return answer(200, {"data": data, "error": {"code": "ok", "message": "", "log_id": "1"}})


def refused(status: int, code: str, message: str = "Katanya begini", **headers: str) -> Reply:
    """A refusal; ``headers`` with ``_`` for ``-``."""
    body = {"error": {"code": code, "message": message, "log_id": "1"}}
    return answer(status, body, headers={name.replace("_", "-"): value for name, value in headers.items()})


def creator(**more: Any) -> Reply:
    """Who posts, and what is allowed."""
    data = {
        "creator_username": "fsp.contoh",
        "creator_nickname": "FSP Contoh",
        "privacy_level_options": ["PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY"],
        "comment_disabled": False,
        "duet_disabled": False,
        "stitch_disabled": True,
        "max_video_post_duration_sec": 300,
    }
    return good(**data | more)


def begun(identifier: str = PUBLISH_ID) -> Reply:
    """A video has begun."""
    return good(publish_id=identifier, upload_url=UPLOAD)


def piece(status: int = 201) -> Reply:
    """A piece has arrived: 206 where more are wanted."""
    return httpx.Response(status)


def state(status: str = "PUBLISH_COMPLETE", **more: Any) -> Reply:
    """What became of a post."""
    return good(status=status, **more)


def out(*ids: int) -> Reply:
    """It is out, with the post's own number."""
    return state(publicaly_available_post_id=list(ids or (int(POST),)))
