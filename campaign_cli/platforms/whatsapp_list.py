"""The members who get a WhatsApp message: read from the officer's file, told apart without their numbers.

A number is a member's data: it stands in requests to Meta, and nowhere else. What the ledger keeps is a slow hash.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from campaign_cli.errors import Rejected
from campaign_cli.i18n import _, ngettext

COLUMNS: Final = ("phone", "opted_in", "name")
_E164: Final = re.compile(r"\+[1-9]\d{7,14}", re.ASCII)
_NUMBER: Final = re.compile(r"\+?\d[\d .()-]{5,}\d")
_PLACEHOLDER: Final = re.compile(r"‹.*›")  # what a preview shows in place of the file
_COST: Final = 2**12
"""Of scrypt, about ten milliseconds: mobile numbers are some billions, and a fast hash would soon give them away."""
_SHOWN: Final = 10  # lines of a file named in one message


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """A member who has opted in. Shown without the number."""

    phone: str = field(repr=False)
    name: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipients:
    """Everybody to be written to, once each; ``without_consent`` counts rows without a date of opting in."""

    people: Sequence[Recipient]
    without_consent: int = 0


def read_recipients(text: str, *, today: date) -> Recipients:
    """The members of a CSV: ``phone`` in E.164, ``opted_in`` the date of their consent, ``name`` if known.

    Whoever has no date, or one that is still to come (``today``), is left out. Raises Rejected, naming lines and no
    numbers.
    """
    if _PLACEHOLDER.fullmatch(text.strip()):
        return Recipients(people=(Recipient(phone=text.strip(), name=text.strip()),))
    people: dict[str, Recipient] = {}
    wrong: list[str] = []
    without = 0
    rows = _rows(text)
    for line, row in rows:
        phone = re.sub(r"[ .()-]", "", row.get("phone", ""))
        consent = row.get("opted_in", "").strip()
        if not any(value.strip() for value in row.values()):
            continue
        if not _E164.fullmatch(phone):
            wrong.append(_("line {line} (a number that ends in {end})").format(line=line, end=phone[-2:] or "–"))
        elif not consent:
            without += 1
        elif (opted_in := _day(consent)) is None:
            wrong.append(_("line {line} (the date of consent)").format(line=line))
        elif opted_in > today:
            without += 1
        else:
            people.setdefault(phone, Recipient(phone=phone, name=row.get("name", "").strip()))
    _refuse(wrong)
    return Recipients(people=tuple(people.values()), without_consent=without)


def mark(phone: str, *, salt: str) -> str:
    """What stands for a number in the ledger: the same for ever, and hard to turn back."""
    return hashlib.scrypt(phone.encode(), salt=salt.encode(), n=_COST, r=8, p=1, dklen=16).hex()


def without_numbers(text: str) -> str:
    """The text with everything that can be a telephone number cut down to its last two digits."""
    return _NUMBER.sub(lambda match: f"…{re.sub(r'[^0-9]', '', match[0])[-2:]}", text)


def _rows(text: str) -> list[tuple[int, dict[str, str]]]:
    """Line number and columns by name, of a file with commas or semicolons. Raises Rejected."""
    head = text.lstrip("\ufeff").split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=";" if ";" in head else ",")
    try:
        lines = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise Rejected(_("The list of recipients is no CSV file."), fix=_fix()) from error
    names = [name.strip().lower() for name in lines[0][1]] if lines else []
    if "phone" not in names or "opted_in" not in names:
        raise Rejected(_("The list of recipients lacks the columns phone and opted_in."), fix=_fix())
    return [(number, dict(zip(names, row, strict=False))) for number, row in lines[1:]]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _refuse(wrong: Sequence[str]) -> None:
    if not wrong:
        return
    more = "" if len(wrong) <= _SHOWN else " …"
    message = ngettext(
        "{n} row of the list of recipients can't be used: {lines}",
        "{n} rows of the list of recipients can't be used: {lines}",
        len(wrong),
    )
    raise Rejected(message.format(n=len(wrong), lines=", ".join(wrong[:_SHOWN]) + more), fix=_fix())


def _fix() -> str:
    return _(
        "Write the first line phone,opted_in,name, numbers like +62812… and dates like 2026-01-31; "
        "rows without a date are left out."
    )
