"""Requests and answers held against a discovery document of Google's: an unknown parameter or key is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

DATA = Path(__file__).parent / "data"
UNIT = 256 * 1024
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "array": list,
    "object": dict,
}
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_PIECE = re.compile(r"bytes (?:\*|(\d+)-(\d+))/(\d+)")


def extract() -> dict[str, Any]:
    """The extract that lies beside the tests."""
    found: dict[str, Any] = json.loads((DATA / "youtube/specification.json").read_text(encoding="utf-8"))
    return found


def discovery_check(specification: Mapping[str, Any], *, base: str = "") -> Callable[[httpx.Request], None]:
    """Whether a request is one of YouTube's; ``base`` is the path below which the API lives."""

    def check(request: httpx.Request) -> None:
        path = request.url.path.removeprefix(base)
        method = method_of(specification, request.method, path)
        if request.method == "PUT" and "mediaUpload" in method:
            _check_piece(request)
            return
        known = {**specification["parameters"], **method["parameters"]}
        for name, value in request.url.params.items():
            assert name in known, f"{path}: {name}"
            _check_parameter(known[name], value)
        missing = [name for name, rule in method["parameters"].items() if rule.get("required")]
        assert set(missing) <= set(request.url.params), missing
        if request.url.params.get("uploadType") == "media":
            assert request.headers["content-type"] in method["mediaUpload"]["accept"]
            assert 0 < len(request.content) <= int(method["mediaUpload"]["maxSize"])
            return
        if "request" not in method:
            assert not request.content
            return
        body = json.loads(_words(request))
        assert list(wrong(specification, method["request"]["$ref"], body)) == []
        assert set(body) - {"id"} <= set(request.url.params["part"].split(",")), "what is no part is not stored"
        if request.url.params.get("uploadType") != "resumable":
            return
        assert request.headers["x-upload-content-type"].startswith("video/")
        assert 0 < int(request.headers["x-upload-content-length"]) <= int(method["mediaUpload"]["maxSize"])

    return check


def _words(request: httpx.Request) -> bytes:
    """The JSON of a body, which a file may follow as the second of two parts."""
    kind, _semicolon, more = request.headers.get("content-type", "").partition(";")
    if kind != "multipart/related":
        return request.content
    nothing, words, file, end = request.content.split(b"--" + more.strip().removeprefix("boundary=").encode())
    assert (nothing, end) == (b"", b"--\r\n")
    assert file.partition(b"\r\n\r\n")[2], "the file is empty"
    return words.partition(b"\r\n\r\n")[2]


def method_of(specification: Mapping[str, Any], verb: str, path: str) -> Mapping[str, Any]:
    """The method behind an address. Raises AssertionError where there is none."""
    resources = specification["resources"].values()
    methods = [each for resource in resources for each in resource.get("methods", {}).values()]
    upload = [each for each in methods if "mediaUpload" in each and path == _upload_path(each)]
    if upload and verb in ("POST", "PUT"):  # a session begins with the method, and takes its bytes by PUT
        return upload[0]
    found = [each for each in methods if f"/{each['path']}" == path and each["httpMethod"] == verb]
    assert found, f"{verb} {path}"
    return found[0]


def _upload_path(method: Mapping[str, Any]) -> str:
    return str(method["mediaUpload"]["protocols"]["simple"]["path"])


def wrong(specification: Mapping[str, Any], name: str, value: Any) -> Iterator[str]:
    """What of a value the schema ``name`` doesn't know; a schema that is not there takes everything."""
    schema = specification["schemas"].get(name)
    if schema is not None:
        yield from _wrong(specification, schema, value, name)


def _wrong(specification: Mapping[str, Any], schema: Mapping[str, Any], value: Any, where: str) -> Iterator[str]:
    if "$ref" in schema:
        yield from wrong(specification, schema["$ref"], value)
        return
    kind = schema["type"]
    if not isinstance(value, _TYPES[kind]) or (kind == "integer" and isinstance(value, bool)):
        yield f"{where}: {value!r} is no {kind}"
    elif kind == "array":
        for each in value:
            yield from _wrong(specification, schema["items"], each, where)
    elif kind == "object" and "properties" in schema:
        for key, inner in value.items():
            if key not in schema["properties"]:
                yield f"{where}.{key} is not known"
            else:
                yield from _wrong(specification, schema["properties"][key], inner, f"{where}.{key}")
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r}"
    elif schema.get("format") == "date-time" and not _INSTANT.fullmatch(value):
        yield f"{where}: {value!r} is no instant"
    elif schema.get("format") == "uint64" and not value.isdigit():
        yield f"{where}: {value!r} is no number"


def _check_parameter(rule: Mapping[str, Any], value: str) -> None:
    if rule["type"] == "integer":
        assert int(rule["minimum"]) <= int(value) <= int(rule["maximum"]), value
    elif rule["type"] == "boolean":
        assert value in ("true", "false"), value
    assert "enum" not in rule or set(value.split(",")) <= set(rule["enum"]), value


def _check_piece(request: httpx.Request) -> None:
    """A piece in its place, or the question how far the session is.

    https://developers.google.com/youtube/v3/guides/using_resumable_upload_protocol
    """
    match = _PIECE.fullmatch(request.headers["content-range"])
    assert match is not None, request.headers["content-range"]
    assert int(request.headers["content-length"]) == len(request.content)
    if match[1] is None:
        assert not request.content
        return
    start, end, total = (int(match[number]) for number in (1, 2, 3))
    assert len(request.content) == end - start + 1
    assert end < total
    assert end + 1 == total or len(request.content) % UNIT == 0
