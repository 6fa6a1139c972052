"""What goes into the ledger and what comes out: frozen values, no database behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from campaign_cli.errors import DamagedLedger
from campaign_cli.i18n import _
from campaign_cli.models import LASTING, Draft, Receipt, State

RESTING_AFTER: Final = 5
"""Failures in a row after which an address rests, and is then tried by one delivery at a time until one succeeds."""

REQUEST: Final = "request"
"""Key in ``Receipt.extra``: the fingerprint (SHA-256) of the request that it answers to."""

ADOPTED: Final = "adopted"
"""Key in ``Receipt.extra``: a look-up found the post by its words; the network did not name it in an answer to us."""


EMBARGO_STEP: Final = "embargo"
"""A step of what waits because the clock of its destination has not reached the end of its embargo: when it will have,
in microseconds since the epoch on our clock."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A delivery that is ours until ``lease_until``; ``token`` fences everything that is written for it.

    ``attempts`` counts the tries since the last success or decision of a person, this one included.
    ``first_attempt_at`` is when the current attempt key was first used, ``attempt_started_at`` when it was last used.
    ``steps`` maps a part to its finished steps. ``failures`` counts the address's failures in a row when it was
    claimed. ``restored``: it is uncertain since the ledger was restored from a backup; any part of it may be out, and
    nothing is sent before that is known. ``signed``: the signatures of its approvals are verified again before that.
    All instants are aware (UTC).
    """

    key: str
    campaign: str
    post: str
    account: str
    platform: str
    address: str
    draft: Draft
    due: datetime
    token: int
    generation: int
    content_hash: str
    receipts: tuple[Receipt, ...]
    steps: Mapping[int, dict[str, Any]]
    attempts: int
    first_attempt_at: datetime | None
    attempt_started_at: datetime | None
    lease_until: datetime
    failures: int = 0
    restored: bool = False
    embargo: datetime | None = None
    signed: bool = False

    @property
    def part(self) -> int:
        """The first part without a receipt; the number of parts when every one is out."""
        sent = {receipt.part for receipt in self.receipts}
        return next((part for part in range(len(self.draft.parts)) if part not in sent), len(self.draft.parts))

    @property
    def begun(self) -> bool:
        """True when something of it is out, though no whole part may be."""
        kept = (step for steps in self.steps.values() for step in steps.items())
        return bool(self.receipts) or any(name.startswith(LASTING) and value is not None for name, value in kept)


class Given(NamedTuple):
    """An approval that counts. ``verified``: its signature was, when it was given."""

    name: str
    at: datetime
    verified: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Rest:
    """An address that rests because it kept failing: ``failures`` in a row, the first of them at ``since``.

    ``error`` is the last one's, ``credential`` says that it was a secret's. After ``until``, one delivery tries it.
    """

    address: str
    since: datetime
    until: datetime
    failures: int
    error: str
    credential: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """One row of the ledger, for people. ``draft_json`` is empty unless it was asked for.

    ``rest`` is what keeps a waiting one that falls due before its end from being sent. ``approval`` is how many
    approvals it needs (``signed`` ones, and not of the ``author`` alone), ``approvals`` are those that count: of this
    very content, and not taken back. ``begun``: something of it is out, though no whole part may be.
    """

    key: str
    campaign: str
    post: str
    account: str
    platform: str
    address: str
    due: datetime
    state: State
    content_hash: str
    attempts: int
    receipts: tuple[Receipt, ...]
    error: str
    labels: tuple[str, ...]
    held: bool
    approved: bool
    next_try: datetime | None
    lease_until: datetime | None
    queued_at: datetime
    changed_at: datetime
    parts: int
    draft_json: str = ""
    rest: Rest | None = None
    begun: bool = False
    approval: int = 0
    signed: bool = False
    author: str = ""
    approvals: tuple[Given, ...] = ()
    embargo: datetime | None = None

    @property
    def draft(self) -> Draft:
        """The frozen draft. Raises LookupError when it was not asked for."""
        if not self.draft_json:
            raise LookupError(self.key)
        return frozen_draft(self.key, self.draft_json)


def frozen_draft(key: str, stored: str | None) -> Draft:
    """The draft that the ledger has of a delivery. Raises DamagedLedger, which speaks of this delivery alone."""
    try:
        return Draft.from_json(stored or "")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedLedger(
            _("{key}: its draft can't be read.").format(key=key),
            fix=_("Run `campaign ledger check`: it says what is damaged, and the way out."),
        ) from error


@dataclass(frozen=True, kw_only=True, slots=True)
class Claimed:
    """What one claim did: ``doubtful`` became uncertain because a lease ran out, ``parked`` failed without a try."""

    claims: tuple[Claim, ...] = ()
    missed: tuple[Delivery, ...] = ()
    doubtful: tuple[Delivery, ...] = ()
    parked: tuple[Delivery, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Settlement:
    """How an attempt ended: published, waiting, failed or uncertain.

    ``next_try`` is when to try again (waiting) or to look it up again (uncertain; None leaves it to a person).
    ``notice`` is what people are told in the place of ``error``. ``untried``: it was stopped before anything of it was
    tried, so that this doesn't count as a try.
    """

    key: str
    token: int
    state: State
    receipt: Receipt | None = None
    error: str = ""
    next_try: datetime | None = None
    notice: str = ""
    untried: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """A durable stop. A scope that is None covers everything; all three must match.

    A ``crisis`` covers everything but what is approved of the campaign ``except_campaign``.
    """

    id: int
    campaign: str | None
    account: str | None
    label: str | None
    reason: str
    opened_at: datetime
    actor: str
    released_at: datetime | None = None
    released_by: str = ""
    crisis: bool = False
    except_campaign: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One line of the log: what happened, when, by whom, on which machine and process."""

    id: int
    at: datetime
    kind: str
    key: str | None
    campaign: str | None
    account: str | None
    actor: str
    host: str
    pid: int
    data: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """Something a person should hear of: ``kind`` is failed, missed, uncertain, or waiting (not approved)."""

    key: str
    kind: State
    message: str
    at: datetime


