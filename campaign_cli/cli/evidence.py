"""``campaign evidence``: one document that ties plan, approvals, requests, receipts and log together."""

from __future__ import annotations

import hashlib
import json as codec
from pathlib import Path
from typing import Annotated, Any

import typer

from campaign_cli.cli import output, usage
from campaign_cli.cli.context import Context, actor, open_context
from campaign_cli.cli.options import LanguageOption, WorkspaceOption
from campaign_cli.cli.visible import visible
from campaign_cli.cli.words import shared_zone
from campaign_cli.errors import InputError
from campaign_cli.i18n import _
from campaign_cli.private import write_private
from campaign_cli.reasons import reason

app = usage.application()


@usage.command(
    app,
    help=_(
        "Write what the ledger can testify of a campaign: FILE.json for programs and FILE.html for people. "
        'Example: campaign evidence upah-layak-2027 --as "Siti Rahma"'
    ),
)
def evidence(
    campaign: Annotated[str, typer.Argument(metavar="CAMPAIGN", help=_("The campaign's name."))],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help=_("Without its ending (default: CAMPAIGN-evidence)."))
    ] = None,
    plan: Annotated[
        Path | None, typer.Option("--plan", metavar="PLAN", help=_("The plan file, which goes into the document."))
    ] = None,
    name: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help=_("Who signs it off; the log keeps it."))
    ] = None,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    from campaign_cli.ledger.evidence import evidence as evidence_of
    from campaign_cli.ledger.evidence import sign_off
    from campaign_cli.ledger.verified import verified_then
    from campaign_cli.report.evidence import evidence_page
    from campaign_cli.signatures import checked_name

    context = open_context(workspace)
    who = None if name is None else checked_name(name)
    with context.ledger(check_id=False) as ledger:
        document: dict[str, Any] = evidence_of(ledger, campaign)
        verified_then(document, context.signers())
        document |= {"signed_off_by": who, "plan": _plan(context, plan, campaign) if plan else None}
        text = _as_json(document)
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        base = out or Path(f"{campaign}-evidence")
        page = evidence_page(document, sha256=sha256, zone=shared_zone(context))
        _write(base, text, visible(page))
        if who:
            sign_off(ledger, campaign, name=who, sha256=sha256, actor=actor())
    output.write(_("Written: {json} and {html}").format(json=f"{base}.json", html=f"{base}.html"))
    output.write(_("SHA-256 of the JSON file: {sha256}").format(sha256=sha256))
    return 0


def _plan(context: Context, path: Path, campaign: str) -> dict[str, str]:
    """The plan as it is written. Raises InputError where it is another campaign's, or can't be read."""
    from campaign_cli.plan import load_plan

    loaded, problems = load_plan(path, context.workspace)
    if loaded is None:
        raise InputError(_("The plan can't be read; nothing was written."), problems=problems)
    if loaded.plan.campaign != campaign:
        raise InputError(
            _("{file} is the plan of {other}, not of {name}.").format(
                file=path, other=loaded.plan.campaign, name=campaign
            )
        )
    content = path.read_bytes()
    return {"file": path.name, "sha256": hashlib.sha256(content).hexdigest(), "text": content.decode()}


def _as_json(document: dict[str, Any]) -> str:
    """The file as text; a sign in it that could steer a terminal stands as JSON's own escape."""
    text = codec.dumps(document, ensure_ascii=False, indent=2) + "\n"
    return text if visible(text) == text else codec.dumps(document, indent=2) + "\n"


def _write(base: Path, text: str, page: str) -> None:
    for ending, content in ((".json", text), (".html", page)):
        path = base.with_name(base.name + ending)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_private(path.resolve(), content)  # it names who approved what is out where
        except OSError as error:
            raise InputError(
                _("{file} can't be written: {reason}").format(file=path, reason=reason(error)),
                fix=_("Name another place with --out."),
            ) from None
