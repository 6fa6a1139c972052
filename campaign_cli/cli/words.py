"""Words that several commands say: states, and questions with a safe default."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from campaign_cli.cli import diagnostics, output
from campaign_cli.cli.context import Context, interactive
from campaign_cli.errors import InputError
from campaign_cli.i18n import _, language
from campaign_cli.models import State
from campaign_cli.source import suggest
from campaign_cli.wallclock import duration_of

if TYPE_CHECKING:
    from campaign_cli.checks.pipeline import Waived
    from campaign_cli.checks.uses import Total

# Both languages are understood whatever the language of the question: hands have habits.
_YES: Final = {"y", "ya", "yes"}
_NO: Final = {"", "n", "no", "t", "tidak"}


def state_word(state: State, *, held: bool = False, approved: bool = True) -> str:
    """The state in the user's language; a waiting one under a hold, or without its approvals, says so."""
    word = {
        State.WAITING: _("waiting"),
        State.SENDING: _("sending"),
        State.PUBLISHED: _("published"),
        State.FAILED: _("failed"),
        State.UNCERTAIN: _("uncertain"),
        State.CANCELLED: _("cancelled"),
        State.MISSED: _("missed"),
    }[state]
    marks = [_("held")] * held + [_("not approved")] * (not approved)
    return f"{word} ({', '.join(marks)})" if marks and state is State.WAITING else word


def state_filter(text: str | None) -> State | None:
    """The state that ``--state`` names. Raises InputError for another word."""
    if text is None:
        return None
    try:
        return State(text)
    except ValueError:
        names = ", ".join(State)
        raise InputError(
            _("There is no state {state}.").format(state=repr(text)) + suggest(text, State),
            fix=_("One of: {names}").format(names=names),
        ) from None


def clock_text(at: datetime, zone: tzinfo) -> str:
    """``08.00.30`` (id) or ``08:00:30`` (en), in ``zone``."""
    return f"{at.astimezone(zone):%H.%M.%S}" if language() == "id" else f"{at.astimezone(zone):%H:%M:%S}"


def confirm(question: str, *, assume: bool) -> bool:
    """Ask on a terminal, where no answer means no; elsewhere stop with exit 2 unless ``--yes`` was given."""
    if assume:
        return True
    if not interactive():
        raise InputError(_("There is nobody to ask here, and nothing was done."), fix=_("Say --yes to go on."))
    hint = {"id": "[y/T]"}.get(language(), "[y/N]")
    while True:
        answer = ask(f"{question} {hint}").lower()
        if answer in _YES | _NO:
            return answer in _YES
        diagnostics.say(_("Please answer y (yes) or n (no)."))


def ask(question: str, *, default: str = "") -> str:
    """What is typed on the terminal, without spaces around it. Raises typer.Abort on Ctrl-C and at the end of input."""
    text: str = typer.prompt(question, default=default, show_default=False, prompt_suffix=" ", err=True)
    return text.strip()


def instant(text: str, *, now: datetime, zone: tzinfo, root: Path | None = None) -> datetime:
    """``2026-12-01 08:00[:30]``, with an offset or in ``zone``; ``08:00`` is the next such time. Aware."""
    try:
        if len(text) in (5, 8) and text[2] == ":":
            from datetime import time

            wall = datetime.combine(now.astimezone(zone).date(), time.fromisoformat(text), tzinfo=zone)
            return wall if wall > now else wall + timedelta(days=1)
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            _("{text} is no time.").format(text=repr(text)),
            fix=_("Write 2026-12-01 08:00, 2026-12-01T08:00+07:00 or 08:00."),
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=zone)


def duration(text: str) -> timedelta:
    """``30m``, ``24h``, ``1h30m``, ``2d``, as accounts.yaml reads it. Raises InputError for anything else."""
    try:
        return duration_of(text)
    except ValueError:
        raise InputError(
            _("{text} is no span of time.").format(text=repr(text)), fix=_("Write 30m, 24h or 2d.")
        ) from None


def shared_zone(context: Context) -> tzinfo:
    """The zone in which to show what belongs to no account: that of most accounts, else the machine's."""
    zones = Counter(account.timezone for account in context.workspace.accounts.values() if account.timezone)
    return zones.most_common(1)[0][0] if zones else machine_zone()


def machine_zone() -> tzinfo:
    """The zone of this machine."""
    import tzlocal

    return tzlocal.reload_localzone()  # not the cached one: a long run may travel


def write_uses(totals: Sequence[Total]) -> None:
    """A line for each account whose network charges or counts."""
    for account, group in groupby(totals, key=lambda total: total.account):
        taken = ", ".join(total.text for total in group)
        output.write_sentences(_("{account} will use: {taken}.").format(account=account, taken=taken))


def waived_as_json(waived: Iterable[Waived]) -> list[dict[str, Any]]:
    """Each problem that a plan waives, with the reason that it gives."""
    from dataclasses import asdict

    return [{**asdict(one.problem), "reason": one.reason} for one in waived]


def uses_as_json(totals: Sequence[Total]) -> list[dict[str, str | float]]:
    """The same for programs."""
    return [{"account": total.account, "what": total.what, "amount": float(total.amount)} for total in totals]
