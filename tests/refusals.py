"""What every refusal must keep to: the exit code in both languages, a fix, no traceback, and nothing half done."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from staged import ACCOUNTS, SECRETS

NOWHERE = "http://127.0.0.1:9"  # the discard port: whatever is sent there by mistake fails
ESCAPES = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
NEVER = re.compile(r"Traceback|error: unexpected|tidak terduga|NoneType|sqlalchemy|pydantic|Errno|\{[a-z_]+\}")
HEAD = "campaign: plan\ntimezone: WIB\nlanguage: id\naccounts: [mastodon]\nday: 2035-06-01\nposts:\n"
POST = "  - id: satu\n    at: 2035-06-01 08:00\n    text: Upah layak adalah hak.\n"


def workspace(root: Path, accounts: str = ACCOUNTS, *, url: str = NOWHERE) -> Path:
    """A workspace whose accounts lead nowhere; gives its folder."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "accounts.yaml").write_text(accounts.format(url=url, more=""), encoding="utf-8")
    (root / ".env").touch(mode=0o600)
    (root / ".env").write_text("".join(f'{name}="{value}"\n' for name, value in SECRETS.items()), encoding="utf-8")
    return root


def contents(root: Path) -> dict[str, bytes | None]:
    """Every file with its bytes, every folder; SQLite's own files and prepared media come and go."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if not name.endswith(("-wal", "-shm")) and name != ".campaign" and not name.startswith(".campaign/cache"):
            found[name] = path.read_bytes() if path.is_file() else None
    return found


def refused(
    campaign: Callable, *command: str | Path, code: int = 2, says: str, fix: str, root: Path, never: str = "\0"
) -> str:  # type: ignore[type-arg]
    """Run a command that must be refused, in both languages; gives its English words (stdout and stderr)."""
    before = contents(root)
    english, indonesian = campaign(*command), campaign(*command, "--lang", "id")
    words, translated = english.out + english.err, indonesian.out + indonesian.err
    assert english.code == code, words
    assert indonesian.code == code, translated
    assert says in words
    assert f"→ {fix}" in words
    assert "→ " in translated
    for text in (words, translated):
        assert not NEVER.search(text), text
        assert not ESCAPES.search(text)
        assert not [secret for secret in (*SECRETS.values(), never) if secret in text]
    assert translated != words
    assert contents(root) == before
    return str(words)


def command_line(*arguments: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """The same in a process of its own, in English unless said otherwise, with little of this machine's environment."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "campaign_cli", *map(str, arguments)],
        cwd=cwd,
        env={**kept, "LANG": "en_GB.UTF-8", **environment},
        capture_output=True,
        check=False,
        timeout=60,
    )
