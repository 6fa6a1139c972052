"""What Meta's Graph API says on the stage: errors, fields, lists; usage and containers of Instagram and Threads.

https://developers.facebook.com/docs/graph-api/guides/error-handling · /docs/graph-api/overview/rate-limiting
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from campaign_cli.stage.network import Refusal
from campaign_cli.stage.state import StageMedia, StagePost

LIFE: Final = timedelta(hours=24)  # of a container
_DEEPER: Final = re.compile(r"\{[^{}]*\}|\([^()]*\)")


@dataclass(kw_only=True, slots=True)
class Container:
    """What is prepared and not yet seen. ``polls`` is how often it still answers IN_PROGRESS; ``item`` one of a
    carousel; ``post`` the number of what it became; ``error`` why it can't be used; ``received`` a video's bytes, of
    ``awaited`` (None: it is not uploaded)."""

    id: str
    account: str
    at: datetime
    kind: str
    text: str = ""
    media: list[StageMedia] = field(default_factory=list)
    item: bool = False
    reply_to: str | None = None
    polls: int = 0
    post: str = ""
    error: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    awaited: bool = False
    received: bytearray = field(default_factory=bytearray)

    def status(self, now: datetime) -> str:
        """As Meta calls it."""
        if self.post:
            return "PUBLISHED"
        if now - self.at >= LIFE:
            return "EXPIRED"
        if self.error:
            return "ERROR"
        return "IN_PROGRESS" if self.polls or self.awaited else "FINISHED"


def refusal(
    status: int,
    code: int,
    message: str,
    *,
    subcode: int = 0,
    transient: bool = False,
    headers: Mapping[str, str] | None = None,
) -> Refusal:
    """Meta's error object as an answer."""
    error: dict[str, Any] = {"message": message, "type": "OAuthException", "code": code, "is_transient": transient}
    if subcode:
        error["error_subcode"] = subcode
    return Refusal(status, {"error": error | {"fbtrace_id": "AContohJejakPanggung"}}, headers=headers)


def invalid(message: str) -> Refusal:
    """A parameter that is not taken."""
    return refusal(400, 100, f"(#100) {message}")


def absent(identifier: str) -> Refusal:
    """No such object."""
    message = f"Unsupported request. Object with ID '{identifier}' does not exist."
    return refusal(400, 100, message, subcode=33)


def too_many(account: str, seconds: int) -> Refusal:
    """Too many calls: a 400 with its code, and the minutes to wait in a header."""
    row = {"type": "instagram", "call_count": 100, "estimated_time_to_regain_access": math.ceil(seconds / 60)}
    headers = {"X-Business-Use-Case-Usage": json.dumps({account: [row]})}
    return refusal(400, 80002, "There have been too many calls to this account.", headers=headers)


def timestamp(at: datetime) -> str:
    """An instant as Meta writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S+0000")


def names(fields: str) -> list[str]:
    """The outer names of a ``fields`` parameter, without what is asked of each."""
    while _DEEPER.search(fields):
        fields = _DEEPER.sub("", fields)
    return [name.partition(".")[0] for name in fields.split(",") if name]


def only(shown: Mapping[str, Any], fields: str, *, kind: str = "") -> dict[str, Any]:
    """The fields that are asked for, and the id. Raises Refusal for one that this kind of object doesn't have."""
    wanted = names(fields)
    unknown = [name for name in wanted if name not in shown]
    if unknown:
        node = f" on node type ({kind})" if kind else ""
        raise invalid(f"Tried accessing nonexisting field ({unknown[0]}){node}")
    return {name: shown[name] for name in ("id", *wanted) if shown[name] is not None}


def page(
    rows: Sequence[StagePost], query: Mapping[str, str], *, address: str
) -> tuple[list[StagePost], dict[str, Any]]:
    """The rows of one page, and its ``paging``."""
    start, limit = int(query.get("after") or 0), int(query.get("limit") or 25)
    shown = list(rows[start : start + limit])
    paging: dict[str, Any] = {"cursors": {"before": str(start), "after": str(start + len(shown))}}
    if rows[start + limit :]:
        rest = "".join(f"&{name}={value}" for name, value in query.items() if name != "after")
        paging["next"] = f"{address}?access_token=contoh{rest}&after={start + limit}"
    return shown, paging
