"""The first comment under a post that is out: written once, and never a reason to doubt the post.

https://developers.facebook.com/docs/graph-api/reference/object/comments
https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-media/comments
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from campaign_cli.errors import Failure, Held, Rejected, Unavailable, Unconfirmed
from campaign_cli.i18n import _, ngettext
from campaign_cli.models import Draft
from campaign_cli.platforms.answers import ask
from campaign_cli.platforms.base import Request, Sending
from campaign_cli.platforms.graph_answers import GONE

FIELD: Final = "first_comment"
_IN_DOUBT: Final = "?"  # value of the step while nobody knows; else it is the comment's number
_WAITS: Final = (2.0, 5.0, 10.0)  # seconds: what was published a moment ago may not be there for everybody yet


def wanted(draft: Draft) -> str:
    """The comment's text; empty where there is to be none."""
    return str(draft.native.get(FIELD) or "").strip()


def objections(draft: Draft, *, limit: int) -> Iterator[Rejected]:
    """What the network would refuse of it; ``limit`` is in characters."""
    length = len(wanted(draft))
    if length > limit:
        message = ngettext(
            "The first comment has {used} characters; {n} is the most.",
            "The first comment has {used} characters; {n} are the most.",
            limit,
        ).format(used=length, n=limit)
        yield Rejected(message, code=FIELD, fix=_("Shorten it."))
    if length and len(draft.parts) > 1:
        message = _("The parts of a thread are comments here already, so that a first comment would be the last.")
        yield Rejected(message, code=FIELD, fix=_("Write it as a part of the thread, or leave out the thread here."))


async def write(sending: Sending, request: Callable[[str], Request]) -> str:
    """Write it, unless an earlier try may have done so; what is to be told to people, or nothing where it is there.

    Raises Held, ClaimLost, LedgerError.
    """
    known = sending.steps.get(FIELD)
    if known:
        return _doubtful("") if known == _IN_DOUBT else ""
    for seconds in (*_WAITS, None):
        await sending.keep(FIELD, _IN_DOUBT)
        try:
            identifier = await ask(sending.http, request(wanted(sending.draft)), lambda body: str(body["id"]))
        except Unconfirmed as failure:
            return _doubtful(failure.message)
        except (Failure, Held) as failure:
            await sending.keep(FIELD, None)
            if isinstance(failure, Held):
                raise
            if seconds is None or not _passes(failure):
                return _missing(failure)
            await sending.sleep(seconds)
        else:
            await sending.keep(FIELD, identifier)
            break
    return ""


def _passes(failure: Failure) -> bool:
    """Whether it may be better in a moment."""
    return failure.code in GONE or (isinstance(failure, Unavailable) and failure.retry_at is None)


def _missing(failure: Failure) -> str:
    reason = " → ".join(filter(None, (failure.message, failure.fix)))
    return _("The post is out, but not its first comment: {reason} Write it by hand.").format(reason=reason)


def _doubtful(reason: str) -> str:
    words = _("The post is out. Whether its first comment is there is not known: look, and write it by hand if not.")
    return " ".join(filter(None, (words, reason)))
