"""Names that nobody may read, and words that a plan keeps inside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from content_helpers import ACCOUNTS, Folder, codes

from campaign_cli.checks.safety.names import Names, folded
from campaign_cli.models import Problem

MIB = 1_048_576
POST = "accounts: [mastodon]\nposts:\n  - id: satu\n    at: 2026-12-03 08:00\n"
LIST = "# saksi\nBudi Santoso  # bagian jahit\n\n  Nur'aini Kusuma\nJosé da Costa\n"
LINES = ACCOUNTS.count("\n")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.write("accounts.yaml", ACCOUNTS + "protected: protected.txt\n")
    made.write("protected.txt", LIST)
    return made


def safety_of(folder: Folder, body: str) -> list[Problem]:
    return [problem for problem in folder.plan(body).problems if problem.code.startswith("S")]


def test_a_protected_name_is_never_repeated(folder: Folder) -> None:
    """It is an error that says which line of the list, and not whom."""
    (problem,) = safety_of(folder, f"{POST}    text: Kata BUDI SANTOSO, lawan.\n")
    assert (problem.code, problem.severity) == ("S011", "error")
    assert (problem.file, problem.line, problem.column, problem.path) == ("plan.yaml", 8, 11, "posts[0].text")
    assert problem.message == "A protected name stands here (line 2 of protected.txt)."
    assert problem.fix == "Leave it out, or say why it may be read here: waive: {S011: the reason}"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("budi santoso", 2),
        ("Budi\\n  Santoso", 2),
        ("BudiSantoso", 2),
        ("#BudiSantoso2026", 2),
        ("#KamiBudiSantosoDanKawan", 2),
        ("budi_santoso", 2),
        ("Budi-Santoso", 2),
        ("Búdi Sântosö", 2),
        ("𝐁𝐮𝐝𝐢 𝐒𝐚𝐧𝐭𝐨𝐬𝐨", 2),
        ("Bu\u00addi San\u200btoso", 2),
        ("https://a.example/?q=Budi+Santoso", 2),
        ("https://a.example/budi%20santoso", 2),
        ("Nuraini Kusuma", 4),
        ("Nur’Aini Kusuma", 4),
        ("NUR'AINI KUSUMA", 4),
        ("#NurAiniKusuma", 4),
        ("jose da costa", 5),
        ("#JoseDaCosta", 5),
        ("JOSÉ DA COSTA", 5),
    ],
)
def test_every_spelling(folder: Folder, text: str, line: int) -> None:
    """Capitals, accents, apostrophes, breaks, hashtags and links don't hide a name."""
    (problem,) = safety_of(folder, f'{POST}    text: "Kata {text} lawan"\n')
    assert problem.message == f"A protected name stands here (line {line} of protected.txt)."


@pytest.mark.parametrize(
    "text",
    [
        *("Budi", "Santoso Budi", "Budiman Santoso", "Budi Santosowijaya", "Budi dan Santoso", "Xbudisantoso"),
        *("budisantosox", "Budi A Santoso", "Nur Aini", "da Costa", "saksi"),
    ],
)
def test_what_is_another_name(folder: Folder, text: str) -> None:
    """Whole words in their order; remarks of the list are no names."""
    assert safety_of(folder, f"{POST}    text: 'Kata {text} lawan'\n") == []


def test_each_name_once_for_each_place(folder: Folder) -> None:
    """Twice in a text is one problem; two names are two."""
    problems = safety_of(folder, f"{POST}    text: Budi Santoso, budi santoso, Jose da Costa\n")
    place = "A protected name stands here (line {line} of protected.txt)."
    assert [problem.message for problem in problems] == [place.format(line=2), place.format(line=5)]


def test_names_in_pieces_of_a_post(folder: Folder) -> None:
    """A hashtag of the plan, alt text, the name of a file, a title and a value."""
    (folder.root / "media").mkdir()
    picture = (Path(__file__).parent.parent / "media" / "posko.png").read_bytes()
    folder.write("media/budi-santoso.png", picture)
    body = """\
        hashtags: [BebaskanBudiSantoso]
        accounts: [mastodon, web]
        vars: {siapa: Budi Santoso}
        posts:
          - id: satu
            at: 2026-12-03 08:00
            text: Halo
            media: [{file: media/budi-santoso.png, alt: Foto Budi Santoso, consent: true}]
            variants:
              wordpress: {title: 'Surat {{ siapa }}'}
        """
    assert [(problem.code, problem.path) for problem in safety_of(folder, body)] == [
        ("S011", "hashtags[0]"),
        ("S011", "vars.siapa"),
        ("S011", "posts[0].media[0].file"),
        ("S011", "posts[0].media[0].alt"),
    ]


