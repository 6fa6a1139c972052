"""accounts.yaml: everything right is read, everything wrong is told at its line, and no secret is ever repeated."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel

from campaign_cli.accounts import Workspace, cached_limits, load_workspace, store_check
from campaign_cli.models import Account, Problem, Severity
from campaign_cli.platforms.base import Settings


class Board(Settings):
    """A network of this test's own: a board at an address, with an optional handle."""

    url: str
    token: str
    handle: str | None = None
    pages: int = 1


def settings_of(name: str) -> type[BaseModel]:
    assert name == "board"
    return Board


def address_of(account: Account) -> str:
    return f"{account.settings['url'].lower()}/{account.settings['handle'] or account.settings['token']}"


def load(root: Path, text: str | None) -> tuple[Workspace, list[Problem]]:
    if text is not None:
        (root / "accounts.yaml").write_text(text, encoding="utf-8")
    return load_workspace(
        root,
        settings_of=settings_of,
        secrets_of=lambda _name: ("token",),
        address_of=address_of,
        known=("board", "mastodon"),
    )


GOOD = """\
accounts:
  pusat: {platform: board, url: https://a.example, token: env:PUSAT, timezone: WIB, language: id, rate: 2}
  papua: {platform: board, url: https://b.example, token: file:papua.txt, timezone: WIT}
  warta: {platform: board, url: https://c.example, token: keyring:campaign/warta}
groups:
  daerah: [papua]
  semua: [pusat, daerah, papua]
slots: {pagi: "07:30", malam: "19.30"}
rules: {approval: 2, approvers: approvers, quiet_hours: "22:00-05:00", late_grace: 1h30m, stagger: 2m}
notify: [env:NOTIFY]
"""


def test_a_whole_file(tmp_path: Path) -> None:
    """Accounts with zone, language and rate, groups of groups, slots, rules and notices."""
    workspace, problems = load(tmp_path, GOOD)
    assert problems == []
    pusat = workspace.accounts["pusat"]
    assert (pusat.platform, pusat.timezone, pusat.language, pusat.rate) == ("board", ZoneInfo("Asia/Jakarta"), "id", 2)
    assert pusat.settings == {"url": "https://a.example", "token": "env:PUSAT", "handle": None, "pages": 1}
    assert (pusat.place.file, pusat.place.line, pusat.place.column) == ("accounts.yaml", 2, 3)
    assert workspace.slots == {"pagi": "07:30", "malam": "19:30"}
    assert workspace.rules.approval == 2
    assert workspace.rules.quiet_hours == "22:00-05:00"
    assert (workspace.rules.late_grace, workspace.rules.stagger) == (timedelta(minutes=90), timedelta(minutes=2))
    assert workspace.notify == ("env:NOTIFY",)
    assert workspace.state_dir == tmp_path / ".campaign"


def test_rules_are_off_when_not_written(tmp_path: Path) -> None:
    """Except late_grace, which is half an hour."""
    rules = load(tmp_path, "accounts: {}\n")[0].rules
    assert (rules.approval, rules.approvers, rules.quiet_hours, rules.stagger) == (0, None, None, None)
    assert rules.late_grace == timedelta(minutes=30)


def test_groups_are_expanded_in_order_without_doubles(tmp_path: Path) -> None:
    """Names keep their order, an account comes once, an unknown name is a KeyError."""
    workspace, _problems = load(tmp_path, GOOD)
    assert [account.name for account in workspace.resolve(["semua", "pusat", "warta"])] == ["pusat", "papua", "warta"]
    with pytest.raises(KeyError, match="tak-ada"):
        workspace.resolve(["tak-ada"])


def test_no_accounts_yaml(tmp_path: Path) -> None:
    """A folder without accounts.yaml is no workspace, and the message says what to do."""
    workspace, [problem] = load(tmp_path, None)
    assert workspace.accounts == {}
    assert workspace.source is None
    assert problem.code == "A001"
    assert "campaign init" in problem.fix


