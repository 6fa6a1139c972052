"""Figures and accusations, as Indonesian and English write them."""

from __future__ import annotations

import pytest

from campaign_cli.checks.claims import accusations_in, figures_in


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("Upah naik 6,5% tahun ini", ["6,5%"]),
        ("Upah naik 6.5 %.", ["6.5 %"]),
        ("naik 12 persen", ["12 persen"]),
        ("by 7 percent, by 8 per cent", ["7 percent", "8 per cent"]),
        ("Kami 100% siap, 100 persen", []),
        ("hanya 1000%", ["1000%"]),
        ("Rp 5.200.000 sebulan", ["Rp 5.200.000"]),
        ("Rp. 5,2 juta; rp5 juta", ["Rp. 5,2 juta", "rp5 juta"]),
        ("5 juta rupiah dan 300 rupiah", ["5 juta rupiah", "300 rupiah"]),
        ("USD 3 million, US$ 7, $7.25, €5", ["USD 3 million", "US$ 7", "$7.25", "€5"]),
        ("25 dollars and 3 euros", ["25 dollars", "3 euros"]),
        ("1.250 buruh di-PHK, 1,250 workers too", ["1.250 buruh", "1,250 workers"]),
        ("2,5 juta orang", ["2,5 juta orang"]),
        ("250 ribu pekerja", ["250 ribu pekerja"]),
        ("9 orang, 0,95 orang, 09 anggota, 9.5 workers", []),
        ("10 orang", ["10 orang"]),
        ("2 juta keluarga", ["2 juta keluarga"]),
        ("1 dari 3 pekerja, 1 in 5 women", ["1 dari 3 pekerja", "1 in 5 women"]),
        ("1 dari setiap 4 buruh; 2 out of every 5 members", ["1 dari setiap 4 buruh", "2 out of every 5 members"]),
        ("6,5% dan lagi 6,5%", ["6,5%"]),
        ("baris\n12 persen\nlagi", ["12 persen"]),
        ("https://example.org/50%25 dan http://x.example/10-orang", []),
        ("Lihat https://example.org/a : naik\n 5%", ["5%"]),
        ("Pasal 28 ayat 3, UU 13/2003, H-7 08:00, 10 Desember 2026", []),
        ("40 pengurus dan anggota", []),
        ("v1.10 orang, x10 orang", []),
        ("10 orangutan", []),
        ("5% 6% 7%", ["5%", "6%", "7%"]),
        ("1" * 5000 + " orang", ["1" * 60]),
    ],
)
def test_figures(text: str, figures: list[str]) -> None:
    """Percentages, sums of money and numbers of people, as they are written."""
    assert figures_in(text) == figures


@pytest.mark.parametrize(
    ("text", "name", "word"),
    [
        ("PT Contoh Jaya mencuri upah.", "PT Contoh Jaya", "mencuri"),
        ("PT. Contoh  Jaya mencuri upah.", "PT Contoh Jaya", "mencuri"),
        ("CV Maju\u00a0Contoh tidak membayar THR", "CV Maju Contoh", "tidak membayar"),
        ("Contoh Garmen, Tbk. memecat buruh", "Contoh Garmen, Tbk", "memecat"),
        ("Acme Ltd refuses to pay", "Acme Ltd", "refuses to pay"),
        ("Pak Budi melecehkan pekerja", "Pak Budi", "melecehkan"),
        ("Mr. Smith stole wages", "Mr Smith", "stole"),
        ("Buruh dipukuli oleh Pak Budi", "Pak Budi", "dipukuli oleh"),
        ("Wali Kota Contoh menerima suap", "Wali Kota Contoh", "menerima suap"),
        ("PT CONTOH MENCURI", "PT CONTOH MENCURI", "mencuri"),
        ("Kata ketua: Direktur Utama Andi korupsi!", "Direktur Utama Andi", "korupsi"),
        ("Halo. PT Contoh belum mau membayarkan upah", "PT Contoh", "belum mau membayarkan"),
        ("PT Contoh memotong gaji", "PT Contoh", "memotong gaji"),
        ("PT Contoh mem-PHK buruh", "PT Contoh", "mem-phk"),
        ("Union busting at Acme Inc", "Acme Inc", "union busting"),
    ],
)
def test_accusations(text: str, name: str, word: str) -> None:
    """Who, and which word, in one sentence."""
    assert accusations_in(text) == [(name, word)]


