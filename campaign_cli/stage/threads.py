"""Threads on the stage: containers of text, pictures, videos and carousels, replies, posts, figures, the day's cap.

Follows developers.facebook.com/docs/threads (posts, reply management, troubleshooting, delete posts, insights).
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from campaign_cli.platforms.threads_text import links, threads_length
from campaign_cli.stage import graph_shapes as shapes
from campaign_cli.stage.containers import ContainerNetwork, signed_in
from campaign_cli.stage.graph_shapes import Container
from campaign_cli.stage.network import Refusal
from campaign_cli.stage.state import StageAccount, StageMedia, StagePost

_TEXT, _LINKS, _ITEMS, _BYTES, _ALT, _TOPIC = 500, 5, 20, 8_000_000, 1_000, 50
_TYPES: Final = {"IMAGE": ("image/jpeg", "image/png"), "VIDEO": ("video/mp4", "video/quicktime")}
_KINDS: Final = {"TEXT": "TEXT_POST", "CAROUSEL": "CAROUSEL_ALBUM"}
_SCOPES: Final = (
    *("threads_basic", "threads_content_publish", "threads_delete", "threads_manage_insights"),
    *("threads_manage_replies", "threads_read_replies"),
)


class ThreadsStage(ContainerNetwork):
    """A profile."""

    name = "threads"
    title = "Threads"
    version = "v1.0"
    publishing = "threads_publish"
    status_field = "status"
    reason_field = "error_message"
    posts_a_day = 250
    parameters = frozenset(
        (
            *("alt_text", "children", "image_url", "is_carousel_item", "link_attachment", "media_type"),
            *("reply_to_id", "text", "topic_tag", "video_url"),
        )
    )

    def routes(self) -> list[BaseRoute]:
        """The profile, its edges, its objects."""
        return [
            self.route("/v1.0/me", self.me),
            self.route("/v1.0/debug_token", self.debug),
            self.route("/v1.0/me/threads", self.threads, methods=("GET", "POST")),
            self.route("/v1.0/me/replies", self.replies),
            self.route("/v1.0/me/threads_publish", self.publish, methods=("POST",)),
            self.route("/v1.0/me/threads_publishing_limit", self.limit),
            self.route("/v1.0/{node}/insights", self.insights),
            self.route("/v1.0/{node}", self.node, methods=("GET", "DELETE")),
        ]

    async def me(self, request: Request, account: StageAccount) -> Response:
        """GET /me."""
        signed_in(request, account)
        shown = {"id": _profile_id(account), "username": account.user, "name": account.name}
        return JSONResponse(shapes.only(shown, request.query_params.get("fields", "")))

    async def debug(self, request: Request, account: StageAccount) -> Response:
        """GET /debug_token."""
        signed_in(request, account)
        ends = int((self.state.now() + timedelta(days=60)).timestamp())
        data = {"type": "USER", "application": "Panggung", "is_valid": True, "scopes": _SCOPES, "expires_at": ends}
        return JSONResponse({"data": data | {"user_id": _profile_id(account)}})

    async def threads(self, request: Request, account: StageAccount) -> Response:
        """The profile's posts, or a new container."""
        if request.method == "POST":
            return await self.create(request, account)
        return self.listed(request, account, replies=False)

    async def replies(self, request: Request, account: StageAccount) -> Response:
        """The profile's replies."""
        return self.listed(request, account, replies=True)

    async def insights(self, request: Request, account: StageAccount) -> Response:
        """The figures of a post."""
        signed_in(request, account)
        if self.state.post(account.name, request.path_params["node"]) is None:
            raise shapes.absent(request.path_params["node"])
        names = request.query_params.get("metric", "").split(",")
        return JSONResponse(
            {"data": [{"name": name, "period": "lifetime", "values": [{"value": 0}]} for name in names]}
        )

    async def filled(self, container: Container, values: Mapping[str, Any], account: StageAccount) -> None:
        """The text, and what goes with it."""
        container.text = str(values.get("text") or "")
        container.data = {name: values[name] for name in ("link_attachment", "topic_tag") if name in values}
        if threads_length(container.text) > _TEXT or len(str(values.get("alt_text") or "")) > _ALT:
            raise shapes.invalid("Param text must be at most 500 characters long.")
        if links(container.text) > _LINKS:
            raise shapes.invalid("THREADS_API__LINK_LIMIT_EXCEEDED")
        if not 1 <= len(str(values.get("topic_tag", "x"))) <= _TOPIC:
            raise shapes.invalid("Param topic_tag must have from 1 to 50 characters.")
        if "link_attachment" in values and container.kind != "TEXT":
            raise shapes.invalid("Param link_attachment is for text posts alone.")
        if values.get("reply_to_id"):
            container.reply_to = str(values["reply_to_id"])
            if self.state.post(account.name, container.reply_to) is None:
                raise shapes.absent(container.reply_to)
        await self._media(container, values, account)

    async def _media(self, container: Container, values: Mapping[str, Any], account: StageAccount) -> None:
        if container.kind == "TEXT":
            if not container.text.strip():
                raise shapes.invalid("The parameter text is required.")
            return
        if container.kind == "CAROUSEL":
            container.media = self._items(account, str(values.get("children") or "").split(","))
            return
        if container.kind not in _TYPES:
            raise shapes.invalid("Param media_type must be one of {TEXT, IMAGE, VIDEO, CAROUSEL}")
        address = str(values.get(f"{container.kind.lower()}_url") or "")
        media = await self.fetched(address, alt=str(values.get("alt_text") or ""), account=account)
        if media is None and container.kind == "IMAGE":
            raise shapes.invalid("The media could not be fetched from this URI.")
        if media is None or media.mime not in _TYPES[container.kind]:
            container.error = f"FAILED_DOWNLOADING_{container.kind}" if media is None else "UNKNOWN"
        else:
            container.media = [media]

    def shown(self, post: StagePost, request: Request, account: StageAccount) -> dict[str, Any]:
        """A post."""
        alone = len(post.media) == 1
        many = {"data": [_item(media) for media in post.media]}
        return {
            "id": post.id,
            "text": post.text or None,
            "media_type": _KINDS.get(post.data["kind"], post.data["kind"]),
            "permalink": f"{request.url.scheme}://{request.url.netloc}{post.path}",
            "timestamp": shapes.timestamp(post.at),
            "alt_text": (post.alts[0] or None) if alone else None,
            "children": many if len(post.media) > 1 else None,
            "replied_to": {"id": post.reply_to} if post.reply_to else None,
        }

    def permalink(self, account: StageAccount, code: str) -> str:
        """/@NAME/post/CODE."""
        return f"/@{account.user}/post/{code}"

    def not_ready(self, container: Container) -> Refusal:
        """Threads' own code for it is not documented."""
        status = container.status(self.state.now())
        return shapes.invalid(f"The container can't be published: {status}")

    def used_up(self) -> Refusal:
        """The day's cap."""
        return shapes.invalid("The user has reached the maximum number of posts of 24 hours.")

    def _items(self, account: StageAccount, identifiers: list[str]) -> list[StageMedia]:
        if not 2 <= len(identifiers) <= _ITEMS:
            raise shapes.invalid(f"A carousel has from 2 to {_ITEMS} children.")
        items = [self.container(account, identifier) for identifier in identifiers]
        if not all(item.item and item.status(self.state.now()) == "FINISHED" for item in items):
            raise shapes.invalid("A child of the carousel is not finished.")
        return [media for item in items for media in item.media]


def _profile_id(account: StageAccount) -> str:
    return str(24_000_000_000_000_000 + zlib.crc32(account.name.encode()))


def _item(media: StageMedia) -> dict[str, Any]:
    return {"id": media.id} | ({"alt_text": media.alt} if media.alt else {})


network = ThreadsStage
