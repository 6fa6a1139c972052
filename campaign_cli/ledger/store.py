"""Opening the ledger of a workspace: create, upgrade, recognise."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import inspect, select, text

from campaign_cli import reasons
from campaign_cli.errors import ForeignLedger, LedgerError, NewerLedger
from campaign_cli.i18n import _
from campaign_cli.ledger import schema
from campaign_cli.ledger.base import corrupt, from_os_error, translated
from campaign_cli.ledger.claims import Claiming
from campaign_cli.ledger.decisions import Decisions, Messages
from campaign_cli.ledger.files import ledger_file
from campaign_cli.ledger.handing import Handing
from campaign_cli.ledger.holding import Holding
from campaign_cli.ledger.records import Records
from campaign_cli.ledger.schedule import Schedule
from campaign_cli.ledger.schema import instant
from campaign_cli.ledger.settling import Settling
from campaign_cli.ledger.sqlite import SqliteDatabase, write_ahead
from campaign_cli.ledger.values import Claimed, Settlement
from campaign_cli.ledger.withdrawing import Withdrawing

ID_FILE: Final = "ledger.id"


class Ledger(Claiming, Settling, Schedule, Handing, Records, Holding, Decisions, Withdrawing, Messages):
    """An open ledger. Every method is one transaction; instants are aware. Raises LedgerError."""

    def adopt(self, *, actor: str) -> None:
        """Make ``ledger.id`` of the workspace name this ledger."""
        self.must_exist()
        with self.writing() as connection:
            self.record(connection, "adopted", [(None, "{}")], actor=actor, at=self.now())
            write_ledger_id(self.root, self.ledger_id)

    def settle_and_claim(
        self, settlements: Sequence[Settlement], order: Mapping[str, Any]
    ) -> tuple[list[Settlement | None], Claimed]:
        """``settle``, then ``claim`` (with ``order``) into the places that became free: one wait for the disk."""
        with self.writing():
            return self.settle(settlements), self.claim(**order)

    def revision(self) -> str | None:
        """The step that built this database (see ``schema.REVISIONS``); None where there are no tables."""
        with self.reading() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
        if not isinstance(found, str):
            raise corrupt(self.where)
        return found

    def stored_id(self) -> str:
        """The name of this ledger, as the database has it."""
        with self.reading() as connection:
            found = None
            if inspect(connection).has_table("meta"):
                wanted = select(schema.meta.c.value).where(schema.meta.c.name == "ledger_id")
                found = connection.execute(wanted).scalar_one_or_none()
        if found is None:
            raise corrupt(self.where)
        return str(found)

    def migrate(self) -> None:
        """Build what is missing of the newest tables, all or nothing; a new ledger gets its name."""
        from campaign_cli.ledger.upgrade import migrate

        with self.writing() as connection:
            migrate(connection, ledger_id=uuid.uuid4().hex, at=instant(self.now()))

    def _claim_workspace(self) -> None:
        named = read_ledger_id(self.root)
        if named is None:
            write_ledger_id(self.root, self.ledger_id)
        elif named != self.ledger_id:
            raise foreign(self.root)


def open_ledger(
    workspace_root: Path,
    *,
    clock: Callable[[], datetime] | None,
    database_url: str | None = None,
    create: bool = True,
    check_id: bool = True,
    busy_timeout: float = 10.0,
) -> Ledger:
    """The ledger of a workspace, upgraded if it is older: an SQLite file, or the database at ``database_url``.

    ``clock`` gives aware instants; None means a database server's own. Without ``create``, a workspace that has none
    gives an empty ledger in memory and nothing is made. ``check_id`` refuses a ledger that ``ledger.id`` doesn't name.
    ``busy_timeout`` is in seconds. Raises LedgerError, NewerLedger, ForeignLedger, MissingExtra.
    """
    named = read_ledger_id(workspace_root) if check_id else None
    if database_url:
        ledger = _on_server(workspace_root, database_url, clock=clock, create=create, named=named)
    elif clock is None:
        raise ValueError("a file has no clock")
    else:
        ledger = _in_file(workspace_root, clock=clock, create=create, named=named, busy_timeout=busy_timeout)
    if named is not None and named != ledger.ledger_id:
        ledger.close()
        raise foreign(workspace_root)
    return ledger


def _in_file(
    root: Path, *, clock: Callable[[], datetime], create: bool, named: str | None, busy_timeout: float
) -> Ledger:
    path = ledger_file(root)
    if not _exists(path):
        if named is not None:
            raise foreign(root)
        if not create:
            return _empty(root, where=str(path), clock=clock)
        _create(path, clock=clock)
    ledger = Ledger(SqliteDatabase(path, clock=clock, busy_timeout=busy_timeout), root=root, absent=False)
    with _closed_on_error(ledger):
        revision = ledger.revision()
        if needs_upgrade(revision, ledger.where):
            from campaign_cli.ledger.upgrade import back_up

            back_up(path, revision=str(revision), at=ledger.clock(), busy_timeout=busy_timeout)
            ledger.migrate()
        with translated(ledger.database.explain):
            write_ahead(ledger._connection)
        ledger.ledger_id = ledger.stored_id()
    return ledger


def _on_server(
    root: Path, address: str, *, clock: Callable[[], datetime] | None, create: bool, named: str | None
) -> Ledger:
    from campaign_cli.ledger.postgresql import PostgresqlDatabase

    database = PostgresqlDatabase(address, clock=clock)
    ledger = Ledger(database, root=root, absent=False)
    with _closed_on_error(ledger):
        revision = ledger.revision()
        if revision is None and named is not None:
            raise foreign(root)
        if revision is None and not create:
            ledger.close()
            return _empty(root, where=database.where, clock=database.clock)
        if revision is None or needs_upgrade(revision, ledger.where):
            ledger.migrate()
        ledger.ledger_id = ledger.stored_id()
    return ledger


@contextmanager
def _closed_on_error(ledger: Ledger) -> Iterator[None]:
    try:
        yield
    except BaseException:
        ledger.close()
        raise


def needs_upgrade(revision: str | None, where: str) -> bool:
    """Whether a ledger is older than this program. Raises NewerLedger where it is newer, DamagedLedger without any."""
    if revision is None:
        raise corrupt(where)
    if revision not in schema.REVISIONS:
        raise NewerLedger(
            _("The ledger {path} was written by a newer version of campaign.").format(path=where),
            fix=_("Install the newest version: pip install --upgrade campaign-cli"),
        )
    return revision != schema.HEAD


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
            "Queue and send where that ledger is. If it is gone for good, or this copy takes over, restore its newest "
            "backup with `campaign ledger restore FILE`. Without a backup: `campaign ledger adopt`; what was queued "
            "there is not known here."
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


def _empty(root: Path, *, where: str, clock: Callable[[], datetime]) -> Ledger:
    ledger = Ledger(SqliteDatabase(None, clock=clock, busy_timeout=0, where=where), root=root, absent=True)
    ledger.ledger_id = ""
    with ledger.writing() as connection:
        schema.metadata.create_all(connection)
    return ledger


def _create(path: Path, *, clock: Callable[[], datetime]) -> None:
    """Make a ledger under another name and link it into place: there is never half a ledger, nor two."""
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except OSError as error:
        raise from_os_error(error, str(path)) from error
    try:
        database = SqliteDatabase(temporary, clock=clock, busy_timeout=0, where=str(path))
        with Ledger(database, root=path.parent.parent, absent=False) as ledger, translated(database.explain):
            write_ahead(ledger._connection)
            ledger.migrate()
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
