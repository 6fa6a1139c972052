"""A prepared backup takes the place of the ledger.

Where the ledger can be read, all of its rows are replaced in one writing transaction, so that every process that has it
open goes on with the new ones, and none has sent anything between the look at the clock and the new rows. Where it
can't be read, it is set aside (a file under another name, a server's tables in another schema) and a complete new one
takes its place. A process that still has a damaged file open knows nothing of that: end it first.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import delete, inspect, text
from sqlalchemy.engine import Connection, Row

from campaign_cli.errors import LedgerError
from campaign_cli.i18n import _
from campaign_cli.ledger import files, schema
from campaign_cli.ledger.backup import Head, head_of, keep_replaced
from campaign_cli.ledger.base import from_os_error
from campaign_cli.ledger.copying import BACKUP_AT, copy_content, opened_file, seal
from campaign_cli.ledger.remaining import Known, ending_early, known_of, open_holds, stay_down, void_on
from campaign_cli.ledger.restore import Prepared
from campaign_cli.ledger.restoring import Asks, Doubts, doubt, outrun
from campaign_cli.ledger.schema import instant, micros, span
from campaign_cli.ledger.store import Ledger, write_ledger_id
from campaign_cli.ledger.upgrade import migrate

_CLOCKS: Final = timedelta(minutes=2)
_SCOPE: Final = ("campaign", "account", "label", "crisis", "except_campaign")  # of a hold
"""How far the clock of the backup may be ahead of ours."""
_NOTHING: Final = Doubts(asked=(), for_a_person=())


@dataclass(frozen=True, kw_only=True, slots=True)
class Restored:
    """What a restore did at ``at`` (aware). ``replaced`` is the copy of the ledger that was there, and ``before`` the
    newest event of its log; ``damaged`` is where it lies now if it could not be read. ``down`` are the keys that were
    to be taken down and stay so; not ``whole``: what else was held, taken down or taken back since is not known, and
    everything is held.
    """

    at: datetime
    doubts: Doubts
    replaced: Path | None = None
    damaged: str = ""
    before: Head | None = None
    held: bool = False
    down: tuple[str, ...] = ()
    whole: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What to restore, and how (see ``Prepared.restore``)."""

    prepared: Prepared
    actor: str
    asks: Asks
    nothing_sent: bool
    hold: bool


def of_rows(order: Order) -> Restored:
    """Replace the rows of a ledger that can be read, or of a new one."""
    given = order.prepared
    with given.place.open(create=True) as live, live.writing() as connection:
        before, known = head_of(connection), known_of(connection)
        replaced = keep_replaced(live, connection)
        done = _fill(order, live, connection, before=before, known=known)
    return replace(done, replaced=replaced, before=before)


def of_tables(order: Order) -> Restored:
    """Put a server's tables that are no ledger any more into a schema of their own, and make new ones."""
    from campaign_cli.ledger.postgresql import PostgresqlDatabase

    given = order.prepared
    database = PostgresqlDatabase(given.place.database_url or "", clock=given.place.clock)
    with Ledger(database, root=given.place.root, absent=False) as live, live.writing() as connection:
        known = known_of(connection, damaged=True)
        aside = f"damaged_{instant(live.now()):%Y%m%dt%H%M%S}"
        connection.execute(text(f"CREATE SCHEMA {aside}"))
        for table in [*schema.metadata.tables, "alembic_version"]:
            if inspect(connection).has_table(table):
                connection.execute(text(f"ALTER TABLE {table} SET SCHEMA {aside}"))
        migrate(connection, ledger_id=given.ledger_id, at=instant(live.now()))
        done = _fill(order, live, connection, before=None, known=known)
    return replace(done, damaged=f"{database.where} ({aside})")


def of_a_file(order: Order) -> Restored:
    """Put a complete new file in the place of one that can't be read, or that isn't there."""
    given, clock = order.prepared, order.prepared.place.clock
    if clock is None:
        raise ValueError("a file has no clock")
    path, at = files.ledger_file(given.place.root), clock()
    _refuse_future(given, micros(at))
    known = _of_damaged(path, given.copy.parent, at=at)
    with opened_file(given.copy, at=at, where=str(path)) as ledger, ledger.writing() as connection:
        done = _finish(order, ledger, connection, before=None, known=known)
    seal(given.copy, at=None, where=str(path))
    try:
        given.copy.chmod(0o600)
        files.synced(given.copy)
        damaged = files.put_aside(path, at=at)
        files.put(given.copy, path, force=False)
        files.synced(path.parent)
    except OSError as error:
        raise from_os_error(error, str(path)) from error
    write_ledger_id(given.place.root, given.ledger_id)
    return replace(done, damaged=str(damaged or ""))


