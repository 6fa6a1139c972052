"""The contract of a stage file: how the stage plays one network.

Each network lives below ``/PLATFORM/ACCOUNT``, so that several accounts of one network share a stage, each with an
address of its own. A network says who is asking, answers its documented requests in their documented shapes, and
knows how the real one refuses, throttles and fails. Members stand in this order in every stage file.
"""

from __future__ import annotations

import re
import secrets
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from campaign_cli.stage.reading import SHAPES, Malformed, checked, json_of, told
from campaign_cli.stage.state import StageAccount, StageMedia, StagePost, StageState, Window

MARK = "campaign.stage"
"""Key in the ASGI scope under which a request notes that it made something public."""

Handler = Callable[[Request, StageAccount], Awaitable[Response]]


class Refusal(Exception):
    """The network says no: the answer to give."""

    def __init__(self, status: int, body: Any, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """As an HTTP answer: JSON, or HTML where the body is text."""
        if isinstance(self.body, str):
            return Response(self.body, self.status, self.headers, media_type="text/html")
        return JSONResponse(self.body, self.status, self.headers)


class Network(ABC):
    """One network on the stage. It holds no state of its own beyond login sessions; posts are in ``state``."""

    name: ClassVar[str]
    title: ClassVar[str]
    credential: ClassVar[str]  # the setting of accounts.yaml that refers to the secret; "" where nothing is sent there
    describes: ClassVar[bool] = True  # whether pictures carry alt text there
    describes_videos: ClassVar[bool] = True  # whether videos do, where pictures do
    in_a_line: ClassVar[bool] = False  # line breaks become spaces there, and more may stand around the text
    repeats: ClassVar[bool] = True  # whether an account may say the same twice

    def __init__(self, state: StageState) -> None:
        self.state = state

    @staticmethod
    @abstractmethod
    def user(name: str, settings: Mapping[str, Any]) -> str:
        """What the network calls the account ``name`` with these settings."""

    @staticmethod
    def identifier(settings: Mapping[str, Any]) -> str:
        """The account's id beside what it is called, where accounts.yaml has both."""
        return ""

    @staticmethod
    def role(software: str) -> str:
        """The ``role`` of an account whose server ``accounts check`` found to be this software."""
        return ""

    @staticmethod
    def new_secret(url: str) -> str:
        """A secret in the form that the network gives out, for the account at ``url`` of the stage."""
        return secrets.token_hex(16)

    @classmethod
    def new_secrets(cls, url: str) -> Mapping[str, str]:
        """Everything that an account's references stand for on the stage, by setting."""
        return {cls.credential: cls.new_secret(url)} if cls.credential else {}

    @abstractmethod
    def routes(self) -> list[BaseRoute]:
        """The network's addresses below ``/PLATFORM/ACCOUNT``."""

    def at_root(self) -> list[BaseRoute]:
        """Routes of an account's own address (``/PLATFORM/{account}``), where people write such an address whole."""
        return []

    @abstractmethod
    def creates(self, method: str, path: str) -> bool:
        """Whether a request asks for a post; ``path`` is relative to the account."""

    @abstractmethod
    def refused(self) -> Refusal:
        """How the network refuses a post for good."""

    @abstractmethod
    def throttled(self, seconds: int) -> Refusal:
        """How the network says "too many requests", to be tried again after ``seconds``."""

    @abstractmethod
    def broken(self) -> Refusal:
        """How the network answers 503."""

    def label(self, method: str, path: str) -> str:
        """A request's name in the counts, without ids or secrets."""
        return f"{method} {re.sub(r'/[0-9]+', '/{id}', path)}"

    async def before(self, request: Request, account: StageAccount) -> Mapping[str, str]:
        """Runs before each request of an account: rate windows. Gives headers of the answer; raises Refusal."""
        return {}

    def route(self, path: str, handler: Handler, *, methods: tuple[str, ...] = ("GET",), guarded: bool = True) -> Route:
        """A route whose handler is given the account; refusals become answers, rate headers are added.

        One that is not ``guarded`` is asked before anybody has a token: ``before`` does not run. A request whose shape
        a handler can't use is a bad request: the networks say so, too.
        """

        async def endpoint(request: Request) -> Response:
            account = self.account(request)
            headers: Mapping[str, str] = {}
            try:
                headers = await self.before(request, account) if guarded else {}
                response = await handler(request, account)
            except Refusal as refusal:
                response = refusal.response()
            except SHAPES as error:
                response = JSONResponse({"error": told(error)}, 400)
            for name, value in headers.items():
                response.headers.setdefault(name, value)
            return response

        return Route(path, endpoint, methods=list(methods))

    def account(self, request: Request) -> StageAccount:
        """The account in the path."""
        account = self.state.accounts.get(request.path_params["account"])
        if account is None or account.platform != self.name:
            raise HTTPException(404)
        token = presented(request)
        if token in self.state.issued:  # of a sign-in: it opens the account until it ends
            valid = self.state.is_valid(account.name, token)
            return replace(account, secret=token if valid else secrets.token_hex(16))
        return account

    def base(self, request: Request, account: StageAccount) -> str:
        """The account's address on this stage, without a slash at the end."""
        return f"{request.url.scheme}://{request.url.netloc}{path_of(account)}"

    def media_url(self, request: Request, media: StageMedia) -> str:
        """Where a file can be seen."""
        return f"{request.url.scheme}://{request.url.netloc}/_stage/media/{media.sha256}"

    def published(self, request: Request, post: StagePost) -> None:
        """Note that this request made a post public (what drops answers must know it)."""
        mark = request.scope.get(MARK)
        if mark is not None:
            mark["published"] = post.id


def presented(request: Request) -> str:
    """The token that came along in the header or the address, or ""."""
    scheme, _space, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.query_params.get("access_token", "")


def path_of(account: StageAccount) -> str:
    """``/PLATFORM/ACCOUNT``."""
    return f"/{account.platform}/{quote(account.name, safe='')}"


def rate_headers(window: Window) -> tuple[str, str, str]:
    """Limit, what is left, and the reset as seconds since the epoch."""
    return str(window.limit), str(window.remaining), str(int(window.reset.timestamp()))


async def fields(request: Request) -> tuple[dict[str, Any], dict[str, tuple[str, str, bytes]]]:
    """The fields and files of a JSON, form or multipart body.

    A name that ends in ``[]`` or comes more than once gives a list. Files are name → (file name, content type, bytes).
    Raises Malformed, a ValueError, for a body that is not what its content type says.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        value = json_of(await request.body() or b"{}")
        if not isinstance(value, dict):
            raise Malformed("not an object")
        return value, {}
    values: dict[str, Any] = {}
    files: dict[str, tuple[str, str, bytes]] = {}
    async with request.form() as form:
        for name, value in form.multi_items():
            if not isinstance(value, str):
                files[name] = (value.filename or "", value.content_type or "", await value.read())
            elif name.endswith("[]"):
                values.setdefault(name[:-2], []).append(value)
            else:
                values[name] = value
    checked([*values, *values.values(), *files, *(name for file in files.values() for name in file[:2])])
    return values, files
