"""TikTok on the stage: who posts, uploads that are really put together, pictures that are fetched, and their fate.

Follows the pages of the Content Posting API (developers.tiktok.com/doc/content-posting-api-get-started). An unknown
key of a body is refused. ``role`` of an account: ``unaudited`` (its app may only post privately), ``private`` (a
private account), ``moderated`` (no post ever gets a public number), ``capped`` (15 posts in 24 hours).
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

from campaign_cli.platforms.tiktok_api import COMPLETE, FAILED
from campaign_cli.stage import tiktok_shapes as shapes
from campaign_cli.stage.network import Network, Refusal, fields, path_of
from campaign_cli.stage.state import PictureFacts, StageAccount, StageMedia, StagePost, picture_facts
from campaign_cli.stage.tiktok_shapes import good, refusal

_PUBLISH: Final = "/v2/post/publish"
_MINUTE, _DAY = 60, 86_400
_RATES: Final = (("/init/", 6), ("/creator_info/query/", 20), ("/status/fetch/", 30))  # in a minute
_A_DAY: Final = 15  # posts of an account that is capped
_PICTURES: Final = ("image/jpeg", "image/webp")
_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


@dataclass(kw_only=True)
class _Begun:
    """A post that has begun; ``post`` once it is out, ``reason`` once it has failed."""

    account: str
    info: Mapping[str, Any]
    source: Mapping[str, Any]
    token: str = ""
    mime: str = "video/mp4"
    content: bytearray = field(default_factory=bytearray)
    post: str = ""
    reason: str = ""
    polls: int = 0


class TikTokStage(Network):
    """TikTok with one creator for each account."""

    name = "tiktok"
    title = "TikTok"
    credential = "token"
    describes = False

    def __init__(self, state: Any) -> None:
        super().__init__(state)
        self.begun: dict[str, _Begun] = {}

    @staticmethod
    def user(name: str, settings: Mapping[str, Any]) -> str:
        """The handle, else a user name made of the account's name."""
        return str(settings.get("handle") or "").lstrip("@") or re.sub(r"[^\w.]+", "_", name, flags=re.ASCII)[:24]

    def routes(self) -> list[BaseRoute]:
        """Creator, beginnings, uploads, states, own posts."""
        return [
            self.route(f"{_PUBLISH}/creator_info/query/", self.creator, methods=("POST",)),
            self.route(f"{_PUBLISH}/video/init/", self.begin, methods=("POST",)),
            self.route(f"{_PUBLISH}/content/init/", self.pull, methods=("POST",)),
            self.route(f"{_PUBLISH}/status/fetch/", self.status, methods=("POST",)),
            self.route("/v2/video/query/", self.query, methods=("POST",)),
            self.route("/upload/", self.receive, methods=("PUT",)),
        ]

    def creates(self, method: str, path: str) -> bool:
        """The pieces of a video, the last of which makes the post, and the beginning of a post of pictures."""
        return (method, path) in (("PUT", "/upload/"), ("POST", f"{_PUBLISH}/content/init/"))

    def refused(self) -> Refusal:
        """403, as for an account that may not post."""
        return refusal(403, "spam_risk_user_banned_from_posting", "The user is banned from making new posts.")

    def throttled(self, seconds: int) -> Refusal:
        """429 of too many requests in a minute."""
        headers = {"Retry-After": str(seconds)}
        return refusal(429, "rate_limit_exceeded", "The API rate limit was exceeded.", headers=headers)

    def broken(self) -> Refusal:
        """503 of an overloaded TikTok."""
        return refusal(503, "internal_error", "TikTok server or network error. Try again later.")

    async def before(self, request: Request, account: StageAccount) -> Mapping[str, str]:
        """The token, which an upload's own address stands in for, and the minute's windows."""
        path = request.url.path.removeprefix(path_of(account))
        if path == "/upload/":
            return {}
        if request.headers.get("authorization") != f"Bearer {account.secret}":
            raise refusal(401, "access_token_invalid", "The access token is invalid or not found in the request.")
        for end, limit in _RATES:
            if path.endswith(end):
                window = self.state.spend(account.name, end, limit=limit, seconds=_MINUTE)
                if window.refused:
                    raise self.throttled(max(1, round((window.reset - self.state.now()).total_seconds())))
        return {}

    async def creator(self, request: Request, account: StageAccount) -> Response:
        """POST creator_info/query."""
        return JSONResponse(good(shapes.creator(account)))

    async def begin(self, request: Request, account: StageAccount) -> Response:
        """POST video/init: a number for the post, and an address for its bytes."""
        body = (await fields(request))[0]
        shapes.check_body(body, photo=False)
        shapes.check_pieces(body["source_info"])
        identifier = self._begun(account, body, kind="v_pub_file")
        token = self.begun[identifier].token = secrets.token_urlsafe(24)
        address = f"{self.base(request, account)}/upload/?upload_id={identifier}&upload_token={token}"
        return JSONResponse(good({"publish_id": identifier, "upload_url": address}))

    async def pull(self, request: Request, account: StageAccount) -> Response:
        """POST content/init: the pictures are fetched, and posted at once."""
        body = (await fields(request))[0]
        shapes.check_body(body, photo=True)
        identifier = self._begun(account, body, kind="p_pub_url")
        begun = self.begun[identifier]
        files = [self.state.files.get(shapes.digest_of(str(one))) for one in begun.source["photo_images"]]
        facts = [picture_facts(file[1]) if file is not None else None for file in files]
        if None in files:
            begun.reason = "photo_pull_failed"
        elif any(each is None or each.mime not in _PICTURES for each in facts):
            begun.reason = "file_format_check_failed"
        else:
            pairs = [(file[1], fact) for file, fact in zip(files, facts, strict=True) if file and fact]
            self._posted(request, account, begun, pairs)
        return JSONResponse(good({"publish_id": identifier}))

    def _begun(self, account: StageAccount, body: Mapping[str, Any], *, kind: str) -> str:
        """Keep a beginning. Raises Refusal where the account or its app may not post so."""
        info = body["post_info"]
        if info["privacy_level"] not in shapes.creator(account)["privacy_level_options"]:
            raise refusal(403, "privacy_level_option_mismatch", "privacy_level is not among privacy_level_options")
        if account.role == "unaudited" and info["privacy_level"] != "SELF_ONLY":
            code = "unaudited_client_can_only_post_to_private_accounts"
            raise refusal(403, code, "Unaudited clients can only post to a private account.")
        if account.role == "capped" and self.state.spend(account.name, "day", limit=_A_DAY, seconds=_DAY).refused:
            raise refusal(403, "spam_risk_too_many_posts", "The daily post cap from the API is reached.")
        identifier = f"{kind}~v2-1.{self.state.number()}"
        polls = self.state.processing_polls
        begun = _Begun(account=account.name, info=info, source=body["source_info"], polls=polls)
        self.begun[identifier] = begun
        return identifier

    async def receive(self, request: Request, account: StageAccount) -> Response:
        """PUT: a piece of a video, in its turn; after the last one TikTok posts it."""
        begun, query = self.begun.get(request.query_params.get("upload_id", "")), request.query_params
        if begun is None or begun.account != account.name or begun.token != query.get("upload_token"):
            raise Refusal(404, "Not Found")
        piece, match = await request.body(), _RANGE.fullmatch(request.headers.get("content-range", ""))
        size, chunk, count = (int(begun.source[name]) for name in ("video_size", "chunk_size", "total_chunk_count"))
        if match is None or int(match[3]) != size or len(piece) != int(match[2]) - int(match[1]) + 1:
            raise Refusal(400, "Bad Request")
        number = len(begun.content) // chunk + 1
        end = size if number == count else number * chunk
        if int(match[1]) != len(begun.content) or int(match[2]) != end - 1 or begun.post:
            raise Refusal(416, "Requested Range Not Satisfiable")
        begun.content += piece
        begun.mime = request.headers.get("content-type", begun.mime)
        headers = {"Content-Range": f"bytes 0-{len(begun.content)}/{size}"}
        if len(begun.content) < size:
            return Response(status_code=206, headers=headers)
        facts = PictureFacts(mime=begun.mime, width=0, height=0)
        self._posted(request, account, begun, [(bytes(begun.content), facts)])
        return Response(status_code=201, headers=headers)

    def _posted(
        self, request: Request, account: StageAccount, begun: _Begun, files: list[tuple[bytes, PictureFacts]]
    ) -> None:
        number, kind = self.state.number(), "photo" if "photo_images" in begun.source else "video"
        identifier = f"75{number:017d}"
        media: list[StageMedia] = []
        for content, facts in files:
            identity = {"id": f"{identifier}-{len(media)}", "account": account.name, "at": self.state.now()}
            media.append(self.state.add_media(StageMedia.of(content, facts, name=kind, **identity), content))
        post = StagePost(
            number=number,
            account=account.name,
            platform=self.name,
            id=identifier,
            path=f"{path_of(account)}/@{account.user}/{kind}/{identifier}",
            text=str(begun.info.get("description" if kind == "photo" else "title") or ""),
            title=str(begun.info.get("title") or "") if kind == "photo" else "",
            at=self.state.now(),
            media=media,
            alts=[""] * len(media),
            visibility=str(begun.info["privacy_level"]),
            data={
                "post_info": dict(begun.info),
                "share_url": f"https://www.tiktok.com/@{account.user}/{kind}/{identifier}",
                "titled": True,
            },
        )
        begun.post = self.state.add_post(post).id
        self.published(request, post)

    async def status(self, request: Request, account: StageAccount) -> Response:
        """POST status/fetch; each look brings a post nearer to being out."""
        identifier = str((await fields(request))[0].get("publish_id"))
        begun = self.begun.get(identifier)
        if begun is None or begun.account != account.name:
            raise refusal(400, "invalid_publish_id", "The publish_id does not exist.")
        if begun.reason:
            return JSONResponse(good({"status": FAILED, "fail_reason": begun.reason, "uploaded_bytes": 0}))
        pulled, arrived = "photo_images" in begun.source, len(begun.content)
        if not begun.post or begun.polls:
            begun.polls -= int(bool(begun.post and begun.polls))
            words = ("PROCESSING_DOWNLOAD", "downloaded_bytes") if pulled else ("PROCESSING_UPLOAD", "uploaded_bytes")
            return JSONResponse(good({"status": words[0], words[1]: arrived}))
        public = begun.info["privacy_level"] == "PUBLIC_TO_EVERYONE" and account.role != "moderated"
        ids = [int(begun.post)] if public and self.state.post(account.name, begun.post) else []
        return JSONResponse(good({"status": COMPLETE, "publicaly_available_post_id": ids, "uploaded_bytes": arrived}))

    async def query(self, request: Request, account: StageAccount) -> Response:
        """POST video/query: own posts that everybody can see."""
        wanted = [str(one) for one in (await fields(request))[0].get("filters", {}).get("video_ids", ())]
        names = request.query_params.get("fields", "").split(",")
        found = [self.state.post(account.name, one) for one in wanted]
        return JSONResponse(good({"videos": [shapes.video_json(post, names) for post in found if post is not None]}))


network = TikTokStage
