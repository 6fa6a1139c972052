"""What ethics and law ask of a post: code, severity, place and words of each rule."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from textwrap import indent

import pytest
from content_helpers import ACCOUNTS, Folder
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from campaign_cli.models import Problem

POST = "accounts: [mastodon, langit]\nposts:\n  - id: satu\n    at: 2026-12-03 08:00\n"
IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path)
    (tmp_path / "media").mkdir()
    Image.new("RGB", (40, 30), "red").save(tmp_path / "media" / "foto.png")
    return folder


def found(folder: Folder, body: str, family: str = "E", *, now: datetime | None = None) -> list[Problem]:
    """The problems of a family, in their order."""
    examined = folder.plan(body, **({"now": now} if now else {}))
    return [problem for problem in examined.problems if problem.code.startswith(family)]


def facts(problems: list[Problem]) -> list[tuple[str, str, str, str]]:
    """Code, severity, path and message of each."""
    return [(one.code, one.severity.value, one.path, one.message) for one in problems]


def post(keys: str) -> str:
    """A plan with one post of these keys."""
    return POST + indent(keys.strip("\n") + "\n", "    ")


def test_a_figure_without_a_source_is_a_hint_at_the_first_text_of_the_post(folder: Folder) -> None:
    """Once for each post, with the figures; sources of post or plan, or in the text, are enough."""
    keys = """
text: "Upah naik 6,5%, untuk 250 ribu buruh: Rp 5.200.000 dan 12 persen."
variants: {langit: {text: "Upah naik 6,5%."}}
"""
    (problem,) = found(folder, post(keys))
    assert facts([problem]) == [
        ("E001", "hint", "posts[0].text", "No source is named for 6,5%, 250 ribu buruh, Rp 5.200.000, ….")
    ]
    assert problem.line == 8
    assert problem.fix == "Name it under “sources” of the post or of the plan, or in the text behind “Sumber:”."
    assert found(folder, "sources: [https://www.bps.go.id]\n" + post(keys)) == []
    assert found(folder, post(keys + "sources: [Survei serikat 2026]")) == []
    assert found(folder, post('text: "Upah naik 6,5%. Sumber: BPS."')) == []
    assert found(folder, post('text: "Wages rise by 6.5%. SOURCE : BPS."')) == []


def test_three_figures_are_told_without_more_behind_them(folder: Folder) -> None:
    """The dots say that there are others."""
    (problem,) = found(folder, post('text: "6,5% dan 7% dan 8%"'))
    assert problem.message == "No source is named for 6,5%, 7%, 8%."


def test_figures_are_looked_for_in_titles_and_alt_texts_and_not_in_names(folder: Folder) -> None:
    """A file's name, a link and a hashtag claim nothing; each post is told by itself."""
    Image.new("RGB", (40, 30)).save(folder.root / "media" / "50% buruh.png")
    body = """\
        accounts: [web]
        link: https://example.org/50%25
        posts:
          - id: satu
            at: 2026-12-03 08:00
            text: Halo.
            media: [{file: media/50% buruh.png, alt: Poster}]
          - id: dua
            at: 2026-12-04 08:00
            text: Halo lagi.
            media: [{file: media/foto.png, alt: "Grafik: 38% untuk makan"}]
          - id: tiga
            at: 2026-12-05 08:00
            text: Halo ketiga.
            variants: {web: {title: "Naik 5%", slug: naik-10-orang}}
        """
    assert [(one.code, one.path) for one in found(folder, body)] == [
        ("E001", "posts[1].media[0].alt"),
        ("E001", "posts[2].variants.web.title"),
    ]


@pytest.mark.parametrize(
    ("account", "field"),
    [("mastodon", "cw"), ("web", "title"), ("web", "excerpt")],
)
def test_sentences_beside_the_text_are_looked_at_too(folder: Folder, account: str, field: str) -> None:
    """Each field of a network in which people write sentences: for figures, and for words of the list."""
    body = post(f"text: Halo.\nvariants: {{{account}: {{{field}: 'Ganyang 30%'}}}}").replace("langit", account, 1)
    body = body.replace("[mastodon, mastodon]", "[mastodon]")
    assert [(one.code, one.path) for one in found(folder, body)] == [
        ("E001", f"posts[0].variants.{account}.{field}"),
        ("E003", f"posts[0].variants.{account}.{field}"),
    ]


