"""X through its API v2. https://docs.x.com/x-api/posts/manage-tweets/introduction

Every request is paid for, a post with a link most. There is no key against doubles, but X refuses the same text twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final

from campaign_cli.errors import Rejected, Unauthorized, Unavailable
from campaign_cli.i18n import N_, _
from campaign_cli.models import Account, Draft, Receipt
from campaign_cli.platforms import base
from campaign_cli.platforms import x_api as api
from campaign_cli.platforms.addresses import compared
from campaign_cli.platforms.answers import ask, instant, numbers
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
from campaign_cli.platforms.text import x_weighted_length
from campaign_cli.platforms.weighted import url_spans
from campaign_cli.platforms.x_answers import errors, exhausted_until
from campaign_cli.platforms.x_api import Settings, settings_of
from campaign_cli.platforms.x_media import media_id
from campaign_cli.platforms.x_text import plain_text, same_text

PRICE: Final = Decimal("0.015")  # of a post, in USD (April 2026)
PRICE_WITH_LINK: Final = Decimal("0.20")
PRICE_OF_ALT_TEXT: Final = Decimal("0.005")
PAGES: Final = 31  # bound of a look-up: X shows the newest 3,200 posts, so a search that ends here is not complete
_COUNTS: Final = {
    "likes": "like_count",
    "replies": "reply_count",
    "reposts": "repost_count",
    "quotes": "quote_count",
    "views": "impression_count",
}
_TRIED: Final = "tried"  # step: a request for this post has left, and was not provably refused
_POST: Final = re.compile(
    r"(?:https?://)?(?:www\.|mobile\.)?(?:x|twitter)\.com/(?:i/web|(?P<name>\w{1,15}))/status(?:es)?/(?P<id>\d{1,19})/?"
    r"(?:[?#].*)?",
    re.ASCII | re.IGNORECASE,
)


class X(Platform):
    """One post for each part; a thread is a chain of replies."""

    name = "x"
    title = "X"
    Settings: ClassVar[type[base.Settings]] = Settings
    secrets = ("token",)
    fields = frozenset({"ai_generated", "promotes"})
    limits = Limits(
        text=280,
        unit="weighted",
        url_length=23,
        images=4,
        image_bytes=5_000_000,
        image_types=("image/jpeg", "image/png", "image/webp"),
        alt=1000,
        videos=1,
        video_bytes=512_000_000,
        video_seconds=140,
        video_types=("video/mp4", "video/quicktime"),
    )
    proof = Proof(
        look_up=True,
        found_by="its words, its pictures, its place in the thread, and when it was made (paid, rate-limited)",
        verified_by="specification",
    )
    metrics = tuple(_COUNTS)
    unconfirmed = ("that a video carries no alt text", "how long an upload in pieces may be resumed")
    # https://docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code
    oauth = OAuth(
        authorize="https://x.com/i/oauth2/authorize",
        token="https://api.x.com/2/oauth2/token",  # noqa: S106 - an address
        scopes=("tweet.read", "tweet.write", "users.read", "media.write", "offline.access"),
        authentication="basic",
        lifetime=timedelta(hours=2),
        help="https://developer.x.com/en/portal/dashboard",
    )
    help = {
        "handle": N_("The account's name, like @union. It makes permalinks that show it, and guards against a mix-up."),
        "token": N_(
            "Log in, or take a user access token with the scopes tweet.read, tweet.write, users.read and "
            "media.write from developer.x.com (such a token ends after two hours)."
        ),
    }
    max_wait = 60.0  # a picture of 5 MB over a slow line

    def address(self, account: Account) -> str:
        """The API and who posts there: the handle, else the token's reference, since X has many accounts."""
        settings = settings_of(account)
        return f"{compared(settings.url)}/{'@' + settings.handle.lower() if settings.handle else settings.token}"

    def measure(self, text: str, limits: Limits, *, media: int) -> tuple[Count, ...]:
        """Weighted characters; pictures don't count."""
        return (Count(used=x_weighted_length(text), limit=limits.text, unit=limits.unit),)

    async def publish(self, sending: Sending) -> Receipt:
        """Upload and describe what is missing, and post.

        X knows no keys. That a request for this post has left is kept before it does: only then does X's “duplicate
        content” mean that it may be out, and that it is looked up; else it is the refusal of an older post's words.

        https://docs.x.com/x-api/posts/create-post
        """
        media_ids = [await media_id(sending, index) for index in range(len(sending.content.media))]
        again = bool(sending.steps.get(_TRIED))
        request = api.call(
            sending,
            "POST",
            "/2/tweets",
            json=_body(sending, media_ids),
            creating=True,
            sample={"data": {"id": f"{{post_id_{sending.part + 1}}}", "text": sending.content.text}},
            errors=errors(reply=bool(sending.part), again=again),
            accept=(200, 201),
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
        identifier = await ask(sending.http, request, lambda body: str(body["data"]["id"]))
        return _receipt(sending, identifier, part=sending.part, at=sending.now())

    async def look_up(self, sending: Sending, since: datetime) -> LookUp:
        """Own posts since then: those with this part's text, pictures and place in the thread.

        https://docs.x.com/x-api/users/get-posts
        """
        user_id, token = await api.user_id(sending), ""
        found: list[Found] = []
        for _page in range(PAGES):
            page = await api.page_of(sending, user_id, since=since, token=token)
            for post in page["posts"]:
                created_at = instant(post["created_at"])
                if created_at >= since and _is_ours(sending, post):
                    receipt = _receipt(sending, str(post["id"]), part=sending.part, at=created_at)
                    found.append(Found(receipt=receipt, created_at=created_at))
            token = page["next"]
            if not token:
                return LookUp(found=tuple(found), complete=True)
        return LookUp(found=tuple(found), complete=False)

    async def read_back(self, session: Session, receipt: Receipt) -> RemotePost | None:
        """The post with its links as they were written."""
        body = await api.post(session, receipt.id)
        if body is None:
            return None
        post, media = body["data"], (body.get("includes") or {}).get("media") or ()
        alts = {each.get("media_key"): str(each.get("alt_text") or "") for each in media}
        return RemotePost(
            id=receipt.id,
            url=_permalink(session.account, receipt.id),
            text=plain_text(post),
            alts=tuple(alts.get(key, "") for key in _media_keys(post)),
            created_at=instant(post["created_at"]) if post.get("created_at") else None,
            metrics=numbers(post.get("public_metrics"), _COUNTS),
        )

    async def find(self, session: Session, url: str) -> Receipt | None:
        """A post of this account by ``x.com/NAME/status/ID``, ``x.com/i/web/status/ID``, or the same on twitter.com."""
        match = _POST.fullmatch(url.strip())
        if match is None:
            return None
        body = await api.post(session, match["id"])
        if body is None:
            return None
        users = (body.get("includes") or {}).get("users") or ()
        authors = {str(user.get("id")) for user in users} | {str(body["data"].get("author_id"))}
        if await api.user_id(session) not in authors:
            return None
        created_at = body["data"].get("created_at")
        return _receipt(session, match["id"], part=0, at=instant(created_at) if created_at else session.now())

    async def delete(self, session: Session, receipt: Receipt) -> None:
        """Delete the post; one that is gone already is fine. https://docs.x.com/x-api/posts/delete-post"""
        await session.http.send(api.call(session, "DELETE", f"/2/tweets/{receipt.id}", accept=api.GONE))

    async def check(self, session: Session) -> AccountCheck:
        """Who the token belongs to. X doesn't say what a token may do, so the notes say what it needs."""
        user = await api.own_user(session)
        wanted = settings_of(session.account).handle
        if wanted and wanted.lower() != user["username"].lower():
            raise Rejected(
                _("The token belongs to @{found}, accounts.yaml says {wanted}.").format(
                    found=user["username"], wanted=f"@{wanted}"
                ),
                fix=_("Correct the handle, or take the token of the right account."),
            )
        notes = [
            _("X does not say what a token may do: it needs tweet.read, tweet.write, users.read and media.write."),
            _("A token of OAuth 2.0 ends after two hours; with “accounts login” it is renewed by itself."),
            _("A post costs 0.015 USD, one with a link 0.20 USD, and looking one up is paid for, too (April 2026)."),
            _("X takes 100 posts in 15 minutes, and the same text only once."),
        ]
        if user.get("protected"):
            notes.append(_("This account is protected: only its followers see its posts."))
        return AccountCheck(
            identity=user["id"],
            handle=f"@{user['username']}",
            url=f"https://x.com/{user['username']}",
            software="X API v2",
            notes=tuple(notes),
        )

    def uses(self, draft: Draft) -> tuple[Use, ...]:
        """What X charges, and what it lets an account post.

        https://docs.x.com/x-api/getting-started/pricing · https://docs.x.com/x-api/fundamentals/rate-limits
        """
        price = sum((PRICE_WITH_LINK if any(url_spans(part.text)) else PRICE for part in draft.parts), Decimal(0))
        price += PRICE_OF_ALT_TEXT * sum(1 for picture in draft.pictures if picture.alt)
        return (
            Use(what="USD", amount=price),
            Use(what="posts", amount=Decimal(len(draft.parts)), limit=Decimal(100), period=timedelta(minutes=15)),
        )

    def pause_until(self, headers: Mapping[str, str], now: datetime) -> datetime | None:
        """The latest reset of the quarter-hour's and the day's windows that are used up."""
        return exhausted_until(headers, now)


platform = X()


def _body(sending: Sending, media_ids: Sequence[str]) -> dict[str, Any]:
    """The body of POST /2/tweets, which takes no key that X doesn't know."""
    body: dict[str, Any] = {"text": sending.content.text}
    if media_ids:
        body["media"] = {"media_ids": list(media_ids)}
    if sending.part:
        body["reply"] = {"in_reply_to_tweet_id": sending.earlier[-1].id}
    if media_ids and sending.draft.native.get("ai_generated"):
        body["made_with_ai"] = True
    if sending.draft.native.get("promotes") == "paid":
        body["paid_partnership"] = True
    return body


def _permalink(account: Account, identifier: str) -> str:
    """With the handle where accounts.yaml names it; X leads the other form to the same page."""
    return f"https://x.com/{settings_of(account).handle or 'i/web'}/status/{identifier}"


def _receipt(session: Session, identifier: str, *, part: int, at: datetime) -> Receipt:
    return Receipt(part=part, id=identifier, url=_permalink(session.account, identifier), at=at)


def _media_keys(post: Mapping[str, Any]) -> list[str]:
    return list((post.get("attachments") or {}).get("media_keys") or ())


def _is_ours(sending: Sending, post: Mapping[str, Any]) -> bool:
    """Whether text, number of pictures and place in the thread are this part's."""
    if len(_media_keys(post)) != len(sending.content.media) or not _in_place(sending, post):
        return False
    return same_text(sending.content.text, plain_text(post))


def _in_place(sending: Sending, post: Mapping[str, Any]) -> bool:
    """Whether it answers the part before; where X doesn't say what it answers, whether it is in the same thread."""
    references = post.get("referenced_posts") or post.get("referenced_tweets") or ()
    parents = [str(each["id"]) for each in references if each.get("type") == "replied_to"]
    if parents:
        return bool(sending.part) and sending.earlier[-1].id in parents
    root = sending.earlier[0].id if sending.part else str(post["id"])
    return str(post.get("conversation_id") or root) == root
