"""The shape of accounts.yaml, and the reading of one entry of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Final, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, ValidationError

from campaign_cli.credentials import is_reference
from campaign_cli.i18n import _
from campaign_cli.models import Account, Problem, Severity
from campaign_cli.source import Source, suggest
from campaign_cli.source.shapes import Codes, finding, problems_of
from campaign_cli.wallclock import UnknownZone, clock_of, duration_of, zone_names, zone_of

NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
CODES: Final = Codes(unknown="A004", missing="A004", kind="A004", value="A004")
COMMON_KEYS: Final = ("platform", "timezone", "language", "rate", "media_host")
_ENTRY_CODES: Final = Codes(unknown="A004", missing="A004", kind="A004", value="A004", also=COMMON_KEYS)
_Model = TypeVar("_Model", bound=BaseModel)
_WEB: Final = re.compile(r"https://[^\s/?#@]+(?:/[^\s?#]*)?")
_CREDENTIALS_IN_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s@]*:[^/\s@]+@", re.IGNORECASE)


def _zone(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return zone_of(value)
    except UnknownZone:
        message = _('"{zone}" is not a time zone.').format(zone=value) + suggest(value, zone_names())
        raise finding("A009", message, _("Write WIB, WITA, WIT or a name like Asia/Tokyo.")) from None


def _duration(value: object) -> object:
    try:
        return duration_of(value if isinstance(value, str) else "")
    except ValueError:
        message = _("This is not a duration.")
        raise finding("A010", message, _("Write a number with its unit, like 90s, 30m, 2h or 1d.")) from None


def _hours(value: object) -> object:
    try:
        start, end = (value if isinstance(value, str) else "").split("-")
        return f"{clock_of(start):%H:%M}-{clock_of(end):%H:%M}"
    except ValueError:
        message = _("Quiet hours are a stretch from one clock time to another.")
        raise finding("A010", message, _('Write them like "22:00-05:00", in quotes.')) from None


def _slot(value: object) -> object:
    try:
        return f"{clock_of(value if isinstance(value, str) else ''):%H:%M:%S}".removesuffix(":00")
    except ValueError:
        raise finding("A011", _("A slot is a clock time."), _('Write it like "07:30", in quotes.')) from None


def _language(value: object) -> object:
    if value is not None and not (isinstance(value, str) and LANGUAGE.fullmatch(value)):
        raise finding("A004", _("This is not a language code."), _("Write id, en or another ISO 639 code."))
    return value


def _media_host(value: object) -> object:
    """The name of an account, or ``{folder, url}``: a folder, and where the web shows what lies in it."""
    written = value if isinstance(value, dict) and value.keys() == {"folder", "url"} else {}
    url = written.get("url")
    if isinstance(value, str) and NAME.fullmatch(value):
        return value
    if isinstance(written.get("folder"), str) and written["folder"] and isinstance(url, str) and _WEB.fullmatch(url):
        return {"folder": written["folder"], "url": url.rstrip("/")}
    raise finding(
        "A021",
        _("media_host is neither the name of an account nor a folder with its address."),
        _("Name a WordPress account, or write {example}.").format(
            example="{folder: public/media, url: https://serikat.example/media}"
        ),
    )


Duration = Annotated[timedelta, BeforeValidator(_duration)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class RulesFile(_Strict):
    """What the workspace demands of every plan; see ``accounts.Rules``."""

    approval: Annotated[StrictInt, Field(ge=0, le=20)] = 0
    approvers: str | None = None
    quiet_hours: Annotated[str | None, BeforeValidator(_hours)] = None
    late_grace: Duration = timedelta(minutes=30)
    stagger: Duration | None = None
    other_approver: bool = False
    silent_days: tuple[date, ...] = ()
    words: str | None = None


class AccountCommon(_Strict):
    """The keys that every account may have, whatever its platform."""

    timezone: Annotated[ZoneInfo | None, BeforeValidator(_zone)] = None
    language: Annotated[str | None, BeforeValidator(_language)] = None
    rate: Annotated[float | None, Field(gt=0, le=600)] = None
    media_host: Annotated[str | dict[str, str] | None, BeforeValidator(_media_host)] = None


class AccountsFile(_Strict):
    """The whole file; the entries of ``accounts`` are read one by one, each by its platform's own model."""

    accounts: dict[str, dict[str, Any]] = {}
    groups: dict[str, tuple[str, ...]] = {}
    slots: dict[str, Annotated[str, BeforeValidator(_slot)]] = {}
    rules: RulesFile = RulesFile()
    notify: tuple[str, ...] = ()
    protected: tuple[str, ...] | str = ()
    public_contacts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Networks:
    """What is known of the networks, without importing them here."""

    settings_of: Callable[[str], type[BaseModel]]
    secrets_of: Callable[[str], tuple[str, ...]]
    address_of: Callable[[Account], str]
    known: Sequence[str]


