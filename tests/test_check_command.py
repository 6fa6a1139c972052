"""``campaign check``: what is waived beside what counts, as text, JSON and annotations; every code explained."""

from __future__ import annotations

import ast
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Campaign
from refusals import HEAD, workspace

from campaign_cli.checks import CODES, explain
from campaign_cli.checks.codes import severities
from campaign_cli.cli.github import annotation
from campaign_cli.i18n import use_language
from campaign_cli.models import Problem, Severity

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "campaign_cli"
CODE = re.compile(r"[PTLMASE]\d{3}")
REASON = "Kutipan dari putusan"
PLAN = HEAD + (
    "  - id: satu\n"
    "    at: 2035-06-01 08:00\n"
    '    text: "Ganyang, kata mereka: 30% buruh."\n'
    f"    waive: {{E003: {REASON}}}\n"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace whose plan waives one problem and has another."""
    workspace(tmp_path)
    (tmp_path / "plan.yaml").write_text(PLAN, encoding="utf-8")
    return tmp_path


def test_text_shows_what_is_waived_with_its_reason(campaign: Campaign, root: Path) -> None:
    """Behind what counts, and counted in the last line."""
    ran = campaign("check", "plan.yaml")
    assert ran.code == 0
    assert ran.out.endswith(
        "plan.yaml:9:11: hint E001: No source is named for 30%.\n"
        "    → Name it under “sources” of the post or of the plan, or in the text behind “Sumber:”.\n"
        "plan.yaml:9:11: waived E003: The text says “ganyang”: words of threat, hatred or incitement.\n"
        f"    Reason: {REASON}\n"
        "1 delivery planned; 2 hints; 1 waived.\n"
    )


def test_nothing_is_said_of_waivers_where_there_are_none(campaign: Campaign, root: Path) -> None:
    """The last line is as ever."""
    (root / "plan.yaml").write_text(PLAN.replace(f"    waive: {{E003: {REASON}}}\n", ""), encoding="utf-8")
    ran = campaign("check", "plan.yaml")
    assert ran.out.endswith("1 delivery planned; 1 warning, 2 hints.\n")
    assert json.loads(campaign("check", "plan.yaml", "--json").out)["waived"] == []


def test_json_lists_what_is_waived_beside_the_problems(campaign: Campaign, root: Path) -> None:
    """The same keys, and the reason; once, also where the plan is named twice."""
    found = json.loads(campaign("check", "plan.yaml", "plan.yaml", "--format", "json").out)
    assert [one["code"] for one in found["problems"]] == ["L901", "E001"]
    assert found["waived"] == [
        {
            "code": "E003",
            "severity": "warning",
            "file": "plan.yaml",
            "line": 9,
            "column": 11,
            "path": "posts[0].text",
            "message": "The text says “ganyang”: words of threat, hatred or incitement.",
            "fix": "Say it in another way; where it is meant, as in a quotation, waive E003 with the reason.",
            "reason": REASON,
        }
    ]


def test_annotations_say_every_problem_and_every_waiver(campaign: Campaign, root: Path) -> None:
    """One line each, for new families as for old ones; what is waived is a notice."""
    ran = campaign("check", "plan.yaml", "--format", "github")
    lines = ran.out.splitlines()
    assert [line.split(" ", 1)[0] for line in lines] == ["::notice"] * 3
    assert lines[1:] == [
        "::notice file=plan.yaml,line=9,col=11,title=E001::No source is named for 30%25. Name it under “sources” of "
        "the post or of the plan, or in the text behind “Sumber:”.",
        "::notice file=plan.yaml,line=9,col=11,title=E003 (waived)::The text says “ganyang”: words of threat, hatred "
        f"or incitement. Reason: {REASON}",
    ]


def problem(severity: Severity = Severity.ERROR, **values: str | int) -> Problem:
    """A problem of a file, with these values."""
    given = {"code": "P001", "file": "a.yaml", "line": 3, "column": 5, "path": "", "message": "Salah.", "fix": ""}
    return Problem(severity=severity, **{**given, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (problem(), "::error file=a.yaml,line=3,col=5,title=P001::Salah."),
        (problem(Severity.WARNING, fix="Betulkan."), "::warning file=a.yaml,line=3,col=5,title=P001::Salah. Betulkan."),
        (problem(Severity.HINT, file=""), "::notice title=P001::Salah."),
        (
            problem(message="50% dari\r\n::error::palsu, a:b", fix="x\n%0A"),
            "::error file=a.yaml,line=3,col=5,title=P001::50%25 dari%0D%0A::error::palsu, a:b x%0A%250A",
        ),
        (
            problem(file="rencana, satu: 100%\r\n::warning::.yaml"),
            "::error file=rencana%2C satu%3A 100%25%0D%0A%3A%3Awarning%3A%3A.yaml,line=3,col=5,title=P001::Salah.",
        ),
    ],
)
def test_annotations_stay_on_their_line(given: Problem, line: str) -> None:
    """Whatever a plan or a file's name says, it makes no command of its own."""
    assert annotation(given) == line


def test_the_annotation_of_a_waiver_is_a_notice_with_the_reason() -> None:
    """In the place of the fix, which nobody asks for."""
    given = problem(fix="Betulkan.")
    assert annotation(given, reason="Sudah\nbenar") == (
        "::notice file=a.yaml,line=3,col=5,title=P001 (waived)::Salah. Reason: Sudah%0Abenar"
    )


def test_signs_that_steer_a_terminal_are_shown(campaign: Campaign, root: Path) -> None:
    """In the text of a plan and in the reason of a waiver; no line of output is a command."""
    text = PLAN.replace("30% buruh", "30% buruh\\e[31m\\r\\n::error::x").replace(
        REASON, '"Kutipan\\e[2J dari\\n::error::x putusan"'
    )
    (root / "plan.yaml").write_text(text, encoding="utf-8")
    for options in ([], ["--format", "github"], ["--json"]):
        out = campaign("check", "plan.yaml", *options).out
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", out)
        assert "::error::x" in out
    lines = campaign("check", "plan.yaml", "--format", "github").out.splitlines()
    assert [line for line in lines if line.startswith("::error")] == []


def test_preview_lists_what_is_waived(campaign: Campaign, root: Path) -> None:
    """In the terminal, in its data, and on the page, where it is escaped."""
    text = PLAN.replace(REASON, f'"{REASON} <b>"')
    (root / "plan.yaml").write_text(text, encoding="utf-8")
    out = campaign("preview", "plan.yaml").out
    assert "Waived by the plan" in out
    assert "E003: The text says “ganyang”: words of threat, hatred or incitement. (plan.yaml:9:11)" in out
    assert f"Reason: {REASON} <b>" in out
    assert [one["reason"] for one in json.loads(campaign("preview", "plan.yaml", "--json").out)["waived"]] == [
        f"{REASON} <b>"
    ]
    campaign("preview", "plan.yaml", "--html", "page.html")
    page = (root / "page.html").read_text(encoding="utf-8")
    assert '<a href="#waived">Waived by the plan (1)</a>' in page
    section = page[page.index('<h2 id="waived">') : page.index('<h2 id="timeline">')]
    assert "<b>E003</b> The text says “ganyang”: words of threat, hatred or incitement." in section
    assert "<code>plan.yaml:9:11</code>" in section
    assert f"<b>Reason:</b> {REASON} &lt;b&gt;" in section


def test_preview_says_nothing_of_waivers_where_there_are_none(campaign: Campaign, root: Path) -> None:
    """Neither a panel nor a section."""
    (root / "plan.yaml").write_text(PLAN.replace(f"    waive: {{E003: {REASON}}}\n", ""), encoding="utf-8")
    assert "Waived" not in campaign("preview", "plan.yaml").out
    campaign("preview", "plan.yaml", "--html", "page.html")
    assert 'id="waived"' not in (root / "page.html").read_text(encoding="utf-8")


def test_queue_and_log_say_who_queued_with_which_waiver(
    campaign: Campaign, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Queue on stderr and in its data, log in words and in data."""
    monkeypatch.setenv("USER", "siti")
    ran = campaign("queue", "plan.yaml", "--yes")
    assert ran.code == 0
    assert (
        f"waived E003: The text says “ganyang”: words of threat, hatred or incitement.\n    Reason: {REASON}" in ran.err
    )
    (event,) = [one for one in json.loads(campaign("log", "--json").out)["events"] if one["kind"] == "queued"]
    assert event["data"]["waived"] == {"E003": REASON}
    (line,) = [line for line in campaign("log").out.splitlines() if "  queued  " in line]
    assert line.endswith(f"waived: E003 ({REASON})")
    assert event["actor"] in line
    (document,) = json.loads(campaign("queue", "plan.yaml", "--dry-run", "--json").out)["plans"]
    assert (document["same"], document["waived"]) == (1, [])


def test_queue_data_names_what_it_waives(campaign: Campaign, root: Path) -> None:
    """With the reason, as check does."""
    (document,) = json.loads(campaign("queue", "plan.yaml", "--dry-run", "--json").out)["plans"]
    assert [(one["code"], one["reason"]) for one in document["waived"]] == [("E003", REASON)]


def test_a_message_without_a_plan_is_judged_too(campaign: Campaign, root: Path) -> None:
    """What blocks a post blocks it, also right now; a warning is told, and without a place that nobody has seen."""
    ran = campaign("post", "Ganyang: 30% buruh.", "--to", "mastodon", "--at", "2035-06-01 08:00")
    assert ran.code == 0
    assert ran.err.startswith(
        "warning E003: The text says “ganyang”: words of threat, hatred or incitement.\n    → Say"
    )
    assert "E001" not in ran.err
    accounts = (root / "accounts.yaml").read_text(encoding="utf-8")
    days = ", ".join(f"{datetime.now(UTC).date() + timedelta(days=shift)}" for shift in (-1, 0, 1))
    (root / "accounts.yaml").write_text(f"{accounts}\nrules: {{silent_days: [2035-06-02, {days}]}}\n", encoding="utf-8")
    for options in (("--at", "2035-06-02 08:00"), ()):
        ran = campaign("post", "Halo.", "--to", "mastodon", *options)
        assert (ran.code, ran.out) == (2, "")
        assert re.match(r"error E004: .* lies in a day of silence\.\n", ran.err)
        assert ran.err.endswith("error: The message was not queued.\n")


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_is_explained(code: str) -> None:
    """By its title and by sentences, in English here."""
    title, text = CODES[code]
    assert explain(code) == f"{code}: {title}\n\n{text}"
    assert len(title) < 90
    assert title[-1] not in ".!"
    assert len(text) > 20


@pytest.mark.parametrize("code", [code for code in sorted(CODES) if code[0] == "E"])
def test_ethics_and_law_say_which_rule_they_have_in_mind(code: str) -> None:
    """And that it is no legal advice."""
    text = CODES[code][1]
    assert "In mind: " in text or "In mind:\n" in text
    assert text.endswith("No legal advice.")


def test_explain_as_a_command(campaign: Campaign) -> None:
    """In either case of the letter."""
    assert campaign("check", "--explain", "e006").out == (explain("E006") or "") + "\n"
    ran = campaign("check", "--explain", "E999")
    assert (ran.code, "There is no problem code E999." in ran.err) == (2, True)


def _constants(path: Path) -> set[str]:
    return {
        node.value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value)
    }


def test_every_code_that_is_used_is_explained_and_every_explained_one_is_used() -> None:
    """Whatever file reports it; what only lists codes is no use."""
    listing = {"codes.py"} | {path.name for path in (SOURCES / "checks").glob("*_codes.py")}
    used = set().union(*(_constants(path) for path in SOURCES.rglob("*.py") if path.name not in listing))
    assert used - set(CODES) == {"S256"}  # a word of OAuth 2, and no code
    assert set(CODES) - used == set()


def _told() -> set[tuple[str, Severity]]:
    """Codes with the severity that stands in the same call."""
    found = set()
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            values = [*node.args, *(keyword.value for keyword in node.keywords)]
            codes = [one.value for one in values if isinstance(one, ast.Constant) and CODE.fullmatch(str(one.value))]
            names = [one.attr for one in values if isinstance(one, ast.Attribute)]
            names += {"warn": ["WARNING"], "error": ["ERROR"]}.get(getattr(node.func, "attr", ""), [])
            found |= {(str(code), Severity[name]) for code in codes for name in names if name in Severity.__members__}
    return found


def test_the_severity_of_each_code_is_known() -> None:
    """Wherever a code stands beside its severity, the table that docs/checks.md shows says the same."""
    told = _told()
    assert {("E003", Severity.WARNING), ("M118", Severity.WARNING), ("L001", Severity.ERROR)} <= told
    assert sorted((code, severity) for code, severity in told if severity not in severities(code)) == []


def test_severities() -> None:
    """The gravest first; an error where nothing milder is meant."""
    assert severities("P001") == (Severity.ERROR,)
    assert severities("T101") == (Severity.WARNING,)
    assert severities("E005") == (Severity.HINT,)
    assert severities("A008") == (Severity.ERROR, Severity.WARNING)


def test_the_page_of_checks_shows_every_code() -> None:
    """In its family, with severity, title and explanation."""
    page = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([PTLMASE]\d{3}) \| ([a-z, ]+) \| (.+?) \| (.+) \|$", page, re.MULTILINE)
    assert [row[0] for row in rows if row[0][0] == "E"] == [code for code in sorted(CODES) if code[0] == "E"]
    assert {row[0] for row in rows} == set(CODES)
    shown = {code: (severity, title.replace("\\", ""), text.replace("\\", "")) for code, severity, title, text in rows}
    for code, (title, text) in CODES.items():
        assert shown[code] == (", ".join(severities(code)), title, text)


def test_other_languages_explain_every_code_that_they_translate() -> None:
    """The explanation in Bahasa Indonesia is not the English one."""
    use_language("id")
    text = explain("T102")
    use_language("en")
    assert text is not None
    assert text != explain("T102")
