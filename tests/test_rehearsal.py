"""A rehearsal publishes a whole plan over real HTTP on a clock that jumps, compares, and leaves nothing behind."""

from __future__ import annotations

import signal
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from campaign_cli.errors import InputError
from campaign_cli.models import Draft, Part, State
from campaign_cli.plan import open_workspace
from campaign_cli.report.timeline import timeline_page
from campaign_cli.report.view import delivery_entry
from campaign_cli.stage.comparing import difference_of
from campaign_cli.stage.rehearsal import rehearse
from campaign_cli.stage.rehearsed import Rehearsal
from campaign_cli.stage.state import StagePost
from tests.platform_helpers import picture
from tests.stage_helpers import START, png

NOW = datetime(2031, 1, 1, tzinfo=UTC)

ACCOUNTS = """
accounts:
  nasional: {platform: mastodon, url: "https://mastodon.example", token: env:NO_SUCH_TOKEN, timezone: WIB}
  langit: {platform: bluesky, handle: contoh.bsky.social, password: env:NO_SUCH_PASSWORD}
  web: {platform: wordpress, url: "https://serikat.example", username: redaksi, password: env:NO_SUCH_WORD}
  kanal: {platform: telegram, channel: "@contoh_papua", token: env:NO_SUCH_BOT, timezone: WIT}
notify: [env:NO_SUCH_ADDRESS]
"""

PLAN = """
campaign: upah
title: Upah Layak
timezone: WIB
day: 2026-12-10
language: id
accounts: [nasional, langit, web, kanal]
link: https://contoh.example/upah
approval: 1
posts:
  - id: pembuka
    at: H-7 08:00
    text: Upah layak adalah hak. Kita turun bersama.
    media:
      - {file: poster.png, alt: Poster merah}
  - id: utas
    at: H-1 12:00
    text: Utas
    thread: [Satu dari utas., Dua dari utas., Tiga.]
    accounts: [nasional, langit, kanal]
  - id: pengingat
    every: mon,wed 19:30
    from: H-7
    until: H-1
    text: Ingat aksi kita.
    accounts: [nasional]
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace without a single secret, and a temporary folder of its own to look into afterwards."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    root = tmp_path / "workspace"
    root.mkdir()
    (root / "accounts.yaml").write_text(ACCOUNTS)
    (root / "plan.yaml").write_text(PLAN)
    (root / "poster.png").write_bytes(png(400, 300))
    return root


def perform(root: Path, *misbehave: str, **options: Any) -> Rehearsal:
    """Rehearse the workspace's plan, and see that nothing stays behind."""
    before, files = threading.enumerate(), _own_files(root)
    workspace, problems = open_workspace(root)
    try:
        return rehearse(
            root / "plan.yaml", workspace, now=NOW, workspace_problems=problems, misbehave=misbehave, **options
        )
    finally:
        assert threading.enumerate() == before
        assert list((root.parent / "scratch").iterdir()) == []
        assert _own_files(root) == files
        assert not (root / ".campaign" / "ledger.sqlite3").exists()


def _own_files(root: Path) -> list[Path]:
    return [path for path in sorted(root.rglob("*")) if ".campaign" not in path.parts]


def test_a_whole_plan_is_published_as_written(root: Path) -> None:
    """Every part on every network, at its instant, without a real secret, and faithful to the plan."""
    told: list[str] = []
    done = perform(root, say=told.append)
    assert (done.campaign, done.title, done.faithful, done.strays) == ("upah", "Upah Layak", True, ())
    assert {row.state for row in done.rows} == {State.PUBLISHED}
    parts = [(row.account, row.post, row.part + 1, row.parts) for row in done.rows]
    assert len(parts) == 4 + 9 + 2
    assert ("langit", "utas", 3, 3) in parts
    assert [row.key for row in done.rows if row.post.startswith("pengingat")] == [
        "upah/pengingat@2026-12-07/nasional",
        "upah/pengingat@2026-12-09/nasional",
    ]
    for row in done.rows:
        assert row.at is not None
        assert 0 <= (row.at - row.planned).total_seconds() < 10
        assert row.url.startswith(
            f"http://127.0.0.1:{row.url.split(':')[2].split('/')[0]}/{row.platform}/{row.account}/"
        )
    assert done.outcome.published == 9
    assert told[-2].startswith("9 of 9")


def test_limits_that_are_none_change_nothing(root: Path) -> None:
    """What a server announced, or somebody wrote into the file that keeps it, may have any shape."""
    (root / ".campaign").mkdir()
    (root / ".campaign" / "accounts.json").write_text('{"nasional": {"limits": [1]}, "web": {"limits": {"text": "x"}}}')
    assert perform(root).faithful


def test_the_page_shows_it_without_the_stage(root: Path) -> None:
    """Deliveries and pictures of the result make the timeline page, after the stage has ended."""
    done = perform(root)
    entries = [delivery_entry(delivery, workspace=done.workspace, zone=done.zone) for delivery in done.deliveries]
    page = timeline_page(
        entries, title=done.title, zone=done.zone, picture=done.pictures.__getitem__, made_at=NOW, day=done.day
    )
    assert "Dua dari utas." in page
    assert "Poster merah" in page
    assert "https://t.me" not in page
    assert "https://bsky.app" not in page


