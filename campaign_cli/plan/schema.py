"""The JSON Schema of plans, for editors: generated from the same models that read them."""

from __future__ import annotations

from typing import Any, Final

from campaign_cli.platforms import PLATFORMS

_REQUIRED: Final = {
    "": ("campaign", "timezone", "posts"),
    "Media": ("file", "alt"),
    "Slot": ("slot",),
}


def plan_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a plan file."""
    from campaign_cli.plan.model import Plan

    schema = Plan.model_json_schema()
    _tidy(schema)
    definitions = schema["$defs"]
    for name, keys in _REQUIRED.items():
        (definitions[name] if name else schema)["required"] = list(keys)
    post = definitions["Post"]
    post["oneOf"] = [{"required": [key]} for key in ("at", "every", "rrule")]
    # Editors offer the platforms; accounts and languages may be named as well.
    variants = post["properties"]["variants"]
    variants["properties"] = {name: {"$ref": "#/$defs/Variant"} for name in PLATFORMS}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Campaign plan",
        **{key: value for key, value in schema.items() if key != "title"},
    }


def _tidy(part: Any) -> None:
    """Without the titles that only repeat the keys, and without null: a key without a value is an error."""
    if isinstance(part, list):
        for item in part:
            _tidy(item)
    if not isinstance(part, dict):
        return
    if isinstance(part.get("title"), str):
        del part["title"]
    part.pop("default", None)  # editors would write it into the file
    choices = part.get("anyOf")
    if isinstance(choices, list):
        kept = [choice for choice in choices if choice != {"type": "null"}]
        if len(kept) == 1:
            del part["anyOf"]
            part.update(kept[0])
        else:
            part["anyOf"] = kept
    for item in list(part.values()):
        _tidy(item)
