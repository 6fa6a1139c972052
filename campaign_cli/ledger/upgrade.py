"""Alembic, run from the program: no alembic.ini, one transaction for all steps, a copy of the ledger before it."""

from __future__ import annotations

import os
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from campaign_cli.ledger import schema
from campaign_cli.ledger.base import from_os_error
from campaign_cli.ledger.sqlite import explain

MIGRATIONS: Final = Path(__file__).parent / "migrations"
BACKUPS: Final = "backups"


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
    """Copy a ledger with SQLite's own backup to ``.campaign/backups``; the path of the copy. Raises LedgerError."""
    folder = path.parent / BACKUPS
    target = folder / f"ledger-{at:%Y%m%dT%H%M%S%f}-{revision}-{os.getpid()}.sqlite3"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except OSError as error:
        raise from_os_error(error, str(target)) from error
    done = False
    try:
        source = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=busy_timeout)
        copy = sqlite3.connect(target)
        try:
            source.backup(copy)
        finally:
            copy.close()
            source.close()
        done = True
    except sqlite3.Error as error:
        raise explain(error, str(target)) from error
    finally:
        if not done:
            target.unlink(missing_ok=True)
    return target
