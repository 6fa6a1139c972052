"""Mastodon's files on the stage: uploaded first, worked on for a moment, then attached to one status.

Follows docs.joinmastodon.org: methods/media.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from campaign_cli.stage.mastodon_instance import (
    ATTACHMENTS,
    DESCRIPTION,
    IMAGE_BYTES,
    IMAGE_PIXELS,
    IMAGE_TYPES,
    VIDEO_BYTES,
    VIDEO_TYPES,
    Instance,
    signed_in,
)
from campaign_cli.stage.mastodon_kinds import KINDS, new_id
from campaign_cli.stage.mastodon_shapes import media_json
from campaign_cli.stage.network import Refusal, fields
from campaign_cli.stage.state import StageAccount, StageMedia, media_facts


class Files(Instance):
    """The part of a Mastodon instance that takes files."""

    async def upload(self, request: Request, account: StageAccount) -> Response:
        """POST /api/v2/media: 202 while it is being processed, 200 when it is ready at once."""
        signed_in(request, account)
        values, files = await fields(request)
        if "file" not in files:
            raise invalid("File can't be blank")
        name, _kind, content = files["file"]
        alt = _described(values.get("description", ""))
        facts = media_facts(content)
        if facts is None or facts.mime not in (*IMAGE_TYPES, *VIDEO_TYPES):
            raise invalid("File content type is invalid")
        if (
            len(content) > (VIDEO_BYTES if facts.mime in VIDEO_TYPES else IMAGE_BYTES)
            or facts.width * facts.height > IMAGE_PIXELS
        ):
            raise invalid("File is too large")
        polls = self.state.processing_polls
        identity = {"id": self._new_id(), "account": account.name, "at": self.state.now()}
        media = StageMedia.of(content, facts, name=name, alt=alt, polls=polls, **identity)
        self.state.add_media(media, content)
        return JSONResponse(self.attachment(request, media), 202 if polls else 200)

    async def media(self, request: Request, account: StageAccount) -> Response:
        """GET and PUT /api/v1/media/:id: 206 while it is being processed, 200 when it is ready."""
        signed_in(request, account)
        media = self.state.media.get((account.name, request.path_params["id"]))
        if media is None or media.post is not None:
            raise Refusal(404, {"error": "Record not found"})
        if request.method == "PUT":
            media.alt = _described((await fields(request))[0].get("description", media.alt))
            return JSONResponse(self.attachment(request, media))
        if media.polls:
            media.polls -= 1
            return JSONResponse(self.attachment(request, media) | {"url": None}, 206)
        return JSONResponse(self.attachment(request, media))

    def checked_media(self, account: StageAccount, identifiers: list[str]) -> list[StageMedia]:
        """The files of a status, ready and unused. Raises Refusal."""
        if len(identifiers) > ATTACHMENTS:
            raise Refusal(422, {"error": f"Cannot attach more than {ATTACHMENTS} files"})
        media = []
        for identifier in identifiers:
            each = self.state.media.get((account.name, identifier))
            if each is None or each.post is not None:
                raise invalid(f"Media {identifier} not found or already attached to another post")
            if each.polls:
                raise Refusal(
                    422, {"error": "Cannot attach files that have not finished processing. Try again in a moment!"}
                )
            media.append(each)
        if len(media) > 1 and any(each.mime in VIDEO_TYPES for each in media):
            raise invalid("Cannot attach a video to a post that already contains images")
        return media

    def attachment(self, request: Request, media: StageMedia) -> dict[str, Any]:
        """A file as the server shows it."""
        return media_json(media, self.media_url(request, media))

    def _new_id(self) -> str:
        """Of a file, as Mastodon makes them."""
        milliseconds = int(self.state.now().timestamp() * 1000)
        return new_id(KINDS["mastodon"], milliseconds=milliseconds, number=self.state.number())


def _described(value: Any) -> str:
    text = str(value or "")
    if len(text) > DESCRIPTION:
        raise invalid(f"Description is too long (maximum is {DESCRIPTION} characters)")
    return text


def invalid(message: str) -> Refusal:
    """What doesn't pass."""
    return Refusal(422, {"error": f"Validation failed: {message}"})
