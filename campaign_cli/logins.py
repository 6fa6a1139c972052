"""What ``campaign accounts login`` has stored on this machine: tokens, when they end, whose application they are.

One file, ``.campaign/tokens.json`` (0600), replaced as a whole. Where a login is kept in the system's keyring, the file
holds what is no secret of it. No network here: ``signin`` gets tokens and renews them.
"""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from campaign_cli import reasons
from campaign_cli.errors import CredentialError, MissingExtra
from campaign_cli.i18n import _
from campaign_cli.private import write_private

FILE: Final = "tokens.json"
SERVICE: Final = "campaign-cli"
PATIENCE: Final = 60.0  # seconds; longer than one renewal, whose request ends after 30
_POLL: Final = 0.02
_SECRET: Final = ("access", "refresh", "client_secret")
_INSTANTS: Final = ("issued", "expires", "refresh_expires", "renewing")


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """One sign-in. Instants are aware; ``expires`` is the access token's end, ``refresh_expires`` the refresh token's.

    ``renewal`` says how it can be renewed without a person: ``refresh``, ``exchange`` or ``none``. ``renewing`` is when
    a renewal left whose answer was not stored yet; ``refused`` what the network said when it refused one for good.
    ``warned``: the days before its end at which people were last told. ``server`` is the token's address, to which
    alone these secrets may go.
    """

    platform: str
    server: str
    access: str = field(repr=False)
    issued: datetime
    refresh: str = field(default="", repr=False)
    expires: datetime | None = None
    refresh_expires: datetime | None = None
    scopes: tuple[str, ...] = ()
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    redirect: str = ""
    renewal: str = "none"
    renewing: datetime | None = None
    refused: str = ""
    warned: int | None = None
    in_keyring: bool = False

    @property
    def renews(self) -> bool:
        """Whether it goes on without a person."""
        return self.renewal != "none" and not self.refused

    @property
    def ends(self) -> datetime | None:
        """When a person must have logged in again; None: never, as far as the network says."""
        return self.expires if not self.renews else self.refresh_expires

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown."""
        return tuple(filter(None, (self.access, self.refresh, self.client_secret)))

    def to_plain(self) -> dict[str, Any]:
        """As JSON values."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        for name in _INSTANTS:
            values[name] = values[name].isoformat() if values[name] else None
        return values | {"scopes": list(self.scopes)}

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> Login:
        """The login that ``to_plain`` wrote; what a later version added is left out. Raises ValueError, TypeError."""
        known = {each.name for each in fields(cls)}
        values = {name: value for name, value in data.items() if name in known}
        for name in _INSTANTS:
            values[name] = datetime.fromisoformat(values[name]) if values.get(name) else None
        if values["issued"] is None or any(values[name] and not values[name].tzinfo for name in _INSTANTS):
            raise ValueError("an instant without its zone")
        return cls(**values | {"scopes": tuple(values.get("scopes") or ())})


