"""What a Bluesky server checks in a record, and the identifiers and tokens that it makes.

Limits and messages follow the lexicons app.bsky.feed.post and app.bsky.embed.images, and answers recorded from a PDS.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import regex

from campaign_cli.stage.network import Refusal

POSTS = "app.bsky.feed.post"
GRAPHEMES, TEXT_BYTES, IMAGES, LANGUAGES, TAGS = 300, 3_000, 4, 3, 8
IMAGE_BYTES, THUMB_BYTES = 2_000_000, 1_000_000
_TID = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")
_AT_URI = re.compile(r"at://(did:[a-z]+:[\w.:%-]+)/([\w.-]+)/([\w.~:-]+)")


def refusal(error: str, message: str, status: int = 400) -> Refusal:
    """An XRPC error."""
    return Refusal(status, {"error": error, "message": message})


def check_key(rkey: str) -> None:
    """A post's record key is a TID."""
    if not _TID.fullmatch(rkey):
        text = f'Invalid record key for {POSTS}: Invalid TID string (got "{rkey}") at $'
        raise refusal("InvalidRequest", text)


def check_record(record: Any, *, find: Callable[[str, str], str | None]) -> None:
    """Raise Refusal unless ``record`` is a post that a server would take.

    ``find(did, rkey)`` gives the cid of a post that exists, for replies.
    """
    if not isinstance(record, dict) or record.get("$type") != POSTS:
        raise _invalid("Missing or wrong $type", "$.record.$type")
    text = record.get("text")
    if not isinstance(text, str):
        raise _invalid('Missing required key "text"', "$.record")
    _check_size(text, graphemes=GRAPHEMES, size=TEXT_BYTES, path="$.record.text")
    created = record.get("createdAt")
    if not isinstance(created, str) or not _is_instant(created):
        raise _invalid("Invalid datetime", "$.record.createdAt")
    for name, most in (("langs", LANGUAGES), ("tags", TAGS)):
        if len(record.get(name) or []) > most:
            raise _too_many(most, len(record[name]), f"$.record.{name}")
    for tag in record.get("tags") or []:
        _check_size(tag, graphemes=64, size=640, path="$.record.tags")
    for number, facet in enumerate(record.get("facets") or []):
        _check_facet(facet, f"$.record.facets[{number}]")
    if "reply" in record:
        _check_reply(record["reply"], find)


