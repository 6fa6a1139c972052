"""The codes of provinces and regencies with which an Indonesian NIK begins.

Codes only, of Kepmendagri 300.2.2-2430/2025 and of the lists since Permendagri 56/2015 (https://kodewilayah.id,
https://github.com/cahyadsn/wilayah): a NIK keeps the code of the year in which it was given, also where the regency has
another one now (Papua, North Kalimantan).
"""

from __future__ import annotations

from functools import cache
from typing import Final

_REGENCIES: Final = {
    "11": "01-18 71-75",
    "12": "01-25 71-78",
    "13": "01-12 71-77",
    "14": "01-10 71-72",
    "15": "01-09 71-72",
    "16": "01-13 71-74",
    "17": "01-09 71",
    "18": "01-13 71-72",
    "19": "01-06 71",
    "21": "01-05 71-72",
    "31": "01 71-75",
    "32": "01-18 71-79",
    "33": "01-29 71-76",
    "34": "01-04 71",
    "35": "01-29 71-79",
    "36": "01-04 71-74",
    "51": "01-08 71",
    "52": "01-08 71-72",
    "53": "01-21 71",
    "61": "01-12 71-72",
    "62": "01-13 71",
    "63": "01-11 71-72",
    "64": "01-04 06-12 71-74",
    "65": "01-04 71",
    "71": "01-11 71-74",
    "72": "01-12 71",
    "73": "01-18 22 24 26 71-73",
    "74": "01-15 71-72",
    "75": "01-05 71",
    "76": "01-06",
    "81": "01-09 71-72",
    "82": "01-08 71-72",
    "91": "01-28 71",
    "92": "01-12 71",
    "93": "01-04",
    "94": "01-08",
    "95": "01-08",
    "96": "01-05 71",
}


@cache
def regencies() -> frozenset[str]:
    """All codes, four digits each: ``3201``."""
    codes = set()
    for province, written in _REGENCIES.items():
        for span in written.split():
            first, _dash, last = span.partition("-")
            codes |= {f"{province}{number:02}" for number in range(int(first), int(last or first) + 1)}
    return frozenset(codes)
