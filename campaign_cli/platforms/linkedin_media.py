"""Pictures and videos on their way to LinkedIn: ask for an address, send the bytes, wait until they are worked up.

https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/images-api · …/videos-api

The addresses that LinkedIn gives for the bytes open the upload for whoever has them: they are held in memory alone, so
that an upload goes on in the process that began it, and begins anew in another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from campaign_cli.errors import Failure, Rejected, Unavailable
from campaign_cli.i18n import _
from campaign_cli.platforms.addresses import same_origin
from campaign_cli.platforms.answers import ask, conceal
from campaign_cli.platforms.base import Answer, Request, Sending
from campaign_cli.platforms.linkedin_answers import errors
from campaign_cli.platforms.linkedin_api import call, encoded, instant, settings_of

PART_BYTES: Final = 4 * 1024 * 1024  # of a video; LinkedIn's own instructions decide
IMAGE_POLLS: Final = (1.0, 2.0, 4.0, 8.0)  # seconds between looks at a file that LinkedIn works on
VIDEO_POLLS: Final = (2.0, 4.0, 8.0, 15.0, 15.0, 15.0, 15.0)


async def image(sending: Sending, index: int) -> str:
    """The URN of a picture that is uploaded and ready; it is kept, so that a restart doesn't upload it again."""
    step = f"image{index}"
    urn = sending.steps.get(step)
    if urn is None:
        urn = await _upload_image(sending, index)
        await sending.keep(step, urn)
    if not await _is_ready(sending, step, f"/rest/images/{encoded(urn)}", polls=IMAGE_POLLS):
        raise Unavailable(_("The picture did not arrive. It is uploaded again later."))
    return str(urn)


async def video(sending: Sending, index: int) -> str:
    """The URN of a video that is uploaded and ready; kept once all of it is there. Until then, the parts that have
    arrived are known to this process, which doesn't send them again."""
    step, upload = f"video{index}", f"linkedin.upload.{sending.key}.{index}"
    urn = sending.steps.get(step)
    if urn is None:
        begun = sending.memory.get(upload)
        if begun is None or (begun["until"] and instant(begun["until"]) <= sending.now()):
            begun = sending.memory[upload] = await _begin_video(sending, index)
        try:
            await _send_parts(sending, index, begun)
            await _finalize(sending, begun)
        except Rejected:
            sending.memory.pop(upload, None)  # a person's retry begins anew
            raise
        urn = begun["video"]
        await sending.keep(step, urn)
        sending.memory.pop(upload, None)
    if not await _is_ready(sending, step, f"/rest/videos/{encoded(urn)}", polls=VIDEO_POLLS):
        raise Unavailable(_("The video did not arrive. It is uploaded again later."))
    return str(urn)


async def _upload_image(sending: Sending, index: int) -> str:
    picture = sending.content.media[index]
    settings = settings_of(sending.account)
    number = index + 1
    upload = f"{settings.url}/{{upload_{number}}}"
    sample = {"value": {"image": f"urn:li:image:{{image_{number}}}", "uploadUrl": upload}}
    request = call(
        sending,
        "POST",
        "/rest/images",
        query={"action": "initializeUpload"},
        json={"initializeUploadRequest": {"owner": settings.author}},
        sample=sample,
    )
    urn, address = await ask(
        sending.http, request, lambda body: (str(body["value"]["image"]), str(body["value"]["uploadUrl"]))
    )
    await _sent(sending, _put(sending, address, await sending.load(picture), mime=picture.mime))
    return urn


