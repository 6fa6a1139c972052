"""What a network's answer must be before it goes into the ledger: one that can't be stored would stop the others."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from campaign_cli.errors import Unconfirmed
from campaign_cli.i18n import _
from campaign_cli.models import Receipt


def sound(receipt: Receipt) -> Receipt:
    """The receipt, without a permalink that is none. Raises Unconfirmed where it proves nothing: no usable id."""
    text: Any = receipt.id
    if not isinstance(text, str) or not text or text != storable(text) or not _plain(receipt.extra):
        raise Unconfirmed(_("The network's answer names no post that could be found again."))
    url: Any = receipt.url
    return receipt if url is None or (isinstance(url, str) and url == storable(url)) else replace(receipt, url=None)


def storable(text: str) -> str:
    """The text without halves of surrogate pairs and without NUL, which JSON can smuggle in and no database takes."""
    return text.encode("utf-8", "replace").decode().replace("\0", "?")


def _plain(value: Any) -> bool:
    try:
        text = json.dumps(dict(value), ensure_ascii=False)
    except (TypeError, ValueError):
        return False
    return text == storable(text)
