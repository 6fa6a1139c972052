"""Reading YouTube's refusals: by their reason, since one status stands for much.

https://developers.google.com/youtube/v3/docs/errors · https://developers.google.com/youtube/v3/docs/videos/insert#errors
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from campaign_cli.errors import Failure, Rejected, Unauthorized, Unavailable
from campaign_cli.i18n import _
from campaign_cli.platforms.answers import explain, json_object
from campaign_cli.platforms.base import Answer

GONE: Final = (404, 410)
QUOTA_ZONE: Final = "America/Los_Angeles"
"""Quotas begin anew at midnight there. https://developers.google.com/youtube/v3/determine_quota_cost"""
_ABSENT: Final = frozenset({"notFound", "videoNotFound"})
_DAY_USED_UP: Final = frozenset({"quotaExceeded", "dailyLimitExceeded"})
_TOO_FAST: Final = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "servingLimitExceeded"})
_NO_RIGHT: Final = frozenset({"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "authError"})
_NO_CHANNEL: Final = frozenset({"youtubeSignupRequired", "channelNotFound"})
_NO_ACCOUNT: Final = frozenset(
    {
        "accountDelegationForbidden",
        "authenticatedUserAccountClosed",
        "authenticatedUserAccountSuspended",
        "authenticatedUserNotChannel",
        "channelClosed",
        "channelSuspended",
    }
)
_NOT_SET_UP: Final = frozenset({"accessNotConfigured", "SERVICE_DISABLED"})


def errors(now: datetime) -> Callable[[Answer], Exception | None]:
    """YouTube's own table for ``Request.errors``; ``now`` (aware) tells when the quota begins anew."""

    def read(answer: Answer) -> Exception | None:
        reason, text = reason_of(answer.text), explain(answer)
        if not 400 <= answer.status < 500 or reason in _ABSENT:  # what may be absent, the request itself says
            return None
        return _used_up(answer.status, reason, text, now=now) or _refused(answer.status, reason, text)

    return read


def reason_of(text: str) -> str:
    """The reason of an error in its JSON body; "" where there is none."""
    error = json_object(text).get("error")
    if not isinstance(error, Mapping):
        return ""
    for name in ("errors", "details"):
        listed = error.get(name)
        for each in listed if isinstance(listed, list) else ():
            reason: Any = each.get("reason") if isinstance(each, Mapping) else None
            if isinstance(reason, str) and reason:
                return reason
    return ""


def next_quota_day(now: datetime) -> datetime:
    """The next midnight of the Pacific coast, when quotas begin anew (aware)."""
    from zoneinfo import ZoneInfo

    there = now.astimezone(ZoneInfo(QUOTA_ZONE))
    return (there + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def _used_up(status: int, reason: str, text: str, *, now: datetime) -> Failure | None:
    """What goes again after a while."""
    if status == 429 or reason in _TOO_FAST:
        return Unavailable(_("Too many requests for YouTube: {text}").format(text=text), code=reason)
    if reason in _DAY_USED_UP:
        message = _("The project has used up what YouTube allows it for today: {text}").format(text=text)
        return Unavailable(message, code=reason, retry_at=next_quota_day(now))
    if reason == "uploadLimitExceeded":
        message = _("The channel has uploaded as many videos as YouTube allows in 24 hours: {text}").format(text=text)
        return Unavailable(message, code=reason, retry_at=now + timedelta(days=1))
    return None


def _refused(status: int, reason: str, text: str) -> Failure | None:
    """What a person must change, where the reason tells."""
    if reason in _NO_CHANNEL:
        fix = _("Sign in to YouTube with this account, make a channel, then: campaign retry")
        return Rejected(_("This Google account has no channel: {text}").format(text=text), code=reason, fix=fix)
    if status == 401 or reason in _NO_RIGHT:
        fix = _("Sign in again and allow everything that is asked for: campaign accounts login")
        return Unauthorized(_("YouTube refused the token: {text}").format(text=text), code=reason, fix=fix)
    if not reason:
        return None
    message = _("YouTube refused it: {reason}: {text}").format(reason=reason, text=text)
    return Rejected(message, code=reason, fix=_fix(reason))


def _fix(reason: str) -> str:
    fixes: Mapping[str, str] = {
        "invalidTitle": _("Write another title: at least one character, at most 100, without < and >."),
        "invalidDescription": _("Shorten the text to 5,000 bytes, and write it without < and >."),
        "invalidTags": _("Use fewer or shorter tags: 500 characters in all."),
        "invalidCategoryId": _("Correct the category in accounts.yaml, or leave it out."),
        "invalidVideoMetadata": _("Check title, text and tags: YouTube takes no < and >."),
        "mediaBodyRequired": _("The file is empty or no video: export it again as MP4."),
        "forbidden": _("Let the channel's owner give this Google account the right to upload."),
    }
    if reason in _NO_ACCOUNT:
        return _("Sign in to YouTube with this account and see what it says there.")
    if reason in _NOT_SET_UP:
        return _("Switch on the YouTube Data API v3 for the project at console.cloud.google.com.")
    return fixes.get(reason, "")
