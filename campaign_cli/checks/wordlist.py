"""The list of words of threat, hatred and incitement: the one of the program, edited by the union's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from campaign_cli import reasons
from campaign_cli.checks.phrases import Phrases, folded
from campaign_cli.i18n import _
from campaign_cli.models import Problem, Severity

if TYPE_CHECKING:
    from campaign_cli.accounts import Workspace

MAX_BYTES: Final = 1024 * 1024
_PATH: Final = ("rules", "words")


def word_list(workspace: Workspace) -> tuple[Phrases, list[Problem]]:
    """The list that counts in a workspace, and why its own file could not be read.

    Each line of the file ``rules.words`` is a word or phrase more; one behind ``-`` is taken out of the list that comes
    with the program, and ``- *`` takes all of that away. ``#`` begins a comment.
    """
    name = workspace.rules.words
    if name is None:
        return _shipped_phrases(), []
    try:
        lines = _lines(_own(workspace.root, name))
    except _Unusable as error:
        return _shipped_phrases(), [_problem(workspace, str(error), error.fix)]
    return Phrases(edited(shipped(), lines)), []


def edited(given: Iterable[str], lines: Iterable[str]) -> list[str]:
    """The list after a union's own lines; what a line adds stays, wherever it stands."""
    added, removed = [], set()
    for line in lines:
        sign, rest = line[:1], line[1:].strip()
        if sign == "-":
            removed.add(folded(rest))
        else:
            added.append(line)
    kept = [] if "*" in removed else [phrase for phrase in given if folded(phrase) not in removed]
    return [*kept, *added]


@cache
def shipped() -> tuple[str, ...]:
    """The words and phrases that come with the program, Indonesian and English."""
    return tuple(_lines(files("campaign_cli.checks").joinpath("words.txt").read_text(encoding="utf-8")))


@cache
def _shipped_phrases() -> Phrases:
    return Phrases(shipped())


class _Unusable(Exception):
    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


def _own(root: Path, name: str) -> str:
    """The text of the union's own file. Raises _Unusable."""
    base = root.resolve()
    again = _("Correct the path (from the workspace's folder), or put the file there.")
    try:
        path = (base / name).resolve()
        if not path.is_relative_to(base):
            raise _Unusable(_("The list of words {file} lies outside the workspace.").format(file=name), again)
        if path.exists() and not path.is_file():  # a pipe would be read for ever
            raise _Unusable(_("The list of words {file} is not a file.").format(file=name), again)
        with path.open("rb") as handle:
            raw = handle.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        why = reasons.reason(error) if isinstance(error, OSError) else str(error)
        message = _("The list of words {file} can't be read: {reason}.").format(file=name, reason=why)
        raise _Unusable(message, again) from error
    if len(raw) > MAX_BYTES:
        message = _("The list of words {file} is larger than 1 MiB.").format(file=name)
        raise _Unusable(message, _("One word or phrase a line."))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _Unusable(
            _("The list of words {file} is not UTF-8.").format(file=name), _("Save the file as UTF-8.")
        ) from error


def _lines(text: str) -> Iterator[str]:
    """The lines that say something, without comments."""
    for line in text.splitlines():
        written = line.split("#", 1)[0].strip()
        if written:
            yield written


def _problem(workspace: Workspace, message: str, fix: str) -> Problem:
    assert workspace.source is not None  # noqa: S101 - rules are written there
    return workspace.source.problem(_PATH, code="A010", severity=Severity.ERROR, message=message, fix=fix)
