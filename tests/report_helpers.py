"""Small previews built by hand for the tests of the report."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from campaign_cli.models import Account, Draft, Part, Picture, Problem, Receipt, Severity, State
from campaign_cli.report import view

JAKARTA = ZoneInfo("Asia/Jakarta")
JAYAPURA = ZoneInfo("Asia/Jayapura")
MADE_AT = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
DUE = datetime(2026, 12, 3, 1, 0, tzinfo=UTC)
# A PNG of one pixel.
DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cf50070003860180"
    "5a34f36b0000000049454e44ae426082"
)
PICTURE = Picture(
    sha256=hashlib.sha256(DOT).hexdigest(),
    name="poster.png",
    mime="image/png",
    size=len(DOT),
    width=1200,
    height=675,
    alt='Poster "Upah Layak" <merah>',
)


def account(platform: str = "mastodon", name: str = "", **settings: Any) -> Account:
    """An account with the settings that its network needs."""
    own = {
        "mastodon": {"url": "https://mastodon.example.org", "token": "env:MASTODON_TOKEN"},
        "bluesky": {"url": "https://pds.example.org", "handle": "fspc.example.org", "password": "env:BLUESKY_PASSWORD"},
        "wordpress": {"url": "https://web.example.org", "username": "redaksi", "password": "env:WORDPRESS_PASSWORD"},
        "telegram": {"channel": "@fspc_contoh", "token": "env:TELEGRAM_TOKEN"},
    }[platform]
    zone = settings.pop("timezone", None)
    return Account(name=name or platform, platform=platform, settings={**own, **settings}, timezone=zone, language="id")


def draft(
    where: Account, *texts: str, media: tuple[Picture, ...] = (), link: str | None = None, **native: Any
) -> Draft:
    """A draft with one part for each text; the pictures stand with the first."""
    parts = tuple(Part(text=text, media=() if index else media) for index, text in enumerate(texts))
    return Draft(
        platform=where.platform,
        account=where.name,
        address="alamat",
        language="id",
        parts=parts,
        visibility="public" if where.platform == "mastodon" else None,
        link=link,
        native=native,
    )


def entry(where: Account, *texts: str, post: str = "pembuka", due: datetime = DUE, **more: Any) -> view.Entry:
    """One post on one account; without texts there is no draft."""
    known = {"problems", "state", "receipts", "error", "sent_at"}
    rest = {name: more.pop(name) for name in known & set(more)}
    made = draft(where, *texts, **more) if texts else None
    counts = view.measured(where, made)
    key = f"upah-layak/{post}/{where.name}"
    return view.Entry(key=key, post=post, account=where, due=due, zone=JAKARTA, draft=made, counts=counts, **rest)


def preview(*entries: view.Entry, problems: tuple[Problem, ...] = (), **more: Any) -> view.Preview:
    """A preview with a plan around the entries."""
    values: dict[str, Any] = {
        "title": "Upah Layak 2027",
        "campaign": "upah-layak",
        "file": "campaigns/upah.yaml",
        "zone": JAKARTA,
        "day": date(2026, 12, 10),
    }
    return view.Preview(**{**values, **more}, entries=entries, problems=problems)


def problem(
    message: str = "The text is too long.", *, severity: Severity = Severity.ERROR, path: str = "posts[0].text"
) -> Problem:
    """A finding in line 12 of the plan."""
    return Problem(
        code="L101",
        severity=severity,
        file="campaigns/upah.yaml",
        line=12,
        column=5,
        path=path,
        message=message,
        fix="Shorten it.",
    )


def published(url: str | None = "https://mastodon.example.org/@fspc/1") -> dict[str, Any]:
    """State and receipt of a delivery that is out."""
    receipt = Receipt(part=0, id="1", url=url, at=DUE)
    return {"state": State.PUBLISHED, "receipts": (receipt,), "sent_at": DUE}


def picture_content(_sha256: str) -> bytes:
    """The bytes of ``PICTURE``."""
    return DOT
