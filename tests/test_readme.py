"""Every command that the README shows is run as it is written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from staged import ACCOUNTS, SECRETS, staged

from campaign_cli.cli.commands import COMMANDS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"(?:<!-- (run[^>]*) -->\n)?```sh\n(.*?)```", README, re.DOTALL)
RUNNABLE = [(mark, script) for mark, script in BLOCKS if mark]
OTHER = {line for mark, script in BLOCKS if not mark for line in script.splitlines()}


def shell(script: str, cwd: Path, environment: dict[str, str]) -> None:
    """Run a block line by line in one shell that stops at the first failure."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"PATH": path, "HOME": str(cwd), "LC_ALL": "C.UTF-8", **environment}
    ran = subprocess.run(["sh", "-ec", script], cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{script}\n{ran.stdout}\n{ran.stderr}"


def test_the_readme_from_the_first_command_to_the_last(tmp_path: Path) -> None:
    """The blocks run in their order: a new workspace, then the same workspace with accounts on a stage."""
    assert len(RUNNABLE) >= 3
    folder = tmp_path
    for mark, script in RUNNABLE:
        if mark == "run":
            shell(script, folder, {})
            folder = tmp_path / "my-union"
            continue
        with staged(tmp_path / "stage") as stage:
            accounts = ACCOUNTS.format(url=stage.server.url, more="").replace("semua:", "nasional:")
            (folder / "accounts.yaml").write_text(accounts, encoding="utf-8")
            # The README's reader is at a terminal and says yes; here nobody is asked.
            shell(script.replace("campaign queue", "campaign queue --yes"), folder, SECRETS)


def test_what_is_not_run_here_is_run_elsewhere() -> None:
    """The other commands of the README are few and known: the demo is run by CI, the rest needs an installation.

    Several machines are those of tests/real/test_workers.py, questions and a browser those of tests/test_cli_login.py
    and tests/test_cli_accounts_add.py.
    """
    known = {"campaign accounts add", "campaign accounts login mastodon"}
    known |= {"make demo", "pip install .", "campaign cron show", "campaign run --engine pgqueuer", "campaign worker"}
    assert {line for line in OTHER if line} <= known


@pytest.mark.parametrize("name", re.findall(r"`campaign ([a-z]+)", README))
def test_commands_in_sentences_exist(name: str) -> None:
    """A command that a sentence names is one of the program's."""
    assert name in COMMANDS


@pytest.mark.parametrize("target", re.findall(r"`make ([a-z-]+)`", README))
def test_make_targets_in_sentences_exist(target: str) -> None:
    """A target that a sentence names is one of the Makefile's."""
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
