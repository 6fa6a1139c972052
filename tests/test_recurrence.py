"""Recurring posts: which days and times, what ends them, what they are called, and clocks that change meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from plan_helpers import expanded, post


def recurring(root: Path, keys: str) -> tuple[list[str], list[datetime]]:
    """Ids and instants of a recurring post, for its first account; no problem is expected."""
    planned, problems = expanded(root, post(f"id: a\ntext: x\naccounts: [pusat]\n{keys}"))
    assert problems == []
    assert all(item.recurring for item in planned)
    return [item.post_id for item in planned], [item.due for item in planned]


@pytest.mark.parametrize(
    "every",
    ["mon,wed 19:30", "Mon, Wed 19:30", "senin,rabu 19.30", "sen rab 19:30", "monday,wednesday 19:30:00"],
)
def test_days_of_the_week(tmp_path: Path, every: str) -> None:
    """English and Indonesian names, long and short, between the first and the last day."""
    ids, due = recurring(tmp_path, f'every: "{every}"\nfrom: H-7\nuntil: H-1')
    assert ids == ["a@2026-12-07", "a@2026-12-09"]
    assert due[0] == datetime(2026, 12, 7, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize("every", ["daily 17:00,07:30", "harian 07:30, 17:00"])
def test_several_times_a_day(tmp_path: Path, every: str) -> None:
    """The second of a day is called .2, whatever the order in the plan; the last day counts."""
    ids, due = recurring(tmp_path, f'every: "{every}"\nfrom: 2026-12-09\nuntil: H')
    assert ids == ["a@2026-12-09", "a@2026-12-09.2", "a@2026-12-10", "a@2026-12-10.2"]
    assert [item.hour for item in due] == [0, 10, 0, 10]


def test_moving_a_time_keeps_the_name(tmp_path: Path) -> None:
    """Half an hour later it is still the same occurrence, so it is not sent twice."""
    before, _due = recurring(tmp_path, 'every: "mon 19:30"\nfrom: H-7\nuntil: H-1')
    after, _due = recurring(tmp_path, 'every: "mon 20:00"\nfrom: H-7\nuntil: H-1')
    assert before == after


@pytest.mark.parametrize(
    ("keys", "ids"),
    [
        ("rrule: FREQ=WEEKLY;BYDAY=MO;COUNT=2;BYHOUR=8;BYMINUTE=0\nfrom: H-7", ["a@2026-12-07", "a@2026-12-14"]),
        ("rrule: RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=2\nfrom: H-7 08:00", ["a@2026-12-07", "a@2026-12-14"]),
        ("rrule: freq=daily;byhour=8,20\nfrom: H\nuntil: H", ["a@2026-12-10", "a@2026-12-10.2"]),
        ("rrule: FREQ=DAILY;UNTIL=20261211\nfrom: H 08:00", ["a@2026-12-10", "a@2026-12-11"]),
        ("rrule: FREQ=DAILY;UNTIL=20261211T070000\nfrom: H 08:00", ["a@2026-12-10"]),
        ("rrule: FREQ=MONTHLY;BYMONTHDAY=31;COUNT=2\nfrom: H 08:00", ["a@2026-12-31", "a@2027-01-31"]),
        ("rrule: FREQ=DAILY;COUNT=5\nfrom: H 08:00\nuntil: H+1", ["a@2026-12-10", "a@2026-12-11"]),
    ],
)
def test_rules(tmp_path: Path, keys: str, ids: list[str]) -> None:
    """RFC 5545 rules, with the time from BYHOUR or from the first day, ended by COUNT, UNTIL or until."""
    assert recurring(tmp_path, keys)[0] == ids


def test_the_time_of_a_rule(tmp_path: Path) -> None:
    """BYHOUR alone means the full hour of the plan's zone."""
    _ids, [due] = recurring(tmp_path, "rrule: FREQ=DAILY;COUNT=1;BYHOUR=8\nfrom: H")
    assert due == datetime(2026, 12, 10, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("keys", "line", "code", "says", "fix"),
    [
        ('every: "mon 19:30"\nfrom: H-7', 9, "T008", "last day", "until"),
        ('every: "mon 19:30"\nuntil: H-7', 9, "T008", "first day", "from"),
        ("rrule: FREQ=DAILY;BYHOUR=8\nfrom: H-7", 9, "T008", "never ends", "COUNT"),
        ("rrule: FREQ=DAILY;BYHOUR=8;COUNT=3", 9, "T008", "first day", "from"),
        ("rrule: FREQ=DAILY;COUNT=3\nfrom: H-7", 9, "T009", "no time of day", "BYHOUR"),
        ("rrule: FREQ=HOURLY;COUNT=3\nfrom: H 08:00", 9, "T009", "hour", "DAILY"),
        ("rrule: FREQ=DALY;COUNT=3\nfrom: H 08:00", 9, "T009", "can't be read", "RFC 5545"),
        ("rrule: setiap hari\nfrom: H 08:00\nuntil: H", 9, "T009", "can't be read", "RFC 5545"),
        ("rrule: FREQ=DAILY;INTERVAL=0;COUNT=3\nfrom: H 08:00", 9, "T009", "begin at 1", "RFC 5545"),
        ("rrule: FREQ=DAILY;COUNT=banyak\nfrom: H 08:00", 9, "T009", "can't be read", "RFC 5545"),
        ("rrule: FREQ=DAILY;UNTIL=besok\nfrom: H 08:00", 9, "T009", "UNTIL", "20261210"),
        ("rrule: FREQ=DAILY;UNTIL=20261340\nfrom: H 08:00", 9, "T009", "UNTIL", "20261210"),
        ("rrule: FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=1\nfrom: H 08:00", 9, "T011", "never occurs", "from"),
        ('every: "mon 19:30"\nfrom: H\nuntil: H', 9, "T011", "never occurs", "until"),
        ('every: "mon"\nfrom: H-7\nuntil: H', 9, "T002", "not understood", "mon,wed 19:30"),
        ('every: "monn 19:30"\nfrom: H-7\nuntil: H', 9, "T002", 'Did you mean "mon"?', "daily"),
        ('every: "mon 25:30"\nfrom: H-7\nuntil: H', 9, "T003", "25:30", "00 to 23"),
        ('every: "mon 19:30"\nfrom: besok\nuntil: H', 10, "T002", "besok", "H-7"),
        ('every: "mon 19:30"\nfrom: 2026-02-30\nuntil: H', 10, "T003", "2026-02-30", "Correct"),
        ("rrule: FREQ=DAILY;COUNT=2\nfrom: H 25:00", 10, "T003", "25:00", "00 to 23"),
        ("rrule: FREQ=DAILY;COUNT=2\nfrom: 2026-12-10T08:00+07:00", 10, "T012", "offset", "Delete"),
        ('every: "mon 19:30"\nfrom: H\nuntil: besok', 11, "T002", "besok", "H-7"),
        ('every: "mon 19:30"\nfrom: H\nuntil: H-7', 11, "T013", "2026-12-03", "Correct"),
        ('every: "daily 07:00,17:00"\nfrom: H\nuntil: 2028-12-10', 9, "T010", "1000 times", "earlier"),
        ("rrule: FREQ=DAILY;COUNT=1001\nfrom: H 08:00", 9, "T010", "1000 times", "earlier"),
        ('every: "mon 19:30"\nfrom: H\nuntil: 9999-12-31', 11, "T010", "ten years", "earlier"),
    ],
)
def test_what_can_t_recur_is_told(tmp_path: Path, keys: str, line: int, code: str, says: str, fix: str) -> None:
    """No end, no beginning, no time, no such day: each at its line, with the fix."""
    planned, [problem] = expanded(tmp_path, post(f"id: a\ntext: x\naccounts: [pusat]\n{keys}"))
    assert planned == []
    assert (problem.file, problem.line, problem.code) == ("campaigns/plan.yaml", line, code)
    assert says in problem.message
    assert fix in problem.fix


