"""WordPress on the stage: posts, media, tags and categories of a site with one user.

Follows developer.wordpress.org/rest-api/reference; shapes and errors as recorded from WordPress 6.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from campaign_cli.stage.network import Refusal, path_of
from campaign_cli.stage.state import StageAccount, StagePost
from campaign_cli.stage.wordpress_library import (
    API,
    PUBLISHERS,
    WRITERS,
    Library,
    invalid,
    must,
    role_of,
    signed_in,
    values_of,
)
from campaign_cli.stage.wordpress_posts import STATUSES, error, home_page, instant_of, post_json, slug_of, user_json

ANY = ("GET", "POST", "PUT", "PATCH", "DELETE")


class WordPressStage(Library):
    """A site with one user; ``role`` decides what the user may do (editor when it is empty)."""

    name = "wordpress"
    title = "WordPress"
    credential = "password"

    @staticmethod
    def user(name: str, settings: Mapping[str, Any]) -> str:
        """The user name."""
        return str(settings.get("username") or name)

    def routes(self) -> list[BaseRoute]:
        """The site's front page, the index, users, media, terms, posts."""
        return [
            self.route("/", self.home),
            self.route("/wp-json/", self.index),
            self.route(f"{API}/users/me", self.me),
            self.route(f"{API}/media", self.upload, methods=("POST",)),
            self.route(f"{API}/media", self.library),
            self.route(f"{API}/media/{{id:int}}", self.media, methods=ANY),
            self.route(f"{API}/tags", self.terms, methods=("GET", "POST")),
            self.route(f"{API}/categories", self.terms, methods=("GET", "POST")),
            self.route(f"{API}/posts", self.find),
            self.route(f"{API}/posts", self.create, methods=("POST",)),
            self.route(f"{API}/posts/{{id:int}}", self.post, methods=ANY),
            self.route("/wp-json/{rest:path}", self.no_route, methods=ANY),
        ]

    def creates(self, method: str, path: str) -> bool:
        """What writes a post: POST /posts and POST /posts/ID."""
        return method in ("POST", "PUT", "PATCH") and re.fullmatch(rf"{API}/posts(/\d+)?", path) is not None

    def refused(self) -> Refusal:
        """403 of a user without the right."""
        return error(403, "rest_cannot_create", "Sorry, you are not allowed to create posts as this user.")

    def throttled(self, seconds: int) -> Refusal:
        """429 as hosts give it: HTML with Retry-After."""
        page = "<html><head><title>429 Too Many Requests</title></head><body><h1>Too Many Requests</h1></body></html>"
        return Refusal(429, page, headers={"Retry-After": str(seconds)})

    def broken(self) -> Refusal:
        """503 of a site under maintenance: HTML."""
        page = (
            "<html><body><h1>Briefly unavailable for scheduled maintenance. Check back in a minute.</h1></body></html>"
        )
        return Refusal(503, page, headers={"Retry-After": "600"})

    async def before(self, request: Request, account: StageAccount) -> Mapping[str, str]:
        """No rates in WordPress itself; every answer names the API's address."""
        return {"Link": f'<{self.base(request, account)}/wp-json/>; rel="https://api.w.org/"'}

    async def home(self, request: Request, account: StageAccount) -> Response:
        """The front page; ``?p=ID`` leads to a post."""
        identifier = request.query_params.get("p")
        post = self.state.post(account.name, identifier) if identifier else None
        if post is not None and post.status == "published":
            return Response(status_code=301, headers={"Location": post.path})
        return Response(home_page(account.name), media_type="text/html")

    async def index(self, request: Request, account: StageAccount) -> Response:
        """GET /wp-json/: application passwords are on."""
        base = self.base(request, account)
        authorization = f"{base}/wp-admin/authorize-application.php"
        return self.answer(
            request,
            {
                "name": account.name,
                "description": "",
                "url": base,
                "home": base,
                "gmt_offset": "0",
                "timezone_string": "UTC",
                "namespaces": ["oembed/1.0", "wp/v2"],
                "authentication": {"application-passwords": {"endpoints": {"authorization": authorization}}},
                "routes": {},
            },
        )

    async def me(self, request: Request, account: StageAccount) -> Response:
        """GET /users/me"""
        if not signed_in(request, account):
            raise error(401, "rest_not_logged_in", "You are not currently logged in.")
        return self.answer(request, user_json(account, self.base(request, account)))

    async def find(self, request: Request, account: StageAccount) -> Response:
        """GET /posts: by slug, status, text; what isn't public only for who is signed in."""
        query = request.query_params
        self._check_context(request, account)
        wanted = {STATUSES.get(each, each) for each in query.get("status", "publish").split(",")}
        if wanted != {"published"} and not signed_in(request, account):
            raise invalid("status", "Status is forbidden.")
        slugs = query.get("slug", "").split(",") if query.get("slug") else None
        posts = []
        for post in self.state.posts_of(account.name):
            self._ripen(account, post)
            if (post.status in wanted or "any" in wanted) and (slugs is None or post.data["slug"] in slugs):
                posts.append(post)
        term = query.get("search", "").lower()
        found = [post for post in posts if term in f"{post.title} {post.text}".lower()]
        if query.get("orderby") == "id":
            found.sort(key=lambda post: int(post.id), reverse=query.get("order", "desc") == "desc")
        elif query.get("order") == "asc":
            found.reverse()
        return self.page(request, [self._shown(request, account, post) for post in found])

    async def create(self, request: Request, account: StageAccount) -> Response:
        """POST /posts: a draft unless it says otherwise; there is no key against doubles."""
        must(request, account, WRITERS, code="rest_cannot_create")
        values = await values_of(request)
        if not any(str(_raw(values.get(name)) or "").strip() for name in ("title", "content", "excerpt")):
            raise error(400, "empty_content", "Content, title, and excerpt are empty.")
        identifier = str(self.state.count_up(account.name))
        post = StagePost(
            number=self.state.number(),
            account=account.name,
            platform=self.name,
            id=identifier,
            path=f"{path_of(account)}/?p={identifier}",
            text="",
            html=True,
            at=self.state.now(),
            status="draft",
            data={"slug": "", "excerpt": "", "featured": 0, "tags": [], "categories": [], "trashed": False},
        )
        self._apply(request, account, post, values)
        self.state.add_post(post)
        base = self.base(request, account)
        location = f"{base}{API}/posts/{post.id}"
        return self.answer(request, self._shown(request, account, post, edit=True), status=201, location=location)

    async def post(self, request: Request, account: StageAccount) -> Response:
        """GET, POST (also PUT and PATCH) and DELETE /posts/ID."""
        post = self.state.post(account.name, str(request.path_params["id"]))
        if post is None:
            raise error(404, "rest_post_invalid_id", "Invalid post ID.")
        self._ripen(account, post)
        if request.method == "GET":
            self._check_context(request, account)
            if post.status != "published" and not signed_in(request, account):
                raise error(401, "rest_forbidden", "Sorry, you are not allowed to do that.")
            return self.answer(request, self._shown(request, account, post))
        if request.method == "DELETE":
            must(request, account, PUBLISHERS, code="rest_cannot_delete")
            return self._delete(request, account, post)
        must(request, account, WRITERS, code="rest_cannot_edit")
        self._apply(request, account, post, await values_of(request))
        return self.answer(request, self._shown(request, account, post, edit=True))

    async def no_route(self, request: Request, account: StageAccount) -> Response:
        """An address that WordPress doesn't have."""
        raise error(404, "rest_no_route", "No route was found matching the URL and request method.")

    def _delete(self, request: Request, account: StageAccount, post: StagePost) -> Response:
        body = self._shown(request, account, post, edit=True)
        if request.query_params.get("force") in ("true", "1"):
            post.status = "deleted"
            return self.answer(request, {"deleted": True, "previous": body})
        if post.status == "trash":
            raise error(410, "rest_already_trashed", "The post has already been deleted.")
        post.status = "trash"
        post.data["slug"] = f"{post.data['slug']}__trashed"
        return self.answer(request, self._shown(request, account, post, edit=True))

    def _apply(self, request: Request, account: StageAccount, post: StagePost, values: dict[str, Any]) -> None:
        """Take over what the request says; publishing gives the slug its final form and the post its address."""
        status = values.get("status")
        if status is not None and status not in STATUSES:
            text = "status is not one of publish, future, draft, pending, and private."
            raise invalid("status", text)
        if status in ("publish", "future", "private") and role_of(account) not in PUBLISHERS:
            raise error(403, "rest_cannot_publish", "Sorry, you are not allowed to publish posts in this post type.")
        featured = int(values.get("featured_media") or post.data["featured"])
        if featured and (account.name, str(featured)) not in self.state.media:
            raise error(400, "rest_invalid_featured_media", "Invalid featured media ID.")
        post.title = str(_raw(values.get("title", post.title)))
        post.text = str(_raw(values.get("content", post.text)))
        post.data["excerpt"] = str(_raw(values.get("excerpt", post.data["excerpt"])))
        post.data["featured"] = featured
        for taxonomy in ("tags", "categories"):
            if taxonomy in values:
                known = self.known_terms(account, taxonomy)
                post.data[taxonomy] = [int(each) for each in values[taxonomy] if int(each) in known]
        post.at = instant_of(values.get("date_gmt")) or post.at
        if values.get("slug"):
            post.data["slug"] = slug_of(str(values["slug"]))
        was_public = post.status == "published"
        if status is not None:
            post.status = STATUSES[status]
        if post.status == "published" and not was_public:
            if not values.get("date_gmt"):
                post.at = self.state.now()
            if post.at > self.state.now():
                post.status = "future"
        self._show_media(account, post)
        if post.status == "published":
            self._give_address(account, post)
            if not was_public:
                self.published(request, post)

    def _give_address(self, account: StageAccount, post: StagePost) -> None:
        """The permalink; a slug that is taken becomes slug-2."""
        wanted = post.data["slug"] or slug_of(post.title) or post.id
        others = {other.data["slug"] for other in self.state.posts_of(account.name) if other is not post}
        slug, number = wanted, 1
        while slug in others:
            number += 1
            slug = f"{wanted}-{number}"
        post.data["slug"] = slug
        post.path = f"{path_of(account)}/{post.at:%Y/%m/%d}/{slug}/"

    def _ripen(self, account: StageAccount, post: StagePost) -> None:
        """A future post becomes public when its time has come."""
        if post.status == "future" and post.at <= self.state.now():
            post.status = "published"
            self._give_address(account, post)

    def _show_media(self, account: StageAccount, post: StagePost) -> None:
        """The featured picture, then those that the text shows, in its order."""
        own = {media.sha256: media for (owner, _id), media in self.state.media.items() if owner == account.name}
        shown = [self.state.media[account.name, str(post.data["featured"])]] if post.data["featured"] else []
        for digest in re.findall(r"/_stage/media/([0-9a-f]{64})", post.text):
            if digest in own and own[digest] not in shown:
                shown.append(own[digest])
        post.media = shown
        post.alts = [media.alt for media in shown]

    def _shown(self, request: Request, account: StageAccount, post: StagePost, *, edit: bool = False) -> dict[str, Any]:
        edit = edit or request.query_params.get("context") == "edit"
        return post_json(
            post, base=self.base(request, account), root=f"{request.url.scheme}://{request.url.netloc}", edit=edit
        )

    def _check_context(self, request: Request, account: StageAccount) -> None:
        if request.query_params.get("context") == "edit" and not signed_in(request, account):
            raise error(401, "rest_forbidden_context", "Sorry, you are not allowed to edit posts in this post type.")


def _raw(value: Any) -> Any:
    """A text may come as {"raw": text}."""
    return value.get("raw", "") if isinstance(value, dict) else value


network = WordPressStage
