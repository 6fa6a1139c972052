"""A Discord channel through its webhook. https://docs.discord.com/developers/resources/webhook#execute-webhook

The address of a webhook is the whole credential. It can read, change and delete its own messages by their number, but
neither search the channel nor answer a message nor send under a key: what is in doubt, a person decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from json import dumps
from typing import Any, ClassVar, Final

from pydantic import field_validator

from campaign_cli.errors import Failure, Rejected, Unauthorized
from campaign_cli.i18n import N_, _
from campaign_cli.models import Account, Receipt
from campaign_cli.platforms import base, discord_answers
from campaign_cli.platforms.addresses import WebAddress, compared
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
from campaign_cli.platforms.discord_text import markdown, unescaped
from campaign_cli.source.shapes import finding

SUPPRESS_EMBEDS: Final = 1 << 2
SUPPRESS_NOTIFICATIONS: Final = 1 << 12
_SECRET: Final = re.compile(r"(?:https?://\S+/webhooks/)?(\d+/[\w-]+)/?(?:\?.*)?")
_PLACEHOLDER: Final = re.compile(r"‹.*›")  # what a preview shows in place of the secret
_POST: Final = re.compile(r"https?://[^/]+(?:/.*)?/channels/(?:\d+|@me)/(?P<channel>\d+)/(?P<id>\d+)/?(?:\?.*)?")
_HOSTS: Final = re.compile(r"https://(?:[\w-]+\.)?discord(?:app)?\.com/")
_WEBHOOK: Final = "discord.webhook"  # in Session.memory: what the webhook says of itself


class Settings(base.Settings):
    """A channel's webhook; ``thread`` is the number of a thread there, ``url`` a server that stands in for Discord."""

    webhook: str
    thread: str | None = None
    url: WebAddress = "https://discord.com"

    @field_validator("thread", mode="before")
    @classmethod
    def _number(cls, value: object) -> str | None:
        """The thread's number as text."""
        if value is None or re.fullmatch(r"\d{1,20}", str(value).strip()):
            return None if value is None else str(value).strip()
        raise finding(
            "A004",
            _("This is not the number of a thread."),
            _("In Discord, switch developer mode on, and copy the thread's ID."),
        )

    @field_validator("url")
    @classmethod
    def _no_webhook(cls, value: str) -> str:
        """The webhook's address is a secret, and no address of a server."""
        if "/webhooks/" in value:
            raise finding(
                "A005",
                _("The address of a webhook is a secret; files may only hold a reference to it."),
                _("Put it into .env and write webhook: env:NAME here; if the file was shared, make a new webhook."),
            )
        return value


