"""What LinkedIn says: its JSON shapes, its refusals, how it reads a commentary.

Shapes of learn.microsoft.com/en-us/linkedin/marketing/community-management/shares: posts-api, images-api, videos-api,
little-text-format, social-metadata-api.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

from campaign_cli.platforms.linkedin_text import plain
from campaign_cli.stage.network import Refusal
from campaign_cli.stage.state import StageAccount, StagePost

REACTIONS: Final = {"LIKE": 3, "PRAISE": 1}  # what every post of the stage has
COMMENTS: Final = 2
_RESERVED: Final = r"\\|{}@\[\]()<>#*_~"
_ELEMENTS: Final = (
    r"\\.",
    r"\{hashtag\|\\[#＃]\|(?:\\.|[^}\\])+\}",
    r"@\[(?:\\.|[^\]\\])*\]\(urn:li:\w+:\w+\)",
    r"#\w+",
    f"[^{_RESERVED}]",
)
_ELEMENT: Final = re.compile("|".join(_ELEMENTS), re.DOTALL)


def problem(status: int, message: str, *, code: str = "", service: int = 0) -> Refusal:
    """An error as an answer."""
    body: dict[str, Any] = {"status": status, "message": message}
    body |= {"code": code} if code else {}
    return Refusal(status, body | ({"serviceErrorCode": service} if service else {}))


def denied(what: str) -> Refusal:
    """A 403 of a token without the permission."""
    return problem(403, f"Not enough permissions to access: {what}", code="ACCESS_DENIED", service=100)


def invalid(message: str, *, code: str = "") -> Refusal:
    """A 422 of an entity that can't be."""
    return problem(422, message, code=code)


def shown(commentary: str) -> str:
    """What LinkedIn shows of a commentary: it ends, without a word, at the first sign that is neither escaped nor part
    of an element."""
    done = 0
    while (match := _ELEMENT.match(commentary, done)) is not None:
        done = match.end()
    return plain(commentary[:done])


def milliseconds(at: datetime) -> int:
    """An instant as LinkedIn gives it."""
    return int(at.timestamp() * 1000)


def post_json(post: StagePost, account: StageAccount) -> dict[str, Any]:
    """A post."""
    at = milliseconds(post.at)
    return post.data | {
        "id": post.id,
        "author": account.user,
        "createdAt": at,
        "publishedAt": at,
        "lastModifiedAt": at,
        "lifecycleStateInfo": {"isEditedByAuthor": False},
    }


def social_json(post: StagePost) -> dict[str, Any]:
    """What people did with a post."""
    reactions = {name: {"reactionType": name, "count": count} for name, count in REACTIONS.items()}
    return {
        "entity": post.id,
        "reactionSummaries": reactions,
        "commentSummary": {"count": COMMENTS, "topLevelCount": COMMENTS},
        "commentsState": "OPEN",
    }


def alts_of(content: dict[str, Any]) -> list[str]:
    """The alt texts of a post's pictures, in order."""
    images = content.get("multiImage", {}).get("images") or ([content["media"]] if "media" in content else [])
    return [str(image.get("altText") or "") for image in images]


def files_of(content: dict[str, Any]) -> list[str]:
    """The URNs of a post's pictures or video, in order."""
    images = content.get("multiImage", {}).get("images") or ([content["media"]] if "media" in content else [])
    return [str(image.get("id") or "") for image in images]
