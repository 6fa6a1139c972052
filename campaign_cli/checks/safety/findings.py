"""What a rule of safety finds in a text, and how much of it may be repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote_plus

from campaign_cli.checks.safety.words import BLANK


@dataclass(frozen=True, slots=True)
class Finding:
    """``datum`` as it was found; ``written`` is what stands in the text, where that differs (a link)."""

    code: str
    datum: str
    written: str = ""

    @property
    def masked(self) -> str:
        """The datum for a message: messages land in the logs of other machines, so it is never repeated whole."""
        return mask(self.datum)

    def stands_in(self, text: str) -> bool:
        """Whether a text, as it is written in a file, holds it; a link may have got tags since."""
        return self.datum in text or (bool(self.written) and self.datum.lstrip("+") in unquote_plus(text))


@dataclass(frozen=True, slots=True)
class Hit:
    """A datum of the kind ``code`` at a place of a text."""

    code: str
    start: int
    end: int


Family = Callable[[str], Iterator[Hit]]
"""A rule: the hits in a text that ``words.normal`` made plain."""


def mask(datum: str) -> str:
    """The first and the last two characters; of a short one, the first alone."""
    datum = " ".join(datum.split())
    return f"{datum[:2]}…{datum[-2:]}" if len(datum) >= 8 else f"{datum[:1]}…"


def blanked(text: str, hits: list[Hit]) -> str:
    """The text without what was found (in the order of the text), so that no other rule finds it as well."""
    pieces, at = [], 0
    for hit in hits:
        pieces += [text[at : hit.start], BLANK * (hit.end - hit.start)]
        at = hit.end
    return "".join((*pieces, text[at:]))
