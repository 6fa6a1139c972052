"""The store of logins: private, whole, noticed by every process, and never in anything that is shown."""

from __future__ import annotations

import base64
import json
import threading
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from login_helpers import START

from campaign_cli.credentials import Secrets, is_reference, login_of
from campaign_cli.errors import CredentialError
from campaign_cli.keyrings import require_keyring
from campaign_cli.logins import Login, LoginStore

LOGIN = Login(
    platform="x",
    server="https://api.x.example/token",
    access="akses-1/9f2c==",
    refresh="segar-1+77aa",
    client_id="kami",
    client_secret="rahasia-aplikasi",
    issued=START,
    expires=START,
    scopes=("a", "b"),
    renewal="refresh",
)


def store(root: Path) -> LoginStore:
    return LoginStore(root / ".campaign")


def test_a_login_comes_back_as_it_was_stored(tmp_path: Path) -> None:
    """Every field survives the file, which only its owner may read."""
    store(tmp_path).put("kicau", LOGIN)
    assert store(tmp_path).read("kicau") == LOGIN
    assert store(tmp_path).read("lain") is None
    assert (tmp_path / ".campaign/tokens.json").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / ".campaign").stat().st_mode & 0o777 == 0o700


def test_what_another_process_stored_is_noticed(tmp_path: Path) -> None:
    """A store that has read the file sees the next one, and reads nothing while the file stays the same."""
    one, other = store(tmp_path), store(tmp_path)
    one.put("kicau", LOGIN)
    first = other.read("kicau")
    assert other.read("kicau") is first
    one.put("kicau", replace(LOGIN, access="akses-2"))
    found = other.read("kicau")
    assert found is not None and found.access == "akses-2"


def test_a_file_that_others_can_read_is_refused_with_the_fix(tmp_path: Path) -> None:
    """Whatever is in it."""
    store(tmp_path).put("kicau", LOGIN)
    path = tmp_path / ".campaign/tokens.json"
    path.chmod(0o640)
    with pytest.raises(CredentialError) as caught:
        Secrets(environment={}, root=tmp_path).reveal("login:kicau")
    assert f"chmod 600 {path}" in caught.value.fix


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"logins": 5}', '{"logins": {"a": {"access": "x"}}}', '{"logins": {"a": []}}', "\0"]
)
def test_a_damaged_file_is_said(tmp_path: Path, text: str) -> None:
    """And never a traceback, nor what is in it."""
    store(tmp_path).put("kicau", LOGIN)
    (tmp_path / ".campaign/tokens.json").write_text(text)
    with pytest.raises(CredentialError, match="damaged"):
        store(tmp_path).read("a")


def test_an_instant_without_a_zone_is_damage(tmp_path: Path) -> None:
    """Times are aware, or nobody knows when a token ends."""
    store(tmp_path).put("kicau", LOGIN)
    path = tmp_path / ".campaign/tokens.json"
    path.write_text(path.read_text().replace("+00:00", ""))
    with pytest.raises(CredentialError, match="damaged"):
        store(tmp_path).read("kicau")


def test_what_a_killed_writer_left_is_removed(tmp_path: Path) -> None:
    """A half-written file holds tokens; the next one who writes takes it away."""
    store(tmp_path).put("kicau", LOGIN)
    left = tmp_path / ".campaign/.tokens.json.abc123"
    left.write_text('{"logins"')
    store(tmp_path).put("kicau", replace(LOGIN, access="akses-2"))
    assert not left.exists()


def test_writers_of_different_logins_lose_nothing(tmp_path: Path) -> None:
    """Each changes its own login at the same time as the others."""
    names = [f"akun-{number}" for number in range(8)]

    def write(name: str) -> None:
        for number in range(5):
            store(tmp_path).change(name, lambda _before, number=number: replace(LOGIN, access=f"{name}-{number}"))

    threads = [threading.Thread(target=write, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = store(tmp_path).all()
    assert {name: one.access for name, one in found.items()} == {name: f"{name}-4" for name in names}


def test_an_absent_login_says_how_to_log_in(tmp_path: Path) -> None:
    """By its name."""
    with pytest.raises(CredentialError) as caught:
        Secrets(environment={}, root=tmp_path).reveal("login:kicau")
    assert "campaign accounts login kicau" in caught.value.fix


@pytest.mark.parametrize("value", ["login:", "login:Kicau", "login:a/b", "login:../a", "login:a b"])
def test_a_login_is_named_like_an_account(value: str) -> None:
    """Its name is part of a file's name, too."""
    assert not is_reference(value)
    assert login_of(value) is None


def test_every_secret_of_a_login_is_redacted_in_every_form(tmp_path: Path) -> None:
    """Access token, refresh token and the application's secret: plain, quoted, in JSON, in base64."""
    store(tmp_path).put("kicau", LOGIN)
    secrets = Secrets(environment={}, root=tmp_path)
    assert secrets.reveal("login:kicau") == LOGIN.access
    for secret in (LOGIN.access, LOGIN.refresh, LOGIN.client_secret):
        basic = base64.b64encode(f"kami:{secret}".encode()).decode()
        for form in (secret, quote(secret, safe=""), json.dumps(secret), f"Basic {basic}"):
            shown = secrets.redact(f"before {form} after")
            assert secret not in shown and quote(secret, safe="") not in shown and basic not in shown
            assert "•••" in shown


def test_a_renewed_login_is_redacted_and_the_one_before_it_too(tmp_path: Path) -> None:
    """An answer that quotes the token of a moment ago shows it to nobody; what is older is over."""
    opened, secrets = store(tmp_path), Secrets(environment={}, root=tmp_path)
    for number in range(3):
        opened.put("kicau", replace(LOGIN, access=f"token-nomor-{number}", refresh=""))
        assert secrets.reveal("login:kicau") == f"token-nomor-{number}"
    assert secrets.redact("token-nomor-2 token-nomor-1") == "••• •••"


def test_no_secret_in_a_repr() -> None:
    """A log line that shows a whole login shows no secret of it."""
    shown = repr(LOGIN)
    assert not any(secret in shown for secret in LOGIN.secrets)


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], str]:
    """The system's keyring, in memory."""
    import keyring as real

    held: dict[tuple[str, str], str] = {}
    monkeypatch.setattr(real, "get_password", lambda service, user: held.get((service, user)))
    monkeypatch.setattr(real, "set_password", lambda service, user, value: held.update({(service, user): value}))
    monkeypatch.setattr(real, "delete_password", lambda service, user: held.pop((service, user)))
    return held


