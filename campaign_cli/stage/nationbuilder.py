"""A NationBuilder blog on the stage: drafts, publishing, match by external_id, the list, what it refuses.

Follows nationbuilder.com/blog_posts_api and the API description in NationBuilder's own client; a change is of the whole
post. What match answers where there is nothing is not documented: here it is “not found”.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from campaign_cli.platforms.markup import slug_of
from campaign_cli.stage.network import Network, Refusal, fields, path_of, rate_headers
from campaign_cli.stage.state import StageAccount, StagePost, Window

BLOG: Final = "/api/v1/sites/{site}/pages/blogs/{blog:int}"
FIELDS: Final = {
    "name",
    "title",
    "headline",
    "slug",
    "status",
    "author_id",
    "excerpt",
    "external_id",
    "content_before_flip",
    "content_after_flip",
    "tags",
    "published_at",
}
_STATUSES: Final = ("published", "drafted")


class NationBuilderStage(Network):
    """A nation with one site and one blog."""

    name = "nationbuilder"
    title = "NationBuilder"
    credential = "token"

    @staticmethod
    def user(name: str, settings: Mapping[str, Any]) -> str:
        """The site's slug."""
        return str(settings.get("site") or name)

    def routes(self) -> list[BaseRoute]:
        """The blog and its posts."""
        return [
            self.route(BLOG, self.blog),
            self.route(f"{BLOG}/match", self.match),
            self.route(f"{BLOG}/posts", self.listed),
            self.route(f"{BLOG}/posts", self.create, methods=("POST",)),
            self.route(f"{BLOG}/posts/{{id}}", self.one, methods=("GET", "PUT", "DELETE")),
        ]

    def creates(self, method: str, path: str) -> bool:
        """What writes a post: POST …/posts and PUT …/posts/ID."""
        return method in ("POST", "PUT") and re.search(r"/blogs/\d+/posts(/\d+)?$", path) is not None

    def refused(self) -> Refusal:
        """403 of a user without the right."""
        return problem(403, "forbidden", "You are not authorized to access this content.")

    def throttled(self, seconds: int) -> Refusal:
        """429 with Retry-After."""
        body = {"code": "rate_limited", "message": "You have exceeded your rate limit."}
        return Refusal(429, body, headers={"Retry-After": str(seconds)})

    def broken(self) -> Refusal:
        """503."""
        return problem(503, "server_error", "Service Unavailable")

    async def before(self, request: Request, account: StageAccount) -> Mapping[str, str]:
        """250 requests in 10 seconds."""
        window = self.state.spend(account.name, "requests", limit=250, seconds=10)
        if window.refused:
            refusal = self.throttled(max(1, round((window.reset - self.state.now()).total_seconds())))
            refusal.headers |= _windows(window)
            raise refusal
        return _windows(window)

    async def blog(self, request: Request, account: StageAccount) -> Response:
        """GET …/blogs/ID."""
        _signed_in(request, account)
        number = request.path_params["blog"]
        shown = {"id": number, "slug": "kabar", "name": account.name, "status": "published", "site_slug": account.user}
        return JSONResponse({"blog": shown})

    async def match(self, request: Request, account: StageAccount) -> Response:
        """GET …/match?external_id=: the number of a post, draft or not."""
        _signed_in(request, account)
        wanted = request.query_params.get("external_id")
        for post in self.state.posts_of(account.name):
            if wanted and post.key == wanted:
                return JSONResponse({"id": int(post.id)})
        raise _absent()

    async def listed(self, request: Request, account: StageAccount) -> Response:
        """GET …/posts, a page at a time; ``next`` is an address."""
        _signed_in(request, account)
        limit, start = int(request.query_params.get("limit", "10")), int(request.query_params.get("__token", "0"))
        if not 1 <= limit <= 100:
            raise problem(400, "bad_request", "limit must be between 1 and 100")
        posts = self.state.posts_of(account.name)
        path = f"{request.url.path.removeprefix(path_of(account))}?__nonce=x&__token={start + limit}&limit={limit}"
        results = [_shown(post, account) for post in posts[start : start + limit]]
        return JSONResponse({"next": path if posts[start + limit :] else None, "prev": None, "results": results})

    async def create(self, request: Request, account: StageAccount) -> Response:
        """POST …/posts."""
        _signed_in(request, account)
        values = await _values(request)
        post = StagePost(
            number=self.state.number(),
            account=account.name,
            platform=self.name,
            id=str(self.state.count_up(account.name)),
            path="",
            text="",
            at=self.state.now(),
            html=True,
        )
        self._write(post, account, values)
        self.state.add_post(post)
        self._tell(request, post)
        return JSONResponse({"blog_post": _shown(post, account)})

    async def one(self, request: Request, account: StageAccount) -> Response:
        """GET, PUT and DELETE …/posts/ID."""
        _signed_in(request, account)
        post = self.state.post(account.name, request.path_params["id"])
        if post is None:
            raise _absent()
        if request.method == "DELETE":
            post.status = "deleted"
            return Response(status_code=204)
        if request.method == "PUT":
            self._write(post, account, await _values(request))
            self._tell(request, post)
        return JSONResponse({"blog_post": _shown(post, account)})

    def _write(self, post: StagePost, account: StageAccount, values: Mapping[str, Any]) -> None:
        """All fields anew: what isn't there is empty afterwards."""
        slug = str(values.get("slug") or slug_of(str(values["name"])))
        taken = {each.data["slug"] for each in self.state.posts_of(account.name) if each is not post}
        if values.get("slug") and slug in taken:
            raise invalid("Slug has already been taken")
        while slug in taken:
            slug = f"{slug}_{post.number}"
        post.status = "published" if values["status"] == "published" else "draft"
        post.title = str(values.get("headline") or values["name"])
        post.text = f"{values.get('content_before_flip') or ''}{values.get('content_after_flip') or ''}"
        post.path = f"{path_of(account)}/{slug}"
        post.key = values.get("external_id")
        post.data = {**dict.fromkeys(FIELDS), **values, "slug": slug}

    def _tell(self, request: Request, post: StagePost) -> None:
        if post.status == "published":
            self.published(request, post)


