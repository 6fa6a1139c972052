"""A NationBuilder blog through the API V1. https://nationbuilder.com/blog_posts_api

A post is made as a draft that carries this attempt's key as ``external_id``, so that it can be found again after a
crash. Then it is published by its number, with all its fields, since V1 changes a post as a whole: that can be
repeated, and nothing before it is public.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from campaign_cli.errors import Rejected
from campaign_cli.i18n import N_, _
from campaign_cli.models import Account, Receipt
from campaign_cli.platforms import base
from campaign_cli.platforms import nationbuilder_api as api
from campaign_cli.platforms.addresses import compared
from campaign_cli.platforms.answers import ask
from campaign_cli.platforms.base import (
    AccountCheck,
    Count,
    Found,
    Limits,
    LookUp,
    OAuth,
    Platform,
    Proof,
    RemotePost,
    Sending,
    Session,
)
from campaign_cli.platforms.markup import link_line, title_and_body, to_html
from campaign_cli.platforms.nationbuilder_api import Settings, settings_of


class NationBuilder(Platform):
    """One blog of one site of a nation."""

    name: ClassVar[str] = "nationbuilder"
    title: ClassVar[str] = "NationBuilder"
    Settings: ClassVar[type[base.Settings]] = Settings
    secrets: ClassVar[tuple[str, ...]] = ("token",)
    fields: ClassVar[frozenset[str]] = frozenset({"title", "slug", "excerpt", "tags"})
    markup: ClassVar[str] = "markdown"
    link_in: ClassVar[str] = "card"
    hashtags_in: ClassVar[str] = "none"
    threads: ClassVar[bool] = False
    limits: ClassVar[Limits] = Limits(text=None, unit="characters", images=0)
    proof: ClassVar[Proof] = Proof(
        look_up=True,
        found_by="its number, else by the key that it carries as external_id",
        repeat_for=timedelta.max,
        verified_by="the API description in NationBuilder's own client (V1, 2018)",
    )
    oauth: ClassVar[OAuth | None] = OAuth(
        authorize="{url}/oauth/authorize",
        token="{url}/oauth/token",  # noqa: S106 - an address
        scopes=(),
        lifetime=timedelta(hours=24),
        help="https://support.nationbuilder.com/en/articles/9903805-api-authentication-guide",
    )
    help = {
        "nation": N_("The nation's name in its address: contoh of contoh.nationbuilder.com."),
        "url": N_("The nation's address, where it isn't made of its name."),
        "site": N_("The site's slug: Settings → Site settings."),
        "blog": N_("The blog's number: at the end of its address in the control panel."),
        "token": N_("Log in, or take one from Settings → Developer → API token."),
        "website": N_("The address that people see, where the site has a domain of its own."),
    }
    unconfirmed: ClassVar[tuple[str, ...]] = (
        "when V1 will be switched off (V2 has no blog posts)",
        "whether a token of V2's OAuth may use V1",
        "the answer of match where there is no such post (the list of posts is read as well)",
        "the address of a post (the site's address and the slug)",
        "whether V1 keeps to the rate headers of V2",
        "pictures: V1 has attachments of pages, whose use in a post is not documented, so there are none",
    )
    max_wait: ClassVar[float] = 30.0

    def address(self, account: Account) -> str:
        """Nation, site and blog."""
        return api.address_of(account)

    def measure(self, text: str, limits: Limits, *, media: int) -> tuple[Count, ...]:
        """Characters as written; there is no limit."""
        return (Count(used=len(text), limit=limits.text, unit=limits.unit),)

    async def publish(self, sending: Sending) -> Receipt:
        """Draft, then publish by its number; the draft of an earlier process is taken up again."""
        if sending.content.media:
            raise Rejected(
                _("NationBuilder's API takes no pictures for a blog post."),
                fix=_("Write media: [] in a variant for NationBuilder, and add the picture in its control panel."),
            )
        kept = sending.steps.get("post")
        if kept is None:
            post = await api.matched(sending, _external_id(sending)) or await _draft(sending)
            await sending.keep("post", post["id"])
        else:
            post = await _kept(sending, kept)
        if post["status"] != "published":
            post = await _published(sending, post)
        if post["status"] != "published":
            raise Rejected(
                _("The site did not publish it, but keeps it as “{status}”.").format(status=post["status"]),
                fix=_("Publish it in the control panel, and look there for what holds posts back."),
            )
        return _receipt(sending, post, part=sending.part, at=sending.now())

    async def look_up(self, sending: Sending, since: datetime) -> LookUp:
        """By the kept number; where that was lost, by this attempt's key, in NationBuilder's index and in the list.

        What is found so is ours beyond doubt: no instant is asked for.
        """
        kept = sending.steps.get("post")
        if kept is not None:
            post = await api.post(sending, kept)
            return _looked_up(sending, [post] if post is not None else [], complete=True)
        wanted = _external_id(sending)
        post = await api.matched(sending, wanted)
        if post is not None:
            return _looked_up(sending, [post], complete=True)
        complete = False
        async for page, last in api.posts(sending):
            complete = last
            ours = [each for each in page if each.get("external_id") == wanted]
            if ours:
                return _looked_up(sending, ours, complete=True)
        return _looked_up(sending, [], complete=complete)

    async def read_back(self, session: Session, receipt: Receipt) -> RemotePost | None:
        """The post as HTML, with what stands behind the fold."""
        post = await api.post(session, receipt.id)
        if post is None:
            return None
        return RemotePost(
            id=receipt.id,
            url=_permalink(session.account, post["slug"]),
            text=f"{post.get('content_before_flip') or ''}{post.get('content_after_flip') or ''}",
            html=True,
            created_at=api.published_at(post),
            title=str(post.get("headline") or post.get("name") or ""),
        )

    async def find(self, session: Session, url: str) -> Receipt | None:
        """A public post of this blog by the slug at the end of its address."""
        parts = urlsplit(url.strip())
        slug = parts.path.rstrip("/").rpartition("/")[2]
        if not slug or not f"{parts.netloc}{parts.path}".lower().startswith(compared(_home(session.account))):
            return None
        async for page, _last in api.posts(session):
            for post in page:
                if post.get("slug") == slug and post.get("status") == "published":
                    return _receipt(session, post, part=0, at=api.published_at(post) or session.now())
        return None

    async def delete(self, session: Session, receipt: Receipt) -> None:
        """Remove the post for good; one that is gone already is fine."""
        path = f"/posts/{receipt.id}"
        try:
            await session.http.send(api.call(session, "DELETE", path, accept=(200, 204)))
        except Rejected as error:
            if error.status != 404:
                raise

    async def check(self, session: Session) -> AccountCheck:
        """The token opens the blog. Whether it may also write there, V1 doesn't say."""
        blog = await api.blog(session)
        return AccountCheck(
            identity=api.address_of(session.account),
            handle=str(blog.get("name") or blog.get("slug") or settings_of(session.account).blog),
            url=_permalink(session.account, str(blog.get("slug") or "")),
            software="NationBuilder V1",
            notes=(
                _("Whether the token may write to this blog shows with the first post."),
                _("Posts go through the older API (V1), since the newer one has no blog posts."),
                _("A token from signing in ends after 24 hours, unless it is renewed."),
            ),
        )

    def pause_until(self, headers: Mapping[str, str], now: datetime) -> datetime | None:
        """250 requests in 10 seconds for a token: the reset of the window that is used up."""
        return api.exhausted_until(headers, now)


