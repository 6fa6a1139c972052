"""The union's own contacts, which are meant to be seen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from campaign_cli.checks.safety.findings import Finding
from campaign_cli.checks.safety.names import folded
from campaign_cli.checks.safety.words import normal

_NUMBER: Final = re.compile(r"\+?\(?\d(?:[ ()./-]{0,3}\d)+")
_MAIL: Final = re.compile(r"[\w.+%-]+@[\w.-]+\w")
_AT: Final = re.compile(
    r"\s*[(\[{<]?\s*\b(?:at|et|@)\b\s*[)\]}>]?\s*|\s*[(\[{<]\s*@\s*[)\]}>]\s*|\s+@\s+", re.IGNORECASE
)
_DOT: Final = re.compile(r"\s*[(\[{<]\s*(?:dot|titik|\.)\s*[)\]}>]\s*|\s+(?:dot|titik)\s+", re.IGNORECASE)
_TAG: Final = re.compile(r"<[^<>]*>")
_LETTER: Final = re.compile(r"[^\W\d_]")
_SHORT: Final = {"jl": "jalan", "jln": "jalan", "gg": "gang", "perum": "perumahan", "komp": "kompleks"}
_STREETS: Final = frozenset({"jalan", "gang", "perumahan", "kompleks", "blok"})
_LEFT_OUT: Final = frozenset({"no", "nomor", "nmr"})
_LEAST: Final = 6  # digits of a number: shorter ones are those of houses
_TELEPHONES, _MAILS, _HOMES = "S006", "S007", "S008"


class PublicContacts:
    """Whether a finding is one of these contacts, however it is spelled."""

    def __init__(self, written: Iterable[str]) -> None:
        plain = [normal(contact) for contact in written]
        numbers = [number for contact in plain for number in _NUMBER.findall(contact) if len(_digits(number)) >= _LEAST]
        numbers += [contact for contact in plain if _LETTER.search(_TAG.sub("", contact)) is None]  # 0812, 0000, 1234
        self._telephones = {_dialled(number) for number in numbers}
        self._numbers = {_digits(number) for number in numbers}
        self._mails = {mail.casefold() for contact in plain for mail in (*_MAIL.findall(contact), _mail(contact))}
        self._places = [_place(piece) for contact in plain for piece in _places(contact)]
        self._words = {_plain(contact) for contact in plain}

    def hold(self, finding: Finding) -> bool:
        """Telephone by number, e-mail by its letters, address by its words, everything else by letters and digits."""
        if finding.code == _MAILS:
            return _mail(finding.datum) in self._mails
        if finding.code == _HOMES:
            found = _place(finding.datum)
            return any(_within(found, place) or _within(place, found) for place in self._places)
        if finding.code == _TELEPHONES:
            return _dialled(finding.datum) in self._telephones
        return _digits(finding.datum) in self._numbers or _plain(finding.datum) in self._words


def _mail(text: str) -> str:
    """``nama (at) serikat (dot) example`` with its signs."""
    return _DOT.sub(".", _AT.sub("@", text, count=1)).casefold()


def _digits(number: str) -> str:
    return re.sub(r"\D", "", _TAG.sub("", number))


def _dialled(number: str) -> str:
    """Without what a country or a long-distance call adds: 0812… and +62 812… are the same."""
    return _digits(number).removeprefix("00").removeprefix("62").removeprefix("0")


def _places(contact: str) -> Iterator[str]:
    """An address as a whole, and the street in it, with its number, by itself."""
    yield contact
    yield from (piece for piece in contact.split(",") if not _STREETS.isdisjoint(_place(piece)))


def _place(text: str) -> tuple[str, ...]:
    words = (word for word in folded(text) if word not in _LEFT_OUT)
    return tuple((word.lstrip("0") or "0") if word.isdigit() else _SHORT.get(word, word) for word in words)


def _plain(text: str) -> str:
    return "".join(folded(text))


def _within(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
    """Whether the words stand in the others, side by side; a contact must name a number to be an address."""
    size = len(short)
    return (
        size > 1
        and any(word.isdigit() for word in short)
        and any(long[start : start + size] == short for start in range(len(long) - size + 1))
    )
