"""Addresses of servers, as written in accounts.yaml and as compared."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from campaign_cli.i18n import _
from campaign_cli.platforms.answers import is_loopback
from campaign_cli.source.shapes import finding


@lru_cache(maxsize=256)
def checked_address(value: str) -> str:
    """The address without a slash at its end.

    Raises ValueError where it is no http(s) address with a host, or where a secret would cross the network in the open.
    """
    try:
        parts = urlsplit(value)
        usable = parts.scheme.lower() in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username or parts.query or parts.fragment:
        raise finding(
            "A004",
            _("This is not the address of a server."),
            _("Write it like https://mastodon.example, without a password, ? or #."),
        )
    if parts.scheme.lower() == "http" and not is_loopback(parts.hostname or ""):
        raise finding(
            "A004",
            _("{host} must be reached by https: over http, anybody on the way could read the password.").format(
                host=parts.hostname
            ),
            _("Write https:// instead of http://."),
        )
    return value.rstrip("/")


WebAddress = Annotated[str, AfterValidator(checked_address)]
"""A setting that holds the address of a server."""


def compared(url: str) -> str:
    """Host in lower case, port where it is not the usual one, path: the same for every spelling of one server."""
    parts = urlsplit(url)
    usual = {"https": 443, "http": 80}.get(parts.scheme.lower())
    port = f":{parts.port}" if parts.port not in {None, usual} else ""
    return f"{(parts.hostname or '').lower()}{port}{parts.path.rstrip('/')}"


def same_origin(one: str, other: str) -> bool:
    """Whether two addresses have scheme, host and port in common."""
    first, second = urlsplit(one), urlsplit(other)
    return (first.scheme, first.hostname, first.port) == (second.scheme, second.hostname, second.port)
