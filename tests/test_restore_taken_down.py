"""What was taken down since a backup stays down after a restore, also where the ledger that is replaced is damaged."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from care_helpers import restore
from conftest import Campaign
from ledger_helpers import GRACE, START, Bench, make

from campaign_cli.ledger.backup import back_up
from campaign_cli.ledger.files import ledger_file
from campaign_cli.ledger.remaining import known_of
from campaign_cli.ledger.replacing import Restored
from campaign_cli.models import State

LATER = START + timedelta(minutes=5)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def put_back(bench: Bench, file: Path, **options: object) -> Restored:
    """Restore, and open what is there then."""
    done = restore(bench.root, bench.clock, file, asks=lambda _name: True, **options)  # type: ignore[arg-type]
    bench.ledger.close()
    bench.ledger = bench.open()
    return done


def take_down(bench: Bench, key: str = "c/p/a") -> None:
    """Everything that is out of it."""
    delivery = bench.ledger.begin_withdrawal(key, reason="salah", actor="siti")
    for receipt in delivery.receipts:
        bench.ledger.withdrawn(key, receipt, by_hand=False, actor="siti")


def sent_and_taken_down(bench: Bench) -> Path:
    """A backup, and then a post goes out and is taken down; its backup."""
    bench.queue(make(), make("c/q/a"))
    file = back_up(bench.ledger).path
    bench.clock.forward(minutes=1)
    bench.publish(bench.claim_one(keys=["c/p/a"]))
    take_down(bench)
    bench.clock.forward(minutes=1)
    return file


def proved_unsent(bench: Bench) -> None:
    """Every doubtful delivery is looked up, and isn't found: it was deleted."""
    for claim in bench.ledger.claim_doubtful(worker="w1", limit=9, lease=GRACE):
        bench.settle(claim, State.WAITING, error="not there")


def stays_down(bench: Bench) -> None:
    """Nothing sends it again: no claim, no retry; the other one goes on."""
    assert bench.state("c/p/a") is State.CANCELLED
    assert bench.ledger.taken_back(["c/p/a", "c/q/a"]) == {"c/p/a"}
    assert bench.ledger.retry(["c/p/a"], actor="siti") == []
    bench.ledger.release([one.id for one in bench.ledger.holds()], actor="siti")
    assert [claim.key for claim in bench.claim().claims] == ["c/q/a"]


def test_what_went_out_and_was_taken_down_since_is_not_sent_when_it_is_not_found(bench: Bench) -> None:
    """The look-up finds nothing, since it was deleted: that must not send it once more."""
    done = put_back(bench, sent_and_taken_down(bench))
    assert (done.down, done.whole, done.held) == (("c/p/a",), True, False)
    proved_unsent(bench)
    stays_down(bench)


def test_what_the_backup_knows_itself_is_not_told_as_news(bench: Bench) -> None:
    """It was taken down before the backup, so "since" would be wrong; it stays down all the same."""
    sent_and_taken_down(bench)
    bench.clock.forward(minutes=1)
    done = put_back(bench, back_up(bench.ledger).path)
    assert done.down == ()
    assert bench.ledger.taken_back(["c/p/a", "c/q/a"]) == {"c/p/a"}
    assert bench.ledger.retry(["c/p/a"], actor="siti") == []


def test_nothing_sent_does_not_bring_it_back(bench: Bench) -> None:
    """A person's word that nothing was sent is no word that something may be sent again."""
    put_back(bench, sent_and_taken_down(bench), nothing_sent=True)
    stays_down(bench)


def test_a_name_of_before_is_the_same_delivery(bench: Bench) -> None:
    """It was renamed before it went out: the backup knows it by its old name."""
    bench.queue(make(), make("c/q/a"))
    file = back_up(bench.ledger).path
    from campaign_cli.ledger import Changes
    from campaign_cli.ledger.values import Move

    known = bench.ledger.known("c")
    moved = Move(old_key="c/p/a", delivery=make("c/baru/a", text="Pos c/p/a"), as_it_is=False)
    bench.ledger.apply(Changes(moved=(moved,), seen={"c/p/a": known["c/p/a"]}), actor="siti")
    bench.publish(bench.claim_one(keys=["c/baru/a"]))
    take_down(bench, "c/baru/a")
    bench.clock.forward(minutes=1)
    assert put_back(bench, file).down == ("c/p/a",)
    proved_unsent(bench)
    stays_down(bench)


