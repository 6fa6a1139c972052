"""Misbehaviour on demand: what networks do on a bad day, so that rehearsals and tests can live through it.

==================  ===================================================================================================
refuse              the network's own way of refusing a post for good
429                 too many requests, with the network's own headers and body
503                 out of order, as the network says it
answer              ``status`` with ``body``, and nothing is carried out (3xx: a redirect to elsewhere)
slow                waits ``seconds`` before it goes on
drop-before         the connection is cut before anything is read or stored
drop-half           the connection is cut when the first half of the request has been read
accept-then-drop    the post is stored, then the connection is cut without an answer
accept-then-stall   the post is stored, and the connection is silent for ``seconds`` before it is cut
accept-then-answer  the post is stored, and the answer is ``status`` with ``body``
malformed           the post is stored, and the answer is 200 with half a body
wrong-date          the answer's Date is ``seconds`` behind the stage's clock, whatever was asked
no-date             the answer has no Date, whatever was asked
==================  ===================================================================================================

``body`` is what an answer holds: ``error`` (JSON), ``html`` (a proxy's page that repeats the request), ``empty``,
``half`` (of the JSON), ``gzip`` (said to be, and is not) or ``nameless`` (the JSON without any id).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Literal, get_args
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from campaign_cli.errors import InputError
from campaign_cli.i18n import _
from campaign_cli.stage.network import MARK, Network, Refusal
from campaign_cli.stage.spoilt import BODIES, Body, Retry, Spoilt
from campaign_cli.stage.state import StageState

DATE = "campaign.date"
"""Key in the ASGI scope: how far behind an answer's Date is, or None where it has none."""
CUT = "campaign.cut"
"""Key in the ASGI scope's extensions: a function that cuts the connection at once."""