def test_an_accusation_by_name_without_a_source_is_a_hint(folder: Folder) -> None:
    """It names whom and by which word, and falls silent with a source."""
    text = 'text: "Kawan, PT. Contoh Jaya mencuri upah kami. Pak Budi mengancam."\n'
    (problem,) = found(folder, post(text))
    assert facts([problem]) == [
        ("E002", "hint", "posts[0].text", "PT Contoh Jaya is accused of something (“mencuri”), and no source is named.")
    ]
    assert problem.fix.startswith("Name it under “sources”")
    assert found(folder, post(text + "sources: [Putusan pengadilan]")) == []


def test_words_of_the_list_are_a_warning_at_each_text(folder: Folder) -> None:
    """Whatever their case and accents, in text, alt text, title and hashtag; a link and a file's name are no words."""
    Image.new("RGB", (40, 30)).save(folder.root / "media" / "usir cina.png")
    body = """\
        accounts: [mastodon, web]
        link: https://example.org/usir-cina
        hashtags: [UsirCina]
        posts:
          - id: satu
            at: 2026-12-03 08:00
            text: "BÜNUH  mereka, lalu bakar pabrik!"
            media: [{file: media/usir cina.png, alt: "Spanduk: kill them all"}]
            variants: {web: {title: Ganyang, slug: ganyang, tags: [lonte]}}
        """
    problems = found(folder, body)
    assert facts(problems) == [
        ("E003", "warning", "hashtags[0]", "The text says “usir cina”: words of threat, hatred or incitement."),
        (
            "E003",
            "warning",
            "posts[0].text",
            "The text says “bakar pabrik”, “bunuh mereka”: words of threat, hatred or incitement.",
        ),
        (
            "E003",
            "warning",
            "posts[0].media[0].alt",
            "The text says “kill them”, “kill them all”: words of threat, hatred or incitement.",
        ),
        ("E003", "warning", "posts[0].variants.web.title", _says("ganyang")),
        ("E003", "warning", "posts[0].variants.web.tags[0]", _says("lonte")),
    ]
    assert problems[0].fix == (
        "Say it in another way; where it is meant, as in a quotation, waive E003 with the reason."
    )


def _says(word: str) -> str:
    return f"The text says “{word}”: words of threat, hatred or incitement."


def test_a_list_of_the_union_that_can_not_be_read_is_an_error_in_accounts_yaml(folder: Folder) -> None:
    """At its place; the list of the program counts meanwhile."""
    folder.write("accounts.yaml", ACCOUNTS + "rules:\n  words: kata.txt\n")
    problems = [one for one in folder.plan(post("text: Ganyang dia.")).problems if one.code in ("A010", "E003")]
    assert facts(problems) == [
        (
            "A010",
            "error",
            "rules.words",
            "The list of words kata.txt can't be read: there is no such file or folder.",
        ),
        ("E003", "warning", "posts[0].text", _says("ganyang")),
    ]
    assert (problems[0].file, problems[0].line, problems[0].column) == ("accounts.yaml", 8, 10)


def test_a_list_of_the_union_adds_and_takes_away(folder: Folder) -> None:
    """Its own words count beside those of the program."""
    folder.write("accounts.yaml", ACCOUNTS + "rules: {words: kata.txt}\n")
    folder.write("kata.txt", "# Milik kami\nkata kotor  # kasar\n- ganyang\n")
    assert facts(found(folder, post("text: 'Ganyang, kata kotor, usir cina.'"))) == [
        (
            "E003",
            "warning",
            "posts[0].text",
            "The text says “kata kotor”, “usir cina”: words of threat, hatred or incitement.",
        )
    ]


def test_a_post_on_a_day_of_silence_is_an_error_in_the_zone_of_the_account(folder: Folder) -> None:
    """23:00 in Jakarta is the next day in Jayapura; once for each post, day and zone."""
    folder.write("accounts.yaml", ACCOUNTS + "rules: {silent_days: [2026-12-04, 2026-12-06]}\n")
    body = """\
        accounts: [langit, mastodon, papua-telegram]
        posts:
          - {id: satu, at: 2026-12-03 23:00, text: Satu.}
          - {id: dua, at: 2026-12-04 00:00, text: Dua.}
          - {id: tiga, at: 2026-12-04 22:00, text: Tiga.}
          - {id: rutin, every: daily 08:00, from: 2026-12-05, until: 2026-12-07, text: Rutin.}
        """
    problems = found(folder, body)
    assert facts(problems) == [
        ("E004", "error", "posts[0].at", "Fri, 4 Dec 2026 01:00 WIT lies in a day of silence."),
        ("E004", "error", "posts[1].at", "Fri, 4 Dec 2026 00:00 WIB lies in a day of silence."),
        ("E004", "error", "posts[1].at", "Fri, 4 Dec 2026 02:00 WIT lies in a day of silence."),
        ("E004", "error", "posts[2].at", "Fri, 4 Dec 2026 22:00 WIB lies in a day of silence."),
        ("E004", "error", "posts[3].every", "Sun, 6 Dec 2026 08:00 WIB lies in a day of silence."),
        ("E004", "error", "posts[3].every", "Sun, 6 Dec 2026 10:00 WIT lies in a day of silence."),
    ]
    assert problems[0].fix == "Choose a day before or after the silence (silent_days in accounts.yaml)."


