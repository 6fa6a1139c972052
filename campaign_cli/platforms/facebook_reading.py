"""Reading a Facebook Page: its own posts and comments again, one of them as it stands now, one by its address.

https://developers.facebook.com/docs/graph-api/reference/page/published_posts · /reference/object/comments
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from campaign_cli.models import Receipt
from campaign_cli.platforms.base import Found, LookUp, RemotePost, Sending, Session
from campaign_cli.platforms.facebook_api import (
    COMMENT_FIELDS,
    POST_FIELDS,
    absolute,
    dated,
    graph_of,
    media_of,
    node,
    settings_of,
)
from campaign_cli.platforms.graph import instant, same_words

PAGE_OF_LIST: Final = "100"
WHOLE: Final = 500
"""Facebook shows some 600 posts of a year, and chooses them: where there are so many, absence from its list proves
nothing. https://developers.facebook.com/docs/graph-api/reference/page/published_posts (Limitations)"""
_YEAR: Final = timedelta(days=366)
_COUNTS: Final = "shares,reactions.limit(0).summary(total_count),comments.limit(0).summary(total_count)"
_VIDEO_FIELDS: Final = "id,description,created_time,permalink_url,from"
_VIDEO_COUNTS: Final = "views,likes.limit(0).summary(total_count),comments.limit(0).summary(total_count)"
_HOSTS: Final = re.compile(r"(?:(?:www|m|web|mbasic)\.)?facebook\.com")
_POST: Final = re.compile(r"/[^/]+/posts/(?:[^/]+/)?(?P<id>\d+)/?")
_BOTH: Final = re.compile(r"/(?P<id>\d+_\d+)/?")
_VIDEO: Final = re.compile(r"/(?:[^/]+/videos/(?:[^/]+/)?|reel/)(?P<id>\d+)/?")


async def post_again(sending: Sending, since: datetime) -> LookUp:
    """The page's own posts since then with this part's words and photos.

    Absence counts only where the list is whole: its last year is counted before it does.
    """
    path = f"/{settings_of(sending.account).page}/published_posts"
    found: list[Found] = []
    seen, reached, year = 0, False, sending.now() - _YEAR
    query = {"fields": POST_FIELDS, "limit": PAGE_OF_LIST}
    async for rows, last in graph_of(sending.account).listed(sending, path, query=query, needs=dated):
        times = [instant(row["created_time"]) for row in rows]
        found += [
            _found(sending, row) for row, at in zip(rows, times, strict=True) if at >= since and _is_ours(sending, row)
        ]
        seen += sum(at >= year for at in times)
        past = bool(times) and min(times) < since
        reached = last or (bool(times) and min(times) < year)
        if reached or (found and past) or seen >= WHOLE:
            break
    return LookUp(found=tuple(found), complete=bool(found) or (reached and seen < WHOLE))


async def comment_again(sending: Sending, since: datetime) -> LookUp:
    """The page's own comments under the first part since then with this part's words, newest first."""
    page, path = settings_of(sending.account).page, f"/{sending.earlier[0].id}/comments"
    query = {"fields": COMMENT_FIELDS, "order": "reverse_chronological", "limit": PAGE_OF_LIST}
    found: list[Found] = []
    complete = False
    async for rows, last in graph_of(sending.account).listed(sending, path, query=query, needs=dated):
        times = [instant(row["created_time"]) for row in rows]
        found += [
            _found(sending, row)
            for row, at in zip(rows, times, strict=True)
            if at >= since
            and str((row.get("from") or {}).get("id")) == page
            and same_words(sending.content.text, row.get("message"))
            and bool(row.get("attachment")) == bool(sending.content.media)
        ]
        complete = last or (bool(times) and min(times) < since)
        if complete:
            break
    return LookUp(found=tuple(found), complete=complete)


async def remote_post(session: Session, receipt: Receipt) -> RemotePost | None:
    """The post, comment or video behind a receipt."""
    if receipt.part:
        found = await node(session, receipt.id, fields=f"{COMMENT_FIELDS},like_count,comment_count")
        counted = {"likes": "like_count", "comments": "comment_count"}
        metrics = {name: int(found[key]) for name, key in counted.items() if key in found} if found else {}
    elif "_" in receipt.id:
        found = await node(session, receipt.id, fields=f"{POST_FIELDS},{_COUNTS}")
        metrics = _metrics(found or {})
    else:
        found = await node(session, receipt.id, fields=f"{_VIDEO_FIELDS},{_VIDEO_COUNTS}")
        metrics = _metrics(found or {})
    if found is None:
        return None
    photos = [identifier for kind, identifier in media_of(found) if kind == "photo"]
    if target := ((found.get("attachment") or {}).get("target") or {}).get("id"):
        photos.append(str(target))
    return RemotePost(
        id=receipt.id,
        url=absolute(found, receipt.id),
        text=str(found.get("message") or found.get("description") or ""),
        alts=tuple([await _alt(session, photo) for photo in photos]),
        created_at=instant(found["created_time"]) if found.get("created_time") else None,
        metrics=metrics,
    )


