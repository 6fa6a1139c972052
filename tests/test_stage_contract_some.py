"""What only some networks have (threads, keys, limits), each adapter against the stage that plays it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from campaign_cli import platforms
from campaign_cli.errors import Failure, Rejected
from campaign_cli.models import Part
from campaign_cli.platforms.base import Sending
from tests.fault_lines import answered
from tests.platform_helpers import failure_of
from tests.stage_helpers import Played, open_played

THREADED = [name for name in platforms.PLATFORMS if platforms.get(name).threads]
KEYED = [name for name in platforms.PLATFORMS if platforms.get(name).proof.repeat_for is not None]
LIMITED = [name for name in platforms.PLATFORMS if platforms.get(name).limits.text is not None]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Played]:
    """A running stage with an account of every network."""
    played = open_played(tmp_path)
    with played.server, played.http:
        yield played


async def _failure(sending: Sending) -> Failure:
    return await failure_of(platforms.get(sending.account.platform).publish(sending))


@pytest.mark.parametrize("platform", THREADED)
def test_a_thread_keeps_its_order(stage: Played, platform: str) -> None:
    """Each part answers the part before, or all answer the first; else they stand below each other in their order."""
    texts = ("Satu dari tiga.", "Dua dari tiga.", "Tiga dari tiga.")
    stage.publish(platform, *(Part(text=text) for text in texts))
    posts = stage.posts()
    assert [post["text"] for post in posts] == list(texts)
    assert [post["reply_to"] for post in posts] == answered(platform, [post["id"] for post in posts])


@pytest.mark.parametrize("platform", KEYED)
def test_the_same_key_again_makes_no_second_post(stage: Played, platform: str) -> None:
    """Where the network removes doubles, sending the same again gives the same receipt."""
    adapter = platforms.get(platform)
    steps: dict[str, Any] = {}
    first = stage.run(platform, adapter.publish, steps=steps)
    again = stage.run(platform, adapter.publish, steps=steps)
    assert (first.id, first.url) == (again.id, again.url)
    assert len(stage.posts()) == 1


@pytest.mark.parametrize("platform", LIMITED)
def test_a_text_that_is_too_long_is_refused(stage: Played, platform: str) -> None:
    """The stage counts for itself: one more than the limit is refused, the limit is taken."""
    limits = platforms.get(platform).limits
    assert limits.text is not None
    sign = "e" if limits.unit == "bytes" else "é"
    (_receipt,) = stage.publish(platform, Part(text=sign * limits.text))
    content = (Part(text=sign * (limits.text + 1)),)
    assert isinstance(stage.run(platform, _failure, content=content, key="9" * 40), Rejected)
    assert len(stage.posts()) == 1
