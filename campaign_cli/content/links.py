"""The link of a post, tagged per account for the report, and put where the network shows it."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlsplit, urlunsplit

from campaign_cli.platforms.text import link_spans


def utm_tags(*, platform: str, account: str, campaign: str, post: str, written: Mapping[str, str]) -> dict[str, str]:
    """The tags of a link: network, campaign, and which post on which account; ``written`` overrides by short name.

    ``post`` is the post's id without its occurrence, so that a recurring post is one row of the report.
    https://support.google.com/analytics/answer/10917952
    """
    tags = {"source": platform, "medium": "social", "campaign": campaign, "content": f"{post}.{account}"}
    return {f"utm_{name}": str(value) for name, value in {**tags, **written}.items() if value}


def tag_link(link: str, tags: Mapping[str, str]) -> str:
    """The link with the tags in its query; a tag that it already carries is left as written, a fragment stays last."""
    parts = urlsplit(link)
    if parts.scheme not in ("http", "https"):
        return link
    present = {pair.partition("=")[0] for pair in parts.query.split("&")}
    added = [f"{name}={quote(value, safe='')}" for name, value in tags.items() if name not in present]
    if not added:
        return link
    query = "&".join(filter(None, [parts.query, *added]))
    return urlunsplit(parts._replace(query=query, path=parts.path or "/"))


def has_link(text: str, link: str) -> bool:
    """Whether the link stands in the text, with or without a slash at its end."""
    return any(_same(span.value, link) for span in link_spans(text))


def replace_link(text: str, link: str, tagged: str) -> str:
    """The text with every place of the link replaced by the tagged one."""
    for span in reversed(link_spans(text)):
        if _same(span.value, link):
            text = text[: span.start] + tagged + text[span.end :]
    return text


def add_link(text: str, link: str) -> str:
    """The text with the link below it."""
    return f"{text}\n\n{link}" if text else link


def _same(one: str, other: str) -> bool:
    return one == other or one.rstrip("/") == other.rstrip("/")
