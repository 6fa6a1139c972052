"""Restoring a backup: what it makes of deliveries, processes that run on, files that are none, and moves."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from care_helpers import place_of, restore
from conftest import Campaign
from ledger_helpers import GRACE, Bench, make
from ledger_helpers import START as BEGIN

from campaign_cli.errors import DamagedLedger, ForeignLedger, InputError, LedgerError, NewerLedger
from campaign_cli.ledger import schema
from campaign_cli.ledger.backup import back_up
from campaign_cli.ledger.care import check
from campaign_cli.ledger.copying import BACKUP_AT
from campaign_cli.ledger.export import lines
from campaign_cli.ledger.files import ledger_file
from campaign_cli.ledger.restore import prepared
from campaign_cli.models import State, attempt_key


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


_AS_IN_0002 = (
    "DROP TABLE approvals",
    "DROP TABLE signed_texts",
    "DROP INDEX ix_deliveries_embargo",
    *(f"ALTER TABLE deliveries DROP COLUMN {name}" for name in ("embargo", "signed", "author", "restored_from")),
    "ALTER TABLE receipts DROP COLUMN withdrawn_at",
    *(f"ALTER TABLE holds DROP COLUMN {name}" for name in ("crisis", "except_campaign")),
    "UPDATE alembic_version SET version_num = '0002'",
)


def copy_of(bench: Bench) -> Path:
    return back_up(bench.ledger).path


def put_back(bench: Bench, file: Path, **options: object) -> object:
    return restore(bench.root, bench.clock, file, asks=lambda _name: True, **options)  # type: ignore[arg-type]


def test_processes_that_run_on_are_outrun(bench: Bench) -> None:
    """A sender with a claim of before the restore can neither send nor settle under it, at any later restore."""
    bench.queue(make())
    file = copy_of(bench)
    for _time in range(2):
        old = bench.claim_one(lease=timedelta(seconds=30))
        put_back(bench, file)
        with pytest.raises(LedgerError):
            bench.ledger.check_gate(old.key, old.token)
        assert not bench.publish(old)
        assert bench.state("c/p/a") is State.UNCERTAIN
        assert bench.claim().claims == ()
        put_back(bench, file, nothing_sent=True)
        assert bench.state("c/p/a") is State.WAITING
        assert bench.claim_one().token > old.token + 1_000
        put_back(bench, file, nothing_sent=True)


def test_a_restore_waits_for_nobody_and_nobody_sends_meanwhile(bench: Bench) -> None:
    """While senders claim without a pause, a restore takes its place between two claims; none of them claims what it
    made uncertain, and nobody opens the ledger anew."""
    bench.queue(*(make(f"c/p{number}/a", position=number) for number in range(40)))
    file = copy_of(bench)
    stop, claimed, errors = threading.Event(), [], []

    def send() -> None:
        with bench.open() as ledger:
            while not stop.is_set():
                try:
                    one = ledger.claim(worker="w", limit=1, per_account=99, lease=GRACE, late_grace=GRACE)
                    claimed.extend(one.claims)
                except LedgerError as error:
                    errors.append(error)

    senders = [threading.Thread(target=send) for _number in range(2)]
    for sender in senders:
        sender.start()
    try:
        while len(claimed) < 5:
            pass
        put_back(bench, file)
        at_restore = len(claimed)
    finally:
        stop.set()
        for sender in senders:
            sender.join()
    assert not errors
    assert len(claimed) - at_restore <= 2  # what a claim of before had taken may be told a moment later
    assert all(bench.state(f"c/p{number}/a") is State.UNCERTAIN for number in range(40))


def test_attempts_tell_since_when_it_may_be_out_and_until_when_it_may_be_sent(bench: Bench) -> None:
    """The first attempt of each unsent part began at the due instant or the backup, the last at the restore."""
    bench.queue(
        make(due=BEGIN - timedelta(minutes=5)), make("c/q/a", due=BEGIN + timedelta(minutes=5), parts=["a", "b"])
    )
    file = copy_of(bench)
    bench.clock.forward(minutes=10)
    put_back(bench, file)
    claims = {claim.key: claim for claim in bench.ledger.claim_doubtful(worker="w", limit=9, lease=GRACE)}
    for claim, first in ((claims["c/p/a"], BEGIN - timedelta(minutes=5)), (claims["c/q/a"], BEGIN)):
        assert claim.restored
        assert (claim.first_attempt_at, claim.attempt_started_at) == (first, bench.clock())
        assert claim.generation == 0
    with bench.ledger.reading() as connection:
        rows = connection.execute(schema.attempts.select().where(schema.attempts.c.delivery == "c/q/a")).all()
    wanted = {attempt_key("c/q/a", claims["c/q/a"].content_hash, part, 0) for part in (0, 1)}
    assert {row.attempt_key for row in rows} == wanted
    assert all(row.ended_at is not None and row.outcome == "restored" for row in rows)


def test_what_has_not_fallen_due_and_what_is_published_stay(bench: Bench) -> None:
    """Only what can have gone out becomes uncertain; a planned move makes nothing uncertain by a person's word."""
    bench.queue(
        make(), make("c/later/a", due=BEGIN + timedelta(days=1)), make("c/now/a", due=BEGIN + timedelta(minutes=1))
    )
    assert bench.publish(bench.claim_one())
    file = copy_of(bench)
    bench.clock.forward(minutes=2)
    put_back(bench, file)
    assert [bench.state(key) for key in ("c/p/a", "c/later/a", "c/now/a")] == [
        State.PUBLISHED,
        State.WAITING,
        State.UNCERTAIN,
    ]
    put_back(bench, file, nothing_sent=True)
    assert bench.state("c/now/a") is State.WAITING


