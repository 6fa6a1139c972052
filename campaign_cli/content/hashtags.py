"""Hashtags of plan, post and variant, added to the text where the network reads them there."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from campaign_cli.platforms.text import hashtag_spans


@lru_cache
def normal_hashtag(written: str) -> str:
    """The hashtag with exactly one ``#`` in front: ``UpahLayak``, ``#UpahLayak`` and ``##UpahLayak`` are the same."""
    return "#" + written.strip().lstrip("#＃").strip()


@lru_cache
def is_hashtag(written: str) -> bool:
    """Whether networks will read the whole of it as one hashtag."""
    tag = normal_hashtag(written)
    spans = hashtag_spans(tag)
    return len(spans) == 1 and spans[0].end == len(tag)


def missing_hashtags(text: str, written: Iterable[str]) -> list[str]:
    """The hashtags that the text does not hold yet, each once, in the order written, whatever their case."""
    present = {span.value.casefold() for span in hashtag_spans(text)}
    missing = []
    for tag in map(normal_hashtag, written):
        name = tag[1:].casefold()
        if name and name not in present:
            present.add(name)
            missing.append(tag)
    return missing


def add_hashtags(text: str, written: Iterable[str], *, said: str | None = None) -> str:
    """The text with the missing hashtags below it; behind it, where it already ends in a line of hashtags.

    ``said`` is the whole thread, of which the text is the last part.
    """
    missing = missing_hashtags(text if said is None else said, written)
    if not missing:
        return text
    last_line = text.rsplit("\n", 1)[-1].split()
    only_tags = bool(last_line) and all(word.startswith("#") for word in last_line)
    return text + ((" " if only_tags else "\n\n") if text else "") + " ".join(missing)
