"""Addresses of servers, as written in accounts.yaml and as compared."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from campaign_cli.i18n import _


def checked_address(value: str) -> str:
    """The address without a slash at its end. Raises ValueError where it is no http(s) address with a host."""
    try:
        parts = urlsplit(value)
        usable = parts.scheme.lower() in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username or parts.query or parts.fragment:
        raise ValueError(_("an address such as https://mastodon.example is needed"))
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
