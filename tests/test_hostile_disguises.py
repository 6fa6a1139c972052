"""Personal data in disguise: a reader sees the number at once, so the check must see it as well."""

from __future__ import annotations

from pathlib import Path

import pytest
from content_helpers import Folder, codes
from films import film

from campaign_cli.checks.safety.names import Names
from campaign_cli.checks.safety.scanning import over_parts, personal_data

NIK = "3201994101900001"
PHONE = "081200001234"
POST = "accounts: [mastodon]\nposts:\n  - id: satu\n    at: 2026-12-03 08:00\n"
ARABIC, JAVANESE, SOLID = "٠١٢٣٤٥٦٧٨٩", "꧐꧑꧒꧓꧔꧕꧖꧗꧘꧙", "⓿❶❷❸❹❺❻❼❽❾"
SUBTITLES = f"1\n00:00:01,000 --> 00:00:03,000\nHubungi {PHONE}\n"


def by(signs: str, number: str) -> str:
    """A number with other signs for its digits."""
    return "".join(signs[int(digit)] for digit in number)


def joined(by: str, number: str = NIK) -> str:
    """A number in groups of four with something between."""
    return by.join(number[at : at + 4] for at in range(0, len(number), 4))


def found(text: str) -> list[str]:
    return sorted({finding.code for finding in personal_data(text)})


@pytest.mark.parametrize(
    "between",
    ["\u200b", "\u034f", "\ufe0f", "\u200e", "\u2062", "\u3164", "\U000e0020", "\n", "\r\n", "/", "·", "•", "_", "**"],
)
def test_what_stands_between_the_digits_hides_no_nik(between: str) -> None:
    """Signs that are drawn as nothing, line ends, and signs that only part the groups."""
    assert found(f"Datanya {joined(between)} ya") == ["S001"]


@pytest.mark.parametrize(
    "number", [by(ARABIC, NIK), by(JAVANESE, NIK), by(SOLID, NIK), "".join(f"{sign}\ufe0f\u20e3" for sign in NIK)]
)
def test_digits_of_every_script_are_digits(number: str) -> None:
    """Arabic, Javanese, in discs and on keys."""
    assert found(f"NIK {number}") == ["S001"]


@pytest.mark.parametrize(
    "text",
    [
        f"WA {by(ARABIC, PHONE)}",
        f"WA {by(JAVANESE, PHONE)}",
        "Hubungi nol delapan satu dua nol nol nol nol satu dua tiga empat",
        "Hubungi kosong delapan satu dua, kosong kosong kosong kosong, satu dua tiga empat",
        "Call zero eight one two zero zero zero zero one two three four",
        "WA nol8satu2 0000 1234",
        "WA 0812\n0000\n1234",
        "WA O812 OOOO l234",
        "WA 0812_0000_1234",
        "WA 0812~0000~1234",
        "WA 0812·0000·1234",
        "WA 0812/0000/1234",
        f"WA{PHONE}",
        f"#{PHONE}",
        f"_{PHONE}_",
        f"telp,{PHONE}",
        f"..{PHONE}",
        "WA + 62 812 0000 1234",
        "https://t.me/+6281200001234",
        "https://signal.me/#p/+6281200001234",
    ],
)
def test_a_telephone_number_is_one_however_it_is_said(text: str) -> None:
    """In words, in foreign digits, with letters for digits, over lines, behind signs, and in links that call."""
    assert found(text) == ["S006"]


@pytest.mark.parametrize("text", ["ani\u034f@surel.example", "ani @ surel . example", "ani&#64;surel.example"])
def test_an_address_is_one_however_its_sign_is_written(text: str) -> None:
    """With signs of no width, blanks and the signs of a page."""
    assert found(text) == ["S007"]


@pytest.mark.parametrize(
    "text",
    [
        "Satu, dua, tiga, empat, lima, enam, tujuh, delapan, sembilan: menang!",
        "Tahun 2021\n2022\n2023\n2024\n2025\n2026",
        "Upah naik 10.000\n20.000\n30.000\n40.000",
        "Pukul 08.00\n09.00\n10.00\n11.00\n12.00",
        "1. Satu\n2. Dua\n3. Tiga\n4. Empat\n5. Lima\n6. Enam\n7. Tujuh\n8. Delapan\n9. Sembilan",
        "Massa 1_000_000 dan 2·3·4·5·6·7·8·9",
        "https://t.me/+AbCdEf0123456789",
    ],
)
def test_counting_is_no_number_of_anybody(text: str) -> None:
    """Words that count, years, amounts, hours and lists over several lines."""
    assert found(text) == []


