"""What counts as personal data: the smallest and the largest, and what only looks alike."""

from __future__ import annotations

import subprocess
import sys

import pytest

from campaign_cli.checks.safety.findings import mask
from campaign_cli.checks.safety.numbers import is_identity
from campaign_cli.checks.safety.regions import regencies
from campaign_cli.checks.safety.scanning import personal_data


def found(text: str) -> list[tuple[str, str]]:
    """Code and datum of each finding."""
    return [(finding.code, finding.datum) for finding in personal_data(text)]


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        ("3201990101900001", True),
        ("3201993112900001", True),
        ("3201993212900001", False),  # no 32nd day
        ("3201990001900001", False),
        ("3201994101900001", True),  # a woman, born on the first
        ("3201997112900001", True),
        ("3201997212900001", False),
        ("3201994001900001", False),  # day 0 of a woman
        ("3201990100900001", False),
        ("3201990113900001", False),
        ("3201993004900001", True),
        ("3201993104900001", False),  # April has 30 days
        ("3201992902000001", True),  # 2000 was a leap year
        ("3201992902960001", True),
        ("3201992902961001", True),  # the running number has no part in the year
        ("3201992902979001", False),
        ("3201992902970001", False),
        ("3201996902960001", True),
        ("3201993002960001", False),
        ("3201000101900001", False),  # no district 00
        ("3201990101900000", False),  # running numbers begin with 0001
        ("3201990101909999", True),
        ("3200990101900001", False),
        ("3219990101900001", False),
        ("3218990101900001", True),
        ("0101990101900001", False),
        ("9912990101900001", False),
    ],
)
def test_the_form_of_a_nik(digits: str, expected: bool) -> None:
    """Region, a day that exists (a woman's + 40), and a running number."""
    assert is_identity(digits) is expected


