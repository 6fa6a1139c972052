"""What a plan waives, with its reason: what counts, what is shown, what the ledger remembers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from content_helpers import ACCOUNTS, NOW, Folder
from test_queueing import Desk

from campaign_cli.checks import CODES, Examined
from campaign_cli.checks.pipeline import judge
from campaign_cli.checks.waivers import mark, may_be_waived, unmarked
from campaign_cli.errors import InputError
from campaign_cli.models import Problem, Severity, State

REASON = "Kutipan dari putusan pengadilan"
OTHER = "Disepakati rapat pengurus"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def plan(*posts: str, head: str = "") -> str:
    """A plan for one account; each post with its keys beside id and time."""
    lines = [f"  - {{id: p{number}, at: 2026-12-03 1{number}:00, {keys}}}\n" for number, keys in enumerate(posts)]
    return f"accounts: [langit]\n{head}posts:\n" + "".join(lines)


def told(examined: Examined) -> list[tuple[str, str, str]]:
    """Code, severity and path of what counts."""
    return [(one.code, one.severity.value, one.path) for one in examined.problems]


def waived(examined: Examined) -> list[tuple[str, str, str]]:
    """Code, path and reason of what doesn't."""
    return [(one.problem.code, one.problem.path, one.reason) for one in examined.waived]


def test_a_waiver_of_a_post_counts_for_that_post_alone(folder: Folder) -> None:
    """The other post is warned of as ever."""
    found = folder.plan(plan(f"text: Ganyang satu., waive: {{E003: '  {REASON} '}}", "text: Ganyang dua."))
    assert told(found) == [("E003", "warning", "posts[1].text")]
    assert waived(found) == [("E003", "posts[0].text", REASON)]


def test_a_waiver_of_the_plan_counts_for_every_post_and_for_the_plan_itself(folder: Folder) -> None:
    """A post's own reason comes before the plan's."""
    found = folder.plan(
        plan(
            "text: Ganyang satu.",
            f"text: Ganyang dua., waive: {{E003: {OTHER}}}",
            head=f"hashtags: [Ganyang]\nwaive: {{E003: {REASON}}}\n",
        )
    )
    assert told(found) == []
    assert waived(found) == [
        ("E003", "hashtags[0]", REASON),
        ("E003", "posts[0].text", REASON),
        ("E003", "posts[1].text", OTHER),
    ]


def test_quiet_hours_and_days_of_silence_can_be_waived(folder: Folder) -> None:
    """An error that is waived blocks nothing."""
    folder.write("accounts.yaml", ACCOUNTS + 'rules: {quiet_hours: "10:00-11:00", silent_days: [2026-12-03]}\n')
    keys = f"text: Satu., waive: {{T102: {REASON}, E004: {OTHER}}}"
    found = folder.plan(plan(keys, "text: Dua."))
    assert told(found) == [("E004", "error", "posts[1].at")]
    assert sorted(waived(found)) == [("E004", "posts[0].at", OTHER), ("T102", "posts[0].at", REASON)]


@pytest.mark.parametrize("code", ["T101", "P250", "L001", "M001", "A001", "P260"])
def test_other_codes_can_not_be_waived(folder: Folder, code: str) -> None:
    """It is an error at the code, with what can be."""
    found = folder.plan(plan(f"text: Satu., waive: {{{code}: {REASON}}}"))
    (problem,) = found.problems
    assert (problem.code, problem.severity, problem.path) == ("P260", "error", f"posts[0].waive.{code}")
    assert (problem.line, problem.column) == (6, 57)
    assert problem.message.startswith(f"{code} can't be waived.")
    assert problem.fix == "Rules of safety (S), of ethics (E) and of quiet hours (T102) can be; correct the rest."


def test_a_slip_of_the_pen_is_asked_about(folder: Folder) -> None:
    """A code that doesn't exist waives nothing; the nearest that can be waived is named."""
    found = folder.plan(plan("text: Ganyang.", head=f"waive: {{e003: {REASON}}}\n"))
    assert told(found) == [("P260", "error", "waive.e003"), ("E003", "warning", "posts[0].text")]
    assert found.problems[0].message == 'e003 can\'t be waived. Did you mean "E003"?'