def test_a_contact_that_ends_a_line_is_still_the_unions_own(tmp_path: Path) -> None:
    """What a line holds by itself is not mixed with the list below it."""
    folder = Folder(tmp_path)
    accounts = (tmp_path / "accounts.yaml").read_text()
    folder.write("accounts.yaml", accounts + f'public_contacts: ["{PHONE}"]\n')
    examined = folder.plan(f"{POST}    text: |\n      Posko {PHONE}\n      1 bawa air\n      2 bawa bendera\n")
    assert codes(examined, "S") == []


@pytest.mark.parametrize(
    "text", ["Вudi Sаntoso", "Bu\u034fdi San\u3164toso", "Ｂｕｄｉ\u2066Santoso\u2069", "#BudiSаntoso"]
)
def test_letters_that_look_alike_hide_no_protected_name(text: str) -> None:
    """Cyrillic letters and signs of no width."""
    assert Names([("Budi Santoso", "1")]).find(text) != ()


def test_what_subtitles_say_is_looked_at(tmp_path: Path) -> None:
    """The text of the file goes out with the video, so its numbers stop it, at the field that names it."""
    folder = Folder(tmp_path)
    folder.write("accounts.yaml", "accounts: {kanal: {platform: youtube, channel: '@contoh', token: 'env:YT'}}\n")
    folder.write("media/id.srt", SUBTITLES)
    folder.write("media/aksi.mp4", film())
    examined = folder.plan(
        "accounts: [kanal]\nposts:\n  - id: satu\n    at: 2026-12-03 08:00\n    text: Upah layak\n"
        "    media: [{file: media/aksi.mp4, alt: Massa}]\n"
        "    variants:\n      youtube: {title: Upah, captions: {id: media/id.srt}}\n"
    )
    assert [(one.code, one.path) for one in examined.problems if one.code == "S006"] == [
        ("S006", "posts[0].variants.youtube.captions")
    ]


THREAD = "accounts: [mastodon]\nposts:\n  - id: satu\n    at: 2026-12-03 08:00\n    thread:\n"


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (["Hubungi WA 0812-0000-", "1234 kapan saja"], ["S006"]),
        (["WA 0812", "0000", "1234 kapan saja"], ["S006"]),
        (["Pelapor 3201 9941", "0190 0001 takut"], ["S001"]),
        (["Pelapor 3201, 9941,", "0190, 0001 takut"], ["S001"]),
        (["WA 0812-0000-1234", "1. Bawa air"], ["S006"]),
        (["Sejak 2026", "1. Upah 2. Kontrak 3. Pesangon"], []),
        (["Massa 12.000", "2.000 di antaranya perempuan"], []),
        (["Mulai 2021", "2022", "2023", "2024 selesai"], []),
    ],
)
@pytest.mark.parametrize("marks", [False, True])
def test_a_number_over_two_parts_of_a_thread(
    tmp_path: Path, parts: list[str], expected: list[str], marks: bool
) -> None:
    """Readers see the parts below each other; what one part holds by itself is told once, at that part."""
    written = "".join(f"      - '{part}'\n" for part in parts) + ("    thread_marks: true\n" if marks else "")
    examined = Folder(tmp_path).plan(THREAD + written)
    assert codes(examined, "S") == expected


def test_where_a_divided_number_is_told(tmp_path: Path) -> None:
    """At the thread as a whole, masked; the union's own number is not told."""
    folder = Folder(tmp_path)
    thread = f"{THREAD}      - WA 0812-0000-\n      - '1234'\n"
    (problem,) = (one for one in folder.plan(thread).problems if one.code == "S006")
    assert (problem.path, problem.message) == ("posts[0].thread", "This looks like a telephone number: 08…34.")
    accounts = (tmp_path / "accounts.yaml").read_text()
    folder.write("accounts.yaml", accounts + f'public_contacts: ["{PHONE}"]\n')
    assert codes(folder.plan(thread), "S") == []


