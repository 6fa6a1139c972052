"""Each distinct text of a plan, once, with the place where it is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from content_helpers import Folder
from PIL import Image

from campaign_cli.source import path_text


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path)
    (tmp_path / "media").mkdir()
    Image.new("RGB", (40, 30), "red").save(tmp_path / "media" / "poster.png")
    return folder


def _said(folder: Folder, body: str) -> list[tuple[str, str, str, list[str]]]:
    """Text, path, kind and accounts of each."""
    return [
        (said.text, path_text(said.path), said.kind, [planned.account.name for planned in said.planned])
        for said in folder.plan(body).texts
    ]


def test_what_several_deliveries_say_is_told_once(folder: Folder) -> None:
    """Hashtags below the text are told at their own place; WordPress gets none in its text."""
    body = """\
        accounts: [mastodon, langit, web]
        hashtags: [UpahLayak, Aksi]
        posts:
          - {id: satu, at: 2026-12-03 08:00, text: "Halo #1 dari kami."}
          - {id: dua, every: daily 08:00, from: 2026-12-04, until: 2026-12-05, text: "Aksi", hashtags: [Aksi]}
          - {id: tiga, at: 2026-12-06 08:00, text: "Halo #Lain #Aksi", hashtags: [aksi]}
        """
    assert _said(folder, body) == [
        ("Halo #1 dari kami.", "posts[0].text", "text", ["mastodon", "langit", "web"]),
        ("#UpahLayak", "hashtags[0]", "hashtag", ["mastodon", "langit"]),
        ("#Aksi", "hashtags[1]", "hashtag", ["mastodon", "langit"]),
        ("Aksi", "posts[1].text", "text", ["mastodon", "langit", "web"] * 2),
        ("#Aksi", "posts[1].hashtags[0]", "hashtag", ["mastodon", "langit"] * 2),
        ("Halo #Lain #Aksi", "posts[2].text", "text", ["mastodon", "langit", "web"]),
    ]


def test_everything_that_is_sent_is_told(folder: Folder) -> None:
    """Parts, native fields, links that stand apart, alt texts and file names, each at its place."""
    body = """\
        accounts: [mastodon, langit, web]
        link: https://example.org/upah
        posts:
          - id: satu
            at: 2026-12-03 08:00
            thread: [Satu., Dua.]
            media: [{file: media/poster.png, alt: Poster merah}]
            variants:
              langit: {text: Langit., media: []}
              web: {text: Panjang., title: Judul, tags: [upah, hak], alt: Poster di situs, hashtags: [Aksi]}
        """
    assert _said(folder, body) == [
        ("Satu.", "posts[0].thread[0]", "text", ["mastodon"]),
        ("Dua.\n\nhttps://example.org/upah", "posts[0].thread[1]", "text", ["mastodon"]),
        ("Poster merah", "posts[0].media[0].alt", "alt", ["mastodon"]),
        ("poster.png", "posts[0].media[0].file", "file", ["mastodon", "web"]),
        ("Langit.", "posts[0].variants.langit.text", "text", ["langit"]),
        ("https://example.org/upah", "link", "link", ["langit", "web"]),
        ("Panjang.", "posts[0].variants.web.text", "text", ["web"]),
        ("upah", "posts[0].variants.web.tags[0]", "tags", ["web"]),
        ("hak", "posts[0].variants.web.tags[1]", "tags", ["web"]),
        ("Judul", "posts[0].variants.web.title", "title", ["web"]),
        ("Poster di situs", "posts[0].variants.web.alt[0]", "alt", ["web"]),
    ]


def test_what_could_not_be_drawn_says_nothing(folder: Folder) -> None:
    """A post with an error has no draft, and a plan that could not be read no posts."""
    body = "accounts: [mastodon]\nposts:\n  - {id: satu, at: 2026-12-03 08:00, text: '{{ tidak_ada }}'}\n"
    assert _said(folder, body) == []
    assert _said(folder, "posts: 5\n") == []
