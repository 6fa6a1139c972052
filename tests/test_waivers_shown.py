"""What was waived, and why, is shown to whoever approves, by everything that shows what the ledger holds."""

from __future__ import annotations

import json
from pathlib import Path

from conftest import Campaign, Ran
from staged import Staged, soon
from test_cli_approve import approve, queued

KEY = "plan/pembuka/mastodon"
REASON = "Nomor posko, disetujui pemiliknya"
OTHER = "Rapat pengurus 1 Desember"
SHOWN = "waived: S006 (A telephone number is in what is sent). Reason: "


def posts(reason: str = REASON, *, name: str = "pembuka") -> str:
    """A post with a number that its plan lets through, and one without."""
    later = soon(hours=2)
    first = f'  - id: {name}\n    at: "{later}"\n    text: "WA 0812-0000-1234"\n    waive: {{S006: "{reason}"}}\n'
    return first + f'  - id: penutup\n    at: "{later}"\n    text: "Upah layak adalah hak."\n'


def shown(ran: Ran) -> list[str]:
    assert ran.code == 0, ran.err
    return [line.strip(" │") for line in ran.out.splitlines() if "waived:" in line]


def test_an_approver_sees_what_was_waived_before_saying_yes(campaign: Campaign, stage: Staged) -> None:
    """Code, rule and reason stand with the content of that delivery alone; in JSON, beside its key."""
    plan = queued(campaign, stage, posts())
    ran = campaign("approve", plan, "--as", "Siti")
    assert (ran.code, "waived" in ran.out) == (2, True)  # nobody to ask: shown, and nothing approved
    assert shown(approve(campaign, plan)) == [SHOWN + REASON]
    for more in (("--as", "Budi", "--yes"), ("--list",)):
        found = json.loads(campaign("approve", plan, *more, "--json").out)["deliveries"]
        assert {one["key"]: one["waived"] for one in found} == {KEY: {"S006": REASON}, "plan/penutup/mastodon": {}}


def test_the_reason_is_the_one_that_it_was_queued_with_last(campaign: Campaign, stage: Staged) -> None:
    """Another reason replaces the first; without a waiver, none is shown."""
    queued(campaign, stage, posts())
    plan = queued(campaign, stage, posts(OTHER))
    assert shown(campaign("preview", plan, "--queued")) == [SHOWN + OTHER]
    assert shown(approve(campaign, plan)) == [SHOWN + OTHER]
    later = soon(hours=2)
    clean = (
        f'  - id: pembuka\n    at: "{later}"\n    text: "Halo."\n  - id: penutup\n    at: "{later}"\n    text: "Ya."\n'
    )
    assert shown(approve(campaign, queued(campaign, stage, clean))) == []


def test_the_preview_of_what_is_queued_shows_waivers(campaign: Campaign, stage: Staged, tmp_path: Path) -> None:
    """On the terminal, on the page and in JSON; a reason can't steer the terminal, nor the page."""
    reason = "Disetujui <b>rapat</b> \\e[31m"
    plan = queued(campaign, stage, posts(reason))
    (line,) = shown(campaign("preview", plan, "--queued"))
    assert line.startswith(SHOWN + "Disetujui <b>rapat</b> ")
    assert "\x1b" not in line
    page = tmp_path / "halaman.html"
    assert campaign("preview", plan, "--queued", "--html", page).code == 0
    text = page.read_text(encoding="utf-8")
    assert "waived: S006" in text
    assert "Disetujui &lt;b&gt;rapat&lt;/b&gt;" in text
    assert "\x1b" not in text
    found = json.loads(campaign("preview", plan, "--queued", "--json").out)["posts"]
    assert {one["key"]: list(one["waived"]) for one in found} == {KEY: ["S006"], "plan/penutup/mastodon": []}
