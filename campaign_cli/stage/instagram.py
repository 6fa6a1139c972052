"""Instagram on the stage: containers of pictures, reels and carousels, videos that are uploaded, posts, the day's cap.

Follows developers.facebook.com/docs/instagram-platform (content publishing, resumable uploads, error codes) and Meta's
specifications of IGUser, IGMedia and ShadowIGMediaBuilder.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from campaign_cli.platforms.text import hashtag_spans
from campaign_cli.stage import graph_shapes as shapes
from campaign_cli.stage.containers import ContainerNetwork, signed_in
from campaign_cli.stage.graph_shapes import Container
from campaign_cli.stage.network import Refusal, fields
from campaign_cli.stage.state import StageAccount, StageMedia, StagePost

_CAPTION, _HASHTAGS, _ITEMS, _BYTES = 2_200, 30, 10, 8 * 1024 * 1024
_COMMENTS: Final = 18_000_000_000_000_000
_VIDEOS: Final = ("video/mp4", "video/quicktime")
_NO_VIDEO: Final = "Error: Media upload has failed with error code 2207026"
_KINDS: Final = {"REELS": "VIDEO", "CAROUSEL": "CAROUSEL_ALBUM"}


class InstagramStage(ContainerNetwork):
    """A professional account."""

    name = "instagram"
    title = "Instagram"
    describes_videos = False
    version = "v25.0"
    publishing = "media_publish"
    status_field = "status_code"
    reason_field = "status"
    posts_a_day = 100
    parameters = frozenset(
        (
            *("alt_text", "caption", "children", "image_url", "is_carousel_item", "media_type", "share_to_feed"),
            *("upload_type", "video_url"),
        )
    )

    @staticmethod
    def identifier(settings: Mapping[str, Any]) -> str:
        """As accounts.yaml has it, with Facebook Login."""
        return str(settings.get("account") or "")

    def routes(self) -> list[BaseRoute]:
        """The account, its edges, its objects, uploads."""
        return [
            self.route("/{version}/me", self.me),
            self.route("/{version}/debug_token", self.debug),
            self.route("/{version}/{node}/media", self.media, methods=("GET", "POST")),
            self.route("/{version}/{node}/comments", self.comment, methods=("POST",)),
            self.route("/{version}/{node}/media_publish", self.publish, methods=("POST",)),
            self.route("/{version}/{node}/content_publishing_limit", self.limit),
            self.route("/ig-api-upload/{version}/{node}", self.upload, methods=("POST",)),
            self.route("/{version}/{node}", self.node, methods=("GET", "DELETE")),
        ]

    async def me(self, request: Request, account: StageAccount) -> Response:
        """GET /me."""
        signed_in(request, account)
        return JSONResponse(shapes.only(_account(account), request.query_params.get("fields", "")))

    async def debug(self, request: Request, account: StageAccount) -> Response:
        """GET /debug_token, as for Facebook Login."""
        signed_in(request, account)
        scopes = ["instagram_basic", "instagram_content_publish", "pages_read_engagement"]
        return JSONResponse({"data": {"type": "USER", "is_valid": True, "scopes": scopes, "expires_at": 0}})

    async def media(self, request: Request, account: StageAccount) -> Response:
        """The account's posts, or a new container."""
        if request.path_params["node"] != account_id(account):
            raise shapes.absent(request.path_params["node"])
        return (
            await self.create(request, account)
            if request.method == "POST"
            else self.listed(request, account, replies=False)
        )

    async def node(self, request: Request, account: StageAccount) -> Response:
        """Also the account itself; an account's posts can't be deleted."""
        if request.path_params["node"] == account_id(account) and request.method == "GET":
            return await self.me(request, account)
        return await super().node(request, account)

    def deleted(self, post: StagePost | None, identifier: str) -> Response:
        """Refused: no ordinary app may."""
        raise shapes.refusal(403, 10, "(#10) Application does not have permission for this action")

    async def filled(self, container: Container, values: Mapping[str, Any], account: StageAccount) -> None:
        """One picture, one video, or the items of a carousel; and the caption."""
        container.text = str(values.get("caption") or "")
        if len(container.text) > _CAPTION:
            raise shapes.refusal(400, 36004, "The caption was too long", subcode=2207010)
        if len(hashtag_spans(container.text)) > _HASHTAGS:
            raise shapes.invalid("Too many hashtags")
        alt = str(values.get("alt_text") or "")
        if container.kind == "CAROUSEL":
            container.media = self._items(account, str(values.get("children") or "").split(","))
        elif container.kind == "IMAGE":
            picture = await self.fetched(str(values.get("image_url") or ""), alt=alt, account=account)
            container.media = [_checked(picture)]
        elif values.get("upload_type") == "resumable":
            container.awaited = True
        elif container.kind in ("REELS", "VIDEO"):
            video = await self.fetched(str(values.get("video_url") or ""), alt="", account=account)
            self._take(container, video)
        else:
            raise shapes.refusal(400, 100, "The media type is not one of the expected ones", subcode=2207023)

    def creates(self, method: str, path: str) -> bool:
        """A comment is public as well."""
        return super().creates(method, path) or (method == "POST" and path.endswith("/comments"))

    async def comment(self, request: Request, account: StageAccount) -> Response:
        """POST of a comment under a post."""
        signed_in(request, account)
        parent = self.state.post(account.name, request.path_params["node"])
        text = str((await fields(request))[0].get("message") or "")
        if parent is None:
            raise shapes.absent(request.path_params["node"])
        if not text.strip() or len(text) > _CAPTION:
            raise shapes.invalid("The parameter message is required, and has at most 2,200 characters.")
        number = self.state.number()
        said = StagePost(
            number=number,
            account=account.name,
            platform=self.name,
            id=str(_COMMENTS + number),
            path=f"{parent.path}c/{number}/",
            text=text,
            at=self.state.now(),
            reply_to=parent.id,
        )
        self.state.add_post(said)
        self.published(request, said)
        return JSONResponse({"id": said.id})

    def also(self, container: Container, request: Request, account: StageAccount) -> dict[str, Any]:
        """Where a video is to be sent."""
        uri = f"{self.base(request, account)}/ig-api-upload/{self.version}/{container.id}"
        return {"uri": uri} if container.awaited else {}

    async def upload(self, request: Request, account: StageAccount) -> Response:
        """POST of a video's bytes, from where the last request stopped."""
        signed_in(request, account)
        container = self.container(account, request.path_params["node"])
        size, offset = int(request.headers["file_size"]), int(request.headers["offset"])
        if not container.awaited or offset != len(container.received):
            return JSONResponse({"debug_info": {"retriable": False, "type": "OffsetInvalidError"}}, 400)
        piece = await request.body()
        if len(container.received) + len(piece) > size:
            return JSONResponse({"debug_info": {"retriable": False, "type": "PartialRequestError"}}, 400)
        container.received += piece
        if len(container.received) == size:
            container.awaited = False
            self._take(container, self.kept(bytes(container.received), alt="", account=account))
        return JSONResponse({"success": True, "message": "Upload successful."})

    def shown(self, post: StagePost, request: Request, account: StageAccount) -> dict[str, Any]:
        """A post."""
        alone = len(post.media) == 1
        return {
            "id": post.id,
            "caption": post.text or None,
            "media_type": _KINDS.get(post.data["kind"], post.data["kind"]),
            "permalink": f"{request.url.scheme}://{request.url.netloc}{post.path}",
            "timestamp": shapes.timestamp(post.at),
            "alt_text": (post.alts[0] or None) if alone else None,
            "children": None if alone else {"data": [_item(media) for media in post.media]},
            "like_count": 0,
            "comments_count": sum(other.reply_to == post.id for other in self.state.posts_of(account.name)),
            "view_count": 0,
        }

    def container_json(self, container: Container, status: str) -> dict[str, Any]:
        """Also how much of a video has arrived."""
        phase = {"uploading_phase": {"bytes_transferred": len(container.received)}}
        return super().container_json(container, status) | {"video_status": phase}

    def permalink(self, account: StageAccount, code: str) -> str:
        """/p/CODE/."""
        return f"/p/{code}/"

    def not_ready(self, container: Container) -> Refusal:
        """Its code says whether waiting helps."""
        if container.status(self.state.now()) == "EXPIRED":
            return shapes.refusal(400, -2, "The media you are trying to access has expired", subcode=2207020)
        if container.post:
            return shapes.refusal(400, 24, "The requested resource does not exist", subcode=2207006)
        return shapes.refusal(400, 9007, "The media is not ready for publishing", subcode=2207027)

    def used_up(self) -> Refusal:
        """The day's cap."""
        return shapes.refusal(400, 9, "You reached maximum number of posts", subcode=2207042)

    def _items(self, account: StageAccount, identifiers: list[str]) -> list[StageMedia]:
        if not 2 <= len(identifiers) <= _ITEMS:
            raise shapes.refusal(400, 9004, "The carousel has an invalid number of items", subcode=2207028)
        items = [self.container(account, identifier) for identifier in identifiers]
        if not all(item.item and item.status(self.state.now()) == "FINISHED" for item in items):
            raise shapes.refusal(400, 9007, "The media is not ready for publishing", subcode=2207027)
        return [media for item in items for media in item.media]

    def _take(self, container: Container, video: StageMedia | None) -> None:
        if video is None or video.mime not in _VIDEOS:
            container.error = _NO_VIDEO
        else:
            container.media = [video]


def account_id(account: StageAccount) -> str:
    """The account's number, always the same."""
    return account.number or str(17_841_400_000_000_000 + zlib.crc32(account.name.encode()))


def _account(account: StageAccount) -> dict[str, Any]:
    number = account_id(account)
    return {"id": number, "user_id": number, "username": account.user, "account_type": "BUSINESS"}


def _item(media: StageMedia) -> dict[str, Any]:
    return {"id": media.id} | ({"alt_text": media.alt} if media.alt else {})


def _checked(picture: StageMedia | None) -> StageMedia:
    """A picture that Instagram takes. Raises Refusal."""
    if picture is None:
        raise shapes.refusal(400, 9004, "The media could not be fetched from this URI", subcode=2207052)
    if picture.mime != "image/jpeg":
        raise shapes.refusal(400, 36001, "The image format is not supported", subcode=2207005)
    if picture.size > _BYTES:
        raise shapes.refusal(400, 36000, "The image size is too large", subcode=2207004)
    if not 0.8 <= picture.width / picture.height <= 1.91:
        raise shapes.refusal(400, 36003, "The aspect ratio is not supported", subcode=2207009)
    return picture


network = InstagramStage
