"""Whether the signatures that the ledger holds are good today: what is shown as verified has been verified just now.

A row with something in the place of a signature is anybody's who may write the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from campaign_cli.ledger.approved import Seen, speaks_of
from campaign_cli.ledger.values import Delivery

if TYPE_CHECKING:
    from campaign_cli.ledger.approved import Approval
    from campaign_cli.ledger.store import Ledger
    from campaign_cli.signatures import Signers


def verified_now(deliveries: Sequence[Delivery], ledger: Ledger, signers: Signers) -> list[Delivery]:
    """The deliveries, each with only those of its approvals called verified whose signature is good at this moment."""
    return [_checked(one, ledger, signers) if any(g.verified for g in one.approvals) else one for one in deliveries]


def _checked(delivery: Delivery, ledger: Ledger, signers: Signers) -> Delivery:
    found, author = ledger.signatures(delivery.key)
    at = ledger.clock()
    good = {
        one.name
        for one in found
        if one.whole and not signers.objection(one.text, one.signature, name=one.name, author=author, at=at)
    }
    given = tuple(each._replace(verified=each.verified and each.name in good) for each in delivery.approvals)
    return replace(delivery, approvals=given)


def told_truly(deliveries: Sequence[Delivery], told: Mapping[str, Sequence[Approval]]) -> dict[str, list[Approval]]:
    """The stories of approvals, where those that count are called signed only if ``verified_now`` says so."""
    good = {(one.key, each.name) for one in deliveries for each in one.approvals if each.verified}
    return {
        key: [replace(one, signed=one.signed and (not one.counts or (key, one.name) in good)) for one in story]
        for key, story in told.items()
    }


def verified_then(document: Mapping[str, Any], signers: Signers) -> None:
    """Add to each approval of an ``evidence`` document whether its signature was good when it was given (``verified``),
    by the file of the approvers as it is now."""
    texts = {text["sha256"]: text["text"] for text in document["signed_texts"]}
    for one in document["deliveries"]:
        for each in one["approvals"]:
            shown = each["statement"] if isinstance(each["statement"], dict) else {}
            text = texts.get(shown.get("signed"), "")
            each["verified"] = bool(
                each["signature"]
                and _speaks(each, key=one["key"], text=text, due=shown.get("due"), ledger_id=document["ledger"]["id"])
                and not signers.objection(
                    text, each["signature"], name=each["name"], author="", at=datetime.fromisoformat(each["at"])
                )
            )


def _speaks(each: Mapping[str, Any], *, key: str, text: str, due: Any, ledger_id: str) -> bool:
    """Whether what was signed is this approval."""
    try:
        seen = Seen(key=key, content_hash=each["content_hash"], due=datetime.fromisoformat(due))
    except (TypeError, ValueError):
        return False
    return speaks_of(text, ledger_id=ledger_id, name=each["name"], at=datetime.fromisoformat(each["at"]), one=seen)
