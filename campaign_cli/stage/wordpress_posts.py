"""What WordPress says: its JSON shapes, its errors, its slugs."""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from campaign_cli.stage.network import Refusal
from campaign_cli.stage.state import StageAccount, StageMedia, StagePost

STATUSES: Final = {
    "publish": "published",
    "future": "future",
    "draft": "draft",
    "pending": "pending",
    "private": "private",
    "trash": "trash",
}
"""WordPress's word → the stage's word."""
_WORDS: Final = {ours: theirs for theirs, ours in STATUSES.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """A tag or category."""

    id: int
    name: str
    slug: str
    taxonomy: str


def error(status: int, code: str, message: str) -> Refusal:
    """A REST error."""
    return Refusal(status, {"code": code, "message": message, "data": {"status": status}})


def slug_of(text: str) -> str:
    """Lower case, accents off, hyphens between words."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9_]+", "-", plain).strip("-")


def instant_of(date_gmt: Any) -> datetime | None:
    """A ``date_gmt``, which carries no zone, as an aware instant."""
    if not date_gmt:
        return None
    try:
        instant = datetime.fromisoformat(str(date_gmt))
    except ValueError as problem:
        data = {"status": 400, "params": {"date_gmt": "Invalid date."}}
        body = {"code": "rest_invalid_param", "message": "Invalid parameter(s): date_gmt", "data": data}
        raise Refusal(400, body) from problem
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def post_json(post: StagePost, *, base: str, root: str, edit: bool) -> dict[str, Any]:
    """A post; the raw texts only in the context ``edit``. ``base`` is the site, ``root`` the stage."""
    when = post.at.strftime("%Y-%m-%dT%H:%M:%S")
    link = root + post.path if post.status == "published" else f"{base}/?p={post.id}"
    body = {
        "id": int(post.id),
        "date": when,
        "date_gmt": when,
        "guid": {"rendered": f"{base}/?p={post.id}"},
        "modified": when,
        "modified_gmt": when,
        "slug": post.data["slug"],
        "status": _WORDS[post.status],
        "type": "post",
        "link": link,
        "title": {"rendered": html.escape(post.title, quote=False)},
        "content": {"rendered": f"{post.text.strip()}\n" if post.text else "", "protected": False},
        "excerpt": {"rendered": f"<p>{post.data['excerpt']}</p>\n" if post.data["excerpt"] else "", "protected": False},
        "author": 1,
        "featured_media": post.data["featured"],
        "comment_status": "open",
        "ping_status": "open",
        "sticky": False,
        "template": "",
        "format": "standard",
        "meta": [],
        "categories": post.data["categories"] or [1],
        "tags": post.data["tags"],
    }
    if edit:
        raw = {"title": post.title, "content": post.text, "excerpt": post.data["excerpt"]}
        for name, text in raw.items():
            body[name] = {"raw": text} | body[name]
    return body


def media_json(media: StageMedia, base: str, url: str) -> dict[str, Any]:
    """A file of the media library."""
    return {
        "id": int(media.id),
        "date_gmt": media.at.strftime("%Y-%m-%dT%H:%M:%S"),
        "slug": slug_of(media.name.rpartition(".")[0]),
        "status": "inherit",
        "type": "attachment",
        "link": f"{base}/?attachment_id={media.id}",
        "title": {"rendered": media.name},
        "alt_text": media.alt,
        "media_type": "image" if media.mime.startswith("image/") else "file",
        "mime_type": media.mime,
        "media_details": {"width": media.width, "height": media.height, "filesize": media.size, "sizes": {}},
        "source_url": url,
    }


def term_json(term: Term, base: str) -> dict[str, Any]:
    """A tag or category."""
    tag = term.taxonomy == "tags"
    return {
        "id": term.id,
        "count": 0,
        "description": "",
        "link": f"{base}/{'tag' if tag else 'category'}/{term.slug}/",
        "name": html.escape(term.name, quote=False),
        "slug": term.slug,
        "taxonomy": "post_tag" if tag else "category",
        "meta": [],
    }


def user_json(account: StageAccount, base: str) -> dict[str, Any]:
    """The user who is signed in."""
    role = account.role or "editor"
    writes, publishes = role != "subscriber", role in ("administrator", "editor", "author")
    rights = {
        "read": True,
        "edit_posts": writes,
        "publish_posts": publishes,
        "edit_published_posts": publishes,
        "upload_files": publishes,
        "manage_categories": role in ("administrator", "editor"),
        role: True,
    }
    return {
        "id": 1,
        "username": account.user,
        "name": account.user,
        "url": base,
        "description": "",
        "link": f"{base}/author/{slug_of(account.user)}/",
        "locale": "id_ID",
        "slug": slug_of(account.user),
        "roles": [role],
        "capabilities": rights,
    }


def home_page(name: str) -> str:
    """The site's front page."""
    safe = html.escape(name)
    return f"<!doctype html><html lang=id><head><title>{safe}</title></head><body><h1>{safe}</h1></body></html>"


def only_fields(body: dict[str, Any], wanted: str | None) -> dict[str, Any]:
    """What ``_fields`` asks for, with dots for what lies within (``previous.id``); everything without it."""
    if not wanted:
        return body
    result: dict[str, Any] = {}
    for name in wanted.split(","):
        head, _dot, rest = name.strip().partition(".")
        if head not in body:
            continue
        if rest and isinstance(body[head], dict):
            result.setdefault(head, {}).update(only_fields(body[head], rest))
        else:
            result[head] = body[head]
    return result
