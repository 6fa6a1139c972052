"""How Threads counts a text. https://developers.facebook.com/docs/threads/posts"""

from __future__ import annotations

from functools import cache
from typing import Any

from campaign_cli.platforms.text import link_spans, utf8_length


@cache
def _emoji() -> Any:
    import regex

    # A grapheme that is shown as a picture: pictographs with all that joins them, flags, and keycaps.
    return regex.compile(r"(?=\X)(?:\p{Extended_Pictographic}|\p{Regional_Indicator}|[0-9#*]\uFE0F?\u20E3)")


@cache
def _grapheme() -> Any:
    import regex

    return regex.compile(r"\X")


def threads_length(text: str) -> int:
    """Characters, of which an emoji counts as many as it has UTF-8 bytes."""
    if text.isascii():
        return len(text)
    return sum(utf8_length(one) if _emoji().match(one) else len(one) for one in _grapheme().findall(text))


def links(text: str) -> int:
    """How many different links there are, also those without ``https://``."""
    return len({span.value for span in link_spans(text, bare=True)})
