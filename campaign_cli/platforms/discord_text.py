"""Text as Discord writes it: its Markdown, in which whatever is no mark of the officer's is escaped.

https://docs.discord.com/developers/reference#message-formatting
"""

from __future__ import annotations

import re
from typing import Final

from campaign_cli.platforms.markup import Marks, in_marks
from campaign_cli.platforms.text import link_spans

# Marks, mentions (<@…>), masked links; quotes and headings where a line begins. Any other sign means itself.
_SIGNS: Final = re.compile(r"[\\*_~`|<\[\]]|^(?:>|#(?=#{0,2}\s)|-(?=#\s))", re.MULTILINE)
_ESCAPED: Final = re.compile(r"\\([^0-9A-Za-z\s])")


def markdown(text: str) -> str:
    """The text of a plan as the ``content`` of a message."""
    return in_marks(text, _MARKS)


def unescaped(content: str) -> str:
    """The ``content`` of a message without the backslashes."""
    return _ESCAPED.sub(r"\1", content)


def _literal(text: str) -> str:
    """Escaped, but for bare links: they are no place for marks, and a backslash would break them."""
    pieces, done = [], 0
    for span in link_spans(text):
        pieces += [_SIGNS.sub(r"\\\g<0>", text[done : span.start]), span.value]
        done = span.end
    return "".join([*pieces, _SIGNS.sub(r"\\\g<0>", text[done:])])


def _code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _link(label: str, address: str) -> str:
    return f"[{label}]({address.replace(')', '%29')})"


_MARKS: Final = Marks(bold="**", italic="*", struck="~~", literal=_literal, code=_code, link=_link)
