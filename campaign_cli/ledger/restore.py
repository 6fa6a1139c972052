"""``campaign ledger restore``: a backup takes the place of the ledger, and what may have gone out since is uncertain.

The file that is given is never touched: a private copy of it is upgraded and looked at. What it makes of the deliveries
is told in ``restoring``.

How it takes the ledger's place: ``replacing``.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from campaign_cli.errors import DamagedLedger, ForeignLedger, InputError
from campaign_cli.i18n import _
from campaign_cli.ledger import files, schema
from campaign_cli.ledger.backup import Head, count, head_of
from campaign_cli.ledger.base import corrupt, from_os_error
from campaign_cli.ledger.care import pages
from campaign_cli.ledger.copying import BACKUP_AT, opened_file
from campaign_cli.ledger.restoring import Asks
from campaign_cli.ledger.schema import instant
from campaign_cli.ledger.store import Ledger, needs_upgrade, open_ledger, read_ledger_id

if TYPE_CHECKING:
    from campaign_cli.ledger.replacing import Restored


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where the ledger of a workspace lives; ``clock`` None means a database server's own."""

    root: Path
    clock: Callable[[], datetime] | None
    database_url: str | None = None

    def open(self, *, create: bool) -> Ledger:
        """The ledger that is there. Raises LedgerError."""
        return open_ledger(self.root, clock=self.clock, database_url=self.database_url, create=create, check_id=False)


@dataclass(kw_only=True)
class Prepared:
    """A backup that can be restored: a private copy, at the newest revision. ``at`` (aware): all before it is in it."""

    place: Place
    given: Path
    copy: Path
    ledger_id: str
    at: datetime
    deliveries: int
    head: Head
    live: Head | None = field(default=None)

    def restore(self, *, actor: str, asks: Asks, nothing_sent: bool = False, hold: bool = False) -> Restored:
        """Carry it out. ``asks``: which networks can be asked what is out. ``nothing_sent`` is a person's word that
        nothing was sent since the backup: then nothing becomes uncertain. ``hold`` opens a hold over everything.

        Raises LedgerError; nothing is changed then.
        """
        from campaign_cli.ledger import replacing

        order = replacing.Order(prepared=self, actor=actor, asks=asks, nothing_sent=nothing_sent, hold=hold)
        if self.place.database_url is None:
            return replacing.of_rows(order) if _readable(self.place) else replacing.of_a_file(order)
        return replacing.of_rows(order) if _opens(self.place) else replacing.of_tables(order)


@contextmanager
def prepared(place: Place, given: Path, *, adopt: bool = False) -> Iterator[Prepared]:
    """Look at a backup and get it ready. ``adopt`` takes one that ``ledger.id`` doesn't name.

    Raises InputError for a file that isn't there, DamagedLedger, NewerLedger, ForeignLedger, LedgerError. ``given`` and
    the ledger stay as they are.
    """
    if not given.is_file():
        raise InputError(
            _("There is no file {path}.").format(path=given), fix=_("See the backups: campaign ledger restore")
        )
    with _workshop(place.root) as folder:
        copy = _copied(given, folder)
        now = place.clock() if place.clock else datetime.now(UTC)
        for finding in pages(copy):
            raise _damaged(given, finding.message)
        with _named(given), opened_file(copy, at=now, where=str(given)) as ledger:
            if needs_upgrade(ledger.revision(), ledger.where):
                ledger.migrate()
            ledger_id = ledger.stored_id()
            with ledger.reading() as connection:
                found = Prepared(
                    place=place,
                    given=given,
                    copy=copy,
                    ledger_id=ledger_id,
                    at=_instant_of(connection),
                    deliveries=count(connection),
                    head=head_of(connection),
                )
        named = read_ledger_id(place.root)
        if named not in (None, found.ledger_id) and not adopt:
            raise _foreign(given)
        found.live = _live_head(place)
        yield found


@contextmanager
def _workshop(root: Path) -> Iterator[Path]:
    """A private folder on the ledger's disk that goes at the end."""
    folder = root / files.FOLDER
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        name = tempfile.mkdtemp(prefix="restore-", suffix=".tmp", dir=folder)
        files.remove_stale(Path(name), "restore-*.tmp")
    except OSError as error:
        raise from_os_error(error, str(folder)) from error
    try:
        yield Path(name)
    finally:
        shutil.rmtree(name, ignore_errors=True)
        with suppress(OSError):  # it was not there before, and nothing came into it
            folder.rmdir()


def _copied(given: Path, folder: Path) -> Path:
    copy = folder / "ledger.sqlite3"
    try:
        for suffix in ("", "-wal"):
            source = given.with_name(given.name + suffix)
            if source.exists():
                shutil.copyfile(source, copy.with_name(copy.name + suffix))
    except OSError as error:
        raise from_os_error(error, str(copy)) from error
    return copy


@contextmanager
def _named(given: Path) -> Iterator[None]:
    """What is damaged inside is the file that was given."""
    try:
        yield
    except DamagedLedger as error:
        raise _damaged(given) from error


def _damaged(given: Path, words: str = "") -> DamagedLedger:
    message = _("{path} is damaged or is no backup of a ledger.").format(path=given)
    return DamagedLedger(
        f"{message} {words}".strip(), fix=_("Choose another one; without a file, `campaign ledger restore` lists them.")
    )


def _foreign(given: Path) -> ForeignLedger:
    return ForeignLedger(
        _("{path} is a backup of another ledger than the one that ledger.id names.").format(path=given),
        fix=_(
            "Put ledger.id back from git if it was changed. If this workspace is to go on with this backup, say "
            "--adopt: ledger.id names it then, as after `campaign ledger adopt`."
        ),
    )


def _instant_of(connection: Connection) -> datetime:
    """The instant of a backup; of a plain copy that of its newest event, after which it knows nothing."""
    noted: dict[str, str] = {row.name: row.value for row in connection.execute(select(schema.meta))}
    newest = connection.execute(select(func.max(schema.events.c.at))).scalar()
    if BACKUP_AT not in noted and newest is not None:
        return instant(newest)
    try:
        at = datetime.fromisoformat(noted[BACKUP_AT if BACKUP_AT in noted else "created_at"])
        return at.astimezone(UTC)
    except (KeyError, ValueError) as error:
        raise corrupt("") from error


def _readable(place: Place) -> bool:
    """Whether the rows of a ledger's file can be replaced. Raises LedgerError when it is locked, or newer."""
    path = files.ledger_file(place.root)
    return path.exists() and _opens(place) and not any(True for _finding in pages(path))


def _opens(place: Place) -> bool:
    try:
        place.open(create=False).close()
    except DamagedLedger:
        return False
    return True


def _live_head(place: Place) -> Head | None:
    try:
        with place.open(create=False) as live, live.reading() as connection:
            return head_of(connection)
    except DamagedLedger:
        return None
