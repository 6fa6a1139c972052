"""``campaign queue``: show what differs from the ledger, ask, and apply it in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from campaign_cli.cli import approving, diagnostics, output, usage
from campaign_cli.cli.context import Context, actor, interactive, open_context
from campaign_cli.cli.options import JsonOption, LanguageOption, WorkspaceOption, YesOption
from campaign_cli.cli.visible import visible
from campaign_cli.cli.words import confirm, state_word, uses_as_json, waived_as_json, write_uses
from campaign_cli.errors import InputError
from campaign_cli.i18n import _, format_instant, ngettext
from campaign_cli.models import Account, Problem, Severity, State

if TYPE_CHECKING:
    from rich.text import Text

    from campaign_cli.checks.uses import Total
    from campaign_cli.content.media import MediaStore
    from campaign_cli.ledger import Ledger
    from campaign_cli.ledger.difference import Difference
    from campaign_cli.ledger.values import Applied, Changes, Known
    from campaign_cli.plan import LoadedPlan, Planned

app = usage.application()

SHOWN = 200  # deliveries of one kind that are listed one by one


@usage.command(
    app, help=_("Show what differs from the ledger and queue it. Example: campaign queue campaigns/x.yaml --dry-run")
)
def queue(
    plans: Annotated[list[Path], typer.Argument(metavar="PLAN…", help=_("Campaign plans (YAML)."))],
    skip_past: Annotated[bool, typer.Option("--skip-past", help=_("Leave out new posts whose time is over."))] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Only show the difference."))] = False,
    yes: YesOption = False,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    context = open_context(workspace)
    context.require_accounts()
    if len(plans) > 1:  # a plan that can't be queued stops them all before the first is
        for plan in plans:
            _refuse_bad(context, plan, skip_past=skip_past)
    documents = [
        _queue_one(context, plan, skip_past=skip_past, dry_run=dry_run, assume=yes, quiet=json) for plan in plans
    ]
    if json:
        output.write_json({"plans": documents})
    return 0


def _refuse_bad(context: Context, path: Path, *, skip_past: bool) -> None:
    """Raise InputError where the plan can't be queued as it stands."""
    from campaign_cli.ledger.queueing import changes

    loaded, planned = read_plan(context, path)
    media = context.media()
    with context.ledger() as ledger:
        found = difference_of(context, planned, loaded, ledger, media=media, skip_past=skip_past)
        changes(found, media=media.content)


def _queue_one(
    context: Context, path: Path, *, skip_past: bool, dry_run: bool, assume: bool, quiet: bool
) -> dict[str, Any]:
    from campaign_cli.checks.logins import outlived
    from campaign_cli.ledger.queueing import changes

    loaded, planned = read_plan(context, path)
    media = context.media()
    with context.ledger() as ledger:
        found = difference_of(context, planned, loaded, ledger, media=media, skip_past=skip_past)
        errors = [problem for problem in found.problems if problem.severity is Severity.ERROR]
        diagnostics.show_problems(problem for problem in found.problems if problem not in errors)
        for waived in found.waived:
            diagnostics.say(diagnostics.waived_line(waived))
        diagnostics.show_problems(outlived(context.workspace, planned, now=ledger.clock()))
        if not (quiet or errors):
            _show(found, context, loaded, notes=approving.notes(found, ledger, context.workspace))
        wanted = changes(found, media=media.content)  # raises, with the errors, where something stands in the way
        if dry_run or not wanted:
            return _as_json(found, applied=False)
        if not _agreed(found, assume=assume):
            diagnostics.say(_("Nothing was queued."))
            return _as_json(found, applied=False)
        if found.moved and not (assume or confirm(_("Is that a rename, and not new posts?"), assume=False)):
            raise InputError(
                _("Nothing was queued."), fix=_("Change the text of the new posts, or write repeat: true.")
            )
        applied = _applied(context, ledger, wanted)
    if not quiet:
        output.write(
            _("Queued: {new} new, {changed} changed, {removed} cancelled, {moved} moved.").format(
                new=applied.new, changed=applied.changed, removed=applied.removed, moved=applied.moved
            )
        )
        for key in applied.skipped:
            diagnostics.warn(
                _("{key} changed in the ledger meanwhile and was left alone; queue again.").format(key=key)
            )
    return _as_json(found, applied=True)


def _applied(context: Context, ledger: Ledger, wanted: Changes) -> Applied:
    """Write it; the ledger is made only now, so that a plan that can't be queued leaves nothing behind."""
    if not ledger.absent:
        return ledger.apply(wanted, actor=actor())
    with context.ledger(create=True) as made:
        return made.apply(wanted, actor=actor())


def read_plan(context: Context, path: Path, *, refusal: str = "") -> tuple[LoadedPlan, list[Planned]]:
    """The plan and its deliveries; any error stops here, with all of them told, under ``refusal`` where it is given."""
    from campaign_cli.plan import expand, load_plan

    loaded, problems = load_plan(path, context.workspace)
    planned: list[Planned] = []
    if loaded is not None:
        planned, more = expand(loaded)
        problems = [*problems, *more]
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    if loaded is None or errors:
        refusal = refusal or _("The plan has errors; nothing was queued.")
        raise InputError(refusal, problems=sorted(problems, key=_by_place))
    return loaded, planned


