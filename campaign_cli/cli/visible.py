"""Text from outside on a terminal: what could steer it is shown, and does nothing."""

from __future__ import annotations

import re
from typing import Final

_INVISIBLE: Final = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f"  # controls, among them ESC and its one-sign forms
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # what turns the direction of writing
    "\u2028\u2029\ufeff\ud800-\udfff\ufff9-\ufffb]"  # separators, halves of signs, annotations
)


def visible(text: str) -> str:
    """The text with each sign that steers shown as its escape (``\\x1b``); line ends stay."""
    return _INVISIBLE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode()
