"""One plan through the real command line to a real WordPress, Bluesky, Matrix and Mastodon API, read back by others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from clients import Images, faceted, picture_at, plain
from conftest import Servers, Workspace, new_workspace, wait_until

PLAN = """\
campaign: uji-nyata
title: Uji nyata
timezone: WIB
language: id
accounts: [semua]
posts:
  - id: gambar
    at: @AT@
    text: |
      Upah layak adalah hak 😀 “kita”.
      Baca https://serikat.example/upah?kota=jakarta&no=2 sekarang. #UpahLayak
    media:
      - {file: media/merah.png, alt: 'Poster merah bertuliskan "Upah Layak" & <2027>', consent: true}
      - {file: media/biru.png, alt: Massa aksi di depan gedung, consent: true}
    variants:
      wordpress: {title: "Upah layak & adil", slug: upah-layak, categories: [Rilis], tags: [upah, Hidup Buruh], excerpt: Ringkasan.}
  - id: utas
    at: @AT@
    text: Utas tentang upah.
    thread:
      - Satu. Upah minimum belum cukup untuk hidup layak.
      - Dua. Karena itu kami turun ke jalan.
      - Tiga. Hidup buruh!
  - id: tautan
    at: @AT@
    text: "Tuntutan **lengkap** ada di situs kami."
    link: https://serikat.example/tuntutan
