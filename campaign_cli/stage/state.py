"""What the stage remembers, in memory only: accounts, posts, media, keys and rate windows. Gone when the stage stops.

Instants are aware and come from the clock that was passed in, so that a rehearsal decides what time it is.
"""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final

_LABELS: Final = 4_000
"""How many sorts of requests are told apart."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StageAccount:
    """An account that the stage plays.

    ``user`` is what the network calls it (user name, handle, channel); ``secret`` the token or password that it takes;
    ``role`` what it may do there (WordPress: administrator, editor, author, contributor, subscriber; Telegram:
    administrator, member, kicked; Matrix: encrypted, outside, reader) or, for Mastodon, the server's software.
    ``number`` is its id, where accounts.yaml says it beside the name.
    ``text_limit`` and ``url_length`` stand for what an instance announces. People see its posts' instants in ``zone``.
    """

    name: str
    platform: str
    user: str
    secret: str
    role: str = ""
    number: str = ""
    text_limit: int | None = None
    url_length: int | None = None
    zone: tzinfo | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureFacts:
    """What a file really is, by its bytes."""

    mime: str
    width: int
    height: int


@dataclass(kw_only=True, slots=True)
class StageMedia:
    """An uploaded file. ``polls`` is how often it still answers "processing"; ``post`` the post that took it."""

    id: str
    account: str
    sha256: str
    mime: str
    size: int
    width: int
    height: int
    name: str
    alt: str = ""
    polls: int = 0
    post: str | None = None
    at: datetime

    @classmethod
    def of(cls, content: bytes, facts: PictureFacts, **members: Any) -> StageMedia:
        """A file from its bytes and what they are."""
        digest = hashlib.sha256(content).hexdigest()
        width, height = facts.width, facts.height
        return cls(sha256=digest, mime=facts.mime, size=len(content), width=width, height=height, **members)


@dataclass(kw_only=True, slots=True)
class StagePost:
    """A post as it was sent. ``status`` is published, draft, future, pending, private or deleted; ``path`` its page.

    ``html`` says that ``text`` is HTML; ``alts`` stand in the order of ``media``; ``data`` is the network's own record.
    """

    number: int
    account: str
    platform: str
    id: str
    path: str
    text: str
    at: datetime
    status: str = "published"
    title: str = ""
    html: bool = False
    media: list[StageMedia] = field(default_factory=list)
    alts: list[str] = field(default_factory=list)
    reply_to: str | None = None
    key: str | None = None
    visibility: str | None = None
    language: str | None = None
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """A rate window after a request: what is left of ``limit``, and when it starts anew."""

    limit: int
    remaining: int
    reset: datetime
    seconds: int
    refused: bool


def picture_facts(content: bytes) -> PictureFacts | None:
    """Type and size in pixels of an image, or None where it is none (only its header is read)."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "GIF", "WEBP")) as image:
            kind = Image.MIME.get(image.format or "", "application/octet-stream")
            return PictureFacts(mime=kind, width=image.width, height=image.height)
    except (OSError, ValueError, Image.DecompressionBombError):
        return None


def media_facts(content: bytes) -> PictureFacts | None:
    """Like ``picture_facts``, and of a video at least its type (``width`` and ``height`` 0)."""
    if content[4:8] == b"ftyp":
        kind = "video/quicktime" if content[8:12] == b"qt  " else "video/mp4"
        return PictureFacts(mime=kind, width=0, height=0)
    if content[:4] == b"\x1aE\xdf\xa3":
        return PictureFacts(mime="video/webm", width=0, height=0)
    return picture_facts(content)


