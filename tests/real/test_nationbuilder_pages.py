"""NationBuilder's OpenAPI of V2 against what we send to V1: the words that both share, and why V1 is still needed.

It is read from ``CAMPAIGN_CONTRACTS`` or ``../shared/contracts``, since it may not be passed on.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from nationbuilder_helpers import FIELDS

PROJECT = Path(__file__).resolve().parents[2]
CONTRACTS = Path(os.environ.get("CAMPAIGN_CONTRACTS") or PROJECT.parent / "shared" / "contracts")
FILE = CONTRACTS / "nationbuilder" / "nationbuilder-pages-api-openapi.yml"
ONLY_V1 = {"content_before_flip", "content_after_flip", "tags"}
pytestmark = pytest.mark.skipif(
    not FILE.is_file(), reason="NationBuilder's OpenAPI is not here; CAMPAIGN_CONTRACTS names its folder"
)


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    """The schemas of V2's pages."""
    loaded: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return dict(loaded["components"]["schemas"])


def test_what_both_versions_know_has_the_same_name(schemas: dict[str, Any]) -> None:
    """Each field that we send, content and tags aside, is one that V2's pages have; ``published`` is a status there."""
    known = set(schemas["page_field_values"]["enum"])
    assert set(FIELDS) - ONLY_V1 <= known
    assert "published" in schemas["page_read_write_attributes"]["properties"]["status"]["enum"]


def test_the_newer_version_still_has_no_content(schemas: dict[str, Any]) -> None:
    """The day on which it has, posts should go through it."""
    assert not [name for name in schemas["page_field_values"]["enum"] if "content" in name or "body" in name]
