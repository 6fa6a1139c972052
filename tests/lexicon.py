"""Just enough of the Lexicon language to refuse a record that its schema does not know.

https://atproto.com/specs/lexicon
"""

from __future__ import annotations

import json
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from campaign_cli.platforms.text import graphemes

_FILE = Path(__file__).parent / "data" / "bluesky" / "lexicons.json"
LEXICONS: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))["lexicons"]
_FORMATS = {
    "datetime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)",
    "did": r"did:[a-z]+:[\w.:%-]*[\w.-]",
    "at-uri": r"at://did:[a-z]+:\w+/[\w.]+/[\w.~:-]+",
    "at-identifier": r"did:[a-z]+:\w+|([a-z0-9-]+\.)+[a-z]+",
    "cid": r"[a-z0-9]{8,}",
    "nsid": r"[a-z]+(\.[a-zA-Z]+)+",
    "record-key": r"[\w.~:-]{1,512}",
    "language": r"[a-z]{2,3}(-[A-Za-z0-9]+)*",
    "uri": r"[a-z]+:\S+",
    "handle": r"([a-z0-9-]+\.)+[a-z]+",
}


def faults(value: Any, name: str, *, part: str = "main") -> list[str]:
    """What is wrong with ``value`` as the definition ``name#part``; a procedure's input counts as its definition."""
    schema = LEXICONS[name][part]
    if schema["type"] == "procedure":
        schema = schema["input"]["schema"]
    if schema["type"] == "record":
        schema = schema["record"]
    return list(_faults(value, schema, name, "$"))


def _faults(value: Any, schema: dict[str, Any], lexicon: str, path: str) -> Any:
    kind = schema["type"]
    if kind == "ref":
        lexicon, schema = _resolved(schema["ref"], lexicon)
        yield from _faults(value, schema, lexicon, path)
    elif kind == "union":
        names = [_absolute(reference, lexicon) for reference in schema["refs"]]
        if value.get("$type") not in names:
            yield f"{path}: no {value.get('$type')} here"
            return
        lexicon, schema = _resolved(value["$type"], lexicon)
        yield from _faults(value, schema, lexicon, path)
    elif kind == "object":
        yield from _object_faults(value, schema, lexicon, path)
    elif kind == "array":
        if not isinstance(value, list) or len(value) > schema.get("maxLength", len(value)):
            yield f"{path}: no array, or too long"
            return
        for index, item in enumerate(value):
            yield from _faults(item, schema["items"], lexicon, f"{path}[{index}]")
    else:
        yield from _scalar_faults(value, schema, path)


def _scalar_faults(value: Any, schema: dict[str, Any], path: str) -> Any:
    kind = schema["type"]
    if kind == "string":
        yield from _string_faults(value, schema, path)
    elif kind == "integer":
        if type(value) is not int or value < schema.get("minimum", value):
            yield f"{path}: no integer, or too small"
    elif kind == "blob":
        fits = value.get("$type") == "blob" and value["size"] <= schema["maxSize"]
        if not fits or not any(fnmatch(value["mimeType"], accepted) for accepted in schema["accept"]):
            yield f"{path}: no blob that fits"
    elif kind == "boolean":
        if not isinstance(value, bool):
            yield f"{path}: no boolean"
    elif kind != "unknown":
        yield f"{path}: {kind} is not understood"


def _object_faults(value: Any, schema: dict[str, Any], lexicon: str, path: str) -> Any:
    known = schema["properties"]
    yield from (f"{path}.{name}: unknown" for name in value if name not in known and name != "$type")
    yield from (f"{path}.{name}: missing" for name in schema.get("required", ()) if name not in value)
    for name, member in value.items():
        if name in known and not (member is None and name in schema.get("nullable", ())):
            yield from _faults(member, known[name], lexicon, f"{path}.{name}")


def _string_faults(value: Any, schema: dict[str, Any], path: str) -> Any:
    if not isinstance(value, str):
        yield f"{path}: no string"
        return
    if len(value.encode()) > schema.get("maxLength", 10**9) or graphemes(value) > schema.get("maxGraphemes", 10**9):
        yield f"{path}: too long"
    if "format" in schema and not re.fullmatch(_FORMATS[schema["format"]], value):
        yield f"{path}: no {schema['format']}: {value}"


def _absolute(reference: str, lexicon: str) -> str:
    return lexicon + reference if reference.startswith("#") else reference


def _resolved(reference: str, lexicon: str) -> tuple[str, dict[str, Any]]:
    name, _, part = _absolute(reference, lexicon).partition("#")
    return name, LEXICONS[name][part or "main"]
