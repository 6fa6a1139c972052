"""X on the stage: posts, replies, pictures, alt texts, read-back, the timeline; what X refuses, and its rate windows.

Follows X's OpenAPI 2.167 and docs.x.com/x-api: fundamentals/rate-limits, fundamentals/response-codes-and-errors. An
unknown parameter or key of a body is refused, as X does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from campaign_cli.platforms.weighted import weighted_length
from campaign_cli.stage import x_shapes as shapes
from campaign_cli.stage.network import Refusal, fields, path_of
from campaign_cli.stage.state import StageAccount, StageMedia, StagePost, Window
from campaign_cli.stage.x_uploads import Uploads, signed_in

_QUARTER, _DAY = 900, 86_400
_CHARACTERS, _PICTURES = 280, 4
_SAME: Final = timedelta(days=1)  # how long the stage remembers a text; X doesn't say
_BODY = {"text", "media", "reply", "made_with_ai", "paid_partnership", "nullcast", "reply_settings"}
_READING = {"post.fields", "expansions", "user.fields", "media.fields"}
_PAGING = {"max_results", "pagination_token", "start_time", "end_time"}
# requests, limit in 15 minutes for one account
_RATES: Final = (
    ("POST", r"/2/tweets", 100),
    ("DELETE", r"/2/tweets/\d+", 50),
    ("GET", r"/2/users/me", 75),
    ("GET", r"/2/(tweets/\d+|users/\d+/tweets)", 900),
    ("POST", r"/2/media/(upload(/initialize|/\d+/(append|finalize))?|metadata)", 500),
)


class XStage(Uploads):
    """X with one account."""

    name = "x"
    title = "X"
    credential = "token"
    repeats = False
    describes_videos = False

    @staticmethod
    def user(name: str, settings: Mapping[str, Any]) -> str:
        """The handle, else a user name made of the account's name."""
        return str(settings.get("handle") or "").lstrip("@") or re.sub(r"\W+", "_", name, flags=re.ASCII)[:15]

    def routes(self) -> list[BaseRoute]:
        """Account, timeline, posts, media."""
        return [
            self.route("/2/users/me", self.me),
            self.route("/2/users/{id}/tweets", self.timeline),
            self.route("/2/tweets", self.create, methods=("POST",)),
            self.route("/2/tweets/{id}", self.one, methods=("GET", "DELETE")),
            self.route("/2/media/upload", self.upload, methods=("GET", "POST")),
            self.route("/2/media/upload/initialize", self.initialize, methods=("POST",)),
            self.route("/2/media/upload/{id}/append", self.append, methods=("POST",)),
            self.route("/2/media/upload/{id}/finalize", self.finalize, methods=("POST",)),
            self.route("/2/media/metadata", self.describe, methods=("POST",)),
        ]

    def creates(self, method: str, path: str) -> bool:
        """POST /2/tweets."""
        return method == "POST" and path == "/2/tweets"

    def refused(self) -> Refusal:
        """A 403, as for an app that may only read."""
        return shapes.forbidden("You are not permitted to perform this action.")

    def throttled(self, seconds: int) -> Refusal:
        """429 with the reset in seconds since the epoch; there is no Retry-After."""
        reset = self.state.now() + timedelta(seconds=seconds)
        window = Window(limit=100, remaining=0, reset=reset, seconds=_QUARTER, refused=True)
        return _too_many(shapes.windows("x-rate-limit", window))

    def broken(self) -> Refusal:
        """503 of an overloaded X."""
        return shapes.problem(503, "Service Unavailable", "Service Unavailable")

    async def before(self, request: Request, account: StageAccount) -> Mapping[str, str]:
        """The quarter-hour's window of each address, and the app's day for posts."""
        path, method = request.url.path.removeprefix(path_of(account)), request.method
        headers: dict[str, str] = {}
        for verb, pattern, limit in _RATES:
            if method == verb and re.fullmatch(pattern, path):
                window = self.state.spend(account.name, f"{verb} {pattern}", limit=limit, seconds=_QUARTER)
                headers |= shapes.windows("x-rate-limit", window)
                if window.refused:
                    raise _too_many(headers)
        if self.creates(method, path):
            day = self.state.spend(account.name, "day", limit=10_000, seconds=_DAY)
            headers |= shapes.windows("x-app-limit-24hour", day)
            if day.refused:
                raise _too_many(headers)
        return headers

    async def me(self, request: Request, account: StageAccount) -> Response:
        """GET /2/users/me."""
        signed_in(request, account)
        wanted = _listed(request, "user.fields", _READING)
        extra = {"protected": False} if "protected" in wanted else {}
        return JSONResponse({"data": shapes.user_json(account) | extra})

    async def timeline(self, request: Request, account: StageAccount) -> Response:
        """GET /2/users/:id/tweets, newest first, at most the newest 3,200."""
        signed_in(request, account)
        wanted = _listed(request, "post.fields", _READING | _PAGING) | _listed(request, "expansions", None)
        if request.path_params["id"] != shapes.user_id(account):
            return JSONResponse({"errors": [shapes.absent("user", request.path_params["id"])]})
        query = request.query_params
        limit, start = int(query.get("max_results", "10")), int(query.get("pagination_token", "0"))
        if not 5 <= limit <= 100:
            raise shapes.invalid("The `max_results` query parameter value is not between 5 and 100.")
        since = datetime.fromisoformat(query.get("start_time", "2010-11-06T00:00:00Z"))
        posts = [post for post in self.state.posts_of(account.name)[:3_200] if post.at >= since.astimezone(UTC)]
        page, rest = posts[start : start + limit], posts[start + limit :]
        meta: dict[str, Any] = {"result_count": len(page)}
        if rest:
            meta["next_token"] = str(start + limit)
        data = [self._shown(post, account, wanted) for post in page]
        return JSONResponse(({"data": data} if data else {}) | {"meta": meta})

    async def create(self, request: Request, account: StageAccount) -> Response:
        """POST /2/tweets."""
        signed_in(request, account)
        post = self._checked_post(account, (await fields(request))[0])
        self.state.add_post(post)
        self.published(request, post)
        shown = self._shown(post, account, frozenset())
        return JSONResponse({"data": shown}, 201, {"Location": f"https://api.x.com/2/tweets/{post.id}"})

    async def one(self, request: Request, account: StageAccount) -> Response:
        """GET and DELETE /2/tweets/:id; what isn't there is 200 with ``errors`` to a GET, 404 to a DELETE."""
        signed_in(request, account)
        identifier = request.path_params["id"]
        post = self.state.post(account.name, identifier)
        if request.method == "DELETE":
            if post is None:
                raise Refusal(404, shapes.absent("tweet", identifier) | {"status": 404})
            post.status = "deleted"
            return JSONResponse({"data": {"deleted": True}})
        wanted = _listed(request, "post.fields", _READING) | _listed(request, "expansions", None)
        if post is None:
            return JSONResponse({"errors": [shapes.absent("tweet", identifier)]})
        body: dict[str, Any] = {"data": self._shown(post, account, wanted)}
        includes: dict[str, Any] = {}
        if "author_id" in wanted:
            body["data"]["author_id"] = shapes.user_id(account)
            includes["users"] = [shapes.user_json(account)]
        if "attachments.media_keys" in wanted and post.media:
            includes["media"] = [shapes.media_json(media, self.media_url(request, media)) for media in post.media]
        return JSONResponse(body | ({"includes": includes} if includes else {}))

    def _shown(self, post: StagePost, account: StageAccount, wanted: frozenset[str]) -> dict[str, Any]:
        first = (*self.state.above(post), post)[0]
        return shapes.only(shapes.post_json(post, account, first=first.id), wanted.__contains__)

    def _checked_post(self, account: StageAccount, values: dict[str, Any]) -> StagePost:
        text, parent = str(values.get("text") or ""), (values.get("reply") or {}).get("in_reply_to_tweet_id")
        if set(values) - _BODY:
            raise shapes.invalid(f"Unknown keys: {sorted(set(values) - _BODY)}")
        identifiers = [str(each) for each in (values.get("media") or {}).get("media_ids") or []]
        if len(identifiers) > _PICTURES:
            raise shapes.invalid(f"$.media.media_ids: there must be a maximum of {_PICTURES} items in the array")
        media = [self.media_of(account, identifier) for identifier in identifiers]
        films = [each for each in media if each.mime.startswith("video/")]
        if any(each.polls or each.post for each in media) or (films and len(media) > 1):
            raise shapes.invalid("Your media IDs are invalid.")
        if not text.strip() and not media:
            raise shapes.invalid("One or more parameters to your request was invalid.")
        if weighted_length(text) > _CHARACTERS:
            raise shapes.forbidden("Your Tweet text is too long.")
        if parent is not None and self.state.post(account.name, str(parent)) is None:
            raise shapes.forbidden("You attempted to reply to a Tweet that is deleted or not visible to you.")
        if self._is_repeated(account, text, media):
            raise shapes.forbidden("You are not allowed to create a Tweet with duplicate content.")
        identifier = shapes.post_id(self.state.now(), self.state.number())
        return StagePost(
            number=self.state.number(),
            account=account.name,
            platform=self.name,
            id=identifier,
            path=f"{path_of(account)}/{account.user}/status/{identifier}",
            text=text,
            at=self.state.now(),
            media=media,
            alts=[each.alt for each in media],
            reply_to=str(parent) if parent is not None else None,
        )

    def _is_repeated(self, account: StageAccount, text: str, media: list[StageMedia]) -> bool:
        files = [each.sha256 for each in media]
        return any(
            post.text == text and [each.sha256 for each in post.media] == files
            for post in self.state.posts_of(account.name)
            if self.state.now() - post.at < _SAME
        )


def _listed(request: Request, name: str, known: set[str] | None) -> frozenset[str]:
    """The names in a parameter that holds a list; ``known``: every parameter that may be there."""
    unknown = set(request.query_params) - known if known is not None else set()
    if unknown:
        raise shapes.invalid(f"The query parameter [{sorted(unknown)[0]}] is not one of {sorted(known or ())}.")
    return frozenset(filter(None, request.query_params.get(name, "").split(",")))


def _too_many(headers: Mapping[str, str]) -> Refusal:
    return shapes.problem(429, "Too Many Requests", "Too Many Requests", headers=headers)


network = XStage
