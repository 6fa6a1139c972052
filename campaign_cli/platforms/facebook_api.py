"""A Facebook Page through the Graph API: how it is asked, its photos, its posts, and the pages that a person manages.

https://developers.facebook.com/docs/pages-api/posts · /docs/graph-api/reference/page/photos
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from campaign_cli.errors import Failure, Rejected
from campaign_cli.models import Account
from campaign_cli.platforms import base
from campaign_cli.platforms.addresses import WebAddress
from campaign_cli.platforms.answers import ask
from campaign_cli.platforms.answers import instant as iso_instant
from campaign_cli.platforms.base import Request, Sending, Session, Upload
from campaign_cli.platforms.facebook_answers import TITLE, table
from campaign_cli.platforms.graph import Graph, Identifier, Version, instant
from campaign_cli.platforms.graph_answers import GONE, errors

SITE: Final = "https://www.facebook.com"
API: Final = "https://graph.facebook.com"
POST_FIELDS: Final = (
    "id,message,created_time,permalink_url,from,"
    "attachments{media_type,type,target,subattachments{media_type,type,target}}"
)
COMMENT_FIELDS: Final = "id,message,created_time,permalink_url,from,attachment"
_KEEPS: Final = timedelta(hours=20)  # a photo that no post shows may be gone after a day


class Settings(base.Settings):
    """A page by its ID, and the page's own token (not the person's); ``version`` of the Graph API."""

    page: Identifier
    token: str
    url: WebAddress = API
    version: Version = "v25.0"


def settings_of(account: Account) -> Settings:
    """The account's own keys. Raises pydantic.ValidationError."""
    return Settings.model_validate(dict(account.settings))


def graph_of(account: Account) -> Graph:
    """The Graph API as this account sees it."""
    settings = settings_of(account)
    return Graph(base=f"{settings.url}/{settings.version}", title=TITLE)


def call(session: Session, method: str, path: str, *, again: bool = False, **members: Any) -> Request:
    """A request of this page with Facebook's own table of errors; ``members`` as in Request."""
    creating = bool(members.get("creating"))
    own = table(session, creating=creating, again=again)
    members.setdefault("errors", errors(session, title=TITLE, creating=creating, own=own))
    return graph_of(session.account).call(session, method, path, **members)


async def node(session: Session, identifier: str, *, fields: str) -> dict[str, Any] | None:
    """One object with these fields, or None where there is none that this token may see."""
    try:
        return await graph_of(session.account).node(session, f"/{identifier}", fields=fields)
    except Rejected as error:
        if error.code in GONE:
            return None
        raise


async def photo_id(sending: Sending, index: int) -> str:
    """A photo that nobody sees yet, with its alt text; kept as a step, and made anew before Facebook drops it.

    https://developers.facebook.com/docs/graph-api/reference/page/photos
    """
    step = f"photo{index}"
    known = sending.steps.get(step)
    if known is not None and sending.now() - iso_instant(known["at"]) < _KEEPS:
        return str(known["id"])
    picture = sending.content.media[index]
    form = {"published": "false"} | ({"alt_text_custom": picture.alt} if picture.alt else {})
    request = call(
        sending,
        "POST",
        f"/{settings_of(sending.account).page}/photos",
        form=form,
        uploads=(Upload(field="source", name=picture.name, mime=picture.mime, content=await sending.load(picture)),),
        sample={"id": f"{{photo_id_{index + 1}}}"},
    )
    identifier = await ask(sending.http, request, lambda body: str(body["id"]))
    await sending.keep(step, {"id": identifier, "at": sending.now().isoformat()})
    return identifier


def attached(photos: Sequence[str]) -> dict[str, str]:
    """The fields that show uploaded photos in a post."""
    return {f"attached_media[{number}]": json.dumps({"media_fbid": photo}) for number, photo in enumerate(photos)}


def comment(sending: Sending, post: str, *, text: str) -> Request:
    """The page's own comment under a post. https://developers.facebook.com/docs/graph-api/reference/object/comments"""
    sample = {"id": f"{post}_{{comment_id}}"}
    return call(sending, "POST", f"/{post}/comments", form={"message": text}, creating=True, sample=sample)


async def permalink(session: Session, identifier: str) -> str:
    """The address for people; where Facebook can't be asked, the one that leads there by number."""
    sample = {"id": identifier, "permalink_url": f"{SITE}/{identifier}"}
    try:
        found = await graph_of(session.account).node(session, f"/{identifier}", fields="permalink_url", sample=sample)
    except Failure:
        return f"{SITE}/{identifier}"
    return absolute(found, identifier)


def absolute(found: Mapping[str, Any], identifier: str) -> str:
    """``permalink_url`` with the site before it, which a video's lacks."""
    url = str(found.get("permalink_url") or f"/{identifier}")
    return SITE + url if url.startswith("/") else url


def dated(row: Mapping[str, Any]) -> object:
    """Raise KeyError or ValueError for a post or a comment without its instant."""
    return instant(row["created_time"])


def media_of(post: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The kind (photo, video) and the id of each file that a post shows, in order.

    A link has none, even one to a film elsewhere, which Facebook calls a video that is shared.
    """
    shown = []
    for outer in (post.get("attachments") or {}).get("data") or ():
        for one in (outer.get("subattachments") or {}).get("data") or (outer,):
            kind = str(one.get("media_type") or "")
            if kind in {"photo", "video"} and "share" not in str(one.get("type") or ""):
                shown.append((kind, str((one.get("target") or {}).get("id") or "")))
    return shown


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnPage:
    """A page that a person manages: ``token`` is the page's own; ``may_post``: the person may make posts there."""

    id: str
    name: str
    token: str
    may_post: bool


async def own_pages(session: Session, graph: Graph | None = None) -> tuple[OwnPage, ...]:
    """The pages of the person whose token is the session's (after signing in), for the choice of one.

    A page's token that comes from a long-lived token of the person has no end by time. ``graph`` is for an account
    whose page isn't chosen yet, so that its settings can't be read. Raises Failure.

    https://developers.facebook.com/docs/graph-api/reference/user/accounts
    """
    query = {"fields": "id,name,access_token,tasks", "limit": "100"}
    graph, found = graph or graph_of(session.account), []
    async for rows, _last in graph.listed(session, "/me/accounts", query=query, needs=lambda row: row["access_token"]):
        found += [
            OwnPage(
                id=row["id"],
                name=str(row.get("name") or ""),
                token=str(row["access_token"]),
                may_post="CREATE_CONTENT" in (row.get("tasks") or ()),
            )
            for row in rows
        ]
    return tuple(found)
