"""Whole words and phrases, and the list that a union edits."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from content_helpers import ACCOUNTS, Folder

from campaign_cli.checks.phrases import Phrases, folded, without_links
from campaign_cli.checks.wordlist import MAX_BYTES, edited, shipped, word_list
from campaign_cli.plan import open_workspace

LIST = ["!!!", "bunuh mereka", "ganyang", "#ad", "AI-generated", "tulisan tangan"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Bunuh mereka!", ["bunuh mereka"]),
        ("BUNUH\n\tMEREKA", ["bunuh mereka"]),
        ("#BunuhMereka", ["bunuh mereka"]),
        ("#bunuh_mereka", ["bunuh mereka"]),
        ("bu\u200bnuh me\u00adreka", ["bunuh mereka"]),
        ("bünuh mérekà", ["bunuh mereka"]),
        ("𝗯𝘂𝗻𝘂𝗵 ｍｅｒｅｋａ", ["bunuh mereka"]),
        ("Bunuh. Mereka pergi", []),
        ("dibunuh mereka", []),
        ("bunuh merekalah", []),
        ("bunuh-bunuh mereka", ["bunuh mereka"]),
        ("ganyang, ganyang: bunuh mereka", ["bunuh mereka", "ganyang"]),
        ("diganyang ganyangan ganyang2", []),
        ("_ganyang_", ["ganyang"]),
        ("an ad, #ads, x#ad", []),
        ("Halo #AD", ["#ad"]),
        ("AI generated, aigenerated", ["AI-generated"]),
        ("!!!", []),
        ("", []),
    ],
)
def test_phrases(text: str, found: list[str]) -> None:
    """Whole words, whatever their case, accents and the space between them; they are told as the list writes them."""
    assert Phrases(LIST).found_in(text) == found


def test_folded() -> None:
    """Plain small letters, with what people see between them."""
    assert folded("UPAH Layak 1") == "upah layak 1"
    assert folded("Ünïcode Straße ﬁ １") == "unicode strasse fi 1"


def test_links_claim_nothing() -> None:
    """They are taken out, and the rest stays as it is where there is none."""
    assert without_links("a\nb  c") == "a\nb  c"
    assert without_links("a https://example.org/x\n b") == "a b"


def test_the_list_of_the_program() -> None:
    """Both languages, small letters, nothing twice, no comment; each finds itself."""
    words = shipped()
    assert {"bunuh mereka", "kill them", "usir cina", "burn it down"} <= set(words)
    assert len(words) == len(set(words)) > 100
    assert [word for word in words if word != folded(word) or "#" in word] == []
    phrases = Phrases(words)
    assert [word for word in words if word not in phrases.found_in(f"Lalu {word.upper()}!")] == []


@pytest.mark.parametrize(
    "sentence",
    [
        "Kita lawan upah murah, hancurkan rasa takut!",
        "Upah dasar Jawa Barat naik; pendidikan dasar Papua gratis.",
        "Bakar semangat, kawan! Bawa payung, air, dan senyum.",
        "Bunuh diri di tempat kerja bisa dicegah: hubungi layanan konseling.",
        "Hati-hati di jalan. Kami tahu hak kami.",
        "Daging cincang untuk dapur umum; pakis rebus untuk makan siang.",
        "We fight for a living wage. Kill the bill! Don't let them burn us out.",
        "PHK massal membunuh harapan ribuan keluarga.",
        "Serbu stan kami, ada kaus gratis!",
    ],
)
def test_what_unions_say_is_not_on_the_list(sentence: str) -> None:
    """Strong words of a movement are no threats."""
    assert Phrases(shipped()).found_in(sentence) == []


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], ["satu", "dua kata"]),
        (["tiga"], ["satu", "dua kata", "tiga"]),
        (["- SATU", "tiga"], ["dua kata", "tiga"]),
        (["-dua kata"], ["satu"]),
        (["- *", "tiga"], ["tiga"]),
        (["tiga", "-*"], ["tiga"]),
        (["- satu", "satu"], ["dua kata", "satu"]),
        (["- empat"], ["satu", "dua kata"]),
    ],
)
def test_a_list_is_edited(lines: list[str], expected: list[str]) -> None:
    """A line adds, a hyphen takes one away, a star all; what the union writes itself stays."""
    assert edited(["satu", "dua kata"], lines) == expected


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def _messages(folder: Folder, name: str) -> list[str]:
    folder.write("accounts.yaml", ACCOUNTS + f"rules: {{words: '{name}'}}\n")
    workspace, problems = open_workspace(folder.root)
    assert problems == []
    phrases, problems = word_list(workspace)
    assert phrases.found_in("ganyang") == ["ganyang"]  # the list of the program counts meanwhile
    assert [(one.code, one.severity.value, one.path, one.file) for one in problems] == [
        ("A010", "error", "rules.words", "accounts.yaml")
    ] * len(problems)
    return [f"{one.message} → {one.fix}" for one in problems]


def test_without_a_file_the_list_of_the_program_counts(folder: Folder) -> None:
    """And nothing is wrong."""
    phrases, problems = word_list(open_workspace(folder.root)[0])
    assert (phrases.found_in("ganyang, kata kotor"), problems) == (["ganyang"], [])


WHERE = " → Correct the path (from the workspace's folder), or put the file there."


def test_a_file_that_can_be_read_has_no_problem(folder: Folder) -> None:
    """Also with a byte order mark, Windows line ends and blank lines, and in a folder below."""
    folder.write(
        "daftar/kata.txt", b"\xef\xbb\xbfkata kotor\r\n\r\n  # catatan\r\nlain  # kasar\r\n" + b"#" * MAX_BYTES
    )
    assert _messages(folder, "daftar/kata.txt") == [
        "The list of words daftar/kata.txt is larger than 1 MiB. → One word or phrase a line."
    ]
    folder.write("daftar/kata.txt", b"\xef\xbb\xbfkata kotor\r\n\r\n  # catatan\r\nlain  # kasar\r\n")
    assert _messages(folder, "daftar/kata.txt") == []
    phrases, _ = word_list(open_workspace(folder.root)[0])
    assert phrases.found_in("kata kotor, lain, catatan, kasar") == ["kata kotor", "lain"]


def test_a_file_as_large_as_may_be(folder: Folder) -> None:
    """Exactly 1 MiB is read."""
    assert MAX_BYTES == 1_048_576
    folder.write("kata.txt", b"satu\n" + b"#" * (MAX_BYTES - 5))
    assert _messages(folder, "kata.txt") == []


def test_files_that_can_not_be_read_are_told(folder: Folder) -> None:
    """Missing, a folder, a pipe (which is not waited for), not UTF-8, a name that is none."""
    folder.write("latin.txt", b"k\xe9\n")
    folder.write("daftar/x", "x")
    os.mkfifo(folder.root / "pipa")
    assert _messages(folder, "tiada.txt") == [
        "The list of words tiada.txt can't be read: there is no such file or folder." + WHERE
    ]
    assert _messages(folder, "daftar") == ["The list of words daftar is not a file." + WHERE]
    assert _messages(folder, "pipa") == ["The list of words pipa is not a file." + WHERE]
    assert _messages(folder, "latin.txt") == ["The list of words latin.txt is not UTF-8. → Save the file as UTF-8."]


def test_files_outside_the_workspace_are_not_read(folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Neither by their path nor through a link."""
    outside = tmp_path_factory.mktemp("luar") / "kata.txt"
    outside.write_text("rahasia\n", encoding="utf-8")
    (folder.root / "tautan.txt").symlink_to(outside)
    for name in ("../luar.txt", str(outside), "tautan.txt"):
        assert _messages(folder, name) == [f"The list of words {name} lies outside the workspace." + WHERE]
