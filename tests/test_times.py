"""When a post goes out: every form of a time, every zone, and the nights when clocks change."""

# ruff: noqa: DTZ001 - wall-clock times have no zone until they meet one

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from plan_helpers import ACCOUNTS, expanded, post

from campaign_cli.plan import Slot, past
from campaign_cli.plan.times import Calendar, TimeProblem, parse_day, parse_moment, to_instant

CALENDAR = Calendar(day=date(2026, 12, 10), slots={"pagi": "07:30", "sore": "17:00:30"})
JAKARTA = timezone(timedelta(hours=7))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-12-03 08:00", datetime(2026, 12, 3, 8)),
        ("2026-12-03 8:05", datetime(2026, 12, 3, 8, 5)),
        ("2026-12-03 08.00", datetime(2026, 12, 3, 8)),
        ("2026-12-03 08:00:30", datetime(2026, 12, 3, 8, 0, 30)),
        ("2026-12-03T08:00", datetime(2026, 12, 3, 8)),
        ("2026-12-03T08:00:30+07:00", datetime(2026, 12, 3, 8, 0, 30, tzinfo=JAKARTA)),
        ("2026-12-03 08:00 +0700", datetime(2026, 12, 3, 8, tzinfo=JAKARTA)),
        ("2026-12-03T01:00:00Z", datetime(2026, 12, 3, 1, tzinfo=UTC)),
        ("H-7 08:00", datetime(2026, 12, 3, 8)),
        ("D-7 08:00", datetime(2026, 12, 3, 8)),
        ("h - 7  08:00:15", datetime(2026, 12, 3, 8, 0, 15)),
        ("H 08:00", datetime(2026, 12, 10, 8)),
        ("Hari H 08:00", datetime(2026, 12, 10, 8)),
        ("H+1 23:59", datetime(2026, 12, 11, 23, 59)),
        ("H-7 pagi", datetime(2026, 12, 3, 7, 30)),
        ("2026-12-03 sore", datetime(2026, 12, 3, 17, 0, 30)),
        (Slot(slot="pagi"), datetime(2026, 12, 10, 7, 30)),
        (Slot(slot="sore", day="H-7"), datetime(2026, 12, 3, 17, 0, 30)),
        (Slot(slot="sore", day="2026-12-01"), datetime(2026, 12, 1, 17, 0, 30)),
    ],
)
def test_every_form_of_a_time(written: str | Slot, meant: datetime) -> None:
    """Dates, days counted from Hari H, slots; with seconds, with an offset, with a point instead of a colon."""
    moment = parse_moment(written, CALENDAR)
    assert moment == meant
    assert moment.utcoffset() == meant.utcoffset()


@pytest.mark.parametrize(
    ("written", "code", "says", "fix"),
    [
        ("2026-02-30 08:00", "T003", "2026-02-30", "Correct"),
        ("2026-13-01 pagi", "T003", "2026-13-01", "Correct"),
        ("2026-12-03 25:00", "T003", "25:00", "00 to 23"),
        ("H-7 08:61", "T003", "08:61", "00 to 59"),
        ("2026-12-03 08:00:61", "T003", "08:00:61", "00 to 59"),
        ("2026-12-03T08:00+19:00", "T003", "+19:00", "+07:00"),
        ("H+9999999 08:00", "T002", "not understood", "H-7 08:00"),
        ("0001-01-01 08:00", "", "", ""),
        ("H-7", "T002", "without a time", '"H-7 08:00"'),
        ("2026-12-03", "T002", "without a time", "08:00"),
        ("08:00", "T002", "without a day", '"H 08:00"'),
        ("besok jam delapan", "T002", "not understood", "{slot: pagi}"),
        ("7 Desember 2026 08:00", "T002", "not understood", "2026-12-03 08:00"),
        ("x" * 200, "T002", "…", "H-7"),
        ("H-7 pagii", "T007", 'Did you mean "pagi"?', "pagi (07:30)"),
        (Slot(slot="malam"), "T007", '"malam"', "sore"),
        (Slot(slot="pagi", day="besok"), "T002", "besok", "H-7"),
    ],
)
def test_times_that_cant_be_used(written: str | Slot, code: str, says: str, fix: str) -> None:
    """What is not a time, or is none that exists, is told with the form that would do."""
    if not code:
        assert parse_moment(written, CALENDAR).year == 1
        return
    with pytest.raises(TimeProblem) as caught:
        parse_moment(written, CALENDAR)
    assert caught.value.code == code
    assert says in caught.value.message
    assert fix in caught.value.fix


