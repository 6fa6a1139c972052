"""A Matrix room. https://spec.matrix.org/latest/client-server-api/#sending-events-to-a-room

An event holds one file, so a part is one event or several: the text, then each picture or video with its description.
Each has a transaction id of its own, made from the attempt's key: a server that gets it again from the same device
answers with the same event, and a look-up sees it again.
"""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from hashlib import sha256
from typing import ClassVar, Final
from urllib.parse import quote, unquote

from campaign_cli.errors import Rejected
from campaign_cli.i18n import N_, _
from campaign_cli.models import Account, Receipt
from campaign_cli.platforms import base
from campaign_cli.platforms import matrix_api as api
from campaign_cli.platforms.addresses import compared
from campaign_cli.platforms.answers import instant
from campaign_cli.platforms.base import (
    AccountCheck,
    Count,
    Found,
    Limits,
    LookUp,
    Platform,
    Proof,
    RemotePost,
    Sending,
    Session,
)
from campaign_cli.platforms.matrix_events import (
    by_words,
    ids_of,
    keep_found,
    may_be_out,
    receipt_of,
    send_next,
    step_of,
)
from campaign_cli.platforms.matrix_room import checked_room, metrics
from campaign_cli.platforms.matrix_text import TEXT, alt_of, contents, measured

_BEGAN: Final = "began"  # the step that says in which room, and from which device, a part was begun
_TURN: Final = "matrix.turn"  # in Session.memory: a lock
_POST: Final = re.compile(r"https?://\S+/#/(?:room/)?(?P<room>[^\s/?]+)/(?P<event>[^\s/?]+)(?:\?\S*)?")


