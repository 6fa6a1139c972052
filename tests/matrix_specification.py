"""Requests of the Matrix adapter, held against the official specification: an unknown field is wrong.

``whole`` reads the specification's own files into one value; what lies beside the tests is a part of that value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import jsonschema
import yaml
from platform_helpers import json_of

EXTRACT = Path(__file__).parent / "data/matrix/specification.json"
USED = (
    "GET /_matrix/client/v3/account/whoami",
    "GET /_matrix/client/v3/directory/room/{roomAlias}",
    "GET /_matrix/client/v3/rooms/{roomId}/state/{eventType}/{stateKey}",
    "GET /_matrix/client/v3/rooms/{roomId}/messages",
    "GET /_matrix/client/v3/rooms/{roomId}/event/{eventId}",
    "GET /_matrix/client/v1/rooms/{roomId}/relations/{eventId}/{relType}",
    "GET /_matrix/client/v1/media/config",
    "GET /_matrix/media/v3/config",
    "POST /_matrix/media/v3/upload",
    "PUT /_matrix/client/v3/rooms/{roomId}/send/{eventType}/{txnId}",
    "PUT /_matrix/client/v3/rooms/{roomId}/redact/{eventId}/{txnId}",
)
MESSAGES = ("m.text", "m.image", "m.video")
IN_PROSE = {  # https://spec.matrix.org/latest/client-server-api/#threading: these two stand in no schema
    "is_falling_back": {"type": "boolean"},
    "m.in_reply_to": {
        "type": "object",
        "properties": {"event_id": {"type": "string", "pattern": "^\\$"}},
        "required": ["event_id"],
        "additionalProperties": False,
    },
}
_WORDS = ("description", "title")
_DROPPED = ("allOf", "example", "examples")


def extract() -> dict[str, Any]:
    """The part that lies beside the tests."""
    found: dict[str, Any] = json.loads(EXTRACT.read_text(encoding="utf-8"))
    return found


def whole(folder: Path) -> dict[str, Any]:
    """The specification's files as one value: operations by method and address, contents by ``msgtype``, schemas."""
    operations = {}
    for file in sorted((folder / "client-server").glob("*.yaml")):
        document = _loaded(file)
        for path, item in document.get("paths", {}).items():
            base = document["servers"][0]["variables"]["basePath"]["default"]
            for method in {"get", "put", "post", "delete"} & set(item):
                operations[f"{method.upper()} {base}{path}"] = _operation(item[method], file)
    messages = {}
    for kind in MESSAGES:
        file = folder / f"event-schemas/schema/m.room.message${kind}.yaml"
        messages[kind] = _resolved(_loaded(file)["properties"]["content"], file)
    definitions = folder / "client-server/definitions"
    schemas = {
        name: _resolved(_loaded(definitions / f"{name}.yaml"), definitions / f"{name}.yaml")
        for name in ("m.relates_to", "m.mentions", "room_event_filter")
    }
    return {"operations": operations, "messages": messages, "schemas": schemas}


def part_of(specification: Mapping[str, Any]) -> dict[str, Any]:
    """What the adapter uses of it."""
    operations = {name: specification["operations"][name] for name in USED}
    return {**specification, "operations": operations}


def matrix_check(specification: Mapping[str, Any]) -> Callable[[httpx.Request], None]:
    """Whether a request is one of the client-server API: its address, its query, its body, the token in its header."""

    def check(request: httpx.Request) -> None:
        operation, values = _asked(specification, request)
        for place in operation["parameters"]:
            if place["name"] in values:
                _valid(values[place["name"]], place["schema"])
        assert request.headers["authorization"].startswith("Bearer ")
        assert "access_token" not in values
        body = operation.get("body")
        if body is None:
            assert not request.content
        elif body == "bytes":
            assert request.content
            assert re.fullmatch(r"(image|video)/\w+", request.headers["content-type"])
        elif "eventType" in values:
            _valid_content(json_of(request), specification)
        else:
            _valid(json_of(request), _closed(body))
        if "filter" in values:
            _valid(json.loads(values["filter"]), _closed(specification["schemas"]["room_event_filter"]))

    return check