def test_a_person_settles_a_thread_part_by_part(bench: Bench) -> None:
    """Where the network can't be asked, each part of a thread is asked of a person; what is not out is not sent after a
    part that only an address proves."""
    bench.queue(make(parts=["a", "b", "c"]), make("c/q/b", parts=["a", "b"]))
    bench.ledger.cancel(["c/q/b"], actor="siti")
    file = copy_of(bench)
    restore(bench.root, bench.clock, file, asks=lambda _name: False)
    assert bench.ledger.claim_doubtful(worker="w", limit=9, lease=GRACE) == ()
    for part in range(2):
        found = bench.ledger.resolve("c/p/a", published_url=f"https://t.me/c/{part}", actor="siti")
        assert (found.state, found.next_try) == (State.UNCERTAIN, None)
    assert bench.ledger.resolve("c/p/a", not_published=True, actor="siti").state is State.FAILED
    assert bench.ledger.resolve("c/q/b", not_published=True, actor="siti").state is State.CANCELLED
    assert bench.claim().claims == ()
    assert check(bench.ledger).findings == []


def test_the_log_goes_on_and_says_what_was_replaced(bench: Bench) -> None:
    """The event of a restore names the file, its instant and the head of the log that it replaced; a copy is kept."""
    bench.queue(make())
    file = copy_of(bench)
    bench.queue(make("c/hilang/a"))
    with bench.ledger.reading() as connection:
        head = connection.execute(schema.events.select().order_by(schema.events.c.id.desc())).first()
    bench.clock.forward(seconds=1)
    done = put_back(bench, file, hold=True)
    assert head is not None
    events = bench.ledger.events()
    assert [event.kind for event in events] == ["queued", "uncertain", "restored", "held"]
    data = events[2].data
    assert (data["file"], data["backup_at"], data["replaced_head"]) == (file.name, BEGIN.isoformat(), head.hash)
    assert bench.ledger.holds()[0].campaign is None
    assert bench.ledger.delivery("c/hilang/a") is None
    put_back(bench, done.replaced, nothing_sent=True)  # type: ignore[attr-defined]
    assert bench.ledger.delivery("c/hilang/a") is not None
    with bench.ledger.reading() as connection:
        names = set(connection.execute(schema.meta.select()).scalars())
    assert BACKUP_AT not in names
    bench.queue(make("c/baru/a"))  # numbers go on above those that came along
    bench.ledger.hold(reason="x", actor="siti")
    bench.ledger.release([hold.id for hold in bench.ledger.holds()], actor="siti")
    assert bench.publish(bench.claim_one(keys=["c/baru/a"]))
    assert check(bench.ledger).findings == []


