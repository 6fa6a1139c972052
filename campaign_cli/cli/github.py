"""Problems as GitHub shows them beside the lines of a file."""

from __future__ import annotations

from typing import Final

from campaign_cli.i18n import _
from campaign_cli.models import Problem, Severity

_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.HINT: "notice"}
_DATA: Final = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY: Final = {**_DATA, ":": "%3A", ",": "%2C"}


def annotation(problem: Problem, *, reason: str = "") -> str:
    """A workflow command, on one line whatever the problem says; a notice with its ``reason`` for what is waived.

    https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands; what is escaped, and how, is
    `escapeData` and `escapeProperty` of GitHub's own toolkit (packages/core/src/command.ts).
    """
    title, text = problem.code, f"{problem.message} {problem.fix}".strip()
    if reason:
        title = _("{code} (waived)").format(code=problem.code)
        text = f"{problem.message} " + _("Reason: {reason}").format(reason=reason)
    level = "notice" if reason else _LEVELS[problem.severity]
    place = {"file": problem.file, "line": problem.line, "col": problem.column} if problem.file else {}
    properties = ",".join(
        f"{name}={_escaped(str(value), _PROPERTY)}" for name, value in {**place, "title": title}.items()
    )
    return f"::{level} {properties}::{_escaped(text, _DATA)}"


def _escaped(text: str, signs: dict[str, str]) -> str:
    return "".join(signs.get(sign, sign) for sign in text)
