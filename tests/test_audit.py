"""`make audit` says what is known and what is not, and stands in nobody's way."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
WEAK = {
    "name": "jinja2",
    "version": "2.4.1",
    "vulns": [
        {
            "id": "PYSEC-2019-217",
            "fix_versions": ["2.10.1"],
            "aliases": ["CVE-2019-10906", "GHSA-462w-v97r-4m45"],
            "description": "In Pallets Jinja before 2.10.1,\nstr.format_map allows\x1b[2J a sandbox escape.",
        },
        {"id": "PYSEC-1", "fix_versions": [], "aliases": [], "description": ""},
    ],
}
SOUND = {"name": "rich", "version": "15.0.0", "vulns": []}
SKIPPED = {"name": "sendiri", "skip_reason": "Dependency not found on PyPI and could not be audited: sendiri (1.0)"}


def audit(tmp_path: Path, *, out: str, err: str = "", code: int = 0) -> str:
    """What ``make audit`` prints where pip-audit says this; it must end with 0."""
    made = tmp_path / "bin"
    made.mkdir()
    (made / "python").symlink_to(sys.executable)
    script = f"import sys\nsys.stdout.write({out!r})\nsys.stderr.write({err!r})\nsys.exit({code})\n"
    (made / "pip-audit").write_text(f"#!{sys.executable}\n{script}", encoding="utf-8")
    (made / "pip-audit").chmod(0o755)
    return make(made)


def make(made: Path) -> str:
    """Run the target with the programs of that folder, and nothing installed."""
    assert shutil.which("make") is not None
    ran = subprocess.run(
        ["make", "--no-print-directory", "-o", ".venv/.installed-dev", "audit", f"BIN={made}", "PIP=false"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def found(*packages: dict[str, Any]) -> str:
    """As ``pip-audit --format json`` writes it."""
    return json.dumps({"dependencies": packages, "fixes": []})


def test_each_weakness_has_a_line_and_a_way_out(tmp_path: Path) -> None:
    """Package, names, mended version, the first words; and it is no gate, though pip-audit ends with 1."""
    said = audit(tmp_path, out=found(WEAK, SOUND, SKIPPED), code=1, err="Found 2 known vulnerabilities\n")
    assert said.splitlines() == [
        "audit: jinja2 2.4.1: PYSEC-2019-217, CVE-2019-10906, GHSA-462w-v97r-4m45; mended in 2.10.1. "
        "In Pallets Jinja before 2.10.1, str.format_map allows?[2J a sandbox escape",
        "audit: jinja2 2.4.1: PYSEC-1; mended in no version yet",
        "audit: 2 known weaknesses in 1 of 2 packages",
        "audit: raise them: make constraints, then make test",
        "audit: of 1 more packages nothing is known",
    ]


def test_an_index_without_advisories_is_no_all_clear(tmp_path: Path) -> None:
    """pip-audit calls that "no known vulnerabilities"; nothing was asked of anything."""
    said = audit(tmp_path, out=found(SKIPPED, SKIPPED), err="No known vulnerabilities found\n")
    assert said == "audit: nothing is known: the package index has no advisories for any of 2 packages\n"


def test_everything_asked_and_nothing_found_is_said_with_its_number(tmp_path: Path) -> None:
    """So that it can be told from the above."""
    assert audit(tmp_path, out=found(SOUND)) == "audit: 0 known weaknesses in 0 of 1 packages\n"


@pytest.mark.parametrize("out", ["", "[]", "{", '{"dependencies": 3}'])
def test_no_network_is_said_and_no_failure(tmp_path: Path, out: str) -> None:
    """Its last words stand in the line."""
    said = audit(tmp_path, out=out, code=1, err="Traceback\nConnectionError: no route\n")
    assert said == "audit: nothing is known: pip-audit gave no answer (ConnectionError: no route)\n"


def test_a_pip_audit_that_could_not_be_installed_is_said(tmp_path: Path) -> None:
    """Neither is that a failure of the target."""
    (tmp_path / "python").symlink_to(sys.executable)
    assert make(tmp_path) == "audit: nothing is known: pip-audit can't be run (No such file or directory)\n"
