"""The log is a chain; accounts count their failures; attempts say when a request was about to leave."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from campaign_cli.ledger import chain

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_BATCH = 1_000


def upgrade() -> None:
    """Add the columns, and chain the events that are there."""
    op.add_column("events", sa.Column("hash", sa.Text, nullable=False, server_default=sa.text("''")))
    _count_failures()
    op.add_column("attempts", sa.Column("left_at", sa.BigInteger, nullable=True))
    _chain(op.get_bind())


def _count_failures() -> None:
    for column in (
        sa.Column("asked", sa.BigInteger, nullable=True),
        sa.Column("failures", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("since", sa.BigInteger, nullable=True),
        sa.Column("credential", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("error", sa.Text, nullable=False, server_default=sa.text("''")),
    ):
        op.add_column("account_pauses", column)


def downgrade() -> None:
    """Nobody goes back: a copy is made before."""
    raise NotImplementedError


def _chain(connection: sa.Connection) -> None:
    events = sa.table("events", *(sa.column(name) for name in (*chain.FIELDS, "hash")))
    write = sa.update(events).where(events.c.id == sa.bindparam("the_id")).values(hash=sa.bindparam("the_hash"))
    previous, last = "", -1
    while rows := connection.execute(
        sa.select(events).where(events.c.id > last).order_by(events.c.id).limit(_BATCH)
    ).all():
        hashes = []
        for row in rows:
            previous = chain.link(previous, row._asdict())
            hashes.append({"the_id": row.id, "the_hash": previous})
        connection.execute(write, hashes)
        last = rows[-1].id
