"""The page at the end of a rehearsal: a table and a timeline of every post on every network, content inside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, tzinfo

from campaign_cli.i18n import format_instant
from campaign_cli.models import State
from campaign_cli.report import cards, view
from campaign_cli.report.page import PictureOf, days_of, render, stored_pictures
from campaign_cli.report.words import page_words, state_words


def timeline_page(  # noqa: PLR0913 - what the page says, all by name
    entries: Sequence[view.Entry],
    *,
    title: str,
    zone: tzinfo,
    picture: PictureOf,
    made_at: datetime,
    day: date | None = None,
    note: str = "",
    good: bool = False,
) -> str:
    """The page as text (UTF-8).

    ``entries`` carry state, receipts and draft (``view.delivery_entry`` makes them of the ledger's deliveries); they
    are shown by the instant at which they went out, else by the planned one, in ``zone``. ``note`` stands on top,
    as good news if ``good``.
    Permalinks are text, because the stage ends with the rehearsal.
    """
    ordered = sorted(entries, key=lambda entry: (entry.sent_at or entry.due, entry.key))
    preview = view.Preview(
        title=title, campaign=title, file="", zone=zone, day=day, entries=tuple(ordered), queued=True
    )
    made = [cards.card_of(entry, preview) for entry in ordered]
    words = page_words()
    return render(
        "timeline.html.j2",
        title=title,
        preview=preview,
        cards=made,
        rows=[(card, format_instant(card.entry.sent_at or card.entry.due, zone, seconds=True)) for card in made],
        days=days_of(made, preview),
        pictures=stored_pictures(made, picture),
        banner=note,
        banner_good=good,
        facts=[(words["made"], format_instant(made_at, zone))],
        totals=_totals(ordered),
    )


def _totals(entries: Sequence[view.Entry]) -> list[tuple[int, str]]:
    """How many are in each state that occurs."""
    counted = Counter(entry.state for entry in entries if entry.state is not None)
    return [(counted[state], state_words()[state]) for state in State if counted[state]]
