"""Opening the ledger of a workspace: create, upgrade, recognise."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from campaign_cli import reasons
from campaign_cli.errors import ForeignLedger, LedgerError, NewerLedger
from campaign_cli.i18n import _
from campaign_cli.ledger import schema
from campaign_cli.ledger.base import corrupt, from_os_error, sqlite_engine, translated
from campaign_cli.ledger.claims import Claiming
from campaign_cli.ledger.decisions import Decisions, Messages
from campaign_cli.ledger.holding import Holding
from campaign_cli.ledger.records import Records
from campaign_cli.ledger.schedule import Schedule
from campaign_cli.ledger.settling import Settling

FOLDER: Final = ".campaign"
FILE: Final = "ledger.sqlite3"
ID_FILE: Final = "ledger.id"


class Ledger(Claiming, Settling, Schedule, Records, Holding, Decisions, Messages):
    """An open ledger. Every method is one transaction; instants are aware. Raises LedgerError."""

    def adopt(self, *, actor: str) -> None:
        """Make ``ledger.id`` of the workspace name this ledger."""
        self.must_exist()
        with self.writing() as connection:
            self.record(connection, "adopted", [(None, "{}")], actor=actor, at=self.now())
            write_ledger_id(self.root, self.ledger_id)

    def _claim_workspace(self) -> None:
        named = read_ledger_id(self.root)
        if named is None:
            write_ledger_id(self.root, self.ledger_id)
        elif named != self.ledger_id:
            raise foreign(self.root)


def open_ledger(
    workspace_root: Path,
    *,
    clock: Callable[[], datetime],
    database_url: str | None = None,
    create: bool = True,
    check_id: bool = True,
    busy_timeout: float = 10.0,
) -> Ledger:
    """The ledger of a workspace, upgraded if it is older.

    Without ``create``, a workspace that has none gives an empty ledger in memory and no file is made. ``check_id``
    refuses a ledger that ``ledger.id`` doesn't name. ``busy_timeout`` is in seconds. Raises LedgerError, NewerLedger,
    ForeignLedger.
    """
    if database_url:
        raise LedgerError(
            _("CAMPAIGN_DATABASE_URL is set, and a ledger on a database server is not available in this version."),
            fix=_("Remove CAMPAIGN_DATABASE_URL; the ledger is then .campaign/ledger.sqlite3."),
        )
    path = workspace_root / FOLDER / FILE
    named = read_ledger_id(workspace_root) if check_id else None
    if not _exists(path):
        if named is not None:
            raise foreign(workspace_root)
        if not create:
            return _empty(workspace_root, path, clock=clock)
        _create(path, clock=clock)
    engine = sqlite_engine(path, busy_timeout=busy_timeout)
    ledger = Ledger(engine, root=workspace_root, where=str(path), clock=clock, absent=False)
    try:
        _bring_up_to_date(ledger, path, busy_timeout=busy_timeout)
        ledger.write_ahead()
        with ledger.reading() as connection:
            ledger.ledger_id = _stored_id(connection, str(path))
        if named is not None and named != ledger.ledger_id:
            raise foreign(workspace_root)
    except BaseException:
        ledger.close()
        raise
    return ledger


def read_ledger_id(root: Path) -> str | None:
    """What ``ledger.id`` says; None when there is no such file."""
    try:
        return (root / ID_FILE).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = reasons.reason(error) if isinstance(error, OSError) else _("it is not UTF-8")
        raise LedgerError(
            _("{path} can't be read: {reason}").format(path=root / ID_FILE, reason=reason),
            fix=_("Put the file from git back, or run `campaign ledger adopt`."),
        ) from error


def write_ledger_id(root: Path, ledger_id: str) -> None:
    """Write ``ledger.id`` whole or not at all. Raises LedgerError."""
    path = root / ID_FILE
    temporary = root / f"{ID_FILE}.{os.getpid()}.tmp"
    try:
        temporary.write_text(f"{ledger_id}\n", encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise from_os_error(error, str(path)) from error


def foreign(root: Path) -> ForeignLedger:
    """``ledger.id`` names another ledger than the one here."""
    return ForeignLedger(
        _("ledger.id names another ledger than the one of this folder: {folder}").format(folder=root),
        fix=_(
            "Queue and send where that ledger is. If it is gone for good, or this copy takes over, run "
            "`campaign ledger adopt`; what was queued there is not known here."
        ),
    )


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise from_os_error(error, str(path)) from error
    return True


def _empty(root: Path, path: Path, *, clock: Callable[[], datetime]) -> Ledger:
    engine = sqlite_engine(None, busy_timeout=0)
    ledger = Ledger(engine, root=root, where=str(path), clock=clock, absent=True)
    ledger.ledger_id = ""
    with ledger.writing() as connection:
        schema.metadata.create_all(connection)
    return ledger


def _create(path: Path, *, clock: Callable[[], datetime]) -> None:
    """Make a ledger under another name and link it into place: there is never half a ledger, nor two."""
    from campaign_cli.ledger.upgrade import migrate

    temporary = path.with_name(f"{FILE}.{uuid.uuid4().hex}.tmp")
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except OSError as error:
        raise from_os_error(error, str(path)) from error
    try:
        with translated(str(path)):
            engine = sqlite_engine(temporary, busy_timeout=0)
            try:
                migrate(engine, ledger_id=uuid.uuid4().hex, at=clock())
            finally:
                engine.dispose()
        _link(temporary, path)
    finally:
        for suffix in ("", "-journal", "-wal", "-shm"):
            with suppress(OSError):
                temporary.with_name(temporary.name + suffix).unlink()


def _link(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)
    except FileExistsError:
        return  # another process was first, and its ledger is as good
    except OSError as error:
        if path.exists():
            return
        try:  # a file system without hard links
            temporary.rename(path)
        except OSError:
            raise from_os_error(error, str(path)) from error


def _bring_up_to_date(ledger: Ledger, path: Path, *, busy_timeout: float) -> None:
    with ledger.reading() as connection:
        revision = _revision(connection, str(path))
    if revision == schema.HEAD:
        return
    if revision not in schema.REVISIONS:
        raise NewerLedger(
            _("The ledger {path} was written by a newer version of campaign.").format(path=path),
            fix=_("Install the newest version: pip install --upgrade campaign-cli"),
        )
    from campaign_cli.ledger.upgrade import back_up, migrate

    back_up(path, revision=revision, at=ledger._clock(), busy_timeout=busy_timeout)
    with ledger._lock, translated(str(path)):
        migrate(ledger._engine, ledger_id=None, at=ledger._clock(), connection=ledger._connection)


def _revision(connection: Connection, where: str) -> str:
    try:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    except OperationalError as error:
        if "no such table" in str(error.orig):
            raise corrupt(where) from error
        raise
    if not isinstance(found, str):
        raise corrupt(where)
    return found


def _stored_id(connection: Connection, where: str) -> str:
    found = connection.execute(
        select(schema.meta.c.value).where(schema.meta.c.name == "ledger_id")
    ).scalar_one_or_none()
    if found is None:
        raise corrupt(where)
    return str(found)