def test_a_day_of_silence_that_is_over_concerns_nobody(folder: Folder) -> None:
    """What lies in the past is not sent anyway; the instant itself is not past yet."""
    folder.write("accounts.yaml", ACCOUNTS + "rules: {silent_days: [2026-12-04]}\n")
    body = "accounts: [langit]\nposts:\n  - {id: satu, at: 2026-12-04 08:00, text: Satu.}\n"
    due = datetime(2026, 12, 4, 1, tzinfo=UTC)
    assert len(found(folder, body, now=due)) == 1
    assert found(folder, body, now=due.replace(microsecond=1)) == []


def _crowd(folder: Folder, posts: str, *, count: int = 5, rules: str = "") -> list[Problem]:
    names = [f"kanal{number}" for number in range(count)]
    lines = [f'  {name}: {{platform: telegram, channel: "@{name}_contoh", token: env:T}}\n' for name in names]
    folder.write("accounts.yaml", ACCOUNTS + "".join(lines) + rules)
    return found(folder, f"accounts: [{', '.join(names)}, langit]\nposts:\n" + posts)


def test_the_same_words_from_five_accounts_of_a_network_at_once_are_a_hint(folder: Folder) -> None:
    """Links that are tagged for each account are the same link; another network is no part of it."""
    posts = "  - {id: satu, at: 2026-12-03 08:00, text: Halo semua., link: 'https://example.org/a', utm: true}\n"
    (problem,) = _crowd(folder, posts)
    assert facts([problem]) == [("E005", "hint", "posts[0]", "5 accounts of Telegram say the same within 10 minutes.")]
    assert problem.fix == (
        "Let each say it in its own words (variants), or apart in time (stagger under rules in accounts.yaml)."
    )
    assert _crowd(folder, posts, count=4) == []


def test_a_crowd_may_be_spread_over_posts_and_is_counted_by_accounts(folder: Folder) -> None:
    """It is told at the earliest post; the same account twice is one account, and other words are no crowd."""
    one = "  - {id: %s, at: 2026-12-03 %s, text: Halo., repeat: true, accounts: [%s]}\n"
    assert facts(
        _crowd(
            folder,
            one % ("awal", "07:00", "kanal0, kanal1")
            + one % ("satu", "08:00", "kanal0, kanal1")
            + one % ("dua", "08:10", "kanal2, kanal3, kanal4"),
        )
    ) == [("E005", "hint", "posts[1]", "5 accounts of Telegram say the same within 10 minutes.")]
    apart = one % ("satu", "08:00", "kanal0, kanal1") + one % ("dua", "08:10:01", "kanal2, kanal3, kanal4")
    assert _crowd(folder, apart) == []
    twice = one % ("satu", "08:00", "kanal0, kanal1, kanal2") + one % ("dua", "08:01", "kanal1, kanal2, kanal3")
    assert _crowd(folder, twice) == []
    staggered = "  - {id: satu, at: 2026-12-03 08:00, text: Halo.}\n"
    assert _crowd(folder, staggered, rules="rules: {stagger: 3m}\n") == []


def test_each_post_of_a_crowd_is_told_by_itself(folder: Folder) -> None:
    """Different words are different posts; a recurring one is told once."""
    posts = (
        "  - {id: satu, at: 2026-12-03 08:00, text: Satu.}\n"
        "  - {id: rutin, every: daily 08:00, from: 2026-12-04, until: 2026-12-06, text: Rutin.}\n"
    )
    assert [one.path for one in _crowd(folder, posts, count=6)] == ["posts[0]", "posts[1]"]