def test_alt_text_of_a_variant(folder: Folder) -> None:
    """It is where the variant writes it, as one text or as a list."""
    folder.write("media/posko.png", (Path(__file__).parent.parent / "media" / "posko.png").read_bytes())
    body = """\
        accounts: [mastodon, langit]
        posts:
          - id: satu
            at: 2026-12-03 08:00
            text: Halo
            media: [{file: media/posko.png, alt: Posko, consent: true}]
            variants:
              mastodon: {alt: Budi Santoso}
              langit: {alt: [Budi Santoso]}
        """
    assert [(problem.line, problem.path) for problem in safety_of(folder, body)] == [
        (11, "posts[0].variants.mastodon.alt[0]"),
        (12, "posts[0].variants.langit.alt[0]"),
    ]


def test_names_as_a_list(folder: Folder) -> None:
    """The message says which entry."""
    folder.write("accounts.yaml", ACCOUNTS + "protected: [Ani Contoh, Budi Santoso]\n")
    (problem,) = safety_of(folder, f"{POST}    text: Budi Santoso\n")
    assert problem.message == "A protected name stands here (accounts.yaml, protected[1])."


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "there is no such file or folder"),
        (b"Budi\xff", "it is not UTF-8"),
        (b"a" * (MIB + 1), "it is larger than 1 MiB"),
    ],
)
def test_a_list_that_can_not_be_read(folder: Folder, content: bytes | None, reason: str) -> None:
    """Nobody would be protected, so it is an error where the list is named."""
    (folder.root / "protected.txt").unlink()
    if content is not None:
        folder.write("protected.txt", content)
    (problem,) = safety_of(folder, f"{POST}    text: Budi Santoso\n")
    assert (problem.code, problem.severity) == ("S012", "error")
    assert (problem.file, problem.line, problem.column) == ("accounts.yaml", LINES + 1, 12)
    assert problem.path == "protected"
    assert problem.message == f"The list of protected names can't be read: {reason}."
    assert problem.fix == "Write the file's name from the workspace's folder, or the names themselves as a list."


def test_a_list_that_is_as_large_as_it_may_be(folder: Folder) -> None:
    """One MiB is read; a mark at its beginning and Windows line ends don't matter."""
    folder.write("protected.txt", b"\xef\xbb\xbfBudi Santoso\r\n#" + b"a" * (MIB - 18))
    assert (folder.root / "protected.txt").stat().st_size == MIB
    assert codes(folder.plan(f"{POST}    text: Budi Santoso\n"), "S") == ["S011"]


def test_a_pipe_is_not_waited_for(folder: Folder) -> None:
    """What is no plain file is not opened."""
    (folder.root / "protected.txt").unlink()
    os.mkfifo(folder.root / "protected.txt")
    (problem,) = safety_of(folder, f"{POST}    text: Halo\n")
    assert problem.message == "The list of protected names can't be read: this is a folder, not a file."


def test_words_that_stay_inside_are_a_hint(folder: Folder) -> None:
    """Which of them, and not what it says; whole words only."""
    body = f"internal: [Warung Contoh, maps.example/abc]\n{POST}    text: Kumpul di WARUNG  contoh.\n"
    (problem,) = safety_of(folder, body)
    assert (problem.code, problem.severity, problem.path) == ("S013", "hint", "posts[0].text")
    assert problem.message == "Something stands here that the plan keeps inside (internal[0])."
    assert problem.fix == "Leave it out if these readers should not know it."
    link = f"internal: [Warung Contoh, maps.example/abc]\n{POST}    text: 'https://maps.example/abc'\n"
    assert [problem.message for problem in safety_of(folder, link)] == [
        "Something stands here that the plan keeps inside (internal[1])."
    ]
    none = f"internal: [Warung Contoh]\n{POST}    text: Warung contohan.\n"
    assert safety_of(folder, none) == []


def test_words_of_a_text() -> None:
    """No accents, no apostrophes, no capitals; joined words and digits apart, or joined as they are."""
    assert folded("Nur'Aini-KUSUMA_é2026 DPRBaru") == ("nur", "aini", "kusuma", "e", "2026", "dpr", "baru")
    assert folded("Nur'Aini-KUSUMA_é2026 DPRBaru", split=False) == ("nuraini", "kusuma", "e", "2026", "dprbaru")
    assert folded(" .,'") == ()


def test_no_names_are_found_where_there_are_none() -> None:
    """An empty entry protects nobody, and does not find everybody."""
    names = Names([("", "a"), ("  ", "b"), ("'", "c")])
    assert not names
    assert names.find("Siapa pun") == ()
    assert Names([("Ani", "a")])
