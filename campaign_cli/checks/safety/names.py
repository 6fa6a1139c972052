"""Names that nobody may read, and words that stay inside: whole words in any case, however they are joined."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus

from campaign_cli.checks.safety.plain import plain_signs

_BETWEEN: Final = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_APOSTROPHES: Final = re.compile("['\u2019\u2018`\u00b4\u02bc\u02bb]")
_WORD: Final = re.compile(r"[^\W\d_]+|\d+")
_MIXED: Final = re.compile(
    r"[013457$](?:(?<=[^\W\d_].)|(?=[^\W\d_]))|[@!|](?<=[^\W\d_].)(?=[^\W\d_])"  # the rarer sign first: it is fast
)
_WITHIN: Final = re.compile(r"[013457$](?=[013457$@!|]*[^\W\d_])|(?<=[^\W_])[@!|](?=[^\W_])")
_AT_END: Final = re.compile(r"(?<=[^\W\d_])[013457$](?!\w)")
_NUMBERED: Final = re.compile(r"(?<![^\W_])\d+[^\W\d_](?![^\W_])")
"""As articles, classes and houses are numbered: Pasal 17A is nobody called Ita."""
_LOOKS: Final = tuple(dict(zip("034571$@!|", f"oeast{one}sai{one}", strict=True)) for one in "il")
"""Digits and signs as the letters that they are drawn like; 1 and | are like two of them."""


@dataclass(frozen=True, slots=True)
class Name:
    """``place`` says where the name is written, for a message that must not repeat it."""

    words: tuple[str, ...]
    place: str


class Names:
    """Looks for names in texts. ``written`` holds each name with the place of it."""

    def __init__(self, written: Sequence[tuple[str, str]]) -> None:
        self._by_first: dict[str, list[tuple[tuple[str, ...], Name]]] = {}
        self._joined: dict[str, Name] = {}
        for text, place in written:
            name = Name(folded(text), place)
            for words in {name.words, folded(text, split=False)} - {()}:
                self._by_first.setdefault(words[0], []).append((words, name))
                self._joined.setdefault("".join(words), name)

    def __bool__(self) -> bool:
        return bool(self._by_first)

    def find(self, text: str) -> tuple[Name, ...]:
        """The names that a text says, also in its hashtags and links, each once, in the order of the text."""
        readings = [text, unquote_plus(text)] if "%" in text else [text]
        if _MIXED.search(text):
            readings += _undisguised(plain_signs(text))
        spelled = (folded(reading, split=split) for reading in readings for split in (True, False))
        return tuple(dict.fromkeys(name for words in spelled for name in self._in(words)))

    def _in(self, words: tuple[str, ...]) -> Iterator[Name]:
        for index, word in enumerate(words):
            for wanted, name in self._by_first.get(word, ()):
                if words[index : index + len(wanted)] == wanted:
                    yield name
            joined = self._joined.get(word)
            if joined is not None:
                yield joined


def _undisguised(text: str) -> Iterator[str]:
    """The text with letters for the digits and signs among them: S1ti, 5iti. One that ends a word may be a number."""
    text = _NUMBERED.sub("2", text)  # a digit that is drawn like no letter, so the words beside it stay apart
    for looks in _LOOKS:
        within = _WITHIN.sub(lambda found, looks=looks: looks[found.group()], text)  # type: ignore[misc]
        yield within
        yield _AT_END.sub(lambda found, looks=looks: looks[found.group()], within)  # type: ignore[misc]


def folded(text: str, *, split: bool = True) -> tuple[str, ...]:
    """The words of a text: no accents, no apostrophes, no capitals, no signs; letters and digits apart.

    With ``split``, ``BudiSantoso2026`` is three words, else two.
    """
    if not text.isascii():
        plain = unicodedata.normalize("NFKD", plain_signs(text))
        text = "".join(sign for sign in plain if not unicodedata.combining(sign))
    text = _APOSTROPHES.sub("", text)
    return tuple(_WORD.findall((_BETWEEN.sub(" ", text) if split else text).casefold()))
