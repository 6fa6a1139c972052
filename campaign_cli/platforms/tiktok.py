"""TikTok through its Content Posting API. https://developers.tiktok.com/doc/content-posting-api-reference-direct-post

A post is a video, whose bytes we send, or pictures, which TikTok fetches. TikTok works on it after the last byte, and
tells by the post's ``publish_id`` what became of it: that proves after a crash whether it is out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Final

from campaign_cli.errors import Failure, Rejected, Unauthorized, Unconfirmed
from campaign_cli.i18n import N_, _
from campaign_cli.models import Account, Draft, Receipt
from campaign_cli.platforms import base
from campaign_cli.platforms import tiktok_api as api
from campaign_cli.platforms import tiktok_post as post
from campaign_cli.platforms.addresses import compared
from campaign_cli.platforms.answers import epoch
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
    Use,
)
from campaign_cli.platforms.text import utf16_length
from campaign_cli.platforms.tiktok_answers import refusal as refusal_of
from campaign_cli.platforms.tiktok_api import COMPLETE, FAILED, LEVELS, Settings, settings_of
from campaign_cli.platforms.tiktok_post import STEP

_WAITS: Final = (2.0, 3.0, 5.0, 10.0, 15.0)  # seconds between looks at a post that TikTok works on
_POST: Final = re.compile(
    r"(?:https?://)?(?:www\.|m\.)?tiktok\.com/@(?P<name>[\w.]{2,24})/(?P<kind>video|photo)/(?P<id>\d{5,25})/?(?:[?#].*)?",
    re.ASCII | re.IGNORECASE,
)


class TikTok(Platform):
    """One post for each part; there are no threads."""

    name: ClassVar[str] = "tiktok"
    title: ClassVar[str] = "TikTok"
    Settings: ClassVar[type[base.Settings]] = Settings
    secrets: ClassVar[tuple[str, ...]] = ("token",)
    fields: ClassVar[frozenset[str]] = frozenset({"title", "ai_generated", "promotes"})
    metrics: ClassVar[tuple[str, ...]] = ("views", "likes", "comments", "shares")
    help = {
        "token": N_("Log in with the account; your app needs the Content Posting API."),
        "handle": N_("The account's name, like @union. A token of somebody else's account is then refused."),
    }
    deletes: ClassVar[bool] = False
    visibilities: ClassVar[tuple[str, ...]] = tuple(LEVELS)
    threads: ClassVar[bool] = False
    fetches_media: ClassVar[bool] = True
    limits: ClassVar[Limits] = Limits(
        text=post.CAPTION,
        unit="utf16",
        images=35,
        image_bytes=20_000_000,
        image_pixels=1080 * 1920,
        image_types=("image/jpeg", "image/webp"),
        videos=1,
        video_bytes=4_000_000_000,
        video_seconds=600,
        video_types=("video/mp4", "video/quicktime", "video/webm"),
        media_least=1,
    )
    proof: ClassVar[Proof] = Proof(
        look_up=True,
        found_by="the number that TikTok gave the post when it began (of pictures only where its answer arrived)",
        verified_by="documentation; there is no specification that machines can read",
    )
    oauth: ClassVar[OAuth | None] = OAuth(
        authorize="https://www.tiktok.com/v2/auth/authorize/",
        token="https://open.tiktokapis.com/v2/oauth/token/",  # noqa: S106 - an address
        scopes=("user.info.basic", "video.publish", "video.list"),
        separator=",",
        client_name="client_key",
        challenge="hex",  # https://developers.tiktok.com/doc/login-kit-desktop
        lifetime=timedelta(hours=24),
        help="https://developers.tiktok.com/apps/",
    )
    unconfirmed: ClassVar[tuple[str, ...]] = (
        "nothing was ever sent to TikTok itself",
        "how many posts a day an account may make through the interface (about 15, it may differ)",
        "whether a video of 5 to 10 MiB is taken in one piece, as it is sent here",
        "whether posts of pictures can be read back",
        "whether TikTok names an instant when it asks for a pause",
        "the life of a refresh token (365 days)",
    )
    max_wait: ClassVar[float] = 180.0  # a piece of up to 10 MiB over a slow line

    def address(self, account: Account) -> str:
        """The API and who posts there: the handle, else the token's reference, since TikTok has many accounts."""
        settings = settings_of(account)
        return f"{compared(settings.url)}/{'@' + settings.handle.lower() if settings.handle else settings.token}"

    def measure(self, text: str, limits: Limits, *, media: int) -> tuple[Count, ...]:
        """UTF-16 units; pictures could have more, a video can't."""
        return (Count(used=utf16_length(text), limit=limits.text, unit=limits.unit),)

    async def publish(self, sending: Sending) -> Receipt:
        """Send the video or name the pictures, and wait a while for what TikTok makes of them."""
        for refusal in self.objections(sending.draft):
            raise refusal
        if post.is_video(sending.content.media):
            kept = await post.upload(sending)
        else:
            kept = await post.pictures(sending)
        known = await _settled(sending, kept)
        return _receipt(sending, kept, known)

    async def look_up(self, sending: Sending, since: datetime) -> LookUp:
        """What became of the post that had begun; without its number, nobody can say."""
        kept = sending.steps.get(STEP)
        known = await _fate(sending, kept) if kept else None
        if kept is None or known is None:
            return LookUp(found=(), complete=False, answerable=False)
        if known.status == COMPLETE:
            # No instant: the number is this attempt's own.
            return LookUp(found=(Found(receipt=_receipt(sending, kept, known), created_at=None),), complete=True)
        return LookUp(found=(), complete=known.status == FAILED or _lacks(sending, known))

    def uses(self, draft: Draft) -> tuple[Use, ...]:
        """One of about 15 posts in 24 hours. https://developers.tiktok.com/doc/content-sharing-guidelines"""
        return (Use(what="posts", amount=Decimal(1), limit=Decimal(15), period=timedelta(days=1)),)

    def objections(self, draft: Draft) -> tuple[Rejected, ...]:
        """What TikTok would refuse, some of it only after the whole upload."""
        return tuple(post.objections(draft))

    async def read_back(self, session: Session, receipt: Receipt) -> RemotePost | None:
        """The post's text and numbers, once TikTok has given it a number that everybody can see."""
        post_id = receipt.id
        if not post_id.isdigit():
            known = await api.progress(session, post_id)
            post_id = known.post_id if known is not None else ""
        video = await api.video(session, post_id) if post_id else None
        if video is None:
            return None
        names = {"views": "view_count", "likes": "like_count", "comments": "comment_count", "shares": "share_count"}
        return RemotePost(
            id=receipt.id,
            url=str(video.get("share_url") or receipt.url or "") or None,
            text=str(video.get("video_description") or video.get("title") or ""),
            alts=("",),
            created_at=epoch(video.get("create_time")),
            metrics={word: int(video[name]) for word, name in names.items() if video.get(name) is not None},
        )

    async def find(self, session: Session, url: str) -> Receipt | None:
        """A post of this account by ``tiktok.com/@NAME/video/ID`` (or ``photo``)."""
        match = _POST.fullmatch(url.strip())
        if match is None:
            return None
        try:
            video = await api.video(session, match["id"])
        except Unauthorized:  # without video.list TikTok can't be asked; the name in the address must do
            if match["name"].lower() != (settings_of(session.account).handle or "").lower():
                return None
            video = {}
        if video is None:
            return None
        at = epoch(video.get("create_time")) or session.now()
        address = f"https://www.tiktok.com/@{match['name']}/{match['kind'].lower()}/{match['id']}"
        return Receipt(part=0, id=match["id"], url=address, at=at)

    async def delete(self, session: Session, receipt: Receipt) -> None:
        """Always Rejected: TikTok lets no program delete."""
        raise Rejected(
            _("TikTok lets no program delete a post."), fix=_("Delete it by hand in the app, on the post's own page.")
        )

    async def check(self, session: Session) -> AccountCheck:
        """Whose token it is, who may see its posts, and how long its videos may be."""
        who = await api.creator(session)
        wanted = settings_of(session.account).handle
        if wanted and wanted.lower() != who.username.lower():
            raise Rejected(
                _("The token belongs to @{found}, accounts.yaml says {wanted}.").format(
                    found=who.username, wanted=f"@{wanted}"
                ),
                fix=_("Correct the handle, or take the token of the right account."),
            )
        words = [word for word, level in LEVELS.items() if level in who.levels]
        notes = [
            _(
                "Until TikTok has audited the app behind the token, it takes posts only on a private account and with "
                "visibility: private, so that nobody else sees them."
            ),
            _("Possible values of visibility: {words}.").format(words=", ".join(words)),
            _("A video may last {seconds:g} seconds.").format(seconds=who.seconds),
            _("TikTok takes about 15 posts in 24 hours from one account. No program can delete them."),
        ]
        limits = replace(self.limits, video_seconds=who.seconds, source="instance")
        return AccountCheck(
            identity=who.username,
            handle=f"@{who.username}",
            url=f"https://www.tiktok.com/@{who.username}",
            software="TikTok Content Posting API v2",
            limits=limits,
            notes=tuple(notes),
        )


