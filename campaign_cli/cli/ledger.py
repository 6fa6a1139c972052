"""``campaign ledger``: look after the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from campaign_cli.cli import diagnostics, output, usage
from campaign_cli.cli.context import Context, actor, open_context
from campaign_cli.cli.ledger_restore import register
from campaign_cli.cli.options import JsonOption, LanguageOption, WorkspaceOption, YesOption
from campaign_cli.cli.words import confirm
from campaign_cli.errors import DamagedLedger, InputError
from campaign_cli.i18n import _, ngettext

if TYPE_CHECKING:
    from campaign_cli.ledger.backup import Backup
    from campaign_cli.ledger.care import Report

app = usage.application(help=_("Look after the ledger."))
FileArgument = Annotated[Path | None, typer.Argument(metavar="[FILE]", help=_("Where to write it."))]
ForceOption = Annotated[bool, typer.Option("--force", help=_("Replace a file that exists."))]


@app.callback()
def ledger() -> None:
    """Keeps its commands subcommands."""


@usage.command(
    app,
    help=_(
        "Say whether the ledger is sound: the database's own check, every delivery with its draft, pictures, receipts "
        "and attempts, the chain of the log, and who may read the files. Nothing is changed. The exit code is 2 when "
        "something is wrong. Example: campaign ledger check"
    ),
)
def check(json: JsonOption = False, workspace: WorkspaceOption = None, lang: LanguageOption = None) -> int:
    report = _checked(open_context(workspace))
    if json:
        output.write_json(_plain(report))
    else:
        _show(report)
    return int(diagnostics.ExitCode.DONE if report.sound else diagnostics.ExitCode.BAD_INPUT)


@usage.command(
    app,
    help=_(
        "Write the whole ledger of this moment into one file, while others go on sending; it is private, and holds no "
        "secrets. Without FILE it goes to .campaign/backups. Example for cron, every night: "
        "15 3 * * * campaign ledger backup --keep 14 --workspace /home/siti/serikat"
    ),
)
def backup(
    file: FileArgument = None,
    keep: Annotated[
        int | None,
        typer.Option(
            "--keep",
            min=1,
            metavar="N",
            help=_("Keep the newest N of the backups without FILE, and delete older ones."),
        ),
    ] = None,
    force: ForceOption = False,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    from campaign_cli.ledger.backup import back_up

    if keep is not None and file is not None:
        raise InputError(
            _("--keep counts the backups without a name of yours."), fix=_("Say either FILE or --keep, not both.")
        )
    context = open_context(workspace)
    with context.ledger(check_id=False) as opened:
        made = back_up(opened, None if file is None else file.absolute(), force=force, keep=keep)
    if json:
        output.write_json(_made(made))
        return 0
    _show_backup(made)
    return 0


@usage.command(
    app,
    help=_(
        "Write the whole ledger as JSON Lines, for an auditor: one object a line, each with a kind. ledger: its id and "
        "the head of the log. delivery: key, state, due instant, content hash, the draft as it was or will be sent, "
        "labels, pictures by SHA-256, receipts (the network's id and permalink), every attempt, the names of finished "
        "steps. hold: who stopped what, and why. event: the log, oldest first, each with the hash that binds it to the "
        "one before. Instants are RFC 3339. Example: campaign ledger export ledger.jsonl --media pictures"
    ),
)
def export(
    file: FileArgument = None,
    media: Annotated[
        Path | None, typer.Option("--media", metavar="DIR", help=_("Write the pictures there, named by their SHA-256."))
    ] = None,
    force: ForceOption = False,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    from campaign_cli.ledger.export import lines, write_file, write_media

    with open_context(workspace).ledger(check_id=False) as opened:
        number = 0 if media is None else write_media(opened, media.absolute())
        if file is None:
            for line in lines(opened):
                output.write_json_line(line)
            return 0
        written = write_file(opened, file.absolute(), force=force)
    output.write(_("{path}: {n} lines.").format(path=file, n=written))
    if media is not None:
        output.write(ngettext("{path}: {n} picture.", "{path}: {n} pictures.", number).format(path=media, n=number))
    return 0


register(app)


@usage.command(
    app, help=_("Make this workspace's ledger.id name the ledger that is here. Example: campaign ledger adopt")
)
def adopt(yes: YesOption = False, workspace: WorkspaceOption = None, lang: LanguageOption = None) -> int:
    context = open_context(workspace)
    output.write(_("A second ledger can send everything again. Adopt only when the other ledger is gone for good."))
    if not confirm(_("Adopt this ledger?"), assume=yes):
        return 0
    with context.ledger(create=True, check_id=False) as opened:
        opened.adopt(actor=actor())
        output.write(_("ledger.id now names this ledger: {id}").format(id=opened.ledger_id))
    return 0


def _checked(context: Context) -> Report:
    from campaign_cli.ledger.care import check, check_damaged

    try:
        with context.ledger(check_id=False) as opened:
            return check(opened)
    except DamagedLedger as damage:
        address = context.environment.get("CAMPAIGN_DATABASE_URL")
        return check_damaged(context.root, damage, server="PostgreSQL" if address else None)


def _plain(report: Report) -> dict[str, Any]:
    found = [{"rule": one.rule, "key": one.key, "message": one.message, "fix": one.fix} for one in report.findings]
    return {
        "ledger": report.where,
        "id": report.ledger_id,
        "sound": report.sound,
        "rows": report.rows,
        "head": report.head,
        "findings": found,
    }


def _show(report: Report) -> None:
    output.write(_("Ledger: {where}").format(where=report.where))
    if report.rows:
        sentence = _(
            "Looked at {deliveries} deliveries with {drafts} drafts, {media} pictures, {receipts} receipts, "
            "{attempts} attempts, {holds} holds, and {events} events of the log."
        )
        output.write_sentences(sentence.format(**report.rows))
    for number, finding in enumerate(report.findings):
        output.write_sentences(f"✗ {finding.message}")
        following = report.findings[number + 1 : number + 2]
        if not following or following[0].fix != finding.fix:  # the same fix is said once
            output.write_sentences(f"    → {finding.fix}")
    if report.sound:
        output.write(_("Everything is sound. The newest event is {head}.").format(head=report.head or "–"))
    else:
        count = len(report.findings)
        output.write(ngettext("{n} thing is wrong.", "{n} things are wrong.", count).format(n=count))


def _made(made: Backup) -> dict[str, Any]:
    return {
        "file": str(made.path),
        "bytes": made.size,
        "at": output.rfc3339(made.at),
        "deliveries": made.deliveries,
        "events": made.head.events,
        "head": made.head.hash,
        "deleted": [str(path) for path in made.deleted],
    }


def _show_backup(made: Backup) -> None:
    output.write(str(made.path))
    sentence = ngettext(
        "{n} delivery, {size} KiB. The newest event of the log is number {event}: {head}",
        "{n} deliveries, {size} KiB. The newest event of the log is number {event}: {head}",
        made.deliveries,
    )
    size = -(-made.size // 1024)
    output.write_sentences(
        sentence.format(n=made.deliveries, size=size, event=made.head.events, head=made.head.hash or "–")
    )
    for path in made.deleted:
        output.write(_("Deleted: {path}").format(path=path))