@pytest.mark.parametrize("text", ["WA 0812, 0000, 1234", "#0812 #0000 #1234", "<h1>0812</h1><h2>0000</h2>1234"])
def test_the_unions_own_number_in_pieces_is_public(tmp_path: Path, text: str) -> None:
    """However it is parted here, and in accounts.yaml."""
    folder = Folder(tmp_path)
    accounts = (tmp_path / "accounts.yaml").read_text()
    for contact in (PHONE, "0812, 0000, 1234"):
        folder.write("accounts.yaml", accounts + f'public_contacts: ["{contact}"]\n')
        assert codes(folder.plan(f"{POST}    text: '{text}'\n"), "S") == []
    folder.write("accounts.yaml", accounts)
    assert codes(folder.plan(f"{POST}    text: '{text}'\n"), "S") == ["S006"]


@pytest.mark.parametrize(
    "text",
    [
        "S1ti Am1nah",
        "5iti Aminah",
        "$iti 4minah!",
        "#BebaskanS1tiAminah",
        "SIT1 AMINAH",
        "S|ti Am!n4h",
        "/s1ti-aminah.jpg",
    ],
)
def test_digits_for_letters_hide_no_protected_name(text: str) -> None:
    """As people write around a filter; also at the end of a word, and 1 for an l."""
    assert Names([("Siti Aminah", "1")]).find(text) != ()
    assert Names([("Lilis", "1")]).find("L1l1s") != ()
    assert Names([("Rina", "1")]).find("Rin4") != ()


@pytest.mark.parametrize("text", ["S1 Siti", "Siti 1 Aminah", "Siti5 Aminah", "B1 4G 5R", "siti@aminah.example Siti"])
def test_digits_that_are_none_of_a_name_are_left(text: str) -> None:
    """Letters and digits that only stand side by side."""
    assert Names([("Sisti Aminah", "1"), ("Sita", "2")]).find(text) == ()


@pytest.mark.parametrize(
    "text", ["UU 6/2023 Pasal 17A", "Kelas 31A dan 15a", "Jl. Melati 17a", "SK 01a/2026", "35A-35B"]
)
def test_articles_and_classes_are_nobodys_name(text: str) -> None:
    """A number with one letter is how a law counts; such a digit in a longer word still hides nobody."""
    names = Names([(name, name) for name in ("Ita", "Isa", "Ela", "Ola", "Esa", "Budi Santoso")])
    assert names.find(text) == ()
    assert names.find("Budi 17A Santoso") == ()
    assert {name.place for name in names.find("IT4 dan #3sa")} == {"Ita", "Esa"}


@pytest.mark.parametrize(
    "text",
    [
        "Nomor undian: 0812, 3456, 7890",
        "Kupon 0851|2345|6789 silakan ke panggung.",
        "Nomor kursi 0811, 4501, 2203.",
        "Nomor urut 0812, 345, 678 dipanggil.",
        "Nomor antrean: 0811, 0456, 0789",
        "Kode voucher 0812-3456-7890 berlaku sampai Mei.",
        "Kode aset 3201|0101|0190|0001",
        "Dosis 0,8; 1,2; 3,4; 5,6; 7,8; 9,0 mg/m3 debu",
        "Inflasi 0,8 1,2 3,4 5,6 7,8 9,1",
    ],
)
def test_numbers_that_are_drawn_counted_or_measured_are_nobodys(text: str) -> None:
    """Of raffles, seats, queues, vouchers and things, with the word for it right before; decimals of one digit."""
    assert personal_data(text) == ()


@pytest.mark.parametrize(
    ("before", "after", "codes_found"),
    [
        ("Mulai 12-05-2026", "12.345.678 rupiah dibagikan.", []),
        ("NIK 320101", "4101900001", ["S001"]),
        ("NPWP 31.254.294", "3-407.000", ["S003"]),
    ],
)
def test_a_date_and_an_amount_are_no_number_over_two_parts(before: str, after: str, codes_found: list[str]) -> None:
    """Where one part ends with a date, and the next begins with money."""
    assert [one.code for one in over_parts([before, after])] == codes_found
