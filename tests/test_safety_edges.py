"""The edges of the rules of safety: one sign or digit more or less, and what stands beside it."""

from __future__ import annotations

import pytest

from campaign_cli.checks.safety import plain as signs
from campaign_cli.checks.safety.findings import Finding
from campaign_cli.checks.safety.home import homes
from campaign_cli.checks.safety.labels import label
from campaign_cli.checks.safety.masking import without_everyday
from campaign_cli.checks.safety.numbers import bank_accounts, sixteen_digits
from campaign_cli.checks.safety.public import PublicContacts
from campaign_cli.checks.safety.scanning import personal_data
from campaign_cli.checks.safety.words import Link, apart, of_file


def found(text: str) -> list[tuple[str, str]]:
    return [(finding.code, finding.datum) for finding in personal_data(text)]


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("Hubungi 0812345678901234567 saja", []),  # longer than any number
        ("Hubungi 081234567890 012345678", [("S006", "081234567890")]),  # what follows makes it too long
        ("Hubungi 081234567890x", []),  # letters right behind it
        ("Hubungi 081234567890 x", [("S006", "081234567890")]),
        ("Tanya 6281234567890", [("S006", "6281234567890")]),
        ("Tanya 6281234567", []),  # too short for a mobile number with its country
        ("WA 81234567890", [("S006", "81234567890")]),
        ("Nilai 81234567890", []),  # nothing says that it is dialled
        ("Telepon 0062 812 3456 7890", [("S006", "0062 812 3456 7890")]),
        ("Telepon 00162 812 3456 7890", [("S006", "00162 812 3456 7890")]),
        ("Di luar negeri: 001 62 21 500", []),
        ("+ telepon +62 812-3456-7890", [("S006", "+62 812-3456-7890")]),
    ],
)
def test_where_a_telephone_number_ends(text: str, data: list[tuple[str, str]]) -> None:
    """The longest one that the numbering plans know, and none where digits or letters go on."""
    assert found(text) == data


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("Ke Jalan Mawar No. 7, RT 03/RW 05.", ["Jalan Mawar No. 7, RT 03/RW 05"]),
        ("Ke Jalan Mawar No. 7\n\nRT 03/RW 05.", ["Jalan Mawar No. 7", "RT 03/RW 05"]),
        ("Ke Jalan Mawar No. 7" + "," * 40 + "RT 03/RW 05.", ["Jalan Mawar No. 7" + "," * 40 + "RT 03/RW 05"]),
        ("Ke Jalan Mawar No. 7" + "," * 41 + "RT 03/RW 05.", ["Jalan Mawar No. 7", "RT 03/RW 05"]),
        ("Ke Jalan Mawar No. 7, Gang Melati No. 3.", ["Jalan Mawar No. 7, Gang Melati No. 3"]),
        ("Ke Jalan Mawar No. 7, Jalan Melati No. 3.", ["Jalan Mawar No. 7", "Jalan Melati No. 3"]),
        ("Kantor DPC, Jalan Mawar No. 7.", []),
        ("Kantor DPC, Gang Mawar No. 7.", []),
        ("Kantor DPC, Jalan Mawar No. 7, RT 03/RW 05.", ["Jalan Mawar No. 7, RT 03/RW 05"]),  # only homes have that
        ("Kantor DPC, Kampung Baru RT 03.", ["RT 03"]),
        ("Kami dari kantor. Jalan Mawar No. 7.", ["Jalan Mawar No. 7"]),  # another sentence
    ],
)
def test_pieces_of_an_address(text: str, data: list[str]) -> None:
    """What belongs together is one; an office is no home, unless it has what only homes have."""
    assert [text[hit.start : hit.end] for hit in homes(text)] == data


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("NIK 5", "nik"),
        ("NIK" + " " * 40 + "5", "nik"),
        ("NIK" + " " * 41 + "5", ""),
        ("NIK 12345 lalu 5", ""),
        ("Soal NIK. Lalu 5", ""),
        ("Rekening dan NPWP 5", "tax"),
        ("5 (NPWP)", "tax"),
        ("5 orang, NPWP", ""),
        ("laporan ke 5", ""),
        ("laporan nomor 5", "other"),
        ("satu 5", ""),
    ],
)
def test_what_a_number_is_called(text: str, called: str) -> None:
    """The nearest word before it, else the one right behind it."""
    start = text.index("5") if "lalu" not in text else text.rindex("5")
    assert label(text, start, start + 1) == called


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Rp 5.000", "Rp      "),
        ("Rp12 dan 08.30 lalu 9", "Rp   dan       lalu 9"),
        ("pada 2026-12-03, 081234", "pada           , 081234"),
        ("Rp1.000 atau 2.000 juta, 7", "Rp      atau       juta, 7"),
    ],
)
def test_everyday_numbers_leave_spaces(text: str, rest: str) -> None:
    """As many as there were signs, so that places stay what they are."""
    assert without_everyday(text) == rest


