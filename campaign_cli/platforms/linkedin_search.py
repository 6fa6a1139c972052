"""Finding a post again among what an author has on LinkedIn, where the token may read it.

https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/posts-api
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from campaign_cli.errors import Rejected
from campaign_cli.i18n import _
from campaign_cli.models import Receipt
from campaign_cli.platforms import linkedin_api as api
from campaign_cli.platforms.base import Found, LookUp, Sending
from campaign_cli.platforms.linkedin_text import plain, same_text

T = TypeVar("T")

FIRST: Final = "duplicate"  # step: the post that LinkedIn named as the first of two
PAGES: Final = 20  # bound of a look-up
_OUT: Final = ("PUBLISHED", "PUBLISH_REQUESTED")  # taken: the latter will be seen once LinkedIn has worked up its video


async def look_up(sending: Sending, since: datetime) -> LookUp:
    """The post that LinkedIn named as the first of two, else the author's posts since then with the same words.

    Raises Rejected where the token may not read them: then nothing is proved.
    """
    first = sending.steps.get(FIRST)
    if first is not None:
        post = await _readable(sending, api.post(sending, first))
        if post is not None and api.created_at(post) >= since and _is_ours(sending, post):
            return LookUp(found=(_found(sending, post),), complete=True)
    found: list[Found] = []
    for number in range(PAGES):
        page = await _readable(sending, api.posts(sending, start=number * api.PAGE))
        found += [_found(sending, post) for post in page if api.created_at(post) >= since and _is_ours(sending, post)]
        if not page or any(_changed_at(post) < since for post in page):
            return LookUp(found=tuple(found), complete=True)
    return LookUp(found=tuple(found), complete=False)


async def _readable(sending: Sending, asked: Awaitable[T]) -> T:
    """The answer. A refusal says what a person can do, and which post LinkedIn itself has named, if it has."""
    try:
        return await asked
    except Rejected as error:
        first = sending.steps.get(FIRST)
        if error.status == 403 and first is not None:
            error.fix = _(
                "LinkedIn says that this is the same post: {url}. Look at it, then settle this: campaign resolve KEY "
                "--published {url}"
            ).format(url=permalink(first))
        elif error.status == 403:
            error.fix = _(
                "Without r_organization_social LinkedIn can't be asked, and never for a person's posts: look at it, "
                "then settle this: campaign resolve KEY --published URL, or --not-published."
            )
        raise


def permalink(urn: str) -> str:
    """Where people see a post."""
    return f"{api.HOME}/feed/update/{urn}"


def receipt_of(urn: str, *, part: int, at: datetime) -> Receipt:
    """The proof of a post."""
    return Receipt(part=part, id=urn, url=permalink(urn), at=at)


def media_of(post: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The pictures or the video of a post, in order."""
    content = post.get("content") or {}
    if content.get("multiImage"):
        return list(content["multiImage"].get("images") or ())
    return [content["media"]] if content.get("media") else []


def _found(sending: Sending, post: Mapping[str, Any]) -> Found:
    at = api.created_at(post)
    return Found(receipt=receipt_of(post["id"], part=sending.part, at=at), created_at=at)


def _changed_at(post: Mapping[str, Any]) -> datetime:
    """What the list is sorted by: never before the post was made."""
    return api.instant(post.get("lastModifiedAt") or post["createdAt"])


def _is_ours(sending: Sending, post: Mapping[str, Any]) -> bool:
    """Whether LinkedIn has taken it, and it is of this author with this part's words and number of pictures."""
    return (
        post["author"] == api.settings_of(sending.account).author
        and post.get("lifecycleState", "PUBLISHED") in _OUT
        and len(media_of(post)) == len(sending.content.media)
        and same_text(sending.content.text, plain(str(post.get("commentary") or "")))
    )
