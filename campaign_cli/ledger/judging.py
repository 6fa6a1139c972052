"""What the rules of content say of what ``queue`` is about to write, and which waivers it is queued with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from campaign_cli.checks import times, waivers
from campaign_cli.checks.pipeline import Examined, judge
from campaign_cli.models import Draft

if TYPE_CHECKING:
    from campaign_cli.ledger.difference import Difference, Drawing
    from campaign_cli.ledger.values import NewDelivery
    from campaign_cli.plan.expand import Planned
    from campaign_cli.plan.load import LoadedPlan


def judge_fresh(
    found: Difference,
    planned: Sequence[Planned],
    *,
    loaded: LoadedPlan,
    drawing: Drawing,
    now: datetime,
) -> None:
    """Judge everything that is drawn anew; its problems, and what is waived, are added to ``found``.

    Of what stays as it is, only the day is judged again: days of silence may have been named since it was queued.
    """
    fresh = (*found.new, *found.changed, *(move.delivery for move in found.moved))
    drafts = {one.key: Draft.from_json(one.draft_json) for one in fresh}
    judged = [one for one in planned if one.key in drafts]
    examined = Examined(loaded=loaded, planned=judged, drafts=drafts, media=drawing.media)
    examined.choices = drawing.choices
    judge(examined, now=now)
    same = set(found.same)
    staying = Examined(loaded=loaded, planned=[one for one in planned if one.key in same])
    judge(staying, now=now, rules=(times.silent_days,))
    found.problems += (*examined.problems, *staying.problems)
    found.waived += dict.fromkeys((*examined.waived, *staying.waived))
    used = waivers.by_post(examined.waived)
    if not used:
        return
    of_key = {one.key: {**used.get(None, {}), **used.get(one.index, {})} for one in examined.planned}
    found.new = [_with_waivers(one, of_key) for one in found.new]
    found.changed = [_with_waivers(one, of_key) for one in found.changed]
    found.moved = [replace(move, delivery=_with_waivers(move.delivery, of_key)) for move in found.moved]


def _with_waivers(one: NewDelivery, of_key: Mapping[str, Mapping[str, str]]) -> NewDelivery:
    used = of_key[one.key]
    return replace(one, input_hash=waivers.mark(used) + one.input_hash, waived=used) if used else one
