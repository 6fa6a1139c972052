"""A workspace in a folder whose accounts live on a stage that listens while the test runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from campaign_cli.credentials import Secrets, load_environment
from campaign_cli.plan import open_workspace
from campaign_cli.stage import stage_accounts
from campaign_cli.stage.faults import parse_misbehaviour
from campaign_cli.stage.server import StageServer
from campaign_cli.stage.state import StagePost

ACCOUNTS = """\
accounts:
  mastodon: {{platform: mastodon, url: "{url}/mastodon/mastodon", token: env:MASTODON_TOKEN, timezone: WIB}}
  bluesky: {{platform: bluesky, url: "{url}/bluesky/bluesky", handle: fspc.example.org, password: env:BLUESKY}}
  web: {{platform: wordpress, url: "{url}/wordpress/web", username: redaksi, password: env:WEB, timezone: WIB}}
  papua: {{platform: telegram, url: "{url}/telegram/papua", channel: "@fspc_papua", token: env:PAPUA, timezone: WIT}}
groups: {{semua: [mastodon, bluesky, web, papua]}}
slots: {{pagi: "07:30"}}
{more}
"""
SECRETS = {
    "MASTODON_TOKEN": "rahasia-mastodon-9f2c",
    "BLUESKY": "rahasia-bluesky-77aa",
    "WEB": "abcd efgh ijkl mnop qrst uvwx",
    "PAPUA": "123456789:rahasia-telegram-5d1e0c",
}


@dataclass
class Staged:
    """The folder and the server; ``posts`` are what the stage shows, oldest first."""

    root: Path
    server: StageServer

    def posts(self, account: str | None = None) -> list[StagePost]:
        """What is public on the stage."""
        public = [post for post in self.server.state.posts if post.status == "published"]
        return [post for post in public if account in (None, post.account)]

    def misbehave(self, text: str) -> None:
        """For example ``mastodon:503:2``."""
        self.server.misbehave([parse_misbehaviour(text, platforms=("mastodon", "bluesky", "wordpress", "telegram"))])

    def plan(self, posts: str, *, name: str = "plan.yaml", head: str = "") -> Path:
        """Write a plan; ``posts`` are the YAML list items."""
        path = self.root / name
        campaign = name.removesuffix(".yaml")
        path.write_text(
            f"campaign: {campaign}\ntimezone: WIB\nlanguage: id\naccounts: [mastodon]\n{head}posts:\n{posts}",
            encoding="utf-8",
        )
        return path


def soon(**distance: float) -> str:
    """An instant as a plan writes it, so far from now (in UTC, to the second)."""
    return (datetime.now(UTC) + timedelta(**distance)).isoformat(timespec="seconds")


@contextmanager
def staged(
    root: Path, *, more: str = "", clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Iterator[Staged]:
    """A workspace at ``root`` on a stage of its own; ``clock`` is the stage's."""
    with StageServer(clock=clock, accounts={}) as server:
        root.mkdir(parents=True, exist_ok=True)
        (root / "accounts.yaml").write_text(ACCOUNTS.format(url=server.url, more=more), encoding="utf-8")
        environment = root / ".env"
        environment.touch(mode=0o600)
        environment.write_text("".join(f'{name}="{value}"\n' for name, value in SECRETS.items()), encoding="utf-8")
        workspace, problems = open_workspace(root)
        assert not problems
        loaded, _ = load_environment(root, {})
        reveal = Secrets(environment=loaded, root=root).reveal
        server.state.add_accounts(stage_accounts(workspace.accounts, reveal=reveal))
        yield Staged(root, server)
