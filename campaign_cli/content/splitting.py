"""Splitting a long text into the parts of a thread, where a reader would pause."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

from campaign_cli.platforms.text import grapheme_ends, hashtag_spans, link_spans, mention_spans

PARAGRAPH, SENTENCE, CLAUSE, WORD = range(4)
# How full a part must be (of what would fit) before a better place to stop is preferred over a later one.
_FULL_ENOUGH: Final = {PARAGRAPH: 0.35, SENTENCE: 0.35, CLAUSE: 0.6}
_GAP: Final = re.compile(
    r"[^\S\u00a0\u202f\u2007]+|(?<=[。！？])(?=\S)|(?<=[、，；])(?=\S)"
)  # never at a no-break space
_SENTENCE_END: Final = re.compile(r"[.!?…。！？][\"'”’»)\]]*$")
_CLAUSE_END: Final = re.compile(r"[,;:–—、，；)\]][\"'”’»]*$")
_ABBREVIATION: Final = re.compile(
    r"(?:^|[\s(])(?:[A-Za-z]|dr|drs|dra|ir|hj|kh|prof|bpk|sdr|sdri|no|nomor|jl|jln|gg|kec|kab|kel|hlm|tgl|mr|mrs|ms|st|vs"
    r"|yth|pt|cv|psl|ay)\.$",
    re.IGNORECASE,
)
_MARKUP: Final = re.compile(r"\[[^\]\n]*\]\([^)\s]+\)|(?P<mark>\*\*|~~|\*|`)(?=\S)[^\n]+?(?<=\S)(?P=mark)")
_LOOK_BACK: Final = 12  # characters before a gap that decide its kind

Fits = Callable[[str, int], bool]


class Unsplittable(Exception):
    """``word`` alone is longer than a part may be."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


@dataclass(frozen=True, slots=True)
class Gap:
    """A place where text may be cut: what lies between ``start`` and ``end`` (white space) is dropped."""

    start: int
    end: int
    kind: int


def split_thread(text: str, fits: Fits, *, marks: bool = False, markup: bool = False) -> list[str]:
    """The parts of a text, in order, each of which ``fits(part, its number from 0)``.

    Words, links, mentions, hashtags and graphemes stay whole. With ``marks`` each part ends with ``1/3`` on its own
    line, counted in; with ``markup`` what stands between Markdown's inline marks stays whole too. Raises Unsplittable.
    """
    text = text.strip()
    if fits(text, 0):
        return [text]
    gaps = find_gaps(text, markup=markup)
    if not marks:
        return _split(text, gaps, fits)
    for digits in count(1):
        # The room for marks depends on the number of their digits alone, so a tenth part can't make an eleventh.
        parts = _split(text, gaps, _with_marks(fits, "9" * digits))
        if len(str(len(parts))) <= digits:
            return mark_parts(parts)
    raise AssertionError  # pragma: no cover - the count has no end


def _with_marks(fits: Fits, widest: str) -> Fits:
    return lambda part, number: fits(_mark(part, widest, widest), number)


def mark_parts(parts: Sequence[str]) -> list[str]:
    """The parts with ``1/3``, ``2/3``, ``3/3`` below them."""
    return [_mark(part, str(number), str(len(parts))) for number, part in enumerate(parts, 1)]


def _mark(part: str, number: str, total: str) -> str:
    return f"{part}\n\n{number}/{total}"


def find_gaps(text: str, *, markup: bool = False) -> list[Gap]:
    """Every place where the text may be cut, in order, with what a reader would call it."""
    spans = [span[:2] for find in (link_spans, hashtag_spans, mention_spans) for span in find(text)]
    spans = sorted(spans + [match.span() for match in _MARKUP.finditer(text)] if markup else spans)
    whole = None if text.isascii() else {0, *grapheme_ends(text)}
    gaps, following = [], 0
    for match in _GAP.finditer(text):
        start, end = match.span()
        while following < len(spans) and spans[following][1] <= start:
            following += 1
        inside = following < len(spans) and spans[following][0] < start
        if inside or start == 0 or (whole is not None and (start not in whole or end not in whole)):
            continue
        gaps.append(Gap(start, end, _kind(text, start, end)))
    return gaps


def _kind(text: str, start: int, end: int) -> int:
    lines = text.count("\n", start, end)
    if lines > 1:
        return PARAGRAPH
    before = text[max(0, start - _LOOK_BACK) : start]
    following = text[end : end + 1]
    if lines:
        return SENTENCE
    if _SENTENCE_END.search(before) and not _ABBREVIATION.search(before) and not following.islower():
        return SENTENCE
    return CLAUSE if _CLAUSE_END.search(before) else WORD


def _split(text: str, gaps: Sequence[Gap], fits: Fits) -> list[str]:
    parts: list[str] = []
    start = first = 0
    while True:
        last = _last_fitting(text, gaps, fits, start=start, first=first, number=len(parts))
        if last == len(gaps) - 1 and fits(text[start:], len(parts)):
            return [*parts, text[start:]]
        if last < first:
            raise Unsplittable(text[start : gaps[first].start if first < len(gaps) else len(text)])
        best = _best(gaps, first=first, last=last, start=start)
        parts.append(text[start : gaps[best].start])
        start, first = gaps[best].end, best + 1


def _last_fitting(text: str, gaps: Sequence[Gap], fits: Fits, *, start: int, first: int, number: int) -> int:
    """The last gap (by index) up to which the text still fits; ``first - 1`` where not even the first word does."""
    low, step = first - 1, 1
    while low + step < len(gaps) and fits(text[start : gaps[low + step].start], number):
        low += step
        step *= 2
    high = min(low + step, len(gaps))
    while high - low > 1:
        middle = (low + high) // 2
        if fits(text[start : gaps[middle].start], number):
            low = middle
        else:
            high = middle
    return low


def _best(gaps: Sequence[Gap], *, first: int, last: int, start: int) -> int:
    """The best of the gaps that fit: the last one of the best kind that leaves the part full enough."""
    room = gaps[last].start - start
    for kind in (PARAGRAPH, SENTENCE, CLAUSE):
        for index in range(last, first - 1, -1):
            if gaps[index].start - start < room * _FULL_ENOUGH[kind]:
                break
            if gaps[index].kind == kind:
                return index
    return last
