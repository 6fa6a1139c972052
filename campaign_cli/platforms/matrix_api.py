"""A Matrix homeserver: how it is asked, what its refusals mean, how it takes files and shows a room.

https://spec.matrix.org/latest/client-server-api/
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote, unquote

from pydantic import field_validator

from campaign_cli.errors import Rejected, Unauthorized, Unavailable
from campaign_cli.i18n import _
from campaign_cli.models import Account
from campaign_cli.platforms import base
from campaign_cli.platforms.addresses import WebAddress
from campaign_cli.platforms.answers import ask, epoch, explain, in_seconds, json_object, read_json
from campaign_cli.platforms.base import Answer, Limits, Request, Sending, Session
from campaign_cli.source.shapes import finding

PAGE: Final = 100
PAGES: Final = 25  # bound of a look-up; a search that ends here is not complete
EVENT: Final = re.compile(r"\$[^\s/]{1,254}")
_CLIENT: Final = "/_matrix/client/v3"
CLIENT_V1: Final = "/_matrix/client/v1"
_ROOM: Final = re.compile(r"![^\s/]{1,254}|#[^\s:/]{1,200}:[^\s/]{1,200}")
_OWN: Final = "matrix.own"  # in Session.memory: what whoami says, and of which token
_ROOM_ID: Final = "matrix.room"  # in Session.memory: the room behind the alias
_NO_TOKEN: Final = frozenset({"M_UNKNOWN_TOKEN", "M_MISSING_TOKEN"})
_NO_ACCOUNT: Final = frozenset({"M_USER_DEACTIVATED", "M_USER_LOCKED", "M_USER_SUSPENDED"})


class Settings(base.Settings):
    """A room by its ID or alias, the homeserver's client address, and the access token of one session there."""

    url: WebAddress
    room: str
    token: str

    @field_validator("room", mode="before")
    @classmethod
    def _known_form(cls, value: object) -> str:
        """``!id`` or ``#alias:server``; the room's matrix.to link is understood."""
        text = str(value).strip()
        _before, link, shared = text.partition("matrix.to/#/")
        if link:
            text = unquote(shared.partition("?")[0])
        if _ROOM.fullmatch(text) is None:
            raise finding(
                "A004",
                _("This is no Matrix room."),
                _("Write its alias, like #serikat:server.example, or the room ID of its settings, with the !."),
            )
        return text


def settings_of(account: Account) -> Settings:
    """The account's own keys. Raises pydantic.ValidationError."""
    return Settings.model_validate(dict(account.settings))


def call(session: Session, method: str, path: str, **members: Any) -> Request:
    """A request of the account; ``path`` below the client API (or whole, from ``/_matrix``); ``members`` as in
    Request."""
    headers = {"Authorization": f"Bearer {session.secret('token')}", **members.pop("headers", {})}
    address = path if path.startswith("/_matrix") else _CLIENT + path
    members.setdefault("errors", errors(session))
    members.setdefault("accept", (200,))
    return Request(method=method, url=settings_of(session.account).url + address, headers=headers, **members)


def in_room(room: str, *steps: str) -> str:
    """The path of something in a room: each step is written as one piece of an address."""
    return "/rooms/" + "/".join(quote(step, safe="!$:@{}") for step in (room, *steps))


def errors(session: Session) -> Callable[[Answer], Exception | None]:
    """Matrix' own table for ``Request.errors``: a refusal has an ``errcode``.

    https://spec.matrix.org/latest/client-server-api/#standard-error-response
    """

    def read(answer: Answer) -> Exception | None:
        data = json_object(answer.text) if 400 <= answer.status < 500 else {}
        code = data.get("errcode")
        return _failure(code, data, answer=answer, session=session) if isinstance(code, str) and code else None

    return read


