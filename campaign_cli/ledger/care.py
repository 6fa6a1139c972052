"""``campaign ledger check``: whether a ledger is sound, by its database's own word and by ours. Nothing is changed.

A file that is damaged is read as far as it can be: what can't be is a finding, with the way out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from campaign_cli.errors import DamagedLedger
from campaign_cli.i18n import _
from campaign_cli.ledger import files, schema
from campaign_cli.ledger.backup import head_of
from campaign_cli.ledger.base import corrupt
from campaign_cli.ledger.invariants import RULES, Finding
from campaign_cli.ledger.store import Ledger, read_ledger_id
from campaign_cli.ledger.verifying import Break, verify

_MOST: Final = 100
"""Findings that are told of one rule; more of the same kind help nobody."""


@dataclass(kw_only=True)
class Report:
    """What was looked at, in figures (table → rows), and what is wrong. ``head`` is the newest event's hash."""

    where: str
    ledger_id: str = ""
    rows: dict[str, int] = field(default_factory=dict)
    head: str = ""
    findings: list[Finding] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Nothing is wrong."""
        return not self.findings


def check(ledger: Ledger) -> Report:
    """Everything that can be known of an open ledger. Raises LedgerError where there is none, or it is locked."""
    ledger.must_exist()
    report = Report(where=ledger.where, ledger_id=ledger.ledger_id)
    report.findings += _database(ledger)
    report.findings += names(ledger.root, ledger.ledger_id)
    report.findings += modes(ledger.root)
    for look in (_count, _rules, _chain):
        try:
            with ledger.reading() as connection:
                look(connection, report)
        except DamagedLedger as damage:
            report.findings.append(Finding(rule="database", message=damage.message, fix=damage.fix))
    report.findings = list(dict.fromkeys(report.findings))
    return report


def check_damaged(root: Path, damage: DamagedLedger, *, server: str | None = None) -> Report:
    """What can be known of a ledger that does not open: a file, or the database of a ``server`` (for people)."""
    path = files.ledger_file(root)
    report = Report(where=server or str(path))
    report.findings.append(Finding(rule="database", message=damage.message, fix=damage.fix))
    if server is None:
        report.findings += pages(path)
    report.findings += modes(root)
    return report


def pages(path: Path) -> Iterator[Finding]:
    """What SQLite itself finds wrong with a file. https://www.sqlite.org/pragma.html#pragma_integrity_check"""
    fix = corrupt(str(path)).fix
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            said = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({_MOST})")]
            for line in said if said != ["ok"] else []:
                yield Finding(rule="database", message=_("SQLite says: {words}").format(words=line), fix=fix)
            for row in connection.execute("PRAGMA foreign_key_check").fetchmany(_MOST):
                message = _("SQLite says: row {row} of {table} belongs to a row of {other} that is gone.")
                words = message.format(row=row[1], table=row[0], other=row[2])
                yield Finding(rule="database", message=words, fix=fix)
    except sqlite3.Error as error:
        yield Finding(rule="database", message=_("SQLite says: {words}").format(words=error), fix=fix)


def names(root: Path, ledger_id: str) -> Iterator[Finding]:
    """``ledger.id`` names this ledger."""
    named = read_ledger_id(root)
    if named == ledger_id:
        return
    message = _("ledger.id names another ledger than this one.") if named else _("There is no ledger.id.")
    fix = _("Put ledger.id back from git; or, if this is the ledger to go on with: `campaign ledger adopt`.")
    yield Finding(rule="ledger.id", message=message, fix=fix)


def modes(root: Path) -> Iterator[Finding]:
    """The ledger's folder, its files and the backups are their owner's alone."""
    folder = root / files.FOLDER
    backups = files.backups_of(root)
    found = [folder, *folder.glob("ledger*"), *folder.glob("tokens*"), backups, *backups.glob("*")]
    for path in files.open_to_others(found):
        message = _("{path} can be read by others on this machine.").format(path=path)
        mode = "700" if path.is_dir() else "600"
        yield Finding(rule="files", message=message, fix=f"chmod {mode} '{path}'")


def _database(ledger: Ledger) -> Iterator[Finding]:
    if ledger.file is not None:
        yield from pages(ledger.file)


def _count(connection: Connection, report: Report) -> None:
    for table in schema.metadata.sorted_tables:
        report.rows[table.name] = connection.execute(select(func.count()).select_from(table)).scalar_one()
    report.head = head_of(connection).hash


def _rules(connection: Connection, report: Report) -> None:
    broken: DBAPIError | None = None
    for rule in RULES:
        try:
            for number, finding in enumerate(rule(connection)):
                if number >= _MOST:
                    break
                report.findings.append(finding)
        except DBAPIError as error:  # a page that can't be read: the other rules may read others
            broken = error
            if connection.dialect.name != "sqlite":
                break
    if broken is not None:
        raise broken


def _chain(connection: Connection, report: Report) -> None:
    broken = verify(connection).broken
    if broken is not None:
        report.findings.append(Finding(rule="log", key=broken.key, message=said_of(broken), fix=way_out()))


def said_of(broken: Break) -> str:
    """A break of the chain, in a sentence."""
    message = _("The log is broken at event {id} ({kind}{key}). {meaning}")
    key = f", {broken.key}" if broken.key else ""
    return message.format(id=broken.id, kind=broken.kind, key=key, meaning=broken.meaning)


def way_out() -> str:
    """What to do about a log that is not whole."""
    return _(
        "The deliveries go on as they are, but the log proves nothing from there on. Keep a copy of this ledger "
        "(campaign ledger backup), and find out who could write to it."
    )
