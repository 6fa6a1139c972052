"""Mastodon, and the servers that speak its language.

https://docs.joinmastodon.org/methods/statuses/ · methods/media/ · methods/accounts/ · entities/Instance/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final
from urllib.parse import quote, urlsplit

from campaign_cli.errors import Rejected
from campaign_cli.i18n import N_, _
from campaign_cli.models import Account, Receipt
from campaign_cli.platforms import base
from campaign_cli.platforms import mastodon_kinds as kinds
from campaign_cli.platforms import mastodon_server as server
from campaign_cli.platforms.addresses import compared, same_origin
from campaign_cli.platforms.answers import instant, numbers, read_json
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
from campaign_cli.platforms.mastodon_server import Settings, bare, settings_of
from campaign_cli.platforms.mastodon_text import nearly_same_text, normal, same_text
from campaign_cli.platforms.text import mastodon_length

PAGES: Final = 25  # bound of a look-up; a search that ends here is not complete
GONE: Final = (200, 404, 410)
_COUNTS: Final = {
    "likes": "favourites_count",
    "replies": "replies_count",
    "reposts": "reblogs_count",
    "quotes": "quotes_count",
}


class Mastodon(Platform):
    """One status for each part; a thread is a chain of replies."""

    name = "mastodon"
    title = "Mastodon"
    Settings: ClassVar[type[base.Settings]] = Settings
    secrets = ("token",)
    fields = frozenset({"cw", "sensitive"})
    visibilities = ("public", "unlisted", "private", "direct")
    limits = Limits(
        text=500,
        unit="characters",
        url_length=23,
        images=4,
        image_bytes=16 * 1024 * 1024,
        image_pixels=8_294_400,  # 3840 × 2160
        image_types=("image/jpeg", "image/png", "image/webp", "image/gif"),
        alt=1500,
        videos=1,
        video_bytes=99 * 1024 * 1024,
        video_types=("video/mp4", "video/quicktime", "video/webm"),
    )
    # The server keeps a key for an hour. Ten minutes of it are left for clocks and slow answers.
    proof = Proof(
        look_up=True,
        found_by="its words, its pictures, its place in the thread, and when it was made",
        repeat_for=timedelta(minutes=50),
        repeat_if="the server says that it is Mastodon itself",
        verified_by="recorded answers of Mastodon 4.6.4, mastodon-mock 0.6.1",
    )
    metrics = tuple(_COUNTS)

    # https://docs.joinmastodon.org/methods/oauth/ · methods/apps/ · tokens don't end
    oauth = OAuth(
        authorize="{url}/oauth/authorize",
        token="{url}/oauth/token",  # noqa: S106 - an address
        scopes=("read:accounts", "read:statuses", "write:media", "write:statuses"),
        renewal="none",
        registers="{url}/api/v1/apps",
        pasted="urn:ietf:wg:oauth:2.0:oob",
    )
    help = {
        "url": N_("The address of your server, like https://mastodon.example."),
        "token": N_(
            "On your server: Preferences → Development → New application, with the scopes read:accounts, "
            "read:statuses, write:media and write:statuses; then copy “Your access token”."
        ),
        "handle": N_("Your name there, like @union. A token of somebody else's account is then refused."),
    }

    def address(self, account: Account) -> str:
        """The server and who posts there: the handle, else the token's reference, since a server has many accounts."""
        settings = settings_of(account)
        return f"{compared(settings.url)}/@{bare(settings.handle) if settings.handle else settings.token}"

    def measure(self, text: str, limits: Limits, *, media: int) -> tuple[Count, ...]:
        """Graphemes; links and remote mentions as the server counts them (Mastodon alone; others: every character)."""
        used = len(text) if limits.url_length == 0 else mastodon_length(text, limits.url_length or 23)
        return (Count(used=used, limit=limits.text, unit="characters"),)

    async def publish(self, sending: Sending) -> Receipt:
        """Upload what is missing, wait until the server is done with it, and post.

        https://docs.joinmastodon.org/methods/statuses/#create
        """
        media_ids = [await server.media_id(sending, index) for index in range(len(sending.content.media))]
        request = server.call(
            sending,
            "POST",
            "/api/v1/statuses",
            json=_status(sending, media_ids),
            headers={"Idempotency-Key": sending.key},
            creating=True,
            sample=_sample(sending),
        )
        return await server.posted(sending, request, lambda status: _receipt(status, sending.part))

    async def look_up(self, sending: Sending, since: datetime) -> LookUp:
        """Own statuses, newest first, back to ``since``: those with this part's text, pictures and place in the thread.

        https://docs.joinmastodon.org/methods/accounts/#statuses
        """
        account_id, older_than = await server.account_id(sending), ""
        found: list[Found] = []
        for _page in range(PAGES):
            page = await server.page_of(sending, account_id, older_than)
            for status in page:
                created_at = instant(status["created_at"])
                if created_at >= since and await _is_ours(sending, status):
                    found.append(Found(receipt=_receipt(status, sending.part), created_at=created_at))
            if not page or instant(page[-1]["created_at"]) < since:
                return LookUp(found=tuple(found), complete=not sending.part or await server.lists_replies(sending))
            older_than = str(page[-1]["id"])
        return LookUp(found=tuple(found), complete=False)

    def may_repeat(self, session: Session, *, software: str, age: timedelta) -> bool:
        """Within 50 minutes, and only on Mastodon itself: compatible servers take the key and make a second post."""
        return kinds.is_mastodon(software) and super().may_repeat(session, software=software, age=age)

    async def read_back(self, session: Session, receipt: Receipt) -> RemotePost | None:
        """The status with its plain text where the server gives it (own statuses), else its HTML."""
        request = server.call(session, "GET", f"/api/v1/statuses/{receipt.id}", accept=GONE)
        answer = await session.http.send(request)
        if answer.status != 200:
            return None
        text = await server.source(session, receipt.id)
        return read_json(request, answer, lambda status: _remote(status, text))

    async def find(self, session: Session, url: str) -> Receipt | None:
        """A status of this account on its own server, by the id at the end of its address.

        https://docs.joinmastodon.org/methods/statuses/#get
        """
        parts = urlsplit(url.strip())
        if not same_origin(url.strip(), settings_of(session.account).url) or not parts.path.strip("/"):
            return None
        identifier = quote(parts.path.rstrip("/").rpartition("/")[2], safe="")
        answer = await session.http.send(server.call(session, "GET", f"/api/v1/statuses/{identifier}", accept=GONE))
        if answer.status != 200:
            return None
        status = answer.json()
        ours = str(status["account"]["id"]) == await server.account_id(session)
        return _receipt(status, 0) if ours else None

    async def delete(self, session: Session, receipt: Receipt) -> None:
        """Delete the status; one that is gone already is fine."""
        await session.http.send(server.call(session, "DELETE", f"/api/v1/statuses/{receipt.id}", accept=GONE))

    async def check(self, session: Session) -> AccountCheck:
        """Who the token belongs to, what the server is, and what it allows."""
        me = await server.own_account(session)
        wanted = settings_of(session.account).handle
        if wanted and bare(wanted).split("@")[0] != me["acct"].lower():
            raise Rejected(
                _("The token belongs to @{found}, accounts.yaml says {wanted}.").format(
                    found=me["acct"], wanted=wanted
                ),
                fix=_("Correct the handle, or take the token of the right account."),
            )
        instance = await server.instance(session)
        software = await server.software(session, instance)
        moved = (_("This account has moved to another server."),) if me.get("moved") else ()
        return AccountCheck(
            identity=str(me["id"]),
            handle=f"@{me['acct']}",
            url=me.get("url"),
            software=software,
            limits=server.limits_of(instance, self.limits, software=software),
            notes=(*moved, *kinds.notes(software)),
        )

    def pause_until(self, headers: Mapping[str, str], now: datetime) -> datetime | None:
        """``X-RateLimit-Reset`` (ISO 8601), when nothing remains. https://docs.joinmastodon.org/api/rate-limits/"""
        if headers.get("x-ratelimit-remaining", "").strip() != "0":
            return None
        try:
            reset = instant(headers.get("x-ratelimit-reset", ""))
        except ValueError:
            return None
        return reset if reset > now else None


