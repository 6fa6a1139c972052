"""A process that dies before or after any request: what it had not written down is found again, and nothing doubles."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from backends import place

from campaign_cli import platforms
from campaign_cli.dispatch.engine import Dispatcher
from campaign_cli.dispatch.options import LEASE, Options
from campaign_cli.dispatch.publish import publish_pass
from campaign_cli.ledger import open_ledger
from campaign_cli.ledger.files import ledger_file
from campaign_cli.models import Account, State
from campaign_cli.platforms.base import Answer, Request
from campaign_cli.platforms.http import HttpTransport
from tests.fault_helpers import Scene, Theatre, decide_as_a_person, open_theatre

TEXTS = ("Kabar dengan gambar", "Kabar berikutnya")
NETWORKS = ("matrix", "slack", "webhook")


class Killed(BaseException):
    """The process is gone: whatever it did from here on is undone."""


class Dying:
    """A process whose line breaks it before or after one of its requests, with the ledger as it was then."""

    def __init__(self, scene: Scene, *, at: int, after: bool) -> None:
        self.scene, self.at, self.after = scene, at, after
        self.requests = 0
        self.kept: bytes | None = None

    def line(self, account: Account) -> Any:
        http, dying = HttpTransport(redact=self.scene.secrets.redact, now=self.scene.clock.now), self

        class Line:
            async def send(self, request: Request) -> Answer:
                dying.requests += 1
                struck = dying.requests == dying.at + 1
                if struck and not dying.after:
                    dying.die()
                answer = await http.send(request)
                if struck:
                    dying.die()
                return answer

            async def aclose(self) -> None:
                await http.aclose()

        return Line()

    def die(self) -> None:
        with (
            closing(sqlite3.connect(ledger_file(self.scene.root))) as there,
            closing(sqlite3.connect(":memory:")) as copy,
        ):
            there.backup(copy)
            self.kept = copy.serialize()
        raise Killed

    def run(self) -> bool:
        """One pass; whether it died."""
        scene = self.scene
        dispatcher = Dispatcher(
            ledger=scene.ledger,
            workspace=scene.workspace,
            secrets=scene.secrets,
            clock=scene.clock.now,
            sleep=scene.clock.sleep,
            transport=self.line,
            options=Options(worker="mati:1", late_grace=scene.late_grace, lockstep=True),
            chance=scene.chance,
        )
        with suppress(Killed):
            asyncio.run(publish_pass(dispatcher))
        if self.kept is None:
            return False
        scene.ledger.close()
        file = ledger_file(scene.root)
        for left in file.parent.glob(f"{file.name}*"):
            left.unlink()
        file.write_bytes(self.kept)
        scene.ledger = open_ledger(scene.root, clock=scene.clock.now)
        return True


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """One stage for all scenes of this process."""
    with open_theatre(tmp_path_factory.mktemp("kosong")) as opened:
        yield opened


@pytest.mark.parametrize("platform", NETWORKS)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_every_step_can_be_the_last(tmp_path: Path, theatre: Theatre, platform: str, after: bool) -> None:
    """A post with two pictures and a reply: whenever the process dies, both are out once in the end, and whole."""
    if place(tmp_path):
        pytest.skip("the ledger's file is looked at here")
    adapter = platforms.get(platform)
    pictures = min(2, adapter.limits.images)
    died, number = True, 0
    while died:
        scene = Scene(tmp_path / str(number), theatre, platform, ["akun"])
        try:
            scene.queue("akun", *TEXTS, pictures=pictures)
            died = Dying(scene, at=number, after=after).run()
            asyncio.run(scene.clock.sleep(2 * LEASE.total_seconds()))
            wrong = scene.settle()
            uncertain = scene.deliveries()["akun/kabar"].state is State.UNCERTAIN
            assert not uncertain or adapter.blind(next(iter(scene.workspace.accounts.values()))), number
            decide_as_a_person(scene, {"akun/kabar": TEXTS})
            assert [*wrong, *scene.settle()] == [], number
            assert scene.deliveries()["akun/kabar"].state is State.PUBLISHED, number
            assert [post.text for post in scene.posts("akun")] == list(TEXTS), number
            assert [len(post.media) for post in scene.posts("akun")] == [pictures, 0], number
        finally:
            scene.close()
        number += 1
    assert number > len(TEXTS)
