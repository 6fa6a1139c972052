"""A workspace on disk and a plan in it, for the tests of plans."""

from __future__ import annotations

from pathlib import Path

from campaign_cli.accounts import Workspace
from campaign_cli.models import Problem
from campaign_cli.plan import LoadedPlan, Planned, expand, load_plan, open_workspace

ACCOUNTS = """\
accounts:
  pusat: {platform: mastodon, url: https://mastodon.example, token: env:PUSAT, timezone: WIB, language: id}
  papua: {platform: telegram, channel: "@contoh_papua", token: env:PAPUA, timezone: WIT, language: id}
  makassar: {platform: telegram, channel: "@contoh_makassar", token: env:PAPUA, timezone: WITA}
  dunia: {platform: bluesky, handle: contoh.example.org, password: env:DUNIA, language: en}
groups: {nasional: [pusat, papua]}
slots: {pagi: "07:30", sore: "17:00"}
"""
HEAD = """\
campaign: upah-layak
timezone: WIB
day: 2026-12-10
accounts: [nasional]
posts:
"""
HEAD_LINES = 5


def workspace(root: Path, accounts: str = ACCOUNTS) -> Workspace:
    """The workspace of this folder; its accounts.yaml must be right."""
    (root / "accounts.yaml").write_text(accounts, encoding="utf-8")
    (root / "media").mkdir(exist_ok=True)
    (root / "media" / "poster.jpg").write_bytes(b"x")
    opened, problems = open_workspace(root)
    assert problems == []
    return opened


def load(root: Path, text: str, accounts: str = ACCOUNTS) -> tuple[LoadedPlan | None, list[Problem]]:
    """A plan of this text, read in a workspace."""
    opened = workspace(root, accounts)
    file = root / "campaigns" / "plan.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return load_plan(file, opened)


def expanded(root: Path, text: str, accounts: str = ACCOUNTS) -> tuple[list[Planned], list[Problem]]:
    """The deliveries of a plan, and all its problems: those of reading and those of times."""
    loaded, problems = load(root, text, accounts)
    assert loaded is not None
    planned, more = expand(loaded)
    return planned, problems + more


def post(text: str) -> str:
    """A plan with one post of these keys; its first line is line 6 of the file."""
    return HEAD + "  - " + text.strip().replace("\n", "\n    ") + "\n"
