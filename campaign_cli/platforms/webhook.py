"""Any address that takes signed JSON. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

One message is one POST: the facts of the draft as JSON, signed as Standard Webhooks say (``webhook-id``,
``webhook-timestamp``, ``webhook-signature: v1,BASE64``). The id is the attempt's key, so that a receiver can drop
repeats; only where the officer says that it does is a doubtful message repeated. What the body holds is in
docs/webhook.md.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator

from campaign_cli.errors import Rejected, Unauthorized
from campaign_cli.i18n import N_, _
from campaign_cli.models import Account, Picture, Receipt
from campaign_cli.platforms import base
from campaign_cli.platforms.addresses import checked_address, compared
from campaign_cli.platforms.answers import json_object
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

KIND: Final = "post.due"
INLINE: Final = 16 * 1024 * 1024
"""Bytes of a file that go along in base64; a larger one is described alone, and its bytes don't go out."""
_PREFIX: Final = "whsec_"
_PLACEHOLDER: Final = re.compile(r"‹.*›")  # what a preview shows in place of the secret
_IDENTIFIER: Final = 500  # characters of a receiver's id or address that we keep


def _as_written(value: str) -> str:
    """Checked, and kept to the letter: a slash at the end may matter to a receiver. Raises ValueError."""
    checked_address(value)
    return value


class Settings(base.Settings):
    """The receiver's address and the secret that it shares with us.

    ``removes_repeats`` is the officer's word that the receiver drops a ``webhook-id`` that it has seen.
    """

    url: Annotated[str, AfterValidator(_as_written)]
    secret: str
    removes_repeats: bool = False


class Webhook(Platform):
    """One receiver."""

    name: ClassVar[str] = "webhook"
    title: ClassVar[str] = "Webhook"
    Settings: ClassVar[type[base.Settings]] = Settings
    secrets: ClassVar[tuple[str, ...]] = ("secret",)
    fields: ClassVar[frozenset[str]] = frozenset({"title", "slug", "categories", "tags", "excerpt", "cw"})
    link_in: ClassVar[str] = "card"
    limits: ClassVar[Limits] = Limits(
        text=None,
        unit="characters",
        images=10,
        image_bytes=2 * 1024 * 1024,
        image_types=("image/jpeg", "image/png", "image/gif", "image/webp"),
        videos=1,
        video_bytes=INLINE,
        mixed=True,
    )
    help = {
        "url": N_("The address that is to receive posts."),
        "secret": N_("What both sides know, to sign with: whsec_ and base64, or any long text."),
        "removes_repeats": N_("true where the receiver takes each webhook-id only once."),
    }
    deletes = False
    proof: ClassVar[Proof] = Proof(
        look_up=False,
        repeat_for=timedelta.max,
        repeat_if="accounts.yaml says removes_repeats: true",
        verified_by="specification (Standard Webhooks)",
    )
    permalinks: ClassVar[bool] = False
    max_wait: ClassVar[float] = 60.0  # a receiver may carry files on before it answers

    def address(self, account: Account) -> str:
        """The receiver's address; a slash at its end makes no other one."""
        return compared(_settings(account).url)

    def measure(self, text: str, limits: Limits, *, media: int) -> tuple[Count, ...]:
        """Code points, without a limit."""
        return (Count(used=len(text), limit=limits.text, unit=limits.unit),)

    def blind(self, account: Account) -> bool:
        """Unless the officer says that the receiver removes repeats."""
        return not _settings(account).removes_repeats

    def home(self, account: Account) -> str | None:
        """The receiver's server: the address itself may do something when it is called."""
        whole = urlsplit(_settings(account).url)
        return f"{whole.scheme}://{whole.netloc}/"

    async def publish(self, sending: Sending) -> Receipt:
        """POST the signed message; any 2xx is the receiver's word that it has it.

        The receipt's id is the attempt's key: a receiver may call every message by the same id.
        """
        body = json.dumps(await _message(sending), ensure_ascii=False, separators=(",", ":")).encode()
        request = Request(
            method="POST",
            url=_settings(sending.account).url,
            content=body,
            headers={"Content-Type": "application/json", **_signed(sending, body)},
            creating=True,
            accept=range(200, 300),
            errors=_errors,
            sample={"id": "{id}", "url": "{url}"},
        )
        answer = await sending.http.send(request)
        said = json_object(answer.text)
        identifier, url = _told(said.get("id")), _told(said.get("url"))
        return Receipt(
            part=sending.part,
            id=sending.key,
            url=url if url and url.startswith(("https://", "http://")) else None,
            at=sending.now(),
            extra={"id": identifier} if identifier else {},
        )

    async def look_up(self, sending: Sending, since: datetime) -> LookUp:
        """A receiver can't be asked: nothing is found, and that says nothing."""
        return LookUp(found=(), complete=False)

    def may_repeat(self, session: Session, *, software: str, age: timedelta) -> bool:
        """Only on the officer's word."""
        return not self.blind(session.account)

    async def read_back(self, session: Session, receipt: Receipt) -> RemotePost | None:
        """A receiver can't be asked."""
        return None

    async def delete(self, session: Session, receipt: Receipt) -> None:
        """What a receiver made of it is out of reach."""
        raise Rejected(
            _("A webhook can't take back what it has handed on."),
            fix=_("Delete it where the receiver has put it."),
        )

    async def check(self, session: Session) -> AccountCheck:
        """Whether the secret can sign and somebody answers at the address. Nothing is sent there but a HEAD."""
        _key(session.secret("secret"))
        settings = _settings(session.account)
        answer = await session.http.send(Request(method="HEAD", url=settings.url, accept=range(200, 500)))
        if 300 <= answer.status < 400:
            raise Rejected(
                _("The address leads elsewhere ({status}), and redirects are not followed.").format(
                    status=answer.status
                ),
                status=answer.status,
                fix=_("Write the receiver's final address in accounts.yaml."),
            )
        notes = [_("The address answers. Only a real message shows whether the receiver takes our signature.")]
        if not settings.removes_repeats:
            notes.append(
                _(
                    "What is in doubt, a person decides; if the receiver drops a webhook-id that it has seen, write "
                    "removes_repeats: true."
                )
            )
        return AccountCheck(identity=self.address(session.account), handle=compared(settings.url), notes=tuple(notes))


