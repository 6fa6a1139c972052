"""What X says: its JSON shapes, its problem documents, its short links.

Shapes of X's OpenAPI 2.167; docs.x.com/x-api/fundamentals/response-codes-and-errors.
"""

from __future__ import annotations

import html
import unicodedata
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from campaign_cli.platforms.weighted import url_spans
from campaign_cli.stage.network import Refusal, rate_headers
from campaign_cli.stage.state import StageAccount, StageMedia, StagePost, Window

PROBLEMS: Final = "https://api.x.com/2/problems/"
_EPOCH: Final = 1_288_834_974_657  # milliseconds: X's ids count from here


def problem(
    status: int, title: str, detail: str, *, kind: str = "", headers: Mapping[str, str] | None = None
) -> Refusal:
    """A problem document as an answer."""
    body = {"title": title, "detail": detail, "type": PROBLEMS + kind if kind else "about:blank", "status": status}
    return Refusal(status, body, headers=headers)


def forbidden(detail: str) -> Refusal:
    """A 403 whose words alone say why."""
    return problem(403, "Forbidden", detail)


def invalid(detail: str) -> Refusal:
    """A 400."""
    return problem(400, "Invalid Request", detail, kind="invalid-request")


def absent(kind: str, identifier: str) -> dict[str, Any]:
    """What stands under ``errors`` in the place of data that isn't there."""
    return {
        "title": "Not Found Error",
        "detail": f"Could not find {kind} with id: [{identifier}].",
        "type": PROBLEMS + "resource-not-found",
        "resource_type": kind,
        "resource_id": identifier,
        "parameter": "id",
        "value": identifier,
    }


def windows(name: str, window: Window) -> dict[str, str]:
    """A window's three headers; ``name`` is ``x-rate-limit`` or one of the day's."""
    return dict(zip((f"{name}-limit", f"{name}-remaining", f"{name}-reset"), rate_headers(window), strict=True))


def post_id(now: datetime, number: int) -> str:
    """Milliseconds since X's epoch and a running number: later posts have larger ids."""
    return str(((int(now.timestamp() * 1000) - _EPOCH) << 22) | (number & 0x3FFFFF))


def user_id(account: StageAccount) -> str:
    """The account's id, always the same."""
    return str(1_000_000_000 + zlib.crc32(account.name.encode()))


def user_json(account: StageAccount) -> dict[str, Any]:
    """The account."""
    return {"id": user_id(account), "name": account.name, "username": account.user}


def media_json(media: StageMedia, address: str) -> dict[str, Any]:
    """A picture of a post."""
    size = {"width": media.width, "height": media.height}
    return {
        "media_key": media_key(media),
        "type": "video" if media.mime.startswith("video/") else "photo",
        "url": address,
        **size,
    } | ({"alt_text": media.alt} if media.alt else {})


def media_key(media: StageMedia) -> str:
    """X's second name of a file."""
    return f"{7 if media.mime.startswith('video/') else 3}_{media.id}"


def upload_json(media: StageMedia) -> dict[str, Any]:
    """An upload, with what is still done with it."""
    data = {"id": media.id, "media_key": media_key(media), "size": media.size, "expires_after_secs": 86_400}
    if media.polls:
        data["processing_info"] = {"state": "pending", "check_after_secs": 1}
    return {"data": data}


def post_json(post: StagePost, account: StageAccount, *, first: str) -> dict[str, Any]:
    """A post with every field that is played; ``first`` is the first post of its thread."""
    text, links = _shortened(post, account)
    shown: dict[str, Any] = {
        "id": post.id,
        "text": text,
        "edit_history_post_ids": [post.id],
        "created_at": post.at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{post.at.microsecond // 1000:03d}Z",
        "conversation_id": first,
    }
    if links:
        shown["entities"] = {"urls": links}
    if post.media:
        shown["attachments"] = {"media_keys": [media_key(media) for media in post.media]}
    if post.reply_to:
        shown["referenced_posts"] = [{"type": "replied_to", "id": post.reply_to}]
    return shown


def only(shown: Mapping[str, Any], wanted: Callable[[str], bool]) -> dict[str, Any]:
    """The fields that always come, and those that were asked for."""
    always = ("id", "text", "edit_history_post_ids")
    return {name: value for name, value in shown.items() if name in always or wanted(name)}


def _shortened(post: StagePost, account: StageAccount) -> tuple[str, list[dict[str, Any]]]:
    """The text as X gives it back, and its links."""
    text = unicodedata.normalize("NFC", post.text)
    pieces: list[str] = []
    links: list[dict[str, Any]] = []

    def link(whole: str, **more: Any) -> None:
        short = f"https://t.co/{zlib.crc32(f'{post.id} {len(links)}'.encode()):010d}"
        start = len("".join(pieces))
        pieces.append(short)
        links.append({"start": start, "end": start + len(short), "url": short, "expanded_url": whole, **more})

    done = 0
    for span in url_spans(text):
        pieces.append(html.escape(text[done : span.start], quote=False))
        link(span.value if "://" in span.value else f"http://{span.value}/")
        done = span.end
    pieces.append(html.escape(text[done:], quote=False))
    if post.media:
        pieces.append(" " if text else "")
        kind = "video" if post.media[0].mime.startswith("video/") else "photo"
        whole = f"https://x.com/{account.user}/status/{post.id}/{kind}/1"
        for media in post.media[:1]:
            link(whole, media_key=media_key(media))
    return "".join(pieces), links
