"""A Facebook Page through the Graph API. https://developers.facebook.com/docs/pages-api/posts

Later parts of a thread are the page's own comments under the first. There is no key against doubles: a post is found
again by its words in the page's list, a video by the id that it has before it is published.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from campaign_cli.errors import Rejected, Unauthorized, Unavailable
from campaign_cli.i18n import N_, _
from campaign_cli.models import Account, Draft, Receipt
from campaign_cli.platforms import base, first_comment, graph_answers
from campaign_cli.platforms import facebook_api as api
from campaign_cli.platforms import facebook_video as video
from campaign_cli.platforms.addresses import compared
from campaign_cli.platforms.answers import ask
from campaign_cli.platforms.base import (
    AccountCheck,
    Choice,
    Choose,
    Count,
    Granted,
    Limits,
    LookUp,
    OAuth,
    Platform,
    Proof,
    RemotePost,
    Request,
    Sending,
    Session,
)
from campaign_cli.platforms.facebook_access import checked, require_own_token
from campaign_cli.platforms.facebook_api import Settings, settings_of
from campaign_cli.platforms.facebook_reading import comment_again, found_by_address, post_again, remote_post
from campaign_cli.platforms.graph import Graph

_TRIED: Final = "tried"  # step: a request for this post has left, and was not provably refused
_VERSION: Final = "v25.0"
COMMENT: Final = 8000  # characters


class Facebook(Platform):
    """One post of the page, with photos or one video, or a comment of the page under it."""

    name: ClassVar[str] = "facebook"
    title: ClassVar[str] = "Facebook"
    Settings: ClassVar[type[base.Settings]] = Settings
    secrets: ClassVar[tuple[str, ...]] = ("token",)
    fields: ClassVar[frozenset[str]] = frozenset({first_comment.FIELD})
    link_in: ClassVar[str] = "embed"
    thread_form: ClassVar[str] = "root"
    limits: ClassVar[Limits] = Limits(
        text=63_206,
        unit="characters",
        images=10,
        image_bytes=4_000_000,
        image_types=("image/jpeg", "image/png"),
        videos=1,
        video_bytes=10_000_000_000,
        video_seconds=4 * 3600.0,
    )
    proof: ClassVar[Proof] = Proof(
        look_up=True,
        found_by="its words, its photos and its place, a video by its id (not on pages with 500 posts a year or more)",
        verified_by="specification",
    )
    oauth: ClassVar[OAuth | None] = OAuth(
        authorize=f"https://www.facebook.com/{_VERSION}/dialog/oauth",
        token=f"{{url}}/{_VERSION}/oauth/access_token",
        scopes=("pages_show_list", "pages_read_engagement", "pages_manage_posts", "pages_manage_engagement"),
        separator=",",
        pkce=False,
        renewal="exchange",
        exchange=(
            (
                f"{{url}}/{_VERSION}/oauth/access_token",
                {
                    "grant_type": "fb_exchange_token",
                    "client_id": "{client_id}",
                    "client_secret": "{client_secret}",
                    "fb_exchange_token": "{token}",
                },
            ),
        ),
        # http for localhost while the app is in development, later https alone, so paste:
        # https://developers.facebook.com/blog/post/2018/06/08/enforce-https-facebook-login/
        loopback="localhost",
        lifetime=timedelta(days=60),
        help="https://developers.facebook.com/apps",
    )
    """What comes out is the person's token; ``complete`` takes the page's own, which doesn't end by time."""
    help = {
        "page": N_("The page's ID: on the page, About → Page transparency; a number."),
        "token": N_("Log in and choose the page, or take the page's own token from developers.facebook.com."),
    }
    signed_in = ("page",)
    metrics: ClassVar[tuple[str, ...]] = ("reactions", "comments", "shares", "likes", "views")
    unconfirmed: ClassVar[tuple[str, ...]] = (
        "how many characters and photos a post may have, how large a photo may be, and how long a comment",
        "that a page's token taken with a long-lived one doesn't end by time",
        "whether a text that is sent twice is refused, and with which code",
        "the HTTP status of a refusal for too many calls",
        "what a video's status says between its upload and its publication",
        "how soon a new post stands in the page's own list, by which it is looked up",
        "whether a page's token may ask what it may do and when it ends",
    )
    max_wait: ClassVar[float] = 60.0  # a picture of 4 MB over a slow line

    def address(self, account: Account) -> str:
        """The API and the page's ID."""
        settings = settings_of(account)
        return f"{compared(settings.url)}/{settings.page}"

    def measure(self, text: str, limits: Limits, *, media: int) -> tuple[Count, ...]:
        """Code points."""
        return (Count(used=len(text), limit=limits.text, unit=limits.unit),)

    async def publish(self, sending: Sending) -> Receipt:
        """Upload what is missing, and post; a later part of a thread is a comment.

        That a request for this post has left is kept before it does: only then does the refusal of a double mean that
        it may be out.

        https://developers.facebook.com/docs/graph-api/reference/page/feed · /docs/graph-api/reference/object/comments
        """
        _fits(sending)
        if any(item.is_video for item in sending.content.media):
            known = await video.upload(sending)
            await _sent(sending, lambda again: video.finish(sending, known, again=again), _succeeded)
            identifier, url = str(known["video"]), await video.shown(sending, known)
        else:
            photos = [await api.photo_id(sending, index) for index in range(len(sending.content.media))]
            identifier = await _sent(sending, lambda again: _request(sending, photos, again=again), _identifier)
            url = await api.permalink(sending, identifier)
        return Receipt(part=sending.part, id=identifier, url=url, at=sending.now())

    def objections(self, draft: Draft) -> tuple[Rejected, ...]:
        """A first comment that is too long, or beside a thread."""
        return tuple(first_comment.objections(draft, limit=COMMENT))

    def follows(self, draft: Draft) -> bool:
        """A first comment."""
        return bool(first_comment.wanted(draft))

    async def afterwards(self, sending: Sending, receipt: Receipt) -> str:
        """Write the first comment. https://developers.facebook.com/docs/graph-api/reference/object/comments"""
        return await first_comment.write(sending, lambda text: api.comment(sending, receipt.id, text=text))

    async def look_up(self, sending: Sending, since: datetime) -> LookUp:
        """The page's posts, the first part's comments, or the very video.

        https://developers.facebook.com/docs/graph-api/reference/page/published_posts
        """
        if sending.part:
            return await comment_again(sending, since)
        if any(item.is_video for item in sending.content.media):
            return await video.look_up(sending)
        return await post_again(sending, since)

    async def read_back(self, session: Session, receipt: Receipt) -> RemotePost | None:
        """Text, alt texts and counts."""
        return await remote_post(session, receipt)

    async def find(self, session: Session, url: str) -> Receipt | None:
        """A post, video or comment of this page by an address on facebook.com."""
        return await found_by_address(session, url)

    async def delete(self, session: Session, receipt: Receipt) -> None:
        """Delete it; what is gone already is fine. To another page's token, a post that is there is "gone" as well."""
        try:
            await session.http.send(api.call(session, "DELETE", f"/{receipt.id}", sample={"success": True}))
        except Rejected as error:
            if error.code not in graph_answers.GONE:
                raise
            await require_own_token(session)

    async def check(self, session: Session) -> AccountCheck:
        """Whether the token is this page's, what it may do, and when it ends."""
        return await checked(session)

    def pause_until(self, headers: Mapping[str, str], now: datetime) -> datetime | None:
        """Meta's usage headers."""
        return graph_answers.pause_until(headers, now)

    async def complete(self, session: Session, choose: Choose) -> Granted | None:
        """The page's own token, which, taken with a long-lived token of the person, doesn't end by time.

        https://developers.facebook.com/docs/pages-api/getting-started
        """
        settings = session.account.settings
        graph = Graph(base=f"{settings['url']}/{settings['version']}", title=self.title)
        pages = {page.id: page for page in await api.own_pages(session, graph) if page.may_post}
        wanted = str(settings.get("page") or "")
        if wanted not in pages:
            choices = [Choice(value=page.id, label=page.name) for page in pages.values()]
            question = _("Which page?")
            if wanted:
                question = _("You may not post on the page {page}. Which one is it?").format(page=wanted)
            wanted = await choose(question, choices)
        return Granted(token=pages[wanted].token, settings={"page": wanted})


