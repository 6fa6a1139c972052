"""The record of one post on Bluesky, and what must be on the server before it: pictures and the DIDs of people.

Lexicons app.bsky.feed.post, app.bsky.embed.images, app.bsky.embed.external, app.bsky.richtext.facet
"""

from __future__ import annotations

from typing import Any, Final

from campaign_cli.models import Receipt
from campaign_cli.platforms import atproto
from campaign_cli.platforms.answers import read_json
from campaign_cli.platforms.base import Sending
from campaign_cli.platforms.bluesky_session import call

POST: Final = "app.bsky.feed.post"


def key_of(sending: Sending) -> str:
    """The record key of this part: the same for the same due instant and attempt key."""
    return atproto.record_key(atproto.created_at(sending.due, sending.part), sending.key)


async def record_of(sending: Sending, *, anew: bool = False) -> dict[str, Any]:
    """The record of app.bsky.feed.post: the same at every try, so that a repeat can be told from another post."""
    text, native = sending.content.text, sending.draft.native
    record: dict[str, Any] = {
        "$type": POST,
        "text": text,
        "createdAt": atproto.timestamp(atproto.created_at(sending.due, sending.part)),
    }
    if sending.draft.language:
        record["langs"] = [sending.draft.language]
    if facets := atproto.facets(text, await _people(sending)):
        record["facets"] = facets
    if sending.part:
        record["reply"] = {"root": _reference(sending.earlier[0]), "parent": _reference(sending.earlier[-1])}
    link = (sending.draft.link if sending.part == 0 else None) or atproto.last_link(text)
    if sending.content.media:
        record["embed"] = await _media(sending, anew=anew)
    elif link:
        words = native if sending.part == 0 else {}
        record["embed"] = atproto.card_embed(
            link, title=str(words.get("title") or ""), description=str(words.get("excerpt") or "")
        )
    if labels := native.get("self_labels"):
        record["labels"] = atproto.self_labels([labels] if isinstance(labels, str) else labels)
    return record


def _reference(receipt: Receipt) -> dict[str, str]:
    """com.atproto.repo.strongRef"""
    return {"uri": receipt.id, "cid": str(receipt.extra["cid"])}


async def _people(sending: Sending) -> dict[str, str]:
    """Handles of the text and their DIDs, kept: an answer that changes must not change the record.

    https://docs.bsky.app/docs/api/com-atproto-identity-resolve-handle
    """
    handles = atproto.handles_in(sending.content.text)
    if not handles:
        return {}
    known = sending.steps.get("people")
    if known is None:
        known = {}
        for handle in handles:
            did = await _resolved(sending, handle)
            if did:
                known[handle] = did
        await sending.keep("people", known)
    return dict(known)


async def _resolved(sending: Sending, handle: str) -> str | None:
    """The DID behind a handle; None for one that nobody has."""
    request, answer = await call(
        sending,
        "GET",
        "com.atproto.identity.resolveHandle",
        query={"handle": handle},
        accept=(200, 400, 404),
        errors=lambda _answer: None,
        sample={"did": f"did:plc:{{{handle}}}"},
    )
    return read_json(request, answer, lambda data: str(data["did"])) if answer.status == 200 else None


async def _media(sending: Sending, *, anew: bool) -> dict[str, Any]:
    """The pictures, or the video, as they stand in the record.

    A video goes to the account's own server as a picture does; Bluesky encodes it once the post is out, so that for
    some seconds it can't be played. https://docs.bsky.app/docs/tutorials/video#simple-method
    """
    media = sending.content.media
    blobs = [await _blob(sending, index, anew=anew) for index in range(len(media))]
    if media[0].is_video:
        return atproto.video_embed(blobs[0], alt=media[0].alt, width=media[0].width, height=media[0].height)
    return atproto.images_embed(
        [
            {"image": blob, "alt": one.alt, "aspectRatio": {"width": one.width, "height": one.height}}
            for blob, one in zip(blobs, media, strict=True)
        ]
    )


async def _blob(sending: Sending, index: int, *, anew: bool) -> dict[str, Any]:
    """A file as the server keeps it; the upload is kept, so that a restart goes on from here.

    https://docs.bsky.app/docs/api/com-atproto-repo-upload-blob
    """
    picture, step = sending.content.media[index], f"blob{index}"
    blob = None if anew else sending.steps.get(step)
    if blob is None:
        if picture.is_video:
            sending.uploaded(0, picture.size)
        reference = {"$link": f"{{blob_{index + 1}}}"}
        request, answer = await call(
            sending,
            "POST",
            "com.atproto.repo.uploadBlob",
            content=await sending.load(picture),
            headers={"Content-Type": picture.mime},
            sample={"blob": {"$type": "blob", "ref": reference, "mimeType": picture.mime, "size": picture.size}},
        )
        blob = read_json(request, answer, lambda data: dict(data["blob"]))
        await sending.keep(step, blob)
        if picture.is_video:
            sending.uploaded(picture.size, picture.size)
    return dict(blob)
