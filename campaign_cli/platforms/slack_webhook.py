"""A Slack channel through an incoming webhook. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks

Slack answers ``ok`` and nothing more: no number, no address, nothing to read, change or delete. So the receipt's id is
the attempt's own key, which the message carries as metadata; what is in doubt, a person decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import ClassVar, Final

from pydantic import field_validator

from campaign_cli.errors import Rejected, Unauthorized
from campaign_cli.i18n import N_, _
from campaign_cli.models import Account, Receipt
from campaign_cli.platforms import base
from campaign_cli.platforms.addresses import WebAddress, compared
from campaign_cli.platforms.answers import NOT_TAKEN, one_line, unreadable
from campaign_cli.platforms.base import (
    AccountCheck,
    Answer,
    Count,
    Limits,
    LookUp,
    Platform,
    Proof,
    RemotePost,
    Request,
    Sending,
    Session,
)
from campaign_cli.platforms.slack_text import SECTION, TEXT, body_of, measured
from campaign_cli.source.shapes import finding

_SECRET: Final = re.compile(r"(?:https?://\S+/)?(?:services/)?(T\w+/B\w+)/(\w+)/?", re.ASCII)
_PLACEHOLDER: Final = re.compile(r"‹.*›")  # what a preview shows in place of the secret
_NO_HOOK: Final = frozenset(
    {"no_service", "no_service_id", "no_active_hooks", "invalid_token", "no_team", "team_disabled"}
)
_NOT_HERE: Final = frozenset({"channel_not_found", "channel_is_archived", "user_not_found"})
_NOT_ALLOWED: Final = frozenset({"action_prohibited", "posting_to_general_channel_denied"})


class Settings(base.Settings):
    """A webhook; ``channel`` is only what people call its channel, ``url`` a server that stands in for Slack."""

    webhook: str
    channel: str | None = None
    url: WebAddress = "https://hooks.slack.com"

    @field_validator("url")
    @classmethod
    def _no_webhook(cls, value: str) -> str:
        """The webhook's address is a secret, and no address of a server."""
        if "/services/" in value:
            raise finding(
                "A005",
                _("The address of a webhook is a secret; files may only hold a reference to it."),
                _("Put it into .env and write webhook: env:NAME here; if the file was shared, make a new webhook."),
            )
        return value