async def _begin_video(sending: Sending, index: int) -> dict[str, Any]:
    """What is held of an upload: its URN, LinkedIn's token for it, where each part goes, and the ETags so far."""
    size = len(await sending.load(sending.content.media[index]))
    settings, number = settings_of(sending.account), index + 1
    parts = [{"uploadUrl": f"{settings.url}/{{upload_{number}}}", "firstByte": 0, "lastByte": size - 1}]
    sample = {"value": {"video": f"urn:li:video:{{video_{number}}}", "uploadToken": "", "uploadInstructions": parts}}
    request = call(
        sending,
        "POST",
        "/rest/videos",
        query={"action": "initializeUpload"},
        json={
            "initializeUploadRequest": {
                "owner": settings.author,
                "fileSizeBytes": size,
                "uploadCaptions": False,
                "uploadThumbnail": False,
            }
        },
        sample=sample,
    )

    def read(body: Any) -> dict[str, Any]:
        value = body["value"]
        until = value.get("uploadUrlsExpireAt") or 0
        if until:
            instant(until)
        parts = [[str(p["uploadUrl"]), int(p["firstByte"]), int(p["lastByte"])] for p in value["uploadInstructions"]]
        held = {"video": str(value["video"]), "token": str(value.get("uploadToken") or "")}
        return held | {"parts": parts, "until": until, "etags": []}

    return await ask(sending.http, request, read)


async def _send_parts(sending: Sending, index: int, begun: Mapping[str, Any]) -> None:
    """The parts that LinkedIn doesn't have yet, in order."""
    content = await sending.load(sending.content.media[index])
    etags: list[str] = begun["etags"]
    for address, first, last in begun["parts"][len(etags) :]:
        request = _put(sending, address, content[first : last + 1], mime="application/octet-stream")
        answer = await _sent(sending, request)
        etag = answer.headers.get("etag", "").strip('"')
        if not etag:
            raise Unavailable(_("LinkedIn did not confirm a part of the video. It is sent again later."))
        etags.append(etag)
        sending.uploaded(last + 1, len(content))


async def _sent(sending: Sending, request: Request) -> Answer:
    """The answer; a failure's message without what opens the upload."""
    try:
        return await sending.http.send(request)
    except Failure as failure:
        conceal(failure, request.url)
        raise


async def _finalize(sending: Sending, begun: Mapping[str, Any]) -> None:
    finished = {"video": begun["video"], "uploadToken": begun["token"], "uploadedPartIds": list(begun["etags"])}
    request = call(
        sending,
        "POST",
        "/rest/videos",
        query={"action": "finalizeUpload"},
        json={"finalizeUploadRequest": finished},
    )
    await sending.http.send(request)


async def _is_ready(sending: Sending, step: str, path: str, *, polls: tuple[float, ...]) -> bool:
    """Wait until LinkedIn is done with the file at ``path``; False where its bytes never arrived.

    Where the token may post and not look, what it posts decides. What can't be used is forgotten, so that the next try
    uploads it anew. Raises Rejected where LinkedIn can't use the file, Unavailable where it takes too long.
    """
    for pause in (*polls, None):
        state = await _state(sending, path)
        if state in ("AVAILABLE", "hidden"):
            return True
        if state in ("PROCESSING_FAILED", "gone") or pause is None:
            break
        await sending.sleep(pause)
    if state == "PROCESSING":
        raise Unavailable(_("LinkedIn is still working on the picture or video. It is tried again later."))
    await sending.keep(step, None)
    if state == "PROCESSING_FAILED":
        raise Rejected(
            _("LinkedIn could not use the picture or video."), fix=_("Save it as a JPEG, PNG or MP4 and try again.")
        )
    return False


async def _state(sending: Sending, path: str) -> str:
    """LinkedIn's own word, ``gone``, or ``hidden`` where the token may not ask."""
    request = call(sending, "GET", path, sample={"status": "AVAILABLE"})
    try:
        return await ask(sending.http, request, lambda body: str(body["status"]))
    except Rejected as error:
        if error.status not in (403, 404):
            raise
        return "gone" if error.status == 404 else "hidden"


def _put(sending: Sending, address: str, content: bytes, *, mime: str) -> Request:
    """The bytes, to the address that LinkedIn gave; the token goes along to LinkedIn alone."""
    headers = {"Content-Type": mime}
    host = urlsplit(address).hostname or ""
    if host.endswith(".linkedin.com") or same_origin(address, settings_of(sending.account).url):
        headers["Authorization"] = f"Bearer {sending.secret('token')}"
    return Request(
        method="PUT",
        url=address,
        content=content,
        headers=headers,
        errors=errors(sending.now),
        sample_headers={"etag": "{etag}"},
    )
