"""A delivery remembers, until it is settled, that a backup knew it in another state."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("deliveries", sa.Column("restored_from", sa.Text, nullable=True))


def downgrade() -> None:
    """Nobody goes back: a copy is made before."""
    raise NotImplementedError
