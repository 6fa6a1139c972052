"""The preview as one self-contained page: no script, no request to anywhere, every picture inside.

Everything is escaped by Jinja; the only HTML that passes is an article's body, made by the function that the adapter
itself uses (raw HTML in Markdown is shown, not obeyed). A strict Content-Security-Policy stands behind that.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from campaign_cli.i18n import format_instant, language, zone_label
from campaign_cli.models import Picture, Problem
from campaign_cli.report import cards, view, words
from campaign_cli.report.text import visible
from campaign_cli.report.words import page_words, severity_words, state_words

if TYPE_CHECKING:
    from jinja2 import Environment

    from campaign_cli.checks import Examined

_FILTER: Final = "body:has(#n-{name}:checked) .post:not(.{name}){{display:none}}"
PictureOf = Callable[[str], bytes]


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One post at one instant, with its cards: a row of the timeline, a group of drawings."""

    post: str
    clock: str
    cards: tuple[cards.Card, ...]


@dataclass(frozen=True, kw_only=True)
class Day:
    """A day in the plan's zone."""

    title: str
    label: str
    anchor: str
    moments: tuple[Moment, ...]


@dataclass(frozen=True, kw_only=True)
class StoredPicture:
    """A picture in the page, once, however often it is shown."""

    id: str
    uri: str
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class ShownProblem:
    """A problem with its place as text, the card that it belongs to, and why the plan waives it."""

    problem: Problem
    place: str
    anchor: str
    reason: str = ""


def preview_page(
    examined: Examined | view.Preview,
    *,
    picture: PictureOf,
    made_at: datetime,
    limits: view.LimitsOf | None = None,
    banner: str = "",
) -> str:
    """The page as text (UTF-8).

    ``picture`` gives prepared bytes by SHA-256 (KeyError or OSError where they are gone), ``made_at`` is aware,
    ``banner`` is a sentence shown on top (where plan and ledger differ).
    """
    preview = examined if isinstance(examined, view.Preview) else view.preview_of(examined, limits=limits)
    made = [cards.card_of(entry, preview) for entry in preview.entries]
    return render(
        "preview.html.j2",
        title=preview.title or preview.campaign,
        preview=preview,
        cards=made,
        days=days_of(made, preview),
        problems=_problems(preview, made),
        waived=[
            ShownProblem(
                problem=one.problem, place=words.place_text(one.problem), anchor="", reason=visible(one.reason)
            )
            for one in preview.waived
        ],
        pictures=stored_pictures(made, picture),
        banner=banner,
        banner_good=False,
        facts=_facts(preview, made_at=made_at),
        totals=view.totals(preview),
    )


def render(template: str, **values: Any) -> str:
    """A page template of this package with the shared values around it."""
    from markupsafe import Markup

    used = sorted({card.entry.account.platform for card in values["cards"]})
    style = _style() + "".join(_FILTER.format(name=name) for name in used if name.isalpha())
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    shared = {
        "lang": language(),
        "words": page_words(),
        "states": state_words(),
        "severities": severity_words(),
        "style": Markup(style),  # noqa: S704 - our own file; nothing of a plan is in it
        "style_hash": f"sha256-{digest}",
        "networks": [(name, view.platform_title(name)) for name in used],
        "unit_text": words.unit_text,
    }
    return _environment().get_template(template).render(**shared, **values)


def days_of(made: Sequence[cards.Card], preview: view.Preview) -> list[Day]:
    """The cards by day of the plan's zone, then by instant and post."""
    days: dict[date, dict[tuple[datetime, str], list[cards.Card]]] = {}
    for card in made:
        local = card.entry.due.astimezone(preview.zone).date()
        days.setdefault(local, {}).setdefault((card.entry.due, card.entry.post), []).append(card)
    return [
        Day(
            title=words.long_day(day),
            label=words.day_label(next(iter(moments))[0], zone=preview.zone, day=preview.day),
            anchor=f"d-{day.isoformat()}",
            moments=tuple(
                Moment(post=post, clock=words.clock_text(due, preview.zone), cards=tuple(group))
                for (due, post), group in moments.items()
            ),
        )
        for day, moments in sorted(days.items())
    ]


def stored_pictures(made: Iterable[cards.Card], picture: PictureOf) -> dict[str, StoredPicture]:
    """Every picture of the cards by SHA-256; one whose bytes are gone is left out, and its name is shown.

    So are videos: the page shows what they are, not how they move.
    """
    found: dict[str, StoredPicture] = {}
    for item in (item for card in made for part in card.parts for item in part.pictures):
        if item.sha256 not in found and not item.is_video:
            try:
                found[item.sha256] = _embedded(item, picture(item.sha256))
            except (KeyError, OSError):
                continue
    return found


def _embedded(item: Picture, content: bytes) -> StoredPicture:
    encoded = base64.b64encode(content).decode()
    return StoredPicture(
        id=f"i-{item.sha256[:16]}", uri=f"data:{item.mime};base64,{encoded}", width=item.width, height=item.height
    )


def _problems(preview: view.Preview, made: Sequence[cards.Card]) -> list[ShownProblem]:
    anchors: dict[Problem, str] = {}
    for card in made:
        for problem in card.entry.problems:
            anchors.setdefault(problem, card.anchor)
    return [
        ShownProblem(problem=problem, place=words.place_text(problem), anchor=anchors.get(problem, ""))
        for problem in preview.problems
    ]


def _facts(preview: view.Preview, *, made_at: datetime) -> list[tuple[str, str]]:
    labels = page_words()
    facts = [(labels["plan_file"], preview.file)]
    if preview.day is not None:
        facts.append((labels["day"], words.long_day(preview.day)))
    facts.append((labels["zone"], zone_label(preview.zone, made_at)))
    facts.append((labels["made"], format_instant(made_at, preview.zone)))
    return [(name, value) for name, value in facts if value]


@cache
def _style() -> str:
    return files("campaign_cli.report").joinpath("templates/style.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("campaign_cli.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["film_text"] = words.film_text
    environment.globals["removed_text"] = words.removed_text
    return environment
