"""NationBuilder's API V1 for the posts of one blog: how it is asked, and what its refusals mean.

https://nationbuilder.com/blog_posts_api · V2 (/api/v2) knows no blog posts: its pages have no content.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from pydantic import field_validator, model_validator

from campaign_cli.errors import Rejected, Unauthorized
from campaign_cli.i18n import _
from campaign_cli.models import Account
from campaign_cli.platforms import base
from campaign_cli.platforms.addresses import WebAddress, compared
from campaign_cli.platforms.answers import NOT_TAKEN, ask, epoch, explain, instant, json_object, read_json
from campaign_cli.platforms.base import Answer, Request, Session
from campaign_cli.source.shapes import finding

PAGE: Final = 100  # posts of one page, the most that V1 gives
PAGES: Final = 30  # bound of a search
_SLUG: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", re.ASCII)
_WINDOWS: Final = ("ratelimit", "x-ratelimit", "nation-ratelimit")  # V2's words, and those that V1 was seen to use


class Settings(base.Settings):
    """A nation by its slug (``contoh`` of contoh.nationbuilder.com), a site of it, a blog by its number, and a token.

    ``url`` is the nation's address where it isn't made of ``nation``; ``website`` the address that people see, where
    the site has a domain of its own.
    """

    nation: str | None = None
    url: WebAddress
    site: str
    blog: str
    token: str
    website: WebAddress | None = None

    @model_validator(mode="before")
    @classmethod
    def _addressed(cls, value: Any) -> Any:
        """``nation`` gives the address."""
        if not isinstance(value, Mapping) or value.get("url"):
            return value
        nation = value.get("nation")
        if nation is None:
            raise finding(
                "A004",
                _("Which nation it is isn't written."),
                _("Write nation: contoh for https://contoh.nationbuilder.com, or the nation's own address as url."),
            )
        return {**value, "url": f"https://{nation}.nationbuilder.com"}

    @field_validator("nation", "site")
    @classmethod
    def _known_slug(cls, value: str | None) -> str | None:
        """Only what can stand in an address."""
        if value is not None and _SLUG.fullmatch(value) is None:
            raise finding(
                "A004",
                _("This is not a slug of NationBuilder."),
                _("Write contoh for https://contoh.nationbuilder.com; the site's slug stands in its settings."),
            )
        return value

    @field_validator("blog", mode="before")
    @classmethod
    def _number(cls, value: object) -> str:
        """The number stands in the address of the blog's settings."""
        if not str(value).isdecimal():
            raise finding(
                "A004",
                _("This is not the number of a blog."),
                _("Open the blog in the control panel: its number stands in the address."),
            )
        return str(value)


def settings_of(account: Account) -> Settings:
    """The account's own keys. Raises pydantic.ValidationError."""
    return Settings.model_validate(dict(account.settings))


def address_of(account: Account) -> str:
    """The nation, the site and the blog."""
    settings = settings_of(account)
    return f"{compared(settings.url)}/{settings.site}/{settings.blog}"


def call(session: Session, method: str, path: str = "", **members: Any) -> Request:
    """A request for the blog; ``path`` below it, ``members`` as in Request.

    The token goes in a header, as in NationBuilder's own client, so that it stands in no address.
    """
    settings = settings_of(session.account)
    members.setdefault("errors", refusal)
    return Request(
        method=method,
        url=f"{settings.url}/api/v1/sites/{settings.site}/pages/blogs/{settings.blog}{path}",
        headers={"Authorization": f"Bearer {session.secret('token')}", "Accept": "application/json"},
        **members,
    )


async def blog(session: Session) -> Mapping[str, Any]:
    """The blog itself. https://nationbuilder.com/blogs_api"""
    return await ask(session.http, call(session, "GET"), lambda body: dict(body["blog"]))


