"""Numbers that the state, insurers, banks and the union give to a person."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from typing import Final

from campaign_cli.checks.safety.findings import Hit
from campaign_cli.checks.safety.labels import label
from campaign_cli.checks.safety.regions import regencies

_SIXTEEN: Final = re.compile(r"(?<!\d)\d(?:[ ./-]?\d){15}(?!\d)")
_TAX: Final = re.compile(r"(?<!\d)\d{2}\.\d{3}\.\d{3}\.\d-\d{3}\.\d{3}(?!\d)")
_TAX_PLAIN: Final = re.compile(r"(?<!\d)\d{2}(?:[ .-]?\d{3}){2}[ .-]?\d(?:[ .-]?\d{3}){2}(?!\d)")
_GROUPS: Final = re.compile(r"(?<![\d+])\d+(?:[ .-]\d+)*")
_CARD: Final = re.compile(
    r"(?:(?<![^\W_])KTA|kartu (?:tanda )?anggota|kartu serikat|(?:nomor|no\.?) (?:induk )?anggota|anggota (?:nomor|no)"
    r"|(?<![^\W_])NIA|NBA|member(?:ship)? (?:card|no\.?|number|ID)|union card)(?![^\W_])"
    r"[^\d\n!?;]{0,24}?(?<![^\W_])(?P<number>(?=[A-Z/.-]*(?:\d[A-Z/.-]*){4})[A-Z0-9]++(?:[./-][A-Z0-9]++)*+)"
    r"(?!\s(?:orang|anggota|peserta|lembar|buah|kartu|members|people))",
    re.IGNORECASE,
)
_YEAR: Final = re.compile(r"(?:19|20)\d\d")


def sixteen_digits(text: str) -> Iterator[Hit]:
    """NIK and KK number by region and date, or by the word beside them; an NPWP of the new kind by its word."""
    at = 0
    while match := _SIXTEEN.search(text, at):
        code = _kind(match.group(), label(text, *match.span()))
        at = match.end() if code else match.start() + 1  # other numbers may stand before it
        if code:
            yield Hit(code, *match.span())


def _kind(written: str, called: str) -> str:
    """The code for sixteen digits with this word beside them, or nothing."""
    digits = re.sub(r"\D", "", written)
    if called == "tax":
        return "S003"
    known = is_identity(digits) or (called in ("nik", "family") and written == digits)
    if called == "bank" or not known:
        return ""
    return "S002" if called == "family" else "S001"


def is_identity(digits: str) -> bool:
    """Whether 16 digits are a NIK: region, date of birth (a woman's day + 40) and a running number.

    Pasal 37 of PP 37/2007. The number of a family card has the same form, with the day on which it was issued.
    """
    day, month, year = int(digits[6:8]), int(digits[8:10]), int(digits[10:12])
    day -= 40 if day > 40 else 0
    if digits[:4] not in regencies() or digits[4:6] == "00" or digits[12:] == "0000" or not 1 <= month <= 12:
        return False
    leap = 2000 if year % 4 == 0 else 2001  # of which century is not known: 1900 was no leap year, nobody is that old
    return 1 <= day <= monthrange(leap, month)[1]


def tax_numbers(text: str) -> Iterator[Hit]:
    """An NPWP of 15 digits, written as the tax office writes it, or with its name beside it."""
    for match in _TAX_PLAIN.finditer(text):
        if _TAX.fullmatch(match.group()) or label(text, *match.span()) == "tax":
            yield Hit("S003", *match.span())


def cards(text: str) -> Iterator[Hit]:
    """The number of a union card, behind the word for it: at least four digits, and not a year alone."""
    for match in _CARD.finditer(text):
        if not _YEAR.fullmatch(match["number"]):
            yield Hit("S005", *match.span("number"))


def insurance_numbers(text: str) -> Iterator[Hit]:
    """BPJS Kesehatan (13 digits) and BPJS Ketenagakerjaan (11), beside their names."""
    for start, end, digits in _numbers(text):
        if digits in (11, 13) and label(text, start, end) == "insurance":
            yield Hit("S004", start, end)


def bank_accounts(text: str) -> Iterator[Hit]:
    """Eight digits or more beside the name of a bank or a wallet, or beside "rek"."""
    for start, end, digits in _numbers(text):
        if 8 <= digits <= 18 and label(text, start, end) == "bank":
            yield Hit("S010", start, end)


def _numbers(text: str) -> Iterator[tuple[int, int, int]]:
    """Start, end and number of digits of each number; a group of eight digits or more stands for itself."""
    for match in _GROUPS.finditer(text):
        begin, end, count = match.start(), match.start(), 0
        for group in re.finditer(r"\d+", match.group()):
            long, size = len(group.group()) >= 8, len(group.group())
            if long and count:
                yield begin, end, count
            if long or not count:
                begin, count = match.start() + group.start(), 0
            end, count = match.start() + group.end(), count + size
            if long:
                yield begin, end, count
                count = 0
        if count:
            yield begin, end, count
