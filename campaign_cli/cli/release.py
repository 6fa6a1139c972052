"""``campaign release``: end a hold, and decide on each post that is late by now."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from campaign_cli.cli import approving, diagnostics, output, usage
from campaign_cli.cli.context import Context, actor, interactive, open_context
from campaign_cli.cli.options import AccountFilter, CampaignFilter, LabelFilter, LanguageOption, WorkspaceOption
from campaign_cli.cli.silence import Silence
from campaign_cli.cli.status import scope, zone_of
from campaign_cli.cli.words import ask, duration
from campaign_cli.errors import InputError
from campaign_cli.i18n import _, format_instant, ngettext

if TYPE_CHECKING:
    from campaign_cli.ledger import Delivery, Hold

app = usage.application()


@usage.command(
    app,
    help=_(
        "End a hold. Posts that became late meanwhile are asked about: send now, shift, or skip. "
        "Example: campaign release --campaign upah-layak-2027 --late skip"
    ),
)
def release(
    campaign: CampaignFilter = None,
    account: AccountFilter = None,
    label: LabelFilter = None,
    late: Annotated[
        str | None,
        typer.Option("--late", metavar="now|skip|+2h", help=_("The same answer for every late post, without asking.")),
    ] = None,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    context = open_context(workspace)
    context.require_accounts()
    with context.ledger() as ledger:
        scope_of = (campaign, account, label)
        wanted = [h for h in ledger.holds() if not h.crisis and (h.campaign, h.account, h.label) == scope_of]
        if not wanted:
            raise InputError(_("There is no such hold."), fix=_open_holds(ledger.holds()))
        identifiers = [hold.id for hold in wanted]
        overdue = ledger.late_after_release(identifiers)
        silence = Silence(context, ledger)
        silence.look_up(overdue)
        answers = {one.key: _answer(context, one, late, now=ledger.clock(), silence=silence) for one in overdue}
        now = ledger.release(identifiers, actor=actor(), late=answers)
    for hold in wanted:
        output.write(_("Released: {scope}.").format(scope=scope(hold)))
    if overdue:
        output.write(ngettext("{n} late post decided.", "{n} late posts decided.", len(overdue)).format(n=len(overdue)))
        approving.tell_lost(overdue, now)
    return 0


def _open_holds(holds: list[Hold]) -> str:
    if not holds:
        return _("Nothing is held.")
    if all(hold.crisis for hold in holds):
        return _("A crisis is on; it ends with: campaign crisis end")
    return _("Open holds: {holds}").format(holds="; ".join(f"{scope(hold)} ({hold.reason})" for hold in holds))


def _answer(
    context: Context, delivery: Delivery, given: str | None, *, now: datetime, silence: Silence
) -> str | datetime:
    """``now``, ``skip``, or the new due instant; never one in a day of silence."""
    if given is None and not interactive():
        raise InputError(
            _("{key} became late during the hold, and there is nobody to ask.").format(key=delivery.key),
            fix=_("Say --late now, --late skip or --late +2h."),
        )
    if given is not None:
        return _spoken(given, delivery, now=now, silence=silence)
    due = format_instant(delivery.due, zone_of(delivery.account, context.workspace))
    question = _("{key} was due {due}. Send now, shift (+2h, +1d), or skip?").format(key=delivery.key, due=due)
    while True:
        try:
            return _spoken(ask(f"{question} [skip]", default="skip"), delivery, now=now, silence=silence)
        except InputError as error:
            diagnostics.show_error(error)


def _spoken(text: str, delivery: Delivery, *, now: datetime, silence: Silence) -> str | datetime:
    answer = text if text in ("now", "skip") else now + shift(text)
    if answer != "skip":
        silence.refuse(delivery, answer if isinstance(answer, datetime) else now)
    return answer


def shift(text: str) -> timedelta:
    """``+2h`` or ``+1d``. Raises InputError."""
    try:
        return duration(text.removeprefix("+"))
    except InputError:
        raise InputError(
            _("{text} is no answer.").format(text=repr(text)), fix=_("Say now, skip, or a shift such as +2h or +1d.")
        ) from None