async def found_by_address(session: Session, url: str) -> Receipt | None:
    """By the number in the address; by the page's list where the address is one of Facebook's short names."""
    place = _place(url)
    if place is None:
        return None
    page, query = settings_of(session.account).page, parse_qs(place[1])
    identifier = _number_in(place[0], query, page=page) or await _in_list(session, url)
    if identifier and "comment_id" in query:
        identifier = f"{identifier.rpartition('_')[2]}_{query['comment_id'][0]}"
    if not identifier:
        return None
    found = await node(session, identifier, fields="id,created_time,permalink_url,from")
    if found is None or str((found.get("from") or {}).get("id")) != page:
        return None
    at = instant(found["created_time"]) if found.get("created_time") else session.now()
    return Receipt(part=0, id=identifier, url=absolute(found, identifier), at=at)


def _place(url: str) -> tuple[str, str] | None:
    """Path and query of an address on Facebook, the same for each of its names."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return None
    if not _HOSTS.fullmatch((parts.hostname or "").lower()):
        return None
    return parts.path.rstrip("/"), parts.query


def _number_in(path: str, query: Mapping[str, list[str]], *, page: str) -> str:
    """The id in an address, as the API knows it; empty where it has none."""
    story, watched = query.get("story_fbid", [""])[0], query.get("v", [""])[0]
    if path in {"/permalink.php", "/story.php"} and story.isdecimal():
        return f"{page}_{story}"
    if path == "/watch" and watched.isdecimal():
        return watched
    if match := _POST.fullmatch(path):
        return f"{page}_{match['id']}"
    match = _BOTH.fullmatch(path) or _VIDEO.fullmatch(path)
    return match["id"] if match else ""


async def _in_list(session: Session, url: str) -> str:
    """The id of the page's post that has this very permalink; empty where its list holds none."""
    path, wanted = f"/{settings_of(session.account).page}/published_posts", _named(url)
    query = {"fields": "id,permalink_url", "limit": PAGE_OF_LIST}
    async for rows, _last in graph_of(session.account).listed(session, path, query=query):
        for row in rows:
            if _named(absolute(row, row["id"])) == wanted:
                return str(row["id"])
    return ""


def _named(url: str) -> tuple[str, tuple[str, ...]] | None:
    """What of an address names a post: its path, and those of its fields that are no decoration."""
    place = _place(url)
    if place is None:
        return None
    query = parse_qs(place[1])
    return place[0], tuple(query.get(name, [""])[0] for name in ("story_fbid", "fbid", "v"))


async def _alt(session: Session, photo: str) -> str:
    found = await node(session, photo, fields="id,alt_text_custom")
    return str((found or {}).get("alt_text_custom") or "")


def _metrics(found: Mapping[str, Any]) -> dict[str, int]:
    """What Facebook counts, where it says."""
    metrics = {}
    for name, key in {"reactions": "reactions", "likes": "likes", "comments": "comments"}.items():
        total = ((found.get(key) or {}).get("summary") or {}).get("total_count")
        if isinstance(total, int):
            metrics[name] = total
    shares = (found.get("shares") or {}).get("count")
    if "shares" in found or found.get("reactions") is not None:
        metrics["shares"] = int(shares or 0)
    if isinstance(found.get("views"), int):
        metrics["views"] = found["views"]
    return metrics


def _found(sending: Sending, row: Mapping[str, Any]) -> Found:
    at = instant(row["created_time"])
    receipt = Receipt(part=sending.part, id=str(row["id"]), url=absolute(row, str(row["id"])), at=at)
    return Found(receipt=receipt, created_at=at)


def _is_ours(sending: Sending, post: Mapping[str, Any]) -> bool:
    """Whether words and number of photos are this part's."""
    kinds = [kind for kind, _identifier in media_of(post)]
    return kinds == ["photo"] * len(sending.content.media) and same_words(sending.content.text, post.get("message"))
