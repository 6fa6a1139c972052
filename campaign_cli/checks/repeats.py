"""The same words twice on one account: most often a copied post that was not edited yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from campaign_cli.i18n import _
from campaign_cli.models import Problem, Severity

if TYPE_CHECKING:
    from campaign_cli.checks.pipeline import Examined


def said_twice(examined: Examined, now: datetime) -> Iterator[Problem]:
    """Another post of the plan says the same on the same account. Occurrences and ``repeat: true`` are meant so."""
    first: dict[tuple[str, int], int] = {}
    told: set[tuple[int, int]] = set()
    for planned in examined.planned:
        draft = examined.drafts.get(planned.key)
        if examined.loaded is None or draft is None or planned.recurring or planned.post.repeat:
            continue
        words = hash(tuple((part.text, tuple(picture.sha256 for picture in part.media)) for part in draft.parts))
        earlier = first.setdefault((draft.address, words), planned.index)
        if earlier == planned.index or (earlier, planned.index) in told:
            continue
        told.add((earlier, planned.index))
        source = examined.loaded.source
        message = _('The post says the same as the post "{id}" (line {line}); queue will refuse it.').format(
            id=examined.loaded.plan.posts[earlier].id, line=source.place(("posts", earlier)).line
        )
        fix = _('Write something else, or "repeat: true" if it is meant.')
        path = ("posts", planned.index)
        yield source.problem(path, code="P250", severity=Severity.WARNING, message=message, fix=fix)
