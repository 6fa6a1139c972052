"""Mastodon on the stage: statuses, media, idempotency keys, read-back, discovery.

Follows docs.joinmastodon.org: methods/statuses, methods/media, methods/accounts, methods/instance, api/rate-limits;
shapes as recorded from Mastodon 4.6.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from campaign_cli.stage.mastodon_files import Files, invalid
from campaign_cli.stage.mastodon_instance import signed_in, token_of
from campaign_cli.stage.mastodon_kinds import (
    check_bare,
    check_length,
    check_visibility,
    kind_of,
    new_id,
    order,
    played,
)
from campaign_cli.stage.mastodon_shapes import account_id, status_json
from campaign_cli.stage.network import Refusal, fields, path_of
from campaign_cli.stage.state import StageAccount, StagePost, Window

KEY_LIFE = timedelta(hours=1)


class MastodonStage(Files):
    """A Mastodon instance with one account."""

    name = "mastodon"
    title = "Mastodon"
    credential = "token"

    @staticmethod
    def user(name: str, settings: Mapping[str, Any]) -> str:
        """The handle's first part, else a user name made of the account's name."""
        handle = str(settings.get("handle") or "").lstrip("@").partition("@")[0]
        return handle or re.sub(r"\W+", "_", name)

    @staticmethod
    def role(software: str) -> str:
        """The kind of server that plays this software."""
        return played(software)

    def routes(self) -> list[BaseRoute]:
        """Instance, account, media, statuses."""
        return [
            self.route("/.well-known/nodeinfo", self.nodeinfo_links),
            self.route("/nodeinfo/2.0", self.nodeinfo),
            self.route("/api/v1/instance", self.instance),
            self.route("/api/v2/instance", self.instance),
            self.route("/api/v1/accounts/verify_credentials", self.verify_credentials),
            self.route("/api/v1/accounts/{id}/statuses", self.own_statuses),
            self.route("/api/v2/media", self.upload, methods=("POST",)),
            self.route("/api/v1/media/{id}", self.media, methods=("GET", "PUT")),
            self.route("/api/v1/statuses", self.create, methods=("POST",)),
            self.route("/api/v1/statuses/{id}", self.status, methods=("GET", "DELETE")),
            self.route("/api/v1/statuses/{id}/source", self.source),
            self.route("/api/v1/statuses/{id}/context", self.context),
        ]

    def creates(self, method: str, path: str) -> bool:
        """POST /api/v1/statuses."""
        return method == "POST" and path == "/api/v1/statuses"

    def refused(self) -> Refusal:
        """A 422, as for a status that doesn't pass."""
        return Refusal(422, {"error": "Validation failed: Text is not allowed here"})

    def throttled(self, seconds: int) -> Refusal:
        """429 with the reset as an ISO 8601 time; there is no Retry-After."""
        reset = self.state.now() + timedelta(seconds=seconds)
        window = Window(limit=300, remaining=0, reset=reset, seconds=300, refused=True)
        return Refusal(429, {"error": "Too many requests"}, headers=_rate(window))

    def broken(self) -> Refusal:
        """503 of a Mastodon under load."""
        return Refusal(503, {"error": "There was a temporary problem serving your request, please try again"})

    async def before(self, request: Request, account: StageAccount) -> Mapping[str, str]:
        """300 calls in 5 minutes, with windows of their own for posting, uploads and deletions."""
        path, method = request.url.path.removeprefix(path_of(account)), request.method
        name, limit, seconds = "calls", 300, 300
        if self.creates(method, path):
            name, seconds = "statuses", 10_800
        elif path == "/api/v2/media":
            name, limit, seconds = "media", 30, 1_800
        elif method == "DELETE":
            name, limit, seconds = "deletions", 30, 1_800
        window = self.state.spend(account.name, name, limit=limit, seconds=seconds)
        if window.refused:
            raise Refusal(429, {"error": "Too many requests"}, headers=_rate(window))
        return _rate(window)

    async def own_statuses(self, request: Request, account: StageAccount) -> Response:
        """GET /api/v1/accounts/:id/statuses, newest first, paged by ids."""
        if request.path_params["id"] != account_id(account):
            raise Refusal(404, {"error": "Record not found"})
        kind = kind_of(account)
        seen = kind.visibilities if token_of(request) == account.secret else ("public", "unlisted")
        query = request.query_params
        limit = min(int(query.get("limit", "20")), 40)
        posts = [post for post in self.state.posts_of(account.name) if post.visibility in seen]
        posts.sort(key=lambda post: order(post.id), reverse=True)
        if "max_id" in query:
            posts = [post for post in posts if order(post.id) < order(query["max_id"])]
        for lower in ("since_id", "min_id"):
            if lower in query:
                posts = [post for post in posts if order(post.id) > order(query[lower])]
        if kind.comments or query.get("exclude_replies") in ("true", "1"):
            posts = [post for post in posts if post.reply_to is None]
        page = posts[-limit:] if "min_id" in query else posts[:limit]
        response = JSONResponse([self._status(request, account, post) for post in page])
        if page:
            here = f"{self.base(request, account)}/api/v1/accounts/{account_id(account)}/statuses"
            response.headers["Link"] = (
                f'<{here}?limit={limit}&max_id={page[-1].id}>; rel="next", '
                f'<{here}?limit={limit}&min_id={page[0].id}>; rel="prev"'
            )
        return response

    async def create(self, request: Request, account: StageAccount) -> Response:
        """POST /api/v1/statuses; the same Idempotency-Key within an hour gives the first status again."""
        signed_in(request, account)
        kind = kind_of(account)
        key = request.headers.get("idempotency-key") or None
        known = self.state.keys.get((account.name, key)) if key else None
        if known and self.state.now() - known[1] < KEY_LIFE and kind.keys != "another":
            if kind.keys == "refusal":
                raise Refusal(400, {"error": "Duplicate idempotency key."})
            first = self.state.post(account.name, known[0])
            if first is not None:
                return JSONResponse(self._status(request, account, first))
        if key and kind.keys == "refusal":  # whatever becomes of the status
            self.state.keys[account.name, key] = ("", self.state.now())
        post = self._checked_post(account, (await fields(request))[0], key=key)
        self.state.add_post(post)
        if key:
            self.state.keys[account.name, key] = (post.id, self.state.now())
        self.published(request, post)
        return JSONResponse(self._status(request, account, post))

    async def status(self, request: Request, account: StageAccount) -> Response:
        """GET and DELETE /api/v1/statuses/:id."""
        deleting = request.method == "DELETE"
        post = self._visible(request, account, must_sign_in=deleting)
        body = self._status(request, account, post)
        if deleting:
            post.status = "deleted"
            body["text"] = post.text
        return JSONResponse(body)

    async def source(self, request: Request, account: StageAccount) -> Response:
        """GET /api/v1/statuses/:id/source: the plain text."""
        post = self._visible(request, account, must_sign_in=True)
        return JSONResponse({"id": post.id, "text": post.text, "spoiler_text": post.title})

    async def context(self, request: Request, account: StageAccount) -> Response:
        """GET /api/v1/statuses/:id/context: the thread above and below."""
        post = self._visible(request, account, must_sign_in=False)
        above = self.state.above(post)
        below, known = [], {post.id}
        for other in sorted(self.state.posts_of(account.name), key=lambda each: each.number):
            if other.reply_to in known:
                known.add(other.id)
                below.append(other)
        shown = {"ancestors": above, "descendants": below}
        return JSONResponse(
            {name: [self._status(request, account, each) for each in posts] for name, posts in shown.items()}
        )

    def _visible(self, request: Request, account: StageAccount, *, must_sign_in: bool) -> StagePost:
        if must_sign_in or "authorization" in request.headers:
            signed_in(request, account)
        post = self.state.post(account.name, request.path_params["id"])
        hidden = (
            post is not None and post.visibility in ("private", "direct") and "authorization" not in request.headers
        )
        if post is None or hidden:
            raise Refusal(404, {"error": "Record not found"})
        return post

    def _checked_post(self, account: StageAccount, values: dict[str, Any], *, key: str | None) -> StagePost:
        text, spoiler = str(values.get("status") or ""), str(values.get("spoiler_text") or "")
        media = self.checked_media(account, [str(each) for each in values.get("media_ids") or []])
        if not text.strip() and not media:
            raise invalid("Text can't be blank")
        kind, visibility = kind_of(account), values.get("visibility") or "public"
        check_length(account, text, spoiler)
        check_visibility(kind, visibility)
        check_bare(kind, media=len(media), reply=bool(values.get("in_reply_to_id")))
        if values.get("scheduled_at"):
            raise invalid("Scheduled at is not played by this stage")
        parent = values.get("in_reply_to_id") or None
        if parent is not None and self.state.post(account.name, str(parent)) is None:
            raise Refusal(404, {"error": "The post you are trying to reply to does not appear to exist."})
        milliseconds = int(self.state.now().timestamp() * 1000)
        number = new_id(kind, milliseconds=milliseconds, number=self.state.number())
        return StagePost(
            number=self.state.number(),
            account=account.name,
            platform=self.name,
            id=number,
            path=f"{path_of(account)}/@{account.user}/{number}",
            text=text,
            title=spoiler,
            at=self.state.now(),
            media=media,
            alts=[each.alt for each in media],
            reply_to=str(parent) if parent is not None else None,
            key=key,
            visibility=visibility,
            language=values.get("language"),
            data={"sensitive": str(values.get("sensitive", "")).lower() in ("true", "1", "on") or bool(spoiler)},
        )

    def _status(self, request: Request, account: StageAccount, post: StagePost) -> dict[str, Any]:
        return status_json(
            post,
            account=account,
            base=self.base(request, account),
            posts=self.state.count_of(account.name),
            address=lambda media: self.media_url(request, media),
        )


def _rate(window: Window) -> dict[str, str]:
    reset = window.reset.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {
        "X-RateLimit-Limit": str(window.limit),
        "X-RateLimit-Remaining": str(window.remaining),
        "X-RateLimit-Reset": reset,
    }


network = MastodonStage
