"""Everything that goes to stderr, and the one map from errors to exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from campaign_cli import errors, reasons
from campaign_cli.cli.layout import fold, terminal_width
from campaign_cli.cli.visible import visible
from campaign_cli.i18n import _, ngettext
from campaign_cli.models import Problem, Severity

if TYPE_CHECKING:
    from campaign_cli.checks.pipeline import Waived


class ExitCode(IntEnum):
    """What the shell is told (DESIGN §6)."""

    DONE = 0
    FAILED = 1
    BAD_INPUT = 2
    CREDENTIALS = 3
    UNCERTAIN = 4
    HELD = 5
    INTERRUPTED = 130


PRECEDENCE = (ExitCode.UNCERTAIN, ExitCode.CREDENTIALS, ExitCode.FAILED, ExitCode.HELD)
"""Where several hold, the first of these is told."""

_EXITS: Sequence[tuple[type[BaseException], ExitCode]] = (
    (errors.CredentialError, ExitCode.CREDENTIALS),
    (errors.Unauthorized, ExitCode.CREDENTIALS),
    (errors.Unconfirmed, ExitCode.UNCERTAIN),
    (errors.Held, ExitCode.HELD),
    (errors.Failure, ExitCode.FAILED),
    (errors.CampaignError, ExitCode.BAD_INPUT),
    (KeyboardInterrupt, ExitCode.INTERRUPTED),
)


def exit_code_of(error: BaseException) -> ExitCode:
    """The exit code of an error."""
    return next((code for kind, code in _EXITS if isinstance(error, kind)), ExitCode.FAILED)


def strongest(codes: Iterable[ExitCode]) -> ExitCode:
    """The code to leave with when several hold: 4, 3, 1, 5, then 0."""
    found = set(codes)
    return next((code for code in PRECEDENCE if code in found), ExitCode.DONE)


def say(text: str = "") -> None:
    """A sentence on stderr; no sign in it can steer the terminal, and a terminal's lines break between words."""
    sys.stderr.write(fold(visible(text), terminal_width(sys.stderr)) + "\n")


def warn(message: str) -> None:
    """A warning on stderr."""
    say(_("warning: {message}").format(message=message))


def severity_name(severity: Severity) -> str:
    """The severity in the user's language."""
    return {Severity.ERROR: _("error"), Severity.WARNING: _("warning"), Severity.HINT: _("hint")}[severity]


def problem_line(problem: Problem) -> str:
    """``file:line:column: error P001: what is wrong`` and, on a second line, the fix."""
    place = ":".join(str(part) for part in (problem.file, problem.line, problem.column) if part)
    head = f"{place}: " if place else ""
    text = f"{head}{severity_name(problem.severity)} {problem.code}: {problem.message}"
    return f"{text}\n    → {problem.fix}" if problem.fix else text


def waived_line(waived: Waived) -> str:
    """The same for a problem that a plan waives; on the second line, the reason that it gives."""
    problem = waived.problem
    place = ":".join(str(part) for part in (problem.file, problem.line, problem.column) if part)
    text = _("{place}: waived {code}: {message}").format(place=place, code=problem.code, message=problem.message)
    return f"{text}\n    " + _("Reason: {reason}").format(reason=waived.reason)


def problem_summary(problems: Sequence[Problem]) -> str:
    """``2 errors, 1 warning`` in the user's language."""
    count = {severity: sum(1 for p in problems if p.severity is severity) for severity in Severity}
    words = []
    if count[Severity.ERROR]:
        words.append(ngettext("{n} error", "{n} errors", count[Severity.ERROR]).format(n=count[Severity.ERROR]))
    if count[Severity.WARNING]:
        words.append(ngettext("{n} warning", "{n} warnings", count[Severity.WARNING]).format(n=count[Severity.WARNING]))
    if count[Severity.HINT]:
        words.append(ngettext("{n} hint", "{n} hints", count[Severity.HINT]).format(n=count[Severity.HINT]))
    return ", ".join(words)


def show_problems(problems: Iterable[Problem]) -> None:
    """Every problem on stderr."""
    for problem in problems:
        say(problem_line(problem))


def show_error(error: BaseException, *, redact: Callable[[str], str] = str) -> None:
    """An error as people need it: what is wrong, where, and the likely fix. Never a traceback, never a secret."""
    if isinstance(error, errors.InputError) and error.problems:
        show_problems(error.problems)
    if isinstance(error, errors.CampaignError):
        _show(error.message, error.fix, redact=redact)
    elif isinstance(error, KeyboardInterrupt):
        say(_("interrupted"))
    elif isinstance(error, OSError):
        name = f"{error.filename}: " if error.filename else ""
        _show(f"{name}{reasons.reason(error)}", reasons.remedy(error), redact=redact)
    else:
        message = _("unexpected {kind}: {message}").format(kind=type(error).__name__, message=error)
        fix = _("This is a fault of the program. Nothing that was not confirmed is counted as sent.")
        _show(message, fix, redact=redact)


def _show(message: str, fix: str, *, redact: Callable[[str], str]) -> None:
    say(_("error: {message}").format(message=redact(message)))
    if fix:
        say(f"    → {redact(fix)}")


def guarded(function: Callable[[], Any], *, redact: Callable[[str], str] = str) -> int:
    """Call a command; show what it raises; give the exit code."""
    try:
        result = function()
    except (Exception, KeyboardInterrupt) as error:  # the last line of defence: people never see a traceback
        show_error(error, redact=redact)
        return int(ExitCode.BAD_INPUT if isinstance(error, OSError) else exit_code_of(error))
    return int(result or 0)
