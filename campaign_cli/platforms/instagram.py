"""Instagram's content publishing API. https://developers.facebook.com/docs/instagram-platform/content-publishing

Everything has at least one picture or video, which Instagram fetches from a public address. There is no key against
doubles, but a container can be published only once, and says whether it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import ClassVar, Final

from campaign_cli.errors import Rejected
from campaign_cli.i18n import N_, _
from campaign_cli.models import Account, Draft, Picture, Receipt
from campaign_cli.platforms import base, first_comment, graph_answers
from campaign_cli.platforms import instagram_api as api
from campaign_cli.platforms import instagram_video as video
from campaign_cli.platforms.addresses import compared
from campaign_cli.platforms.base import (
    AccountCheck,
    Count,
    Limits,
    LookUp,
    OAuth,
    Platform,
    Proof,
    RemotePost,
    Sending,
    Session,
    Use,
)
from campaign_cli.platforms.container_posts import by_address, read, same_post, search
from campaign_cli.platforms.containers import WHOLE, Containers
from campaign_cli.platforms.graph import same_words, token_facts
from campaign_cli.platforms.instagram_api import Settings, settings_of
from campaign_cli.platforms.text import hashtag_spans, mention_spans

HASHTAGS: Final = 30
MENTIONS: Final = 20
POSTS_A_DAY: Final = Decimal(100)  # Meta's pages say 25, 50 and 100; accounts check shows the account's own number
_POST: Final = re.compile(r"/(?:p|reel|reels|tv)/(?P<code>[\w-]+)/?$", re.ASCII)
_PUBLISHING: Final = frozenset({"instagram_basic", "instagram_content_publish"})  # of Facebook Login
_SITES: Final = ("instagram.com", "www.instagram.com")


class Instagram(Platform):
    """One picture, one video (a reel) or a carousel of both; the parts of a thread are one caption."""

    name = "instagram"
    title = "Instagram"
    Settings: ClassVar[type[base.Settings]] = Settings
    secrets = ("token",)
    fields = frozenset({first_comment.FIELD})
    threads = False
    limits = Limits(
        text=2200,
        unit="characters",
        images=10,
        image_bytes=8 * 1024 * 1024,
        image_types=("image/jpeg",),
        image_ratio=(0.8, 1.91),
        alt=1000,
        videos=10,
        video_bytes=300_000_000,
        video_seconds=900.0,
        video_types=("video/mp4", "video/quicktime"),
        mixed=True,
        media_least=1,
    )
    help = {
        "token": N_(
            "Log in, or take a token of a professional account from developers.facebook.com (Instagram → API setup)."
        ),
        "login": N_(
            "instagram (the default) or facebook, where the account belongs to a page and the token is "
            "of Facebook Login."
        ),
        "account": N_("With login: facebook, the number of the Instagram account."),
        "handle": N_("The account's name, like @union. A token of somebody else's account is then refused."),
    }
    deletes = False
    metrics = ("likes", "comments", "views")
    proof = Proof(
        look_up=True,
        found_by="its caption, its kind and when it was made; its container says whether it was published",
        verified_by="specification",
    )
    oauth = OAuth(
        authorize="https://www.instagram.com/oauth/authorize",
        token="https://api.instagram.com/oauth/access_token",  # noqa: S106 - an address
        scopes=(
            "instagram_business_basic",
            "instagram_business_content_publish",
            "instagram_business_manage_comments",
        ),
        separator=",",
        pkce=False,
        renewal="exchange",
        exchange=(
            (
                "https://graph.instagram.com/access_token",
                {
                    "grant_type": "ig_exchange_token",
                    "client_secret": "{client_secret}",
                    "access_token": "{token}",
                },
            ),
            (
                "https://graph.instagram.com/refresh_access_token",
                {"grant_type": "ig_refresh_token", "access_token": "{token}"},
            ),
        ),
        loopback="",  # Meta takes https alone
        lifetime=timedelta(days=60),
        help="https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/business-login",
    )
    fetches_media = True
    unconfirmed = (
        "nothing was ever sent to Instagram itself",
        "posts in 24 hours: Meta's pages say 25, 50 and 100; accounts check shows the account's own number",
        "how emoji count among the 2,200 characters, and the limits of 30 hashtags, 20 mentions, 1,000 characters of "
        "alt text and 2,200 of a comment: from other programs",
        "codes before the subcodes 2207006 and higher, so that the subcode alone decides",
        "what Instagram answers when a container is published twice, and after which refusals the post is out",
    )
    max_wait = 60.0  # Instagram fetches a picture before it answers

    def address(self, account: Account) -> str:
        """The API and whose account it is: its number, else its name, else the token's reference."""
        settings = settings_of(account)
        name = f"@{settings.handle.lower()}" if settings.handle else settings.token
        return f"{compared(settings.base)}/{settings.account or name}"

    def measure(self, text: str, limits: Limits, *, media: int) -> tuple[Count, ...]:
        """Characters, hashtags and mentions."""
        return (
            Count(used=len(text), limit=limits.text, unit=limits.unit),
            Count(used=len(hashtag_spans(text)), limit=HASHTAGS, unit="hashtags"),
            Count(used=len(mention_spans(text)), limit=MENTIONS, unit="mentions"),
        )

    def home(self, account: Account) -> str | None:
        """The API that the login is for."""
        return settings_of(account).base

    async def publish(self, sending: Sending) -> Receipt:
        """Make the containers that are missing, wait until they are finished, and publish.

        https://developers.facebook.com/docs/instagram-platform/content-publishing
        """
        media = sending.content.media
        if not media:
            raise Rejected(
                _("Instagram publishes nothing without a picture or a video."),
                fix=_("Add one in a variant for Instagram, or leave this account out."),
            )
        flow = await api.containers(sending)

        async def make() -> str:
            form = await _carousel(sending, flow) if len(media) > 1 else await _single(sending, media[0])
            return await _made(sending, flow, WHOLE, form, medium=media[0] if len(media) == 1 else None)

        return await flow.post(sending, make)

    def objections(self, draft: Draft) -> tuple[Rejected, ...]:
        """A first comment that is too long."""
        return tuple(first_comment.objections(draft, limit=self.limits.text or 0))

    def follows(self, draft: Draft) -> bool:
        """A first comment."""
        return bool(first_comment.wanted(draft))

    async def afterwards(self, sending: Sending, receipt: Receipt) -> str:
        """Write the first comment, which takes the permission for comments as well."""
        return await first_comment.write(sending, lambda text: api.comment(sending, receipt.id, text=text))

    async def look_up(self, sending: Sending, since: datetime) -> LookUp:
        """Own posts since then with this caption and of this kind.

        https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/media
        """
        flow, content = await api.containers(sending), sending.content
        kind = _kind(content.media)
        return await search(
            flow,
            sending,
            "media",
            fields="id,caption,media_type,permalink,timestamp",
            since=since,
            ours=lambda row: row.get("media_type") == kind and same_words(content.text, row.get("caption")),
        )

    def uses(self, draft: Draft) -> tuple[Use, ...]:
        """One of the posts of a day, also for a carousel."""
        return (Use(what="posts", amount=Decimal(1), limit=POSTS_A_DAY, period=timedelta(days=1)),)

    async def read_back(self, session: Session, receipt: Receipt) -> RemotePost | None:
        """The post as its owner sees it. Views are told to Facebook Login alone."""
        counted = {"likes": "like_count", "comments": "comments_count"}
        if settings_of(session.account).login == "facebook":
            counted["views"] = "view_count"
        fields = ",".join(counted.values())
        return await read(api.graph_of(session), session, receipt, fields=fields, words="caption", counted=counted)

    async def find(self, session: Session, url: str) -> Receipt | None:
        """A post of this account by ``instagram.com/p/CODE`` or ``/reel/CODE``, among its newest thousand."""
        same = same_post(url, _POST, sites=_SITES)
        return None if same is None else await by_address(await api.containers(session), session, "media", same=same)

    async def delete(self, session: Session, receipt: Receipt) -> None:
        """Raises Rejected: the guide for ordinary apps has no way to delete."""
        raise Rejected(_("Instagram lets no program delete a post."), fix=_("Delete it in the Instagram app."))

    async def check(self, session: Session) -> AccountCheck:
        """Whose token it is, and how many of the day's posts are used, which only a token that may publish is told."""
        settings, (identifier, name) = settings_of(session.account), await api.me(session)
        used, total = await (await api.containers(session)).quota(session)
        notes = [
            _("{used} of {total} posts of the last 24 hours are used.").format(used=used, total=total),
            _("Pictures and videos need media_host: Instagram fetches them from a public address."),
            _("Posts can't be deleted by a program: delete them in the app."),
        ]
        facts = await token_facts(session, api.graph_of(session)) if settings.login == "facebook" else None
        if facts is not None and not set(facts.scopes) >= _PUBLISHING:
            raise Rejected(
                _("The token lacks {scopes}.").format(scopes=", ".join(sorted(_PUBLISHING - set(facts.scopes)))),
                fix=_("Sign in again and tick every permission: campaign accounts login"),
            )
        if facts is None:
            notes.append(_("The token lives 60 days, and Instagram does not say until when: renew it in time."))
        return AccountCheck(
            identity=identifier,
            handle=f"@{name}",
            url=f"https://www.instagram.com/{name}/",
            software=f"Instagram API {settings.version}",
            notes=tuple(notes),
            scopes=facts.scopes if facts else (),
            expires=facts.expires if facts else None,
        )

    def pause_until(self, headers: Mapping[str, str], now: datetime) -> datetime | None:
        """What the usage headers ask for."""
        return graph_answers.pause_until(headers, now)


