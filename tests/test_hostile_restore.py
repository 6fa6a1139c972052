"""A restore by somebody who is out for a second copy of a post, or for one that a hold was to stop."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from care_helpers import restore
from ledger_helpers import GRACE, START, Bench, make

from campaign_cli.ledger.backup import back_up
from campaign_cli.models import State

TOMORROW = START + timedelta(days=1)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def put_back(bench: Bench, file: Path, **options: object) -> None:
    restore(bench.root, bench.clock, file, asks=lambda _name: True, **options)  # type: ignore[arg-type]


def test_what_was_moved_forward_and_sent_since_the_backup_is_not_sent_again(bench: Bench) -> None:
    """Due tomorrow in the backup, sent today in the ledger that is replaced: nothing sends it by itself."""
    bench.queue(make(due=TOMORROW), make("c/q/a", due=TOMORROW))
    file = back_up(bench.ledger).path
    bench.ledger.cancel(["c/p/a"], actor="siti")
    bench.ledger.retry(["c/p/a"], actor="siti", at=bench.clock())
    bench.publish(bench.claim_one())
    put_back(bench, file)
    assert bench.state("c/p/a") is State.UNCERTAIN
    assert bench.state("c/q/a") is State.WAITING
    assert bench.ledger.claim_doubtful(worker="w", limit=9, lease=GRACE) == ()  # a person looks
    bench.clock.at = TOMORROW
    assert [claim.key for claim in bench.claim().claims] == ["c/q/a"]


def test_a_hold_of_since_the_backup_still_holds(bench: Bench) -> None:
    """A hold that is open in the ledger that is replaced is open in what takes its place, once."""
    bench.queue(make(due=TOMORROW))
    file = back_up(bench.ledger).path
    bench.ledger.hold(campaign="c", reason="tunggu", actor="siti")
    for _time in range(2):
        put_back(bench, file)
        assert [(hold.campaign, hold.reason) for hold in bench.ledger.holds()] == [("c", "tunggu")]
    bench.clock.at = TOMORROW
    assert bench.claim().claims == ()
    bench.ledger.release([hold.id for hold in bench.ledger.holds()], actor="siti")
    put_back(bench, file)
    assert bench.ledger.holds() == []
