"""The stage for people: the timeline at ``/``, a page for every post at its permalink, the pictures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from functools import cache
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from campaign_cli.i18n import _, format_instant, language
from campaign_cli.stage.state import StagePost, StageState

if TYPE_CHECKING:
    from jinja2 import Environment

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; frame-src 'self'; base-uri 'none'"
"""No script, nothing from elsewhere: posts are shown as they were sent, and a WordPress post is HTML."""


_FILE_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "X-Content-Type-Options": "nosniff",
}
"""A picture may be an SVG with a script in it, and is shown as what it is said to be."""
_FRAME_STYLE: Final = "<style>body{font:1rem/1.5 system-ui,sans-serif;margin:.75rem}</style>"


class Pages:
    """HTML pages over the stage's memory; ``titles`` are the networks' names."""

    def __init__(self, state: StageState, *, titles: Mapping[str, str]) -> None:
        self.state = state
        self.titles = titles

    def routes(self) -> list[BaseRoute]:
        """Permalinks below an account; to come after the network's own addresses."""
        return [Route("/{rest:path}", self.post)]

    async def timeline(self, request: Request) -> Response:
        """GET /: every public post, newest first; ``?account=NAME`` or ``?platform=NAME`` narrows it."""
        query = request.query_params
        posts = [
            post
            for post in self.state.posts
            if post.status == "published"
            and query.get("account") in (None, post.account)
            and query.get("platform") in (None, post.platform)
        ]
        posts.sort(key=lambda post: (post.at, post.number), reverse=True)
        return self._page(posts, heading=_("On the stage"), alone=False)

    async def post(self, request: Request) -> Response:
        """GET a permalink: that one post, below those it answers."""
        for post in self.state.posts:
            if post.status == "published" and post.path == request.url.path:
                return self._page(
                    [*self.state.above(post), post], heading=post.title or self.titles[post.platform], alone=True
                )
        raise HTTPException(404)

    async def media(self, request: Request) -> Response:
        """GET /_stage/media/SHA256: a picture or a video as it was uploaded."""
        mime, content = self.state.files.get(request.path_params["digest"], ("", b""))
        if not mime.startswith(("image/", "video/")):
            raise HTTPException(404)
        return Response(content, media_type=mime, headers=_FILE_HEADERS)

    def _page(self, posts: list[StagePost], *, heading: str, alone: bool) -> Response:
        html = _environment().get_template("timeline.html").render(
            posts=posts,
            heading=heading,
            alone=alone,
            titles=self.titles,
            language=language(),
            instant=self._instant,
            frame_style=_FRAME_STYLE,
            accounts=[] if alone else sorted({post.account for post in self.state.posts if post.status == "published"}),
            words={
                "none": _("Nothing has been published yet."),
                "reply": _("a reply to"),
                "no_alt": _("This network carries no alt text."),
                "alt": _("Alt text:"),
                "all": _("All posts"),
                "note": _("This is a rehearsal: nobody but you can see these posts."),
                "warning": _("Content warning:"),
            },
        )  # fmt: skip
        headers = {
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }
        return HTMLResponse(html, headers=headers)

    def _instant(self, post: StagePost) -> str:
        """In the zone of the post's account."""
        account = self.state.accounts.get(post.account)
        return format_instant(post.at, (account.zone if account else None) or UTC, seconds=True)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader

    return Environment(loader=PackageLoader("campaign_cli.stage", "templates"), autoescape=True)