class Matrix(Platform):
    """One account in one room without encryption; a thread's later parts stand in the thread of its first."""

    name: ClassVar[str] = "matrix"
    title: ClassVar[str] = "Matrix"
    Settings: ClassVar[type[base.Settings]] = api.Settings
    secrets: ClassVar[tuple[str, ...]] = ("token",)
    markup: ClassVar[str] = "entities"
    thread_form: ClassVar[str] = "root"
    singly: ClassVar[bool] = True
    limits: ClassVar[Limits] = Limits(
        text=None,
        text_bytes=TEXT,
        unit="bytes",
        images=10,
        image_bytes=50 * 1024 * 1024,  # Synapse's default; ``accounts check`` reads the server's own
        image_types=("image/jpeg", "image/png", "image/gif", "image/webp"),
        videos=10,
        video_bytes=50 * 1024 * 1024,
        mixed=True,
    )
    # The specification doesn't say how long a server remembers a transaction id. Synapse keeps it for a day, others
    # for half an hour or until they are started anew; a look-up comes before, whatever this says.
    help = {
        "url": N_("The address of your homeserver, like https://matrix.example."),
        "room": N_(
            "In your client: Room settings → Advanced → internal room ID, or the room's address with #. "
            "The account must have joined it."
        ),
        "token": N_("In Element: All settings → Help & About → Access token, of an account of its own for posting."),
    }
    proof: ClassVar[Proof] = Proof(
        look_up=True,
        found_by="its transaction id, else its words and files",
        repeat_for=timedelta(minutes=25),
        repeat_if="the token still belongs to the same device",
        verified_by="Synapse 1.163.2, its recorded answers, the specification",
    )
    metrics: ClassVar[tuple[str, ...]] = ("replies", "reactions")
    unconfirmed: ClassVar[tuple[str, ...]] = (
        "how long servers other than Synapse remember a transaction id",
        "whether a reader's client shows the caption of a picture (it must know version 1.10 of the specification)",
    )
    max_wait: ClassVar[float] = 60.0

    def address(self, account: Account) -> str:
        """The server and the room, as written: only the server knows which alias is which room."""
        settings = api.settings_of(account)
        return f"{compared(settings.url)}/{settings.room}"

    def measure(self, text: str, limits: Limits, *, media: int) -> tuple[Count, ...]:
        """Bytes of the text as it is sent; files are events of their own."""
        return measured(text, limits)

    async def publish(self, sending: Sending) -> Receipt:
        """Upload what is missing; then send the events that are not out, each a step of its own.

        https://spec.matrix.org/latest/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid
        """
        me, room = await api.own(sending), await _room(sending)
        await api.refuse_encryption(sending, room)
        began = {"device": api.device(sending), "room": room}
        if sending.steps.get(_BEGAN) != began:
            await sending.keep(_BEGAN, began)
        addresses = [await api.uploaded(sending, index) for index in range(len(sending.content.media))]
        out: list[str] = []
        # What is repeated after a look-up waits as well: no other text stands between a text and its pictures.
        async with sending.memory.setdefault(_TURN, asyncio.Lock()):
            for content in contents(sending, addresses):
                await send_next(sending, room, out, content=content)
        return receipt_of(sending, room, out, user=me["user_id"], at=instant(sending.steps[step_of(0)]["at"]))

    async def look_up(self, sending: Sending, since: datetime) -> LookUp:
        """The account's messages since then. Events of this part that are out are kept as steps, so that a part of
        which some are missing goes on with those."""
        me, room, own, complete = await api.own(sending), await _room(sending), [], False
        async for page, last in api.messages(sending, room, sender=me["user_id"]):
            own += [event for event in page if api.written(event) >= since]
            if last or any(api.written(event) < since for event in page):
                complete = True
                break
        own.reverse()
        wanted = contents(sending, [""] * len(sending.content.media))
        await keep_found(sending, room, own, count=len(wanted))
        known = [sending.steps[step_of(number)] for number in range(len(wanted)) if step_of(number) in sending.steps]
        if len(known) == len(wanted):
            out = [str(step["id"]) for step in known]
            receipt = receipt_of(sending, room, out, user=me["user_id"], at=instant(known[0]["at"]))
            return LookUp(found=(Found(receipt=receipt, created_at=None),), complete=complete)
        if known:
            return LookUp(found=(), complete=complete and not may_be_out(sending, own, wanted))
        return by_words(sending, room, own, wanted=wanted, user=me["user_id"], complete=complete)

    def may_repeat(self, session: Session, *, software: str, age: timedelta) -> bool:
        """Where the token belongs to the device that this part was begun from: transaction ids are the device's own.

        https://spec.matrix.org/latest/client-server-api/#transaction-identifiers
        """
        steps = session.steps if isinstance(session, Sending) else {}
        now, then = api.device(session), (steps.get(_BEGAN) or {}).get("device")
        return now is not None and now == then and super().may_repeat(session, software=software, age=age)

    async def read_back(self, session: Session, receipt: Receipt) -> RemotePost | None:
        """The part's events: the first one's words, the descriptions of the files, reactions and answers."""
        room = str(receipt.extra.get("room") or await api.room_id(session))
        events = [await api.event(session, room, identifier) for identifier in ids_of(receipt)]
        first = events[0]
        if first is None:
            return None
        found = [alt_of(event["content"]) for event in events if event is not None]
        return RemotePost(
            id=receipt.id,
            url=receipt.url,
            text=str(first["content"].get("body") or "") if alt_of(first["content"]) is None else "",
            alts=tuple(alt for alt in found if alt is not None),
            created_at=api.written(first),
            metrics=await metrics(session, room, first),
        )

    async def find(self, session: Session, url: str) -> Receipt | None:
        """``https://matrix.to/#/ROOM/EVENT``, or a web client's address of it, where the account wrote that message."""
        match, own = _POST.fullmatch(url.strip()), api.settings_of(session.account).room
        if match is None:
            return None
        named, identifier = unquote(match["room"]), unquote(match["event"])
        room = await api.room_id(session)
        if named not in (room, own) or api.EVENT.fullmatch(identifier) is None:
            return None
        event, me = await api.event(session, room, identifier), await api.own(session)
        if event is None or event.get("sender") != me["user_id"]:
            return None
        return receipt_of(session, room, [identifier], user=me["user_id"], at=api.written(event))

    async def delete(self, session: Session, receipt: Receipt) -> None:
        """Redact each event; what is gone already is fine.

        https://spec.matrix.org/latest/client-server-api/#put_matrixclientv3roomsroomidredacteventidtxnid
        """
        room = str(receipt.extra.get("room") or await api.room_id(session))
        for identifier in ids_of(receipt):
            transaction = sha256(f"redact {room} {identifier}".encode()).hexdigest()[:40]
            path = api.in_room(room, "redact", identifier, transaction)
            try:
                await session.http.send(api.call(session, "PUT", path, json={}))
            except Rejected as error:
                if error.code != "M_NOT_FOUND":
                    raise

    async def check(self, session: Session) -> AccountCheck:
        """Who the token belongs to, and whether this account may post in the room, unencrypted."""
        me, room = await api.own(session), await api.room_id(session)
        handle = await checked_room(session, room, user=me["user_id"])
        largest = await api.largest_upload(session)
        notes = (
            () if me.get("device_id") else (_("The token belongs to no device: what is in doubt is only looked up."),)
        )
        return AccountCheck(
            identity=f"{me['user_id']} {room}",
            handle=handle,
            url=f"https://matrix.to/#/{quote(api.settings_of(session.account).room, safe='!')}",
            software="Matrix",
            limits=api.limits_of(largest, self.limits),
            notes=(_("Posts are made by {user}.").format(user=me["user_id"]), *notes),
        )


platform = Matrix()


async def _room(sending: Sending) -> str:
    """The room that this part, or the thread that it belongs to, was begun in; else the one of the settings."""
    steps, thread = sending.steps, sending.earlier[0].extra if sending.part and sending.earlier else {}
    began = steps.get(_BEGAN) or steps.get(step_of(0)) or thread
    return str(began.get("room") or await api.room_id(sending))
