"""The words and rights of a video on YouTube: title, description, tags, who may see it.

https://developers.google.com/youtube/v3/docs/videos#properties
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from campaign_cli.errors import Rejected
from campaign_cli.i18n import _
from campaign_cli.models import Draft
from campaign_cli.platforms.base import Sending
from campaign_cli.platforms.youtube_api import settings_of

TITLE: Final = 100  # characters
TEXT: Final = 5_000  # bytes
TAGS: Final = 500  # characters, with a comma between two, and quotes around one that has a space
VISIBILITIES: Final = ("public", "unlisted", "private")


def objections(draft: Draft) -> Iterator[Rejected]:
    """What YouTube would refuse of a draft, each with the field that it is about."""
    media, title, text = draft.parts[0].media, title_of(draft), draft.parts[0].text
    if len(media) != 1 or not media[0].is_video:
        yield Rejected(
            _("A post on YouTube is exactly one video."),
            code="media",
            fix=_("Give the post one video for this account, or leave the account out."),
        )
    if not title or len(title) > TITLE or re.search("[<>]", title):
        yield Rejected(
            _("“{title}” can't be a title on YouTube.").format(title=title),
            code="title",
            fix=_("Write another title: at least one character, at most 100, without < and >."),
        )
    if len(text.encode()) > TEXT or re.search("[<>]", text):
        yield Rejected(
            _("This text can't be a description on YouTube."),
            fix=_("Shorten the text to 5,000 bytes, and write it without < and >."),
        )
    tags = _tags(draft)
    if sum(len(tag) + 2 * (" " in tag) + 1 for tag in tags) - bool(tags) > TAGS:
        yield Rejected(
            _("The tags are too long."), code="tags", fix=_("Use fewer or shorter tags: 500 characters in all.")
        )


def resource(sending: Sending) -> dict[str, Any]:
    """The video's words and rights."""
    settings, tags = settings_of(sending.account), _tags(sending.draft)
    snippet: dict[str, Any] = {"title": title_of(sending.draft), "description": sending.content.text.strip()}
    snippet |= {"tags": tags} if tags else {}
    snippet |= {"categoryId": settings.category} if settings.category else {}
    status = {"privacyStatus": privacy_of(sending.draft), "selfDeclaredMadeForKids": settings.made_for_kids}
    native = sending.draft.native
    status |= {"containsSyntheticMedia": True} if native.get("ai_generated") else {}
    paid = {"paidProductPlacementDetails": {"hasPaidProductPlacement": True}}
    return {"snippet": snippet, "status": status} | (paid if native.get("promotes") == "paid" else {})


def _tags(draft: Draft) -> list[str]:
    return [str(tag) for tag in draft.native.get("tags") or ()]


def title_of(draft: Draft) -> str:
    """The plan's title, else the text's first line as far as it fits."""
    given = str(draft.native.get("title") or "").strip()
    if given:
        return given
    line = draft.parts[0].text.strip().partition("\n")[0].strip()
    if len(line) <= TITLE:
        return line
    words = line[: TITLE - 1]
    return (words.rpartition(" ")[0] or words).rstrip(" ,;:–-") + "…"


def privacy_of(draft: Draft) -> str:
    """Who may see it, in YouTube's own word."""
    return draft.visibility or VISIBILITIES[0]
