"""Reading Instagram's refusals: subcodes of its error table, and what a container says of its failure.

https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/error-codes
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from campaign_cli.errors import Failure, Rejected, Unavailable, Unconfirmed
from campaign_cli.i18n import _
from campaign_cli.platforms.base import Answer
from campaign_cli.platforms.graph_answers import GraphError, Table, refused

TITLE: Final = "Instagram"
SPENT: Final = frozenset({"2207006", "2207020", "2207032", "2207053"})
"""After these the container is of no use, and a new one is made."""
BLOCKED: Final = frozenset({"2207051"})
"""The action is blocked, says Instagram, and others have met it with the post out all the same."""
_DAILY: Final = 2207042
_NOT_TAKEN: Final = frozenset({2207003, 2207006, 2207020, 2207027, 2207032, 2207052, 2207053})
_DOUBTFUL: Final = frozenset({2207001, 2207008})  # "server error", "temporary error": it may be out all the same
_NOT_NOW: Final = timedelta(hours=1)  # the cap is one of a moving day; nobody says when a place is free again
_SUBCODE: Final = re.compile(r"\b(2207\d{3})\b")


def table(now: Callable[[], datetime], *, publishing: bool = False) -> Table:
    """Instagram's own rows; ``publishing`` is the request after which the post may be public."""

    def read(error: GraphError, answer: Answer) -> Failure | None:
        message = refused(error, title=TITLE)
        if error.subcode in _DOUBTFUL:
            return (Unconfirmed if publishing else Unavailable)(message, status=answer.status, code=error.name)
        retry_at = now() + _NOT_NOW if error.subcode == _DAILY else None
        return _failure(error.subcode, message, status=answer.status, code=error.name, retry_at=retry_at)

    return read


def container_failed(reason: str) -> Failure:
    """What it means that a container could not be finished, by the words of its ``status``."""
    match = _SUBCODE.search(reason)
    message = _("Instagram could not use the media: {reason}").format(reason=reason or "ERROR")
    code = match[1] if match else ""
    known = _failure(int(code), message, code=code) if match else None
    return known or Unavailable(message, code=code)


def _failure(
    subcode: int, message: str, *, code: str, status: int | None = None, retry_at: datetime | None = None
) -> Failure | None:
    """What a subcode means; None for one that Instagram doesn't document."""
    if subcode in _NOT_TAKEN or subcode == _DAILY:
        return Unavailable(message, status=status, code=code, fix=_fixes().get(subcode, ""), retry_at=retry_at)
    if subcode in _fixes():
        return Rejected(message, status=status, code=code, fix=_fixes()[subcode])
    return None


def _fixes() -> dict[int, str]:
    """What a person can do, for each subcode."""
    jpeg = _("Save the picture as an ordinary JPEG, between 4:5 (upright) and 1.91:1 (wide), of at most 8 MiB.")
    video = _("Save the video as MP4 with H.264 and AAC, from 3 seconds to 15 minutes long.")
    account = _("Open the Instagram app with this account, and do what it asks there.")
    shorter = _("Write at most 2,200 characters, 30 hashtags and 20 mentions in a variant for Instagram.")
    return {
        2207004: jpeg,
        2207005: jpeg,
        2207009: jpeg,
        2207010: shorter,
        2207023: video,
        2207026: video,
        2207028: _("A carousel takes from 2 to 10 pictures and videos."),
        2207035: _("Leave out the tags of products: this account may not use them."),
        2207040: shorter,
        2207042: _(
            "The account has published as much as Instagram allows in 24 hours; it goes on when a place is free."
        ),
        2207050: account,
        2207051: account,
        2207052: _("Check that everybody can open the address of media_host without signing in."),
        2207057: video,
    }
