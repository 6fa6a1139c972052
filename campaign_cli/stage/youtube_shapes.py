"""What YouTube says: its resources and its errors.

Shapes of the Data API's discovery document (youtube v3); developers.google.com/youtube/v3/docs/errors.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from campaign_cli.stage.network import Refusal
from campaign_cli.stage.state import StageAccount, StagePost


def problem(status: int, reason: str, message: str, *, headers: Mapping[str, str] | None = None) -> Refusal:
    """An error as all of Google's APIs give it."""
    errors = [{"message": message, "domain": "youtube.common", "reason": reason}]
    return Refusal(status, {"error": {"code": status, "message": message, "errors": errors}}, headers=headers)


def video_id(number: int) -> str:
    """Eleven letters, digits, ``-`` and ``_``."""
    return base64.urlsafe_b64encode((number * 0x9E3779B97F4A7C15 % 2**64).to_bytes(8)).decode().rstrip("=")


def channel_id(account: StageAccount) -> str:
    """The channel's id, always the same."""
    return f"UC{zlib.crc32(account.name.encode()):022d}"


def playlist_id(account: StageAccount) -> str:
    """The playlist of a channel's uploads."""
    return f"UU{channel_id(account)[2:]}"


def instant(post: StagePost) -> str:
    """As Google writes instants."""
    return post.at.isoformat().replace("+00:00", "Z")


def video_json(post: StagePost, account: StageAccount, parts: Sequence[str]) -> dict[str, Any]:
    """A video with the parts that were asked for."""
    data = post.data
    upload = "uploaded" if data["polls"] else "processed"
    whole = {
        "snippet": {
            **data["snippet"],
            "publishedAt": instant(post),
            "channelId": channel_id(account),
            "channelTitle": account.user,
            "liveBroadcastContent": "none",
        },
        "status": {**data["status"], "privacyStatus": post.visibility, "uploadStatus": upload},
        "statistics": {"viewCount": "12", "likeCount": "3", "favoriteCount": "0", "commentCount": "1"},
        "processingDetails": {"processingStatus": "processing" if data["polls"] else "succeeded"},
    }
    return {"kind": "youtube#video", "id": post.id, **{part: whole[part] for part in parts if part in whole}}


def item_json(post: StagePost, account: StageAccount, *, position: int) -> dict[str, Any]:
    """A video as an item of the playlist of uploads."""
    return {
        "kind": "youtube#playlistItem",
        "id": f"PLI-{post.id}",
        "snippet": {
            "publishedAt": instant(post),
            "channelId": channel_id(account),
            "title": post.title,
            "description": post.text,
            "playlistId": playlist_id(account),
            "position": position,
            "resourceId": {"kind": "youtube#video", "videoId": post.id},
        },
        "contentDetails": {"videoId": post.id, "videoPublishedAt": instant(post)},
        "status": {"privacyStatus": post.visibility},
    }


def channel_json(account: StageAccount) -> dict[str, Any]:
    """The account's channel."""
    handle = account.user if account.user.startswith("@") else f"@{account.name}"
    return {
        "kind": "youtube#channel",
        "id": channel_id(account),
        "snippet": {"title": account.name, "description": "", "customUrl": handle.lower()},
        "contentDetails": {"relatedPlaylists": {"likes": "", "uploads": playlist_id(account)}},
        "status": {"privacyStatus": "public", "isLinked": True, "longUploadsStatus": "eligible"},
    }


def page_json(kind: str, items: Sequence[Mapping[str, Any]], *, total: int, token: str = "") -> dict[str, Any]:
    """A page of a list."""
    page: dict[str, Any] = {"kind": kind, "items": list(items)}
    page |= {"nextPageToken": token} if token else {}
    return page | {"pageInfo": {"totalResults": total, "resultsPerPage": len(items)}}