platform = NationBuilder()


def _external_id(sending: Sending) -> str:
    """What this attempt's post is called outside NationBuilder; nobody else's is."""
    return f"campaign-{sending.key}"


def _body(sending: Sending, *, status: str, slug: str) -> dict[str, Any]:
    """The whole post, as V1 wants it for a draft and for its publication alike."""
    native = sending.draft.native
    title, body = str(native.get("title") or "").strip(), sending.content.text.strip()
    if not title:
        title, body = title_and_body(body)
    link = sending.draft.link
    html = "\n\n".join(block for block in (to_html(body or title), link_line(link) if link else "") if block)
    tags = native.get("tags") or ()
    post = {
        "name": title,
        "title": title,
        "headline": title,
        "slug": slug,
        "status": status,
        "excerpt": str(native.get("excerpt") or "").strip(),
        "external_id": _external_id(sending),
        "content_before_flip": html,
        "tags": [tag.strip().lstrip("#") for tag in ([tags] if isinstance(tags, str) else tags)],
        "published_at": sending.due.isoformat(timespec="seconds"),
    }
    return {"blog_post": {name: value for name, value in post.items() if value}}


async def _draft(sending: Sending) -> Mapping[str, Any]:
    """A new draft with the whole content. Nothing of it is public yet."""
    slug = str(sending.draft.native.get("slug") or "")
    sample = {"blog_post": {"id": "{post_id}", "status": "drafted", "slug": slug or "{slug}"}}
    body = _body(sending, status="drafted", slug=slug)
    return await ask(sending.http, api.call(sending, "POST", "/posts", json=body, sample=sample), api.read_post)


async def _published(sending: Sending, draft: Mapping[str, Any]) -> Mapping[str, Any]:
    """Make the draft public under the slug that it has; the same request again changes nothing."""
    identifier, slug = draft["id"], draft["slug"]
    request = api.call(
        sending,
        "PUT",
        f"/posts/{identifier}",
        json=_body(sending, status="published", slug=slug),
        creating=True,
        sample={"blog_post": {"id": identifier, "status": "published", "slug": slug}},
    )
    return await ask(sending.http, request, api.read_post)


async def _kept(sending: Sending, identifier: object) -> Mapping[str, Any]:
    """The draft of an earlier process. Where somebody removed it, a person's retry begins anew."""
    post = await api.post(sending, identifier)
    if post is None:
        await sending.keep("post", None)
        raise Rejected(
            _("Somebody removed this post, or its draft, on the site."),
            fix=_("If it shall be published all the same, run: campaign retry"),
        )
    return post


def _looked_up(sending: Sending, posts: list[Mapping[str, Any]], *, complete: bool) -> LookUp:
    """Those that are public."""
    found = [
        Found(
            receipt=_receipt(sending, post, part=sending.part, at=api.published_at(post) or sending.now()),
            created_at=None,
        )
        for post in posts
        if post.get("status") == "published"
    ]
    return LookUp(found=tuple(found), complete=complete)


def _home(account: Account) -> str:
    settings = settings_of(account)
    return settings.website or settings.url


def _permalink(account: Account, slug: str) -> str:
    return f"{_home(account)}/{slug}"


def _receipt(session: Session, post: Mapping[str, Any], *, part: int, at: datetime) -> Receipt:
    return Receipt(part=part, id=str(post["id"]), url=_permalink(session.account, str(post["slug"])), at=at)
