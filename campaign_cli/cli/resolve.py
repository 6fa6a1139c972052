"""``campaign resolve``: a person settles what no look-up can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from campaign_cli.cli import output, usage
from campaign_cli.cli.context import actor, open_context
from campaign_cli.cli.options import LanguageOption, WorkspaceOption
from campaign_cli.cli.words import state_word
from campaign_cli.errors import InputError
from campaign_cli.i18n import _
from campaign_cli.models import State

if TYPE_CHECKING:
    from campaign_cli.ledger import Delivery

app = usage.application()


@usage.command(
    app,
    help=_(
        "Settle an uncertain delivery by hand, after a look at the account. "
        "Example: campaign resolve upah-layak-2027/pembuka/telegram --published https://t.me/contoh/12"
    ),
)
def resolve(
    key: Annotated[str, typer.Argument(metavar="KEY", help=_("The key as `campaign status` shows it."))],
    published: Annotated[
        str | None, typer.Option("--published", metavar="URL", help=_("It is out, at this address."))
    ] = None,
    not_published: Annotated[
        bool, typer.Option("--not-published", help=_("It is not out; it may be sent again."))
    ] = False,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    if bool(published) == not_published:
        raise InputError(_("Say one of --published URL and --not-published."))
    context = open_context(workspace)
    context.require_accounts()
    with context.ledger() as ledger:
        found = ledger.resolve(key, published_url=published, not_published=not_published, actor=actor())
    output.write(_said(found))
    return 0


def _said(found: Delivery) -> str:
    if found.state is State.PUBLISHED:
        return _("{key} counts as published.").format(key=found.key)
    if found.state is State.WAITING:
        return _("{key} waits again and may be sent.").format(key=found.key)
    said = _("{key} is {state} now.").format(key=found.key, state=state_word(found.state))
    return f"{said} {found.error}" if found.error else said