def test_a_backup_of_another_ledger_is_refused_until_it_is_adopted(
    bench: Bench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A backup of another workspace changes nothing; with ``adopt`` it is taken and ledger.id names it."""
    bench.queue(make())
    other = Bench(tmp_path_factory.mktemp("lain"))
    other.queue(make("lain/p/a"))
    file = copy_of(other)
    with pytest.raises(ForeignLedger) as caught:
        put_back(bench, file)
    assert "--adopt" in caught.value.fix
    assert bench.state("c/p/a") is State.WAITING
    put_back(bench, file, adopt=True, nothing_sent=True)
    assert (bench.root / "ledger.id").read_text().strip() == other.ledger.ledger_id
    with bench.open() as ledger:
        assert [one.key for one in ledger.deliveries()] == ["lain/p/a"]


@pytest.mark.parametrize("damage", ["absent", "text", "half", "other database", "newer", "future", "page"])
def test_a_file_that_can_not_be_restored_changes_nothing(bench: Bench, tmp_path: Path, damage: str) -> None:
    """No ledger, a damaged, a newer one or one of the future: refused, and ledger and file stay as they were."""
    bench.queue(make())
    file = tmp_path / "salinan.sqlite3"
    back_up(bench.ledger, file)
    good = file.read_bytes()
    kinds: dict[str, type[Exception]] = {"absent": InputError, "newer": NewerLedger, "future": LedgerError}
    if damage == "absent":
        file.unlink()
    elif damage == "text":
        file.write_bytes(b"catatan rapat " * 500)
    elif damage == "half":
        file.write_bytes(good[: len(good) // 2])
    elif damage == "page":
        file.write_bytes(good[:8192] + b"\xff" * 20000 + good[28192:])
    else:
        _alter(file, damage)
    before = file.read_bytes() if file.exists() else None
    with pytest.raises(kinds.get(damage, DamagedLedger)) as caught:
        put_back(bench, file)
    assert caught.value.fix  # type: ignore[attr-defined]
    assert bench.state("c/p/a") is State.WAITING
    assert [event.kind for event in bench.ledger.events()] == ["queued"]
    assert (file.read_bytes() if file.exists() else None) == before
    assert not list((tmp_path / ".campaign").glob("*.tmp"))


def _alter(file: Path, damage: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        if damage == "other database":
            for name in schema.metadata.tables:
                connection.execute(f"DROP TABLE {name}")
        elif damage == "newer":
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        else:
            at = BEGIN + timedelta(days=1)
            connection.execute("UPDATE meta SET value = ? WHERE name = ?", (at.isoformat(), BACKUP_AT))


def test_an_older_backup_is_upgraded_on_the_way(bench: Bench) -> None:
    """A backup of an older revision is upgraded in a copy; the given file keeps its revision, whatever is beside it."""
    bench.queue(make())
    file = copy_of(bench)
    with closing(sqlite3.connect(file)) as connection, connection:
        for change in _AS_IN_0002:
            connection.execute(change)
    before = file.read_bytes()
    put_back(bench, file)
    assert bench.state("c/p/a") is State.UNCERTAIN
    assert file.read_bytes() == before
    assert check(bench.ledger).findings == []


def test_a_plain_copy_counts_from_its_newest_event(bench: Bench, tmp_path: Path) -> None:
    """A copy that no ``backup`` made says by its newest event since when it knows nothing."""
    bench.queue(make())
    file = copy_of(bench)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM meta WHERE name = ?", (BACKUP_AT,))
    bench.clock.forward(hours=1)
    with prepared(place_of(tmp_path, bench.clock), file) as found:
        assert found.at == BEGIN


def test_a_new_machine_has_nothing_but_the_backup(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A clone of the workspace, with ledger.id and without a ledger, takes the backup as its ledger."""
    bench.queue(make())
    file = copy_of(bench)
    clone = Bench.__new__(Bench)
    clone.root, clone.clock = tmp_path_factory.mktemp("klona"), bench.clock
    (clone.root / "ledger.id").write_bytes((bench.root / "ledger.id").read_bytes())
    put_back(clone, file)
    with clone.open() as ledger:
        assert [one.state for one in ledger.deliveries()] == [State.UNCERTAIN]
        assert check(ledger).findings == []


@pytest.mark.sqlite
def test_a_damaged_ledger_is_set_aside(bench: Bench) -> None:
    """A file that can't be read is kept under another name, and the backup takes its place."""
    bench.queue(make())
    file = copy_of(bench)
    bench.ledger.close()
    path = ledger_file(bench.root)
    rubbish = b"catatan rapat " * 500
    path.write_bytes(rubbish)
    done = put_back(bench, file)
    aside = Path(done.damaged)  # type: ignore[attr-defined]
    assert aside.read_bytes() == rubbish
    with bench.open() as ledger:
        assert [one.state for one in ledger.deliveries()] == [State.UNCERTAIN]
        assert check(ledger).findings == []
    assert oct(path.stat().st_mode & 0o777) == "0o600"


@pytest.mark.sqlite
def test_no_old_journal_is_played_into_a_new_file(bench: Bench) -> None:
    """Where the file is gone and its journal is not, the journal is set aside before a new file takes the place."""
    bench.queue(make())
    file = copy_of(bench)
    bench.queue(make("c/hilang/a"))
    path = ledger_file(bench.root)
    journal = path.with_name(path.name + "-wal")
    content = journal.read_bytes()
    bench.ledger.close()
    path.unlink()
    journal.write_bytes(content)
    done = put_back(bench, file)
    assert Path(f"{done.damaged}-wal").read_bytes() == content  # type: ignore[attr-defined]
    with bench.open() as ledger:
        assert [one.key for one in ledger.deliveries()] == ["c/p/a"]
        assert check(ledger).findings == []


@pytest.mark.sqlite
def test_a_page_that_is_damaged_is_enough_to_set_a_ledger_aside(bench: Bench) -> None:
    """A file that opens and is damaged further in is not written into."""
    bench.queue(*(make(f"c/p{number}/a", text="x" * 900 + str(number)) for number in range(60)))
    file = copy_of(bench)
    bench.ledger.close()
    path = ledger_file(bench.root)
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + os.urandom(8192) + content[middle + 8192 :])
    assert put_back(bench, file).damaged  # type: ignore[attr-defined]
    with bench.open() as ledger:
        assert len(ledger.deliveries()) == 60


