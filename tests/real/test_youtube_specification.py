"""What the YouTube adapter sends and what the stage answers, held against the whole discovery document.

It is read from ``CAMPAIGN_CONTRACTS`` or ``../shared/contracts``; a small extract is part of the ordinary tests.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from discovery_specification import discovery_check, extract, method_of, wrong

from campaign_cli.models import Part, Receipt, native_file
from campaign_cli.platforms.base import Answer, Http, Request, Sending
from campaign_cli.platforms.youtube import platform
from tests.platform_helpers import picture
from tests.real.test_chat_contracts import lacking
from tests.stage_helpers import START, Played, open_played

PROJECT = Path(__file__).resolve().parents[2]
CONTRACTS = Path(os.environ.get("CAMPAIGN_CONTRACTS") or PROJECT.parent / "shared" / "contracts")
DOCUMENT = CONTRACTS / "youtube/youtube.v3.json"
UPLOAD = "/upload/youtube/v3/videos"
SUBTITLES = b"1\n00:00:00,000 --> 00:00:02,000\nUpah layak\n"

pytestmark = pytest.mark.skipif(
    not DOCUMENT.is_file(), reason="the specification is not here; CAMPAIGN_CONTRACTS names it"
)


@dataclass
class Tape:
    """A transport that writes down what is asked and answered."""

    http: Http
    heard: list[tuple[Request, Answer]] = field(default_factory=list)

    async def send(self, request: Request) -> Answer:
        """Pass it on."""
        answer = await self.http.send(request)
        self.heard.append((request, answer))
        return answer


@pytest.fixture(scope="module")
def specification() -> Mapping[str, Any]:
    """The whole document."""
    found: Mapping[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The stage, and everything that the adapter can ask of it: (stage, tape)."""
    stage = open_played(tmp_path_factory.mktemp("youtube"))
    with stage.server, stage.http:
        yield stage, _everything(stage)


def _everything(stage: Played) -> list[tuple[Request, Answer]]:
    heard: list[tuple[Request, Answer]] = []

    async def work(sending: Sending) -> None:
        tape = Tape(sending.http, heard)
        sending.http = tape
        receipt: Receipt = await platform.publish(sending)
        await platform.look_up(sending, START)
        await sending.keep("session", None)
        await platform.look_up(sending, START - timedelta(days=1))
        await platform.read_back(sending, receipt)
        await platform.find(sending, str(receipt.url))
        await platform.check(sending)
        await platform.delete(sending, receipt)

    native = {"title": "Upah layak", "tags": ["upah", "hari buruh"], "ai_generated": True, "promotes": "paid"}
    stage.run("youtube", work, content=(Part(text="Upah layak."),), native=native, visibility="unlisted")

    async def furnish(sending: Sending) -> None:
        sending.http = Tape(sending.http, heard)
        await platform.publish(sending)

    thumbnail, track = picture(alt=""), picture(SUBTITLES, name="id.srt", mime="application/x-subrip", alt="")
    native = {"thumbnail": native_file(thumbnail), "captions": {"id": native_file(track)}}
    files = {track.sha256: SUBTITLES}
    stage.run("youtube", furnish, content=(Part(text="Kita turun."),), native=native, bytes_of=files)
    return heard


def test_every_request_is_one_that_youtube_knows(played: Any, specification: Mapping[str, Any]) -> None:
    """Every path, parameter and key is in the whole document, with the right type and within its bounds."""
    stage, heard = played
    check = discovery_check(specification, base=stage.path("youtube"))
    for request, _answer in heard:
        content = json.dumps(request.json).encode() if request.json is not None else request.content
        sent = httpx.Request(
            request.method, request.url, params=dict(request.query) or None, content=content, headers=request.headers
        )
        check(sent)
    kinds = {(request.method, httpx.URL(request.url).path.rpartition("/")[2]) for request, _answer in heard}
    wanted = {("POST", "videos"), ("PUT", "videos"), ("GET", "videos"), ("DELETE", "videos")}
    added = {("POST", "set"), ("POST", "captions")}
    assert kinds == wanted | added | {("GET", "channels"), ("GET", "playlistItems")}


def test_the_stage_answers_as_youtube_does(played: Any, specification: Mapping[str, Any]) -> None:
    """Every answer of the stage has the shape of the document, and no key of its own."""
    stage, heard = played
    read = 0
    for request, answer in heard:
        if answer.status != 200 or not answer.text:
            continue
        path = httpx.URL(request.url).path.removeprefix(stage.path("youtube"))
        method = method_of(specification, request.method, path)
        assert list(wrong(specification, method["response"]["$ref"], answer.json())) == []
        read += 1
    assert read > 5


def test_one_scope_covers_everything_that_is_asked(specification: Mapping[str, Any]) -> None:
    """What signing in asks for is enough for each method, and the document knows it."""
    assert platform.oauth is not None
    (scope,) = platform.oauth.scopes
    assert scope in specification["auth"]["oauth2"]["scopes"]
    for resource, methods in extract()["resources"].items():
        for name in methods["methods"]:
            assert scope in specification["resources"][resource]["methods"][name]["scopes"]


def test_what_youtube_does_not_know_fails(specification: Mapping[str, Any]) -> None:
    """The reading is strict: an unknown key, a wrong type, a wrong word and an unknown parameter are told."""
    for body in ({"judul": "x"}, {"snippet": {"title": 7}}, {"status": {"privacyStatus": "secret"}}):
        assert list(wrong(specification, "Video", body)), body
    check = discovery_check(specification)
    for url in ("/youtube/v3/videos?part=id&ids=x", "/youtube/v3/video", "/youtube/v3/videos?id=x"):
        with pytest.raises(AssertionError):
            check(httpx.Request("GET", f"https://www.googleapis.com{url}"))


def test_the_extract_is_part_of_the_whole(specification: Mapping[str, Any]) -> None:
    """Whatever the extract beside the ordinary tests says stands in the document word for word."""
    assert lacking(extract(), dict(specification)) == []
