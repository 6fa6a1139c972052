"""Where an account signs in: the addresses of its network's ``OAuth`` facts, for this account's own server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from campaign_cli.errors import InputError
from campaign_cli.i18n import _
from campaign_cli.platforms.addresses import compared
from campaign_cli.platforms.base import OAuth, Platform


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoints:
    """The facts with their addresses filled in; ``trades`` as ``OAuth.exchange``."""

    oauth: OAuth
    authorize: str
    token: str
    registers: str
    trades: tuple[tuple[str, Mapping[str, str]], ...]

    @property
    def renewal(self) -> str:
        """How a token can be renewed without a person: a trade needs a second one for that."""
        return "none" if self.oauth.renewal == "exchange" and len(self.trades) < 2 else self.oauth.renewal


def endpoints(platform: Platform, settings: Mapping[str, Any]) -> Endpoints:
    """Where an account with these settings signs in. Raises InputError for a network without such a sign-in."""
    oauth = platform.sign_in(settings)
    if oauth is None:
        raise InputError(
            _("{title} has no sign-in by browser.").format(title=platform.title),
            fix=_("Put its secret into .env and write env:NAME in accounts.yaml; campaign accounts add helps with it."),
        )
    at = _address_of(platform, oauth, settings)
    return Endpoints(
        oauth=oauth,
        authorize=at(oauth.authorize),
        token=at(oauth.token),
        registers=at(oauth.registers) if oauth.registers else "",
        trades=tuple((at(address), fields) for address, fields in oauth.exchange),
    )


def _address_of(platform: Platform, oauth: OAuth, settings: Mapping[str, Any]) -> Any:
    """Fills in an address: ``{url}``, and the whole origin where another server stands in for the network."""
    field = platform.Settings.model_fields.get("url")
    usual = field.default if field is not None and isinstance(field.default, str) else ""
    url = str(settings.get("url") or usual).rstrip("/")
    own = {
        urlsplit(address).hostname for address in (oauth.authorize, oauth.token, *(each for each, _ in oauth.exchange))
    }
    stands_in = bool(url) and compared(url) != compared(usual) and urlsplit(url).hostname not in own

    def at(address: str) -> str:
        if "{url}" in address:
            return address.replace("{url}", url)
        parts = urlsplit(address)
        return f"{url}{parts.path}{'?' if parts.query else ''}{parts.query}" if stands_in else address

    return at