platform = Webhook()


def _settings(account: Account) -> Settings:
    return Settings.model_validate(dict(account.settings))


async def _message(sending: Sending) -> dict[str, Any]:
    """The body as docs/webhook.md says it. The same for every try, so nothing in it tells when it was sent."""
    draft, content = sending.draft, sending.content
    due = sending.due.astimezone(UTC).isoformat()
    before = sending.earlier[-1] if sending.part and sending.earlier else None
    data = {
        "key": sending.key,
        "account": draft.account,
        "language": draft.language,
        "due": due,
        "part": sending.part + 1,
        "parts": len(draft.parts),
        "reply_to": {"id": before.extra.get("id", before.id), "url": before.url} if before else None,
        "text": content.text,
        "link": draft.link,
        "media": [await _file(sending, picture) for picture in content.media],
        "native": dict(draft.native),
    }
    return {"type": KIND, "timestamp": due, "data": data}


async def _file(sending: Sending, picture: Picture) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": picture.name,
        "mime": picture.mime,
        "size": picture.size,
        "sha256": picture.sha256,
        "alt": picture.alt,
    }
    if picture.size > INLINE:
        return described
    return described | {"content": base64.b64encode(await sending.load(picture)).decode()}


def _signed(sending: Sending, body: bytes) -> Mapping[str, str]:
    """The three headers; the signature is over ``id.timestamp.body``."""
    stamp = str(int(sending.now().timestamp()))
    secret = sending.secret("secret").strip()
    if _PLACEHOLDER.fullmatch(secret):
        signature = secret
    else:
        content = f"{sending.key}.{stamp}.".encode() + body
        signature = base64.b64encode(hmac.new(_key(secret), content, hashlib.sha256).digest()).decode()
    return {"webhook-id": sending.key, "webhook-timestamp": stamp, "webhook-signature": f"v1,{signature}"}


def _key(secret: str) -> bytes:
    """The bytes behind ``whsec_BASE64`` (the prefix may be absent). Raises Unauthorized where it is none."""
    try:
        key = base64.b64decode(secret.strip().removeprefix(_PREFIX), validate=True)
    except ValueError:
        key = b""
    if len(key) < 16:  # the specification asks for 24 to 64; some receivers give out 16
        raise Unauthorized(
            _("The secret is not one that can sign: it must be whsec_ and at least 16 bytes in base64."),
            fix=_("Copy it from the receiver; to make one: echo whsec_$(openssl rand -base64 32)"),
        )
    return key


def _told(value: object) -> str | None:
    """An id or address that the receiver gives, where it is usable."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if 0 < len(text) <= _IDENTIFIER and text.isprintable() else None


def _errors(answer: Answer) -> Exception | None:
    """What Standard Webhooks give a meaning of its own: 410 is the end of an address. Also too large a body."""
    if answer.status == 410:
        return Rejected(
            _("The receiver says that this address is over (410)."),
            status=410,
            code="gone",
            fix=_("Ask for a new address, and write it in accounts.yaml."),
        )
    if answer.status == 413:
        return Rejected(
            _("The message is too large for the receiver (413)."),
            status=413,
            code="too_large",
            fix=_("Write a variant with fewer or smaller pictures."),
        )
    return None