NAMES = """
PT CV UD PD Firma Perum Koperasi Yayasan Bank RS Bapak Bpk Pak Ibu Bu Sdr Sdri Saudara Saudari Tuan Tn Nyonya Ny Dirut
Direktur Komisaris Manajer Manager Mandor Supervisor HRD Kepala CEO Bupati Gubernur Walikota Camat Lurah Menteri
Presiden Kapolres Kapolda Kapolsek Hakim Jaksa Mr Mrs Ms Director President Minister Governor Mayor Judge
"""
WORDS = """
mencuri menipu menggelapkan memeras melanggar menindas mengeksploitasi memperbudak melecehkan memukul memukuli
menganiaya mengintimidasi mengancam memberangus merampas membunuh meracuni mencemari menyuap disuap memalsukan
memanipulasi membohongi berbohong memecat memfitnah menyiksa menelantarkan menunggak mem-phk memphk korupsi koruptor
penipu pencuri pemeras pembohong steal steals stole stealing cheat cheats cheated bribe bribes bribed corrupt exploit
exploits exploited abuse abuses abused harasses harassed underpay underpays underpaid lied violate violates violated
violating threatens threatened fired sacked embezzle embezzles embezzled fraud
"""
SEVERAL = """
menerima suap|menahan upah|memotong gaji|memangkas thr|merampok pesangon|tidak membayar|tak bayar|belum memberikan
menolak mendaftarkan|enggan mematuhi|tidak mau membayarkan|dipukul oleh|dipukuli oleh|dianiaya oleh|dilecehkan oleh
ditipu oleh|diancam oleh|diintimidasi oleh|diperas oleh|dirampas oleh|dieksploitasi oleh|dipecat oleh|disiksa oleh
break the law|breaks the law|broke the law|union busting|union-busting|refuse to pay|refuses to pay|refused to pay
"""
PHRASES = [phrase for line in SEVERAL.strip().splitlines() for phrase in line.split("|")]


@pytest.mark.parametrize("title", [*NAMES.split(), "Direktur Utama", "Wali Kota"])
def test_every_title_makes_a_name(title: str) -> None:
    """With and without a full stop behind it, and only as a whole word."""
    assert accusations_in(f"Kemarin {title} Contoh menipu.") == [(f"{title} Contoh", "menipu")]
    assert accusations_in(f"Kemarin {title}. Contoh menipu.") == [(f"{title} Contoh", "menipu")]
    assert accusations_in(f"Kemarin x{title} contoh menipu.") == []


@pytest.mark.parametrize("form", ["Tbk", "Inc", "Ltd", "LLC", "Corp", "GmbH", "Bhd"])
def test_every_form_of_a_company_makes_a_name(form: str) -> None:
    """Behind the name, with a comma or without."""
    assert accusations_in(f"kemarin Contoh Jaya {form} menipu") == [(f"Contoh Jaya {form}", "menipu")]
    assert accusations_in(f"kemarin Contoh, {form}. menipu") == [(f"Contoh, {form}", "menipu")]


@pytest.mark.parametrize("word", [*WORDS.split(), *PHRASES])
def test_every_word_that_accuses(word: str) -> None:
    """As a whole, whatever its case."""
    assert accusations_in(f"PT Contoh: {word.upper()}!") == [("PT Contoh", word)]
    assert accusations_in(f"PT Contoh x{word}") == []
    assert accusations_in(f"PT Contoh {word}x") == []


