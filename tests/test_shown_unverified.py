"""What nobody has verified says so, wherever approvals are shown: a bare name, and something that only stands where a
signature would."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import Campaign, Ran
from ledger_helpers import Bench, tamper
from signing_helpers import Ring
from staged import Staged, soon

KEY = "plan/pembuka/mastodon"


@pytest.fixture
def ring(tmp_path: Path) -> Ring:
    """Keys beside the workspace."""
    return Ring(tmp_path.parent / f"{tmp_path.name}-keys", tmp_path)


def queued(campaign: Campaign, stage: Staged, *, rules: str = "") -> Path:
    """A plan that needs one approval, queued."""
    if rules:
        accounts = stage.root / "accounts.yaml"
        accounts.write_text(f"{accounts.read_text()}\nrules: {{{rules}}}\n")
    item = f'  - id: pembuka\n    at: "{soon(hours=1)}"\n    text: "Upah layak."\n'
    plan = stage.plan(item, head="approval: 1\n")
    assert campaign("queue", plan, "--yes").code == 0
    return plan


def everywhere(campaign: Campaign, plan: Path) -> dict[str, str]:
    """What each command shows of the approvals, in English."""
    shown: dict[str, Ran] = {
        "list": campaign("approve", plan, "--list", "--lang", "en"),
        "status": campaign("status", "--lang", "en"),
        "preview": campaign("preview", plan, "--queued", "--lang", "en"),
    }
    assert campaign("evidence", "plan", "--out", plan.parent / "bukti", "--lang", "en").code == 0
    pages = {"evidence": (plan.parent / "bukti.html").read_text(encoding="utf-8")}
    return {name: " ".join(ran.out.split()) for name, ran in shown.items()} | pages


def in_json(campaign: Campaign, plan: Path) -> list[bool]:
    """``verified`` as programs read it: approve --list, status, evidence."""
    (listed,) = json.loads(campaign("approve", plan, "--list", "--json").out)["deliveries"]
    (found,) = json.loads(campaign("status", "--json").out)["deliveries"]
    (written,) = json.loads((plan.parent / "bukti.json").read_text(encoding="utf-8"))["deliveries"]
    return [listed["history"][-1]["verified"], found["approvals"][-1]["verified"], written["approvals"][-1]["verified"]]


def test_a_bare_name_is_unverified_everywhere(campaign: Campaign, stage: Staged) -> None:
    """`--as` is anybody's word: the list, the status, the preview and the evidence say so."""
    plan = queued(campaign, stage)
    assert campaign("approve", plan, "--as", "Siti", "--yes").code == 0
    for name, text in everywhere(campaign, plan).items():
        assert "Siti" in text, name
        assert "unverified" in text, name
    assert in_json(campaign, plan) == [False] * 3


def test_a_signature_is_called_verified_only_while_it_is_good(campaign: Campaign, stage: Staged, ring: Ring) -> None:
    """With a key of the file it is; when the key has left the file, it isn't any more."""
    ring.name("siti@serikat.example", "siti")
    plan = queued(campaign, stage, rules="approval: 1, approvers: approvers")
    ran = campaign("approve", plan, "--as", "siti@serikat.example", "--sign", ring.key("siti"), "--yes")
    assert ran.code == 0, ran.err
    for name, text in everywhere(campaign, plan).items():
        assert "siti@serikat.example" in text, name
        assert "unverified" not in text, name
    assert in_json(campaign, plan) == [True] * 3
    ring.lines.clear()
    ring.name("budi@serikat.example", "budi")
    for name, text in everywhere(campaign, plan).items():
        assert "unverified" in text, name
    assert in_json(campaign, plan) == [False] * 3


def test_a_row_with_rubbish_for_a_signature_is_unverified(campaign: Campaign, stage: Staged) -> None:
    """Whoever may write the ledger can put anything there; it is no more than a name."""
    plan = queued(campaign, stage)
    assert campaign("approve", plan, "--as", "Ketua Umum", "--yes").code == 0
    bench = Bench(stage.root, clock=lambda: datetime.now(UTC))  # type: ignore[arg-type]
    tamper(bench, "UPDATE approvals SET signature = 'SSHSIG'")
    bench.ledger.close()
    for name, text in everywhere(campaign, plan).items():
        assert "Ketua Umum" in text, name
        assert "unverified" in text, name
    assert in_json(campaign, plan) == [False] * 3