def test_in_the_keyring_the_file_holds_no_secret(tmp_path: Path, keyring: dict[tuple[str, str], str]) -> None:
    """But when it ends, and what it may do; another process finds all of it."""
    kept = replace(LOGIN, in_keyring=True)
    store(tmp_path).put("kicau", kept)
    text = (tmp_path / ".campaign/tokens.json").read_text()
    assert not any(secret in text for secret in LOGIN.secrets)
    assert store(tmp_path).read("kicau") == kept
    store(tmp_path).put("kicau", None)
    assert not keyring


def test_a_locked_keyring_is_a_credential_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the fix, and nothing is written."""
    import keyring.errors

    def locked(*_arguments: str) -> None:
        raise keyring.errors.KeyringLocked("locked")

    monkeypatch.setattr(keyring, "set_password", locked)
    with pytest.raises(CredentialError, match="keyring"):
        store(tmp_path).put("kicau", replace(LOGIN, in_keyring=True))
    assert not (tmp_path / ".campaign/tokens.json").exists()


def lock(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """From here on the keyring doesn't open."""
    import keyring as real

    def locked(*_arguments: str) -> None:
        raise error

    for name in ("get_password", "set_password", "delete_password"):
        monkeypatch.setattr(real, name, locked)


class BusError(Exception):
    """What a backend's own library raises."""


def keyring_errors() -> list[Exception]:
    import keyring.errors

    return [keyring.errors.KeyringLocked("locked"), keyring.errors.NoKeyringError("none"), BusError("no session")]


@pytest.mark.parametrize("number", range(3))
def test_a_locked_keyring_is_no_matter_of_the_other_logins(
    tmp_path: Path, keyring: dict[tuple[str, str], str], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """From cron at night those in the file are read and renewed; the other one is a credential error, and not lost."""
    kept = replace(LOGIN, in_keyring=True, warned=3)
    store(tmp_path).put("kicau", kept)
    store(tmp_path).put("toot", LOGIN)
    with monkeypatch.context() as night:
        lock(night, keyring_errors()[number])
        assert store(tmp_path).read("toot") == LOGIN
        store(tmp_path).put("toot", replace(LOGIN, access="baru"))
        with pytest.raises(CredentialError, match="keyring"):
            store(tmp_path).read("kicau")
        assert store(tmp_path).all()["kicau"].expires == START
    assert store(tmp_path).read("kicau") == kept


def test_a_change_keeps_the_secrets_in_the_keyring(tmp_path: Path, keyring: dict[tuple[str, str], str]) -> None:
    """What is noted of a login (that people were warned) doesn't touch its tokens."""
    store(tmp_path).put("kicau", replace(LOGIN, in_keyring=True))
    store(tmp_path).change("kicau", lambda before: replace(before, warned=7) if before else None)
    assert store(tmp_path).read("kicau") == replace(LOGIN, in_keyring=True, warned=7)


def test_a_keyring_that_keeps_nothing_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backend that is switched off takes every secret without a word."""
    import keyring as real

    monkeypatch.setattr(real, "get_password", lambda *_entry: None)
    monkeypatch.setattr(real, "set_password", lambda *_entry: None)
    with pytest.raises(CredentialError, match="did not keep"):
        store(tmp_path).put("kicau", replace(LOGIN, in_keyring=True))
    assert not (tmp_path / ".campaign/tokens.json").exists()
    with pytest.raises(CredentialError, match="did not keep"):
        require_keyring("campaign-cli")


@pytest.mark.parametrize("text", ["{", "[1]", '{"access": "a"}', "5"])
def test_damage_in_the_keyring_is_said(tmp_path: Path, keyring: dict[tuple[str, str], str], text: str) -> None:
    """With what helps, and without what is in it."""
    store(tmp_path).put("kicau", replace(LOGIN, in_keyring=True))
    keyring.update(dict.fromkeys(keyring, text))
    with pytest.raises(CredentialError, match="damaged") as caught:
        store(tmp_path).read("kicau")
    assert "campaign accounts login kicau" in caught.value.fix