def test_without_a_day_nothing_counts_from_it() -> None:
    """H-7 in a plan without a day is an error, and so is a day beyond the calendar."""
    with pytest.raises(TimeProblem) as caught:
        parse_moment("H-7 08:00", Calendar(day=None, slots={}))
    assert caught.value.code == "T006"
    assert "day:" in caught.value.fix
    with pytest.raises(TimeProblem) as caught:
        parse_day("H+9999", Calendar(day=date(9999, 12, 1), slots={}))
    assert caught.value.code == "T003"
    with pytest.raises(TimeProblem) as caught:
        parse_moment("H-7 pagi", Calendar(day=date(2026, 12, 10), slots={}))
    assert "accounts.yaml" in caught.value.fix


def test_a_time_that_the_clock_skips() -> None:
    """In the gap of spring, both neighbouring readings are offered with their offsets."""
    with pytest.raises(TimeProblem) as caught:
        to_instant(datetime(2027, 3, 14, 2, 30), ZoneInfo("America/New_York"))
    assert caught.value.code == "T004"
    assert "2027-03-14 02:30" in caught.value.message
    assert "America/New_York" in caught.value.message
    assert "2027-03-14T01:30-05:00" in caught.value.fix
    assert "2027-03-14T03:30-04:00" in caught.value.fix


def test_a_time_that_happens_twice() -> None:
    """In the overlap of autumn, the two offsets to choose from are named."""
    with pytest.raises(TimeProblem) as caught:
        to_instant(datetime(2026, 11, 1, 1, 30), ZoneInfo("America/New_York"))
    assert caught.value.code == "T005"
    assert "2026-11-01T01:30-04:00" in caught.value.fix
    assert "2026-11-01T01:30-05:00" in caught.value.fix


def test_the_edges_of_a_change_are_ordinary() -> None:
    """The last second before and the first after a change exist once."""
    zone = ZoneInfo("America/New_York")
    assert to_instant(datetime(2026, 11, 1, 0, 59, 59), zone) == datetime(2026, 11, 1, 4, 59, 59, tzinfo=UTC)
    assert to_instant(datetime(2026, 11, 1, 2), zone) == datetime(2026, 11, 1, 7, tzinfo=UTC)
    assert to_instant(datetime(2027, 3, 14, 1, 59, 59), zone) == datetime(2027, 3, 14, 6, 59, 59, tzinfo=UTC)
    assert to_instant(datetime(2027, 3, 14, 3), zone) == datetime(2027, 3, 14, 7, tzinfo=UTC)


def test_a_time_before_the_calendar() -> None:
    """The first hours of year 1 have no instant."""
    with pytest.raises(TimeProblem) as caught:
        to_instant(datetime(1, 1, 1), ZoneInfo("Asia/Jakarta"))
    assert caught.value.code == "T003"


def test_plan_time_is_one_instant_for_all_accounts(tmp_path: Path) -> None:
    """Without zone: account, 08:00 is 08:00 of the plan's zone everywhere."""
    planned, problems = expanded(tmp_path, post("id: a\nat: H-7 08:00\ntext: Halo"))
    assert problems == []
    assert {item.due for item in planned} == {datetime(2026, 12, 3, 1, tzinfo=UTC)}
    assert {item.zone for item in planned} == {ZoneInfo("Asia/Jakarta")}


def test_the_account_s_own_zone(tmp_path: Path) -> None:
    """With zone: account each account has 08:00 on its own clock; an account without a zone uses the plan's."""
    text = post("id: a\nat: H-7 08:00\nzone: account\ntext: Halo\naccounts: [pusat, papua, makassar, dunia]")
    planned, problems = expanded(tmp_path, text)
    assert problems == []
    assert [(item.account.name, item.due.hour, item.due.day) for item in planned] == [
        ("pusat", 1, 3),
        ("papua", 23, 2),
        ("makassar", 0, 3),
        ("dunia", 1, 3),
    ]
    assert planned[1].zone == ZoneInfo("Asia/Jayapura")