"""  # noqa: E501
LINK = "https://serikat.example/upah?kota=jakarta&no=2"
ALTS = ['Poster merah bertuliskan "Upah Layak" & <2027>', "Massa aksi di depan gedung"]
TEXT = f"Upah layak adalah hak 😀 “kita”.\nBaca {LINK} sekarang. #UpahLayak"
THREAD = [
    "Satu. Upah minimum belum cukup untuk hidup layak.",
    "Dua. Karena itu kami turun ke jalan.",
    "Tiga. Hidup buruh!",
]

Published = tuple[Workspace, dict[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, servers: Servers) -> Published:
    """The plan, checked, queued and published once through the command line."""
    workspace = new_workspace(tmp_path_factory.mktemp("serikat"), servers)
    at = workspace.queue(PLAN, ahead=45)  # a pass comes before that, also on a busy machine
    early = workspace.campaign("publish")
    assert early.returncode == 0, early.stderr
    assert {item["state"] for item in workspace.deliveries().values()} == {"waiting"}
    wait_until(at)
    ran = workspace.campaign("publish")
    deliveries = workspace.deliveries()
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}\n{deliveries}"
    assert {item["state"] for item in deliveries.values()} == {"published"}
    return workspace, deliveries


def ids(published: Published, name: str) -> list[str]:
    return [receipt["id"] for receipt in published[1][name]["receipts"]]


def test_mastodon_has_the_text_and_the_pictures(published: Published, servers: Servers) -> None:
    """The status has text, link, hashtag, both pictures with their alt texts, and the permalink of the receipt."""
    (number,) = ids(published, "gambar/mastodon")
    status = servers.mastodon.status(number)
    assert plain(status["content"]) == TEXT
    assert [media["description"] for media in status["media_attachments"]] == ALTS
    assert status["visibility"] == "public"
    assert status["language"] == "id"
    assert published[1]["gambar/mastodon"]["receipts"][0]["url"] == status["url"]
    for media in status["media_attachments"]:
        assert picture_at(media["url"])[0].startswith("image/")


def test_mastodon_has_the_thread_in_order(published: Published, servers: Servers) -> None:
    """Each part answers the one before."""
    numbers = ids(published, "utas/mastodon")
    statuses = [servers.mastodon.status(number) for number in numbers]
    assert [plain(status["content"]) for status in statuses] == THREAD
    assert [status["in_reply_to_id"] for status in statuses] == [None, *numbers[:-1]]


def test_mastodon_has_the_link_in_the_text(published: Published, servers: Servers) -> None:
    """A link of a post stands in the text, where the server makes its card from it."""
    (number,) = ids(published, "tautan/mastodon")
    assert plain(servers.mastodon.status(number)["content"]).endswith("https://serikat.example/tuntutan")


def test_bluesky_has_the_text_with_facets_and_the_pictures(published: Published, servers: Servers) -> None:
    """The record has the text, facets that cover link and hashtag to the byte, and the pictures with alt and ratio."""
    (uri,) = ids(published, "gambar/bluesky")
    record = servers.bluesky.record(uri)["value"]
    assert record["text"] == TEXT
    assert record["langs"] == ["id"]
    assert faceted(record) == [(LINK, LINK), ("#UpahLayak", "UpahLayak")]
    images = record["embed"]["images"]
    assert [image["alt"] for image in images] == ALTS
    assert all(image["aspectRatio"]["width"] * 3 == image["aspectRatio"]["height"] * 4 for image in images)
    for image in images:
        mime, content = servers.bluesky.blob(image["image"]["ref"]["$link"])
        assert (mime, len(content)) == (image["image"]["mimeType"], image["image"]["size"])
    path = f"/profile/{servers.bluesky.handle}/post/{uri.rpartition('/')[2]}"
    assert published[1]["gambar/bluesky"]["receipts"][0]["url"].endswith(path)


def test_bluesky_has_the_thread_in_order(published: Published, servers: Servers) -> None:
    """Each part replies to the one before, and all have the first as root, by uri and cid."""
    posts = [servers.bluesky.record(uri) for uri in ids(published, "utas/bluesky")]
    assert [post["value"]["text"] for post in posts] == THREAD
    refs = [{"uri": post["uri"], "cid": post["cid"]} for post in posts]
    assert "reply" not in posts[0]["value"]
    assert [post["value"]["reply"] for post in posts[1:]] == [
        {"root": refs[0], "parent": refs[0]},
        {"root": refs[0], "parent": refs[1]},
    ]


def test_bluesky_has_the_link(published: Published, servers: Servers) -> None:
    """The link is one that a reader can follow: a facet of the text, or a card."""
    (uri,) = ids(published, "tautan/bluesky")
    record = servers.bluesky.record(uri)["value"]
    cards = [record["embed"]["external"]["uri"]] if "external" in record.get("embed", {}) else []
    assert "https://serikat.example/tuntutan" in [*cards, *(target for _words, target in faceted(record))]


def test_wordpress_has_the_post_as_an_editor_would_write_it(published: Published, servers: Servers) -> None:
    """Title, slug, excerpt, terms and body are there; the first picture is featured, the second stands in the body."""
    (number,) = ids(published, "gambar/web")
    post = servers.wordpress.post(number)
    assert (post["status"], post["slug"], post["title"]["raw"]) == ("publish", "upah-layak", "Upah layak & adil")
    assert post["excerpt"]["raw"] == "Ringkasan."
    assert servers.wordpress.names("categories", post["categories"]) == ["Rilis"]
    assert {"upah", "Hidup Buruh"} <= set(servers.wordpress.names("tags", post["tags"]))
    featured = servers.wordpress.get(f"media/{post['featured_media']}")
    ((source, alt),) = Images(post["content"]["raw"]).found
    assert [_unescaped(featured["alt_text"]), alt] == ALTS
    for address in (featured["source_url"], source):
        assert picture_at(address)[0].startswith("image/")
    shown = plain(post["content"]["rendered"])
    assert shown.startswith(
        "Upah layak adalah hak 😀 “kita”.\nBaca https://serikat.example/upah?kota=jakarta&no=2 sekarang."
    )
    assert f'<a href="{LINK.replace("&", "&amp;")}">' in post["content"]["raw"]


def test_wordpress_permalinks_are_those_of_published_posts(published: Published, servers: Servers) -> None:
    """The receipt's address is the pretty one, and a reader who is not signed in finds the post there."""
    url = published[1]["gambar/web"]["receipts"][0]["url"]
    assert url == servers.wordpress.post(ids(published, "gambar/web")[0])["link"]
    assert url.endswith("/upah-layak/")
    page = picture_at(url)[1].decode()
    assert "<h1>Upah layak &#038; adil</h1>" in page
    assert [alt for _source, alt in Images(page).found] == ALTS


def test_wordpress_joins_a_thread_and_puts_the_link_below(published: Published, servers: Servers) -> None:
    """A thread is one post there; the link of a post stands on a line of its own; Markdown is HTML."""
    (number,) = ids(published, "utas/web")
    shown = plain(servers.wordpress.post(number)["content"]["rendered"])
    assert [shown.index(text) for text in THREAD] == sorted(shown.index(text) for text in THREAD)
    (number,) = ids(published, "tautan/web")
    body = servers.wordpress.post(number)["content"]["raw"]
    assert "<strong>lengkap</strong>" in body
    assert '<a href="https://serikat.example/tuntutan">' in body


