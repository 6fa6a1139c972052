"""YouTube on the stage: resumable uploads whose bytes are really put together, the channel, its uploads, quotas.

Follows the Data API's discovery document and developers.google.com/youtube/v3/guides/using_resumable_upload_protocol.
An unknown parameter or key of a body is refused, as Google does. ``role`` of an account: ``unaudited`` (a project that
Google hasn't audited: whatever is uploaded is private), ``unverified`` (a channel without a phone number: no
thumbnails) or ``halting`` (of a first piece only half is kept, which the ``Range`` of the answer says).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from campaign_cli.stage import youtube_shapes as shapes
from campaign_cli.stage.network import Refusal, fields, path_of
from campaign_cli.stage.state import PictureFacts, StageAccount, StageMedia, StagePost
from campaign_cli.stage.youtube_extras import STATUS, YouTubeExtras
from campaign_cli.stage.youtube_shapes import problem

_UPLOAD: Final = "/upload/youtube/v3/videos"
_UNIT: Final = 256 * 1024
_DAY: Final = 86_400
_TITLE, _DESCRIPTION, _TAGS = 100, 5_000, 500
_UPLOADS, _UNITS = 100, 10_000  # of a day
_COSTS: Final = (
    *(("GET ", 1), ("DELETE ", 50), ("PUT /youtube/", 50)),
    *(("POST /upload/youtube/v3/thumbnails", 50), ("POST /upload/youtube/v3/captions", 400)),
)
_SNIPPET: Final = frozenset(
    {"title", "description", "tags", "categoryId", "defaultLanguage", "defaultAudioLanguage"}
)  # fmt: skip
_PAID: Final = "paidProductPlacementDetails"
_RANGE: Final = re.compile(r"bytes (?:\*|(\d+)-(\d+))/(\d+)")


@dataclass(kw_only=True)
class _Session:
    """An upload that has begun."""

    account: str
    resource: Mapping[str, Any]
    mime: str
    total: int
    content: bytearray = field(default_factory=bytearray)
    halted: bool = False
    video: str = ""


class YouTubeStage(YouTubeExtras):
    """YouTube with one channel for each account."""

    name = "youtube"
    title = "YouTube"
    credential = "token"
    describes = False

    def __init__(self, state: Any) -> None:
        super().__init__(state)
        self.sessions: dict[str, _Session] = {}

    @staticmethod
    def user(name: str, settings: Mapping[str, Any]) -> str:
        """The channel's handle, else one made of the account's name."""
        return str(settings.get("channel") or f"@{name}")

    def routes(self) -> list[BaseRoute]:
        """Uploads, videos, channel, the playlist of uploads."""
        return [
            self.route(_UPLOAD, self.begin, methods=("POST",)),
            self.route(_UPLOAD, self.receive, methods=("PUT",)),
            self.route("/youtube/v3/videos", self.videos, methods=("GET", "DELETE")),
            self.route("/youtube/v3/videos", self.update, methods=("PUT",)),
            self.route("/upload/youtube/v3/thumbnails/set", self.set_thumbnail, methods=("POST",)),
            self.route("/upload/youtube/v3/captions", self.add_captions, methods=("POST",)),
            self.route("/youtube/v3/channels", self.channels),
            self.route("/youtube/v3/playlistItems", self.uploads),
        ]

    def creates(self, method: str, path: str) -> bool:
        """The pieces of an upload: the last one makes the video; and what shows one that was uploaded unseen."""
        return method == "PUT" and path in (_UPLOAD, "/youtube/v3/videos")

    def refused(self) -> Refusal:
        """400, as for words that YouTube doesn't take."""
        return problem(400, "invalidVideoMetadata", "The request metadata is invalid.")

    def throttled(self, seconds: int) -> Refusal:
        """429 with Retry-After."""
        headers = {"Retry-After": str(seconds)}
        return problem(429, "rateLimitExceeded", "Resource has been exhausted (e.g. check quota).", headers=headers)

    def broken(self) -> Refusal:
        """503 of an overloaded server."""
        return problem(503, "backendError", "Backend Error")

    async def before(self, request: Request, account: StageAccount) -> Mapping[str, str]:
        """The token, and the day's quota: uploads are counted apart from everything else; pieces cost nothing."""
        if request.headers.get("authorization") != f"Bearer {account.secret}":
            raise problem(401, "authError", "Invalid Credentials")
        path = request.url.path.removeprefix(path_of(account))
        if request.method == "POST" and path == _UPLOAD:
            window = self.state.spend(account.name, "uploads", limit=_UPLOADS, seconds=_DAY)
        else:
            cost = next((units for end, units in _COSTS if f"{request.method} {path}".startswith(end)), 0)
            window = self.state.spend(account.name, "units", limit=_UNITS, seconds=_DAY, cost=cost)
        if window.refused:
            raise problem(403, "quotaExceeded", "The request cannot be completed because you have exceeded your quota.")
        return {}

    async def begin(self, request: Request, account: StageAccount) -> Response:
        """POST: a session for one video."""
        known = {"uploadType", "part", "notifySubscribers"}
        parts = _parts(request, known, {"snippet", "status", _PAID})
        total = int(request.headers.get("x-upload-content-length", "0"))
        mime = request.headers.get("x-upload-content-type", "")
        if request.query_params.get("uploadType") != "resumable" or total < 1 or not mime.startswith("video/"):
            raise problem(400, "mediaBodyRequired", "The request does not include the video content.")
        resource = (await fields(request))[0]
        if set(resource) - parts:
            raise problem(400, "unexpectedPart", f"Unexpected parts: {sorted(set(resource) - parts)}")
        _check_words(resource)
        token = secrets.token_urlsafe(24)
        self.sessions[token] = _Session(account=account.name, resource=resource, mime=mime, total=total)
        address = f"{self.base(request, account)}{_UPLOAD}?uploadType=resumable&upload_id={token}"
        return Response(status_code=200, headers={"Location": address})

    async def receive(self, request: Request, account: StageAccount) -> Response:
        """PUT: a piece, or the question how far the session is."""
        session = self.sessions.get(request.query_params.get("upload_id", ""))
        if session is None or session.account != account.name:
            raise problem(404, "notFound", "The upload session is not known.")
        piece, match = await request.body(), _RANGE.fullmatch(request.headers.get("content-range", ""))
        if match is None or int(match[3]) != session.total:
            raise problem(400, "badContentRange", "Failed to parse Content-Range header.")
        if match[1] is not None and not session.video:
            self._keep(session, piece, start=int(match[1]), end=int(match[2]))
        if len(session.content) == session.total and not session.video:
            session.video = self._published(request, account, session).id
        if not session.video:
            kept = len(session.content)
            return Response(status_code=308, headers={"Range": f"bytes=0-{kept - 1}"} if kept else {})
        post = self.state.post(account.name, session.video)
        if post is None:
            raise problem(404, "videoNotFound", "The video that you are trying to upload cannot be found.")
        return JSONResponse(shapes.video_json(post, account, ("snippet", "status")))

    def _keep(self, session: _Session, piece: bytes, *, start: int, end: int) -> None:
        """Put a piece where it belongs: nothing may be missing before it."""
        if len(piece) != end - start + 1 or start > len(session.content) or end >= session.total:
            raise problem(400, "badContentRange", "Invalid request. The bytes do not fit.")
        if end + 1 < session.total and len(piece) % _UNIT:
            raise problem(400, "badContentRange", "Invalid request. The number of bytes must be a multiple of 262144.")
        if self.state.accounts[session.account].role == "halting" and not session.halted:
            piece, session.halted = piece[: len(piece) // 2 // _UNIT * _UNIT], True
        session.content[start:] = piece

    def _published(self, request: Request, account: StageAccount, session: _Session) -> StagePost:
        snippet, number = dict(session.resource.get("snippet") or {}), self.state.number()
        status = dict(session.resource.get("status") or {})
        privacy = "private" if account.role == "unaudited" else status.get("privacyStatus", "public")
        identifier, content = shapes.video_id(number), bytes(session.content)
        media = StageMedia.of(
            content,
            PictureFacts(mime=session.mime, width=0, height=0),
            id=identifier,
            account=account.name,
            name="video",
            at=self.state.now(),
        )
        post = StagePost(
            number=number,
            account=account.name,
            platform=self.name,
            id=identifier,
            path=f"{path_of(account)}/watch/{identifier}",
            text=str(snippet.get("description") or ""),
            title=str(snippet["title"]),
            at=self.state.now(),
            media=[self.state.add_media(media, content)],
            alts=[""],
            visibility=privacy,
            data={"snippet": snippet, "status": status, "polls": self.state.processing_polls, "titled": True},
        )
        self.state.add_post(post)
        self.published(request, post)
        return post

    async def videos(self, request: Request, account: StageAccount) -> Response:
        """GET: videos by id; each look brings a video nearer to being processed. DELETE: one by id."""
        if request.method == "DELETE":
            _known(request, {"id"})
            post = self.state.post(account.name, request.query_params.get("id", ""))
            if post is None:
                raise problem(404, "videoNotFound", "The video that you are trying to delete cannot be found.")
            post.status = "deleted"
            return Response(status_code=204)
        known = {"snippet", "status", "statistics", "processingDetails"}
        parts = _parts(request, {"part", "id"}, known)
        found = [self.state.post(account.name, one) for one in request.query_params.get("id", "").split(",")]
        items = [shapes.video_json(post, account, sorted(parts)) for post in found if post is not None]
        for post in filter(None, found):
            post.data["polls"] = max(0, post.data["polls"] - 1)
        return JSONResponse(shapes.page_json("youtube#videoListResponse", items, total=len(items)))

    async def channels(self, request: Request, account: StageAccount) -> Response:
        """GET with ``mine=true``."""
        known = {"snippet", "contentDetails", "status"}
        parts = _parts(request, {"part", "mine"}, known)
        whole = shapes.channel_json(account)
        item = {name: value for name, value in whole.items() if name not in known or name in parts}
        return JSONResponse(shapes.page_json("youtube#channelListResponse", [item], total=1))

    async def uploads(self, request: Request, account: StageAccount) -> Response:
        """GET: the uploads, newest first; a channel without any has no such playlist."""
        _parts(request, {"part", "playlistId", "maxResults", "pageToken"}, {"snippet", "contentDetails", "status"})
        query, posts = request.query_params, self.state.posts_of(account.name)
        if query.get("playlistId") != shapes.playlist_id(account) or not posts:
            raise problem(404, "playlistNotFound", "The playlist identified with the playlistId cannot be found.")
        start, size = int(query.get("pageToken", "0")), int(query.get("maxResults", "5"))
        page = posts[start : start + size]
        items = [shapes.item_json(post, account, position=start + place) for place, post in enumerate(page)]
        token = str(start + size) if posts[start + size :] else ""
        return JSONResponse(shapes.page_json("youtube#playlistItemListResponse", items, total=len(posts), token=token))


def _known(request: Request, known: set[str]) -> None:
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        raise problem(400, "unexpectedParameter", f"Unknown name {unknown[0]}: Cannot bind query parameter.")


def _parts(request: Request, parameters: set[str], known: set[str]) -> set[str]:
    """The parts that are asked for. Raises Refusal for an unknown part or parameter."""
    _known(request, parameters)
    parts = set(filter(None, request.query_params.get("part", "").split(",")))
    if not parts:
        raise problem(400, "missingRequiredParameter", "No filter selected: part.")
    if parts - known:
        raise problem(400, "unknownPart", f"{sorted(parts - known)[0]}")
    return parts


def _check_words(resource: Mapping[str, Any]) -> None:
    snippet, status, paid = (resource.get(part) or {} for part in ("snippet", "status", _PAID))
    unknown = sorted({*set(snippet) - _SNIPPET, *set(status) - STATUS, *set(paid) - {"hasPaidProductPlacement"}})
    if unknown:
        raise problem(400, "badRequest", f"Invalid JSON payload received. Unknown name {unknown[0]}.")
    title, text = str(snippet.get("title") or ""), str(snippet.get("description") or "")
    if not title or len(title) > _TITLE or re.search("[<>]", title):
        raise problem(400, "invalidTitle", "The request metadata specifies an invalid or empty video title.")
    if len(text.encode()) > _DESCRIPTION or re.search("[<>]", text):
        raise problem(400, "invalidDescription", "The request metadata specifies an invalid video description.")
    if len(",".join(snippet.get("tags") or ())) > _TAGS:
        raise problem(400, "invalidTags", "The request metadata specifies invalid video keywords.")
    if status.get("privacyStatus", "public") not in ("public", "unlisted", "private"):
        raise problem(400, "invalidVideoMetadata", "The request metadata is invalid.")


network = YouTubeStage
