"""Reading LinkedIn's refusals: ``{status, code, message, serviceErrorCode}``, duplicates, the day's limits.

https://learn.microsoft.com/en-us/linkedin/shared/api-guide/concepts/error-handling · …/rate-limits
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Final

from campaign_cli.errors import Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.i18n import _
from campaign_cli.platforms.answers import explain, json_object
from campaign_cli.platforms.base import Answer

DUPLICATE: Final = "DUPLICATE_POST"
POST_URN: Final = re.compile(r"urn:li:(?:share|ugcPost):\d+")
_DAY_LIMIT: Final = re.compile(r"\b(?:APPLICATION|MEMBER)[ _]DAY\b")
_REPEATED: Final = re.compile(r"duplicate of urn:li:(?:share|ugcPost):\d+", re.IGNORECASE)
_NOT_READY: Final = "MEDIA_ASSET_WAITING_UPLOAD"


def errors(now: Callable[[], datetime], *, again: bool = False) -> Callable[[Answer], Exception | None]:
    """LinkedIn's own table for ``Request.errors``.

    ``again``: an earlier request for this post may have been carried out, so that a refused repetition says that it
    probably was.
    """

    def read(answer: Answer) -> Exception | None:
        status = answer.status
        code, text = str(json_object(answer.text).get("code") or ""), explain(answer)
        message = _("LinkedIn refused it: {text}").format(text=text or status)
        if status == 401:
            return Unauthorized(message, status=status, code=code, fix=_token_fix())
        if status == 429:
            return _throttled(answer, text, now=now())
        if status in (400, 409, 422) and (code == DUPLICATE or _REPEATED.search(text)):
            return _duplicate(text, again=again)
        if status in (400, 422) and _NOT_READY in (code, *text.split()):
            return Unavailable(message, code=_NOT_READY)  # uploaded, and not ready yet: nothing was posted
        if status in (400, 403, 422, 426):
            return Rejected(message, status=status, code=code, fix=_fix(status, code))
        return None

    return read


def next_midnight(now: datetime) -> datetime:
    """When LinkedIn's limits of a day start anew: midnight in UTC."""
    return datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(tzinfo=UTC))


def _throttled(answer: Answer, text: str, *, now: datetime) -> Unavailable:
    """LinkedIn sends neither rate headers nor Retry-After; its words alone say whether the day's limit is reached."""
    daily = _DAY_LIMIT.search(text) is not None
    message = (
        _("LinkedIn's limit for today is reached; it starts anew at midnight UTC: {text}")
        if daily
        else _("Too many requests for LinkedIn: {text}")
    )
    retry_at = next_midnight(now) if daily and "retry-after" not in answer.headers else None
    return Unavailable(message.format(text=text), status=429, retry_at=retry_at)


def _duplicate(text: str, *, again: bool) -> Exception:
    if again:
        return Unconfirmed(
            _("LinkedIn says that it has this post already, perhaps from the try before: {text}").format(text=text),
            code=DUPLICATE,
        )
    return Rejected(
        _("LinkedIn refused it: {text}").format(text=text),
        code=DUPLICATE,
        fix=_("LinkedIn takes the same text only once: write it differently, with the day for example, in a variant."),
    )


def _token_fix() -> str:
    return _(
        "A token of LinkedIn ends after 60 days: sign in again, renew the value of “token”, and run: campaign accounts "
        "check"
    )


def _fix(status: int, code: str) -> str:
    if status == 426 or code == "NONEXISTENT_VERSION":
        return _(
            "LinkedIn has retired this version of its API: write a newer one as version in accounts.yaml, as year and "
            "month (YYYYMM)."
        )
    if status == 403:
        return _(
            "For a page the app needs w_organization_social, and the member must be its administrator or content "
            "administrator; for a person it needs w_member_social."
        )
    return ""
