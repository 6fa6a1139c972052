"""Turns what pydantic finds into located problems, in words for people who never heard of pydantic."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from campaign_cli.i18n import _
from campaign_cli.models import Problem, Severity
from campaign_cli.source import Source, path_text, suggest


@dataclass(frozen=True, kw_only=True, slots=True)
class Codes:
    """The codes under which a family of findings is reported.

    ``also`` are keys that are allowed at the top beside the model's own (for suggestions); ``refused`` keys have a
    code, message and fix of their own instead of "not known".
    """

    unknown: str = "P020"
    missing: str = "P021"
    kind: str = "P022"
    value: str = "P023"
    also: Sequence[str] = ()
    refused: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)


_BRANCH: Final = "\u00a7"


def branch(name: str) -> str:
    """A tag for one branch of a union; problems leave it out of their paths."""
    return _BRANCH + name


def finding(code: str, message: str, fix: str = "") -> PydanticCustomError:
    """To be raised inside a validator: carries its own code, message and fix (already in the user's language)."""
    return PydanticCustomError("finding", "{message}", {"code": code, "message": message, "fix": fix})


def problems_of(
    error: ValidationError,
    source: Source,
    *,
    model: type[BaseModel],
    at: Sequence[str | int] = (),
    codes: Codes | None = None,
) -> list[Problem]:
    """Every finding of a validation error, at its place in ``source``; ``at`` is where the model's own path begins."""
    codes = codes or Codes()
    found = []
    for details in error.errors(include_url=False):
        path = (*at, *real_path(details["loc"]))
        kind = details["type"]
        if kind == "extra_forbidden" and path[-1] in codes.refused:
            code, message, fix = codes.refused[str(path[-1])]
            found.append(source.problem(path, code=code, severity=Severity.ERROR, message=message, fix=fix, key=True))
        elif kind == "extra_forbidden":
            allowed = [*_keys_at(model, details["loc"][:-1]), *(codes.also if len(details["loc"]) == 1 else ())]
            found.append(_unknown(source, path, code=codes.unknown, allowed=allowed))
        elif kind == "missing":
            message = _('The key "{key}" is missing.').format(key=path[-1])
            fix = _('Write "{key}: …" here.').format(key=path[-1])
            found.append(source.problem(path, code=codes.missing, severity=Severity.ERROR, message=message, fix=fix))
        elif kind == "finding":
            context = details["ctx"]
            found.append(
                source.problem(
                    path,
                    code=context["code"],
                    severity=Severity.ERROR,
                    message=context["message"],
                    fix=context["fix"],
                )
            )
        else:
            found.append(_wrong(source, path, details, codes=codes))
    return found


def real_path(loc: Sequence[str | int]) -> tuple[str | int, ...]:
    """pydantic's path without the branches of unions."""
    return tuple(step for step in loc if not (isinstance(step, str) and step.startswith(_BRANCH)))


def _unknown(source: Source, path: Sequence[str | int], *, code: str, allowed: Sequence[str]) -> Problem:
    hint = suggest(str(path[-1]), allowed)
    message = _('The key "{key}" is not known here.').format(key=path[-1]) + hint
    fix = _("Known keys: {keys}.").format(keys=", ".join(sorted(allowed))) if allowed else _("Delete it.")
    return source.problem(path, code=code, severity=Severity.ERROR, message=message, fix=fix, key=True)


def _wrong(source: Source, path: Sequence[str | int], details: ErrorDetails, *, codes: Codes) -> Problem:
    """A value of the wrong type, or one that a model refused."""
    key = _label(path)
    kind, value = details["type"], details["input"]
    wanted = _wanted(kind)
    if wanted:
        message = _("{key} must be {wanted}, not {found}.").format(key=key, wanted=wanted, found=_found(value))
        fix = _kind_fix(source, path, value=value, kind=kind)
        return source.problem(path, code=codes.kind, severity=Severity.ERROR, message=message, fix=fix)
    context: Mapping[str, Any] = details.get("ctx", {})
    message, fix = _value_message(kind, key=key, context=context, said=details["msg"])
    return source.problem(path, code=codes.value, severity=Severity.ERROR, message=message, fix=fix)


def _value_message(kind: str, *, key: str, context: Mapping[str, Any], said: str) -> tuple[str, str]:
    if kind in {"string_too_short", "too_short"}:
        return _("{key} is empty.").format(key=key), _("Write something, or delete the key.")
    if kind in {"string_too_long", "too_long"}:
        return _("{key} is longer than {limit}.").format(key=key, limit=context["max_length"]), _("Shorten it.")
    bounds = {
        "greater_than_equal": (_("{key} must be {limit} or more."), "ge"),
        "less_than_equal": (_("{key} must be {limit} or less."), "le"),
        "greater_than": (_("{key} must be more than {limit}."), "gt"),
    }
    if kind in bounds:
        text, bound = bounds[kind]
        return text.format(key=key, limit=context[bound]), _("Write another number.")
    if kind == "literal_error":
        allowed = ", ".join(re.findall(r"'([^']*)'", str(context["expected"])))  # pydantic joins them in English
        return _("{key} must be one of: {allowed}.").format(key=key, allowed=allowed), _("Write one of these words.")
    reason = str(context["error"]) if kind == "value_error" and "error" in context else said
    message = _("{key} can't be used: {reason}.").format(key=key, reason=reason.rstrip("."))
    return message, _("Write another value, or delete the key.")


def _label(path: Sequence[str | int]) -> str:
    """The last key and what follows it: ``hashtags[1]``."""
    start = max((index for index, step in enumerate(path) if isinstance(step, str)), default=0)
    return f'"{path_text(path[start:])}"'


def _wanted(kind: str) -> str:
    return {
        "string_type": _("text"),
        "tuple_type": _("a list"),
        "list_type": _("a list"),
        "dict_type": _("a group of keys"),
        "model_type": _("a group of keys"),
        "model_attributes_type": _("a group of keys"),
        "mapping_type": _("a group of keys"),
        "int_type": _("a whole number"),
        "int_parsing": _("a whole number"),
        "int_from_float": _("a whole number"),
        "float_type": _("a number"),
        "float_parsing": _("a number"),
        "bool_type": _("true or false"),
        "bool_parsing": _("true or false"),
    }.get(kind, "")


def _found(value: object) -> str:
    """What stands there, without repeating text that may be a secret or very long."""
    if value is None:
        return _("empty")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _("the number {number}").format(number=value)
    if isinstance(value, list):
        return _("a list")
    if isinstance(value, dict):
        return _("a group of keys")
    return _("text")


def empty_fix(source: Source, path: Sequence[str | int]) -> str:
    """What to do about a key without a value."""
    if "#" in source.line(source.place(path).line):
        return _("Put text that begins with # in quotes: without them it is a comment.")
    return _("Write a value, or delete the key.")


def _kind_fix(source: Source, path: Sequence[str | int], *, value: object, kind: str) -> str:
    if value is None:
        return empty_fix(source, path)
    if kind == "string_type" and isinstance(value, int | float):
        return _('Put it in quotes, like "{value}".').format(value=str(value).lower())
    if kind.startswith(("dict", "model", "mapping")):
        return _('Write lines like "key: value" below it, indented.')
    return {
        "tuple": _("Write a list: [one, two], or one item on each line after a dash."),
        "list": _("Write a list: [one, two], or one item on each line after a dash."),
        "bool": _("Write true or false, without quotes."),
        "int": _("Write the number without quotes."),
        "float": _("Write the number without quotes."),
    }.get(kind.partition("_")[0], _("Write one text behind the colon, in quotes or below a | sign."))


def _keys_at(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """The keys of the model that stands at a path below ``model``."""
    current: type[BaseModel] | None = model
    for step in loc:
        if current is None or not isinstance(step, str):
            continue
        for name, info in current.model_fields.items():
            if step in {name, info.alias}:
                current = next(_models_in(info.annotation), None)
                break
    return [info.alias or name for name, info in current.model_fields.items()] if current else []


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that an annotation mentions, at any depth."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
