"""Networks that publish in containers, on the stage: made, worked on for a moment, published once, gone after a day.

Media is really fetched, from addresses of this machine alone: a rehearsal asks nothing of anybody.
"""

from __future__ import annotations

import asyncio
import re
from abc import abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from campaign_cli.platforms.answers import is_loopback
from campaign_cli.stage import graph_shapes as shapes
from campaign_cli.stage.graph_shapes import Container
from campaign_cli.stage.network import Network, Refusal, fields, path_of
from campaign_cli.stage.reading import LARGEST
from campaign_cli.stage.state import StageAccount, StageMedia, StagePost, StageState, media_facts

if TYPE_CHECKING:
    import httpx

_FIRST: Final = 17_900_000_000_000_000
_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_DAY: Final = timedelta(days=1)
_PATIENCE: Final = 10.0  # seconds for a file


class ContainerNetwork(Network):
    """Containers and posts of a network on the Graph API; what it takes is its own affair."""

    credential = "token"
    version: ClassVar[str]
    publishing: ClassVar[str]  # the edge that publishes
    status_field: ClassVar[str]
    reason_field: ClassVar[str]
    posts_a_day: ClassVar[int]
    parameters: ClassVar[frozenset[str]]  # of a new container

    def __init__(self, state: StageState) -> None:
        super().__init__(state)
        self._containers: dict[tuple[str, str], Container] = {}

    @staticmethod
    def user(name: str, settings: Mapping[str, Any]) -> str:
        """The handle, else a name made of the account's."""
        return str(settings.get("handle") or "").lstrip("@") or re.sub(r"\W+", "_", name, flags=re.ASCII)[:30]

    def creates(self, method: str, path: str) -> bool:
        """POST to the edge that publishes."""
        return method == "POST" and path.endswith(f"/{self.publishing}")

    def refused(self) -> Refusal:
        """The action is blocked."""
        return shapes.refusal(400, 368, "The action attempted has been deemed abusive or is otherwise disallowed")

    def throttled(self, seconds: int) -> Refusal:
        """Too many calls, with the minutes to wait."""
        return shapes.too_many(self.name, seconds)

    def broken(self) -> Refusal:
        """503 of an overloaded Meta."""
        return shapes.refusal(503, 2, "Service temporarily unavailable", transient=True)

    @abstractmethod
    async def filled(self, container: Container, values: Mapping[str, Any], account: StageAccount) -> None:
        """Give a new container its content. Raises Refusal."""

    @abstractmethod
    def shown(self, post: StagePost, request: Request, account: StageAccount) -> dict[str, Any]:
        """A post with every field that is played."""

    @abstractmethod
    def permalink(self, account: StageAccount, code: str) -> str:
        """The path of a post, below the account."""

    @abstractmethod
    def not_ready(self, container: Container) -> Refusal:
        """How it refuses to publish a container that is not finished (or gone, or published)."""

    @abstractmethod
    def used_up(self) -> Refusal:
        """How it refuses more than a day's posts."""

    async def create(self, request: Request, account: StageAccount) -> Response:
        """POST of a new container."""
        signed_in(request, account)
        values = (await fields(request))[0]
        unknown = sorted(set(values) - self.parameters)
        if unknown:
            raise shapes.invalid(f"Unknown parameter: {unknown[0]}")
        container = Container(
            id=str(_FIRST + self.state.number()),
            account=account.name,
            at=self.state.now(),
            kind=str(values.get("media_type") or "IMAGE"),
            item=values.get("is_carousel_item") == "true",
            polls=self.state.processing_polls,
        )
        await self.filled(container, values, account)
        self._containers[account.name, container.id] = container
        return JSONResponse({"id": container.id} | self.also(container, request, account))

    def also(self, container: Container, request: Request, account: StageAccount) -> dict[str, Any]:
        """What else the answer to a new container says."""
        return {}

    async def publish(self, request: Request, account: StageAccount) -> Response:
        """POST of a container that is to become a post."""
        signed_in(request, account)
        values = (await fields(request))[0]
        container = self.container(account, str(values.get("creation_id") or ""))
        if container.item or container.status(self.state.now()) != "FINISHED":
            raise self.not_ready(container)
        if self.state.enforce_rates and self.used(account) >= self.posts_a_day:
            raise self.used_up()
        number = self.state.number()
        code = "".join(_ALPHABET[(number * 2654435761 >> (6 * place)) & 63] for place in range(10)) + str(number)
        post = StagePost(
            number=number,
            account=account.name,
            platform=self.name,
            id=str(_FIRST + number),
            path=path_of(account) + self.permalink(account, code),
            text=container.text,
            at=self.state.now(),
            media=container.media,
            alts=[media.alt for media in container.media],
            reply_to=container.reply_to,
            data={"kind": container.kind, **container.data},
        )
        container.post = post.id
        self.state.add_post(post)
        self.published(request, post)
        return JSONResponse({"id": post.id})

    async def node(self, request: Request, account: StageAccount) -> Response:
        """GET and DELETE of a post, GET of a container."""
        signed_in(request, account)
        identifier, wanted = request.path_params["node"], request.query_params.get("fields", "")
        container, post = self._containers.get((account.name, identifier)), self.state.post(account.name, identifier)
        if request.method == "DELETE":
            return self.deleted(post, identifier)
        if post is not None:
            return JSONResponse(shapes.only(self.shown(post, request, account), wanted))
        if container is None:
            raise shapes.absent(identifier)
        status = container.status(self.state.now())
        container.polls = max(0, container.polls - 1)
        return JSONResponse(shapes.only(self.container_json(container, status), wanted))

    def container_json(self, container: Container, status: str) -> dict[str, Any]:
        """A container with every field that is played."""
        return {"id": container.id, self.status_field: status, self.reason_field: container.error or None}

    def deleted(self, post: StagePost | None, identifier: str) -> Response:
        """The answer to DELETE of a post."""
        if post is None:
            raise shapes.absent(identifier)
        post.status = "deleted"
        return JSONResponse({"success": True, "deleted_id": post.id})

    def listed(self, request: Request, account: StageAccount, *, replies: bool | None = None) -> Response:
        """Own posts, newest first; only replies or only others where ``replies`` says so."""
        signed_in(request, account)
        posts = [
            post
            for post in self.state.posts_of(account.name)
            if replies is None or (post.reply_to is not None) == replies
        ]
        query = dict(request.query_params)
        rows, paging = shapes.page(posts, query, address=str(request.url.replace(query="")))
        data = [shapes.only(self.shown(post, request, account), query.get("fields", "")) for post in rows]
        return JSONResponse({"data": data} | ({"paging": paging} if data else {}))

    async def limit(self, request: Request, account: StageAccount) -> Response:
        """GET of the day's quota."""
        signed_in(request, account)
        config = {"quota_total": self.posts_a_day, "quota_duration": 86_400}
        return JSONResponse({"data": [{"quota_usage": self.used(account), "config": config}]})

    def used(self, account: StageAccount) -> int:
        """Posts of the last 24 hours."""
        since = self.state.now() - _DAY
        return sum(post.at > since for post in self.state.posts_of(account.name) if post.reply_to is None)

    def container(self, account: StageAccount, identifier: str) -> Container:
        """A container of the account. Raises Refusal."""
        found = self._containers.get((account.name, identifier))
        if found is None:
            raise shapes.absent(identifier)
        return found

    async def fetched(self, address: str, *, alt: str, account: StageAccount) -> StageMedia | None:
        """The file at an address of this machine; None where nothing can be had there, or nothing of use."""
        content = await content_at(address)
        return None if content is None else self.kept(content, alt=alt, account=account)

    def kept(self, content: bytes, *, alt: str, account: StageAccount) -> StageMedia | None:
        """A file by its bytes; None where it is no picture and no video."""
        facts = media_facts(content)
        if facts is None:
            return None
        identity = {"id": str(_FIRST + self.state.number()), "account": account.name, "at": self.state.now()}
        media = StageMedia.of(content, facts, name="media", alt=alt, **identity)
        return self.state.add_media(media, content)


def signed_in(request: Request, account: StageAccount) -> None:
    """Raise Refusal (code 190) unless the account's own token came along."""
    scheme, _space, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() not in ("bearer", "oauth") or token.strip() != account.secret:
        raise shapes.refusal(400, 190, "Invalid OAuth access token - Cannot parse access token")


async def content_at(address: str, *, largest: int = LARGEST) -> bytes | None:
    """What lies at an address of this machine; None where nothing does, or more than ``largest`` bytes."""
    import httpx

    try:
        if not is_loopback(urlsplit(address).hostname or ""):
            return None
        async with (
            asyncio.timeout(_PATIENCE),
            httpx.AsyncClient(trust_env=False) as client,
            client.stream("GET", address) as answer,
        ):
            return await _whole(answer, largest) if answer.status_code == 200 else None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, TimeoutError):
        return None


async def _whole(answer: httpx.Response, largest: int) -> bytes | None:
    """The answer's bytes; None where there are more than a file may have."""
    content = bytearray()
    async for piece in answer.aiter_bytes():
        content += piece
        if len(content) > largest:
            return None
    return bytes(content)
