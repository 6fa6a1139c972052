"""The words of the pages, and numbers, sizes and days as people read them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import TYPE_CHECKING, Any

from campaign_cli.i18n import _, format_instant, language, ngettext
from campaign_cli.models import Picture, Problem, Severity, State

if TYPE_CHECKING:
    from campaign_cli.platforms.base import Count


def page_words() -> dict[str, str]:
    """Every label of the preview page and the timeline page, in the chosen language."""
    return {
        "skip": _("Skip to the content"),
        "preview": _("Campaign preview"),
        "timeline_title": _("Rehearsal timeline"),
        "made": _("Made"),
        "plan_file": _("Plan"),
        "zone": _("Time zone"),
        "day": _("Campaign day"),
        "summary": _("Summary"),
        "problems": _("Problems"),
        "timeline": _("Timeline"),
        "posts": _("Posts as each network shows them"),
        "contents": _("On this page"),
        "waived": _("Waived by the plan"),
        "reason": _("Reason"),
        "no_problems": _("No problems were found."),
        "fix": _("Fix"),
        "show_post": _("Show the post"),
        "filter": _("Show"),
        "all": _("All networks"),
        "due": _("Time"),
        "post": _("Post"),
        "account": _("Account"),
        "accounts": _("Accounts"),
        "network": _("Network"),
        "state": _("State"),
        "sent": _("Sent"),
        "permalink": _("Permalink"),
        "part": _("Part"),
        "of": _("of"),
        "alt": _("Alt text"),
        "no_alt": _("none (decorative)"),
        "removed": _("Removed"),
        "alt_not_sent": _("Telegram passes no alt text on; the text has to speak for the picture."),
        "link_card": _("Link card; the network adds its title and picture"),
        "no_draft": _("There is nothing to show: it could not be made."),
        "excerpt": _("Excerpt"),
        "categories": _("Categories"),
        "tags": _("Tags"),
        "slug": _("Slug"),
        "for_account": _("For this account"),
        "over": _("too long"),
        "footer": _("A simple drawing of each network; text, counts and pictures are the ones that are sent."),
        "table_caption": _("Every post of this rehearsal, in the order of its instants"),
        "empty": _("There are no posts."),
    }


def evidence_words() -> dict[str, str]:
    """Every label of the evidence page, in the chosen language."""
    return {
        "title": _("Evidence"),
        "made": _("Made"),
        "plan": _("Plan"),
        "signed_by": _("Signed off by"),
        "nobody": _("nobody"),
        "document": _("SHA-256 of the JSON file"),
        "ledger": _("Ledger"),
        "log": _("Log"),
        "head": _("Head of the log"),
        "deliveries": _("Deliveries"),
        "address": _("Address"),
        "hash": _("Content hash"),
        "approved": _("Approved"),
        "with_signature": _("with a signature"),
        "unverified": _("unverified"),
        "void": _("void"),
        "other_content": _("of other content"),
        "reason": _("Reason"),
        "request": _("Hash of the request"),
        "withdrawn": _("Taken down"),
        "event": _("Event"),
        "who": _("Who"),
        "details": _("Details"),
        "link": _("Chain"),
    }


def severity_words() -> dict[Severity, str]:
    """How much a problem matters, in a word: colour alone tells nothing to many."""
    return {Severity.ERROR: _("error"), Severity.WARNING: _("warning"), Severity.HINT: _("hint")}


def state_words() -> dict[State, str]:
    """The states of a delivery for people."""
    return {
        State.WAITING: _("waiting"),
        State.SENDING: _("sending"),
        State.PUBLISHED: _("published"),
        State.FAILED: _("failed"),
        State.UNCERTAIN: _("uncertain"),
        State.CANCELLED: _("cancelled"),
        State.MISSED: _("missed"),
    }


def day_label(at: datetime, *, zone: tzinfo, day: date | None) -> str:
    """``D-7``, ``D-day``, ``D+1`` (H-7, Hari H, H+1), counted in ``zone``; empty without an anchor day."""
    if day is None:
        return ""
    offset = (at.astimezone(zone).date() - day).days
    return _("D{offset}").format(offset=f"{offset:+d}") if offset else _("D-day")


def unit_word(unit: str) -> str:
    """What a network counts, in words."""
    units = {
        "characters": _("characters"),
        "graphemes": _("visible characters"),
        "bytes": _("bytes"),
        "utf16": _("UTF-16 units"),
        "weighted": _("weighted characters"),
        "characters (emoji by bytes)": _("characters (emoji by bytes)"),
        "hashtags": _("hashtags"),
        "links": _("different links"),
        "mentions": _("mentions"),
    }
    return units.get(unit, unit)


def unit_text(count: Count) -> str:
    """``312 of 500 characters``: what is used, the limit, and what the network counts."""
    unit = unit_word(count.unit)
    if count.limit is None:
        return _("{used} {unit}, no limit").format(used=count.used, unit=unit)
    return _("{used} of {limit} {unit}").format(used=count.used, limit=count.limit, unit=unit)


def clock_text(at: datetime, zone: tzinfo) -> str:
    """``08.00 WIB`` (id) or ``08:00 WIB`` (en)."""
    return " ".join(format_instant(at, zone).split(" ")[-2:])


def long_day(day: date) -> str:
    """``Kamis, 3 Desember 2026`` (id) or ``Thursday, 3 December 2026`` (en)."""
    from babel.dates import format_date

    return format_date(day, "EEEE, d MMMM y", locale=language())


def native_label(name: str) -> str:
    """The name of a network's own field, for people."""
    labels = {
        "title": _("Title"),
        "slug": _("Slug"),
        "categories": _("Categories"),
        "tags": _("Tags"),
        "excerpt": _("Excerpt"),
        "cw": _("Content warning"),
        "first_comment": _("First comment"),
        "visibility": _("Visibility"),
        "ai_generated": _("Made by AI"),
        "promotes": _("Advertising"),
        "thumbnail": _("Thumbnail"),
        "captions": _("Subtitles"),
    }
    return labels.get(name, name)