def test_a_thread_that_was_taken_down_is_not_gone_on_with(bench: Bench) -> None:
    """In the backup it waits for its second part; since then it failed and was taken down."""
    bench.queue(make(parts=["satu", "dua"]), make("c/q/a"))
    claim = bench.claim_one(keys=["c/p/a"])
    bench.ledger.keep_receipt(claim, bench.receipt("r0"))
    bench.settle(claim, State.WAITING, error="nanti", next_try=bench.clock())
    file = back_up(bench.ledger).path
    bench.clock.forward(minutes=1)
    bench.settle(bench.claim_one(keys=["c/p/a"]), State.FAILED, error="refused")
    take_down(bench)
    put_back(bench, file)
    proved_unsent(bench)
    stays_down(bench)


def damage(path: Path, *, at: float = 0.97) -> None:
    """Some pages of the file are rubbish."""
    content = path.read_bytes()
    start = int(len(content) * at) // 4096 * 4096
    path.write_bytes(content[:start] + os.urandom(4096) + content[start + 4096 :])


@pytest.mark.sqlite
def test_a_damaged_ledger_still_tells_what_it_can(bench: Bench) -> None:
    """A page in it is rubbish: what can be read of holds, withdrawals and approvals counts, and the rest is held."""
    bench.queue(
        *(make(f"c/lain{number}/a", due=START + GRACE * 99, text="x" * 900 + str(number)) for number in range(80))
    )
    file = sent_and_taken_down(bench)
    bench.ledger.hold(account="x", reason="tunggu", actor="siti")
    bench.queue(
        *(make(f"c/isi{number}/a", due=START + GRACE * 99, text="y" * 900 + str(number)) for number in range(80))
    )
    bench.ledger.close()
    damage(ledger_file(bench.root))
    done = put_back(bench, file)
    assert (bool(done.damaged), done.down) == (True, ("c/p/a",))
    assert any((hold.account, hold.reason) == ("x", "tunggu") for hold in bench.ledger.holds())
    proved_unsent(bench)
    stays_down(bench)


@pytest.mark.sqlite
def test_where_it_tells_nothing_everything_is_held(bench: Bench) -> None:
    """Nobody can say what was held, taken down or taken back: nothing goes out before somebody has looked."""
    file = sent_and_taken_down(bench)
    bench.ledger.close()
    ledger_file(bench.root).write_bytes(b"catatan rapat " * 500)
    for name in ("-wal", "-shm"):
        ledger_file(bench.root).with_name(ledger_file(bench.root).name + name).unlink(missing_ok=True)
    done = put_back(bench, file)
    assert (done.whole, done.held, done.down) == (False, True, ())
    proved_unsent(bench)
    assert bench.claim().claims == ()
    assert [hold.campaign for hold in bench.ledger.holds()] == [None]


def test_a_table_that_is_missing_hides_nothing_else(bench: Bench) -> None:
    """One can't be read: the others are asked all the same, and the whole is not called whole."""
    sent_and_taken_down(bench)
    bench.ledger.hold(account="x", reason="tunggu", actor="siti")
    with bench.ledger.writing() as connection:
        connection.exec_driver_sql("DROP TABLE approvals")
        connection.exec_driver_sql("DROP TABLE steps")
        known = known_of(connection, damaged=True)
    assert (known.whole, known.void) == (False, [])
    assert known.taken_down == {"c/p/a"}  # the receipts and the log say so
    assert [row.account for row in known.holds] == ["x"]


@pytest.mark.sqlite
def test_the_command_says_what_may_be_forgotten(campaign: Campaign, tmp_path: Path) -> None:
    """Before the question: that it is damaged, and --hold; after it: what stays down, and that everything is held."""
    from datetime import UTC, datetime

    bench = Bench(tmp_path, clock=lambda: datetime.now(UTC))  # type: ignore[arg-type]
    bench.queue(make(due=bench.clock()))
    file = back_up(bench.ledger).path
    bench.publish(bench.claim_one())
    take_down(bench)
    bench.ledger.close()
    readable = campaign("ledger", "restore", file, "--yes", "--lang", "en")
    assert readable.code == 0, readable.err
    assert "1 delivery was taken down since, or is to be, and stays so:\n  c/p/a" in readable.out
    assert "may be forgotten" not in readable.err
    assert "stays down: c/p/a" in campaign("log", "--lang", "en").out
    ledger_file(tmp_path).write_bytes(b"catatan rapat " * 500)
    ran = campaign("ledger", "restore", file, "--yes", "--lang", "en")
    assert ran.code == 0, ran.err
    assert "may be forgotten" in " ".join(ran.err.split())
    assert "Not everything of the damaged ledger could be read" in " ".join(ran.out.split())
    assert "Everything is held" in ran.out
