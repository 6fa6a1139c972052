"""What ``campaign accounts add`` asks: the settings and secrets of a network, each with where to find it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from campaign_cli.accounts_file import NAME
from campaign_cli.cli import diagnostics
from campaign_cli.cli.entries import with_account
from campaign_cli.cli.signing import checked_reference, hidden
from campaign_cli.cli.words import ask, confirm
from campaign_cli.credentials import is_reference
from campaign_cli.errors import InputError
from campaign_cli.i18n import _
from campaign_cli.platforms import PLATFORMS, get
from campaign_cli.source import suggest

if TYPE_CHECKING:
    from campaign_cli.accounts import Workspace
    from campaign_cli.models import Problem
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
    return _Questions(answers, platform, taken).asked() if ask_for_more else _complete(answers, platform)


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


class _Questions:
    """The questions of one account, and what is known by now. An answer that can't be is asked for again."""

    def __init__(self, answers: Answers, platform: Platform, taken: Workspace) -> None:
        self._answers = answers
        self._platform = platform
        self._root = taken.root
        self._secrets, self._settings = dict(answers.secrets), dict(answers.settings)
        self._common = dict(answers.common)

    def asked(self) -> Answers:
        """Ask for every secret and setting that isn't there yet; Enter leaves out what isn't needed."""
        self._refuse_name()
        platform = self._platform
        for key in (*platform.secrets[:1], *platform.Settings.model_fields):  # first whether it logs in
            if key in platform.secrets:
                self._ask_secret(key)
            else:
                self._ask_setting(key)
        if "timezone" not in self._common:
            question = _("Its time zone (WIB, WITA, WIT or like Asia/Tokyo; Enter for none):")
            if zone := self._right("timezone", lambda: ask(question)):
                self._common["timezone"] = zone
        return replace(self._answers, secrets=self._secrets, settings=self._settings, common=self._common)

    @property
    def _logs_in(self) -> bool:
        return f"login:{self._answers.name}" in self._secrets.values()

    def _ask_secret(self, key: str) -> None:
        if key not in self._secrets and (text := _asked_secret(key, self._platform, name=self._answers.name)):
            self._secrets[key] = text

    def _ask_setting(self, key: str) -> None:
        platform = self._platform
        each = platform.Settings.model_fields[key]
        usual = each.get_default() if not each.is_required() else None
        if key in self._settings or usual not in (None, "") or (self._logs_in and key in platform.signed_in):
            return
        needed = key in _lacking(platform, {**self._settings, **self._secrets})
        if not needed and (each.is_required() or key not in platform.help):  # another stands for it, or few want it
            return
        _explain(key, platform)
        if text := self._right(key, lambda: _asked_text(key, required=needed)):
            self._settings[key] = text

    def _right(self, key: str, question: Callable[[], str]) -> str:
        """An answer that can stand in accounts.yaml; what is wrong with another is said."""
        while True:
            text = question()
            problems = self._problems(key, {key: text}) if text else []
            if not problems:
                return text
            for problem in problems:
                diagnostics.say(problem.message)
                diagnostics.say(f"    → {problem.fix}")

    def _refuse_name(self) -> None:
        if problems := self._problems("", {}):
            raise InputError(problems[0].message, fix=problems[0].fix)

    def _problems(self, key: str, answer: Mapping[str, str]) -> list[Problem]:
        """What is wrong with one key of the entry, or ("") with its name; the rest may not be there yet."""
        secrets = {name: text if is_reference(text) else "env:SECRET" for name, text in self._secrets.items()}
        entry = {"platform": self._platform.name, **self._settings, **secrets, **self._common, **answer}
        path = ".".join(filter(None, ("accounts", self._answers.name, key)))
        problems = with_account(self._root, self._answers.name, entry).problems
        return [problem for problem in problems if problem.path == path]


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
