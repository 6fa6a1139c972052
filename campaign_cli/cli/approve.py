"""``campaign approve``: somebody says yes to exactly what the ledger holds, or takes that back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from campaign_cli.cli import approving, diagnostics, output, usage
from campaign_cli.cli.context import Context, actor, open_context
from campaign_cli.cli.options import JsonOption, LanguageOption, WorkspaceOption, YesOption
from campaign_cli.cli.words import confirm
from campaign_cli.errors import InputError
from campaign_cli.i18n import _, ngettext
from campaign_cli.models import DIRECT, Severity, State

if TYPE_CHECKING:
    from campaign_cli.ledger import Delivery, Ledger
    from campaign_cli.ledger.approved import Consent

app = usage.application()
_NO_AUTHOR: Final = "P092"

_LIVE: Final = (State.WAITING, State.SENDING, State.UNCERTAIN)


@usage.command(
    app,
    help=_(
        "Show exactly what will be sent, and approve it. Any change afterwards voids the approval. "
        "Example: campaign approve campaigns/x.yaml --as siti@serikat.example --sign ~/.ssh/id_ed25519"
    ),
)
def approve(
    plan: Annotated[
        Path, typer.Argument(metavar="PLAN", help=_("A queued plan (YAML), or `langsung` for messages without a plan."))
    ],
    post: Annotated[str | None, typer.Option("--post", metavar="ID", help=_("Only this post of it."))] = None,
    name: Annotated[str | None, typer.Option("--as", metavar="NAME", help=_("Who approves."))] = None,
    sign: Annotated[
        str | None,
        typer.Option("--sign", metavar="KEYFILE", help=_("Your SSH key (or its public half, while ssh-agent has it).")),
    ] = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help=_("Take the approval of --as NAME back."))] = False,
    show: Annotated[bool, typer.Option("--list", help=_("Only show who approved what."))] = False,
    yes: YesOption = False,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    from campaign_cli.signatures import checked_name

    context = open_context(workspace)
    context.require_accounts()
    if show and (withdraw or sign):
        raise InputError(_("--list shows, and changes nothing."), fix=_("Leave --withdraw and --sign out."))
    if not show and name is None:
        raise InputError(_("Nobody approves without a name."), fix=_("Say who you are: --as NAME"))
    who = "" if name is None else checked_name(name)
    with context.ledger() as ledger:
        if show or withdraw:
            chosen = _queued(ledger, campaign=_campaign(context, plan), post=post)
            if withdraw:
                _withdraw(ledger, chosen, name=who, quiet=json)
        else:
            chosen = _to_approve(context, ledger, plan, post=post)
            if not json:
                told = ledger.approvals([delivery.key for delivery in chosen])
                waived = ledger.waivers([delivery.key for delivery in chosen])
                approving.show_content(chosen, context.workspace, told=told, waived=waived, now=ledger.clock())
            if not confirm(_question(chosen, name=who), assume=yes):
                diagnostics.say(_("Nothing was approved."))
                return int(diagnostics.ExitCode.DONE)
            _record(ledger, _consent(context, ledger, chosen, name=who, key=sign), quiet=json)
        _show_approvals(context, ledger, [delivery.key for delivery in chosen], json=json)
    return int(diagnostics.ExitCode.DONE)


def _show_approvals(context: Context, ledger: Ledger, keys: list[str], *, json: bool) -> None:
    """Who has approved these deliveries by now; a signature is verified at this moment."""
    from campaign_cli.ledger.gate import demanded
    from campaign_cli.ledger.verified import told_truly, verified_now

    checked = verified_now(ledger.deliveries(keys=keys), ledger, context.signers())
    found = [demanded(delivery, context.workspace.rules) for delivery in checked]
    told, waived = told_truly(found, ledger.approvals(keys)), ledger.waivers(keys)
    if json:
        rows = [approving.as_json(one, told, context.workspace, waived=waived.get(one.key, {})) for one in found]
        output.write_json({"deliveries": rows})
    else:
        approving.show_approvals(found, told, context.workspace)


def _queued(ledger: Ledger, *, campaign: str, post: str | None, with_drafts: bool = False) -> list[Delivery]:
    """What the ledger has of a campaign, or of one post of it with all its days. Raises InputError for nothing."""
    found = [
        delivery
        for delivery in ledger.deliveries(campaign=campaign, with_drafts=with_drafts)
        if post is None or delivery.post == post or delivery.post.split("@", 1)[0] == post
    ]
    if not found:
        raise InputError(
            _("Nothing of it is queued."), fix=_("Queue the plan first: campaign queue PLAN; or see: campaign status")
        )
    return found


def _to_approve(context: Context, ledger: Ledger, plan: Path, *, post: str | None) -> list[Delivery]:
    """What waits and has not begun, as the ledger has it. Raises InputError where the plan says something else."""
    from campaign_cli.ledger.gate import demanded

    found = [
        demanded(delivery, context.workspace.rules)
        for delivery in _unchanged(context, ledger, plan, post=post)
        if delivery.state is State.WAITING and not delivery.receipts
    ]
    if not found:
        raise InputError(_("Nothing of it waits to be approved."), fix=_("See: campaign status"))
    return found


def _campaign(context: Context, plan: Path) -> str:
    """The campaign that a plan is, or the one of messages without a plan."""
    if _is_direct(plan):
        return DIRECT
    from campaign_cli.plan import load_plan

    loaded, problems = load_plan(plan, context.workspace)
    if loaded is None or not loaded.plan.campaign:  # whatever else is wrong with it, its name is enough
        raise InputError(_("The plan can't be read."), problems=problems)
    return loaded.plan.campaign


def _is_direct(plan: Path) -> bool:
    return str(plan) == DIRECT and not plan.exists()


def _unchanged(context: Context, ledger: Ledger, plan: Path, *, post: str | None) -> list[Delivery]:
    """What the ledger has, with its content. Raises InputError, with the places, where the plan says something else."""
    from campaign_cli.cli.queue import difference_of, read_plan

    if _is_direct(plan):
        return _queued(ledger, campaign=DIRECT, post=post, with_drafts=True)
    refusal = _("The plan has errors; nothing was approved.")
    loaded, planned = read_plan(context, plan, refusal=refusal)
    media = context.media()
    difference = difference_of(context, planned, loaded, ledger, media=media, skip_past=True)
    # What was queued before the rule and names no author may be approved as it is, by two people.
    errors = [one for one in difference.problems if one.severity is Severity.ERROR and one.code != _NO_AUTHOR]
    if errors:
        raise InputError(refusal, problems=errors)
    problems = approving.differences(difference, loaded, planned, post=post)
    if problems:
        raise InputError(_("The plan and the ledger differ; nothing was approved."), problems=problems)
    return _queued(ledger, campaign=loaded.plan.campaign, post=post, with_drafts=True)


def _question(chosen: list[Delivery], *, name: str) -> str:
    count = len(chosen)
    question = ngettext("{name}: approve this delivery?", "{name}: approve these {n} deliveries?", count)
    return question.format(name=name, n=count)


def _consent(context: Context, ledger: Ledger, chosen: list[Delivery], *, name: str, key: str | None) -> Consent:
    """What is recorded; signed and verified where a key was named. Raises InputError."""
    from campaign_cli.ledger.approved import Consent, Seen, text_to_sign

    rules, signers = context.workspace.rules, context.signers()
    seen = tuple(Seen(key=one.key, content_hash=one.content_hash, due=one.due) for one in chosen)
    at = ledger.clock()
    if key is None:
        if rules.approvers or any(one.signed and one.approval for one in chosen):
            raise InputError(
                _("This workspace takes signed approvals alone: a name can be anybody's."),
                fix=_("Sign with your SSH key: --sign KEYFILE (the one that {file} has for you).").format(
                    file=rules.approvers or "approvers"
                ),
            )
        return Consent(name=name, at=at, seen=seen)
    text = text_to_sign(ledger.ledger_id, name=name, at=at, seen=seen)
    signature = signers.sign(text, key)
    for author in sorted({one.author for one in chosen}):
        objection = signers.objection(text, signature, name=name, author=author, at=at)
        if objection:
            raise InputError(
                objection,
                fix=_(
                    "{file} needs a line with your name and your key; --as takes the name as it stands there."
                ).format(file=rules.approvers or "approvers"),
            )
    return Consent(name=name, at=at, seen=seen, text=text, signature=signature)


def _record(ledger: Ledger, consent: Consent, *, quiet: bool) -> None:
    done = ledger.approve(consent, actor=actor())
    if quiet:
        return
    again = len(consent.seen) - len(done)
    if again:
        output.write(
            ngettext(
                "{n} delivery had this approval already.", "{n} deliveries had this approval already.", again
            ).format(n=again)
        )
    count = len(done)
    output.write(
        ngettext("{name} approved {n} delivery.", "{name} approved {n} deliveries.", count).format(
            name=consent.name, n=count
        )
    )


def _withdraw(ledger: Ledger, chosen: list[Delivery], *, name: str, quiet: bool) -> None:
    from campaign_cli.signatures import person_of

    done = ledger.withdraw_approval(
        [one.key for one in chosen if one.state is not State.PUBLISHED], name=name, actor=actor()
    )
    if not done and not any(person_of(given.name) == person_of(name) for one in chosen for given in one.approvals):
        raise InputError(
            _("{name} has approved nothing of it.").format(name=name), fix=_("See: campaign approve PLAN --list")
        )
    if not quiet:
        count = len(done)
        output.write(ngettext("{n} approval was taken back.", "{n} approvals were taken back.", count).format(n=count))
        for delivery in chosen:
            if delivery.state in _LIVE and delivery.key not in done and delivery.receipts:
                diagnostics.warn(_("{key} has begun to go out; what has begun is finished.").format(key=delivery.key))
