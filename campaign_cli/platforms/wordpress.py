"""WordPress sites through the REST API. https://developer.wordpress.org/rest-api/reference/posts/

A post is made as a draft first, under a slug that only this attempt has, so that it can be found again after a crash.
Then it is published by its id with its real slug: that can be repeated, and nothing before it is public.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from html import unescape
from html.parser import HTMLParser
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from campaign_cli.errors import Failure, Rejected, Unauthorized
from campaign_cli.i18n import N_, _
from campaign_cli.models import Account, Picture, Receipt
from campaign_cli.platforms import base
from campaign_cli.platforms.answers import ask
from campaign_cli.platforms.base import (
    AccountCheck,
    Count,
    Found,
    Limits,
    LookUp,
    Platform,
    Proof,
    RemotePost,
    Sending,
    Session,
)
from campaign_cli.platforms.wordpress_post import (
    GONE,
    article_of,
    by_slugs,
    create_draft,
    find_post,
    hosted,
    own_slug,
    publish_draft,
)
from campaign_cli.platforms.wordpress_site import Settings, address_of, request, sign_in


class WordPress(Platform):
    """One user of one site."""

    name: ClassVar[str] = "wordpress"
    title: ClassVar[str] = "WordPress"
    Settings: ClassVar[type[base.Settings]] = Settings
    secrets: ClassVar[tuple[str, ...]] = ("password",)
    fields: ClassVar[frozenset[str]] = frozenset({"title", "slug", "excerpt", "categories", "tags"})
    markup: ClassVar[str] = "markdown"
    link_in: ClassVar[str] = "card"
    hashtags_in: ClassVar[str] = "none"
    threads: ClassVar[bool] = False
    limits: ClassVar[Limits] = Limits(
        text=None,
        unit="characters",
        images=20,
        image_bytes=2_000_000,  # PHP's upload_max_filesize is 2 MiB where nobody raised it
        image_types=("image/jpeg", "image/png", "image/gif", "image/webp"),
        videos=5,
        video_types=("video/mp4", "video/quicktime", "video/webm"),
        mixed=True,
    )
    proof: ClassVar[Proof] = Proof(
        look_up=True,
        found_by="its number, else by the draft's own slug, else by slug, title and when it was made",
        repeat_for=timedelta.max,
        verified_by="real server",
    )
    unconfirmed = ("how large a video a site takes: PHP's upload_max_filesize and post_max_size decide",)
    max_wait: ClassVar[float] = 60.0  # a site makes its smaller copies of a picture before it answers
    help = {
        "url": N_("The address of the site, like https://union.example."),
        "username": N_("The user name with which you sign in there; an author, editor or administrator."),
        "password": N_("On the site: Users → Profile → Application Passwords → Add. Not the password of the user."),
    }

    def address(self, account: Account) -> str:
        """Host (with port and path, where there are) of the site."""
        return address_of(account)

    def measure(self, text: str, limits: Limits, *, media: int) -> tuple[Count, ...]:
        """Characters as written; there is no limit."""
        return (Count(used=len(text), limit=limits.text, unit=limits.unit),)

    async def publish(self, sending: Sending) -> Receipt:
        """Draft with its pictures and terms, then publish by id; the draft of an earlier process is taken up again."""
        await sign_in(sending)
        post_id = sending.steps.get("post")
        if post_id is None:
            drafts = await by_slugs(sending, own_slug(sending))
            post = drafts[0] if drafts else {"id": await create_draft(sending), "status": "draft"}
            await sending.keep("post", post["id"])
        else:
            post = await self._kept(sending, post_id)
        if post["status"] != "publish":
            post = await publish_draft(sending, post["id"])
        if post["status"] != "publish":
            raise Rejected(
                _("The site did not publish it, but keeps it as “{status}”.").format(status=post["status"]),
                fix=_("Publish it on the site, and look there for a plugin or a role that holds posts back."),
            )
        return await self._receipt(sending, post)

    async def _kept(self, sending: Sending, post_id: object) -> Mapping[str, Any]:
        """The draft of an earlier process. Where somebody removed it, a person's retry begins anew."""
        post = await find_post(sending, post_id)
        if post is None or post["status"] == "trash":
            await sending.keep("post", None)
            raise Rejected(
                _("Somebody removed this post, or its draft, on the site."),
                fix=_("If it shall be published all the same, run: campaign retry"),
            )
        return post

    async def look_up(self, sending: Sending, since: datetime) -> LookUp:
        """By the kept id; where that was lost, by this attempt's own slug, or by the post's slug, title and instant."""
        await sign_in(sending)
        post_id = sending.steps.get("post")
        if post_id is not None:
            post = await find_post(sending, post_id)
            posts = [post] if post is not None else []
        else:
            slug = article_of(sending).slug
            names = [own_slug(sending), *([slug, f"{slug}-2", f"{slug}-3"] if slug else [])]
            posts = [post for post in await by_slugs(sending, *names) if _is_ours(sending, post, since)]
        public = [post for post in posts if post["status"] == "publish"]
        found = [Found(receipt=await self._receipt(sending, post), created_at=_instant(post)) for post in public]
        return LookUp(found=tuple(found), complete=True)

    async def _receipt(self, sending: Sending, post: Mapping[str, Any]) -> Receipt:
        """The permalink is read again where the answer still has a draft's; not finding it is no failure."""
        link = post.get("link")
        if not link or "?p=" in link:
            with suppress(Failure):
                link = ((await find_post(sending, post["id"])) or post).get("link")
        return Receipt(part=sending.part, id=str(post["id"]), url=link or None, at=_instant(post) or sending.now())

    async def host(self, session: Session, picture: Picture, content: bytes) -> str:
        """The file in the media library, uploaded once for each content."""
        await sign_in(session)
        return await hosted(session, picture, content)

    async def read_back(self, session: Session, receipt: Receipt) -> RemotePost | None:
        """The post as it was sent (raw HTML), with the alt texts of the featured picture and of those in the body."""
        await sign_in(session)
        post = await find_post(session, receipt.id)
        if post is None or post["status"] == "trash":
            return None
        html = _raw(post.get("content"))
        return RemotePost(
            id=str(post["id"]),
            url=post.get("link"),
            text=html,
            html=True,
            alts=(*await self._featured_alt(session, post), *_alts(html)),
            created_at=_instant(post),
            title=unescape(_raw(post.get("title"))),
        )

    async def _featured_alt(self, session: Session, post: Mapping[str, Any]) -> list[str]:
        media = post.get("featured_media")
        if not media:
            return []
        wanted = request(session, "GET", f"wp/v2/media/{media}", query={"_fields": "alt_text"}, sample={"alt_text": ""})
        return [await ask(session.http, wanted, lambda data: unescape(data["alt_text"]))]

    async def find(self, session: Session, url: str) -> Receipt | None:
        """A public post of this site, by ``?p=ID`` or by the slug at the end of its address."""
        parts = urlsplit(url.strip())
        if not f"{parts.netloc}{parts.path}".lower().startswith(address_of(session.account)):
            return None
        await sign_in(session)
        number, slug = dict(parse_qsl(parts.query)).get("p", ""), parts.path.rstrip("/").rpartition("/")[2]
        if number.isdigit():
            found = [await find_post(session, number)]
        else:
            found = [*await by_slugs(session, slug)] if slug else []
        post = next((one for one in found if one is not None and one["status"] == "publish"), None)
        if post is None:
            return None
        return Receipt(part=0, id=str(post["id"]), url=post.get("link") or url, at=_instant(post) or session.now())

    async def delete(self, session: Session, receipt: Receipt) -> None:
        """Move the post to the trash. https://developer.wordpress.org/rest-api/reference/posts/#delete-a-post"""
        await sign_in(session)
        wanted = request(session, "DELETE", f"wp/v2/posts/{receipt.id}", sample={"id": receipt.id, "status": "trash"})
        try:
            await session.http.send(wanted)
        except Rejected as error:
            if error.code not in GONE:
                raise

    async def check(self, session: Session) -> AccountCheck:
        """The password works and its user may publish; if not, whether the site takes application passwords at all."""
        try:
            me = await sign_in(session)
        except Unauthorized as error:
            if "application-passwords" not in ((await self._index(session)).get("authentication") or {}):
                error.fix = _(
                    "Application passwords are switched off on this site: it needs https, and no plugin against them."
                )
            raise
        site = await self._index(session)
        may = me.get("capabilities")
        may = may if isinstance(may, dict) else {}
        if not may.get("publish_posts"):
            raise Rejected(
                _("{name} may not publish on {site}.").format(
                    name=me.get("name", ""), site=address_of(session.account)
                ),
                fix=_("Give this user the role Author or Editor on the site."),
            )
        return AccountCheck(
            identity=f"{site['home']}#{me['id']}",
            handle=str(me.get("name") or me.get("slug") or me["id"]),
            url=str(site["home"]),
            software="WordPress",
            notes=tuple(_notes(may)),
        )

    async def _index(self, session: Session) -> Mapping[str, Any]:
        """https://developer.wordpress.org/rest-api/using-the-rest-api/discovery/"""
        sample = {"home": "{home}", "authentication": {"application-passwords": {}}}
        wanted = request(session, "GET", "", query={"_fields": "name,home,authentication"}, sample=sample)
        return await ask(session.http, wanted, lambda data: {"home": data["home"], **data})


