"""LinkedIn's versioned API: how it is asked, what an author has posted, who the token belongs to.

https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/posts-api
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlsplit

from pydantic import field_validator

from campaign_cli.errors import Failure, Rejected
from campaign_cli.i18n import _
from campaign_cli.models import Account
from campaign_cli.platforms import base
from campaign_cli.platforms.addresses import WebAddress
from campaign_cli.platforms.answers import ask, epoch, read_json
from campaign_cli.platforms.base import Request, Session
from campaign_cli.platforms.linkedin_answers import errors
from campaign_cli.source.shapes import finding

VERSION: Final = "202605"
"""Version of May 2026, the newest that LinkedIn's own pages were read for (…/shares/posts-api?view=li-lms-2026-05). A
version lives for a year at least: https://learn.microsoft.com/en-us/linkedin/marketing/versioning"""

LIFE: Final = timedelta(days=365)  # of a version, at least
PAGE: Final = 100  # posts of one page
HOME: Final = "https://www.linkedin.com"
_AUTHOR: Final = re.compile(r"(?:urn:li:)?(organization|person):([\w-]{1,64})", re.ASCII)
_VERSION: Final = re.compile(r"20\d\d(?:0[1-9]|1[0-2])", re.ASCII)


class Settings(base.Settings):
    """An author, ``urn:li:organization:ID`` (a page) or ``urn:li:person:ID``, and a token that may post as it.

    ``version`` is LinkedIn's own, as year and month. With ``client_id`` and ``client_secret`` of the app, ``accounts
    check`` can say what the token may do and when it ends.
    """

    author: str
    token: str
    version: str = VERSION
    client_id: str | None = None
    client_secret: str | None = None
    url: WebAddress = "https://api.linkedin.com"

    @field_validator("author")
    @classmethod
    def _known_author(cls, value: str) -> str:
        """The whole URN; ``organization:ID`` is understood."""
        match = _AUTHOR.fullmatch(value)
        if match is None:
            raise finding(
                "A004",
                _("This is not an author on LinkedIn."),
                _("Write urn:li:organization:ID; the ID is the number in the address of the page's administration."),
            )
        return f"urn:li:{match[1]}:{match[2]}"

    @field_validator("version", mode="before")
    @classmethod
    def _known_version(cls, value: object) -> str:
        """Year and month; YAML may have read it as a number."""
        if _VERSION.fullmatch(str(value)) is None:
            raise finding(
                "A004",
                _("This is not a version of LinkedIn's API."),
                _("Write its year and month, as in version: '202605'."),
            )
        return str(value)


def settings_of(account: Account) -> Settings:
    """The account's own keys. Raises pydantic.ValidationError."""
    return Settings.model_validate(dict(account.settings))


def call(session: Session, method: str, path: str, *, restli: str = "", **members: Any) -> Request:
    """A request of this account: ``path`` below the API's address, with token and versions.

    ``restli`` is the method in Rest.li's own words where it asks for that; ``members`` as in Request.
    """
    settings = settings_of(session.account)
    headers = {
        "Authorization": f"Bearer {session.secret('token')}",
        "LinkedIn-Version": settings.version,
        "X-Restli-Protocol-Version": "2.0.0",
    }
    headers |= {"X-RestLi-Method": restli} if restli else {}
    members.setdefault("errors", errors(session.now))
    return Request(method=method, url=settings.url + path, headers=headers, **members)


def encoded(urn: str) -> str:
    """An URN as one step of an address."""
    return quote(urn, safe="")


def instant(milliseconds: Any) -> datetime:
    """An instant of LinkedIn's. Raises ValueError."""
    at = epoch(int(milliseconds) / 1000)
    if at is None:
        raise ValueError("instant")
    return at


def created_at(post: Mapping[str, Any]) -> datetime:
    """When a post was made. Raises KeyError, TypeError, ValueError."""
    return instant(post["createdAt"])


async def post(session: Session, urn: str) -> dict[str, Any] | None:
    """One post, or None where there is none. Raises Rejected (403) where the token may not read."""
    sample = {"id": urn, "author": settings_of(session.account).author, "createdAt": 0}
    request = call(session, "GET", f"/rest/posts/{encoded(urn)}", sample=sample, accept=(200, 404))
    answer = await session.http.send(request)
    return None if answer.status == 404 else read_json(request, answer, _read_post)


async def posts(session: Session, *, start: int) -> list[dict[str, Any]]:
    """The author's posts from the ``start``th on, those first that were changed last. Raises Rejected (403)."""
    query = {
        "author": settings_of(session.account).author,
        "q": "author",
        "count": str(PAGE),
        "start": str(start),
        "sortBy": "LAST_MODIFIED",
    }
    request = call(session, "GET", "/rest/posts", query=query, restli="FINDER")
    return await ask(session.http, request, lambda body: [_read_post(each) for each in body["elements"]])


def _read_post(body: Any) -> dict[str, Any]:
    """Raises KeyError, TypeError or ValueError where the answer is no post."""
    created_at(body)
    return {**body, "id": str(body["id"]), "author": str(body["author"])}


async def metrics(session: Session, urn: str) -> dict[str, int]:
    """Reactions and comments of a post; empty where the token may not read them.

    https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/social-metadata-api
    """
    request = call(session, "GET", f"/rest/socialMetadata/{encoded(urn)}", sample={})

    def read(body: Any) -> dict[str, int]:
        reactions = [int(each["count"]) for each in (body.get("reactionSummaries") or {}).values()]
        comments = (body.get("commentSummary") or {}).get("count")
        return {"reactions": sum(reactions)} | ({} if comments is None else {"comments": int(comments)})

    try:
        return await ask(session.http, request, read)
    except Failure:
        return {}


async def introspect(session: Session) -> dict[str, Any] | None:
    """What the token is (``active``, ``scopes``, ``expires``), or None without the app's id and secret.

    https://learn.microsoft.com/en-us/linkedin/shared/authentication/token-introspection
    """
    settings = settings_of(session.account)
    if not settings.client_id or not settings.client_secret:
        return None
    request = Request(
        method="POST",
        url=f"{_site(settings.url)}/oauth/v2/introspectToken",
        form={
            "client_id": settings.client_id,
            "client_secret": session.secret("client_secret"),
            "token": session.secret("token"),
        },
        errors=errors(session.now),
        sample={"active": True},
    )
    return await ask(
        session.http,
        request,
        lambda body: {
            "active": bool(body["active"]),
            "scopes": tuple(re.split(r"[,\s]+", str(body.get("scope") or ""))) if body.get("scope") else (),
            "expires": epoch(body.get("expires_at")),
        },
    )


async def allowed(session: Session, request: Request, read: Any) -> Any:
    """What ``read`` takes from the answer, or None where the token may not ask for it."""
    try:
        return await ask(session.http, request, read)
    except Rejected as error:
        if error.status != 403:
            raise
        return None


def released(version: str) -> datetime:
    """The first day of a version."""
    return datetime(int(version[:4]), int(version[4:]), 1, tzinfo=UTC)


def _site(url: str) -> str:
    """Where tokens are dealt with: beside the API, on LinkedIn's own site."""
    return HOME if urlsplit(url).hostname == "api.linkedin.com" else url
