"""A scripted YouTube that takes no request which its discovery document doesn't know."""

from __future__ import annotations

from typing import Any

import httpx
from chat_specification import Checked
from discovery_specification import discovery_check, extract
from platform_helpers import CONTENT, NOW, Reply, answer, sending, video

from campaign_cli.models import Part
from campaign_cli.platforms.youtube import platform

TOKEN = "ya29.contoh-token-rahasia"
SETTINGS = {"token": "env:YOUTUBE_TOKEN", "channel": "@fsp_contoh"}
UPLOAD = "/upload/youtube/v3/videos"
SECRET = "AEnB2Ur-rahasia-sesi"
SESSION = f"https://www.googleapis.com{UPLOAD}?uploadType=resumable&upload_id={SECRET}"
VIDEO = "dQw4w9WgXcQ"
CHANNEL = "UC0123456789abcdefghijkl"
UPLOADS = "UU0123456789abcdefghijkl"
AT = NOW.isoformat().replace("+00:00", "Z")


def youtube(*replies: Reply, **routes: Any) -> Checked:
    """A network with these answers in order; ``channels`` and ``uploads`` answer as often as they are asked."""
    known: dict[str, Any] = {"GET /youtube/v3/channels": channels()}
    known |= {f"GET /youtube/v3/{name}": reply for name, reply in routes.items()}
    return Checked(check=discovery_check(extract()), replies=list(replies), routes=known)


def on_its_way(network: Any, **more: Any) -> Any:
    """One video on its way to YouTube."""
    more.setdefault("settings", SETTINGS)
    more.setdefault("content", furnished())
    return sending(platform, network, secrets={"token": TOKEN}, **more)


def furnished(text: str = CONTENT[0].text, content: bytes | None = None) -> tuple[Part, ...]:
    """A text with a video."""
    return (Part(text=text, media=(video(content) if content else video(),)),)


def begun(address: str = SESSION) -> Reply:
    """YouTube's answer to the beginning of an upload."""
    return httpx.Response(200, headers={"location": address})


def arrived(count: int) -> Reply:
    """So many bytes are there, and more are wanted."""
    return httpx.Response(308, headers={"range": f"bytes=0-{count - 1}"} if count else {})


def done(privacy: str = "public", **status: str) -> Reply:
    """The upload is complete: the video."""
    return answer(200, resource(privacy=privacy, **status))


def resource(identifier: str = VIDEO, *, privacy: str = "public", channel: str = CHANNEL, **status: Any) -> Any:
    """A video."""
    return {
        "kind": "youtube#video",
        "id": identifier,
        "snippet": {
            "publishedAt": AT,
            "channelId": channel,
            "title": "Upah layak adalah hak.",
            "description": "Upah layak adalah hak.",
        },
        "status": {"uploadStatus": "uploaded", "privacyStatus": privacy, **status},
    }


def problem(status: int, reason: str, message: str = "Nope", **headers: str) -> Reply:
    """An error of Google's; ``headers`` with ``_`` for ``-``."""
    errors = [{"domain": "youtube.video", "reason": reason, "message": message}]
    body = {"error": {"code": status, "message": message, "errors": errors}}
    return answer(status, body, headers={name.replace("_", "-"): value for name, value in headers.items()})


def channels(**more: Any) -> Reply:
    """The channel behind the token."""
    item = {
        "kind": "youtube#channel",
        "id": CHANNEL,
        "snippet": {"title": "FSP Contoh", "customUrl": "@fsp_contoh"},
        "contentDetails": {"relatedPlaylists": {"uploads": UPLOADS}},
        "status": more,
    }
    return answer(200, {"kind": "youtube#channelListResponse", "items": [item]})


def item(identifier: str, *, title: str = "Upah layak adalah hak.", at: str = AT, privacy: str = "public") -> Any:
    """A video in the playlist of uploads."""
    return {
        "kind": "youtube#playlistItem",
        "snippet": {"publishedAt": at, "title": title, "description": "Upah layak adalah hak."},
        "contentDetails": {"videoId": identifier},
        "status": {"privacyStatus": privacy},
    }


def page(*items: Any, token: str = "") -> Reply:
    """A page of uploads."""
    body: dict[str, Any] = {"kind": "youtube#playlistItemListResponse", "items": list(items)}
    return answer(200, body | ({"nextPageToken": token} if token else {}))


def videos(*items: Any) -> Reply:
    """A list of videos."""
    return answer(200, {"kind": "youtube#videoListResponse", "items": list(items)})
