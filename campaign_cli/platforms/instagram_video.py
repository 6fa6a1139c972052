"""Videos whose bytes are sent to Instagram instead of being fetched by it: only with Facebook Login.

https://developers.facebook.com/docs/instagram-platform/content-publishing/resumable-uploads
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from campaign_cli.errors import Rejected, Unavailable
from campaign_cli.i18n import _
from campaign_cli.models import Picture
from campaign_cli.platforms.addresses import same_origin
from campaign_cli.platforms.answers import ask, json_object
from campaign_cli.platforms.base import Answer, Request, Sending, Session
from campaign_cli.platforms.containers import Containers, upload_of
from campaign_cli.platforms.graph_answers import errors
from campaign_cli.platforms.instagram_answers import TITLE, table
from campaign_cli.platforms.instagram_api import graph_of, settings_of

_UPLOADS: Final = "https://rupload.facebook.com"


def uploads(session: Session, medium: Picture) -> bool:
    """Whether the bytes are sent."""
    return medium.is_video and settings_of(session.account).login == "facebook"


async def uploaded(sending: Sending, flow: Containers, step: str, *, form: Mapping[str, str], medium: Picture) -> str:
    """The container of a step with all of its bytes: the kept one from where it stopped, else a new one."""
    kept = sending.steps.get(upload_of(step)) or {}
    status = (await flow.status_of(sending, kept["id"]))[0] if kept else ""
    if status == "FINISHED":
        return str(kept["id"])
    if status == "IN_PROGRESS":
        try:
            await _send(sending, medium, kept, arrived=await _arrived(sending, kept["id"]))
        except Rejected:  # it can't go on from there: begun anew, once
            pass
        else:
            return str(kept["id"])
    answer = await flow.made(sending, form, sample=f"{step}_id")
    new = {"id": answer["id"], "uri": str(answer.get("uri") or _address(sending, answer["id"]))}
    await sending.keep(upload_of(step), new)
    await _send(sending, medium, new, arrived=0)
    return str(new["id"])


async def _send(sending: Sending, medium: Picture, container: Mapping[str, Any], *, arrived: int) -> None:
    """Send what has not arrived of a video's bytes to the container that was made for it.

    The address comes from Meta, and must be Meta's, since the token goes there.
    """
    uri = str(container["uri"])
    settings = settings_of(sending.account)
    if not same_origin(uri, _UPLOADS) and not (settings.url and same_origin(uri, settings.url)):
        host = urlsplit(uri).hostname or uri
        raise Rejected(_("Instagram names {host} for the video, which is not its own.").format(host=host))
    content = await sending.load(medium)
    sending.uploaded(arrived, len(content))
    if arrived >= len(content):  # only the answer was lost
        return
    request = Request(
        method="POST",
        url=uri,
        headers={
            "Authorization": f"OAuth {sending.secret('token')}",
            "Content-Type": "application/octet-stream",
            "offset": str(arrived),
            "file_size": str(len(content)),
        },
        content=content[arrived:],
        sample={"success": True},
        errors=_table(sending),
    )
    if not await ask(sending.http, request, lambda body: body["success"] is True):
        raise _again()
    sending.uploaded(len(content), len(content))


async def _arrived(session: Session, container: str) -> int:
    """How many bytes of a video have arrived."""
    request = graph_of(session).call(
        session, "GET", f"/{container}", query={"fields": "video_status"}, sample={"id": container}
    )

    def read(body: Any) -> int:
        phase = (body.get("video_status") or {}).get("uploading_phase") or {}
        return int(phase.get("bytes_transferred") or 0)

    return await ask(session.http, request, read)


def _table(session: Session) -> Callable[[Answer], Exception | None]:
    """The upload's own way of saying that the same may be tried again, before the Graph API's table."""
    usual = errors(session, title=TITLE, own=table(session.now))

    def read(answer: Answer) -> Exception | None:
        told = json_object(answer.text).get("debug_info")
        if isinstance(told, dict) and told.get("retriable") is True:
            return _again(answer.status)
        return usual(answer)

    return read


def _again(status: int | None = None) -> Unavailable:
    return Unavailable(_("Instagram did not take the video. It is tried again later."), status=status)


def _address(session: Session, container: str) -> str:
    """Where a container's video goes, where Instagram's answer doesn't say."""
    return f"{_UPLOADS}/ig-api-upload/{settings_of(session.account).version}/{container}"
