"""Whether an account of a network that fetches its media from the web has a place to put them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from campaign_cli import platforms
from campaign_cli.accounts import FILE
from campaign_cli.i18n import _
from campaign_cli.models import Place, Problem, Severity
from campaign_cli.platforms.base import Platform
from campaign_cli.source import suggest

if TYPE_CHECKING:
    from campaign_cli.accounts import Workspace
    from campaign_cli.models import Account


def host_problems(account: Account, workspace: Workspace) -> Iterator[Problem]:
    """What keeps the account's ``media_host`` from being used, at its place in accounts.yaml."""
    code, message, fix = _wrong(account, workspace)
    if not code:
        return
    path = f"accounts.{account.name}" + (".media_host" if account.media_host else "")
    place = account.place
    if account.media_host and workspace.source is not None:
        place = workspace.source.place(("accounts", account.name, "media_host"))
    yield _problem(place, code, path=path, message=message, fix=fix)


def _problem(place: Place, code: str, *, path: str, message: str, fix: str) -> Problem:
    return Problem(
        code=code,
        severity=Severity.ERROR,
        file=place.file or FILE,
        line=place.line,
        column=place.column,
        path=path,
        message=message,
        fix=fix,
    )


def _wrong(account: Account, workspace: Workspace) -> tuple[str, str, str]:
    """Code, message and fix; empty where nothing is wrong."""
    host, title = account.media_host, platforms.get(account.platform).title
    if host is None:
        message = _("{title} fetches media from a public address, and the account {name} has no media_host.")
        fix = _("Write “media_host: ACCOUNT” with a WordPress account, or a folder that a web server publishes.")
        return "A020", message.format(title=title, name=account.name), fix
    if not isinstance(host, str):
        folder = workspace.root / host["folder"]
        if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
            return "", "", ""
        message = _("The folder {folder} of media_host is missing, or may not be written to.")
        return "A021", message.format(folder=host["folder"]), _("Make it, with the right to write there.")
    other = workspace.accounts.get(host)
    if other is None:
        message = _('There is no account "{name}" to be the media_host.').format(name=host)
        return "A021", message + suggest(host, workspace.accounts), _("Add it under accounts, or correct the name.")
    platform = platforms.get(other.platform)
    if type(platform).host is Platform.host:
        message = _("The media_host {name} is on {title}, which can't hold files for other networks.")
        fix = _("Name a WordPress account, or a folder that a web server publishes.")
        return "A021", message.format(name=host, title=platform.title), fix
    return "", "", ""
