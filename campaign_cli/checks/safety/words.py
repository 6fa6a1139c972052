"""A text as the rules read it: plain signs, and its links apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from campaign_cli.checks.safety.plain import plain_numbers, plain_signs

BLANK: Final = "\ufffc"
"""Stands for each sign of what was taken out of a text: neither a letter nor a space, so nothing is joined over it."""
TAG: Final = r"<(?:/?[A-Za-z][^<>\n]{0,60}|!--[^<>\n]{0,60}--)>"
"""A pattern: a tag or a remark of a page."""
GAP: Final = rf"(?:[ ./-]|\s{{0,2}}(?:[,;|]\s{{0,2}}#?|#|(?:{TAG}\s{{0,2}}){{1,4}}))"
"""A pattern: what parts the groups of a number so that a reader still sees one."""
_ENDS: Final = "com|org|net|id|me|ly|info|example|co|app|link|io|gl|tv|test|invalid"
_LINK: Final = re.compile(
    r"https?://[^\s<>\"“”]+|(?<!\w)(?:tel|sms):[+\d][\d().%-]{7,}|(?<!\w)mailto:[^\s<>\"“”]+"
    rf"|(?<![\w.-])[\w-]++(?:\.[\w-]++)*\.(?:{_ENDS})/[^\s<>\"“”]*",
    re.IGNORECASE,
)
_MAYBE: Final = re.compile(r"[/:]\S")
_TOKEN: Final = re.compile(r"[^\s<>\"“”]+")
_BEHIND: Final = ".,;:!?)]}'*_"
_DIGITS: Final = re.compile(r"\d[\d .()-]{7}")
_CALLED: Final = re.compile(r"(?:t\.me|telegram\.me|signal\.me)/(?:#?p/)?(\+\d{8,15})/?")
_SEGMENT: Final = re.compile(
    r"(?:(?P<word>[a-z]+)[-_.:]?)?(?P<number>\+?(?:62|0)8[1-9][\d .()-]{7,16}|\+[1-9]\d{9,14})", re.IGNORECASE
)
_CALLING: Final = frozenset({
    "hubungi", "kontak", "contact", "contacts", "call", "phone", "hp", "wa", "whatsapp", "tel", "telp", "tlp",
    "telepon", "ponsel", "sms", "chat", "cp", "narahubung",
})  # fmt: skip
"""What a page is called, or a part of its address before a number, that is a telephone's."""
_CHATS: Final = frozenset({"wa.me", "api.whatsapp.com", "web.whatsapp.com", "www.whatsapp.com", "whatsapp.com"})


@dataclass(frozen=True, slots=True)
class Link:
    """A link as ``written``; ``number`` is a telephone number that it calls, ``path`` and ``query`` are words."""

    written: str
    number: str = ""
    path: str = ""
    query: str = ""


def normal(text: str) -> str:
    """The text as a reader takes it: see ``plain``."""
    return plain_numbers(plain_signs(text))


def of_file(name: str) -> str:
    """The words of a file's name."""
    return PurePath(name).stem.replace("_", " ")


def apart(text: str) -> tuple[str, list[Link]]:
    """The text without its links, as long as before, and the links."""
    links: list[Link] = []
    if _MAYBE.search(text) is None:
        return text, links
    rest = text
    for token in _TOKEN.finditer(text):
        word = token.group()
        for match in _LINK.finditer(word) if "/" in word or ":" in word else ():
            written = match.group().rstrip(_BEHIND)
            start = token.start() + match.start()
            links.append(_link(written))
            rest = rest[:start] + BLANK * len(written) + rest[start + len(written) :]
    return rest, links


def _link(written: str) -> Link:
    scheme, _colon, rest = written.partition(":")
    if scheme.casefold() in ("tel", "sms"):
        return Link(written, number=unquote(rest))
    if scheme.casefold() == "mailto":
        address, _sign, query = rest.partition("?")
        return Link(written, path=unquote(address), query=_said(query))
    try:
        parts = urlsplit(written if "//" in written else f"//{written}")
        host = (parts.hostname or "").casefold()
    except ValueError:  # brackets that hold no address
        return Link(written, query=unquote(written))
    number = ""
    if host in _CHATS:
        number = next(_numbers(parts.path, parts.query), "")
    elif called := _CALLED.fullmatch(host + parts.path + parts.fragment):
        number = called[1]
    elif _DIGITS.search(parts.path):
        number = _in_path(host, unquote(parts.path))
    path = unquote(parts.path).replace("/", " / ")
    return Link(written, number=number, path=path, query=" ; ".join(filter(None, map(_said, parts[3:]))))


def _in_path(host: str, path: str) -> str:
    """The telephone number that a page's address names: with +, or with the word for it right before it.

    Every other number is the page's own: of an article, a product, a date.
    """
    before = host.split(".", maxsplit=1)[0]
    for segment in filter(None, path.split("/")):
        match = _SEGMENT.fullmatch(segment)
        if match is not None:
            number, words = match["number"], re.findall(r"[a-z]+", (match["word"] or before).casefold())
            if number.startswith("+") or not _CALLING.isdisjoint(words):
                return number if number.startswith(("+", "0")) else f"+{number}"
        before = segment
    return ""


def _said(query: str) -> str:
    """``nik=1&nama=x`` as words: each name before its value, as in a sentence."""
    return " ; ".join(f"{name}: {value}" for name, value in parse_qsl(query)) or unquote(query)


def _numbers(path: str, query: str) -> Iterator[str]:
    """International numbers of a link that opens a chat."""
    for piece in (*path.split("/"), *(value for name, value in parse_qsl(query) if name == "phone")):
        digits = re.sub(r"\D", "", unquote(piece))
        if len(digits) >= 8:
            yield f"+{digits}"
