"""Posts of several messages: those of one delivery stand together, however many deliveries and processes there are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from campaign_cli import platforms
from campaign_cli.dispatch.engine import Dispatcher
from campaign_cli.dispatch.options import Options
from campaign_cli.dispatch.places import Places
from campaign_cli.dispatch.publish import publish_pass
from campaign_cli.models import Account, State
from campaign_cli.platforms import PLATFORMS
from campaign_cli.platforms.base import Answer, Request
from campaign_cli.platforms.http import HttpTransport
from tests.fault_helpers import Scene, open_theatre

ROOMS = ("balai", "kantor")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Two rooms, two posts with a picture in each, all due now."""
    empty = tmp_path / "kosong"
    empty.mkdir()
    with open_theatre(empty) as theatre:
        opened = Scene(tmp_path / "scene", theatre, "matrix", ROOMS)
        for number in range(2):
            for room in ROOMS:
                opened.queue(room, f"Kabar {number}", post=f"kabar{number}", pictures=1)
        try:
            yield opened
        finally:
            opened.close()


class Interrupted:
    """A line to the stage; once, between a text and its picture, another process makes a whole pass."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.texts = scene, 0

    def process(self, worker: str, transport: Any) -> Dispatcher:
        scene = self.scene
        return Dispatcher(
            ledger=scene.ledger,
            workspace=scene.workspace,
            secrets=scene.secrets,
            clock=scene.clock.now,
            sleep=scene.clock.sleep,
            transport=transport,
            options=Options(worker=worker, in_flight=1, late_grace=scene.late_grace, lockstep=True),
            chance=scene.chance,
        )

    def plain(self, _account: Account) -> HttpTransport:
        return HttpTransport(redact=self.scene.secrets.redact, now=self.scene.clock.now)

    def watched(self, account: Account) -> Any:
        http, interrupted = self.plain(account), self

        class Line:
            async def send(self, request: Request) -> Answer:
                if request.creating and request.url.endswith(".1") and not interrupted.texts:
                    interrupted.texts += 1
                    await publish_pass(interrupted.process("b:1", interrupted.plain))
                return await http.send(request)

            async def aclose(self) -> None:
                await http.aclose()

        return Line()


def test_no_other_post_stands_between_a_text_and_its_picture(scene: Scene) -> None:
    """While one process is between the two, another one may post in other rooms, and not in this one."""
    interrupted = Interrupted(scene)
    asyncio.run(publish_pass(interrupted.process("a:1", interrupted.watched)))
    assert scene.settle() == []
    assert interrupted.texts == 1
    assert {one.state for one in scene.deliveries().values()} == {State.PUBLISHED}
    for room in ROOMS:
        events = [(event["id"], post.id) for post in scene.posts(room) for event in post.data["events"]]
        posts = [post for _event, post in sorted(events)]
        assert [len(posts), posts[0], posts[2]] == [4, posts[1], posts[3]]


@pytest.mark.parametrize("platform", [name for name in PLATFORMS if platforms.get(name).thread_form == "order"])
def test_no_other_post_stands_between_the_parts_of_a_thread(tmp_path: Path, platform: str) -> None:
    """Where no message can answer another one, the parts of a thread stand below each other."""
    (tmp_path / "kosong").mkdir()
    with open_theatre(tmp_path / "kosong") as theatre:
        scene = Scene(tmp_path / "scene", theatre, platform, ["kanal"])
        try:
            for number in range(3):
                scene.queue("kanal", *(f"Utas {number}, bagian {part}" for part in range(3)), post=f"utas{number}")
            assert scene.settle() == []
            shown = [post.text for post in scene.posts("kanal")]
        finally:
            scene.close()
    assert shown == [f"Utas {number}, bagian {part}" for number in range(3) for part in range(3)]


def test_a_rate_of_its_own_makes_no_second_place(scene: Scene) -> None:
    """An account with a rate may start one more when its time comes; where one post goes at a time, it may not."""
    room, other = scene.workspace.accounts
    accounts = {name: replace(account, rate=60) for name, account in scene.workspace.accounts.items()}
    places = Places(accounts, per_account=5, clock=scene.clock.now, singly=[room])
    for name in accounts:
        places.take(name)
    assert {min(accounts.keys() - left): most for most, left in places.windows(None) if len(left) == 1} == {
        room: 1,
        other: 2,
    }
