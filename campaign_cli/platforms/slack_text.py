"""Text as Slack writes it (mrkdwn), and the body of a message, for a bot and for a webhook alike.

https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import unescape
from itertools import pairwise
from textwrap import shorten
from typing import Any, Final

from campaign_cli.platforms.base import Count, Limits, Sending
from campaign_cli.platforms.markup import Marks, entities, in_marks
from campaign_cli.platforms.text import link_spans, utf16_offset

TEXT: Final = 4_000  # above it, Slack may break a message into several (and cuts at 40,000): receipts need one
SECTION: Final = 3_000  # what a block's text may have; that of a rich text, which stands beside pictures, is not told
EVENT: Final = "campaign_post"
_LABEL: Final = 200  # of a video's address: it stands below the text
_EMOJI: Final = re.compile(r":[\w+'-]+:")
_SIGNS: Final = re.compile(rf"[*_~`]|^\s*>|{_EMOJI.pattern}", re.MULTILINE)
_STYLES: Final = {"bold": "bold", "italic": "italic", "strikethrough": "strike", "code": "code"}
_REFERENCE: Final = re.compile(r"<(?:([^<>|]*)\|)?([^<>]*)>")


def mrkdwn(text: str) -> str:
    """The text of a plan as Slack gets it: its marks, and ``&``, ``<`` and ``>`` escaped."""
    return in_marks(text, _MARKS)


def plain(text: str) -> str:
    """Slack's text without its escapes; of ``<address|label>`` the label stays."""
    return unescape(_REFERENCE.sub(lambda match: match[2], text))


def words(text: str) -> list[str]:
    """The words of a message, whatever Slack makes of its links (``<address>``) and emoji (``:name:``)."""
    return re.findall(r"\w+", _EMOJI.sub(" ", plain(text)))


def measured(text: str, limits: Limits, *, media: int) -> tuple[Count, ...]:
    """Code points of the mrkdwn that is sent, escapes included; beside pictures a block's limit holds."""
    limit = limits.caption if media and limits.caption is not None else limits.text
    return (Count(used=len(mrkdwn(text)), limit=limit, unit=limits.unit),)


def body_of(sending: Sending, *, images: Sequence[Mapping[str, Any]] = (), film: str = "") -> dict[str, Any]:
    """What a bot's message and a webhook's have in common; ``images`` are blocks, ``film`` is the address of a video.

    What has marks, or signs that Slack would take for some, is shown as rich text, where no sign is one; ``text`` is
    then for notifications and for what is unfurled. A file is shown by its address in the text. The attempt's key goes
    along as metadata: people don't see it, and a look-up finds the message by it.

    https://docs.slack.dev/reference/block-kit/blocks/rich-text-block · /messaging/message-metadata
    """
    text, file = sending.content.text, _film(sending, film)
    unfurl = bool(file) or sending.draft.native.get("link_preview") is not False
    body: dict[str, Any] = {
        "text": "\n".join(filter(None, (mrkdwn(text), *(_link(_escaped(label), url) for label, url in file)))),
        "unfurl_links": unfurl,
        "unfurl_media": unfurl,
        "metadata": {"event_type": EVENT, "event_payload": {"key": sending.key}},
    }
    if images or _is_rich(text):
        elements = _elements(text)
        for label, url in file:
            elements += [{"type": "text", "text": "\n"}, {"type": "link", "text": label, "url": url}]
        section = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}
        body["blocks"] = [*([section] if elements else []), *images]
    return body


def _film(sending: Sending, address: str) -> list[tuple[str, str]]:
    """The words of a video's address, and the address; the whole description goes with the upload."""
    return [
        (shorten(item.alt, _LABEL, placeholder="…") or item.name, address)
        for item in sending.content.media
        if item.is_video
    ]


def _is_rich(text: str) -> bool:
    """Whether a text has marks, or what Slack would read as some: signs, quotes, emoji by name."""
    shown, marks = entities(text)
    for span in reversed(link_spans(shown)):
        shown = shown[: span.start] + shown[span.end :]
    return bool(marks) or _SIGNS.search(shown) is not None


def _elements(text: str) -> list[dict[str, Any]]:
    """The text in pieces, each with its style, or with the address that it leads to.

    https://docs.slack.dev/reference/block-kit/blocks/rich-text-block#rich_text_section
    """
    shown, marks = entities(text)
    units = shown.encode("utf-16-le", "surrogatepass")  # marks count so
    spans = [(mark["offset"], mark["offset"] + mark["length"], mark["type"], mark.get("url")) for mark in marks]
    for link in link_spans(shown, bare=True):
        url = link.value if "://" in link.value else f"https://{link.value}"
        spans.append((utf16_offset(shown, link.start), utf16_offset(shown, link.end), "link", url))
    edges = {edge for start, end, *_kind in spans for edge in (start, end)}
    elements = []
    for start, end in pairwise(sorted({0, len(units) // 2, *edges})):
        here = [span for span in spans if span[0] <= start and end <= span[1]]
        element: dict[str, Any] = {
            "type": "text",
            "text": units[2 * start : 2 * end].decode("utf-16-le", "surrogatepass"),
        }
        address = next((url for *_place, url in here if url), None)
        if address:
            element |= {"type": "link", "url": address}
        style = {_STYLES[kind]: True for *_place, kind, _url in here if kind in _STYLES}
        elements.append(element | ({"style": style} if style else {}))
    return elements


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _link(label: str, address: str) -> str:
    return f"<{_escaped(address).replace('|', '%7C')}|{label}>"


_MARKS: Final = Marks(
    bold="*", italic="_", struck="~", literal=_escaped, code=lambda text: f"`{_escaped(text)}`", link=_link
)
