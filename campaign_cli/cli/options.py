"""Options that several commands share, each with one meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from campaign_cli.i18n import _

WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        "-w",
        metavar="DIR",
        envvar="CAMPAIGN_WORKSPACE",
        show_envvar=False,
        help=_("The folder with accounts.yaml (default: here; CAMPAIGN_WORKSPACE)."),
    ),
]
LanguageOption = Annotated[
    str | None, typer.Option("--lang", metavar="id|en", help=_("Language (default: the locale's, else Indonesian)."))
]
JsonOption = Annotated[bool, typer.Option("--json", help=_("One JSON document on stdout and nothing else."))]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help=_("Don't ask."))]
PlanArgument = Annotated[Path, typer.Argument(metavar="PLAN", help=_("A campaign plan (YAML)."))]
KeysArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[KEY]…", help=_("Keys as `campaign status` shows them: campaign/post/account.")),
]
CampaignFilter = Annotated[str | None, typer.Option("--campaign", metavar="C", help=_("Only this campaign."))]
AccountFilter = Annotated[str | None, typer.Option("--account", metavar="A", help=_("Only this account."))]
LabelFilter = Annotated[str | None, typer.Option("--label", metavar="L", help=_("Only posts with this label."))]
StateFilter = Annotated[str | None, typer.Option("--state", metavar="S", help=_("Only deliveries in this state."))]
