"""Markdown as officers write it, turned into HTML (WordPress), plain text with entities (Telegram), or others' marks.

markdown-it-py is imported at the first use: a plain text never needs it.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from campaign_cli.platforms.text import link_spans, utf16_length

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

TITLE_LENGTH: Final = 120  # characters of a title that is taken from the text
SLUG_LENGTH: Final = 80
_SCHEMES: Final = re.compile(r"(?:https?://|mailto:|tel:)", re.IGNORECASE)
_HEADING: Final = re.compile(r" {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*")
_MARKS: Final = re.compile(r"[*`\\]|~~|\]\(")  # without one of these, no inline mark can begin
_ENTITIES: Final = {"strong_open": "bold", "em_open": "italic", "s_open": "strikethrough", "link_open": "text_link"}
_CLOSING: Final = frozenset({"strong_close", "em_close", "s_close", "link_close"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Marks:
    """How a network writes inline marks: the signs around bold, italic and struck words (or the HTML tag that begins
    them), and what writes the rest."""

    bold: str
    italic: str
    struck: str
    literal: Callable[[str], str]
    code: Callable[[str], str]
    link: Callable[[str, str], str]  # the label, already written, and the address


def to_html(text: str) -> str:
    """Markdown as HTML: raw HTML is shown, not obeyed; only http(s), mailto and tel links; bare links become links.

    A line break stays one, as on every other network.
    """
    return str(_blocks().render(text)).strip()


def title_and_body(text: str) -> tuple[str, str]:
    """The title of a text that has none of its own, and the rest.

    A heading at the top becomes the title and leaves the body; otherwise the first line is the title, and stays.
    """
    stripped = text.strip()
    first, _newline, rest = stripped.partition("\n")
    heading = _HEADING.fullmatch(first)
    if heading is not None and heading[1]:
        return shortened(heading[1]), rest.strip()
    return shortened(first), stripped


def shortened(line: str) -> str:
    """One line of Markdown as a plain title of at most ``TITLE_LENGTH`` characters."""
    return textwrap.shorten(plain(line), TITLE_LENGTH, placeholder="…")


def plain(line: str) -> str:
    """The words of one line of Markdown."""
    children = _blocks().parseInline(line)[0].children or []
    return "".join(token.content for token in children if token.type in {"text", "code_inline"}).strip()


def slug_of(title: str) -> str:
    """The title as part of an address: ASCII words joined by hyphens; empty where nothing is left."""
    ascii_text = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", ascii_text.replace("'", ""))
    slug = "-".join(words)
    return slug if len(slug) <= SLUG_LENGTH else slug[: SLUG_LENGTH + 1].rpartition("-")[0] or slug[:SLUG_LENGTH]


def figure(url: str, alt: str, *, media_id: object) -> str:
    """A picture inside a post, as WordPress writes it."""
    return (
        f'<figure class="wp-block-image"><img src="{escape(url)}" alt="{escape(alt)}" class="wp-image-{media_id}" />'
        "</figure>"
    )


def link_line(link: str) -> str:
    """A link on a line of its own below an article, shown without its query: a reader needs no utm_source."""
    parts = urlsplit(link)
    label = f"{parts.netloc}{parts.path}".rstrip("/")
    return f'<p><a href="{escape(link)}">{escape(label)}</a></p>'


def film(url: str, label: str) -> str:
    """A video inside a post, as WordPress writes it; ``label`` says what it shows to those who can't see it."""
    return (
        f'<figure class="wp-block-video"><video controls src="{escape(url)}" aria-label="{escape(label)}"></video>'
        "</figure>"
    )


def entities(text: str) -> tuple[str, list[dict[str, Any]]]:
    """Text without its marks, and what they meant, as Telegram's MessageEntity (offsets in UTF-16 code units).

    ``**bold**``, ``*italic*``, ``~~struck~~``, `` `code` ``, ``[label](https://…)`` and ``\\*`` for the sign itself.
    https://core.telegram.org/bots/api#messageentity
    """
    text = text.strip()
    if not _MARKS.search(text):
        return text, []
    return _flattened(_inline().parseInline(text)[0].children or [])


