"""The command line itself: help, language, usage errors, and what is imported for them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Campaign

from campaign_cli.cli.commands import COMMANDS
from campaign_cli.platforms import PLATFORMS

HEAVY = (
    "sqlalchemy",
    "alembic",
    "apscheduler",
    "pgqueuer",
    "psycopg",
    "httpx",
    "PIL",
    "jinja2",
    "babel",
    "starlette",
    "uvicorn",
    "rich",
    "markdown_it",
)


def imported(*arguments: str, cwd: Path) -> set[str]:
    """The top-level packages that a command imports in a process of its own."""
    script = (
        "import sys; from campaign_cli.cli.main import run; code = run(sys.argv[1:]); "
        "sys.stderr.write('\\n' + ' '.join({name.split('.')[0] for name in sys.modules})); sys.exit(code)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return set(ran.stderr.rsplit("\n", 1)[1].split())


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    """Top-level help comes without Typer, Pydantic or anything else that takes time."""
    assert not imported("--help", cwd=tmp_path) & {*HEAVY, "typer", "pydantic", "yaml"}


def test_check_imports_only_what_it_uses(tmp_path: Path, campaign: Campaign) -> None:
    """A plain plan is checked without the ledger's, the engine's, the network's and the pictures' packages."""
    assert campaign("init", "kerja").code == 0
    (plan,) = (tmp_path / "kerja/campaigns").glob("*.yaml")
    assert not imported("check", str(plan), cwd=tmp_path / "kerja") & set(HEAVY)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_imports_nothing_heavy(tmp_path: Path, name: str) -> None:
    """``--help`` of each command comes without the packages that the command works with."""
    assert not imported(name, "--help", cwd=tmp_path) & set(HEAVY)


@pytest.mark.sqlite
@pytest.mark.parametrize("name", ["status", "log"])
def test_a_look_at_the_ledger_imports_only_its_database(tmp_path: Path, campaign: Campaign, name: str) -> None:
    """``status`` and ``log`` of a ledger in a file need no network, no engine and no other database."""
    assert campaign("init", "kerja").code == 0
    assert campaign("hold", "--reason", "rapat", "--workspace", "kerja").code == 0
    used = imported(name, cwd=tmp_path / "kerja")
    assert "sqlalchemy" in used
    assert not used & {"httpx", "apscheduler", "pgqueuer", "psycopg", "alembic", "PIL", "jinja2"}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("language", ["id", "en"])
def test_every_command_has_help_with_an_example(campaign: Campaign, name: str, language: str) -> None:
    """``--help`` of each command works in both languages and shows how it is called."""
    ran = campaign(name, "--help", "--lang", language)
    assert ran.code == 0
    assert f"campaign {name}" in ran.out


def test_help_lists_every_command(campaign: Campaign) -> None:
    """The top-level help names each command."""
    ran = campaign("--help")
    assert all(name in ran.out for name in COMMANDS)


def test_the_language_is_chosen_by_option_then_locale(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    """``--lang`` wins; else the locale; a locale that names neither language gives Indonesian."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert "Pemakaian" in campaign("--lang", "id", "--help").out
    assert "Usage" in campaign("--lang", "en", "--help").out
    ran = subprocess.run(
        [sys.executable, "-m", "campaign_cli", "--help"],
        env={"LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Pemakaian" in ran.stdout


def test_an_unknown_command_suggests_the_right_one(campaign: Campaign) -> None:
    """A typing error ends with exit code 2 and the command that was probably meant."""
    ran = campaign("chekc")
    assert ran.code == 2
    assert '"check"' in ran.err


def test_an_unknown_option_is_a_plain_message_in_the_language(campaign: Campaign) -> None:
    """Usage errors are ours: exit code 2, in the user's language, with the way to the help."""
    ran = campaign("status", "--stat", "x", "--lang", "id")
    assert ran.code == 2
    assert "--stat" in ran.err
    assert "campaign status --help" in ran.err
    assert "Error" not in ran.err


def test_shared_options_may_stand_before_the_command(campaign: Campaign, tmp_path: Path) -> None:
    """``campaign --workspace DIR check`` is the same as ``campaign check --workspace DIR``."""
    campaign("init", "kerja")
    (plan,) = (tmp_path / "kerja/campaigns").glob("*.yaml")
    before, after = campaign("--workspace", "kerja", "check", plan), campaign("check", plan, "--workspace", "kerja")
    assert before.code == after.code == 0
    assert before.out == after.out


def test_platforms_are_listed_without_importing_one(tmp_path: Path) -> None:
    """The list of networks is JSON and no adapter is imported for it."""
    script = (
        "import sys; from campaign_cli.cli.main import run; run(['accounts', 'platforms', '--json']); "
        "assert not [name for name in sys.modules if name.startswith('campaign_cli.platforms.')]"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == {"platforms": [{"name": name} for name in PLATFORMS]}


def test_init_makes_a_workspace_that_checks_clean_in_both_languages(campaign: Campaign, tmp_path: Path) -> None:
    """Nothing in a new workspace is wrong (limits were not read yet), and its secrets are for its owner."""
    for language in ("id", "en"):
        assert campaign("init", language, "--lang", language).code == 0
        (plan,) = (tmp_path / language / "campaigns").glob("*.yaml")
        ran = campaign("check", plan, "--workspace", tmp_path / language, "--format", "json")
        assert ran.code == 0
        assert [problem["code"] for problem in json.loads(ran.out)["problems"]] == ["L901"]
        assert (tmp_path / language / ".env").stat().st_mode & 0o777 == 0o600


def test_init_never_overwrites(campaign: Campaign, tmp_path: Path) -> None:
    """A folder that already is a workspace is left exactly as it is."""
    campaign("init", "kerja")
    (tmp_path / "kerja/accounts.yaml").write_text("mine")
    ran = campaign("init", "kerja")
    assert ran.code == 2
    assert "accounts.yaml" in ran.err
    assert (tmp_path / "kerja/accounts.yaml").read_text() == "mine"


def test_schema_is_written_where_it_is_wanted(campaign: Campaign, tmp_path: Path) -> None:
    """``schema --output`` writes what ``schema`` prints."""
    printed = json.loads(campaign("schema").out)
    assert campaign("schema", "--output", "deep/plan.json").code == 0
    assert json.loads((tmp_path / "deep/plan.json").read_text()) == printed
    assert "posts" in printed["properties"]
