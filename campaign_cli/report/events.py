"""Events of the log as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any, Final

from campaign_cli.i18n import _, format_instant
from campaign_cli.models import State
from campaign_cli.report.words import state_words

if TYPE_CHECKING:
    from campaign_cli.ledger import Event

_PLAIN: Final = {"error", "reason", "url", "name"}


def event_line(event: Event, *, zone: tzinfo) -> str:
    """``Mon, 7 Dec 2026 08:00:01 WIB  published  key  actor: details``, in ``zone``."""
    at = format_instant(event.at, zone, seconds=True)
    details = details_in_words(event.data, zone)
    who = f"{event.actor}: {details}" if details else event.actor
    return "  ".join(part for part in (at, kind_word(event.kind), event.key or "", who) if part)


def kind_word(kind: str) -> str:
    """What happened, in a word or two."""
    words = {
        "queued": _("queued"),
        "changed": _("changed"),
        "moved": _("moved"),
        "retried": _("queued again"),
        "resolved": _("resolved"),
        "late": _("late proof"),
        "held": _("held"),
        "released": _("released"),
        "withdrawing": _("to be taken down"),
        "withdrawn": _("taken down"),
        "evidence": _("evidence written"),
        "adopted": _("ledger adopted"),
        "restored": _("ledger restored"),
        "approved": _("approved"),
        "unapproved": _("approval void"),
        "demanded": _("approvals asked for"),
    }
    if kind in words:
        return words[kind]
    return state_words()[State(kind)] if kind in set(State) else kind


def details_in_words(data: Mapping[str, Any], zone: tzinfo) -> str:
    """What more is known of an event; what has no words is shown as ``name=value``."""
    return ", ".join(filter(None, (_detail(name, value, zone) for name, value in data.items() if name != "hold")))


def _detail(name: str, value: Any, zone: tzinfo) -> str:
    if name in _PLAIN:
        return str(value)
    if isinstance(value, dict):
        what = ", ".join(f"{code} ({reason})" for code, reason in value.items())
        return _("waived: {what}").format(what=what) if name == "waived" else f"{name}={what}"
    if name == "down":
        return _("stays down: {what}").format(what=", ".join(map(str, value)))
    if name == "signed":
        return _("signed") if value else _("unverified")
    shown = state_words()[State(value)] if value in set(State) else _instant(value, zone)
    words = {
        "due": _("due {what}"),
        "next_try": _("next try {what}"),
        "was": _("was {what}"),
        "from": _("from {what}"),
        "by": _("no longer in the plan"),
        "approval": _("approvals needed: {what}"),
        "embargo": _("under embargo until {what}"),
        "embargo_was": _("it was under embargo until {what}"),
        "hash": _("content {what}"),
        "key": _("signed with {what}"),
        "late": _("skipped after a hold"),
        "crisis": _("crisis"),
        "except_campaign": _("but for {what}"),
        "part": _("message {what}"),
        "by_hand": _("by hand"),
        "file": _("from {what}"),
        "backup_at": _("of {what}"),
        "uncertain": _("{what} uncertain"),
        "nothing_sent": _("nothing was sent since, by their word"),
        "replaced_head": _("the log that it replaced ended with {what}"),
        "published": _("it is out") if value else _("it is not out"),
    }
    return words[name].format(what=shown) if name in words else f"{name}={value}"


def _instant(value: Any, zone: tzinfo) -> str:
    try:
        return format_instant(datetime.fromisoformat(value), zone)
    except (TypeError, ValueError):
        return str(value)
