"""Secrets: references in files, values only at the moment of use, and never in anything that is shown.

``env:NAME`` is an environment variable (or a line of ``.env``), ``file:PATH`` a file that only its owner can read,
``keyring:SERVICE/NAME`` an entry of the system's keyring, ``login:NAME`` the token that
``campaign accounts login NAME`` has stored on this machine.
"""

from __future__ import annotations

import base64
import errno
import io
import json
import re
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote, quote_plus, unquote

from pydantic import SecretStr

from campaign_cli import reasons
from campaign_cli.errors import CredentialError
from campaign_cli.i18n import _
from campaign_cli.keyrings import from_keyring
from campaign_cli.logins import Login, LoginStore
from campaign_cli.models import Account, Problem, Severity

REFERENCE: Final = re.compile(
    r"env:[A-Za-z_][A-Za-z0-9_]*|file:\S.*|keyring:[^/\s][^/]*/\S.*|login:[a-z0-9][a-z0-9_-]{0,63}"
)
REDACTED: Final = "•••"
_SHORTEST: Final = 4  # shorter "secrets" would blank out ordinary words
_SHORTEST_STEP: Final = 12  # steps of an address that are shorter are names, no keys
_MAX_BYTES: Final = 1024 * 1024


def is_reference(value: object) -> bool:
    """Whether a value is ``env:NAME``, ``file:PATH``, ``keyring:SERVICE/NAME`` or ``login:NAME``."""
    return isinstance(value, str) and REFERENCE.fullmatch(value) is not None


def login_of(value: object) -> str | None:
    """The name in ``login:NAME``; None for anything else."""
    return str(value).removeprefix("login:") if is_reference(value) and str(value).startswith("login:") else None


def login_name(account: Account, secrets: Iterable[str]) -> str | None:
    """The name of the login that one of an account's ``secrets`` (``Platform.secrets``) refers to, if one does."""
    return next(filter(None, (login_of(account.settings.get(setting)) for setting in secrets)), None)