class SlackWebhook(Platform):
    """One incoming webhook, bound to its channel."""

    name: ClassVar[str] = "slack-webhook"
    title: ClassVar[str] = "Slack (webhook)"
    Settings: ClassVar[type[base.Settings]] = Settings
    secrets: ClassVar[tuple[str, ...]] = ("webhook",)
    fields: ClassVar[frozenset[str]] = frozenset({"link_preview"})
    markup: ClassVar[str] = "entities"
    thread_form: ClassVar[str] = "order"  # nothing can be answered, since no message has a name
    singly: ClassVar[bool] = True
    limits: ClassVar[Limits] = Limits(text=TEXT, caption=SECTION, unit="characters", images=0)
    deletes = False
    proof: ClassVar[Proof] = Proof(look_up=False, repeat_for=None, verified_by="specification")
    permalinks: ClassVar[bool] = False
    unconfirmed: ClassVar[tuple[str, ...]] = ("how long a rich text may be (others measured some 13,000 characters)",)
    help = {
        "webhook": N_("At api.slack.com/apps: your app → Incoming Webhooks → Add New Webhook → Copy."),
        "channel": N_("What the channel is called; only for people."),
    }

    def address(self, account: Account) -> str:
        """The webhook's reference: the address itself is the secret."""
        settings = _settings(account)
        return f"{compared(settings.url)}/{settings.webhook}"

    def measure(self, text: str, limits: Limits, *, media: int) -> tuple[Count, ...]:
        """Code points of what is sent, escapes included."""
        return measured(text, limits, media=media)

    async def publish(self, sending: Sending) -> Receipt:
        """POST the message; pictures would need public addresses, and are refused before anything is sent."""
        if sending.content.media:
            raise Rejected(
                _("A Slack webhook can't carry pictures."),
                fix=_("Use a bot token (platform: slack), or write a variant without pictures."),
            )
        request = _request(sending, body_of(sending), creating=True)
        answer = await sending.http.send(request)
        if answer.text.strip() not in {"ok", '"ok"'}:
            raise unreadable(request, status=answer.status)
        return Receipt(part=sending.part, id=sending.key, url=None, at=sending.now())

    async def look_up(self, sending: Sending, since: datetime) -> LookUp:
        """A webhook can't read: nothing is found, and that says nothing."""
        return LookUp(found=(), complete=False)

    async def read_back(self, session: Session, receipt: Receipt) -> RemotePost | None:
        """A webhook can't read."""
        return None

    async def delete(self, session: Session, receipt: Receipt) -> None:
        """A webhook can't delete."""
        raise Rejected(
            _("A Slack webhook can't delete what it posted."),
            fix=_("Delete the message in Slack, or use a bot token (platform: slack)."),
        )

    async def check(self, session: Session) -> AccountCheck:
        """An empty message, which Slack refuses with ``no_text`` where the webhook works: nothing is posted."""
        team, number = _parts(session)[0].split("/")
        request = _request(session, {"text": ""}, accept=(400,))
        answer = await session.http.send(request)
        if answer.text.strip() not in {"no_text", "invalid_payload"}:
            raise unreadable(request, status=answer.status)
        channel = _settings(session.account).channel
        return AccountCheck(
            identity=f"{team}/{number}",
            handle=channel or f"{team}/{number}",
            software="Slack",
            notes=(
                _("A webhook gives no address of a post, and can't look one up: what is in doubt, a person decides."),
            ),
        )


platform = SlackWebhook()


def _settings(account: Account) -> Settings:
    return Settings.model_validate(dict(account.settings))


def _parts(session: Session) -> tuple[str, str]:
    """``TEAM/WEBHOOK`` and the key. Raises Unauthorized where it is no webhook's address: it must not go elsewhere."""
    secret = session.secret("webhook").strip()
    match = _SECRET.fullmatch(secret)
    if match is not None:
        return match[1], match[2]
    if _PLACEHOLDER.fullmatch(secret):
        return secret, ""
    raise Unauthorized(
        _("The secret is not the address of a Slack webhook."),
        fix=_("Copy it from the app's page Incoming Webhooks: https://hooks.slack.com/services/…"),
    )


def _request(
    session: Session, body: Mapping[str, object], *, creating: bool = False, accept: tuple[int, ...] = (200,)
) -> Request:
    path = "/".join(filter(None, _parts(session)))
    return Request(
        method="POST",
        url=f"{_settings(session.account).url}/services/{path}",
        json=body,
        creating=creating,
        accept=accept,
        errors=_errors(checking=not creating),
        sample="ok",
    )


def _errors(*, checking: bool) -> Callable[[Answer], Exception | None]:
    """Slack's words for Request.errors: plain text with 400, 403, 404 or 410.

    https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
    """

    def read(answer: Answer) -> Exception | None:
        if not 400 <= answer.status < 500 or answer.status in NOT_TAKEN:
            return None
        code = answer.text.strip()
        if checking and code in {"no_text", "invalid_payload"}:
            return None
        return _failure(code, status=answer.status)

    return read


def _failure(code: str, *, status: int) -> Exception | None:
    message = _("Slack refused it: {text}").format(text=one_line(code))
    if code in _NO_HOOK:
        fix = _("The webhook works no more: make a new one on the app's page Incoming Webhooks.")
        return Unauthorized(message, status=status, code=code, fix=fix)
    if code in _NOT_HERE:
        fix = _("Its channel is gone or archived: make a new webhook for another channel.")
        return Rejected(message, status=status, code=code, fix=fix)
    if code in _NOT_ALLOWED:
        fix = _("The workspace restricts who may post in this channel: ask its administrators.")
        return Rejected(message, status=status, code=code, fix=fix)
    return None