async def post(session: Session, identifier: object) -> Mapping[str, Any] | None:
    """The post with this number whatever its status, or None where it is gone."""
    sample = {"blog_post": {"id": identifier, "status": "published", "slug": "{slug}"}}
    request = call(session, "GET", f"/posts/{identifier}", sample=sample, accept=(200, 404), errors=_unless(404))
    answer = await session.http.send(request)
    return None if answer.status == 404 else read_json(request, answer, read_post)


def read_post(body: Any) -> Mapping[str, Any]:
    """The post in an answer, which stands under ``blog_post``, in the documentation's own sample under ``blog``.

    Raises KeyError or TypeError where there is none.
    """
    found = body.get("blog_post") or body["blog"]
    return {**found, "id": str(found["id"]), "status": str(found["status"]), "slug": str(found["slug"])}


async def matched(session: Session, external_id: str) -> Mapping[str, Any] | None:
    """The post with this ``external_id`` as NationBuilder's own index knows it; None where it names none.

    What it answers where there is none is not documented: any “not found” counts, and proves nothing by itself.
    """
    request = call(
        session,
        "GET",
        "/match",
        query={"external_id": external_id},
        sample={},
        accept=(200, 400, 404),
        errors=_unless(400, 404),
    )
    answer = await session.http.send(request)
    identifier = json_object(answer.text).get("id") if answer.status == 200 else None
    found = None if identifier is None else await post(session, identifier)
    return found if found is not None and found.get("external_id", external_id) == external_id else None


async def posts(session: Session) -> AsyncIterator[tuple[list[Mapping[str, Any]], bool]]:
    """Pages of all posts of the blog, drafts too, and whether it is the last page."""
    more: dict[str, str] = {}
    for _page in range(PAGES):
        request = call(session, "GET", "/posts", query={"limit": str(PAGE), **more})
        body = await ask(session.http, request, lambda body: {"results": list(body["results"]), "next": body["next"]})
        page: list[Mapping[str, Any]] = [{**each, "id": str(each["id"])} for each in body["results"]]
        more = {
            name: value
            for name, value in parse_qsl(urlsplit(str(body["next"] or "")).query)
            if name in ("__nonce", "__token")
        }
        yield page, not more
        if not more:
            return


def published_at(found: Mapping[str, Any]) -> datetime | None:
    """When a post says that it was published."""
    try:
        return instant(str(found["published_at"]))
    except (KeyError, ValueError):
        return None


def refusal(answer: Answer) -> Exception | None:
    """NationBuilder's own table for ``Request.errors``: ``{code, message, validation_errors}``."""
    status, data = answer.status, json_object(answer.text)
    if status < 400 or status >= 500 or status in NOT_TAKEN:
        return None
    code = str(data.get("code") or "")
    invalid = data.get("validation_errors")
    details = [str(each) for each in invalid if isinstance(each, str)] if isinstance(invalid, list) else []
    text = ": ".join([explain(answer), *details[:3]])
    message = _("NationBuilder refused it: {text}").format(text=text or status)
    if status == 401:
        fix = _(
            "Make a new token (Settings → Developer → API token), or sign in again, and run: campaign accounts check"
        )
        return Unauthorized(message, status=status, code=code, fix=fix)
    return Rejected(message, status=status, code=code, fix=_fix(status))


def exhausted_until(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """The latest reset (seconds since the epoch) of the windows of which nothing remains, where it lies ahead."""
    used_up = [name for name in _WINDOWS if headers.get(f"{name}-remaining", "").strip() == "0"]
    resets = [at for name in used_up if (at := epoch(headers.get(f"{name}-reset", ""))) is not None]
    latest = max(resets, default=None)
    return latest if latest is not None and latest > now else None


def _unless(*statuses: int) -> Any:
    """The usual table, without these."""
    return lambda answer: None if answer.status in statuses else refusal(answer)


def _fix(status: int) -> str:
    if status == 403:
        return _("The token's user needs the permission to edit this site's pages.")
    if status == 404:
        return _("Check nation, site and blog in accounts.yaml.")
    if status in (400, 422):
        return _("If the slug is taken, write another one in a variant for NationBuilder.")
    return ""
