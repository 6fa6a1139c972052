"""The whole ledger as lines of JSON, for auditors and other programs.

One object a line, each with a ``kind``, always in this order: one ``ledger``; every ``delivery`` by its key, with its
draft, labels, pictures (by SHA-256), receipts, approvals, attempts and the names of its finished steps; every ``hold``;
every ``signed_text`` (what approvals were signed on) by its SHA-256; every ``event`` with its hash, oldest first.
Instants are RFC 3339 in UTC. The same ledger gives the same bytes, whichever database it lives in.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, collate, or_, select
from sqlalchemy.engine import Connection, RowMapping

from campaign_cli.ledger import files, schema
from campaign_cli.ledger.backup import count, head_of
from campaign_cli.ledger.conditions import columns
from campaign_cli.ledger.schema import instant
from campaign_cli.ledger.store import Ledger

_BATCH: Final = 500
_INSTANTS: Final = frozenset(
    {
        "at", "due", "lease_until", "next_try", "queued_at", "changed_at", "started_at", "left_at", "ended_at",
        "opened_at", "released_at", "withdrawn_at", "embargo",
    }
)  # fmt: skip
_WITHOUT: Final = frozenset({"delivery", "id"})


def lines(ledger: Ledger) -> Iterator[str]:
    """The export, line by line without line ends, of one state of the ledger. Raises LedgerError."""
    ledger.must_exist()
    with ledger.reading() as connection:
        for kind, data in records(connection, ledger):
            yield _line(kind, data)


def records(
    connection: Connection, ledger: Ledger, *, campaign: str | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object with its kind, inside an open transaction.

    Of one ``campaign``: its deliveries, the holds and events that are about it or about everything.
    """
    yield "ledger", _ledger(connection, ledger)
    for rows in _batches(connection, schema.deliveries, _by_key(connection, columns.key), campaign=campaign):
        yield from (("delivery", delivery) for delivery in _deliveries(connection, rows))
    texts = schema.signed_texts
    for rows in _batches(connection, texts, _by_key(connection, texts.c.sha256)):
        yield from (("signed_text", dict(row)) for row in rows)
    for table, kind in ((schema.holds, "hold"), (schema.events, "event")):
        for rows in _batches(connection, table, table.c.id, campaign=campaign):
            for row in rows:
                yield kind, _shown(row) | ({"details": _json(row["details"])} if kind == "event" else {})


def write_file(ledger: Ledger, path: Path, *, force: bool = False) -> int:
    """Write the export to a private file, whole or not at all; how many lines. Raises InputError, LedgerError."""
    number = 0
    with files.whole_file(path, force=force) as temporary, temporary.open("w", encoding="utf-8") as file:
        for line in lines(ledger):
            file.write(line + "\n")
            number += 1
    return number


def write_media(ledger: Ledger, folder: Path) -> int:
    """Write every picture to a file in ``folder`` that is named by its SHA-256; how many. Raises LedgerError."""
    ledger.must_exist()
    with ledger.reading() as connection:
        names = list(connection.execute(select(schema.media.c.sha256).order_by(schema.media.c.sha256)).scalars())
    for sha256 in names:
        with files.whole_file(folder / sha256, force=True) as temporary:
            temporary.write_bytes(ledger.media(sha256))
    return len(names)


def _ledger(connection: Connection, ledger: Ledger) -> dict[str, Any]:
    head = head_of(connection)
    return {
        "id": ledger.ledger_id,
        "revision": schema.HEAD,
        "deliveries": count(connection),
        "events": head.events,
        "head": head.hash,
    }


def _deliveries(connection: Connection, rows: Sequence[RowMapping]) -> Iterator[dict[str, Any]]:
    keys = [row["key"] for row in rows]
    drafts = {row["delivery"]: row["draft"] for row in _of(connection, schema.drafts, keys)}
    parts = {
        "labels": _grouped(_of(connection, schema.delivery_labels, keys, "label"), "label"),
        "media": _grouped(_of(connection, schema.delivery_media, keys, "sha256"), "sha256"),
        "receipts": _grouped(_of(connection, schema.receipts, keys, "part")),
        "approvals": _grouped(_of(connection, schema.approvals, keys, "id")),
        "attempts": _grouped(_of(connection, schema.attempts, keys, "id")),
        "steps": _steps(_of(connection, schema.steps, keys, "part", "generation", "name")),
    }
    for row in rows:
        key = row["key"]
        more = {name: found.get(key, []) for name, found in parts.items()}
        yield _shown(row) | {"draft": _json(drafts.get(key))} | more


def _of(connection: Connection, table: Table, keys: Sequence[str], *order: str) -> Sequence[RowMapping]:
    """Rows of these deliveries, in a stable order."""
    columns_ = [_by_key(connection, table.c[name]) if name in {"label", "name"} else table.c[name] for name in order]
    found = connection.execute(select(table).where(table.c.delivery.in_(keys)).order_by(*columns_))
    return found.mappings().all()


def _grouped(rows: Sequence[RowMapping], column: str | None = None) -> dict[str, list[Any]]:
    """By delivery: one column, or whole rows without what only the database needs."""
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row["delivery"]].append(row[column] if column else _part(row))
    return found


def _steps(rows: Sequence[RowMapping]) -> dict[str, list[Any]]:
    """Only the names: what a step holds is the adapter's own."""
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row["delivery"]].append({name: row[name] for name in ("part", "generation", "name")})
    return found


def _part(row: RowMapping) -> dict[str, Any]:
    shown = {name: value for name, value in _shown(row).items() if name not in _WITHOUT}
    return shown | {name: _json(row[name]) for name in ("extra", "statement") if name in row}


def _shown(row: RowMapping) -> dict[str, Any]:
    return {name: _instant(value) if name in _INSTANTS else value for name, value in row.items()}


def _instant(value: Any) -> str | None:
    return None if value is None else instant(value).isoformat(timespec="microseconds")


def _json(text: str | None) -> Any:
    """What a JSON column holds; its text where that is none."""
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return text


def _line(kind: str, data: dict[str, Any]) -> str:
    """One object; an event's own kind is its ``event``."""
    named = {"event" if name == "kind" else name: value for name, value in data.items()}
    return json.dumps({"kind": kind, **named}, ensure_ascii=False)


def _batches(
    connection: Connection, table: Table, order: ColumnElement[Any], *, campaign: str | None = None
) -> Iterator[Sequence[RowMapping]]:
    statement = select(table).order_by(order)
    if campaign is not None:
        statement = statement.where(or_(table.c.campaign == campaign, table.c.campaign.is_(None)))
    found = connection.execute(statement, execution_options={"yield_per": _BATCH})
    yield from found.mappings().partitions()


def _by_key(connection: Connection, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Text in the order of its bytes, whatever the language of a server."""
    return collate(column, "C") if connection.dialect.name == "postgresql" else column
