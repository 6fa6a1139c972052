"""Opening: a new ledger, an older, a newer, a foreign, a broken one, and folders that can't be written."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ledger_helpers import GRACE, LEASE, START, Bench, Clock, make

from campaign_cli.errors import ForeignLedger, LedgerError, NewerLedger
from campaign_cli.ledger import Changes, open_ledger, schema, upgrade
from campaign_cli.models import State

pytestmark = pytest.mark.sqlite

BETWEEN = '''
"""A step that fails half way when its table is there already."""

import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "0004"


def upgrade():
    op.add_column("deliveries", sa.Column("colour", sa.Text))
    op.create_table("colours", sa.Column("name", sa.Text, primary_key=True))
'''


def database(root: Path) -> Path:
    return root / ".campaign" / "ledger.sqlite3"


def raw(root: Path) -> sqlite3.Connection:
    return sqlite3.connect(database(root), isolation_level=None)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A workspace with a ledger that holds one delivery."""
    bench = Bench(tmp_path)
    bench.queue(make())
    bench.ledger.close()
    return tmp_path


def opened(root: Path, **options: object) -> object:
    return open_ledger(root, clock=Clock(), **options)  # type: ignore[arg-type]


def test_a_new_ledger_is_private_and_durable(made: Path) -> None:
    """Folder and file are for their owner alone; the journal is WAL, every commit is synced, keys are enforced."""
    assert stat.S_IMODE(database(made).parent.stat().st_mode) == 0o700
    with opened(made) as ledger, ledger.reading() as connection:  # type: ignore[attr-defined]
        values = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
        assert values == ["wal", 2, 1]
        files = [path for path in database(made).parent.iterdir() if path.is_file()]
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert not list(database(made).parent.glob("*.tmp*"))


