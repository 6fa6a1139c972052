"""Number plates of Indonesian vehicles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from campaign_cli.checks.safety.findings import Hit

_AREAS: Final = (
    "A|B|D|E|F|G|H|K|L|M|N|P|R|S|T|W|Z|AA|AB|AD|AE|AG|BA|BB|BD|BE|BG|BH|BK|BL|BM|BN|BP|DA|DB|DC|DD|DE|DG|DH|DK|DL|DM|DN"
    "|DP|DR|DS|DT|DW|DX|EA|EB|ED|KB|KH|KT|KU|PA|PB|PG|PS|PT|PY"
)
_NUMBER: Final = re.compile(r"(?<!\d)[1-9]\d{0,3}[ -]?[A-Z]{1,3}(?![^\W_]|[./-]\w)", re.IGNORECASE)
_AREA: Final = re.compile(rf"(?<![^\W_])(?<![-/.])(?:{_AREAS})[ -]?$", re.IGNORECASE)
_BESIDE: Final = re.compile(
    r"(?<![^\W_])(?:plat|nopol|no\.? ?pol(?:isi)?|nomor polisi|pelat|mobil|motor|truk|kendaraan|bus|bis|angkot"
    r"|avanza|innova|STNK|plate|car|van|truck|licen[cs]e)(?![^\W_])[^\n;]{0,40}$",
    re.IGNORECASE,
)
_NOT: Final = re.compile(
    r"(?<![A-Z])(?:DI|KE|DAN|ADA|INI|ITU|YG|WIB|WIT|KM|M|CC|KG|KW|KWH|GB|MB|TB|HP|THN|JAM|TON|VS|RI|OF|IN|ON|TO|THE|AND|FOR|NO|BY|ATAU|PCS|BOX|DUS|SET|BH)$"
)


def plates(text: str) -> Iterator[Hit]:
    """An area, up to four digits and up to three letters. Three digits and capitals, or the word for it beside it."""
    for match in _NUMBER.finditer(text):
        area = _AREA.search(text, max(0, match.start() - 3), match.start())
        if area is None:
            continue
        start, end = area.start(), match.end()
        written = text[start:end]
        digits = sum(sign.isdigit() for sign in written)
        named = _BESIDE.search(text, max(0, start - 60), start) is not None
        sure = written == written.upper() and digits >= 3 and not _NOT.search(written)
        if sure or (named and (digits >= 3 or written == written.upper())):
            yield Hit("S009", start, end)
