"""The text of a status in two shapes: as we sent it, and as a server gives it back in HTML."""

from __future__ import annotations

import unicodedata
from html.parser import HTMLParser

from campaign_cli.platforms.text import mention_spans

_BLOCKS = frozenset({"p", "div", "li", "ul", "ol", "blockquote", "pre", "br"})


def same_text(ours: str, html: str) -> bool:
    """Whether a status' HTML shows our text.

    White space, compositions and the server of a mention (which servers leave out) make no difference.
    """
    return normal(ours) == normal(plain_text(html))


def nearly_same_text(ours: str, html: str) -> bool:
    """Whether letters and digits are the same: servers with Markdown take signs out of the text."""
    return _letters(normal(ours)) == _letters(normal(plain_text(html)))


def _letters(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


def normal(text: str) -> str:
    """The text as it is compared."""
    pieces, done = [], 0
    for span in mention_spans(text):
        pieces += [text[done : span.start], "@" + span.value.split("@")[0]]
        done = span.end
    pieces.append(text[done:])
    return " ".join(unicodedata.normalize("NFC", "".join(pieces)).split())


def plain_text(html: str) -> str:
    """The text of a status' HTML; links are whole, since the parts that are hidden from readers count too."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return "".join(reader.pieces).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS and self.pieces:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)
