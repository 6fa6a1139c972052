"""What people see on a terminal: layouts that can be copied, questions in their language, events in words."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import Campaign
from refusals import HEAD, POST, workspace

from campaign_cli.cli.layout import fold, table_lines

LONG = "http://127.0.0.1:8765/mastodon/mastodon/@mastodon/117658228242710529"
PATIENCE = 30  # seconds; far more than any of these needs
COLOURS = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with a plan of one post."""
    workspace(tmp_path)
    (tmp_path / "plan.yaml").write_text(HEAD + POST, encoding="utf-8")
    return tmp_path


def typed(*command: str, cwd: Path, answers: Sequence[str] = (), language: str = "id") -> tuple[str, int]:
    """Run a command on a terminal of 80 columns, answer its questions in turn; what it showed, and its exit code."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "campaign_cli", "--lang", language, *command],
        cwd=cwd,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "COLUMNS": "80", "TERM": "xterm", "LC_ALL": "C.UTF-8"},
    )
    os.close(theirs)
    shown, left, end = "", list(answers), time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if not select.select([ours], [], [], 0.1)[0]:
            continue
        try:
            shown += os.read(ours, 65536).decode("utf-8", "replace")
        except OSError:  # the other end is closed
            break
        if left and shown.rstrip(" ").endswith("]"):
            shown += "\n"
            os.write(ours, left.pop(0).encode() + b"\n")
    os.close(ours)
    return COLOURS.sub("", shown).replace("\r", ""), process.wait(PATIENCE)


def test_a_table_never_breaks_an_address() -> None:
    """Where a row is too wide, what doesn't fit goes below, whole; where there is no terminal, a row is one line."""
    rows = [("Mon, 7 Dec 2026 08:00 WIB", "published", "c/a/mastodon", LONG), ("Tue", "waiting", "c/b/mastodon", "")]
    columns = ("due", "state", "delivery", "link")
    assert table_lines(columns, rows, width=80) == [
        "due                        state      delivery      link",
        "─" * 70,
        "Mon, 7 Dec 2026 08:00 WIB  published  c/a/mastodon",
        f"  {LONG}",
        "Tue                        waiting    c/b/mastodon",
    ]
    narrow = table_lines(columns, rows, width=40)
    assert f"  {LONG}" in narrow
    assert "  c/a/mastodon" in narrow
    assert len(table_lines(columns, rows, width=None)) == 4


def test_sentences_break_between_words() -> None:
    """The continuation of a fix is indented; an address longer than the line stays whole."""
    text = "x.yaml:1:1: error P001: Nothing here is as it should be.\n    → Write it as the manual says, see " + LONG
    folded = fold(text, 40).split("\n")
    assert max(len(line) for line in folded if LONG not in line) <= 40
    assert f"      {LONG}" in folded
    assert fold(text, None) == text


def test_a_question_is_asked_and_answered_in_indonesian(root: Path) -> None:
    """What is neither yes nor no is asked again; t is no, y is yes, and a no is said back."""
    shown, code = typed("queue", "plan.yaml", cwd=root, answers=["mungkin", "t"])
    assert code == 0
    assert shown.count("[y/T]") == 2
    assert "Jawab y (ya) atau t (tidak)." in shown
    assert "Tidak ada yang diantrekan." in shown
    assert not (root / ".campaign" / "ledger.sqlite3").exists()
    shown, code = typed("queue", "plan.yaml", cwd=root, answers=["Y"])
    assert (code, "Diantrekan: 1 baru" in shown) == (0, True)


def test_no_answer_means_no(root: Path) -> None:
    """Enter alone queues nothing."""
    shown, code = typed("queue", "plan.yaml", cwd=root, answers=[""], language="en")
    assert (code, "[y/N]" in shown, "Nothing was queued." in shown) == (0, True, True)


def test_status_tells_of_holds_and_log_in_words(campaign: Campaign, root: Path) -> None:
    """An open hold stands below the deliveries with its reason; the log says what happened in words, in a zone."""
    assert campaign("queue", "plan.yaml", "--yes").code == 0
    assert campaign("hold", "--reason", "menunggu sidang", "--campaign", "plan").code == 0
    ran = campaign("status")
    assert "1 delivery: 1 waiting (held)" in ran.out
    assert re.search(r"On hold since .+ WIB: campaign plan\. .+: menunggu sidang", ran.out)
    assert "No delivery matches." in campaign("status", "--campaign", "lain").out
    assert campaign("release", "--campaign", "plan").code == 0
    assert campaign("cancel", "plan/satu/mastodon", "--yes").code == 0
    queued, held, released, cancelled = campaign("log").out.splitlines()
    assert re.search(r"WIB  queued  plan/satu/mastodon  .+: due Fri, 1 Jun 2035 08:00 WIB$", queued)
    assert ("held" in held, "released" in released, "cancelled" in cancelled) == (True, True, True)
    assert "Dibatalkan" not in campaign("log", "--lang", "id").out
    assert "diantrekan" in campaign("log", "--lang", "id").out


def test_a_word_that_is_no_choice_names_the_choices(campaign: Campaign, root: Path) -> None:
    """An option with few values says which they are, in both languages."""
    ran = campaign("check", "--format", "xml", "plan.yaml")
    assert (ran.code, "--format: one of: text, json, github" in ran.err) == (2, True)
    assert "salah satu dari: text, json, github" in campaign("check", "--format", "xml", "x", "--lang", "id").err
    assert "--port: a whole number from 0 to 65535" in campaign("stage", "--port", "x").err
    assert "--last: a whole number, 1 or more" in campaign("log", "--last", "0").err


def test_a_time_that_is_none_is_told_before_the_question(campaign: Campaign, root: Path) -> None:
    """``retry --at`` is read first."""
    assert campaign("queue", "plan.yaml", "--yes").code == 0
    assert campaign("cancel", "--campaign", "plan", "--yes").code == 0
    ran = campaign("retry", "--campaign", "plan", "--at", "30:00")
    assert (ran.code, "'30:00' is no time" in ran.err, ran.out) == (2, True, "")
    assert campaign("cancel", "--campaign", "plan").out == "No waiting delivery matches.\n"


def test_accounts_are_listed_as_people_know_them(campaign: Campaign, root: Path) -> None:
    """Zones by their Indonesian names, addresses without secret references, groups with their members."""
    ran = campaign("accounts", "list")
    assert re.search(r"^papua +telegram +WIT +@fspc_papua", ran.out, re.M)
    assert "env:" not in ran.out
    assert "group semua: mastodon, bluesky, web, papua" in ran.out
