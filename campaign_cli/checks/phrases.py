"""Words and phrases looked for in texts: whole ones, whatever their case, their accents and what lies between them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+")
_BETWEEN: Final = r"[\s_-]*"  # nothing, too: a hashtag is a phrase in one word


def folded(text: str) -> str:
    """The text in small letters, without accents, ornamental letters and signs that nobody sees."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in plain if unicodedata.category(sign) not in ("Mn", "Cf")).casefold()


def without_links(text: str) -> str:
    """The text without its links, which claim nothing: words, on one line where there was a link."""
    return " ".join(word for word in text.split() if "://" not in word) if "://" in text else text


class Phrases:
    """A list of words and phrases; ``#`` in front of one means that it counts only as a hashtag."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._starting: dict[str, list[tuple[str, str, re.Pattern[str]]]] = {}
        for phrase in dict.fromkeys(phrases):
            words = _WORD.findall(folded(phrase))
            if not words:
                continue
            sign = "#" if phrase.startswith("#") else ""
            pattern = re.compile(rf"(?<![^\W_]){sign}{_BETWEEN.join(words)}(?![^\W_])")
            for start in {words[0], "".join(words)}:  # apart, and as one word
                self._starting.setdefault(start, []).append((phrase, words[-1], pattern))
        self._starts = frozenset(self._starting)

    def found_in(self, text: str) -> list[str]:
        """Those of the list that the text says, as the list writes them, in alphabetical order."""
        plain = folded(text)
        found = set()
        for start in self._starts.intersection(_WORD.findall(plain)):  # none, in most texts
            for phrase, last, pattern in self._starting[start]:
                if last in plain and pattern.search(plain):
                    found.add(phrase)
        return sorted(found)
