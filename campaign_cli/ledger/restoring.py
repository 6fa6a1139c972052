"""What a restore makes of the deliveries of a backup.

T is the instant of the backup, N the instant of the restore. Between the two, posts may have gone out that the backup
knows nothing of. So whatever *can* have gone out by N becomes ``uncertain``:

- every delivery that fell due in (T, N], whatever its state in the backup: waiting, failed, missed, cancelled;
- every delivery due before T that was not finished at T: waiting, being sent, uncertain, begun; and failed, missed or
  cancelled, since somebody may have ordered it again after T.

What was published whole at T stays so. What falls due after N has not fallen due yet, and stays as it is; unless the
ledger that is replaced can be read, and says that it was moved and sent since (``Known``). What was changed and sent
since is left to a person: what is on the network has other words or another key than the backup knows.

``restored_from`` keeps the state that a delivery goes back to when it is proved unsent: failed, missed and cancelled to
themselves, everything else to ``waiting``, from where a claim decides (holds, approvals, lateness). Until then nothing
of it is sent (``dispatch/recovery.py``): each part is looked up in turn. Where the network can't be asked, a person
settles it with ``campaign resolve``.

Two attempts are written for each part without a receipt. The first began when it can have been sent at the earliest,
min(due, T): a post on the network that is older is another's. The last began at N: whoever had claimed it before the
restore can send it until its lease is over, so absence counts only after N, a lease, and what recovery adds to it.

The attempt's key must be the one that a sender of before used, so the generation stays. One exception: what had ended
before T without any receipt could go out again only under a new due instant, hence under another key; it gets a
new generation, so that its attempts of long ago don't make every look-up go back to them.

Every token grows by the milliseconds of N since the epoch, or beyond the highest one of the ledger that is replaced, so
that it passes whatever was given out since T: no process of before can settle or send under a claim of before, also
after several restores of one backup.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import and_, not_, or_, select, update
from sqlalchemy.engine import Connection, Row

from campaign_cli.i18n import _
from campaign_cli.ledger import schema
from campaign_cli.ledger.base import Store, chunks, insert_rows
from campaign_cli.ledger.conditions import begun as has_begun
from campaign_cli.ledger.conditions import columns
from campaign_cli.ledger.remaining import Known
from campaign_cli.ledger.schema import deliveries
from campaign_cli.models import State, attempt_key

Asks = Callable[[str], bool]
"""Whether a network (by the name of its platform) can be asked what is out."""

OUTCOME: Final = "restored"
_FAR: Final = 1_000_000
_ENDED: Final = (State.FAILED.value, State.MISSED.value, State.CANCELLED.value)
_ON_ITS_WAY: Final = (State.SENDING.value, State.UNCERTAIN.value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubts:
    """Keys that are uncertain since a restore: those that are looked up, and those that a person must settle."""

    asked: tuple[str, ...]
    for_a_person: tuple[str, ...]


def doubt(
    store: Store, connection: Connection, *, backup_at: int, asks: Asks, actor: str, known: Known | None = None
) -> Doubts:
    """Make uncertain what may have gone out since the backup, in the writing transaction of the restore."""
    now, begun = store.now(), known.begun if known is not None else {}
    found = _may_be_out(connection, begun, now=now)
    asked = {
        row.key for row in found if asks(row.platform) and begun.get(row.key, row.content_hash) == row.content_hash
    }
    _end_attempts(connection, found, now=now)
    attempts: list[dict[str, Any]] = []
    alike: dict[tuple[str, bool, bool], list[str]] = defaultdict(list)
    sent = _parts_sent(connection, found)
    for row in found:
        anew = row.state in _ENDED and row.due <= backup_at and not row.begun
        back_to = row.restored_from or (row.state if row.state in _ENDED else State.WAITING.value)
        alike[back_to, row.key in asked, anew].append(row.key)
        starts = (backup_at if anew else min(row.due, backup_at), now)
        skip, generation = sent.get(row.key, frozenset()), row.generation + int(anew)
        attempts += _attempts(row, starts, skip=skip, generation=generation, worker=actor)
    for (back_to, can_be_asked, anew), keys in alike.items():
        _mark(connection, keys, back_to=back_to, asked=can_be_asked, anew=anew, now=now)
    insert_rows(connection, schema.attempts, attempts)
    details = [(row.key, json.dumps({"was": row.state, "error": why()}, ensure_ascii=False)) for row in found]
    store.record(connection, State.UNCERTAIN.value, details, actor=actor, at=now)
    return Doubts(
        asked=tuple(row.key for row in found if row.key in asked),
        for_a_person=tuple(row.key for row in found if row.key not in asked),
    )


def _may_be_out(connection: Connection, begun: Mapping[str, str], *, now: int) -> list[Row[Any]]:
    """What is not published in the backup and may be out, by due instant, then plan order."""
    unfinished = select(deliveries, has_begun().label("begun")).where(columns.state != State.PUBLISHED.value)
    doubtful = or_(columns.due <= now, columns.state.in_(_ON_ITS_WAY))
    found = list(connection.execute(unfinished.where(doubtful)))
    for some in chunks(begun):
        found += connection.execute(unfinished.where(not_(doubtful), columns.key.in_(some)))
    return sorted(found, key=lambda row: (row.due, row.position, row.key))


def outrun(connection: Connection, *, now: int, given_out: int) -> None:
    """Raise every token above whatever was given out before; ``given_out`` is the highest that is known of."""
    connection.execute(update(deliveries).values(token=columns.token + max(now // 1_000, given_out + _FAR)))


def why() -> str:
    """Why a delivery is uncertain after a restore."""
    return _("The ledger was restored from a backup; it may have gone out since.")


def for_a_person() -> str:
    """The same, where the network can't be asked."""
    return _(
        "The ledger was restored from a backup; it may have gone out since, and the network can't say. Look at the "
        "account, then settle it: campaign resolve KEY --published URL, or --not-published."
    )