platform = WordPress()


def _notes(may: Mapping[str, Any]) -> list[str]:
    """What the user's role will stop later."""
    notes = []
    if not may.get("upload_files"):
        notes.append(_("This user may not upload pictures: posts with media will be refused."))
    if not may.get("manage_categories"):
        notes.append(_("This user may not add categories: only those that the site has can be used."))
    return notes


def _is_ours(sending: Sending, post: Mapping[str, Any], since: datetime) -> bool:
    """This attempt's own slug proves it; the post's real slug only with its title, and not from before the attempt."""
    if post.get("slug") == own_slug(sending):
        return True
    at = _instant(post)
    return at is not None and at >= since and unescape(_raw(post.get("title"))) == article_of(sending).title.strip()


def _instant(post: Mapping[str, Any]) -> datetime | None:
    """The site's own instant of publication; ``date_gmt`` has no offset."""
    try:
        return datetime.fromisoformat(str(post["date_gmt"])).replace(tzinfo=UTC)
    except (KeyError, ValueError):
        return None


def _raw(field: Any) -> str:
    """The text of a field as it was sent (``context=edit`` shows it beside the rendered one)."""
    if isinstance(field, Mapping):
        return str(field.get("raw") or field.get("rendered") or "")
    return str(field or "")


def _alts(html: str) -> list[str]:
    """The alt texts of the pictures and videos in a body, in order."""
    found: list[str] = []

    class Pictures(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag in ("img", "video"):
                found.append(dict(attrs).get("alt" if tag == "img" else "aria-label") or "")

    Pictures().feed(html)
    return found
