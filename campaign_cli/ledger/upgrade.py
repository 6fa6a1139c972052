"""Alembic, run from the program: no alembic.ini, one transaction for all steps, a copy of the ledger before it."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from campaign_cli.ledger import schema
from campaign_cli.ledger.copying import copy_pages, seal
from campaign_cli.ledger.files import BACKUPS, automatic_path, whole_file

MIGRATIONS: Final = Path(__file__).parent / "migrations"


def migrate(connection: Connection, *, ledger_id: str, at: datetime) -> None:
    """Bring a database to the newest revision, inside an open transaction; one without a name gets ``ledger_id``."""
    _run(connection)
    named = select(schema.meta.c.value).where(schema.meta.c.name == "ledger_id")
    if connection.execute(named).one_or_none() is None:
        values = {"ledger_id": ledger_id, "created_at": at.isoformat()}
        connection.execute(insert(schema.meta), [{"name": name, "value": value} for name, value in values.items()])


def _run(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)

    def upgrade(revision: Any, _context: Any) -> Any:
        return script._upgrade_revs("head", revision)

    with EnvironmentContext(config, script, fn=upgrade, destination_rev="head") as environment:
        environment.configure(connection=connection, render_as_batch=True)
        with environment.begin_transaction():  # joins the transaction that is already open
            environment.run_migrations()


def back_up(path: Path, *, revision: str, at: datetime, busy_timeout: float) -> Path:
    """Copy a ledger before it is upgraded; the path of the copy. Raises LedgerError."""
    target = automatic_path(path.parent / BACKUPS, at, why=f"{revision}-{os.getpid()}")
    with whole_file(target) as temporary:
        copy_pages(path, temporary, busy_timeout=busy_timeout)
        seal(temporary, at=at, where=str(target))
    return target
