"""Reading the answers of Meta's Graph API (Facebook, Instagram, Threads): error codes and usage headers.

Throttling and dead tokens come as 400 or 403 with a code in the body, so the code decides and not the status.

https://developers.facebook.com/docs/graph-api/guides/error-handling · /docs/graph-api/overview/rate-limiting
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from json import loads
from typing import Any, Final

from campaign_cli.errors import Failure, Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.i18n import _
from campaign_cli.platforms.answers import NOT_TAKEN, in_seconds, json_object
from campaign_cli.platforms.base import Answer, Session

DUPLICATE: Final = 506
GONE: Final = frozenset({"100/33", "803"})  # no object of that id, or none that this token may see
_TOKEN: Final = frozenset({102, 190})
_TEMPORARY: Final = frozenset({1, 2})  # "possibly a temporary issue": it may have been carried out all the same
_THROTTLED: Final = frozenset({4, 17, 32, 341, 613, *range(80000, 80100)})
_PERMISSIONS: Final = frozenset({3, 10, *range(200, 300)})
_BLOCKED: Final = 368
_REST: Final = timedelta(minutes=10)  # where Meta names no time; every call meanwhile would make it longer
_SHARES: Final = ("call_count", "total_cputime", "total_time")  # per cent of what is allowed
_LOG_IN_FIRST: Final = frozenset({459, 464})
_NO_ROLE: Final = 492


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphError:
    """Meta's ``error`` object. ``subcode`` is 0 where there is none; ``text`` is its own explanation."""

    code: int
    subcode: int
    text: str
    transient: bool

    @property
    def name(self) -> str:
        """``CODE/SUBCODE`` or ``CODE``: ``Failure.code`` of what it becomes."""
        return f"{self.code}/{self.subcode}" if self.subcode else str(self.code)


Table = Callable[[GraphError, Answer], Failure | None]
"""A network's own rows, asked before those that all three share."""


def error_of(answer: Answer) -> GraphError | None:
    """The error object of an answer, or None where it has none."""
    error = json_object(answer.text).get("error")
    if not isinstance(error, dict) or not _is_number(error.get("code")):
        return None
    told = [error[key] for key in ("error_user_title", "error_user_msg") if isinstance(error.get(key), str)]
    text = ": ".join(part for part in told if part) or str(error.get("message") or error.get("type") or "")
    return GraphError(
        code=error["code"],
        subcode=error["error_subcode"] if _is_number(error.get("error_subcode")) else 0,
        text=text,
        transient=error.get("is_transient") is True,
    )


def errors(
    session: Session, *, title: str, creating: bool = False, own: Table | None = None
) -> Callable[[Answer], Exception | None]:
    """The table for ``Request.errors``; ``title`` is the network's name for people, ``own`` its own rows.

    Unauthorized: the token. Unavailable: throttled, with the instant to come back. Codes 1 and 2 say nothing of what
    was done: Unconfirmed for a creating request, else Unavailable. Any other code of a 4xx is Rejected.
    """

    def read(answer: Answer) -> Exception | None:
        error = error_of(answer)
        if error is None:
            return None
        failure = own(error, answer) if own is not None else None
        return failure or _failure(error, answer, session=session, title=title, creating=creating)

    return read


def refused(error: GraphError, *, title: str) -> str:
    """The message for people."""
    return _("{title} refused it: {text} (error {code})").format(title=title, text=error.text, code=error.name)


def mixed_up(found: str, wanted: str) -> Rejected:
    """The token is another account's."""
    return Rejected(
        _("The token belongs to {found}, accounts.yaml says {wanted}.").format(found=found, wanted=wanted),
        fix=_("Correct the account, or take the token of the right one."),
    )


def throttled(error: GraphError, answer: Answer, *, session: Session, title: str) -> Unavailable:
    """Not taken for now: until the usage headers' instant, else for ten minutes."""
    now = session.now()
    retry_at = None if "retry-after" in answer.headers else pause_until(answer.headers, now) or now + _REST
    message = _("Too many calls for {title}: {text} (error {code})").format(
        title=title, text=error.text, code=error.name
    )
    return Unavailable(message, status=answer.status, code=error.name, retry_at=retry_at)


def pause_until(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When the usage headers let this account go on: the longest ``estimated_time_to_regain_access`` (minutes) of
    X-Business-Use-Case-Usage; ten minutes where X-App-Usage or X-Page-Usage is full, which name no time; else None."""
    minutes = [float(row["estimated_time_to_regain_access"]) for row in _use_cases(headers)]
    if longest := max(minutes, default=0.0):
        return in_seconds(longest * 60, now)
    used_up = any(_is_full(_header(headers, name)) for name in ("x-app-usage", "x-page-usage"))
    return now + _REST if used_up else None


def _failure(error: GraphError, answer: Answer, *, session: Session, title: str, creating: bool) -> Exception | None:
    message, status = refused(error, title=title), answer.status
    if error.code in _TOKEN:
        return Unauthorized(message, status=status, code=error.name, fix=_token_fix(error.subcode))
    if error.code in _THROTTLED:
        return throttled(error, answer, session=session, title=title)
    if error.code in _TEMPORARY or error.transient:
        return (Unconfirmed if creating else Unavailable)(message, status=status, code=error.name)
    if not 400 <= status < 500 or status in NOT_TAKEN | {401}:
        return None
    return Rejected(message, status=status, code=error.name, fix=_fix(error.code))


def _token_fix(subcode: int) -> str:
    """https://developers.facebook.com/docs/graph-api/guides/error-handling (authentication error subcodes)"""
    if subcode in _LOG_IN_FIRST:
        return _("Log in on the network's own page or app first and do what it asks, then: campaign accounts login")
    if subcode == _NO_ROLE:
        return _("The person behind the token has no role on the page any more: let somebody sign in who has one.")
    return _("Sign in again and renew the token: campaign accounts login")


def _fix(code: int) -> str:
    if code in _PERMISSIONS:
        return _(
            "The token lacks a permission, or the person behind it a task on the page: campaign accounts check says "
            "which; sign in again and tick them all."
        )
    if code == _BLOCKED:
        return _("The network has blocked this action for a while: look at the account there before you send again.")
    if code == DUPLICATE:
        return _("The network takes the same text only once in a row: write it differently in a variant.")
    return ""


def _use_cases(headers: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    """The rows of X-Business-Use-Case-Usage that name a waiting time."""
    for rows in _header(headers, "x-business-use-case-usage").values():
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict) and _is_number(row.get("estimated_time_to_regain_access")):
                yield row


def _is_full(usage: Mapping[str, Any]) -> bool:
    return any(_is_number(usage.get(key)) and usage[key] >= 100 for key in _SHARES)


def _header(headers: Mapping[str, str], name: str) -> Mapping[str, Any]:
    try:
        data = loads(headers.get(name, "{}"))
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
