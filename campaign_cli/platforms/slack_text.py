"""Text as Slack writes it (mrkdwn), and the body of a message, for a bot and for a webhook alike.

https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any, Final

from campaign_cli.platforms.base import Count, Limits, Sending
from campaign_cli.platforms.markup import Marks, entities, in_marks

TEXT: Final = 4_000  # above it, Slack may break a message into several (and cuts at 40,000): receipts need one
SECTION: Final = 3_000  # of a section block, in which the text stands beside pictures
EVENT: Final = "campaign_post"
_LITERAL: Final = re.compile(r"[*_~`]")
_REFERENCE: Final = re.compile(r"<(?:([^<>|]*)\|)?([^<>]*)>")


def mrkdwn(text: str) -> str:
    """The text of a plan as Slack gets it: its marks, and ``&``, ``<`` and ``>`` escaped."""
    return in_marks(text, _MARKS)


def plain(text: str) -> str:
    """Slack's text without its escapes; of ``<address|label>`` the label stays."""
    return unescape(_REFERENCE.sub(lambda match: match[2], text))


def measured(text: str, limits: Limits, *, media: int) -> tuple[Count, ...]:
    """Code points of the mrkdwn that is sent, escapes included; beside pictures a section's limit holds."""
    limit = limits.caption if media and limits.caption is not None else limits.text
    return (Count(used=len(mrkdwn(text)), limit=limit, unit=limits.unit),)


def body_of(sending: Sending) -> dict[str, Any]:
    """What a bot's message and a webhook's have in common.

    The attempt's key goes along as metadata: people don't see it, and a look-up finds the message by it.
    https://docs.slack.dev/messaging/message-metadata
    """
    unfurl = sending.draft.native.get("link_preview") is not False
    return {
        "text": mrkdwn(sending.content.text),
        "unfurl_links": unfurl,
        "unfurl_media": unfurl,
        "metadata": {"event_type": EVENT, "event_payload": {"key": sending.key}},
    }


def misread(text: str) -> bool:
    """Whether Slack would take signs of a text for marks although it has none (``a_b_``): then marks are switched off.

    https://docs.slack.dev/reference/methods/chat.postMessage (mrkdwn)
    """
    shown, marks = entities(text)
    return not marks and _LITERAL.search(shown) is not None


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _link(label: str, address: str) -> str:
    return f"<{_escaped(address).replace('|', '%7C')}|{label}>"


_MARKS: Final = Marks(
    bold="*", italic="_", struck="~", literal=_escaped, code=lambda text: f"`{_escaped(text)}`", link=_link
)
