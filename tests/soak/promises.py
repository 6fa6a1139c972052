"""The other promises, which tests of their own prove with figures: run, and told beside the kills.

A test says what it measured with ``record_property(NAME, VALUE)``; its documentation is the promise.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

TESTS = Path(__file__).resolve().parents[1]
# Tests in tests/soak take too long for `make test`.
FILES = ("soak/test_*.py", "test_promises*.py", "test_faults*.py", "test_state_machine.py")


@dataclass(frozen=True)
class Promise:
    """One test: what it promises, how it ended (``held``, ``broken`` or ``not tried``), and its figures."""

    words: str
    end: str
    seconds: float
    figures: dict[str, str]

    def __str__(self) -> str:
        measured = "".join(f", {name}: {value}" for name, value in self.figures.items())
        return f"{self.end}: {self.words} ({self.seconds:.0f} s{measured})"


def prove() -> list[Promise]:
    """Run them all, one after the other. What pytest says of a broken one goes to stderr."""
    files = [file for pattern in FILES for file in sorted(TESTS.glob(pattern))]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-o", "addopts=", "-o", "junit_family=xunit1"]
        command.append(f"--junitxml={report}")
        subprocess.run([*command, *files], cwd=TESTS.parent, env=_environment(), stdout=sys.stderr, check=False)
        found = list(ElementTree.parse(report).iter("testcase"))  # noqa: S314 - pytest has just written it
    words = {name: text for file in files for name, text in _documented(file)}
    return [_promise(case, words) for case in found]


def _promise(case: ElementTree.Element, words: dict[str, str]) -> Promise:
    name = case.get("name", "")
    told = words.get(name.partition("[")[0], "") or name
    parameters = f" [{name.partition('[')[2]}" if "[" in name else ""
    tags = {child.tag for child in case}
    end = "broken" if tags & {"failure", "error"} else "not tried" if "skipped" in tags else "held"
    figures = {one.get("name", ""): one.get("value", "") for one in case.iter("property")}
    return Promise(told + parameters, end, float(case.get("time", "0")), figures)


def _documented(file: Path) -> Iterator[tuple[str, str]]:
    """Each test of a file and its documentation in one line."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, " ".join((ast.get_docstring(node) or "").split())


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
