"""What arrived on the stage, held against what was written."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from campaign_cli import platforms
from campaign_cli.i18n import _
from campaign_cli.stage.app import network_class

if TYPE_CHECKING:
    from campaign_cli.models import Draft, Receipt
    from campaign_cli.stage.state import StagePost, StageState

_TAG = re.compile(r"<[^>]+>")


def post_of(state: StageState, account: str, receipt: Receipt) -> StagePost | None:
    """The post that a receipt speaks of; ids may be addresses that end in the id (Bluesky)."""
    return state.post(account, receipt.id.rpartition("/")[2])


def first_comments(state: StageState, posts: Iterable[tuple[StagePost, str]]) -> list[StagePost]:
    """The comment under each of these posts that has the words it was to have; one each."""
    found = []
    for post, words in posts:
        below = (one for one in state.posts_of(post.account) if one.reply_to == post.id and one.text == words)
        found += list(below)[:1] if words else []
    return found


def difference_of(draft: Draft, part: int, post: StagePost | None) -> tuple[str, ...]:
    """Sentences on everything that arrived otherwise than one part of the draft says; empty when all is as written."""
    if post is None:
        return (_("There is a receipt, but no such post on the stage."),)
    written = draft.parts[part]
    found = []
    if not _same_text(draft, written.text, post):
        found.append(_("The text that arrived is not the text of the plan."))
    if [picture.sha256 for picture in written.media] != [media.sha256 for media in post.media]:
        found.append(_("Other pictures arrived, or in another order."))
    network = network_class(draft.platform)
    alts = [picture.alt if network.describes_videos or not picture.is_video else "" for picture in written.media]
    if network.describes and alts != post.alts:
        found.append(_("The alt texts that arrived are not those of the plan."))
    return tuple(found)


def _same_text(draft: Draft, text: str, post: StagePost) -> bool:
    """Equal to the letter where the network takes plain text; where it takes markup, the words that people read."""
    from campaign_cli.platforms import markup

    kind = platforms.get(draft.platform).markup
    if kind == "entities":
        return markup.entities(text)[0] == post.text
    if kind == "markdown":
        written, arrived = Counter(_words(markup.to_html(text))), Counter(_words(f"{post.title} {post.text}"))
        return written <= arrived
    if network_class(draft.platform).in_a_line:
        return " ".join(text.split()) in post.text
    return text == post.text


def _words(text: str) -> list[str]:
    return html.unescape(_TAG.sub(" ", text)).split()
