"""A scripted network and a queued workspace for the engine's tests."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from backends import place

from campaign_cli.accounts import Workspace
from campaign_cli.credentials import Secrets
from campaign_cli.dispatch.compressed import CompressedClock
from campaign_cli.dispatch.engine import Dispatcher
from campaign_cli.dispatch.notify import Notifier
from campaign_cli.dispatch.options import Options
from campaign_cli.dispatch.outcome import Result
from campaign_cli.dispatch.progress import Silent
from campaign_cli.errors import Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.ledger import Changes, NewDelivery, Notice, open_ledger
from campaign_cli.models import Account, Draft, Part, Picture, Receipt, delivery_key
from campaign_cli.platforms.base import (
    AccountCheck,
    Answer,
    Count,
    Found,
    Limits,
    LookUp,
    Platform,
    Proof,
    RemotePost,
    Request,
    Sending,
    Session,
    Settings,
)

if TYPE_CHECKING:
    from campaign_cli.ledger import Ledger

START = datetime(2026, 12, 10, 1, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Reply:
    """An answer of the scripted network."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def text(self) -> str:
        return json.dumps(self.body)

    def json(self) -> Any:
        return self.body


@dataclass
class Remote:
    """One network that keeps posts, and does to the next creating requests what ``script`` says.

    ok · drop (accepts, the answer is lost) · lost (never arrives, the answer is lost) · 429 · down · refuse · 401 ·
    hang · forbidden (403) · rest (asks for a pause) · bug-after · an awaitable function (called, then ok).
    ``dead`` accounts reach nothing; while it is ``gone``, nobody can look. Its clock is ``behind`` ours; when it is
    ``dateless``, it doesn't say what time it is. ``asked`` are the requests that asked it.
    """

    clock: CompressedClock
    script: deque[Any] = field(default_factory=deque)
    posts: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    searchable: bool = True
    complete: bool = True
    answerable: bool = True
    honours_keys: bool = False
    dead: set[str] = field(default_factory=set)
    gone: bool = False
    looks: int = 0
    log: list[tuple[datetime, str, str]] = field(default_factory=list)
    behind: timedelta = timedelta(0)
    dateless: bool = False
    asked: list[Request] = field(default_factory=list)
    in_flight: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    most_in_flight: int = 0
    delay: Callable[[str], Awaitable[None]] | None = None

    def texts(self, account: str = "web") -> list[str]:
        return [post["text"] for post in self.posts[account]]

    def headers(self) -> dict[str, str]:
        """Of every answer to a look-up."""
        return {}

    def dated(self) -> dict[str, str]:
        """What time it is there, as headers say it."""
        return {} if self.dateless else {"date": format_datetime(self.clock.now() - self.behind, usegmt=True)}

    async def create(self, account: str, body: Mapping[str, Any]) -> Reply:
        self.log.append((self.clock.now(), account, body["text"]))
        self.in_flight[account] += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight[account])
        try:
            return await self._create(account, body)
        finally:
            self.in_flight[account] -= 1

    async def _create(self, account: str, body: Mapping[str, Any]) -> Reply:
        if self.delay is not None:
            await self.delay(account)
        else:
            await asyncio.sleep(0)
        if account in self.dead:
            raise Unavailable("No route.")
        step = self.script.popleft() if self.script else "ok"
        if callable(step):
            await step()
            step = "ok"
        if step == "429":
            raise Unavailable("Slow down.", status=429, retry_at=self.clock.now() + timedelta(seconds=40))
        if step == "down":
            raise Unavailable("No route.")
        if step == "forbidden":
            raise Rejected("Banned.", status=403)
        if step == "refuse":
            raise Rejected("Not allowed.", status=422, fix="Change it.")
        if step == "401":
            raise Unauthorized("Token refused: s3cret-token")
        if step == "lost":
            raise Unconfirmed("Reset.")
        if step == "hang":
            await asyncio.Event().wait()
        post = self._store(account, body)
        if step == "drop":
            raise Unconfirmed("Reset.")
        return Reply(200, {"x-rest": "60"} if step == "rest" else {}, {} if step == "bug-after" else post)

    def _store(self, account: str, body: Mapping[str, Any]) -> dict[str, Any]:
        if self.honours_keys:
            for post in self.posts[account]:
                if post["key"] == body["key"]:
                    return post
        number = sum(len(posts) for posts in self.posts.values()) + 1
        post = {"id": str(number), "at": self.clock.now(), **body}
        self.posts[account].append(post)
        return post


