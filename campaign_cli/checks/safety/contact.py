"""How a person is reached: telephone numbers and e-mail addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from campaign_cli.checks.safety.findings import Hit
from campaign_cli.checks.safety.labels import label

_REGION: Final = "ID"
_SHORTEST: Final = 9  # digits, with the code of the city
_LONGEST: Final = 18  # digits: fifteen, and what is dialled to leave the country
_LEAST: Final = 10  # digits of a number with its country, where the numbering plan does not know it
_CALLS: Final = r"(?:(?<=wa)|(?<=hp)|(?<=tlp)|(?<=telp)|(?<=hub)|(?<=call)|(?<=sms)|(?<=no)|(?<=nomor)|(?<=#))"
_START: Final = re.compile(
    rf"(?:(?<![^\W_])(?<!\d[.,])(?<!\w-)(?<![#-])|{_CALLS}(?=\+?(?:0|62)8[1-9]\d{{7}}))(?:\+\s?|\(\+?|00)?\d",
    re.IGNORECASE,
)
_GROUP: Final = re.compile(r"\d+")
_BETWEEN: Final = re.compile(r"\s?/\s?|[ ().\-\[\]]{0,3}")
_MAIL: Final = re.compile(
    r"(?<![\w@.+%-])[\w.+%-]++@(?:[\w-]+\.)+(?!(?:png|jpe?g|gif|webp|svg|mp4|heic)\b)[^\W\d_]{2,}(?![^\W_])"
)
_AT: Final = r"\s*[(\[{<]\s*(?:at|@|et)\s*[)\]}>]\s*"
_DOT: Final = r"(?:\.|\s*[(\[{<]\s*(?:dot|titik|\.)\s*[)\]}>]\s*|\s+(?:dot|titik)\s+)"
_HIDDEN: Final = re.compile(
    rf"(?<![\w@.+-])[\w.+-]++(?:{_AT}[\w-]+(?:{_DOT}[\w-]+)*"
    rf"|\s+(?:at|et)\s+[\w-]+(?:\s+(?:dot|titik)\s+[\w-]+)+"
    rf"|\s+@\s+[\w-]+(?:(?:{_DOT}|\s\.\s(?=(?:com|net|org|id|co|or|web|example)\b))[\w-]+)+)",
    re.IGNORECASE,
)


def addresses(text: str) -> Iterator[Hit]:
    """E-mail addresses; no names on servers, as in @nama@serikat.example."""
    for match in _MAIL.finditer(text) if "@" in text else ():
        yield Hit("S007", *match.span())


def hidden_addresses(text: str) -> Iterator[Hit]:
    """The same with "(at)" or "at … dot" in the place of the sign."""
    for match in _HIDDEN.finditer(text):
        yield Hit("S007", *match.span())


def telephones(text: str) -> Iterator[Hit]:
    """Numbers of the whole world with +, of Indonesia without, that the numbering plans know.

    Free and premium numbers are no one's own. https://github.com/daviddrysdale/python-phonenumbers
    """
    at = 0
    while found := _START.search(text, at):
        at = found.end()
        end = _end(text, found.start())
        if end:
            yield Hit("S006", found.start(), end)
            at = end


def is_telephone(number: str) -> bool:
    """Whether a number, with + and the country or as it is dialled in Indonesia, is somebody's own."""
    import phonenumbers
    from phonenumbers import PhoneNumberType

    try:
        parsed = phonenumbers.parse(number, _REGION)
    except phonenumbers.NumberParseException:
        return False
    kind = phonenumbers.number_type(parsed)
    if (
        kind == PhoneNumberType.UNKNOWN
    ):  # nowhere in the plan: with its country and as long as those there, it may be new
        return number.startswith("+") and len(number) > _LEAST and phonenumbers.is_possible_number(parsed)
    return kind in (
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.PERSONAL_NUMBER,
        PhoneNumberType.VOIP,
        PhoneNumberType.PAGER,
    )


def _end(text: str, start: int) -> int:
    """Where the longest number that begins here ends, or 0 where none does."""
    ends: list[tuple[int, str]] = []
    first = _GROUP.search(text, start)
    lead = text[start : first.start()] if first else ""
    at, digits = start + len(lead), ""
    while group := _GROUP.match(text, at):
        digits += group.group()
        if len(digits) > _LONGEST:
            break
        ends.append((group.end(), digits))
        between = _BETWEEN.match(text, group.end())
        at = between.end() if between else group.end()
    if not ends or len(digits) < _SHORTEST:
        return 0
    called = label(text, start, ends[-1][0])
    for end, digits in reversed(ends):
        if len(digits) < _SHORTEST or text[end : end + 1].isalpha():
            continue
        if any(is_telephone(number) for number in _dialled(lead, digits, called)):
            return end
    return 0


def _dialled(lead: str, digits: str, called: str) -> tuple[str, ...]:
    """The number as the library reads it, in each way that is possible; none where nothing says that it is one."""
    if "+" in lead:
        return (f"+{digits}",)
    if digits.startswith("00") and len(digits) > 11:
        return f"+{digits[2:]}", f"+{digits[3:]}"  # 00, and 001, 007 and the like, as they are dialled in Indonesia
    if digits.startswith("0") and called != "other":
        return (digits,)
    if digits.startswith("628") and len(digits) >= 11:
        return (f"+{digits}",)
    if digits.startswith("8") and len(digits) >= 9 and called == "phone":
        return (f"0{digits}",)
    return ()
