"""Meta's whole specification of a WhatsApp Business Account against the extract that the ordinary tests use.

It is read from ``CAMPAIGN_CONTRACTS`` or ``../shared/contracts``. It knows nothing of ``/messages``: those requests are
held against the documentation alone (tests/data/whatsapp/README.md).
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from whatsapp_helpers import BUSINESS

PROJECT = Path(__file__).resolve().parents[2]
CONTRACTS = Path(os.environ.get("CAMPAIGN_CONTRACTS") or PROJECT.parent / "shared" / "contracts")
FILE = CONTRACTS / "facebook-graph" / "specs" / "WhatsAppBusinessAccount.json"
pytestmark = pytest.mark.skipif(
    not FILE.is_file(), reason="Meta's specification is not here; CAMPAIGN_CONTRACTS names its folder"
)


def test_the_extract_is_what_the_specification_says() -> None:
    """Every parameter of the list of templates, and the types of the fields that are read."""
    whole = json.loads(FILE.read_text(encoding="utf-8"))
    (edge,) = [api for api in whole["apis"] if (api["method"], api.get("endpoint")) == ("GET", "message_templates")]
    assert {one["name"]: one["type"] for one in edge["params"]} == BUSINESS["GET message_templates"]
    fields = {field["name"]: field["type"] for field in whole["fields"]}
    assert BUSINESS["fields"].items() <= fields.items()


def test_messages_are_still_left_out() -> None:
    """The day Meta publishes them, our own reading of the documentation can go."""
    whole = json.loads(FILE.read_text(encoding="utf-8"))
    assert "messages" not in {api.get("endpoint") for api in whole["apis"]}
