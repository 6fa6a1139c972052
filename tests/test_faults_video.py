"""Every fault at every request of a video's way to networks that take pictures as well: it goes out once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from campaign_cli.models import State
from tests.fault_helpers import Scene, Theatre, decide_as_a_person, open_theatre
from tests.platform_helpers import video

FILM = video(b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 20_000)
"""5 MB: two parts on LinkedIn, two pieces on X."""
CHANGING = {"linkedin": 5, "x": 5}
"""Begin, two pieces, finish, post."""
KINDS = ("accept-then-drop", "drop-before", "drop-half", "503", "429")


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """One stage for all scenes of this process."""
    with open_theatre(tmp_path_factory.mktemp("kosong")) as opened:
        yield opened


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("platform", CHANGING)
def test_a_video_goes_out_once_whatever_breaks(tmp_path: Path, theatre: Theatre, platform: str, kind: str) -> None:
    """Each pass is a process of its own: what is only in memory is lost between two, and the post still goes out."""
    names = [f"akun{struck}" for struck in range(CHANGING[platform])]
    scene = Scene(tmp_path, theatre, platform, names, films=(FILM,))
    try:
        for struck, name in enumerate(names):
            scene.queue(name, f"Film {struck}")
            scene.misbehave(name, kind=kind, requests="changing", skip=struck, times=1)
        assert scene.settle(eager=True) == []
        assert [order.times for order in scene.orders] == [0] * len(names)
        decide_as_a_person(scene, {f"{name}/kabar": (f"Film {struck}",) for struck, name in enumerate(names)})
        assert scene.settle() == []
        for name in names:
            (post,) = scene.posts(name)
            assert [each.sha256 for each in post.media] == [FILM.sha256]
            delivery = scene.deliveries()[f"{name}/kabar"]
            assert delivery.state is State.PUBLISHED, delivery.error
    finally:
        scene.close()
