"""Telegram channels through the Bot API. https://core.telegram.org/bots/api

Formatting goes as entities, so nothing needs escaping. A bot can neither read a channel back nor send under a key:
what is in doubt, a person decides. The token is part of every address, so no address may reach a message or a log.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from json import dumps
from typing import Any, ClassVar, Final

from pydantic import field_validator

from campaign_cli.errors import Rejected
from campaign_cli.i18n import N_, _
from campaign_cli.models import Account, Picture, Receipt
from campaign_cli.platforms import base
from campaign_cli.platforms.addresses import WebAddress
from campaign_cli.platforms.answers import ask
from campaign_cli.platforms.base import (
    AccountCheck,
    Count,
    Limits,
    LookUp,
    Platform,
    Proof,
    RemotePost,
    Request,
    Sending,
    Session,
    Upload,
)
from campaign_cli.platforms.markup import entities
from campaign_cli.platforms.telegram_answers import errors, message, messages, receipt
from campaign_cli.platforms.text import utf16_length
from campaign_cli.source.shapes import finding

_NAME: Final = re.compile(r"@?([A-Za-z]\w{3,31})", re.ASCII)
_LINK: Final = re.compile(r"(?:https?://)?t\.me/([A-Za-z]\w{3,31})/?", re.ASCII | re.IGNORECASE)
_POST: Final = re.compile(
    r"(?:https?://)?(?:t|telegram)\.me/(?:c/(?P<number>\d+)|(?:s/)?(?P<name>[A-Za-z]\w+))/(?:\d+/)?(?P<id>\d+)/?(?:\?.*)?",
    re.ASCII | re.IGNORECASE,
)
_NUMBER: Final = re.compile(r"-?\d{1,15}", re.ASCII)
_GONE: Final = ("message to delete not found", "message_id_invalid")


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


class Telegram(Platform):
    """One bot in one channel."""

    name: ClassVar[str] = "telegram"
    title: ClassVar[str] = "Telegram"
    Settings: ClassVar[type[base.Settings]] = Settings
    secrets: ClassVar[tuple[str, ...]] = ("token",)
    fields: ClassVar[frozenset[str]] = frozenset({"silent", "link_preview"})
    markup: ClassVar[str] = "entities"
    limits: ClassVar[Limits] = Limits(
        text=4096,
        caption=1024,
        unit="utf16",
        images=10,
        image_bytes=10_000_000,
        image_pixels=25_000_000,  # width and height together may be 10,000
    )
    proof: ClassVar[Proof] = Proof(look_up=False, repeat_for=None, verified_by="specification")
    max_wait: ClassVar[float] = 60.0  # ten pictures in one request
    help = {
        "channel": N_("The channel's name, like @union_channel, or its number."),
        "token": N_(
            "Ask @BotFather in Telegram for a bot with /newbot and copy its token; then make the bot an administrator "
            "of the channel with the right to post."
        ),
    }

    def address(self, account: Account) -> str:
        """``@name`` in lower case, or the channel's number."""
        return _settings(account).channel

    def measure(self, text: str, limits: Limits, *, media: int) -> tuple[Count, ...]:
        """UTF-16 code units after the marks became entities; beside pictures the caption's limit holds."""
        limit = limits.caption if media and limits.caption is not None else limits.text
        return (Count(used=utf16_length(entities(text)[0]), limit=limit, unit=limits.unit),)

    async def publish(self, sending: Sending) -> Receipt:
        """sendMessage, sendPhoto or sendMediaGroup; later parts of a thread reply to the part before."""
        common = _common(sending)
        text, marks = entities(sending.content.text)
        pictures = sending.content.media
        if len(pictures) > 1:
            sent = await self._album(sending, common, text=text, marks=marks)
        elif pictures:
            sent = [await self._photo(sending, common, text=text, marks=marks)]
        else:
            sent = [await self._text(sending, common, text=text, marks=marks)]
        return receipt(sending, sent)

    async def _text(
        self, sending: Sending, common: dict[str, Any], *, text: str, marks: list[dict[str, Any]]
    ) -> Mapping[str, Any]:
        """https://core.telegram.org/bots/api#sendmessage"""
        body = common | {"text": text} | ({"entities": marks} if marks else {})
        preview = _preview(sending)
        if preview:
            body["link_preview_options"] = preview
        request = _request(sending, "sendMessage", json=body, creating=True, sample=_sample(sending))
        return await ask(sending.http, request, message)

    async def _photo(
        self, sending: Sending, common: dict[str, Any], *, text: str, marks: list[dict[str, Any]]
    ) -> Mapping[str, Any]:
        """https://core.telegram.org/bots/api#sendphoto"""
        picture = sending.content.media[0]
        form = common | _caption(text, marks)
        uploads = [await _upload(sending, picture, field="photo")]
        request = _request(
            sending, "sendPhoto", form=_texts(form), uploads=uploads, creating=True, sample=_sample(sending)
        )
        return await ask(sending.http, request, message)

    async def _album(
        self, sending: Sending, common: dict[str, Any], *, text: str, marks: list[dict[str, Any]]
    ) -> list[Mapping[str, Any]]:
        """The caption stands on the first picture, where clients show it for the whole album.

        https://core.telegram.org/bots/api#sendmediagroup
        """
        pictures = sending.content.media
        media = [{"type": "photo", "media": f"attach://photo{number}"} for number in range(len(pictures))]
        media[0] |= _caption(text, marks)
        uploads = [await _upload(sending, picture, field=f"photo{number}") for number, picture in enumerate(pictures)]
        request = _request(
            sending,
            "sendMediaGroup",
            form=_texts(common | {"media": media}),
            uploads=uploads,
            creating=True,
            sample={"ok": True, "result": [_sample(sending)["result"]]},
        )
        return await ask(sending.http, request, messages)

    async def look_up(self, sending: Sending, since: datetime) -> LookUp:
        """A bot can't read what it sent: nothing is found, and that says nothing."""
        return LookUp(found=(), complete=False)

    async def read_back(self, session: Session, receipt: Receipt) -> RemotePost | None:
        """Bots have no way to read a channel."""
        return None

    async def find(self, session: Session, url: str) -> Receipt | None:
        """``t.me/NAME/7`` of this channel, or ``t.me/c/NUMBER/7`` where accounts.yaml names it by its number."""
        match, channel = _POST.fullmatch(url.strip()), _settings(session.account).channel
        if match is None or channel not in {f"@{match['name']}".lower(), f"-100{match['number']}"}:
            return None
        return Receipt(part=0, id=match["id"], url=url, at=session.now())

    async def delete(self, session: Session, receipt: Receipt) -> None:
        """Delete every message of the part. https://core.telegram.org/bots/api#deletemessage"""
        chat = receipt.extra.get("chat") or _chat(session)
        for number in receipt.extra.get("messages") or [int(receipt.id)]:
            body = {"chat_id": chat, "message_id": number}
            request = _request(session, "deleteMessage", json=body, sample={"ok": True, "result": True})
            try:
                await session.http.send(request)
            except Rejected as error:
                if not any(words in error.message.lower() for words in _GONE):
                    raise

    async def check(self, session: Session) -> AccountCheck:
        """getMe, getChat, and getChatMember for the bot's rights in the channel."""
        bot = await self._ask(session, "getMe", {}, sample={"id": "{bot_id}", "username": "{bot}"})
        chat = await self._ask(
            session, "getChat", {"chat_id": _chat(session)}, sample={"id": "{chat_id}", "type": "channel"}
        )
        member = await self._ask(
            session,
            "getChatMember",
            {"chat_id": _chat(session), "user_id": bot["id"]},
            sample={"status": "administrator", "can_post_messages": True},
        )
        if not _may_post(chat, member):
            raise Rejected(
                _("The bot @{bot} may not post in {channel}.").format(
                    bot=bot.get("username", ""), channel=_settings(session.account).channel
                ),
                fix=_("In Telegram, make the bot an administrator of the channel with the right to post messages."),
            )
        name = chat.get("username")
        notes = [_("Posts are made by the bot @{bot}.").format(bot=bot.get("username", ""))]
        if not name:
            notes.append(_("The channel is private: only members can open the links to its posts."))
        return AccountCheck(
            identity=str(chat["id"]),
            handle=f"@{name}" if name else str(chat.get("title") or chat["id"]),
            url=f"https://t.me/{name}" if name else None,
            software="Telegram",
            notes=tuple(notes),
        )

    async def _ask(self, session: Session, method: str, body: dict[str, Any], *, sample: Any) -> Mapping[str, Any]:
        request = _request(session, method, json=body, sample={"ok": True, "result": sample})
        return await ask(session.http, request, lambda data: dict(data["result"]))


