"""What a container proves to the engine: a published one is never published again, however late its post shows up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from campaign_cli.models import State
from tests.fault_helpers import Scene, Theatre, open_theatre

pytestmark = pytest.mark.parametrize("platform", ["instagram", "threads"])


@pytest.fixture
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """A stage of its own."""
    with open_theatre(tmp_path_factory.mktemp("kosong")) as opened:
        yield opened


def test_a_post_that_is_not_listed_yet_is_waited_for(
    tmp_path: Path, theatre: Theatre, platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is lost and the list lags for hours: in doubt until it shows up, then adopted, and out once."""
    scene = Scene(tmp_path, theatre, platform, ["akun"])
    try:
        scene.queue("akun", "Kabar yang terlambat terlihat.")
        scene.misbehave("akun", kind="accept-then-drop", times=1)
        with monkeypatch.context() as lagging:
            lagging.setattr(scene.server.state, "posts_of", lambda _account: [])
            for _look in range(6):
                scene.publish()
                assert scene.deliveries()["akun/kabar"].state is State.UNCERTAIN
                asyncio.run(scene.clock.sleep(1800))
        (post,) = scene.posts("akun")
        assert scene.settle() == []
        delivery = scene.deliveries()["akun/kabar"]
        assert (delivery.state, [one.id for one in delivery.receipts]) == (State.PUBLISHED, [post.id])
        assert len(scene.kept("akun")) == 1
        assert sum(one.creating for one in scene.sent["akun"]) == 1
    finally:
        scene.close()


def test_a_container_that_outlived_its_day_is_made_anew(tmp_path: Path, theatre: Theatre, platform: str) -> None:
    """The connection was cut before the post was stored, and nobody came back for two days: one post, late."""
    scene = Scene(tmp_path, theatre, platform, ["akun"])
    try:
        scene.queue("akun", "Kabar yang lama tertunda.")
        scene.misbehave("akun", kind="drop-before", times=1)
        scene.publish()
        asyncio.run(scene.clock.sleep(30 * 3600))
        assert scene.settle() == []
        assert scene.deliveries()["akun/kabar"].state is State.PUBLISHED
        assert len(scene.kept("akun")) == 1
    finally:
        scene.close()
