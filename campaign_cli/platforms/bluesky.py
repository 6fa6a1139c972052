"""Bluesky, and every other personal data server of the AT Protocol.

https://docs.bsky.app/docs/advanced-guides/posts · lexicons app.bsky.feed.post, com.atproto.repo.putRecord

A post is a record under a key of our own, fixed before it is sent (``atproto.record_key``) and written only if nothing
is there (``swapRecord: null``). So it can be looked up by its key, and sent again for ever without becoming two.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from json import loads
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from campaign_cli.errors import Rejected, Unavailable, Unconfirmed
from campaign_cli.i18n import N_, _
from campaign_cli.models import Account, Receipt
from campaign_cli.platforms import base
from campaign_cli.platforms.answers import epoch, instant, is_loopback, read_json
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
from campaign_cli.platforms.bluesky_record import POST, key_of, record_of
from campaign_cli.platforms.bluesky_session import Login, Settings, address_of, call, settings_of, signed_in
from campaign_cli.platforms.text import graphemes, utf8_length

_POST_ADDRESS: Final = re.compile(
    r"(?:https?://\S+/profile/|at://)(?P<who>[^/]+)/(?:post|app\.bsky\.feed\.post)/(?P<key>[\w.~:-]+)/?(?:\?.*)?"
)
MISSING: Final = frozenset({"RecordNotFound"})


class Bluesky(Platform):
    """One record for each part; a thread is a chain of replies under its first part."""

    name = "bluesky"
    title = "Bluesky"
    Settings: ClassVar[type[base.Settings]] = Settings
    secrets = ("password",)
    fields = frozenset({"title", "excerpt", "self_labels"})  # of the link's card, and what the post warns of
    link_in = "embed"
    limits = Limits(
        text=300,
        unit="graphemes",
        text_bytes=3000,
        images=4,
        # The lexicon has allowed 2,000,000 since 2026; PDS 0.4.217 and other servers still refuse more than this.
        image_bytes=1_000_000,
        image_types=("image/jpeg", "image/png", "image/webp", "image/gif"),
        videos=1,
        video_bytes=100_000_000,  # the lexicon has allowed 300,000,000 since 2026
        video_seconds=180,
    )
    unconfirmed = (
        "that a video may last three minutes",
        "how large a video a server takes that is not Bluesky's own (the PDS setting PDS_BLOB_UPLOAD_LIMIT)",
    )
    proof = Proof(
        look_up=True,
        found_by="the record's own key",
        repeat_for=timedelta.max,
        verified_by="PDS 0.4.217, its recorded answers, the lexicons",
    )
    help = {
        "handle": N_("Your handle, like union.bsky.social or your own domain."),
        "password": N_(
            "In Bluesky: Settings → Privacy and security → App passwords → Add. Never the main password of the account."
        ),
    }

    def address(self, account: Account) -> str:
        """Where one signs in, and as whom."""
        return address_of(account)

    def measure(self, text: str, limits: Limits, *, media: int) -> tuple[Count, ...]:
        """Graphemes and UTF-8 bytes: both have a limit."""
        return (
            Count(used=graphemes(text), limit=limits.text, unit="graphemes"),
            Count(used=utf8_length(text), limit=limits.text_bytes, unit="bytes"),
        )

    async def publish(self, sending: Sending) -> Receipt:
        """Resolve mentions, upload pictures, and write the record where nothing is yet.

        A record of ours that is already there, with the same content, is the success of an earlier try.
        """
        login = await signed_in(sending)
        try:
            return await _put(sending, login, await record_of(sending))
        except Rejected as failure:
            if failure.code != "BlobNotFound" or not sending.content.media:
                raise
        return await _put(sending, login, await record_of(sending, anew=True))  # uploads that stay unused are removed

    async def look_up(self, sending: Sending, since: datetime) -> LookUp:
        """The record under our own key: ours whatever the clocks say, so no instant is given."""
        login = await signed_in(sending)
        data = await _get(sending, login, key_of(sending))
        if data is None:
            return LookUp(found=(), complete=True)
        return LookUp(
            found=(Found(receipt=_receipt(sending, login, data, part=sending.part), created_at=None),), complete=True
        )

    async def read_back(self, session: Session, receipt: Receipt) -> RemotePost | None:
        """The record as the server holds it."""
        login = await signed_in(session)
        data = await _get(session, login, receipt.id.rpartition("/")[2])
        if data is None:
            return None
        record, embed = data["value"], data["value"].get("embed") or {}
        media = [embed] if embed.get("video") else embed.get("images") or ()
        return RemotePost(
            id=str(data["uri"]),
            url=receipt.url,
            text=str(record.get("text") or ""),
            alts=tuple(str(each.get("alt") or "") for each in media),
            created_at=_instant(record.get("createdAt")),
        )

    async def find(self, session: Session, url: str) -> Receipt | None:
        """``…/profile/WHO/post/KEY`` or ``at://DID/…/KEY`` of this account, read: a reply needs its record's cid."""
        match = _POST_ADDRESS.fullmatch(url.strip())
        if match is None:
            return None
        login = await signed_in(session)
        if match["who"].lower() not in {login.did, login.handle}:
            return None
        data = await _get(session, login, match["key"])
        return None if data is None else _receipt(session, login, data, part=0)

    async def delete(self, session: Session, receipt: Receipt) -> None:
        """Delete the record; to the server it is done where it is gone already, and where it is of another account."""
        login = await signed_in(session)
        owner = receipt.id.removeprefix("at://").partition("/")[0]
        if owner != login.did:
            raise Rejected(
                _("The post is of {owner}, and this login is {did}.").format(owner=owner, did=login.did),
                fix=_("Log in with the account that posted it: campaign accounts check"),
            )
        json = {"repo": login.did, "collection": POST, "rkey": receipt.id.rpartition("/")[2]}
        await call(session, "POST", "com.atproto.repo.deleteRecord", json=json)

    async def check(self, session: Session) -> AccountCheck:
        """Who the session belongs to, and whether the account may post."""
        request, answer = await call(session, "GET", "com.atproto.server.getSession")
        me = read_json(request, answer, lambda data: {**data, "did": str(data["did"]), "handle": str(data["handle"])})
        if me.get("active") is False:
            raise Rejected(
                _("This account is not active: {status}.").format(status=me.get("status") or "–"),
                fix=_("Reactivate the account in Bluesky's own app."),
            )
        login = await signed_in(session)
        return AccountCheck(
            identity=me["did"],
            handle=f"@{me['handle']}",
            url=_profile(replace(login, handle=me["handle"])),
            software="atproto",
            limits=self.limits,
            notes=_notes(session, login, me["handle"]),
        )

    def pause_until(self, headers: Mapping[str, str], now: datetime) -> datetime | None:
        """``ratelimit-reset`` (seconds since 1970) when nothing remains. https://docs.bsky.app/docs/advanced-guides/rate-limits"""
        if headers.get("ratelimit-remaining", "").strip() != "0":
            return None
        reset = epoch(headers.get("ratelimit-reset"))
        return reset if reset is not None and reset > now else None


