"""What is said in a test: each message has its translation, each of its blanks is filled, each problem is whole."""

from __future__ import annotations

import gettext
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from babel.messages.pofile import read_po

from campaign_cli import i18n, platforms
from campaign_cli.models import Problem, Severity

faults: list[str] = []
"""What was said wrongly since the test began."""


class Message(str):
    """A message with blanks."""

    __slots__ = ()

    def format(self, *things: Any, **values: Any) -> str:
        """Fill the blanks, and note one that is filled with nothing."""
        faults.extend(f"{name} is None in {self!r}" for name, value in values.items() if value is None)
        return super().format(*things, **values)


class Listening:
    """A catalogue that notes what the Indonesian one lacks."""

    def __init__(self, catalogue: gettext.NullTranslations) -> None:
        self._catalogue = catalogue

    def gettext(self, message: str) -> str:
        """The message in the language."""
        note(message)
        said = self._catalogue.gettext(message)
        return Message(said) if "{" in said else said

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        """The message for so many."""
        note(singular)
        if (singular, plural) not in _plurals() or not isinstance(count, int):
            faults.append(f"there is no translation of {count!r} {plural!r}")
        return Message(self._catalogue.ngettext(singular, plural, count))


def note(message: str) -> None:
    """Keep a message that has no translation; the name of a network needs none."""
    if message not in _indonesian and (message, 0) not in _indonesian and message not in _networks():
        faults.append(f"there is no translation of {message!r}")


@cache
def _plurals() -> frozenset[tuple[str, str]]:
    with (i18n.LOCALE / "id" / "LC_MESSAGES" / "campaign.po").open("rb") as file:
        return frozenset(message.id for message in read_po(file) if isinstance(message.id, tuple))


@cache
def _networks() -> frozenset[str]:
    return frozenset(platforms.get(name).title for name in platforms.PLATFORMS)


_indonesian: dict[Any, str] = gettext.translation("campaign", i18n.LOCALE, ["id"])._catalog  # type: ignore[attr-defined]


def _whole(problem: Problem, **fields: Any) -> None:
    """Make a problem, and note what is missing in it."""
    _make(problem, **fields)
    kinds = {"severity": Severity, "file": str, "line": int, "column": int, "path": str}
    faults.extend(
        f"{name} of {problem} is {getattr(problem, name)!r}"
        for name, kind in kinds.items()
        if not isinstance(getattr(problem, name), kind)
    )
    faults.extend(
        f"{problem} has no {name}"
        for name in ("message", "fix")
        if not isinstance(getattr(problem, name), str) or not getattr(problem, name)
    )


_make = Problem.__init__


def listen(patch: pytest.MonkeyPatch) -> None:
    """Let every catalogue that is chosen from here on listen, and look at every problem."""
    patch.setattr(Problem, "__init__", _whole)
    patch.setattr(
        i18n,
        "gettext",
        SimpleNamespace(
            NullTranslations=lambda: Listening(gettext.NullTranslations()),
            translation=lambda *where, **how: Listening(gettext.translation(*where, **how)),
        ),
    )