def test_numbers_beside_others() -> None:
    """A long number is found behind one that is none, and only as itself."""
    identity = "3171054508900001"
    text = f"NIK 1111 {identity}"
    assert [text[hit.start : hit.end] for hit in sixteen_digits(text)] == [identity]
    text = f"NIK {identity}, {identity}"
    assert len(list(sixteen_digits(text))) == 2
    assert not list(sixteen_digits("Kode 3171054008900001"))  # the fortieth of a month is nobody's birthday
    text = "Rekening BCA 12 12345678 1"
    assert [text[hit.start : hit.end] for hit in bank_accounts(text)] == ["12345678"]


def test_the_words_of_a_link() -> None:
    """What it calls, where it leads and what it carries, each by itself."""
    assert apart("mailto:ani@contoh.example?subject=NIK%201")[1] == [
        Link("mailto:ani@contoh.example?subject=NIK%201", path="ani@contoh.example", query="subject: NIK 1")
    ]
    assert apart("https://api.whatsapp.com/send?phone=6281234567890&text=a")[1] == [
        Link(
            "https://api.whatsapp.com/send?phone=6281234567890&text=a",
            number="+6281234567890",
            path=" / send",
            query="phone: 6281234567890 ; text: a",
        )
    ]
    assert apart("https://wa.me/6281234567890")[1][0].number == "+6281234567890"
    assert apart("https://wa.me/12345678")[1][0].number == "+12345678"
    assert apart("https://wa.me/1234567")[1][0].number == ""
    assert apart("https://contoh.example/a/b?x=1#y=2")[1] == [
        Link("https://contoh.example/a/b?x=1#y=2", path=" / a / b", query="x: 1 ; y: 2")
    ]
    assert apart("Pukul 8: datang / pulang") == ("Pukul 8: datang / pulang", [])
    assert of_file("media/kartu_anggota_1.jpg") == "kartu anggota 1"


def test_a_datum_of_a_link_stands_in_it() -> None:
    """However the link is written in the plan, with + or quoted."""
    finding = Finding("S006", "+6281234567890", "https://wa.me/6281234567890")
    assert finding.stands_in("https://wa.me/6281234567890")
    assert finding.stands_in("https://wa.me/%36281234567890")
    assert not Finding("S006", "+6281234567890").stands_in("https://wa.me/6281234567890")


@pytest.mark.parametrize(
    ("contact", "finding"),
    [
        ("info@contoh.example", Finding("S007", "info (at) contoh (dot) example")),
        ("info@contoh.example", Finding("S007", "INFO @ contoh.example")),
        ("0062 21 5550 100", Finding("S006", "021-5550-100")),
        ("Jalan Merdeka 007, Jakarta", Finding("S008", "Jl Merdeka 7")),
        ("Jalan Merdeka 0", Finding("S008", "Jl. Merdeka No. 00")),
        ("BCA 1234567890", Finding("S010", "123-456-7890")),
    ],
)
def test_public_contacts_in_other_spellings(contact: str, finding: Finding) -> None:
    """The union's own stay its own."""
    assert PublicContacts([contact]).hold(finding)
    assert not PublicContacts(["Jalan Lain 8, lain@contoh.example, 021 5550 200"]).hold(finding)


def test_an_address_within_another() -> None:
    """The words must stand side by side, at either end too, with a number among them."""
    public = PublicContacts(["Gedung Serikat Lantai 2 Jalan Merdeka 7"])
    assert public.hold(Finding("S008", "Jalan Merdeka 7"))
    assert public.hold(Finding("S008", "Lantai 2 Jalan"))
    assert not public.hold(Finding("S008", "Jalan Merdeka 7 9"))
    assert not public.hold(Finding("S008", "Jalan Merdeka"))
    assert not public.hold(Finding("S008", "7"))


