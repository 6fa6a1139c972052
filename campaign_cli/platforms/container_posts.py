"""What has become of containers: own posts found by their words or their address, or read back.

https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/media
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from re import Pattern
from typing import Any, Final
from urllib.parse import urlsplit

from campaign_cli.errors import Rejected
from campaign_cli.models import Receipt
from campaign_cli.platforms.answers import numbers, unreadable
from campaign_cli.platforms.base import Found, LookUp, RemotePost, Request, Sending, Session
from campaign_cli.platforms.containers import ABSENT, LIFE, Containers
from campaign_cli.platforms.graph import Graph, instant
from campaign_cli.platforms.graph_answers import GONE

_PAGE: Final = "50"  # posts of one page of a look-up
_UNPUBLISHED: Final = frozenset({"FINISHED", "IN_PROGRESS", "ERROR", "EXPIRED"})

Ours = Callable[[Mapping[str, Any]], bool]
"""Whether a post of a list has a part's words and kind."""


async def search(
    flow: Containers,
    sending: Sending,
    edge: str,
    *,
    fields: str,
    since: datetime,
    ours: Ours,
) -> LookUp:
    """Own posts of a list since then, those that are ``ours``.

    Where none is found, the container must be seen unpublished as well, unless it is so old that Meta has forgotten
    it. Where the list is refused, a container that still waits to be published is proof enough.
    """
    try:
        found, complete = await _listed(flow, sending, edge, fields=fields, since=since, ours=ours)
    except Rejected:
        if await flow.last_status(sending) != "FINISHED":
            raise
        return LookUp(found=(), complete=True)
    if complete and not found:
        status = await flow.last_status(sending)
        forgotten = status == ABSENT and sending.now() - since > LIFE
        complete = not status or status in _UNPUBLISHED or forgotten
    return LookUp(found=found, complete=complete)


async def _listed(
    flow: Containers,
    sending: Sending,
    edge: str,
    *,
    fields: str,
    since: datetime,
    ours: Ours,
) -> tuple[tuple[Found, ...], bool]:
    """Which posts are ours, and whether the list was read past ``since``."""
    found: list[Found] = []
    query = {"fields": fields, "limit": _PAGE}
    async for rows, last in flow.graph.listed(sending, f"{flow.account}/{edge}", query=query):
        times = [_made_at(flow, row) for row in rows]
        for row, at in zip(rows, times, strict=True):
            if at >= since and ours(row):
                receipt = Receipt(part=sending.part, id=row["id"], url=row.get("permalink"), at=at)
                found.append(Found(receipt=receipt, created_at=at))
        # one row that is older proves nothing: lists may begin with what is pinned
        if last or (bool(times) and max(times) < since):
            return tuple(found), True
    return tuple(found), False


async def read(
    graph: Graph, session: Session, receipt: Receipt, *, fields: str, words: str, counted: Mapping[str, str]
) -> RemotePost | None:
    """The post as its owner sees it, or None where it is gone; ``words`` is the field of its text, ``counted`` maps our
    word for what is counted to its field."""
    wanted = ("id", "alt_text", "permalink", "timestamp", "children{alt_text}", words, fields)
    try:
        node = await graph.node(session, f"/{receipt.id}", fields=",".join(filter(None, wanted)))
    except Rejected as failure:
        if failure.code in GONE:
            return None
        raise
    shown = (node.get("children") or {}).get("data") or ([node] if node.get("alt_text") else [])
    return RemotePost(
        id=receipt.id,
        url=node.get("permalink"),
        text=str(node.get(words) or ""),
        alts=tuple(str(one.get("alt_text") or "") for one in shown),
        created_at=instant(node["timestamp"]) if node.get("timestamp") else None,
        metrics=numbers(node, counted),
    )


async def by_address(flow: Containers, session: Session, edge: str, *, same: Callable[[str], bool]) -> Receipt | None:
    """The own post of a list whose permalink is the ``same``, as a receipt of part 0."""
    query = {"fields": "id,permalink,timestamp", "limit": _PAGE}
    async for rows, _last in flow.graph.listed(session, f"{flow.account}/{edge}", query=query):
        for row in rows:
            if same(str(row.get("permalink") or "")):
                return Receipt(part=0, id=row["id"], url=row["permalink"], at=_made_at(flow, row))
    return None


def _made_at(flow: Containers, row: Mapping[str, Any]) -> datetime:
    """When a post was published. Raises Unavailable for a list that can't be read."""
    try:
        return instant(row["timestamp"])
    except (KeyError, TypeError, ValueError) as error:
        raise unreadable(Request(method="GET", url=flow.graph.base)) from error


def same_post(url: str, pattern: Pattern[str], *, sites: Collection[str]) -> Callable[[str], bool] | None:
    """Whether a permalink is the post's that a person's address names; None where it names none.

    ``pattern`` finds the post's ``code`` in a path; addresses on the network's ``sites`` may differ in their host.
    """
    site, code = _named(url.strip(), pattern)
    if not code:
        return None

    def same(permalink: str) -> bool:
        there, other = _named(permalink, pattern)
        return other == code and (there == site or (there in sites and site in sites))

    return same


def _named(url: str, pattern: Pattern[str]) -> tuple[str, str]:
    """Host and code of a post's address; no code where it is none."""
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
    except ValueError:
        return "", ""
    match = pattern.search(parts.path)
    return parts.netloc.lower(), match["code"] if match else ""
