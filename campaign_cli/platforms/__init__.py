"""The networks, named without importing them. A new one is a row here, an adapter and a stage file."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from campaign_cli.platforms.base import Platform

PLATFORMS: Final = (
    "mastodon",
    "bluesky",
    "wordpress",
    "telegram",
    "x",
    "discord",
    "slack",
    "slack-webhook",
    "matrix",
    "linkedin",
    "nationbuilder",
    "facebook",
    "instagram",
    "threads",
    "webhook",
    "manual",
    "whatsapp",
    "youtube",
    "tiktok",
)
"""Every platform that has an adapter: ``campaign_cli/platforms/NAME.py`` (``-`` as ``_``) with a module-level
``platform``."""


def module_of(name: str) -> str:
    """The name of a network's module, here and on the stage."""
    return name.replace("-", "_")


@cache
def get(name: str) -> Platform:
    """The adapter of a network. Raises KeyError for a name that is not in ``PLATFORMS``."""
    if name not in PLATFORMS:
        raise KeyError(name)
    platform: Platform = import_module(f"campaign_cli.platforms.{module_of(name)}").platform
    return platform
