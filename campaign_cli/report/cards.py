"""Each post as its network will show it: the values that the page templates draw, one card per entry."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from campaign_cli.models import Picture
from campaign_cli.report import view, words
from campaign_cli.report.text import Segment, is_article, marked_segments, marks_inline, plain_segments, visible

if TYPE_CHECKING:
    from campaign_cli.platforms.base import Count

_HEADING: Final = re.compile(r"<(/?)h([1-6])>")
_LINK: Final = re.compile(r'<a href="')
_IMAGE: Final = re.compile(r"<img [^>]*>")


@dataclass(frozen=True, kw_only=True)
class PartCard:
    """One message: ``segments`` of text, or ``html`` for an article; ``counts`` as the network counts."""

    number: int
    segments: tuple[Segment, ...]
    html: str
    pictures: tuple[Picture, ...]
    counts: tuple[Count, ...]


@dataclass(frozen=True, kw_only=True)
class Card:
    """One post on one account. ``name`` and ``handle`` are what stands above it, ``clock`` the time below it there."""

    entry: view.Entry
    anchor: str
    day: str
    name: str
    handle: str
    clock: str
    parts: tuple[PartCard, ...]
    article: bool = False
    title: str = ""
    warning: str = ""
    link: str = ""
    link_host: str = ""
    link_label: str = ""
    language: str = ""
    fields: tuple[tuple[str, str], ...] = ()


def card_of(entry: view.Entry, preview: view.Preview) -> Card:
    """The card of one entry; an entry without draft has no parts."""
    draft = entry.draft
    native = dict(draft.native) if draft is not None else {}
    link = _link(_shown_link(entry))
    return Card(
        entry=entry,
        anchor=anchor_of(entry.key),
        day=words.day_label(entry.due, zone=entry.zone, day=preview.day),
        name=entry.account.name,
        handle=_handle(entry),
        clock=words.clock_text(entry.due, entry.account.timezone or entry.zone),
        parts=_parts(entry),
        article=is_article(entry.account.platform),
        title=_title(entry, native),
        warning=visible(str(native.get("cw") or "")),
        link=link,
        link_host=urlsplit(link).netloc,
        link_label=_label(link),
        language=draft.language if draft is not None else "",
        fields=_fields(entry, native),
    )


def anchor_of(key: str) -> str:
    """A fragment for a key: letters, digits, hyphens and dots."""
    return "p-" + re.sub(r"[^A-Za-z0-9.-]+", "-", key)


def article_html(text: str) -> str:
    """Markdown as WordPress gets it, headings lowered below the page's own, and without pictures from elsewhere."""
    from campaign_cli.platforms.markup import to_html

    html = to_html(visible(text))
    html = _HEADING.sub(lambda match: f"<{match[1]}h{min(int(match[2]) + 3, 6)}>", html)
    return _LINK.sub('<a rel="noopener noreferrer" href="', _IMAGE.sub("", html))


def _parts(entry: view.Entry) -> tuple[PartCard, ...]:
    if entry.draft is None:
        return ()
    article = is_article(entry.account.platform)
    cards: list[PartCard] = []
    for index, part in enumerate(entry.draft.parts):
        counts: Sequence[Count] = entry.counts[index] if index < len(entry.counts) else ()
        body = _body(entry, part.text) if article else part.text
        cards.append(
            PartCard(
                number=index + 1,
                segments=() if article else tuple(_segments(entry, body)),
                html=article_html(body) if article else "",
                pictures=part.media,
                counts=tuple(counts),
            )
        )
    return tuple(cards)


def _segments(entry: view.Entry, text: str) -> list[Segment]:
    text = text.rstrip("\n")
    return marked_segments(text) if marks_inline(entry.account.platform) else plain_segments(text)


def _title(entry: view.Entry, native: dict[str, Any]) -> str:
    """An article's title: its own, or the first line as the adapter takes it."""
    if not is_article(entry.account.platform) or entry.draft is None or not entry.draft.parts:
        return ""
    if native.get("title"):
        return visible(str(native["title"]))
    from campaign_cli.platforms.markup import title_and_body

    return visible(title_and_body(entry.draft.parts[0].text)[0])


def _body(entry: view.Entry, text: str) -> str:
    if entry.draft is not None and entry.draft.native.get("title"):
        return text
    from campaign_cli.platforms.markup import title_and_body

    return title_and_body(text)[1]


def _fields(entry: view.Entry, native: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """The native fields that the drawing itself doesn't show."""
    shown = {"title", "cw"} if is_article(entry.account.platform) else {"cw"}
    rows = [
        (words.native_label(name), visible(words.native_text(value)))
        for name, value in native.items()
        if name not in shown
    ]
    if entry.draft is not None and entry.draft.visibility:
        rows.append((words.native_label("visibility"), entry.draft.visibility))
    return tuple(rows)


def _handle(entry: view.Entry) -> str:
    settings = entry.account.settings
    for key in ("handle", "channel", "page", "author", "to"):
        if settings.get(key):
            return visible(str(settings[key]))
    return urlsplit(str(settings.get("url") or "")).netloc


def _shown_link(entry: view.Entry) -> str | None:
    """The link shown apart from the text; Bluesky makes a card of the last one, unless there are pictures."""
    draft = entry.draft
    if draft is None or draft.platform != "bluesky":
        return draft.link if draft is not None else None
    from campaign_cli.platforms.atproto import last_link

    if not draft.parts or draft.parts[-1].media:
        return None
    return draft.link or last_link(draft.parts[-1].text)


def _link(link: str | None) -> str:
    """The link, where it is one that a page may carry."""
    return link if link and link.lower().startswith(("https://", "http://")) else ""


def _label(link: str) -> str:
    """An address without its query, as the article shows it."""
    parts = urlsplit(link)
    return f"{parts.netloc}{parts.path}".rstrip("/")