@pytest.mark.parametrize(
    ("text", "place", "code", "says", "fix"),
    [
        ("- a\n", (1, 1), "A004", "must hold keys", ""),
        ("acounts: {}\n", (1, 1), "A004", 'Did you mean "accounts"?', "Known keys"),
        ("accounts: []\n", (1, 11), "A004", '"accounts" must be a group of keys, not a list', "key: value"),
        ("accounts:\n  a1: {url: x}\n", (2, 7), "A002", "names no platform", "board"),
        ("accounts:\n  a1: {platform: bord}\n", (2, 18), "A002", 'Did you mean "board"?', "board"),
        ("accounts:\n  a1: {platform: board, url: x}\n", (2, 7), "A004", '"token" is missing', "token: …"),
        (
            "accounts:\n  a1: {platform: board, url: x, tokn: env:A, token: env:A}\n",
            (2, 33),
            "A004",
            'Did you mean "token"?',
            "timezone",
        ),
        (
            "accounts:\n  a1: {platform: board, url: 5, token: env:A}\n",
            (2, 30),
            "A004",
            "must be text, not the number 5",
            '"5"',
        ),
        (
            "accounts:\n  a1: {platform: board, url: x, token: env:A, timezone: WIBB}\n",
            (2, 57),
            "A009",
            'Did you mean "WIB"?',
            "WITA",
        ),
        (
            "accounts:\n  a1: {platform: board, url: x, token: env:A, language: Indonesia}\n",
            (2, 57),
            "A004",
            "language code",
            "en",
        ),
        (
            "accounts:\n  a1: {platform: board, url: x, token: env:A, rate: 0}\n",
            (2, 53),
            "A004",
            "more than 0",
            "",
        ),
        ("accounts:\n  Satu: {platform: board, url: x, token: env:A}\n", (2, 3), "A012", '"Satu"', "small letters"),
        ("accounts:\n  a/b: {platform: board, url: x, token: env:A}\n", (2, 3), "A012", '"a/b"', "small letters"),
        ("accounts:\n  mastodon: {platform: board, url: x, token: env:A}\n", (2, 3), "A012", "network", "another"),
        ("accounts:\n  en: {platform: board, url: x, token: env:A}\n", (2, 3), "A012", "language", "longer"),
        ("groups: {g: [tak-ada]}\n", (1, 14), "A007", '"tak-ada"', "Add it"),
        ("groups: {g: [g]}\n", (1, 14), "A013", "contains itself", "out"),
        ("groups: {g: pusat}\n", (1, 13), "A004", "must be a list", "[one, two]"),
        ('slots: {pagi: "25:00"}\n', (1, 15), "A011", "clock time", "07:30"),
        ("slots: {pagi: 7}\n", (1, 15), "A011", "clock time", "07:30"),
        ("rules: {late_grace: 30}\n", (1, 21), "A010", "duration", "30m"),
        ("rules: {stagger: sebentar}\n", (1, 18), "A010", "duration", "30m"),
        ("rules: {quiet_hours: malam}\n", (1, 22), "A010", "stretch", "22:00-05:00"),
        ("rules: {approval: -1}\n", (1, 19), "A004", "0 or more", ""),
        ("rules: {aproval: 1}\n", (1, 9), "A004", 'Did you mean "approval"?', "Known keys"),
        ("accounts: {}\naccounts: {}\n", (2, 1), "P008", "twice", "Keep one"),
        ("accounts: [\n", (2, 1), "P006", "not closed", "Close"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(
    tmp_path: Path, text: str, place: tuple[int, int], code: str, says: str, fix: str
) -> None:
    """One problem, at line and column, with what is wrong and what to do."""
    _workspace, [problem] = load(tmp_path, text)
    assert (problem.file, problem.code, problem.line, problem.column) == ("accounts.yaml", code, *place)
    assert problem.severity is Severity.ERROR
    assert says in problem.message
    assert fix in problem.fix


def test_everything_is_told_at_once_and_the_rest_is_read(tmp_path: Path) -> None:
    """Wrong accounts hide neither each other nor the right ones."""
    text = """\
accounts:
  benar: {platform: board, url: https://a.example, token: env:A}
  salah: {platform: bord}
  juga: {platform: board, url: 5, token: 6, zone: x}
slots: {pagi: "99:00"}
rules: {approval: x, late_grace: 1h}
groups: {g: [benar, tak-ada], h: [g]}
"""
    workspace, problems = load(tmp_path, text)
    assert [(problem.line, problem.code) for problem in problems] == [
        (3, "A002"),
        (4, "A004"),
        (4, "A005"),
        (4, "A004"),
        (5, "A011"),
        (6, "A004"),
        (7, "A007"),
    ]
    assert list(workspace.accounts) == ["benar"]
    assert [account.name for account in workspace.resolve(["h"])] == ["benar"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("accounts:\n  a1: {platform: board, url: x, token: s3cr3t-v4lue}\n", 2),
        ("accounts:\n  a1: {platform: board, url: x, token: [s3cr3t-v4lue]}\n", 2),
        ("accounts:\n  a1: {platform: board, url: 'https://me:s3cr3t-v4lue@a.example', token: env:A}\n", 2),
        ("notify: ['tgram://s3cr3t-v4lue/1']\n", 1),
    ],
)
def test_a_literal_secret_is_an_error_that_does_not_repeat_it(tmp_path: Path, text: str, line: int) -> None:
    """A secret written out is refused, and no message carries it further."""
    workspace, problems = load(tmp_path, text)
    assert [(problem.code, problem.line) for problem in problems] == [("A005", line)]
    assert "env:NAME" in problems[0].fix
    assert "s3cr3t" not in repr(problems)
    assert workspace.accounts == {}
    assert workspace.notify == ()


def test_two_entries_for_one_account(tmp_path: Path) -> None:
    """The same address in another spelling, or the same secret behind a handle, is the same account."""
    text = """\
accounts:
  satu: {platform: board, url: https://a.example, token: env:A}
  dua: {platform: board, url: https://A.example, token: env:A}
  tiga: {platform: board, url: https://a.example, token: env:A, handle: federasi}
  lain: {platform: board, url: https://a.example, token: env:B}
"""
    _workspace, problems = load(tmp_path, text)
    assert [(problem.code, problem.line) for problem in problems] == [("A006", 3), ("A006", 4)]
    assert '"satu"' in problems[0].message


def test_accounts_that_turned_out_to_be_the_same(tmp_path: Path) -> None:
    """What `accounts check` found counts too."""
    text = GOOD
    workspace, _problems = load(tmp_path, text)
    for name in ("pusat", "papua"):
        store_check(workspace, name, {"identity": "42", "handle": "@f", "url": "https://a.example/@f"})
    _workspace, [problem] = load(tmp_path, text)
    assert (problem.code, problem.line) == ("A006", 3)


def test_an_account_and_a_group_of_one_name(tmp_path: Path) -> None:
    """A name means one thing."""
    text = "accounts:\n  a1: {platform: board, url: x, token: env:A}\ngroups:\n  a1: [a1]\n"
    _workspace, problems = load(tmp_path, text)
    assert ("A013", 4) in [(problem.code, problem.line) for problem in problems]


def test_groups_in_a_circle(tmp_path: Path) -> None:
    """A circle of groups is told and broken, so that nothing expands for ever."""
    text = "accounts:\n  a1: {platform: board, url: x, token: env:A}\ngroups: {g: [h, a1], h: [g], i: [g, h]}\n"
    workspace, problems = load(tmp_path, text)
    assert {problem.code for problem in problems} == {"A013"}
    assert [account.name for account in workspace.resolve(["i"])] == ["a1"]


def test_what_a_check_found_is_kept_private(tmp_path: Path) -> None:
    """The cache is written whole, readable by the owner alone, one entry for each account."""
    workspace = Workspace(root=tmp_path)
    assert cached_limits(workspace) == {}
    store_check(workspace, "satu", {"identity": "1", "limits": {"text": 1000}})
    store_check(workspace, "dua", {"identity": "2"})
    assert cached_limits(workspace) == {"satu": {"identity": "1", "limits": {"text": 1000}}, "dua": {"identity": "2"}}
    file = tmp_path / ".campaign" / "accounts.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert [item.name for item in file.parent.iterdir()] == ["accounts.json"]


@pytest.mark.parametrize("content", ["{", "[]", '{"a": 5}', "[" * 99_000])
def test_a_broken_cache_counts_as_none(tmp_path: Path, content: str) -> None:
    """It only saves a look-up; it must never stop a check."""
    (tmp_path / ".campaign").mkdir()
    (tmp_path / ".campaign" / "accounts.json").write_text(content)
    assert cached_limits(Workspace(root=tmp_path)) == {}


def test_a_check_that_cant_be_kept_leaves_nothing_behind(tmp_path: Path) -> None:
    """A value that is no JSON is an error before anything is written."""
    workspace = Workspace(root=tmp_path)
    with pytest.raises(TypeError):
        store_check(workspace, "satu", {"identity": object()})
    assert cached_limits(workspace) == {}
