"""Numbers that are everyday: dates, hours, money and what laws are called by."""

from __future__ import annotations

import re
from typing import Final

_HOUR: Final = r"(?:[01]?\d|2[0-4])[.:][0-5]\d(?:[.:][0-5]\d)?"
_CURRENCY: Final = re.compile(r"(?:Rp\.?|IDR|USD|US\$|[$€£])\s?$", re.IGNORECASE)
_AMOUNT: Final = re.compile(r"\d[\d.,]*")
_EVERYDAY: Final = re.compile(
    # 2026-12-03, and with an hour as phones name their pictures: 20261203 081530, 2026-12-03 at 08.15.30
    r"(?:19|20)\d\d(?P<s>[-./ ]?)(?:0\d|1[0-2])(?P=s)(?:[0-2]\d|3[01])"
    r"(?:[-_ T]+(?:at |pukul |jam )?\d\d[-.:_]?\d\d(?:[-.:_]?\d\d)?(?:[-.:_]\d{1,6})?)?(?!\d)"
    r"|(?:0?[1-9]|[12]\d|3[01])(?P<t>[-./])(?:0?[1-9]|1[0-2])(?P=t)(?:19|20)?\d\d(?!\d)"
    rf"|{_HOUR}(?:\s?(?:-|s/d|sd|sampai|to|until)\s?{_HOUR})?(?!\d|[.-]\d)"
    r"|(?<![.+(])[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?(?![\d-]|\.\d)"
    r"|(?<![.,+(])[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?(?![\d-]|\.\d)"
    r"|(?<![.,])\d[\d.,]*+\s?(?:%|(?:juta|miliar|milyar|triliun|ribu|rupiah|persen|million|billion|percent|kWh)\b)",
    re.IGNORECASE,
)
_DIGITS: Final = re.compile(r"\d+")


def without_everyday(text: str) -> str:
    """The text with spaces for dates, hours and amounts, as long as before."""
    pieces, at = [], 0
    for group in _DIGITS.finditer(text):
        start = group.start()
        if start < at:
            continue
        amount = _CURRENCY.search(text, max(0, start - 4), start)
        match = _AMOUNT.match(text, start) if amount else _EVERYDAY.match(text, start)
        if match is not None:
            pieces += [text[at:start], " " * (match.end() - start)]
            at = match.end()
    return "".join((*pieces, text[at:]))
