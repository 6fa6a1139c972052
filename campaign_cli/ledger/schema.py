"""The tables. Instants are integer microseconds since the epoch (UTC); JSON is canonical text.

``migrations/versions`` builds the same tables step by step; a test compares the two. ``REVISIONS`` names every step,
oldest first, so that an up-to-date ledger opens without Alembic.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

REVISIONS: Final = ("0001", "0002", "0003", "0004")
HEAD: Final = REVISIONS[-1]

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def micros(at: datetime) -> int:
    """An aware instant as microseconds since the epoch."""
    return span(at - EPOCH)


def span(length: timedelta) -> int:
    """A length of time in microseconds."""
    return length // _MICROSECOND


def instant(value: int) -> datetime:
    """Microseconds since the epoch as an aware instant (UTC)."""
    return EPOCH + timedelta(microseconds=value)


def instant_or_none(value: int | None) -> datetime | None:
    """Like ``instant``; None stays None."""
    return None if value is None else instant(value)


metadata: Final = MetaData()
_Number: Final = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only an INTEGER primary key


def _delivery(*, primary_key: bool = False) -> Column[str]:
    """A reference to a delivery that follows it when it gets another key."""
    return Column(
        "delivery",
        Text,
        ForeignKey("deliveries.key", onupdate="CASCADE", ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=False,
    )


meta = Table("meta", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))

deliveries = Table(
    "deliveries",
    metadata,
    Column("key", Text, primary_key=True),
    Column("campaign", Text, nullable=False),
    Column("post", Text, nullable=False),
    Column("series", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("parts", Integer, nullable=False),
    Column("sent", Integer, nullable=False, server_default=text("0")),  # receipts so far
    Column("content_hash", Text, nullable=False),
    Column("body_hash", Text, nullable=False),
    Column("input_hash", Text, nullable=False),
    Column("recurring", Boolean, nullable=False, server_default=false()),
    Column("removed", Boolean, nullable=False, server_default=false()),  # cancelled because the plan lost it
    Column("approval", Integer, nullable=False, server_default=text("0")),  # approvals of this content that it needs
    Column("token", BigInteger, nullable=False, server_default=text("0")),
    Column("generation", Integer, nullable=False, server_default=text("0")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("tries", Integer, nullable=False, server_default=text("0")),  # attempts since the last success or decision
    Column("lease_until", BigInteger),
    Column("worker", Text),
    Column("next_try", BigInteger),
    Column("error", Text, nullable=False, server_default=text("''")),
    Column("queued_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("restored_from", Text),  # while uncertain since a restore: the state that it goes back to when it isn't out
    Column("embargo", BigInteger),  # nothing is sent before this instant
    Column("signed", Boolean, nullable=False, server_default=false()),  # only approvals with a signature count
    Column("author", Text, nullable=False, server_default=text("''")),  # the person who alone can't approve it
)
_columns = deliveries.c
_waiting = _columns.state == text("'waiting'")
_uncertain = _columns.state == text("'uncertain'")


def _partial(name: str, *columns: Column[object], where: object) -> None:
    Index(name, *columns, sqlite_where=where, postgresql_where=where)


Index("ix_deliveries_campaign", _columns.campaign)
Index("ix_deliveries_body", _columns.body_hash, _columns.address)
_partial("ix_deliveries_due", _columns.due, _columns.position, _columns.account, _columns.address, where=_waiting)
_partial("ix_deliveries_account_due", _columns.account, _columns.due, _columns.position, where=_waiting)
_partial("ix_deliveries_retry", _columns.next_try, where=text("state = 'waiting' AND next_try IS NOT NULL"))
_partial("ix_deliveries_doubtful", _columns.next_try, where=_uncertain)
_partial("ix_deliveries_embargo", _columns.embargo, where=text("state = 'waiting' AND embargo IS NOT NULL"))
_partial("ix_deliveries_lease", _columns.lease_until, where=text("lease_until IS NOT NULL"))

# The drafts stand apart, so that claiming and comparing touch small rows only.
drafts = Table("drafts", metadata, _delivery(primary_key=True), Column("draft", Text, nullable=False))

media = Table("media", metadata, Column("sha256", Text, primary_key=True), Column("bytes", LargeBinary, nullable=False))

delivery_media = Table(
    "delivery_media",
    metadata,
    _delivery(primary_key=True),
    Column("sha256", Text, ForeignKey("media.sha256"), primary_key=True),
)

delivery_labels = Table(
    "delivery_labels", metadata, _delivery(primary_key=True), Column("label", Text, primary_key=True)
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", _Number, primary_key=True),
    _delivery(),
    Column("part", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("attempt_key", Text, nullable=False),
    Column("worker", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("left_at", BigInteger),  # when a creating request was about to leave, where nobody can be asked afterwards
    Column("ended_at", BigInteger),
    Column("outcome", Text),
    Column("error", Text, nullable=False, server_default=text("''")),
    Index("ix_attempts_delivery", "delivery", "part"),
)

steps = Table(
    "steps",
    metadata,
    _delivery(primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

receipts = Table(
    "receipts",
    metadata,
    Column("id", _Number, primary_key=True),
    _delivery(),
    Column("part", Integer, nullable=False),
    Column("address", Text, nullable=False),
    Column("remote_id", Text, nullable=False),
    Column("url", Text),
    Column("at", BigInteger, nullable=False),
    Column("extra", Text, nullable=False),
    Column("withdrawn_at", BigInteger),  # when the network deleted it, because a person asked
    UniqueConstraint("delivery", "part", name="uq_receipts_part"),
    UniqueConstraint("address", "remote_id", name="uq_receipts_remote"),
)

holds = Table(
    "holds",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("campaign", Text),
    Column("account", Text),
    Column("label", Text),
    Column("reason", Text, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("released_at", BigInteger),
    Column("released_by", Text),
    Column("crisis", Boolean, nullable=False, server_default=false()),
    Column("except_campaign", Text),  # the statement that a crisis lets through
)
_partial("ix_holds_open", holds.c.id, where=text("released_at IS NULL"))

approvals = Table(
    "approvals",
    metadata,
    Column("id", _Number, primary_key=True),
    _delivery(),
    Column("content_hash", Text, nullable=False),  # exactly what was approved; other content is not approved by it
    Column("name", Text, nullable=False),
    Column("person", Text, nullable=False),  # the name without what is no difference: case, spaces
    Column("at", BigInteger, nullable=False),
    Column("statement", Text, nullable=False),  # what was shown, and which text of signed_texts was signed
    Column("signature", Text),  # as ssh-keygen -Y sign writes it
    Column("void", Text),  # why it no longer counts
    Index("ix_approvals_delivery", "delivery", "content_hash"),
)

# One signature may cover a whole plan: what was signed stands here once.
signed_texts = Table(
    "signed_texts", metadata, Column("sha256", Text, primary_key=True), Column("text", Text, nullable=False)
)

events = Table(
    "events",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text),  # no foreign key: the log keeps the names of its day
    Column("campaign", Text),
    Column("account", Text),
    Column("actor", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("details", Text, nullable=False),
    Column("hash", Text, nullable=False, server_default=text("''")),  # see chain.py
    Index("ix_events_key", "key"),
)

account_pauses = Table(
    "account_pauses",
    metadata,
    Column("address", Text, primary_key=True),
    Column("until", BigInteger, nullable=False),
    Column("asked", BigInteger),  # up to when the network, or a rate, asked for it; the rest is our own caution
    Column("failures", Integer, nullable=False, server_default=text("0")),  # in a row
    Column("since", BigInteger),  # when the first of them was
    Column("credential", Boolean, nullable=False, server_default=false()),  # the last one was a secret's
    Column("error", Text, nullable=False, server_default=text("''")),  # the last one's
)

notices = Table(
    "notices",
    metadata,
    Column("id", _Number, primary_key=True),
    _delivery(),
    Column("kind", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("told_at", BigInteger),
)
_partial("ix_notices_untold", notices.c.delivery, where=text("told_at IS NULL"))
