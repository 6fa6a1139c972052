"""What an account may hold: what ``accounts check`` read from the live server, else the network's documented limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from campaign_cli import platforms
from campaign_cli.accounts import Workspace, cached_limits

if TYPE_CHECKING:
    from campaign_cli.models import Account
    from campaign_cli.platforms.base import Limits

_LARGEST: Final = 2**63
"""No limit that a server can mean is larger, and databases and libraries count no further."""


def limits_of(workspace: Workspace) -> Callable[[Account], Limits]:
    """A function from account to limits; what was cached is read once."""
    cached = cached_limits(workspace)

    @cache
    def known(name: str, platform: str) -> Limits:
        documented = platforms.get(platform).limits
        found = cached.get(name, {}).get("limits")
        return _merged(documented, found) if isinstance(found, Mapping) else documented

    return lambda account: known(account.name, account.platform)


def _merged(documented: Limits, found: Mapping[str, Any]) -> Limits:
    """The documented limits with what a server said in their place; what makes no sense is passed over."""
    values: dict[str, Any] = {}
    for field in fields(documented):
        value, known = found.get(field.name), getattr(documented, field.name)
        if field.name in ("unit", "source"):
            values[field.name] = value if isinstance(value, str) else known
        elif field.name in ("image_types", "video_types"):
            if isinstance(value, list | tuple) and value and all(isinstance(item, str) for item in value):
                values[field.name] = tuple(value)
        elif field.name == "image_ratio":
            if isinstance(value, list | tuple) and len(value) == 2 and all(map(_is_number, value)):
                values[field.name] = (float(value[0]), float(value[1]))
        elif field.name == "mixed":
            values[field.name] = value if isinstance(value, bool) else known
        elif _is_number(value) and (isinstance(value, int) or field.name == "video_seconds"):
            values[field.name] = value
    return replace(documented, **values)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _LARGEST
