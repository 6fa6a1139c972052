"""A picture that is laid where everybody can fetch it is out, too."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from dispatch_helpers import FakePlatform, Table

from campaign_cli.dispatch.publish import publish_pass
from campaign_cli.models import Picture, Receipt
from campaign_cli.platforms.base import Sending

PICTURE = Picture(sha256="a" * 64, name="aksi.png", mime="image/png", size=3, width=1, height=1, alt="Massa")


@pytest.mark.parametrize("held", [False, True])
def test_under_a_hold_no_picture_is_laid_out_for_the_network(tmp_path: Path, held: bool) -> None:
    """A hold that opens after the claim stops the file as well as the post; without one, it is there."""

    class Fetching(FakePlatform):
        async def publish(self, sending: Sending) -> Receipt:
            if held:
                with table.open() as ledger:
                    ledger.hold(reason="kecelakaan", actor="siti")
            await sending.public_url(PICTURE)
            return await super().publish(sending)

    public = tmp_path / "publik"
    public.mkdir()
    host = {"folder": "publik", "url": "https://serikat.example/publik"}
    table = Table(tmp_path, replace(Table.account("web"), media_host=host))
    table.platform = Fetching()
    key = table.queue("a", media={PICTURE: b"png"})
    asyncio.run(publish_pass(table.dispatcher()))
    assert table.state(key) == ("waiting" if held else "published")
    assert len(list(public.iterdir())) == (0 if held else 1)
    table.ledger.close()