def problem(status: int, code: str, message: str, **more: Any) -> Refusal:
    """An error as an answer."""
    return Refusal(status, {"code": code, "message": message, **more})


def invalid(*errors: str) -> Refusal:
    """A post that can't be."""
    return problem(422, "validation_failed", "Validation Failed.", validation_errors=list(errors))


def _absent() -> Refusal:
    return problem(404, "not_found", "Record not found")


def _shown(post: StagePost, account: StageAccount) -> dict[str, Any]:
    return post.data | {"id": int(post.id), "site_slug": account.user}


async def _values(request: Request) -> dict[str, Any]:
    """The post in a body. Raises Refusal for one that isn't whole, or has a key that there isn't."""
    values: dict[str, Any] = (await fields(request))[0].get("blog_post") or {}
    if set(values) - FIELDS:
        raise invalid(f"Unknown: {sorted(set(values) - FIELDS)}")
    if not values.get("name") or values.get("status") not in _STATUSES:
        raise invalid("Name can't be blank", "Status is not included in the list")
    if not values.get("content_before_flip") and not values.get("content_after_flip"):
        raise invalid("Content can't be blank")
    if values.get("published_at"):
        datetime.fromisoformat(values["published_at"])
    return values


def _windows(window: Window) -> dict[str, str]:
    names = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
    return dict(zip(names, rate_headers(window), strict=True))


def _signed_in(request: Request, account: StageAccount) -> None:
    """Raise Refusal (401) unless the nation's own token came along."""
    if request.headers.get("authorization", "") != f"Bearer {account.secret}":
        raise problem(401, "unauthorized", "You are not authorized to access this content. Your token may be missing.")


network = NationBuilderStage
