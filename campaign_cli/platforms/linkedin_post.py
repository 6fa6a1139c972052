"""What a post on LinkedIn is made of: the words, and a video, pictures or a card for the link.

https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/posts-api
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from campaign_cli.errors import Rejected
from campaign_cli.i18n import _
from campaign_cli.platforms import linkedin_media
from campaign_cli.platforms.base import Sending
from campaign_cli.platforms.linkedin_api import settings_of
from campaign_cli.platforms.linkedin_text import little

TITLE: Final = 200  # characters of a card's title that is taken from the text


async def content_of(sending: Sending) -> dict[str, Any] | None:
    """``content`` of the post: a video, one picture, several pictures, a card for the link, or nothing."""
    media = sending.content.media
    if any(each.is_video for each in media):
        if len(media) > 1:
            raise Rejected(
                _("LinkedIn takes one video, without pictures beside it."),
                fix=_("Write a variant for LinkedIn with the video or with the pictures."),
            )
        return {"media": {"id": await linkedin_media.video(sending, 0)} | _title(sending)}
    images = [
        {"id": await linkedin_media.image(sending, number)} | ({"altText": each.alt} if each.alt else {})
        for number, each in enumerate(media)
    ]
    if len(images) == 1:
        return {"media": images[0] | _title(sending)}
    if images:
        return {"multiImage": {"images": images}}
    if sending.draft.link:
        title = _title(sending) or {"title": _card_title(sending)}
        return {"article": {"source": sending.draft.link} | title}
    return None


def _title(sending: Sending) -> dict[str, str]:
    title = str(sending.draft.native.get("title") or "").strip()
    return {"title": title} if title else {}


def _card_title(sending: Sending) -> str:
    """LinkedIn doesn't look at the page behind a link, and wants a title: the text's first line, else the host.

    https://learn.microsoft.com/en-us/linkedin/marketing/integrations/ads/advertising-targeting/version/article-ads-integrations
    """
    first = sending.content.text.strip().partition("\n")[0]
    return textwrap.shorten(first, TITLE, placeholder="…") or urlsplit(sending.draft.link or "").netloc


def body_of(sending: Sending, content: Mapping[str, Any] | None) -> dict[str, Any]:
    """The body of POST /rest/posts."""
    body: dict[str, Any] = {
        "author": settings_of(sending.account).author,
        "commentary": little(sending.content.text),
        "visibility": "PUBLIC",
        "distribution": {"feedDistribution": "MAIN_FEED", "targetEntities": [], "thirdPartyDistributionChannels": []},
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": False,
    }
    return body | ({"content": dict(content)} if content else {})
