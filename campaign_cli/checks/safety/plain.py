"""Signs that look like others, or like nothing, as the plain ones that a reader takes them for."""

from __future__ import annotations

import re
import unicodedata
from html import unescape
from typing import Final

_DASHES: Final = frozenset("‐‑‒–—―−")
_BLANKS: Final = (  # what is drawn as nothing, beside the category of formats (Cf) and of enclosures (Me)
    (0x034F, 0x034F),  # joins combining signs
    (0x115F, 0x1160),  # empty places of Korean syllables
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),  # variants of signs
    (0xFE00, 0xFE0F),
    (0xE0100, 0xE01EF),
)
_ALIKE: Final = dict(
    zip(
        "АВЕКМНОРСТХУІЈЅавекмнорстхуіјѕԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧορνι",
        "ABEKMHOPCTXYIJSabekmhopctxyijsdqwABEZHIKMNOPTYXopvi",
        strict=True,
    )
)
"""Letters of other scripts that are drawn like Latin ones."""
_SPELT: Final = {
    **dict.fromkeys(("nol", "kosong", "zero", "oh"), "0"),
    **dict.fromkeys(("satu", "one"), "1"),
    **dict.fromkeys(("dua", "two"), "2"),
    **dict.fromkeys(("tiga", "three"), "3"),
    **dict.fromkeys(("empat", "four"), "4"),
    **dict.fromkeys(("lima", "five"), "5"),
    **dict.fromkeys(("enam", "six"), "6"),
    **dict.fromkeys(("tujuh", "seven"), "7"),
    **dict.fromkeys(("delapan", "eight"), "8"),
    **dict.fromkeys(("sembilan", "nine"), "9"),
}
_LEAST_WORDS: Final = 2  # of a number that is partly said in words
_LEAST_SAID: Final = 8  # words and digits of a number that is said
_LEAST_DIGITS: Final = 5  # of a number with letters among its digits: more of nine signs than letters
_JOINERS: Final = "·•∙⋅‧・_*~"
_SAID: Final = "|".join(sorted(_SPELT, key=len, reverse=True))
_IN_WORDS: Final = re.compile(rf"(?:{_SAID}|\d)(?:[\s,.-]{{0,3}}(?:{_SAID}|\d)){{7,}}(?![^\W\d_])", re.IGNORECASE)
_ONE: Final = re.compile(rf"{_SAID}|\d", re.IGNORECASE)
_ANY_WORD: Final = re.compile(rf"(?:{_SAID})", re.IGNORECASE)
_LETTERED: Final = re.compile(r"(?<![^\W_])[Oo\d](?:[ .()-]{0,2}[OoIl\d]){8,}(?![^\W_])")
_AS_DIGITS: Final = str.maketrans("OoIl", "0011")
_JOINS: Final = re.compile(rf"(?<=\d)\s?[{_JOINERS}]{{1,3}}\s?(?=\d)")


class _Signs(dict[int, str | None]):
    """What each sign becomes, found out when it is first met."""

    def __missing__(self, code: int) -> str | None:
        self[code] = plain = _plain(chr(code))
        return plain


def _plain(sign: str) -> str | None:
    if sign in _DASHES:
        return "-"
    code = ord(sign)
    if unicodedata.category(sign) in ("Cf", "Me") or any(first <= code <= last for first, last in _BLANKS):
        return None
    digit = unicodedata.digit(sign, None)
    return _ALIKE.get(sign, sign) if digit is None else str(digit)


_SIGNS: Final = _Signs()


def plain_signs(text: str) -> str:
    """Wide, mathematical, foreign and invisible signs as plain ones (NFKC), digits as 0-9, every dash as a hyphen."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text).translate(_SIGNS)


def plain_numbers(text: str) -> str:
    """Numbers in digits that are said in words, or hide behind letters, dots or the signs of a page.

    Nearly every text has too few digits and number words for any of that, which is counted first: it is fast.
    """
    if "&" in text:
        text = plain_signs(unescape(text))
    text = text.replace("\r\n", "\n")
    digits = sum(map(text.count, "0123456789"))
    words = sum(map(text.casefold().count, _SPELT))
    if words >= _LEAST_WORDS and words + digits >= _LEAST_SAID:
        text = _IN_WORDS.sub(lambda found: _from_words(found.group()), text)
    if any(map(text.count, _JOINERS)):
        text = _JOINS.sub("-", text)
    if digits >= _LEAST_DIGITS:
        text = _LETTERED.sub(lambda found: _from_letters(found.group()), text)
    return text


def _from_words(said: str) -> str:
    signs = [_SPELT.get(one.casefold(), one) for one in _ONE.findall(said)]
    words = len(_ANY_WORD.findall(said))
    return "".join(signs) if words >= _LEAST_WORDS else said


def _from_letters(written: str) -> str:
    """Letters among more digits than letters are digits."""
    letters = sum(sign in "OoIl" for sign in written)
    return written.translate(_AS_DIGITS) if 0 < letters <= sum(map(str.isdigit, written)) else written