def answer_schema(specification: Mapping[str, Any], request: httpx.Request) -> Mapping[str, Any]:
    """The schema of a good answer to a request."""
    found: Mapping[str, Any] = _asked(specification, request)[0]["answer"]
    return found


def _asked(specification: Mapping[str, Any], request: httpx.Request) -> tuple[Mapping[str, Any], dict[str, str]]:
    """The operation of a request, and the values of its path and query."""
    path = request.url.raw_path.decode().partition("?")[0]
    path = "/_matrix" + path.partition("/_matrix")[2]
    for name, operation in specification["operations"].items():
        method, template = name.split(" ")
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]*)", re.escape(template))
        match = re.fullmatch(pattern, path)
        if method == request.method and match is not None:
            known = {place["name"] for place in operation["parameters"]}
            asked = dict(request.url.params)
            assert set(asked) <= known, f"{name}: {set(asked) - known}"
            return operation, {key: unquote(value) for key, value in match.groupdict().items()} | asked
    raise AssertionError(f"{request.method} {path} is not in the specification")


def _valid_content(content: Mapping[str, Any], specification: Mapping[str, Any]) -> None:
    """A message's content, its place in a thread, and whom it mentions."""
    schema, schemas = specification["messages"][content["msgtype"]], specification["schemas"]
    relates = dict(schemas["m.relates_to"])
    relates["properties"] = relates["properties"] | IN_PROSE
    more = {"m.relates_to": relates, "m.mentions": schemas["m.mentions"]}
    _valid(content, _closed({**schema, "properties": schema["properties"] | more}))
    assert ("format" in content) == ("formatted_body" in content)


def _valid(value: Any, schema: Mapping[str, Any]) -> None:
    if schema.get("type") == "integer" and isinstance(value, str):
        value = int(value)
    jsonschema.Draft202012Validator(dict(schema)).validate(value)


def _closed(schema: Any) -> Any:
    """The schema, none of whose objects may hold what it doesn't name."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    return closed | ({"additionalProperties": False} if isinstance(schema.get("properties"), dict) else {})


def _operation(operation: Mapping[str, Any], file: Path) -> dict[str, Any]:
    parameters = [_resolved(place, file) for place in operation.get("parameters", ())]
    found: dict[str, Any] = {
        "parameters": [{key: place[key] for key in ("name", "in", "schema")} for place in parameters]
    }
    body = _resolved(operation["requestBody"], file)["content"] if "requestBody" in operation else {}
    if body:
        found["body"] = body["application/json"]["schema"] if "application/json" in body else "bytes"
    good = next((answer for status, answer in operation["responses"].items() if str(status) == "200"), {})
    content = _resolved(good, file).get("content", {}).get("application/json", {})
    return found | {"answer": content.get("schema", {})}


def _resolved(node: Any, file: Path, seen: tuple[str, ...] = ()) -> Any:
    """The value with its references put in, ``allOf`` made one, and without words for people."""
    if isinstance(node, list):
        return [_resolved(item, file, seen) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        name, _hash, pointer = str(node["$ref"]).partition("#")
        name = name.replace("../../event-schemas", "../event-schemas")  # the copy has one folder less above it
        target = file if not name else (file.parent / name).resolve()
        place = f"{target}#{pointer}"
        if place in seen or not target.is_file():  # an event may hold events
            return {}
        found: Any = _loaded(target)
        for step in filter(None, pointer.split("/")):
            found = found[step]
        return _resolved(found, target, (*seen, place))
    result = {
        key: _resolved(value, file, seen)
        for key, value in node.items()
        if key not in _DROPPED and not key.startswith("x-") and (key not in _WORDS or isinstance(value, dict))
    }
    for piece in _resolved(node.get("allOf", []), file, seen):
        result = _merged(piece, result)
    return result


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    merged = {**one, **other}
    for key in {"properties"} & set(one) & set(other):
        merged[key] = {**one[key], **other[key]}
    required: Iterator[str] = iter([*one.get("required", ()), *other.get("required", ())])
    return merged | ({"required": sorted(set(required))} if "required" in merged else {})


def _loaded(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))
