"""Figures, and accusations of somebody by name, as Indonesian and English write them: what a reader may ask proof of.

Nobody can know from a text alone whether it is true, or which name is a person's: these are guesses, told as hints.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from campaign_cli.checks.phrases import without_links

_LONGEST: Final = 60  # of a figure, in a message
_NUMBER: Final = r"\d+(?:[.,]\d+)*"
_TIMES: Final = r"(?:ribu|rb|juta|jt|miliar|milyar|triliun|thousand|million|billion)"
_PEOPLE: Final = (
    r"(?:orang|buruh|pekerja|anggota|karyawan|karyawati|pegawai|massa|korban|keluarga|perempuan|anak|warga|rakyat|"
    r"penganggur|pabrik|perusahaan|people|workers?|members?|employees?|women|children|families|jobs|victims|persons|"
    r"factories|companies|deaths)"
)
_FIGURE: Final = re.compile(
    rf"""(?<![\w.,])(?=[\dRIUE$€])(?:
        (?P<percent>{_NUMBER})\s?(?:%|(?:persen|per\s?cent)\b)
      | (?:Rp\.?|IDR|US\$|USD|\$|€|EUR)\s?{_NUMBER}(?:\s?{_TIMES}\b)?
      | {_NUMBER}\s?(?:{_TIMES}\s)?(?:rupiah|dolar|dollars?|euros?)\b
      | (?P<people>{_NUMBER})\s?(?P<times>{_TIMES}\s)?{_PEOPLE}\b
      | \d+\s(?:dari|of|in|out\sof)\s(?:setiap\s|every\s)?\d+\s{_PEOPLE}\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)

_WORD: Final = r"[A-Z][\w&'-]{0,40}"  # bounded, as all here: a text of any shape is read in time
_NAME: Final = rf"{_WORD}(?:\s{{1,3}}{_WORD}){{0,3}}"
_FIRMS: Final = ("PT", "CV", "UD", "PD", "Firma", "Perum", "Koperasi", "Yayasan", "Bank", "RS")
_FORMS: Final = ("Tbk", "Inc", "Ltd", "LLC", "Corp", "GmbH", "Bhd")
_TITLES: Final = (
    *("Bapak", "Bpk", "Pak", "Ibu", "Bu", "Sdr", "Sdri", "Saudara", "Saudari", "Tuan", "Tn", "Nyonya", "Ny", "Dirut"),
    *("Direktur", "Direktur Utama", "Komisaris", "Manajer", "Manager", "Mandor", "Supervisor", "HRD", "Kepala", "CEO"),
    *("Bupati", "Gubernur", "Wali Kota", "Walikota", "Camat", "Lurah", "Menteri", "Presiden", "Kapolres", "Kapolda"),
    *("Kapolsek", "Hakim", "Jaksa", "Mr", "Mrs", "Ms", "Director", "President", "Minister", "Governor", "Mayor"),
    "Judge",
)
_FIRM, _FORM, _TITLE = (f"(?:{'|'.join(words)})" for words in (_FIRMS, _FORMS, _TITLES))
_NAMING: Final = frozenset(word.split()[0] for word in (*_FIRMS, *_FORMS, *_TITLES))
_NAMED: Final = re.compile(rf"\b(?:{_FIRM}\s{{1,3}}{_NAME}|{_NAME},?\s{{1,3}}{_FORM}\b|{_TITLE}\s{{1,3}}{_NAME})")
_ACCUSING: Final = re.compile(
    r"""(?<![\w-])(?:
        (?<!tidak\ )(?<!tak\ )(?<!jangan\ )(?<!bukan\ )(?:
            mencuri|menipu|menggelapkan|memeras|melanggar|menindas|mengeksploitasi|memperbudak|melecehkan|memukul|
            memukuli|menganiaya|mengintimidasi|mengancam|memberangus|merampas|membunuh|meracuni|mencemari|menyuap|
            menerima\ suap|disuap|memalsukan|memanipulasi|membohongi|berbohong|memecat|memfitnah|menyiksa|
            menelantarkan|menunggak|mem-?phk|korupsi|koruptor|penipu|pencuri|pemeras|pembohong|
            (?:menahan|memotong|memangkas|merampok)\ (?:upah|gaji|thr|pesangon))
      | (?:tidak|tak|belum|menolak|enggan)\ (?:mau\ )?(?:membayar(?:kan)?|bayar|memberikan|mendaftarkan|mematuhi)
      | di(?:pukul|pukuli|aniaya|lecehkan|tipu|ancam|intimidasi|peras|rampas|eksploitasi|pecat|siksa)\ (?:oleh)
      | (?<!not\ )(?<!never\ )(?:steals?|stole|stealing|cheats?|cheated|bribes?|bribed|corrupt|exploits?|exploited|
            abuses?|abused|harass(?:es|ed)|underpays?|underpaid|lied|violat(?:es?|ed|ing)|br(?:eaks?|oke)\ the\ law|
            threaten(?:s|ed)|fired|sacked|embezzl(?:es?|ed)|union[\ -]busting|fraud)
      | refus(?:es?|ed)\ to\ pay
    )(?![\w-])""",
    re.VERBOSE,
)
_LETTERS: Final = re.compile(r"[A-Za-z]+")
_SHORT: Final = re.compile(rf"\b({_FIRM}|{_FORM}|{_TITLE}|Dr|Drs|Ir|No)\.")
_END: Final = re.compile(r"(?<=[.!?])\s|\n")


class Accusation(NamedTuple):
    """Who is accused, as the text writes it, and the word that accuses."""

    name: str
    word: str


def figures_in(text: str) -> list[str]:
    """Percentages, sums of money and numbers of people, each once.

    Not the 100% that only means “wholly”, and not fewer than ten people: they are a group, and no figure.
    """
    found = (_said(match) for match in _FIGURE.finditer(without_links(text)))
    return list(dict.fromkeys(figure for figure in found if figure))


def _said(match: re.Match[str]) -> str:
    people = match["people"]
    if match["percent"] == "100" or (people and not match["times"] and _is_few(people)):
        return ""
    return match.group()[:_LONGEST]


def _is_few(number: str) -> bool:
    """Whether it has one digit; ``1.250`` and ``1,250`` are groups of thousands, other commas begin a fraction."""
    groups = re.sub(r"[.,](?=\d{3}(?!\d))", "", number)
    return len(re.split("[.,]", groups)[0].lstrip("0")) < 2


def accusations_in(text: str) -> list[Accusation]:
    """Sentences that name a company or a person with a title, and hold a word that accuses."""
    return [] if _NAMING.isdisjoint(_LETTERS.findall(text)) else list(_accusations(text))


def _accusations(text: str) -> Iterator[Accusation]:
    for sentence in _END.split(_SHORT.sub(r"\1", text)):
        named, word = _NAMED.search(sentence), _ACCUSING.search(sentence.lower())
        if named is not None and word is not None:
            yield Accusation(name=" ".join(named.group().split()), word=word.group())