def test_the_clock_s_time_is_kept_when_clocks_change(tmp_path: Path) -> None:
    """19:30 stays 19:30, so the instant moves by the hour that the clock moved."""
    _ids, due = recurring(tmp_path, 'every: "daily 19:30"\nfrom: 2026-10-31\nuntil: 2026-11-01\nzone: America/New_York')
    assert [item.hour for item in due] == [23, 0]
    assert due[1] - due[0] == due[1] - due[0].astimezone(UTC)
    assert (due[1] - due[0]).total_seconds() == 25 * 3600


def test_an_occurrence_that_the_clock_skips(tmp_path: Path) -> None:
    """It is an error at the rule that names the day; the other occurrences stay."""
    planned, [problem] = expanded(
        tmp_path,
        post(
            "id: a\ntext: x\naccounts: [pusat]\n"
            'every: "daily 02:30"\nfrom: 2027-03-13\nuntil: 2027-03-15\nzone: America/New_York'
        ),
    )
    assert (problem.code, problem.line) == ("T004", 9)
    assert "2027-03-14 02:30" in problem.message
    assert [item.post_id for item in planned] == ["a@2027-03-13", "a@2027-03-15"]


def test_occurrences_in_each_account_s_zone(tmp_path: Path) -> None:
    """With zone: account an occurrence has one name and one instant for each zone."""
    text = post('id: a\ntext: x\nevery: "thu 08:00"\nfrom: H\nuntil: H\nzone: account')
    planned, problems = expanded(tmp_path, text)
    assert problems == []
    assert [item.key for item in planned] == ["upah-layak/a@2026-12-10/pusat", "upah-layak/a@2026-12-10/papua"]
    assert [item.due.hour for item in planned] == [1, 23]


def test_a_day_that_is_missing_is_told_for_recurring_posts_too(tmp_path: Path) -> None:
    """from: H-7 without a day in the plan says so at from."""
    text = post('id: a\ntext: x\nevery: "mon 19:30"\nfrom: H-7\nuntil: H').replace("day: 2026-12-10\n", "")
    _planned, [problem] = expanded(tmp_path, text)
    assert (problem.code, problem.line) == ("T006", 8)
