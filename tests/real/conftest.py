"""Servers that ``tests/real/run`` started, and a workspace whose plan is published to all of them once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from clients import Bluesky, Mastodon, Matrix, WordPress
from PIL import Image

ACCOUNTS = """\
accounts:
  mastodon: {{platform: mastodon, url: "{mastodon}", token: env:MASTODON_TOKEN, timezone: WIB, language: id}}
  bluesky: {{platform: bluesky, url: "{bluesky}", handle: {handle}, password: env:BLUESKY_PASSWORD, language: id}}
  web: {{platform: wordpress, url: "{wordpress}", username: redaksi, password: env:WP_PASSWORD, language: id}}
  matrix: {{platform: matrix, url: "{matrix}", room: "{room}", token: env:MATRIX_TOKEN, timezone: WIB, language: id}}
groups: {{semua: [mastodon, bluesky, web, matrix]}}
"""


@dataclass(frozen=True, kw_only=True)
class Servers:
    """A client for each real server."""

    wordpress: WordPress
    bluesky: Bluesky
    mastodon: Mastodon
    matrix: Matrix

    def counts(self) -> dict[str, int]:
        """How many posts each server has."""
        return {
            "mastodon": self.mastodon.count(),
            "bluesky": len(self.bluesky.records()),
            "wordpress": self.wordpress.count(),
            "matrix": len(self.matrix.events()),
        }


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """A folder with accounts.yaml, and the secrets in its environment."""

    folder: Path
    secrets: Mapping[str, str]

    def campaign(self, *words: str, secrets: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run the real command line in the folder."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CAMPAIGN_")}
        return subprocess.run(
            [sys.executable, "-m", "campaign_cli", "--lang", "en", *words],
            cwd=self.folder,
            env=environment | (self.secrets if secrets is None else secrets),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    def deliveries(self) -> dict[str, dict[str, Any]]:
        """``status --json`` by ``post/account``."""
        ran = self.campaign("status", "--json")
        assert ran.returncode == 0, ran.stderr
        return {f"{item['post']}/{item['account']}": item for item in json.loads(ran.stdout)["deliveries"]}

    def queue(self, plan: str, *, ahead: int = 15) -> datetime:
        """Write the plan with ``@AT@`` so many seconds from now, check it, queue it; returns that instant."""
        at = (datetime.now(UTC) + timedelta(seconds=ahead)).replace(microsecond=0)
        (self.folder / "plan.yaml").write_text(plan.replace("@AT@", f'"{at.isoformat()}"'), encoding="utf-8")
        for words in (("check", "plan.yaml"), ("queue", "plan.yaml", "--yes")):
            ran = self.campaign(*words)
            assert ran.returncode == 0, f"{words}: {ran.stdout}\n{ran.stderr}"
        return at


def wait_until(at: datetime) -> None:
    """Sleep until just after an instant."""
    time.sleep(max(0.0, (at - datetime.now(UTC)).total_seconds() + 0.5))


@pytest.fixture(scope="session")
def servers() -> Servers:
    """Clients of the running servers; skipped where ``tests/real/run`` did not start them."""
    try:
        where = {name: os.environ[f"CAMPAIGN_REAL_{name}"] for name in ("WORDPRESS", "BLUESKY", "MASTODON", "MATRIX")}
    except KeyError:
        pytest.skip("real servers are started by tests/real/run (make test-real)")
    return Servers(
        wordpress=WordPress(url=where["WORDPRESS"], password=os.environ["CAMPAIGN_REAL_WORDPRESS_PASSWORD"]),
        bluesky=Bluesky.with_new_account(where["BLUESKY"], os.environ["CAMPAIGN_REAL_BLUESKY_SECRET"], name="serikat"),
        mastodon=Mastodon(url=where["MASTODON"], token=os.environ["CAMPAIGN_REAL_MASTODON_TOKEN"]),
        matrix=Matrix.with_new_account(where["MATRIX"], os.environ["CAMPAIGN_REAL_MATRIX_SECRET"], name="serikat"),
    )


def new_workspace(folder: Path, servers: Servers) -> Workspace:
    """A workspace with an account of each server and two small pictures."""
    accounts = ACCOUNTS.format(
        mastodon=servers.mastodon.url,
        bluesky=servers.bluesky.url,
        handle=servers.bluesky.handle,
        wordpress=servers.wordpress.url,
        matrix=servers.matrix.url,
        room=servers.matrix.room,
    )
    (folder / "accounts.yaml").write_text(accounts, encoding="utf-8")
    (folder / "media").mkdir()
    for name, colour in (("merah", "#c1121f"), ("biru", "#003049")):
        Image.new("RGB", (320, 240), colour).save(folder / "media" / f"{name}.png")
    secrets = {
        "MASTODON_TOKEN": servers.mastodon.token,
        "BLUESKY_PASSWORD": servers.bluesky.password,
        "WP_PASSWORD": servers.wordpress.password,
        "MATRIX_TOKEN": servers.matrix.token,
    }
    return Workspace(folder=folder, secrets=secrets)


@pytest.fixture
def workspace(tmp_path: Path, servers: Servers) -> Workspace:
    """A workspace of its own for one test."""
    return new_workspace(tmp_path, servers)