def native_text(value: Any) -> str:
    """A native field's value as one line."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, Mapping) and "sha256" in value:  # a file
        return str(value["name"])
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {native_text(inner)}" for name, inner in value.items())
    if isinstance(value, Sequence):
        return ", ".join(native_text(item) for item in value)
    return str(value)


def size_text(size: int) -> str:
    """``41,2 kB`` (id) or ``41.2 kB`` (en) for a number of bytes; kB is 1,000 bytes."""
    from babel.numbers import format_decimal

    if size < 1000:
        return f"{size} B"
    value, unit = (size / 1000, "kB") if size < 1_000_000 else (size / 1_000_000, "MB")
    return f"{format_decimal(value, '#,##0.#', locale=language())} {unit}"


def film_text(video: Picture) -> str:
    """Length, sides in pixels and bytes of a video, as far as they are known."""
    length = ""
    if video.seconds is not None:
        minutes, seconds = divmod(round(video.seconds), 60)
        length = f"{minutes}:{seconds:02}"
    sides = f"{video.width}×{video.height}" if video.width else ""
    return ", ".join(filter(None, (length, sides, size_text(video.size))))


def removed_text(picture: Picture) -> str:
    """What the original told beside what is seen, the place first; empty where that was nothing."""
    count = Counter(dict(picture.removed))
    named = {
        "gps": _("GPS position"),
        "exif": ngettext("{count} EXIF field", "{count} EXIF fields", count["exif"]),
        "maker_note": ngettext("{count} maker note", "{count} maker notes", count["maker_note"]),
        "iptc": ngettext("{count} IPTC field", "{count} IPTC fields", count["iptc"]),
        "xmp": ngettext("{count} XMP packet", "{count} XMP packets", count["xmp"]),
        "thumbnail": ngettext("{count} thumbnail", "{count} thumbnails", count["thumbnail"]),
        "text": ngettext("{count} text chunk", "{count} text chunks", count["text"]),
        "comment": ngettext("{count} comment", "{count} comments", count["comment"]),
        "tag": ngettext("{count} video tag", "{count} video tags", count["tag"]),
        "time": _("time of making"),
        "track": ngettext("{count} data track", "{count} data tracks", count["track"]),
        "picture": ngettext("{count} further picture", "{count} further pictures", count["picture"]),
        "profile": _("colour profile"),
        "appended": _("data behind the end"),
        "other": ngettext("{count} other block", "{count} other blocks", count["other"]),
    }
    return ", ".join(words.format(count=count[kind]) for kind, words in named.items() if count[kind])


def place_text(problem: Problem) -> str:
    """``file:line:column``, as far as it is known."""
    if not problem.line:
        return problem.file
    return f"{problem.file}:{problem.line}:{problem.column}"


def given_by(name: str, *, verified: bool) -> str:
    """The name under an approval; one that anybody may have typed says so."""
    return name if verified else _("{name} (unverified)").format(name=name)
