"""Making one post on TikTok: a video whose bytes we send, or pictures that TikTok fetches.

https://developers.tiktok.com/doc/content-posting-api-reference-direct-post
https://developers.tiktok.com/doc/content-posting-api-reference-photo-post
https://developers.tiktok.com/doc/content-posting-api-media-transfer-guide

The upload's address opens the upload for whoever has it: it is kept as a step, and taken out of every message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from campaign_cli.errors import Failure, Rejected, Unconfirmed
from campaign_cli.i18n import _
from campaign_cli.models import Draft, Picture
from campaign_cli.platforms.answers import ask, conceal, instant
from campaign_cli.platforms.base import Request, Sending
from campaign_cli.platforms.text import utf16_length
from campaign_cli.platforms.tiktok_answers import data_of, errors
from campaign_cli.platforms.tiktok_api import LEVELS, Creator, call, creator, progress, settings_of

STEP: Final = "post"  # step: what TikTok calls the post that has begun (``id``), and whose it is (``user``)
CAPTION: Final = 2_200  # UTF-16 units, of a video
TITLE: Final = 90  # UTF-16 units, of pictures
DESCRIPTION: Final = 4_000  # UTF-16 units, of pictures
CHUNK: Final = 5 * 1024 * 1024  # the smallest that TikTok takes of a larger file; the last piece has what is left over
LIFETIME: Final = timedelta(hours=1)
_MARGIN: Final = timedelta(minutes=5)  # an upload this near to its end is begun anew


def objections(draft: Draft) -> Iterator[Rejected]:
    """What TikTok would refuse of a draft, whoever posts it."""
    media, title, text = draft.parts[0].media, str(draft.native.get("title") or ""), draft.parts[0].text
    videos = [each for each in media if each.is_video]
    if not media or (videos and len(media) > 1):
        yield Rejected(
            _("A post on TikTok is one video, or one to 35 pictures."),
            code="media",
            fix=_("Give the post a video or pictures for this account, or leave the account out."),
        )
    if videos and title:
        yield Rejected(
            _("A video on TikTok has a text and no title."),
            code="title",
            fix=_("Leave the title out of the variant for TikTok."),
        )
    if draft.native.get("promotes") == "paid" and draft.visibility == "private":
        yield Rejected(
            _("TikTok takes no paid promotion that only the account itself can see."),
            code="promotes",
            fix=_("Write another visibility, or leave “promotes: paid” out."),
        )
    if draft.native.get("ai_generated") and media and not videos:
        yield Rejected(
            _("TikTok's interface can't label pictures as made by artificial intelligence, only videos."),
            code="ai_generated",
            fix=_("Post the pictures by hand in the app, with the label, or leave the account out."),
        )
    if utf16_length(title) > TITLE or utf16_length(text) > (CAPTION if videos else DESCRIPTION):
        yield Rejected(
            _("The text is too long for TikTok."),
            fix=_("2,200 units fit below a video; a title of 90 and a text of 4,000 below pictures."),
        )


async def upload(sending: Sending) -> Mapping[str, Any]:
    """What is kept of a post whose video has arrived as a whole; goes on where an earlier process stopped.

    The piece with the last byte is the creating request: with it TikTok begins to post.
    """
    content = await sending.load(sending.content.media[0])
    kept, start = await _resumed(sending, total=len(content))
    if kept is None:
        kept, start = await _begin(sending, await creator(sending), total=len(content)), 0
    ends = piece_ends(len(content))
    for end in ends:
        if end > start:
            sending.uploaded(start, len(content))
            await _send(sending, str(kept["url"]), content=content, start=start, end=end)
            start = end
    sending.uploaded(len(content), len(content))
    return kept


def piece_ends(total: int) -> Sequence[int]:
    """Where each piece ends: the last one takes what is left over, as TikTok wants it."""
    count = max(1, total // CHUNK)
    return [*(CHUNK * number for number in range(1, count)), total]


async def _resumed(sending: Sending, *, total: int) -> tuple[Mapping[str, Any] | None, int]:
    """The post that an earlier process has begun and how much of it has arrived; None where it can't go on."""
    kept = sending.steps.get(STEP)
    known = await progress(sending, str(kept["id"])) if kept else None
    if kept is None or known is None:
        return None, 0
    if not known.status.startswith("PROCESSING") or known.arrived is None or known.arrived >= total:
        return kept, total
    usable = instant(str(kept["until"])) - _MARGIN > sending.now() and known.arrived in (0, *piece_ends(total))
    return (kept, known.arrived) if usable else (None, 0)


