"""What must be written down of a post that is out, whatever is wrong with the next one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from dispatch_helpers import Table

from campaign_cli.dispatch.publish import publish_pass
from campaign_cli.ledger import schema


def test_a_row_that_cannot_be_read_takes_no_outcome_with_it(tmp_path: Path) -> None:
    """The claim that shares a transaction with an outcome meets a torn step: the outcome is written all the same."""
    table = Table(tmp_path)
    keys = [table.queue(f"p{number}") for number in range(6)]
    with table.ledger.writing() as connection:
        torn = {"delivery": keys[-1], "part": 0, "generation": 0, "name": "media", "value": '{"torn'}
        connection.execute(schema.steps.insert().values(**torn))
        tried = schema.deliveries.update().where(schema.deliveries.c.key == keys[-1])
        connection.execute(tried.values(attempts=1))  # steps are read of what was tried before
    with pytest.raises(ValueError, match="Unterminated"):
        asyncio.run(publish_pass(table.dispatcher(per_account=2)))
    sent = len(table.remote.log)
    assert sent
    assert [table.state(key) for key in keys] == ["published"] * sent + ["waiting"] * (6 - sent)
