"""What a command works with: the workspace, its secrets, the clock, the actor. Opened here, passed down from here."""

from __future__ import annotations

import getpass
import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from campaign_cli.accounts import Workspace
from campaign_cli.cli import usage
from campaign_cli.credentials import Secrets, load_environment
from campaign_cli.errors import InputError
from campaign_cli.i18n import _
from campaign_cli.models import Account, Problem, Severity
from campaign_cli.plan import open_workspace
from campaign_cli.source import suggest

if TYPE_CHECKING:
    from campaign_cli.content.media import MediaStore
    from campaign_cli.ledger import Ledger
    from campaign_cli.signatures import Signers


def now() -> datetime:
    """The wall clock, aware, in UTC. The only place that asks it."""
    return datetime.now(UTC)


def actor() -> str:
    """Who is at the keyboard, for the event log."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def interactive() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()


@dataclass(frozen=True, kw_only=True)
class Context:
    """An opened workspace. ``problems`` are those of accounts.yaml and .env; the command decides what they block."""

    root: Path
    workspace: Workspace
    secrets: Secrets
    environment: Mapping[str, str]
    problems: Sequence[Problem]

    def require_accounts(self) -> None:
        """Stop here when accounts.yaml has errors: nothing that sends or queues works on half an accounts file."""
        blocking = [problem for problem in self.problems if problem.severity is Severity.ERROR]
        if blocking:
            raise InputError(_("accounts.yaml has errors; nothing was done."), problems=blocking)

    def resolve(self, names: Iterable[str]) -> tuple[Account, ...]:
        """The accounts that names of accounts and groups mean. Raises InputError for a name that is none."""
        try:
            return self.workspace.resolve(names)
        except KeyError as error:
            name = str(error.args[0])
            known = [*self.workspace.accounts, *self.workspace.groups]
            raise InputError(
                _("There is no account or group {name}.").format(name=repr(name)) + suggest(name, known),
                fix=_("Known: {names}.").format(names=", ".join(known)),
            ) from None

    @property
    def database(self) -> str | None:
        """The address of the database server where the ledger is on one; it holds a password."""
        return self.environment.get("CAMPAIGN_DATABASE_URL") or None

    def media(self) -> MediaStore:
        """The workspace's media; what was made ready before is taken from the disk."""
        from campaign_cli.content.media import MediaStore
        from campaign_cli.content.video import Tools

        tools = Tools(ffmpeg=shutil.which("ffmpeg"), ffprobe=shutil.which("ffprobe"))
        return MediaStore(self.root, cache=self.workspace.state_dir / "cache", tools=tools)

    def signers(self) -> Signers:
        """Who signs and verifies approvals here."""
        from campaign_cli.signatures import Signers

        tool = shutil.which("ssh-keygen")
        return Signers(root=self.root, approvers=self.workspace.rules.approvers, tool=tool)

    def ledger(self, *, create: bool = False, check_id: bool = True) -> Ledger:
        """The workspace's ledger; ``create`` makes one where there is none."""
        from campaign_cli.ledger import open_ledger

        return open_ledger(
            self.root,
            database_url=self.database,
            clock=None if self.database else now,
            create=create,
            check_id=check_id,
        )


def open_context(folder: Path | None) -> Context:
    """Open a workspace folder. Raises InputError when there is no such folder."""
    root = (folder or Path()).absolute()
    if not root.is_dir():
        raise InputError(
            _("There is no folder {folder}.").format(folder=root), fix=_("Make a workspace with: campaign init DIR")
        )
    environment, problems = load_environment(root, os.environ)
    workspace, account_problems = open_workspace(root)
    secrets = Secrets(environment=environment, root=root)
    secrets.conceal_password(environment.get("CAMPAIGN_DATABASE_URL", ""))
    usage.redact_with(secrets.redact)
    return Context(
        root=root,
        workspace=workspace,
        secrets=secrets,
        environment=environment,
        problems=(*problems, *account_problems),
    )