class Secrets:
    """Turns references into secrets, and takes secrets out of text again.

    ``environment`` is the process's environment over ``.env`` (see ``load_environment``); ``root`` is the workspace,
    from which relative ``file:`` paths count.
    """

    def __init__(self, *, environment: Mapping[str, str], root: Path) -> None:
        self._environment = environment
        self._root = root
        self.logins = LoginStore(root / ".campaign")
        self._known: dict[str, SecretStr] = {}
        self._forms: list[str] = []
        self._login_forms: dict[str, deque[tuple[Login, set[str]]]] = {}
        self._of_logins: list[str] = []

    def reveal(self, reference: str) -> str:
        """The secret behind a reference; a file is read anew each time.

        Raises CredentialError (with the fix), MissingExtra for the keyring.
        """
        known = self._known.get(reference)
        kind, _colon, name = reference.partition(":")
        if known is not None and kind != "file":
            return known.get_secret_value()
        if not is_reference(reference):
            raise CredentialError(
                _("A secret must be given as a reference."),
                fix=_("Write env:NAME, file:PATH, keyring:SERVICE/NAME or login:NAME."),
            )
        if kind == "login":  # renewed while we run, maybe by another process: never remembered here
            return self._from_login(name)
        secret = {"env": self._from_environment, "file": self._from_file, "keyring": self._from_keyring}[kind](name)
        if known is not None and known.get_secret_value() == secret:
            return secret
        self._known[reference] = SecretStr(secret)
        self._conceal(secret)
        if secret.startswith(("https://", "http://")):
            self._conceal_address(secret)
        return secret

    def conceal_password(self, address: str) -> None:
        """From here on, take the password of an address ``scheme://user:password@host/…`` out of text as well.

        It may also stand as ``?password=`` at its end.
        """
        found = re.search(r"//[^/@]*?:(.*)@", address), re.search(r"[?&]password=([^&]*)", address)
        for password in (match[1] for match in found if match):
            self._conceal(password)
            self._conceal(unquote(password))

    def _conceal_address(self, address: str) -> None:
        """Of a secret that is an address (a webhook), the path and its last step, which opens it, are secret too."""
        path = re.sub(r"[?#].*", "", address.partition("://")[2]).partition("/")[2].rstrip("/")
        for piece in {path, path.rpartition("/")[2]}:
            if len(piece) >= _SHORTEST_STEP:
                self._conceal(piece)

    def _conceal(self, secret: str) -> None:
        self._forms = sorted({*self._forms, *_forms(secret)}, key=len, reverse=True)

    def conceal(self, *secrets: str) -> None:
        """From here on, take these out of text as well: what was typed, or has just come from a network."""
        for secret in secrets:
            self._conceal(secret)

    def conceal_login(self, name: str, login: Login) -> None:
        """From here on, take a login's secrets out of text; those of the one before the last are over and forgotten."""
        kept = self._login_forms.setdefault(name, deque(maxlen=2))
        if not kept or kept[-1][0] is not login:
            kept.append((login, set().union(*map(_forms, login.secrets))))
            every = (forms for one in self._login_forms.values() for _login, forms in one)
            self._of_logins = sorted(set().union(*every), key=len, reverse=True)

    def redact(self, text: str) -> str:
        """The text with every secret revealed so far, in any usual spelling, replaced by ``•••``."""
        for form in (*self._of_logins, *self._forms):
            text = text.replace(form, REDACTED)
        return text

    def _from_login(self, name: str) -> str:
        login = self.logins.read(name)
        if login is None:
            raise CredentialError(
                _("Nobody has logged in as {name} on this machine.").format(name=name),
                fix=_("Run: campaign accounts login {name}").format(name=name),
            )
        self.conceal_login(name, login)
        return login.access

    def _from_environment(self, name: str) -> str:
        secret = self._environment.get(name, "").strip()
        if not secret:
            raise CredentialError(
                _("The environment variable {name} is not set.").format(name=name),
                fix=_("Write a line {name}=… into .env beside accounts.yaml, or set the variable.").format(name=name),
            )
        return secret

    def _from_file(self, name: str) -> str:
        path = self._root / Path(name).expanduser()
        try:
            mode = path.stat().st_mode
            if mode & 0o077:
                raise CredentialError(
                    _("Others can read the secret file {name}.").format(name=name),
                    fix=_("Run: chmod 600 {path}").format(path=path),
                )
            with path.open("rb") as handle:
                content = handle.read(_MAX_BYTES + 1)
            if len(content) > _MAX_BYTES:
                raise CredentialError(
                    _("The secret file {name} is larger than {size} MiB.").format(name=name, size=_MAX_BYTES // 2**20)
                )
            secret = content.decode("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = reasons.reason(error) if isinstance(error, OSError) else _("it is not UTF-8")
            raise CredentialError(
                _("The secret file {name} can't be read: {reason}.").format(name=name, reason=reason),
                fix=_("Put the secret alone into {path} and run chmod 600 on it.").format(path=path),
            ) from error
        if not secret:
            raise CredentialError(
                _("The secret file {name} is empty.").format(name=name),
                fix=_("Put the secret alone into {path} and run chmod 600 on it.").format(path=path),
            )
        return secret

    def _from_keyring(self, name: str) -> str:
        service, _slash, user = name.partition("/")
        secret = from_keyring(service, user)
        if not secret:
            fix = _("Run: keyring set {service} {user}").format(service=service, user=user)
            raise CredentialError(_("The keyring has no entry {name}.").format(name=name), fix=fix)
        return secret


def _forms(secret: str) -> set[str]:
    """The spellings in which a secret can turn up: plain, quoted for URLs, escaped in JSON, in base64, and its halves.

    A Basic header is the base64 of ``user:secret``, so the three alignments of the secret in base64 are covered too,
    without the signs at their ends that depend on the neighbours.
    """
    forms = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret), json.dumps(secret)[1:-1]}
    forms.add(re.sub(r"\s", "", secret))  # WordPress shows application passwords in groups of four
    for lead in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            encoded = encode(b"\0" * lead + secret.encode()).decode().rstrip("=")
            forms.add(encoded[(0, 2, 3)[lead] : len(encoded) - 1])
    return {form for form in forms if len(form) >= _SHORTEST}


def load_environment(root: Path, environment: Mapping[str, str]) -> tuple[dict[str, str], list[Problem]]:
    """The environment with the workspace's ``.env`` below it (a variable that is set wins over the file).

    A ``.env`` that others can read is a warning, one that can't be read an error.
    """
    path = root / ".env"
    try:
        if not path.exists():
            return dict(environment), []
        if not path.is_file():  # a pipe would be waited for, and a device read, without end
            raise IsADirectoryError(errno.EISDIR, "")
        widely = bool(path.stat().st_mode & 0o077)
        from dotenv import dotenv_values

        with path.open("rb") as handle:
            content = handle.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise OSError(0, _("it is larger than {limit} MiB").format(limit=_MAX_BYTES >> 20))
        values = dotenv_values(stream=io.StringIO(content.decode("utf-8-sig")), interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        reason = reasons.reason(error) if isinstance(error, OSError) else _("it is not UTF-8")
        message = _("The secrets can't be read: {reason}.").format(reason=reason)
        return dict(environment), [
            _env_problem(message, fix=_("Check its permissions; save it as UTF-8."), severity=Severity.ERROR)
        ]
    merged = {name: value for name, value in values.items() if value is not None} | dict(environment)
    if not widely:
        return merged, []
    message = _("Others on this machine can read the secrets in .env.")
    return merged, [_env_problem(message, fix=_("Run: chmod 600 .env"), severity=Severity.WARNING)]


def _env_problem(message: str, *, fix: str, severity: Severity) -> Problem:
    return Problem(code="A008", severity=severity, file=".env", line=1, column=1, path="", message=message, fix=fix)
