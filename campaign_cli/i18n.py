"""Messages, dates and zone names in Bahasa Indonesia and English.

English is the source language: the text in the code. ``locale/id/LC_MESSAGES/campaign.{po,mo}`` holds the
Indonesian, and ``make check`` fails when a string has no translation there. Placeholders are named:
``_("No account {name}").format(name=…)``.
"""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

LANGUAGES: Final = ("id", "en")
DEFAULT_LANGUAGE: Final = "id"
INDONESIAN_ZONES: Final = {"WIB": "Asia/Jakarta", "WITA": "Asia/Makassar", "WIT": "Asia/Jayapura"}
_ZONE_LABELS: Final = {name: label for label, name in INDONESIAN_ZONES.items()} | {"Asia/Pontianak": "WIB"}
LOCALE: Final = Path(__file__).parent / "locale"

_catalogue: gettext.NullTranslations = gettext.NullTranslations()
_language: str = "en"


def use_language(name: str) -> None:
    """Choose the language of everything said from here on (``id`` or ``en``)."""
    global _catalogue, _language  # noqa: PLW0603 - the language is one per process, like the locale
    _language = name
    _catalogue = (
        gettext.NullTranslations() if name == "en" else gettext.translation("campaign", LOCALE, [name], fallback=True)
    )


def language() -> str:
    """The language in use."""
    return _language


def choose_language(wanted: str | None, environment: Mapping[str, str]) -> str:
    """``--lang`` if given, else the first of LC_ALL, LC_MESSAGES, LANG that names one of ours, else Indonesian."""
    if wanted:
        return wanted
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = environment.get(variable, "")
        if value:
            prefix = value.split("_")[0].split(".")[0].lower()
            return prefix if prefix in LANGUAGES else DEFAULT_LANGUAGE
    return DEFAULT_LANGUAGE


def _(message: str) -> str:
    """The message in the chosen language."""
    return "" if message == "" else _catalogue.gettext(message)


def ngettext(singular: str, plural: str, count: int) -> str:
    """The message for ``count`` things in the chosen language."""
    return _catalogue.ngettext(singular, plural, count)


def N_(message: str) -> str:
    """Mark a message for translation without translating it now."""
    return message


def zone_label(zone: tzinfo | None, at: datetime) -> str:
    """``WIB``, ``WITA`` or ``WIT`` for Indonesia's zones, else the zone's own abbreviation at that instant."""
    name = zone.key if isinstance(zone, ZoneInfo) else ""
    return _ZONE_LABELS.get(name) or at.astimezone(zone).tzname() or ""


def format_instant(at: datetime, zone: tzinfo, *, year: bool = True, seconds: bool = False) -> str:
    """``Sen, 7 Des 2026 08.00 WIB`` (id) or ``Mon, 7 Dec 2026 08:00 WIB`` (en) for an aware instant in ``zone``."""
    from babel.dates import format_datetime

    local = at.astimezone(zone)
    time = ("HH.mm" if _language == "id" else "HH:mm") + ((".ss" if _language == "id" else ":ss") if seconds else "")
    pattern = f"EEE, d MMM {'y ' if year else ''}{time}"
    return f"{format_datetime(local, pattern, locale=_language)} {zone_label(zone, at)}"
