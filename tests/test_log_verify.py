"""The chain of the log: whatever is changed in it, added to it or taken from it is found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Campaign
from ledger_helpers import START, Bench, make
from sqlalchemy.engine import Connection

from campaign_cli.ledger import chain, schema
from campaign_cli.ledger.verifying import Chain, verify

CHANGES = {
    "at": "at + 1",
    "kind": "'late'",
    "key": "'c/lain/a'",
    "campaign": "'lain'",
    "account": "NULL",
    "actor": "'orang lain'",
    "host": "'mesin'",
    "pid": "pid + 1",
    "details": "'{\"x\": 1}'",
    "hash": "repeat('0', 64)",
    "id": "id + 100",
}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A ledger whose log has six events: three queued at once, one sent."""
    made = Bench(tmp_path)
    made.queue(make(), make("c/q/a", position=1), make("c/r/a", position=2))
    made.clock.forward(seconds=5)
    assert made.publish(made.claim_one(limit=1))
    made.ledger.cancel(["c/r/a"], actor="siti")
    return made


def walked(bench: Bench, **options: str) -> Chain:
    with bench.ledger.reading() as connection:
        return verify(connection, **options)


def tamper(bench: Bench, *statements: str) -> None:
    with bench.ledger.writing() as connection:
        for statement in statements:
            if connection.dialect.name == "sqlite":
                statement = statement.replace("repeat('0', 64)", "printf('%064d', 0)")  # noqa: PLW2901
            connection.exec_driver_sql(statement)


def test_an_untouched_log_is_whole(bench: Bench) -> None:
    """The walk counts every event and gives the head, which is the newest event's hash, and the span of time."""
    found = walked(bench)
    with bench.ledger.reading() as connection:
        rows = connection.execute(schema.events.select().order_by(schema.events.c.id)).all()
    assert found.whole
    assert (found.head.events, found.head.hash) == (6, rows[-1].hash)
    assert (found.first, found.last) == (START, bench.clock())
    assert all(walked(bench, noted=row.hash).whole for row in rows)


def test_an_empty_log_is_whole(tmp_path: Path) -> None:
    """A new ledger has nothing to prove, and no head of before is in it."""
    bench = Bench(tmp_path)
    assert walked(bench).whole
    assert walked(bench).head.hash == ""
    assert not walked(bench, noted="0" * 64).whole


@pytest.mark.parametrize("event", [1, 3, 6])
@pytest.mark.parametrize("column", sorted(CHANGES))
def test_a_changed_column_is_found(bench: Bench, column: str, event: int) -> None:
    """Each column of an event is part of the proof, in the first, a middle and the last event."""
    tamper(bench, f"UPDATE events SET {column} = {CHANGES[column]} WHERE id = {event}")  # noqa: S608
    found = walked(bench)
    assert not found.whole
    assert found.broken is not None
    assert found.broken.meaning
    expected = event if column != "id" else (event + 1 if event < 6 else event + 100)
    assert found.broken.id == expected
    assert found.head.events == event - 1


@pytest.mark.parametrize("event", [1, 4])
def test_a_deleted_event_is_found(bench: Bench, event: int) -> None:
    """An event that is missing is found at the one after it, whether or not the numbers were closed up."""
    tamper(bench, f"DELETE FROM events WHERE id = {event}")  # noqa: S608
    assert walked(bench).broken is not None
    for number in range(event + 1, 7):
        tamper(bench, f"UPDATE events SET id = {number - 1} WHERE id = {number}")  # noqa: S608
    broken = walked(bench).broken
    assert broken is not None
    assert broken.id == event


def test_an_added_event_is_found(bench: Bench) -> None:
    """An event that somebody writes without its place in the chain is found."""
    columns = ", ".join(name for name in (*chain.FIELDS, "hash") if name != "id")
    tamper(bench, f"INSERT INTO events (id, {columns}) SELECT 7, {columns} FROM events WHERE id = 6")  # noqa: S608
    broken = walked(bench).broken
    assert broken is not None
    assert broken.id == 7


def test_two_swapped_events_are_found(bench: Bench) -> None:
    """The order is part of the proof, also where each event keeps its hash."""
    tamper(
        bench,
        "UPDATE events SET id = 99 WHERE id = 2",
        "UPDATE events SET id = 2 WHERE id = 3",
        "UPDATE events SET id = 3 WHERE id = 99",
    )
    broken = walked(bench).broken
    assert broken is not None
    assert broken.id == 2


def test_a_tail_that_was_cut_off_is_found_by_a_head_that_was_noted(bench: Bench) -> None:
    """Without its newest events a log is whole in itself; the head that was noted before is not in it."""
    head = walked(bench).head.hash
    tamper(bench, "DELETE FROM events WHERE id > 4")
    assert walked(bench).whole
    found = walked(bench, noted=head)
    assert not found.whole
    assert found.broken is None
    assert found.noted is False


def test_a_log_that_was_written_anew_is_found_by_a_head_that_was_noted(bench: Bench) -> None:
    """Whoever changes an event and then every hash after it makes a whole chain with another head."""
    head = walked(bench).head.hash

    def rewrite(connection: Connection) -> None:
        previous = ""
        for row in connection.execute(schema.events.select().order_by(schema.events.c.id)).mappings().all():
            values = dict(row) | ({"actor": "budi"} if row["id"] == 2 else {})
            previous = chain.link(previous, values)
            change = schema.events.update().where(schema.events.c.id == row["id"])
            connection.execute(change.values(actor=values["actor"], hash=previous))

    with bench.ledger.writing() as connection:
        rewrite(connection)
    assert walked(bench).whole
    assert not walked(bench, noted=head).whole


@pytest.mark.sqlite
@pytest.mark.parametrize("value", ["'kemarin'", "X'FF'", "NULL", "9223372036854775807"])
def test_what_is_no_instant_is_a_break_and_no_fault(bench: Bench, value: str) -> None:
    """SQLite takes any value in any column; what can't be read is the break."""
    statement = f"UPDATE events SET {'pid' if value == 'NULL' else 'at'} = {value.replace('NULL', '0')} WHERE id = 2"  # noqa: S608
    tamper(bench, statement)
    broken = walked(bench).broken
    assert broken is not None
    assert broken.id == 2


def test_the_command_says_it_in_words_and_in_json(bench: Bench, campaign: Campaign) -> None:
    """Whole: number, span and head, exit 0. Broken: the first event that doesn't fit and what that means, exit 2."""
    ran = campaign("log", "--verify")
    assert (ran.code, ran.err) == (0, "")
    assert "The log is whole: 6 events." in ran.out
    head = walked(bench).head.hash
    assert head in ran.out
    data = json.loads(campaign("log", "--verify", "--head", head.upper(), "--json").out)
    assert (data["whole"], data["events"], data["head"], data["noted_head_found"]) == (True, 6, head, True)
    ran = campaign("log", "--verify", "--head", "f" * 64)
    assert ran.code == 2
    assert "cut off" in ran.out
    tamper(bench, "UPDATE events SET actor = 'budi' WHERE id = 3")
    ran = campaign("log", "--verify")
    assert ran.code == 2
    assert "broken at event 3" in ran.out
    assert "c/r/a" in ran.out
    data = json.loads(campaign("log", "--verify", "--json").out)
    assert (data["whole"], data["events"], data["broken"]["id"], data["broken"]["key"]) == (False, 2, 3, "c/r/a")
    assert campaign("log", "--head", head).code == 2
