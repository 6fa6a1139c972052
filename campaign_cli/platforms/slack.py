"""A Slack channel through a bot token. https://docs.slack.dev/reference/methods/chat.postMessage

Every message carries its attempt's key as metadata, so a look-up in the channel finds it beyond doubt. A webhook of
Slack's can do nothing of that: it is a network of its own here (``slack_webhook.py``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

from pydantic import field_validator

from campaign_cli.errors import Rejected
from campaign_cli.i18n import N_, _
from campaign_cli.models import Account, Receipt
from campaign_cli.platforms import base
from campaign_cli.platforms import slack_api as api
from campaign_cli.platforms.addresses import WebAddress, compared
from campaign_cli.platforms.base import (
    AccountCheck,
    Count,
    Found,
    Limits,
    LookUp,
    Platform,
    Proof,
    RemotePost,
    Request,
    Sending,
    Session,
)
from campaign_cli.platforms.slack_channel import checked_channel
from campaign_cli.platforms.slack_text import EVENT, SECTION, TEXT, body_of, measured, plain, words
from campaign_cli.source.shapes import finding

_CHANNEL: Final = re.compile(r"(?:https://\S+/archives/)?([CG][A-Z0-9]{2,30})/?")
_POST: Final = re.compile(
    r"https?://\S+/archives/(?P<channel>\w+)/p(?P<seconds>\d{10})(?P<rest>\d{6})(?:\?(?:\S*&)?thread_ts=(?P<root>[\d.]+)\S*|\?\S*)?",
    re.ASCII,
)


class Settings(base.Settings):
    """A channel by its ID, and a bot token; ``url`` only for a server that stands in for Slack."""

    channel: str
    token: str
    url: WebAddress = "https://slack.com"

    @field_validator("channel", mode="before")
    @classmethod
    def _known_form(cls, value: object) -> str:
        """The ID; the channel's link is understood. A name can change, and history takes none."""
        match = _CHANNEL.fullmatch(str(value).strip())
        if match is None:
            raise finding(
                "A004",
                _("This is not the ID of a Slack channel."),
                _("Open the channel's details in Slack; the ID, like C0123456789, stands at the bottom."),
            )
        return match[1]


class Slack(Platform):
    """One bot in one channel; a thread's later parts answer its first."""

    name: ClassVar[str] = "slack"
    title: ClassVar[str] = "Slack"
    Settings: ClassVar[type[base.Settings]] = Settings
    secrets: ClassVar[tuple[str, ...]] = ("token",)
    fields: ClassVar[frozenset[str]] = frozenset({"link_preview"})
    markup: ClassVar[str] = "entities"
    thread_form: ClassVar[str] = "root"
    limits: ClassVar[Limits] = Limits(
        text=TEXT,
        caption=SECTION,
        unit="characters",
        images=10,
        image_bytes=20 * 1024 * 1024,
        image_types=("image/jpeg", "image/png", "image/gif"),  # what an image block can show
        alt=1000,
        videos=1,
        video_bytes=1_000_000_000,
        video_types=("video/mp4", "video/quicktime"),
    )
    proof: ClassVar[Proof] = Proof(
        look_up=True, found_by="the key that it carries as metadata, else its words", verified_by="specification"
    )
    unconfirmed: ClassVar[tuple[str, ...]] = (
        "how long a rich text may be (others measured some 13,000 characters)",
        "that a video is shown by its address in every client (Slack's staff says so, its reference doesn't)",
    )
    max_wait: ClassVar[float] = 60.0
    help = {
        "channel": N_("The channel's ID, like C0123456789: at the end of “View channel details”, or in its link."),
        "token": N_(
            "At api.slack.com/apps: your app → OAuth & Permissions → Bot User OAuth Token (xoxb-…), with chat:write; "
            "then invite the bot into the channel."
        ),
    }

    def address(self, account: Account) -> str:
        """The server and the channel's ID, which is unique in Slack."""
        settings = _settings(account)
        return f"{compared(settings.url)}/{settings.channel}"

    def measure(self, text: str, limits: Limits, *, media: int) -> tuple[Count, ...]:
        """Code points of what is sent, escapes included; beside pictures a section's limit holds."""
        return measured(text, limits, media=media)

    async def publish(self, sending: Sending) -> Receipt:
        """Upload what is missing, and post: pictures as image blocks, later parts of a thread as answers.

        A video is shown where its address stands in a message of the bot's own.
        """
        url = _settings(sending.account).url
        files = [await api.file(sending, number, base=url) for number in range(len(sending.content.media))]
        request = _call(sending, "chat.postMessage", json=_body(sending, files), creating=True, sample=_sample(sending))
        ts, channel = await api.asked(sending, request, lambda data: (_ts(data["ts"]), str(data["channel"])))
        return await _receipt(sending, ts, channel=channel, thread=_root(sending), part=sending.part)

    async def look_up(self, sending: Sending, since: datetime) -> LookUp:
        """The bot's messages since then, in the channel or below the thread's first part.

        https://docs.slack.dev/reference/methods/conversations.history · conversations.replies
        """
        settings, root = _settings(sending.account), _root(sending)
        me = await api.own(sending, base=settings.url)
        found: list[Found] = []
        oldest, complete = f"{since.timestamp():.6f}", False
        pages = api.messages(sending, settings.channel, base=settings.url, thread=root, oldest=oldest)
        async for page, last in pages:
            complete = last
            for message in page:
                ours = _ours(sending, message, me=me)
                at = api.instant(message["ts"])
                if ours is None or at < since or (root is not None and message["ts"] == root):
                    continue
                receipt = await _receipt(
                    sending, message["ts"], channel=settings.channel, thread=root, part=sending.part
                )
                found.append(Found(receipt=receipt, created_at=None if ours == "key" else at))
        return LookUp(found=tuple(found), complete=complete)

    async def read_back(self, session: Session, receipt: Receipt) -> RemotePost | None:
        """The message, with the alt text of its image blocks."""
        settings = _settings(session.account)
        channel = str(receipt.extra.get("channel") or settings.channel)
        thread = receipt.extra.get("thread")
        message = await api.message(session, channel, receipt.id, base=settings.url, thread=thread)
        if message is None:
            return None
        return RemotePost(
            id=receipt.id,
            url=receipt.url,
            text=plain(str(message.get("text") or "")),
            alts=tuple(str(block.get("alt_text") or "") for block in _images(message)),
            created_at=api.instant(receipt.id),
        )

    async def find(self, session: Session, url: str) -> Receipt | None:
        """``TEAM.slack.com/archives/CHANNEL/p1234567890123456``, where the bot itself wrote that message."""
        match, settings = _POST.fullmatch(url.strip()), _settings(session.account)
        if match is None or match["channel"] != settings.channel:
            return None
        ts = f"{match['seconds']}.{match['rest']}"
        thread = match["root"] if match["root"] != ts else None
        message = await api.message(session, settings.channel, ts, base=settings.url, thread=thread)
        if message is None or not _is_from(message, await api.own(session, base=settings.url)):
            return None
        return await _receipt(session, ts, channel=settings.channel, thread=thread, part=0)

    async def delete(self, session: Session, receipt: Receipt) -> None:
        """https://docs.slack.dev/reference/methods/chat.delete"""
        channel = receipt.extra.get("channel") or _settings(session.account).channel
        body = {"channel": channel, "ts": receipt.id}
        try:
            await api.asked(session, _call(session, "chat.delete", json=body, sample={"ok": True}), dict)
        except Rejected as error:
            if error.code != "message_not_found":
                raise

    async def check(self, session: Session) -> AccountCheck:
        """auth.test with its scopes, and the channel: whether the bot is in it."""
        settings = _settings(session.account)
        me = await api.own(session, base=settings.url)
        channel, notes = await checked_channel(session, settings.channel, base=settings.url, me=me)
        return AccountCheck(
            identity=f"{me.get('team_id')}/{settings.channel}",
            handle=f"#{channel}" if channel else settings.channel,
            url=f"{str(me.get('url') or settings.url).rstrip('/')}/archives/{settings.channel}",
            software="Slack",
            notes=(_("Posts are made by the bot @{bot}.").format(bot=me.get("user", "")), *notes),
        )