async def _begin(sending: Sending, who: Creator, *, total: int) -> Mapping[str, Any]:
    """Ask for an address, and keep it before the first byte goes there. Nothing of it can be seen yet."""
    picture = sending.content.media[0]
    if picture.seconds is not None and picture.seconds > who.seconds:
        raise Rejected(
            _("The video lasts {seconds:g} seconds; this account may post {limit:g}.").format(
                seconds=picture.seconds, limit=who.seconds
            ),
            fix=_("Cut the video for TikTok in a variant."),
        )
    settings, ends = settings_of(sending.account), piece_ends(total)
    info = {
        **_info(sending, who),
        "title": sending.content.text,
        "disable_duet": not (settings.duets and who.duets),
        "disable_stitch": not (settings.stitches and who.stitches),
        **({"is_aigc": True} if sending.draft.native.get("ai_generated", settings.ai_generated) else {}),
    }
    source = {"source": "FILE_UPLOAD", "video_size": total, "chunk_size": ends[0], "total_chunk_count": len(ends)}
    address = f"{settings.url}/upload/?upload_id={{upload_id}}&upload_token={{upload_token}}"
    request = call(
        sending,
        "/v2/post/publish/video/init/",
        json={"post_info": info, "source_info": source},
        sample={"error": {"code": "ok"}, "data": {"publish_id": "{publish_id}", "upload_url": address}},
    )

    def read(body: Any) -> Mapping[str, Any]:
        data = data_of(body)
        return {"id": str(data["publish_id"]), "url": str(data["upload_url"])}

    kept = {**await ask(sending.http, request, read), "user": who.username, "level": info["privacy_level"]}
    kept["until"] = (sending.now() + LIFETIME).isoformat()
    await sending.keep(STEP, kept)
    return kept


async def _send(sending: Sending, address: str, *, content: bytes, start: int, end: int) -> None:
    """Send one piece. Where it is refused for good, the upload ends with it: a person's retry begins anew."""
    last = end == len(content)
    request = Request(
        method="PUT",
        url=address,
        content=content[start:end],
        headers={
            "Content-Type": sending.content.media[0].mime,
            "Content-Range": f"bytes {start}-{end - 1}/{len(content)}",
        },
        creating=last,
        accept=(201,) if last else (206,),
        errors=errors(sending.now()),
    )
    try:
        await sending.http.send(request)
    except Failure as failure:
        conceal(failure, address)
        if failure.status == 416:  # TikTok has other bytes than we know of, perhaps all: it is asked
            raise Unconfirmed(failure.message, status=416) from failure
        if isinstance(failure, Rejected):
            await sending.keep(STEP, None)
        raise


async def pictures(sending: Sending) -> Mapping[str, Any]:
    """What is kept of a post of pictures. TikTok fetches them, so that this request alone makes the post."""
    kept: Mapping[str, Any] | None = sending.steps.get(STEP)
    if kept and await progress(sending, str(kept["id"])) is not None:
        return kept
    who = await creator(sending)
    info: dict[str, Any] = {**_info(sending, who), "description": sending.content.text, "auto_add_music": False}
    if sending.draft.native.get("title"):
        info["title"] = str(sending.draft.native["title"])
    addresses = [await sending.public_url(picture) for picture in sending.content.media]
    request = call(
        sending,
        "/v2/post/publish/content/init/",
        json={
            "media_type": "PHOTO",
            "post_mode": "DIRECT_POST",
            "post_info": info,
            "source_info": {"source": "PULL_FROM_URL", "photo_images": addresses, "photo_cover_index": 0},
        },
        creating=True,
        sample={"error": {"code": "ok"}, "data": {"publish_id": "{publish_id}"}},
    )
    identifier = await ask(sending.http, request, lambda body: str(data_of(body)["publish_id"]))
    kept = {"id": identifier, "user": who.username, "level": info["privacy_level"]}
    await sending.keep(STEP, kept)
    return kept


def _info(sending: Sending, who: Creator) -> dict[str, Any]:
    """Who may see the post, comment it, and what it promotes. Raises Rejected where the account doesn't allow it."""
    settings, word = settings_of(sending.account), sending.draft.visibility or next(iter(LEVELS))
    if LEVELS[word] not in who.levels:
        possible = [name for name, level in LEVELS.items() if level in who.levels]
        raise Rejected(
            _("@{name} can't post with visibility “{word}” now.").format(name=who.username, word=word),
            code="privacy_level_option_mismatch",
            fix=_("Write one of: {words}.").format(words=", ".join(possible)),
        )
    promotes = sending.draft.native.get("promotes", settings.promotes)
    return {
        "privacy_level": LEVELS[word],
        "disable_comment": not (settings.comments and who.comments),
        "brand_content_toggle": promotes == "paid",
        "brand_organic_toggle": promotes == "own",
    }


def is_video(media: Sequence[Picture]) -> bool:
    """Whether a post is a video."""
    return bool(media) and media[0].is_video