@pytest.mark.parametrize(
    ("text", "plate"),
    [
        ("Mobil B 1234 XYZ", "B 1234 XYZ"),
        ("Ada B 1234 XYZ", "B 1234 XYZ"),  # three digits and capitals are enough
        ("Ada B 12 XY", None),
        ("Mobil B 12 XY", "B 12 XY"),
        ("mobil b 123 xy", "b 123 xy"),
        ("mobil b 12 xy", None),
        ("Peserta 1234 orang, lalu B 1234 XYZ", "B 1234 XYZ"),
        ("B 12 XY di belakang mobil", None),  # the word stands before it, or not at all
    ],
)
def test_number_plates(text: str, plate: str | None) -> None:
    """Their signs, or the word before them, say what they are."""
    assert [datum for code, datum in found(text) if code == "S009"] == ([plate] if plate else [])


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("NIK 3171, 0545, 0890, 0001", ["3171, 0545, 0890, 0001"]),
        ("31, 71, 05, 450890, 00, 01", ["31, 71, 05, 450890, 00, 01"]),  # six groups, as people write them
        ("3, 1, 71, 05, 450890, 00, 01", []),  # seven are a list
        ("WA 3171, 0545, 0890, 0001", ["3171, 0545, 0890, 0001"]),
        ("Kode 12, 3171, 0545, 0890, 0001", []),  # in a longer list nobody knows where it begins
        ("Nilai 1, 2, 3. NIK 3171, 0545, 0890, 0001", ["3171, 0545, 0890, 0001"]),
    ],
)
def test_identities_in_pieces(text: str, data: list[str]) -> None:
    """Groups as people write them, or the word beside them."""
    assert [datum for code, datum in found(text) if code == "S001"] == data


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("0812, 3456, 7890", ["0812, 3456, 7890"]),
        ("62812, 3456, 7890", ["62812, 3456, 7890"]),
        ("081, 234, 567, 890, 1", []),
        ("0812, 345, 678, 901, 234", []),  # too long
        ("0812, 0813, 0852", []),  # codes of a list
        ("WA 0812, 3456, 7890 atau 0813, 3456, 7890", ["0812, 3456, 7890", "0813, 3456, 7890"]),
        ("1712, 3456, 7890", []),
    ],
)
def test_telephone_numbers_in_pieces(text: str, data: list[str]) -> None:
    """As they are dialled, in few groups."""
    assert [datum for code, datum in found(text) if code == "S006"] == data


@pytest.mark.parametrize(
    ("link", "number"),
    [
        ("https://contoh.example/hubungi/081234567890", "081234567890"),
        ("https://contoh.example/wa/6281234567890", "+6281234567890"),
        ("https://wa.contoh.example/6281234567890", "+6281234567890"),
        ("https://contoh.example/a/+6281234567890", "+6281234567890"),
        ("https://contoh.wa.example/6281234567890", ""),  # the word is not the first of the host
        ("https://contoh.example/hubungi/kami/6281234567890", ""),
        ("https://contoh.example/berita/6281234567890", ""),
    ],
)
def test_numbers_in_the_address_of_a_page(link: str, number: str) -> None:
    """Behind +, or right behind the word for it; every other one is the page's own."""
    assert apart(link)[1][0].number == number


@pytest.mark.parametrize(
    ("sign", "plain"),
    [
        *((dash, "-") for dash in "‐‑‒–—―−"),
        *((chr(code), "") for code in (0x200B, 0xAD, 0x20E0, 0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180F)),
        *((chr(code), "") for code in (0xFE00, 0xFE0F, 0xE0100, 0xE01EF)),
        *((chr(code), chr(code)) for code in (0x350, 0x115E, 0x1161, 0x17B3, 0x180A, 0xE01F0)),
        ("٣", "3"),
        ("३", "3"),
        ("А", "A"),
        ("ѕ", "s"),
        ("ï", "ï"),
        ("。", "。"),
    ],
)
def test_what_a_sign_is_taken_for(sign: str, plain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dashes, what nobody sees, digits of other scripts and letters that look like ours; others stay."""
    monkeypatch.setattr(signs, "_SIGNS", type(signs._SIGNS)())  # met for the first time
    for _again in range(2):
        assert signs.plain_signs(f"a{sign}b") == f"a{plain}b"