platform = Slack()


def _settings(account: Account) -> Settings:
    return Settings.model_validate(dict(account.settings))


def _call(session: Session, method: str, **members: Any) -> Request:
    return api.call(session, method, base=_settings(session.account).url, **members)


def _body(sending: Sending, files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The message. ``files`` are the media as Slack has them."""
    media = list(zip(sending.content.media, files, strict=True))
    images = [
        {"type": "image", "slack_file": {"id": file["id"]}, "alt_text": item.alt or item.name}
        for item, file in media
        if not item.is_video
    ]
    film = next((file["permalink"] for item, file in media if item.is_video), "")
    root = _root(sending)
    body = {"channel": _settings(sending.account).channel, **body_of(sending, images=images, film=film)}
    return body | ({"thread_ts": root} if root else {})


def _root(sending: Sending) -> str | None:
    """The first part's ``ts``: an answer's own must not be used."""
    return sending.earlier[0].id if sending.part and sending.earlier else None


def _sample(sending: Sending) -> dict[str, Any]:
    ts = f"{sending.due.timestamp():.0f}.{sending.part + 1:06d}"
    return {"ok": True, "ts": ts, "channel": _settings(sending.account).channel}


def _ts(value: Any) -> str:
    """A ``ts`` that names a message. Raises ValueError."""
    api.instant(str(value))
    return str(value)


async def _receipt(session: Session, ts: str, *, channel: str, thread: str | None, part: int) -> Receipt:
    url = await api.permalink(session, channel, ts, base=_settings(session.account).url)
    extra = {"channel": channel} | ({"thread": thread} if thread else {})
    return Receipt(part=part, id=ts, url=url, at=api.instant(ts), extra=extra)


def _ours(sending: Sending, message: Mapping[str, Any], *, me: Mapping[str, Any]) -> str | None:
    """``key`` for this very attempt, ``words`` for a message of the bot without any key, else None."""
    if not _is_from(message, me):
        return None
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") == EVENT:
        key = (metadata.get("event_payload") or {}).get("key")
        if key is not None:
            return "key" if key == sending.key else None
    same = words(str(message.get("text") or "")) == words(body_of(sending)["text"])
    pictures = sum(not item.is_video for item in sending.content.media)
    return "words" if same and len(_images(message)) == pictures else None


def _is_from(message: Mapping[str, Any], me: Mapping[str, Any]) -> bool:
    by_bot = bool(me.get("bot_id")) and message.get("bot_id") == me.get("bot_id")
    return by_bot or message.get("user") == me["user_id"]


def _images(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [block for block in message.get("blocks") or () if block.get("type") == "image"]
