"""Machines whose accounts.yaml is older than the clock's."""

from __future__ import annotations

import asyncio
from pathlib import Path

from dispatch_helpers import START, Table

from campaign_cli.dispatch.options import LEASE
from campaign_cli.dispatch.publish import publish_pass
from campaign_cli.ledger import Settlement
from campaign_cli.models import State


def test_a_worker_leaves_alone_what_it_was_not_given_and_does_not_know(tmp_path: Path) -> None:
    """It sends for the accounts of its keys; another machine's new account is neither failed nor left to a person."""
    table = Table(tmp_path)
    unknown, doubtful = table.queue("p", account="baru"), table.queue("q", account="baru")
    (claim,) = table.ledger.claim(
        worker="other", limit=1, per_account=1, lease=LEASE, late_grace=LEASE, keys=[doubtful]
    ).claims
    table.ledger.settle([Settlement(key=doubtful, token=claim.token, state=State.UNCERTAIN, error="", next_try=START)])
    known = table.queue("r")
    dispatcher = table.dispatcher()
    dispatcher.accounts = ("web",)
    asyncio.run(publish_pass(dispatcher))
    assert [table.state(key) for key in (known, unknown, doubtful)] == ["published", "waiting", "uncertain"]
    found = table.ledger.delivery(doubtful)
    assert found is not None
    assert found.next_try == START
