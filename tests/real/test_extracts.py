"""The extracts that hold our requests to Mastodon, Bluesky and Telegram in the ordinary tests, against the whole
official descriptions: nothing in them is of our own making, so a field that the network doesn't know can't pass there.

They are read from ``CAMPAIGN_CONTRACTS`` or ``../shared/contracts``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
DATA = PROJECT / "tests" / "data"
CONTRACTS = Path(os.environ.get("CAMPAIGN_CONTRACTS") or PROJECT.parent / "shared" / "contracts")
REQUESTS = ("POST /api/v1/statuses", "POST /api/v2/media", "GET /api/v1/accounts/{id}/statuses")

pytestmark = pytest.mark.skipif(not CONTRACTS.is_dir(), reason="not here; CAMPAIGN_CONTRACTS names them")


def read(path: Path) -> Any:
    """A JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def fields_of(official: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a method or type of Telegram's description, as the extract writes them."""
    return {
        field["name"]: {"types": field["types"], "required": field["required"]} for field in official.get("fields", ())
    }


def test_telegram() -> None:
    """Methods and types, each with every field, its types and whether it is required."""
    whole, extract = read(CONTRACTS / "telegram" / "api.min.json"), read(DATA / "telegram" / "methods.json")
    assert extract["methods"]
    for kind in ("methods", "types"):
        for name, fields in extract[kind].items():
            assert fields == fields_of(whole[kind][name]), name


def bare(value: Any) -> Any:
    """A lexicon without its prose."""
    if isinstance(value, dict):
        prose = ("description",) if isinstance(value.get("description"), str) else ()
        return {name: bare(each) for name, each in value.items() if name not in prose}
    return [bare(each) for each in value] if isinstance(value, list) else value


def test_bluesky() -> None:
    """Each definition of each lexicon, to the letter but for its prose."""
    folder = CONTRACTS / "bluesky" / "lexicons"
    lexicons = read(DATA / "bluesky" / "lexicons.json")["lexicons"]
    assert lexicons
    for name, lexicon in lexicons.items():
        official = read(folder.joinpath(*name.split(".")).with_suffix(".json"))["defs"]
        assert bare(lexicon) == {part: bare(official[part]) for part in lexicon}, name


def resolved(whole: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A schema's alternatives, its references followed."""
    if "$ref" in schema:
        yield from resolved(whole, whole["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
        return
    yield schema
    for part in (*schema.get("oneOf", ()), *schema.get("anyOf", ()), *schema.get("allOf", ())):
        yield from resolved(whole, part)


def known(whole: Mapping[str, Any], operation: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Every property that a request's body may have."""
    found: dict[str, Mapping[str, Any]] = {}
    for content in operation.get("requestBody", {}).get("content", {}).values():
        for schema in resolved(whole, content["schema"]):
            found |= schema.get("properties", {})
    return found


def named(whole: Mapping[str, Any], operation: Mapping[str, Any], *, where: str) -> set[str]:
    """The parameters of an operation in the query or the header."""
    parameters = [
        whole["components"]["parameters"][each["$ref"].rpartition("/")[2]] if "$ref" in each else each
        for each in operation.get("parameters", ())
    ]
    return {each["name"] for each in parameters if each["in"] == where}


@pytest.mark.parametrize("request_line", REQUESTS)
def test_mastodon(request_line: str) -> None:
    """Properties, query and headers are the official ones; where the types are given, they are those, too."""
    whole = read(CONTRACTS / "mastodon-openapi" / "schema.json")
    extract = read(DATA / "mastodon" / "specification.json")[request_line]
    method, path = request_line.split(" ")
    operation = whole["paths"][path][method.lower()]
    official = known(whole, operation)
    assert set(extract.get("headers", ())) <= named(whole, operation, where="header")
    assert set(extract.get("query", ())) <= named(whole, operation, where="query")
    for name, schema in extract.get("properties", {}).items():
        assert schema["type"] == next(iter(resolved(whole, official[name])))["type"], name
    assert extract.get("properties") or extract.get("query")


def test_every_mastodon_request_of_the_extract_is_looked_at() -> None:
    """None is left out here."""
    assert set(read(DATA / "mastodon" / "specification.json")) - {"source"} == set(REQUESTS)