def read_account(source: Source, name: str, *, networks: Networks) -> tuple[Account | None, list[Problem]]:
    """One account, or None and what is wrong in it."""
    entry = source.value["accounts"][name]
    path = ("accounts", name)
    problems = _name_problems(source, name, networks=networks)
    if not isinstance(entry, dict):
        return None, problems  # said by the file's own model
    platform = entry.get("platform")
    if not isinstance(platform, str) or platform not in networks.known:
        return None, [*problems, _platform_problem(source, name, networks=networks)]
    secrets = networks.secrets_of(platform)
    settings = {key: value for key, value in entry.items() if key not in COMMON_KEYS}
    literal = {
        key: literal_secret(source, (*path, key))
        for key, value in settings.items()
        if (key in secrets and value is not None and not is_reference(value)) or _holds_password(value)
    }
    problems += literal.values()
    # A literal secret is taken out before anything else may look at it, or quote it.
    clean = {key: "env:SECRET" if key in literal and key in secrets else value for key, value in settings.items()}
    clean = {key: value for key, value in clean.items() if key not in literal or key in secrets}
    common, found = _validated(
        AccountCommon, {key: entry[key] for key in COMMON_KEYS[1:] if key in entry}, source=source, path=path
    )
    own, more = _validated(networks.settings_of(platform), clean, source=source, path=path)
    problems += found + [problem for problem in more if problem.path.rpartition(".")[2] not in literal]
    if problems or common is None or own is None:
        return None, problems
    account = Account(
        name=name,
        platform=platform,
        settings=own.model_dump(by_alias=True),
        timezone=common.timezone,
        language=common.language,
        rate=common.rate,
        media_host=common.media_host,
        place=source.place(path, key=True),
    )
    return account, []


def literal_secret(source: Source, path: Sequence[str | int]) -> Problem:
    """The problem of a secret that is written out; it never repeats the secret."""
    message = _('"{key}" holds a secret itself; files may only hold a reference to it.')
    return source.problem(
        path,
        code="A005",
        severity=Severity.ERROR,
        message=message.format(key=next(step for step in reversed(path) if isinstance(step, str))),
        fix=_("Put the secret into .env as NAME=… and write env:NAME here; if the file was shared, make a new secret."),
    )


def _holds_password(value: object) -> bool:
    return isinstance(value, str) and _CREDENTIALS_IN_URL.match(value) is not None


def _validated(
    model: type[_Model], value: dict[str, Any], *, source: Source, path: tuple[str, ...]
) -> tuple[_Model | None, list[Problem]]:
    try:
        return model.model_validate(value), []
    except ValidationError as error:
        return None, problems_of(error, source, model=model, at=path, codes=_ENTRY_CODES)


def _name_problems(source: Source, name: str, *, networks: Networks) -> list[Problem]:
    """A name that can't stand in a delivery's key, or that a variant would mistake for another thing."""
    entry = source.value["accounts"][name]
    platform = entry.get("platform") if isinstance(entry, dict) else None
    if not NAME.fullmatch(name):
        message = _('"{name}" can\'t be the name of an account.').format(name=name)
        fix = _("Use small letters, digits, - and _, beginning with a letter or a digit.")
    elif name in networks.known and platform in networks.known and name != platform:
        message = _('The account "{name}" is named like a network that it is not on.').format(name=name)
        fix = _("Give it another name; a variant of that name would be ambiguous.")
    elif re.fullmatch(r"[a-z]{2}", name):
        message = _('The account "{name}" is named like a language.').format(name=name)
        fix = _("Give it a longer name; a variant of that name would be ambiguous.")
    else:
        return []
    path = ("accounts", name)
    return [source.problem(path, code="A012", severity=Severity.ERROR, message=message, fix=fix, key=True)]


def _platform_problem(source: Source, name: str, *, networks: Networks) -> Problem:
    """The network is absent or unknown."""
    platform = source.value["accounts"][name].get("platform")
    path, works = ("accounts", name, "platform"), ", ".join(networks.known)
    fix = _("Networks that work: {names}.").format(names=works)
    if platform is None:
        message = _('The account "{name}" names no platform.').format(name=name)
        return source.problem(path, code="A002", severity=Severity.ERROR, message=message, fix=fix)
    message = _('"{platform}" is not a known platform.').format(platform=platform)
    hint = suggest(str(platform), networks.known)
    return source.problem(path, code="A002", severity=Severity.ERROR, message=message + hint, fix=fix)
