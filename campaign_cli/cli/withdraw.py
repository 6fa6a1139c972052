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
    from collections.abc import AsyncGenerator

    from campaign_cli.dispatch.withdrawing import Withdrawal
    from campaign_cli.ledger import Delivery, Ledger
    from campaign_cli.models import Receipt

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
        half = ledger.half_out(keys)
        for one in found:  # before the first is asked for
            refuse_withdrawal(one, half=one.key in half)
        if not json:
            show_deliveries(found, context.workspace)
        if not confirm(_question(len(found), by_hand=by_hand), assume=yes):
            return int(ExitCode.DONE)
        results = [_withdraw_one(context, ledger, one.key, reason=reason, by_hand=by_hand) for one in found]
    if json:
        output.write_json({"withdrawn": [result for result, _code in results]})
    else:
        for result, _code in results:
            _say(result)
    return int(strongest(code for _result, code in results))


def _question(count: int, *, by_hand: bool) -> str:
    if by_hand:
        text = ngettext("Is every message of it deleted by hand?", "Is every message of them deleted by hand?", count)
    else:
        text = ngettext("Take this post down for good?", "Take these {n} posts down for good?", count)
    return text.format(n=count)


def _withdraw_one(
    context: Context, ledger: Ledger, key: str, *, reason: str, by_hand: bool
) -> tuple[dict[str, Any], ExitCode]:
    """What became of one delivery, and the exit code that it asks for. What may still be seen is not down."""
    from campaign_cli.dispatch.withdrawing import Withdrawal

    parts: list[dict[str, Any]] = []
    result: dict[str, Any] = {"key": key, "withdrawn": False, "parts": parts, "left": [], "error": None, "fix": None}
    troubles: list[CampaignError] = []
    try:
        delivery = ledger.begin_withdrawal(key, reason=reason, actor=actor())
        account = context.workspace.accounts.get(delivery.account)
        way = Withdrawal(delivery, account, secrets=context.secrets, clock=now, trust_environment=True)
        work = _written_down(ledger, delivery, way) if by_hand else _deleted(ledger, delivery, way)
        asyncio.run(_each(work, parts=parts, troubles=troubles))
    except CampaignError as error:
        troubles.append(error)
    left = ledger.delivery(key)
    result["left"] = [
        _shown(receipt) for receipt in reversed(left.receipts if left else ()) if not receipt.withdrawn_at
    ]
    result["withdrawn"] = not troubles and not result["left"]
    if troubles:
        result["error"] = context.secrets.redact(troubles[0].message)
        result["fix"] = context.secrets.redact(troubles[0].fix)
    return result, strongest(_code_of(error) for error in troubles)


async def _each(
    work: AsyncGenerator[tuple[Receipt, CampaignError | None]],
    *,
    parts: list[dict[str, Any]],
    troubles: list[CampaignError],
) -> None:
    """Sort what comes into parts that are down and troubles."""
    async with aclosing(work):
        async for receipt, trouble in work:
            if trouble is None:
                parts.append(_shown(receipt))
            else:
                troubles.append(trouble)


async def _deleted(
    ledger: Ledger, delivery: Delivery, way: Withdrawal
) -> AsyncGenerator[tuple[Receipt, CampaignError | None]]:
    """Delete each part; what is gone is on disk before the next one is asked for."""
    async with aclosing(way.delete()) as work:
        async for receipt, trouble in work:
            if trouble is None:
                ledger.withdrawn(delivery.key, receipt, by_hand=False, actor=actor())
            yield receipt, trouble
    half = ledger.half_out([delivery.key]).get(delivery.key, ())
    if half:
        raise Rejected(
            _("Something of part {parts} may be out, too, without a proof that names it.").format(
                parts=", ".join(str(part + 1) for part in half)
            ),
            fix=_("Look at the account and delete it there, then: campaign withdraw {key} --by-hand").format(
                key=delivery.key
            ),
        )


async def _written_down(
    ledger: Ledger, delivery: Delivery, way: Withdrawal
) -> AsyncGenerator[tuple[Receipt, CampaignError | None]]:
    """Take a person's word for each part, but for what the network still shows."""
    from campaign_cli.ledger.withdrawing import still_out

    readable = {receipt.part for receipt in await way.readable()}
    for receipt in still_out(delivery):
        if receipt.part in readable:
            yield (
                receipt,
                Rejected(
                    _("The network still shows it: {url}").format(url=receipt.url or receipt.id),
                    fix=_("Delete it there first, or let the program do it: campaign withdraw {key}").format(
                        key=delivery.key
                    ),
                ),
            )
        else:
            ledger.withdrawn(delivery.key, receipt, by_hand=True, actor=actor())
            yield receipt, None
    for part in ledger.half_out([delivery.key]).get(delivery.key, ()):
        ledger.cleared(delivery.key, part, actor=actor())


def _shown(receipt: Receipt) -> dict[str, Any]:
    return {"part": receipt.part + 1, "url": receipt.url}


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
    for part in result["left"]:
        diagnostics.say("    " + _("still out: {url}").format(url=part["url"] or _("part {n}").format(n=part["part"])))
    if result["fix"]:
        diagnostics.say(f"    → {result['fix']}")
