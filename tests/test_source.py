"""Reading YAML: the meanings of 1.2, the place of every value, and what is said about files that can't be read."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from campaign_cli.models import Problem
from campaign_cli.source import MAX_BYTES, Source, path_text, read_source, suggest
from campaign_cli.source import nodes as yaml_nodes


def source_of(tmp_path: Path, content: str | bytes) -> Source:
    file = tmp_path / "plan.yaml"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_source(file, shown="campaigns/plan.yaml")


def only(source: Source) -> Problem:
    assert len(source.problems) == 1, source.problems
    problem = source.problems[0]
    assert problem.file == "campaigns/plan.yaml"
    assert problem.fix
    return problem


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("19:30", "19:30"),
        ("no", "no"),
        ("Yes", "Yes"),
        ("on", "on"),
        ("2026-12-10", "2026-12-10"),
        ("2026-12-10T08:00:00Z", "2026-12-10T08:00:00Z"),
        ("1_000", "1_000"),
        ("08123", 8123),
        ("0o17", 15),
        ("017", 17),
        ("0x1F", 31),
        ("-5", -5),
        ("1.5e3", 1500.0),
        (".5", 0.5),
        ("-.inf", float("-inf")),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("Null", None),
        ("", None),
        ("'5'", "5"),
        ('"true"', "true"),
        ("!!str 5", "5"),
        ("1e", "1e"),
        ("nasional", "nasional"),
        ("9" * 500, "9" * 500),
    ],
)
def test_plain_values_mean_what_yaml_1_2_says(tmp_path: Path, written: str, meant: object) -> None:
    """Clock times, dates and no stay text; numbers, truth values and null follow the core schema."""
    source = source_of(tmp_path, f"a: {written}\n")
    assert source.problems == []
    assert source.value == {"a": meant}
    assert type(source.value["a"]) is type(meant)


def test_not_a_number_is_read(tmp_path: Path) -> None:
    """.nan is a number of the core schema."""
    value = source_of(tmp_path, "a: .nan\n").value["a"]
    assert value != value  # noqa: PLR0124 - that is what nan is


def test_both_parsers_give_the_same(tmp_path: Path) -> None:
    """Where libyaml is missing, PyYAML's own parser gives the same values and places."""
    text = "a: [1, 'x', no]\nb: &n\n  c: |\n    teks\nd: *n\n"
    expected = source_of(tmp_path, text)
    value, positions = yaml_nodes.read_values(text, report=lambda *_found: None, compose=yaml_nodes.PurePythonComposer)
    assert value == expected.value == {"a": [1, "x", "no"], "b": {"c": "teks\n"}, "d": {"c": "teks\n"}}
    assert positions == expected._positions


