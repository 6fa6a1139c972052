"""YouTube through its Data API v3. https://developers.google.com/youtube/v3/docs/videos/insert

A post is one video: its title and text are the video's, and its bytes go out in pieces that can be resumed. The
upload's own session tells after a crash whether the video is there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final

from campaign_cli.errors import Rejected
from campaign_cli.i18n import N_, _
from campaign_cli.models import Account, Draft, Receipt
from campaign_cli.platforms import base
from campaign_cli.platforms import youtube_api as api
from campaign_cli.platforms.addresses import compared
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
from campaign_cli.platforms.youtube_answers import QUOTA_ZONE
from campaign_cli.platforms.youtube_api import Settings, settings_of
from campaign_cli.platforms.youtube_extras import VIDEO, furnish, has_extras, show, units_of, unseen
from campaign_cli.platforms.youtube_upload import SESSION, progress, uploaded
from campaign_cli.platforms.youtube_words import TEXT, VISIBILITIES, objections, privacy_of, resource, title_of

PAGES: Final = 20  # bound of a look-up: it reads the newest 1,000 uploads
_LOCKED: Final = "youtube.locked"  # in Session.memory: an upload of this process was made private
_REFUSED: Final = ("failed", "rejected")
_VIDEO: Final = re.compile(
    r"(?:https?://)?(?:(?:www\.|m\.)?youtube\.com/(?:watch\?(?:[^#\s]*&)?v=|shorts/|live/)|youtu\.be/)(?P<id>[\w-]{11})"
    r"(?:[/?&#].*)?",
    re.ASCII | re.IGNORECASE,
)


class YouTube(Platform):
    """One video on one channel."""

    name: ClassVar[str] = "youtube"
    title: ClassVar[str] = "YouTube"
    Settings: ClassVar[type[base.Settings]] = Settings
    secrets: ClassVar[tuple[str, ...]] = ("token",)
    fields: ClassVar[frozenset[str]] = frozenset({"title", "tags", "ai_generated", "promotes", "thumbnail", "captions"})
    metrics: ClassVar[tuple[str, ...]] = ("views", "likes", "comments")
    visibilities: ClassVar[tuple[str, ...]] = VISIBILITIES
    threads: ClassVar[bool] = False
    limits: ClassVar[Limits] = Limits(
        text=TEXT,
        unit="bytes",
        images=0,
        videos=1,
        media_least=1,
        video_bytes=274_877_906_944,
        video_seconds=43_200,
        video_types=("video/mp4", "video/quicktime", "video/webm"),
    )
    thumbnail: ClassVar[Limits | None] = Limits(text=None, unit="", image_bytes=2_000_000)
    captions: ClassVar[int | None] = 10_000_000
    help = {
        "token": N_("Log in with the Google account of the channel."),
        "channel": N_("The channel's handle, like @union. A token of another channel is then refused."),
    }
    proof: ClassVar[Proof] = Proof(
        look_up=True,
        found_by="the upload's own session, else by title, description and when it was uploaded",
        verified_by="specification",
    )
    oauth: ClassVar[OAuth | None] = OAuth(
        authorize="https://accounts.google.com/o/oauth2/v2/auth",
        token="https://oauth2.googleapis.com/token",  # noqa: S106 - an address
        scopes=("https://www.googleapis.com/auth/youtube.force-ssl",),
        lifetime=timedelta(hours=1),
        extra={"access_type": "offline", "prompt": "consent"},
        help="https://console.cloud.google.com/apis/credentials",
    )
    unconfirmed: ClassVar[tuple[str, ...]] = (
        "the limits of title (100 characters), description (5,000 bytes) and tags (500 characters)",
        "whether the label of paid promotion is taken together with the upload",
        "whether subscribers hear of a video that is shown after its thumbnail and subtitles were added",
        "how long a finished upload session still answers with its video",
        "whether an upload that Google locks as private already says so in its answer",
        "the life of a refresh token: 7 days while the project's consent screen is in testing",
    )
    max_wait: ClassVar[float] = 120.0  # a piece of 1 MiB over a very slow line

    def address(self, account: Account) -> str:
        """The API and the channel, else the token's reference, since YouTube has many channels."""
        settings = settings_of(account)
        channel = settings.channel or settings.token
        return f"{compared(settings.url)}/{channel.lower() if channel.startswith('@') else channel}"

    def measure(self, text: str, limits: Limits, *, media: int) -> tuple[Count, ...]:
        """Bytes of the description; the title is counted apart."""
        return (Count(used=len(text.encode()), limit=limits.text, unit=limits.unit),)

    async def publish(self, sending: Sending) -> Receipt:
        """Upload the video, or the rest of it. https://developers.google.com/youtube/v3/docs/videos/insert"""
        for refusal in self.objections(sending.draft):
            raise refusal
        wanted = resource(sending)
        if has_extras(sending.draft):
            video = await self._furnished(sending, wanted)
        else:
            video = await uploaded(sending, wanted)
        return _receipt(sending, await self._taken(sending, video))

    async def _furnished(self, sending: Sending, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        """Upload unseen, add what belongs to it, show."""
        identifier = sending.steps.get(VIDEO)
        if identifier is None:
            video = await self._taken(sending, await uploaded(sending, unseen(wanted), seen=False))
            identifier = str(video["id"])
            await sending.keep(VIDEO, identifier)
        await furnish(sending, str(identifier))
        return await show(sending, str(identifier), wanted)

    async def _taken(self, sending: Sending, video: Mapping[str, Any]) -> Mapping[str, Any]:
        """The video, unless YouTube took the file and then refused it."""
        status = video.get("status") or {}
        if status.get("uploadStatus") in _REFUSED:
            reason = status.get("rejectionReason") or status.get("failureReason") or status["uploadStatus"]
            await sending.keep(SESSION, None)
            await sending.keep(VIDEO, None)
            raise Rejected(
                _("YouTube took the file and then refused it: {reason}").format(reason=reason),
                fix=_("Look at the video on the channel, correct it, and run: campaign retry"),
                code=str(reason),
            )
        return video

    async def look_up(self, sending: Sending, since: datetime) -> LookUp:
        """By the kept video or session, which answers with its video; else among the channel's uploads since then.

        https://developers.google.com/youtube/v3/guides/using_resumable_upload_protocol#Check_Upload_Status
        """
        if has_extras(sending.draft) and sending.steps.get(VIDEO):
            video = await api.video(sending, str(sending.steps[VIDEO]))
            shown = video is not None and video["status"]["privacyStatus"] == privacy_of(sending.draft)
            found = (Found(receipt=_receipt(sending, video), created_at=None),) if video and shown else ()
            return LookUp(found=found, complete=True)
        if sending.steps.get(SESSION) and not has_extras(sending.draft):
            known = await progress(sending, total=sending.content.media[0].size)
            if known is not None and known.video is not None:
                # No instant: the session is this attempt's own.
                return LookUp(found=(Found(receipt=_receipt(sending, known.video), created_at=None),), complete=True)
        return await self._among_uploads(sending, since)

    async def _among_uploads(self, sending: Sending, since: datetime) -> LookUp:
        playlist, token, found = str((await api.channel(sending))["uploads"]), "", list[Found]()
        for _page in range(PAGES):
            page = await api.page_of(sending, playlist, token=token)
            for item in page["items"]:
                if item["at"] >= since and _is_ours(sending, item):
                    receipt = _receipt(sending, {"id": item["id"]}, at=item["at"])
                    found.append(Found(receipt=receipt, created_at=item["at"]))
            token = page["next"]
            if not token or any(item["at"] < since for item in page["items"]):
                return LookUp(found=tuple(found), complete=True)
        return LookUp(found=tuple(found), complete=False)

    def uses(self, draft: Draft) -> tuple[Use, ...]:
        """One of the project's 100 uploads a day, which YouTube counts apart from the units of everything else.

        https://developers.google.com/youtube/v3/determine_quota_cost
        """
        day, units = timedelta(days=1), units_of(draft)
        uploads = Use(what="uploads", amount=Decimal(1), limit=Decimal(100), period=day, zone=QUOTA_ZONE)
        if not units:
            return (uploads,)
        return uploads, Use(what="units", amount=Decimal(units), limit=Decimal(10_000), period=day, zone=QUOTA_ZONE)

    def objections(self, draft: Draft) -> tuple[Rejected, ...]:
        """What YouTube would refuse, some of it only after the whole upload."""
        return tuple(objections(draft))

    async def read_back(self, session: Session, receipt: Receipt) -> RemotePost | None:
        """Title, description and what YouTube counts."""
        video = await api.video(session, receipt.id)
        if video is None:
            return None
        snippet, statistics = video["snippet"], video.get("statistics") or {}
        names = {"views": "viewCount", "likes": "likeCount", "comments": "commentCount"}
        return RemotePost(
            id=receipt.id,
            url=_permalink(receipt.id),
            text=str(snippet.get("description") or ""),
            title=str(snippet["title"]),
            alts=("",),
            created_at=api.uploaded_at(video),
            metrics={word: int(statistics[name]) for word, name in names.items() if name in statistics},
        )

    async def find(self, session: Session, url: str) -> Receipt | None:
        """A video of this channel by ``youtube.com/watch?v=ID``, ``/shorts/ID``, ``/live/ID`` or ``youtu.be/ID``."""
        match = _VIDEO.fullmatch(url.strip())
        video = await api.video(session, match["id"]) if match is not None else None
        if video is None or video["snippet"]["channelId"] != (await api.channel(session))["id"]:
            return None
        return Receipt(
            part=0,
            id=str(video["id"]),
            url=_permalink(str(video["id"])),
            at=api.uploaded_at(video) or session.now(),
        )

    async def delete(self, session: Session, receipt: Receipt) -> None:
        """Delete the video; one that is gone already is fine.

        https://developers.google.com/youtube/v3/docs/videos/delete
        """
        query = {"id": receipt.id}
        await session.http.send(api.call(session, "DELETE", "/youtube/v3/videos", query=query, accept=(204, 200, 404)))

    async def check(self, session: Session) -> AccountCheck:
        """Whose channel it is, and whether its newest uploads were locked."""
        session.memory.pop("youtube.channel", None)
        channel = await api.channel(session)
        wanted = settings_of(session.account).channel
        if wanted and wanted.lower() not in (channel["handle"].lower(), channel["id"].lower()):
            raise Rejected(
                _("The token belongs to {found}, accounts.yaml says {wanted}.").format(
                    found=channel["handle"] or channel["id"], wanted=wanted
                ),
                fix=_("Correct the channel, or sign in with the right account: campaign accounts login"),
            )
        newest = (await api.page_of(session, channel["uploads"], size=5))["items"]
        locked = session.memory.get(_LOCKED) or {one["privacy"] for one in newest} == {"private"}
        return AccountCheck(
            identity=channel["id"],
            handle=channel["handle"] or channel["title"],
            url=f"https://www.youtube.com/channel/{channel['id']}",
            software="YouTube Data API v3",
            notes=_notes(channel, locked=bool(locked)),
        )


platform = YouTube()


def _permalink(identifier: str) -> str:
    return f"https://www.youtube.com/watch?v={identifier}"


def _receipt(sending: Sending, video: Mapping[str, Any], *, at: datetime | None = None) -> Receipt:
    """The proof; it says where YouTube made the video more private than was asked."""
    answered = (video.get("status") or {}).get("privacyStatus")
    extra: dict[str, str] = {}
    if answered and answered != privacy_of(sending.draft):
        extra = {"privacy": str(answered)}
        sending.memory[_LOCKED] = answered == "private"
    identifier = str(video["id"])
    at = at or api.uploaded_at(video) or sending.now()
    return Receipt(part=sending.part, id=identifier, url=_permalink(identifier), at=at, extra=extra)


def _is_ours(sending: Sending, item: Mapping[str, Any]) -> bool:
    """Whether title and description are this part's; white space and compositions make no difference. What is uploaded
    unseen is ours only once it is shown."""
    if has_extras(sending.draft) and item["privacy"] != privacy_of(sending.draft):
        return False
    ours = (title_of(sending.draft), sending.content.text)
    return [_plain(text) for text in ours] == [_plain(item[name]) for name in ("title", "description")]


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _notes(channel: Mapping[str, Any], *, locked: bool) -> tuple[str, ...]:
    """What an officer must know before relying on the channel."""
    notes = [
        _(
            "Until Google has audited the project behind the token, every upload stays private (projects made after "
            "28 July 2020): ask for the audit, or set each video to public by hand."
        ),
        _("YouTube takes 100 uploads a day from a project, and begins to count anew at midnight in California."),
    ]
    if locked:
        notes.insert(0, _("The newest uploads of this channel are private: the project has probably not been audited."))
    if channel["long"] in ("eligible", "disallowed"):
        notes.append(_("This channel may not upload videos of more than 15 minutes yet: verify it by phone."))
    return tuple(notes)
