"""``campaign ledger restore``: put a backup in the ledger's place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from campaign_cli import platforms
from campaign_cli.cli import diagnostics, output, usage
from campaign_cli.cli.context import Context, actor, now, open_context
from campaign_cli.cli.options import LanguageOption, WorkspaceOption, YesOption
from campaign_cli.cli.words import confirm, shared_zone
from campaign_cli.errors import InputError
from campaign_cli.i18n import _, format_instant, ngettext

if TYPE_CHECKING:
    from campaign_cli.ledger.replacing import Restored
    from campaign_cli.ledger.restore import Prepared

_LISTED = 20  # keys that are named one by one


def register(app: typer.Typer) -> None:
    """Make it a command of ``campaign ledger``."""
    usage.command(
        app,
        help=_(
            "Put a backup in the ledger's place. Whatever may have gone out since it was made becomes uncertain and is "
            "looked up, so that nothing goes out twice. The file is not changed, and what it replaces is kept. Without "
            "FILE, the backups are listed. Example: "
            "campaign ledger restore .campaign/backups/ledger-20270105T031500000000.sqlite3"
        ),
    )(restore)


def restore(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help=_("A backup."))] = None,
    nothing_sent: Annotated[
        bool,
        typer.Option(
            "--nothing-sent",
            help=_("Nothing was sent or ordered since the backup (a planned move): nothing becomes uncertain."),
        ),
    ] = False,
    adopt: Annotated[
        bool, typer.Option("--adopt", help=_("Also take the backup of another ledger, and let ledger.id name it."))
    ] = False,
    hold: Annotated[
        bool, typer.Option("--hold", help=_("Hold everything, so that you can look before anything more goes out."))
    ] = False,
    yes: YesOption = False,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    from campaign_cli.ledger.restore import Place, prepared

    context = open_context(workspace)
    if file is None:
        return _list(context)
    address = context.environment.get("CAMPAIGN_DATABASE_URL") or None
    place = Place(root=context.root, clock=None if address else now, database_url=address)
    with prepared(place, file.absolute(), adopt=adopt) as backup:
        _introduce(backup, context, nothing_sent=nothing_sent)
        if not confirm(_("Restore it?"), assume=yes):
            return 0
        done = backup.restore(actor=actor(), asks=_asks, nothing_sent=nothing_sent, hold=hold)
    _report(done)
    return 0


def _asks(platform: str) -> bool:
    """Whether a network can be asked what is out; one that this version doesn't know can't."""
    return platform in platforms.PLATFORMS and platforms.get(platform).proof.look_up


def _list(context: Context) -> int:
    from campaign_cli.ledger.files import kept

    found = kept(context.root)
    for path in reversed(found):
        output.write(str(path))
    if not found:
        raise InputError(
            _("There are no backups in {folder}.").format(folder=context.root / ".campaign" / "backups"),
            fix=_("Name a file of yours: campaign ledger restore FILE. Make one every night: campaign ledger backup"),
        )
    diagnostics.say(_("Choose one, newest first: campaign ledger restore FILE"))
    return int(diagnostics.ExitCode.BAD_INPUT)


def _introduce(backup: Prepared, context: Context, *, nothing_sent: bool) -> None:
    sentence = ngettext(
        "The backup is of {at}: {n} delivery, {events} events.",
        "The backup is of {at}: {n} deliveries, {events} events.",
        backup.deliveries,
    )
    at = format_instant(backup.at, shared_zone(context), seconds=True)
    output.write_sentences(sentence.format(at=at, n=backup.deliveries, events=backup.head.events))
    if backup.live is not None and backup.live.events:
        text = _("The ledger that is here has {events} events; a copy of it is kept.")
        output.write_sentences(text.format(events=backup.live.events))
    if nothing_sent:
        text = _("You say that nothing was sent or ordered since. What was will go out again.")
    else:
        text = _(
            "What was queued, changed, cancelled or released since is not in it. A hold that is open now stays open, "
            "and what was taken down stays down, as far as the ledger that is here can be read. What fell due by now "
            "and is not published in it becomes uncertain, and is looked up before anything is sent."
        )
    output.write_sentences(text)
    if backup.live is None and not nothing_sent:
        diagnostics.warn(
            _(
                "The ledger that is here is damaged, or there is none: what was held, taken down or no longer approved "
                "since the backup may be forgotten. If there was any of it, say --hold."
            )
        )


def _report(done: Restored) -> None:
    if done.replaced is not None:
        output.write(_("The ledger that was here is kept: {path}").format(path=done.replaced))
    if done.damaged:
        output.write(_("The damaged ledger lies here now: {place}").format(place=done.damaged))
        output.write_sentences(
            _("End every `campaign run`, `publish` and `worker` that was started before, and start it anew.")
        )
    output.write(_("Restored."))
    asked, left = done.doubts.asked, done.doubts.for_a_person
    if not asked and not left:
        output.write(_("Nothing became uncertain."))
    if asked:
        sentence = ngettext(
            "{n} delivery is uncertain: `campaign publish` looks it up, and once more after three minutes; only then "
            "it counts as not sent.",
            "{n} deliveries are uncertain: `campaign publish` looks them up, and once more after three minutes; only "
            "then they count as not sent.",
            len(asked),
        )
        output.write_sentences(sentence.format(n=len(asked)))
    if left:
        sentence = ngettext(
            "{n} needs you, for its network can't be asked. Look at the account, then: campaign resolve KEY "
            "--published URL, or --not-published",
            "{n} need you, for their networks can't be asked. Look at the account, then: campaign resolve KEY "
            "--published URL, or --not-published",
            len(left),
        )
        output.write_sentences(sentence.format(n=len(left)))
    _list_keys(left)
    if len(left) > _LISTED or asked:
        output.write(_("All of them: campaign status --state uncertain"))
    output.write_sentences(_("Queue your plans again: what was changed in them since the backup is not in it."))
    if done.down:
        text = ngettext(
            "{n} delivery was taken down since, or is to be, and stays so:",
            "{n} deliveries were taken down since, or are to be, and stay so:",
            len(done.down),
        )
        output.write(text.format(n=len(done.down)))
        _list_keys(done.down)
    if not done.whole:
        output.write_sentences(
            _(
                "Not everything of the damaged ledger could be read: look for what it held, took down or no longer "
                "approved."
            )
        )
    if done.held:
        output.write_sentences(_("Everything is held. When all is well: campaign release"))


def _list_keys(keys: Sequence[str]) -> None:
    for key in keys[:_LISTED]:
        output.write(f"  {key}")