@pytest.mark.postgresql
def test_tables_that_are_no_ledger_are_set_aside(bench: Bench, campaign: Campaign) -> None:
    """On a server, what can't be read goes into a schema of its own, and new tables take its place."""
    bench.queue(make())
    file = copy_of(bench)
    with bench.ledger.writing() as connection:
        connection.exec_driver_sql("DELETE FROM meta")
    with pytest.raises(DamagedLedger, match="damaged") as caught:
        bench.open()
    assert "campaign ledger restore FILE" in caught.value.fix
    ran = campaign("ledger", "check")
    assert (ran.code, ran.err) == (2, "")
    assert "SQLite" not in ran.out
    done = put_back(bench, file)
    schema_name = done.damaged.split("(")[1].rstrip(")")  # type: ignore[attr-defined]
    with bench.open() as ledger, ledger.reading() as connection:
        assert connection.exec_driver_sql(f"SELECT key FROM {schema_name}.deliveries").scalars().all() == ["c/p/a"]  # noqa: S608
        assert connection.exec_driver_sql("SELECT state FROM deliveries").scalars().all() == ["uncertain"]


@pytest.mark.postgresql
def test_a_ledger_moves_to_a_server_and_back(tmp_path: Path) -> None:
    """Backed up on one database and restored on the other, twice: deliveries, receipts and log are the same."""
    bench = Bench(tmp_path)
    bench.ledger.close()
    file_ledger = bench.open(database_url=None)
    bench.ledger = file_ledger
    bench.queue(make(labels=["tuntutan"]), make("c/q/a", due=BEGIN + timedelta(days=1), parts=["a", "b"]))
    assert bench.publish(bench.claim_one())
    bench.ledger.hold(reason="rapat", actor="siti")
    wanted = _content(bench)
    first = back_up(file_ledger).path
    file_ledger.close()
    (tmp_path / ".campaign" / "ledger.sqlite3").unlink()
    put_back(bench, first, nothing_sent=True)
    bench.ledger = bench.open()
    assert _content(bench) == wanted
    assert check(bench.ledger).findings == []
    second = back_up(bench.ledger, tmp_path / "kembali.sqlite3").path
    bench.clock.forward(minutes=1)
    from campaign_cli.ledger.restore import Place

    with prepared(Place(root=tmp_path, clock=bench.clock), second) as found:
        found.restore(actor="siti", asks=lambda _name: True, nothing_sent=True)
    bench.ledger.close()
    bench.ledger = bench.open(database_url=None)
    assert _content(bench) == wanted
    assert check(bench.ledger).findings == []


def _content(bench: Bench) -> list[dict[str, object]]:
    """Everything but the tokens and what the moves themselves say."""
    found = [json.loads(line) for line in lines(bench.ledger)]
    kept = [one for one in found if one["kind"] != "ledger" and one.get("event") != "restored"]
    for one in kept:
        one.pop("token", None)
    return kept


def test_what_a_killed_restore_left_goes_a_day_later(bench: Bench) -> None:
    """A private copy that a killed restore or backup left is removed by the next one; one in use, and a file of
    somebody else's, are not."""
    bench.queue(make())
    file = copy_of(bench)
    folder, now = bench.root / ".campaign", file.stat().st_mtime
    old, used = folder / "restore-old.tmp", folder / "restore-used.tmp"
    half, other = file.with_name(".ledger-1.sqlite3.1.tmp"), file.with_name("mine.tmp")
    for made in (old, used):
        made.mkdir()
        (made / "ledger.sqlite3").touch()
    for path in (half, other):
        path.touch()
    for path in (old, half, other):
        os.utime(path, (now - 100_000, now - 100_000))
    put_back(bench, file)
    assert [path.exists() for path in (old, used, half, other)] == [False, True, False, True]
