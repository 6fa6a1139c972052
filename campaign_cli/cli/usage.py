"""Between Typer and us: one command is called, and its usage errors are said in the user's language."""

from __future__ import annotations

import gettext
import os
import re
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Final

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from campaign_cli.cli import diagnostics
from campaign_cli.i18n import LOCALE, N_, _, language

_redactors: list[Callable[[str], str]] = []


def redact(text: str) -> str:
    """The text without any secret that this process has read."""
    for redactor in _redactors:
        text = redactor(text)
    return text


def redact_with(redactor: Callable[[str], str]) -> None:
    """Remember a redactor for whatever is shown from here on, also when a command ends with an error."""
    _redactors.append(redactor)


class _Help:
    """Help in the user's language where Typer's own words are fixed."""

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """The usage line."""
        pieces = " ".join(self.collect_usage_pieces(ctx))  # type: ignore[attr-defined]
        formatter.write_usage(ctx.command_path, pieces, prefix=_("Usage:") + " ")

    def get_help_option(self, ctx: Any) -> Any:
        """The ``--help`` option."""
        option = super().get_help_option(ctx)  # type: ignore[misc]
        if option is not None:
            option.help = _("Show this help.")
        return option


class Command(_Help, TyperCommand):
    """One command; an option in ``bare`` may stand without its value, which is empty then."""

    bare: tuple[str, ...] = ()

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give such an option its empty value."""
        filled: list[str] = []
        for position, argument in enumerate(args):
            filled.append(argument)
            following = args[position + 1 : position + 2]
            if argument in self.bare and (not following or following[0].startswith("--")):
                filled.append("")
        return super().parse_args(ctx, filled)


class Group(_Help, TyperGroup):
    """A command that has commands."""


_TYPER_WORDS = (
    N_("Arguments"),
    N_("Options"),
    N_("Commands"),
    N_("Missing command."),
    N_("No such command {name!r}."),
    N_("required"),
    N_("default: {default}"),
)
"""What Typer itself takes from the catalogue."""


def application(**options: Any) -> typer.Typer:
    """A Typer application as each command file makes one."""
    return typer.Typer(
        cls=Group,
        options_metavar=_("[OPTIONS]"),
        subcommand_metavar=_("COMMAND …"),
        rich_markup_mode=None,
        add_completion=False,
        pretty_exceptions_enable=False,
        no_args_is_help=False,
        **options,
    )


def command(
    app: typer.Typer, name: str | None = None, *, help: str, bare: str = ""
) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Register a function as a command of ``app``. The option ``bare`` may stand without a value."""
    summary = help.partition(". ")[0].rstrip(".") + "."  # the first sentence, whole, for the list of a group
    kind = type("Command", (Command,), {"bare": (bare,)}) if bare else Command
    return app.command(name, cls=kind, options_metavar=_("[OPTIONS]"), help=help, short_help=summary)


def invoke(app: typer.Typer, *, name: str, arguments: Sequence[str]) -> int:
    """Run a command; its return value is the exit code. A usage error is shown and gives 2."""
    # Typer asks the standard library's gettext for its own few words.
    os.environ["LANGUAGE"] = language()
    gettext.bindtextdomain("campaign", LOCALE)
    gettext.textdomain("campaign")
    command = typer.main.get_command(app)
    try:
        result = command.main(args=list(arguments), prog_name=name, standalone_mode=False)
    except TyperException as error:
        return _usage_error(error, name)
    except typer.Abort:
        result = diagnostics.ExitCode.INTERRUPTED
    if result == diagnostics.ExitCode.INTERRUPTED:  # Typer turns Ctrl-C into this number without a word
        diagnostics.say(_("interrupted"))
    return int(result or 0)


_EXTRA: Final = re.compile(r"Got unexpected extra arguments?\(?s?\)? \((?P<words>.*)\)", re.DOTALL)
"""How Typer says, in English alone, that there are more words than the command takes."""


def _usage_error(error: TyperException, name: str) -> int:
    diagnostics.say(_("error: {message}").format(message=_in_words(error)))
    context = getattr(error, "ctx", None)
    diagnostics.say("    → " + _("See: {command} --help").format(command=context.command_path if context else name))
    return int(diagnostics.ExitCode.BAD_INPUT)


def _in_words(error: TyperException) -> str:
    kind, parameter = type(error).__name__, getattr(error, "param", None)
    shown = parameter.get_error_hint().replace("'", "") if parameter is not None else ""
    if kind == "NoSuchOption":
        options = ", ".join(getattr(error, "possibilities", None) or ())
        text = _("There is no option {option}.").format(option=getattr(error, "option_name", ""))
        return f"{text} " + _("Did you mean {options}?").format(options=options) if options else text
    if kind == "BadOptionUsage":
        text = _("{option} takes no value.") if "not take a value" in error.message else _("{option} needs a value.")
        return text.format(option=getattr(error, "option_name", ""))
    if extra := _EXTRA.match(error.message):
        return _("Too many words: {words}.").format(words=extra["words"])
    if kind == "MissingParameter":
        return _("{parameter} is missing.").format(parameter=shown)
    if kind == "BadParameter" and shown:
        reason = _wanted(parameter) or _("it can't be that: {reason}").format(reason=error.message)
        return f"{shown}: {reason}"
    return error.format_message()


def _wanted(parameter: Any) -> str:
    """What an option takes, told from its default: a word of a few, or a whole number."""
    default, low, high = (getattr(parameter, name, None) for name in ("default", "min", "max"))
    if isinstance(default, Enum):
        return _("one of: {names}").format(names=", ".join(str(one.value) for one in type(default)))
    if not isinstance(default, int):
        return ""
    if high is None:
        return _("a whole number, {low} or more").format(low=low)
    return _("a whole number from {low} to {high}").format(low=low, high=high)
