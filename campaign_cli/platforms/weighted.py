"""X's weighted length, by the rules of twitter-text (Copyright 2018 Twitter, Inc. and contributors, Apache-2.0).

Text is normalised to NFC; a link counts 23, an emoji 2, other characters 1 or 2 by range.
https://docs.x.com/fundamentals/counting-characters
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from campaign_cli.platforms.text import Span, hashtag_spans, top_level_domains, utf16_length


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A twitter-text configuration: weights in hundredths, ``ranges`` are (first, last, weight) of code points."""

    limit: int
    scale: int
    default: int
    ranges: tuple[tuple[int, int, int], ...]
    emoji: bool
    link: int = 23


_LIGHT_RANGES: Final = ((0, 4351, 100), (8192, 8205, 100), (8208, 8223, 100), (8242, 8247, 100))
VERSION_1: Final = Table(limit=140, scale=1, default=1, ranges=(), emoji=False)
VERSION_2: Final = Table(limit=280, scale=100, default=200, ranges=_LIGHT_RANGES, emoji=False)
VERSION_3: Final = Table(limit=280, scale=100, default=200, ranges=_LIGHT_RANGES, emoji=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Parsed:
    """What twitter-text says of a post: ``valid_end`` and ``display_end`` are inclusive UTF-16 offsets from 0."""

    length: int
    valid: bool
    permillage: int
    display_end: int
    valid_end: int


# The sign for copyright and the registered mark are light by range, but emoji to X.
_LIGHT: Final = re.compile("[\x00-\xa8\xaa-\xad\xaf-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]*")
_HEAVY: Final = re.compile("[^\x00-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]")
_MAY_BE_LINK: Final = re.compile(r"[^\s.]\.[^\s.]")
_INVALID: Final = "\ufffe\ufeff\uffff"
_DIRECTIONAL: Final = "\u202a-\u202e\u061c\u200e\u200f\u2066-\u2069"
_ACCENTS: Final = (
    "\xc0-\xd6\xd8-\xf6\xf8-\xff\u0100-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268\u026f\u0272\u0289\u028b"
    "\u02bb\u0300-\u036f\u1e00-\u1eff"
)
_SPACES: Final = "\x09-\x0d\x20\x85\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_NOT_DOMAIN: Final = r"!'#%&()*+,\\\-./:;<=>?@\[\]^_{|}~$" + _SPACES + _INVALID + _DIRECTIONAL
_DOTTED: Final = re.compile(rf"[^.{_SPACES}]+\.[^{_SPACES}]*[^.{_SPACES}][^{_SPACES}]*")
_PATH: Final = rf"[a-z\u0400-\u04ff0-9!*';:=+,.$/%#\[\]\-\u2013_~@|&{_ACCENTS}]"
_PARENTHESES: Final = rf"\((?:{_PATH}+|{_PATH}*\({_PATH}+\){_PATH}*)\)"
_PATH_END: Final = rf"(?:[+\-a-z\u0400-\u04ff0-9=_#/{_ACCENTS}]|{_PARENTHESES})"
_QUERY: Final = r"[a-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]"
_QUERY_END: Final = r"[a-z0-9\-_&=#/]"
_LONGEST_URL: Final = 4096
_SHORTENED: Final = re.compile(rf"https?://t\.co/([a-z0-9]+)(?:\?{_QUERY}*{_QUERY_END})?", re.IGNORECASE)


@cache
def _domain_ending() -> str:
    names = sorted({*top_level_domains(), "onion"}, reverse=True)
    return rf"(?:(?:{'|'.join(names)})(?=[^0-9a-zA-Z@+-]|$)|xn--[\-0-9a-z]+)"


@cache
def _url_pattern() -> re.Pattern[str]:
    letter = f"[^{_NOT_DOMAIN}]"  # and at most 17 labels, so that "a.a.a.…" can't take minutes
    return re.compile(
        rf"(?P<before>[^A-Za-z0-9@＠$#＃{_INVALID}]|[{_DIRECTIONAL}]|^)"
        r"(?P<url>(?P<protocol>https?://)?"
        rf"(?P<domain>(?:{letter}(?:[_-]|{letter})*+(?<![_-])\.){{0,15}}{letter}(?:-|{letter})*+(?<!-)\.{_domain_ending()})"
        r"(?::[0-9]+)?"
        rf"(?P<path>/(?:{_PATH}*(?:{_PARENTHESES}{_PATH}*)*{_PATH_END}|@{_PATH}+/)*)?"
        rf"(?:\?{_QUERY}*{_QUERY_END})?)",
        re.IGNORECASE,
    )


@cache
def _ascii_domain() -> re.Pattern[str]:
    return re.compile(rf"(?:[\-a-z0-9{_ACCENTS}]+\.)+{_domain_ending()}", re.IGNORECASE)


@cache
def _emoji_pattern() -> Any:
    import regex

    one = r"(?:\p{Emoji_Modifier_Base}\p{Emoji_Modifier}|\p{Extended_Pictographic}(?:\uFE0F|(?!\uFE0E)))"
    return regex.compile(
        rf"\p{{Regional_Indicator}}{{2}}|[#*0-9]\uFE0F?\u20E3|{one}(?:[\U000E0020-\U000E007E]+\U000E007F)?(?:\u200D{one})*"
    )


def _candidates(text: str) -> Iterator[re.Match[str]]:
    """Matches in the words that hold a dot: no link spans a space, and searching the other words costs most."""
    for word in _DOTTED.finditer(text):
        yield from _url_pattern().finditer(text, max(word.start() - 1, 0), word.end())


def _labels_fit(domain: str) -> bool:
    """Whether every label is one a name server could know: 1 to 63 bytes, counted after Punycode."""
    for label in domain.split("."):
        length = len(label) if label.isascii() else 4 + len(label.encode("punycode"))
        if not 1 <= length <= 63:
            return False
    return True


def url_spans(text: str) -> Iterator[Span]:
    """The links that X would shorten, also those without a scheme; ``text`` is in NFC, spans don't overlap."""
    if not _MAY_BE_LINK.search(text):
        return
    for match in _candidates(text):
        start, end = match.span("url")
        domain = match["domain"]
        if not _labels_fit(domain) or len(match["url"]) + len(match["protocol"] or "https://") > _LONGEST_URL:
            continue
        if match["protocol"]:
            short = _SHORTENED.match(match["url"])
            if short and len(short[1]) > 40:
                continue
            end = start + short.end() if short else end
            yield Span(start, end, text[start:end])
        elif match["before"] not in ("-", "_", ".", "/"):
            found = list(_ascii_domain().finditer(domain))
            for part in found:
                last = end if part is found[-1] and match["path"] else start + part.end()
                yield Span(start + part.start(), last, text[start + part.start() : last])


def weighted_length(text: str) -> int:
    """The weighted length alone: what ``parse`` says, without walking over every character."""
    text = text if text.isascii() else unicodedata.normalize("NFC", text)
    total = done = 0
    for span in url_spans(text):
        total += _piece_length(text[done : span.start]) + VERSION_3.link
        done = span.end
    return total + _piece_length(text[done:])


def _piece_length(text: str) -> int:
    """The weighted length of text without links."""
    if _LIGHT.fullmatch(text):
        return len(text)
    rest, emoji = _emoji_pattern().subn("", text)
    return 2 * int(emoji) + len(rest) + len(_HEAVY.findall(rest))


def parse(text: str, table: Table = VERSION_3) -> Parsed:
    """All that twitter-text's ``parseTweet`` answers, for one of its configurations."""
    normal = unicodedata.normalize("NFC", text)
    wholes = {span.start: (span.end, table.link * table.scale) for span in url_spans(normal)}
    if table.emoji:
        for match in _emoji_pattern().finditer(normal):
            wholes.setdefault(match.start(), (match.end(), table.default))
    weight = index = offset = last_valid = 0
    valid = True
    while index < len(normal):
        end, worth = wholes.get(index) or (index + 1, _character_weight(normal[index], table))
        weight += worth
        offset += utf16_length(normal[index:end])
        valid = valid and normal[end - 1] not in _INVALID
        if valid and weight <= table.limit * table.scale:
            last_valid = offset - 1
        index = end
    length = weight // table.scale
    size = utf16_length(text)
    return Parsed(
        length=length,
        valid=valid and 0 < length <= table.limit,
        permillage=length * 1000 // table.limit,
        display_end=max(size - 1, 0),
        valid_end=last_valid + size - utf16_length(normal),
    )


def _character_weight(character: str, table: Table) -> int:
    code = ord(character)
    return next((weight for first, last, weight in table.ranges if first <= code <= last), table.default)


def is_username(text: str) -> bool:
    """Whether X knows this as a mention: ``@`` and up to 20 ASCII letters, digits or ``_``."""
    return re.fullmatch(r"[@＠][a-zA-Z0-9_]{1,20}", text) is not None


def is_list(text: str) -> bool:
    """Whether X knows this as the name of a list: ``@name/list``."""
    return re.fullmatch(r"[@＠][a-zA-Z0-9_]{1,20}/[a-zA-Z][a-zA-Z0-9_-]{0,24}", text) is not None


def is_hashtag(text: str) -> bool:
    """Whether the whole text is one hashtag."""
    return [(span.start, span.end) for span in hashtag_spans(text)] == [(0, len(text))]


_URL_PARTS: Final = re.compile(r"(?:([^:/?#]+)://)?([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?")
_HEX: Final = r"%[0-9a-f]{2}"
_WORD: Final = r"a-z0-9\u0400-\u04ff\-._~!$&'()*+,;="
_WIDE: Final = r"a-z0-9\u0080-\U0010ffff"
_OCTET: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_AUTHORITY: Final = re.compile(
    rf"(?:(?:[{_WORD}:]|{_HEX})*@)?"
    rf"(?:{_OCTET}(?:\.{_OCTET}){{3}}|\[[a-f0-9:.]+\]|"
    rf"(?:[{_WIDE}](?:[{_WIDE}_-]*[{_WIDE}])?\.)*[{_WIDE}](?:[{_WIDE}-]*[{_WIDE}])?\."
    rf"[a-z\u0080-\U0010ffff](?:[{_WIDE}-]*[{_WIDE}])?)(?::[0-9]{{1,5}})?",
    re.IGNORECASE,
)
_URL_PATH: Final = re.compile(rf"(?:/(?:[{_WORD}:|@]|{_HEX})*)*", re.IGNORECASE)
_URL_QUERY: Final = re.compile(rf"(?:[{_WORD}:|@/?]|{_HEX})*", re.IGNORECASE)


def is_url(text: str, *, protocol: bool = True) -> bool:
    """Whether the whole text is one web address; ``protocol`` demands http or https in front."""
    parts = _URL_PARTS.fullmatch(text)
    if not text or not parts:
        return False
    scheme, authority, path, query, fragment = parts.groups()
    if protocol and (scheme or "").lower() not in ("http", "https"):
        return False
    return bool(
        _AUTHORITY.fullmatch(authority)
        and _URL_PATH.fullmatch(path)
        and _URL_QUERY.fullmatch(query or "")
        and _URL_QUERY.fullmatch(fragment or "")
    )
