"""What Facebook says: its JSON shapes, its error object, its usage headers.

Fields of Meta's own specifications (Page, PagePost, Photo, Comment, AdVideo).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from campaign_cli.stage import graph_shapes
from campaign_cli.stage.network import Refusal
from campaign_cli.stage.state import StageAccount, StageMedia, StagePost, Window

SITE: Final = "https://www.facebook.com"
SCOPES: Final = (
    *("pages_show_list", "pages_read_engagement", "pages_manage_posts"),
    *("pages_manage_engagement", "public_profile"),
)


def refusal(
    status: int,
    code: int,
    message: str,
    *,
    subcode: int = 0,
    transient: bool = False,
    headers: Mapping[str, str] | None = None,
) -> Refusal:
    """Meta's error object as an answer."""
    return graph_shapes.refusal(
        status, code, f"(#{code}) {message}", subcode=subcode, transient=transient, headers=headers
    )


def invalid(message: str, *, subcode: int = 0) -> Refusal:
    """A parameter that Facebook doesn't take."""
    return refusal(400, 100, message, subcode=subcode)


def absent(identifier: str) -> Refusal:
    """No such object."""
    return invalid(
        f"Unsupported request. Object with ID '{identifier}' does not exist, cannot be loaded due to missing "
        "permissions, or does not support this operation",
        subcode=33,
    )


def usage(page: str, *, share: float, seconds: float) -> dict[str, str]:
    """X-Business-Use-Case-Usage: the share (per cent) of the calls that are used up, and the minutes to wait."""
    row = {
        "type": "pages",
        "call_count": int(share),
        "total_cputime": 0,
        "total_time": 0,
        "estimated_time_to_regain_access": math.ceil(seconds / 60),
    }
    return {"X-Business-Use-Case-Usage": json.dumps({page: [row]})}


def too_many(page: str, *, seconds: float) -> Refusal:
    """Too many calls for a page: a 400 with its code, and the waiting time in a header."""
    headers = usage(page, share=100, seconds=seconds)
    return refusal(400, 80001, "There have been too many calls to this Page account.", headers=headers)


def usage_of(page: str, window: Window, *, now: datetime) -> dict[str, str]:
    """The usage header of a window; there is a time to wait once it is used up."""
    share = 100 * (window.limit - window.remaining) / window.limit
    return usage(page, share=share, seconds=(window.reset - now).total_seconds() if window.refused else 0)


def page_json(account: StageAccount) -> dict[str, Any]:
    """The page."""
    return {
        "id": account.user,
        "name": account.name,
        "username": None,
        "link": f"{SITE}/{account.user}",
        "is_published": True,
    }


def token_json(account: StageAccount) -> dict[str, Any]:
    """What /debug_token says of the page's token."""
    return {
        "data": {
            "app_id": "100000000000",
            "type": "PAGE",
            "application": "Panggung",
            "expires_at": 0,
            "data_access_expires_at": 0,
            "is_valid": True,
            "profile_id": account.user,
            "scopes": list(SCOPES),
        }
    }


def photo_json(media: StageMedia) -> dict[str, Any]:
    """A photo."""
    return {"id": media.id, "alt_text_custom": media.alt or None, "width": media.width, "height": media.height}


def post_json(post: StagePost, account: StageAccount, *, comments: int) -> dict[str, Any]:
    """A post of the page."""
    return _common(post, account) | {
        "attachments": _attachments(post),
        "shares": None,
        "reactions": _counted(0),
        "comments": _counted(comments),
        "is_published": True,
    }


def comment_json(post: StagePost, account: StageAccount) -> dict[str, Any]:
    """A comment."""
    attachment = [_shown(media) for media in post.media]
    return _common(post, account) | {
        "attachment": attachment[0] if attachment else None,
        "like_count": 0,
        "comment_count": 0,
    }


def video_json(identifier: str, account: StageAccount, *, post: StagePost | None, comments: int) -> dict[str, Any]:
    """A video: published with a post, or still on its way."""
    out = post is not None
    return {
        "id": identifier,
        "description": (post.text or None) if post else None,
        "created_time": instant(post.at) if post else None,
        "permalink_url": f"/{account.user}/videos/{identifier}/",
        "from": {"id": account.user, "name": account.name},
        "views": 0,
        "likes": _counted(0),
        "comments": _counted(comments),
        "status": {
            "video_status": "ready" if out else "uploading",
            "uploading_phase": {"status": "complete" if out else "in_progress"},
            "publishing_phase": {"status": "complete", "publish_status": "published"}
            if out
            else {"status": "not_started"},
        },
    }


def listed(rows: Iterable[Mapping[str, Any]], *, following: str) -> dict[str, Any]:
    """A page of a list; ``following`` is the address of the next one, with the token in it as Meta gives it."""
    data = [dict(row) for row in rows]
    paging = {"cursors": {"before": "awal", "after": "akhir"}} | ({"next": following} if following else {})
    return {"data": data} | ({"paging": paging} if data else {})


def instant(at: datetime) -> str:
    """As Graph writes it: whole seconds, ``+0000``."""
    return at.strftime("%Y-%m-%dT%H:%M:%S+0000")


def _common(post: StagePost, account: StageAccount) -> dict[str, Any]:
    return {
        "id": post.id,
        "message": post.text or None,
        "created_time": instant(post.at),
        "permalink_url": SITE + post.data["permalink"],
        "from": {"id": account.user, "name": account.name},
    }


def _attachments(post: StagePost) -> dict[str, Any] | None:
    """One photo stands alone, several stand in an album."""
    if not post.media:
        link = post.data.get("link")
        return (
            {"data": [{"media_type": "link", "type": "share", "unshimmed_url": link, "target": {"url": link}}]}
            if link
            else None
        )
    photos = [_shown(media) for media in post.media]
    if len(photos) == 1:
        return {"data": photos}
    return {"data": [{"media_type": "album", "target": {"id": post.id}, "subattachments": {"data": photos}}]}


def _shown(media: StageMedia) -> dict[str, Any]:
    return {"media_type": "photo", "type": "photo", "target": {"id": media.id, "url": f"{SITE}/photo?fbid={media.id}"}}


def _counted(count: int) -> dict[str, Any]:
    return {"data": [], "summary": {"total_count": count}}
