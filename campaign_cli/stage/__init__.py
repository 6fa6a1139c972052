"""The stage: a local server that plays every network, for rehearsals, tests and demonstrations.

Each account lives below ``/PLATFORM/NAME`` of the stage. ``stage_workspace`` turns a workspace into one whose
accounts point there, with secrets of the stage's own: a rehearsal never sees a real one. ``open_stage`` is what
``campaign stage`` runs.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote, urlsplit

from campaign_cli import platforms
from campaign_cli.credentials import login_of
from campaign_cli.errors import CredentialError
from campaign_cli.models import Account
from campaign_cli.platforms import PLATFORMS

if TYPE_CHECKING:
    from campaign_cli.accounts import Workspace
    from campaign_cli.stage.server import StageServer
    from campaign_cli.stage.state import StageAccount

MEDIA_HOST: Final = "media.host"
"""The stage's own site, from which networks fetch media; a dot can't stand in an officer's name of an account."""
_VARIABLE: Final = "CAMPAIGN_STAGE_SECRET_"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def stage_workspace(workspace: Workspace, url: str) -> tuple[Workspace, Mapping[str, str]]:
    """The same accounts at the stage's address, and the environment that their secrets refer to.

    Secrets are made up on the spot. Nobody is notified, and no approval is asked for: nothing of it is real.
    What networks fetch themselves lies on a site of the stage.
    """
    from campaign_cli.stage.app import network_class

    environment: dict[str, str] = {}
    accounts: dict[str, Account] = {}
    for number, (name, account) in enumerate(workspace.accounts.items(), start=1):
        network, address = network_class(account.platform), account_url(url, account)
        settings: dict[str, Any] = {**account.settings}
        for setting, secret in network.new_secrets(address).items():
            variable = f"{_VARIABLE}{setting.upper()}_{number}"
            environment[variable], settings[setting] = secret, f"env:{variable}"
        accounts[name] = replace(account, settings=settings | ({"url": address} if network.credential else {}))
    if any(platforms.get(account.platform).fetches_media for account in accounts.values()):
        environment[f"{_VARIABLE}0"] = network_class("wordpress").new_secret(url)
        settings = {"username": "panggung", "password": f"env:{_VARIABLE}0"}
        host = Account(name=MEDIA_HOST, platform="wordpress", settings=settings)
        host = replace(host, settings={**settings, "url": account_url(url, host)})
        accounts = {name: replace(account, media_host=MEDIA_HOST) for name, account in accounts.items()}
        accounts[MEDIA_HOST] = host
    rules = replace(workspace.rules, approval=0, approvers=None, other_approver=False)
    return replace(workspace, accounts=accounts, rules=rules, notify=()), environment


_FIRST_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)


def stage_accounts(
    accounts: Mapping[str, Account],
    *,
    reveal: Callable[[str], str],
    limits: Mapping[str, Mapping[str, Any]] | None = None,
    software: Mapping[str, str] | None = None,
) -> dict[str, StageAccount]:
    """What the stage must know to play these accounts; their address says under which name.

    ``reveal`` gives the secret behind a reference. ``limits`` are those of ``accounts check`` (account → ``Limits``
    fields), which the stage then announces and keeps to, ``software`` what it found the account's server to be.
    """
    from campaign_cli.stage.app import network_class
    from campaign_cli.stage.state import StageAccount

    played = {}
    for account in accounts.values():
        network = network_class(account.platform)
        known = (limits or {}).get(account.name, {})
        name = unquote(urlsplit(str(account.settings.get("url", ""))).path.rpartition("/")[2]) or account.name
        played[name] = StageAccount(
            name=name,
            platform=account.platform,
            user=network.user(name, account.settings),
            secret=_secret(str(account.settings[network.credential]), reveal) if network.credential else "",
            number=network.identifier(account.settings),
            text_limit=_whole(known.get("text")),
            url_length=_whole(known.get("url_length")),
            role=network.role((software or {}).get(account.name, "")),
            zone=account.timezone,
        )
    return played


def _whole(found: Any) -> int | None:
    """A limit that a server announced, if it is a number."""
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _secret(reference: str, reveal: Callable[[str], str]) -> str:
    """What opens an account; one that people log in to is shut until they have."""
    if login_of(reference) is None:
        return reveal(reference)
    try:
        return reveal(reference)
    except CredentialError:
        return secrets.token_hex(16)


def on_loopback(account: Account) -> bool:
    """Whether an account's address is on this machine, as those of a stage are."""
    return account.platform in PLATFORMS and urlsplit(str(account.settings.get("url", ""))).hostname in LOOPBACK


def account_url(url: str, account: Account) -> str:
    """An account's address on the stage at ``url``."""
    return f"{url}/{account.platform}/{quote(account.name, safe='')}"


def open_stage(
    workspace: Workspace,
    environment: Mapping[str, str],
    *,
    clock: Callable[[], datetime],
    port: int = 0,
    misbehave: Sequence[str] = (),
) -> StageServer:
    """A stage for those accounts of the workspace whose address is on this machine; to be used in a ``with`` statement.

    Secrets come from ``environment`` as the accounts refer to them. ``misbehave`` is as ``faults.parse_misbehaviour``
    reads it. Raises CredentialError, InputError, and CampaignError when the port is taken.
    """
    from campaign_cli.credentials import Secrets
    from campaign_cli.stage.faults import parse_misbehaviour
    from campaign_cli.stage.server import StageServer

    orders = [parse_misbehaviour(text, platforms=PLATFORMS) for text in misbehave]
    here = {name: account for name, account in workspace.accounts.items() if on_loopback(account)}
    revealer = Secrets(environment=environment, root=workspace.root)
    server = StageServer(clock=clock, accounts=stage_accounts(here, reveal=revealer.reveal), port=port)
    # A stage that starts anew remembers nothing, and ledgers outlive it: one post's number is never another's.
    server.state.number_from(int((clock() - _FIRST_DAY).total_seconds()))
    server.misbehave(orders)
    return server
