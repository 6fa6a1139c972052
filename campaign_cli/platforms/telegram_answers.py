"""Reading the Bot API's answers: sent messages, permalinks and refusals.

https://core.telegram.org/bots/api#making-requests
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from campaign_cli.errors import Rejected, Unauthorized, Unavailable
from campaign_cli.i18n import _
from campaign_cli.models import Receipt
from campaign_cli.platforms.answers import NOT_TAKEN, epoch, explain, in_seconds, json_object
from campaign_cli.platforms.base import Answer, Sending

_REST: Final = timedelta(seconds=60)


def message(data: Any) -> Mapping[str, Any]:
    """The sent message. Raises KeyError or TypeError where the answer holds none."""
    result = dict(data["result"])
    if "id" not in result["chat"]:
        raise KeyError("id")
    return result | {"message_id": result["message_id"]}


def messages(data: Any) -> list[Mapping[str, Any]]:
    """The messages of an album. Raises KeyError or TypeError where the answer holds none."""
    sent = [message({"result": item}) for item in data["result"]]
    if not sent:
        raise KeyError("result")
    return sent


def receipt(sending: Sending, sent: Sequence[Mapping[str, Any]]) -> Receipt:
    """The proof of a part: the first message counts, all of them stand in ``extra`` (``delete`` needs them)."""
    first = sent[0]
    return Receipt(
        part=sending.part,
        id=str(first["message_id"]),
        url=permalink(first["chat"], first["message_id"]),
        at=epoch(first.get("date")) or sending.now(),
        extra={"chat": first["chat"]["id"], "messages": [item["message_id"] for item in sent]},
    )


def permalink(chat: Mapping[str, Any], number: object) -> str | None:
    """None where Telegram gave no number yet (0: put off by the server)."""
    if not number:
        return None
    if chat.get("username"):
        return f"https://t.me/{chat['username']}/{number}"
    return f"https://t.me/c/{str(chat['id']).removeprefix('-100')}/{number}"


def errors(now: Callable[[], datetime]) -> Callable[[Answer], Exception | None]:
    """The Bot API's own table for ``Request.errors``; ``now`` dates its ``retry_after`` seconds."""

    def read(answer: Answer) -> Exception | None:
        data = json_object(answer.text)
        if data.get("ok") is True or not isinstance(data.get("error_code", answer.status), int):
            return None
        status = int(data.get("error_code", answer.status))
        if status < 400 or (status >= 500 and "error_code" not in data) or status in NOT_TAKEN - {429}:
            return None
        if status == 429:
            return _throttled(answer, dict(data.get("parameters") or {}), now=now())
        return _failure(status, parameters=dict(data.get("parameters") or {}), text=explain(answer))

    return read


def _throttled(answer: Answer, parameters: Mapping[str, Any], *, now: datetime) -> Unavailable:
    """Too many requests: the Bot API names the seconds in the body; the transport reads a header of a server before it.

    Where nobody says how long, a minute, which is what Telegram counts in.
    """
    message = _("Telegram refused it: {text}").format(text=explain(answer))
    seconds = parameters.get("retry_after")
    if isinstance(seconds, int | float):
        return Unavailable(message, status=429, retry_at=in_seconds(seconds, now) or now + _REST)
    return Unavailable(message, status=429, retry_at=None if "retry-after" in answer.headers else now + _REST)


def _failure(status: int, *, parameters: Mapping[str, Any], text: str) -> Exception | None:
    message = _("Telegram refused it: {text}").format(text=text)
    if status in {401, 404}:  # an unknown token makes the whole address unknown
        fix = _("Copy the bot's token from @BotFather again; it is the value of “token” in accounts.yaml.")
        return Unauthorized(message, status=status, fix=fix)
    if "migrate_to_chat_id" in parameters:
        number = parameters["migrate_to_chat_id"]
        fix = _('The group has a new number: write channel: "{number}" in accounts.yaml.').format(number=number)
        return Rejected(message, status=status, code="migrated", fix=fix)
    if status == 403 or "chat not found" in text.lower() or "rights" in text.lower():
        fix = _("Make the bot an administrator of the channel with the right to post, and check the channel's name.")
        return Rejected(message, status=status, fix=fix)
    if 400 <= status < 500:
        return Rejected(message, status=status)
    return None