def images_of(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The images of the embed. Raises Refusal where one lacks its alt text, or there are too many."""
    embed = record.get("embed") or {}
    if embed.get("$type") != "app.bsky.embed.images":
        return []
    images: list[dict[str, Any]] = embed.get("images") or []
    if len(images) > IMAGES:
        raise _too_many(IMAGES, len(images), "$.record.embed.images")
    for number, image in enumerate(images):
        for key in ("image", "alt"):
            if key not in image:
                raise _invalid(f'Missing required key "{key}"', f"$.record.embed.images[{number}]")
    return images


def video_of(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """The video of the embed. Raises Refusal where there is no blob in it."""
    embed = record.get("embed") or {}
    if embed.get("$type") != "app.bsky.embed.video":
        return None
    if "video" not in embed:
        raise _invalid('Missing required key "video"', "$.record.embed")
    return dict(embed)


def check_blob(blob: Mapping[str, Any], *, mime: str, size: int, largest: int, path: str) -> None:
    """The blob that a record names must be of its kind, be as it was uploaded, and not be too big."""
    wanted = "video/mp4" if path.endswith(".video") else "image/"
    if blob.get("$type") != "blob" or not mime.startswith(wanted):
        raise _invalid(f"Expected a blob of type {wanted}", path)
    if blob.get("mimeType") != mime:
        raise refusal("InvalidMimeType", f"Referenced Mimetype does not match stored blob. Expected: {mime}")
    if blob.get("size") != size:
        raise refusal("InvalidSize", f"Size of blob does not match: {size}")
    if size > largest:
        raise refusal("BlobTooLarge", f"This file is too large. It is {size} bytes but the maximum size is {largest}.")


def external_of(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """The link card of a record. Raises Refusal where it is incomplete."""
    embed = record.get("embed") or {}
    if embed.get("$type") != "app.bsky.embed.external":
        return None
    external: dict[str, Any] = embed.get("external") or {}
    for key in ("uri", "title", "description"):
        if key not in external:
            raise _invalid(f'Missing required key "{key}"', "$.record.embed.external")
    return external


def record_cid(record: Any) -> str:
    """An identifier in the form of a record's CID; equal records have equal ones (the digest is over JSON here)."""
    text = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return _cid(0x71, hashlib.sha256(text.encode()).digest())


def blob_cid(content: bytes) -> str:
    """The CID of a blob (CIDv1, raw, SHA-256), as every server computes it."""
    return _cid(0x55, hashlib.sha256(content).digest())


def did_of(handle: str) -> str:
    """A did:plc for a handle, always the same."""
    digest = hashlib.sha256(handle.lower().encode()).digest()
    return f"did:plc:{base64.b32encode(digest).decode().lower()[:24]}"


def tid(instant: datetime, number: int) -> str:
    """A record key for an instant; later instants sort later."""
    value = (int(instant.timestamp() * 1_000_000) << 10) | (number & 0x3FF)
    letters = "234567abcdefghijklmnopqrstuvwxyz"
    return "".join(letters[(value >> shift) & 31] for shift in range(60, -1, -5))


def signed(kind: str, claims: Mapping[str, Any], key: bytes) -> str:
    """A JWT (HS256)."""
    head = _encoded({"typ": kind, "alg": "HS256"}) + b"." + _encoded(claims)
    return (head + b"." + _text(hmac.digest(key, head, "sha256"))).decode()


def claims_of(token: str, key: bytes) -> dict[str, Any] | None:
    """The claims of a JWT that ``signed`` made with this key, else None."""
    head, _dot, signature = token.encode().rpartition(b".")
    if not hmac.compare_digest(_text(hmac.digest(key, head, "sha256")), signature):
        return None
    body = head.partition(b".")[2]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4)))
    return claims


def _check_size(text: str, *, graphemes: int, size: int, path: str) -> None:
    if len(text.encode()) > size:
        raise _invalid(f"string too big (maximum {size}, got {len(text.encode())})", path)
    count = len(regex.findall(r"\X", text))
    if count > graphemes:
        raise _invalid(f"grapheme too big (maximum {graphemes}, got {count})", path)


def _check_facet(facet: Any, path: str) -> None:
    index = facet.get("index") if isinstance(facet, dict) else None
    if not isinstance(index, dict) or not all(isinstance(index.get(key), int) for key in ("byteStart", "byteEnd")):
        raise _invalid('Missing required key "index"', path)
    for feature in facet.get("features") or [{}]:
        if not str(feature.get("$type", "")).startswith("app.bsky.richtext.facet#"):
            raise _invalid('Missing required key "features"', path)


def _check_reply(reply: Any, find: Callable[[str, str], str | None]) -> None:
    for name in ("root", "parent"):
        reference = reply.get(name) if isinstance(reply, dict) else None
        if not isinstance(reference, dict):
            raise _invalid(f'Missing required key "{name}"', "$.record.reply")
        match = _AT_URI.fullmatch(str(reference.get("uri", "")))
        cid = find(match[1], match[3]) if match else None
        if cid is None or cid != reference.get("cid"):
            raise _invalid("No record with this uri and cid", f"$.record.reply.{name}")


def _is_instant(text: str) -> bool:
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _invalid(message: str, path: str) -> Refusal:
    return refusal("InvalidRequest", f"Invalid {POSTS} record: {message} at {path}")


def _too_many(most: int, count: int, path: str) -> Refusal:
    return _invalid(f"array too big (maximum {most}, got {count})", path)


def _cid(codec: int, digest: bytes) -> str:
    encoded = base64.b32encode(bytes([1, codec, 0x12, 0x20]) + digest).decode()
    return "b" + encoded.lower().rstrip("=")


def _encoded(value: Mapping[str, Any]) -> bytes:
    return _text(json.dumps(value, separators=(",", ":")).encode())


def _text(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")
