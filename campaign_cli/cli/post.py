"""``campaign post``: queue or send one message without a plan, through the same checks as a plan."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Annotated

import typer

from campaign_cli.cli import diagnostics, layout, output, usage
from campaign_cli.cli.context import Context, actor, now, open_context
from campaign_cli.cli.options import JsonOption, LanguageOption, WorkspaceOption
from campaign_cli.cli.progress import LogFormat, progress
from campaign_cli.cli.words import instant, machine_zone, shared_zone
from campaign_cli.errors import InputError
from campaign_cli.i18n import _, format_instant
from campaign_cli.models import Draft, Problem, Severity, State

if TYPE_CHECKING:
    from campaign_cli.content.media import MediaStore
    from campaign_cli.dispatch.outcome import Outcome
    from campaign_cli.ledger import Delivery, Ledger
    from campaign_cli.plan import LoadedPlan, Planned

app = usage.application()


@usage.command(
    app,
    help=_(
        "Queue or send one message without a plan; without --at it is sent now. "
        'Example: campaign post "Sidang ditunda ke pukul 14.00." --to telegram --at 13:30'
    ),
)
def post(
    text: Annotated[str, typer.Argument(metavar="TEXT", help=_("What it says."))],
    to: Annotated[
        list[str], typer.Option("--to", metavar="ACCOUNT", help=_("An account or a group; may be repeated."))
    ],
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help=_("When, in the account's zone, e.g. 17:00."))
    ] = None,
    media: Annotated[list[str] | None, typer.Option("--media", metavar="FILE", help=_("A picture or a video."))] = None,
    alt: Annotated[
        list[str] | None, typer.Option("--alt", metavar="TEXT", help=_("What it shows; one for each --media."))
    ] = None,
    repeat: Annotated[
        bool, typer.Option("--repeat", help=_("Even if the account said the same in the last 30 days."))
    ] = False,
    name: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help=_("Who writes it, as the file of the approvers has it."))
    ] = None,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    from campaign_cli.ledger.gate import Gate

    context = open_context(workspace)
    context.require_accounts()
    due = instant(at, now=now(), zone=_zone(context, to)) if at else None
    if due is not None and due < now():
        raise InputError(
            _("{time} is over.").format(time=at), fix=_("Name a time to come, or leave --at out to send now.")
        )
    _readable(text)
    author = _author(context, name)
    store = context.media()
    drafts = _drafts(context, text, to, due or now(), pictures=_pictures(media, alt), store=store)
    if not at:
        _reveal_secrets(context, to)
    with context.ledger(create=True) as ledger:
        queued = ledger.add_message(
            drafts,
            due=due or ledger.clock(),
            media=store.content,
            actor=actor(),
            repeat=repeat,
            gate=Gate.of_message(context.workspace.rules, author=author),
        )
        keys = [delivery.key for delivery in queued]
        outcome = None if at else _send(context, ledger, keys)
        shown = ledger.deliveries(keys=keys)
    return _report(context, shown, outcome, json=json)


def _readable(text: str) -> None:
    """Raises InputError for a message of nothing, and for bytes that are no text."""
    if not text.strip():
        raise InputError(_("The message is empty."), fix=_('Write it in quotes: campaign post "…" --to ACCOUNT'))
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError(
            _("The message is not UTF-8."), fix=_("Set the terminal to UTF-8, or write the message in a plan.")
        ) from None


def _author(context: Context, name: str | None) -> str:
    """Who writes it. Raises InputError where that must be said: no user of a machine stands in a file of approvers."""
    from campaign_cli.signatures import checked_name

    rules = context.workspace.rules
    if name is not None:
        return checked_name(name)
    if rules.other_approver and rules.approvers:
        raise InputError(
            _("Nobody is named who writes it, and its author may not be the only one who approves it."),
            fix=_("Say it with the name that {file} has: --as NAME").format(file=rules.approvers),
        )
    return actor()


def _zone(context: Context, names: Sequence[str]) -> tzinfo:
    """The zone that the accounts share, else the machine's."""
    zones = {account.timezone for account in context.resolve(names) if account.timezone}
    return zones.pop() if len(zones) == 1 else machine_zone()


def _reveal_secrets(context: Context, names: Sequence[str]) -> None:
    """Every secret that sending now will need. Raises CredentialError before anything is queued."""
    from campaign_cli import platforms

    for account in context.resolve(names):
        for setting in platforms.get(account.platform).secrets:
            context.secrets.reveal(str(account.settings[setting]))


