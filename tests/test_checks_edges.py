"""The edges of the rules of plans: what goes on after the first find, and how it is said."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from content_helpers import ACCOUNTS, Folder

from campaign_cli.checks import uses
from campaign_cli.checks.times import is_between
from campaign_cli.checks.uses import Taken
from campaign_cli.checks.wordlist import MAX_BYTES, edited, word_list
from campaign_cli.models import Problem, Severity
from campaign_cli.plan import open_workspace
from campaign_cli.platforms.base import Use
from campaign_cli.source import read_text


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def of(problems: list[Problem], code: str) -> list[Problem]:
    return [problem for problem in problems if problem.code == code]


def test_quiet_hours_of_several_posts(folder: Folder) -> None:
    """Each is told once for each zone, at its own key, and those between are passed over."""
    folder.write("accounts.yaml", ACCOUNTS + "rules: {quiet_hours: '21:00-05:00'}\n")
    examined = folder.plan(
        """\
        accounts: [mastodon, langit]
        posts:
          - {id: lalu, at: 2026-10-01 22:00, text: Satu.}
          - {id: sore, at: 2026-12-03 16:00, text: Dua.}
          - {id: kini, at: 2026-11-01 22:00, text: Tiga.}
          - {id: rutin, every: daily 21:00, from: 2026-12-03, until: 2026-12-04, text: Empat.}
          - {id: rumus, rrule: FREQ=DAILY;COUNT=1;BYHOUR=4;BYMINUTE=59, from: 2026-12-03, text: Lima.}
          - {id: pagi, at: 2026-12-03 05:00, text: Enam.}
        """,
        now=datetime(2026, 11, 1, 15, tzinfo=UTC),
    )
    quiet = of(examined.problems, "T102")
    assert [(problem.path, problem.severity) for problem in quiet] == [
        ("posts[2].at", Severity.WARNING),
        ("posts[3].every", Severity.WARNING),
        ("posts[4].rrule", Severity.WARNING),
    ]
    assert quiet[0].message == "Sun, 1 Nov 2026 22:00 WIB lies in the quiet hours (21:00-05:00)."
    assert quiet[0].fix == "Choose another time, or leave it: this is a warning."


def test_quiet_hours_that_are_none() -> None:
    """From an hour to the same hour lies nothing; over midnight both ends count as elsewhere."""
    noon, night, dawn = time(12), time(22), time(5)
    assert not is_between(noon, noon, noon)
    assert is_between(night, night, dawn)
    assert not is_between(dawn, night, dawn)


def test_past_days_are_said_by_number(folder: Folder) -> None:
    """One day or several, each with what can be done."""
    examined = folder.plan(
        """\
        accounts: [mastodon, langit]
        posts:
          - {id: satu, every: daily 09:00, from: 2026-10-31, until: 2026-11-02, text: Satu.}
          - {id: dua, every: daily 09:00, from: 2026-10-30, until: 2026-11-02, text: Dua.}
        """
    )
    assert [problem.message for problem in of(examined.problems, "T103")] == [
        "1 day of this post is in the past and will be left out.",
        "2 days of this post are in the past and will be left out.",
    ]


def test_limits_that_were_never_read(folder: Folder) -> None:
    """Each account that has them is told at its place, those between that need none are passed over."""
    examined = folder.plan(
        "accounts: [langit, mastodon, internasional]\nposts:\n  - {id: a, at: 2026-12-03 08:00, text: Halo.}\n"
    )
    unread = of(examined.problems, "L901")
    assert [(problem.file, problem.line, problem.column, problem.path) for problem in unread] == [
        ("accounts.yaml", 2, 3, "accounts.mastodon"),
        ("accounts.yaml", 3, 3, "accounts.internasional"),
    ]
    assert "500 characters" in unread[0].message


def test_the_same_words_after_others(folder: Folder) -> None:
    """What recurs or is meant is passed over, and the next pair is told; three are two pairs."""
    examined = folder.plan(
        """\
        accounts: [mastodon, langit]
        posts:
          - {id: rutin, every: daily 09:00, from: 2026-12-03, until: 2026-12-04, text: Halo.}
          - {id: satu, at: 2026-12-05 08:00, text: Halo.}
          - {id: dua, at: 2026-12-06 08:00, text: Halo.}
          - {id: tiga, at: 2026-12-07 08:00, text: Halo.}
        """
    )
    assert [(problem.path, problem.fix) for problem in of(examined.problems, "P250")] == [
        ("posts[2]", 'Write something else, or "repeat: true" if it is meant.'),
        ("posts[3]", 'Write something else, or "repeat: true" if it is meant.'),
    ]


def crowd(*moments: str) -> str:
    """Accounts of one network, and a post of the same words for each of them at these times."""
    return "".join(
        f"  - {{id: p{number}, at: 2026-12-03 {moment}, text: Upah layak untuk semua., accounts: [m{number}]}}\n"
        for number, moment in enumerate(moments)
    )


def test_the_first_of_the_largest_crowd_is_told(folder: Folder) -> None:
    """Where two groups are as large, it is the earlier one."""
    accounts = "".join(
        f"  m{number}: {{platform: mastodon, url: https://m{number}.example, token: env:T}}\n" for number in range(10)
    )
    folder.write("accounts.yaml", "accounts:\n" + accounts)
    moments = [f"{hour}:0{minute}" for hour in ("08", "18") for minute in range(5)]
    examined = folder.plan("posts:\n" + crowd(*moments))
    (problem,) = of(examined.problems, "E005")
    assert (problem.path, problem.message.split()[0]) == ("posts[0]", "5")


def test_a_hashtag_that_is_none(folder: Folder) -> None:
    """It is told at its place with what is possible."""
    examined = folder.plan(
        "accounts: [mastodon]\nhashtags: [Upah]\n"
        "posts:\n  - {id: a, at: 2026-12-03 08:00, text: Halo., hashtags: [Upah, Upah Layak]}\n"
    )
    (problem,) = of(examined.problems, "P251")
    assert (problem.path, problem.severity) == ("posts[0].hashtags[1]", Severity.WARNING)
    assert problem.message == "Networks do not read #Upah Layak as one hashtag."
    assert problem.fix == "Use letters, digits and _ only, with at least one letter."


NOON = datetime(2035, 6, 1, 12, tzinfo=UTC)
SOURCE = read_text(b"posts:\n  - {id: a}\n  - {id: b}\n", shown="plan.yaml")


def use(minutes: int | None, *, what: str = "posts", zone: str = "") -> Use:
    period = None if minutes is None else timedelta(minutes=minutes)
    return Use(what=what, amount=Decimal(1), limit=Decimal(1), period=period, zone=zone)


def twice(use: Use, apart: timedelta) -> list[Problem]:
    """Two posts of one account that both take this."""
    items = [Taken(account="a", address="x", due=due, use=use, post=n) for n, due in enumerate((NOON, NOON + apart))]
    return list(uses.beyond(items, source=SOURCE))


@pytest.mark.parametrize(
    ("minutes", "zone", "words"),
    [
        (1, "", "1 post in 1 minute;"),
        (61, "", "1 post in 61 minutes;"),
        (60, "", "1 post in 1 hour;"),
        (1440, "", "1 post in 24 hours;"),
        (1440, "America/Los_Angeles", "1 post a day (from midnight, America/Los_Angeles);"),
        (None, "", "1 post in all;"),
    ],
)
def test_how_a_quota_is_said(minutes: int | None, zone: str, words: str) -> None:
    """In minutes, hours, days of a zone, or in all."""
    (problem,) = twice(use(minutes, zone=zone), timedelta(seconds=1))
    assert (problem.path, problem.message) == (
        "posts[1]",
        f"a may send {words} this post would be more than that.",
    )


def test_a_quota_ends_with_its_period() -> None:
    """A use no longer counts when its period is over to the second."""
    assert twice(use(60), timedelta(minutes=59, seconds=59))
    assert not twice(use(60), timedelta(minutes=60))


def test_a_use_that_has_no_word_is_said_as_it_is() -> None:
    """Money by its code."""
    (problem,) = twice(use(60, what="USD"), timedelta(0))
    assert "a may send 1 USD in 1 hour" in problem.message


@pytest.mark.parametrize(
    ("what", "one", "two"),
    [
        ("posts", "1 post", "2 posts"),
        ("replies", "1 reply", "2 replies"),
        ("messages", "1 message", "2 messages"),
        ("units", "1 unit", "2 units"),
        ("uploads", "1 upload", "2 uploads"),
        ("publications", "1 publication", "2 publications"),
        ("USD", "1 USD", "2 USD"),
    ],
)
def test_what_is_taken_is_said_in_words(what: str, one: str, two: str) -> None:
    """One or several of each."""
    items = [Taken(account="a", address="x", due=NOON, use=use(60, what=what))]
    assert [total.text for total in uses.totals(items)] == [one]
    assert [total.text for total in uses.totals(items * 2)] == [two]


def test_the_list_of_words_and_its_remarks() -> None:
    """A line takes away or adds, with or without a space; a star takes all of the list, and only that."""
    assert edited(["satu", "dua"], ["-satu", "- DUA", "tiga"]) == ["tiga"]
    assert edited(["satu", "*", "dua"], ["- *", "tiga"]) == ["tiga"]
    assert edited(["satu"], ["*"]) == ["satu", "*"]


@pytest.mark.parametrize(
    ("content", "message", "fix"),
    [
        (None, "can't be read: there is no such file", "Correct the path (from the workspace's folder)"),
        (b"a" * (MAX_BYTES + 1), "is larger than 1 MiB", "One word or phrase a line."),
        (b"\xff\xfe", "is not UTF-8", "Save the file as UTF-8."),
        (b"a" * MAX_BYTES, "", ""),
        (b"kata # ini # itu\n", "", ""),
    ],
)
def test_a_list_of_words_that_can_be_read_or_not(folder: Folder, content: bytes | None, message: str, fix: str) -> None:
    """A file of exactly the size that is allowed can; what else is told with the way out."""
    folder.write("accounts.yaml", ACCOUNTS + "rules: {words: kata.txt}\n")
    if content is not None:
        folder.write("kata.txt", content)
    workspace, _problems = open_workspace(folder.root)
    phrases, problems = word_list(workspace)
    assert [message in problem.message and fix in problem.fix for problem in problems] == ([True] if message else [])
    assert phrases.found_in("satu kata") == (["kata"] if content and b"#" in content else [])


def test_a_name_of_a_list_of_words_that_no_file_can_have(folder: Folder) -> None:
    """It is told in the words of the system."""
    folder.write("accounts.yaml", ACCOUNTS + 'rules: {words: "kata\\0.txt"}\n')
    workspace, _problems = open_workspace(folder.root)
    (problem,) = word_list(workspace)[1]
    assert "null" in problem.message
