"""``campaign withdraw``: take down what went out."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from campaign_cli.cli import diagnostics, output, usage
from campaign_cli.cli.context import Context, actor, now, open_context
from campaign_cli.cli.diagnostics import ExitCode, strongest
from campaign_cli.cli.options import JsonOption, LanguageOption, WorkspaceOption, YesOption
from campaign_cli.cli.selection import refuse_unknown
from campaign_cli.cli.status import show_deliveries
from campaign_cli.cli.words import confirm
from campaign_cli.errors import CampaignError, CredentialError, InputError, Rejected, Unauthorized
from campaign_cli.i18n import _, ngettext

if TYPE_CHECKING:
    from campaign_cli.ledger import Delivery, Ledger

app = usage.application()


@usage.command(
    app,
    help=_(
        "Take down what went out: it is deleted on the network where programs may delete, and the log keeps that. "
        "Example: campaign withdraw upah-layak-2027/pembuka/mastodon --reason salah-angka"
    ),
)
def withdraw(
    keys: Annotated[list[str], typer.Argument(metavar="KEY…", help=_("Keys as `campaign status` shows them."))],
    reason: Annotated[str, typer.Option("--reason", "-r", metavar="R", help=_("Why; the log keeps it."))] = "",
    by_hand: Annotated[
        bool, typer.Option("--by-hand", help=_("A person has deleted it already: only write that down."))
    ] = False,
    yes: YesOption = False,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    context = open_context(workspace)
    context.require_accounts()
    from campaign_cli.ledger.withdrawing import refuse_withdrawal

    with context.ledger() as ledger:
        found = ledger.deliveries(keys=keys)
        refuse_unknown(ledger, keys, found)
        for one in found:  # before the first is asked for
            refuse_withdrawal(one)
        if not json:
            show_deliveries(found, context.workspace)
        question = ngettext("Take this post down for good?", "Take these {n} posts down for good?", len(found)).format(
            n=len(found)
        )
        if not confirm(question, assume=yes):
            return int(ExitCode.DONE)
        results = [_withdraw_one(context, ledger, one.key, reason=reason, by_hand=by_hand) for one in found]
    if json:
        output.write_json({"withdrawn": [result for result, _code in results]})
    else:
        for result, _code in results:
            _say(result)
    return int(strongest(code for _result, code in results))


def _withdraw_one(
    context: Context, ledger: Ledger, key: str, *, reason: str, by_hand: bool
) -> tuple[dict[str, Any], ExitCode]:
    """What became of one delivery, and the exit code that it asks for."""
    from campaign_cli.ledger.withdrawing import still_out

    parts: list[dict[str, Any]] = []
    result: dict[str, Any] = {"key": key, "withdrawn": False, "parts": parts, "error": None, "fix": None}
    try:
        delivery = ledger.begin_withdrawal(key, reason=reason, actor=actor())
        if by_hand:
            for receipt in still_out(delivery):
                ledger.withdrawn(key, receipt, by_hand=True, actor=actor())
                parts.append({"part": receipt.part + 1, "url": receipt.url})
        else:
            asyncio.run(_delete(context, ledger, delivery, parts=parts))
    except CampaignError as error:
        result["error"], result["fix"] = context.secrets.redact(error.message), context.secrets.redact(error.fix)
        return result, _code_of(error)
    return result | {"withdrawn": True}, ExitCode.DONE


async def _delete(context: Context, ledger: Ledger, delivery: Delivery, *, parts: list[dict[str, Any]]) -> None:
    from campaign_cli.dispatch.withdrawing import can_delete, delete_parts

    if not can_delete(delivery):
        raise Rejected(
            _("Programs can't delete on this network."),
            fix=_("Delete it there, then: campaign withdraw {key} --by-hand").format(key=delivery.key),
        )
    account = context.workspace.accounts.get(delivery.account)
    deleted = delete_parts(delivery, account, secrets=context.secrets, clock=now, trust_environment=True)
    async with aclosing(deleted):
        async for receipt in deleted:
            ledger.withdrawn(delivery.key, receipt, by_hand=False, actor=actor())
            parts.append({"part": receipt.part + 1, "url": receipt.url})


def _code_of(error: CampaignError) -> ExitCode:
    if isinstance(error, Unauthorized | CredentialError):
        return ExitCode.CREDENTIALS
    return ExitCode.FAILED if isinstance(error, Rejected | InputError) else ExitCode.UNCERTAIN


def _say(result: dict[str, Any]) -> None:
    count = len(result["parts"])
    if result["withdrawn"]:
        text = ngettext("{key}: taken down ({n} message).", "{key}: taken down ({n} messages).", count)
        output.write(text.format(key=result["key"], n=count))
        return
    if count:
        text = ngettext(
            "{key}: {n} message is down, the rest is not.", "{key}: {n} messages are down, the rest is not.", count
        )
        output.write(text.format(key=result["key"], n=count))
    diagnostics.say(f"✗ {result['key']}: {result['error']}")
    if result["fix"]:
        diagnostics.say(f"    → {result['fix']}")
