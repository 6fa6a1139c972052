"""Ledgers and disks that can't be used, each through the real command line: told, and nothing half done."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from conftest import Campaign
from disks import FILES, FULL, READ_ONLY, ROOM, WRITABLE, namespace, on_a_small_disk
from refusals import HEAD, POST, contents, refused, workspace
from staged import Staged

READING = (("status",), ("log",), ("preview", "plan.yaml", "--queued"))
WRITING = (
    ("queue", "baru.yaml", "--yes"),
    ("publish",),
    ("run",),
    ("post", "Sidang ditunda.", "--to", "mastodon"),
    ("hold", "--reason", "sidang"),
    ("release",),
    ("cancel", "--campaign", "plan", "--yes"),
    ("retry", "plan/satu/mastodon", "--yes"),
    ("resolve", "plan/satu/mastodon", "--not-published"),
)


def plans(root: Path) -> None:
    """One plan to be queued at once, and another for later."""
    (root / "plan.yaml").write_text(HEAD + POST, encoding="utf-8")
    text = (HEAD + POST).replace("campaign: plan", "campaign: baru").replace("Upah layak", "Cuti haid")
    (root / "baru.yaml").write_text(text, encoding="utf-8")


@pytest.fixture
def queued(tmp_path: Path, campaign: Campaign) -> Path:
    """A workspace (the folder that the test is in) with one post queued."""
    workspace(tmp_path)
    plans(tmp_path)
    assert campaign("queue", "plan.yaml", "--yes").code == 0
    return tmp_path


@pytest.fixture
def database(queued: Path) -> Path:
    """Its ledger."""
    return queued / ".campaign" / "ledger.sqlite3"


def test_a_newer_ledger(campaign: Campaign, queued: Path, database: Path) -> None:
    """A schema of a later version is read and written by no command; the fix is to upgrade."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'r9999'")
    for command in (*READING, *WRITING, ("ledger", "adopt", "--yes")):
        refused(campaign, *command, says="was written by a newer version", fix="Install the newest", root=queued)


@pytest.mark.parametrize("damage", ["no database", "half a database", "empty"])
def test_a_broken_ledger(campaign: Campaign, queued: Path, database: Path, damage: str) -> None:
    """A damaged file is never written over by any command; the fix says where the copies are."""
    good = database.read_bytes()
    bad = {"no database": b"catatan rapat " * 500, "half a database": good[:8192] + b"\xff" * len(good[8192:])}
    database.write_bytes(bad.get(damage, b""))
    for command in (*READING, *WRITING):
        words = refused(
            campaign, *command, says="is damaged or is no ledger", fix="Run `campaign ledger restore", root=queued
        )
        assert str(database) in words


def test_the_ledger_of_another_workspace(campaign: Campaign, queued: Path) -> None:
    """With a ledger.id that names another ledger, whatever changes or sends is refused, and looking is allowed."""
    (queued / "ledger.id").write_text("0" * 32 + "\n", encoding="utf-8")
    for command in WRITING:
        words = refused(campaign, *command, says="ledger.id names another ledger", fix="Queue and send", root=queued)
        assert "campaign ledger adopt" in words
    assert campaign("status").code == campaign("log").code == 0


def test_a_second_clone_without_its_ledger(campaign: Campaign, queued: Path) -> None:
    """A copy that has ledger.id and no ledger neither queues nor sends anything again, and makes no ledger."""
    shutil.rmtree(queued / ".campaign")
    for command in WRITING:
        refused(campaign, *command, says="ledger.id names another ledger", fix="Queue and send", root=queued)
    assert ".campaign" not in contents(queued)


def test_a_ledger_id_that_can_not_be_read(campaign: Campaign, queued: Path) -> None:
    """A ledger.id that is no text, or a folder, is told with the way back."""
    (queued / "ledger.id").write_bytes(b"\xff\xfe\x00")
    refused(campaign, "publish", says="ledger.id can't be read", fix="Put the file from git back", root=queued)
    (queued / "ledger.id").unlink()
    (queued / "ledger.id").mkdir()
    refused(campaign, "publish", says="ledger.id can't be read", fix="Put the file from git back", root=queued)


def test_a_ledger_that_is_a_folder(campaign: Campaign, queued: Path, database: Path) -> None:
    """Something else under the ledger's name is told and left alone."""
    for path in database.parent.iterdir():
        path.unlink()
    database.mkdir()
    for command in (("status",), ("publish",), ("queue", "baru.yaml", "--yes")):
        refused(campaign, *command, says=str(database), fix="", root=queued)


@pytest.mark.parametrize(
    ("address", "says", "fix"),
    [
        ("mysql://u:rahasia@contoh.example/x", "no address of a PostgreSQL database", "Write postgresql://"),
        ("rahasia", "no address of a PostgreSQL database", "Write postgresql://"),
        ("postgresql://u:rahasia@127.0.0.1:1/x", "postgresql://127.0.0.1:1/x can't be used", "Check that it runs"),
    ],
)
def test_a_database_that_can_not_be_used(
    campaign: Campaign, queued: Path, monkeypatch: pytest.MonkeyPatch, address: str, says: str, fix: str
) -> None:
    """An address is never ignored, or a second ledger would arise; nothing is said of its password."""
    monkeypatch.setenv("CAMPAIGN_DATABASE_URL", address)
    for command in (("status",), ("publish",), ("queue", "baru.yaml", "--yes")):
        refused(campaign, *command, says=says, fix=fix, root=queued, never="rahasia")


