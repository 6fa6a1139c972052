"""The evidence of one campaign as one self-contained page, beside the JSON document that it shows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any

from campaign_cli.i18n import _, format_instant, ngettext
from campaign_cli.ledger.values import REQUEST
from campaign_cli.report.events import details_in_words, kind_word
from campaign_cli.report.page import render
from campaign_cli.report.words import evidence_words


def evidence_page(document: Mapping[str, Any], *, sha256: str, zone: tzinfo) -> str:
    """The page as text (UTF-8). ``document`` is ``ledger.evidence``'s, ``sha256`` that of the JSON file beside it."""
    log = document["log"]
    words = evidence_words()
    facts = [
        (words["made"], _clock(document["at"], zone)),
        (words["signed_by"], document.get("signed_off_by") or words["nobody"]),
        (words["document"], sha256),
        (words["ledger"], document["ledger"]["id"]),
        (words["log"], ngettext("{n} event", "{n} events", log["events"]).format(n=log["events"])),
        (words["head"], log["head"]),
    ]
    plan = document.get("plan")
    if plan:
        facts.insert(0, (words["plan"], f"{plan['file']} ({plan['sha256']})"))
    return render(
        "evidence.html.j2",
        title=document["campaign"],
        cards=[],
        pictures={},
        facts=facts,
        banner=_banner(document),
        banner_good=log["whole"],
        deliveries=[_delivery(one, zone) for one in document["deliveries"]],
        events=[_event(one, zone) for one in document["events"]],
        evidence=words,
    )


def _banner(document: Mapping[str, Any]) -> str:
    if document["log"]["whole"]:
        return _("The log is whole: no event was changed, added or taken away.")
    return _("The log is broken: see campaign log --verify. What stands below is what the ledger says now.")


def _delivery(one: Mapping[str, Any], zone: tzinfo) -> dict[str, Any]:
    parts = (one["draft"] or {}).get("parts", [])
    proofs = {receipt["part"]: receipt for receipt in one["receipts"]}
    return {
        "key": one["key"],
        "state": one["state"],
        "due": _clock(one["due"], zone),
        "address": one["address"],
        "hash": one["content_hash"],
        "error": one["error"],
        "approvals": [_approval(each, zone) for each in one.get("approvals", [])],
        "parts": [
            {
                "text": part["text"],
                "media": [(picture["name"], picture["sha256"], picture["alt"]) for picture in part["media"]],
                "proof": _proof(proofs.get(number), zone),
            }
            for number, part in enumerate(parts)
        ],
    }


def _approval(each: Mapping[str, Any], zone: tzinfo) -> dict[str, Any]:
    return {
        "name": each["name"],
        "at": _clock(each["at"], zone),
        "hash": each["content_hash"],
        "signed": bool(each.get("verified")),
        "void": each["void"],
    }


def _proof(receipt: Mapping[str, Any] | None, zone: tzinfo) -> dict[str, Any] | None:
    if receipt is None:
        return None
    return {
        "id": receipt["remote_id"],
        "url": receipt["url"],
        "at": _clock(receipt["at"], zone),
        "request": (receipt["extra"] or {}).get(REQUEST),
        "withdrawn": _clock(receipt["withdrawn_at"], zone) if receipt["withdrawn_at"] else None,
    }


def _event(one: Mapping[str, Any], zone: tzinfo) -> dict[str, Any]:
    return {
        "at": _clock(one["at"], zone),
        "kind": kind_word(one["kind"]),
        "key": one["key"] or "",
        "who": f"{one['actor']}@{one['host']}",
        "details": details_in_words(one["details"] or {}, zone),
        "hash": one["hash"],
    }


def _clock(text: str, zone: tzinfo) -> str:
    return format_instant(datetime.fromisoformat(text), zone, seconds=True)
