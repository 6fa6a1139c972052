"""What the Bot API says: its JSON shapes, its errors, how it counts and reads parameters."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import Any

from campaign_cli.stage.network import Refusal
from campaign_cli.stage.reading import json_of
from campaign_cli.stage.state import StageAccount, StageMedia

CAPTION = 1_024


def bot_json(account: StageAccount) -> dict[str, Any]:
    """The bot."""
    name = re.sub(r"\W+", "_", account.name)
    return {"id": zlib.crc32(account.name.encode()), "is_bot": True, "first_name": name, "username": f"{name}_bot"}


def chat_json(account: StageAccount) -> dict[str, Any]:
    """The channel."""
    channel = {"type": "channel", "title": account.name}
    if account.user.startswith("@"):
        number = -1_000_000_000_000 - zlib.crc32(account.user.lower().encode())
        return {"id": number, "username": account.user[1:]} | channel
    return {"id": int(account.user)} | channel


def caption_of(values: Mapping[str, Any]) -> str:
    """The caption, if it is not too long."""
    caption = str(values.get("caption") or "")
    if utf16_units(caption) > CAPTION:
        raise bad_request("message caption is too long")
    return caption


def entities_of(values: Mapping[str, Any], name: str, text: str) -> list[dict[str, Any]]:
    """The entities of a text; each must lie within it."""
    entities = parsed(values, name) or []
    for entity in entities:
        offset, length = entity.get("offset"), entity.get("length")
        if (
            not isinstance(offset, int)
            or not isinstance(length, int)
            or not 0 <= offset < offset + length <= utf16_units(text)
        ):
            raise bad_request("can't parse MessageEntity: it reaches beyond the text")
    return list(entities)


def parsed(values: Mapping[str, Any], name: str) -> Any:
    """A field that is JSON within a form, and plain in a JSON body."""
    value = values.get(name)
    try:
        return json_of(value) if isinstance(value, str) else value
    except ValueError as error:
        raise bad_request(f"can't parse {name} JSON object") from error


def attached(reference: Any) -> str:
    """The name of the file that ``attach://name`` points to."""
    return str(reference or "").removeprefix("attach://")


def pictured(photo: StageMedia, caption: str, entities: list[dict[str, Any]]) -> dict[str, Any]:
    """What a message with a photo or a video has."""
    size = {"file_id": photo.id, "file_unique_id": photo.sha256[:16], "width": photo.width, "height": photo.height}
    file = size | {"file_size": photo.size}
    message: dict[str, Any] = (
        {"video": file | {"duration": 0, "mime_type": photo.mime}}
        if photo.mime.startswith("video/")
        else {"photo": [file]}
    )
    if caption:
        message["caption"] = caption
    return message | ({"caption_entities": entities} if entities else {})


def utf16_units(text: str) -> int:
    """How Telegram counts."""
    return len(text.encode("utf-16-le")) // 2


def bad_request(description: str) -> Refusal:
    """400 with its reason."""
    return refusal(400, f"Bad Request: {description}")


def refusal(status: int, description: str) -> Refusal:
    """An error of the Bot API."""
    return Refusal(status, {"ok": False, "error_code": status, "description": description})
