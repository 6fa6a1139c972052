"""TikTok's Content Posting API: how it is asked, who the account is, what became of a post.

https://developers.tiktok.com/doc/content-posting-api-get-started
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import field_validator

from campaign_cli.errors import Rejected
from campaign_cli.i18n import _
from campaign_cli.models import Account
from campaign_cli.platforms import base
from campaign_cli.platforms.addresses import WebAddress
from campaign_cli.platforms.answers import ask
from campaign_cli.platforms.base import Request, Session
from campaign_cli.platforms.tiktok_answers import data_of, errors
from campaign_cli.source.shapes import finding

LEVELS: Final[Mapping[str, str]] = {
    "public": "PUBLIC_TO_EVERYONE",
    "followers": "FOLLOWER_OF_CREATOR",
    "friends": "MUTUAL_FOLLOW_FRIENDS",
    "private": "SELF_ONLY",
}
"""Our words for who may see a post, and TikTok's."""

COMPLETE: Final = "PUBLISH_COMPLETE"
FAILED: Final = "FAILED"
_JSON: Final = "application/json; charset=UTF-8"
_NAME: Final = re.compile(r"@?([\w.]{2,24})", re.ASCII)


class Settings(base.Settings):
    """A user token with the scopes ``video.publish`` and ``user.info.basic``, and ``video.list`` to read posts back.

    ``handle`` (``@name``) guards against a mix-up. ``comments``, ``duets`` and ``stitches`` allow what the account
    allows. ``promotes`` declares an advertisement: ``own`` for the account's own cause, ``paid`` for somebody else's.
    ``ai_generated`` has TikTok label the videos so. A post's own fields of these names come first.
    """

    token: str
    handle: str | None = None
    comments: bool = True
    duets: bool = True
    stitches: bool = True
    promotes: Literal["own", "paid"] | None = None
    ai_generated: bool = False
    url: WebAddress = "https://open.tiktokapis.com"

    @field_validator("handle")
    @classmethod
    def _known_form(cls, value: str | None) -> str | None:
        """The name without ``@``."""
        match = None if value is None else _NAME.fullmatch(value)
        if value is not None and match is None:
            raise finding(
                "A004",
                _("This is not the name of an account on TikTok."),
                _("Write @name: 2 to 24 letters, digits, dots or underscores."),
            )
        return None if match is None else match[1]


@dataclass(frozen=True, kw_only=True, slots=True)
class Creator:
    """The account behind the token, and what it allows at the moment. ``seconds`` is how long a video may be."""

    username: str
    nickname: str
    levels: tuple[str, ...]
    comments: bool
    duets: bool
    stitches: bool
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """What became of a post: TikTok's own ``status``, why it failed, how many bytes have arrived (None: not told).

    The post's id is there only once a public post has been moderated.
    """

    status: str
    reason: str = ""
    arrived: int | None = None
    post_id: str = ""


def settings_of(account: Account) -> Settings:
    """The account's own keys. Raises pydantic.ValidationError."""
    return Settings.model_validate(dict(account.settings))


def call(session: Session, path: str, **members: Any) -> Request:
    """A POST of this account: ``path`` below the API's address, with the token; ``members`` as in Request."""
    headers = {"Authorization": f"Bearer {session.secret('token')}", "Content-Type": _JSON}
    return Request(
        method="POST",
        url=settings_of(session.account).url + path,
        headers=headers,
        errors=errors(session.now()),
        **members,
    )


async def creator(session: Session) -> Creator:
    """Who posts, and what TikTok allows: to be asked anew before each post.

    https://developers.tiktok.com/doc/content-posting-api-reference-query-creator-info
    """
    sample = {
        "error": {"code": "ok"},
        "data": {
            "creator_username": "{username}",
            "creator_nickname": "{nickname}",
            "privacy_level_options": list(LEVELS.values()),
            "max_video_post_duration_sec": 600,
        },
    }
    request = call(session, "/v2/post/publish/creator_info/query/", sample=sample)

    def read(body: Any) -> Creator:
        data = data_of(body)
        return Creator(
            username=str(data["creator_username"]),
            nickname=str(data.get("creator_nickname") or ""),
            levels=tuple(str(level) for level in data["privacy_level_options"]),
            comments=not data.get("comment_disabled"),
            duets=not data.get("duet_disabled"),
            stitches=not data.get("stitch_disabled"),
            seconds=float(data["max_video_post_duration_sec"]),
        )

    return await ask(session.http, request, read)


async def progress(session: Session, publish_id: str) -> Progress | None:
    """What became of a post; None where TikTok doesn't know it.

    https://developers.tiktok.com/doc/content-posting-api-reference-get-video-status
    """
    sample = {"error": {"code": "ok"}, "data": {"status": COMPLETE, "publicaly_available_post_id": ["{post_id}"]}}
    request = call(session, "/v2/post/publish/status/fetch/", json={"publish_id": publish_id}, sample=sample)
    try:
        return await ask(session.http, request, _progress_of)
    except Rejected as error:
        if error.code != "invalid_publish_id":
            raise
        return None


def _progress_of(body: Any) -> Progress:
    data = data_of(body)
    ids = data.get("publicaly_available_post_id") or data.get("publicly_available_post_id") or ()
    return Progress(
        status=str(data["status"]),
        reason=str(data.get("fail_reason") or ""),
        arrived=int(data["uploaded_bytes"]) if data.get("uploaded_bytes") is not None else None,
        post_id=str(next(iter(ids), "")),
    )


async def video(session: Session, post_id: str) -> Mapping[str, Any] | None:
    """An own post with its words and numbers, or None where there is none that TikTok shows.

    https://developers.tiktok.com/doc/tiktok-api-v2-video-query
    """
    names = "id,create_time,title,video_description,share_url,like_count,comment_count,share_count,view_count"
    request = call(session, "/v2/video/query/", query={"fields": names}, json={"filters": {"video_ids": [post_id]}})

    def read(body: Any) -> Mapping[str, Any] | None:
        found = [each for each in data_of(body)["videos"] if str(each["id"]) == post_id]
        return found[0] if found else None

    return await ask(session.http, request, read)
