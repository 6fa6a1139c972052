"""Pictures and videos on LinkedIn's stage, and the headers that every request must carry.

Follows learn.microsoft.com/en-us/linkedin/marketing/community-management/shares: images-api, videos-api.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from campaign_cli.stage import linkedin_shapes as shapes
from campaign_cli.stage.network import Network, fields
from campaign_cli.stage.state import StageAccount, StageMedia, picture_facts

PART: Final = 4 * 1024 * 1024
_TYPES: Final = ("image/jpeg", "image/png", "image/gif")


class LinkedInFiles(Network):
    """Uploads: an address first, then the bytes, then LinkedIn works on them."""

    async def begin_image(self, request: Request, account: StageAccount) -> Response:
        """POST /rest/images?action=initializeUpload."""
        asked(request, account)
        self._owned(account, (await fields(request))[0].get("initializeUploadRequest") or {})
        media = self._expected(account, "image", size=0)
        address = f"{self.base(request, account)}/dms-uploads/{media.id}/0"
        value = {"image": media.id, "uploadUrl": address, "uploadUrlExpiresAt": self._expiry()}
        return JSONResponse({"value": value})

    async def video(self, request: Request, account: StageAccount) -> Response:
        """POST /rest/videos?action=initializeUpload and finalizeUpload."""
        asked(request, account)
        values = (await fields(request))[0]
        if request.query_params.get("action") == "finalizeUpload":
            self._finalize(account, values.get("finalizeUploadRequest") or {})
            return Response(status_code=200)
        wanted = values.get("initializeUploadRequest") or {}
        self._owned(account, wanted)
        media = self._expected(account, "video", size=int(wanted.get("fileSizeBytes") or 0))
        base = f"{self.base(request, account)}/dms-uploads/{media.id}"
        parts = [
            {"uploadUrl": f"{base}/{number}", "firstByte": first, "lastByte": min(first + PART, media.size) - 1}
            for number, first in enumerate(range(0, media.size, PART))
        ]
        value = {"video": media.id, "uploadToken": media.name, "uploadInstructions": parts}
        return JSONResponse({"value": value | {"uploadUrlsExpireAt": self._expiry()}})

    async def upload(self, request: Request, account: StageAccount) -> Response:
        """PUT of a picture, or of one part of a video, which gives its ETag."""
        media, content = self._file(account, request.path_params["urn"]), await request.body()
        if ":video:" in media.id:
            digest = hashlib.sha256(content).hexdigest()
            self.state.files[f"{media.id}/{digest}"] = ("application/octet-stream", content)
            return Response(status_code=200, headers={"etag": digest})
        facts = picture_facts(content)
        if facts is None or facts.mime not in _TYPES:
            raise shapes.problem(400, "The file is no picture")
        identity = {"id": media.id, "account": account.name, "at": media.at, "name": media.name}
        self.state.add_media(StageMedia.of(content, facts, polls=self.state.processing_polls, **identity), content)
        return Response(status_code=201)

    async def state_of(self, request: Request, account: StageAccount) -> Response:
        """GET of a picture or a video: what LinkedIn does with it."""
        asked(request, account)
        media = self._file(account, request.path_params["urn"])
        working, media.polls = media.polls > 0, max(0, media.polls - 1)
        word = "WAITING_UPLOAD" if not media.sha256 else "PROCESSING" if working else "AVAILABLE"
        return JSONResponse({"id": media.id, "owner": account.user, "status": word})

    def _expected(self, account: StageAccount, kind: str, *, size: int) -> StageMedia:
        """A file whose bytes are still to come; its ``name`` is the token of a video's upload."""
        number = self.state.number()
        media = StageMedia(
            id=f"urn:li:{kind}:C0STAGE{number:08d}",
            account=account.name,
            sha256="",
            mime="",
            size=size,
            width=0,
            height=0,
            name=f"upload-{number}" if kind == "video" else kind,
            at=self.state.now(),
        )
        self.state.media[account.name, media.id] = media
        return media

    def _finalize(self, account: StageAccount, values: Mapping[str, Any]) -> None:
        """Put the parts together, in the order of their ETags."""
        media = self._file(account, str(values.get("video")))
        parts = [
            self.state.files.get(f"{media.id}/{etag}", ("", b""))[1] for etag in values.get("uploadedPartIds") or ()
        ]
        content = b"".join(parts)
        if values.get("uploadToken") != media.name or len(content) != media.size:
            raise shapes.problem(400, "The parts are not those of the upload")
        digest = hashlib.sha256(content).hexdigest()
        media.sha256, media.mime, media.polls = digest, "video/mp4", self.state.processing_polls
        self.state.add_media(media, content)

    def _file(self, account: StageAccount, urn: str) -> StageMedia:
        media = self.state.media.get((account.name, urn))
        if media is None:
            raise shapes.problem(404, "Entity with key not found", code="NOT_FOUND")
        return media

    def ready(self, account: StageAccount, urn: str) -> StageMedia:
        """A file that a post may show. Raises Refusal."""
        media = self._file(account, urn)
        if not media.sha256 or media.polls:
            raise shapes.problem(400, f"Media asset {urn} is not ready", code="MEDIA_ASSET_WAITING_UPLOAD")
        return media

    def _owned(self, account: StageAccount, wanted: Mapping[str, Any]) -> None:
        if wanted.get("owner") != account.user:
            raise shapes.denied("initializeUpload")

    def _expiry(self) -> int:
        return shapes.milliseconds(self.state.now() + timedelta(hours=1))


def asked(
    request: Request, account: StageAccount, *, restli: str = "", versioned: bool = True, reading: bool = False
) -> None:
    """Raise Refusal unless the account's own token came along, with the versions, and may do it."""
    scheme, _space, token = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or token != account.secret:
        raise shapes.problem(401, "Invalid access token", code="INVALID_ACCESS_TOKEN", service=65600)
    version = request.headers.get("linkedin-version", "")
    if versioned and not (len(version) == 6 and version.isdigit() and version >= "202512"):
        raise shapes.problem(426, f"Requested version {version}01 is not active", code="NONEXISTENT_VERSION")
    if versioned and request.headers.get("x-restli-protocol-version") != "2.0.0":
        raise shapes.problem(400, "Invalid Rest.li protocol version")
    if request.headers.get("x-restli-method", restli) != restli:
        raise shapes.problem(400, "Invalid Rest.li method")
    if reading and account.role == "poster":
        raise shapes.denied(request.url.path)