def test_regions() -> None:
    """All provinces with their regencies and cities, also those that have other codes now."""
    codes = regencies()
    assert len(codes) == 545
    assert len({code[:2] for code in codes}) == 38
    assert {"1101", "1118", "1171", "3171", "3175", "3273", "6404", "6501", "9101", "9128", "9605", "9671"} <= codes
    assert not {"1119", "1170", "3102", "3176", "6405", "9129", "9606", "9901"} & codes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3201994101900001", [("S001", "3201994101900001")]),
        ("33201994101900001", []),
        ("32019941019000012", []),
        ("3201 9941 0190 0001", [("S001", "3201 9941 0190 0001")]),
        ("3201-9941-0190-0001.", [("S001", "3201-9941-0190-0001")]),
        ("3201  9941 0190 0001", []),
        ("2026 3201 9941 0190 0001", [("S001", "3201 9941 0190 0001")]),
        ("NIK 9999999999999999", [("S001", "9999999999999999")]),  # a slip of the pen is still somebody's number
        ("NIK 9999 9999 9999 9999", []),
        ("Pesanan 9999999999999999", []),
        ("KK 9999999999999999", [("S002", "9999999999999999")]),
        ("KK 3201990101900001", [("S002", "3201990101900001")]),
        ("NPWP 9999999999999999", [("S003", "9999999999999999")]),
        ("NPWP 9999 9999 9999 9999", [("S003", "9999 9999 9999 9999")]),
        ("BTN 9999999999999999", [("S010", "9999999999999999")]),
        ("BTN 3201990101900001", [("S010", "3201990101900001")]),
        ("NIK dan KK: 3201990101900001", [("S002", "3201990101900001")]),  # the nearest word decides
        ("3201990101900001 (KK)", [("S002", "3201990101900001")]),
        ("3201990101900001, KK", [("S001", "3201990101900001")]),
        ("3201990101900001 3201994101900002", [("S001", "3201990101900001"), ("S001", "3201994101900002")]),
        ("3201990101900001 dan 3201990101900001", [("S001", "3201990101900001")]),  # each datum once
    ],
)
def test_sixteen_digits(text: str, expected: list[tuple[str, str]]) -> None:
    """By their form or the word beside them, never a part of a longer number."""
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("00.000.123.4-567.000", [("S003", "00.000.123.4-567.000")]),
        ("100.000.123.4-567.000", []),
        ("00.000.123.4-567.0001", []),
        ("000001234567000", []),
        ("NPWP 000001234567000", [("S003", "000001234567000")]),
        ("NPWP 00000123456700", []),
        ("00 000 123 4 567 000 (NPWP)", [("S003", "00 000 123 4 567 000")]),
        ("NITKU 000001234567000", [("S003", "000001234567000")]),
    ],
)
def test_tax_numbers(text: str, expected: list[tuple[str, str]]) -> None:
    """As the tax office writes them, or beside their name."""
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("BPJS 0000012345", []),
        ("BPJS 00000123456", [("S004", "00000123456")]),
        ("BPJS 000001234567", []),
        ("BPJS 0000012345678", [("S004", "0000012345678")]),
        ("BPJS 00000123456789", []),
        ("0000012345678", []),
        ("JKN: 000-0012-345678", [("S004", "000-0012-345678")]),
        ("Kartu Indonesia Sehat 0000012345678", [("S004", "0000012345678")]),
        ("KIS 0000012345678", [("S004", "0000012345678")]),
        ("KPJ 00000123456", [("S004", "00000123456")]),
        ("Jamsostek 00000123456", [("S004", "00000123456")]),
        ("0000012345678 (BPJS)", [("S004", "0000012345678")]),
        ("BPJS bisa dihubungi lewat HP 08120000123", [("S006", "08120000123")]),
        ("BPJS tutup. Nomor antrean 0000012345678", []),
    ],
)
def test_insurance_numbers(text: str, expected: list[tuple[str, str]]) -> None:
    """Eleven or thirteen digits, beside the name."""
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("KTA 123", []),
        ("KTA 1234", [("S005", "1234")]),
        ("KTA 2026", []),
        ("KTA 1899", [("S005", "1899")]),
        ("KTA 20261", [("S005", "20261")]),
        ("KTA SP-12/34", [("S005", "SP-12/34")]),
        ("KTAX 1234", []),
        ("kartu anggota nomor 00-1234", [("S005", "00-1234")]),
        ("nomor anggota saya: 4567.8", [("S005", "4567.8")]),
        ("nomor anggota yang panjang sekali katanya 4567", []),  # more than 24 signs away
        ("KTA untuk 4567 orang", []),
        ("KTA\n4567", []),
        ("KTA 01-12-2026", []),
        ("KTA Rp 25000", []),
        ("union card GRT-004521", [("S005", "GRT-004521")]),
        ("member ID 10045", [("S005", "10045")]),
    ],
)
def test_union_cards(text: str, expected: list[tuple[str, str]]) -> None:
    """At least four digits behind the word, neither a year nor a number of people."""
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rek 0001234", []),
        ("rek 00012345", [("S010", "00012345")]),
        ("rek 000123456789012345", [("S010", "000123456789012345")]),
        ("rek 0001234567890123456", []),
        ("BCA 000-111-2222", [("S010", "000-111-2222")]),
        ("0001112222 (BCA)", [("S010", "0001112222")]),
        ("0001112222", []),
        ("rekening Rp 12345678", []),
        ("rekening 12.345.678", []),
        ("Dana 0812-0000-1234", [("S010", "0812-0000-1234")]),
        ("dana pensiun, telepon 0812-0000-1234", [("S006", "0812-0000-1234")]),
        ("BCA 0001112222 HP 0812-0000-1234", [("S010", "0001112222"), ("S006", "0812-0000-1234")]),
        ("BCA 00011122 33344455", [("S010", "00011122")]),
        ("BCA 0001112222 1234567", [("S010", "0001112222")]),
        ("BCA 0001112222 1234 5678", [("S010", "0001112222")]),
    ],
)
def test_bank_accounts(text: str, expected: list[tuple[str, str]]) -> None:
    """Eight to eighteen digits beside a bank, a wallet or "rek"; amounts are none."""
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0812-0000-1234", ["0812-0000-1234"]),
        ("0812 0000 1234 dan 0813.0000.5678", ["0812 0000 1234", "0813.0000.5678"]),
        ("081200001234/085700005555", ["081200001234", "085700005555"]),
        ("+62 812-0000-1234", ["+62 812-0000-1234"]),
        ("(+62) 812-0000-1234", ["(+62) 812-0000-1234"]),
        ("(021) 000-0123", ["(021) 000-0123"]),
        ("62812 0000 1234", ["62812 0000 1234"]),
        ("812-0000-1234", []),
        ("WA 812-0000-1234", ["812-0000-1234"]),
        ("pesanan 0812-0000-1234", []),
        ("pesanan nomor: 0812-0000-1234", []),
        ("pesanan ke 0812-0000-1234", ["0812-0000-1234"]),
        ("0062 812 0000 1234", ["0062 812 0000 1234"]),
        ("001 62 812 0000 1234", ["001 62 812 0000 1234"]),
        ("+60 12-000 1234", ["+60 12-000 1234"]),
        ("+44 7700 900123", ["+44 7700 900123"]),  # as long as British numbers are
        ("+1 23456789", []),
        ("+20 9999 9999", ["+20 9999 9999"]),
        ("+36 999 9999", []),
        ("0310-0001", []),
        ("0310-00012", ["0310-00012"]),
        ("001 999 0812 0000 1234", ["0812 0000 1234"]),
        ("+999 000 000 000", []),
        ("0800-1-000000", []),
        ("1500-630", []),
        ("0812-000", []),
        ("Tel:0812 0000 1234", ["0812 0000 1234"]),  # no link, though it begins like one
        ("hotel:081200001234", ["081200001234"]),
        ("x0812-0000-1234", []),
        ("0812-0000-1234x", []),
        ("2026.0812-0000-1234", []),
        ("08.00-16.00", []),
        ("07.30-16.30", []),
        ("0812 0000 1234 5678 9012 3456", ["0812 0000 1234"]),
        ("1234567890123456789", []),
        ("０８１２ ００００ １２３４", ["0812 0000 1234"]),
        ("0812‑0000–1234", ["0812-0000-1234"]),
        ("0812\u200b00001234", ["081200001234"]),
    ],
)
def test_telephones(text: str, expected: list[str]) -> None:
    """Numbers that the numbering plans know, from their first sign to their last digit."""
    assert found(text) == [("S006", number) for number in expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ani@surel.example", ["ani@surel.example"]),
        ("<ani.b+c@surel.co.example>,", ["ani.b+c@surel.co.example"]),
        ("@ani@surel.example", []),
        ("ani@surel", []),
        ("poster@2x.png", []),
        ("ani@surel.e1", []),
        ("ani (at) surel", ["ani (at) surel"]),
        ("ani [at] surel [dot] example", ["ani [at] surel [dot] example"]),
        ("ani{@}surel.example", ["ani{@}surel.example"]),
        ("ani at surel dot example", ["ani at surel dot example"]),
        ("ani @ surel.example", ["ani @ surel.example"]),
        ("ani @ surel", []),
        ("meet at surel.example", []),
        ("rapat at surel", []),
        ("_ani@surel.example_", ["_ani@surel.example"]),
    ],
)
def test_mail(text: str, expected: list[str]) -> None:
    """Addresses, also hidden ones; names on servers and files are none."""
    assert found(text) == [("S007", address) for address in expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Jl. Melati No. 12", ["Jl. Melati No. 12"]),
        ("Jl. Melati 12", ["Jl. Melati 12"]),
        ("Jl. Melati", []),
        ("Jl. Melati 1200", []),
        ("Jl. Melati 12 orang", []),
        ("Jl. Melati 12 Desember", []),
        ("Jl. Melati 12.30", []),
        ("Jl. Melati KM 12", []),
        ("Jl. Melati IX/12", ["Jl. Melati IX/12"]),
        ("Jl. Melati IX/12/2026", []),
        ("Jl. Melati Raya Timur Dalam, No. 12A, Bekasi", ["Jl. Melati Raya Timur Dalam, No. 12A"]),
        ("jalan Melati nomor 7", ["jalan Melati nomor 7"]),
        ("jalan keluar nomor 7", []),
        ("Jalan kaki 3 kali", []),
        ("jl melati no 8", ["jl melati no 8"]),
        ("Gg. Mawar No. 4", ["Gg. Mawar No. 4"]),
        ("gang mawar no 4", ["gang mawar no 4"]),
        ("gang sempit", []),
        ("RT 03/RW 05", ["RT 03/RW 05"]),
        ("RT.003 RW.005", ["RT.003 RW.005"]),
        ("RT/RW 05/02", ["RT/RW 05/02"]),
        ("RT 05", []),
        ("Kampung Contoh RT 05", ["RT 05"]),
        ("ketua RT dan RW", []),
        ("Perumahan Contoh Blok C2 No. 7", ["Perumahan Contoh Blok C2 No. 7"]),
        ("Blok C2 No. 7", ["Blok C2 No. 7"]),
        ("Blok F/12", ["Blok F/12"]),
        ("Blok M", []),
        ("Kos Melati nomor 3", ["Kos Melati nomor 3"]),
        ("Jl. Melati No. 12, RT 03/RW 05", ["Jl. Melati No. 12, RT 03/RW 05"]),  # one address
        ("Jl. Melati No. 12\nJl. Mawar No. 3", ["Jl. Melati No. 12", "Jl. Mawar No. 3"]),
        ("Kantor Disnaker, Jl. Melati No. 12", []),
        ("Kantor kami pindah ke rumah ketua, Jl. Melati No. 12", ["Jl. Melati No. 12"]),
        ("Kantor tutup. Jl. Melati No. 12", ["Jl. Melati No. 12"]),
        ("Kantor RW, Jl. Melati No. 12 RT 03/RW 05", ["Jl. Melati No. 12 RT 03/RW 05"]),
        ("RS Contoh, Jl. Melati No. 12", []),
        ("Kantor Disnaker Provinsi dan Balai K3, lantai 3, Jl. Melati No. 12", []),
        ("Pengadilan Negeri Jkt.Pst (PHI): Jl. Melati No. 12", []),
        ("PT Contoh memecat kawan yang beralamat di Jl. Melati No. 12", ["Jl. Melati No. 12"]),
        ("PTX, Jl. Melati No. 12", ["Jl. Melati No. 12"]),
        ("rumah sakit Contoh, Jl. Melati No. 12", []),
    ],
)
def test_homes(text: str, expected: list[str]) -> None:
    """A house number, or RT and RW; neither a street alone nor a place of work."""
    assert found(text) == [("S008", address) for address in expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("B 1234 XYZ", ["B 1234 XYZ"]),
        ("B1234XYZ", ["B1234XYZ"]),
        ("AB-123-C", ["AB-123-C"]),
        ("B 12 XYZ", []),
        ("mobil B 12 XYZ", ["B 12 XYZ"]),
        ("b 1234 xyz", []),
        ("nopol b 1234 xyz", ["b 1234 xyz"]),
        ("nopol b 12 xyz", []),
        ("Q 1234 XYZ", []),
        ("X 1234 XYZ", []),
        ("B 0234 XYZ", []),
        ("B 12345 XYZ", []),
        ("B 1234 WXYZ", []),
        ("AAB 1234 XYZ", []),
        ("HARI H 2026 DI JAKARTA", []),
        ("KT 6789 LM", ["KT 6789 LM"]),
        ("12/B 1234 XYZ", []),
        ("B 1234 XYZ/2026", []),
    ],
)
def test_plates(text: str, expected: list[str]) -> None:
    """The letters of an area, digits and letters; small letters and few digits only beside the word for it."""
    assert found(text) == [("S009", plate) for plate in expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://wa.me/6281200001234", [("S006", "+6281200001234")]),
        ("wa.me/6281200001234?text=Halo", [("S006", "+6281200001234")]),
        ("https://api.whatsapp.com/send?phone=%2B6281200001234&text=x", [("S006", "+6281200001234")]),
        ("https://wa.me/qr/ABCDEFGH12345", []),
        ("tel:+62-812-0000-1234", [("S006", "+62-812-0000-1234")]),
        ("sms:081200001234", [("S006", "081200001234")]),
        ("sms:ketik DAFTAR", []),
        ("mailto:ani@surel.example?body=Halo", [("S007", "ani@surel.example")]),
        ("mailto:?body=NIK%203201994101900001", [("S001", "3201994101900001")]),
        ("https://a.example/?email=ani%40surel.example", [("S007", "ani@surel.example")]),
        ("https://a.example/?hp=0812+0000+1234", [("S006", "0812 0000 1234")]),
        ("https://a.example/#nik=3201994101900001", [("S001", "3201994101900001")]),
        ("https://a.example/081200001234", []),
        ("https://a.example/3201994101900001/", [("S001", "3201994101900001")]),
        ("https://a.example/u/ani@surel.example", [("S007", "ani@surel.example")]),
        ("https://[a.example/?hp=081200001234", [("S006", "081200001234")]),
        ("https://a.example/?081200001234", [("S006", "081200001234")]),
    ],
)
def test_links(text: str, expected: list[tuple[str, str]]) -> None:
    """What a link calls and what its query carries; the numbers of a page are its own."""
    assert found(text) == expected
    assert {finding.written for finding in personal_data(text)} <= {text}


