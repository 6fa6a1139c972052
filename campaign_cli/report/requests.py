"""The requests that publishing would make: each adapter's own ``publish`` over a transport that only writes down.

Secrets appear as ``‹env:NAME›``, uploads as ``‹poster.jpg, image/jpeg, 41.2 kB›``, and what only a server can give
(media ids, containers) as the placeholders of the adapter's samples.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlencode

from campaign_cli import platforms
from campaign_cli.dispatch.by_hand import folder_name
from campaign_cli.errors import HandedOver
from campaign_cli.i18n import _
from campaign_cli.models import Account, Draft, Picture, Receipt, attempt_key
from campaign_cli.report.words import size_text

if TYPE_CHECKING:
    from campaign_cli.platforms.base import Http, Request, Sending

_QUOTED: Final = re.compile(r"%E2%80%B9.*?%E2%80%BA")  # ‹…› as an address carries it
_BASIC: Final = re.compile(r"(?i)^basic\s+([a-z0-9+/=_-]+)$")


@dataclass(frozen=True, kw_only=True)
class ShownRequest:
    """One request for people: ``body`` holds JSON values only; after a ``creating`` one the post may be public."""

    part: int
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    creating: bool = False

    @property
    def body_text(self) -> str:
        """The body as indented JSON, or as it is where it is text."""
        return self.body if isinstance(self.body, str) else json.dumps(self.body, ensure_ascii=False, indent=2)

    def data(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "part": self.part + 1,
            "method": self.method,
            "url": self.url,
            "headers": dict(self.headers),
            "body": self.body,
            "creating": self.creating,
        }


async def requests_of(
    draft: Draft, *, account: Account, key: str, due: datetime, content: Callable[[str], bytes]
) -> tuple[ShownRequest, ...]:
    """Every request of every part, in order.

    ``key`` is the delivery's key, ``content`` gives a picture's prepared bytes by its SHA-256. Raises Rejected when the
    adapter itself refuses the draft.
    """
    from campaign_cli.platforms.http import RecordingTransport

    adapter = platforms.get(draft.platform)
    memory: dict[str, Any] = {}
    earlier: tuple[Receipt, ...] = ()
    shown: list[ShownRequest] = []
    pictures = {file.sha256: file for file in draft.files}
    content_hash = draft.content_hash(due)
    for number in range(len(draft.parts)):
        transport = RecordingTransport()
        sending = _sending(
            draft,
            account=account,
            due=due,
            http=transport,
            content=content,
            part=number,
            earlier=earlier,
            memory=memory,
        )
        sending.key = attempt_key(key, content_hash, number, 0)
        laid_out: dict[str, bytes] = {}
        sending.hand_over = partial(_laid_out, laid_out, key)
        try:
            earlier += (await adapter.publish(sending),)
            if number == len(draft.parts) - 1 and adapter.follows(draft):
                await adapter.afterwards(sending, earlier[-1])
        except HandedOver:
            shown.append(_by_hand(laid_out, part=number, folder=folder_name(key), pictures=pictures))
        shown += [_shown(request, part=number, pictures=pictures) for request in transport.requests]
    return tuple(shown)


async def _laid_out(into: dict[str, bytes], key: str, files: Mapping[str, bytes]) -> str:
    into.update(files)
    return folder_name(key)


def _by_hand(files: Mapping[str, bytes], *, part: int, folder: str, pictures: Mapping[str, Picture]) -> ShownRequest:
    """No request: what a person finds at the due minute, and where."""
    body = {
        name: content.decode() if name.endswith(".txt") else _summary(content, name="", mime="", pictures=pictures)
        for name, content in files.items()
    }
    return ShownRequest(part=part, method=_("BY HAND"), url=folder, body=body)


def _sending(  # noqa: PLR0913 - the ports of a sending, all by name
    draft: Draft,
    *,
    account: Account,
    due: datetime,
    http: Http,
    content: Callable[[str], bytes],
    part: int,
    earlier: tuple[Receipt, ...],
    memory: dict[str, Any],
) -> Sending:
    """One part on its way to nowhere: placeholders for secrets, no waiting, steps kept in memory."""
    from campaign_cli.platforms.base import Sending

    steps: dict[str, Any] = {}

    async def keep(name: str, value: Any) -> None:
        steps[name] = value

    async def load(picture: Picture) -> bytes:
        return content(picture.sha256)

    return Sending(
        account=account,
        http=http,
        secret=_placeholders(account),
        now=lambda: due,
        sleep=_no_wait,
        memory=memory,
        draft=draft,
        part=part,
        key="",
        due=due,
        earlier=earlier,
        steps=steps,
        keep=keep,
        load=load,
        public_url=_public_url,
    )


async def _public_url(picture: Picture) -> str:
    """Where a picture will lie is known only when it lies there."""
    return f"{{public_url:{picture.name}}}"


def _placeholders(account: Account) -> Callable[[str], str]:
    """The secret's reference in place of the secret."""

    def secret(name: str) -> str:
        return f"‹{account.settings.get(name) or name}›"

    return secret


async def _no_wait(_seconds: float) -> None:
    """Nothing is waited for in a preview."""


def _shown(request: Request, *, part: int, pictures: Mapping[str, Picture]) -> ShownRequest:
    url = request.url + (f"?{urlencode(request.query)}" if request.query else "")
    return ShownRequest(
        part=part,
        method=request.method,
        url=_QUOTED.sub(lambda match: unquote(match[0]), url),
        headers={name: _readable(value) for name, value in request.headers.items()},
        body=_body(request, pictures),
        creating=request.creating,
    )


def _body(request: Request, pictures: Mapping[str, Picture]) -> Any:
    if request.json is not None:
        return request.json
    if request.content is not None:
        mime = next((value for name, value in request.headers.items() if name.lower() == "content-type"), "")
        if mime == "application/json":  # bytes of our own making, since they are signed
            return _shortened(json.loads(request.content), pictures)
        return _summary(request.content, name="", mime=mime, pictures=pictures)
    if request.form is None and not request.uploads:
        return None
    body: dict[str, Any] = dict(request.form or {})
    for upload in request.uploads:
        body[upload.field] = _summary(upload.content, name=upload.name, mime=upload.mime, pictures=pictures)
    return body


def _shortened(value: Any, pictures: Mapping[str, Picture]) -> Any:
    """JSON data with what is a file in base64 named in its place."""
    if isinstance(value, dict):
        return {name: _shortened(inner, pictures) for name, inner in value.items()}
    if isinstance(value, list):
        return [_shortened(inner, pictures) for inner in value]
    if not isinstance(value, str):
        return value
    try:
        content = base64.b64decode(value, validate=True)
    except ValueError:
        return value
    known = hashlib.sha256(content).hexdigest() in pictures
    return _summary(content, name="", mime="base64", pictures=pictures) if known else value


def _summary(content: bytes, *, name: str, mime: str, pictures: Mapping[str, Picture]) -> str:
    """``‹name, type, size›`` in place of bytes."""
    if not name:
        picture = pictures.get(hashlib.sha256(content).hexdigest())
        name = picture.name if picture is not None else ""
    return f"‹{', '.join(piece for piece in (name, mime, size_text(len(content))) if piece)}›"


def _readable(value: str) -> str:
    """A header's value; what Basic authentication would hide in base64 is written out, with its placeholder."""
    match = _BASIC.match(value)
    if match is None:
        return value
    try:
        return f"Basic base64({base64.b64decode(match[1]).decode()})"
    except ValueError:
        return "Basic ‹•••›"