PAID = """
iklan|pariwara|advertorial|disponsori|bersponsor|konten sponsor|promosi berbayar|kerja sama berbayar
kerjasama berbayar|kemitraan berbayar|konten berbayar|dibayar oleh|#ad|#ads|advertisement|sponsored|paid partnership
paid promotion|paid content|paid for by|paid ad|#iklan|#KerjaSamaBerbayar
"""


@pytest.mark.parametrize("label", [word for line in PAID.strip().splitlines() for word in line.split("|")])
def test_a_paid_post_that_says_so_is_right(folder: Folder, label: str) -> None:
    """In any of the usual words, whatever their case."""
    for written in (label, label.upper(), f"({label})"):
        assert found(folder, post(f"paid: true\ntext: 'Halo kawan. {written}'")) == []


@pytest.mark.parametrize("text", ["Halo kawan.", "Beriklan itu mahal.", "an ad for you", "Madu murni"])
def test_a_paid_post_that_does_not_say_so_is_a_warning(folder: Folder, text: str) -> None:
    """Part of a word is no label; each text is told with its accounts, and what nobody paid for is not asked."""
    (problem,) = found(folder, post(f"paid: true\ntext: {text}"))
    assert facts([problem]) == [
        (
            "E006",
            "warning",
            "posts[0].text",
            "Somebody paid for the post, and its text for mastodon, langit doesn't say so.",
        )
    ]
    assert problem.fix.startswith("Write #iklan, Disponsori or Kerja sama berbayar into it")
    assert found(folder, post(f"paid: false\ntext: {text}")) == []


def test_each_text_of_a_paid_post_says_so(folder: Folder) -> None:
    """A title is a part of the post; an address is not."""
    body = """\
        accounts: [mastodon, langit, web]
        posts:
          - id: satu
            at: 2026-12-03 08:00
            paid: true
            text: "Halo. #iklan"
            variants:
              langit: {text: Halo langit.}
              web: {text: Halo web., title: "Iklan: halo"}
          - id: dua
            at: 2026-12-04 08:00
            paid: true
            accounts: [web]
            text: Halo dua.
            variants: {web: {slug: iklan}}
        """
    assert [(one.code, one.path) for one in found(folder, body)] == [
        ("E006", "posts[0].variants.langit.text"),
        ("E006", "posts[1].text"),
    ]


MEDIA = "media: [{file: media/foto.png, alt: '%s', origin: %s}]\n"


@pytest.mark.parametrize(
    ("text", "alt"),
    [
        ("Gambar dibuat dengan AI.", "Poster"),
        ("Halo #AIgenerated", "Poster"),
        ("Halo #AIart", "Poster"),
        ("Halo #aiimage", "Poster"),
        ("Halo.", "GenAI"),
        ("Halo.", "Kecerdasan Artifisial"),
        ("Halo.", "a machine-generated poster"),
        ("Halo.", "a computer generated poster"),
        ("Gambar ini dibuat oleh mesin.", "Poster"),
        ("Halo.", "Poster buatan kecerdasan buatan"),
        ("Halo.", "Made with artificial intelligence"),
        ("Halo.", "Buatan akal imitasi"),
    ],
)
def test_a_picture_of_a_machine_that_says_so_is_right(folder: Folder, text: str, alt: str) -> None:
    """In the text or in the alt text."""
    assert found(folder, post(f"text: '{text}'\n" + MEDIA % (alt, "ai"))) == []


def test_a_picture_of_a_machine_that_does_not_say_so_is_a_warning(folder: Folder) -> None:
    """At its origin, with the accounts where nothing is said."""
    keys = "text: 'Hai, damai.'\n" + MEDIA % ("Poster", "ai") + "variants: {langit: {text: 'Gambar: AI'}}"
    (problem,) = found(folder, post(keys))
    assert facts([problem]) == [
        (
            "E007",
            "warning",
            "posts[0].media[0].origin",
            "A machine made media/foto.png, and neither text nor alt text for mastodon says so.",
        )
    ]
    assert problem.fix == "Say it, for example “Gambar dibuat dengan AI”, and set the network's own label as well."
    assert found(folder, post("text: Halo.\n" + MEDIA % ("Poster", "own"))) == []


def _xmp(words: str) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" {words}'
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def _jpeg(marker: int, body: bytes) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (40, 30)).save(buffer, "JPEG")
    plain = buffer.getvalue()
    return plain[:2] + struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body + plain[2:]


