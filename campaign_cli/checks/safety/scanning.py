"""Every rule of personal data over one text. What a text can't hold is not looked for, nor its rules loaded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from campaign_cli.checks.safety.findings import Family, Finding, blanked
from campaign_cli.checks.safety.words import GAP, Link, apart, normal

_DIGIT: Final = re.compile(r"\d")
_WORD: Final = re.compile(r"[a-z]+")
_CLOSE_DIGITS: Final = re.compile(r"\d(?:[\s().,/\[\]-]{0,3}\d){7}")
_BROKEN: Final = re.compile(r"(?<=[\d-])[ \t]?\r?\n[ \t]?(?=\d)")
_BEFORE_LETTERS: Final = re.compile(r"\d[ -]?[A-Za-z]")
_PASSED_OVER: Final = ",;|#<"
_PARTED: Final = re.compile(r"\d\s{0,2}(?:[,;|]\s{0,2}#?|#|[,;|]?\s{0,2}[#<][^\n]{0,70}?)\d")
_TEN_DIGITS: Final = re.compile(rf"\d(?:{GAP}?\d){{9}}")
_LEAST_SPLIT: Final = 10  # digits of the shortest number that is looked for in pieces
_MARK: Final = re.compile(r"\n\n\d{1,3}/\d{1,3}$")
_ENDS: Final = re.compile(r"\d[ .,()-]{0,3}$")
_BEGINS: Final = re.compile(r"[ .,()-]{0,3}\d")
_DIVIDED: Final = frozenset({"S001", "S002", "S003", "S006"})
_MAIL: Final = frozenset({"at", "et"})
_CARD: Final = frozenset({"kta", "nia", "nba", "member", "membership", "union"})
_OF_MEMBERS: Final = frozenset({"kartu", "nomor", "no"})
_OF_UNION: Final = frozenset({"kartu", "serikat"})
# fmt: off
_HOME: Final = frozenset({
    "jl", "jln", "jalan", "gg", "gang", "rt", "perum", "perumahan", "kompleks", "komplek", "komp", "griya",
    "cluster", "kos", "kost", "kosan", "kontrakan", "rusun", "rusunawa", "apartemen", "mess", "villa",
    "vila", "puri", "taman", "bumi", "blok",
})
# fmt: on


def personal_data(text: str) -> tuple[Finding, ...]:
    """All personal data of a text and of the links in it, each datum once."""
    words, links = apart(normal(text))
    scan = Scan(words)
    scan.all()
    for link in links:
        _in_link(link, scan.found)
    return tuple(dict.fromkeys(scan.found))


def over_parts(parts: Sequence[str]) -> tuple[Finding, ...]:
    """NIK, KK number, NPWP and telephone numbers of which the parts of a thread hold a piece each."""
    texts = [_MARK.sub("", part).strip() for part in parts]
    if not any(_ENDS.search(one) and _BEGINS.match(other) for one, other in pairwise(texts)):
        return ()
    from campaign_cli.checks.safety.masking import without_everyday

    whole = [normal(text) for text in texts]
    return tuple(
        one
        for one in personal_data("\n".join(texts))
        if one.code in _DIVIDED
        and not any(one.datum in text for text in whole)
        # a date, and an amount with which the next part begins; the pieces of an NPWP look like amounts
        and (one.code == "S003" or all(without_everyday(piece).strip() for piece in one.datum.splitlines()))
    )


class Scan:
    """One text, from which what was found is taken out, so that no other rule finds it again."""

    def __init__(self, text: str, written: str = "") -> None:
        self._text, self._written = text, written
        self._rest = text
        self.found: list[Finding] = []

    def all(self) -> None:
        """Ask the rules, those first that know best what they see."""
        lower = self._text.lower()
        said = set(_WORD.findall(lower))
        if "@" in lower or said & _MAIL:
            from campaign_cli.checks.safety import contact

            self.ask((contact.addresses, contact.hidden_addresses))
        if _DIGIT.search(lower) is None:
            return
        close = _CLOSE_DIGITS.search(lower) is not None
        if close or said & _CARD or ("anggota" in said and said & _OF_MEMBERS) or said >= _OF_UNION:
            self._numbers(close=close)
        if _may_be_split(lower):
            from campaign_cli.checks.safety import split

            self.ask((split.split_identities,))
            self.ask((split.split_telephones,), everyday=False)
        if said & _HOME:
            from campaign_cli.checks.safety import home

            self.ask((home.homes,))
        if _BEFORE_LETTERS.search(lower):
            from campaign_cli.checks.safety import vehicles

            self.ask((vehicles.plates,))

    def ask(self, families: Iterable[Family], *, everyday: bool = True) -> None:
        """Add what these rules find; without ``everyday``, in what is left without dates, hours and amounts."""
        if not everyday:
            from campaign_cli.checks.safety.masking import without_everyday

        rest = self._rest if everyday else without_everyday(self._rest)
        for family in families:
            hits = list(family(rest))
            self.found += [Finding(hit.code, self._text[hit.start : hit.end], self._written) for hit in hits]
            self._rest, rest = blanked(self._rest, hits), blanked(rest, hits)

    def _numbers(self, *, close: bool) -> None:
        """Long numbers, first those that can be told by themselves; dates and amounts are none of the others."""
        from campaign_cli.checks.safety import numbers

        if close:
            from campaign_cli.checks.safety import contact

            self.ask((numbers.sixteen_digits, numbers.tax_numbers))
            rest = (numbers.cards, numbers.insurance_numbers, numbers.bank_accounts, contact.telephones)
            self.ask(rest, everyday=False)
            if _BROKEN.search(self._rest):
                self._across_lines()
        else:
            self.ask((numbers.cards,), everyday=False)

    def _across_lines(self) -> None:
        """Numbers that a line end divides, among what no line holds by itself."""
        from campaign_cli.checks.safety import contact, numbers

        self._rest = _BROKEN.sub(lambda found: " " * len(found.group()), self._rest)
        self.ask((numbers.sixteen_digits, numbers.tax_numbers))
        self.ask((contact.telephones,), everyday=False)


def _may_be_split(text: str) -> bool:
    """Whether a number can stand in it whose groups commas, hashtags or tags part; counting is fast, so it is first."""
    return (
        sum(map(text.count, "0123456789")) >= _LEAST_SPLIT
        and any(map(text.__contains__, _PASSED_OVER))
        and _PARTED.search(text) is not None
        and _TEN_DIGITS.search(text) is not None
    )


def _in_link(link: Link, found: list[Finding]) -> None:
    """What a link calls or carries. Other numbers in the path of a page are its own: NIK and e-mail count there."""
    from campaign_cli.checks.safety import contact, numbers

    if link.number and contact.is_telephone(link.number):
        found.append(Finding("S006", link.number, link.written))
    path, query = Scan(link.path, link.written), Scan(link.query, link.written)
    path.ask((contact.addresses, numbers.sixteen_digits))
    query.all()
    found += [*path.found, *query.found]
