"""LinkedIn on the stage: posts of one author, pictures, videos in parts, read-back, what it refuses.

Follows learn.microsoft.com/en-us/linkedin/marketing/community-management/shares. The answer to a post has no body; a
repetition is refused and names the first; a commentary with an unescaped sign is cut off there. An account with the
role ``poster`` may post and not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from campaign_cli.platforms.text import utf16_length
from campaign_cli.stage import linkedin_shapes as shapes
from campaign_cli.stage.linkedin_files import LinkedInFiles, asked
from campaign_cli.stage.network import Refusal, fields, path_of
from campaign_cli.stage.state import StageAccount, StagePost

SCOPES: Final = "w_organization_social,r_organization_social,r_organization_admin,w_member_social,openid,profile"
SAME: Final = timedelta(days=1)  # how long the stage remembers a post; LinkedIn doesn't say
_CHARACTERS, _PICTURES = 3_000, 20
_DAY: Final = "Resource level throttle MEMBER DAY limit for calls to this resource is reached."
_BODY: Final = {
    "author",
    "commentary",
    "visibility",
    "distribution",
    "content",
    "lifecycleState",
    "isReshareDisabledByAuthor",
}
_CONTENT: Final = {
    "media": {"id", "altText", "title"},
    "article": {"source", "title", "description", "thumbnail"},
    "multiImage": {"images"},
}


class LinkedInStage(LinkedInFiles):
    """LinkedIn with one author, and the app that its token belongs to."""

    name = "linkedin"
    title = "LinkedIn"
    credential = "token"
    describes_videos = False
    repeats = False

    @staticmethod
    def user(name: str, settings: Mapping[str, Any]) -> str:
        """The author's URN."""
        return str(settings.get("author") or "urn:li:organization:1")

    def routes(self) -> list[BaseRoute]:
        """Posts, files, accounts, tokens."""
        return [
            self.route("/rest/posts", self.create, methods=("POST",)),
            self.route("/rest/posts", self.listed),
            self.route("/rest/posts/{urn}", self.one, methods=("GET", "DELETE")),
            self.route("/rest/socialMetadata/{urn}", self.social),
            self.route("/rest/images", self.begin_image, methods=("POST",)),
            self.route("/rest/videos", self.video, methods=("POST",)),
            self.route("/rest/images/{urn}", self.state_of),
            self.route("/rest/videos/{urn}", self.state_of),
            self.route("/dms-uploads/{urn}/{part:int}", self.upload, methods=("PUT",)),
            self.route("/rest/organizationAcls", self.roles),
            self.route("/rest/organizations/{id}", self.page),
            self.route("/v2/userinfo", self.me),
            self.route("/oauth/v2/introspectToken", self.introspect, methods=("POST",)),
        ]

    def creates(self, method: str, path: str) -> bool:
        """POST /rest/posts."""
        return method == "POST" and path == "/rest/posts"

    def refused(self) -> Refusal:
        """A 403, as for an app without the permission."""
        return shapes.denied("posts.CREATE.NO_VERSION")

    def throttled(self, seconds: int) -> Refusal:
        """429 in words alone: LinkedIn names no instant; its limits of a day start anew at midnight UTC."""
        return shapes.problem(429, _DAY, code="TOO_MANY_REQUESTS", service=101)

    def broken(self) -> Refusal:
        """503 of an overloaded LinkedIn."""
        return shapes.problem(503, "Service Unavailable")

    def label(self, method: str, path: str) -> str:
        """Without URNs."""
        steps = ["{urn}" if step.startswith("urn:") else step for step in path.split("/")]
        return super().label(method, "/".join(steps))

    async def before(self, request: Request, account: StageAccount) -> Mapping[str, str]:
        """150 posts a day, as for a person."""
        if self.creates(request.method, request.url.path.removeprefix(path_of(account))):
            window = self.state.spend(account.name, "day", limit=150, seconds=86_400)
            if window.refused:
                raise self.throttled(0)
        return {}

    async def create(self, request: Request, account: StageAccount) -> Response:
        """POST /rest/posts: 201 without a body."""
        asked(request, account)
        post = self._checked_post(account, (await fields(request))[0])
        self.state.add_post(post)
        self.published(request, post)
        return Response(status_code=201, headers={"x-restli-id": post.id})

    async def listed(self, request: Request, account: StageAccount) -> Response:
        """GET /rest/posts?q=author: those first that were changed last."""
        asked(request, account, restli="FINDER", reading=True)
        query = request.query_params
        if query.get("q") != "author" or query.get("author") != account.user:
            raise shapes.problem(400, "Invalid query parameters passed to request")
        start, count = int(query.get("start", "0")), int(query.get("count", "10"))
        if not 1 <= count <= 100:
            raise shapes.problem(400, "count must be between 1 and 100")
        posts = self.state.posts_of(account.name)[start : start + count]
        paging = {"start": start, "count": count, "links": []}
        return JSONResponse({"paging": paging, "elements": [shapes.post_json(post, account) for post in posts]})

    async def one(self, request: Request, account: StageAccount) -> Response:
        """GET and DELETE /rest/posts/URN; deleting twice is harmless."""
        deleting = request.method == "DELETE"
        asked(request, account, restli="DELETE" if deleting else "", reading=not deleting)
        post = self.state.post(account.name, request.path_params["urn"])
        if deleting:
            if post is not None:
                post.status = "deleted"
            return Response(status_code=204)
        if post is None:
            raise shapes.problem(404, "Entity with key not found", code="NOT_FOUND")
        return JSONResponse(shapes.post_json(post, account))

    async def social(self, request: Request, account: StageAccount) -> Response:
        """GET /rest/socialMetadata/URN."""
        asked(request, account, reading=True)
        post = self.state.post(account.name, request.path_params["urn"])
        if post is None:
            raise shapes.problem(404, "Entity with key not found", code="NOT_FOUND")
        return JSONResponse(shapes.social_json(post))

    async def roles(self, request: Request, account: StageAccount) -> Response:
        """GET /rest/organizationAcls?q=roleAssignee."""
        asked(request, account, restli="FINDER", reading=True)
        acl = {"organization": account.user, "role": "ADMINISTRATOR", "state": "APPROVED"}
        return JSONResponse({"elements": [acl | {"roleAssignee": "urn:li:person:stage"}], "paging": {}})

    async def page(self, request: Request, account: StageAccount) -> Response:
        """GET /rest/organizations/ID."""
        asked(request, account, reading=True)
        return JSONResponse({"id": request.path_params["id"], "localizedName": account.name})

    async def me(self, request: Request, account: StageAccount) -> Response:
        """GET /v2/userinfo."""
        asked(request, account, versioned=False, reading=True)
        return JSONResponse({"sub": account.user.rpartition(":")[2], "name": account.name})

    async def introspect(self, request: Request, account: StageAccount) -> Response:
        """POST /oauth/v2/introspectToken."""
        values = (await fields(request))[0]
        if not values.get("client_id") or not values.get("client_secret"):
            raise Refusal(401, {"error": "invalid_client", "error_description": "Client authentication failed"})
        if values.get("token") != account.secret:
            return JSONResponse({"active": False, "status": "expired"})
        expires = int((self.state.now() + timedelta(days=60)).timestamp())
        return JSONResponse({"active": True, "status": "active", "scope": SCOPES, "expires_at": expires})

    def _checked_post(self, account: StageAccount, values: dict[str, Any]) -> StagePost:
        content, commentary = values.get("content") or {}, str(values.get("commentary") or "")
        if set(values) - _BODY or any(set(content[kind]) - _CONTENT.get(kind, set()) for kind in content):
            raise shapes.invalid("Unrecognized fields in the entity", code="UNPERMITTED_FIELDS_PRESENT")
        if values.get("author") != account.user:
            raise shapes.denied("posts.CREATE.NO_VERSION")
        text = shapes.shown(commentary)
        media = [self.ready(account, urn) for urn in shapes.files_of(content)]
        if utf16_length(text) > _CHARACTERS or len(media) > _PICTURES:
            raise shapes.invalid("commentary or content is too long", code="FIELD_LENGTH_TOO_LONG")
        if "article" in content and not (content["article"].get("source") and content["article"].get("title")):
            raise shapes.invalid("source and title are required", code="MISSING_FIELD")
        self._refuse_repeated(account, text, [each.sha256 for each in media])
        number = self.state.number()
        urn = f"urn:li:share:{shapes.milliseconds(self.state.now()) << 22 | number}"
        article = content.get("article") or {}
        return StagePost(
            number=number,
            account=account.name,
            platform=self.name,
            id=urn,
            path=f"{path_of(account)}/feed/update/{urn}",
            text=text,
            at=self.state.now(),
            media=media,
            alts=shapes.alts_of(content),
            visibility=str(values.get("visibility") or ""),
            data={name: values[name] for name in _BODY if name in values} | ({"link": article} if article else {}),
        )

    def _refuse_repeated(self, account: StageAccount, text: str, files: list[str]) -> None:
        for post in self.state.posts_of(account.name):
            same = post.text == text and [each.sha256 for each in post.media] == files
            if same and self.state.now() - post.at < SAME:
                raise shapes.invalid(f"Content is a duplicate of {post.id}", code="DUPLICATE_POST")


network = LinkedInStage
