"""The contract of a network's adapter.

An adapter is one stateless object. It describes the network (limits, native fields, what it can prove), builds every
request of it, and reads every answer. It sees a ``Session`` (account, transport, secrets) or a ``Sending`` (one part of
one delivery) and nothing else: no ledger, no files, no environment, no clock of its own. Preview shows requests by
running this same ``publish`` over a transport that answers with each request's ``sample``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final, Protocol

from pydantic import BaseModel, ConfigDict

from campaign_cli.errors import Rejected
from campaign_cli.i18n import _
from campaign_cli.models import Account, Draft, Part, Picture, Receipt

AT_ONCE: Final = 1_000_000  # bytes of a body that ``max_wait`` is enough for
_SLOWEST: Final = 32_000  # bytes a second: a slower line than this is none
BY_HAND: Final = "out/manual"
"""Where what a person posts by hand is laid out, below the workspace."""


class Settings(BaseModel):
    """Base of each adapter's own keys in accounts.yaml (``platform``, ``timezone``, ``language``, ``rate`` aside)."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What one message may hold. ``unit`` names what is counted; ``None`` means no limit.

    ``source`` is ``documented`` (the network's documentation) or ``instance`` (read from the live server).
    """

    text: int | None
    unit: str
    text_bytes: int | None = None
    caption: int | None = None  # text of a message that carries media, where that differs
    url_length: int | None = None  # every link counts as this many; 0: as many as it has
    images: int = 4
    image_bytes: int | None = None
    image_pixels: int | None = None
    image_types: tuple[str, ...] = ("image/jpeg", "image/png")
    image_ratio: tuple[float, float] | None = None  # width to height: the narrowest and the widest that is taken
    alt: int | None = None
    videos: int = 0
    video_bytes: int | None = None
    video_seconds: float | None = None
    video_types: tuple[str, ...] = ("video/mp4",)
    mixed: bool = False  # pictures and videos may stand in one message
    media_least: int = 0  # pictures and videos that a message must have at least
    source: str = "documented"


@dataclass(frozen=True, kw_only=True, slots=True)
class Count:
    """One measurement: ``used`` of ``limit`` (``None`` = unlimited) in ``unit``."""

    used: int
    limit: int | None
    unit: str

    @property
    def over(self) -> bool:
        """True when it does not fit."""
        return self.limit is not None and self.used > self.limit


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """What the network can prove after a crash; ``docs/platforms.md`` is generated from it.

    ``look_up``: an own post can be found again, ``found_by`` what (English, for that table). ``repeat_for``: how long
    after the first attempt the same key may be sent again without making a second post (``None`` = never,
    ``timedelta.max`` = for ever); ``repeat_if``: on which condition, which ``Platform.may_repeat`` tests.
    """

    look_up: bool
    found_by: str = ""
    repeat_for: timedelta | None = None
    repeat_if: str = ""
    verified_by: str = ""  # real server, recording, specification

    @property
    def blind(self) -> bool:
        """Nothing can be proved once a request has left: no look-up, no key. A person must decide what is in doubt."""
        return not self.look_up and self.repeat_for is None


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """What sending one delivery takes of something that the network charges for or counts.

    ``what`` names it in a word for people (``USD``, ``posts``, ``units``). At most ``limit`` (None = no end) may be
    taken within ``period`` (None = for ever) by one account, whatever posts it is for.
    """

    what: str
    amount: Decimal
    limit: Decimal | None = None
    period: timedelta | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OAuth:
    """How an account of the network signs in (OAuth 2, authorization code); read by ``campaign accounts login``.

    ``{url}`` in an address stands for the account's own server. ``client_name`` is what the network calls the
    application's id. ``authentication`` says how the application proves itself at the token's address: ``post`` (in
    the body), ``basic`` (in a header) or ``none``. ``renewal``: ``refresh`` (a refresh token, which may be rotated),
    ``exchange`` (a still valid token is traded for one that lives longer, with ``exchange`` as the query's fields), or
    ``none``. ``lifetime`` is how long a token lives where the network's answer doesn't say. ``registers``: the address
    where an application registers itself (Mastodon). ``help`` is the page on which a person makes an application.
    ``loopback`` is the host of a redirect address on this machine as the network takes it; empty where it takes https
    alone, so that people paste what their browser was led to. ``pasted`` is the redirect address at which the network
    shows a code for pasting. ``challenge``: how PKCE's hash is written, ``base64url`` or ``hex``.

    Where an account's ``url`` is not the network's own, every address keeps its path and is asked at that ``url``: a
    server that stands in for the network plays its sign-in, too.
    """

    authorize: str
    token: str
    scopes: tuple[str, ...]
    separator: str = " "
    pkce: bool = True
    client_name: str = "client_id"
    authentication: str = "post"
    renewal: str = "refresh"
    exchange: tuple[tuple[str, Mapping[str, str]], ...] = ()
    """For ``exchange``: (address, fields) of the first trade (short for long) and of each renewal after it; the
    placeholders {client_id}, {client_secret} and {token} are filled in."""
    lifetime: timedelta | None = None
    extra: Mapping[str, str] = field(default_factory=dict)  # further fields of the authorize address
    registers: str = ""
    help: str = ""
    loopback: str = "127.0.0.1"
    pasted: str = ""
    challenge: str = "base64url"


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One of several things that a sign-in leads to (a page, a channel): the network's id, and a name for people."""

    value: str
    label: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Granted:
    """What a sign-in ends with, where that is not the token as it came.

    ``token`` takes its place (a page's own token), with ``expires`` (aware; None = it does not end) and no renewal;
    None keeps the token. ``settings`` are keys of accounts.yaml that are known by now (the page's id).
    """

    token: str | None = field(default=None, repr=False)
    expires: datetime | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


Choose = Callable[[str, Sequence[Choice]], Awaitable[str]]
"""Lets a person choose: a question and the choices → the chosen value. Raises InputError where nobody can be asked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """One field of a multipart body that carries a file."""

    field: str
    name: str
    mime: str
    content: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One HTTP request as the adapter wants it sent.

    Exactly one of ``json``, ``form``, ``content`` or none; ``uploads`` go with ``form`` as multipart. ``creating``
    marks a request after which something is public (or may be): the gate (lease and holds) is asked before it, and an
    absent answer to it is ``Unconfirmed``. ``sample`` is what a preview answers, with placeholders (``{media_id}``) for
    what only the server can give; ``sample_headers`` (lower-case names) where the answer's headers say it. ``errors``
    is the network's own table: it may turn an answer into a Failure, or return None for the transport's usual reading.
    """

    method: str
    url: str
    query: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, Any] | None = None
    content: bytes | None = None
    uploads: Sequence[Upload] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    creating: bool = False
    sample: Any = None
    sample_headers: Mapping[str, str] = field(default_factory=dict)
    errors: Callable[[Answer], Exception | None] | None = None
    accept: Sequence[int] = (200, 201, 202)  # statuses that are an answer; any other is a Failure

    @property
    def patience(self) -> float:
        """Seconds beyond the network's own ``max_wait`` that a large body may take on a slow line."""
        size = len(self.content or b"") + sum(len(upload.content) for upload in self.uploads)
        return max(0, size - AT_ONCE) / _SLOWEST


class Answer(Protocol):
    """What came back: bounded in size, read whole."""

    @property
    def status(self) -> int:
        """HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Header names in lower case."""

    @property
    def text(self) -> str:
        """Body as text."""

    def json(self) -> Any:
        """Body as JSON; of a creating request that can't be read, raises Unconfirmed; else Unavailable."""


class Http(Protocol):
    """The only way to the network."""

    async def send(self, request: Request) -> Answer:
        """The answer, or one of Rejected, Unavailable, Unauthorized, Unconfirmed (by the gate: Held, ClaimLost)."""


async def no_media_host(picture: Picture) -> str:
    """For an account without one: raises Rejected."""
    raise Rejected(
        _("This network fetches {file} from a public address, and the account has no media_host.").format(
            file=picture.name
        ),
        fix=_("Name a WordPress account as media_host, or a folder that a web server publishes."),
    )


async def _no_person(_files: Mapping[str, bytes]) -> str:
    raise Rejected(_("Nobody is here who could post by hand."))


def _quiet(_done: int, _total: int) -> None:
    """Nobody watches the upload."""


@dataclass(kw_only=True)
class Session:
    """One account's access. ``memory`` lives as long as the process (login sessions); it is never written anywhere."""

    account: Account
    http: Http
    secret: Callable[[str], str]  # the setting's name → the revealed secret, at the moment of use
    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]
    memory: dict[str, Any]


