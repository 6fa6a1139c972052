"""What an approval says, as it is kept and as it is signed, and what has changed since. No database behind it.

``statement`` is what was shown: the draft with its instants, so that it can be told later what changed. What is signed
is one text for everything that is approved at once, which ``ssh-keygen -Y verify`` can check by itself::

    campaign approval 1
    ledger LEDGER-ID
    name NAME
    at 2026-12-01T02:00:00Z
    CONTENT-HASH DUE KEY          one line for each delivery, sorted
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from campaign_cli.i18n import _
from campaign_cli.models import Draft

VERSION: Final = "campaign approval 1"
MOVED: Final = "moved"
"""Why an approval no longer counts: the delivery got another name."""
REPLACED: Final = "replaced"
"""The same person approved again, with a signature this time."""
WITHDRAWN: Final = "withdrawn"
"""It was taken back. Anything else in ``void`` is a sentence on why the signature doesn't count."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What an approver has seen of one delivery: its key, the hash of its content, its due instant (aware)."""

    key: str
    content_hash: str
    due: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Consent:
    """One person's approval of what was ``seen``, at an instant (aware); ``text`` and ``signature`` where signed."""

    name: str
    at: datetime
    seen: tuple[Seen, ...]
    text: str = ""
    signature: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Signed:
    """A signature that a delivery is about to go out on. ``whole``: the signed text really speaks of this delivery, its
    content, this ledger and this person."""

    id: int
    name: str
    text: str
    signature: str
    whole: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Approval:
    """One approval with its whole story. ``counts``: of the content that the delivery has now, and not void.

    ``changed`` names what is another than it was, for people; ``void`` says why it was taken back, if it was.
    """

    key: str
    name: str
    at: datetime
    content_hash: str
    signed: bool
    counts: bool
    void: str
    changed: tuple[str, ...]


def text_to_sign(ledger_id: str, *, name: str, at: datetime, seen: Iterable[Seen]) -> str:
    """One text for everything that is approved at once."""
    head = [VERSION, f"ledger {ledger_id}", f"name {name}", f"at {_instant(at)}"]
    return "\n".join([*head, *sorted(line_of(one) for one in seen)]) + "\n"


def line_of(one: Seen) -> str:
    """A delivery's line of the signed text."""
    return f"{one.content_hash} {_instant(one.due)} {one.key}"


def speaks_of(text: str, *, ledger_id: str, name: str, at: datetime, one: Seen) -> bool:
    """Whether a signed text is this ledger's, this person's, and names this delivery with this content."""
    head, lines = text_to_sign(ledger_id, name=name, at=at, seen=()), text.split("\n")
    return text.startswith(head) and line_of(one) in lines[head.count("\n") :]


def statement(draft_json: str, *, due: datetime, embargo: datetime | None, signed: str | None) -> str:
    """What was shown of a delivery; ``signed`` is the SHA-256 of the text that was signed."""
    data = {
        "draft": json.loads(draft_json),
        "due": due.isoformat(),
        "embargo": None if embargo is None else embargo.isoformat(),
        "signed": signed,
    }
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def hash_of(kept: str) -> str:
    """The content hash of what a statement says was shown. Raises ValueError, KeyError, TypeError."""
    data = json.loads(kept)
    draft = Draft.from_json(json.dumps(data["draft"]))
    return draft.content_hash(datetime.fromisoformat(data["due"]), embargo=_until(data))


def signed_text_of(kept: str) -> str | None:
    """The SHA-256 of the text that was signed, where one was; None also for a statement that can't be read."""
    try:
        found = json.loads(kept)["signed"]
    except (ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) else None


def changed_since(kept: str, draft_json: str, *, due: datetime, embargo: datetime | None) -> tuple[str, ...]:
    """What is another now than what a statement says was shown, in words for people."""
    try:
        data = json.loads(kept)
        old, new = data["draft"], json.loads(draft_json)
        found = [word for word, one in _looks().items() if one(old) != one(new)]
        found += [_("due time")] if datetime.fromisoformat(data["due"]) != due else []
        found += [_("embargo")] if _until(data) != embargo else []
    except (ValueError, KeyError, TypeError):
        return (_("it can't be read"),)
    return tuple(found)


def _looks() -> Mapping[str, Any]:
    """What a person calls it → how to find it in a draft's JSON."""
    return {
        _("text"): lambda draft: [part["text"] for part in draft["parts"]],
        _("picture"): lambda draft: [[one["sha256"] for one in part["media"]] for part in draft["parts"]],
        _("alt text"): lambda draft: [[one["alt"] for one in part["media"]] for part in draft["parts"]],
        _("account"): lambda draft: (draft["platform"], draft["address"]),
        _("link"): lambda draft: draft["link"],
        _("visibility"): lambda draft: draft["visibility"],
        _("language"): lambda draft: draft["language"],
        _("the network's own fields"): lambda draft: draft["native"],
    }


def _until(data: Mapping[str, Any]) -> datetime | None:
    return None if data["embargo"] is None else datetime.fromisoformat(data["embargo"])


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
