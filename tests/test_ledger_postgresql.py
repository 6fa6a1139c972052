"""What only a ledger on a PostgreSQL server can meet; everything else is tested over both databases."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import backends
import pytest
from ledger_helpers import GRACE, LEASE, START, Bench, Clock, make

from campaign_cli.errors import ForeignLedger, LedgerError, NewerLedger
from campaign_cli.ledger import open_ledger, schema
from campaign_cli.ledger.postgresql import PostgresqlDatabase, ServerClock, parse, shown
from campaign_cli.ledger.store import Ledger
from campaign_cli.models import State

needs_server = pytest.mark.postgresql


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def other(bench: Bench) -> Iterator[Ledger]:
    """A second process's ledger, as far as the server can tell."""
    with bench.open() as opened:
        yield opened


def address(root: Path) -> str:
    return backends.place(root)["database_url"]


@needs_server
def test_migrations_build_the_tables_of_the_code(bench: Bench) -> None:
    """The migrations end in exactly the tables that the queries use, here as well."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with bench.ledger.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
        settings = {
            name: connection.exec_driver_sql(f"SHOW {name}").scalar_one()
            for name in ("synchronous_commit", "lock_timeout", "idle_in_transaction_session_timeout")
        }
    assert settings == {
        "synchronous_commit": "on",
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "15s",
    }


@needs_server
def test_opening_at_once_makes_one_ledger(tmp_path: Path) -> None:
    """Processes that find an empty database at the same moment end up with the same ledger."""
    program = (
        "import sys; from pathlib import Path; from campaign_cli.ledger import open_ledger; "
        "print(open_ledger(Path(sys.argv[1]), clock=None, database_url=sys.argv[2]).ledger_id)"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path), address(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        for _n in range(4)
    ]
    names = {process.communicate()[0].strip() for process in running}
    assert {process.returncode for process in running} == {0}
    assert len(names) == 1
    assert "" not in names


@needs_server
def test_the_servers_clock_judges(tmp_path: Path) -> None:
    """Without a clock of our own, instants are the server's, whatever this machine believes."""
    with open_ledger(tmp_path, clock=None, database_url=address(tmp_path)) as ledger:
        with ledger.reading() as connection:
            said = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
            assert abs(ledger.clock() - said) < timedelta(minutes=1)
        hold = ledger.hold(reason="uji", actor="siti")
        assert hold.opened_at.tzinfo is UTC


def test_a_servers_time_goes_on_between_two_readings() -> None:
    """The last reading is carried on by the machine's own steady clock, not by its wall clock."""
    uptime = 100.0
    clock = ServerClock(lambda: uptime)
    clock.saw(datetime(2035, 6, 1, 8, tzinfo=UTC))
    uptime += 90
    assert clock() == datetime(2035, 6, 1, 8, 1, 30, tzinfo=UTC)


@needs_server
def test_one_writer_at_a_time(bench: Bench, other: Ledger) -> None:
    """A writer waits for the one before it, and gives up with plain words when that one never ends."""
    bench.queue(make())
    impatient = address(bench.root) + "?options=-c%20lock_timeout%3D100ms"
    with open_ledger(bench.root, clock=bench.clock, database_url=impatient) as third:
        with other.writing(), pytest.raises(LedgerError, match="locked by another program"):
            third.hold(reason="uji", actor="siti")
        assert third.hold(reason="uji", actor="siti").id


@needs_server
def test_readers_see_one_state(bench: Bench, other: Ledger) -> None:
    """What is committed in the middle of a reading transaction doesn't change what that one sees."""
    bench.queue(make())
    count = "SELECT count(*) FROM deliveries"
    with bench.ledger.reading() as connection:
        before = connection.exec_driver_sql(count).scalar_one()
        bench.queue(make("c/q/a"), ledger=other)
        assert connection.exec_driver_sql(count).scalar_one() == before == 1
    with bench.ledger.reading() as connection:
        assert connection.exec_driver_sql(count).scalar_one() == 2


@needs_server
def test_a_restarted_server_loses_nothing(bench: Bench) -> None:
    """The call that meets the restart fails in plain words and without a password; the next one goes on."""
    bench.queue(make("c/p/a"), make("c/q/a"))
    claims = bench.claim().claims
    assert backends.server is not None
    backends.server.restart(immediate=True)
    with pytest.raises(LedgerError, match="can't be used") as caught:
        bench.ledger.deliveries()
    assert backends.server.password not in caught.value.message
    assert [bench.publish(claim) for claim in claims] == [True, True]
    assert bench.state("c/p/a") is State.PUBLISHED
    assert bench.claim().claims == ()