@pytest.mark.parametrize("reason", ["", "ok", "123456789", "   pendek   "])
def test_a_waiver_without_a_reason_does_not_count(folder: Folder, reason: str) -> None:
    """It is an error at the reason, and the problem stands."""
    found = folder.plan(plan(f"text: Ganyang., waive: {{E003: '{reason}'}}"))
    assert told(found) == [("E003", "warning", "posts[0].text"), ("P260", "error", "posts[0].waive.E003")]
    assert found.waived == []
    problem = found.problems[1]
    assert problem.message == "The waiver of E003 has no reason."
    assert problem.fix == "Write why, in at least 10 characters: who reads the log must understand it."
    assert (problem.line, problem.column) == (6, 66)


def test_ten_characters_are_a_reason(folder: Folder) -> None:
    """Not more is asked."""
    found = folder.plan(plan("text: Ganyang., waive: {E003: '1234567890'}"))
    assert (told(found), waived(found)) == ([], [("E003", "posts[0].text", "1234567890")])


def test_a_waiver_that_found_nothing_is_a_hint(folder: Folder) -> None:
    """At its code: of a post, and of a plan whose posts all waive it themselves."""
    found = folder.plan(
        plan(
            f"text: Satu., waive: {{E003: {REASON}}}",
            f"text: Ganyang., waive: {{E003: {REASON}}}",
            head=f"waive: {{E003: {REASON}, E001: {REASON}}}\n",
        )
    )
    assert told(found) == [
        ("P261", "hint", "waive.E003"),
        ("P261", "hint", "waive.E001"),
        ("P261", "hint", "posts[0].waive.E003"),
    ]
    assert found.problems[0].message == "Nothing was found that the waiver of E003 would waive."
    assert found.problems[0].fix == "Delete it, or write it at the post that it is meant for."
    assert (found.problems[0].line, found.problems[0].column) == (5, 9)


def test_a_waiver_of_what_is_over_or_can_not_be_drawn_is_left_alone(folder: Folder) -> None:
    """Nobody knows what would have been found."""
    keys = f"text: Satu., waive: {{E003: {REASON}}}"
    later = datetime(2027, 1, 1, tzinfo=UTC)
    assert [one[0] for one in told(folder.plan(plan(keys, head=f"waive: {{E001: {REASON}}}\n"), now=later))] == ["T101"]
    due = datetime(2026, 12, 3, 3, tzinfo=UTC)
    assert [one[0] for one in told(folder.plan(plan(keys), now=due))] == ["P261"]
    assert [one[0] for one in told(folder.plan(plan(keys, "text: '{{ x }}'")))] == ["P201"]
    assert [one[0] for one in told(folder.plan(plan(keys)))] == ["P261"]


def test_what_may_be_waived() -> None:
    """Codes that exist, of two families, and one of times."""
    assert [code for code in CODES if may_be_waived(code)] == [
        code for code in CODES if code.startswith(("S", "E")) or code == "T102"
    ]
    assert [may_be_waived(code) for code in ("E001", "E999", "T102", "T101", "", "S")] == [
        True,
        False,
        True,
        False,
        False,
        False,
    ]


def test_problems_of_other_files_are_not_waived(folder: Folder) -> None:
    """A rule may find something in accounts.yaml: no plan can waive that."""
    examined = folder.plan(plan("text: Satu.", head=f"waive: {{E003: {REASON}}}\n"))
    there = Problem(
        code="E003",
        severity=Severity.WARNING,
        file="accounts.yaml",
        line=1,
        column=1,
        path="posts[0]",
        message="x",
        fix="y",
    )
    examined.problems.clear()
    judge(examined, now=NOW, rules=[lambda _examined, _now: [there, there]])
    assert (examined.problems, examined.waived) == ([there], [])