def test_without_libyaml_the_pure_parser_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML without its C part is enough."""
    monkeypatch.setattr("yaml.__with_libyaml__", False)
    assert yaml_nodes.composer() is yaml_nodes.PurePythonComposer


def test_places_of_values_and_keys(tmp_path: Path) -> None:
    """Line and column count from 1; what is absent is placed at its nearest parent."""
    source = source_of(tmp_path, "posts:\n  - id: a\n    variants:\n      x: {text: Halo, n: [1, 2]}\n  - id: b\n")
    text = source.place(("posts", 0, "variants", "x", "text"))
    assert (text.file, text.line, text.column) == ("campaigns/plan.yaml", 4, 17)
    assert source.place(("posts", 0, "variants", "x", "text"), key=True).column == 11
    assert source.place(("posts", 0, "variants", "x", "n", 1)).column == 30
    assert source.place(("posts", 1, "id")).line == 5
    assert source.place(("posts", 1, "at")).line == 5
    assert source.place(("nothing",)).line == 1
    assert source.line(5) == "  - id: b"
    assert source.line(99) == ""


def test_bom_and_windows_line_ends_are_accepted(tmp_path: Path) -> None:
    """A byte order mark and CRLF change nothing, not even the places."""
    source = source_of(tmp_path, b"\xef\xbb\xbfa: 1\r\nb: |\r\n  satu\r\n  dua\r\nc: 3\r\n")
    assert source.problems == []
    assert source.value == {"a": 1, "b": "satu\ndua\n", "c": 3}
    assert source.place(("c",)).line == 5


@pytest.mark.parametrize(
    ("content", "place", "code", "says", "fix"),
    [
        ("", (1, 1), "P002", "empty", "campaign init"),
        ("# hanya komentar\n\n", (1, 1), "P002", "empty", "campaign init"),
        (b"a: 1\nb: caf\xe9\n", (2, 7), "P004", "0xE9", "UTF-8"),
        ("a: é\n".encode("utf-16"), (1, 1), "P004", "UTF-16", "UTF-8"),
        ("a: b\nc: d\n".encode("utf-16-be"), (1, 1), "P004", "UTF-16", "UTF-8"),
        ("a: b\n".encode("utf-32"), (1, 1), "P004", "UTF-32", "UTF-8"),
        ("a: 1\nb: x\x07y\n", (2, 5), "P005", "0x07", "Delete"),
        ("a: x\u2028y\n", (1, 5), "P005", "U+2028", "Delete"),
        ("a: 1\nb:\n\tc: 1\n", (3, 1), "P006", "tab", "spaces"),
        ("a: |\n\tteks\n", (2, 1), "P006", "tab", "spaces"),
        ("a: ok\nb: Jam: delapan\n", (2, 7), "P006", '": "', "quotes"),
        ("a: @contoh\n", (1, 4), "P006", "@", "quotes"),
        ("a: `x`\n", (1, 4), "P006", "`", "quotes"),
        ("a: %x\n", (1, 4), "P006", "%", "quotes"),
        ("a: *Tebal* sekali\n", (1, 10), "P006", "* or &", "quotes"),
        ("a: 'tidak ditutup\nb: 2\n", (1, 4), "P006", "never closed", "Close"),
        ('a: "C:\\data"\n', (1, 7), "P006", "backslash", "\\\\"),
        ("a: [#Upah, #Buruh]\nb: 1\n", (1, 4), "P006", "[", "#"),
        ("a: {b: 1\nc: 2\n", (1, 4), "P006", "braces", "}"),
        ("a: | teks\n", (1, 6), "P006", "next line", "indented"),
        ("a: 1\nb\nc: 2\n", (3, 1), "P006", "neither a key", "key: value"),
        ("a: - b\n", (1, 4), "P006", "list item", "next line"),
        ("a: *tak-ada\n", (1, 4), "P006", "No anchor", "quotes"),
        ("a: &x 1\nb: &x 2\n", (2, 4), "P006", "anchors", "Rename"),
        ("a: !e!x 1\n", (1, 4), "P006", "!", "quotes"),
        ("%YAML 1.3\n---\na: 1\n", (1, 1), "P006", "version", "%YAML"),
        ("- a\nb: 1\n", (2, 1), "P006", "list", '"- "'),
        ("a: ]\n", (1, 4), "P006", "begin with", "quotes"),
        ('a: "x" y\n', (1, 8), "P006", "does not fit", "column"),
        ("a: 1\n---\nb: 2\n", (2, 1), "P007", "several", "---"),
        ("a: 1\na: 2\n", (2, 1), "P008", '"a" is written twice', "Keep one"),
        ("1: a\n", (1, 1), "P009", "1 is not", "quotes"),
        ("b: {true: a}\n", (1, 5), "P009", "true is not", "quotes"),
        ("? [a]\n: b\n", (1, 3), "P009", "must be text", "quotes"),
        ("a: &n {b: *n}\n", (1, 4), "P010", "contains itself", "Write"),
        ("- " * 200_000 + "a", (1, 63), "P011", "32 levels", "flatter"),
        ("[" * 200_000, (1, 32), "P011", "32 levels", "flatter"),
        ("a: !!python/object/apply:os.system [ls]\n", (1, 4), "P012", "!!python", "plain"),
        ("a: !!timestamp 2026-12-10\n", (1, 4), "P012", "!!timestamp", "plain"),
        ("!!str a: 1\n!!int b: 2\n", (2, 1), "P012", "!!int", "plain"),
        ("a: &n {b: 1}\nc:\n  <<: *n\n", (3, 3), "P013", "<<", "Write"),
    ],
)
def test_bad_files_are_told_with_place_and_fix(
    tmp_path: Path, content: str | bytes, place: tuple[int, int], code: str, says: str, fix: str
) -> None:
    """Every kind of bad file gives one problem that names file, line, column, what is wrong and what to do."""
    problem = only(source_of(tmp_path, content))
    assert (problem.code, problem.line, problem.column) == (code, *place)
    assert says in problem.message
    assert fix in problem.fix
    assert "Traceback" not in problem.message


def test_an_alias_bomb_is_stopped(tmp_path: Path) -> None:
    """Aliases that multiply are counted as what they stand for, and refused before they fill the memory."""
    lines = ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [
        f"{name}: &{name} [{', '.join(['*' + before] * 10)}]"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    problem = only(source_of(tmp_path, "\n".join(lines)))
    assert problem.code == "P010"
    assert "10000" in problem.message


def test_aliases_in_reason_are_fine(tmp_path: Path) -> None:
    """An alias stands for the value of its anchor, with the anchor's place."""
    source = source_of(tmp_path, "a: &n [1, {b: x}]\nc: *n\n")
    assert source.problems == []
    assert source.value["c"] == [1, {"b": "x"}]
    assert source.place(("c", 1, "b")).line == 1


