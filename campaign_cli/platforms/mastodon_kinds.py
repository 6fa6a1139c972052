"""Servers of other software that speak Mastodon's language (GoToSocial, Pleroma, Akkoma, Pixelfed, Takahē): how they
differ from it. Which one a server is, nodeinfo says (``mastodon_server.software``).
"""

from __future__ import annotations

from typing import Any, Final

from campaign_cli.errors import Rejected, Unauthorized
from campaign_cli.i18n import _
from campaign_cli.platforms.answers import explain
from campaign_cli.platforms.base import Answer

DUPLICATE: Final = "duplicate_key"
_IN_FULL: Final = {"url_length": 0}  # links count in full there, whatever the server announces
_LIMITS: Final[dict[str, dict[str, Any]]] = {
    "akkoma": _IN_FULL,
    "gotosocial": _IN_FULL,
    "pixelfed": {**_IN_FULL, "media_least": 1, "alt": 1000},  # of an alt text, it announces nothing
    "pleroma": _IN_FULL,
    "takahe": _IN_FULL,
}


def name_of(software: str) -> str:
    """``gotosocial`` of ``gotosocial 0.19``."""
    return software.partition(" ")[0].lower()


def is_mastodon(software: str) -> bool:
    """Whether it is Mastodon itself. The others take an Idempotency-Key, and most make a second post all the same."""
    return name_of(software) == "mastodon"


def changed_limits(software: str) -> dict[str, Any]:
    """What such a server takes otherwise than it announces, as fields of ``Limits``."""
    return dict(_LIMITS.get(name_of(software), {}))


def lists_replies(software: str) -> bool:
    """Whether replies stand among an account's statuses. Pixelfed keeps them as comments, and shows them only there."""
    return name_of(software) != "pixelfed"


def notes(software: str) -> tuple[str, ...]:
    """What an officer should know of such a server."""
    if is_mastodon(software) or not name_of(software).isalpha():  # a mere version names no software
        return ()
    found = [
        _(
            "This server is {software}: a post whose answer was lost is looked up, and never sent again by its key."
        ).format(software=software)
    ]
    if name_of(software) == "pixelfed":
        found.append(_("Pixelfed takes a post only with a picture, and none with the visibility “direct”."))
        found.append(
            _("Pixelfed shows replies nowhere but below their post: what is in doubt of a thread, a person decides.")
        )
    return tuple(found)


def refusal(answer: Answer) -> Exception | None:
    """For ``Request.errors``: what such servers say otherwise than Mastodon.

    Takahē refuses a token with 400 and plain text. Pixelfed refuses a key that it has seen within the hour, whatever
    became of the post.
    """
    if answer.status != 400:
        return None
    words = explain(answer)
    if words.strip() == "Invalid Bearer token":
        return Unauthorized(
            _("The server does not know the token: {text}").format(text=words),
            status=400,
            fix=_("Make a new access token in the server's settings, and put it in the place of the old one."),
        )
    return Rejected(words, status=400, code=DUPLICATE) if "duplicate idempotency key" in words.lower() else None
