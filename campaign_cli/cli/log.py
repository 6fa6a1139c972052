"""``campaign log``: what happened, by whom and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from campaign_cli.cli import diagnostics, output, usage
from campaign_cli.cli.context import Context, open_context
from campaign_cli.cli.options import CampaignFilter, JsonOption, LanguageOption, WorkspaceOption
from campaign_cli.cli.words import shared_zone
from campaign_cli.errors import InputError
from campaign_cli.i18n import _, format_instant, ngettext
from campaign_cli.report.events import event_line

if TYPE_CHECKING:
    from campaign_cli.ledger.verifying import Chain

app = usage.application()


@usage.command(
    app, help=_("Show what happened, by whom and when. Example: campaign log --campaign upah-layak-2027 --last 50")
)
def log(
    campaign: CampaignFilter = None,
    key: Annotated[str | None, typer.Option("--key", metavar="KEY", help=_("Only this delivery."))] = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help=_("Prove that no event was changed, added or taken away, and say the head of the log, to be noted."),
        ),
    ] = False,
    head: Annotated[
        str | None,
        typer.Option(
            "--head", metavar="HASH", help=_("With --verify: a head noted earlier, which must be in the log.")
        ),
    ] = None,
    last: Annotated[int, typer.Option("--last", min=1, metavar="N", help=_("The newest N events."))] = 100,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    if head is not None and not verify:
        raise InputError(_("--head belongs to --verify."), fix="campaign log --verify --head HASH")
    context = open_context(workspace)
    if verify:
        return _verified(context, head=head, json=json)
    with context.ledger(check_id=False) as ledger:
        events = ledger.events(campaign=campaign, key=key, limit=last)
    if json:
        output.write_json(
            {
                "events": [
                    {
                        "at": output.rfc3339(event.at),
                        "kind": event.kind,
                        "key": event.key,
                        "actor": event.actor,
                        "host": event.host,
                        "data": dict(event.data),
                    }
                    for event in events
                ]
            }
        )
        return 0
    zone = shared_zone(context)
    for event in events:
        output.write(event_line(event, zone=zone).replace("\n", " "))
    if not events:
        output.write(_("Nothing has happened here yet."))
    return 0


def _verified(context: Context, *, head: str | None, json: bool) -> int:
    from campaign_cli.ledger.verifying import verify

    with context.ledger(check_id=False) as ledger, ledger.reading() as connection:
        found = verify(connection, noted=head)
    if json:
        output.write_json(_plain(found))
    else:
        _show(found, context, head=head)
    return int(diagnostics.ExitCode.DONE if found.whole else diagnostics.ExitCode.BAD_INPUT)


def _plain(found: Chain) -> dict[str, Any]:
    broken = found.broken
    return {
        "whole": found.whole,
        "events": found.head.events,
        "head": found.head.hash,
        "first": output.rfc3339(found.first) if found.first else None,
        "last": output.rfc3339(found.last) if found.last else None,
        "noted_head_found": found.noted,
        "broken": None
        if broken is None
        else {
            "id": broken.id,
            "at": output.rfc3339(broken.at) if broken.at else None,
            "kind": broken.kind,
            "key": broken.key,
            "meaning": broken.meaning,
        },
    }


def _show(found: Chain, context: Context, *, head: str | None) -> None:
    zone, broken = shared_zone(context), found.broken
    if broken is not None:
        at = format_instant(broken.at, zone, seconds=True) if broken.at else "–"
        text = _("The log is broken at event {id}: {at}  {kind}  {key}").format(
            id=broken.id, at=at, kind=broken.kind, key=broken.key or ""
        )
        output.write(text.rstrip())
        output.write_sentences(broken.meaning)
        text = _("The {n} events before it are as they were written. The last of them is {head}.")
        output.write_sentences(text.format(n=found.head.events, head=found.head.hash or "–"))
    elif found.noted is False:
        text = _("The head {head} is not in the log: events were cut off at its end, or all of it was written anew.")
        output.write_sentences(text.format(head=head))
    else:
        count = found.head.events
        output.write(ngettext("The log is whole: {n} event.", "The log is whole: {n} events.", count).format(n=count))
        if found.first and found.last:
            text = _("From {first} to {last}.")
            first, last = (format_instant(at, zone, seconds=True) for at in (found.first, found.last))
            output.write(text.format(first=first, last=last))
        text = _("Its head, to be noted elsewhere: {head}")
        output.write(text.format(head=found.head.hash or "–"))
