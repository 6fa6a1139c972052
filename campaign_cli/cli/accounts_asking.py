"""What ``campaign accounts add`` asks: the settings and secrets of a network, each with where to find it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from campaign_cli.accounts_file import NAME
from campaign_cli.cli import diagnostics
from campaign_cli.cli.signing import checked_reference, hidden
from campaign_cli.cli.words import ask, confirm
from campaign_cli.errors import InputError
from campaign_cli.i18n import _
from campaign_cli.platforms import PLATFORMS, get
from campaign_cli.source import suggest

if TYPE_CHECKING:
    from campaign_cli.accounts import Workspace
    from campaign_cli.platforms.base import Platform

_LOGIN: Final = "login"


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What is known of a new account. ``secrets`` are references, or secrets as they were typed."""

    name: str
    platform: str
    settings: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    common: dict[str, str] = field(default_factory=dict)


def given(pairs: Sequence[str], *, option: str) -> dict[str, str]:
    """``KEY=VALUE`` of the command line. Raises InputError, without repeating what may be a secret."""
    found: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip() or not value.strip():
            raise InputError(
                _("{option} takes KEY=VALUE.").format(option=option),
                fix=_("See: {command} --help").format(command="campaign accounts add"),
            )
        found[key.strip()] = value.strip()
    return found


def ask_all(answers: Answers, *, taken: Workspace, ask_for_more: bool) -> Answers:
    """The answers completed: by asking, or (``ask_for_more`` False) not at all; then what is missing is an error.

    Raises InputError with what is missing and how to give it.
    """
    name = answers.name or (ask(_("What shall the account be called in plans?")) if ask_for_more else "")
    if not name:
        raise _missing(["NAME"])
    if name in taken.accounts or name in taken.groups:
        raise InputError(
            _("There is an account or group {name} already; nothing was changed.").format(name=name),
            fix=_("Choose another name."),
        )
    if not NAME.fullmatch(name):
        raise InputError(
            _('"{name}" can\'t be the name of an account.').format(name=name),
            fix=_("Use small letters, digits, - and _, beginning with a letter or a digit."),
        )
    chosen = answers.platform or (_asked_platform() if ask_for_more else "")
    if not chosen:
        raise _missing(["--platform"])
    platform = get(_known(chosen))
    answers = replace(answers, name=name, platform=chosen, secrets=_references(answers, platform, name=name))
    for key in answers.settings:
        _refuse_unknown(key, platform)
    return _asked(answers, platform) if ask_for_more else _complete(answers, platform)


def _known(name: str) -> str:
    if name not in PLATFORMS:
        raise InputError(
            _('"{platform}" is not a known platform.').format(platform=name) + suggest(name, PLATFORMS),
            fix=_("Networks that work: {names}.").format(names=", ".join(PLATFORMS)),
        )
    return name


def _references(answers: Answers, platform: Platform, *, name: str) -> dict[str, str]:
    """The secrets of the command line; ``login`` alone is a login of the account's own name."""
    found = {}
    for key, value in answers.secrets.items():
        if key not in platform.secrets:
            raise InputError(
                _("{title} has no secret {key}.").format(title=platform.title, key=key)
                + suggest(key, platform.secrets),
                fix=_("It has: {names}.").format(names=", ".join(platform.secrets)),
            )
        found[key] = f"login:{name}" if value == _LOGIN else checked_reference(value, option="--secret")
    return found


def _refuse_unknown(key: str, platform: Platform) -> None:
    """Raise InputError for a setting that the network doesn't have, or that is a secret."""
    if key in platform.secrets:
        raise InputError(
            _("{key} is a secret; the command line is no place for it.").format(key=key),
            fix=_("Put it into .env and say --secret {key}=env:NAME. If it was real, make a new one.").format(key=key),
        )
    if key not in platform.Settings.model_fields:
        raise InputError(
            _("{title} has no setting {key}.").format(title=platform.title, key=key)
            + suggest(key, platform.Settings.model_fields),
            fix=_("It has: {names}.").format(names=", ".join(platform.Settings.model_fields)),
        )


def _complete(answers: Answers, platform: Platform) -> Answers:
    """The answers as they are. Raises InputError with everything that is missing at once."""
    logs_in = any(value.startswith("login:") for value in answers.secrets.values())
    missing = [
        f"--secret {name}=env:NAME" if name in platform.secrets else f"--set {name}=…"
        for name in _lacking(platform, {**answers.settings, **answers.secrets})
        if not (logs_in and name in platform.signed_in)
    ]
    if missing:
        raise _missing(missing)
    return answers


def _lacking(platform: Platform, known: Mapping[str, str]) -> list[str]:
    """The settings without which there is no account; one setting may stand for another (a nation for its address)."""
    from pydantic import ValidationError

    try:
        platform.Settings.model_validate(dict(known))
    except ValidationError as error:
        return [str(each["loc"][0]) for each in error.errors() if each["type"] == "missing" and each["loc"]]
    return []


def _missing(options: Sequence[str]) -> InputError:
    return InputError(
        _("There is nobody to ask here, and something is missing."),
        fix=_("Say it on the command line: {options}").format(options=" ".join(options)),
    )


def _asked_platform() -> str:
    while True:
        diagnostics.say(_("Networks: {names}").format(names=", ".join(PLATFORMS)))
        answer = ask(_("Which network is it on?")).lower()
        if answer in PLATFORMS:
            return answer


def _asked(answers: Answers, platform: Platform) -> Answers:
    """Ask for every secret and setting that isn't there yet; Enter leaves out what isn't needed."""
    secrets, settings, common = dict(answers.secrets), dict(answers.settings), dict(answers.common)
    fields = platform.Settings.model_fields
    for key in platform.secrets:
        if key not in secrets and (text := _asked_secret(key, platform, name=answers.name)):
            secrets[key] = text
    logs_in = any(value == f"login:{answers.name}" for value in secrets.values())
    for key, each in fields.items():
        usual = each.get_default() if not each.is_required() else None
        known = key in platform.secrets or key in settings or usual not in (None, "")
        if known or (logs_in and key in platform.signed_in):
            continue
        needed = key in _lacking(platform, {**settings, **secrets})
        if each.is_required() and not needed:  # another setting stands for it
            continue
        _explain(key, platform)
        if text := _asked_text(key, required=needed):
            settings[key] = text
    if "timezone" not in common and (
        zone := ask(_("Its time zone (WIB, WITA, WIT or like Asia/Tokyo; Enter for none):"))
    ):
        common["timezone"] = zone
    return replace(answers, secrets=secrets, settings=settings, common=common)


def _asked_secret(key: str, platform: Platform, *, name: str) -> str:
    """A login, or what is typed without being shown; "" where the network can do without and nothing was typed."""
    _explain(key, platform)
    if platform.oauth is not None and key == platform.secrets[0] and confirm(_("Log in by browser?"), assume=False):
        return f"login:{name}"
    required = platform.Settings.model_fields[key].is_required()
    while True:
        text = hidden(_("{key} (it is not shown):").format(key=key))
        if text or not required:
            return text


def _asked_text(key: str, *, required: bool) -> str:
    while True:
        text = ask(f"{key}:" if required else _("{key} (Enter: without):").format(key=key))
        if text or not required:
            return text


def _explain(key: str, platform: Platform) -> None:
    """Where a person finds it."""
    if key in platform.help:
        diagnostics.say(_(platform.help[key]))
