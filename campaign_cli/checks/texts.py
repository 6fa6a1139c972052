"""What a plan's posts say, each distinct text once, with the place where it is written."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from campaign_cli import platforms
from campaign_cli.content.hashtags import normal_hashtag

if TYPE_CHECKING:
    from campaign_cli.checks.pipeline import Examined
    from campaign_cli.content.variants import Chosen, Path
    from campaign_cli.models import Draft
    from campaign_cli.plan.expand import Planned

TEXT, ALT, LINK, HASHTAG, FILE = "text", "alt", "link", "hashtag", "file"
"""What a text is; a network's own field (title, slug, cw …) goes by its name."""
SENTENCES: Final = frozenset({"title", "excerpt", "cw"})
"""The networks' own fields in which people write sentences."""


class Said(NamedTuple):
    """One text as it will be sent, its path in the plan, the deliveries that say it there, and what kind it is."""

    text: str
    path: Path
    planned: tuple[Planned, ...]
    kind: str


class Composed(NamedTuple):
    """A delivery with its draft, and what was chosen for it among the variants of its post, with its places."""

    planned: Planned
    draft: Draft
    chosen: Chosen


def texts_of(examined: Examined) -> list[Said]:
    """Every text of the drafts in the plan's order: parts, hashtags, links, native fields, alt texts, file names.

    One that several deliveries say at the same place is told once. Hashtags that are added below a text are told as
    hashtags, at their place, and not as a part of the text. Asked through ``Examined.texts``, which keeps the answer.
    """
    found: dict[tuple[str, Path, str], list[Planned]] = {}
    for planned, draft, chosen in examined.chosen:
        for text, path, kind in _of_draft(draft, chosen):
            if text:
                found.setdefault((text, path, kind), []).append(planned)
    return [Said(text, path, tuple(planned), kind) for (text, path, kind), planned in found.items()]


def composed(examined: Examined) -> Iterator[Composed]:
    """Every delivery that has a draft. Asked through ``Examined.chosen``, which keeps the answer."""
    for planned in examined.planned:
        draft = examined.drafts.get(planned.key)
        if draft is not None and draft.platform in platforms.PLATFORMS:  # of others nobody knows what they show
            yield Composed(planned, draft, examined.choices.of(planned))


def _of_draft(draft: Draft, chosen: Chosen) -> Iterator[tuple[str, Path, str]]:
    body = chosen.path("body")
    tags = tuple(map(normal_hashtag, chosen.hashtags))
    written = len(chosen.parts) == len(draft.parts)
    for number, part in enumerate(draft.parts):
        yield _without_tags(part.text, tags), (*body, number) if written else body, TEXT
    said = "\n".join(part.text for part in draft.parts)
    for number, tag in enumerate(tags):
        if tag in said:
            yield tag, (*chosen.path("hashtags"), number), HASHTAG
    if draft.link:
        yield draft.link, chosen.path("link"), LINK
    for name, value in sorted(draft.native.items()):
        if isinstance(value, str):
            yield value, chosen.path(name), name
        elif isinstance(value, list | tuple):
            for number, item in enumerate(value):
                yield str(item), (*chosen.path(name), number), name
    for number, picture in enumerate(draft.pictures):
        media = (*chosen.path("media"), number)
        yield picture.alt, (*chosen.path("alt"), number) if number < len(chosen.alts) else (*media, "alt"), ALT
        yield picture.name, (*media, "file"), FILE


def _without_tags(text: str, tags: Collection[str]) -> str:
    """The text without the hashtags of the plan at its end."""
    while tags:
        rest, sign, last = text.rpartition("#")
        if sign + last not in tags:
            break
        text = rest.rstrip()
    return text
