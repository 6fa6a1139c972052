"""A video with a thumbnail or subtitles: it is uploaded unseen, furnished, and then made public.

So nobody sees it without them, and what is public is one small request after steps that are kept.
https://developers.google.com/youtube/v3/docs/thumbnails/set · …/captions/insert · …/videos/update
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from campaign_cli.errors import Rejected
from campaign_cli.i18n import _
from campaign_cli.models import Draft, Picture
from campaign_cli.platforms.answers import ask
from campaign_cli.platforms.base import Answer, Request, Sending
from campaign_cli.platforms.youtube_answers import errors
from campaign_cli.platforms.youtube_api import call, uploaded_at

VIDEO: Final = "video"  # step: the video that is there, and not public before its last step
UNITS: Final = 50  # of the day's quota, for a thumbnail and for showing a video
UNITS_OF_CAPTIONS: Final = 400
_UPLOAD: Final = "/upload/youtube/v3"
_EXISTS: Final = 409  # these subtitles arrived with an earlier try


def has_extras(draft: Draft) -> bool:
    """Whether there is something to add to the video before people see it."""
    return bool(draft.native.get("thumbnail") or draft.native.get("captions"))


def units_of(draft: Draft) -> int:
    """What they take of the day's quota. https://developers.google.com/youtube/v3/determine_quota_cost"""
    if not has_extras(draft):
        return 0
    captions = draft.native.get("captions") or {}
    return UNITS * (2 if draft.native.get("thumbnail") else 1) + UNITS_OF_CAPTIONS * len(captions)


def unseen(resource: Mapping[str, Any]) -> dict[str, Any]:
    """The same video, for its owner alone."""
    return {**resource, "status": {**resource["status"], "privacyStatus": "private"}}


async def furnish(sending: Sending, identifier: str) -> None:
    """Add what is missing; each addition is kept, so that a restart goes on."""
    native = sending.draft.native
    if native.get("thumbnail") and not sending.steps.get("thumbnail"):
        await _set_thumbnail(sending, identifier, Picture(**native["thumbnail"]))
        await sending.keep("thumbnail", True)
    for language, file in (native.get("captions") or {}).items():
        if not sending.steps.get(f"captions.{language}"):
            await _add_captions(sending, identifier, Picture(**file), language=language)
            await sending.keep(f"captions.{language}", True)


async def show(sending: Sending, identifier: str, resource: Mapping[str, Any]) -> Mapping[str, Any]:
    """Make the video what ``resource`` says; the same request again changes nothing. The whole ``status`` is sent,
    since YouTube forgets what is left out of a part."""
    request = call(
        sending,
        "PUT",
        "/youtube/v3/videos",
        query={"part": "status"},
        json={"id": identifier, "status": resource["status"]},
        creating=True,
        sample={"id": identifier, "status": resource["status"]},
        accept=(200,),
    )

    def read(body: Any) -> Mapping[str, Any]:
        uploaded_at(body)
        if body["id"] != identifier:
            raise ValueError("id")
        return dict(body)

    return await ask(sending.http, request, read)


async def _set_thumbnail(sending: Sending, identifier: str, picture: Picture) -> None:
    request = call(
        sending,
        "POST",
        f"{_UPLOAD}/thumbnails/set",
        query={"videoId": identifier, "uploadType": "media"},
        content=await sending.load(picture),
        headers={"Content-Type": picture.mime},
        accept=(200,),
    )
    fix = _(
        "Verify the channel by phone, or take another picture, then: campaign retry. It uploads the video anew; delete "
        "the private one on the channel."
    )
    await _sent(sending, request, fix=fix)


async def _add_captions(sending: Sending, identifier: str, file: Picture, *, language: str) -> None:
    """The words about the file and the file, in one body."""
    boundary = f"part-{sending.key}"  # which stands in nobody's subtitles
    snippet = {"videoId": identifier, "language": language, "name": language}
    head = (
        f"--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{json.dumps({'snippet': snippet})}\r\n"
        f"--{boundary}\r\nContent-Type: application/octet-stream\r\n\r\n"
    )
    request = call(
        sending,
        "POST",
        f"{_UPLOAD}/captions",
        query={"part": "snippet", "uploadType": "multipart"},
        content=b"".join((head.encode(), await sending.load(file), f"\r\n--{boundary}--\r\n".encode())),
        headers={"Content-Type": f"multipart/related; boundary={boundary}"},
        accept=(200, _EXISTS),
    )
    fix = _(
        "Correct the subtitles, or leave them out, and run: campaign queue. The video is uploaded anew; delete the "
        "private one on the channel."
    )
    await _sent(sending, replace(request, errors=_unless_there(sending)), fix=fix)


def _unless_there(sending: Sending) -> Any:
    usual = errors(sending.now())

    def read(answer: Answer) -> Exception | None:
        return None if answer.status == _EXISTS else usual(answer)

    return read


async def _sent(sending: Sending, request: Request, *, fix: str) -> None:
    """Send it. A refusal is one of this file's, whatever YouTube's reason means elsewhere."""
    try:
        await sending.http.send(request)
    except Rejected as refusal:
        refusal.fix = fix
        raise