class FakeHttp:
    """The transport of one account to the scripted network."""

    def __init__(self, remote: Remote, account: str) -> None:
        self.remote, self.account, self.closed = remote, account, False

    async def send(self, request: Request) -> Answer:
        if request.method == "HEAD":
            self.remote.asked.append(request)
            if self.remote.gone:
                raise Unavailable("No route.")
            return Reply(404, self.remote.dated(), None)
        if request.method == "GET":
            self.remote.looks += 1
            if self.remote.gone:
                raise Unavailable("No route.")
            if not self.remote.searchable:
                raise Rejected("Forbidden.", status=403)
            return Reply(200, self.remote.headers(), self.remote.posts[self.account])
        return await self.remote.create(self.account, request.json)

    async def aclose(self) -> None:
        self.closed = True


class FakeSettings(Settings):
    """The scripted network's keys in accounts.yaml."""

    address: str = ""
    token: str = ""
    url: str = ""


class FakePlatform(Platform):
    """The adapter of the scripted network."""

    name = "fake"
    title = "Fake"
    Settings = FakeSettings
    secrets = ("token",)
    limits = Limits(text=500, unit="characters")
    proof = Proof(look_up=True)
    max_wait = 30.0

    def __init__(self, proof: Proof = Proof(look_up=True)) -> None:  # noqa: B008 - frozen
        self.proof = proof  # type: ignore[misc]
        self.bug = False
        self.software = "Fake 1"

    def address(self, account: Account) -> str:
        return f"fake:{account.settings.get('address') or account.name}"

    def measure(self, text: str, limits: Limits, *, media: int) -> tuple[Count, ...]:
        return (Count(used=len(text), limit=limits.text, unit=limits.unit),)

    async def publish(self, sending: Sending) -> Receipt:
        sending.secret("token")
        if self.bug:
            raise KeyError("bug")
        if "prepared" not in sending.steps:
            await sending.keep("prepared", {"part": sending.part})
        body = {"text": sending.content.text, "key": sending.key, "after": [one.id for one in sending.earlier]}
        answer = await sending.http.send(Request(method="POST", url="/posts", json=body, creating=True))
        post = answer.json()
        return Receipt(part=sending.part, id=post["id"], url=f"https://fake.example/{post['id']}", at=sending.now())

    async def look_up(self, sending: Sending, since: datetime) -> LookUp:
        answer = await sending.http.send(Request(method="GET", url="/posts"))
        found = [
            Found(receipt=Receipt(part=0, id=post["id"], url=None, at=post["at"]), created_at=post["at"])
            for post in reversed(answer.json())  # newest first, as networks list them
            if post["text"] == sending.content.text
        ]
        answerable = bool(sending.http._http.remote.answerable)  # type: ignore[attr-defined]
        return LookUp(found=tuple(found), complete=self._complete(sending), answerable=answerable)

    def _complete(self, sending: Sending) -> bool:
        return bool(sending.http._http.remote.complete)  # type: ignore[attr-defined]

    def may_repeat(self, session: Session, *, software: str, age: timedelta) -> bool:
        return software.startswith("Fake") and super().may_repeat(session, software=software, age=age)

    async def read_back(self, session: Session, receipt: Receipt) -> RemotePost | None:
        return None

    async def delete(self, session: Session, receipt: Receipt) -> None:
        return None

    async def check(self, session: Session) -> AccountCheck:
        return AccountCheck(identity="1", handle="fake", software=self.software)

    def pause_until(self, headers: Mapping[str, str], now: datetime) -> datetime | None:
        return now + timedelta(seconds=int(headers["x-rest"])) if "x-rest" in headers else None