class Ready(NamedTuple):
    """A delivery that a sender could take up now. ``revision`` differs after every claim."""

    key: str
    account: str
    revision: int


@dataclass(frozen=True, kw_only=True, slots=True)
class NewDelivery:
    """A row as it will be stored. ``position`` is its place in the plan, ``series`` the post without its occurrence.

    ``body_hash`` is the content without account name, due instant and link tags: what makes two deliveries the same
    words. ``approval``, ``signed``, ``author`` and ``embargo`` as in ``schema.deliveries``.
    """

    key: str
    campaign: str
    post: str
    series: str
    account: str
    platform: str
    address: str
    position: int
    due: datetime
    draft_json: str
    parts: int
    content_hash: str
    body_hash: str
    input_hash: str
    labels: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    recurring: bool = False
    waived: Mapping[str, str] = field(default_factory=dict)
    approval: int = 0
    signed: bool = False
    author: str = ""
    embargo: datetime | None = None


class Known(NamedTuple):
    """What the comparison of a plan needs of a row; a tuple, for there may be 100,000 of them.

    ``alive`` is told by ``Ledger.alike`` alone: it is still to go out, on its way, or went out in the last 30 days.
    """

    key: str
    campaign: str
    series: str
    state: State
    input_hash: str
    content_hash: str
    body_hash: str
    address: str
    position: int
    due: datetime
    begun: bool
    removed: bool
    recurring: bool
    alive: bool = False

    def same(self, other: Known | None) -> bool:
        """True when nothing has happened between two looks; plan order says nothing of what is sent."""
        return other is not None and self == other._replace(position=self.position, alive=self.alive)

    @property
    def frozen(self) -> bool:
        """True when it is out, on its way out, or may be."""
        return self.begun or self.state in (State.SENDING, State.UNCERTAIN, State.PUBLISHED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """A delivery under a new key: same account, words and instant.

    ``as_it_is``: only its name changes, for it is out already or waits for a person; else the new draft comes with it.
    """

    old_key: str
    delivery: NewDelivery
    as_it_is: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """Everything that one ``queue`` does, in one transaction.

    ``seen`` holds the rows as the comparison saw them: what changed since is left alone. ``media`` gives the prepared
    bytes of a SHA-256.
    """

    new: tuple[NewDelivery, ...] = ()
    changed: tuple[NewDelivery, ...] = ()
    removed: tuple[str, ...] = ()
    moved: tuple[Move, ...] = ()
    positions: Mapping[str, int] = field(default_factory=dict)
    seen: Mapping[str, Known] = field(default_factory=dict)
    media: Callable[[str], bytes] | None = None

    def __bool__(self) -> bool:
        """False when there is nothing to do."""
        return bool(self.new or self.changed or self.removed or self.moved or self.positions)


@dataclass(frozen=True, kw_only=True, slots=True)
class Applied:
    """What ``apply`` did; ``skipped`` are keys that changed between the comparison and the transaction."""

    new: int
    changed: int
    removed: int
    moved: int
    skipped: tuple[str, ...]
