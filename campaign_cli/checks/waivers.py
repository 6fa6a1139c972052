"""What a plan says does not count, with its reason: ``waive: {E003: "Quotation from the judgement"}``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from campaign_cli.checks.codes import CODES
from campaign_cli.i18n import _
from campaign_cli.models import Problem, Severity
from campaign_cli.source import suggest

if TYPE_CHECKING:
    from datetime import datetime

    from campaign_cli.checks.pipeline import Examined, Waived
    from campaign_cli.content.variants import Path
    from campaign_cli.plan.load import LoadedPlan

SHORTEST: Final = 10
"""Characters that a reason has at least: “ok” is none."""
_POST: Final = re.compile(r"posts\[(\d+)\]")


def may_be_waived(code: str) -> bool:
    """Whether a reason can outweigh the rule: those of safety, of ethics, and of quiet hours."""
    return code in CODES and (code[0] in "SE" or code == "T102")


def unusable(loaded: LoadedPlan) -> Iterator[Problem]:
    """Waivers of what can't be waived, or without a reason; they do not count."""
    for path, code, reason in _written(loaded):
        if not may_be_waived(code):
            allowed = [known for known in CODES if may_be_waived(known)]
            message = _("{code} can't be waived.").format(code=code) + suggest(code, allowed)
            fix = _("Rules of safety (S), of ethics (E) and of quiet hours (T102) can be; correct the rest.")
        elif len(reason.strip()) < SHORTEST:
            message = _("The waiver of {code} has no reason.").format(code=code)
            fix = _("Write why, in at least {n} characters: who reads the log must understand it.").format(n=SHORTEST)
        else:
            continue
        yield loaded.source.problem(
            path, code="P260", severity=Severity.ERROR, message=message, fix=fix, key=not may_be_waived(code)
        )


def in_force(loaded: LoadedPlan, index: int | None) -> dict[str, str]:
    """Code → reason of the waivers that count for a post (its place in the plan; None: for the plan as a whole)."""
    found = dict(loaded.plan.waive)
    if index is not None:
        found |= loaded.plan.posts[index].waive
    return {code: reason.strip() for code, reason in found.items() if _counts(code, reason)}


def reason_for(problem: Problem, loaded: LoadedPlan) -> str | None:
    """Why a problem does not count, or None where it does."""
    if not may_be_waived(problem.code) or problem.file != loaded.source.file:
        return None
    return in_force(loaded, index_of(problem)).get(problem.code)


def index_of(problem: Problem) -> int | None:
    """The place in the plan of the post that a problem is about; None where it is about no post alone."""
    match = _POST.match(problem.path)
    return int(match[1]) if match else None


def unused(examined: Examined, now: datetime) -> Iterator[Problem]:
    """Waivers of posts still to come that found nothing; not while a post can't be drawn, since nobody knows then."""
    loaded = examined.loaded
    if loaded is None or len(examined.drafts) < len(examined.planned):
        return
    used = {(index_of(waived.problem), waived.problem.code) for waived in examined.waived}
    coming = {planned.index for planned in examined.planned if planned.due >= now}
    for path, code, reason in _written(loaded):
        if not _counts(code, reason) or not coming:
            continue
        if path[0] == "posts":
            idle = path[1] in coming and (path[1], code) not in used
        else:
            idle = not any(one == code and not _of_post(loaded, index, code) for index, one in used)
        if idle:
            message = _("Nothing was found that the waiver of {code} would waive.").format(code=code)
            fix = _("Delete it, or write it at the post that it is meant for.")
            yield loaded.source.problem(path, code="P261", severity=Severity.HINT, message=message, fix=fix, key=True)


def by_post(waived: Iterable[Waived]) -> dict[int | None, dict[str, str]]:
    """Code → reason of what was waived, for each post by its place in the plan."""
    found: dict[int | None, dict[str, str]] = {}
    for one in waived:
        found.setdefault(index_of(one.problem), {})[one.problem.code] = one.reason
    return found


def in_words(used: Mapping[str, str]) -> list[str]:
    """What was waived (code → reason) for people who decide on it, one line each, with the title of the rule."""
    text = _("waived: {code} ({title}). Reason: {reason}")
    return [
        text.format(code=code, title=_(CODES[code][0]) if code in CODES else "–", reason=reason)
        for code, reason in sorted(used.items())
    ]


def mark(used: Mapping[str, str]) -> str:
    """Which waivers something was queued with, as a part of the hash of its inputs; empty without any."""
    if not used:
        return ""
    return "~" + ",".join(f"{code}={_short(reason)}" for code, reason in sorted(used.items())) + "~"


def unmarked(input_hash: str) -> tuple[str, str]:
    """The mark in front of a hash, and the hash itself."""
    if not input_hash.startswith("~"):
        return "", input_hash
    _none, codes, rest = input_hash.split("~", 2)
    return f"~{codes}~", rest


def stands(written: str, loaded: LoadedPlan, index: int) -> bool:
    """Whether every waiver of a mark is still in force for a post, with the same reason."""
    now = in_force(loaded, index)
    codes = [one.partition("=")[0] for one in written.strip("~").split(",") if one]
    return mark({code: now.get(code, "") for code in codes}) == written


def _counts(code: str, reason: str) -> bool:
    return may_be_waived(code) and len(reason.strip()) >= SHORTEST


def _of_post(loaded: LoadedPlan, index: int | None, code: str) -> bool:
    """Whether the post itself waives it, and not the plan."""
    return index is not None and _counts(code, loaded.plan.posts[index].waive.get(code, ""))


def _written(loaded: LoadedPlan) -> Iterator[tuple[Path, str, str]]:
    """Path, code and reason of each."""
    for code, reason in loaded.plan.waive.items():
        yield ("waive", code), code, reason
    for index, post in enumerate(loaded.plan.posts):
        for code, reason in post.waive.items():
            yield ("posts", index, "waive", code), code, reason


def _short(reason: str) -> str:
    return hashlib.sha256(reason.encode("utf-8", "surrogatepass")).hexdigest()[:8]