@pytest.fixture
def locked(database: Path) -> Iterator[Path]:
    """The ledger while another program keeps it locked."""
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield database
        other.execute("ROLLBACK")


def test_a_locked_ledger(campaign: Campaign, queued: Path, locked: Path) -> None:
    """Whatever must write waits for a while, then says that the ledger is locked; looking needs no lock."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    commands = (("queue", "baru.yaml", "--yes"), ("publish",), ("hold", "--reason", "sidang"))
    waiting = [
        subprocess.Popen(
            [sys.executable, "-m", "campaign_cli", "--lang", "id" if number == 2 else "en", *command],
            cwd=queued,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number, command in enumerate(commands)
    ]
    assert campaign("status").code == 0
    told = [process.communicate(timeout=60)[1] for process in waiting]
    assert [process.returncode for process in waiting] == [2, 2, 2]
    for words in told[:2]:
        assert f"{locked} is locked by another program" in words
        assert "→ Wait until the other `campaign` is done" in words
    assert str(locked) in told[2]
    assert "Tunggu" in told[2]
    (delivery,) = json.loads(campaign("status", "--json").out)["deliveries"]
    assert (delivery["state"], delivery["held"], delivery["attempts"]) == ("waiting", False, 0)


def test_a_full_disk(stage: Staged) -> None:
    """On a full disk nothing is queued, sent or written half; with room, the same commands go on."""
    plans(stage.root)
    post = ("post", "Sidang ditunda.", "--to", "papua", "--lang", "en")
    queue, publish = ("queue", "plan.yaml", "--yes", "--lang", "en"), ("publish", "--lang", "en")
    page = ("preview", "plan.yaml", "--html", "halaman.html", "--lang", "en")
    steps = (FULL, queue, post, page, ("init", "lain", "--lang", "en"), FILES, ROOM, queue, FULL)
    later = (("queue", "baru.yaml", "--yes", "--lang", "en"), publish, post, (*post[:-1], "id"), page, FILES)
    ran = on_a_small_disk(stage.root, *steps, *later, ROOM, ("status", "--json"), post, page, FILES)
    first, files, queued, second = ran[:4], ran[4].out.split(), ran[5], ran[6:11]
    for one in (*first, *second):
        assert one.code == 2, one
        assert "→ " in one.err
        assert "Traceback" not in one.err
    if namespace():
        assert all("full" in one.err for one in (*first, *second[:3], second[4]))
        assert all("→ Make room on the disk" in one.err for one in (*first, *second[:3], second[4]))
    assert {name for name in files if name != ".campaign"} == {".env", "accounts.yaml", "plan.yaml", "baru.yaml"}
    assert queued.code == 0
    assert "halaman.html" not in ran[11].out
    deliveries = json.loads(ran[12].out)["deliveries"]
    assert [(one["key"], one["state"]) for one in deliveries] == [("plan/satu/mastodon", "waiting")]
    assert [one.code for one in ran[13:]] == [0, 0, 0]
    assert "halaman.html" in ran[15].out.split()
    assert [sent.text for sent in stage.posts()] == ["Sidang ditunda."]


def test_a_read_only_disk(stage: Staged) -> None:
    """On a read-only disk nothing is queued or sent, and what only looks still works."""
    if not namespace() and os.geteuid() == 0:
        pytest.skip("permissions mean nothing to root, and mounting is not permitted here")
    plans(stage.root)
    english = ("--lang", "en")
    looking = (("check", "plan.yaml", *english), ("rehearse", "baru.yaml", *english), ("accounts", "check", *english))
    writing = [(*command, *english) for command in WRITING if command[0] in {"queue", "publish", "post", "hold"}]
    writing += [("publish", "--lang", "id"), ("preview", "plan.yaml", "--html", "halaman.html", *english)]
    steps = (("queue", "plan.yaml", "--yes"), FILES, READ_ONLY, *writing, *looking)
    ran = on_a_small_disk(stage.root, *steps, FILES, WRITABLE, ("status", "--json"))
    assert ran[0].code == 0
    for one in ran[2:8]:
        assert one.code == 2, one
        assert "→ " in one.err
        assert "Traceback" not in one.err
    assert all("ledger.sqlite3 can't be opened for writing" in one.err for one in ran[2:6])
    assert [one.code for one in ran[8:11]] == [0, 0, 0], ran[8:11]
    assert "The limits of mastodon can't be kept: " in ran[10].err
    assert ran[11].out == ran[1].out
    (delivery,) = json.loads(ran[12].out)["deliveries"]
    assert (delivery["state"], delivery["held"], delivery["attempts"]) == ("waiting", False, 0)
    assert stage.posts() == []