@dataclass(kw_only=True)
class Sending(Session):
    """One part of one delivery on its way out.

    ``key`` is the attempt key; ``earlier`` are the receipts of the parts before this one; ``steps`` are the finished
    steps of this part, also those of an earlier process; ``keep`` makes a step durable before it returns; ``load``
    gives the prepared bytes of a picture or a video, ``public_url`` an address at which the network can fetch it (on
    the account's ``media_host``; raises Rejected without one). ``uploaded`` is told how many bytes of how many of a
    long upload have arrived. ``hand_over`` lays files (name → bytes) out for a person who posts them by hand, and says
    where; doing it again replaces them.
    """

    draft: Draft
    part: int
    key: str
    due: datetime
    earlier: tuple[Receipt, ...]
    steps: dict[str, Any]
    keep: Callable[[str, Any], Awaitable[None]]
    load: Callable[[Picture], Awaitable[bytes]]
    public_url: Callable[[Picture], Awaitable[str]] = no_media_host
    uploaded: Callable[[int, int], None] = _quiet
    hand_over: Callable[[Mapping[str, bytes]], Awaitable[str]] = _no_person

    @property
    def content(self) -> Part:
        """The part to send."""
        return self.draft.parts[self.part]


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A post on the account that may be ours: ``created_at`` is the network's own instant (aware)."""

    receipt: Receipt
    created_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class LookUp:
    """What was found, best first. ``complete``: the search went past the start of the attempt, so absence counts.

    Not ``answerable``: the network will never tell of this attempt, so that only a person can.
    """

    found: tuple[Found, ...]
    complete: bool
    answerable: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class RemotePost:
    """A post as the network shows it now: plain text (or HTML where ``html``), alt texts in order.

    ``metrics`` holds what the network counts, by its own word for people (``likes``, ``replies``, ``views`` …).
    """

    id: str
    url: str | None
    text: str
    html: bool = False
    alts: tuple[str, ...] = ()
    created_at: datetime | None = None
    title: str | None = None
    metrics: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountCheck:
    """What a live account says of itself. ``identity`` is the network's own id; ``notes`` are sentences for people.

    ``scopes`` is what the credential may do, ``expires`` (aware) when it ends, where the network tells.
    """

    identity: str
    handle: str
    url: str | None = None
    software: str = ""  # server software and version, where that matters
    limits: Limits | None = None
    notes: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    expires: datetime | None = None


