"""Meta's whole specification against our requests to a Page, and against the extract that the ordinary tests use.

It is read from ``CAMPAIGN_CONTRACTS`` or ``../shared/contracts``.
"""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from facebook_helpers import DATA, UNKNOWN, Asked, Specification, film
from platform_helpers import failure_of, picture

from campaign_cli.models import Part
from campaign_cli.platforms.base import Request, Sending
from campaign_cli.platforms.facebook import platform
from tests.stage_helpers import Played, open_played, png

PROJECT = Path(__file__).resolve().parents[2]
CONTRACTS = Path(os.environ.get("CAMPAIGN_CONTRACTS") or PROJECT.parent / "shared" / "contracts")
SPECS = CONTRACTS / "facebook-graph" / "specs"
OBJECTS = ("Page", "PagePost", "Photo", "Comment", "AdVideo")
pytestmark = pytest.mark.skipif(
    not SPECS.is_dir(), reason="Meta's specification is not here; CAMPAIGN_CONTRACTS names its folder"
)


@pytest.fixture(scope="module")
def whole() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The objects that we meet, and the words of parameters."""
    objects = {name: json.loads((SPECS / f"{name}.json").read_text(encoding="utf-8")) for name in OBJECTS}
    return objects, json.loads((SPECS / "enum_types.json").read_text(encoding="utf-8"))


class Taped:
    """A transport that keeps what it sent."""

    def __init__(self, http: Any, tape: list[Request]) -> None:
        self.http, self.tape = http, tape

    async def send(self, request: Request) -> Any:
        self.tape.append(request)
        return await self.http.send(request)


@pytest.fixture
def tape(tmp_path: Path) -> list[Request]:
    """Everything that can be asked of a page, on the stage."""
    kept: list[Request] = []
    stage = open_played(tmp_path)
    files = [png(), png(80, 60), b"film" * 400_000]
    pictures = tuple(picture(file, alt="Poster") for file in files[:2])
    video = film(files[2])
    bytes_of = dict(zip([each.sha256 for each in (*pictures, video)], files, strict=True))

    def run(work: Any, *content: Part, **more: Any) -> Any:
        async def taped(sending: Sending) -> Any:
            sending.http = Taped(sending.http, kept)
            return await work(sending)

        return stage.run("facebook", taped, content=content, bytes_of=bytes_of, **more)

    thread = (Part(text="Satu", media=pictures), Part(text="Dua", media=pictures[:1]))
    with stage.server, stage.http:
        _posts(stage, run, thread)
        _video(stage, run, Part(text="Film", media=(video,)))
        run(platform.publish, Part(text="Tautan"), link="https://example.org/upah")
        run(lambda sending: failure_of(platform.publish(sending)), Part(text="Tautan"), link="https://example.org/upah")
        run(platform.check, Part(text=""))
    return kept


def _posts(stage: Played, run: Any, thread: tuple[Part, ...]) -> None:
    since = stage.clock.now() - timedelta(minutes=5)
    first = run(platform.publish, *thread)
    second = run(platform.publish, *thread, part=1, earlier=(first,))
    assert run(lambda sending: platform.look_up(sending, since), *thread).found
    assert run(lambda sending: platform.look_up(sending, since), *thread, part=1, earlier=(first,)).found
    for receipt in (second, first):
        assert run(lambda sending, one=receipt: platform.read_back(sending, one), *thread).alts
        assert run(lambda sending, one=receipt: platform.find(sending, one.url), *thread).id == receipt.id
        run(lambda sending, one=receipt: platform.delete(sending, one), *thread)


def _video(stage: Played, run: Any, part: Part) -> None:
    steps: dict[str, Any] = {}
    receipt = run(platform.publish, part, steps=steps)
    assert run(lambda sending: platform.look_up(sending, stage.clock.now()), part, steps=steps).found
    comment = run(platform.publish, part, Part(text="Dua"), part=1, earlier=(receipt,))
    assert run(lambda sending: platform.read_back(sending, comment), part)
    assert run(lambda sending: platform.read_back(sending, receipt), part)
    assert run(lambda sending: platform.find(sending, receipt.url), part)
    short = "https://www.facebook.com/serikat.contoh/posts/pfbid02Contoh"
    assert run(lambda sending: platform.find(sending, short), part) is None
    run(lambda sending: platform.delete(sending, receipt), part)


def test_every_request_is_one_that_meta_knows(whole: tuple[dict[str, Any], Any], tape: list[Request]) -> None:
    """Addresses, parameters, fields and forms, by the whole specification; all of the extract's were asked."""
    specification, asked = Specification(*whole), set()
    for request in tape:
        sent = Asked.wanted(request)
        assert list(specification.wrong(sent)) == [], f"{request.method} {request.url}"
        asked.add((sent.method, sent.path.split("/", 3)[3] if sent.path.count("/") > 2 else ""))
    edges = {("POST", "feed"), ("POST", "photos"), ("POST", "videos"), ("POST", "comments")}
    assert asked == edges | {("GET", "published_posts"), ("GET", "comments"), ("GET", ""), ("DELETE", "")}


def test_what_meta_does_not_know_fails(whole: tuple[dict[str, Any], Any]) -> None:
    """The reading is strict: an unknown edge, parameter, field, word or file, and a token in the address are told."""
    specification = Specification(*whole)
    for asked in UNKNOWN:
        assert list(specification.wrong(asked)), asked


def test_the_extract_is_the_specification(whole: tuple[dict[str, Any], list[dict[str, Any]]]) -> None:
    """Every request, parameter, field and word of it stands there, with the same type."""
    extract, all_of_it = Specification.extract(), Specification(*whole)
    for place, parameters in extract.apis.items():
        assert parameters == all_of_it.apis[place], place
    for name, fields in extract.fields.items():
        assert fields <= all_of_it.fields[name], name
    assert extract.enums.items() <= all_of_it.enums.items()
    types = {name: {each["name"]: each["type"] for each in item["fields"]} for name, item in whole[0].items()}
    kept = json.loads(DATA.read_text(encoding="utf-8"))["objects"]
    for name, item in kept.items():
        assert {each["name"]: each["type"] for each in item["fields"]}.items() <= types[name].items(), name
