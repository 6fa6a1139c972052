"""Deliveries, attempts, receipts, holds and events."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_ZERO = sa.text("0")
_EMPTY = sa.text("''")


def upgrade() -> None:
    """Build the first tables."""
    op.create_table("meta", sa.Column("name", sa.Text, primary_key=True), sa.Column("value", sa.Text, nullable=False))
    _deliveries()
    _content()
    _attempts()
    _decisions()


def downgrade() -> None:
    """There is nothing before this."""
    raise NotImplementedError


def _text(name: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text, **({"nullable": False} | options))


def _integer(name: str, **options: Any) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, **({"nullable": False} | options))


def _big(name: str, **options: Any) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, **({"nullable": False} | options))


def _delivery(*, primary_key: bool = False) -> sa.Column[str]:
    reference = sa.ForeignKey("deliveries.key", onupdate="CASCADE", ondelete="CASCADE")
    return sa.Column("delivery", sa.Text, reference, primary_key=primary_key, nullable=False)


def _number() -> sa.Column[int]:
    return sa.Column("id", _NUMBER, primary_key=True)


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("key", sa.Text, primary_key=True),
        *(_text(name) for name in ("campaign", "post", "series", "account", "platform", "address")),
        _big("position"),
        _big("due"),
        _text("state"),
        _integer("parts"),
        _integer("sent", server_default=_ZERO),
        *(_text(name) for name in ("content_hash", "body_hash", "input_hash")),
        sa.Column("recurring", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("removed", sa.Boolean, nullable=False, server_default=sa.false()),
        _integer("approval", server_default=_ZERO),
        _big("token", server_default=_ZERO),
        *(_integer(name, server_default=_ZERO) for name in ("generation", "attempts", "tries")),
        _big("lease_until", nullable=True),
        _text("worker", nullable=True),
        _big("next_try", nullable=True),
        _text("error", server_default=_EMPTY),
        _big("queued_at"),
        _big("changed_at"),
    )
    op.create_index("ix_deliveries_campaign", "deliveries", ["campaign"])
    op.create_index("ix_deliveries_body", "deliveries", ["body_hash", "address"])
    waiting = "state = 'waiting'"
    _partial("ix_deliveries_due", "deliveries", ["due", "position", "account", "address"], waiting)
    _partial("ix_deliveries_account_due", "deliveries", ["account", "due", "position"], waiting)
    _partial("ix_deliveries_retry", "deliveries", ["next_try"], "state = 'waiting' AND next_try IS NOT NULL")
    _partial("ix_deliveries_doubtful", "deliveries", ["next_try"], "state = 'uncertain'")
    _partial("ix_deliveries_lease", "deliveries", ["lease_until"], "lease_until IS NOT NULL")


def _content() -> None:
    op.create_table("drafts", _delivery(primary_key=True), _text("draft"))
    op.create_table(
        "media",
        sa.Column("sha256", sa.Text, primary_key=True),
        sa.Column("bytes", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "delivery_media",
        _delivery(primary_key=True),
        sa.Column("sha256", sa.Text, sa.ForeignKey("media.sha256"), primary_key=True),
    )
    op.create_table("delivery_labels", _delivery(primary_key=True), sa.Column("label", sa.Text, primary_key=True))


def _attempts() -> None:
    op.create_table(
        "attempts",
        _number(),
        _delivery(),
        *(_integer(name) for name in ("part", "generation")),
        *(_text(name) for name in ("attempt_key", "worker")),
        _big("started_at"),
        _big("ended_at", nullable=True),
        _text("outcome", nullable=True),
        _text("error", server_default=_EMPTY),
    )
    op.create_index("ix_attempts_delivery", "attempts", ["delivery", "part"])
    op.create_table(
        "steps",
        _delivery(primary_key=True),
        *(sa.Column(name, sa.Integer, primary_key=True) for name in ("part", "generation")),
        sa.Column("name", sa.Text, primary_key=True),
        _text("value"),
    )
    op.create_table(
        "receipts",
        _number(),
        _delivery(),
        _integer("part"),
        *(_text(name) for name in ("address", "remote_id")),
        _text("url", nullable=True),
        _big("at"),
        _text("extra"),
        sa.UniqueConstraint("delivery", "part", name="uq_receipts_part"),
        sa.UniqueConstraint("address", "remote_id", name="uq_receipts_remote"),
    )


def _decisions() -> None:
    op.create_table(
        "holds",
        _number(),
        *(_text(name, nullable=True) for name in ("campaign", "account", "label")),
        _text("reason"),
        _big("opened_at"),
        _text("actor"),
        _big("released_at", nullable=True),
        _text("released_by", nullable=True),
    )
    _partial("ix_holds_open", "holds", ["id"], "released_at IS NULL")
    op.create_table(
        "events",
        _number(),
        _big("at"),
        _text("kind"),
        *(_text(name, nullable=True) for name in ("key", "campaign", "account")),
        *(_text(name) for name in ("actor", "host")),
        _integer("pid"),
        _text("details"),
    )
    op.create_index("ix_events_key", "events", ["key"])
    op.create_table("account_pauses", sa.Column("address", sa.Text, primary_key=True), _big("until"))
    op.create_table(
        "notices",
        _number(),
        _delivery(),
        *(_text(name) for name in ("kind", "message")),
        _big("at"),
        _big("told_at", nullable=True),
    )
    _partial("ix_notices_untold", "notices", ["delivery"], "told_at IS NULL")
