"""Requests of Discord's and Slack's adapters, held against the official specifications: an unknown field is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import jsonschema
from platform_helpers import Network, json_of, multipart_of

DATA = Path(__file__).parent / "data"
NEWER = json.loads((DATA / "slack/newer.json").read_text(encoding="utf-8"))


@dataclass(kw_only=True)
class Checked(Network):
    """A scripted network that takes no request which the specification doesn't know."""

    check: Callable[[httpx.Request], None]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.check(request)
        return super().__call__(request)


def extract(network: str) -> dict[str, Any]:
    """The extract that lies beside the tests."""
    found: dict[str, Any] = json.loads((DATA / network / "specification.json").read_text(encoding="utf-8"))
    return found


def discord_check(specification: Mapping[str, Any]) -> Callable[[httpx.Request], None]:
    """Whether a request is one of Discord's: its path, its query, its body and the files beside it."""
    schemas = _closed(specification["components"]["schemas"])

    def check(request: httpx.Request) -> None:
        path = request.url.path.partition("/api/v10")[2]
        operations = next(item for name, item in specification["paths"].items() if _matches(name, path))
        operation = operations[request.method.lower()]
        for place, value in (*_path_values(specification, path), *request.url.params.items()):
            known = {
                item["name"]: item["schema"] for item in (*operations["parameters"], *operation.get("parameters", ()))
            }
            schema = known[place]
            _valid(json.loads(value) if schema.get("type") == "boolean" else value, schema, schemas)
        agent = request.headers["user-agent"]
        assert re.fullmatch(r"DiscordBot \([^\s,]+, [^\s,]+\)", agent), "Discord may block any other"
        if "requestBody" not in operation:
            assert not request.content
            return
        kind = request.headers["content-type"].partition(";")[0]
        wanted = operation["requestBody"]["content"][kind]["schema"]
        if kind == "application/json":
            _valid(json_of(request), wanted, schemas)
            return
        fields = multipart_of(request)
        body = json.loads(fields.pop("payload_json")[2])
        _valid(body, wanted, schemas)
        assert [f"files[{item['id']}]" for item in body["attachments"]] == list(fields)

    return check


def slack_check(specification: Mapping[str, Any]) -> Callable[[httpx.Request], None]:
    """Whether a request is one of Slack's: a method, its arguments, none missing, and the token in its header alone."""

    def check(request: httpx.Request) -> None:
        if request.url.path.startswith("/upload/"):
            assert "authorization" not in request.headers, "the token is not for that address"
            return
        path = request.url.path.removeprefix("/api")
        known, required = _arguments(specification, path)
        values = _slack_values(request)
        assert set(values) <= known, set(values) - known
        assert required <= set(values), required - set(values)
        assert "token" not in values
        assert request.headers["authorization"].startswith("Bearer ")

    return check


def webhook_check(request: httpx.Request) -> None:
    """Whether an incoming webhook's message has only fields that there are."""
    assert set(json_of(request)) <= set(NEWER["webhook"])
    assert "authorization" not in request.headers


def _arguments(specification: Mapping[str, Any], path: str) -> tuple[set[str], set[str]]:
    """Names of all arguments of a method and of those that it needs, the token aside."""
    operations = specification["paths"].get(path, {})
    parameters = [
        item for operation in operations.values() for item in operation["parameters"] if item["name"] != "token"
    ]
    known = {item["name"]: bool(item.get("required")) for item in parameters} | NEWER["fields"].get(path, {})
    assert operations or path in NEWER["fields"], path
    return set(known), {name for name, needed in known.items() if needed}


def _slack_values(request: httpx.Request) -> dict[str, Any]:
    if request.method == "GET":
        return dict(request.url.params)
    if request.headers["content-type"].startswith("application/json"):
        return dict(json_of(request))
    return dict(parse_qsl(request.content.decode()))


def _closed(schemas: Mapping[str, Any]) -> dict[str, Any]:
    """The schemas, none of whose objects may hold what they don't name."""
    closed = deepcopy(dict(schemas))
    for schema in closed.values():
        if schema.get("properties"):
            schema["additionalProperties"] = False
    return closed


def _valid(value: Any, schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> None:
    whole = {**schema, "components": {"schemas": schemas}}
    jsonschema.Draft202012Validator(whole).validate(value)


def _matches(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) is not None


def _path_values(specification: Mapping[str, Any], path: str) -> list[tuple[str, str]]:
    template = next(name for name in specification["paths"] if _matches(name, path))
    match = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template), path)
    assert match is not None
    return list(match.groupdict().items())
