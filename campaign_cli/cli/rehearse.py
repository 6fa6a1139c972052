"""``campaign rehearse``: a whole plan on the local stage, over real HTTP, on a compressed clock."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from campaign_cli import platforms
from campaign_cli.cli import diagnostics, dispatching, output, usage
from campaign_cli.cli.context import now, open_context
from campaign_cli.cli.files import write_file
from campaign_cli.cli.options import JsonOption, LanguageOption, PlanArgument, WorkspaceOption
from campaign_cli.cli.visible import visible
from campaign_cli.cli.words import state_word
from campaign_cli.i18n import _, format_instant, ngettext
from campaign_cli.models import State

if TYPE_CHECKING:
    from campaign_cli.stage.rehearsed import Rehearsal

app = usage.application()


@usage.command(
    app,
    help=_(
        "Publish a whole plan on the local stage, over real HTTP, on a compressed clock. "
        "Example: campaign rehearse campaigns/x.yaml --html rehearsal.html"
    ),
)
def rehearse(
    plan: PlanArgument,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help=_("Write the timeline page to this file."))
    ] = None,
    misbehave: Annotated[
        list[str] | None,
        typer.Option(
            "--misbehave", metavar="PLATFORM:KIND[:TIMES]", help=_("Make a platform misbehave, e.g. mastodon:503:2.")
        ),
    ] = None,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    from rich.text import Text

    from campaign_cli.stage.rehearsal import rehearse as perform

    context = open_context(workspace)
    with _ended_by_a_signal(), output.console(stderr=True).status(_("rehearsing")) as status:
        result = perform(
            plan,
            context.workspace,
            now=now(),
            workspace_problems=context.problems,
            misbehave=misbehave or (),
            media=context.media(),
            say=lambda text: status.update(Text(visible(text))),
        )
    if json:
        output.write_json(_as_json(result))
    else:
        _show(result)
    if html is not None:
        _write_page(html, result, quiet=json)
    return int(_exit_code(result))


@contextmanager
def _ended_by_a_signal() -> Iterator[None]:
    """Let SIGTERM end it as Ctrl-C does, so that its folder and its server go away as well.

    Handed on as Ctrl-C's own signal: under an event loop that one cancels the work in order, where an exception out of
    nowhere could be lost between two tasks, and the rehearsal would go on.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def hand_on(number: int, _frame: object) -> None:
        came.append(number)
        signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGTERM, hand_on)
    try:
        yield
    except Exception as error:
        if came:  # what a step that was cut short stumbles over on its way out is no news
            raise KeyboardInterrupt from error
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _show(result: Rehearsal) -> None:
    rows = []
    for row in result.rows:
        part = f" {row.part + 1}/{row.parts}" if row.parts > 1 else ""
        at = format_instant(row.at or row.planned, result.zone, seconds=True)
        remark = "; ".join((row.url, *row.differences)) if row.url else row.error
        rows.append((at, state_word(row.state), row.account, row.platform, row.post + part, remark))
    columns = (_("instant"), _("state"), _("account"), _("platform"), _("post"), _("permalink on the stage, or reason"))
    output.write_table(columns, rows, title=result.title)
    for stray in result.strays:
        output.write(
            _("On the stage without a receipt: {account}: {text}").format(account=stray.account, text=stray.text)
        )
    diagnostics.show_problems(result.problems)
    output.write_sentences(_summary(result))


def _summary(result: Rehearsal) -> str:
    published = sum(1 for row in result.rows if row.state is State.PUBLISHED)
    text = _("{n} of {all} messages arrived on the stage.").format(n=published, all=len(result.rows))
    faithful = _("Each one is what was written.") if result.faithful else _("Not everything is what was written.")
    by_hand = sum(1 for row in result.rows if platforms.get(row.platform).by_hand)
    if by_hand:
        left = ngettext(
            "{n} of them has to be posted by a person.", "{n} of them have to be posted by a person.", by_hand
        )
        faithful = f"{left.format(n=by_hand)} {faithful}"
    return f"{text} {faithful}"


def _exit_code(result: Rehearsal) -> diagnostics.ExitCode:
    if result.faithful:
        return dispatching.exit_code(result.outcome)
    return diagnostics.strongest((dispatching.exit_code(result.outcome), diagnostics.ExitCode.FAILED))


def _write_page(file: Path, result: Rehearsal, *, quiet: bool) -> None:
    from campaign_cli.report.timeline import timeline_page
    from campaign_cli.report.view import delivery_entry

    entries = [delivery_entry(delivery, workspace=result.workspace, zone=result.zone) for delivery in result.deliveries]
    page = timeline_page(
        entries,
        title=result.title,
        zone=result.zone,
        picture=result.pictures.__getitem__,
        made_at=now(),
        day=result.day,
        note=_summary(result),
        good=result.faithful,
    )
    write_file(file, page)
    if not quiet:
        output.write(_("The timeline page is {file}").format(file=file))


def _as_json(result: Rehearsal) -> dict[str, Any]:
    return {
        "campaign": result.campaign,
        "faithful": result.faithful,
        "messages": [
            {
                "key": row.key,
                "part": row.part + 1,
                "account": row.account,
                "platform": row.platform,
                "planned": output.rfc3339(row.planned, result.zone),
                "at": output.rfc3339(row.at, result.zone) if row.at else None,
                "state": row.state.value,
                "url": row.url or None,
                "error": row.error or None,
                "differences": list(row.differences),
            }
            for row in result.rows
        ],
        "without_receipt": [{"account": stray.account, "text": stray.text} for stray in result.strays],
    }
