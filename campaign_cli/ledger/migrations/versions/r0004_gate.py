"""Approvals, embargoes, what a crisis lets through, and what was withdrawn."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NUMBER: Final = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add the table and the columns."""
    op.create_table(
        "approvals",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column(
            "delivery",
            sa.Text,
            sa.ForeignKey("deliveries.key", onupdate="CASCADE", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("statement", sa.Text, nullable=False),
        sa.Column("signature", sa.Text, nullable=True),
        sa.Column("void", sa.Text, nullable=True),
    )
    op.create_index("ix_approvals_delivery", "approvals", ["delivery", "content_hash"])
    op.create_table(
        "signed_texts", sa.Column("sha256", sa.Text, primary_key=True), sa.Column("text", sa.Text, nullable=False)
    )
    op.add_column("deliveries", sa.Column("embargo", sa.BigInteger, nullable=True))
    embargoed = sa.text("state = 'waiting' AND embargo IS NOT NULL")
    op.create_index(
        "ix_deliveries_embargo", "deliveries", ["embargo"], sqlite_where=embargoed, postgresql_where=embargoed
    )
    op.add_column("deliveries", sa.Column("signed", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("deliveries", sa.Column("author", sa.Text, nullable=False, server_default=sa.text("''")))
    op.add_column("receipts", sa.Column("withdrawn_at", sa.BigInteger, nullable=True))
    op.add_column("holds", sa.Column("crisis", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("holds", sa.Column("except_campaign", sa.Text, nullable=True))


def downgrade() -> None:
    """Nobody goes back: a copy is made before."""
    raise NotImplementedError