def _by_place(problem: Problem) -> tuple[str, int, int, str]:
    return problem.sort_key


def difference_of(
    context: Context,
    planned: Sequence[Planned],
    loaded: LoadedPlan,
    ledger: Ledger,
    *,
    media: MediaStore,
    skip_past: bool = False,
    at: datetime | None = None,
) -> Difference:
    """The difference between a plan and the ledger, with everything that rendering needs."""
    from campaign_cli.content.drafts import Renderer
    from campaign_cli.ledger.queueing import difference

    renderer = Renderer(loaded, media=media, templates=context.root / "templates" / "posts")
    return difference(loaded, planned, renderer, ledger, now=at or ledger.clock(), skip_past=skip_past)


def _agreed(found: Difference, *, assume: bool) -> bool:
    if found.empty:
        return True  # only the order in the plan differs: nothing to ask about
    if not assume and not interactive():
        raise InputError(_("There is nobody to ask here, and nothing was queued."), fix=_("Say --yes to queue it."))
    return confirm(_("Queue this?"), assume=assume)


def _why_frozen(known: Known) -> str:
    """Its state, and what that alone doesn't tell: that some of it can be read already."""
    partly = known.begun and known.state is not State.PUBLISHED
    text = _("frozen: {state}, part of it is out") if partly else _("frozen: {state}")
    return text.format(state=state_word(known.state))


def _show(found: Difference, context: Context, loaded: LoadedPlan, *, notes: Mapping[str, str]) -> None:
    """One line a delivery: its sign, its instant in the account's zone, its key, and what is special about it."""
    moved = [(m.delivery.key, m.delivery.due, _("moved from {key}").format(key=m.old_key)) for m in found.moved]
    frozen = [(one.known.key, one.known.due, _why_frozen(one.known)) for one in found.frozen if one.differs]
    groups: Sequence[tuple[str, str, list[tuple[str, datetime, str]]]] = (
        ("+", "green", [(one.key, one.due, notes[one.key]) for one in found.new]),
        ("~", "yellow", [(one.key, one.due, notes[one.key]) for one in found.changed]),
        ("-", "red", [(one.key, one.due, "") for one in found.removed]),
        ("→", "cyan", moved),
        ("*", "magenta", frozen),
        ("!", "red", [(one.key, one.due, _("its time is over")) for one in found.past]),
        ("!", "dim", [(one.key, one.due, _("its time is over; left out")) for one in found.skipped]),
    )
    accounts = context.workspace.accounts
    target = output.console()
    for sign, style, rows in groups:
        shown = [(_instant(key, due, accounts, loaded), key, note) for key, due, note in rows[:SHOWN]]
        width = max((len(at) for at, _key, _note in shown), default=0)
        for at, key, note in shown:
            target.print(_line(sign, style, (at.ljust(width), key, note)), soft_wrap=True)
        if len(rows) > SHOWN:
            target.print(_line(sign, style, ("… " + _("and {n} more").format(n=len(rows) - SHOWN),)), soft_wrap=True)
    output.write_sentences(_summary(found))
    write_uses(_totals(found))


def _instant(key: str, due: datetime, accounts: Mapping[str, Account], loaded: LoadedPlan) -> str:
    """In the zone of the delivery's account, else in the plan's."""
    account = accounts.get(key.rsplit("/", 1)[-1])
    return format_instant(due, (account.timezone if account else None) or loaded.zone)


def _line(sign: str, style: str, cells: Sequence[str]) -> Text:
    from rich.text import Text

    return Text.assemble((f"{sign} ", style), "  ".join(visible(cell) for cell in cells if cell))


def _summary(found: Difference) -> str:
    counts = found.counts
    words = [
        _("+ {n} new").format(n=counts["new"]),
        _("~ {n} changed").format(n=counts["changed"]),
        _("- {n} removed").format(n=counts["removed"]),
        _("= {n} the same").format(n=counts["same"]),
    ]
    if counts["moved"]:
        words.append("→ " + ngettext("{n} moved", "{n} moved", counts["moved"]).format(n=counts["moved"]))
    if counts["frozen"]:
        words.append("* " + ngettext("{n} frozen", "{n} frozen", counts["frozen"]).format(n=counts["frozen"]))
    if counts["past"] + counts["skipped"]:
        words.append("! " + _("{n} in the past").format(n=counts["past"] + counts["skipped"]))
    return f"{found.campaign}: " + "   ".join(words)


def _totals(found: Difference) -> list[Total]:
    from campaign_cli.checks.uses import totals

    return totals(found.uses)


def _as_json(found: Difference, *, applied: bool) -> dict[str, Any]:
    return {
        "campaign": found.campaign,
        "applied": applied,
        "new": [one.key for one in found.new],
        "changed": [one.key for one in found.changed],
        "removed": [one.key for one in found.removed],
        "moved": [{"from": one.old_key, "to": one.delivery.key} for one in found.moved],
        "same": len(found.same),
        "frozen": [one.known.key for one in found.frozen if one.differs],
        "past": [one.key for one in found.past],
        "skipped": [one.key for one in found.skipped],
        "uses": uses_as_json(_totals(found)),
        "waived": waived_as_json(found.waived),
    }
