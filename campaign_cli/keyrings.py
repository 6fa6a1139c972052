"""The system's keyring, where there is one: an optional part, with backends of many makers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from campaign_cli.errors import CredentialError, MissingExtra
from campaign_cli.i18n import _


def from_keyring(service: str, entry: str) -> str | None:
    """The secret of an entry. Raises CredentialError where the keyring is locked, MissingExtra without one."""
    with _keyring() as keyring:
        found = keyring.get_password(service, entry)
    return None if found is None else str(found)


def to_keyring(service: str, entry: str, secret: str | None) -> None:
    """Store, or forget (None). Raises CredentialError where the keyring is locked or keeps nothing, MissingExtra."""
    with _keyring() as keyring:
        held = keyring.get_password(service, entry)
        if secret is not None and held != secret:
            keyring.set_password(service, entry, secret)
            held = keyring.get_password(service, entry)
        elif secret is None and held is not None:
            keyring.delete_password(service, entry)
    if secret is not None and held != secret:  # a backend that is switched off takes everything and keeps nothing
        raise CredentialError(
            _("The keyring did not keep what it was given."),
            fix=_("Choose another keyring, or use the command without --keyring."),
        )


def require_keyring(service: str) -> None:
    """Look whether the keyring opens and keeps something. Raises like ``to_keyring``."""
    to_keyring(service, "test", "test")
    to_keyring(service, "test", None)


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
    except keyring.errors.NoKeyringError as error:
        raise CredentialError(
            _("This machine has no keyring that can be used now."),
            fix=_("Keep secrets elsewhere: env:NAME, file:PATH, or log in without --keyring."),
        ) from error
    except Exception as error:  # a backend raises whatever its system's library does
        raise CredentialError(
            _("The keyring can't be opened: {reason}.").format(reason=str(error).rstrip(".") or type(error).__name__),
            fix=_("Unlock the keyring, or keep secrets elsewhere: env:NAME, file:PATH, or log in without --keyring."),
        ) from error