class Told(Notifier):
    """A notifier that keeps what it was told."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []

    @property
    def enabled(self) -> bool:
        return True

    async def tell(self, notices: Sequence[Notice]) -> str | None:
        self.notices += notices
        return None


class Watching(Silent):
    """A progress that keeps what it is told."""

    def __init__(self) -> None:
        self.results: list[Result] = []
        self.order: list[str] = []
        self.warnings: list[str] = []

    def started(self, key: str, *, due: datetime) -> None:
        self.order.append(key)

    def settled(self, result: Result) -> None:
        self.results.append(result)

    def warned(self, message: str) -> None:
        self.warnings.append(message)


class Table:
    """A workspace, its ledger in a folder, a compressed clock and the scripted network."""

    def __init__(self, root: Path, *accounts: str | Account, proof: Proof | None = None) -> None:
        self.root = root
        self.clock = CompressedClock(START)
        self.remote = Remote(self.clock)
        self.platform = FakePlatform(proof or Proof(look_up=True))
        self.environment = {"TOKEN": "s3cret-token"}
        self.accounts = {
            account.name: account
            for account in (one if isinstance(one, Account) else self.account(one) for one in accounts or ("web",))
        }
        self.ledger = self.open()
        self.told = Told()
        self.seen = Watching()

    @staticmethod
    def account(
        name: str,
        *,
        rate: float | None = None,
        token: str = "env:TOKEN",  # noqa: S107
        address: str = "",
        url: str = "https://fake.example",
    ) -> Account:
        settings = {"token": token, "address": address, "url": url}
        return Account(name=name, platform="fake", settings=settings, rate=rate)

    def open(self) -> Ledger:
        return open_ledger(self.root, clock=self.clock.now, **place(self.root))

    def queue(
        self,
        post: str,
        *parts: str,
        account: str = "web",
        due: datetime | timedelta = timedelta(0),
        position: int = 0,
        media: Mapping[Picture, bytes] | None = None,
        embargo: datetime | timedelta | None = None,
        approval: int = 0,
    ) -> str:
        """One delivery in the ledger, its media with the first part; its key."""
        at = START + due if isinstance(due, timedelta) else due
        until = START + embargo if isinstance(embargo, timedelta) else embargo
        address = self.platform.address(self.accounts.get(account) or self.account(account))
        texts = parts or (f"Text of {post}",)
        draft = Draft(
            platform="fake",
            account=account,
            address=address,
            language="id",
            parts=tuple(
                Part(text=text, media=() if number else tuple(media or ())) for number, text in enumerate(texts)
            ),
        )
        key = delivery_key("upah", post, account)
        new = NewDelivery(
            key=key,
            campaign="upah",
            post=post,
            series=post,
            account=account,
            platform="fake",
            address=address,
            position=position,
            due=at,
            draft_json=draft.to_json(),
            parts=len(texts),
            content_hash=draft.content_hash(at, embargo=until),
            body_hash=key,
            input_hash=key,
            media=tuple(picture.sha256 for picture in media or ()),
            embargo=until,
            approval=approval,
        )
        contents = {picture.sha256: content for picture, content in (media or {}).items()}
        self.ledger.apply(Changes(new=(new,), media=contents.__getitem__), actor="test")
        return key

    def dispatcher(self, ledger: Ledger | None = None, **options: Any) -> Dispatcher:
        """A dispatcher of its own; used once."""
        settings: dict[str, Any] = {
            "worker": "test:1",
            "late_grace": timedelta(minutes=30),
            "lockstep": True,
            **options,
        }
        return Dispatcher(
            ledger=ledger or self.ledger,
            workspace=Workspace(root=self.root, accounts=self.accounts),
            secrets=Secrets(environment=self.environment, root=self.root),
            clock=self.clock.now,
            sleep=self.clock.sleep,
            transport=lambda account: FakeHttp(self.remote, account.name),
            options=Options(**settings),
            notifier=self.told,
            progress=self.seen,
            platform_of=lambda _name: self.platform,
            chance=Random(3),
        )

    def state(self, key: str) -> str:
        found = self.ledger.delivery(key)
        assert found is not None
        return found.state.value
