"""What Slack says: its JSON shapes and errors, and what people read of its text."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from html import unescape
from typing import Any, Final

from campaign_cli.stage.network import Refusal
from campaign_cli.stage.state import StageAccount, StagePost

TEXT, SECTION, ALT = 4_000, 3_000, 2_000
FILE: Final = re.compile(r"\n?<[^<>|]*/files/(F\d{10})/[^<>|]*\|[^<>]*>")
_REFERENCE: Final = re.compile(r"<(?:[^<>|]*\|)?([^<>]*)>")
_MARK: Final = re.compile(r"(?<![\w*_~`])([*_~`])(?=\S)(.+?)(?<=\S)\1(?![\w`])", re.DOTALL)
_ADDRESS: Final = re.compile(r"(https?://[^\s<>]+)")


def seen(text: str, *, marks: bool) -> str:
    """What people read of a text: without marks (where they count), references as their labels, nothing escaped."""
    if marks:
        before = None
        while before != text:
            before, text = text, _unmarked(text)
    return unescape(_REFERENCE.sub(r"\1", text))


def _unmarked(text: str) -> str:
    """One layer of marks less; addresses hold none."""
    pieces = _ADDRESS.split(text)
    return "".join(piece if number % 2 else _MARK.sub(r"\2", piece) for number, piece in enumerate(pieces))


def channel_of(account: StageAccount) -> str:
    """The channel's ID."""
    return account.user


def bot_of(account: StageAccount) -> tuple[str, str]:
    """User id and bot id."""
    number = f"{zlib.crc32(account.name.encode()):08X}"
    return f"U{number}", f"B{number}"


def message_json(account: StageAccount, post: StagePost, *, metadata: bool) -> dict[str, Any]:
    """A message as history and answers show it."""
    user, bot = bot_of(account)
    message: dict[str, Any] = {"type": "message", "user": user, "bot_id": bot, "ts": post.id, "text": post.data["text"]}
    if post.data.get("blocks"):
        message["blocks"] = post.data["blocks"]
    if post.data.get("thread"):
        message["thread_ts"] = post.data["thread"]
    if metadata and post.data.get("metadata"):
        message["metadata"] = post.data["metadata"]
    return message


def checked_text(body: Mapping[str, Any]) -> str:
    """The text that people see: that of the blocks, where there are some. Raises Refusal."""
    text, blocks = str(body.get("text") or ""), body.get("blocks") or []
    if len(text) > TEXT:  # Slack itself breaks or cuts it; a rehearsal wants to know
        raise refusal("msg_too_long")
    if not text.strip() and not blocks:
        raise refusal("no_text")
    for block in blocks:
        words = block.get("text", {}).get("text", "") if block.get("type") == "section" else ""
        if len(words) > SECTION or len(block.get("alt_text", "")) > ALT:
            raise refusal("invalid_blocks", errors=["must be less than 3001 characters"])
        if block.get("type") == "image" and not block.get("alt_text"):
            raise refusal("invalid_blocks", errors=["missing required field: alt_text"])
    if not blocks:  # a file's address is shown as the file
        return seen(FILE.sub("", text), marks=body.get("mrkdwn", True) is not False)
    return "\n".join(filter(None, map(_words_of, blocks)))


def _words_of(block: Mapping[str, Any]) -> str:
    """What people read of a block: a section's text, or that of a rich text, whose signs are no marks."""
    if block.get("type") == "section":
        return seen(block["text"]["text"], marks=block["text"].get("type") == "mrkdwn")
    if block.get("type") != "rich_text":
        return ""
    pieces = [piece for section in block["elements"] for piece in section["elements"]]
    if any(piece["type"] not in ("text", "link") or not piece.get("text") for piece in pieces):
        raise refusal("invalid_blocks", errors=["unsupported element [json-pointer:/blocks/0/elements/0]"])
    shown = [piece["text"] for piece in pieces if not _names_file(piece)]
    return "".join(shown).rstrip("\n")


def _names_file(piece: Mapping[str, Any]) -> bool:
    return FILE.fullmatch(f"<{piece.get('url', '')}|{piece['text']}>") is not None


def refusal(error: str, **more: Any) -> Refusal:
    """``ok: false`` with its code, and status 200 all the same."""
    return Refusal(200, {"ok": False, "error": error, **more})
