"""The events of one part of a Matrix post: on their way out, and found again.

https://spec.matrix.org/latest/client-server-api/#sending-events-to-a-room
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from campaign_cli.errors import Rejected
from campaign_cli.i18n import _
from campaign_cli.models import LASTING, Receipt
from campaign_cli.platforms import matrix_api as api
from campaign_cli.platforms.answers import ask
from campaign_cli.platforms.base import Found, LookUp, Sending, Session
from campaign_cli.platforms.matrix_text import same

_ANYWHERE: Final = {"m.relates_to": None}  # whatever its place in a thread


def step_of(number: int) -> str:
    """The name of the step that keeps an event of the part, which people can read from then on."""
    return f"{LASTING}event{number}"


def _transaction(sending: Sending, number: int) -> str:
    """The transaction id of an event of the part."""
    return f"{sending.key}.{number}"


def ids_of(receipt: Receipt) -> list[str]:
    """The ids of a part's events."""
    return [receipt.id, *(str(one) for one in receipt.extra.get("events") or ())]


def _place(sending: Sending, out: Sequence[str]) -> dict[str, Any]:
    """Where an event stands in a thread, after those of this part that are out. Clients without threads show an answer.

    https://spec.matrix.org/latest/client-server-api/#threading
    """
    if not (sending.part and sending.earlier):
        return {}
    before = out[-1] if out else ids_of(sending.earlier[-1])[-1]
    return {
        "m.relates_to": {
            "rel_type": "m.thread",
            "event_id": sending.earlier[0].id,
            "is_falling_back": True,
            "m.in_reply_to": {"event_id": before},
        }
    }


async def send_next(sending: Sending, room: str, out: list[str], *, content: Mapping[str, Any]) -> None:
    """Add the event with this content to those that are out. Of a part that is refused half-way, the officer is told
    that some of it can be read already."""
    try:
        out.append(await _sent(sending, room, number=len(out), content={**content, **_place(sending, out)}))
    except Rejected as error:
        if out:
            error.message = _("The beginning of the post is out, but not its pictures: {text}").format(
                text=error.message
            )
            error.args = (error.message,)
        raise


async def _sent(sending: Sending, room: str, *, number: int, content: Mapping[str, Any]) -> str:
    """The id of an event that is out, sent now unless it was before."""
    step = step_of(number)
    if step not in sending.steps:
        request = api.call(
            sending,
            "PUT",
            api.in_room(room, "send", "m.room.message", _transaction(sending, number)),
            json=dict(content),
            creating=True,
            sample={"event_id": f"${{event_{sending.part + 1}_{number + 1}}}"},
        )
        identifier = await ask(sending.http, request, lambda data: _identifier(data["event_id"]))
        await sending.keep(step, {"id": identifier, "at": sending.now().isoformat(), "room": room})
    return str(sending.steps[step]["id"])


def _identifier(value: Any) -> str:
    """An event's id. Raises ValueError for what names none."""
    if not str(value).startswith("$"):
        raise ValueError("event_id")
    return str(value)


def receipt_of(session: Session, room: str, out: Sequence[str], *, user: str, at: datetime) -> Receipt:
    """The proof of a part whose events are out."""
    part = session.part if isinstance(session, Sending) else 0
    more = {"events": list(out[1:])} if out[1:] else {}
    return Receipt(part=part, id=out[0], url=api.permalink(room, out[0], user=user), at=at, extra={"room": room} | more)


async def keep_found(sending: Sending, room: str, own: Sequence[Mapping[str, Any]], *, count: int) -> None:
    """Keep the events of this part that the server shows with our own transaction ids (to the same device alone)."""
    by_id = {_transaction_of(event): event for event in own}
    for number in range(count):
        event = by_id.get(_transaction(sending, number))
        if event is not None and step_of(number) not in sending.steps:
            at = api.written(event).isoformat()
            await sending.keep(step_of(number), {"id": event["event_id"], "at": at, "room": room})


def may_be_out(sending: Sending, own: Sequence[Mapping[str, Any]], wanted: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an event of the part that is not known to be out may be there without its transaction id: sent from a
    device that the token no longer belongs to. ``own`` are the account's events, ``wanted`` the part's contents."""
    known = {step["id"] for name, step in sending.steps.items() if name.startswith(LASTING)}
    missing = [content for number, content in enumerate(wanted) if step_of(number) not in sending.steps]
    nameless = [event for event in own if not _transaction_of(event) and event["event_id"] not in known]
    return any(same({**event["content"], **_ANYWHERE}, {**one, **_ANYWHERE}) for event in nameless for one in missing)


def _transaction_of(event: Mapping[str, Any]) -> str | None:
    return (event.get("unsigned") or {}).get("transaction_id")


def by_words(
    sending: Sending, room: str, own: Sequence[Mapping[str, Any]], *, wanted: Sequence[Any], user: str, complete: bool
) -> LookUp:
    """Events without any transaction id (another device sent them, or the server has forgotten it) that say the same,
    oldest first. Where a part is only half there, absence is not proved: a person must look."""
    nameless = [event for event in own if not _transaction_of(event)]
    found: list[Found] = []
    for start, first in enumerate(nameless):
        out: list[str] = []
        rest = iter(nameless[start:])
        for content in wanted:
            whole = {**content, **_place(sending, out)}
            match = next((event for event in rest if same(event["content"], whole)), None)
            if match is None or (not out and match is not first):
                break
            out.append(str(match["event_id"]))
        if len(out) == len(wanted):
            at = api.written(first)
            found.append(Found(receipt=receipt_of(sending, room, out, user=user, at=at), created_at=at))
        elif out:
            complete = False
    return LookUp(found=tuple(found), complete=complete)
