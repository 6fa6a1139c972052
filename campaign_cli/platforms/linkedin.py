"""LinkedIn through its Posts API. https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/posts-api

A post's URN is in a header of the answer, which has no body. LinkedIn knows no keys, but refuses the same post twice
and names the first one. Reading needs a permission that LinkedIn gives to approved apps alone, and for pages alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final
from urllib.parse import unquote

from campaign_cli.errors import Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.i18n import N_, _
from campaign_cli.models import Account, Draft, Receipt
from campaign_cli.platforms import base
from campaign_cli.platforms import linkedin_account as accounts
from campaign_cli.platforms import linkedin_api as api
from campaign_cli.platforms.addresses import compared
from campaign_cli.platforms.answers import unreadable
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
from campaign_cli.platforms.linkedin_answers import DUPLICATE, POST_URN, errors
from campaign_cli.platforms.linkedin_api import Settings, settings_of
from campaign_cli.platforms.linkedin_post import body_of, content_of
from campaign_cli.platforms.linkedin_search import FIRST, look_up, media_of, permalink, receipt_of
from campaign_cli.platforms.linkedin_text import plain
from campaign_cli.platforms.text import utf16_length

_TRIED: Final = "tried"  # step: a request for this post has left, and was not provably refused
_POST: Final = re.compile(
    r"(?:https?://)?(?:www\.)?linkedin\.com/(?:feed/update/(?P<urn>urn:li:(?:share|ugcPost):\d+)"
    r"|posts/[^/?#]*-(?P<kind>share|ugcPost)-(?P<number>\d+)-[\w-]*)/?(?:[?#].*)?"
)
_OAUTH: Final = OAuth(
    authorize=f"{api.HOME}/oauth/v2/authorization",
    token=f"{api.HOME}/oauth/v2/accessToken",
    scopes=("w_organization_social", "r_organization_social", "r_organization_admin"),
    pkce=False,
    renewal="refresh",  # LinkedIn gives refresh tokens to approved partners alone: others sign in again
    lifetime=timedelta(days=60),
    help=f"{api.HOME}/developers/apps",
)


class LinkedIn(Platform):
    """One post of a page or a person; the parts of a thread are joined, since comments are no thread."""

    name: ClassVar[str] = "linkedin"
    title: ClassVar[str] = "LinkedIn"
    Settings: ClassVar[type[base.Settings]] = Settings
    secrets: ClassVar[tuple[str, ...]] = ("token", "client_secret")
    fields: ClassVar[frozenset[str]] = frozenset({"title"})
    link_in: ClassVar[str] = "embed"
    threads: ClassVar[bool] = False
    limits: ClassVar[Limits] = Limits(
        text=3000,
        unit="utf16",
        images=20,
        image_bytes=5_000_000,
        image_pixels=36_152_319,  # LinkedIn wants fewer than 36,152,320
        image_types=("image/jpeg", "image/png", "image/gif"),
        alt=4086,
        videos=1,
        video_bytes=500_000_000,
        video_seconds=1800.0,
    )
    proof: ClassVar[Proof] = Proof(
        look_up=True,
        found_by="its words, its pictures and when it was made, where the app may read the page's posts "
        "(r_organization_social); a person's posts can't be read, so a person decides",
        verified_by="documentation (LinkedIn publishes no machine-readable specification)",
    )
    oauth: ClassVar[OAuth | None] = _OAUTH
    help = {
        "author": N_("Who posts: urn:li:organization:ID (the number in the address of your page's admin view)."),
        "token": N_("Log in, or take a token from linkedin.com/developers (Auth → OAuth 2.0 tools)."),
        "client_id": N_("Of your app; with it, accounts check can say what the token may do and when it ends."),
        "client_secret": N_("Of the same app."),
    }
    metrics: ClassVar[tuple[str, ...]] = ("reactions", "comments")
    unconfirmed: ClassVar[tuple[str, ...]] = (
        "whether escapes count among the 3,000 characters, and emoji as two (counted so, escapes aside)",
        "whether a link whose signs are escaped becomes a link that can be clicked",
        "how long LinkedIn remembers a post to refuse its repetition",
        "the largest size of a picture (5 MB by what others do) and the length of an alt text",
        "the daily limit of posts of a page (150 of a person)",
    )
    max_wait: ClassVar[float] = 60.0  # a part of a video is 4 MiB

    def sign_in(self, settings: Mapping[str, Any]) -> OAuth | None:
        """A person needs other permissions than a page, and LinkedIn refuses all where an app lacks one of them."""
        person = "person:" in str(settings.get("author") or "")
        return replace(_OAUTH, scopes=("w_member_social", "openid", "profile")) if person else self.oauth

    def address(self, account: Account) -> str:
        """The API and the author."""
        settings = settings_of(account)
        return f"{compared(settings.url)}/{settings.author}"

    def measure(self, text: str, limits: Limits, *, media: int) -> tuple[Count, ...]:
        """UTF-16 code units of what people see; the escapes are not counted."""
        return (Count(used=utf16_length(text), limit=limits.text, unit=limits.unit),)

    def uses(self, draft: Draft) -> tuple[Use, ...]:
        """A person may make 150 requests that post in a day (UTC).

        https://learn.microsoft.com/en-us/linkedin/consumer/integrations/self-serve/share-on-linkedin
        """
        if ":person:" not in draft.address:
            return ()
        return (Use(what="posts", amount=Decimal(1), limit=Decimal(150), period=timedelta(days=1), zone="UTC"),)

    async def publish(self, sending: Sending) -> Receipt:
        """Upload what is missing, and post.

        That a request for this post has left is kept before it does: only then does LinkedIn's “duplicate” mean that it
        may be out, and that it is looked up; else it is the refusal of an older post's words.
        """
        content = await content_of(sending)
        again = bool(sending.steps.get(_TRIED))
        urn = "urn:li:share:{post_id}"
        request = api.call(
            sending,
            "POST",
            "/rest/posts",
            json=body_of(sending, content),
            creating=True,
            sample_headers={"x-restli-id": urn},
            errors=errors(sending.now, again=again),
            accept=(201, 200),
        )
        if again:
            return await self._post(sending, request)
        await sending.keep(_TRIED, True)
        try:
            return await self._post(sending, request)
        except (Rejected, Unavailable, Unauthorized):
            await sending.keep(_TRIED, False)
            raise

    async def _post(self, sending: Sending, request: base.Request) -> Receipt:
        """The answer has no body: its header says which post it is."""
        try:
            answer = await sending.http.send(request)
        except Unconfirmed as error:
            first = POST_URN.search(error.message) if error.code == DUPLICATE else None
            if first is not None:
                await sending.keep(FIRST, first[0])
            raise
        urn = answer.headers.get("x-restli-id") or answer.headers.get("x-linkedin-id") or ""
        if not urn.startswith("urn:li:"):
            raise unreadable(request, status=answer.status)
        return receipt_of(urn, part=sending.part, at=sending.now())

    async def look_up(self, sending: Sending, since: datetime) -> LookUp:
        """The post that LinkedIn named as the first of two, else the author's posts since then with the same words.

        Raises Rejected where the token may not read them: then nothing is proved.
        """
        return await look_up(sending, since)

    async def read_back(self, session: Session, receipt: Receipt) -> RemotePost | None:
        """The post with its alt texts and what people did with it; None also where the token may not read it."""
        try:
            post = await api.post(session, receipt.id)
        except Rejected as error:
            if error.status != 403:
                raise
            return None
        if post is None:
            return None
        return RemotePost(
            id=receipt.id,
            url=permalink(receipt.id),
            text=plain(str(post.get("commentary") or "")),
            alts=tuple(str(each.get("altText") or "") for each in media_of(post)),
            created_at=api.created_at(post),
            metrics=await api.metrics(session, receipt.id),
        )

    async def find(self, session: Session, url: str) -> Receipt | None:
        """``linkedin.com/feed/update/URN``, or the address that LinkedIn gives for sharing a post.

        Where the token may not read it, the address alone is believed.
        """
        match = _POST.fullmatch(unquote(url.strip()))
        if match is None:
            return None
        urn = match["urn"] or f"urn:li:{match['kind']}:{match['number']}"
        try:
            post = await api.post(session, urn)
        except Rejected as error:
            if error.status != 403:
                raise
            return receipt_of(urn, part=0, at=session.now())
        if post is None or post["author"] != settings_of(session.account).author:
            return None
        return receipt_of(urn, part=0, at=api.created_at(post))

    async def delete(self, session: Session, receipt: Receipt) -> None:
        """Delete the post; LinkedIn says the same of one that is gone already."""
        path = f"/rest/posts/{api.encoded(receipt.id)}"
        await session.http.send(api.call(session, "DELETE", path, restli="DELETE", accept=(200, 204, 404)))

    async def check(self, session: Session) -> AccountCheck:
        """Who the author is, whether this token may post for it, and when it ends, as far as LinkedIn tells."""
        settings, token = settings_of(session.account), await api.introspect(session)
        person = ":person:" in settings.author
        if token is not None and not token["active"]:
            raise Unauthorized(
                _("LinkedIn says that this token is no longer valid."),
                fix=_("Sign in again, and run: campaign accounts check"),
            )
        name, notes = await (accounts.person(session) if person else accounts.page(session))
        scopes = token["scopes"] if token else ()
        wanted = "w_member_social" if person else "w_organization_social"
        if scopes and wanted not in scopes:
            raise Rejected(
                _("The token may not post: it lacks the scope {scope}.").format(scope=wanted),
                fix=_("Add the product to the app on LinkedIn's developer pages, and sign in again."),
            )
        identifier = settings.author.rpartition(":")[2]
        return AccountCheck(
            identity=settings.author,
            handle=name or settings.author,
            url=None if person else f"{api.HOME}/company/{identifier}",
            software=f"LinkedIn API {settings.version}",
            notes=(*notes, *accounts.notes_on(session, token)),
            scopes=scopes,
            expires=token["expires"] if token else None,
        )


platform = LinkedIn()