def test_the_mark_of_what_was_waived() -> None:
    """It stands in front of a hash, says codes and reasons in order, and is taken off again."""
    first = mark({"E003": REASON, "E001": OTHER})
    assert first == mark({"E001": OTHER, "E003": REASON})
    assert first != mark({"E001": OTHER, "E003": OTHER})
    assert first.startswith("~E001=")
    assert unmarked(first + "abc:label~x") == (first, "abc:label~x")
    assert unmarked("abc:label~x") == ("", "abc:label~x")
    assert mark({}) == ""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    made.plan["accounts"] = ["masto"]
    yield made
    made.ledger.close()


SILENT = {"silent_days": ["2026-12-03"]}


def _details(desk: Desk) -> list[tuple[str, str | None, Any]]:
    """Kind, key and waivers of the events of deliveries."""
    return [(one.kind, one.key, one.data.get("waived")) for one in desk.ledger.events() if one.key]


def test_queue_judges_what_is_new_and_writes_the_waivers_into_the_log(desk: Desk) -> None:
    """An error stops it; waived, it is queued, and the log says why."""
    desk.accounts["rules"] = SILENT
    with pytest.raises(InputError) as refused:
        desk.queue()
    assert [(one.code, one.path) for one in refused.value.problems] == [("E004", "posts[0].at")]
    desk.post()["waive"] = {"E004": REASON}
    found = desk.compare()
    assert found.problems == []
    assert [(one.problem.code, one.reason) for one in found.waived] == [("E004", REASON)]
    desk.apply(found)
    assert _details(desk) == [
        ("queued", "upah/pembuka/masto", {"E004": REASON}),
        ("queued", "upah/penutup/masto", None),
    ]


def test_what_is_queued_with_a_waiver_stays_the_same_while_it_stands(desk: Desk) -> None:
    """Nothing is drawn anew; a waiver that is added elsewhere, or for the whole plan, changes nothing."""
    desk.post()["text"] = "Ganyang."
    desk.post()["waive"] = {"E003": REASON}
    desk.queue()
    assert (desk.compare().empty, desk.rendered) == (True, [])
    desk.plan["waive"] = {"E001": OTHER, "E003": OTHER}
    desk.post(1)["waive"] = {"E003": OTHER}
    assert (desk.compare().empty, desk.rendered) == (True, [])
    desk.post()["waive"] = {"E003": REASON, "E004": OTHER}
    assert (desk.compare().empty, desk.rendered) == (True, [])


def test_a_waiver_that_is_taken_away_makes_queue_judge_again(desk: Desk) -> None:
    """Although nothing else has changed: what it waived blocks now. The other post is not drawn."""
    desk.accounts["rules"] = SILENT
    desk.post()["waive"] = {"E004": REASON}
    desk.queue()
    del desk.post()["waive"]
    found = desk.compare()
    assert desk.rendered == ["upah/pembuka/masto"]
    assert [(one.code, one.path) for one in found.problems] == [("E004", "posts[0].at")]
    with pytest.raises(InputError):
        desk.apply(found)
    desk.plan["waive"] = {"E004": REASON}  # the same reason, for the whole plan, is as good
    assert desk.compare().empty


def test_each_of_several_waivers_counts(desk: Desk) -> None:
    """While all that were used stand, nothing changes; one that is taken away changes the post."""
    desk.post()["text"] = "Ganyang: 30% buruh."
    desk.post()["waive"] = {"E003": REASON, "E001": OTHER}
    desk.queue()
    assert _details(desk)[0] == ("queued", "upah/pembuka/masto", {"E001": OTHER, "E003": REASON})
    assert (desk.compare().empty, desk.rendered) == (True, [])
    for code in ("E001", "E003"):
        kept = desk.post()["waive"].pop(code)
        found = desk.compare()
        assert [one.key for one in found.changed] == ["upah/pembuka/masto"]
        assert [(one.code, one.severity.value) for one in found.problems] == [
            (code, {"E001": "hint", "E003": "warning"}[code])
        ]
        desk.post()["waive"][code] = kept
    assert desk.compare().empty