def _packed_png() -> bytes:
    """XMP in a compressed chunk: the word is nowhere in the file as it is."""
    text = PngInfo()
    text.add_itxt(
        "XML:com.adobe.xmp", _xmp(f'Iptc4xmpExt:DigitalSourceType="{IPTC}trainedAlgorithmicMedia">').decode(), zip=True
    )
    buffer = BytesIO()
    Image.new("RGB", (40, 30)).save(buffer, "PNG", pnginfo=text)
    assert b"trainedAlgorithmicMedia" not in buffer.getvalue()
    return buffer.getvalue()


_APP1 = b"http://ns.adobe.com/xap/1.0/\0"


@pytest.mark.parametrize(
    "content",
    [
        _jpeg(0xE1, _APP1 + _xmp(f'Iptc4xmpExt:DigitalSourceType="{IPTC}trainedAlgorithmicMedia">')),
        _jpeg(
            0xE1,
            _APP1 + _xmp("><Iptc4xmpExt:DigitalSourceType>trainedAlgorithmicMedia</Iptc4xmpExt:DigitalSourceType>"),
        ),
        _jpeg(0xE1, _APP1 + _xmp(f'Iptc4xmpExt:DigitalSourceType="{IPTC}compositeWithTrainedAlgorithmicMedia">')),
        _jpeg(
            0xEB,
            b"JP\0\1\0\0\0\1jumbc2pa.actions" + f"digitalSourceType{IPTC}compositeWithTrainedAlgorithmicMedia".encode(),
        ),
        _packed_png(),
    ],
    ids=["attribute", "element", "composite", "c2pa", "compressed"],
)
def test_a_picture_whose_own_metadata_names_a_machine_is_a_warning(folder: Folder, content: bytes) -> None:
    """Whatever the plan says of its origin; a label is enough."""
    (folder.root / "media" / "foto.png").write_bytes(content)
    keys = "text: Halo.\nmedia: [{file: media/foto.png, alt: Poster, origin: own}]\n"
    (problem,) = found(folder, post(keys))
    assert facts([problem]) == [
        (
            "E007",
            "warning",
            "posts[0].media[0].file",
            "media/foto.png says in its metadata that a machine made it; neither text nor alt text for mastodon, "
            "langit does.",
        )
    ]
    assert found(folder, post(keys.replace("Poster", "Poster (AI)"))) == []


def test_metadata_that_names_another_source_is_no_machine(folder: Folder) -> None:
    """A camera's picture, and one that an algorithm without training made."""
    for source in ("digitalCapture", "algorithmicMedia"):
        (folder.root / "media" / "foto.png").write_bytes(
            _jpeg(0xE1, _APP1 + _xmp(f'Iptc4xmpExt:DigitalSourceType="{IPTC}{source}">'))
        )
        assert found(folder, post("text: Halo.\nmedia: [{file: media/foto.png, alt: Poster}]")) == []


def test_somebody_elses_picture_without_credit_is_a_warning(folder: Folder) -> None:
    """Also where the credit is blank; our own pictures need none."""
    for credit in ("", ", credit: ' '"):
        (problem,) = found(
            folder, post(f"text: Halo.\nmedia: [{{file: media/foto.png, alt: Poster, origin: other{credit}}}]")
        )
        assert facts([problem]) == [
            (
                "E008",
                "warning",
                "posts[0].media[0].origin",
                "Somebody else made media/foto.png, and no credit is written.",
            )
        ]
        assert problem.fix == "Write who made it, and by which permission, under “credit”."
    assert found(folder, post("text: Halo.\nmedia: [{file: media/foto.png, alt: Poster}]")) == []


def test_a_credit_that_the_readers_do_not_see_is_a_hint(folder: Folder) -> None:
    """In text or alt text, whatever its case and spaces; with the accounts that lack it."""
    media = "media: [{file: media/foto.png, alt: '%s', origin: other, credit: 'Foto: Siti  Contoh'}]\n"
    keys = "text: 'Halo. foto: siti contoh'\n" + media % "Poster" + "variants: {langit: {text: Halo.}}"
    (problem,) = found(folder, post(keys))
    assert facts([problem]) == [
        (
            "E009",
            "hint",
            "posts[0].media[0].credit",
            "The credit of media/foto.png stands neither in text nor in alt text for langit.",
        )
    ]
    assert problem.fix == "Write it as it stands under “credit”: Foto: Siti  Contoh"
    assert found(folder, post("text: Halo.\n" + media % "Poster. Foto: Siti Contoh")) == []
    assert found(folder, post("text: Halo.\n" + (media % "Poster").replace("other", "own"))) == []
