"""Plans: YAML with positions → posts with instants, for the accounts of a workspace."""

from __future__ import annotations

from pathlib import Path

from campaign_cli import platforms
from campaign_cli.accounts import Workspace, load_workspace
from campaign_cli.models import Account, Problem
from campaign_cli.plan.expand import Planned, expand, past
from campaign_cli.plan.load import LoadedPlan, load_plan
from campaign_cli.plan.model import Media, Plan, Post, Slot, Variant
from campaign_cli.plan.schema import plan_schema

__all__ = [
    "LoadedPlan",
    "Media",
    "Plan",
    "Planned",
    "Post",
    "Slot",
    "Variant",
    "expand",
    "load_plan",
    "open_workspace",
    "past",
    "plan_schema",
]


def open_workspace(root: Path) -> tuple[Workspace, list[Problem]]:
    """Read accounts.yaml of a folder; only the adapters of networks that it names are imported."""

    def address_of(account: Account) -> str:
        return platforms.get(account.platform).address(account)

    return load_workspace(
        root,
        settings_of=lambda name: platforms.get(name).Settings,
        secrets_of=lambda name: platforms.get(name).secrets,
        address_of=address_of,
        known=platforms.PLATFORMS,
    )
