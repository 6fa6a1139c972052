"""What TikTok says: its JSON shapes and error codes, as the pages of the Content Posting API show them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from campaign_cli.platforms.text import utf16_length
from campaign_cli.platforms.tiktok_api import LEVELS
from campaign_cli.stage.network import Refusal
from campaign_cli.stage.state import StageAccount, StagePost

CHUNK: Final = (5_000_000, 64 * 1024 * 1024, 128 * 1024 * 1024)  # smallest, largest, largest last
_FLAGS: Final = {"disable_comment": bool, "brand_content_toggle": bool, "brand_organic_toggle": bool}
_VIDEO: Final = {
    **_FLAGS,
    **{"title": str, "privacy_level": str, "disable_duet": bool, "disable_stitch": bool, "is_aigc": bool},
    "video_cover_timestamp_ms": int,
}
_PHOTO: Final = {**_FLAGS, "title": str, "description": str, "privacy_level": str, "auto_add_music": bool}
_FILE: Final = {"source": str, "video_size": int, "chunk_size": int, "total_chunk_count": int}
_PULLED: Final = {"source": str, "photo_images": list, "photo_cover_index": int}
_KINDS: Final = {"media_type": str, "post_mode": str}
_LENGTHS: Final = {False: {"title": 2_200}, True: {"title": 90, "description": 4_000}}


def good(data: Mapping[str, Any]) -> dict[str, Any]:
    """A good answer."""
    return {"data": dict(data), "error": {"code": "ok", "message": "", "log_id": "20261203080005STAGE"}}


def refusal(status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> Refusal:
    """A refusal."""
    error = {"code": code, "message": message, "log_id": "20261203080005STAGE"}
    return Refusal(status, {"data": {}, "error": error}, headers=headers)


def invalid(message: str) -> Refusal:
    """400 for what the request holds."""
    return refusal(400, "invalid_param", message)


def creator(account: StageAccount) -> dict[str, Any]:
    """The account, and what it allows; one that is ``private`` has followers in the place of everybody."""
    first = "FOLLOWER_OF_CREATOR" if account.role == "private" else "PUBLIC_TO_EVERYONE"
    return {
        "creator_avatar_url": "",
        "creator_username": account.user,
        "creator_nickname": account.name,
        "privacy_level_options": [first, "MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY"],
        "comment_disabled": False,
        "duet_disabled": account.role == "private",
        "stitch_disabled": account.role == "private",
        "max_video_post_duration_sec": 600,
    }


def check_body(body: Mapping[str, Any], *, photo: bool) -> None:
    """Keys, types and lengths of a beginning. Raises Refusal."""
    _known(body, {"post_info": dict, "source_info": dict, **(_KINDS if photo else {})}, "")
    info, source = body.get("post_info") or {}, body.get("source_info") or {}
    _known(info, _PHOTO if photo else _VIDEO, "post_info")
    _known(source, _PULLED if photo else _FILE, "source_info")
    if photo and (body.get("media_type"), body.get("post_mode")) != ("PHOTO", "DIRECT_POST"):
        raise invalid("media_type or post_mode is invalid")
    for name, limit in _LENGTHS[photo].items():
        if utf16_length(str(info.get(name) or "")) > limit:
            raise invalid(f"{name} is too long")
    if info.get("privacy_level") not in LEVELS.values():
        raise refusal(403, "privacy_level_option_mismatch", "privacy_level is not among privacy_level_options")
    if source.get("source") != ("PULL_FROM_URL" if photo else "FILE_UPLOAD"):
        raise invalid("source is invalid")
    if photo and not 1 <= len(source.get("photo_images") or ()) <= 35:
        raise invalid("photo_images must hold 1 to 35 addresses")


def check_pieces(source: Mapping[str, Any]) -> None:
    """Whether the pieces that are announced are those that TikTok takes. Raises Refusal."""
    size, chunk, count = (int(source.get(name) or 0) for name in ("video_size", "chunk_size", "total_chunk_count"))
    smallest, largest, last = CHUNK
    whole = count == 1 and chunk == size and size <= largest
    pieces = smallest <= chunk <= largest and count == size // chunk <= 1000 and size - (count - 1) * chunk <= last
    if size < 1 or not (whole or (size >= smallest and pieces)):
        raise invalid("The chunk size or the total chunk count is invalid")


def _known(values: Mapping[str, Any], known: Mapping[str, type], where: str) -> None:
    for name, value in values.items():
        if name not in known or not isinstance(value, known[name]):
            raise invalid(f"{where}.{name} is not known, or of the wrong type")


def video_json(post: StagePost, names: list[str]) -> dict[str, Any]:
    """An own post, with the fields that were asked for."""
    whole = {
        "id": post.id,
        "create_time": int(post.at.timestamp()),
        "title": post.title or post.text,
        "video_description": post.text,
        "share_url": post.data["share_url"],
        "like_count": 3,
        "comment_count": 1,
        "share_count": 0,
        "view_count": 12,
    }
    unknown = set(names) - set(whole)
    if unknown:
        raise invalid(f"Fields are invalid: {sorted(unknown)}")
    return {name: whole[name] for name in names}


def digest_of(address: str) -> str:
    """The file of the stage that an address leads to; "" for any other."""
    match = re.search(r"/_stage/media/([0-9a-f]{64})$", address)
    return match[1] if match else ""
