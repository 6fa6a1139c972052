"""What is added to a video on YouTube's stage once it is there: its thumbnail, subtitles, another state.

Follows developers.google.com/youtube/v3/docs: thumbnails/set, captions/insert, videos/update.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from campaign_cli.stage import youtube_shapes as shapes
from campaign_cli.stage.network import Network, fields
from campaign_cli.stage.reading import json_of
from campaign_cli.stage.state import StageAccount, StagePost, picture_facts
from campaign_cli.stage.youtube_shapes import problem

STATUS: Final = frozenset(
    {"privacyStatus", "publishAt", "license", "embeddable", "publicStatsViewable", "selfDeclaredMadeForKids"}
    | {"containsSyntheticMedia"}
)
_THUMBNAIL: Final = 2 * 1024 * 1024
_SNIPPET: Final = {"videoId", "language", "name", "isDraft"}
_BOUNDARY: Final = re.compile(r'multipart/related;\s*boundary="?([^";]+)"?')


class YouTubeExtras(Network):
    """An account with the role ``unverified`` may set no thumbnails."""

    async def set_thumbnail(self, request: Request, account: StageAccount) -> Response:
        """POST: the picture is the body."""
        post, content = self._video(account, request.query_params.get("videoId", "")), await request.body()
        if account.role == "unverified":
            raise problem(403, "forbidden", "The authenticated user doesn't have permissions to upload thumbnails.")
        facts = picture_facts(content)
        if facts is None or facts.mime not in ("image/jpeg", "image/png") or len(content) > _THUMBNAIL:
            raise problem(400, "invalidImage", "The provided image content is invalid.")
        post.data["thumbnail"] = hashlib.sha256(content).hexdigest()
        self.state.files[post.data["thumbnail"]] = (facts.mime, content)
        size = {"url": f"https://i.ytimg.com/vi/{post.id}/default.jpg", "width": 120, "height": 90}
        return JSONResponse({"kind": "youtube#thumbnailSetResponse", "items": [{"default": size}]})

    async def add_captions(self, request: Request, account: StageAccount) -> Response:
        """POST: what it is and the file, in one body of two parts; the same language again is refused."""
        match, body = _BOUNDARY.fullmatch(request.headers.get("content-type", "")), await request.body()
        pieces = body.split(f"--{match[1]}".encode()) if match is not None else []
        if request.query_params.get("part") != "snippet" or len(pieces) != 4:
            raise problem(400, "contentRequired", "The request does not include the caption track contents.")
        words, content = (piece.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for piece in pieces[1:3])
        snippet: dict[str, Any] = json_of(words)["snippet"]
        if set(snippet) - _SNIPPET or not snippet.get("language") or "name" not in snippet:
            raise problem(400, "invalidMetadata", "The request contains invalid metadata values.")
        post = self._video(account, str(snippet.get("videoId")))
        kept: dict[str, str] = post.data.setdefault("captions", {})
        if snippet["language"] in kept:
            raise problem(409, "captionExists", "The specified video already has a caption track with this language.")
        kept[snippet["language"]] = content.decode("utf-8", "replace")
        item = {"kind": "youtube#caption", "id": f"AUi{post.number:08d}", "snippet": snippet | {"status": "serving"}}
        return JSONResponse(item)

    async def update(self, request: Request, account: StageAccount) -> Response:
        """PUT with ``part=status``: what is left out is forgotten."""
        body = (await fields(request))[0]
        post, status = self._video(account, str(body.get("id"))), body.get("status") or {}
        if request.query_params.get("part") != "status" or set(body) != {"id", "status"} or set(status) - STATUS:
            raise problem(400, "invalidVideoMetadata", "The request metadata is invalid.")
        post.data["status"] = dict(status)
        post.visibility = "private" if account.role == "unaudited" else str(status.get("privacyStatus", "public"))
        return JSONResponse(shapes.video_json(post, account, ("status",)))

    def _video(self, account: StageAccount, identifier: str) -> StagePost:
        post = self.state.post(account.name, identifier)
        if post is None:
            raise problem(404, "videoNotFound", "The video that you are trying to change cannot be found.")
        return post
