"""The campaigns, templates, pictures and accounts that the repository ships."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from campaign_cli.checks import Examined, examine
from campaign_cli.content.media import MediaStore
from campaign_cli.credentials import is_reference
from campaign_cli.models import Severity
from campaign_cli.plan import open_workspace

ROOT = Path(__file__).parent.parent
PLANS = sorted((ROOT / "campaigns").glob("*.yaml"))
PICTURES = sorted([*(ROOT / "media").glob("*.jpg"), *(ROOT / "media").glob("*.png")])
DATES = [datetime(2026, 11, 1, 3, tzinfo=UTC), datetime(2026, 12, 10, 3, tzinfo=UTC), datetime(2041, 3, 1, tzinfo=UTC)]


def examined(plan: Path, *, now: datetime = DATES[0]) -> Examined:
    """A shipped plan as ``campaign check`` sees it."""
    workspace, problems = open_workspace(ROOT)
    return examine(plan, workspace, now=now, workspace_problems=problems, media=MediaStore(ROOT))


@pytest.fixture(scope="module")
def plans() -> Iterator[dict[str, Examined]]:
    """Every shipped plan, examined once."""
    yield {plan.name: examined(plan) for plan in PLANS}


def test_there_are_plans_for_three_occasions_and_one_in_english(plans: dict[str, Examined]) -> None:
    """A wage campaign, a training, a crisis, and one plan in English."""
    languages = {name: found.loaded.plan.language for name, found in plans.items() if found.loaded}
    assert len(languages) >= 4
    assert sorted(set(map(str, languages.values()))) == ["en", "id"]


@pytest.mark.parametrize("now", DATES, ids=lambda now: str(now.date()))
@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.stem)
def test_no_shipped_plan_has_an_error_on_any_date(plan: Path, now: datetime) -> None:
    """Before, on and long after its days, a plan is free of errors; only that it is past may be said."""
    found = examined(plan, now=now)
    assert [str(problem) for problem in found.problems if problem.severity is Severity.ERROR] == []
    assert len(found.drafts) == len(found.planned) > 0


def test_shipped_plans_are_free_of_warnings_before_their_days(plans: dict[str, Examined]) -> None:
    """An example teaches: nothing to warn of."""
    problems = [problem for found in plans.values() for problem in found.problems]
    assert [str(problem) for problem in problems if problem.severity is not Severity.HINT] == []


def test_every_picture_has_alt_text(plans: dict[str, Examined]) -> None:
    """On every account, and long enough to say something."""
    pictures = [picture for found in plans.values() for draft in found.drafts.values() for picture in draft.pictures]
    assert pictures
    assert all(len(picture.alt) > 40 for picture in pictures)


def test_plans_use_what_a_plan_can_do(plans: dict[str, Examined]) -> None:
    """Threads, recurring posts, templates, Markdown with native fields, tagged links, three zones, two languages."""
    drafts = [draft for found in plans.values() for draft in found.drafts.values()]
    posts = [post for found in plans.values() if found.loaded for post in found.loaded.plan.posts]
    accounts = [planned.account for found in plans.values() for planned in found.planned]
    assert any(len(draft.parts) > 2 for draft in drafts)
    assert {bool(post.every) for post in posts} == {True, False}
    assert any(post.rrule for post in posts)
    assert any(post.template for post in posts)
    assert any({"title", "slug", "categories", "tags", "excerpt"} <= set(draft.native) for draft in drafts)
    assert any("utm_campaign=" in f"{part.text} {draft.link}" for draft in drafts for part in draft.parts)
    assert {str(account.timezone) for account in accounts} == {"Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"}
    assert {draft.language for draft in drafts} == {"id", "en"}
    assert {draft.platform for draft in drafts} == {"mastodon", "bluesky", "wordpress", "telegram"}


def test_english_accounts_get_english_words(plans: dict[str, Examined]) -> None:
    """No variant for a network hides the variant for the language."""
    english = [d for found in plans.values() for d in found.drafts.values() if d.account.startswith("internasional")]
    assert english
    assert {draft.language for draft in english} == {"en"}


def test_no_template_and_no_picture_is_left_over(plans: dict[str, Examined]) -> None:
    """Everything shipped is used by a plan."""
    written = "\n".join(plan.read_text(encoding="utf-8") for plan in PLANS)
    assert plans
    assert [file.name for file in PICTURES if f"media/{file.name}" not in written] == []
    assert [
        file.stem for file in (ROOT / "templates/posts").glob("*.j2") if f"template: {file.stem}" not in written
    ] == []


@pytest.mark.parametrize("file", PICTURES, ids=lambda file: file.name)
def test_pictures_are_small_and_tell_nothing_of_their_making(file: Path) -> None:
    """At most 60 kB, readable at full size, and without metadata."""
    content = file.read_bytes()
    with Image.open(BytesIO(content)) as image:
        assert min(image.size) >= 600
        assert not image.getexif()
    assert len(content) <= 60_000


def test_accounts_point_at_the_stage_and_hold_no_secret() -> None:
    """Loopback only; every secret is a reference whose name stands in .env.example."""
    from campaign_cli import platforms

    workspace, problems = open_workspace(ROOT)
    names = {line.partition("=")[0] for line in (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()}
    assert problems == []
    for account in workspace.accounts.values():
        assert str(account.settings["url"]).startswith("http://127.0.0.1:8765/")
        for secret in platforms.get(account.platform).secrets:
            assert is_reference(account.settings[secret])
            assert str(account.settings[secret]).removeprefix("env:") in names
    assert workspace.rules.approval == 0


def test_env_is_ignored_by_git() -> None:
    """The filled-in copy of .env.example never reaches the repository."""
    assert ".env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
