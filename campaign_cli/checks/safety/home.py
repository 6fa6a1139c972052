"""Where a person lives: an address with the number of its house, or with RT and RW."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from campaign_cli.checks.safety.findings import Hit

_BETWEEN: Final = 40  # signs between two pieces of one address
_LOOKED_BACK: Final = 120  # signs before an address
_WORD: Final = r"[A-Z0-9][\w.'-]*"
_NAME: Final = rf"{_WORD}(?:[ ]{_WORD}){{0,4}}?"
_NUMBER: Final = r"(?:no(?:mor|mer)?\b\.?|nmr\.?|#)\s?\d{1,4}(?:\s?[-/]?\s?[A-Z]\b|[-/]\d{1,3})?"
_BARE: Final = (
    r"\d{1,3}(?:[A-Z]\b)?(?![\d.:,]?\d)(?!\s?(?:km|kilo|meter|m\b|orang|ribu|juta|jam|menit|hari|tahun|peserta|massa|buruh"
    r"|persen|%|titik|perusahaan|pabrik|kali|lantai|jan|feb|mar|apr|mei|jun|jul|agu|sep|okt|nov|des|may|aug|oct|dec"
    r"|pukul|bus|unit|anggota|pekerja|people|workers))"
)
_STREET: Final = re.compile(
    rf"(?<![^\W_])(?:(?i:jln?)\.?\s?|(?i:jalan)\s)(?:(?i:gang|gg\.?)\s)?{_NAME}"
    rf"(?:\s?,?\s?(?i:{_NUMBER})|/\d{{1,3}}(?![\d/])|(?<!\b(?i:km))\s(?i:{_BARE}))"
)
_WAYS: Final = (
    "keluar|tengah|pintas|terbaik|lain|baru|menuju|ke|yang|nomor|no|buntu|terus|kaki"  # a way out, and others
)
_SMALL: Final = re.compile(
    rf"(?<![^\W_])(?:jl|jln|jalan)\.?\s(?!(?:{_WAYS})\b)(?:[a-z][\w.']*\s){{1,4}}?"
    rf"(?:{_NUMBER}|\d{{1,3}}(?=\s(?:rt|kel|kec|desa)\b))"
)
_LANE: Final = re.compile(rf"(?<![^\W_])(?:(?i:gg|gang)\.?\s)(?:{_NAME}|[a-z]+)\s?,?\s?(?i:{_NUMBER})")
_BLOCK: Final = r"(?<![^\W_])blok\s?[A-Z]{1,2}"
_HOUSING: Final = re.compile(
    r"(?<![^\W_])(?:(?:perum(?:ahan)?|kompleks?|komp\.|griya|cluster|kos(?:t|an)?|kontrakan|rusun(?:awa)?|apartemen|mess"
    rf"|villa|vila|puri|taman|bumi)\b[^.;:\n]{{0,40}}?(?:\b{_NUMBER}|{_BLOCK}\s?[-./]?\s?\d{{1,3}}(?:,?\s?{_NUMBER})?)"
    rf"|{_BLOCK}\s?\d{{0,3}}\s?(?:/|,?\s?no\.?\s?|-)\s?\d{{1,3}})(?!\d)",
    re.IGNORECASE,
)
_RT_RW: Final = re.compile(
    r"(?<![^\W_])(?:RT[\s.:]*\d{1,3}\s?[/,.\-]?\s?(?:dan\s)?RW[\s.:]*\d{1,3}"
    r"|RT\s?[/-]\s?RW[\s.:]*\d{1,3}\s?[/-]\s?\d{1,3})(?!\d)",
    re.IGNORECASE,
)
_RT: Final = re.compile(r"(?<![^\W_])RT[\s.:]*\d{1,3}(?!\d)", re.IGNORECASE)
_PLACE: Final = re.compile(
    r"(?<![^\W_])(?:jl|jln|jalan|gg|gang|dusun|kampung|kp|desa|kel|kelurahan|perum|perumahan)\b", re.IGNORECASE
)
_BUILDINGS: Final = (
    "kantor|gedung|balai|pengadilan|PHI|kementerian|kemnaker|kemenaker|disnaker|disnakertrans|dinas|istana|DPRD?"
    "|polres|polrestabes|polda|polsek|hotel|wisma|stasiun|terminal|rumah sakit|RSUD|RS|puskesmas|klinik|kampus"
    "|universitas|sekolah|pabrik|PT|CV|museum|aula|monumen|taman|lapangan|gelora|halte|masjid|gereja|pasar|mal|plaza|menara"
    "|sekretariat|posko|court|office|ministry|building|hall|factory|kedutaan|embassy"
)
_OTHERS: Final = (
    "di|dan|kami|kita|pusat|daerah|cabang|wilayah|provinsi|kota|lantai|lt|ruang|negeri|yang|of|the|in|at|and"
)
_GAP: Final = r"[\s,.():-]{1,3}+"
_PUBLIC: Final = re.compile(
    rf"(?<![^\W_])(?i:{_BUILDINGS})(?:{_GAP}(?:[A-Z0-9][\w&/]*+|(?i:{_BUILDINGS}|{_OTHERS})(?!\w))){{0,12}}{_GAP}$"
)


def homes(text: str) -> Iterator[Hit]:
    """One hit for each address: all that belongs to it. The address of an office or a factory is no home."""
    joined: list[_Piece] = []
    for piece in sorted(_pieces(text)):
        last = joined[-1] if joined else None
        if last is not None and (
            piece.start < last.end or (not piece.begins and _belongs(text[last.end : piece.start]))
        ):
            joined[-1] = last._replace(end=max(last.end, piece.end), sure=last.sure or piece.sure)
        else:
            joined.append(piece)
    for address in joined:
        if address.sure or not _is_public(text, address.start):
            yield Hit("S008", address.start, address.end)


class _Piece(NamedTuple):
    """A part of an address. ``begins``: another one begins with it; ``sure``: only homes have it."""

    start: int
    end: int
    begins: bool
    sure: bool


def _belongs(between: str) -> bool:
    """Whether what follows is still the same address."""
    return len(between) <= _BETWEEN and "\n\n" not in between


def _pieces(text: str) -> Iterator[_Piece]:
    for pattern in (_STREET, _SMALL):
        for match in pattern.finditer(text):
            yield _Piece(*match.span(), begins=True, sure=False)
    for pattern in (_LANE, _HOUSING):
        for match in pattern.finditer(text):
            yield _Piece(*match.span(), begins=False, sure=False)
    for match in _RT_RW.finditer(text):
        yield _Piece(*match.span(), begins=False, sure=True)
    for match in _RT.finditer(text):
        if _PLACE.search(text, max(0, match.start() - 50), match.end() + 30):
            yield _Piece(*match.span(), begins=False, sure=True)


def _is_public(text: str, start: int) -> bool:
    """Whether right before an address, with nothing but names between, stands a place where people work or meet."""
    before = re.split(r"(?<=[a-z)])[.!?]\s", text[max(0, start - _LOOKED_BACK) : start])[-1]
    return _PUBLIC.search(before) is not None