def _failure(code: str, data: Mapping[str, Any], *, answer: Answer, session: Session) -> Exception:
    message = _("Matrix refused it: {text}").format(text=f"{code}: {explain(answer)}")
    if code in _NO_TOKEN:
        ended = _("The session has ended; its access token must be renewed.") if data.get("soft_logout") else message
        return Unauthorized(ended, status=answer.status, code=code, fix=_new_token())
    if code in _NO_ACCOUNT:
        fix = _("Ask the administrators of the homeserver what became of the account.")
        return Unauthorized(message, status=answer.status, code=code, fix=fix)
    if code == "M_LIMIT_EXCEEDED":
        wait = data.get("retry_after_ms")
        retry_at = None
        if isinstance(wait, int | float) and "retry-after" not in answer.headers:  # the header is the newer way
            retry_at = in_seconds(wait / 1000, session.now())
        return Unavailable(message, status=429, code=code, retry_at=retry_at)
    return Rejected(message, status=answer.status, code=code, fix=_fix(code))


def _new_token() -> str:
    return _(
        "Sign in as the account once more, in a session that is kept for this alone, and put its new access token in"
        " the place of the old one."
    )


def _fix(code: str) -> str:
    """What helps against a refusal; empty where its own words must do."""
    fixes = {
        "M_FORBIDDEN": _("Invite the account to the room, join with it, and give it the right to send messages there."),
        "M_GUEST_ACCESS_FORBIDDEN": _("Guests may not post: take the token of a registered account."),
        "M_CONSENT_NOT_GIVEN": _("Sign in as the account once, and agree to the homeserver's terms."),
        "M_RESOURCE_LIMIT_EXCEEDED": _("The homeserver has reached a limit of its own: ask its administrators."),
        "M_TOO_LARGE": _("Shorten the text, or make the file smaller."),
        "M_UNRECOGNIZED": _(
            "Check the account's address: https://SERVER/.well-known/matrix/client names the one that clients use."
        ),
    }
    return fixes.get(code, "")


async def own(session: Session) -> Mapping[str, Any]:
    """Who the token is: ``user_id``, and ``device_id`` where it belongs to a device. Asked once for each token.

    https://spec.matrix.org/latest/client-server-api/#get_matrixclientv3accountwhoami
    """
    token = sha256(session.secret("token").encode()).hexdigest()
    if session.memory.get(_OWN, {}).get("token") != token:
        sample = {"user_id": "@{user}:{server}", "device_id": "{device}"}
        request = call(session, "GET", "/account/whoami", sample=sample)
        me = await ask(session.http, request, lambda data: {**data, "user_id": str(data["user_id"])})
        session.memory[_OWN] = {**me, "token": token}
    known: Mapping[str, Any] = session.memory[_OWN]
    return known


def device(session: Session) -> str | None:
    """The device of the token, where it has been asked and belongs to one."""
    return session.memory.get(_OWN, {}).get("device_id") or None


async def room_id(session: Session) -> str:
    """The room's ID; an alias is asked once for each process.

    https://spec.matrix.org/latest/client-server-api/#get_matrixclientv3directoryroomroomalias
    """
    room = settings_of(session.account).room
    if room.startswith("!"):
        return room
    if _ROOM_ID not in session.memory:
        path, sample = f"/directory/room/{quote(room, safe='')}", {"room_id": "!{room}:{server}"}
        request = call(session, "GET", path, sample=sample)
        session.memory[_ROOM_ID] = await ask(session.http, request, lambda data: str(data["room_id"]))
    return str(session.memory[_ROOM_ID])


async def state(session: Session, room: str, kind: str, *, of: str = "", **query: str) -> dict[str, Any] | None:
    """A state event's content, or None where the room has none. Raises Rejected for who is not in the room.

    https://spec.matrix.org/latest/client-server-api/#get_matrixclientv3roomsroomidstateeventtypestatekey
    """
    path = in_room(room, "state", kind, of)
    request = call(session, "GET", path, query=query, accept=(404, 200), errors=_unless_missing(session))
    answer = await session.http.send(request)
    return None if answer.status == 404 else read_json(request, answer, dict)


async def refuse_encryption(session: Session, room: str) -> None:
    """Raises Rejected where the room is encrypted: what is sent there in the open, clients show as a warning."""
    if await state(session, room, "m.room.encryption") is not None:
        raise Rejected(
            _("The room is encrypted, and posts are sent unencrypted: nothing was sent."),
            code="encrypted",
            fix=_("Choose a room without encryption. It can't be switched off; a new room may be made without it."),
        )


