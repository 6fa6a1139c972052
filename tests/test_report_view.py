"""What the views are made of: a plan as it was checked, or the ledger's deliveries."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from report_helpers import DUE, JAKARTA, PICTURE, account, draft, picture_content, published

from campaign_cli.accounts import Workspace
from campaign_cli.checks import examine
from campaign_cli.content.media import MediaStore
from campaign_cli.i18n import use_language
from campaign_cli.ledger import Delivery
from campaign_cli.models import Account, Draft, State
from campaign_cli.plan import open_workspace
from campaign_cli.report import view, words
from campaign_cli.report.page import preview_page
from campaign_cli.report.terminal import preview_panels

ACCOUNTS = """\
accounts:
  pusat: {platform: mastodon, url: "https://mastodon.example.org", token: "env:A", timezone: WIB, language: id}
  papua: {platform: telegram, channel: "@fspc_papua", token: "env:B", timezone: WIT, language: id}
"""
PLAN = """\
campaign: upah
title: Upah Layak
timezone: WIB
day: 2026-12-10
language: id
accounts: [pusat, papua]
posts:
  - id: pagi
    at: H-7 08:00
    zone: account
    text: Selamat pagi
    variants:
      papua: {text: "{{ tidak_ada }}"}
  - id: malam
    at: H 22:00
    text: Selamat malam
"""


def workspace(folder: Path, plan: str = PLAN) -> tuple[Path, Workspace]:
    """A folder with two accounts and one plan."""
    (folder / "accounts.yaml").write_text(ACCOUNTS, encoding="utf-8")
    (folder / "plan.yaml").write_text(plan, encoding="utf-8")
    return folder / "plan.yaml", open_workspace(folder)[0]


def previewed(folder: Path, plan: str = PLAN) -> view.Preview:
    """The plan as a preview."""
    path, opened = workspace(folder, plan)
    now = datetime(2026, 11, 1, tzinfo=UTC)
    return view.preview_of(examine(path, opened, now=now, media=MediaStore(folder)))


def delivery(where: Account, made: Draft, **more: object) -> Delivery:
    """A row of the ledger."""
    row = Delivery(
        key=f"upah/pagi/{where.name}",
        campaign="upah",
        post="pagi",
        account=where.name,
        platform=where.platform,
        address="alamat",
        due=DUE,
        state=State.WAITING,
        content_hash="",
        attempts=0,
        receipts=(),
        error="",
        labels=(),
        held=False,
        approved=True,
        next_try=None,
        lease_until=None,
        queued_at=DUE,
        changed_at=DUE,
        parts=1,
        draft_json=made.to_json(),
    )
    return replace(row, **more)  # type: ignore[arg-type]


def test_preview_is_in_order_of_time_and_in_the_plans_zone(tmp_path: Path) -> None:
    """``zone: account`` moves the instant; the page still speaks the plan's zone and names the other beside it."""
    shown = previewed(tmp_path)
    assert [(entry.post, entry.account.name) for entry in shown.entries] == [
        ("pagi", "papua"),
        ("pagi", "pusat"),
        ("malam", "pusat"),
        ("malam", "papua"),
    ]
    assert shown.day == date(2026, 12, 10)
    assert shown.entries[0].when == "Thu, 3 Dec 2026 06:00 WIB"
    assert shown.entries[0].when_there == "Thu, 3 Dec 2026 08:00 WIT"
    assert shown.entries[1].when_there == ""
    assert shown.entries[3].when_there == "Fri, 11 Dec 2026 00:00 WIT (the next day there)"


def test_a_problem_in_a_variant_stands_beside_its_account_alone(tmp_path: Path) -> None:
    """An unknown name in papua's text says nothing of the other account."""
    shown = previewed(tmp_path)
    papua, pusat, *_rest = shown.entries
    assert papua.draft is None
    assert [problem.path for problem in papua.problems] == ["posts[0].variants.papua.text"]
    assert pusat.draft is not None
    assert pusat.problems == ()


def test_a_plan_that_can_not_be_read_shows_its_problems(tmp_path: Path) -> None:
    """No plan, no entries, but every problem; terminal and page take it."""
    shown = previewed(tmp_path, "posts: [\n")
    assert shown.entries == ()
    assert shown.problems
    assert list(preview_panels(shown))
    assert shown.problems[0].code in preview_page(shown, picture=picture_content, made_at=DUE)


def test_a_bad_day_has_no_count_of_days(tmp_path: Path) -> None:
    """A day that is none is a problem of its own, and no label."""
    shown = previewed(tmp_path, PLAN.replace("2026-12-10", "2026-13-40"))
    assert shown.day is None
    assert shown.problems


def test_ledger_rows_carry_their_frozen_draft() -> None:
    """The draft, the state and the receipts come from the ledger; an account that is gone keeps its name."""
    where = account("mastodon", "pusat")
    opened = Workspace(root=Path(), accounts={"pusat": where})
    sent = published()
    rows = [
        delivery(where, draft(where, "Teks"), state=State.PUBLISHED, receipts=sent["receipts"]),
        delivery(replace(where, name="lama"), draft(where, "Lama"), due=DUE - timedelta(days=1), error="401"),
    ]
    shown = view.queued_preview(rows, workspace=opened, zone=JAKARTA, campaign="upah", day=date(2026, 12, 10))
    gone, there = shown.entries
    assert shown.queued
    assert shown.title == "upah"
    assert there.account is where
    assert there.url == "https://mastodon.example.org/@fspc/1"
    assert there.sent_at == DUE
    assert there.counts[0][0].used == 4
    assert gone.account.name == "lama"
    assert gone.error == "401"


def test_rows_without_content_are_shown_without() -> None:
    """A list of deliveries that was read without drafts can still be drawn."""
    where = account("mastodon", "pusat")
    row = delivery(where, draft(where, "Teks"), draft_json="")
    entry = view.delivery_entry(row, workspace=Workspace(root=Path(), accounts={}), zone=JAKARTA)
    assert entry.draft is None


@pytest.mark.parametrize(
    ("size", "english", "indonesian"),
    [(999, "999 B", "999 B"), (41_230, "41.2 kB", "41,2 kB"), (1_500_000, "1.5 MB", "1,5 MB")],
)
def test_sizes_are_written_as_people_read_them(size: int, english: str, indonesian: str) -> None:
    """kB is 1,000 bytes; the decimal sign follows the language."""
    assert words.size_text(size) == english
    use_language("id")
    assert words.size_text(size) == indonesian


def test_days_count_from_the_campaigns_day_in_the_plans_zone() -> None:
    """An instant before midnight UTC can be the day itself in Jakarta."""
    day = date(2026, 12, 10)
    late = datetime(2026, 12, 9, 17, 30, tzinfo=UTC)
    assert words.day_label(late, zone=JAKARTA, day=day) == "D-day"
    assert words.day_label(late, zone=ZoneInfo("UTC"), day=day) == "D-1"
    assert words.day_label(late, zone=JAKARTA, day=None) == ""


def test_native_values_are_one_line() -> None:
    """Lists are joined, switches are words."""
    assert words.native_text(["upah", "aksi"]) == "upah, aksi"
    assert words.native_text(True) == "yes"
    assert words.native_text(3) == "3"


def test_the_name_of_a_network_without_adapter_is_kept() -> None:
    """Rows of a later version can still be shown."""
    where = Account(name="lain", platform="lain", settings={})
    made = replace(draft(account("mastodon"), "Teks", media=(PICTURE,)), platform="lain")
    assert view.platform_title("lain") == "lain"
    assert view.measured(where, made) == ()