def in_marks(text: str, marks: Marks) -> str:
    """The text with the inline marks that ``entities`` understands, as another network writes them."""
    text = text.strip()
    if not _MARKS.search(text):
        return marks.literal(text)
    signs = {"strong": marks.bold, "em": marks.italic, "s": marks.struck}
    written: list[list[str]] = [[]]
    addresses: list[str] = []
    for token in _inline().parseInline(text)[0].children or []:
        kind = token.type.rpartition("_")[0]
        if token.type == "link_open":
            addresses.append(str(token.attrs["href"]))
            written.append([])
        elif token.type == "link_close":
            label = "".join(written.pop())
            written[-1].append(marks.link(label, addresses.pop()))
        elif kind in signs:
            written[-1].append(signs[kind] if token.nesting > 0 else signs[kind].replace("<", "</"))
        else:
            written[-1].append((marks.code if token.type == "code_inline" else marks.literal)(token.content))
    return "".join(written[0])


def _flattened(tokens: Sequence[Token]) -> tuple[str, list[dict[str, Any]]]:
    pieces: list[str] = []
    found: list[dict[str, Any]] = []
    opened: list[dict[str, Any]] = []
    offset = 0
    for token in tokens:
        if token.type in _ENTITIES:
            entity: dict[str, Any] = {"type": _ENTITIES[token.type], "offset": offset, "length": 0}
            if token.type == "link_open":
                entity["url"] = str(token.attrs["href"])
            found.append(entity)
            opened.append(entity)
        elif token.type in _CLOSING:
            entity = opened.pop()
            entity["length"] = offset - entity["offset"]
        else:
            length = utf16_length(token.content)
            if token.type == "code_inline":
                found.append({"type": "code", "offset": offset, "length": length})
            pieces.append(token.content)
            offset += length
    return "".join(pieces), [entity for entity in found if entity["length"]]


@cache
def _blocks() -> MarkdownIt:
    """CommonMark with tables and strike-through, without raw HTML."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "xhtmlOut": True})
    parser.enable(["table", "strikethrough"])
    parser.validateLink = _allowed  # type: ignore[method-assign]
    parser.inline.ruler.before("escape", "bare_link", _linked)
    return parser


@cache
def _inline() -> MarkdownIt:
    """The few marks that a Telegram message can show; ``_`` is none, because names and hashtags hold it."""
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline.emphasis import tokenize

    def stars(state: StateInline, silent: bool) -> bool:
        return state.src[state.pos] == "*" and tokenize(state, silent)

    parser = MarkdownIt("zero")
    parser.enable(["escape", "backticks", "strikethrough", "emphasis", "link"])
    parser.inline.ruler.at("emphasis", stars)
    parser.validateLink = _allowed  # type: ignore[method-assign]
    parser.normalizeLink = str  # type: ignore[method-assign,assignment]
    parser.inline.ruler.before("escape", "bare_link", _untouched)
    return parser


def _allowed(url: str) -> bool:
    return _SCHEMES.match(url.strip()) is not None


def _bare_link(state: StateInline) -> str:
    """The bare link whose ``://`` stands at the position, or nothing."""
    if state.linkLevel or not state.src.startswith("://", state.pos):
        return ""
    scheme = re.search(r"https?$", state.pending, re.IGNORECASE)
    if scheme is None:
        return ""
    start = state.pos - len(scheme[0])
    chunk = re.compile(r"\S+").match(state.src, start, state.posMax)
    spans = link_spans(chunk[0]) if chunk is not None else []
    return spans[0].value if spans and spans[0].start == 0 else ""


def _linked(state: StateInline, silent: bool) -> bool:
    """A bare link becomes a link, and no mark is looked for inside it."""
    link = _bare_link(state)
    if not link:
        return False
    end = state.pos - link.index("://") + len(link)
    if not silent:
        state.pending = state.pending[: -link.index("://")]
        state.push("link_open", "a", 1).attrs = {"href": state.md.normalizeLink(link)}
        state.push("text", "", 0).content = link
        state.push("link_close", "a", -1)
    state.pos = end
    return True


def _untouched(state: StateInline, silent: bool) -> bool:
    """A bare link stays text (Telegram makes it a link), and no mark is looked for inside it."""
    link = _bare_link(state)
    if not link:
        return False
    if not silent:
        state.pending += link[link.index("://") :]
    state.pos += len(link) - link.index("://")
    return True