platform = Mastodon()


def _status(sending: Sending, media_ids: Sequence[str]) -> dict[str, Any]:
    """The body of POST /api/v1/statuses. Whatever has a default on the account is said outright."""
    native, warning = sending.draft.native, str(sending.draft.native.get("cw") or "")
    body: dict[str, Any] = {
        "status": sending.content.text,
        "visibility": sending.draft.visibility or Mastodon.visibilities[0],
        "sensitive": bool(native.get("sensitive", bool(warning))),
    }
    if sending.draft.language:
        body["language"] = sending.draft.language.split("-")[0].lower()
    if media_ids:
        body["media_ids"] = list(media_ids)
    if warning:
        body["spoiler_text"] = warning
    if sending.part:
        body["in_reply_to_id"] = sending.earlier[-1].id
    return body


def _sample(sending: Sending) -> dict[str, Any]:
    identifier = f"{{status_id_{sending.part + 1}}}"
    url = f"{settings_of(sending.account).url}/@{{account}}/{identifier}"
    return {"id": identifier, "url": url, "created_at": sending.now().astimezone(UTC).isoformat()}


def _receipt(status: Mapping[str, Any], part: int) -> Receipt:
    return Receipt(
        part=part,
        id=str(status["id"]),
        url=status.get("url") or status.get("uri"),
        at=instant(status["created_at"]),
    )


def _remote(status: Mapping[str, Any], text: str | None) -> RemotePost:
    return RemotePost(
        id=str(status["id"]),
        url=status.get("url"),
        text=str(status.get("content") or "") if text is None else text,
        html=text is None,
        alts=tuple(media.get("description") or "" for media in status.get("media_attachments") or ()),
        created_at=instant(status["created_at"]),
        title=status.get("spoiler_text") or None,
        metrics=numbers(status, _COUNTS),
    )


async def _is_ours(sending: Sending, status: Mapping[str, Any]) -> bool:
    """Whether text, number of pictures and place in the thread are this part's.

    Where only signs differ, the server's plain text decides; where the server doesn't give it, the likeness counts,
    since posting twice is worse.
    """
    parent = sending.earlier[-1].id if sending.part else None
    pictures = len(status.get("media_attachments") or ())
    if (status.get("in_reply_to_id") or None) != parent or pictures != len(sending.content.media):
        return False
    text, html = sending.content.text, str(status.get("content") or "")
    if same_text(text, html):
        return True
    if not nearly_same_text(text, html):
        return False
    source = await server.source(sending, str(status["id"]))
    return source is None or normal(source) == normal(text)