platform = TikTok()


async def _settled(sending: Sending, kept: Mapping[str, object]) -> api.Progress:
    """What TikTok made of the post. Raises the failure that it names; Unconfirmed while it still works on it.

    Every byte is there, so that a question which is refused, or goes unanswered, takes nothing back.
    """
    try:
        known = await _fate(sending, kept)
    except Failure as failure:
        raise _doubtful(failure) from failure
    if known is not None and known.status == COMPLETE:
        return known
    if known is not None and known.status == FAILED:
        await sending.keep(STEP, None)
        raise refusal_of(known.reason, known.reason, now=sending.now())
    raise Unconfirmed(_("TikTok is still working on the post. It is looked up again."))


async def _fate(sending: Sending, kept: Mapping[str, object]) -> api.Progress | None:
    """What is known of the post after some looks; None where TikTok doesn't know it.

    A public post gets its number only once it has been moderated: for that it is not waited longer than for the rest.
    """
    known = await api.progress(sending, str(kept["id"]))
    for wait in _WAITS:
        if known is None or known.status == FAILED or _lacks(sending, known):
            return known
        if known.status == COMPLETE and (known.post_id or kept["level"] != LEVELS["public"]):
            return known
        await sending.sleep(wait)
        known = await api.progress(sending, str(kept["id"]))
    return known


def _lacks(sending: Sending, known: api.Progress) -> bool:
    """Whether bytes of the video are missing, by TikTok's own count: without its last one it can't be posted."""
    if known.arrived is None or not post.is_video(sending.content.media):
        return False
    return known.status != COMPLETE and known.arrived < sending.content.media[0].size


def _doubtful(failure: Failure) -> Unconfirmed:
    message = _("The post is with TikTok, which did not say what became of it: {text}").format(text=failure.message)
    doubt = Unconfirmed(message, status=failure.status, code=failure.code, fix=failure.fix)
    doubt.retry_at = failure.retry_at
    return doubt


def _receipt(sending: Sending, kept: Mapping[str, object], known: api.Progress) -> Receipt:
    """The post's own number and address where TikTok has told them, else the number that it had from the beginning."""
    kind = "video" if post.is_video(sending.content.media) else "photo"
    url = f"https://www.tiktok.com/@{kept['user']}/{kind}/{known.post_id}" if known.post_id else None
    identifier, at = known.post_id or str(kept["id"]), sending.now()
    return Receipt(part=sending.part, id=identifier, url=url, at=at, extra={"publish_id": str(kept["id"])})
