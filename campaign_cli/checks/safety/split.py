"""Numbers whose groups something parts that a reader passes over: commas, the signs of hashtags, tags of a page.

Commas also part the numbers of a list. So a number must have the groups in which people write it, and what no word
names must stand alone: in a longer list nobody can tell where it would begin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from campaign_cli.checks.safety.contact import is_telephone
from campaign_cli.checks.safety.findings import Hit
from campaign_cli.checks.safety.labels import label
from campaign_cli.checks.safety.numbers import is_identity
from campaign_cli.checks.safety.words import GAP, TAG

_CHAIN: Final = re.compile(rf"(?<![\d.,+])\+?\d{{1,12}}+(?:{GAP}\d{{1,12}}+){{1,24}}(?![\d%])")
_DECIMALS: Final = re.compile(r"\d(?P<point>[.,])\d(?:(?!(?P=point)\d)\D+\d(?P=point)\d)+")  # 0,8; 1,2; 3,4
_GROUP: Final = re.compile(rf"{TAG}|(\d+)")
_LEAST: Final = 10  # digits of the shortest number that is looked for here
_LONGEST: Final = 16
_FEW: Final = 6  # groups in which people write a number: 31 71 05 120190 0001
_MOBILE: Final = re.compile(r"(?:62|0)8[1-9]\d{7,10}")
_ANOTHER: Final = ("08", "09")  # how another number begins, or a date
_PASSED_OVER: Final = ",;|#<"


class _Span(NamedTuple):
    """Groups that stand side by side, with their digits; ``alone``: nothing else stands in their chain."""

    start: int
    end: int
    groups: tuple[str, ...]
    alone: bool

    @property
    def digits(self) -> str:
        return "".join(self.groups)

    @property
    def singly(self) -> bool:
        return all(len(group) == 1 for group in self.groups)


def split_identities(text: str) -> Iterator[Hit]:
    """NIK and KK number by region and date."""
    for span in _spans(text):
        if len(span.digits) != _LONGEST or not is_identity(span.digits):
            continue
        called = label(text, span.start, span.end)
        shaped = span.singly or len(span.groups) <= _FEW
        if called in ("nik", "family") or (called in ("", "phone") and span.alone and shaped):
            yield Hit("S002" if called == "family" else "S001", span.start, span.end)


def split_telephones(text: str) -> Iterator[Hit]:
    """Numbers of mobile telephones of Indonesia."""
    found: Hit | None = None
    for span in _spans(text):
        if found is not None and span.start < found.end:
            continue
        if _is_mobile(span, abroad=text[span.start] == "+"):
            called = label(text, span.start, span.end)
            if called == "phone" or (called == "" and span.alone and _is_usual(span.groups)):
                found = Hit("S006", span.start, span.end)
                yield found


def _is_mobile(span: _Span, *, abroad: bool) -> bool:
    """Whether it begins as people begin such a number, and the numbering plan knows it."""
    begins = span.singly or abroad or len(span.groups[0]) >= 4  # 0812, 62812
    if not begins or _MOBILE.fullmatch(span.digits) is None:
        return False
    return is_telephone(f"+{span.digits}" if span.digits.startswith("6") else span.digits)


def _is_usual(groups: tuple[str, ...]) -> bool:
    """Few groups, or digits one by one; those of a list of codes (0812, 0813) or of dates begin like the first."""
    if len(groups) == sum(map(len, groups)):
        return True
    return len(groups) <= _FEW and not any(len(one) < 3 or one.startswith(_ANOTHER) for one in groups[1:])


def _spans(text: str) -> Iterator[_Span]:
    """Every run of groups, from the longest that begins at a group, with a sign in it that people pass over."""
    for chain in _CHAIN.finditer(text):
        written = chain.group()
        if _DECIMALS.fullmatch(written):
            continue
        groups = [match for match in _GROUP.finditer(written) if match[1]]
        for first, begin in enumerate(groups):
            for last in range(len(groups), first + 1, -1):
                some = groups[first:last]
                if not _LEAST <= sum(len(one[1]) for one in some) <= _LONGEST:
                    continue
                start = 0 if first == 0 else begin.start()
                between = written[start : some[-1].start()]
                if any(map(between.__contains__, _PASSED_OVER)):
                    yield _Span(
                        chain.start() + start,
                        chain.start() + some[-1].end(),
                        tuple(one[1] for one in some),
                        len(some) == len(groups),
                    )
