"""Commands go by the ledger's clock: on a database server it is not this machine's, whose own may be wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from conftest import Campaign
from staged import Staged

from campaign_cli.cli import context, dispatching
from campaign_cli.cli.commands import COMMANDS

pytestmark = pytest.mark.sqlite  # its ledger's clock is passed in

AHEAD = timedelta(hours=5)
POST = '  - {{id: a, at: "{at}", accounts: [papua], text: "Pesan."}}\n'
SetAhead = Callable[[timedelta], None]


@pytest.fixture
def ledger_clock(monkeypatch: pytest.MonkeyPatch) -> SetAhead:
    """Set how far the ledger's clock is ahead of the machine's, which the commands have for everything else."""
    for module in (dispatching.__name__, *(f"campaign_cli.cli.{name}" for name in COMMANDS)):
        import_module(module)  # each has the machine's clock from here on

    def ahead(distance: timedelta) -> None:
        monkeypatch.setattr(context, "now", lambda: datetime.now(UTC) + distance)

    return ahead


def queued(campaign: Campaign, stage: Staged, **distance: float) -> None:
    """One post for the Telegram channel, due so far from the machine's time."""
    at = (datetime.now(UTC) + timedelta(**distance)).isoformat(timespec="seconds")
    assert campaign("queue", stage.plan(POST.format(at=at)), "--yes").code == 0


def due(campaign: Campaign) -> tuple[str, datetime]:
    """The state of the only delivery, and when it is due."""
    (one,) = json.loads(campaign("status", "--json").out)["deliveries"]
    return one["state"], datetime.fromisoformat(one["due"])


def near(at: datetime, distance: timedelta) -> bool:
    """Whether an instant is about so far from the machine's time."""
    return abs(at - datetime.now(UTC) - distance) < timedelta(minutes=30)


def test_a_retry_is_due_at_once(campaign: Campaign, stage: Staged, ledger_clock: SetAhead) -> None:
    """``retry`` without ``--at`` means the ledger's now: the machine's would be too late to be sent at all."""
    queued(campaign, stage, hours=2)
    assert campaign("cancel", "plan/a/papua", "--yes").code == 0
    ledger_clock(AHEAD)
    assert campaign("retry", "plan/a/papua", "--yes").code == 0
    state, at = due(campaign)
    assert (state, near(at, AHEAD)) == ("waiting", True)
    assert campaign("publish").code == 0
    assert len(stage.posts("papua")) == 1


def test_a_message_is_sent_at_once(campaign: Campaign, stage: Staged, ledger_clock: SetAhead) -> None:
    """``post`` without ``--at`` goes out, whatever the machine's clock says."""
    ledger_clock(AHEAD)
    ran = campaign("post", "Pesan.", "--to", "papua")
    assert ran.code == 0, ran.err
    assert len(stage.posts("papua")) == 1


def test_a_shift_is_counted_from_the_ledgers_time(campaign: Campaign, stage: Staged, ledger_clock: SetAhead) -> None:
    """``release --late +2h`` is two hours after the release as the ledger sees it."""
    queued(campaign, stage, hours=2)
    assert campaign("hold", "--reason", "rapat").code == 0
    ledger_clock(AHEAD)
    assert campaign("release", "--late", "+2h").code == 0
    state, at = due(campaign)
    assert (state, near(at, AHEAD + timedelta(hours=2))) == ("waiting", True)


def test_what_a_person_lets_go_is_due_at_once(campaign: Campaign, stage: Staged, ledger_clock: SetAhead) -> None:
    """``resolve --not-published --at now`` means the ledger's now."""
    queued(campaign, stage, hours=5)
    ledger_clock(AHEAD + timedelta(minutes=1))
    stage.misbehave("telegram:accept-then-drop:1")
    assert campaign("publish").code == 4
    ledger_clock(AHEAD * 2)
    assert campaign("resolve", "plan/a/papua", "--not-published", "--at", "now").code == 0
    state, at = due(campaign)
    assert (state, near(at, AHEAD * 2)) == ("waiting", True)
