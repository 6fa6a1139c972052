"""Every rule of personal data over one text. What a text can't hold is not looked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from campaign_cli.checks.safety.findings import Family, Finding, blanked
from campaign_cli.checks.safety.words import Link, apart, normal

_MANY_DIGITS: Final = re.compile(r"\d(?:[^\d]*\d){7}")
_FOUR_DIGITS: Final = re.compile(r"\d(?:[^\d]*\d){3}")
_CARD: Final = re.compile(r"KTA|anggota|serikat|NIA|NBA|member|union", re.IGNORECASE)
_AT: Final = re.compile(r"@|\b(?:at|et)\b", re.IGNORECASE)
_ADDRESS: Final = re.compile(
    r"(?<![^\W_])(?:jln?|jalan|gg|gang|rt|perum\w*|komp\w*|griya|cluster|kos\w?\w?|kontrakan|rusun\w*|apartemen|mess|villa"
    r"|vila|puri|taman|bumi|blok)(?![^\W\d_])",
    re.IGNORECASE,
)
_PLATE: Final = re.compile(r"(?<![^\W_])[A-Za-z]{1,2}[ -]?\d{1,4}[ -]?[A-Za-z]{1,3}(?![^\W_])")


def personal_data(text: str) -> tuple[Finding, ...]:
    """All personal data of a text and of the links in it, each datum once."""
    words, links = apart(normal(text))
    found = list(_in_words(words, _families(words)))
    for link in links:
        found += _in_link(link)
    return tuple(dict.fromkeys(found))


def _families(text: str) -> Iterator[Family]:
    """The rules that can find something in a text, those first that know best what they see."""
    if _AT.search(text):
        from campaign_cli.checks.safety import contact

        yield contact.addresses
    many = _MANY_DIGITS.search(text) is not None
    if many:
        from campaign_cli.checks.safety import numbers

        yield numbers.sixteen_digits
        yield numbers.tax_numbers
    if _FOUR_DIGITS.search(text) and _CARD.search(text):
        from campaign_cli.checks.safety import numbers

        yield numbers.cards
    if many:
        from campaign_cli.checks.safety import contact

        yield numbers.insurance_numbers
        yield numbers.bank_accounts
        yield contact.telephones
    if _ADDRESS.search(text):
        from campaign_cli.checks.safety import home

        yield home.homes
    if _PLATE.search(text):
        from campaign_cli.checks.safety import vehicles

        yield vehicles.plates


def _in_words(text: str, families: Iterator[Family], written: str = "") -> Iterator[Finding]:
    for family in families:
        hits = list(family(text))
        for hit in hits:
            yield Finding(hit.code, text[hit.start : hit.end], written)
        text = blanked(text, hits)


def _in_link(link: Link) -> Iterator[Finding]:
    """What a link calls or carries. Numbers in the path of a page are its own, so only NIK and e-mail count there."""
    from campaign_cli.checks.safety import contact, numbers

    if link.number and contact.is_telephone(link.number):
        yield Finding("S006", link.number, link.written)
    yield from _in_words(link.path, iter((contact.addresses, numbers.sixteen_digits)), link.written)
    yield from _in_words(link.query, _families(link.query), link.written)
