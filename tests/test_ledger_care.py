"""Looking after a ledger: check, backup, export, through the command line and below it."""

from __future__ import annotations

import json
import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Campaign
from disks import FILES, FULL, READ_ONLY, ROOM, WRITABLE, on_a_small_disk
from ledger_helpers import GRACE, START, Bench, Clock, make, tamper
from refusals import workspace
from staged import SECRETS, Staged, soon

from campaign_cli.errors import InputError
from campaign_cli.ledger import Changes, schema
from campaign_cli.ledger.backup import back_up
from campaign_cli.ledger.care import check
from campaign_cli.ledger.copying import BACKUP_AT, opened_file
from campaign_cli.ledger.export import lines, write_media
from campaign_cli.ledger.files import automatic, backups_of, ledger_file, private_folder
from campaign_cli.models import State

IMAGE = b"gambar"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """One published, one whose thread has begun, one waiting, one being looked up, one cancelled."""
    made = Bench(tmp_path)
    made.queue(
        make(labels=["tuntutan"]),
        make("c/utas/a", position=1, parts=["a", "b"]),
        make("c/nanti/a", due=START + timedelta(days=1)),
        make("c/ragu/b", position=2),
        make("c/batal/b", due=START + timedelta(days=1)),
    )
    for claim in made.claim().claims:
        if claim.key == "c/p/a":
            assert made.publish(claim)
        elif claim.key == "c/utas/a":
            made.ledger.keep_receipt(claim, made.receipt("utas-0"))
            made.settle(claim, State.FAILED, error="x")
        else:
            made.settle(claim, State.UNCERTAIN, next_try=made.clock())
    made.ledger.cancel(["c/batal/b"], actor="siti")
    return made


def test_a_ledger_in_use_is_sound(bench: Bench) -> None:
    """Whatever the program itself writes stands the check, also in the middle of sending."""
    assert check(bench.ledger).findings == []
    bench.clock.forward(days=1)
    bench.claim(late_grace=GRACE)
    bench.ledger.claim_doubtful(worker="w", limit=9, lease=GRACE)
    report = check(bench.ledger)
    assert report.findings == []
    assert (report.rows["deliveries"], report.rows["receipts"]) == (5, 2)
    assert report.ledger_id == bench.ledger.ledger_id


BROKEN = {
    "a state that is none": ("UPDATE deliveries SET state = 'terbit' WHERE key = 'c/nanti/a'", "c/nanti/a"),
    "sending without a lease": ("UPDATE deliveries SET state = 'sending' WHERE key = 'c/nanti/a'", "c/nanti/a"),
    "a lease on what waits": ("UPDATE deliveries SET lease_until = 1 WHERE key = 'c/nanti/a'", "c/nanti/a"),
    "no draft": ("DELETE FROM drafts WHERE delivery = 'c/nanti/a'", "c/nanti/a"),
    "other words": ("UPDATE drafts SET draft = replace(draft, 'Pos', 'Poz') WHERE delivery = 'c/p/a'", "c/p/a"),
    "no words": ("UPDATE drafts SET draft = '{' WHERE delivery = 'c/p/a'", "c/p/a"),
    "another instant": ("UPDATE deliveries SET due = due + 1 WHERE key = 'c/p/a'", "c/p/a"),
    "another address": ("UPDATE deliveries SET address = 'x' WHERE key = 'c/nanti/a'", "c/nanti/a"),
    "another hash": ("UPDATE deliveries SET content_hash = 'x' WHERE key = 'c/p/a'", "c/p/a"),
    "more parts": ("UPDATE deliveries SET parts = 3 WHERE key = 'c/nanti/a'", "c/nanti/a"),
    "no parts": ("UPDATE deliveries SET parts = 0 WHERE key = 'c/nanti/a'", "c/nanti/a"),
    "a count too high": ("UPDATE deliveries SET sent = 2 WHERE key = 'c/utas/a'", "c/utas/a"),
    "published without proof": ("DELETE FROM receipts WHERE delivery = 'c/p/a'", "c/p/a"),
    "a hole": ("UPDATE receipts SET part = 1 WHERE delivery = 'c/utas/a'", "c/utas/a"),
    "proved and not published": ("UPDATE deliveries SET state = 'waiting' WHERE key = 'c/p/a'", "c/p/a"),
    "an open attempt": ("UPDATE attempts SET ended_at = NULL WHERE delivery = 'c/p/a'", "c/p/a"),
    "an event changed": ("UPDATE events SET actor = 'budi' WHERE id = 3", "c/nanti/a"),
    "no event of it": ("UPDATE events SET key = 'x' WHERE kind = 'published'", "c/p/a"),
}


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_what_is_broken_is_named_with_its_key_and_a_fix(bench: Bench, name: str) -> None:
    """Each promise of the ledger, broken past the program, is a finding of the delivery that it is about."""
    statement, key = BROKEN[name]
    tamper(bench, statement)
    findings = check(bench.ledger).findings
    found = [one for one in findings if one.key == key]
    assert found, findings
    assert all(one.fix and (key in one.message) for one in found)
    assert "{" not in "".join(one.message for one in findings)