def _of_damaged(path: Path, folder: Path, *, at: datetime) -> Known:
    """What a file that can't be read as a ledger still tells; it stays as it is. A file that isn't there is whole."""
    if not path.exists():
        return Known()
    try:
        for name in (path, path.with_name(f"{path.name}-wal")):
            if name.exists():
                shutil.copyfile(name, folder / f"damaged{name.name.removeprefix(path.name)}")
        with opened_file(folder / "damaged", at=at, where=str(path)) as ledger, ledger.reading() as connection:
            return known_of(connection, damaged=True)
    except (LedgerError, OSError):
        return Known(whole=False)


def _fill(order: Order, live: Ledger, connection: Connection, *, before: Head | None, known: Known) -> Restored:
    """The rows of the backup, and what is to be said of them, in an open writing transaction."""
    given, at = order.prepared, live.now()
    _refuse_future(given, at)
    with opened_file(given.copy, at=given.at, where=str(given.given)) as copy, copy.reading() as source:
        copy_content(source, connection)
    done = _finish(order, live, connection, before=before, known=known)
    write_ledger_id(live.root, given.ledger_id)  # last: nothing is named before everything is there to commit
    return done


def _refuse_future(given: Prepared, now: int) -> None:
    if micros(given.at) > now + span(_CLOCKS):
        raise LedgerError(
            _("The backup is of {at}, and the clock here says {now}: what went out since can't be told.").format(
                at=given.at.isoformat(timespec="seconds"), now=instant(now).isoformat(timespec="seconds")
            ),
            fix=_("Set the clock of this machine, then restore. Nothing was done."),
        )


def _finish(order: Order, ledger: Ledger, connection: Connection, *, before: Head | None, known: Known) -> Restored:
    """Make the rows of a backup those of a ledger: what a backup alone has goes, what nobody can know is uncertain."""
    given, now = order.prepared, ledger.now()
    connection.execute(delete(schema.meta).where(schema.meta.c.name == BACKUP_AT))
    outrun(connection, now=now, given_out=known.token)
    doubts = _NOTHING
    if not order.nothing_sent:
        at = min(micros(given.at), now)
        doubts = doubt(ledger, connection, backup_at=at, asks=order.asks, actor=order.actor, known=known)
    down = stay_down(connection, known, now=now)
    details = {
        "file": given.given.name,
        "backup_at": given.at.isoformat(),
        "uncertain": len(doubts.asked) + len(doubts.for_a_person),
        "nothing_sent": order.nothing_sent,
        "replaced_head": before.hash if before else "",
        "down": down,
    }
    text = json.dumps({name: value for name, value in details.items() if value}, ensure_ascii=False)
    ledger.record(connection, "restored", [(None, text)], actor=order.actor, at=now)
    _hold_on(ledger, connection, known)
    void_on(connection, known.void)
    for reason, campaign in _reasons_to_hold(order, connection, known):
        ledger.open_hold(connection, {"campaign": campaign}, reason=reason, actor=order.actor)
    held = order.hold or not known.whole
    return Restored(at=instant(now), doubts=doubts, held=held, down=tuple(down), whole=known.whole)


def _reasons_to_hold(order: Order, connection: Connection, known: Known) -> Iterator[tuple[str, str | None]]:
    """Why a campaign, or everything (None), is held until somebody has looked."""
    for campaign in ending_early(connection, known.embargoes):  # what the plan says now is queued first, then released
        yield (
            _("In the backup, an embargo ends sooner than it did since. Queue the plan again, then release this."),
            campaign,
        )
    if order.hold:
        yield _("The ledger was restored from {file}.").format(file=order.prepared.given.name), None
    if not known.whole:
        yield _("The damaged ledger may have held, taken down or no longer approved more than the backup."), None


def _hold_on(ledger: Ledger, connection: Connection, known: Known) -> None:
    """Holds that are open in the ledger that is replaced, and not in the backup, stay open: a hold beats everything."""
    standing = {_terms(row) for row in open_holds(connection)}
    for row in known.holds:
        if _terms(row) not in standing:
            scope = {name: getattr(row, name) for name in _SCOPE}
            ledger.open_hold(connection, scope, reason=row.reason, actor=row.actor)


def _terms(row: Row[Any]) -> tuple[object, ...]:
    return (row.reason, *(getattr(row, name) for name in _SCOPE))