@needs_server
def test_a_writer_that_sleeps_loses_its_lock(bench: Bench, other: Ledger) -> None:
    """A process that is suspended inside a transaction is cut off, changes nothing, and stops nobody for long."""
    bench.queue(make())
    brief = address(bench.root) + "?options=-c%20idle_in_transaction_session_timeout%3D200ms"
    with (
        open_ledger(bench.root, clock=bench.clock, database_url=brief) as sleeper,
        pytest.raises(LedgerError),
        sleeper.writing() as connection,
    ):
        connection.exec_driver_sql("UPDATE deliveries SET state = 'published'")
        assert other.claim(worker="w", limit=1, per_account=5, lease=LEASE, late_grace=GRACE).claims
        connection.exec_driver_sql("SELECT 1")
    assert bench.state("c/p/a") is State.SENDING


@needs_server
def test_a_workspace_knows_its_database(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> None:
    """ledger.id names the ledger on the server; an empty database, or another workspace's, is refused."""
    bench.queue(make())
    assert (bench.root / "ledger.id").read_text().strip() == bench.ledger.ledger_id
    stranger = tmp_path_factory.mktemp("lain")
    for place in (address(stranger), address(stranger)):
        with pytest.raises(ForeignLedger):
            open_ledger(bench.root, clock=Clock(), database_url=place)
        open_ledger(stranger, clock=Clock(), database_url=place).close()


@needs_server
def test_nothing_is_made_for_readers(tmp_path: Path) -> None:
    """Looking at a database without a ledger builds no tables there."""
    with open_ledger(tmp_path, clock=None, database_url=address(tmp_path), create=False) as ledger:
        assert ledger.deliveries() == []
        with pytest.raises(LedgerError, match="no ledger here yet"):
            ledger.hold(reason="uji", actor="siti")
    with open_ledger(tmp_path, clock=None, database_url=address(tmp_path), create=False) as ledger:
        assert ledger.absent


@needs_server
def test_a_newer_ledger_is_refused(bench: Bench) -> None:
    """A database of a later version is left as it is."""
    with bench.ledger.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(NewerLedger):
        bench.open()


@needs_server
def test_the_server_says_what_is_wrong(tmp_path: Path) -> None:
    """A wrong password and a database that isn't there are told in the server's words, never with the password."""
    right = address(tmp_path)
    assert backends.server is not None
    for wrong in (right.replace(backends.server.password, "salah"), right + "-tidak-ada"):
        with pytest.raises(LedgerError) as caught:
            open_ledger(tmp_path, clock=None, database_url=wrong)
        assert "CAMPAIGN_DATABASE_URL" in caught.value.fix
        assert "salah" not in caught.value.message
        assert backends.server.password not in caught.value.message


@pytest.mark.parametrize(
    "wrong",
    ["", "salah", "mysql://u:rahasia@h/d", "postgresql+asyncpg://u:rahasia@h/d", "postgresql://u:rahasia@h:x/d"],
)
def test_an_address_that_is_none(wrong: str) -> None:
    """An address that psycopg can't use is refused without a word of what stands in it."""
    with pytest.raises(LedgerError) as caught:
        parse(wrong)
    assert "rahasia" not in caught.value.message + caught.value.fix
    assert "postgresql://USER" in caught.value.fix


def test_an_address_is_shown_without_its_secret() -> None:
    """Neither user, password nor options of an address appear in messages."""
    secret = "postgresql://siti:rahasia@basis.example:5433/serikat?password=rahasia&options=-csearch_path%3Dx"
    assert shown(parse(secret)) == "postgresql://basis.example:5433/serikat"
    assert shown(parse("postgres:///serikat")) == "postgresql://localhost/serikat"


def test_the_servers_words_hide_the_password() -> None:
    """A server that repeats the password has it blotted out."""
    database = PostgresqlDatabase("postgresql://siti:rahasia@basis.example/serikat", clock=lambda: START)
    said = database.explain(RuntimeError("no such role rahasia\n in 'rahasia'")).message
    assert "rahasia" not in said
    assert "•••" in said


@needs_server
def test_a_connection_that_was_lost_meanwhile_is_replaced(tmp_path: Path) -> None:
    """A server that ended our session between two transactions is asked again, without a word."""
    import psycopg

    with open_ledger(tmp_path, clock=None, database_url=address(tmp_path)) as ledger:
        for write in (False, True):
            with psycopg.connect(address(tmp_path), autocommit=True) as killer:
                killer.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name = 'campaign' AND datname = current_database()"
                )
            assert ledger.take_notices() == [] if write else ledger.change_counter() == 0
