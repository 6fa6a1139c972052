"""``campaign check``: every problem of plans, with its place and its fix. No network, no ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from campaign_cli.cli import diagnostics, output, usage
from campaign_cli.cli.context import now, open_context
from campaign_cli.cli.options import LanguageOption, WorkspaceOption
from campaign_cli.cli.words import uses_as_json, write_uses
from campaign_cli.errors import InputError
from campaign_cli.i18n import _, ngettext
from campaign_cli.models import Problem, Severity

if TYPE_CHECKING:
    from campaign_cli.checks.uses import Total

app = usage.application()


class Format(StrEnum):
    """How problems are shown."""

    text = "text"
    json = "json"
    github = "github"


@usage.command(
    app,
    help=_("Check plans and say every problem with its place and its fix. Example: campaign check campaigns/*.yaml"),
)
def check(
    plans: Annotated[list[Path] | None, typer.Argument(metavar="PLAN…", help=_("Campaign plans (YAML)."))] = None,
    shown_as: Annotated[
        Format, typer.Option("--format", metavar="text|json|github", help=_("How to show problems."))
    ] = Format.text,
    json: Annotated[bool, typer.Option("--json", help=_("The same as --format json."))] = False,
    explain: Annotated[
        str | None, typer.Option("--explain", metavar="CODE", help=_("Explain a problem's code."))
    ] = None,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    if explain:
        return _explain(explain)
    if not plans:
        raise InputError(_("No plan was named."), fix=_("For example: campaign check campaigns/*.yaml"))
    from campaign_cli.checks import blocking, examine, uses
    from campaign_cli.checks.uses import Taken

    context = open_context(workspace)
    media = context.media()
    problems: list[Problem] = []
    posts, taken = 0, list[Taken]()
    for path in plans:
        examined = examine(path, context.workspace, now=now(), workspace_problems=context.problems, media=media)
        found = [*examined.problems, *uses.beside(taken, examined)]
        problems += [problem for problem in dict.fromkeys(found) if problem not in problems]
        posts += len(examined.planned)
        taken += uses.of_plan(examined)
    ordered = sorted(problems, key=lambda problem: problem.sort_key)
    _show(ordered, Format.json if json else shown_as, posts=posts, totals=uses.totals(taken))
    return int(diagnostics.ExitCode.BAD_INPUT if blocking(problems) else diagnostics.ExitCode.DONE)


def _explain(code: str) -> int:
    from campaign_cli.checks import CODES, explain
    from campaign_cli.source import suggest

    text = explain(code.upper())
    if text is None:
        raise InputError(
            _("There is no problem code {code}.").format(code=code) + suggest(code, CODES),
            fix=_("Codes stand before each message, for example P001 or T004."),
        )
    output.write(text)
    return 0


def _show(problems: Sequence[Problem], shown_as: Format, *, posts: int, totals: Sequence[Total]) -> None:
    if shown_as is Format.json:
        output.write_json({"problems": [asdict(problem) for problem in problems], "uses": uses_as_json(totals)})
        return
    if shown_as is Format.github:
        for problem in problems:
            output.write(_annotation(problem))
        return
    for problem in problems:
        output.write_sentences(diagnostics.problem_line(problem))
    write_uses(totals)
    planned = ngettext("{n} delivery planned", "{n} deliveries planned", posts).format(n=posts)
    found = diagnostics.problem_summary(problems) or _("no problems")
    output.write(f"{planned}; {found}.")


def _annotation(problem: Problem) -> str:
    """A GitHub workflow command (docs.github.com/actions, workflow commands)."""
    level = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.HINT: "notice"}[problem.severity]
    text = f"{problem.message} {problem.fix}".strip()
    for raw, escaped in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A")):
        text = text.replace(raw, escaped)
    file = problem.file
    for raw, escaped in (("%", "%25"), (":", "%3A"), (",", "%2C")):
        file = file.replace(raw, escaped)
    place = f"file={file},line={problem.line},col={problem.column}" if file else ""
    return f"::{level} {place}{',' if place else ''}title={problem.code}::{text}"
