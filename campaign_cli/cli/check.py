"""``campaign check``: every problem of plans, with its place and its fix. No network, no ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from campaign_cli.cli import diagnostics, github, output, usage
from campaign_cli.cli.context import now, open_context
from campaign_cli.cli.options import LanguageOption, WorkspaceOption
from campaign_cli.cli.words import uses_as_json, waived_as_json, write_uses
from campaign_cli.errors import InputError
from campaign_cli.i18n import _, ngettext
from campaign_cli.models import Problem

if TYPE_CHECKING:
    from campaign_cli.checks.pipeline import Waived
    from campaign_cli.checks.uses import Total

app = usage.application()


class Format(StrEnum):
    """How problems are shown."""

    text = "text"
    json = "json"
    github = "github"


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What all plans of one call have together."""

    problems: Sequence[Problem]
    waived: Sequence[Waived]
    posts: int
    totals: Sequence[Total]


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
    waived: list[Waived] = []
    posts, taken = 0, list[Taken]()
    for path in plans:
        examined = examine(path, context.workspace, now=now(), workspace_problems=context.problems, media=media)
        here = dict.fromkeys((*examined.problems, *uses.beside(taken, examined)))
        problems += [problem for problem in here if problem not in problems]
        waived += [one for one in examined.waived if one not in waived]
        posts += len(examined.planned)
        taken += uses.of_plan(examined)
    ordered = sorted(problems, key=lambda problem: problem.sort_key)
    found = _Found(problems=ordered, waived=waived, posts=posts, totals=uses.totals(taken))
    _show(found, Format.json if json else shown_as)
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


def _show(found: _Found, shown_as: Format) -> None:
    if shown_as is Format.json:
        output.write_json(
            {
                "problems": [asdict(problem) for problem in found.problems],
                "waived": waived_as_json(found.waived),
                "uses": uses_as_json(found.totals),
            }
        )
        return
    if shown_as is Format.github:
        for problem in found.problems:
            output.write(github.annotation(problem))
        for one in found.waived:
            output.write(github.annotation(one.problem, reason=one.reason))
        return
    for problem in found.problems:
        output.write_sentences(diagnostics.problem_line(problem))
    for one in found.waived:
        output.write_dimmed(diagnostics.waived_line(one))
    write_uses(found.totals)
    planned = ngettext("{n} delivery planned", "{n} deliveries planned", found.posts).format(n=found.posts)
    summary = diagnostics.problem_summary(found.problems) or _("no problems")
    count = len(found.waived)
    waived = "; " + ngettext("{n} waived", "{n} waived", count).format(n=count) if count else ""
    output.write(f"{planned}; {summary}{waived}.")
