"""``campaign secrets``: out of ``.env``, into the system's keyring."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import typer

from campaign_cli.cli import diagnostics, output, usage
from campaign_cli.cli.context import Context, open_context
from campaign_cli.cli.entries import referenced_variables, remove_variables, with_references
from campaign_cli.cli.options import LanguageOption, WorkspaceOption, YesOption
from campaign_cli.cli.words import confirm
from campaign_cli.errors import InputError
from campaign_cli.i18n import _, ngettext
from campaign_cli.keyrings import from_keyring, to_keyring
from campaign_cli.reasons import reason

app = usage.application(help=_("Move the secrets of .env into the system's keyring."))

SERVICE: Final = "campaign"


@app.callback()
def secrets() -> None:
    """Keeps its commands subcommands."""


@usage.command(
    app,
    help=_(
        "Move the secrets that accounts.yaml takes from .env into the system's keyring: the keyring has them before "
        "accounts.yaml names it, and .env loses them last. Example: campaign secrets move"
    ),
)
def move(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]…", help=_("Only these variables (default: all)."))
    ] = None,
    service: Annotated[
        str, typer.Option("--service", metavar="S", help=_("The keyring's word for whose secrets these are."))
    ] = SERVICE,
    yes: YesOption = False,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    context = open_context(workspace)
    context.require_accounts()
    found = _found(context.root, names)
    if not found:
        output.write(_("Nothing to move: accounts.yaml takes no secret from .env."))
        return 0
    _refuse_taken(found, service)
    for name in found:
        output.write(f"env:{name} → keyring:{service}/{name}")
    diagnostics.say(_("Cron and services often can't open the keyring: try `campaign accounts check` from there."))
    count = len(found)
    question = ngettext("Move this secret?", "Move these {n} secrets?", count).format(n=count)
    if not confirm(question, assume=yes):
        return 0
    _move(context, found, service)
    output.write(ngettext("{n} secret moved.", "{n} secrets moved.", count).format(n=count))
    diagnostics.say(_("Copies of the old .env, such as backups, still hold them."))
    return 0


def _found(root: Path, names: list[str] | None) -> dict[str, str]:
    """Name → value of what stands in ``.env`` and accounts.yaml refers to. Raises InputError for another name."""
    from dotenv import dotenv_values

    path = root / ".env"
    values = dotenv_values(path, interpolate=False, encoding="utf-8-sig") if path.exists() else {}
    movable = {name: value for name in referenced_variables(root) if (value := values.get(name))}
    for name in names or ():
        if name not in movable:
            raise InputError(
                _("{name} is not a secret that accounts.yaml takes from .env.").format(name=name),
                fix=_("There are: {names}").format(names=", ".join(movable) or "–"),
            )
    return {name: movable[name] for name in names} if names else movable


def _refuse_taken(found: Mapping[str, str], service: str) -> None:
    """Raise InputError where the keyring has another secret under one of the names."""
    if not service or "/" in service or service != service.strip():
        raise InputError(_("The service is one word without a slash."), fix="--service campaign")
    for name, value in found.items():
        if from_keyring(service, name) not in (None, "", value):
            raise InputError(
                _("The keyring has another secret as {entry} already; nothing was moved.").format(
                    entry=f"{service}/{name}"
                ),
                fix=_("Name another service, for example: --service serikat"),
            )


def _move(context: Context, found: Mapping[str, str], service: str) -> None:
    """Keyring first, then accounts.yaml, then .env: whatever ends it in between, no secret is lost."""
    written = with_references(context.root, {name: f"keyring:{service}/{name}" for name in found})
    if written.problems:
        raise InputError(_("accounts.yaml could not be changed; nothing was moved."), problems=written.problems)
    for name, value in found.items():
        to_keyring(service, name, value)
    try:
        written.save()
        remove_variables(context.root, found.keys())
    except OSError as error:
        raise InputError(
            _("A file could not be written: {reason}. The secrets are in the keyring and still in .env.").format(
                reason=reason(error)
            ),
            fix=_("Run the command again."),
        ) from None
