"""From the arguments to one command: language first, then the command's own module, and nothing else is imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from campaign_cli.cli.commands import COMMANDS
from campaign_cli.i18n import LANGUAGES, _, choose_language, use_language

_SHARED = {"--workspace", "-w"}  # may also stand before the command


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit code. Never raises and never shows a traceback."""
    # We use no Pydantic plugins, and looking for some reads the metadata of every installed package.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    arguments, wanted = _take_language(arguments)
    use_language(choose_language(wanted if wanted in LANGUAGES else None, os.environ))
    if wanted not in (None, *LANGUAGES):
        return _refuse(_("There is no language {name}; there are id and en.").format(name=repr(wanted)))
    leading, name, rest = _split(arguments)
    if name is None:
        if "--version" in leading:
            from importlib.metadata import version

            sys.stdout.write(f"campaign {version('campaign-cli')}\n")
            return 0
        sys.stdout.write(top_level_help())
        return 0
    if name not in COMMANDS:
        return _unknown(name)
    return _call(name, [*rest, *leading] if "--" not in rest else [*leading, *rest])


def top_level_help() -> str:
    """The commands, one a line. Plain text on purpose: help must come at once, and so imports nothing."""
    width = max(map(len, COMMANDS)) + 2
    lines = [_("Usage: campaign COMMAND [OPTIONS] …"), ""]
    lines += [_("Social media campaigns from the terminal: plans in, posts out, once, provably."), ""]
    lines += [_("Commands:"), *(f"  {name:<{width}}{_(summary)}" for name, summary in COMMANDS.items()), ""]
    lines += [
        _("Every command:"),
        f"  {'--workspace DIR':<18}" + _("the folder with accounts.yaml (default: here; CAMPAIGN_WORKSPACE)"),
        f"  {'--lang id|en':<18}" + _("language (default: the locale's, else Indonesian)"),
        f"  {'--help':<18}" + _("help with an example"),
        f"  {'--version':<18}" + _("the version, before any command"),
        "",
        _("Begin: campaign init my-union && cd my-union && campaign check campaigns/*.yaml"),
        "",
    ]
    return "\n".join(lines)


def _take_language(arguments: Sequence[str]) -> tuple[list[str], str | None]:
    """The arguments without ``--lang``, and its value. Read before anything is parsed: help and errors speak it too."""
    rest, wanted = list(arguments), None
    end = rest.index("--") if "--" in rest else len(rest)
    for position in range(end - 1, -1, -1):
        if rest[position] == "--lang" and position + 1 < end:
            wanted = wanted or rest[position + 1]
            del rest[position : position + 2]
        elif rest[position].startswith("--lang="):
            wanted = wanted or rest.pop(position).partition("=")[2]
    return rest, wanted


def _split(arguments: Sequence[str]) -> tuple[list[str], str | None, list[str]]:
    leading: list[str] = []
    rest = list(arguments)
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        leading.append(option)
        if option in _SHARED and rest:
            leading.append(rest.pop(0))
    return (leading, None, []) if not rest else (leading, rest[0], rest[1:])


def _unknown(name: str) -> int:
    from campaign_cli.source import suggest

    return _refuse(_("There is no command {name}.").format(name=repr(name)) + suggest(name, COMMANDS))


def _refuse(message: str) -> int:
    from campaign_cli.cli import diagnostics

    diagnostics.say(_("error: {message}").format(message=message))
    diagnostics.say("    → " + _("See: {command} --help").format(command="campaign"))
    return int(diagnostics.ExitCode.BAD_INPUT)


def _call(name: str, arguments: list[str]) -> int:
    from campaign_cli.cli import diagnostics, usage

    def command() -> int:
        application = import_module(f"campaign_cli.cli.{name}").app
        return usage.invoke(application, name=f"campaign {name}", arguments=arguments)

    return diagnostics.guarded(command, redact=usage.redact)
