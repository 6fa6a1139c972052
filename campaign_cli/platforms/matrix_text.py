"""What stands in a Matrix event: the text in its two forms, and the contents of the events of one part.

https://spec.matrix.org/latest/client-server-api/#mroommessage-msgtypes
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from campaign_cli.models import Picture
from campaign_cli.platforms.base import Count, Limits, Sending
from campaign_cli.platforms.markup import Marks, in_marks

TEXT: Final = 60_000  # bytes of the text in both forms; an event with all that the server adds may have 65,536


def plain(text: str) -> str:
    """The text for clients that show no marks: an address stands behind its label."""
    return in_marks(text, _PLAIN)


def worded(text: str) -> dict[str, str]:
    """``body``, and ``formatted_body`` where the text has marks."""
    body, html = plain(text), in_marks(text, _HTML)
    if html == _escaped(body):
        return {"body": body}
    return {"body": body, "format": "org.matrix.custom.html", "formatted_body": html}


def measured(text: str, limits: Limits) -> tuple[Count, ...]:
    """UTF-8 bytes of what is sent, as JSON; with marks the text is sent twice."""
    words = worded(text)
    words.pop("format", None)
    used = sum(len(json.dumps(value, ensure_ascii=False).encode()) - 2 for value in words.values())
    return (Count(used=used, limit=limits.text_bytes, unit="bytes"),)


def contents(sending: Sending, addresses: Sequence[str]) -> list[dict[str, Any]]:
    """The events of a part without their place in a thread: the text, then each file with its description.

    ``m.mentions`` is empty, so that words such as ``@room`` in a text wake nobody.
    """
    text, media = sending.content.text, sending.content.media
    events: list[dict[str, Any]] = []
    if text.strip() or not media:
        events.append({"msgtype": "m.text", **worded(text), "m.mentions": {}})
    events += [_file(item, address) for item, address in zip(media, addresses, strict=True)]
    return events


def _file(item: Picture, address: str) -> dict[str, Any]:
    """A picture or a video: a ``body`` that is not the file's name is its caption, and clients read it out."""
    info: dict[str, Any] = {"mimetype": item.mime, "size": item.size}
    if item.width and item.height:
        info |= {"w": item.width, "h": item.height}
    if item.seconds is not None:
        info["duration"] = round(item.seconds * 1000)
    return {
        "msgtype": "m.video" if item.is_video else "m.image",
        "body": item.alt.strip() or item.name,
        "filename": item.name,
        "url": address,
        "info": info,
        "m.mentions": {},
    }


def same(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether two contents say the same; a file that was uploaded twice has two addresses."""
    return {**found, "url": None} == {**wanted, "url": None}


def alt_of(content: Mapping[str, Any]) -> str | None:
    """The description of a picture or a video; None for another message."""
    if content.get("msgtype") not in ("m.image", "m.video"):
        return None
    body = str(content.get("body") or "")
    return "" if content.get("filename") in (None, body) else body


def _escaped(text: str) -> str:
    return escape(text, quote=False).replace("\n", "<br>")


_PLAIN: Final = Marks(
    bold="", italic="", struck="", literal=str, code=str, link=lambda label, address: f"{label} ({address})"
)
_HTML: Final = Marks(
    bold="<strong>",
    italic="<em>",
    struck="<del>",
    literal=_escaped,
    code=lambda text: f"<code>{_escaped(text)}</code>",
    link=lambda label, address: f'<a href="{escape(address)}">{label}</a>',
)