@pytest.mark.parametrize(
    "misbehave",
    [
        "nasional:accept-then-drop:2",
        "langit:accept-then-drop:2",
        "web:accept-then-drop:1",
        "web:malformed:1",
        "langit:503:2",
        "kanal:429:times=2,seconds=90",
        "*:429:times=3,seconds=30",
    ],
)
def test_a_bad_day_ends_well_where_the_network_can_prove_it(root: Path, misbehave: str) -> None:
    """Lost answers are looked up, refusals for a while are waited out: everything is there, once."""
    done = perform(root, misbehave)
    assert done.outcome.published == 9
    assert done.faithful
    assert sum(done.faults.values()) >= 1


def test_a_lost_answer_of_telegram_stays_uncertain(root: Path) -> None:
    """A bot can't look it up: a person decides. The rehearsal shows the post that nobody's receipt speaks of."""
    done = perform(root, "kanal:accept-then-drop:1")
    uncertain = [row for row in done.rows if row.state is State.UNCERTAIN]
    assert [(row.account, row.post, row.at, row.url) for row in uncertain] == [("kanal", "pembuka", None, "")]
    assert uncertain[0].error
    assert [(stray.account, "hak" in stray.text) for stray in done.strays] == [("kanal", True)]
    assert done.outcome.uncertain == 1
    assert not done.faithful


def test_a_refusal_is_shown_with_its_reason(root: Path) -> None:
    """The refused part and those after it fail with the network's words."""
    done = perform(root, "nasional:refuse:1")
    failed = [row for row in done.rows if row.state is State.FAILED]
    assert [row.post for row in failed] == ["pembuka"]
    assert "Text is not allowed here" in failed[0].error
    assert (done.outcome.failed, done.outcome.published) == (1, 8)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("at: H-7 08:00", "at: someday", "someday"),
        ("Upah layak adalah hak.", "Upah {{ nothing_of_the_kind }}.", "nothing_of_the_kind"),
        ("poster.png", "missing.png", "missing.png"),
        ("Satu dari utas.", "Satu. " * 100, "500"),
    ],
)
def test_errors_of_the_plan_stop_it(root: Path, old: str, new: str, words: str) -> None:
    """All problems at once, with file and line; nothing was published."""
    (root / "plan.yaml").write_text(PLAN.replace(old, new))
    with pytest.raises(InputError) as caught:
        perform(root)
    assert any(words in problem.message for problem in caught.value.problems)
    assert all(problem.file == "plan.yaml" and problem.line for problem in caught.value.problems)


def test_errors_of_the_accounts_stop_it(root: Path) -> None:
    """A broken accounts.yaml is told before anything starts."""
    (root / "accounts.yaml").write_text(ACCOUNTS.replace("platform: telegram", "platform: telegrm"))
    with pytest.raises(InputError) as caught:
        perform(root)
    assert any(problem.file == "accounts.yaml" for problem in caught.value.problems)


def test_unknown_misbehaviour_stops_it(root: Path) -> None:
    """Before anything starts."""
    with pytest.raises(InputError, match="sulk"):
        perform(root, "kanal:sulk")


def test_an_interruption_leaves_nothing_behind(root: Path) -> None:
    """Ctrl-C in the middle of publishing ends the stage, its thread and the temporary ledger."""

    pressed: list[str] = []

    def interrupt(text: str) -> None:
        if text.startswith("1 ") and not pressed:
            pressed.append(text)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        perform(root, say=interrupt)


def _arrived(**changed: Any) -> StagePost:
    members: dict[str, Any] = {
        "text": "Halo",
        "account": "a",
        "platform": "mastodon",
        "id": "1",
        "path": "/1",
        "at": START,
    }
    return StagePost(number=1, **(members | changed))


def test_differences_are_said() -> None:
    """Another text, other pictures, other alt texts, no post at all: a sentence for each."""
    draft = Draft(
        platform="mastodon", account="a", address="x", language="id", parts=(Part(text="Halo", media=(picture(),)),)
    )
    assert len(difference_of(draft, 0, None)) == 1
    assert len(difference_of(draft, 0, _arrived(text="Hal"))) == 3
    plain = Draft(platform="mastodon", account="a", address="x", language="id", parts=(Part(text="Halo"),))
    assert difference_of(plain, 0, _arrived()) == ()


@pytest.mark.parametrize(
    ("platform", "written", "arrived", "same"),
    [
        ("telegram", "Upah **layak**", "Upah layak", True),
        ("telegram", "Upah **layak**", "Upah **layak**", False),
        ("wordpress", "Upah **layak** & adil", "<p>Upah <strong>layak</strong> &amp; adil</p>", True),
        ("wordpress", "Upah layak", "<p>Upah</p>", False),
        ("bluesky", "Upah layak", "Upah layak", True),
    ],
)
def test_markup_is_compared_as_people_read_it(platform: str, written: str, arrived: str, same: bool) -> None:
    """Marks that the network turns into formatting are no difference; a lost word is."""
    draft = Draft(platform=platform, account="a", address="x", language="id", parts=(Part(text=written),))
    assert (difference_of(draft, 0, _arrived(text=arrived)) == ()) is same
