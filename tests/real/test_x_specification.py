"""X's whole OpenAPI against our requests, the stage's answers to them, and the list that the ordinary tests use.

It is read from ``CAMPAIGN_CONTRACTS`` or ``../shared/contracts``, since it may not be passed on.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from films import film, video
from platform_helpers import failure_of, picture
from x_helpers import KNOWN

from campaign_cli.models import Part
from campaign_cli.platforms.base import Answer, Request, Sending
from campaign_cli.platforms.x import platform
from tests.stage_helpers import Played, open_played, png

PROJECT = Path(__file__).resolve().parents[2]
CONTRACTS = Path(os.environ.get("CAMPAIGN_CONTRACTS") or PROJECT.parent / "shared" / "contracts")
FILE = CONTRACTS / "x-openapi" / "openapi.json"
pytestmark = pytest.mark.skipif(
    not FILE.is_file(), reason="X's OpenAPI is not here; CAMPAIGN_CONTRACTS names its folder"
)


@pytest.fixture(scope="module")
def specification() -> dict[str, Any]:
    """The whole document."""
    loaded: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return loaded


class Rules:
    """The document, and what is wrong with a value by one of its schemas: a key that the schema doesn't know, too."""

    def __init__(self, specification: Mapping[str, Any]) -> None:
        self.whole = specification

    def resolved(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in node:
            found: Any = self.whole
            for name in str(node["$ref"]).removeprefix("#/").split("/"):
                found = found[name]
            node = found
        return node

    def operation(self, method: str, path: str) -> Mapping[str, Any]:
        """The operation of a request: an address that isn't there is an error."""
        for template, operations in self.whole["paths"].items():
            pattern = re.sub(r"\{\w+\}", r"\\d+", template)
            if re.fullmatch(pattern, path) and not (path.endswith("/me") and "{" in template):
                return dict(operations[method.lower()])
        raise AssertionError(f"{method} {path}")

    def parameters(self, operation: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
        found = [self.resolved(each) for each in operation.get("parameters", ())]
        return {each["name"]: each for each in found if each["in"] == "query"}

    def wrong(self, schema: Mapping[str, Any], value: Any, at: str) -> Iterator[str]:
        schema = self.resolved(schema)
        if value is None and schema.get("nullable"):
            return
        for each in schema.get("allOf", ()):
            yield from self.wrong(each, value, at)
        for choice in ("oneOf", "anyOf"):
            if choice in schema and not any(not list(self.wrong(each, value, at)) for each in schema[choice]):
                yield f"{at}: {value!r} is none of its {choice}"
        kinds: dict[str, Any] = {"object": dict, "array": list, "string": str | bytes, "integer": int, "boolean": bool}
        kind = schema.get("type")
        if kind in kinds and not isinstance(value, kinds[kind]):
            yield f"{at}: {value!r} is no {kind}"
        elif isinstance(value, dict) and "properties" in schema:
            yield from self._wrong_object(schema, value, at)
        elif isinstance(value, list):
            if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
                yield f"{at}: {len(value)} items"
            for number, each in enumerate(value):
                yield from self.wrong(schema.get("items", {}), each, f"{at}[{number}]")
        elif isinstance(value, str | int):
            yield from self._wrong_value(schema, value, at)

    def _wrong_object(self, schema: Mapping[str, Any], value: Mapping[str, Any], at: str) -> Iterator[str]:
        yield from (f"{at}.{name} is absent" for name in schema.get("required", ()) if name not in value)
        for name, inner in value.items():
            if name in schema["properties"]:
                yield from self.wrong(schema["properties"][name], inner, f"{at}.{name}")
            else:
                yield f"{at}.{name} is not known"

    def _wrong_value(self, schema: Mapping[str, Any], value: str | int, at: str) -> Iterator[str]:
        if value not in schema.get("enum", (value,)):
            yield f"{at}: {value!r} is not one of {schema['enum']}"
        if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
            yield f"{at}: {value!r} has another form"
        if isinstance(value, str) and len(value) > schema.get("maxLength", len(value)):
            yield f"{at}: {len(value)} characters"
        if isinstance(value, int) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            yield f"{at}: {value}"


class Taped:
    """A transport that keeps what it sent and what came back."""

    def __init__(self, http: Any, tape: list[tuple[Request, Answer | None]]) -> None:
        self.http, self.tape = http, tape

    async def send(self, request: Request) -> Any:
        self.tape.append((request, None))
        answer = await self.http.send(request)
        self.tape[-1] = (request, answer)
        return answer


@pytest.fixture
def tape(tmp_path: Path) -> list[tuple[Request, Answer | None]]:
    """A thread with a picture, looked up, read back, found, deleted and checked on the stage."""
    kept: list[tuple[Request, Answer | None]] = []
    stage = open_played(tmp_path)
    file = png()
    content = (Part(text="Satu https://example.org/a", media=(picture(file),)), Part(text="Dua"))

    def run(work: Any, **more: Any) -> Any:
        async def taped(sending: Sending) -> Any:
            sending.http = Taped(sending.http, kept)
            return await work(sending)

        more = {"content": content, "bytes_of": {content[0].media[0].sha256: file}} | more
        return stage.run("x", taped, **more)

    with stage.server, stage.http:
        _everything(stage, run)
    return kept


def _everything(stage: Played, run: Any) -> None:
    first = run(platform.publish)
    second = run(platform.publish, part=1, earlier=(first,))
    since = stage.clock.now() - timedelta(minutes=5)
    assert run(lambda sending: platform.look_up(sending, since)).found
    assert run(lambda sending: platform.look_up(sending, since), part=1, earlier=(first,)).found
    assert run(lambda sending: platform.read_back(sending, first))
    assert run(lambda sending: platform.find(sending, first.url))
    assert run(lambda sending: failure_of(platform.publish(sending)))  # the same text twice
    filmed = film(size=5_000_000)
    shown = (Part(text="Video aksi", media=(video(filmed),)),)
    assert run(platform.publish, content=shown, bytes_of={shown[0].media[0].sha256: filmed})
    assert run(platform.check)
    for _again in range(2):
        run(lambda sending: platform.delete(sending, second))
    assert run(lambda sending: platform.read_back(sending, second)) is None


def _path(request: Request) -> str:
    return "/2/" + request.url.partition("/2/")[2]


def _query(rules: Rules, operation: Mapping[str, Any], request: Request) -> Iterator[str]:
    known = rules.parameters(operation)
    for name, value in request.query.items():
        if name not in known:
            yield f"{name} is not known"
            continue
        schema = rules.resolved(known[name]["schema"])
        read: Any = value.split(",") if schema["type"] == "array" else value
        yield from rules.wrong(schema, int(value) if schema["type"] == "integer" else read, name)
    yield from (
        f"{name} is absent" for name, each in known.items() if each.get("required") and name not in request.query
    )


def _body(rules: Rules, operation: Mapping[str, Any], request: Request) -> Iterator[str]:
    if "requestBody" not in operation:
        assert request.json is None and request.form is None, request.url
        return
    kind = "multipart/form-data" if request.uploads else "application/json"
    files = {upload.field: upload.content for upload in request.uploads}
    schema = rules.resolved(operation["requestBody"]["content"][kind]["schema"])
    numbers = {name for name, each in schema["properties"].items() if each.get("type") == "integer"}
    form = {name: int(value) if name in numbers else value for name, value in (request.form or {}).items()}
    yield from rules.wrong(schema, {**form, **files} if request.uploads else request.json, "body")


def test_every_request_is_one_that_x_knows(
    specification: dict[str, Any], tape: list[tuple[Request, Answer | None]]
) -> None:
    """Address, parameters, keys, forms and bounds; and every operation of the list was asked."""
    rules, asked = Rules(specification), set()
    for request, _answer in tape:
        operation = rules.operation(request.method, _path(request))
        wrong = [*_query(rules, operation, request), *_body(rules, operation, request)]
        assert wrong == [], f"{request.method} {request.url}"
        asked.add(f"{request.method} {re.sub(r'(?<=.)/[0-9]+', '/{id}', _path(request))}")
    assert asked == set(KNOWN)


def test_the_stage_answers_as_x_does(specification: dict[str, Any], tape: list[tuple[Request, Answer | None]]) -> None:
    """Every good answer of the stage has the shape of the specification, and no key of its own."""
    rules = Rules(specification)
    seen = 0
    for request, answer in tape:
        if answer is None or answer.status >= 300:
            continue
        responses = rules.operation(request.method, _path(request))["responses"]
        good = next(responses[name] for name in responses if name.startswith("2"))
        schema = good["content"]["application/json"]["schema"]
        body = answer.json()
        shown = {name: value for name, value in body.items() if name != "errors"}
        assert list(rules.wrong(schema, shown, f"{request.method} {request.url}")) == []
        for problem in body.get("errors", ()):
            assert list(rules.wrong({"$ref": "#/components/schemas/Problem"}, problem, "errors")) == []
        seen += 1
    assert seen > len(KNOWN)


def test_what_we_do_not_know_fails(specification: dict[str, Any]) -> None:
    """The reading of the specification is strict: an unknown key, a wrong form and a missing one are told."""
    rules = Rules(specification)
    create = rules.operation("POST", "/2/tweets")["requestBody"]["content"]["application/json"]["schema"]
    for body in (
        {"status": "a"},
        {"text": 5},
        {"text": "a", "media": {"media_ids": ["x"]}},
        {"text": "a", "reply": {}},
    ):
        assert list(rules.wrong(create, body, "body")), body
    with pytest.raises(AssertionError):
        rules.operation("POST", "/2/statuses")


def test_the_list_of_the_ordinary_tests_is_the_specification(specification: dict[str, Any]) -> None:
    """Every name in it stands there, with the words and bounds that it gives."""
    rules = Rules(specification)
    for route, names in KNOWN.items():
        method, _space, path = route.partition(" ")
        operation = rules.operation(method, path.replace("{id}", "1"))
        for name, rule in names.items():
            schema = _schema(rules, operation, name)
            if isinstance(rule, list):
                words = rules.resolved(schema.get("items", schema))["enum"]
                assert set(rule) <= set(words), (route, name)
            elif isinstance(rule, dict):
                bounds = {schema.get(key) for key in ("minimum", "maximum", "minItems", "maxItems")} - {None}
                assert bounds == {rule["from"], rule["to"]}, (route, name)
            elif rule == "flag":
                assert schema["type"] == "boolean", (route, name)
            elif rule == "id":
                assert schema["pattern"] == "^[0-9]{1,19}$", (route, name)


def _schema(rules: Rules, operation: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Of a parameter, or of a key of the body by its dotted name."""
    parameters = rules.parameters(operation)
    if name in parameters:
        return rules.resolved(parameters[name]["schema"])
    schema = rules.resolved(next(iter(operation["requestBody"]["content"].values()))["schema"])
    for key in name.split("."):
        schema = rules.resolved(schema["properties"][key])
    return schema
