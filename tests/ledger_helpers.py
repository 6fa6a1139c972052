"""A workspace with a ledger, a clock that a test moves, and deliveries made from a few words."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from backends import place

from campaign_cli.ledger import Changes, Claim, Claimed, NewDelivery, Settlement, open_ledger
from campaign_cli.ledger.resting import pauses
from campaign_cli.ledger.schema import micros
from campaign_cli.ledger.store import Ledger
from campaign_cli.ledger.words import body_hash
from campaign_cli.models import Draft, Part, Receipt, State

START = datetime(2026, 12, 7, 1, 0, tzinfo=UTC)
LEASE = timedelta(seconds=90)
GRACE = timedelta(minutes=30)


@dataclass
class Clock:
    """A clock that stands still until a test moves it."""

    at: datetime = START

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **span: float) -> None:
        self.at += timedelta(**span)


@dataclass
class Bench:
    """A workspace folder, its clock and its open ledger."""

    root: Path
    clock: Clock = field(default_factory=Clock)
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = self.open()
        weakref.finalize(self, self.ledger.close)

    def open(self, **options: Any) -> Ledger:
        return open_ledger(self.root, clock=self.clock, **(place(self.root) | options))

    def queue(self, *new: NewDelivery, ledger: Ledger | None = None) -> None:
        changes = Changes(new=new, media=lambda sha256: sha256.encode())
        (ledger or self.ledger).apply(changes, actor="siti")

    def claim(self, **options: Any) -> Claimed:
        wanted = {"worker": "w1", "limit": 100, "per_account": 5, "lease": LEASE, "late_grace": GRACE} | options
        return self.ledger.claim(**wanted)

    def claim_one(self, **options: Any) -> Claim:
        claimed = self.claim(**options)
        assert len(claimed.claims) == 1
        return claimed.claims[0]

    def settle(self, claim: Claim, state: State, **options: Any) -> bool:
        return bool(self.ledger.settle([Settlement(key=claim.key, token=claim.token, state=state, **options)])[0])

    def publish(self, claim: Claim, *, part: int = 0, remote_id: str | None = None) -> bool:
        return self.settle(claim, State.PUBLISHED, receipt=self.receipt(remote_id or claim.key, part=part))

    def receipt(self, remote_id: str, *, part: int = 0) -> Receipt:
        return Receipt(part=part, id=remote_id, url=f"https://contoh.example/{remote_id}", at=self.clock())

    def state(self, key: str) -> State:
        delivery = self.ledger.delivery(key)
        assert delivery is not None
        return delivery.state

    def doubtful(self, key: str = "c/p/a", *, next_try: datetime | None = None) -> Claim:
        """A delivery that was claimed and whose answer never came."""
        self.queue(make(key))
        claim = self.claim_one()
        self.settle(claim, State.UNCERTAIN, error="reset", next_try=next_try or self.clock())
        return claim


def paused(ledger: Ledger, at: datetime) -> dict[str, datetime]:
    """Addresses that rest at that instant, and until when."""
    with ledger.reading() as connection:
        return pauses(connection, micros(at))


def tamper(bench: Bench, *statements: str) -> None:
    """Change the database past the program."""
    with bench.ledger.writing() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def make(
    key: str = "c/p/a",
    *,
    due: datetime = START,
    text: str | None = None,
    parts: Sequence[str] | None = None,
    address: str | None = None,
    labels: Sequence[str] = (),
    position: int = 0,
) -> NewDelivery:
    """A delivery ``campaign/post/account`` with words of its own."""
    campaign, post, account = key.split("/")
    draft = Draft(
        platform="mastodon",
        account=account,
        address=address or f"https://{account}.example",
        language="id",
        parts=tuple(Part(text=one) for one in (parts or [text or f"Pos {key}"])),
    )
    return NewDelivery(
        key=key,
        campaign=campaign,
        post=post,
        series=post.split("@")[0],
        account=account,
        platform="mastodon",
        address=draft.address,
        position=position,
        due=due,
        draft_json=draft.to_json(),
        parts=len(draft.parts),
        content_hash=draft.content_hash(due),
        body_hash=body_hash(draft),
        input_hash=draft.content_hash(due),
        labels=tuple(labels),
    )
