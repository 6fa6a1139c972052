"""A small workspace on disk, for tests of what plans become."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent

from campaign_cli.checks import Examined, examine
from campaign_cli.models import Draft
from campaign_cli.plan import open_workspace

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ACCOUNTS = """\
accounts:
  mastodon:       {platform: mastodon, url: https://mastodon.example, token: env:MASTODON_TOKEN, language: id}
  internasional:  {platform: mastodon, url: https://social.example, token: env:OTHER_TOKEN, language: en}
  papua-telegram: {platform: telegram, channel: "@contoh_papua", token: env:TELEGRAM_TOKEN, timezone: WIT}
  langit:         {platform: bluesky, handle: serikat.example, password: env:BLUESKY_PASSWORD}
  web:            {platform: wordpress, url: https://serikat.example, username: redaksi, password: env:WP_PASSWORD}
"""
HEAD = """\
campaign: upah-layak
timezone: WIB
language: id
"""


class Folder:
    """A workspace under ``root``; ``plan`` writes plan.yaml below the usual head and examines it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("accounts.yaml", ACCOUNTS)

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else dedent(text).encode())
        return path

    def plan(self, body: str, *, now: datetime = NOW) -> Examined:
        path = self.write("plan.yaml", HEAD + dedent(body))
        workspace, problems = open_workspace(self.root)
        return examine(path, workspace, now=now, workspace_problems=problems)

    def draft(self, body: str, account: str = "mastodon") -> Draft:
        """The one draft of an account, of a plan without errors."""
        examined = self.plan(body)
        assert [problem for problem in examined.problems if problem.severity == "error"] == []
        (draft,) = (draft for draft in examined.drafts.values() if draft.account == account)
        return draft

    def text(self, body: str, account: str = "mastodon") -> str:
        (part,) = self.draft(body, account).parts
        return part.text


def codes(examined: Examined, family: str = "") -> list[str]:
    """The codes found, of a family such as ``L``; without the hint that limits were never read."""
    return [problem.code for problem in examined.problems if problem.code.startswith(family) and problem.code != "L901"]
