"""Reading TikTok's refusals: a code in the body, also of a 200; and why a post that had begun has failed.

https://developers.tiktok.com/doc/content-posting-api-reference-direct-post
https://developers.tiktok.com/doc/content-posting-api-reference-get-video-status
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from campaign_cli.errors import Failure, Rejected, Unauthorized, Unavailable
from campaign_cli.i18n import _
from campaign_cli.platforms.answers import explain, json_object
from campaign_cli.platforms.base import Answer

OK: Final = "ok"
MINUTE: Final = timedelta(minutes=1)  # TikTok counts requests by the minute
DAY: Final = timedelta(days=1)
_TOKEN: Final = frozenset({"access_token_invalid", "scope_not_authorized", "scope_permission_missed", "auth_removed"})
_TOMORROW: Final = frozenset(
    {"spam_risk_too_many_posts", "spam_risk_too_many_pending_share", "reached_active_user_cap"}
)
_TRANSIENT: Final = frozenset({"internal", "internal_error", "video_pull_failed", "photo_pull_failed"})


def errors(now: datetime) -> Callable[[Answer], Exception | None]:
    """TikTok's own table for ``Request.errors``; ``now`` (aware) is what waits count from."""

    def read(answer: Answer) -> Exception | None:
        code, text = code_of(answer.text), explain(answer)
        if answer.status >= 500 or code in _TRANSIENT:
            return None  # whether it was carried out, the request itself says
        if answer.status == 429 or code == "rate_limit_exceeded":
            at = None if "retry-after" in answer.headers else now + MINUTE
            message = _("Too many requests for TikTok: {text}").format(text=text)
            return Unavailable(message, status=429, code=code, retry_at=at)
        if code in ("", OK):
            return _unauthorized(text, code=code) if answer.status == 401 else None
        return refusal(code, text, now=now)

    return read


def code_of(text: str) -> str:
    """The code in a JSON body; "" where there is none."""
    error = json_object(text).get("error")
    code = error.get("code") if isinstance(error, Mapping) else None
    return code if isinstance(code, str) else ""


def data_of(body: Any) -> Mapping[str, Any]:
    """What a good answer holds. Raises KeyError where the body says nothing of the kind."""
    if body["error"]["code"] != OK:
        raise KeyError("ok")
    data = body["data"]
    if not isinstance(data, Mapping):
        raise KeyError("data")
    return data


def refusal(code: str, text: str, *, now: datetime) -> Failure:
    """What a code means, of an answer or of a post that failed."""
    if code in _TOKEN:
        return _unauthorized(text, code=code)
    if code in _TOMORROW:
        message = _("TikTok takes no more posts through its interface today: {text}").format(text=text)
        return Unavailable(message, code=code, retry_at=now + DAY)
    if code in _TRANSIENT:
        message = _("TikTok could not make the post: {text}").format(text=text)
        return Unavailable(message, code=code)
    return Rejected(_("TikTok refused it: {code}: {text}").format(code=code, text=text), code=code, fix=_fix(code))


def _unauthorized(text: str, *, code: str) -> Failure:
    return Unauthorized(
        _("TikTok refused the token: {text}").format(text=text),
        code=code,
        fix=_("Sign in again and allow everything that is asked for: campaign accounts login"),
    )


def _fix(code: str) -> str:
    fixes: Mapping[str, str] = {
        "unaudited_client_can_only_post_to_private_accounts": _(
            "Until TikTok has audited the app: set the account to private in TikTok, and write visibility: private."
        ),
        "privacy_level_option_mismatch": _("Choose another visibility: campaign accounts check shows the possible."),
        "url_ownership_unverified": _("Add the media_host's address to the app's URL properties at TikTok."),
        "spam_risk_text": _("TikTok takes the text for spam: write it differently, with fewer links and hashtags."),
        "spam_risk": _("TikTok takes the post for spam. Post it by hand in the app, or leave it out."),
        "spam_risk_user_banned_from_posting": _("TikTok has banned this account from posting: look into the app."),
        "file_format_check_failed": _("Export the video as MP4 (H.264); pictures must be JPEG or WebP."),
        "duration_check_failed": _("Cut the video: campaign accounts check shows how long it may be."),
        "frame_rate_check_failed": _("Export the video with 23 to 60 pictures a second."),
        "picture_size_check_failed": _("Videos need 360 to 4,096 pixels on each side, pictures at most 1080p."),
    }
    return fixes.get(code, "")