@pytest.mark.postgresql
def test_one_post_that_proves_two_things_is_found(bench: Bench) -> None:
    """A network's id stands on one receipt of an address; the constraint is the database's, and is looked at."""
    statement = "UPDATE receipts SET address = 'x', remote_id = 'y'"
    tamper(bench, "ALTER TABLE receipts DROP CONSTRAINT uq_receipts_remote", statement)
    assert any("is the receipt of two" in one.message for one in check(bench.ledger).findings)


def test_pictures_are_there_and_are_what_they_are_called(tmp_path: Path) -> None:
    """A picture whose bytes changed, or that is gone, is a finding of the deliveries that show it."""
    import hashlib
    from dataclasses import replace

    from campaign_cli.models import Draft, Picture

    sha256 = hashlib.sha256(IMAGE).hexdigest()
    bench = Bench(tmp_path)
    new = make()
    draft = Draft.from_json(new.draft_json)
    picture = Picture(sha256=sha256, name="a.png", mime="image/png", size=6, width=1, height=1, alt="Poster")
    draft = replace(draft, parts=(replace(draft.parts[0], media=(picture,)),))
    new = replace(new, draft_json=draft.to_json(), content_hash=draft.content_hash(new.due), media=(sha256,))
    bench.ledger.apply(Changes(new=(new,), media=lambda _sha256: IMAGE), actor="siti")
    assert check(bench.ledger).findings == []
    assert write_media(bench.ledger, tmp_path / "gambar") == 1
    assert (tmp_path / "gambar" / sha256).read_bytes() == IMAGE
    with bench.ledger.writing() as connection:
        connection.execute(schema.media.update().values(bytes=b"lain"))
    (finding,) = check(bench.ledger).findings
    assert (finding.key, finding.rule) == ("c/p/a", "pictures")
    tamper(bench, "DELETE FROM delivery_media", "DELETE FROM media")
    assert any("is gone" in one.message and one.key == "c/p/a" for one in check(bench.ledger).findings)


def test_a_renamed_delivery_keeps_its_place_in_the_log(bench: Bench) -> None:
    """What went out under an earlier name is known to the log under that name."""
    tamper(bench, "UPDATE deliveries SET key = 'c/baru/a' WHERE key = 'c/p/a'")
    assert [one.rule for one in check(bench.ledger).findings] == ["log"]
    with bench.ledger.writing() as connection:
        bench.ledger.record(connection, "moved", [("c/baru/a", '{"from": "c/p/a"}')], actor="siti", at=0)
    assert check(bench.ledger).findings == []


def test_files_that_others_can_read_are_found(bench: Bench) -> None:
    """The folder, the ledger and the backups are their owner's alone, and ledger.id names the ledger."""
    path = back_up(bench.ledger).path
    path.chmod(0o644)
    path.parent.parent.chmod(0o755)
    (bench.root / "ledger.id").write_text("0" * 32)
    rules = [one.rule for one in check(bench.ledger).findings]
    assert sorted(rules) == ["files", "files", "ledger.id"]


@pytest.mark.sqlite
def test_a_damaged_file_is_read_as_far_as_it_can_be(tmp_path: Path, campaign: Campaign) -> None:
    """Page by page destroyed, the check ends with exit 2, findings and the way out, and never with a fault; the way out
    leads out."""
    bench = Bench(tmp_path, Clock(datetime.now(UTC) - timedelta(hours=1)))
    bench.queue(*(make(f"c/p{number}/a", text="x" * 900 + str(number)) for number in range(40)))
    backup = back_up(bench.ledger).path
    bench.ledger.close()
    path = ledger_file(bench.root)
    good = path.read_bytes()
    for start in range(0, len(good), 8192):
        path.write_bytes(good[:start] + b"\xff" * 4096 + good[start + 4096 :])
        ran = campaign("ledger", "check", "--json")
        data = json.loads(ran.out)
        assert (ran.code, ran.err) == (2 if data["findings"] else 0, "")
    path.write_bytes(good[:4096] + b"\xff" * (len(good) - 4096))
    ran = campaign("ledger", "check")
    assert ran.code == 2
    assert "campaign ledger restore FILE" in ran.out
    assert campaign("ledger", "restore").out.splitlines() == [str(backup)]
    ran = campaign("ledger", "restore", backup, "--yes")
    assert (ran.code, ran.err.count("\n")) == (0, 1), ran.err
    assert "may be forgotten" in ran.err  # nobody can say what the damaged one held or took down
    assert "Everything is held" in ran.out
    ran = campaign("ledger", "check")
    assert (ran.code, ran.err) == (0, ""), ran.out
    assert "Everything is sound" in ran.out


