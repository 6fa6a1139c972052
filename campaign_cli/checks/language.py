"""What a text says that a reader may be hurt by, or may ask the source of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeVar

from campaign_cli.checks import claims
from campaign_cli.checks.phrases import without_links
from campaign_cli.checks.texts import ALT, FILE, LINK, SENTENCES, TEXT
from campaign_cli.checks.wordlist import word_list
from campaign_cli.i18n import _
from campaign_cli.models import Problem, Severity

if TYPE_CHECKING:
    from campaign_cli.checks.pipeline import Examined
    from campaign_cli.checks.texts import Said

T = TypeVar("T")

_NOT_WORDS: Final = frozenset({LINK, FILE, "slug"})
_SENTENCES: Final = SENTENCES | {TEXT, ALT}
_SOURCE: Final = re.compile(r"\b(sumber|sources?)\s*:", re.IGNORECASE)
_SHOWN: Final = 3  # figures in one message


def harmful_words(examined: Examined, now: datetime) -> Iterator[Problem]:
    """Words of threat, hatred or incitement, by the workspace's list; one warning for each text."""
    if examined.loaded is None:
        return
    phrases, problems = word_list(examined.loaded.workspace)
    yield from problems
    known: dict[str, list[str]] = {}  # the same hashtags stand under many posts
    for said in examined.texts:
        if said.kind in _NOT_WORDS:
            continue
        if said.text not in known:
            known[said.text] = phrases.found_in(without_links(said.text))
        found = known[said.text]
        if not found:
            continue
        words = ", ".join(f"“{word}”" for word in found)
        message = _("The text says {words}: words of threat, hatred or incitement.").format(words=words)
        fix = _("Say it in another way; where it is meant, as in a quotation, waive E003 with the reason.")
        yield examined.loaded.source.problem(
            said.path, code="E003", severity=Severity.WARNING, message=message, fix=fix
        )


def unsourced_figures(examined: Examined, now: datetime) -> Iterator[Problem]:
    """A percentage, a sum of money or a number of people without a source; once for each post."""
    for said, figures in _unsourced(examined, claims.figures_in):
        shown = ", ".join(figures[:_SHOWN]) + (", …" if len(figures) > _SHOWN else "")
        yield _hint(examined, said, code="E001", message=_("No source is named for {figures}.").format(figures=shown))


def unsourced_claims(examined: Examined, now: datetime) -> Iterator[Problem]:
    """A person or company by name beside a word that accuses, without a source; once for each post."""
    for said, accused in _unsourced(examined, claims.accusations_in):
        message = _("{name} is accused of something (“{word}”), and no source is named.")
        yield _hint(examined, said, code="E002", message=message.format(name=accused[0].name, word=accused[0].word))


def _unsourced(examined: Examined, find: Callable[[str], list[T]]) -> Iterator[tuple[Said, list[T]]]:
    """The first text of each post in which something is found, where neither plan nor post nor text names a source."""
    if examined.loaded is None or examined.loaded.plan.sources:
        return
    texts = [said for said in examined.texts if said.kind in _SENTENCES and not said.planned[0].post.sources]
    told = {said.planned[0].index for said in texts if ":" in said.text and _SOURCE.search(said.text)}
    for said in texts:
        index = said.planned[0].index
        found = find(said.text) if index not in told else []
        if found:
            told.add(index)
            yield said, found


def _hint(examined: Examined, said: Said, *, code: str, message: str) -> Problem:
    assert examined.loaded is not None  # noqa: S101 - without a plan there is no text
    fix = _("Name it under “sources” of the post or of the plan, or in the text behind “Sumber:”.")
    return examined.loaded.source.problem(said.path, code=code, severity=Severity.HINT, message=message, fix=fix)
