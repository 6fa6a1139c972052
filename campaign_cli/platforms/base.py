"""The contract of a network's adapter.

An adapter is one stateless object. It describes the network (limits, native fields, what it can prove), builds every
request of it, and reads every answer. It sees a ``Session`` (account, transport, secrets) or a ``Sending`` (one part of
one delivery) and nothing else: no ledger, no files, no environment, no clock of its own. Preview shows requests by
running this same ``publish`` over a transport that answers with each request's ``sample``.

What adapters need beside it is named here, too: limits and uses (``limits``), sign-ins (``oauth``), one question and
its answer (``requests``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict

from campaign_cli.errors import Rejected
from campaign_cli.i18n import _
from campaign_cli.models import Account, Draft, Part, Picture, Receipt
from campaign_cli.platforms.limits import Count, Limits, Use
from campaign_cli.platforms.oauth import Choice, Choose, Granted, OAuth
from campaign_cli.platforms.requests import AT_ONCE, Answer, Http, Request, Upload

__all__ = [
    "AT_ONCE",
    "BY_HAND",
    "AccountCheck",
    "Answer",
    "Choice",
    "Choose",
    "Count",
    "Found",
    "Granted",
    "Http",
    "Limits",
    "LookUp",
    "OAuth",
    "Platform",
    "Proof",
    "RemotePost",
    "Request",
    "Sending",
    "Session",
    "Settings",
    "Upload",
    "Use",
    "no_media_host",
]

BY_HAND: Final = "out/manual"
"""Where what a person posts by hand is laid out, below the workspace."""


class Settings(BaseModel):
    """Base of each adapter's own keys in accounts.yaml (``platform``, ``timezone``, ``language``, ``rate`` aside)."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


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
    thumbnail: ClassVar[Limits | None] = None  # what the picture of the native field ``thumbnail`` may be
    captions: ClassVar[int | None] = None  # bytes that a file of the native field ``captions`` may have
    proof: ClassVar[Proof]
    oauth: ClassVar[OAuth | None] = None
    metrics: ClassVar[tuple[str, ...]] = ()  # what ``read_back`` counts of a post: likes, replies, reposts, views …
    deletes: ClassVar[bool] = True  # False: ``delete`` raises Rejected
    fetches_media: ClassVar[bool] = False  # the network fetches media from a public address (``Sending.public_url``)
    permalinks: ClassVar[bool] = True  # a message has an address that a person can name as proof
    singly: ClassVar[bool] = False
    """Only their order holds the messages of a part or a thread together: one delivery goes out at a time."""
    by_hand: ClassVar[bool] = False  # a person posts it: publishing ends with HandedOver
    unconfirmed: ClassVar[tuple[str, ...]] = ()  # for docs/platforms.md: what no source or server has confirmed
    help: ClassVar[Mapping[str, str]] = {}  # setting → where a person finds it (English, marked with N_)
    signed_in: ClassVar[tuple[str, ...]] = ()  # settings that ``complete`` gives, so that nobody need type them
    max_wait: ClassVar[float] = 30.0  # seconds for one request

    def sign_in(self, settings: Mapping[str, Any]) -> OAuth | None:
        """The facts of the sign-in of an account with these settings, where they decide what it must be allowed."""
        return self.oauth

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

    def follows(self, draft: Draft) -> bool:
        """Whether something is to come after the last part of this draft (``afterwards``)."""
        return False

    async def afterwards(self, sending: Sending, receipt: Receipt) -> str:
        """Send what comes after the last part, which is out; going on after the steps that are done.

        What is missing then, in words for people; nothing where nothing is. Whatever it raises, the post is out.
        """
        return ""

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
