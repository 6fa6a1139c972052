"""The YouTube Data API v3: how it is asked, whose channel it is, what that channel has uploaded.

https://developers.google.com/youtube/v3/docs
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import field_validator

from campaign_cli.errors import Rejected
from campaign_cli.i18n import _
from campaign_cli.models import Account
from campaign_cli.platforms import base
from campaign_cli.platforms.addresses import WebAddress
from campaign_cli.platforms.answers import ask, instant
from campaign_cli.platforms.base import Request, Session
from campaign_cli.platforms.youtube_answers import errors
from campaign_cli.source.shapes import finding

PAGE: Final = 50  # uploads of one page, the most that YouTube gives
_CHANNEL: Final = "youtube.channel"  # in Session.memory: the channel behind the token
_NAME: Final = re.compile(r"@[\w.·-]{3,30}|UC[\w-]{22}")


class Settings(base.Settings):
    """A user token with the scope ``youtube.force-ssl``.

    ``channel`` (``@handle`` or ``UC…``) guards against a mix-up. ``category`` is a number of YouTube's
    (29: nonprofits and activism); ``made_for_kids`` is what the law has the uploader declare.
    """

    token: str
    channel: str | None = None
    category: str | None = None
    made_for_kids: bool = False
    url: WebAddress = "https://www.googleapis.com"

    @field_validator("category", mode="before")
    @classmethod
    def _number(cls, value: object) -> str | None:
        """A category's number; YAML reads it as one."""
        if value is not None and not str(value).isdecimal():
            raise finding(
                "A004",
                _("This is not the number of a category on YouTube."),
                _("Write a number, such as 29 (nonprofits and activism), or leave it out."),
            )
        return None if value is None else str(value)

    @field_validator("channel")
    @classmethod
    def _known_form(cls, value: str | None) -> str | None:
        if value is not None and _NAME.fullmatch(value) is None:
            raise finding(
                "A004",
                _("This is not the name of a channel on YouTube."),
                _('Write "@name" as the channel\'s page shows it, or its ID, which begins with UC.'),
            )
        return value


def settings_of(account: Account) -> Settings:
    """The account's own keys. Raises pydantic.ValidationError."""
    return Settings.model_validate(dict(account.settings))


def authorized(session: Session) -> dict[str, str]:
    """The headers that prove who asks."""
    return {"Authorization": f"Bearer {session.secret('token')}"}


def call(session: Session, method: str, path: str, **members: Any) -> Request:
    """A request of this account: ``path`` below the API's address, with the token; ``members`` as in Request."""
    headers = {**authorized(session), **members.pop("headers", {})}
    members.setdefault("errors", errors(session.now()))
    return Request(method=method, url=settings_of(session.account).url + path, headers=headers, **members)


async def channel(session: Session) -> Mapping[str, Any]:
    """The channel behind the token: ``id``, ``title``, ``handle``, ``uploads`` (a playlist), ``long`` (whether videos
    over 15 minutes are allowed, "" where YouTube doesn't say). Asked once for each process.

    Raises Rejected where the Google account has none. https://developers.google.com/youtube/v3/docs/channels/list
    """
    if _CHANNEL not in session.memory:
        query = {"part": "snippet,contentDetails,status", "mine": "true"}
        found = await ask(session.http, call(session, "GET", "/youtube/v3/channels", query=query), _channel_of)
        if found is None:
            raise Rejected(
                _("This Google account has no channel on YouTube."),
                fix=_("Sign in to YouTube with this account and make a channel."),
            )
        session.memory[_CHANNEL] = found
    known: Mapping[str, Any] = session.memory[_CHANNEL]
    return known


def _channel_of(body: Any) -> Mapping[str, Any] | None:
    """The first channel of a list; None for a list of none. Raises KeyError for what is no list of channels."""
    if not body.get("items"):
        if body["kind"] != "youtube#channelListResponse":
            raise KeyError("items")
        return None
    item = body["items"][0]
    return {
        "id": str(item["id"]),
        "title": str(item["snippet"]["title"]),
        "handle": str(item["snippet"].get("customUrl") or ""),
        "uploads": str(item["contentDetails"]["relatedPlaylists"]["uploads"]),
        "long": str((item.get("status") or {}).get("longUploadsStatus") or ""),
    }


async def page_of(session: Session, playlist: str, *, token: str = "", size: int = PAGE) -> Mapping[str, Any]:
    """Uploads of the own channel, newest first: ``items`` (id, title, description, at, privacy) and ``next``.

    A channel without uploads has no such playlist. https://developers.google.com/youtube/v3/docs/playlistItems/list
    """
    query = {"part": "snippet,contentDetails,status", "playlistId": playlist, "maxResults": str(size)}
    query |= {"pageToken": token} if token else {}
    request = call(session, "GET", "/youtube/v3/playlistItems", query=query)
    try:
        return await ask(session.http, request, _page_of)
    except Rejected as error:
        if error.code != "playlistNotFound":
            raise
        return {"items": [], "next": ""}


def _page_of(body: Any) -> Mapping[str, Any]:
    items = [
        {
            "id": str(each["contentDetails"]["videoId"]),
            "title": str(each["snippet"]["title"]),
            "description": str(each["snippet"]["description"]),
            "at": instant(each["snippet"]["publishedAt"]),
            "privacy": str((each.get("status") or {}).get("privacyStatus") or ""),
        }
        for each in body["items"]
    ]
    return {"items": items, "next": str(body.get("nextPageToken") or "")}


async def video(session: Session, identifier: str) -> Mapping[str, Any] | None:
    """One video with its words, state and numbers, or None where it is gone.

    https://developers.google.com/youtube/v3/docs/videos/list
    """
    query = {"part": "snippet,status,statistics", "id": identifier}

    def read(body: Any) -> Mapping[str, Any] | None:
        found = [each for each in body["items"] if str(each["id"]) == identifier]
        if found:
            uploaded_at(found[0])
            str(found[0]["snippet"]["title"] + found[0]["snippet"]["channelId"])
        return found[0] if found else None

    return await ask(session.http, call(session, "GET", "/youtube/v3/videos", query=query), read)


def uploaded_at(item: Mapping[str, Any]) -> datetime | None:
    """When a video was uploaded (aware). Raises ValueError where that can't be read."""
    at = (item.get("snippet") or {}).get("publishedAt")
    return instant(str(at)) if at else None
