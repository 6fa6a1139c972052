"""Reading X's refusals: problem documents, the kinds of 429, and the rate headers.

https://docs.x.com/x-api/fundamentals/response-codes-and-errors · /x-api/fundamentals/rate-limits
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from campaign_cli.errors import Failure, Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.i18n import _
from campaign_cli.platforms.answers import epoch, explain, json_object
from campaign_cli.platforms.base import Answer

_APP_DAY: Final = "x-app-limit-24hour"
_USER_DAY: Final = "x-user-limit-24hour"
_WINDOWS: Final = ("x-rate-limit", _APP_DAY, _USER_DAY)  # each with -limit, -remaining, -reset


def errors(*, reply: bool = False, again: bool = False) -> Callable[[Answer], Exception | None]:
    """X's own table for ``Request.errors``.

    ``reply``: the request answers another post. ``again``: an earlier request for this post may have been carried out,
    so that a refused repetition says that it probably was.
    """

    def read(answer: Answer) -> Exception | None:
        status, problem = answer.status, _problem(answer.text)
        text, kind = explain(answer), str(problem.get("type") or "").rpartition("/")[2]
        if status == 401 or (status == 403 and kind == "unsupported-authentication"):
            return _unauthorized(text)
        if status == 402 or (status in (403, 429) and kind in ("usage-capped", "credits")):
            return _unpaid(text, capped=kind == "usage-capped")
        if status == 429:
            return Unavailable(_throttled(answer.headers).format(text=text), status=429)
        if status == 403 and problem:
            return _forbidden(problem, text=text, reply=reply, again=again)
        return None

    return read


def exhausted_until(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """The latest reset (seconds since the epoch) of the windows of which nothing remains, where it lies ahead."""
    resets = [reset for window in _used_up(headers) if (reset := epoch(headers.get(f"{window}-reset", "")))]
    latest = max(resets, default=None)
    return latest if latest is not None and latest > now else None


def _used_up(headers: Mapping[str, str]) -> list[str]:
    return [window for window in _WINDOWS if headers.get(f"{window}-remaining", "").strip() == "0"]


def _throttled(headers: Mapping[str, str]) -> str:
    """What is used up, in words with a place for X's own."""
    used_up = _used_up(headers)
    if _APP_DAY in used_up:
        return _("This app has used up what X allows it in 24 hours: {text}")
    if _USER_DAY in used_up:
        return _("This account has used up what X allows it in 24 hours: {text}")
    return _("Too many requests for X in a quarter of an hour: {text}")


def _unauthorized(text: str) -> Failure:
    return Unauthorized(
        _("X refused the token: {text}").format(text=text),
        fix=_(
            "It must be a user's token, not the app's own, and such a token ends after two hours: renew the value of "
            "“token” in accounts.yaml, and run: campaign accounts check"
        ),
    )


def _unpaid(text: str, *, capped: bool) -> Failure:
    """Nothing goes until somebody pays or the month is over: no reason to come back by itself."""
    message = _("X refused it: {text}").format(text=text)
    if capped:
        fix = _("The plan's cap for this month is reached: raise it at console.x.com, then: campaign retry")
        return Rejected(message, code="usage-capped", fix=fix)
    return Rejected(message, code="credits", fix=_("Buy credits at console.x.com, then: campaign retry"))


def _forbidden(problem: Mapping[str, Any], *, text: str, reply: bool, again: bool) -> Failure:
    """A 403 names its reason in ``type``, or, for a repetition, in its words alone."""
    message = _("X refused it: {text}").format(text=text)
    if "duplicate content" in str(problem.get("detail") or "").lower():
        if again:
            return Unconfirmed(
                _("X says that it has this text already, perhaps from the try before."), code="duplicate"
            )
        fix = _("X takes the same text only once: write it differently, with the day for example, in a variant.")
        return Rejected(message, code="duplicate", fix=fix)
    if str(problem.get("type") or "").endswith("/client-forbidden"):
        fix = _("At console.x.com, put the app into a project that may post.")
        return Rejected(message, code="client-forbidden", fix=fix)
    if reply:
        fix = _(
            "X lets apps without an enterprise plan reply only where they were mentioned, and may count the parts of a "
            "thread as replies: write one post for X in a variant, or publish the rest by hand."
        )
        return Rejected(message, code="reply", fix=fix)
    fix = _("The app needs “Read and write”, and the token tweet.read, tweet.write, users.read and media.write.")
    return Rejected(message, fix=fix)


def _problem(text: str) -> dict[str, Any]:
    """The problem document; empty where the body is none."""
    data = json_object(text)
    return data if data.get("title") or data.get("detail") else {}