def _pictures(files: Sequence[str] | None, alts: Sequence[str] | None) -> list[dict[str, str]]:
    if len(files or ()) != len(alts or ()):
        raise InputError(
            _("Each picture or video needs its alt text: as many --alt as --media."),
            fix=_('For example: --media poster.jpg --alt "Poster with the date of the march"'),
        )
    return [{"file": file, "alt": alt} for file, alt in zip(files or (), alts or (), strict=True)]


def _drafts(
    context: Context,
    text: str,
    to: Sequence[str],
    due: datetime,
    *,
    pictures: list[dict[str, str]],
    store: MediaStore,
) -> list[Draft]:
    """A plan of one post, read, checked and rendered like any other."""
    import yaml

    from campaign_cli.content.drafts import Renderer
    from campaign_cli.plan import expand
    from campaign_cli.plan.load import plan_of
    from campaign_cli.source import read_text

    written = {
        "campaign": "langsung",
        "timezone": "UTC",
        "accounts": list(to),
        "posts": [{"id": "pos", "at": due.isoformat(timespec="seconds"), "text": text, "media": pictures}],
    }
    source = read_text(yaml.safe_dump(written, allow_unicode=True).encode(), shown="")
    loaded, problems = plan_of(source, context.root / "post", context.workspace)
    drafts: dict[str, Draft] = {}
    if loaded is not None and not _errors(problems):
        planned, problems = expand(loaded)
        renderer = Renderer(loaded, media=store, templates=context.root / "templates" / "posts")
        for one in planned:
            draft, found = renderer.draft(one)
            problems += found
            drafts |= {one.key: draft} if draft else {}
        problems += _judged(loaded, planned, drafts, store=store)
    if _errors(problems):
        raise InputError(_("The message was not queued."), problems=_errors(problems))
    return list(drafts.values())


def _judged(
    loaded: LoadedPlan, planned: list[Planned], drafts: dict[str, Draft], *, store: MediaStore
) -> list[Problem]:
    """What the rules of content say, at the instant that it is meant for. Warnings are told here."""
    from campaign_cli.checks.pipeline import Examined, judge

    examined = Examined(loaded=loaded, planned=planned, drafts=drafts, media=store)
    judge(examined, now=min((one.due for one in planned), default=now()))
    diagnostics.show_problems(_placeless(examined.problems, Severity.WARNING))
    return examined.problems


def _errors(problems: Sequence[Problem]) -> list[Problem]:
    return _placeless(problems, Severity.ERROR)


def _placeless(problems: Sequence[Problem], severity: Severity) -> list[Problem]:
    """Those of a severity without their places: nobody has seen the plan that they are in."""
    return [replace(problem, file="", line=0, column=0) for problem in problems if problem.severity is severity]


def _send(context: Context, ledger: Ledger, keys: Sequence[str]) -> Outcome:
    from campaign_cli.cli import dispatching
    from campaign_cli.dispatch.publish import publish_pass

    zone = shared_zone(context)
    with progress(LogFormat.auto, file=None, now=now, zone=zone, redact=context.secrets.redact) as shown:

        async def one_pass() -> Outcome:
            return await publish_pass(dispatching.dispatcher(context, ledger, progress=shown, only=set(keys)))

        return asyncio.run(one_pass())


def _report(context: Context, deliveries: list[Delivery], outcome: Outcome | None, *, json: bool) -> int:
    from campaign_cli.cli import dispatching
    from campaign_cli.cli.status import as_json, show_deliveries, zone_of

    if json:
        output.write_json({"deliveries": [as_json(delivery, context.workspace) for delivery in deliveries]})
    elif outcome is None:
        due = format_instant(deliveries[0].due, zone_of(deliveries[0].account, context.workspace))
        output.write(_("Queued for {due}: {keys}").format(due=due, keys=", ".join(d.key for d in deliveries)))
    else:
        if layout.terminal_width(sys.stdout) is None or layout.terminal_width(sys.stderr) is None:
            show_deliveries(deliveries, context.workspace)  # else the display has said the same
        if any(delivery.state is State.WAITING and delivery.approved for delivery in deliveries):
            diagnostics.warn(_("What waits is not out yet; it is tried again by: campaign publish"))
    _tell_unapproved(deliveries)
    return int(dispatching.exit_code(outcome) if outcome is not None else diagnostics.ExitCode.DONE)


def _tell_unapproved(deliveries: Sequence[Delivery]) -> None:
    """What lacks its approvals stays here, and how it gets them."""
    for post in dict.fromkeys(delivery.post for delivery in deliveries if not delivery.approved):
        diagnostics.warn(
            _("It is not sent before it is approved: campaign approve langsung --post {post} --as NAME").format(
                post=post
            )
        )
