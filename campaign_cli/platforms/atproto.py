"""The AT Protocol's own shapes: record keys, instants, facets and embeds. Pure functions, for Bluesky.

https://atproto.com/specs/tid · https://atproto.com/specs/lexicon#datetime · https://docs.bsky.app/docs/advanced-guides/post-richtext
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from campaign_cli.platforms.text import (
    Span,
    byte_offset,
    graphemes,
    hashtag_spans,
    link_spans,
    mention_spans,
    utf8_length,
)

_SORTABLE: Final = "234567abcdefghijklmnopqrstuvwxyz"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TAG_GRAPHEMES, _TAG_BYTES = 64, 640  # app.bsky.richtext.facet#tag

Json = dict[str, Any]


def created_at(due: datetime, part: int) -> datetime:
    """When the part says that it was written: the due instant in whole milliseconds, one later for each part."""
    instant = due.astimezone(UTC)
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000) + timedelta(milliseconds=part)


def timestamp(instant: datetime) -> str:
    """RFC 3339 with milliseconds and Z, the form that every implementation takes."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def record_key(instant: datetime, key: str) -> str:
    """A TID (13 characters) from an instant in whole milliseconds and an attempt key: the same two, the same TID.

    The microseconds below the millisecond and the ten bits of the clock come from the key's hash, so that a million
    different keys share one millisecond.
    """
    chance = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
    microseconds = (instant - _EPOCH) // timedelta(milliseconds=1) * 1000 + chance % 1000
    number = (microseconds << 10 | chance // 1000 % 1024) & (1 << 63) - 1
    return "".join(_SORTABLE[number >> shift & 31] for shift in range(60, -1, -5))


def handles_in(text: str) -> list[str]:
    """The mentions that can be handles here (``@name.example``), each once, in order and in lower case."""
    names = [span.value.lower() for span in mention_spans(text)]
    return list(dict.fromkeys(name for name in names if "." in name and "@" not in name))


def facets(text: str, people: Mapping[str, str]) -> list[Json]:
    """Links, hashtags and mentions with their UTF-8 byte offsets; ``people`` maps handles to DIDs.

    A mention without a DID stays text. app.bsky.richtext.facet
    """
    marked = [(span, {"$type": "app.bsky.richtext.facet#link", "uri": address(span.value)}) for span in _links(text)]
    marked += [
        (span, {"$type": "app.bsky.richtext.facet#tag", "tag": span.value})
        for span in hashtag_spans(text)
        if graphemes(span.value) <= _TAG_GRAPHEMES and utf8_length(span.value) <= _TAG_BYTES
    ]
    marked += [
        (span, {"$type": "app.bsky.richtext.facet#mention", "did": people[span.value.lower()]})
        for span in mention_spans(text)
        if span.value.lower() in people
    ]
    found: list[Json] = []
    end = 0
    for span, feature in sorted(marked, key=lambda pair: (pair[0].start, -pair[0].end)):
        if span.start >= end:  # overlapping facets are dropped by readers
            index = {"byteStart": byte_offset(text, span.start), "byteEnd": byte_offset(text, span.end)}
            found.append({"index": index, "features": [feature]})
            end = span.end
    return found


def address(link: str) -> str:
    """A link with its scheme: people write ``serikat.example/aksi`` too."""
    return link if "://" in link else f"https://{link}"


def last_link(text: str) -> str | None:
    """The last link of a text, with its scheme."""
    links = _links(text)
    return address(links[-1].value) if links else None


def images_embed(images: Sequence[Json]) -> Json:
    """app.bsky.embed.images"""
    return {"$type": "app.bsky.embed.images", "images": list(images)}


def video_embed(blob: Json, *, alt: str, width: int, height: int) -> Json:
    """app.bsky.embed.video; ``width`` 0: not known."""
    shape = {"aspectRatio": {"width": width, "height": height}} if width and height else {}
    return {"$type": "app.bsky.embed.video", "video": blob, "alt": alt, **shape}


def card_embed(link: str, *, title: str, description: str) -> Json:
    """app.bsky.embed.external; without a title the card is named after the link's host."""
    host = (urlsplit(link).hostname or link).removeprefix("www.")
    return {
        "$type": "app.bsky.embed.external",
        "external": {"uri": link, "title": title or host, "description": description},
    }


def self_labels(values: Sequence[str]) -> Json:
    """com.atproto.label.defs#selfLabels"""
    return {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": value} for value in values]}


def _links(text: str) -> list[Span]:
    return link_spans(text, bare=True)
