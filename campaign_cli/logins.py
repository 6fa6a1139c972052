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
from campaign_cli.errors import CredentialError
from campaign_cli.i18n import _
from campaign_cli.keyrings import from_keyring, to_keyring
from campaign_cli.private import reserve, write_private

FILE: Final = "tokens.json"
SERVICE: Final = "campaign-cli"
PATIENCE: Final = 60.0  # seconds; longer than one renewal, whose request ends after 30
_POLL: Final = 0.02
_GROWTH: Final = 16 * 1024  # bytes by which new tokens may be longer than the ones before
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
        self._opened: dict[str, Login] = {}
        self._tried: dict[str, Login] = {}

    def read(self, name: str, *, anew: bool = False) -> Login | None:
        """The login of that name, also when another process has just renewed it. Raises CredentialError, MissingExtra.

        ``anew``: look at the disk and the keyring, whatever is known.
        """
        return self._tried.get(name) or self._stored(name, anew=anew)

    def _stored(self, name: str, *, anew: bool) -> Login | None:
        login = self.all(anew=anew).get(name)
        if login is None or not login.in_keyring:
            return login
        if name not in self._opened:  # only now: a locked keyring is no matter of the other logins
            opened = self._from_keyring(name, login)
            if opened is None:
                return None
            self._opened[name] = opened
        return self._opened[name]

    def try_out(self, name: str, login: Login) -> None:
        """Let this process read a login that is not stored yet, until it is."""
        self._tried[name] = login

    def all(self, *, anew: bool = False) -> Mapping[str, Login]:
        """Every login as the file has it: what is kept in the keyring stands here without its secrets.

        Raises CredentialError where others may read the file, or where it can't be read.
        """
        stamp = self._private_stamp()
        if anew or stamp != self._stamp:
            self._opened = {}
            self._known = self._loaded() if stamp is not None else {}
            self._stamp = stamp
        return self._known

    def put(self, name: str, login: Login | None) -> None:
        """Store a login, or forget it (None); it is on the disk when this returns. For who holds ``renewing``, so that
        nobody else's newer one is overwritten.

        One that is being renewed takes the room on the disk for its next tokens. Raises CredentialError, MissingExtra.
        """
        try:
            self.path.parent.mkdir(mode=0o700, exist_ok=True)
            with _locked(self.path.with_suffix(".lock")):
                self._tried.pop(name, None)
                kept = dict(self.all(anew=True))
                before = kept.pop(name, None)
                if login is not None:
                    kept[name] = _public(login) if login.in_keyring else login
                    if login.in_keyring:
                        secret = json.dumps({each: getattr(login, each) for each in _SECRET})
                        to_keyring(SERVICE, self._entry(name), secret)
                elif before is not None and before.in_keyring:
                    to_keyring(SERVICE, self._entry(name), None)
                self._write(name, kept, more=login is not None and login.renewing is not None)
        except OSError as error:
            raise CredentialError(
                _("The token can't be stored in {path}: {reason}.").format(
                    path=self.path, reason=reasons.reason(error)
                ),
                fix=reasons.remedy(error),
            ) from error

    def _write(self, name: str, logins: dict[str, Login], *, more: bool) -> None:
        """Write the file, for who holds its lock. ``more``: it will be written again with an answer that is not to be
        had twice, so its room is taken now."""
        plain = {each: one.to_plain() for each, one in logins.items()}
        text = json.dumps({"version": 1, "logins": plain}, indent=2) + "\n"
        for left in self.path.parent.glob(f".{FILE}.*"):  # of a process that was killed while it wrote
            left.unlink(missing_ok=True)
        room = self.path.with_name(f"tokens-{name}.room")
        if more:
            reserve(room, len(text.encode()) + _GROWTH)
            write_private(self.path, text)
        else:
            write_private(self.path, text, room=room)
        self._known, self._opened, self._stamp = logins, {}, self._private_stamp()

    def change(self, name: str, change: Callable[[Login | None], Login | None]) -> Login | None:
        """Replace a login by what ``change`` makes of it as it is now; gives that. Nothing is lost that another process
        has just renewed. Raises CredentialError, OSError."""
        with self.renewing(name):
            before = self._stored(name, anew=True)
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
            found = {name: Login.from_plain(one) for name, one in dict(data["logins"]).items()}
            return {name: one for name, one in found.items() if one.access or one.in_keyring}
        except OSError as error:
            raise self._unreadable(reasons.reason(error)) from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise self._unreadable(_("it is damaged")) from error

    def _from_keyring(self, name: str, login: Login) -> Login | None:
        """The login with its secrets; None where the keyring has none for it."""
        try:
            held = json.loads(from_keyring(SERVICE, self._entry(name)) or "{}")
            secrets: dict[str, Any] = {each: str(held[each]) for each in _SECRET} if held else {}
            return replace(login, **secrets) if secrets else None
        except (ValueError, TypeError, KeyError) as error:
            raise CredentialError(
                _("What the keyring holds of the login {name} is damaged.").format(name=name),
                fix=_("Run: campaign accounts login {name}").format(name=name),
            ) from error

    def _unreadable(self, why: str) -> CredentialError:
        return CredentialError(
            _("The tokens in {path} can't be read: {reason}.").format(path=self.path, reason=why),
            fix=_("Move the file away and log in again: campaign accounts login NAME"),
        )

    def _entry(self, name: str) -> str:
        return f"{name}@{self.path.parent.absolute()}"


def _public(login: Login) -> Login:
    """What stands in the file of a login whose secrets are in the keyring."""
    return replace(login, access="", refresh="", client_secret="")


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