@pytest.mark.parametrize("no", ["tidak", "tak", "jangan", "bukan"])
def test_what_is_denied_accuses_nobody(no: str) -> None:
    """The word before turns it round."""
    assert accusations_in(f"PT Contoh {no} mencuri") == []
    assert accusations_in(f"PT Contoh {no}mencuri") == []


PEOPLE = """
orang buruh pekerja anggota karyawan karyawati pegawai massa korban keluarga perempuan anak warga rakyat penganggur
pabrik perusahaan people worker workers member members employee employees women children families jobs victims persons
factories companies deaths
"""


@pytest.mark.parametrize("people", PEOPLE.split())
def test_every_kind_of_people_is_counted(people: str) -> None:
    """As a whole word."""
    assert figures_in(f"Ada 12 {people}.") == [f"12 {people}"]
    assert figures_in(f"Ada 12 {people}x.") == []
    assert figures_in(f"Ada 1 dari 3 {people}.") == [f"1 dari 3 {people}"]


@pytest.mark.parametrize(
    "times", ["ribu", "rb", "juta", "jt", "miliar", "milyar", "triliun", "thousand", "million", "billion"]
)
def test_every_large_number_is_one(times: str) -> None:
    """Of people, of money by sign and by name."""
    assert figures_in(f"Ada 2 {times} orang.") == [f"2 {times} orang"]
    assert figures_in(f"Ada Rp 2 {times}.") == [f"Rp 2 {times}"]
    assert figures_in(f"Ada 2 {times} rupiah.") == [f"2 {times} rupiah"]


@pytest.mark.parametrize("money", ["rupiah", "dolar", "dollar", "dollars", "euro", "euros"])
def test_every_money_is_one(money: str) -> None:
    """By its name."""
    assert figures_in(f"Ada 2 {money}.") == [f"2 {money}"]


@pytest.mark.parametrize("sign", ["Rp", "Rp.", "IDR", "US$", "USD", "$", "€", "EUR"])
def test_every_sign_of_money_is_one(sign: str) -> None:
    """With and without a space, in any case, and not inside a word."""
    assert figures_in(f"Ada {sign} 2.") == [f"{sign} 2"]
    assert figures_in(f"Ada {sign.lower()}2.") == [f"{sign.lower()}2"]
    assert figures_in(f"Ada x{sign}2.") == []


@pytest.mark.parametrize(
    "text",
    [
        "Perusahaan mencuri upah.",
        "PT Contoh Jaya menandatangani perjanjian.",
        "PT Contoh tidak melanggar aturan, jangan menipu, bukan korupsi, tak mencuri.",
        "Acme Ltd did not steal; it is not corrupt and never lied.",
        "Kami melawan korupsi. PT Contoh baik.",
        "Kami melawan korupsi!\nPT Contoh baik.",
        "Bu Sari dipukul di depan pabrik.",
        "PT Contoh: pelanggaran-melanggar-hukum",
        "pt contoh mencuri",
        "Pak mencuri upah",
        "",
    ],
)
def test_what_accuses_nobody_by_name(text: str) -> None:
    """Without a name, without a word that accuses, or in different sentences."""
    assert accusations_in(text) == []


def test_each_sentence_is_told() -> None:
    """In the order of the text."""
    text = "PT Satu mencuri upah. Dr. Dua menipu. Pak Tiga mengancam!"
    assert accusations_in(text) == [("PT Satu", "mencuri"), ("Pak Tiga", "mengancam")]


@pytest.mark.parametrize(
    "text",
    ["A-" * 40_000 + " mencuri", "1." * 40_000, "." * 80_000 + "mencuri", "PT " * 30_000 + "\nmencuri", "1 " * 40_000],
    ids=["hyphens", "points", "dots", "firms", "digits"],
)
def test_no_text_takes_long(text: str) -> None:
    """What is written to make a search go on for ever is read like any other text: this ends."""
    assert figures_in(text) == []
    assert accusations_in(text) == []
