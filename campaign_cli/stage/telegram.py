"""Telegram on the stage: a bot in one channel.

Follows core.telegram.org/bots/api: sendMessage, sendPhoto, sendMediaGroup, deleteMessage, getMe, getChat,
getChatMember. There is no key against doubles and no way for a bot to read the channel back, here as there.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from campaign_cli.stage.network import Network, Refusal, fields, path_of
from campaign_cli.stage.state import StageAccount, StageMedia, StagePost, media_facts
from campaign_cli.stage.telegram_shapes import (
    attached,
    bad_request,
    bot_json,
    caption_of,
    chat_json,
    entities_of,
    parsed,
    pictured,
    refusal,
    utf16_units,
)

TEXT, ALBUM = 4_096, 10
PHOTO_BYTES, PHOTO_SIDES, PHOTO_RATIO = 10_000_000, 10_000, 20
VIDEO_BYTES = 50_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One method call: its parameters, and its files as name → (file name, content type, bytes)."""

    request: Request
    account: StageAccount
    values: dict[str, Any]
    files: Mapping[str, tuple[str, str, bytes]]


class TelegramStage(Network):
    """The Bot API for one bot that posts in one channel."""

    name = "telegram"
    title = "Telegram"
    credential = "token"
    describes = False

    @staticmethod
    def user(name: str, settings: Mapping[str, Any]) -> str:
        """The channel: @name or its number."""
        return str(settings.get("channel") or f"@{name}")

    @staticmethod
    def new_secret(url: str) -> str:
        """NUMBER:TOKEN."""
        return f"{secrets.randbelow(10**9):09d}:{secrets.token_hex(16)}"

    def routes(self) -> list[BaseRoute]:
        """Every method is below /bot{token}."""
        return [self.route("/bot{token}/{method}", self.method, methods=("GET", "POST"))]

    def creates(self, method: str, path: str) -> bool:
        """sendMessage, sendPhoto, sendMediaGroup."""
        return path.rpartition("/")[2].lower() in ("sendmessage", "sendphoto", "sendmediagroup")

    def refused(self) -> Refusal:
        """403 of a bot that was thrown out."""
        return refusal(403, "Forbidden: bot was kicked from the channel chat")

    def throttled(self, seconds: int) -> Refusal:
        """429 with retry_after."""
        description = f"Too Many Requests: retry after {seconds}"
        body = {"ok": False, "error_code": 429, "description": description, "parameters": {"retry_after": seconds}}
        return Refusal(429, body, headers={"Retry-After": str(seconds)})

    def broken(self) -> Refusal:
        """503."""
        return refusal(503, "Service Unavailable")

    def label(self, method: str, path: str) -> str:
        """The method's name alone: the token is in the path."""
        return f"{method} {path.rpartition('/')[2]}"

    async def before(self, request: Request, account: StageAccount) -> Mapping[str, str]:
        """About 30 messages a second in all, and 60 a minute in a channel."""
        if self.creates(request.method, request.url.path):
            for name, limit, seconds in (("second", 30, 1), ("minute", 60, 60)):
                window = self.state.spend(account.name, name, limit=limit, seconds=seconds)
                if window.refused:
                    raise self.throttled(max(1, round((window.reset - self.state.now()).total_seconds())))
        return {}

    async def method(self, request: Request, account: StageAccount) -> Response:
        """One method call, by GET or POST, with JSON, form or multipart."""
        if request.path_params["token"] != account.secret:
            raise refusal(401, "Unauthorized")
        methods = {
            "getme": self.get_me,
            "getchat": self.get_chat,
            "getchatmember": self.get_chat_member,
            "sendmessage": self.send_message,
            "sendphoto": self.send_photo,
            "sendvideo": self.send_video,
            "sendmediagroup": self.send_media_group,
            "deletemessage": self.delete_message,
        }
        handler = methods.get(request.path_params["method"].lower())
        if handler is None:
            raise refusal(404, "Not Found")
        try:
            values, files = await fields(request) if request.method == "POST" else ({}, {})
        except ValueError as error:
            raise bad_request("can't parse JSON object") from error
        call = Call(request=request, account=account, values=dict(request.query_params) | values, files=files)
        return JSONResponse({"ok": True, "result": handler(call)})

    def get_me(self, call: Call) -> Any:
        """The bot."""
        return bot_json(call.account)

    def get_chat(self, call: Call) -> Any:
        """The channel."""
        self._check_chat(call)
        return chat_json(call.account) | {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": {}}

    def get_chat_member(self, call: Call) -> Any:
        """What the bot is in the channel."""
        self._check_chat(call)
        if str(call.values.get("user_id")) != str(bot_json(call.account)["id"]):
            raise bad_request("member not found")
        status = call.account.role or "administrator"
        rights = {
            "can_post_messages": True,
            "can_edit_messages": True,
            "can_delete_messages": True,
            "can_manage_chat": True,
        }
        return {"status": status, "user": bot_json(call.account)} | (rights if status == "administrator" else {})

    def send_message(self, call: Call) -> Any:
        """A text of 1 to 4,096 UTF-16 units."""
        self._may_post(call)
        text = str(call.values.get("text") or "")
        if not text.strip():
            raise bad_request("message text is empty")
        if utf16_units(text) > TEXT:
            raise bad_request("message is too long")
        entities = entities_of(call.values, "entities", text)
        post = self._keep(call, text=text, media=[], reply=self._reply(call))
        return self._message(call.account, post) | {"text": text} | ({"entities": entities} if entities else {})

    def send_photo(self, call: Call) -> Any:
        """One uploaded picture with a caption."""
        self._may_post(call)
        caption = caption_of(call.values)
        entities = entities_of(call.values, "caption_entities", caption)
        reply = self._reply(call)
        photo = self._photo(call.account, call.files.get("photo") or call.files.get(attached(call.values.get("photo"))))
        post = self._keep(call, text=caption, media=[photo], reply=reply)
        return self._message(call.account, post) | pictured(photo, caption, entities)

    def send_video(self, call: Call) -> Any:
        """One uploaded video with a caption."""
        self._may_post(call)
        caption = caption_of(call.values)
        entities = entities_of(call.values, "caption_entities", caption)
        reply = self._reply(call)
        file = call.files.get("video") or call.files.get(attached(call.values.get("video")))
        video = self._photo(call.account, file, kind="video")
        post = self._keep(call, text=caption, media=[video], reply=reply)
        return self._message(call.account, post) | pictured(video, caption, entities)

    def send_media_group(self, call: Call) -> Any:
        """2 to 10 uploaded pictures: a message for each; the album is one post on the timeline."""
        self._may_post(call)
        items = parsed(call.values, "media") or []
        if not 2 <= len(items) <= ALBUM:
            raise bad_request("group send failed: wrong number of items")
        captions = [caption_of(item) for item in items]
        marks = [entities_of(item, "caption_entities", caption) for item, caption in zip(items, captions, strict=True)]
        reply = self._reply(call)
        photos = [
            self._photo(call.account, call.files.get(attached(item.get("media"))), kind=str(item.get("type")))
            for item in items
        ]
        text = "\n".join(filter(None, captions))
        first = self._keep(call, text=text, media=photos, reply=reply)
        numbers = [first.id, *(self._new_id(call.account) for _item in items[1:])]
        first.data["album"] = numbers
        head = self._message(call.account, first) | {"media_group_id": first.id}
        return [
            head | {"message_id": int(number)} | pictured(photo, caption, entities)
            for number, photo, caption, entities in zip(numbers, photos, captions, marks, strict=True)
        ]

    def delete_message(self, call: Call) -> Any:
        """Take a message down; an album goes when its last message goes."""
        self._check_chat(call)
        number = str(call.values.get("message_id"))
        for post in self.state.posts_of(call.account.name):
            album = post.data["album"]
            if number in album:
                album.remove(number)
                post.status = post.status if album else "deleted"
                return True
        raise bad_request("message to delete not found")

    def _check_chat(self, call: Call) -> None:
        account = call.account
        asked = str(call.values.get("chat_id") or "")
        if not asked:
            raise bad_request("chat_id is empty")
        if asked.lower() not in (account.user.lower(), str(chat_json(account)["id"])):
            raise bad_request("chat not found")

    def _may_post(self, call: Call) -> None:
        self._check_chat(call)
        if call.account.role == "kicked":
            raise refusal(403, "Forbidden: bot was kicked from the channel chat")
        if call.account.role not in ("", "administrator"):
            raise bad_request("need administrator rights in the channel chat")
        if call.values.get("parse_mode"):
            raise bad_request("this stage reads entities, no parse mode")

    def _reply(self, call: Call) -> str | None:
        parameters = parsed(call.values, "reply_parameters") or {}
        number = parameters.get("message_id")
        if number is None:
            return None
        for post in self.state.posts_of(call.account.name):
            if str(number) in post.data["album"]:
                return post.id
        if parameters.get("allow_sending_without_reply"):
            return None
        raise bad_request("message to be replied not found")

    def _photo(self, account: StageAccount, file: tuple[str, str, bytes] | None, *, kind: str = "photo") -> StageMedia:
        if file is None:
            raise bad_request(f"there is no {kind} in the request")
        name, _kind, content = file
        if len(content) > (VIDEO_BYTES if kind == "video" else PHOTO_BYTES):
            raise refusal(413, "Request Entity Too Large")
        facts = media_facts(content)
        if facts is None or facts.mime.startswith("video/") != (kind == "video"):
            raise bad_request("IMAGE_PROCESS_FAILED")
        if facts.width + facts.height > PHOTO_SIDES or max(facts.width, facts.height) > PHOTO_RATIO * min(
            facts.width, facts.height
        ):
            raise bad_request("PHOTO_INVALID_DIMENSIONS")
        identifier = f"AgAC{self.state.number():08d}"
        media = StageMedia.of(content, facts, id=identifier, account=account.name, name=name, at=self.state.now())
        return self.state.add_media(media, content)

    def _new_id(self, account: StageAccount) -> str:
        """Message ids count up within a channel."""
        return str(self.state.count_up(account.name))

    def _keep(self, call: Call, *, text: str, media: list[StageMedia], reply: str | None) -> StagePost:
        account, number = call.account, self._new_id(call.account)
        channel = account.user.lstrip("@") if account.user.startswith("@") else f"c/{account.user.removeprefix('-100')}"
        post = StagePost(
            number=self.state.number(),
            account=account.name,
            platform=self.name,
            id=number,
            path=f"{path_of(account)}/{channel}/{number}",
            text=text,
            at=self.state.now(),
            media=media,
            alts=["" for _each in media],
            reply_to=reply,
            data={"album": [number]},
        )
        self.state.add_post(post)
        self.published(call.request, post)
        return post

    def _message(self, account: StageAccount, post: StagePost, *, replying: bool = True) -> dict[str, Any]:
        """A message, and what it answers; what that answers is not told (``reply_to_message``)."""
        message: dict[str, Any] = {
            "message_id": int(post.id),
            "sender_chat": chat_json(account),
            "chat": chat_json(account),
            "date": int(post.at.timestamp()),
        }
        parent = self.state.post(account.name, post.reply_to or "") if replying else None
        return message | ({"reply_to_message": self._message(account, parent, replying=False)} if parent else {})


network = TelegramStage
