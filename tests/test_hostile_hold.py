"""A hold while a sender stands still between its last look at the ledger and its request."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from conftest import Campaign
from ledger_helpers import GRACE, Bench, make

from campaign_cli.models import State


def test_a_sender_that_never_answered_is_not_taken_for_settled(tmp_path: Path, campaign: Campaign) -> None:
    """Its lease ran out while `hold` waited, and another process called the delivery uncertain: that says nothing of a
    request that may still leave, so the exit code is 4 and the key is named."""
    bench = Bench(tmp_path, clock=lambda: datetime.now(UTC))  # type: ignore[arg-type]
    bench.queue(make(due=bench.clock()))
    lease = timedelta(seconds=3)
    claim = bench.claim_one(lease=lease)
    bench.ledger.check_gate(claim.key, claim.token)  # and here it is suspended
    bench.ledger.close()
    swept = threading.Event()

    def sweep() -> None:
        with bench.open() as other:
            while not swept.wait(0.05) and other.delivery(claim.key).state is State.SENDING:  # type: ignore[union-attr]
                other.claim(worker="w2", limit=9, per_account=5, lease=lease, late_grace=GRACE)

    another = threading.Thread(target=sweep)
    another.start()
    try:
        held = campaign("hold", "--reason", "tunggu", "--lang", "en")
    finally:
        swept.set()
        another.join()
    assert held.code == 4
    assert claim.key in held.out
    assert "still out" in held.out
