"""``campaign preview``: every post as each network will show it, from the very drafts that are sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from campaign_cli.cli import diagnostics, output, usage
from campaign_cli.cli.context import Context, now, open_context
from campaign_cli.cli.files import write_file
from campaign_cli.cli.options import JsonOption, LanguageOption, PlanArgument, WorkspaceOption
from campaign_cli.cli.visible import visible
from campaign_cli.cli.words import waived_as_json
from campaign_cli.errors import InputError
from campaign_cli.i18n import _

if TYPE_CHECKING:
    from campaign_cli.checks import Examined
    from campaign_cli.content.media import MediaStore
    from campaign_cli.ledger import Delivery
    from campaign_cli.models import Draft
    from campaign_cli.report.requests import ShownRequest
    from campaign_cli.report.view import Preview

app = usage.application()


@usage.command(
    app,
    help=_(
        "Show every post as each network will show it. Example: campaign preview campaigns/x.yaml --html preview.html"
    ),
)
def preview(
    plan: PlanArgument,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help=_("Write one self-contained page to this file."))
    ] = None,
    requests: Annotated[
        bool, typer.Option("--requests", help=_("Show the HTTP requests as they will be sent, secrets redacted."))
    ] = False,
    queued: Annotated[bool, typer.Option("--queued", help=_("Show what the ledger holds instead."))] = False,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    from campaign_cli.checks import blocking, examine

    context = open_context(workspace)
    media = context.media()
    examined = examine(plan, context.workspace, now=now(), workspace_problems=context.problems, media=media)
    if examined.loaded is None:
        raise InputError(_("The plan can't be read."), problems=examined.problems)
    banner = ""
    if queued:
        shown, banner, content = _queued(context, examined, media)
    else:
        from campaign_cli.report.view import preview_of

        shown, content = preview_of(examined, limits=_limits(context)), media.content
    if requests:
        _show_requests(shown, content, json=json)
    elif json:
        output.write_json(_as_json(shown, banner))
    elif html is None:
        _show_panels(shown, banner)
    if html is not None:
        _write_page(html, shown, content, banner, quiet=json)
    return int(diagnostics.ExitCode.BAD_INPUT if blocking(examined.problems) else diagnostics.ExitCode.DONE)


def _limits(context: Context) -> Callable:  # type: ignore[type-arg]
    from campaign_cli.content.limits import limits_of

    return limits_of(context.workspace)


def _queued(context: Context, examined: Examined, media: MediaStore) -> tuple[Preview, str, Callable[[str], bytes]]:
    """What the ledger holds of this campaign, and a sentence where the plan says something else by now."""
    from campaign_cli.cli.queue import difference_of
    from campaign_cli.ledger.gate import demanded
    from campaign_cli.ledger.verified import verified_now
    from campaign_cli.report.view import queued_preview

    loaded = examined.loaded
    assert loaded is not None  # noqa: S101 - the caller has stopped without one
    with context.ledger() as ledger:
        found = ledger.deliveries(campaign=loaded.plan.campaign, with_drafts=True)
        checked = verified_now(found, ledger, context.signers())
        deliveries = [demanded(delivery, context.workspace.rules) for delivery in checked]
        waived = ledger.waivers([delivery.key for delivery in deliveries])
        differs = difference_of(context, examined.planned, loaded, ledger, media=media)
        pictures = {sha: ledger.media(sha) for sha in _pictures(deliveries)}
    count = len(differs.new) + len(differs.changed) + len(differs.removed)
    banner = _("The plan and the ledger differ in {n} deliveries: campaign queue {plan}").format(
        n=count, plan=loaded.source.file
    )
    shown = queued_preview(
        deliveries,
        workspace=context.workspace,
        zone=loaded.zone,
        title=loaded.plan.title or "",
        campaign=loaded.plan.campaign,
        file=loaded.source.file,
        day=loaded.day,
        waived=waived,
    )
    return shown, banner if count else "", pictures.__getitem__


def _pictures(deliveries: Sequence[Delivery]) -> set[str]:
    return {file.sha256 for delivery in deliveries for file in delivery.draft.files}


def _show_panels(shown: Preview, banner: str) -> None:
    from rich.text import Text

    from campaign_cli.report.terminal import preview_panels

    if banner:
        output.show(Text(banner, style="bold red"))
    output.show(*preview_panels(shown))


def _write_page(file: Path, shown: Preview, content: Callable[[str], bytes], banner: str, *, quiet: bool) -> None:
    from campaign_cli.report.page import preview_page

    write_file(file, preview_page(shown, picture=content, made_at=now(), banner=banner))
    if not quiet:
        output.write(_("The preview page is {file}").format(file=file))


def _show_requests(shown: Preview, content: Callable[[str], bytes], *, json: bool) -> None:
    from rich.text import Text

    from campaign_cli.report.requests import requests_of
    from campaign_cli.report.terminal import request_lines

    async def collect() -> list[tuple[str, tuple[ShownRequest, ...]]]:
        return [
            (
                entry.key,
                await requests_of(entry.draft, account=entry.account, key=entry.key, due=entry.due, content=content),
            )
            for entry in shown.entries
            if entry.draft is not None
        ]

    found = asyncio.run(collect())
    if json:
        output.write_json(
            {"deliveries": [{"key": key, "requests": [request.data() for request in some]} for key, some in found]}
        )
        return
    for key, some in found:
        output.show(Text(visible(f"── {key}"), style="bold"), *request_lines(some), fold=False)


def _draft_as_json(draft: Draft) -> dict[str, object]:
    from dataclasses import asdict

    values = asdict(draft)
    for part in values["parts"]:
        for picture in part["media"]:
            picture["removed"] = dict(picture["removed"])
    return values


def _as_json(shown: Preview, banner: str) -> dict[str, object]:
    from dataclasses import asdict

    return {
        "campaign": shown.campaign,
        "title": shown.title,
        "banner": banner or None,
        "posts": [
            {
                "key": entry.key,
                "account": entry.account.name,
                "platform": entry.account.platform,
                "due": output.rfc3339(entry.due, entry.zone),
                "state": entry.state.value if entry.state else None,
                "approvals_needed": entry.approval,
                "waived": dict(entry.waived),
                "embargo": output.rfc3339(entry.embargo, entry.zone) if entry.embargo else None,
                "draft": _draft_as_json(entry.draft) if entry.draft else None,
                "counts": [[asdict(count) for count in part] for part in entry.counts],
            }
            for entry in shown.entries
        ],
        "problems": [asdict(problem) for problem in shown.problems],
        "waived": waived_as_json(shown.waived),
    }