class StageState:
    """Everything the stage holds. Changed by the server's own thread only; others read."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        accounts: Mapping[str, StageAccount],
        enforce_rates: bool = True,
        processing_polls: int = 1,
    ) -> None:
        self.clock = clock
        self.accounts: dict[str, StageAccount] = dict(accounts)
        self.enforce_rates = enforce_rates
        self.processing_polls = processing_polls
        self.posts: list[StagePost] = []
        self.media: dict[tuple[str, str], StageMedia] = {}
        self.files: dict[str, tuple[str, bytes]] = {}
        self.keys: dict[tuple[str, str], tuple[str, datetime]] = {}
        self.issued: dict[str, tuple[str, datetime | None]] = {}
        """Access tokens of sign-ins: whose they are, and when they end (None: never)."""
        self.requests: Counter[tuple[str, str]] = Counter()
        self.faults: Counter[str] = Counter()
        self._windows: dict[tuple[str, str], tuple[datetime, int]] = {}
        self._counters: Counter[str] = Counter()
        self._made: Counter[str] = Counter()
        self._posts: dict[tuple[str, str], StagePost] = {}

    def count(self, account: str, label: str) -> None:
        """Count a request. Whoever asks may make up paths without an end: beyond some thousand they count together."""
        known = (account, label) in self.requests or len(self.requests) < _LABELS
        self.requests[(account, label) if known else ("*", "*")] += 1

    def now(self) -> datetime:
        """The stage's instant, in UTC."""
        return self.clock().astimezone(UTC)

    def number(self) -> int:
        """The next running number."""
        return self.count_up("")

    def count_up(self, counter: str) -> int:
        """The next number of a counter, from 1."""
        self._counters[counter] += 1
        return self._counters[counter]

    def number_from(self, first: int) -> None:
        """Let the identifiers of every account begin above ``first``."""
        for name in self.accounts:
            self._counters[name] = max(self._counters[name], first)

    def add_accounts(self, accounts: Mapping[str, StageAccount]) -> None:
        """Play these accounts as well."""
        self.accounts.update(accounts)

    def is_valid(self, account: str, token: str) -> bool:
        """Whether a sign-in gave this token to the account, and it has not ended."""
        owner, until = self.issued.get(token, ("", None))
        return owner == account and (until is None or self.now() < until)

    def add_post(self, post: StagePost) -> StagePost:
        """Keep a post and tie its media to it."""
        self.posts.append(post)
        self._posts[post.account, post.id] = post
        self._made[post.account] += 1
        for media in post.media:
            media.post = post.id
        return post

    def post(self, account: str, identifier: str) -> StagePost | None:
        """The post of an account by its id, unless it was deleted."""
        post = self._posts.get((account, identifier))
        return None if post is None or post.status == "deleted" else post

    def count_of(self, account: str) -> int:
        """How many posts an account has made, deleted ones included."""
        return self._made[account]

    def above(self, post: StagePost) -> list[StagePost]:
        """What a post answers, from the first on. One that answers itself, over however many, is told once."""
        found: list[StagePost] = []
        seen = {post.id}
        parent = self.post(post.account, post.reply_to or "")
        while parent is not None and parent.id not in seen:
            seen.add(parent.id)
            found.insert(0, parent)
            parent = self.post(parent.account, parent.reply_to or "")
        return found

    def posts_of(self, account: str) -> list[StagePost]:
        """An account's posts, newest first; deleted ones aside."""
        own = [post for post in self.posts if post.account == account and post.status != "deleted"]
        return sorted(own, key=lambda post: (post.at, post.number), reverse=True)

    def add_media(self, media: StageMedia, content: bytes) -> StageMedia:
        """Keep a file; equal bytes are kept once."""
        self.files[media.sha256] = (media.mime, content)
        self.media[media.account, media.id] = media
        return media

    def spend(self, account: str, window: str, *, limit: int, seconds: int, cost: int = 1) -> Window:
        """Take ``cost`` out of a fixed window of ``seconds``; ``refused`` when it is used up (then nothing is
        taken)."""
        now = self.now()
        start, used = self._windows.get((account, window), (now, 0))
        if now - start >= timedelta(seconds=seconds) or now < start:
            start, used = now, 0
        refused = self.enforce_rates and used + cost > limit
        if not refused:
            used += cost
        self._windows[account, window] = (start, used)
        return Window(
            limit=limit,
            remaining=max(0, limit - used),
            reset=start + timedelta(seconds=seconds),
            seconds=seconds,
            refused=refused,
        )