Kind = Literal[
    "refuse",
    "429",
    "503",
    "answer",
    "slow",
    "drop-before",
    "drop-half",
    "accept-then-drop",
    "accept-then-stall",
    "accept-then-answer",
    "malformed",
    "wrong-date",
    "no-date",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
AFTER: tuple[Kind, ...] = ("accept-then-drop", "accept-then-stall", "accept-then-answer", "malformed")
DATING: tuple[Kind, ...] = ("wrong-date", "no-date")
_READING = ("GET", "HEAD", "OPTIONS")


class Misbehaviour(BaseModel):
    """One order to misbehave.

    ``platform`` or ``account`` narrow it (neither: everywhere). It happens ``times`` times (None: always), or, with
    ``share`` (0 to 1), to that share of the requests, drawn with ``seed``; the first ``skip`` pass. ``requests`` is
    ``creating`` (what asks for a post), ``changing`` (all but those that only read) or ``any``. ``seconds`` is how
    long ``slow`` and ``accept-then-stall`` wait, and what a 429 asks for; ``retry`` says how an ``answer`` asks for it.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    platform: str | None = None
    account: str | None = None
    times: int | None = Field(default=None, ge=1)
    share: float | None = Field(default=None, gt=0, le=1)
    seed: int = 0
    skip: int = Field(default=0, ge=0)
    status: int = Field(default=500, ge=200, le=599)
    body: Body = "error"
    retry: Retry = "none"
    seconds: float = Field(default=5, ge=0, le=3600)
    requests: Literal["creating", "changing", "any"] = "creating"
    _random: random.Random | None = PrivateAttr(default=None)

    def covers(self, *, platform: str, account: str, method: str, creating: bool) -> bool:
        """Whether a request is of the sort that this order is about."""
        kinds = {"creating": creating, "changing": method not in _READING, "any": True}
        return (
            self.platform in (None, platform)
            and self.account in (None, account)
            and (self.kind in DATING or kinds[self.requests])
            and self.times != 0
        )

    def strikes(self) -> bool:
        """Whether it happens to the request at hand; counts it off."""
        if self.skip:
            self.skip -= 1
            return False
        if self.share is not None:
            if self._random is None:
                self._random = random.Random(self.seed)  # noqa: S311 - chance for tests, repeatable by design
            if self._random.random() >= self.share:
                return False
        if self.times is not None:
            self.times -= 1
        return True


def parse_misbehaviour(text: str, *, platforms: Sequence[str]) -> Misbehaviour:
    """``WHERE:KIND[:N]`` or ``WHERE:KIND[:NAME=VALUE,…]``, as in ``mastodon:503:2``,
    ``telegram:slow:times=3,seconds=2`` or ``*:429:share=0.2,seed=7``.

    WHERE is a platform, an account or ``*``. Raises InputError with the allowed words.
    """
    where, _colon, rest = text.partition(":")
    kind, _colon, options = rest.partition(":")
    data: dict[str, str] = {"kind": kind.strip()}
    if where.strip() not in ("", "*"):
        data["platform" if where.strip() in platforms else "account"] = where.strip()
    if options.isdigit():
        options = f"times={options}"
    for option in filter(None, options.split(",")):
        name, _equals, value = option.partition("=")
        data[name.strip()] = value.strip()
    try:
        return Misbehaviour.model_validate(data)
    except ValidationError as error:
        raise InputError(
            _('"{text}" is not a misbehaviour that the stage knows.').format(text=text),
            fix=_(
                "Write WHERE:KIND[:times=N,share=0.2,seed=N,skip=N,seconds=N,requests=creating|changing|any,"
                "status=N,body=NAME,retry=seconds|date], with KIND one of {kinds}, and for body one of {bodies}."
            ).format(kinds=", ".join(KINDS), bodies=", ".join(BODIES)),
        ) from error


class Faults:
    """ASGI middleware, outermost: counts requests and carries out the orders that cover them."""

    def __init__(self, app: ASGIApp, *, state: StageState, networks: Mapping[str, Network]) -> None:
        self.app = app
        self.state = state
        self.networks = networks
        self.orders: list[Misbehaviour] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        _root, platform, account, path = (*scope["path"].split("/", 3), "", "", "")[:4]
        network = self.networks.get(platform)
        if network is None or not account:
            await self.app(scope, receive, send)
            return
        name, method, path = unquote(account), scope["method"], f"/{path}"
        self.state.count(name, network.label(method, path))
        creating = network.creates(method, path)
        covering = [
            order
            for order in self.orders
            if order.covers(platform=platform, account=name, method=method, creating=creating)
        ]
        dating = self._strike([each for each in covering if each.kind in DATING], after=False)
        if dating is not None:
            scope[DATE] = None if dating.kind == "no-date" else timedelta(seconds=dating.seconds)
        covering = [each for each in covering if each.kind not in DATING]
        order = self._strike(covering, after=False)
        if order is not None and order.kind != "slow":
            await self._instead(order, network, (scope, receive, send))
            return
        if order is not None:
            await asyncio.sleep(order.seconds)
        if any(other.kind in AFTER for other in covering):
            await self._after(covering, scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _strike(self, orders: Sequence[Misbehaviour], *, after: bool) -> Misbehaviour | None:
        for order in orders:
            if (order.kind in AFTER) is after and order.times != 0 and order.strikes():
                self.state.faults[order.kind] += 1
                return order
        return None

    async def _instead(self, order: Misbehaviour, network: Network, connection: tuple[Scope, Receive, Send]) -> None:
        scope, receive, send = connection
        if order.kind in ("drop-before", "drop-half"):
            if order.kind == "drop-half":
                await receive()
            await cut(scope, receive)
            return
        await _drain(receive)
        if order.kind == "answer":
            await self._spoil(order, scope, send)
            return
        answers: dict[str, Callable[[], Refusal]] = {"refuse": network.refused, "503": network.broken}
        refusal = network.throttled(max(1, round(order.seconds))) if order.kind == "429" else answers[order.kind]()
        await refusal.response()(scope, receive, send)

    async def _after(self, orders: Sequence[Misbehaviour], scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request be carried out with its answer kept back; then spoil the answer or let it go."""
        mark: dict[str, str] = {}
        scope[MARK] = mark
        kept: list[Message] = []

        async def keep(message: Message) -> None:
            kept.append(message)

        await self.app(scope, receive, keep)
        done = "published" in mark
        order = self._strike([each for each in orders if done or each.requests != "creating"], after=True)
        if order is None:
            for message in kept:
                await send(message)
        elif order.kind == "accept-then-drop":
            await cut(scope, receive)
        elif order.kind == "accept-then-stall":
            await _stall(receive, order.seconds)
            await cut(scope, receive)
        else:
            await self._spoil(order, scope, send, own=b"".join(message.get("body", b"") for message in kept))

    async def _spoil(self, order: Misbehaviour, scope: Scope, send: Send, *, own: bytes = b"") -> None:
        """Answer as the order says; ``own`` is what the network would have answered."""
        half = order.kind == "malformed"
        spoilt = Spoilt(
            status=200 if half else order.status,
            body="half" if half else order.body,
            retry=order.retry,
            seconds=order.seconds,
        )
        for message in spoilt.messages(scope, own=own, now=self.state.now()):
            await send(message)


async def cut(scope: Scope, receive: Receive) -> None:
    """Cut the connection and wait until it is gone: not one byte of an answer leaves."""
    scope["extensions"][CUT]()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _drain(receive: Receive) -> None:
    """Read the body, so that the connection stays in step for the next request."""
    while (await receive()).get("more_body"):
        pass


async def _stall(receive: Receive, seconds: float) -> None:
    """Wait until the other side gives up, or for ``seconds``."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
