"""``campaign crisis``: stop everything but one approved statement, and review what was stopped afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from campaign_cli.cli import approving, diagnostics, output, usage
from campaign_cli.cli.context import Context, actor, interactive, open_context
from campaign_cli.cli.hold import wait_for_flying
from campaign_cli.cli.options import JsonOption, LanguageOption, WorkspaceOption
from campaign_cli.cli.release import shift
from campaign_cli.cli.silence import Silence
from campaign_cli.cli.status import as_json, held_line, scope, show_deliveries, zone_of
from campaign_cli.cli.words import ask, duration, shared_zone
from campaign_cli.errors import InputError
from campaign_cli.i18n import _, format_instant, ngettext

if TYPE_CHECKING:
    from campaign_cli.ledger import Delivery, Hold, Ledger
    from campaign_cli.ledger.holding import Late

app = usage.application(help=_("Stop everything but one approved statement, and review what was stopped afterwards."))

KEEP: Final = "keep"
SKIP: Final = "skip"
_SINCE: Final = "24h"
SinceOption = Annotated[
    str, typer.Option("--since", metavar="SPAN", help=_("How far back to list what went out, e.g. 24h."))
]


@usage.command(
    app,
    help=_(
        "Hold everything at once; only what is approved of the statement goes out until the end. "
        'Example: campaign crisis start --statement campaigns/pernyataan.yaml --reason "kecelakaan kerja"'
    ),
)
def start(
    reason: Annotated[str, typer.Option("--reason", "-r", metavar="R", help=_("Why; it is shown to everybody."))],
    statement: Annotated[
        Path | None, typer.Option("--statement", metavar="PLAN", help=_("The plan whose approved posts may go out."))
    ] = None,
    since: SinceOption = _SINCE,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    context = open_context(workspace)
    back, campaign = duration(since), _campaign(context, statement) if statement else None
    with context.ledger(create=True) as ledger:
        crisis = ledger.start_crisis(statement=campaign, reason=reason, actor=actor())
        still_out = wait_for_flying(ledger, crisis)
        if json:
            output.write_json(_as_json(context, ledger, crisis, back=back) | {"still_out": still_out})
        else:
            output.write_sentences(_held(crisis))
            _show_flying(context, ledger, still_out)
            _show(context, ledger, crisis, back=back)
            if statement and campaign:
                _say_next(statement)
                _warn_of_holds(ledger, campaign)
    return int(diagnostics.ExitCode.UNCERTAIN if still_out else diagnostics.ExitCode.DONE)


@usage.command(
    app, help=_("Show the crisis that is on: what is held, and what went out lately. Example: campaign crisis show")
)
def show(
    since: SinceOption = _SINCE,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    context = open_context(workspace)
    back = duration(since)
    with context.ledger(check_id=False) as ledger:
        crisis = ledger.crisis()
        flying = [] if crisis is None else [one.key for one in ledger.covered_in_flight(crisis)]
        if json:
            found = {"crisis": None} if crisis is None else _as_json(context, ledger, crisis, back=back)
            output.write_json(found | ({"still_out": flying} if crisis else {}))
        elif crisis is None:
            output.write(_("No crisis is on."))
        else:
            output.write_sentences(held_line(crisis, zone=shared_zone(context)))
            _show_flying(context, ledger, flying)
            _show(context, ledger, crisis, back=back)
    return 0


@usage.command(
    app,
    help=_(
        "End the crisis, after a decision on each post that was held: keep it as planned, send it now, shift it or "
        "skip it. Example: campaign crisis end --all skip"
    ),
)
def end(
    every: Annotated[
        str | None,
        typer.Option("--all", metavar="keep|now|skip|+1d", help=_("The same answer for every held post.")),
    ] = None,
    late: Annotated[
        str | None, typer.Option("--late", metavar="now|skip|+2h", help=_("The answer for what is late by now."))
    ] = None,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    context = open_context(workspace)
    context.require_accounts()
    with context.ledger() as ledger:
        crisis = ledger.crisis()
        if crisis is None:
            raise InputError(_("No crisis is on."))
        held = sorted(ledger.held_back(crisis), key=lambda one: (one.campaign, one.post, one.due))
        overdue = {one.key for one in ledger.late_after_release([crisis.id])}
        silence = Silence(context, ledger)
        silence.look_up(held)
        answers: dict[str, Late] = {}
        for _post, group in groupby(held, key=lambda one: (one.campaign, one.post, one.key in overdue)):
            deliveries = list(group)
            is_late = deliveries[0].key in overdue
            given = (late or every) if is_late else every
            answer = _decision(context, deliveries, given, late=is_late, now=ledger.clock(), silence=silence)
            if answer is not None:
                answers |= {one.key: answer for one in deliveries}
        done = ledger.release([crisis.id], actor=actor(), late=answers, reviewed=[one.key for one in held])
        if answers and not done:
            raise InputError(_("Somebody else has ended the crisis meanwhile; your answers changed nothing."))
    output.write(_("The crisis is over."))
    decided, kept = len(answers), len(held) - len(answers)
    if held:
        text = _("{kept} held deliveries stay as planned, {decided} were decided otherwise.")
        output.write(text.format(kept=kept, decided=decided))
    approving.tell_lost(held, done)
    return 0


def _campaign(context: Context, path: Path) -> str:
    """The campaign of the statement's plan. Raises InputError where the plan can't be used: nothing is held then."""
    from campaign_cli.checks import blocking
    from campaign_cli.plan import load_plan

    loaded, problems = load_plan(path, context.workspace)
    if loaded is None or blocking(problems):
        raise InputError(
            _("The statement's plan has errors; nothing was held."),
            problems=problems,
            fix=_("Everything is held at once by: campaign crisis start --reason …, without --statement"),
        )
    return loaded.plan.campaign


def _held(crisis: Hold) -> str:
    if crisis.except_campaign is None:
        return _("Everything is held. Nothing goes out until `campaign crisis end`.")
    return _(
        "Everything is held but the campaign {name}, of which only what is approved goes out until "
        "`campaign crisis end`."
    ).format(name=crisis.except_campaign)


def _say_next(statement: Path) -> None:
    output.write(_("The statement's way out:"))
    for command in (f"campaign queue {statement}", f"campaign approve {statement} --as NAME", "campaign publish"):
        output.write(f"    {command}")


def _warn_of_holds(ledger: Ledger, campaign: str) -> None:
    """A hold that was there before holds the statement as well."""
    for hold in ledger.holds():
        if not hold.crisis and hold.campaign in (None, campaign):
            text = _("Another hold may cover the statement, too: {scope} ({reason}). It ends with: campaign release")
            diagnostics.warn(text.format(scope=scope(hold), reason=hold.reason))


def _show_flying(context: Context, ledger: Ledger, still_out: Sequence[str]) -> None:
    if still_out:
        text = ngettext("{n} is still out:", "{n} are still out:", len(still_out))
        output.write(text.format(n=len(still_out)))
        show_deliveries(ledger.deliveries(keys=still_out), context.workspace)


def _show(context: Context, ledger: Ledger, crisis: Hold, *, back: timedelta) -> None:
    """What is held, and what went out lately, with the command that takes it down."""
    from campaign_cli.dispatch.withdrawing import can_delete

    held, sent = ledger.held_back(crisis), ledger.sent_after(crisis.opened_at - back)
    output.write(ngettext("{n} delivery is held.", "{n} deliveries are held.", len(held)).format(n=len(held)))
    if held:
        show_deliveries(held, context.workspace)
    if not sent:
        output.write(_("Nothing went out lately."))
        return
    text = ngettext("{n} delivery went out lately:", "{n} deliveries went out lately:", len(sent))
    output.write(text.format(n=len(sent)))
    show_deliveries(sent, context.workspace)
    deletable = [one for one in sent if can_delete(one)]
    if deletable:
        output.write(_("To take one down: campaign withdraw KEY. Networks where programs can delete:"))
        output.write("    " + ", ".join(sorted({one.platform for one in deletable})))


def _as_json(context: Context, ledger: Ledger, crisis: Hold, *, back: timedelta) -> dict[str, Any]:
    from campaign_cli.dispatch.withdrawing import can_delete

    zone = shared_zone(context)
    sent = ledger.sent_after(crisis.opened_at - back)
    return {
        "crisis": {
            "since": output.rfc3339(crisis.opened_at, zone),
            "reason": crisis.reason,
            "actor": crisis.actor,
            "statement": crisis.except_campaign,
        },
        "held": [as_json(one, context.workspace) for one in ledger.held_back(crisis)],
        "sent": [as_json(one, context.workspace) | {"deletable": can_delete(one)} for one in sent],
    }


def _decision(
    context: Context,
    deliveries: Sequence[Delivery],
    given: str | None,
    *,
    late: bool,
    now: datetime,
    silence: Silence,
) -> Late | None:
    """What to do with one post on all its accounts; None keeps it as planned, which a late one can't be."""
    first = deliveries[0]
    name = f"{first.campaign}/{first.post}"
    if given is not None:
        return _spoken(given, deliveries, late=late, now=now, silence=silence)
    if not interactive():
        raise InputError(
            _("{key} was held, and there is nobody to ask.").format(key=name),
            fix=_("Say --all keep|skip|now|+1d, and --late skip|now|+2h for what is late by now."),
        )
    if late:
        question = _("{key} ({accounts}) was due {due}. Send now, shift (+2h, +1d), or skip?")
    else:
        question = _("{key} ({accounts}) is due {due}. Keep, send now, shift (+2h, +1d), or skip?")
    count = len(deliveries)
    question = question.format(
        key=name,
        accounts=ngettext("{n} account", "{n} accounts", count).format(n=count),
        due=format_instant(first.due, zone_of(first.account, context.workspace)),
    )
    default = SKIP if late else KEEP
    while True:
        try:
            text = ask(f"{question} [{default}]", default=default)
            return _spoken(text, deliveries, late=late, now=now, silence=silence)
        except InputError as error:
            diagnostics.show_error(error)


def _spoken(text: str, deliveries: Sequence[Delivery], *, late: bool, now: datetime, silence: Silence) -> Late | None:
    """The same of an answer; never a time in a day of silence."""
    first = deliveries[0]
    answer = _meaning(text, late=late, name=f"{first.campaign}/{first.post}", now=now)
    if answer is not None and answer != SKIP:
        for one in deliveries:
            shifted = one.due + answer if isinstance(answer, timedelta) else answer
            silence.refuse(one, shifted if isinstance(shifted, datetime) else now)
    return answer


def _meaning(text: str, *, late: bool, name: str, now: datetime) -> Late | None:
    """A shift counts from the due instant, and from now for what is late."""
    if text == KEEP and late:
        raise InputError(
            _("{key} is late by now and can't be kept as planned.").format(key=name),
            fix=_("Say now, skip, or a shift such as +2h or +1d; --late says it for all of them."),
        )
    if text == KEEP:
        return None
    if text in ("now", SKIP):
        return text
    return now + shift(text) if late else shift(text)
