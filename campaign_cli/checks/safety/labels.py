"""The word beside a number that says what it is."""

from __future__ import annotations

import re
from typing import Final

_NEAR: Final = 40  # characters between the word and the number
_NUMBER: Final = r"(?:no(?:mor|mer|\.)?|nomor|number)"
_BANKS: Final = (
    "BCA|BRI|BNI|BTN|BSI|Mandiri|Bank|CIMB|Niaga|Danamon|Permata|Muamalat|Maybank|OCBC|Panin|BTPN|Jenius|Jago|SeaBank"
    "|BJB|Bukopin|Bank DKI|Blu"
)
_WALLETS: Final = (
    r"Go-?Pay|OVO|Shopee-?Pay|LinkAja|i\.saku|Sakuku|e-?wallet|dompet digital|DANA(?=\s*(?:no\b|nomor|:|\d))"
)
_WORDS: Final = {
    "nik": r"NIK|(?:e-?)?KTP|nomor induk kependudukan|no(?:mor|\.)? identitas|ID card|(?:national )?ID n(?:umber|o)",
    "family": r"KK|kartu keluarga|family card",
    "tax": r"NPWP|NITKU|nomor pokok wajib pajak|tax (?:ID|number)",
    "insurance": r"BPJS(?:-?TK)?|JKN|KIS|Jamsostek|KPJ|kartu Indonesia sehat|kartu peserta|nomor peserta|kepesertaan",
    "bank": rf"(?:no)?rek(?:ening)?|{_BANKS}|{_WALLETS}|virtual account|VA|transfer|(?:bank )?account|acc(?:t|ount)?",
    "phone": r"HP|WA|WhatsApp|te?lp|tlp|telp?on|telepon|ponsel|handphone|seluler|SMS|CP|narahubung|hubungi|kontak"
    r"|phone|mobile|call|contact|text|reach|fax|faks",
    "other": r"pesanan|order|resi|invoice|faktur|kuitansi|tiket|perkara|putusan|surat|registrasi|reg|ISBN|ISSN|SK|seri"
    r"|IMEI|transaksi|referensi|ref|meeting|rapat|zoom|passcode|pelanggan|barang|artikel|pengaduan|laporan|tracking"
    r"|NIB|izin|sertifikat|dokumen|file|arsip|anggaran|kode|code|case|ticket|document|permit|letter|akta|AHU|member"
    r"|undian|kupon|doorprize|voucher|kursi|urut|antrean|antrian|aset|raffle|coupon|seat|queue|asset",
}
_ANY: Final = re.compile(
    "|".join(rf"(?P<{name}>(?<![^\W_])(?:{words})(?![^\W\d_]))" for name, words in _WORDS.items()), re.IGNORECASE
)
_BREAK: Final = re.compile(r"\d{5,}|[.!?]\s+(?=[A-Z][a-z])|\n\s*\n")
_BESIDE: Final = re.compile(rf"(?:[\s:.#=()-]|(?:{_NUMBER}|ID|nya)(?![^\W_]))*", re.IGNORECASE)
_BEHIND: Final = re.compile(r"\s{0,2}[(\[]?\s?")


def label(text: str, start: int, end: int) -> str:
    """What the number at a place is called: nik, family, tax, insurance, bank, phone, other, or empty.

    The nearest word before it decides; where there is none, the one right behind it.
    """
    found = ""
    begin = max(0, start - _NEAR - 30)
    for match in _ANY.finditer(text, begin, end):
        gap = text[match.end() : start]
        if match.end() > start or len(gap) > _NEAR or _BREAK.search(gap):
            continue
        if match.lastgroup != "other" or _BESIDE.fullmatch(gap):  # "laporan ke 0812…" is no number of a report
            found = match.lastgroup or ""
    if found:
        return found
    behind = _BEHIND.match(text, end)
    match_behind = _ANY.match(text, behind.end() if behind else end)
    return match_behind.lastgroup or "" if match_behind else ""
