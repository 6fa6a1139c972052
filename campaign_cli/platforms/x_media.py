"""Media on X: pictures in one request, videos in pieces, each of which is kept, so that an upload goes on.

https://docs.x.com/x-api/media/upload-media · /x-api/media/quickstart/media-upload-chunked
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from campaign_cli.errors import Rejected, Unavailable
from campaign_cli.i18n import _
from campaign_cli.platforms.answers import ask, in_seconds, instant
from campaign_cli.platforms.base import Sending, Upload
from campaign_cli.platforms.x_api import call

PIECE: Final = 4 * 1024 * 1024  # bytes; X takes 5 MB, and 1,000 pieces
_POLLS: Final = 6  # looks at a picture that X still works on
_VIDEO_POLLS: Final = 40
_LONGEST_POLL: Final = 15.0  # seconds
_MARGIN: Final = timedelta(minutes=10)  # an upload this near to its end is made anew


async def media_id(sending: Sending, index: int) -> str:
    """The id of a picture or video that is uploaded, ready and described; each step is kept, so that a restart goes on.

    https://docs.x.com/x-api/media/upload-media
    """
    step, described = f"media{index}", f"alt{index}"
    picture, known = sending.content.media[index], sending.steps.get(step)
    if known is None or _is_over(sending, known):
        known, working = await (_upload_pieces if picture.is_video else _upload)(sending, index)
        await sending.keep(step, known)
    else:
        working = {"state": known["state"]} if known["state"] else {}
    if working:
        await _ready(sending, known["id"], working, looks=_VIDEO_POLLS if picture.is_video else _POLLS)
        await sending.keep(step, {**known, "state": ""})
    alt = "" if picture.is_video else picture.alt  # X takes none for videos
    if alt and sending.steps.get(described) != known["id"]:
        await _describe(sending, known["id"], alt)
        await sending.keep(described, known["id"])
    return str(known["id"])


async def _upload(sending: Sending, index: int) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """What is kept of an upload, and what X still does with it (``_kept``)."""
    picture = sending.content.media[index]
    request = call(
        sending,
        "POST",
        "/2/media/upload",
        form={"media_category": "tweet_image"},
        uploads=(Upload(field="media", name=picture.name, mime=picture.mime, content=await sending.load(picture)),),
        sample={"data": {"id": f"{{media_id_{index + 1}}}"}},
    )

    return await ask(sending.http, request, lambda body: _kept(sending, body["data"]))


async def _upload_pieces(sending: Sending, index: int) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """Like ``_upload``, piece by piece; what an earlier process has sent is not sent again.

    https://docs.x.com/x-api/media/initialize-media-upload · /append-media-upload · /finalize-media-upload
    """
    video, step = sending.content.media[index], f"pieces{index}"
    begun: dict[str, Any] = sending.steps.get(step) or {}
    goes_on = bool(begun) and not _is_over(sending, begun)
    if not goes_on:
        begun = await _begin(sending, index)
        await sending.keep(step, begun)
    try:
        content = await sending.load(video)
        for number in range(begun["sent"], -(-len(content) // PIECE)):
            sending.uploaded(number * PIECE, len(content))
            await _append(sending, begun["id"], number, content[number * PIECE : (number + 1) * PIECE])
            begun = {**begun, "sent": number + 1}
            await sending.keep(step, begun)
        sending.uploaded(len(content), len(content))
        sample = {"data": {"id": begun["id"]}}
        request = call(sending, "POST", f"/2/media/upload/{begun['id']}/finalize", sample=sample)
        known, working = await ask(sending.http, request, lambda body: _kept(sending, body["data"]))
    except Rejected as refusal:
        await sending.keep(step, None)  # another try begins anew
        if goes_on:
            message = _("X did not take up again an upload that had begun earlier. It begins anew.")
            raise Unavailable(message) from refusal
        raise
    return {**known, "until": known["until"] or begun["until"]}, working


async def _begin(sending: Sending, index: int) -> dict[str, Any]:
    video = sending.content.media[index]
    request = call(
        sending,
        "POST",
        "/2/media/upload/initialize",
        json={"media_type": video.mime, "total_bytes": video.size, "media_category": "tweet_video"},
        sample={"data": {"id": f"{{media_id_{index + 1}}}"}},
    )
    known, _working = await ask(sending.http, request, lambda body: _kept(sending, body["data"]))
    return {"id": known["id"], "until": known["until"], "sent": 0}


async def _append(sending: Sending, identifier: str, number: int, piece: bytes) -> None:
    """One piece; the same again is the same."""
    request = call(
        sending,
        "POST",
        f"/2/media/upload/{identifier}/append",
        form={"segment_index": str(number)},
        uploads=(Upload(field="media", name="piece", mime="application/octet-stream", content=piece),),
        accept=(200, 201, 202, 204),
    )
    await sending.http.send(request)


def _is_over(sending: Sending, known: Mapping[str, Any]) -> bool:
    """Whether X forgets an upload soon, or has forgotten it."""
    return bool(known["until"]) and instant(known["until"]) < sending.now() + _MARGIN


def _kept(sending: Sending, data: Mapping[str, Any]) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """What is kept of an upload (its id, its end, what X still does with it), and X's word on the last."""
    working = _working(data)
    until = in_seconds(float(data.get("expires_after_secs") or 0), sending.now())
    ends = until.isoformat() if until is not None and data.get("expires_after_secs") else ""
    return {"id": str(data["id"]), "until": ends, "state": str(working.get("state") or "")}, working


def _working(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """What X is still doing with an upload; empty once it is done, which for a picture it is at once."""
    info = dict(data.get("processing_info") or {})
    return {} if info.get("state") in (None, "succeeded") else info


async def _ready(sending: Sending, identifier: str, working: Mapping[str, Any], *, looks: int) -> None:
    """Wait until X is done. Raises Rejected where it can't use the picture, Unavailable where it takes too long.

    https://docs.x.com/x-api/media/get-media-upload-status
    """
    for _look in range(looks):
        if not working:
            return
        if working.get("state") == "failed":
            raise Rejected(
                _("X could not use the file."), fix=_("Save it as JPEG, PNG or MP4 (H.264 and AAC) and try again.")
            )
        await sending.sleep(min(float(working.get("check_after_secs") or 1), _LONGEST_POLL))
        query = {"command": "STATUS", "media_id": identifier}
        request = call(sending, "GET", "/2/media/upload", query=query, sample={"data": {"id": identifier}})
        working = await ask(sending.http, request, lambda body: _working(body["data"]))
    if working:
        raise Unavailable(_("The server is still working on the file. It is tried again later."))


async def _describe(sending: Sending, identifier: str, alt: str) -> None:
    """https://docs.x.com/x-api/media/create-media-metadata"""
    request = call(
        sending,
        "POST",
        "/2/media/metadata",
        json={"id": identifier, "metadata": {"alt_text": {"text": alt}}},
        sample={"data": {"id": identifier}},
    )
    await ask(sending.http, request, lambda body: str(body["data"]["id"]))