class Platform(ABC):
    """One network. Members stand in this order in every adapter."""

    name: ClassVar[str]
    title: ClassVar[str]
    Settings: ClassVar[type[Settings]]
    secrets: ClassVar[tuple[str, ...]]  # keys of Settings that hold references
    fields: ClassVar[frozenset[str]] = frozenset()  # native keys a variant may set
    visibilities: ClassVar[tuple[str, ...]] = ()  # allowed values of ``visibility``; the first is the default
    markup: ClassVar[str] = "plain"  # plain | markdown (block: WordPress) | entities (inline: Telegram, Discord, Slack)
    link_in: ClassVar[str] = "text"
    """Where the link goes: ``text`` (appended), ``card`` (Draft.link), ``embed`` (a card unless pictures take its
    place, then the text)."""
    hashtags_in: ClassVar[str] = "text"  # text: appended to the text; none: left to native tags
    threads: ClassVar[bool] = True
    thread_form: ClassVar[str] = "chain"
    """How a thread's parts hang together: ``chain`` (each answers the part before), ``root`` (all answer the first),
    ``order`` (one after the other, where a message can answer none)."""
    limits: ClassVar[Limits]
    proof: ClassVar[Proof]
    oauth: ClassVar[OAuth | None] = None
    metrics: ClassVar[tuple[str, ...]] = ()  # what ``read_back`` counts of a post: likes, replies, reposts, views …
    deletes: ClassVar[bool] = True  # False: ``delete`` raises Rejected
    fetches_media: ClassVar[bool] = False  # the network fetches media from a public address (``Sending.public_url``)
    permalinks: ClassVar[bool] = True  # a message has an address that a person can name as proof
    by_hand: ClassVar[bool] = False  # a person posts it: publishing ends with HandedOver
    unconfirmed: ClassVar[tuple[str, ...]] = ()  # for docs/platforms.md: what no source or server has confirmed
    help: ClassVar[Mapping[str, str]] = {}  # setting → where a person finds it (English, marked with N_)
    signed_in: ClassVar[tuple[str, ...]] = ()  # settings that ``complete`` gives, so that nobody need type them
    max_wait: ClassVar[float] = 30.0  # seconds for one request

    @abstractmethod
    def address(self, account: Account) -> str:
        """The destination, normalised, so that two spellings of one account are equal. Goes into the content hash."""

    @abstractmethod
    def measure(self, text: str, limits: Limits, *, media: int) -> tuple[Count, ...]:
        """The text of one message in the network's own units; ``media`` is the number of pictures with it."""

    @abstractmethod
    async def publish(self, sending: Sending) -> Receipt:
        """Send one part, going on after the steps that are already done.

        Raises Rejected, Unavailable, Unauthorized, Unconfirmed.
        """

    @abstractmethod
    async def look_up(self, sending: Sending, since: datetime) -> LookUp:
        """Search the account for this part, created at or after ``since``. Raises Failure when that was refused."""

    def uses(self, draft: Draft) -> tuple[Use, ...]:
        """What sending this draft takes of what the network charges for or counts."""
        return ()

    def blind(self, account: Account) -> bool:
        """Whether nothing can be proved of this account once a request has left (``Proof.blind``)."""
        return self.proof.blind

    def objections(self, draft: Draft) -> tuple[Rejected, ...]:
        """What the network would refuse of this draft beyond ``limits``: ``publish`` raises the first of them before
        anything leaves, ``check`` shows them all. ``code`` is the native field that it is about, if it is one."""
        return ()

    async def host(self, session: Session, picture: Picture, content: bytes) -> str:
        """Put a file where everybody can fetch it; its address. Repeating it is harmless. Raises Rejected where the
        network can't, and Failure."""
        raise Rejected(
            _("{title} can't hold files for other networks.").format(title=self.title),
            fix=_("Name a WordPress account as media_host, or a folder that a web server publishes."),
        )

    def home(self, account: Account) -> str | None:
        """Where the account's server answers anybody. It is asked for nothing but its clock, without a credential.
        None where there is no server."""
        settings = self.Settings.model_validate(dict(account.settings))
        return getattr(settings, "url", None) or None

    def may_repeat(self, session: Session, *, software: str, age: timedelta) -> bool:
        """Whether the same key may be sent again ``age`` after the first attempt (after a look-up found nothing)."""
        return self.proof.repeat_for is not None and age <= self.proof.repeat_for

    @abstractmethod
    async def read_back(self, session: Session, receipt: Receipt) -> RemotePost | None:
        """The post behind a receipt, or None where it is gone or the network can't be read."""

    async def find(self, session: Session, url: str) -> Receipt | None:
        """The post of this account behind a permalink that a person gives (``part`` 0), where the address or the
        network tells it; else None. Raises Failure."""
        return None

    @abstractmethod
    async def delete(self, session: Session, receipt: Receipt) -> None:
        """Take the post down. Repeating it is harmless. Raises Rejected where the network can't."""

    @abstractmethod
    async def check(self, session: Session) -> AccountCheck:
        """Prove that the credential works and may post. Raises Unauthorized, Rejected, Unavailable."""

    async def complete(self, session: Session, choose: Choose) -> Granted | None:
        """The end of a sign-in, with the fresh token as ``session.secret``: fetch what is needed beyond it, and let a
        person choose where it leads to several. None: nothing to do. ``session.account.settings`` may lack what
        ``signed_in`` names. Raises Failure."""
        return None

    def pause_until(self, headers: Mapping[str, str], now: datetime) -> datetime | None:
        """When this account may send again, if the answer's rate headers say that it is used up; else None."""
        return None
