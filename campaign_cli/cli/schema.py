"""``campaign schema``: the JSON Schema of plans."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from campaign_cli.cli import output, usage
from campaign_cli.cli.files import write_file
from campaign_cli.cli.options import LanguageOption
from campaign_cli.i18n import _

app = usage.application()


@usage.command(
    app,
    help=_(
        "Print the JSON Schema of plans, or write it to a file. "
        "Example: campaign schema --output schema/plan.schema.json"
    ),
)
def schema(
    file: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help=_("Write to this file instead of stdout."))
    ] = None,
    lang: LanguageOption = None,
) -> int:
    from campaign_cli.plan import plan_schema

    document = plan_schema()
    if file is None:
        output.write_json(document)
    else:
        write_file(file, json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    return 0