async def uploaded(sending: Sending, index: int) -> str:
    """The ``mxc://`` address of a file; kept, so that a restart goes on from here. Nobody sees it without an event.

    https://spec.matrix.org/latest/client-server-api/#post_matrixmediav3upload
    """
    step = f"media{index}"
    if step not in sending.steps:
        item = sending.content.media[index]
        request = call(
            sending,
            "POST",
            "/_matrix/media/v3/upload",
            query={"filename": item.name},
            content=await sending.load(item),
            headers={"Content-Type": item.mime},
            sample={"content_uri": f"mxc://{{server}}/{{media_{index + 1}}}"},
        )
        await sending.keep(step, await ask(sending.http, request, lambda data: _address(data["content_uri"])))
    return str(sending.steps[step])


async def largest_upload(session: Session) -> int | None:
    """How many bytes a file may have, where the server says so.

    https://spec.matrix.org/latest/client-server-api/#get_matrixclientv1mediaconfig
    """
    answer: Answer | None = None
    for path in (f"{CLIENT_V1}/media/config", "/_matrix/media/v3/config"):  # the second is that of servers before 1.11
        request = call(session, "GET", path, accept=(200, 400, 404, 405), errors=_unless_missing(session))
        answer = await session.http.send(request)
        if answer.status == 200:
            return read_json(request, answer, lambda data: int(data["m.upload.size"]) if data else None)
    return None


def limits_of(largest: int | None, documented: Limits) -> Limits:
    """The limits of a server that takes files of up to ``largest`` bytes (None: it doesn't say)."""
    if largest is None:
        return documented
    return replace(documented, image_bytes=largest, video_bytes=largest, source="instance")


async def messages(session: Session, room: str, *, sender: str) -> AsyncIterator[tuple[list[Mapping[str, Any]], bool]]:
    """Pages of what somebody has written in a room, newest first, and whether it is the last page.

    https://spec.matrix.org/latest/client-server-api/#get_matrixclientv3roomsroomidmessages
    """
    wanted = json.dumps({"senders": [sender], "types": ["m.room.message"]})
    query = {"dir": "b", "limit": str(PAGE), "filter": wanted}
    for _page in range(PAGES):
        data = await ask(session.http, call(session, "GET", in_room(room, "messages"), query=query), _page_of)
        end = data.get("end")
        yield [event for event in data["chunk"] if event["sender"] == sender], not end  # an empty page is no last one
        if not end:
            return
        query["from"] = str(end)


def _page_of(data: Any) -> Mapping[str, Any]:
    for event in data["chunk"]:
        written(event)
        str(event["event_id"]), str(event["sender"]), dict(event["content"])
    return dict(data)


async def event(session: Session, room: str, identifier: str) -> Mapping[str, Any] | None:
    """One message, or None where it is gone: a redacted one has no content any more.

    https://spec.matrix.org/latest/client-server-api/#get_matrixclientv3roomsroomideventeventid
    """
    request = call(
        session, "GET", in_room(room, "event", identifier), accept=(200, 404), errors=_unless_missing(session)
    )
    answer = await session.http.send(request)
    if answer.status == 404:
        return None
    found = read_json(request, answer, lambda data: {**data, "content": dict(data["content"])})
    return found if found["content"].get("msgtype") else None


def written(event: Mapping[str, Any]) -> datetime:
    """When the server took an event (``origin_server_ts``, milliseconds). Raises ValueError."""
    at = epoch(float(event["origin_server_ts"]) / 1000)
    if at is None:
        raise ValueError("origin_server_ts")
    return at.astimezone(UTC)


def permalink(room: str, identifier: str, *, user: str) -> str:
    """The message's address for people, by way of the account's own server.

    https://spec.matrix.org/latest/appendices/#matrixto-navigation
    """
    via = quote(user.partition(":")[2], safe="")
    return f"https://matrix.to/#/{quote(room, safe='!')}/{quote(identifier, safe='')}" + (f"?via={via}" if via else "")


def _address(value: Any) -> str:
    if not str(value).startswith("mxc://"):
        raise ValueError("content_uri")
    return str(value)


def _unless_missing(session: Session) -> Callable[[Answer], Exception | None]:
    """The usual table, where 404 is an answer."""
    usual = errors(session)
    return lambda answer: None if answer.status == 404 else usual(answer)
