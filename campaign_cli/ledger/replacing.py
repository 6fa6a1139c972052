"""A prepared backup takes the place of the ledger.

Where the ledger can be read, all of its rows are replaced in one writing transaction, so that every process that has it
open goes on with the new ones, and none has sent anything between the look at the clock and the new rows. Where it
can't be read, it is set aside (a file under another name, a server's tables in another schema) and a complete new one
takes its place. A process that still has a damaged file open knows nothing of that: end it first.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
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
from campaign_cli.ledger.restore import Prepared
from campaign_cli.ledger.restoring import (
    Asks,
    Doubts,
    Known,
    doubt,
    ending_early,
    known_of,
    open_holds,
    outrun,
    void_on,
    withdraw_again,
)
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
    newest event of its log; ``damaged`` is where it lies now if it could not be read.
    """

    at: datetime
    doubts: Doubts
    replaced: Path | None = None
    damaged: str = ""
    before: Head | None = None
    held: bool = False


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
        at, doubts = _fill(order, live, connection, before=before, known=known)
    return Restored(at=at, doubts=doubts, replaced=replaced, before=before, held=order.hold)


def of_tables(order: Order) -> Restored:
    """Put a server's tables that are no ledger any more into a schema of their own, and make new ones."""
    from campaign_cli.ledger.postgresql import PostgresqlDatabase

    given = order.prepared
    database = PostgresqlDatabase(given.place.database_url or "", clock=given.place.clock)
    with Ledger(database, root=given.place.root, absent=False) as live, live.writing() as connection:
        aside = f"damaged_{instant(live.now()):%Y%m%dt%H%M%S}"
        connection.execute(text(f"CREATE SCHEMA {aside}"))
        for table in [*schema.metadata.tables, "alembic_version"]:
            if inspect(connection).has_table(table):
                connection.execute(text(f"ALTER TABLE {table} SET SCHEMA {aside}"))
        migrate(connection, ledger_id=given.ledger_id, at=instant(live.now()))
        at, doubts = _fill(order, live, connection, before=None)
    return Restored(at=at, doubts=doubts, damaged=f"{database.where} ({aside})", held=order.hold)


def of_a_file(order: Order) -> Restored:
    """Put a complete new file in the place of one that can't be read, or that isn't there."""
    given, clock = order.prepared, order.prepared.place.clock
    if clock is None:
        raise ValueError("a file has no clock")
    path, at = files.ledger_file(given.place.root), clock()
    _refuse_future(given, micros(at))
    with opened_file(given.copy, at=at, where=str(path)) as ledger, ledger.writing() as connection:
        doubts = _finish(order, ledger, connection, before=None, known=Known())
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
    return Restored(at=at, doubts=doubts, damaged=str(damaged or ""), held=order.hold)


def _fill(
    order: Order, live: Ledger, connection: Connection, *, before: Head | None, known: Known | None = None
) -> tuple[datetime, Doubts]:
    """The rows of the backup, and what is to be said of them, in an open writing transaction; the instant of it."""
    given, at = order.prepared, live.now()
    _refuse_future(given, at)
    with opened_file(given.copy, at=given.at, where=str(given.given)) as copy, copy.reading() as source:
        copy_content(source, connection)
    doubts = _finish(order, live, connection, before=before, known=known or Known())
    write_ledger_id(live.root, given.ledger_id)  # last: nothing is named before everything is there to commit
    return instant(at), doubts


def _refuse_future(given: Prepared, now: int) -> None:
    if micros(given.at) > now + span(_CLOCKS):
        raise LedgerError(
            _("The backup is of {at}, and the clock here says {now}: what went out since can't be told.").format(
                at=given.at.isoformat(timespec="seconds"), now=instant(now).isoformat(timespec="seconds")
            ),
            fix=_("Set the clock of this machine, then restore. Nothing was done."),
        )


def _finish(order: Order, ledger: Ledger, connection: Connection, *, before: Head | None, known: Known) -> Doubts:
    """Make the rows of a backup those of a ledger: what a backup alone has goes, what nobody can know is uncertain."""
    given, now = order.prepared, ledger.now()
    connection.execute(delete(schema.meta).where(schema.meta.c.name == BACKUP_AT))
    outrun(connection, now=now, given_out=known.token)
    doubts = _NOTHING
    if not order.nothing_sent:
        at = min(micros(given.at), now)
        doubts = doubt(ledger, connection, backup_at=at, asks=order.asks, actor=order.actor, known=known)
    details = {
        "file": given.given.name,
        "backup_at": given.at.isoformat(),
        "uncertain": len(doubts.asked) + len(doubts.for_a_person),
        "nothing_sent": order.nothing_sent,
        "replaced_head": before.hash if before else "",
    }
    text = json.dumps({name: value for name, value in details.items() if value}, ensure_ascii=False)
    ledger.record(connection, "restored", [(None, text)], actor=order.actor, at=now)
    _hold_on(ledger, connection, known)
    void_on(connection, known.void)
    withdraw_again(connection, known.withdrawn)
    for campaign in ending_early(connection, known.embargoes):  # what the plan says now is queued first, then released
        reason = _("In the backup, an embargo ends sooner than it did since. Queue the plan again, then release this.")
        ledger.open_hold(connection, {"campaign": campaign}, reason=reason, actor=order.actor)
    if order.hold:
        reason = _("The ledger was restored from {file}.").format(file=given.given.name)
        ledger.open_hold(connection, {}, reason=reason, actor=order.actor)
    return doubts


def _hold_on(ledger: Ledger, connection: Connection, known: Known) -> None:
    """Holds that are open in the ledger that is replaced, and not in the backup, stay open: a hold beats everything."""
    standing = {_terms(row) for row in open_holds(connection)}
    for row in known.holds:
        if _terms(row) not in standing:
            scope = {name: getattr(row, name) for name in _SCOPE}
            ledger.open_hold(connection, scope, reason=row.reason, actor=row.actor)


def _terms(row: Row[Any]) -> tuple[object, ...]:
    return (row.reason, *(getattr(row, name) for name in _SCOPE))