platform = Bluesky()


async def _put(sending: Sending, login: Login, record: dict[str, Any]) -> Receipt:
    """com.atproto.repo.putRecord, only where nothing is under the key yet."""
    key = key_of(sending)
    json = {"repo": login.did, "collection": POST, "rkey": key, "record": record, "swapRecord": None}
    sample = {"uri": f"at://{login.did}/{POST}/{key}", "cid": f"{{cid_{sending.part + 1}}}"}
    try:
        request, answer = await call(
            sending, "POST", "com.atproto.repo.putRecord", json=json, creating=True, sample=sample
        )
    except Rejected as failure:
        if failure.code != "InvalidSwap":
            raise
        return await _taken(sending, login, record)
    return read_json(request, answer, lambda data: _receipt(sending, login, data, part=sending.part))


async def _taken(sending: Sending, login: Login, record: dict[str, Any]) -> Receipt:
    """Our key is in use: by this very post, or else by something that a person must look at."""
    try:
        data = await _get(sending, login, key_of(sending))
    except (Rejected, Unavailable) as failure:  # something stands there: most likely this very post, of an earlier try
        raise Unconfirmed(failure.message, status=failure.status, code="InvalidSwap") from failure
    if data is not None and data["value"] == record:
        return _receipt(sending, login, data, part=sending.part)
    raise Unconfirmed(
        _("A post with other content stands where this one belongs: {url}").format(
            url=_permalink(login, key_of(sending))
        ),
        code="InvalidSwap",
    )


async def _get(session: Session, login: Login, key: str) -> dict[str, Any] | None:
    """com.atproto.repo.getRecord; None where there is none (400 RecordNotFound)."""
    query = {"repo": login.did, "collection": POST, "rkey": key}
    try:
        request, answer = await call(session, "GET", "com.atproto.repo.getRecord", query=query)
    except Rejected as failure:
        if failure.code in MISSING:
            return None
        raise
    return read_json(
        request, answer, lambda data: {"uri": str(data["uri"]), "cid": str(data["cid"]), "value": dict(data["value"])}
    )


def _receipt(session: Session, login: Login, data: Mapping[str, Any], *, part: int) -> Receipt:
    uri = str(data["uri"])
    return Receipt(
        part=part,
        id=uri,
        url=_permalink(login, uri.rpartition("/")[2]),
        at=session.now(),
        extra={"cid": str(data["cid"])},
    )


def _permalink(login: Login, key: str) -> str:
    """Where the post is shown."""
    return f"{_profile(login)}/post/{key}"


def _profile(login: Login) -> str:
    """Where the account is shown: bsky.app, which can't see a server on this machine; that one has its own pages.

    By DID where the handle doesn't work.
    """
    who = login.did if login.handle == "handle.invalid" else login.handle
    shown_at = login.server if is_loopback(urlsplit(login.server).hostname or "") else "https://bsky.app"
    return f"{shown_at}/profile/{who}"


def _instant(text: Any) -> datetime | None:
    try:
        return instant(str(text))
    except ValueError:
        return None


def _notes(session: Session, login: Login, handle: str) -> tuple[str, ...]:
    notes = []
    wanted = settings_of(session.account).handle.lstrip("@").lower()
    if wanted != handle.lower() and not wanted.startswith("did:"):
        notes.append(
            _("The account is now called @{found}; accounts.yaml says {wanted}.").format(found=handle, wanted=wanted)
        )
    if _scope(login.access) == "com.atproto.access":
        notes.append(_("This is the account's own password. An app password can do less harm when it leaks."))
    return tuple(notes)


def _scope(token: str) -> str:
    """The scope that a token names, unverified: only for advice."""
    try:
        body = token.split(".")[1]
        return str(loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))).get("scope"))
    except (ValueError, IndexError, AttributeError):
        return ""