def test_another_reason_is_written_into_the_log(desk: Desk) -> None:
    """The delivery changes, its words do not."""
    desk.plan["hashtags"] = ["Ganyang"]
    desk.plan["waive"] = {"E003": REASON}
    desk.queue()
    content = {one.key: one.content_hash for one in desk.ledger.deliveries()}
    desk.plan["waive"] = {"E003": OTHER}
    assert desk.queue().changed == 2
    assert {one.key: one.content_hash for one in desk.ledger.deliveries()} == content
    assert _details(desk)[2:] == [
        ("changed", "upah/pembuka/masto", {"E003": OTHER}),
        ("changed", "upah/penutup/masto", {"E003": OTHER}),
    ]
    assert desk.compare().empty


def test_the_ledger_tells_with_which_waivers_something_is_queued(desk: Desk) -> None:
    """The last that it was queued with, under its own name; another time changes nothing, and no name is left over."""
    keys = ["upah/pembuka/masto", "upah/penutup/masto", "upah/awal/masto"]
    desk.post()["text"] = "Ganyang."
    desk.post()["waive"] = {"E003": REASON}
    desk.queue()
    assert desk.ledger.waivers(keys) == {keys[0]: {"E003": REASON}}
    held = desk.ledger.hold(reason="Rapat", actor="siti")
    desk.ledger.release([held.id], actor="siti", late={keys[0]: timedelta(hours=1)})
    assert desk.ledger.waivers(keys) == {keys[0]: {"E003": REASON}}
    desk.post()["waive"] = {"E003": OTHER}
    desk.queue()
    assert desk.ledger.waivers(keys) == {keys[0]: {"E003": OTHER}}
    assert desk.ledger.waivers(keys[1:]) == {}
    desk.post()["id"] = "awal"
    desk.queue()
    assert desk.ledger.waivers(keys[2:]) == {keys[2]: {"E003": OTHER}}
    desk.post()["text"] = "Upah layak."
    del desk.post()["waive"]
    desk.queue()
    assert desk.ledger.waivers(keys[2:]) == {}


def test_what_is_out_is_not_judged_by_its_waivers_any_more(desk: Desk) -> None:
    """A published post whose waiver is deleted differs in nothing."""
    desk.post()["text"] = "Ganyang."
    desk.post()["waive"] = {"E003": REASON}
    desk.queue()
    desk.publish("upah/pembuka/masto")
    del desk.post()["waive"]
    found = desk.compare()
    assert [(one.known.key, one.differs) for one in found.frozen] == [("upah/pembuka/masto", False)]
    assert (found.problems, found.empty) == ([], True)
    desk.post()["text"] = "Lain."
    assert [one.differs for one in desk.compare().frozen] == [True]


def test_a_renamed_post_keeps_its_waivers(desk: Desk) -> None:
    """The log of the move says them as well."""
    desk.post()["text"] = "Ganyang."
    desk.post()["waive"] = {"E003": REASON}
    desk.queue()
    desk.post()["id"] = "awal"
    assert desk.queue().moved == 1
    assert _details(desk)[-1] == ("moved", "upah/awal/masto", {"E003": REASON})
    assert desk.compare().empty


def test_a_day_of_silence_named_later_stops_queue_for_what_is_queued(desk: Desk) -> None:
    """Nothing is drawn for it; what was published, or is over, stops nobody."""
    desk.queue()
    desk.accounts["rules"] = SILENT
    found = desk.compare()
    assert desk.rendered == []
    assert [(one.code, one.path) for one in found.problems] == [("E004", "posts[0].at")]
    desk.publish("upah/pembuka/masto")
    assert desk.states()["upah/pembuka/masto"] is State.PUBLISHED
    assert desk.compare().problems == []


def test_what_the_rules_ask_of_a_post_is_a_part_of_its_inputs(desk: Desk) -> None:
    """A queued post that turns out to be paid for is judged again, although its words are the same."""
    desk.queue()
    desk.post()["paid"] = True
    found = desk.compare()
    assert [one.key for one in found.changed] == ["upah/pembuka/masto"]
    assert [(one.code, one.path) for one in found.problems] == [("E006", "posts[0].text")]


def test_queue_refuses_a_waiver_that_can_not_be_used(desk: Desk) -> None:
    """Also where nothing has changed."""
    desk.queue()
    desk.post()["waive"] = {"P250": REASON}
    assert [one.code for one in desk.compare().problems] == ["P260"]