@pytest.mark.parametrize(
    ("datum", "masked"),
    [("0812-0000-1234", "08…34"), ("12345678", "12…78"), ("1234567", "1…"), ("Jl. Melati\nNo. 12", "Jl…12")],
)
def test_masks(datum: str, masked: str) -> None:
    """Two signs at each end at most; of what is short, one."""
    assert mask(datum) == masked


def test_the_numbering_plans_are_loaded_only_for_numbers() -> None:
    """A text with dates, wages and hours costs no library."""
    code = (
        "import sys; from campaign_cli.checks.safety.scanning import personal_data\n"
        "assert personal_data('Rp 5.396.761, 10-12-2026 jam 08.00-16.00, UU 13/2003, 12345678') == ()\n"
        "assert 'phonenumbers' not in sys.modules\n"
        "assert len(personal_data('0812-0000-1234')) == 1\n"
        "sys.exit('phonenumbers' not in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


HOSTILE = ("a-" * 50_000 + "/", "1." * 50_000, "1,1" * 40_000, "a " * 50_000 + "at", "jl a " * 20_000, "RT 1 " * 20_000)
MORE = (
    "KTA " * 20_000 + "x1",
    "0812 " * 20_000,
    "@" * 100_000,
    "a." * 50_000 + "@",
    "b 1 a" * 20_000,
    "[" * 100_000 + ":/",
)

LAST = (("PT " + "A." * 56 + "x Jl. Melati No. 1 ") * 700, ("kantor " * 15 + "x Jl. Melati No. 1 ") * 700)


@pytest.mark.parametrize("text", [*HOSTILE, *MORE, *LAST])
def test_hostile_texts_end(text: str) -> None:
    """A hundred thousand signs that nearly are something take no more than their length."""
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_CPU, (60, 60))\n"
        "from campaign_cli.checks.safety.scanning import personal_data\n"
        "personal_data(sys.stdin.read())"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, input=text)
    assert (done.returncode, done.stderr) == (0, "")
