"""What is not known of an account yet, and of the people who are to approve."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from campaign_cli import platforms
from campaign_cli.accounts import FILE, cached_limits
from campaign_cli.i18n import _
from campaign_cli.models import Problem, Severity
from campaign_cli.signatures import Signers, person_of

if TYPE_CHECKING:
    from campaign_cli.checks.pipeline import Examined
    from campaign_cli.models import Account
    from campaign_cli.plan.load import LoadedPlan


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


def unreadable_approvers(examined: Examined, now: datetime) -> Iterator[Problem]:
    """The workspace takes signed approvals alone, and nobody could give one: nothing that needs one would go out."""
    workspace = examined.loaded.workspace if examined.loaded is not None else None
    if workspace is None or workspace.source is None or not workspace.rules.approvers:
        return
    error = Signers(root=workspace.root, approvers=workspace.rules.approvers, tool=None).trouble()
    if error is not None:
        again = _("Name a file of this folder, with a line for each person: NAME and the public half of an SSH key.")
        yield workspace.source.problem(
            ("rules", "approvers"),
            code="A023",
            severity=Severity.WARNING,
            message=error.message,
            fix=error.fix or again,
        )


def unnamed_author(examined: Examined, now: datetime) -> Iterator[Problem]:
    """The author may not be the only one who approves the plan, and nobody knows who that is."""
    if examined.loaded is not None:
        yield from author_of(examined.loaded)


def author_of(loaded: LoadedPlan) -> Iterator[Problem]:
    """The same, of a plan alone."""
    rules, plan = loaded.workspace.rules, loaded.plan
    if rules.other_approver and max(rules.approval, plan.approval) and not person_of(plan.author or ""):
        yield loaded.source.problem(
            ("author",),
            code="P092",
            severity=Severity.ERROR,
            message=_("The plan names no author, and its author may not be the only one who approves it."),
            fix=_('Write "author: NAME" at the top, with the name as the approvers file has it.'),
        )


def _sets_own_limits(account: Account) -> bool:
    """A network without one home, where text has a limit: every account names its own server."""
    platform = platforms.get(account.platform)
    address = platform.Settings.model_fields.get("url")
    return platform.limits.text is not None and address is not None and address.is_required()