platform = Instagram()


async def _made(
    sending: Sending, flow: Containers, step: str, form: Mapping[str, str], *, medium: Picture | None
) -> str:
    """A new container; a video that Instagram doesn't fetch goes to it."""
    if medium is not None and video.uploads(sending, medium):
        return await video.uploaded(sending, flow, step, form=form, medium=medium)
    return str((await flow.made(sending, form, sample=f"{step}_id"))["id"])


async def _single(sending: Sending, medium: Picture) -> dict[str, str]:
    """The form of a post with one picture or video."""
    form = await _form(sending, medium, kind="REELS")
    if medium.is_video:
        form["share_to_feed"] = "true"
    return form | _caption(sending)


async def _carousel(sending: Sending, flow: Containers) -> dict[str, str]:
    """The form of a carousel; its items are made and finished before."""

    async def make(index: int, medium: Picture) -> str:
        form = {**await _form(sending, medium, kind="VIDEO"), "is_carousel_item": "true"}
        return await _made(sending, flow, f"item{index}", form, medium=medium)

    makers = [partial(make, index, medium) for index, medium in enumerate(sending.content.media)]
    children = await flow.items(sending, makers)
    return {"media_type": "CAROUSEL", "children": ",".join(children), **_caption(sending)}


async def _form(sending: Sending, medium: Picture, *, kind: str) -> dict[str, str]:
    """What a picture (with its alt text) or a video of this ``kind`` is."""
    if video.uploads(sending, medium):
        return {"media_type": kind, "upload_type": "resumable"}
    address = await sending.public_url(medium)
    if medium.is_video:
        return {"media_type": kind, "video_url": address}
    return {"image_url": address} | ({"alt_text": medium.alt} if medium.alt else {})


def _caption(sending: Sending) -> dict[str, str]:
    return {"caption": sending.content.text} if sending.content.text else {}


def _kind(media: tuple[Picture, ...]) -> str:
    """As Instagram calls a post with these."""
    if len(media) > 1:
        return "CAROUSEL_ALBUM"
    return "VIDEO" if media and media[0].is_video else "IMAGE"
