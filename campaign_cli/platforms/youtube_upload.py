"""Resumable uploads: a session, its bytes in pieces, and the question how far it is.

https://developers.google.com/youtube/v3/guides/using_resumable_upload_protocol

The session's address opens the session for whoever has it: it is kept as a step, and taken out of every message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from campaign_cli.errors import Failure, Rejected, Unavailable
from campaign_cli.i18n import _
from campaign_cli.platforms.addresses import same_origin
from campaign_cli.platforms.answers import conceal, read_json, unreadable
from campaign_cli.platforms.base import Answer, Request, Sending
from campaign_cli.platforms.youtube_answers import GONE, errors
from campaign_cli.platforms.youtube_api import authorized, call, settings_of, uploaded_at

SESSION: Final = "session"  # step: the address to which the bytes go
UNIT: Final = 256 * 1024  # every piece but the last is a multiple of it
FIRST: Final = 4 * UNIT
LARGEST: Final = 64 * UNIT
_QUICK: Final = 15.0  # seconds: after a piece that took less the next one may be larger
_PLACEHOLDER: Final = "{upload_id}"
_RANGE: Final = re.compile(r"\s*bytes\s*[= ]\s*0-(\d+)\s*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a session is: ``arrived`` bytes, and the ``video`` once all have."""

    arrived: int = 0
    video: Mapping[str, Any] | None = None


async def uploaded(sending: Sending, resource: Mapping[str, Any], *, seen: bool = True) -> Mapping[str, Any]:
    """The video that YouTube made of the part's file, with ``resource`` as its words; goes on where it stopped.

    The piece with the last byte is the creating request: without it there is no video. Not so where nobody will see it
    (``seen``).
    """
    content = await sending.load(sending.content.media[0])
    address = str(sending.steps.get(SESSION) or "")
    known = await progress(sending, total=len(content)) if address else None
    if known is None:  # none yet, or one that YouTube has forgotten
        address, known = await _begin(sending, resource, total=len(content)), Progress()
    piece = FIRST
    while known.video is None:
        sending.uploaded(known.arrived, len(content))
        began = sending.now()
        known = await _send(sending, address, content=content, start=known.arrived, size=piece, seen=seen)
        quick = (sending.now() - began).total_seconds() < _QUICK
        piece = min(piece * 2, LARGEST) if quick else max(piece // 2, UNIT)
    sending.uploaded(len(content), len(content))
    return known.video


async def progress(sending: Sending, *, total: int) -> Progress | None:
    """How far the kept session is; None where YouTube doesn't know it any more."""
    address = str(sending.steps[SESSION])
    headers = {"Content-Range": f"bytes */{total}"}
    request = _put(sending, address, content=b"", headers=headers, accept=(308, 200, 201, *GONE))
    answer = await _answered(sending, request)
    return None if answer.status in GONE else _progress(request, answer, total=total)


async def _begin(sending: Sending, resource: Mapping[str, Any], *, total: int) -> str:
    """The address of a new session, kept before the first byte goes there. Nothing of it can be seen yet."""
    path = "/upload/youtube/v3/videos"
    address = f"{settings_of(sending.account).url}{path}?uploadType=resumable&upload_id={_PLACEHOLDER}"
    request = call(
        sending,
        "POST",
        path,
        query={"uploadType": "resumable", "part": ",".join(resource)},
        json=resource,
        headers={
            "X-Upload-Content-Length": str(total),
            "X-Upload-Content-Type": sending.content.media[0].mime,
        },
        sample_headers={"location": address},
        accept=(200, 201),
    )
    answer = await sending.http.send(request)
    address = answer.headers.get("location", "")
    if not urlsplit(address).query:
        raise unreadable(request, status=answer.status)
    await sending.keep(SESSION, address)
    return address


async def _send(sending: Sending, address: str, *, content: bytes, start: int, size: int, seen: bool) -> Progress:
    """Send one piece. Where it is refused for good, the session ends with it: a person's retry begins anew."""
    total, end = len(content), min(start + size, len(content))
    last = end == total
    request = _put(
        sending,
        address,
        content=content[start:end],
        headers={
            "Content-Type": sending.content.media[0].mime,
            "Content-Range": f"bytes {start}-{end - 1}/{total}",
        },
        creating=last and seen,
        accept=(200, 201, 308) if last else (308,),
        sample={"id": "{video_id}"} if last else None,
        sample_headers={} if last else {"range": f"bytes=0-{end - 1}"},
    )
    try:
        answer = await _answered(sending, request)
    except Rejected:
        await sending.keep(SESSION, None)
        raise
    known = _progress(request, answer, total=total)
    if known.video is None and known.arrived <= start:
        raise Unavailable(_("YouTube did not keep what was sent. The upload goes on later."))
    return known


def _put(sending: Sending, address: str, *, headers: Mapping[str, str], **members: Any) -> Request:
    """A request to the session; the token goes along only where it is for."""
    own = same_origin(address, settings_of(sending.account).url)
    proof = authorized(sending) if own else {}
    return Request(method="PUT", url=address, headers={**proof, **headers}, errors=errors(sending.now()), **members)


async def _answered(sending: Sending, request: Request) -> Answer:
    """The answer; a failure's message without what opens the session."""
    try:
        return await sending.http.send(request)
    except Failure as failure:
        conceal(failure, request.url)
        raise


def _progress(request: Request, answer: Answer, *, total: int) -> Progress:
    """What an answer to a piece, or to the question, says."""
    if answer.status == 308:
        arrived = answer.headers.get("range", "")
        match = _RANGE.fullmatch(arrived)
        count = int(match[1]) + 1 if match else 0
        if (arrived and match is None) or count > total:
            raise unreadable(request, status=308)
        return Progress(arrived=count)

    def read(body: Any) -> Mapping[str, Any]:
        uploaded_at(body)
        if not isinstance(body["id"], str) or not body["id"]:
            raise ValueError("id")
        return dict(body)

    return Progress(arrived=total, video=read_json(request, answer, read))
