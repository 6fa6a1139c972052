"""What is not known of an account yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from campaign_cli import platforms
from campaign_cli.accounts import FILE, cached_limits
from campaign_cli.i18n import _
from campaign_cli.models import Problem, Severity

if TYPE_CHECKING:
    from campaign_cli.checks.pipeline import Examined
    from campaign_cli.models import Account


def unread_limits(examined: Examined, now: datetime) -> Iterator[Problem]:
    """Each server of such a network sets its own limits, and nobody has asked this one: once for each account."""
    if examined.loaded is None:
        return
    read = cached_limits(examined.loaded.workspace)
    accounts = {planned.account.name: planned.account for planned in examined.planned}
    for name, account in accounts.items():
        if name in read or not _sets_own_limits(account):
            continue
        limit = platforms.get(account.platform).limits.text
        message = _("The limits of this server were never read; the usual {limit} characters are assumed.")
        yield Problem(
            code="L901",
            severity=Severity.HINT,
            file=account.place.file or FILE,
            line=account.place.line,
            column=account.place.column,
            path=f"accounts.{name}",
            message=message.format(limit=limit),
            fix=_("Once, with a connection: campaign accounts check {name}").format(name=name),
        )


def _sets_own_limits(account: Account) -> bool:
    """A network without one home, where text has a limit: every account names its own server."""
    platform = platforms.get(account.platform)
    address = platform.Settings.model_fields.get("url")
    return platform.limits.text is not None and address is not None and address.is_required()
