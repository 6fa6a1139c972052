"""A long upload is shown, keeps its lease, and gets the time that its size needs."""

from __future__ import annotations

import asyncio
import io
import sys
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from dispatch_helpers import START, FakePlatform, Table, Watching
from films import film, video
from platform_helpers import picture

from campaign_cli.cli.progress import Display, JsonLines, LogFormat, progress
from campaign_cli.dispatch import sending as engine
from campaign_cli.dispatch.outcome import Result
from campaign_cli.dispatch.publish import publish_pass
from campaign_cli.errors import Unavailable
from campaign_cli.models import Picture, Receipt, State
from campaign_cli.platforms.base import AT_ONCE, Request, Sending, Upload
from campaign_cli.platforms.http import HttpTransport

FILM = film()
VIDEO = video(FILM)
POSTER = bytes(AT_ONCE + 1)
PHOTO = picture(POSTER)


class Slow(FakePlatform):
    """A network to which a video needs five minutes, by the table's clock."""

    def __init__(self, table: Table) -> None:
        super().__init__()
        self.table = table

    async def publish(self, sending: Sending) -> Receipt:
        total = sending.content.media[0].size
        for minute in range(5):
            sending.uploaded(total * minute // 5, total)
            await sending.sleep(60)
            await self._renewed(sending)
        sending.uploaded(total, total)
        return await super().publish(sending)

    async def _renewed(self, sending: Sending) -> None:
        """Let the engine renew its lease."""
        for _look in range(1000):
            (row,) = self.table.ledger.deliveries()
            if row.lease_until and row.lease_until > sending.now() + timedelta(seconds=80):
                return
            await asyncio.sleep(0.01)
        raise AssertionError("the lease was not renewed")


class Keeping(Watching):
    """Keeps what it is told of uploads."""

    def __init__(self) -> None:
        super().__init__()
        self.uploads: list[tuple[str, int, int]] = []

    def uploaded(self, key: str, *, done: int, total: int) -> None:
        self.uploads.append((key, done, total))


@pytest.mark.parametrize(("medium", "content"), [(VIDEO, FILM), (PHOTO, POSTER)], ids=["video", "large picture"])
def test_an_upload_longer_than_a_lease_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, medium: Picture, content: bytes
) -> None:
    """The post goes out once, after one attempt, and whoever watches was told how far the upload was."""
    monkeypatch.setattr(engine, "STAY_SECONDS", 0.01)
    table = Table(tmp_path)
    table.platform, table.seen = Slow(table), Keeping()
    key = table.queue("a", media={medium: content})
    asyncio.run(publish_pass(table.dispatcher()))
    assert table.state(key) == "published"
    assert table.remote.texts() == ["Text of a"]
    found = table.ledger.delivery(key)
    assert found is not None
    assert found.attempts == 1
    assert table.clock.now() == START + timedelta(minutes=5)
    steps = [(key, len(content) * minute // 5, len(content)) for minute in range(6)]
    assert table.seen.uploads == steps


def test_a_large_body_may_take_longer_and_a_small_one_may_not() -> None:
    """By its size, on the slowest line that counts as one; what hangs for ever is still given up."""
    small = Request(method="POST", url="https://a.example", content=b"x" * 1000)
    large = Request(
        method="POST",
        url="https://a.example",
        uploads=(Upload(field="f", name="a.mp4", mime="video/mp4", content=bytes(33_000_000)),),
    )
    assert small.patience == 0
    assert large.patience == 1000

    async def hang() -> None:
        async def never(_request: httpx.Request) -> httpx.Response:
            await asyncio.Event().wait()
            raise AssertionError

        wire = httpx.MockTransport(never)
        http = HttpTransport(redact=str, now=lambda: START, wire=wire, time_out=0.01)
        tiny = Request(method="PUT", url="https://a.example", content=bytes(1_000_320))  # a hundredth of a second more
        with pytest.raises(Unavailable, match=r"0\.02 seconds"):
            await http.send(tiny)

    asyncio.run(hang())


def test_a_terminal_shows_a_bar_and_logs_stay_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bar has the key and the megabytes, and goes when the upload or the delivery is over."""
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stderr", terminal)
    options = {"file": None, "now": lambda: START, "zone": START.tzinfo, "redact": str}
    with progress(LogFormat.auto, **options) as shown:  # type: ignore[arg-type]
        assert isinstance(shown, Display)
        shown.started("upah/a/web", due=START)
        shown.uploaded("upah/a/web", done=5_000_000, total=20_000_000)
        shown._bar.refresh()
        assert "uploading upah/a/web: 5 of 20 MB" in terminal.getvalue().replace("\n", " ")
        shown.uploaded("upah/a/web", done=20_000_000, total=20_000_000)
        assert len(shown._bar.tasks) == 1
        shown.uploaded("upah/b/web", done=1, total=2_000_000)
        shown.settled(Result(key="upah/b/web", state=State.WAITING, error="No route."))
        assert len(shown._bar.tasks) == 1
    for kind in (LogFormat.plain, LogFormat.json):
        log = io.StringIO()
        monkeypatch.setattr(sys, "stderr", log)
        with progress(kind, **options) as lines:  # type: ignore[arg-type]
            lines.uploaded("upah/a/web", done=1, total=2)
        assert log.getvalue() == ""
        assert isinstance(lines, JsonLines) == (kind is LogFormat.json)