def test_a_post_s_own_zone(tmp_path: Path) -> None:
    """zone may name any zone."""
    [item, _other], problems = expanded(tmp_path, post("id: a\nat: H 08:00\nzone: WIT\ntext: Halo"))
    assert problems == []
    assert item.due == datetime(2026, 12, 9, 23, tzinfo=UTC)


def test_an_offset_wins_over_the_plan_s_zone(tmp_path: Path) -> None:
    """A time with an offset is that instant."""
    [item, _other], problems = expanded(tmp_path, post("id: a\nat: 2026-12-03T08:00:30+09:00\ntext: Halo"))
    assert problems == []
    assert item.due == datetime(2026, 12, 2, 23, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("keys", "line", "column", "code", "fix"),
    [
        ("id: a\nat: 2026-02-30 08:00\ntext: x", 7, 9, "T003", "Correct"),
        ("id: a\nat: H-7 25:00\ntext: x", 7, 9, "T003", "00 to 23"),
        ("id: a\nat: {slot: magrib}\ntext: x", 7, 9, "T007", "pagi"),
        ("id: a\nat: 2026-12-03T08:00+07:00\nzone: account\ntext: x", 7, 9, "T012", "offset"),
        ("id: a\nat: 2027-03-14 02:30\nzone: America/New_York\ntext: x", 7, 9, "T004", "-05:00"),
        ("id: a\nat: 2026-11-01 01:30\nzone: America/New_York\ntext: x", 7, 9, "T005", "-04:00"),
        ("id: a\nat: 0001-01-01 00:00\ntext: x", 7, 9, "T003", "year"),
        ("id: a\nat: H 08:00\nzone: Asia/Jakrta\ntext: x", 8, 11, "T001", "WIB"),
    ],
)
def test_problems_of_times_are_told_at_their_place(
    tmp_path: Path, keys: str, line: int, column: int, code: str, fix: str
) -> None:
    """File, line, column and the fix; once, however many accounts the post has."""
    _planned, [problem] = expanded(tmp_path, post(keys))
    assert (problem.file, problem.line, problem.column) == ("campaigns/plan.yaml", line, column)
    assert problem.code == code
    assert fix in problem.fix


def test_a_wrong_day_is_told_once(tmp_path: Path) -> None:
    """A day that does not exist is told at the day, and not again at every H-7."""
    text = post("id: a\nat: H-7 08:00\ntext: x").replace("2026-12-10", "2026-11-31")
    planned, [problem] = expanded(tmp_path, text)
    assert planned == []
    assert (problem.line, problem.code, problem.path) == (3, "T003", "day")


def test_a_day_that_is_no_date(tmp_path: Path) -> None:
    """The campaign's day can't count from itself."""
    _planned, [problem] = expanded(tmp_path, post("id: a\nat: H 08:00\ntext: x").replace("2026-12-10", "H-1"))
    assert (problem.line, problem.code) == (3, "T002")
    assert "2026-12-10" in problem.fix


def test_a_plan_without_a_day(tmp_path: Path) -> None:
    """H-7 needs a day; the message says the line to write."""
    text = post("id: a\nat: H-7 08:00\ntext: x").replace("day: 2026-12-10\n", "")
    _planned, [problem] = expanded(tmp_path, text)
    assert (problem.code, problem.line) == ("T006", 6)
    assert "day: 2026-12-10" in problem.fix


def test_stagger_moves_accounts_apart(tmp_path: Path) -> None:
    """With the workspace's rule, the accounts of a post follow each other, in their order."""
    planned, problems = expanded(tmp_path, post("id: a\nat: H 08:00\ntext: x"), ACCOUNTS + "rules: {stagger: 2m}\n")
    assert problems == []
    assert [item.due.minute for item in planned] == [0, 2]


def test_past_compares_instants(tmp_path: Path) -> None:
    """Only what lies before the instant given counts as past."""
    planned, _problems = expanded(tmp_path, post("id: a\nat: H 08:00\ntext: x"))
    due = planned[0].due
    assert past(planned, due) == []
    assert past(planned, (due + timedelta(seconds=1)).astimezone(ZoneInfo("Asia/Jayapura"))) == planned
