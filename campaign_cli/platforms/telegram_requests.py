"""What is asked of the Bot API: a channel's settings, the fields that every message has, files, and the request itself.

https://core.telegram.org/bots/api#making-requests
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from json import dumps
from typing import Any, Final, TypeVar

from pydantic import field_validator

from campaign_cli.i18n import _
from campaign_cli.models import Account, Picture
from campaign_cli.platforms import base
from campaign_cli.platforms.addresses import WebAddress
from campaign_cli.platforms.answers import ask
from campaign_cli.platforms.base import Request, Sending, Session, Upload
from campaign_cli.platforms.telegram_answers import errors
from campaign_cli.source.shapes import finding

T = TypeVar("T")
_NAME: Final = re.compile(r"@?([A-Za-z]\w{3,31})", re.ASCII)
_LINK: Final = re.compile(r"(?:https?://)?t\.me/([A-Za-z]\w{3,31})/?", re.ASCII | re.IGNORECASE)
_NUMBER: Final = re.compile(r"-?\d{1,15}", re.ASCII)


class Settings(base.Settings):
    """A channel of which the bot is an administrator; ``url`` only for a Bot API server of one's own."""

    channel: str
    token: str
    url: WebAddress = "https://api.telegram.org"

    @field_validator("channel", mode="before")
    @classmethod
    def _known_form(cls, value: object) -> str:
        """``@name`` in lower case, or the number as text; ``t.me/name`` is understood."""
        text = str(value).strip()
        if _NUMBER.fullmatch(text):
            return text
        match = _LINK.fullmatch(text) or _NAME.fullmatch(text)
        if match is None:
            raise finding(
                "A004",
                _("This is not the name of a channel."),
                _("Write @name, or the channel's number, like -1001234567890."),
            )
        return "@" + match[1].lower()


def settings_of(account: Account) -> Settings:
    """The account's own keys. Raises pydantic.ValidationError."""
    return Settings.model_validate(dict(account.settings))


def chat_of(session: Session) -> str | int:
    """The channel as the Bot API takes it."""
    channel = settings_of(session.account).channel
    return channel if channel.startswith("@") else int(channel)


def common_fields(sending: Sending) -> dict[str, Any]:
    """What every message of a delivery carries."""
    body: dict[str, Any] = {"chat_id": chat_of(sending)}
    if sending.draft.native.get("silent"):
        body["disable_notification"] = True
    if sending.part and sending.earlier:
        # a part that somebody has removed meanwhile must not stop the rest
        last = sending.earlier[-1].id
        body["reply_parameters"] = {
            "message_id": int(last) if last.isdigit() else last,
            "allow_sending_without_reply": True,
        }
    return body


def link_preview(sending: Sending) -> dict[str, Any]:
    """https://core.telegram.org/bots/api#linkpreviewoptions"""
    if sending.draft.native.get("link_preview") is False:
        return {"is_disabled": True}
    return {"url": sending.draft.link} if sending.draft.link else {}


def caption_fields(text: str, marks: list[dict[str, Any]]) -> dict[str, Any]:
    """The text beside media; nothing where there is none."""
    if not text:
        return {}
    return {"caption": text} | ({"caption_entities": marks} if marks else {})


def form_texts(form: Mapping[str, Any]) -> dict[str, str]:
    """Form fields: what is not text goes as JSON, as the Bot API wants it beside uploads."""
    return {name: value if isinstance(value, str) else dumps(value, ensure_ascii=False) for name, value in form.items()}


def video_fields(video: Picture) -> dict[str, Any]:
    """What clients show before a video is loaded; it plays while it loads."""
    known = {"width": video.width, "height": video.height, "duration": round(video.seconds or 0)}
    return {"supports_streaming": True, **{name: value for name, value in known.items() if value}}


async def answer_to_files(sending: Sending, request: Request, read: Callable[[Any], T]) -> T:
    """The answer to a message with files; told as an upload where videos are among them."""
    videos = any(picture.is_video for picture in sending.content.media)
    total = sum(picture.size for picture in sending.content.media)
    if videos:
        sending.uploaded(0, total)
    answer = await ask(sending.http, request, read)
    if videos:
        sending.uploaded(total, total)
    return answer


async def upload_of(sending: Sending, picture: Picture, *, field: str) -> Upload:
    """A file in the request's field of this name."""
    return Upload(field=field, name=picture.name, mime=picture.mime, content=await sending.load(picture))


def request(  # noqa: PLR0913 - the parts of a request, all by name
    session: Session,
    method: str,
    *,
    json: Any = None,
    form: Mapping[str, Any] | None = None,
    uploads: Sequence[Upload] = (),
    creating: bool = False,
    sample: Any = None,
) -> Request:
    """A call of one method of the Bot API."""
    url = f"{settings_of(session.account).url}/bot{session.secret('token')}/{method}"
    return Request(
        method="POST",
        url=url,
        json=json,
        form=form,
        uploads=uploads,
        creating=creating,
        sample=sample,
        errors=errors(session.now),
        accept=(200,),
    )


def sample_of(sending: Sending) -> dict[str, Any]:
    """What a preview answers to a message."""
    chat: dict[str, Any] = {"id": "{chat_id}"}
    channel = settings_of(sending.account).channel
    if channel.startswith("@"):
        chat["username"] = channel[1:]
    return {"ok": True, "result": {"message_id": "{message_id}", "chat": chat}}