def test_a_backup_is_one_private_file_that_stands_alone(bench: Bench) -> None:
    """It holds every delivery, the log and its own instant; nothing lies beside it; opening it needs nothing else."""
    made = back_up(bench.ledger)
    assert made.path.parent == backups_of(bench.root)
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert [path.name for path in made.path.parent.iterdir()] == [made.path.name]
    with closing(sqlite3.connect(f"{made.path.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT count(*) FROM deliveries").fetchone() == (5,)
        noted = connection.execute("SELECT value FROM meta WHERE name = ?", (BACKUP_AT,)).fetchone()
        newest = connection.execute("SELECT id, hash FROM events ORDER BY id DESC").fetchone()
    assert noted == (START.isoformat(),)
    assert (made.head.events, made.head.hash) == newest
    assert (made.size, made.deliveries, made.at) == (made.path.stat().st_size, 5, START)
    assert BACKUP_AT not in meta_names(bench)


def meta_names(bench: Bench) -> set[str]:
    with bench.ledger.reading() as connection:
        return set(connection.execute(schema.meta.select()).scalars())


def test_a_backup_replaces_no_file(bench: Bench, tmp_path: Path) -> None:
    """A file that exists stays, unless it is said to be replaced; so does a folder."""
    target = tmp_path / "salinan.sqlite3"
    target.write_text("catatan")
    with pytest.raises(InputError, match="exists"):
        back_up(bench.ledger, target)
    assert target.read_text() == "catatan"
    back_up(bench.ledger, target, force=True)
    assert target.read_bytes().startswith(b"SQLite format 3\0")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with pytest.raises(InputError, match="exists"):
        back_up(bench.ledger, tmp_path, force=True)


def test_old_backups_go_and_nothing_else_does(bench: Bench) -> None:
    """``keep`` counts the backups of our own naming; a named one, a copy of an upgrade and a stranger's file stay."""
    folder = backups_of(bench.root)
    private_folder(folder)
    others = ["ledger-20200101T000000000000-0001-7.sqlite3", "ledger-20200101T000000000000-replaced.sqlite3", "tua.txt"]
    for name in others:
        (folder / name).write_text("x")
    made = []
    for _number in range(4):
        bench.clock.forward(hours=1)
        made.append(back_up(bench.ledger, keep=2))
    assert automatic(bench.root) == [made[2].path, made[3].path]
    assert made[3].deleted == (made[1].path,)
    assert all((folder / name).exists() for name in others)


def test_a_backup_is_made_while_others_write(bench: Bench) -> None:
    """A backup in the middle of sending is one state: claims of after it are not in it."""
    bench.queue(make("c/lagi/a"))
    claim = bench.claim_one()
    path = back_up(bench.ledger).path
    bench.publish(claim)
    with opened_file(path, at=START, where=str(path)) as copy:
        assert {one.key: one.state for one in copy.deliveries()}["c/lagi/a"] is State.SENDING


def test_an_export_says_everything_in_a_stable_order(bench: Bench) -> None:
    """Line by line: the ledger, deliveries by key, holds, events; the same ledger gives the same lines."""
    bench.ledger.hold(reason="rapat", actor="siti")
    found = list(lines(bench.ledger))
    assert found == list(lines(bench.ledger))
    data = [json.loads(line) for line in found]
    kinds = [one["kind"] for one in data]
    assert kinds == ["ledger", *["delivery"] * 5, "hold", *["event"] * (len(data) - 7)]
    keys = [one["key"] for one in data if one["kind"] == "delivery"]
    assert keys == sorted(keys)
    one = next(one for one in data if one.get("key") == "c/p/a")
    assert one["due"] == "2026-12-07T01:00:00.000000+00:00"
    assert one["draft"]["parts"][0]["text"] == "Pos c/p/a"
    assert one["labels"] == ["tuntutan"]
    assert [receipt["remote_id"] for receipt in one["receipts"]] == ["c/p/a"]
    assert [attempt["outcome"] for attempt in one["attempts"]] == ["published"]
    events = [one for one in data if one["kind"] == "event"]
    assert events[0]["event"] == "queued"
    assert data[0]["head"] == events[-1]["hash"]
    assert data[0]["events"] == len(events)


def test_the_commands_on_a_workspace(campaign: Campaign, stage: Staged) -> None:
    """Check, backup, export and restore through the command line; no secret is in what they write."""
    plan = stage.plan(f"  - id: satu\n    at: {soon(days=1)}\n    text: Upah layak.\n")
    assert campaign("queue", plan, "--yes").code == 0
    assert campaign("post", "Sidang ditunda.", "--to", "mastodon").code == 0
    ran = campaign("ledger", "check")
    assert (ran.code, ran.err) == (0, "")
    assert "Everything is sound" in ran.out
    backup = campaign("ledger", "backup", "aman/salinan.sqlite3", "--json")
    made = json.loads(backup.out)
    assert (made["deliveries"], Path(made["file"]).stat().st_size) == (2, made["bytes"])
    assert campaign("ledger", "backup", "aman/salinan.sqlite3").code == 2
    assert campaign("ledger", "backup", "aman/salinan.sqlite3", "--keep", "2").code == 2
    assert campaign("ledger", "backup", "--keep", "1").code == 0
    exported = campaign("ledger", "export")
    assert campaign("ledger", "export", "audit.jsonl", "--media", "gambar").code == 0
    assert (stage.root / "audit.jsonl").read_text(encoding="utf-8") == exported.out
    assert stat.S_IMODE((stage.root / "audit.jsonl").stat().st_mode) == 0o600
    assert campaign("ledger", "export", "audit.jsonl").code == 2
    asked = campaign("ledger", "restore", "aman/salinan.sqlite3")
    assert asked.code == 2
    assert "--yes" in asked.err
    ran = campaign("ledger", "restore", "aman/salinan.sqlite3", "--yes", "--hold")
    assert (ran.code, ran.err) == (0, "")
    assert "Everything is held" in ran.out
    assert campaign("ledger", "check").code == 0
    written = [Path(made["file"]), stage.root / "audit.jsonl", *backups_of(stage.root).iterdir()]
    for secret in SECRETS.values():
        assert not [path for path in written if secret.encode() in path.read_bytes()]
    assert campaign("publish").code in (0, 5)
    assert [post.text for post in stage.posts()] == ["Sidang ditunda."]


def test_there_is_nothing_to_look_after_without_a_ledger(tmp_path: Path, campaign: Campaign) -> None:
    """Without a ledger, each command says so and makes nothing."""
    workspace(tmp_path)
    for command in (("check",), ("backup",), ("export",), ("restore",)):
        ran = campaign("ledger", *command)
        assert ran.code == 2
        assert "→ " in ran.err
    assert not (tmp_path / ".campaign").exists()


@pytest.mark.sqlite
def test_on_a_full_disk_nothing_is_left_half_written(stage: Staged) -> None:
    """Backup, export and restore on a full or read-only disk: told, no file left behind, the ledger as it was."""
    stage.plan(f"  - id: satu\n    at: {soon(days=1)}\n    text: Upah layak.\n")
    english = ("--lang", "en")
    backup = ("ledger", "backup", "salinan.sqlite3", *english)
    commands = (
        ("ledger", "backup", *english),
        ("ledger", "export", "audit.jsonl", *english),
        ("ledger", "restore", "salinan.sqlite3", "--yes", *english),
    )
    steps = (("queue", "plan.yaml", "--yes", *english), backup, FILES, FULL, *commands, FILES, ROOM)
    ran = on_a_small_disk(stage.root, *steps, READ_ONLY, *commands, FILES, WRITABLE, *commands, ("ledger", "check"))
    assert [one.code for one in ran[:2]] == [0, 0], ran[:2]
    for one in (*ran[3:6], *ran[7:10]):
        assert one.code == 2, one
        assert "→ " in one.err
        assert "unexpected" not in one.err
    kept = [
        {name for name in one.out.split() if not name.endswith(("-wal", "-shm"))} for one in (ran[2], ran[6], ran[10])
    ]
    assert kept[0] == kept[1] == kept[2]
    assert [one.code for one in ran[11:]] == [0, 0, 0, 0], ran[11:]