class Discord(Platform):
    """One webhook, in its channel or in one thread there."""

    name: ClassVar[str] = "discord"
    title: ClassVar[str] = "Discord"
    Settings: ClassVar[type[base.Settings]] = Settings
    secrets: ClassVar[tuple[str, ...]] = ("webhook",)
    fields: ClassVar[frozenset[str]] = frozenset({"silent", "link_preview"})
    markup: ClassVar[str] = "entities"
    # A webhook has no message_reference: the parts of a thread are messages below each other, which Discord shows as
    # one block by one author. Joined into one message they would seldom fit.
    thread_form: ClassVar[str] = "order"
    singly: ClassVar[bool] = True
    limits: ClassVar[Limits] = Limits(
        text=2000,
        unit="characters",
        images=10,
        image_bytes=10 * 1024 * 1024,
        image_types=("image/jpeg", "image/png", "image/webp", "image/gif"),
        alt=1024,
        videos=10,
        video_bytes=10 * 1024 * 1024,
        video_types=("video/mp4", "video/quicktime", "video/webm"),
        mixed=True,
    )
    proof: ClassVar[Proof] = Proof(look_up=False, repeat_for=None, verified_by="specification")
    unconfirmed: ClassVar[tuple[str, ...]] = ("whether an emoji is one character of the 2,000 (counted so) or two",)
    max_wait: ClassVar[float] = 60.0  # ten pictures in one request
    help = {
        "webhook": N_("In Discord: the channel's settings → Integrations → Webhooks → New webhook → Copy webhook URL."),
        "thread": N_("The number of a thread in that channel, where posts should go there."),
    }

    def address(self, account: Account) -> str:
        """The webhook's reference (the address itself is the secret), and the thread."""
        settings = _settings(account)
        return "/".join(filter(None, (compared(settings.url), settings.webhook, settings.thread)))

    def measure(self, text: str, limits: Limits, *, media: int) -> tuple[Count, ...]:
        """Code points of the Markdown that is sent, backslashes included."""
        return (Count(used=len(markdown(text)), limit=limits.text, unit=limits.unit),)

    async def publish(self, sending: Sending) -> Receipt:
        """Execute the webhook and wait for the message; media go with it as files, each with its description."""
        body, uploads = _body(sending), []
        for number, picture in enumerate(sending.content.media):
            content = await sending.load(picture)
            uploads.append(Upload(field=f"files[{number}]", name=picture.name, mime=picture.mime, content=content))
        request = _request(
            sending,
            "POST",
            query={"wait": "true"},  # without it, a message that was not saved gives no error
            json=None if uploads else body,
            form={"payload_json": dumps(body, ensure_ascii=False)} if uploads else None,
            uploads=tuple(uploads),
            creating=True,
            sample={"id": f"{{message_id_{sending.part + 1}}}", "channel_id": "{channel_id}"},
        )
        message = await ask(sending.http, request, _message)
        return _receipt(sending, message, part=sending.part, server=await _server_of(sending))

    async def look_up(self, sending: Sending, since: datetime) -> LookUp:
        """A webhook reads only messages whose number it has: nothing is found, and that says nothing."""
        return LookUp(found=(), complete=False)

    async def read_back(self, session: Session, receipt: Receipt) -> RemotePost | None:
        """https://docs.discord.com/developers/resources/webhook#get-webhook-message"""
        message = await _own_message(session, receipt.id)
        if message is None:
            return None
        return RemotePost(
            id=message["id"],
            url=receipt.url,
            text=unescaped(str(message.get("content") or "")),
            alts=tuple(str(file.get("description") or "") for file in message.get("attachments") or ()),
            created_at=_instant(message),
        )

    async def find(self, session: Session, url: str) -> Receipt | None:
        """``discord.com/channels/SERVER/CHANNEL/NUMBER``, where the webhook itself wrote that message."""
        match, here = _POST.fullmatch(url.strip()), _settings(session.account).url
        if match is None or not (_HOSTS.match(url.strip()) or url.strip().startswith(f"{here}/")):
            return None
        message = await _own_message(session, match["id"])
        if message is None or message["channel_id"] != match["channel"]:
            return None
        return _receipt(session, message, part=0, server=await _server_of(session))

    async def delete(self, session: Session, receipt: Receipt) -> None:
        """https://docs.discord.com/developers/resources/webhook#delete-webhook-message"""
        try:
            await session.http.send(_request(session, "DELETE", f"/messages/{receipt.id}", accept=(200, 204)))
        except Rejected as error:
            if error.code != str(discord_answers.UNKNOWN_MESSAGE):
                raise

    async def check(self, session: Session) -> AccountCheck:
        """https://docs.discord.com/developers/resources/webhook#get-webhook-with-token"""
        webhook, thread = await _webhook(session), _settings(session.account).thread
        place = thread or str(webhook.get("channel_id") or webhook["id"])
        return AccountCheck(
            identity=place,
            handle=str(webhook.get("name") or webhook["id"]),
            url=f"{_settings(session.account).url}/channels/{webhook.get('guild_id') or '@me'}/{place}",
            software="Discord",
            notes=(_("A webhook can't search its channel: what is in doubt, a person decides."),),
        )

    def pause_until(self, headers: Mapping[str, str], now: datetime) -> datetime | None:
        """When the webhook's bucket is full again. https://docs.discord.com/developers/topics/rate-limits"""
        return discord_answers.pause_until(headers, now)


platform = Discord()


