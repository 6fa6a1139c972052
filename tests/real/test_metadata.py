"""Pictures that tell all they can, published to real servers: what those hold tells nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from clients import picture_at
from conftest import Servers, Workspace, new_workspace, wait_until
from picture_metadata import MARKER, TELLING

from campaign_cli.content.metadata import metadata_of

HEAD = "campaign: uji-metadata\ntimezone: WIB\nlanguage: id\naccounts: [semua]\nposts:\n"
POST = """\
  - {{id: {name}, at: @AT@, text: Kabar {name}, media: [{{file: media/{file}, alt: Massa aksi, consent: true}}]}}
"""
NAMES = {file: file.replace(".", "-") for file in TELLING}

Published = tuple[Workspace, dict[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, servers: Servers) -> Published:
    """A post for each kind of file, published once through the command line."""
    workspace = new_workspace(tmp_path_factory.mktemp("metadata"), servers)
    for file, make in TELLING.items():
        content = make()
        assert MARKER in content
        (workspace.folder / "media" / file).write_bytes(content)
    at = workspace.queue(HEAD + "".join(POST.format(name=name, file=file) for file, name in NAMES.items()), ahead=30)
    deliveries: dict[str, dict[str, Any]] = {}
    for again in range(6):  # several uploads make the site's first folder at once: some are refused, and sent again
        wait_until(at + timedelta(seconds=10 * again))
        ran = workspace.campaign("publish")
        assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
        deliveries = workspace.deliveries()
        if all(each["state"] == "published" for each in deliveries.values()):
            break
    return workspace, deliveries


def bare(content: bytes) -> None:
    """Nothing but a picture."""
    assert content.startswith((b"\xff\xd8\xff", b"\x89PNG", b"RIFF"))
    assert metadata_of(content).kinds == {}
    assert MARKER not in content


@pytest.mark.parametrize("name", NAMES.values())
def test_bluesky_holds_a_bare_picture(published: Published, servers: Servers, name: str) -> None:
    """The blob of the record."""
    (receipt,) = published[1][f"{name}/bluesky"]["receipts"]
    (image,) = servers.bluesky.record(receipt["id"])["value"]["embed"]["images"]
    bare(servers.bluesky.blob(image["image"]["ref"]["$link"])[1])


@pytest.mark.parametrize("name", NAMES.values())
def test_matrix_holds_a_bare_picture(published: Published, servers: Servers, name: str) -> None:
    """The file of the message that has one, wherever its caption stands."""
    addresses = [
        event["content"]["url"]
        for event in servers.matrix.events()
        if event["content"].get("url") and event["content"]["filename"].startswith(("a.", "kamera."))
    ]
    assert len(addresses) == len(NAMES)
    bare(servers.matrix.media(addresses[list(NAMES.values()).index(name)])[1])


@pytest.mark.parametrize("name", NAMES.values())
def test_wordpress_holds_a_bare_picture(published: Published, servers: Servers, name: str) -> None:
    """The file, every smaller one that the site made of it, and what the site noted of its camera and caption."""
    (receipt,) = published[1][f"{name}/web"]["receipts"]
    media = servers.wordpress.get(f"media/{servers.wordpress.post(receipt['id'])['featured_media']}", context="edit")
    bare(picture_at(media["source_url"])[1])
    for size in media["media_details"]["sizes"].values():
        assert MARKER not in picture_at(size["source_url"])[1]
    noted = media["media_details"]["image_meta"]
    assert not any(value for key, value in noted.items() if key != "orientation" and value != "0"), noted
    assert MARKER.decode() not in str(media)


@pytest.mark.parametrize("name", NAMES.values())
def test_mastodon_holds_no_marker(published: Published, servers: Servers, name: str) -> None:
    """What the API shows behind the address of the attachment."""
    (receipt,) = published[1][f"{name}/mastodon"]["receipts"]
    (media,) = servers.mastodon.status(receipt["id"])["media_attachments"]
    assert MARKER not in picture_at(media["url"])[1]
