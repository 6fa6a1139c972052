"""Servers of other software that the stage's Mastodon can be: what each does otherwise.

``StageAccount.role`` names the kind. GoToSocial and Takahē as observed on real ones; Pleroma and Pixelfed as their own
sources have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from campaign_cli.stage.mastodon_shapes import status_length
from campaign_cli.stage.network import Refusal
from campaign_cli.stage.state import StageAccount

CHARACTERS, URL_LENGTH = 500, 23
_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """One software. ``keys``: what an Idempotency-Key that comes again gives: the first status, another, or a refusal.

    ``invalid`` is the status of what doesn't pass; ``weighted``: a link counts as announced, not in full; ``nested``:
    limits stand in ``configuration``; ``ulid``: ids are ULIDs; ``bare_posts``: a post needs no picture; ``comments``:
    replies stand below their post alone.
    """

    name: str = "mastodon"
    version: str = "4.6.4"
    keys: Literal["first", "another", "refusal"] = "first"
    invalid: int = 422
    weighted: bool = False
    nested: bool = True
    ulid: bool = False
    bare_posts: bool = True
    comments: bool = False
    visibilities: tuple[str, ...] = ("public", "unlisted", "private", "direct")
    unknown_token: Any = None  # the refusal's body with status 400, where it isn't Mastodon's 401


_KINDS: Final = (
    Kind(weighted=True),
    Kind(name="gotosocial", version="0.19.1", keys="another", invalid=400, ulid=True),
    Kind(
        name="takahe",
        version="0.11.0",
        keys="another",
        invalid=400,
        unknown_token="Invalid Bearer token",  # noqa: S106 - what it says
    ),
    Kind(name="pleroma", version="2.9.1", nested=False),
    Kind(
        name="pixelfed",
        version="0.12.4",
        keys="refusal",
        bare_posts=False,
        comments=True,
        visibilities=("public", "unlisted", "private"),
    ),
)
KINDS: Final = {kind.name: kind for kind in _KINDS}


def kind_of(account: StageAccount) -> Kind:
    """What software the account's server is."""
    return KINDS.get(account.role, KINDS["mastodon"])


def played(software: str) -> str:
    """The kind that plays a software as ``accounts check`` names it; empty where there is none."""
    name = software.partition(" ")[0].lower()
    return {"akkoma": "pleroma"}.get(name, name if name in KINDS else "")


def new_id(kind: Kind, *, milliseconds: int, number: int) -> str:
    """An id: later posts have larger ones."""
    value = (milliseconds << 16) | (number & 0xFFFF)
    if not kind.ulid:
        return str(value)
    value <<= 62
    return "".join(_LETTERS[value >> shift & 31] for shift in range(125, -5, -5))


def order(identifier: str) -> tuple[int, str]:
    """Numbers by their value, ULIDs by their letters."""
    return len(identifier), identifier


def check_length(account: StageAccount, text: str, spoiler: str) -> None:
    """Raise Refusal for a text that is too long, as this software counts it."""
    kind, limit = kind_of(account), account.text_limit or CHARACTERS
    used = status_length(text, account.url_length or URL_LENGTH) if kind.weighted else len(text)
    if used + status_length(spoiler, 0) > limit:
        raise Refusal(kind.invalid, {"error": f"Validation failed: Text character limit of {limit} exceeded"})


def check_bare(kind: Kind, *, media: int, reply: bool) -> None:
    """Raise Refusal where a post must have a picture."""
    if not (media or reply or kind.bare_posts):
        raise Refusal(403, {"error": "Empty statuses are not allowed"})


def check_visibility(kind: Kind, visibility: str) -> None:
    """Raise Refusal for a word that this software doesn't know."""
    if visibility == "direct" and visibility not in kind.visibilities:
        raise Refusal(400, {"error": "Direct visibility is not available."})
    if visibility not in kind.visibilities:
        raise Refusal(kind.invalid, {"error": "Validation failed: Visibility is not included in the list"})


def unknown_token(kind: Kind) -> Refusal:
    """The refusal of a token that is not the account's."""
    return Refusal(400 if kind.unknown_token else 401, kind.unknown_token or {"error": "The access token is invalid"})
