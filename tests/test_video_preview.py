"""A video in previews, and a whole rehearsal with one."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from films import film, video
from report_helpers import MADE_AT, account, entry, preview
from test_report_terminal import panels, requests

from campaign_cli.models import State
from campaign_cli.plan import open_workspace
from campaign_cli.report.page import preview_page
from campaign_cli.stage.rehearsal import rehearse
from tests.report_helpers import draft

FILM = film(seconds=65)
VIDEO = video(FILM, seconds=65.0, alt='Massa "aksi" <berbaris>')
ACCOUNTS = """
accounts:
  nasional: {platform: mastodon, url: "https://mastodon.example", token: env:NO_SUCH_TOKEN}
  langit: {platform: bluesky, handle: contoh.bsky.social, password: env:NO_SUCH_WORD}
  kicau: {platform: x, handle: fsp_contoh, token: env:NO_SUCH_TOKEN}
  web: {platform: wordpress, url: "https://serikat.example", username: redaksi, password: env:NO_SUCH_WORD}
  kanal: {platform: telegram, channel: "@contoh_papua", token: env:NO_SUCH_BOT}
  ruang: {platform: discord, webhook: env:NO_SUCH_HOOK}
"""
PLAN = """
campaign: upah
timezone: WIB
accounts: [nasional, langit, kicau, web, kanal, ruang]
posts:
  - id: video
    at: 2026-12-10 08:00
    text: Kita turun bersama.
    media: [{file: aksi.mp4, alt: Massa aksi berbaris}]
"""


@pytest.mark.parametrize("platform", ["mastodon", "bluesky", "wordpress", "telegram"])
def test_the_page_says_what_a_video_is_and_holds_none(platform: str) -> None:
    """Name, length, sides and size on every network's card, with the alt text below; not one byte of it."""

    def read(_digest: str) -> bytes:
        raise AssertionError("a page needs no bytes of a video")

    page = preview_page(preview(entry(account(platform), "Aksi", media=(VIDEO,))), picture=read, made_at=MADE_AT)
    assert "▶ aksi.mp4" in page
    assert f"1:05, 640×360, {len(FILM)} B" in page
    assert "Massa &#34;aksi&#34; &lt;berbaris&gt;" in page
    assert "data:video" not in page


def test_the_terminal_says_what_a_video_is() -> None:
    """In one line, with the alt text below it; what is not known is not said."""
    text = panels(preview(entry(account(), "Aksi", media=(VIDEO,))))
    assert f"Video: aksi.mp4 (1:05, 640×360, {len(FILM)} B)" in text
    assert 'Alt text: Massa "aksi" <berbaris>' in text


def test_requests_show_a_video_as_a_file() -> None:
    """Its name, type and size."""
    where = account("telegram")
    (request,) = requests(where, draft(where, "Aksi", media=(VIDEO,)))
    assert request.url.endswith("/sendVideo")
    assert request.body["video"].startswith("‹aksi.mp4, video/mp4, ")


def test_a_plan_with_a_video_is_rehearsed(tmp_path: Path) -> None:
    """It arrives on every network that takes it as it was written, and the original stays as it was."""
    (tmp_path / "accounts.yaml").write_text(ACCOUNTS)
    (tmp_path / "plan.yaml").write_text(PLAN)
    (tmp_path / "aksi.mp4").write_bytes(FILM)
    workspace, problems = open_workspace(tmp_path)
    now = datetime(2026, 12, 1, tzinfo=UTC)
    result = rehearse(tmp_path / "plan.yaml", workspace, now=now, workspace_problems=problems)
    assert [(row.account, row.state, row.differences) for row in result.rows] == [
        (name, State.PUBLISHED, ()) for name in ("nasional", "langit", "kicau", "web", "kanal", "ruang")
    ]
    assert hashlib.sha256((tmp_path / "aksi.mp4").read_bytes()).hexdigest() == hashlib.sha256(FILM).hexdigest()