class LoginStore:
    """The logins of one workspace; ``folder`` is its ``.campaign``. Reading costs a ``stat`` while nothing changes."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._stamp: tuple[int, int, int] | None = None
        self._known: dict[str, Login] = {}
        self._tried: dict[str, Login] = {}

    def read(self, name: str, *, anew: bool = False) -> Login | None:
        """The login of that name, also when another process has just renewed it. Raises CredentialError.

        ``anew``: look at the disk and the keyring, whatever is known.
        """
        return self._tried.get(name) or self.all(anew=anew).get(name)

    def try_out(self, name: str, login: Login) -> None:
        """Let this process read a login that is not stored yet, until it is."""
        self._tried[name] = login

    def all(self, *, anew: bool = False) -> Mapping[str, Login]:
        """Every login. Raises CredentialError where others may read the file, or where it can't be read."""
        stamp = self._private_stamp()
        if anew or stamp != self._stamp:
            self._known = self._loaded() if stamp is not None else {}
            self._stamp = stamp
        return self._known

    def put(self, name: str, login: Login | None) -> None:
        """Store a login, or forget it (None); it is on the disk when this returns. For who holds ``renewing``, so that
        nobody else's newer one is overwritten. Raises CredentialError."""
        try:
            self.path.parent.mkdir(mode=0o700, exist_ok=True)
            with _locked(self.path.with_suffix(".lock")):
                self._tried.pop(name, None)
                kept = dict(self.all(anew=True))
                before = kept.pop(name, None)
                if login is not None:
                    kept[name] = login
                    if login.in_keyring:
                        secret = json.dumps({each: getattr(login, each) for each in _SECRET})
                        to_keyring(SERVICE, self._entry(name), secret)
                elif before is not None and before.in_keyring:
                    to_keyring(SERVICE, self._entry(name), None)
                plain = {each: _public(one) if one.in_keyring else one.to_plain() for each, one in kept.items()}
                for left in self.path.parent.glob(f".{FILE}.*"):  # of a process that was killed while it wrote
                    left.unlink(missing_ok=True)
                write_private(self.path, json.dumps({"version": 1, "logins": plain}, indent=2) + "\n")
                self._known, self._stamp = kept, self._private_stamp()
        except OSError as error:
            raise CredentialError(
                _("The token can't be stored in {path}: {reason}.").format(
                    path=self.path, reason=reasons.reason(error)
                ),
                fix=reasons.remedy(error),
            ) from error

    def change(self, name: str, change: Callable[[Login | None], Login | None]) -> Login | None:
        """Replace a login by what ``change`` makes of it as it is now; gives that. Nothing is lost that another process
        has just renewed. Raises CredentialError, OSError."""
        with self.renewing(name):
            before = self.all(anew=True).get(name)
            after = change(before)
            if after != before:
                self.put(name, after)
            return after

    @contextmanager
    def renewing(self, name: str) -> Iterator[None]:
        """Nobody else renews or replaces this login meanwhile, in any process. Raises TimeoutError, OSError.

        The kernel lets go of the lock however a process ends; a lock that is a file to be removed would outlive a kill.
        """
        self.path.parent.mkdir(mode=0o700, exist_ok=True)
        with _locked(self.path.with_name(f"tokens-{name}.lock")):
            yield

    def _private_stamp(self) -> tuple[int, int, int] | None:
        """What changes with every replacement of the file; None without one."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unreadable(reasons.reason(error)) from error
        if found.st_mode & 0o077:
            raise CredentialError(
                _("Others can read the tokens in {path}.").format(path=self.path),
                fix=_("Run: chmod 600 {path}").format(path=self.path),
            )
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _loaded(self) -> dict[str, Login]:
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
            plain = dict(data["logins"])
            for name, one in plain.items():
                if one.get("in_keyring"):
                    plain[name] = one | json.loads(from_keyring(SERVICE, self._entry(name)) or "{}")
            return {name: Login.from_plain(one) for name, one in plain.items() if one.get("access")}
        except OSError as error:
            raise self._unreadable(reasons.reason(error)) from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise self._unreadable(_("it is damaged")) from error

    def _unreadable(self, why: str) -> CredentialError:
        return CredentialError(
            _("The tokens in {path} can't be read: {reason}.").format(path=self.path, reason=why),
            fix=_("Move the file away and log in again: campaign accounts login NAME"),
        )

    def _entry(self, name: str) -> str:
        return f"{name}@{self.path.parent.absolute()}"


def _public(login: Login) -> dict[str, Any]:
    """What stands in the file of a login whose secrets are in the keyring."""
    return replace(login, access="", refresh="", client_secret="").to_plain()


def require_keyring() -> None:
    """Look whether the keyring opens. Raises CredentialError where it is locked, MissingExtra without one."""
    from_keyring(SERVICE, "")


def from_keyring(service: str, entry: str) -> str | None:
    """The secret of an entry. Raises CredentialError where the keyring is locked, MissingExtra without one."""
    with _keyring() as keyring:
        found: str | None = keyring.get_password(service, entry)
    return found


def to_keyring(service: str, entry: str, secret: str | None) -> None:
    """Store, or forget (None). Raises CredentialError where the keyring is locked, MissingExtra without one."""
    with _keyring() as keyring:
        if secret is not None:
            keyring.set_password(service, entry, secret)
        elif keyring.get_password(service, entry) is not None:
            keyring.delete_password(service, entry)


@contextmanager
def _keyring() -> Iterator[Any]:
    try:
        import keyring
        import keyring.errors
    except ImportError as error:
        raise MissingExtra(
            _("Secrets in the keyring need an optional part that is not installed."),
            fix="pip install 'campaign-cli[keyring]'",
        ) from error
    try:
        yield keyring
    except keyring.errors.KeyringError as error:
        raise CredentialError(
            _("The keyring can't be opened: {reason}.").format(reason=str(error).rstrip(".")),
            fix=_("Unlock the keyring, or log in without --keyring."),
        ) from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file (it stays there). Raises TimeoutError where it isn't free in time."""
    import fcntl  # not on every system; logins are only read there

    number = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        for _try in range(int(PATIENCE / _POLL)):
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(_POLL)
        else:
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT), str(path))
        yield
    finally:
        os.close(number)
