"""Bluesky on the stage: a PDS with one account; sessions that expire, blobs, records.

Follows the lexicons com.atproto.server and com.atproto.repo; shapes and errors as recorded from a PDS 0.4.217.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from campaign_cli.stage.bluesky_records import (
    IMAGE_BYTES,
    POSTS,
    THUMB_BYTES,
    blob_cid,
    check_blob,
    check_key,
    check_record,
    did_of,
    external_of,
    images_of,
    record_cid,
    refusal,
    tid,
    video_of,
)
from campaign_cli.stage.bluesky_sessions import Sessions, json_of
from campaign_cli.stage.network import Refusal, path_of, rate_headers
from campaign_cli.stage.state import (
    PictureFacts,
    StageAccount,
    StageMedia,
    StagePost,
    Window,
    media_facts,
)

POINTS = {"createRecord": 3, "putRecord": 2, "deleteRecord": 1}
UPLOAD_BYTES = VIDEO_BYTES = 100_000_000


class BlueskyStage(Sessions):
    """A personal data server with one account."""

    name = "bluesky"
    title = "Bluesky"
    credential = "password"

    @staticmethod
    def user(name: str, settings: Mapping[str, Any]) -> str:
        """The handle."""
        return str(settings.get("handle") or f"{name}.example").lstrip("@").lower()

    def routes(self) -> list[BaseRoute]:
        """Sessions, then the repository."""
        server, repo = "/xrpc/com.atproto.server.", "/xrpc/com.atproto.repo."
        return [
            self.route(f"{server}describeServer", self.describe_server),
            self.route(f"{server}createSession", self.create_session, methods=("POST",)),
            self.route(f"{server}refreshSession", self.refresh_session, methods=("POST",)),
            self.route(f"{server}getSession", self.get_session),
            self.route("/xrpc/com.atproto.identity.resolveHandle", self.resolve_handle),
            self.route(f"{repo}describeRepo", self.describe_repo),
            self.route(f"{repo}uploadBlob", self.upload_blob, methods=("POST",)),
            self.route(f"{repo}createRecord", self.write, methods=("POST",)),
            self.route(f"{repo}putRecord", self.write, methods=("POST",)),
            self.route(f"{repo}deleteRecord", self.delete_record, methods=("POST",)),
            self.route(f"{repo}getRecord", self.get_record),
            self.route(f"{repo}listRecords", self.list_records),
        ]

    def creates(self, method: str, path: str) -> bool:
        """createRecord and putRecord."""
        return method == "POST" and path.endswith((".createRecord", ".putRecord"))

    def refused(self) -> Refusal:
        """400 InvalidRequest."""
        return refusal("InvalidRequest", f"Invalid {POSTS} record: refused at $.record")

    def throttled(self, seconds: int) -> Refusal:
        """429 RateLimitExceeded; the reset is in seconds since the epoch, there is no Retry-After."""
        reset = str(int(self.state.now().timestamp()) + seconds)
        headers = {"ratelimit-limit": "5000", "ratelimit-remaining": "0", "ratelimit-policy": "5000;w=3600"}
        body = {"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"}
        return Refusal(429, body, headers=headers | {"ratelimit-reset": reset})

    def broken(self) -> Refusal:
        """503."""
        return refusal("ServiceUnavailable", "Service Unavailable", 503)

    async def before(self, request: Request, account: StageAccount) -> Mapping[str, str]:
        """3,000 calls in 5 minutes; log-ins 30; uploads 1,000 a day; writes by points, 5,000 an hour."""
        method = request.url.path.rpartition(".")[2]
        name, limit, seconds = {
            "createSession": ("sessions", 30, 300),
            "uploadBlob": ("blobs", 1_000, 86_400),
        }.get(method, ("calls", 3_000, 300))
        window = self.state.spend(account.name, name, limit=limit, seconds=seconds)
        if not window.refused and method in POINTS:
            points = self.state.spend(account.name, "points", limit=5_000, seconds=3_600, cost=POINTS[method])
            window = points if points.refused else window
        if window.refused:
            raise Refusal(429, {"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"}, headers=_rate(window))
        return _rate(window)

    async def upload_blob(self, request: Request, account: StageAccount) -> Response:
        """com.atproto.repo.uploadBlob: the type is found in the bytes, whatever the header says."""
        self.signed_in(request, account)
        content = await request.body()
        if not content or len(content) > UPLOAD_BYTES:
            raise refusal(
                "BlobTooLarge" if content else "InvalidRequest", "request entity too large", 413 if content else 400
            )
        declared = request.headers.get("content-type", "application/octet-stream")
        facts = media_facts(content) or PictureFacts(mime=declared, width=0, height=0)
        cid = blob_cid(content)
        media = StageMedia.of(content, facts, id=cid, account=account.name, name=cid, at=self.state.now())
        self.state.add_media(media, content)
        blob = {"$type": "blob", "ref": {"$link": cid}, "mimeType": facts.mime, "size": len(content)}
        return JSONResponse({"blob": blob})

    async def write(self, request: Request, account: StageAccount) -> Response:
        """com.atproto.repo.createRecord and putRecord.

        An identical putRecord is a no-op without ``commit``; ``swapRecord: null`` means "only where there is none";
        a createRecord with a used key answers 500, as the real server does.
        """
        self.signed_in(request, account)
        values = await json_of(request)
        creating = request.url.path.endswith(".createRecord")
        did = self.repo(account, values.get("repo"))
        rkey = str(values.get("rkey") or tid(self.state.now(), self.state.number()))
        if values.get("collection") != POSTS:
            raise refusal("InvalidRequest", "This stage keeps posts only")
        check_key(rkey)
        record: Any = values.get("record")
        check_record(record, find=lambda repo, key: self._cid_of(account, repo, key))
        media, alts = self._media(account, record)
        cid = record_cid(record)
        answer: dict[str, Any] = {"uri": f"at://{did}/{POSTS}/{rkey}", "cid": cid}
        existing = self.state.post(account.name, rkey)
        if existing is not None and creating:
            raise refusal("InternalServerError", "Internal Server Error", 500)
        if existing is not None and existing.data["cid"] == cid:
            return JSONResponse(answer | {"validationStatus": "valid"})
        if "swapRecord" in values and values["swapRecord"] != (existing and existing.data["cid"]):
            raise refusal("InvalidSwap", f"Record was at {existing.data['cid'] if existing else 'null'}")
        if existing is not None:
            existing.status = "deleted"  # overwritten
        post = self.state.add_post(self._post(account, record, rkey=rkey, media=media, alts=alts))
        self.published(request, post)
        return JSONResponse(answer | {"commit": self._commit(), "validationStatus": "valid"})

    async def delete_record(self, request: Request, account: StageAccount) -> Response:
        """com.atproto.repo.deleteRecord; a record that isn't there is no error."""
        self.signed_in(request, account)
        values = await json_of(request)
        self.repo(account, values.get("repo"))
        post = self.state.post(account.name, str(values.get("rkey")))
        if post is None or values.get("collection") != POSTS:
            return JSONResponse({})
        post.status = "deleted"
        return JSONResponse({"commit": self._commit()})

    async def get_record(self, request: Request, account: StageAccount) -> Response:
        """com.atproto.repo.getRecord: 400 RecordNotFound, not 404."""
        query = request.query_params
        did = self.repo(account, query.get("repo"))
        post = self.state.post(account.name, query.get("rkey", ""))
        if post is None or query.get("collection") != POSTS:
            uri = f"at://{did}/{query.get('collection')}/{query.get('rkey')}"
            raise refusal("RecordNotFound", f"Could not locate record: {uri}")
        return JSONResponse(_shown(did, post))

    async def list_records(self, request: Request, account: StageAccount) -> Response:
        """com.atproto.repo.listRecords, newest key first, paged by cursor."""
        query = request.query_params
        did = self.repo(account, query.get("repo"))
        posts = sorted(
            self.state.posts_of(account.name), key=lambda post: post.id, reverse=query.get("reverse") != "true"
        )
        if "cursor" in query:
            posts = [post for post in posts if (post.id < query["cursor"]) != (query.get("reverse") == "true")]
        page = posts[: min(int(query.get("limit", "50")), 100)]
        body: dict[str, Any] = {"records": [_shown(did, post) for post in page]}
        return JSONResponse(body | ({"cursor": page[-1].id} if page else {}))

    def _cid_of(self, account: StageAccount, did: str, rkey: str) -> str | None:
        post = self.state.post(account.name, rkey) if did == did_of(account.user) else None
        return post.data["cid"] if post else None

    def _media(self, account: StageAccount, record: Mapping[str, Any]) -> tuple[list[StageMedia], list[str]]:
        media, alts = [], []
        for number, image in enumerate(images_of(record)):
            path = f"$.record.embed.images[{number}].image"
            media.append(self._blob(account, image["image"], largest=IMAGE_BYTES, path=path))
            alts.append(str(image["alt"]))
        video = video_of(record)
        if video is not None:
            media.append(self._blob(account, video["video"], largest=VIDEO_BYTES, path="$.record.embed.video"))
            alts.append(str(video.get("alt") or ""))
        card = external_of(record)
        if card and card.get("thumb"):
            self._blob(account, card["thumb"], largest=THUMB_BYTES, path="$.record.embed.external.thumb")
        return media, alts

    def _blob(self, account: StageAccount, blob: Mapping[str, Any], *, largest: int, path: str) -> StageMedia:
        cid = str((blob.get("ref") or {}).get("$link"))
        media = self.state.media.get((account.name, cid))
        if media is None:
            raise refusal("BlobNotFound", f"Could not find blob: {cid}")
        check_blob(blob, mime=media.mime, size=media.size, largest=largest, path=path)
        return media

    def _post(
        self, account: StageAccount, record: Any, *, rkey: str, media: list[StageMedia], alts: list[str]
    ) -> StagePost:
        return StagePost(
            number=self.state.number(),
            account=account.name,
            platform=self.name,
            id=rkey,
            path=f"{path_of(account)}/profile/{account.user}/post/{rkey}",
            text=record["text"],
            at=self.state.now(),
            media=media,
            alts=alts,
            reply_to=record["reply"]["parent"]["uri"].rpartition("/")[2] if "reply" in record else None,
            key=rkey,
            language=(record.get("langs") or [None])[0],
            data={"cid": record_cid(record), "record": record},
        )

    def _commit(self) -> dict[str, str]:
        number = self.state.number()
        return {"cid": record_cid(number), "rev": tid(self.state.now(), number)}


def _shown(did: str, post: StagePost) -> dict[str, Any]:
    return {"uri": f"at://{did}/{POSTS}/{post.id}", "cid": post.data["cid"], "value": post.data["record"]}


def _rate(window: Window) -> dict[str, str]:
    limit, remaining, reset = rate_headers(window)
    return {
        "ratelimit-limit": limit,
        "ratelimit-remaining": remaining,
        "ratelimit-reset": reset,
        "ratelimit-policy": f"{limit};w={window.seconds}",
    }


network = BlueskyStage
