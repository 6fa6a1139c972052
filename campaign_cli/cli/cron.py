"""``campaign cron show``: a crontab line and a systemd timer for this workspace that work as they are."""

from __future__ import annotations

import shlex
import sys
from datetime import datetime, time, tzinfo
from pathlib import Path
from typing import Annotated

import typer

from campaign_cli.cli import output, usage
from campaign_cli.cli.context import now, open_context
from campaign_cli.cli.options import LanguageOption, WorkspaceOption
from campaign_cli.cli.words import machine_zone
from campaign_cli.errors import InputError
from campaign_cli.i18n import _, language, zone_label

app = usage.application(help=_("Publish from cron or a systemd timer."))


@app.callback()
def cron() -> None:
    """Keeps ``show`` a subcommand."""


@usage.command(
    app,
    help=_(
        "Print the crontab line and the systemd timer for this workspace. "
        "Example: campaign cron show --nightly 21:00-05:00"
    ),
)
def show(
    nightly: Annotated[
        str | None,
        typer.Option("--nightly", metavar="FROM-TO", help=_("One pass that stays for the night, e.g. 21:00-05:00.")),
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(
            "--timezone",
            metavar="ZONE",
            help=_("Zone of FROM-TO: WIB, WITA, WIT or an IANA name (default: the machine's)."),
        ),
    ] = None,
    workspace: WorkspaceOption = None,
    lang: LanguageOption = None,
) -> int:
    context = open_context(workspace)
    machine = machine_zone()
    arguments = [
        sys.executable,
        "-m",
        "campaign_cli",
        "publish",
        "--workspace",
        str(context.root),
        "--lang",
        language(),
    ]
    arguments += ["--log-file", str(context.workspace.state_dir / "publish.log")]
    start = None
    if nightly:
        start, end = _window(nightly, timezone, machine)
        arguments += ["--until", f"{end:%H:%M}"]
    output.write("\n".join([*_crontab(arguments, start, machine), "", *_systemd(arguments, context.root, start)]))
    return 0


def _window(text: str, zone_name: str | None, machine: tzinfo) -> tuple[time, time]:
    """The two wall times in the machine's zone, converted as on the coming night."""
    from campaign_cli.wallclock import UnknownZone, zone_of

    try:
        first, second = (time.fromisoformat(part.strip()) for part in text.split("-"))
    except ValueError:
        raise InputError(
            _("{text} is no span of the night.").format(text=repr(text)),
            fix=_("Write it as FROM-TO, e.g. 21:00-05:00."),
        ) from None
    try:
        zone = machine if zone_name is None else zone_of(zone_name)
    except UnknownZone:
        raise InputError(
            _("There is no time zone {name}.").format(name=repr(zone_name)),
            fix=_("Use WIB, WITA, WIT or an IANA name."),
        ) from None
    today = now().astimezone(zone).date()
    converted = [datetime.combine(today, wall, tzinfo=zone).astimezone(machine).time() for wall in (first, second)]
    return converted[0], converted[1]


def _crontab(arguments: list[str], start: time | None, machine: tzinfo) -> list[str]:
    when = "*/5 * * * *" if start is None else f"{start.minute} {start.hour} * * *"
    zone = zone_label(machine, now())
    # cron reads an unescaped % as a line end.
    command = shlex.join(arguments).replace("%", r"\%")
    return [
        "# " + _("crontab (add with: crontab -e); times in the machine's zone, {zone}").format(zone=zone),
        f"{when} {command}",
    ]


def _systemd(arguments: list[str], root: Path, start: time | None) -> list[str]:
    calendar = "*:0/5" if start is None else f"*-*-* {start:%H:%M}:00"
    # systemd reads % and $ itself; doubling keeps them as they are.
    command = " ".join('"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"' for part in arguments)
    command = command.replace("%", "%%").replace("$", "$$")
    return [
        "# ~/.config/systemd/user/campaign-publish.service",
        "[Unit]",
        "Description=" + _("Publish what is due"),
        "",
        "[Service]",
        "Type=oneshot",
        f"WorkingDirectory={str(root).replace('%', '%%')}",
        f"ExecStart={command}",
        "",
        "# ~/.config/systemd/user/campaign-publish.timer",
        "[Unit]",
        "Description=" + _("Publish what is due, on time"),
        "",
        "[Timer]",
        f"OnCalendar={calendar}",
        "Persistent=true",
        "",
        "[Install]",
        "WantedBy=timers.target",
        "",
        "# " + _("then: systemctl --user daemon-reload && systemctl --user enable --now campaign-publish.timer"),
    ]
