"""The chain of the event log: each event's hash covers the event and the hash before it.

Whoever changes, adds or takes away an event in the middle breaks every hash after it. Taking away the newest events
leaves a shorter chain that is whole: its head, noted elsewhere, tells (``campaign log --verify`` prints it).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

FIELDS: Final = ("id", "at", "kind", "key", "campaign", "account", "actor", "host", "pid", "details")


def link(previous: str, event: Mapping[str, Any]) -> str:
    """The hash (SHA-256, hex) of a row of ``events``; ``previous`` is that of the row before, empty for the first."""
    content = json.dumps([previous, *(event[name] for name in FIELDS)], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()