def test_matrix_has_the_text_and_the_pictures(published: Published, servers: Servers) -> None:
    """The text, then each picture with its alt text as caption; the bytes are those that the event speaks of."""
    (number,) = ids(published, "gambar/matrix")
    bodies = servers.matrix.texts()
    start = bodies.index(TEXT)
    assert bodies[start + 1 : start + 3] == ALTS
    events = servers.matrix.events()[start : start + 3]
    assert [event["content"]["msgtype"] for event in events] == ["m.text", "m.image", "m.image"]
    assert events[0]["event_id"] == number
    assert published[1]["gambar/matrix"]["receipts"][0]["url"].endswith(f"%24{number[1:]}?via=contoh.test")
    for event in events[1:]:
        info = event["content"]["info"]
        mime, content = servers.matrix.media(event["content"]["url"])
        assert (mime, len(content), info["w"], info["h"]) == (info["mimetype"], info["size"], 320, 240)


def test_matrix_has_the_thread_in_order(published: Published, servers: Servers) -> None:
    """Every later part stands in the thread of the first, and the server counts it there."""
    numbers = ids(published, "utas/matrix")
    contents = [servers.matrix.event(number)["content"] for number in numbers]
    assert [content["body"] for content in contents] == THREAD
    relations = [content.get("m.relates_to", {}) for content in contents]
    assert [relation.get("event_id") for relation in relations] == [None, numbers[0], numbers[0]]
    assert [relation.get("m.in_reply_to", {}).get("event_id") for relation in relations] == [None, *numbers[:-1]]
    assert servers.matrix.event(numbers[0])["unsigned"]["m.relations"]["m.thread"]["count"] == 2


def test_matrix_has_the_link_and_the_marks(published: Published, servers: Servers) -> None:
    """The link stands in the text, and marks are HTML beside it."""
    (number,) = ids(published, "tautan/matrix")
    content = servers.matrix.event(number)["content"]
    assert content["body"] == "Tuntutan lengkap ada di situs kami.\n\nhttps://serikat.example/tuntutan"
    assert content["formatted_body"].startswith("Tuntutan <strong>lengkap</strong> ada")


def test_a_second_publish_posts_nothing(published: Published, servers: Servers) -> None:
    """Another pass, and another queue of the same plan, leave every server as it was."""
    workspace, before = published
    counts = servers.counts()
    for words in (("publish",), ("queue", "plan.yaml", "--yes"), ("publish",)):
        ran = workspace.campaign(*words)
        assert ran.returncode == 0, f"{words}: {ran.stdout}\n{ran.stderr}"
    assert servers.counts() == counts
    assert workspace.deliveries() == before


def test_accounts_check_finds_working_accounts(published: Published, servers: Servers) -> None:
    """``accounts check`` signs in everywhere."""
    ran = published[0].campaign("accounts", "check", "--json")
    assert ran.returncode == 0, ran.stderr
    assert servers.bluesky.handle in ran.stdout
    assert servers.matrix.user in ran.stdout
    json.loads(ran.stdout)


@pytest.mark.parametrize("account", ["mastodon", "bluesky", "web", "matrix"])
def test_a_wrong_password_is_told_by_the_account_check(workspace: Workspace, account: str) -> None:
    """A refused secret ends with exit code 3 and names the account, but never the secret."""
    ran = workspace.campaign("accounts", "check", account, secrets=dict.fromkeys(workspace.secrets, "salah-sekali"))
    assert ran.returncode == 3, f"{ran.stdout}\n{ran.stderr}"
    assert account in ran.stdout + ran.stderr
    assert "salah-sekali" not in ran.stdout + ran.stderr


def test_a_wrong_password_publishes_nothing(workspace: Workspace, servers: Servers) -> None:
    """With refused secrets every delivery fails, nothing is posted, and the exit code is 3."""
    before = servers.counts()
    wait_until(workspace.queue(PLAN))
    ran = workspace.campaign("publish", secrets=dict.fromkeys(workspace.secrets, "salah-sekali"))
    assert ran.returncode == 3, f"{ran.stdout}\n{ran.stderr}"
    assert "salah-sekali" not in ran.stdout + ran.stderr
    assert {item["state"] for item in workspace.deliveries().values()} == {"failed"}
    assert servers.counts() == before


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
