"""Telegram channels through the Bot API. https://core.telegram.org/bots/api

Formatting goes as entities, so nothing needs escaping. A bot can neither read a channel back nor send under a key:
what is in doubt, a person decides. The token is part of every address, so no address may reach a message or a log.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

from campaign_cli.errors import Rejected
from campaign_cli.i18n import N_, _
from campaign_cli.models import Account, Receipt
from campaign_cli.platforms import base
from campaign_cli.platforms.answers import ask
from campaign_cli.platforms.base import (
    AccountCheck,
    Count,
    Limits,
    LookUp,
    Platform,
    Proof,
    RemotePost,
    Sending,
    Session,
)
from campaign_cli.platforms.markup import entities
from campaign_cli.platforms.telegram_answers import message, messages, receipt
from campaign_cli.platforms.telegram_requests import (
    Settings,
    answer_to_files,
    caption_fields,
    chat_of,
    common_fields,
    form_texts,
    link_preview,
    request,
    sample_of,
    settings_of,
    upload_of,
    video_fields,
)
from campaign_cli.platforms.text import utf16_length

_POST: Final = re.compile(
    r"(?:https?://)?(?:t|telegram)\.me/(?:c/(?P<number>\d+)|(?:s/)?(?P<name>[A-Za-z]\w+))/(?:\d+/)?(?P<id>\d+)/?(?:\?.*)?",
    re.ASCII | re.IGNORECASE,
)
_GONE: Final = ("message to delete not found", "message_id_invalid")


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
        videos=10,
        video_bytes=50_000_000,
        mixed=True,
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
        return settings_of(account).channel

    def measure(self, text: str, limits: Limits, *, media: int) -> tuple[Count, ...]:
        """UTF-16 code units after the marks became entities; beside pictures the caption's limit holds."""
        limit = limits.caption if media and limits.caption is not None else limits.text
        return (Count(used=utf16_length(entities(text)[0]), limit=limit, unit=limits.unit),)

    async def publish(self, sending: Sending) -> Receipt:
        """sendMessage, sendPhoto, sendVideo or sendMediaGroup; later parts of a thread reply to the part before."""
        common = common_fields(sending)
        text, marks = entities(sending.content.text)
        pictures = sending.content.media
        if len(pictures) > 1:
            sent = await self._album(sending, common, text=text, marks=marks)
        elif pictures:
            sent = [await self._one(sending, common, text=text, marks=marks)]
        else:
            sent = [await self._text(sending, common, text=text, marks=marks)]
        return receipt(sending, sent)

    async def _text(
        self, sending: Sending, common: dict[str, Any], *, text: str, marks: list[dict[str, Any]]
    ) -> Mapping[str, Any]:
        """https://core.telegram.org/bots/api#sendmessage"""
        body = common | {"text": text} | ({"entities": marks} if marks else {})
        preview = link_preview(sending)
        if preview:
            body["link_preview_options"] = preview
        wanted = request(sending, "sendMessage", json=body, creating=True, sample=sample_of(sending))
        return await ask(sending.http, wanted, message)

    async def _one(
        self, sending: Sending, common: dict[str, Any], *, text: str, marks: list[dict[str, Any]]
    ) -> Mapping[str, Any]:
        """https://core.telegram.org/bots/api#sendphoto and #sendvideo"""
        picture = sending.content.media[0]
        form = common | caption_fields(text, marks)
        if picture.is_video:
            form |= video_fields(picture)
        kind = "video" if picture.is_video else "photo"
        wanted = request(
            sending,
            f"send{kind.capitalize()}",
            form=form_texts(form),
            uploads=[await upload_of(sending, picture, field=kind)],
            creating=True,
            sample=sample_of(sending),
        )
        return await answer_to_files(sending, wanted, message)

    async def _album(
        self, sending: Sending, common: dict[str, Any], *, text: str, marks: list[dict[str, Any]]
    ) -> list[Mapping[str, Any]]:
        """The caption stands on the first picture, where clients show it for the whole album.

        https://core.telegram.org/bots/api#sendmediagroup
        """
        pictures = sending.content.media
        media: list[dict[str, Any]] = [
            {"type": "video", "media": f"attach://photo{number}", **video_fields(picture)}
            if picture.is_video
            else {"type": "photo", "media": f"attach://photo{number}"}
            for number, picture in enumerate(pictures)
        ]
        media[0] |= caption_fields(text, marks)
        uploads = [await upload_of(sending, picture, field=f"photo{number}") for number, picture in enumerate(pictures)]
        wanted = request(
            sending,
            "sendMediaGroup",
            form=form_texts(common | {"media": media}),
            uploads=uploads,
            creating=True,
            sample={"ok": True, "result": [sample_of(sending)["result"]]},
        )
        return await answer_to_files(sending, wanted, messages)

    async def look_up(self, sending: Sending, since: datetime) -> LookUp:
        """A bot can't read what it sent: nothing is found, and that says nothing."""
        return LookUp(found=(), complete=False)

    async def read_back(self, session: Session, receipt: Receipt) -> RemotePost | None:
        """Bots have no way to read a channel."""
        return None

    async def find(self, session: Session, url: str) -> Receipt | None:
        """``t.me/NAME/7`` of this channel, or ``t.me/c/NUMBER/7`` where accounts.yaml names it by its number."""
        match, channel = _POST.fullmatch(url.strip()), settings_of(session.account).channel
        if match is None or channel not in {f"@{match['name']}".lower(), f"-100{match['number']}"}:
            return None
        return Receipt(part=0, id=match["id"], url=url, at=session.now())

    async def delete(self, session: Session, receipt: Receipt) -> None:
        """Delete every message of the part. https://core.telegram.org/bots/api#deletemessage"""
        chat = receipt.extra.get("chat") or chat_of(session)
        for number in receipt.extra.get("messages") or [int(receipt.id)]:
            body = {"chat_id": chat, "message_id": number}
            wanted = request(session, "deleteMessage", json=body, sample={"ok": True, "result": True})
            try:
                await session.http.send(wanted)
            except Rejected as error:
                if not any(words in error.message.lower() for words in _GONE):
                    raise

    async def check(self, session: Session) -> AccountCheck:
        """getMe, getChat, and getChatMember for the bot's rights in the channel."""
        bot = await self._ask(session, "getMe", {}, sample={"id": "{bot_id}", "username": "{bot}"}, needs="id")
        channel = {"chat_id": chat_of(session)}
        chat = await self._ask(session, "getChat", channel, sample={"id": "{chat_id}", "type": "channel"}, needs="id")
        member = await self._ask(
            session,
            "getChatMember",
            channel | {"user_id": bot["id"]},
            sample={"status": "administrator", "can_post_messages": True},
            needs="status",
        )
        if not _may_post(chat, member):
            raise Rejected(
                _("The bot @{bot} may not post in {channel}.").format(
                    bot=bot.get("username", ""), channel=settings_of(session.account).channel
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

    async def _ask(
        self, session: Session, method: str, body: dict[str, Any], *, sample: Any, needs: str
    ) -> Mapping[str, Any]:
        """The result, which is no answer without ``needs``."""
        wanted = request(session, method, json=body, sample={"ok": True, "result": sample})
        return await ask(session.http, wanted, lambda data: {needs: data["result"][needs], **data["result"]})


platform = Telegram()


def _may_post(chat: Mapping[str, Any], member: Mapping[str, Any]) -> bool:
    """https://core.telegram.org/bots/api#chatmember"""
    status = str(member["status"])
    if chat.get("type") == "channel":
        return status == "creator" or (status == "administrator" and bool(member.get("can_post_messages")))
    return status in {"creator", "administrator", "member"} or bool(member.get("can_send_messages"))