def test_migrations_build_the_tables_of_the_code(made: Path) -> None:
    """The migrations end in exactly the tables that the queries use, and ``REVISIONS`` names each of them."""
    from alembic.autogenerate import compare_metadata
    from alembic.config import Config
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from sqlalchemy import create_engine
    from sqlalchemy.pool import StaticPool

    with opened(made) as ledger, ledger.reading() as connection:  # type: ignore[attr-defined]
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
    memory, stored = sqlite3.connect(":memory:"), raw(made)
    engine = create_engine("sqlite://", creator=lambda: memory, poolclass=StaticPool)
    schema.metadata.create_all(engine)
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name"
    indexes = [
        [(name, re.sub(r"[\s\"]+", "", sql)) for name, sql in connection.execute(query)]
        for connection in (memory, stored)
    ]
    assert indexes[0] == indexes[1]
    engine.dispose()
    stored.close()
    config = Config()
    config.set_main_option("script_location", str(upgrade.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    steps = [step.revision for step in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(steps)) == schema.REVISIONS


def test_an_up_to_date_ledger_opens_without_alembic(made: Path) -> None:
    """The common case never imports Alembic."""
    program = (
        "import sys; from datetime import UTC, datetime; from pathlib import Path; "
        "from campaign_cli.ledger import open_ledger; "
        f"open_ledger(Path({str(made)!r}), clock=lambda: datetime.now(UTC)).close(); "
        "sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_values_come_without_sqlalchemy() -> None:
    """Importing the ledger's values and its comparison needs no database library."""
    program = "import sys, campaign_cli.ledger.queueing; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@contextmanager
def steps(
    folder: Path, revisions: tuple[str, ...], texts: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """The migrations of this program and some more."""
    shutil.copytree(upgrade.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in texts.items():
        (folder / "versions" / f"{name}.py").write_text(text, encoding="utf-8")
    with monkeypatch.context() as patch:
        patch.setattr(upgrade, "MIGRATIONS", folder)
        patch.setattr(schema, "REVISIONS", revisions)
        patch.setattr(schema, "HEAD", revisions[-1])
        yield


def test_an_older_ledger_is_copied_and_upgraded(
    made: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older ledger is upgraded on opening, after a private copy, and keeps what it holds."""
    folder = tmp_path_factory.mktemp("steps") / "migrations"
    with steps(folder, (*schema.REVISIONS, "9999"), {"r9999_colour": BETWEEN}, monkeypatch):
        with opened(made) as ledger:
            assert [one.key for one in ledger.deliveries()] == ["c/p/a"]  # type: ignore[attr-defined]
        with raw(made) as connection:
            assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]
            assert connection.execute("SELECT colour FROM deliveries").fetchall() == [(None,)]
        connection.close()
        opened(made).close()  # type: ignore[attr-defined]
    copies = list((made / ".campaign" / "backups").iterdir())
    assert len(copies) == 1
    assert stat.S_IMODE(copies[0].stat().st_mode) == 0o600
    copy = sqlite3.connect(copies[0])
    assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [(schema.HEAD,)]
    assert copy.execute("SELECT key FROM deliveries").fetchall() == [("c/p/a",)]
    copy.close()


def test_an_upgrade_is_all_or_nothing(
    made: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that fails leaves the ledger as it was."""
    with raw(made) as connection:
        connection.execute("CREATE TABLE colours (name TEXT)")
    connection.close()
    folder = tmp_path_factory.mktemp("steps") / "migrations"
    with (
        steps(folder, (*schema.REVISIONS, "9999"), {"r9999_colour": BETWEEN}, monkeypatch),
        pytest.raises(LedgerError, match="colours"),
    ):
        opened(made)
    with opened(made) as ledger:
        assert len(ledger.deliveries()) == 1  # type: ignore[attr-defined]
    with raw(made) as connection:
        names = [row[1] for row in connection.execute("PRAGMA table_info(deliveries)")]
    connection.close()
    assert "colour" not in names


def test_a_newer_ledger_is_refused(made: Path) -> None:
    """A ledger of a later version is left untouched, and the message says what to install."""
    with raw(made) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(NewerLedger, match="newer version") as caught:
        opened(made)
    assert "pip install --upgrade" in caught.value.fix
    assert not (made / ".campaign" / "backups").exists()


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0" + b"rubbish" * 1000, b"catatan rapat " * 500])
def test_a_broken_ledger_is_told_with_the_way_out(made: Path, content: bytes) -> None:
    """A file that is no ledger is never overwritten; the message names the backups."""
    for path in database(made).parent.glob("ledger.sqlite3*"):
        path.unlink()
    database(made).write_bytes(content)
    with pytest.raises(LedgerError, match="damaged") as caught:
        opened(made)
    assert ".campaign/backups" in caught.value.fix
    assert database(made).read_bytes() == content


def test_another_database_is_no_ledger(made: Path) -> None:
    """A healthy database of something else is refused."""
    for path in database(made).parent.glob("ledger.sqlite3*"):
        path.unlink()
    with raw(made) as connection:
        connection.execute("CREATE TABLE anggota (nama TEXT)")
    connection.close()
    with pytest.raises(LedgerError, match="no ledger"):
        opened(made)


def test_a_locked_ledger_is_told(made: Path) -> None:
    """When another program keeps the ledger locked, the message says so, and nothing is written."""
    other = raw(made)
    other.execute("BEGIN EXCLUSIVE")
    bench_error = None
    with opened(made, busy_timeout=0.05) as ledger:
        with pytest.raises(LedgerError, match="locked") as caught:
            ledger.apply(Changes(new=(make("c/q/a"),)), actor="siti")  # type: ignore[attr-defined]
        bench_error = caught.value
        other.execute("ROLLBACK")
        assert [one.key for one in ledger.deliveries()] == ["c/p/a"]  # type: ignore[attr-defined]
    other.close()
    assert "Wait" in bench_error.fix


def test_no_ledger_reads_as_empty(tmp_path: Path) -> None:
    """Reading where there is no ledger finds nothing and makes no file; ordering something there is refused."""
    with opened(tmp_path, create=False) as ledger:
        assert ledger.deliveries() == ledger.events() == ledger.holds() == []  # type: ignore[attr-defined]
        claimed = ledger.claim(worker="w", limit=1, per_account=1, lease=LEASE, late_grace=GRACE)  # type: ignore[attr-defined]
        assert claimed.claims == ()
        for order in (
            lambda: ledger.hold(reason="x", actor="siti"),  # type: ignore[attr-defined]
            lambda: ledger.apply(Changes(), actor="siti"),  # type: ignore[attr-defined]
            lambda: ledger.adopt(actor="siti"),  # type: ignore[attr-defined]
        ):
            with pytest.raises(LedgerError, match="no ledger here"):
                order()
    assert list(tmp_path.iterdir()) == []


def test_the_first_queue_names_the_ledger(tmp_path: Path) -> None:
    """Opening writes no ledger.id; the first apply does, and later ones keep it."""
    bench = Bench(tmp_path)
    assert not (tmp_path / "ledger.id").exists()
    bench.queue(make())
    named = (tmp_path / "ledger.id").read_text()
    assert named.strip() == bench.ledger.ledger_id
    bench.queue(make("c/q/a"))
    assert (tmp_path / "ledger.id").read_text() == named


def test_a_second_clone_sends_nothing(made: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A copy of the workspace without its ledger can neither queue nor send, until it adopts a ledger of its own."""
    clone = tmp_path_factory.mktemp("clone")
    shutil.copy(made / "ledger.id", clone)
    for create in (True, False):
        with pytest.raises(ForeignLedger) as caught:
            opened(clone, create=create)
    assert "campaign ledger adopt" in caught.value.fix
    assert [path.name for path in clone.iterdir()] == ["ledger.id"]
    with opened(clone, create=False, check_id=False) as ledger:
        assert ledger.deliveries() == []  # type: ignore[attr-defined]
    with opened(clone, check_id=False) as ledger:
        with pytest.raises(ForeignLedger):
            ledger.apply(Changes(new=(make(),)), actor="siti")  # type: ignore[attr-defined]
        assert ledger.deliveries() == []  # type: ignore[attr-defined]
        with pytest.raises(ForeignLedger):
            opened(clone)
        ledger.adopt(actor="siti")  # type: ignore[attr-defined]
        assert ledger.events()[-1].kind == "adopted"  # type: ignore[attr-defined]
    opened(clone).close()  # type: ignore[attr-defined]


def test_an_unreadable_ledger_id_is_told(made: Path) -> None:
    """A ledger.id that can't be read as text is a clear error."""
    (made / "ledger.id").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LedgerError, match=r"ledger\.id"):
        opened(made)


def test_a_ledger_id_that_cannot_be_written_queues_nothing(tmp_path: Path) -> None:
    """When ledger.id can't be written, nothing is queued either."""
    bench = Bench(tmp_path)
    (tmp_path / f"ledger.id.{os.getpid()}.tmp").mkdir()
    with pytest.raises(LedgerError, match=r"ledger\.id"):
        bench.queue(make())
    assert bench.ledger.deliveries() == []
    assert not (tmp_path / "ledger.id").exists()


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """A small file system in memory at a folder; needs the right to mount."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=False, capture_output=True
    )
    if done.returncode:
        pytest.skip("needs the right to mount a tmpfs")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def unwritable(folder: Path) -> Iterator[None]:
    """An empty folder in which nothing can be written, also by root."""
    if os.geteuid():
        folder.chmod(0o500)
        yield
        folder.chmod(0o700)
        return
    with mounted(folder, "size=64k,ro"):
        yield


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder in which nothing can be written, also by root."""
    if os.geteuid():
        modes = {path: path.stat().st_mode for path in (folder, *folder.rglob("*"))}
        for path in modes:
            path.chmod(0o500 if path.is_dir() else 0o400)
        yield
        for path, mode in modes.items():
            path.chmod(mode)
        return
    with mounted(folder, "size=4m"):
        bench = Bench(folder)
        bench.queue(make())
        bench.ledger.close()
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        yield


def test_a_read_only_folder_is_told(made: Path) -> None:
    """On a read-only folder nothing opens, and the message says what to look at."""
    with read_only(made):
        with pytest.raises(LedgerError) as caught:
            opened(made)
        assert str(made) in caught.value.message
        assert "permissions" in caught.value.fix


def test_a_read_only_folder_without_ledger_is_told(tmp_path: Path) -> None:
    """No ledger can be made where nothing can be written; reading still works."""
    folder = tmp_path / "kosong"
    folder.mkdir()
    with unwritable(folder):
        with pytest.raises(LedgerError, match="can't be written"):
            opened(folder)
        with opened(folder, create=False) as ledger:
            assert ledger.deliveries() == []  # type: ignore[attr-defined]
        assert list(folder.iterdir()) == []


def test_a_full_disk_makes_no_ledger(tmp_path: Path) -> None:
    """Where there is no room for a ledger, none is left behind."""
    folder = tmp_path / "penuh"
    folder.mkdir()
    with mounted(folder, "size=64k"):
        with pytest.raises(LedgerError, match="full"):
            opened(folder)
        assert [path.name for path in folder.rglob("*")] == [".campaign"]


def test_a_full_disk_queues_all_or_nothing(tmp_path: Path) -> None:
    """When the disk fills up during a queue, nothing of it is queued, and the ledger goes on when there is room."""
    folder = tmp_path / "penuh"
    folder.mkdir()
    with mounted(folder, "size=1536k"):
        bench = Bench(folder)
        bench.queue(make())
        new = tuple(make(f"c/p{n}/a", text="x" * 4000 + str(n)) for n in range(400))
        with pytest.raises(LedgerError, match="full") as caught:
            bench.queue(*new)
        assert "Make room" in caught.value.fix
        assert [one.key for one in bench.ledger.deliveries()] == ["c/p/a"]
        assert bench.publish(bench.claim_one())
        assert bench.state("c/p/a") is State.PUBLISHED
        bench.ledger.close()
        with sqlite3.connect(database(folder)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()


def test_a_ledger_may_be_used_in_another_thread(made: Path) -> None:
    """A ledger opened in one thread works in another."""
    from concurrent.futures import ThreadPoolExecutor

    with opened(made) as ledger, ThreadPoolExecutor(1) as pool:
        found = pool.submit(ledger.deliveries).result()  # type: ignore[attr-defined]
    assert [one.due for one in found] == [START]
