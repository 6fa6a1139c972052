"""After every test: the secrets of its workspaces stand in no file, log line, output or process argument.

A workspace's secrets are what its accounts.yaml takes from the ``.env`` beside it, and the tokens of its logins. They
may stand in those files alone, and in files that a reference ``file:`` names.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from dotenv import dotenv_values

from campaign_cli.credentials import _forms  # the spellings that the product itself looks for

_REFERENCE: Final = re.compile(r"\b(env|file):([^\s,\]}\"']+)")
_SHORTEST: Final = 10  # what is shorter is a test's stand-in such as "x", and stands in ordinary words
_HOLDERS: Final = ("tokens.json", "tokens.lock")

arguments: deque[str] = deque(maxlen=500)
"""What processes were started with, the newest last."""


def _heard(event: str, details: tuple[Any, ...]) -> None:
    if event == "subprocess.Popen":
        arguments.append(" ".join(str(word) for word in details[1]))


sys.addaudithook(_heard)


def secrets_of(root: Path) -> set[str]:
    """The secrets of a workspace; empty for another folder."""
    accounts, environment = root / "accounts.yaml", root / ".env"
    found: set[str] = set()
    try:
        text = accounts.read_text(encoding="utf-8")
        values = dotenv_values(environment, interpolate=False) if environment.is_file() else {}
        found |= {values.get(name) or "" for kind, name in _REFERENCE.findall(text) if kind == "env"}
        tokens = root / ".campaign" / "tokens.json"
        logins = json.loads(tokens.read_text(encoding="utf-8")) if tokens.is_file() else {}
        for login in logins.values() if isinstance(logins, dict) else ():
            if isinstance(login, dict):
                found |= {str(login.get(name) or "") for name in ("access", "refresh", "client_secret")}
    except (OSError, ValueError):
        pass  # a test broke the file on purpose
    return {secret for secret in found if len(secret) >= _SHORTEST}


def leaks(folder: Path, texts: Iterable[str] = (), *, files: bool = True) -> Iterator[str]:
    """Where a secret of a workspace in ``folder`` (or directly below it) stands that it must not stand in: the
    ``texts`` and, if wanted, every file there."""
    roots = [folder, *(one for one in _entries(folder) if one.is_dir() and not one.is_symlink())]
    secrets = set().union(*map(secrets_of, roots)) if roots else set()
    forms = {form for secret in secrets for form in _forms(secret) if len(form) >= _SHORTEST}
    if not forms:
        return
    wanted = [form.encode() for form in forms]
    allowed = {(root / name).resolve() for root in roots for name in _files_of(root)}
    for path in sorted(folder.rglob("*")) if files else ():
        if path.is_symlink() or not path.is_file() or path.resolve() in allowed:
            continue
        if path.name.startswith(".env") or path.name in _HOLDERS:
            continue
        try:
            content = _content(path)
        except (OSError, subprocess.CalledProcessError):
            continue
        if any(form in content for form in wanted):
            yield str(path.relative_to(folder))
    for text in texts:
        if any(form in text for form in forms):
            yield text


def _content(path: Path) -> bytes:
    """A database is read by another process: closing it here would end the locks that this one holds on it."""
    if ".sqlite3" in path.name:
        return subprocess.run(["cat", str(path)], capture_output=True, check=True).stdout
    return path.read_bytes()


def _files_of(root: Path) -> list[str]:
    try:
        text = (root / "accounts.yaml").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return []
    return [name for kind, name in _REFERENCE.findall(text) if kind == "file"]


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


@pytest.fixture(autouse=True)
def _secrets_stay(tmp_path: Path, caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails the test that let a secret out."""
    arguments.clear()
    yield
    if request.node.get_closest_marker("holds_secrets"):
        return
    found = list(leaks(tmp_path, [*arguments, caplog.text]))
    assert not found, f"a secret stands in {found}"