def _attempts(
    row: Row[Any], starts: Sequence[int], *, skip: frozenset[int], generation: int, worker: str
) -> list[dict[str, Any]]:
    """Two ended attempts for each part without a receipt."""
    return [
        {
            "delivery": row.key,
            "part": part,
            "generation": generation,
            "attempt_key": attempt_key(row.key, row.content_hash, part, generation),
            "worker": worker,
            "started_at": at,
            "ended_at": starts[-1],
            "outcome": OUTCOME,
        }
        for part in range(row.parts)
        if part not in skip
        for at in starts
    ]


def _mark(connection: Connection, keys: Sequence[str], *, back_to: str, asked: bool, anew: bool, now: int) -> None:
    values = {
        "state": State.UNCERTAIN.value,
        "restored_from": back_to,
        "next_try": now if asked else None,
        "error": why() if asked else for_a_person(),
        "tries": 0,
        "lease_until": None,
        "worker": None,
        "changed_at": now,
    }
    for some in chunks(keys):
        there = update(deliveries).where(columns.key.in_(some))
        connection.execute(there.values(**values, generation=columns.generation + int(anew)))


def _end_attempts(connection: Connection, rows: Sequence[Row[Any]], *, now: int) -> None:
    table = schema.attempts
    for some in chunks(row.key for row in rows):
        unended = and_(table.c.delivery.in_(some), table.c.ended_at.is_(None))
        connection.execute(update(table).where(unended).values(ended_at=now, outcome="lapsed"))


def _parts_sent(connection: Connection, rows: Sequence[Row[Any]]) -> dict[str, frozenset[int]]:
    table = schema.receipts.c
    found: dict[str, frozenset[int]] = {}
    for some in chunks(row.key for row in rows if row.sent):
        for key, part in connection.execute(select(table.delivery, table.part).where(table.delivery.in_(some))):
            found[key] = found.get(key, frozenset()) | {part}
    return found