def _settings(account: Account) -> Settings:
    return Settings.model_validate(dict(account.settings))


def _body(sending: Sending) -> dict[str, Any]:
    """The message. Nobody is pinged, whatever the text says."""
    native, text = sending.draft.native, markdown(sending.content.text)
    body: dict[str, Any] = {"allowed_mentions": {"parse": []}} | ({"content": text} if text else {})
    flags = SUPPRESS_NOTIFICATIONS if native.get("silent") else 0
    flags |= SUPPRESS_EMBEDS if native.get("link_preview") is False else 0
    if flags:
        body["flags"] = flags
    if sending.content.media:
        body["attachments"] = [
            {"id": str(number), "filename": picture.name} | ({"description": picture.alt} if picture.alt else {})
            for number, picture in enumerate(sending.content.media)
        ]
    return body


def _path(session: Session) -> str:
    """``ID/TOKEN`` of the secret. Raises Unauthorized where it is no webhook's address: it must not go elsewhere."""
    secret = session.secret("webhook").strip()
    match = _SECRET.fullmatch(secret)
    if match is not None:
        return match[1]
    if _PLACEHOLDER.fullmatch(secret):
        return secret
    raise Unauthorized(
        _("The secret is not the address of a Discord webhook."),
        fix=_("Copy it from the channel settings, Integrations, Webhooks: https://discord.com/api/webhooks/…"),
    )


def _request(session: Session, method: str, path: str = "", **members: Any) -> Request:
    settings = _settings(session.account)
    query = {**members.pop("query", {})} | (
        {"thread_id": settings.thread} if settings.thread and (method, path) != ("GET", "") else {}
    )
    return Request(
        method=method,
        url=f"{settings.url}/api/v10/webhooks/{_path(session)}{path}",
        query=query,
        headers={"User-Agent": _user_agent()},
        errors=discord_answers.errors(session.now),
        **{"accept": (200,), **members},
    )


def _user_agent() -> str:
    """In the form that Discord asks for; others may be blocked. https://docs.discord.com/developers/reference#user-agent"""
    from campaign_cli.platforms.http import user_agent

    name, _space, contact = user_agent().partition(" (+")
    program, _slash, version = name.partition("/")
    return f"DiscordBot ({contact.rstrip(')') or program}, {version or '0'})"


async def _own_message(session: Session, number: str) -> Mapping[str, Any] | None:
    """A message that this webhook wrote, or None where there is none of that number."""
    try:
        return await ask(session.http, _request(session, "GET", f"/messages/{number}"), _message)
    except Rejected as error:
        if error.code == str(discord_answers.UNKNOWN_MESSAGE):
            return None
        raise


async def _webhook(session: Session) -> Mapping[str, Any]:
    """What the webhook says of itself, asked once for each process; its token is not kept."""
    if _WEBHOOK not in session.memory:
        sample = {"id": "{webhook_id}", "guild_id": "{server_id}", "channel_id": "{channel_id}", "name": "{name}"}
        request = _request(session, "GET", sample=sample)
        session.memory[_WEBHOOK] = await ask(
            session.http, request, lambda data: {k: data.get(k) for k in sample} | {"id": str(data["id"])}
        )
    known: Mapping[str, Any] = session.memory[_WEBHOOK]
    return known


async def _server_of(session: Session) -> str | None:
    """The server's number, for permalinks; a post that is out stays out where it can't be had."""
    try:
        return (await _webhook(session)).get("guild_id")
    except Failure:
        return None


def _message(data: Any) -> Mapping[str, Any]:
    """The message. Raises KeyError or TypeError where the answer holds none."""
    return dict(data) | {"id": str(data["id"]), "channel_id": str(data["channel_id"])}


def _receipt(session: Session, message: Mapping[str, Any], *, part: int, server: str | None) -> Receipt:
    url = f"{_settings(session.account).url}/channels/{server}/{message['channel_id']}/{message['id']}"
    return Receipt(part=part, id=message["id"], url=url if server else None, at=_instant(message) or session.now())


def _instant(message: Mapping[str, Any]) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(message.get("timestamp")))
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
