"""The X API v2: how it is asked, who the token belongs to, what an account has posted.

https://docs.x.com/x-api/introduction · /x-api/posts/timelines/introduction
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import field_validator

from campaign_cli.i18n import _
from campaign_cli.models import Account
from campaign_cli.platforms import base
from campaign_cli.platforms.addresses import WebAddress
from campaign_cli.platforms.answers import ask, instant, read_json
from campaign_cli.platforms.base import Request, Session
from campaign_cli.platforms.x_answers import errors
from campaign_cli.source.shapes import finding

PAGE: Final = 100  # posts of one page, the most that X gives
POST_FIELDS: Final = "attachments,conversation_id,created_at,entities,note_post"
GONE: Final = (200, 404)
_USER: Final = "x.user"  # in Session.memory: id and name of the account
_NAME: Final = re.compile(r"@?(\w{1,15})", re.ASCII)


class Settings(base.Settings):
    """A user token with the scopes ``tweet.read tweet.write users.read media.write``.

    ``handle`` (``@name``) guards against a mix-up, and makes permalinks that show it.
    """

    token: str
    handle: str | None = None
    url: WebAddress = "https://api.x.com"

    @field_validator("handle")
    @classmethod
    def _known_form(cls, value: str | None) -> str | None:
        """The name without ``@``."""
        if value is None:
            return None
        match = _NAME.fullmatch(value)
        if match is None:
            raise finding(
                "A004",
                _("This is not the name of an account on X."),
                _("Write @name: up to 15 letters, digits or underscores."),
            )
        return match[1]


def settings_of(account: Account) -> Settings:
    """The account's own keys. Raises pydantic.ValidationError."""
    return Settings.model_validate(dict(account.settings))


def call(session: Session, method: str, path: str, **members: Any) -> Request:
    """A request of this account: ``path`` below the API's address, with the token; ``members`` as in Request."""
    headers = {"Authorization": f"Bearer {session.secret('token')}"}
    members.setdefault("errors", errors())
    return Request(method=method, url=settings_of(session.account).url + path, headers=headers, **members)


async def own_user(session: Session) -> dict[str, Any]:
    """The account behind the token, with ``id`` and ``username`` in any case. Raises Unauthorized.

    https://docs.x.com/x-api/users/get-my-user
    """
    request = call(session, "GET", "/2/users/me", query={"user.fields": "protected"})
    user = await ask(
        session.http,
        request,
        lambda body: {**body["data"], "id": str(body["data"]["id"]), "username": str(body["data"]["username"])},
    )
    session.memory[_USER] = user["id"]
    return user


async def user_id(session: Session) -> str:
    """The account's id, asked once for each process."""
    if _USER not in session.memory:
        await own_user(session)
    return str(session.memory[_USER])


async def post(session: Session, identifier: str) -> dict[str, Any] | None:
    """The whole answer on one post, or None where there is none that this account may see.

    X says so with 404, or with 200 and ``errors`` in the place of ``data``.

    https://docs.x.com/x-api/posts/get-post-by-id
    """
    query = {
        "post.fields": POST_FIELDS,
        "expansions": "attachments.media_keys,author_id",
        "media.fields": "alt_text",
    }
    request = call(session, "GET", f"/2/tweets/{identifier}", query=query, accept=GONE)
    answer = await session.http.send(request)
    if answer.status != 200:
        return None

    def read(body: Any) -> dict[str, Any] | None:
        if not body.get("data"):
            return None
        if body["data"].get("created_at"):
            instant(body["data"]["created_at"])
        return dict(body)

    return read_json(request, answer, read)


async def page_of(session: Session, identifier: str, *, since: datetime, token: str) -> dict[str, Any]:
    """Own posts since then, newest first: the page that ``token`` names (empty: the first).

    An answer without ``meta``, or with less than that counts, is none: nothing may be absent because of it.

    https://docs.x.com/x-api/users/get-posts
    """
    query = {
        "max_results": str(PAGE),
        "start_time": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "post.fields": POST_FIELDS,
        "expansions": "referenced_posts",
    }
    request = call(
        session,
        "GET",
        f"/2/users/{identifier}/tweets",
        query=query | ({"pagination_token": token} if token else {}),
    )

    def read(body: Any) -> dict[str, Any]:
        posts = list(body.get("data") or ())
        if len(posts) != int(body["meta"]["result_count"]):
            raise ValueError("data")
        for each in posts:
            instant(each["created_at"])
            str(each["id"] + each["text"])
        return {"posts": posts, "next": str(body["meta"].get("next_token") or "")}

    return await ask(session.http, request, read)
