"""The text of a post in two shapes: as we sent it, and as X gives it back.

X shortens every link to t.co, adds one for the pictures, and escapes ``&``, ``<`` and ``>``.
https://docs.x.com/x-api/fundamentals/data-dictionary
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from campaign_cli.platforms.weighted import url_spans

_SHORTENER: Final = "t.co"
_ADDRESSED: Final = re.compile(r"(?:@\w{1,15}\s+)+", re.ASCII)


def plain_text(post: Mapping[str, Any]) -> str:
    """The whole text with its links as they were written, without the one that stands for the pictures.

    A long text is in ``note_post`` (once ``note_tweet``). Raises KeyError where there is none.
    """
    note = post.get("note_post") or post.get("note_tweet") or {}
    text = html.unescape(str(note.get("text") or post["text"]))
    for source in (note, post):
        for link in (source.get("entities") or {}).get("urls") or ():
            short, whole = str(link.get("url") or ""), str(link.get("expanded_url") or "")
            if short:
                text = text.replace(short, "" if _shows_media(link, whole, str(post.get("id"))) else whole or short)
    return text.strip()


def _shows_media(link: Mapping[str, Any], whole: str, identifier: str) -> bool:
    """Whether a link of the text stands for the post's own pictures."""
    return bool(link.get("media_key")) or any(f"/status/{identifier}/{kind}/" in whole for kind in ("photo", "video"))


def same_text(ours: str, theirs: str) -> bool:
    """Whether ``theirs`` (``plain_text``) is our text.

    White space, compositions, and what X makes of an address make no difference: of links the host alone counts, since
    posting twice is worse than taking the one for the other. Names that X puts before a reply are passed over.
    """
    return _same(_parts(ours), _parts(theirs)) or _same(_parts(ours), _parts(_ADDRESSED.sub("", theirs, count=1)))


def _same(one: tuple[str, list[str]], other: tuple[str, list[str]]) -> bool:
    words, hosts = zip(one, other, strict=True)
    if words[0] != words[1] or len(hosts[0]) != len(hosts[1]):
        return False
    return all(first == second or _SHORTENER in (first, second) for first, second in zip(*hosts, strict=True))


def _parts(text: str) -> tuple[str, list[str]]:
    """The words with a mark for each link, and the links' hosts."""
    text = unicodedata.normalize("NFC", text)
    pieces, hosts, done = [], [], 0
    for span in url_spans(text):
        pieces.append(text[done : span.start])
        hosts.append(_host(span.value))
        done = span.end
    pieces.append(text[done:])
    return " ".join("\0".join(pieces).split()), hosts


def _host(link: str) -> str:
    try:
        host = urlsplit(link if "://" in link else f"http://{link}").hostname or ""
    except ValueError:
        return link
    return host.lower().removeprefix("www.")