platform = Facebook()


def _fits(sending: Sending) -> None:
    """Raise Rejected for files that can't stand together."""
    media = sending.content.media
    videos = sum(item.is_video for item in media)
    if sending.part and (videos or len(media) > 1):
        raise Rejected(
            _("Later parts of a thread are comments on Facebook, and a comment holds one picture."),
            fix=_("Put the files into the first part, or write a variant for Facebook."),
        )
    if videos and len(media) > 1:
        raise Rejected(
            _("A post on Facebook holds pictures or one video."), fix=_("Make two posts of it, or write a variant.")
        )


def _request(sending: Sending, photos: Sequence[str], *, again: bool) -> Request:
    """The post, or the comment that a later part is."""
    form: dict[str, str] = {"message": sending.content.text} if sending.content.text else {}
    if sending.part:
        path = f"/{sending.earlier[0].id}/comments"
        form |= {"attachment_id": photos[0]} if photos else {}
    else:
        path = f"/{settings_of(sending.account).page}/feed"
        form |= api.attached(photos)
        if sending.draft.link and not photos:
            form["link"] = sending.draft.link
    sample = {"id": f"{settings_of(sending.account).page}_{{post_id_{sending.part + 1}}}"}
    return api.call(sending, "POST", path, form=form, creating=True, again=again, sample=sample)


async def _sent(sending: Sending, request: Callable[[bool], Request], read: Callable[[Any], str]) -> str:
    """Send what makes the post public, knowing whether an earlier try may have done so."""
    again = bool(sending.steps.get(_TRIED))
    if again:
        return await ask(sending.http, request(True), read)
    await sending.keep(_TRIED, True)
    try:
        return await ask(sending.http, request(False), read)
    except (Rejected, Unavailable, Unauthorized):
        await sending.keep(_TRIED, False)
        raise


def _identifier(body: Any) -> str:
    return str(body["id"])


def _succeeded(body: Any) -> str:
    if body["success"] is not True:
        raise ValueError("success")
    return ""
