"""The laws that explanations have in mind: a wrong article would be worse than none, so each one was looked up."""

from __future__ import annotations

import re
from typing import Final

from campaign_cli.checks import CODES

LOOKED_UP: Final = {
    # uupdp-info.id, id.wikisource.org: kinds of data, grounds (consent), what nobody may do with others' data
    "UU 27/2022": {"4 (2)", "4 (3)", "20", "65 (2)", "65 (3)"},
    # form of a NIK; the regulation that took its place has no article for the form
    "PP 37/2007": {"37"},
    "PP 40/2019": set(),
    "UU 24/2013": set(),
    "UU 21/2000": {"28"},  # nobody may be kept from being a member
    "UU 31/2014": set(),
    "UU 35/2014": set(),
    "UU 11/2012": {"19"},  # names of children before the law
    "UU 11/2008": {"26"},  # consent; not among what UU 1/2024 changed
    "UU 1/2024": {"27A", "28", "28(2)", "29"},
    "UU 28/2014": {"5", "9", "12"},  # naming the maker, permission, portraits in advertising
    "UU 7/2017": {"278", "287 (5)", "492"},
    "UU 8/1999": {"9", "10", "17"},
    "Kode Etik Jurnalistik": {"1", "2", "3"},
}
_LAW: Final = re.compile(r"(?:UU|PP) \d+/\d{4}|Kode Etik Jurnalistik")
_NAMED: Final = re.compile(r"(?:Pasal|articles?) (.*)", re.DOTALL)
_ARTICLE: Final = re.compile(r"(?<![\d/(])\d+[A-Z]?(?: ?\(\d\))?(?![\d/])")


def cited() -> set[tuple[str, str]]:
    """Each law with each article that stands behind it in an explanation, up to the next law."""
    found: set[tuple[str, str]] = set()
    for _title, text in CODES.values():
        laws = list(_LAW.finditer(text))
        for number, law in enumerate(laws):
            end = laws[number + 1].start() if number + 1 < len(laws) else len(text)
            said = text[law.end() : end].split("legal advice")[0]
            named = _NAMED.search(said)
            articles = _ARTICLE.findall(named[1].split(". ")[0]) if named else []
            found.update((law.group(), article) for article in articles or [""])
    return found


def test_every_article_was_looked_up() -> None:
    """None is named that is not in the list, and the list names none that nobody cites."""
    expected = {(law, article) for law, articles in LOOKED_UP.items() for article in articles}
    named = {(law, article) for law, article in cited() if article}
    assert {law for law, _article in cited()} == set(LOOKED_UP)
    assert {(law, article) for law, article in named if article not in LOOKED_UP[law]} == set()
    assert expected - named == set()


def test_a_law_that_protects_persons_alone_is_not_held_against_words_on_companies() -> None:
    """What the Constitutional Court decided in 2025 about article 27A stands where it matters."""
    assert "105/PUU-XXII/2024" in CODES["E002"][1]