def test_nesting_through_aliases_is_bounded_too(tmp_path: Path) -> None:
    """Two halves that are shallow enough by themselves may be too deep together."""
    half = "[" * 20 + "1" + "]" * 20
    problem = only(source_of(tmp_path, f"a: &a {half}\nb: {half.replace('1', '*a')}\n"))
    assert problem.code == "P011"


def test_several_problems_are_all_told(tmp_path: Path) -> None:
    """A double key does not hide the others, and the first value counts."""
    source = source_of(tmp_path, "a: 1\na: {x: 1, x: 2}\nb: {y: 1, y: 2}\nc: 3\n")
    assert [problem.line for problem in source.problems] == [2, 3]
    assert source.value == {"a": 1, "b": {"y": 1}, "c": 3}
    assert source.place(("c",)).line == 4


def test_a_file_over_the_limit_is_refused(tmp_path: Path) -> None:
    """More than 16 MiB is not read at all."""
    file = tmp_path / "plan.yaml"
    with file.open("wb") as handle:
        handle.truncate(MAX_BYTES + 1)
    problem = only(read_source(file, shown="campaigns/plan.yaml"))
    assert problem.code == "P003"
    assert "16 MiB" in problem.message


def test_missing_files_and_folders_are_told(tmp_path: Path) -> None:
    """A name that leads nowhere, or to a folder, is a problem and no exception."""
    assert "no such file" in only(read_source(tmp_path / "x.yaml", shown="campaigns/plan.yaml")).message
    assert "folder" in only(read_source(tmp_path, shown="campaigns/plan.yaml")).message


def test_the_collector_is_left_as_it_was(tmp_path: Path) -> None:
    """Reading switches the garbage collector off and puts it back, also after a syntax error."""
    gc.disable()
    try:
        source_of(tmp_path, "a: 1\n")
        assert not gc.isenabled()
    finally:
        gc.enable()
    source_of(tmp_path, "a: 'x\n")
    assert gc.isenabled()


def test_suggestions() -> None:
    """A near name is offered, whatever its case; a far one is not."""
    assert suggest("acounts", ["accounts", "posts"]) == ' Did you mean "accounts"?'
    assert suggest("wib", ["WIB", "WIT"]) == ' Did you mean "WIB"?'
    assert suggest("zzz", ["accounts"]) == ""


def test_paths_as_text() -> None:
    """Paths are written as people would."""
    assert path_text(("posts", 3, "variants", "x", "text")) == "posts[3].variants.x.text"
    assert path_text(()) == ""
