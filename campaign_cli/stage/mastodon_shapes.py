"""What Mastodon says: its JSON shapes, the HTML that it makes of a text, and how it counts.

Shapes as recorded from Mastodon 4.6; counting as docs.joinmastodon.org/user/posting describes it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import regex

from campaign_cli.stage.state import StageAccount, StageMedia, StagePost

_LINK = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?)\]]")
_MENTION = re.compile(r"(?<![\w/])@(\w+)@[\w.-]+\w")
_TAG = re.compile(r"(?<![\w/&])#(\w+)")


def profile_json(account: StageAccount, base: str, *, posts: int) -> dict[str, Any]:
    """The account; ``base`` is the instance, ``posts`` how many statuses it has."""
    return {
        "id": account_id(account),
        "username": account.user,
        "acct": account.user,
        "display_name": account.name,
        "locked": False,
        "bot": False,
        "created_at": "2026-01-01T00:00:00.000Z",
        "note": "",
        "url": f"{base}/@{account.user}",
        "uri": f"{base}/users/{account.user}",
        "followers_count": 0,
        "following_count": 0,
        "statuses_count": posts,
        "emojis": [],
        "fields": [],
    }


def media_json(media: StageMedia, address: str) -> dict[str, Any]:
    """An attachment; without address while it is being processed."""
    size = {"width": media.width, "height": media.height, "size": f"{media.width}x{media.height}"}
    url = None if media.polls else address
    return {
        "id": media.id,
        "type": media.mime.partition("/")[0],
        "url": url,
        "preview_url": url,
        "remote_url": None,
        "text_url": None,
        "meta": {"original": size | {"aspect": media.width / max(media.height, 1)}},
        "description": media.alt or None,
        "blurhash": None,
    }


def status_json(
    post: StagePost, *, account: StageAccount, base: str, posts: int, address: Callable[[StageMedia], str]
) -> dict[str, Any]:
    """A status; ``address`` says where a picture can be seen."""
    counts = dict.fromkeys(("replies_count", "reblogs_count", "favourites_count", "quotes_count"), 0)
    return counts | {
        "id": post.id,
        "created_at": _iso(post.at),
        "in_reply_to_id": post.reply_to,
        "in_reply_to_account_id": account_id(account) if post.reply_to else None,
        "sensitive": post.data["sensitive"],
        "spoiler_text": post.title,
        "visibility": post.visibility,
        "language": post.language,
        "uri": f"{base}/users/{account.user}/statuses/{post.id}",
        "url": f"{base}/@{account.user}/{post.id}",
        "edited_at": None,
        "content": status_html(post.text, base),
        "reblog": None,
        "application": {"name": "campaign", "website": None},
        "account": profile_json(account, base, posts=posts),
        "media_attachments": [media_json(media, address(media)) for media in post.media],
        "mentions": [],
        "tags": [{"name": tag, "url": f"{base}/tags/{tag}"} for tag in _TAG.findall(post.text)],
        "emojis": [],
        "card": None,
        "poll": None,
    }


def status_length(text: str, url_length: int) -> int:
    """Grapheme clusters; each link counts as ``url_length``, a remote mention as its local part."""
    short = _MENTION.sub(r"@\1", _LINK.sub("x" * url_length, text) if url_length else text)
    return len(regex.findall(r"\X", short))


def status_html(text: str, base: str) -> str:
    """The HTML that Mastodon makes of a plain text: paragraphs, line breaks, links, hashtags."""
    done = html.escape(text, quote=False)
    done = _LINK.sub(lambda match: _anchor(match.group()), done)
    done = _TAG.sub(
        lambda match: (
            f'<a href="{base}/tags/{match[1].lower()}" class="mention hashtag" rel="tag">#<span>{match[1]}</span></a>'
        ),
        done,
    )
    paragraphs = re.split(r"\n{2,}", done.replace("\r\n", "\n").strip("\n"))
    return "".join(f"<p>{paragraph.replace(chr(10), '<br />')}</p>" for paragraph in paragraphs)


def _anchor(url: str) -> str:
    scheme, _slashes, rest = html.unescape(url).partition("://")
    shown, hidden = html.escape(rest[:30], quote=False), html.escape(rest[30:], quote=False)
    spans = (("invisible", f"{scheme}://"), ("ellipsis", shown), ("invisible", hidden))
    inside = "".join(f'<span class="{name}">{text}</span>' for name, text in spans)
    return f'<a href="{url}" target="_blank" rel="nofollow noopener" translate="no">{inside}</a>'


def account_id(account: StageAccount) -> str:
    """The account's id, always the same."""
    return str(
        109_000_000_000_000_000 + sum(ord(letter) * 31**place for place, letter in enumerate(account.name)) % 10**12
    )


def _iso(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"
