"""Hashtags that no network would read as one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from campaign_cli.content.hashtags import is_hashtag, normal_hashtag
from campaign_cli.i18n import _
from campaign_cli.models import Problem, Severity

if TYPE_CHECKING:
    from campaign_cli.checks.pipeline import Examined


def broken_hashtags(examined: Examined, now: datetime) -> Iterator[Problem]:
    """A space or a hyphen ends a hashtag, and digits alone are none."""
    if examined.loaded is None:
        return
    loaded = examined.loaded
    written: list[tuple[tuple[str | int, ...], tuple[str, ...]]] = [(("hashtags",), loaded.plan.hashtags)]
    for index, post in enumerate(loaded.plan.posts):
        if post.hashtags:
            written.append((("posts", index, "hashtags"), post.hashtags))
        for name, variant in post.variants.items():
            written.append((("posts", index, "variants", name, "hashtags"), variant.hashtags or ()))
    for path, tags in written:
        for number, tag in enumerate(tags):
            if not is_hashtag(tag):
                message = _("Networks do not read {tag} as one hashtag.").format(tag=normal_hashtag(tag))
                fix = _("Use letters, digits and _ only, with at least one letter.")
                yield loaded.source.problem(
                    (*path, number), code="P251", severity=Severity.WARNING, message=message, fix=fix
                )
