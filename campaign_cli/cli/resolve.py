"""``campaign resolve``: a person settles what no look-up can."""

from __future__ import annotations

from typing import Annotated

import typer

from campaign_cli.cli import output, usage
from campaign_cli.cli.context import actor, open_context
from campaign_cli.cli.options import LanguageOption, WorkspaceOption
from campaign_cli.errors import InputError
from campaign_cli.i18n import _

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
        ledger.resolve(key, published_url=published, not_published=not_published, actor=actor())
    output.write(
        _("{key} counts as published.").format(key=key)
        if published
        else _("{key} waits again and may be sent.").format(key=key)
    )
    return 0
