"""One Matrix room: what it is called, whether an account may post there, and how a message was received.

https://spec.matrix.org/latest/client-server-api/#room-events · #mroompower_levels
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from campaign_cli.errors import Rejected, Unavailable
from campaign_cli.i18n import _
from campaign_cli.platforms import matrix_api as api
from campaign_cli.platforms.answers import ask
from campaign_cli.platforms.base import Session

_CREATORS_RULE: Final = 12  # from this room version on, creators may do everything and stand in no list


async def checked_room(session: Session, room: str, *, user: str) -> str:
    """The room's name for people: its main alias, else its name, else its ID.

    Raises Rejected where the account is not in the room, may not post there, or the room is encrypted.
    """
    member = await api.state(session, room, "m.room.member", of=user)
    if member is None or member.get("membership") != "join":
        raise Rejected(
            _("{user} is not in the room {room}.").format(user=user, room=room),
            code="M_FORBIDDEN",
            fix=_("Invite the account to the room, join with it, and give it the right to send messages there."),
        )
    await api.refuse_encryption(session, room)
    levels = await api.state(session, room, "m.room.power_levels")
    has, needs = _power(levels, user=user), _needed(levels)
    if has < needs and not await _may_all(session, room, user=user):
        raise Rejected(
            _("{user} may not write in the room: it has power level {has}, and {needs} is needed.").format(
                user=user, has=has, needs=needs
            ),
            code="M_FORBIDDEN",
            fix=_("In the room's settings, give the account a role that may send messages."),
        )
    alias = (await api.state(session, room, "m.room.canonical_alias") or {}).get("alias")
    name = (await api.state(session, room, "m.room.name") or {}).get("name")
    return str(alias or name or api.settings_of(session.account).room)


def _needed(levels: Mapping[str, Any] | None) -> int:
    """The power level that a message needs."""
    known = levels or {}
    return _level((known.get("events") or {}).get("m.room.message"), _level(known.get("events_default"), 0))


async def metrics(session: Session, room: str, event: Mapping[str, Any]) -> dict[str, int]:
    """Answers in the message's thread, and reactions where the server tells them."""
    thread = ((event.get("unsigned") or {}).get("m.relations") or {}).get("m.thread") or {}
    found = {"replies": int(thread["count"])} if isinstance(thread.get("count"), int) else {}
    with suppress(Rejected, Unavailable):
        found["reactions"] = await _reactions(session, room, str(event["event_id"]))
    return found


async def _reactions(session: Session, room: str, identifier: str) -> int:
    """How many reactions a message has, 100 at most.

    https://spec.matrix.org/latest/client-server-api/#get_matrixclientv1roomsroomidrelationseventidreltype
    """
    path = api.CLIENT_V1 + api.in_room(room, "relations", identifier, "m.annotation")
    request = api.call(session, "GET", path, query={"limit": str(api.PAGE)})
    return await ask(session.http, request, lambda data: len(data["chunk"]))


async def _may_all(session: Session, room: str, *, user: str) -> bool:
    """Whether the account is a creator of a newer room: those may do everything, and stand in no list.

    https://spec.matrix.org/latest/rooms/v12/
    """
    event = await api.state(session, room, "m.room.create", format="event") or {}
    content = event.get("content") or {}
    version = str(content.get("room_version") or "1")
    creators = [event.get("sender"), *(content.get("additional_creators") or ())]
    return version.isdigit() and int(version) >= _CREATORS_RULE and user in creators


def _power(levels: Mapping[str, Any] | None, *, user: str) -> int:
    """The power level of an account."""
    known = levels or {}
    return _level((known.get("users") or {}).get(user), _level(known.get("users_default"), 0))


def _level(value: Any, default: int) -> int:
    """A power level; old rooms write it as text."""
    try:
        return default if value is None else int(value)
    except (TypeError, ValueError):
        return default
