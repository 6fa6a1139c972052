"""``campaign resolve``: a person settles what no look-up can."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from campaign_cli.cli import diagnostics, output, usage
from campaign_cli.cli.context import Context, actor, now, open_context
from campaign_cli.cli.options import LanguageOption, WorkspaceOption
from campaign_cli.cli.status import zone_of
from campaign_cli.cli.words import instant, state_word
from campaign_cli.errors import CampaignError, InputError
from campaign_cli.i18n import _
from campaign_cli.models import State

if TYPE_CHECKING:
    from campaign_cli.ledger import Delivery
    from campaign_cli.models import Receipt

app = usage.application()


@usage.command(
    app,
    help=_(
        "Settle an uncertain delivery by hand, after a look at the account. "
        "Example: campaign resolve upah-layak-2027/pembuka/telegram --published https://t.me/contoh/12"
    ),
    bare="--published",
)
def resolve(
    key: Annotated[str, typer.Argument(metavar="KEY", help=_("The key as `campaign status` shows it."))],
    published: Annotated[
        str | None,
        typer.Option(
            "--published",
            metavar="[URL]",
            help=_("It is out, at this address; without URL where the network gives none."),
        ),
    ] = None,
    not_published: Annotated[
        bool, typer.Option("--not-published", help=_("It is not out; it may be sent again."))
    ] = False,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help=_("With --not-published: when to send it, e.g. now or 17:00.")),
    ] = None,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    if (published is not None) == not_published:
        raise InputError(_("Say one of --published URL and --not-published."))
    context = open_context(workspace)
    context.require_accounts()
    if at and published is not None:
        raise InputError(_("--at goes with --not-published alone."))
    with context.ledger() as ledger:
        if published == "":
            _needs_no_address(ledger.delivery(key))
        found = ledger.resolve(
            key,
            published_url=published,
            not_published=not_published,
            receipt=_found(context, ledger.delivery(key), published) if published else None,
            at=_due(context, key, at, now=ledger.clock()) if at else None,
            late_grace=context.workspace.rules.late_grace,
            actor=actor(),
        )
    output.write(_said(found))
    return 0


def _needs_no_address(delivery: Delivery | None) -> None:
    """Raises InputError where the network gives an address, which is the proof."""
    from campaign_cli import platforms

    if delivery is not None and delivery.platform in platforms.PLATFORMS:
        platform = platforms.get(delivery.platform)
        if platform.permalinks:
            raise InputError(
                _("A post on {platform} has an address.").format(platform=platform.title),
                fix=_("Copy it from there: campaign resolve {key} --published URL").format(key=delivery.key),
            )


def _due(context: Context, key: str, text: str, *, now: datetime) -> datetime:
    zone = zone_of(key.rsplit("/", 1)[-1], context.workspace)
    return now if text == "now" else instant(text, now=now, zone=zone)


def _found(context: Context, delivery: Delivery | None, url: str) -> Receipt | None:
    """The network's own name of the post at that address, where it can be had: later parts of a thread answer to it."""
    import asyncio

    from campaign_cli import platforms
    from campaign_cli.dispatch.access import find_post

    account = context.workspace.accounts.get(delivery.account) if delivery else None
    if delivery is None or account is None or platforms.get(account.platform).address(account) != delivery.address:
        return None
    try:
        return asyncio.run(find_post(account, url, secrets=context.secrets, clock=now, trust_environment=True))
    except CampaignError as error:  # the person's word counts without it
        diagnostics.warn(context.secrets.redact(error.message))
        return None


def _said(found: Delivery) -> str:
    if found.state is State.MISSED:
        return _(
            "{key} was due longer ago than late_grace allows, so it counts as missed and is not sent by itself. "
            "To send it all the same: campaign retry {key}, or campaign retry {key} --at TIME"
        ).format(key=found.key)
    if found.state is State.PUBLISHED:
        return _("{key} counts as published.").format(key=found.key)
    if found.state is State.WAITING:
        return _("{key} waits again and may be sent.").format(key=found.key)
    said = _("{key} is {state} now.").format(key=found.key, state=state_word(found.state))
    return f"{said} {found.error}" if found.error else said
