"""Videos on a Facebook Page: uploaded in the pieces that Facebook asks for, then published; what became of one.

https://developers.facebook.com/docs/graph-api/reference/page/videos · /docs/graph-api/video-uploads
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from campaign_cli.errors import Failure, Rejected, Unavailable
from campaign_cli.i18n import _
from campaign_cli.models import Receipt
from campaign_cli.platforms.answers import ask
from campaign_cli.platforms.answers import instant as iso_instant
from campaign_cli.platforms.base import Found, LookUp, Request, Sending, Upload
from campaign_cli.platforms.facebook_api import API, absolute, call, node, settings_of

STATUS_FIELDS: Final = "id,permalink_url,created_time,status"
_STEP: Final = "video"
_LASTS: Final = timedelta(hours=20)  # an upload that is older is begun anew
_UNSENT: Final = frozenset({"uploading", "upload_failed", "expired", "error"})  # words of one never published
_PHASES: Final = ("uploading_phase", "processing_phase", "publishing_phase")
_WAITS: Final = (2.0, 4.0, 8.0, 15.0, 30.0)  # seconds between two looks at what Facebook works on


async def upload(sending: Sending) -> dict[str, Any]:
    """Bring all bytes there, from where an earlier try stopped: ``session`` and ``video`` of the finished upload.

    After each piece the place where the next begins is kept. Where the answer to a piece was lost, Facebook may refuse
    the same piece: then the upload is begun anew, once.
    """
    known = sending.steps.get(_STEP)
    if known is not None and sending.now() - iso_instant(known["at"]) <= _LASTS:
        try:
            return await _rest(sending, known)
        except Rejected:
            pass
    return await _rest(sending, await _begin(sending, sending.content.media[0].size))


async def _rest(sending: Sending, known: dict[str, Any]) -> dict[str, Any]:
    """Send piece after piece until Facebook wants none. Raises Rejected, Unavailable."""
    size = sending.content.media[0].size
    content = b"" if known["start"] == size else await sending.load(sending.content.media[0])
    while known["start"] != size:
        sending.uploaded(known["start"], size)
        start, end = await _bring(sending, known, content[known["start"] : known["end"]])
        known = _placed(known | {"start": start, "end": end}, after=known["start"], size=size)
        await sending.keep(_STEP, known)
    sending.uploaded(size, size)
    return known


def _placed(known: dict[str, Any], *, after: int, size: int) -> dict[str, Any]:
    """The upload, where its next piece is one that the video has. Raises Unavailable."""
    start, end = known["start"], known["end"]
    if after < start < end <= size or start == end == size:
        return known
    raise Unavailable(_("Facebook asks for pieces that the video doesn't have. It is uploaded again later."))


def finish(sending: Sending, known: dict[str, Any], *, again: bool) -> Request:
    """The request that makes an uploaded video public, with its text."""
    form = {"upload_phase": "finish", "upload_session_id": known["session"]}
    text = sending.content.text
    return _request(
        sending,
        form=form | ({"description": text} if text else {}),
        creating=True,
        again=again,
        sample={"success": True},
    )


async def shown(sending: Sending, known: dict[str, Any]) -> str:
    """Where people see the published video, once Facebook has worked on it, or says nothing of that for a while.

    Raises Rejected where it could not use the video after all: then nothing is out.
    https://developers.facebook.com/docs/graph-api/reference/video-status
    """
    identifier, fields = str(known["video"]), "id,permalink_url,status"
    for seconds in (*_WAITS, None):
        try:
            found = await node(sending, identifier, fields=fields) or {}
        except Failure:
            found = {}
        status = found.get("status") or {}
        if _is_broken(status):
            raise Rejected(
                _("Facebook could not use the video."), fix=_("Save it as MP4 with H.264 and AAC, and send it again.")
            )
        if seconds is None or not status or _is_published(status):
            break
        await sending.sleep(seconds)
    return absolute(found, identifier)


async def look_up(sending: Sending) -> LookUp:
    """What became of the upload that was to be published: its own id says it beyond doubt.

    Only words that Facebook uses before a video is published prove that it is not out.
    """
    known = sending.steps.get(_STEP)
    if known is None:
        return LookUp(found=(), complete=True)  # no upload has begun, so nothing can have been published
    found = await node(sending, known["video"], fields=STATUS_FIELDS)
    status = (found or {}).get("status") or {}
    if found is not None and _is_published(status):
        url = absolute(found, known["video"])
        receipt = Receipt(part=sending.part, id=known["video"], url=url, at=sending.now())
        return LookUp(found=(Found(receipt=receipt, created_at=None),), complete=True)
    return LookUp(found=(), complete=status.get("video_status") in _UNSENT)


def _is_broken(status: dict[str, Any]) -> bool:
    failed = any((status.get(phase) or {}).get("status") == "error" for phase in _PHASES)
    return failed or status.get("video_status") in ("error", "upload_failed", "expired")


def _is_published(status: dict[str, Any]) -> bool:
    publishing = status.get("publishing_phase") or {}
    return publishing.get("status") == "complete" or publishing.get("publish_status") == "published"


async def _begin(sending: Sending, size: int) -> dict[str, Any]:
    request = _request(
        sending,
        form={"upload_phase": "start", "file_size": str(size)},
        sample={
            "upload_session_id": "{upload_session_id}",
            "video_id": "{video_id}",
            "start_offset": "0",
            "end_offset": str(size),
        },
    )
    known = await ask(
        sending.http,
        request,
        lambda body: {
            "session": str(body["upload_session_id"]),
            "video": str(body["video_id"]),
            "start": int(body["start_offset"]),
            "end": int(body["end_offset"]),
            "at": sending.now().isoformat(),
        },
    )
    known = _placed(known, after=-1, size=size)
    await sending.keep(_STEP, known)
    return known


async def _bring(sending: Sending, known: dict[str, Any], piece: bytes) -> tuple[int, int]:
    """Send one piece; the bounds of the next (equal where none is left)."""
    video = sending.content.media[0]
    request = _request(
        sending,
        form={
            "upload_phase": "transfer",
            "upload_session_id": known["session"],
            "start_offset": str(known["start"]),
        },
        uploads=(Upload(field="video_file_chunk", name=video.name, mime=video.mime, content=piece),),
        sample={"start_offset": str(video.size), "end_offset": str(video.size)},
    )
    return await ask(sending.http, request, lambda body: (int(body["start_offset"]), int(body["end_offset"])))


def _request(sending: Sending, *, again: bool = False, **members: Any) -> Request:
    """Videos go to a server of their own."""
    settings = settings_of(sending.account)
    request = call(sending, "POST", f"/{settings.page}/videos", again=again, **members)
    if settings.url != API:
        return request
    return replace(request, url=request.url.replace("//graph.", "//graph-video.", 1))
