"""A Facebook Page on the stage: posts, photos, videos in pieces, comments, lists, read-back; refusals and usage.

Follows Meta's specifications of the Graph API and developers.facebook.com/docs/graph-api (error handling, rate
limiting, video uploads). Refusals are a 400 or 403 with a code in the body, throttling too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from campaign_cli.stage import facebook_shapes as shapes
from campaign_cli.stage.facebook_videos import Uploads
from campaign_cli.stage.graph_shapes import only
from campaign_cli.stage.network import Network, Refusal, fields, path_of
from campaign_cli.stage.reading import json_of
from campaign_cli.stage.state import StageAccount, StageMedia, StagePost, picture_facts

_TEXT, _BYTES, _CALLS, _DAY = 63_206, 4_000_000, 4_800, 86_400
_TYPES: Final = ("image/jpeg", "image/png", "image/gif")
_FIRST_NUMBER: Final = 122_000_000_000_000
_CREATING: Final = re.compile(r"/v[\d.]+/(\d+/feed|[\d_]+/comments)")
_ATTACHED: Final = re.compile(r"attached_media\[\d+\]")


class FacebookStage(Network):
    """The Graph API with one page."""

    name = "facebook"
    title = "Facebook"
    credential = "token"
    repeats = False
    describes_videos = False

    def __init__(self, state: Any) -> None:
        super().__init__(state)
        self._uploads = Uploads(state)

    @staticmethod
    def user(name: str, settings: Mapping[str, Any]) -> str:
        """The page's number."""
        return str(settings.get("page") or "100000000001")

    def routes(self) -> list[BaseRoute]:
        """The page, its edges, its objects."""
        return [
            self.route("/{version}/debug_token", self.debug),
            self.route("/{version}/me/accounts", self.pages),
            self.route("/{version}/{node}", self.node, methods=("GET", "DELETE")),
            self.route("/{version}/{node}/published_posts", self.listed),
            self.route("/{version}/{node}/feed", self.feed, methods=("GET", "POST")),
            self.route("/{version}/{node}/photos", self.photo, methods=("POST",)),
            self.route("/{version}/{node}/videos", self.video, methods=("POST",)),
            self.route("/{version}/{node}/comments", self.comments, methods=("GET", "POST")),
        ]

    def creates(self, method: str, path: str) -> bool:
        """POST to a feed or to comments."""
        return method == "POST" and _CREATING.fullmatch(path) is not None

    def refused(self) -> Refusal:
        """A 403 for a token that lacks a permission."""
        return shapes.refusal(403, 200, "Requires pages_manage_posts permission to manage the object")

    def throttled(self, seconds: int) -> Refusal:
        """A 400 with the page's code; the waiting time, in minutes, is in a header."""
        return shapes.too_many("100000000001", seconds=seconds)

    def broken(self) -> Refusal:
        """503 with the code of a service that is away."""
        return shapes.refusal(503, 2, "Service temporarily unavailable", transient=True)

    def label(self, method: str, path: str) -> str:
        """Without version and ids."""
        return f"{method} {re.sub(r'/[0-9_]+(?=/|$)', '/{id}', re.sub(r'^/v[0-9.]+', '', path))}"

    async def before(self, request: Request, account: StageAccount) -> Mapping[str, str]:
        """The calls of a day for this page."""
        window = self.state.spend(account.name, "calls", limit=_CALLS, seconds=_DAY)
        now = self.state.now()
        if window.refused:
            raise shapes.too_many(account.user, seconds=(window.reset - now).total_seconds())
        return shapes.usage_of(account.user, window, now=now)

    async def debug(self, request: Request, account: StageAccount) -> Response:
        """GET /debug_token."""
        _signed_in(request, account)
        if request.query_params.get("input_token") != account.secret:
            raise shapes.refusal(400, 190, "Invalid OAuth access token.")
        return JSONResponse(shapes.token_json(account))

    async def pages(self, request: Request, account: StageAccount) -> Response:
        """GET /me/accounts: the one page, as the person would see it who manages it."""
        _signed_in(request, account)
        tasks = ["MODERATE", "CREATE_CONTENT", "MANAGE"]
        page = shapes.page_json(account) | {"access_token": account.secret, "tasks": tasks}
        shown = only(page, request.query_params.get("fields", "id"), kind="Page")
        return JSONResponse(shapes.listed([shown], following=""))

    async def node(self, request: Request, account: StageAccount) -> Response:
        """GET one object's fields, or DELETE a post, a comment or a video."""
        _signed_in(request, account)
        identifier = request.path_params["node"]
        if request.method == "DELETE":
            self._post(account, identifier).status = "deleted"
            return JSONResponse({"success": True})
        asked = request.query_params.get("fields", "id")
        if identifier in ("me", account.user):
            return JSONResponse(only(shapes.page_json(account), asked, kind="Page"))
        media = self.state.media.get((account.name, identifier))
        if media is not None:
            return JSONResponse(only(shapes.photo_json(media), asked, kind="Photo"))
        return JSONResponse(self._shown(account, identifier, asked))

    async def listed(self, request: Request, account: StageAccount) -> Response:
        """GET /{page}/published_posts: newest first."""
        _signed_in(request, account)
        self._own(request, account)
        posts = [post for post in self.state.posts_of(account.name) if post.reply_to is None]
        return self._list(request, account, posts)

    async def feed(self, request: Request, account: StageAccount) -> Response:
        """POST /{page}/feed."""
        if request.method == "GET":
            return await self.listed(request, account)
        _signed_in(request, account)
        self._own(request, account)
        values = (await fields(request))[0]
        photos = [json_of(value) for name, value in sorted(values.items()) if _ATTACHED.fullmatch(name)]
        media = [self._photo(account, str(photo.get("media_fbid"))) for photo in photos]
        text, link = _text(values), str(values.get("link") or "")
        if not (text.strip() or link or media):
            raise shapes.invalid("Missing message or attachment")
        newest = next((post for post in self.state.posts_of(account.name) if post.reply_to is None), None)
        if newest is not None and text and (newest.text, newest.data.get("link")) == (text, link):
            raise shapes.refusal(400, 506, "Duplicate status message")
        number = _FIRST_NUMBER + self.state.number()
        permalink = f"/{account.user}/posts/{number}"
        identifier = f"{account.user}_{number}"
        return self._made(request, account, identifier, text=text, media=media, permalink=permalink, link=link)

    async def comments(self, request: Request, account: StageAccount) -> Response:
        """GET and POST /{object}/comments."""
        _signed_in(request, account)
        parent = self._post(account, request.path_params["node"])
        if request.method == "GET":
            found = [post for post in self.state.posts_of(account.name) if post.reply_to == parent.id]
            newest_first = request.query_params.get("order") == "reverse_chronological"
            return self._list(request, account, found if newest_first else found[::-1])
        values = (await fields(request))[0]
        text, photo = _text(values), values.get("attachment_id")
        if not (text.strip() or photo):
            raise shapes.invalid("Missing message or attachment")
        number, root = _FIRST_NUMBER + self.state.number(), parent.id.rpartition("_")[2]
        permalink = f"{parent.data['permalink']}?comment_id={number}"
        media = [self._photo(account, str(photo))] if photo else []
        more = {"media": media, "permalink": permalink, "reply_to": parent.id}
        return self._made(request, account, f"{root}_{number}", text=text, **more)

    async def photo(self, request: Request, account: StageAccount) -> Response:
        """POST /{page}/photos of one that nobody sees yet."""
        _signed_in(request, account)
        self._own(request, account)
        values, files = await fields(request)
        if values.get("published") != "false" or len(files) != 1:
            raise shapes.invalid("The stage takes one file with published=false here.")
        content = next(iter(files.values()))[2]
        facts = picture_facts(content)
        if facts is None or facts.mime not in _TYPES or len(content) > _BYTES:
            raise shapes.invalid("Invalid parameter: photos should be smaller than 4 MB", subcode=1366046)
        identifier, alt = str(_FIRST_NUMBER + self.state.number()), str(values.get("alt_text_custom") or "")
        members = {"id": identifier, "account": account.name, "name": "photo", "alt": alt, "at": self.state.now()}
        self.state.add_media(StageMedia.of(content, facts, **members), content)
        return JSONResponse({"id": identifier})

    async def video(self, request: Request, account: StageAccount) -> Response:
        """POST /{page}/videos: start, transfer, finish."""
        _signed_in(request, account)
        self._own(request, account)
        values, files = await fields(request)
        phase = values.get("upload_phase")
        if phase == "start":
            return JSONResponse(self._uploads.start(account, int(values.get("file_size") or 0)))
        if phase == "transfer":
            piece = files.get("video_file_chunk", ("", "", b""))[2]
            return JSONResponse(self._uploads.transfer(account, values, piece))
        if phase != "finish":
            raise shapes.invalid("The stage takes videos by upload_phase.")
        identifier, media = self._uploads.finish(account, values)
        text, permalink = str(values.get("description") or ""), f"/{account.user}/videos/{identifier}"
        self._made(request, account, identifier, text=text, media=[media], permalink=permalink)
        return JSONResponse({"success": True})

    def _made(self, request: Request, account: StageAccount, identifier: str, **members: Any) -> Response:
        """Make a post, a comment or a video public."""
        media, permalink = members["media"], members["permalink"]
        post = StagePost(
            number=self.state.number(),
            account=account.name,
            platform=self.name,
            id=identifier,
            path=f"{path_of(account)}/www{permalink.replace('?comment_id=', '/')}",
            text=members["text"],
            at=self.state.now(),
            media=media,
            alts=[each.alt for each in media],
            reply_to=members.get("reply_to"),
            data={"permalink": permalink, "link": members.get("link", "")},
        )
        self.state.add_post(post)
        self.published(request, post)
        return JSONResponse({"id": identifier})

    def _list(self, request: Request, account: StageAccount, posts: list[StagePost]) -> Response:
        query = request.query_params
        start, limit = int(query.get("after", "0")), min(100, int(query.get("limit", "25")))
        rows = [self._shown(account, post.id, query.get("fields", "id")) for post in posts[start : start + limit]]
        more = {**query, "after": str(start + limit), "access_token": account.secret}
        path = request.url.path.removeprefix(path_of(account))
        following = f"{self.base(request, account)}{path}?{urlencode(more)}" if posts[start + limit :] else ""
        return JSONResponse(shapes.listed(rows, following=following))

    def _shown(self, account: StageAccount, identifier: str, asked: str) -> dict[str, Any]:
        post = self.state.post(account.name, identifier)
        comments = 0
        if "comments" in asked:  # a list doesn't ask for them, and counting goes through all posts
            comments = sum(other.reply_to == identifier for other in self.state.posts_of(account.name))
        if self._uploads.knows(account, identifier) and (post or identifier not in self._uploads.finished):
            video = shapes.video_json(identifier, account, post=post, comments=comments)
            if post is not None:  # in a list of posts, a video is a post like the others
                video = shapes.post_json(post, account, comments=comments) | video
            return only(video, asked, kind="Video")
        if post is None:
            raise shapes.absent(identifier)
        if post.reply_to is not None:
            return only(shapes.comment_json(post, account), asked, kind="Comment")
        return only(shapes.post_json(post, account, comments=comments), asked, kind="PagePost")

    def _own(self, request: Request, account: StageAccount) -> None:
        if request.path_params["node"] not in ("me", account.user):
            raise shapes.absent(request.path_params["node"])

    def _post(self, account: StageAccount, identifier: str) -> StagePost:
        post = self.state.post(account.name, identifier)
        if post is None:
            raise shapes.absent(identifier)
        return post

    def _photo(self, account: StageAccount, identifier: str) -> StageMedia:
        media = self.state.media.get((account.name, identifier))
        if media is None or media.post is not None:
            raise shapes.invalid(f"Invalid parameter: no photo {identifier} that a post could show")
        return media


def _text(values: Mapping[str, Any]) -> str:
    text = str(values.get("message") or "")
    if len(text) > _TEXT:
        raise shapes.invalid("The message is too long")
    return text


def _signed_in(request: Request, account: StageAccount) -> None:
    """Raise Refusal (400, code 190) unless the page's token came along, in the header."""
    scheme, _space, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() not in ("bearer", "oauth") or token.strip() != account.secret:
        raise shapes.refusal(400, 190, "Invalid OAuth access token - Cannot parse access token")


network = FacebookStage