platform = Telegram()


def _settings(account: Account) -> Settings:
    return Settings.model_validate(dict(account.settings))


def _chat(session: Session) -> str | int:
    channel = _settings(session.account).channel
    return channel if channel.startswith("@") else int(channel)


def _common(sending: Sending) -> dict[str, Any]:
    """What every message of a delivery carries."""
    body: dict[str, Any] = {"chat_id": _chat(sending)}
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


def _preview(sending: Sending) -> dict[str, Any]:
    """https://core.telegram.org/bots/api#linkpreviewoptions"""
    if sending.draft.native.get("link_preview") is False:
        return {"is_disabled": True}
    return {"url": sending.draft.link} if sending.draft.link else {}


def _caption(text: str, marks: list[dict[str, Any]]) -> dict[str, Any]:
    if not text:
        return {}
    return {"caption": text} | ({"caption_entities": marks} if marks else {})


def _texts(form: Mapping[str, Any]) -> dict[str, str]:
    """Form fields: what is not text goes as JSON, as the Bot API wants it beside uploads."""
    return {name: value if isinstance(value, str) else dumps(value, ensure_ascii=False) for name, value in form.items()}


async def _upload(sending: Sending, picture: Picture, *, field: str) -> Upload:
    return Upload(field=field, name=picture.name, mime=picture.mime, content=await sending.load(picture))


def _request(  # noqa: PLR0913 - the parts of a request, all by name
    session: Session,
    method: str,
    *,
    json: Any = None,
    form: Mapping[str, Any] | None = None,
    uploads: Sequence[Upload] = (),
    creating: bool = False,
    sample: Any = None,
) -> Request:
    url = f"{_settings(session.account).url}/bot{session.secret('token')}/{method}"
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


def _sample(sending: Sending) -> dict[str, Any]:
    chat: dict[str, Any] = {"id": "{chat_id}"}
    channel = _settings(sending.account).channel
    if channel.startswith("@"):
        chat["username"] = channel[1:]
    return {"ok": True, "result": {"message_id": "{message_id}", "chat": chat}}


def _may_post(chat: Mapping[str, Any], member: Mapping[str, Any]) -> bool:
    """https://core.telegram.org/bots/api#chatmember"""
    status = member.get("status")
    if chat.get("type") == "channel":
        return status == "creator" or (status == "administrator" and bool(member.get("can_post_messages")))
    return status in {"creator", "administrator", "member"} or bool(member.get("can_send_messages"))
