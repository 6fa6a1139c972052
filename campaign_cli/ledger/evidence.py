"""What the ledger can testify of one campaign, and the line in the log that somebody signed it off."""

from __future__ import annotations

import json
from typing import Any

from campaign_cli.errors import InputError
from campaign_cli.i18n import _
from campaign_cli.ledger.export import records
from campaign_cli.ledger.schema import instant
from campaign_cli.ledger.store import Ledger
from campaign_cli.ledger.verifying import verify


def evidence(ledger: Ledger, campaign: str) -> dict[str, Any]:
    """JSON values of one state of the ledger.

    ``{"campaign", "at", "ledger", "log", "deliveries", "signed_texts", "holds", "events"}``: deliveries, holds, events
    and the texts that its approvals signed are as ``ledger export`` writes them; ``log`` says whether the whole chain
    of events fits. Raises InputError where the ledger knows no such campaign.
    """
    ledger.must_exist()
    found: dict[str, list[dict[str, Any]]] = {"ledger": [], "delivery": [], "signed_text": [], "hold": [], "event": []}
    with ledger.reading() as connection:
        for kind, data in records(connection, ledger, campaign=campaign):
            found[kind].append(data)
        chain = verify(connection)
        at = instant(ledger.now())
    if not found["delivery"]:
        raise InputError(_("The ledger knows no campaign {name}.").format(name=campaign), fix=_("See: campaign status"))
    statements = "\n".join(str(each["statement"]) for one in found["delivery"] for each in one["approvals"])
    return {
        "campaign": campaign,
        "at": at.isoformat(timespec="seconds"),
        "ledger": found["ledger"][0],
        "log": {"whole": chain.whole, "events": chain.head.events, "head": chain.head.hash},
        "deliveries": found["delivery"],
        "signed_texts": [text for text in found["signed_text"] if text["sha256"] in statements],
        "holds": found["hold"],
        "events": found["event"],
    }


def sign_off(ledger: Ledger, campaign: str, *, name: str, sha256: str, actor: str) -> None:
    """Write down that ``name`` signed off the document with this SHA-256."""
    with ledger.writing() as connection:
        details = json.dumps({"name": name, "sha256": sha256}, ensure_ascii=False)
        event = ledger.event("evidence", None, details, actor=actor, at=ledger.now())
        ledger.write_events(connection, [event | {"campaign": campaign}])
