"""Text from plans, made harmless and telling: hidden signs are shown, links, tags and marks are marked up."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, Final, NamedTuple

from campaign_cli.platforms import text as measuring

_KEPT: Final = frozenset("\n\t\u200d\ufe0e\ufe0f")  # joiners and variation selectors belong to emoji


class Segment(NamedTuple):
    """A run of text: ``kinds`` are CSS names (link, tag, mention, bold …), ``hidden`` marks a sign made visible."""

    text: str
    kinds: tuple[str, ...] = ()
    hidden: bool = False


def visible(text: str) -> str:
    """The text with control, bidi and other invisible characters written out as ``‹U+202E›``; newlines stay."""
    return "".join(_sign(character) if hides(character) else character for character in text)


def hides(character: str) -> bool:
    """Whether a character would not be seen, or would change how its neighbours are seen."""
    if character in _KEPT or character.isprintable():
        return False
    return unicodedata.category(character) not in {"Zs"}


def plain_segments(text: str) -> list[Segment]:
    """Links, hashtags and mentions as Mastodon, Bluesky and Telegram recognise them in plain text."""
    return _cut(text, _spans(text))


def marks_inline(platform: str) -> bool:
    """Whether a network shows inline marks: as entities (Telegram) or as marks of its own (Discord, Slack)."""
    return _markup(platform) == "entities"


def is_article(platform: str) -> bool:
    """Whether a network shows an article with a title (WordPress, NationBuilder)."""
    return _markup(platform) == "markdown"


def _markup(platform: str) -> str:
    from campaign_cli import platforms

    return platforms.get(platform).markup if platform in platforms.PLATFORMS else "plain"


def marked_segments(text: str) -> list[Segment]:
    """The text without its marks, with what they mean."""
    from campaign_cli.platforms.markup import entities

    plain, found = entities(text)
    return _cut(plain, [*_spans(plain), *_entity_spans(plain, found)])


def _spans(text: str) -> list[tuple[int, int, str]]:
    found: list[tuple[int, int, str]] = []
    for kind, spans in (
        ("link", measuring.link_spans(text)),
        ("tag", measuring.hashtag_spans(text)),
        ("mention", measuring.mention_spans(text)),
    ):
        found += [(span.start, span.end, kind) for span in spans]
    return found


def _entity_spans(text: str, entities: Iterable[dict[str, Any]]) -> list[tuple[int, int, str]]:
    """Entities count in UTF-16 code units; Python counts in code points."""
    index_at: dict[int, int] = {}
    units = 0
    for index, character in enumerate(text):
        index_at[units] = index
        units += 2 if ord(character) > 0xFFFF else 1
    index_at[units] = len(text)
    kinds = {"text_link": "link", "strikethrough": "struck"}
    return [
        (
            index_at.get(entity["offset"], 0),
            index_at.get(entity["offset"] + entity["length"], len(text)),
            kinds.get(entity["type"], entity["type"]),
        )
        for entity in entities
    ]


def _cut(text: str, spans: list[tuple[int, int, str]]) -> list[Segment]:
    """The text cut at every edge of a span and around every hidden sign."""
    edges = {0, len(text)} | {edge for start, end, _kind in spans for edge in (start, end)}
    for index, character in enumerate(text):
        if hides(character):
            edges |= {index, index + 1}
    ordered = sorted(edges)
    pieces: list[Segment] = []
    for start, end in pairwise(ordered):
        kinds = tuple(kind for first, last, kind in spans if first <= start and end <= last)
        piece = text[start:end]
        hidden = len(piece) == 1 and hides(piece)
        pieces.append(Segment(_sign(piece) if hidden else piece, kinds, hidden))
    return pieces


def _sign(character: str) -> str:
    return f"‹U+{ord(character):04X}›"
