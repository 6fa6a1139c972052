"""X's uploads on the stage: pictures in one request, videos in pieces, alt texts.

Follows X's OpenAPI 2.167 (/2/media/upload and below it) and docs.x.com/x-api/media/quickstart/media-upload-chunked.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from campaign_cli.stage import x_shapes as shapes
from campaign_cli.stage.network import Network, fields
from campaign_cli.stage.state import StageAccount, StageMedia, StageState, media_facts

_BYTES, _PIECE, _VIDEO, _DESCRIPTION = 5_000_000, 5 * 1024 * 1024, 512_000_000, 1_000
_TYPES: Final = ("image/jpeg", "image/png", "image/webp", "image/gif")
_VIDEO_TYPES: Final = ("video/mp4", "video/quicktime")


@dataclass
class Begun:
    """An upload in pieces."""

    total: int
    pieces: dict[int, bytes] = field(default_factory=dict)


class Uploads(Network):
    """What an account uploads."""

    def __init__(self, state: StageState) -> None:
        super().__init__(state)
        self._begun: dict[tuple[str, str], Begun] = {}

    async def upload(self, request: Request, account: StageAccount) -> Response:
        """POST /2/media/upload, and GET for what is still done with it."""
        signed_in(request, account)
        if request.method == "GET":
            media = self.media_of(account, request.query_params.get("media_id", ""))
            media.polls = max(0, media.polls - 1)
            return JSONResponse(shapes.upload_json(media))
        values, files = await fields(request)
        content = files["media"][2] if "media" in files else base64.b64decode(str(values.pop("media", "")))
        if set(values) - {"media_category", "additional_owners"} or values.get("media_category") != "tweet_image":
            raise shapes.invalid("One or more parameters to your request was invalid.")
        return self._taken(account, content, identifier=self._new_id(), types=_TYPES, limit=_BYTES)

    async def initialize(self, request: Request, account: StageAccount) -> Response:
        """POST /2/media/upload/initialize."""
        signed_in(request, account)
        values = (await fields(request))[0]
        total, known = values.get("total_bytes"), {"media_type", "total_bytes", "media_category", "additional_owners"}
        if set(values) - known or values.get("media_category") != "tweet_video" or not isinstance(total, int):
            raise shapes.invalid("One or more parameters to your request was invalid.")
        if values.get("media_type") not in _VIDEO_TYPES or not 0 < total <= _VIDEO:
            raise shapes.invalid("media type unrecognized, or the file is too large.")
        identifier = self._new_id()
        self._begun[account.name, identifier] = Begun(total)
        return JSONResponse({"data": {"id": identifier, "media_key": f"7_{identifier}", "expires_after_secs": 86_400}})

    async def append(self, request: Request, account: StageAccount) -> Response:
        """POST /2/media/upload/:id/append; the same piece again takes the place of the first."""
        signed_in(request, account)
        begun = self._upload_of(request, account)
        values, files = await fields(request)
        number = str(values.get("segment_index", ""))
        if set(values) - {"segment_index"} or not number.isdigit() or int(number) > 999 or "media" not in files:
            raise shapes.invalid("One or more parameters to your request was invalid.")
        if len(files["media"][2]) > _PIECE:
            raise shapes.problem(413, "Payload Too Large", "Payload Too Large")
        others = sum(len(piece) for index, piece in begun.pieces.items() if index != int(number))
        if others + len(files["media"][2]) > begun.total:
            raise shapes.invalid("Segments do not add up to provided total file size.")
        begun.pieces[int(number)] = files["media"][2]
        return JSONResponse({"data": {"expires_at": int(self.state.now().timestamp()) + 86_400}})

    async def finalize(self, request: Request, account: StageAccount) -> Response:
        """POST /2/media/upload/:id/finalize: every piece must be there; again gives the same answer."""
        signed_in(request, account)
        identifier = request.path_params["id"]
        if (account.name, identifier) in self.state.media:
            return JSONResponse(shapes.upload_json(self.media_of(account, identifier)))
        begun = self._upload_of(request, account)
        content = b"".join(piece for _number, piece in sorted(begun.pieces.items()))
        if sorted(begun.pieces) != list(range(len(begun.pieces))) or len(content) != begun.total:
            raise shapes.invalid("Segments do not add up to provided total file size.")
        return self._taken(account, content, identifier=identifier, types=_VIDEO_TYPES, limit=_VIDEO)

    async def describe(self, request: Request, account: StageAccount) -> Response:
        """POST /2/media/metadata: the alt text of a picture."""
        signed_in(request, account)
        values = (await fields(request))[0]
        media = self.media_of(account, str(values.get("id", "")))
        text = values.get("metadata", {}).get("alt_text", {}).get("text", "")
        if len(text) > _DESCRIPTION or media.mime in _VIDEO_TYPES:
            raise shapes.invalid(f"alt_text must be at most {_DESCRIPTION} characters, and belongs to a picture.")
        media.alt = text
        return JSONResponse({"data": {"id": media.id, "associated_metadata": {"alt_text": {"text": text}}}})

    def media_of(self, account: StageAccount, identifier: str) -> StageMedia:
        """An upload that is complete."""
        media = self.state.media.get((account.name, identifier))
        if media is None:
            raise shapes.invalid("Your media IDs are invalid.")
        return media

    def _taken(
        self, account: StageAccount, content: bytes, *, identifier: str, types: tuple[str, ...], limit: int
    ) -> Response:
        facts = media_facts(content)
        if facts is None or facts.mime not in types or len(content) > limit:
            raise shapes.invalid("media type unrecognized, or the file is too large.")
        identity = {"id": identifier, "account": account.name, "at": self.state.now()}
        media = StageMedia.of(content, facts, name="media", polls=self.state.processing_polls, **identity)
        self.state.add_media(media, content)
        self._begun.pop((account.name, identifier), None)
        return JSONResponse(shapes.upload_json(media))

    def _upload_of(self, request: Request, account: StageAccount) -> Begun:
        begun = self._begun.get((account.name, request.path_params["id"]))
        if begun is None:
            raise shapes.invalid("Your media IDs are invalid.")
        return begun

    def _new_id(self) -> str:
        return shapes.post_id(self.state.now(), self.state.number())


def signed_in(request: Request, account: StageAccount) -> None:
    """Raise Refusal (401) unless the account's own token came along."""
    scheme, _space, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or token.strip() != account.secret:
        raise shapes.problem(401, "Unauthorized", "Unauthorized")
