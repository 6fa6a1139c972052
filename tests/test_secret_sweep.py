"""The sweep after every test finds what it looks for."""

from __future__ import annotations

import base64
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from secret_sweep import arguments, leaks, secrets_of

SECRET = 'rahasia "besar" 4711/x'
pytestmark = pytest.mark.holds_secrets


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with one secret in .env and one login."""
    (tmp_path / "accounts.yaml").write_text("accounts: {web: {platform: wordpress, password: env:WEB}}\n")
    (tmp_path / ".env").write_text(f"WEB='{SECRET}'\nLAIN=bukan-rahasia-kami\n")
    (tmp_path / ".campaign").mkdir()
    tokens = {"kicau": {"access": "akses-panjang-sekali", "refresh": "segar-panjang-sekali"}}
    (tmp_path / ".campaign" / "tokens.json").write_text(json.dumps(tokens))
    return tmp_path


def test_it_knows_the_secrets_and_their_own_files(workspace: Path) -> None:
    """What accounts.yaml refers to and the tokens; where they belong they are no leak."""
    assert secrets_of(workspace) == {SECRET, "akses-panjang-sekali", "segar-panjang-sekali"}
    assert list(leaks(workspace)) == []


@pytest.mark.parametrize(
    "written",
    [SECRET, json.dumps(SECRET), "cmFoYXNpYSAiYmVzYXIiIDQ3MTEveA==", "rahasia%20%22besar%22%204711%2Fx"],
)
def test_it_finds_a_secret_in_any_spelling(workspace: Path, written: str) -> None:
    """Plain, in JSON, in base64, in an address."""
    assert base64.b64encode(SECRET.encode()).decode() == "cmFoYXNpYSAiYmVzYXIiIDQ3MTEveA=="
    (workspace / "out").mkdir()
    (workspace / "out" / "preview.html").write_text(f"<p>{written}</p>")
    assert list(leaks(workspace)) == ["out/preview.html"]


def test_it_looks_into_databases_and_texts(workspace: Path) -> None:
    """A ledger's column, an output, a log line."""
    with sqlite3.connect(workspace / "ledger.sqlite3") as database:
        database.execute("CREATE TABLE steps (value TEXT)")
        database.execute("INSERT INTO steps VALUES (?)", ("Bearer akses-panjang-sekali",))
    database.close()
    assert list(leaks(workspace, ["selesai", "token segar-panjang-sekali"])) == [
        "ledger.sqlite3",
        "token segar-panjang-sekali",
    ]


def test_it_hears_what_processes_are_started_with(workspace: Path) -> None:
    """An argument is seen by everybody on the machine."""
    subprocess.run([sys.executable, "-c", "", SECRET], check=True)
    assert list(leaks(workspace, arguments)) == [" ".join([sys.executable, "-c", "", SECRET])]
