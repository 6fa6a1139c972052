"""No piece of metadata of a picture reaches any network: looked for in the very bytes that the stage received."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from films import PLACE, film
from picture_metadata import MARKER, TELLING

from campaign_cli import platforms
from campaign_cli.accounts import Workspace
from campaign_cli.content.boxes import read_film
from campaign_cli.content.metadata import metadata_of
from campaign_cli.models import State
from campaign_cli.stage.rehearsal import rehearse
from campaign_cli.stage.rehearsed import Rehearsal
from campaign_cli.stage.server import CuttableProtocol
from tests.stage_helpers import ACCOUNTS, START

SHOWING = [name for name in platforms.PLATFORMS if platforms.get(name).limits.images]
FILMING = [
    name for name in platforms.PLATFORMS if platforms.get(name).limits.videos and not platforms.get(name).by_hand
]
HEAD = "campaign: aksi\ntimezone: WIB\nlanguage: id\nposts:\n"


def writings(marker: bytes) -> list[bytes]:
    """A marker as plain bytes, in UTF-16, as hexadecimal digits and in base64, wherever it begins there."""
    found = [marker, marker.decode().encode("utf-16-le"), marker.decode().encode("utf-16-be"), marker.hex().encode()]
    for filling in range(3):
        whole = base64.b64encode(bytes(filling) + marker)
        found.append(whole[[0, 2, 3][filling] : len(whole) // 4 * 4 - 4])
    return found


def test_the_marker_would_be_found() -> None:
    """In every writing, at every place."""
    for before in range(6):
        text = bytes(before) + b"x" + MARKER + b"akhir"
        for sent in (text, base64.b64encode(text), text.hex().encode(), text.decode().encode("utf-16-le")):
            assert any(writing in sent for writing in writings(MARKER))


def rehearsed(
    root: Path, platform: str, monkeypatch: pytest.MonkeyPatch, media: dict[str, bytes]
) -> tuple[Rehearsal, bytes]:
    """A plan with a post for each file, published by one network; and every byte that the stage received."""
    received = bytearray()
    inner = CuttableProtocol.data_received

    def tapped(self: CuttableProtocol, data: bytes) -> None:
        received.extend(data)
        inner(self, data)

    monkeypatch.setattr(CuttableProtocol, "data_received", tapped)
    account = next(account for account in ACCOUNTS.values() if account.platform == platform)
    plan = HEAD
    for number, (file, content) in enumerate(media.items()):
        (root / file).write_bytes(content)
        plan += f"  - id: pos-{number}\n    at: 2035-06-{number + 1:02} 08:00\n    accounts: [{account.name}]\n"
        plan += f"    text: Kita turun bersama, hari {number}.\n    media: [{{file: {file}, alt: Massa aksi}}]\n"
    (root / "plan.yaml").write_text(plan)
    workspace = Workspace(root=root, accounts={account.name: account})
    return rehearse(root / "plan.yaml", workspace, now=START), bytes(received)


@pytest.mark.parametrize("platform", SHOWING)
def test_no_metadata_of_a_picture_reaches_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    """EXIF, the place, XMP, IPTC, maker notes, thumbnails, profiles, texts, comments and what lies behind the picture:
    nothing of it is sent, and the picture arrives."""
    originals = {name: make() for name, make in TELLING.items()}
    assert all(MARKER in original for original in originals.values())
    done, received = rehearsed(tmp_path, platform, monkeypatch, originals)
    assert {row.state for row in done.rows} == {State.PUBLISHED}
    assert done.faithful
    for writing in writings(MARKER):
        assert writing not in received
    arrived = [picture for delivery in done.deliveries for picture in delivery.draft.pictures]
    assert len(arrived) == len(originals)
    for picture in arrived:
        content = done.pictures[picture.sha256]
        assert metadata_of(content).kinds == {}
        if not platforms.get(platform).by_hand:
            assert content in received or base64.b64encode(content) in received
        assert picture.removed


@pytest.mark.parametrize("platform", FILMING)
def test_no_metadata_of_a_film_reaches_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    """Neither place nor time nor anything else that a film says of itself is sent."""
    done, received = rehearsed(tmp_path, platform, monkeypatch, {"a.mp4": film()})
    assert {row.state for row in done.rows} == {State.PUBLISHED}
    assert read_film(film()).removed == {"gps": 1, "time": 1}  # type: ignore[union-attr]
    for writing in writings(PLACE):
        assert writing not in received
    assert (3_900_000_000).to_bytes(4, "big") not in received
    (picture,) = (picture for delivery in done.deliveries for picture in delivery.draft.pictures)
    assert picture.removed == (("gps", 1), ("time", 1))
