"""The stage as one ASGI application: every network of the registry, the control addresses, the timeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import format_datetime
from importlib import import_module
from typing import Any, Final

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Message, Receive, Scope, Send

from campaign_cli.platforms import PLATFORMS, get, module_of
from campaign_cli.stage.faults import DATE, Faults, Misbehaviour
from campaign_cli.stage.network import Network
from campaign_cli.stage.oauth import OAuthStage
from campaign_cli.stage.reading import Bounded
from campaign_cli.stage.state import StageAccount, StagePost, StageState
from campaign_cli.stage.web import Pages

_ORDERS: Final = 1_000
"""Orders to misbehave that are kept at a time."""


def network_class(platform: str) -> type[Network]:
    """The stage's class of a network: ``campaign_cli/stage/NAME.py``.

    Raises KeyError for a name not in ``PLATFORMS``.
    """
    if platform not in PLATFORMS:
        raise KeyError(platform)
    found: type[Network] = import_module(f"campaign_cli.stage.{module_of(platform)}").network
    return found


class StageApp:
    """The ASGI application; ``state`` and ``faults`` are its memory and its orders to misbehave."""

    def __init__(self, state: StageState) -> None:
        self.state = state
        networks = {name: network_class(name)(state) for name in PLATFORMS}
        pages = Pages(state, titles={name: network.title for name, network in networks.items()})
        self.oauth = OAuthStage(state)
        mounts: list[BaseRoute] = [
            Mount(f"/{name}/{{account}}", routes=[*self._sign_in(network), *network.routes(), *pages.routes()])
            for name, network in networks.items()
        ]
        routes = [
            Route("/", pages.timeline),
            Route("/_stage/media/{digest}", pages.media),
            Route("/_stage/posts", self.posts),
            Route("/_stage/requests", self.requests),
            Route("/_stage/misbehave", self.misbehave, methods=["GET", "POST", "DELETE"]),
            *(route for network in networks.values() for route in network.at_root()),
            Route("/_stage/oauth", self.oauth.control, methods=["GET", "POST"]),
            *mounts,
        ]
        self.faults = Faults(Starlette(routes=routes), state=state, networks=networks)
        self._bounded = Bounded(self.faults)

    def _sign_in(self, network: Network) -> list[BaseRoute]:
        """Where people sign in to a network, before its own addresses: those may be patterns."""
        oauth = get(network.name).oauth
        return self.oauth.routes(network, oauth) if oauth is not None else []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI. Every answer is dated by the stage's own clock: clients compare theirs with it."""

        async def dated(message: Message) -> None:
            behind = scope.get(DATE, timedelta(0))
            if message["type"] == "http.response.start" and behind is not None:
                now = format_datetime(self.state.now() - behind, usegmt=True).encode()
                message = {**message, "headers": [*message.get("headers", ()), (b"date", now)]}
            await send(message)

        await self._bounded(scope, receive, dated)

    def misbehave_by(self, orders: Sequence[Misbehaviour]) -> None:
        """Obey these orders from now on, after those given before."""
        self.faults.orders.extend(orders)

    async def posts(self, request: Request) -> Response:
        """GET /_stage/posts: every published post in the order of arrival; ``?all=true`` also drafts and deleted
        ones."""
        everything = request.query_params.get("all") == "true"
        posts = [post for post in self.state.posts if everything or post.status == "published"]
        return JSONResponse({"posts": [post_data(post, root=_root(request)) for post in posts]})

    async def requests(self, request: Request) -> Response:
        """GET /_stage/requests: how often what was asked, per account, and what was spoilt."""
        accounts: dict[str, dict[str, int]] = {}
        for (account, label), count in self.state.requests.items():
            accounts.setdefault(account, {})[label] = count
        total = sum(self.state.requests.values())
        return JSONResponse({"total": total, "accounts": accounts, "faults": dict(self.state.faults)})

    async def misbehave(self, request: Request) -> Response:
        """POST one order (``Misbehaviour`` as JSON), GET those that are left, DELETE all of them."""
        if request.method == "DELETE":
            self.faults.orders.clear()
        if request.method == "POST":
            # A page in a browser can't send this content type to another site without asking first.
            if request.headers.get("content-type", "").partition(";")[0] != "application/json":
                return JSONResponse({"error": "application/json is needed"}, 415)
            if len(self.faults.orders) >= _ORDERS:
                return JSONResponse({"error": "too many orders"}, 422)
            try:
                self.misbehave_by([Misbehaviour.model_validate_json(await request.body())])
            except ValidationError as error:
                return JSONResponse({"error": str(error)}, 422)
        left = [order.model_dump() for order in self.faults.orders if order.times != 0]
        return JSONResponse({"orders": left})


def build_app(
    *,
    clock: Callable[[], datetime],
    accounts: Mapping[str, StageAccount],
    enforce_rates: bool = True,
    processing_polls: int = 1,
) -> StageApp:
    """A stage that plays these accounts, each below ``/PLATFORM/NAME``.

    ``clock`` gives aware instants; ``enforce_rates`` answers 429 when a network's documented rate is used up;
    ``processing_polls`` is how often an uploaded picture still answers "processing" where the network has that.
    """
    return StageApp(
        StageState(clock=clock, accounts=accounts, enforce_rates=enforce_rates, processing_polls=processing_polls)
    )


def post_data(post: StagePost, *, root: str) -> dict[str, Any]:
    """A post as JSON; ``root`` is the stage's address."""
    return {
        "number": post.number,
        "account": post.account,
        "platform": post.platform,
        "id": post.id,
        "title": post.title,
        "text": post.text,
        "html": post.html,
        "alts": post.alts,
        "media": [media.sha256 for media in post.media],
        "at": post.at.isoformat(),
        "permalink": root + post.path,
        "reply_to": post.reply_to,
        "key": post.key,
        "visibility": post.visibility,
        "language": post.language,
        "status": post.status,
        "data": post.data,
    }


def _root(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"
