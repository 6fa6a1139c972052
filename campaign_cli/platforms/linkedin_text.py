"""LinkedIn's "little text": plain words with every sign escaped that would mean something, hashtags as elements.

An unescaped sign cuts the post off there, without a word.
https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/little-text-format
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import urlsplit

from campaign_cli.platforms.text import hashtag_spans, link_spans

_RESERVED: Final = re.compile(r"[\\|{}@\[\]()<>#*_~]")
_HASHTAG: Final = re.compile(r"\{hashtag\|\\?[#＃]\|((?:\\.|[^}\\])*)\}")
_MENTION: Final = re.compile(r"@\[((?:\\.|[^\]\\])*)\]\(urn:li:\w+:[^)]*\)")
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_SHORTENER: Final = "lnkd.in"


def little(text: str) -> str:
    """The text as ``commentary`` takes it: shown as it is written, with hashtags that can be clicked."""
    pieces, done = [], 0
    for span in hashtag_spans(text):
        pieces += [_escaped(text[done : span.start]), f"{{hashtag|\\#|{_escaped(span.value)}}}"]
        done = span.end
    return "".join(pieces) + _escaped(text[done:])


def plain(commentary: str) -> str:
    """What people read of a ``commentary``."""
    text = _HASHTAG.sub(r"#\1", commentary)
    return _ESCAPED.sub(r"\1", _MENTION.sub(r"\1", text))


def same_text(ours: str, theirs: str) -> bool:
    """Whether ``theirs`` (``plain``) is our text.

    White space and compositions make no difference; of links the host alone counts, and LinkedIn's shortener stands for
    any, since posting twice is worse than taking the one for the other.
    """
    (words, hosts), (other_words, other_hosts) = _parts(ours), _parts(theirs)
    if words != other_words or len(hosts) != len(other_hosts):
        return False
    return all(one == other or _SHORTENER in (one, other) for one, other in zip(hosts, other_hosts, strict=True))


def _escaped(text: str) -> str:
    return _RESERVED.sub(r"\\\g<0>", text)


def _parts(text: str) -> tuple[str, list[str]]:
    """The words with a mark for each link, and the links' hosts."""
    text = unicodedata.normalize("NFC", text)
    pieces, hosts, done = [], [], 0
    for span in link_spans(text):
        pieces.append(text[done : span.start])
        hosts.append(_host(span.value))
        done = span.end
    pieces.append(text[done:])
    return " ".join("\0".join(pieces).split()), hosts


def _host(link: str) -> str:
    try:
        return (urlsplit(link).hostname or "").removeprefix("www.")
    except ValueError:
        return link
