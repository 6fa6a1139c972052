"""Secrets: found by reference, refused when others could read them, and taken out of everything that is shown."""

from __future__ import annotations

import base64
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import pytest

from campaign_cli.credentials import Secrets, is_reference, load_environment
from campaign_cli.errors import CredentialError, MissingExtra
from campaign_cli.logins import Login
from campaign_cli.models import Severity


def secrets(root: Path, **environment: str) -> Secrets:
    return Secrets(environment=environment, root=root)


@pytest.mark.parametrize(
    "value", ["env:TOKEN", "file:rahasia.txt", "file:/run/secrets/a b", "keyring:campaign/mastodon"]
)
def test_references_are_recognised(value: str) -> None:
    """env:NAME, file:PATH and keyring:SERVICE/NAME are references."""
    assert is_reference(value)


@pytest.mark.parametrize(
    "value", ["abc", "env:", "env:A B", "env:9A", "ENV:A", "file:", "keyring:a", "keyring:/b", None, 5]
)
def test_other_values_are_no_references(value: object) -> None:
    """Anything else is not."""
    assert not is_reference(value)


def test_a_secret_of_the_environment(tmp_path: Path) -> None:
    """env: reads the environment that was passed in, without the spaces that copying leaves."""
    assert secrets(tmp_path, TOKEN=" abc123 \n").reveal("env:TOKEN") == "abc123"


@pytest.mark.parametrize("environment", [{}, {"TOKEN": "  "}])
def test_an_absent_secret_names_the_variable(tmp_path: Path, environment: dict[str, str]) -> None:
    """An absent or blank variable says which one, and where to write it."""
    with pytest.raises(CredentialError) as caught:
        secrets(tmp_path, **environment).reveal("env:TOKEN")
    assert "TOKEN" in caught.value.message
    assert ".env" in caught.value.fix


def test_a_literal_is_never_taken_for_a_reference_nor_repeated(tmp_path: Path) -> None:
    """Something that is no reference is refused without quoting it: it may be the secret."""
    with pytest.raises(CredentialError) as caught:
        secrets(tmp_path).reveal("s3cr3t-v4lue")
    assert "s3cr3t" not in caught.value.message + caught.value.fix


def test_a_secret_file_must_be_private(tmp_path: Path) -> None:
    """file: counts from the workspace and is refused while others could read it."""
    file = tmp_path / "token.txt"
    file.write_text("abc123\n")
    file.chmod(0o644)
    with pytest.raises(CredentialError, match="Others can read") as caught:
        secrets(tmp_path).reveal("file:token.txt")
    assert "chmod 600" in caught.value.fix
    file.chmod(0o600)
    assert secrets(tmp_path).reveal("file:token.txt") == "abc123"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "can't be read: there is no such file or folder."),
        (b"", "is empty."),
        (b"\xff\xfe", "can't be read: it is not UTF-8."),
    ],
)
def test_a_secret_file_that_cant_be_used(tmp_path: Path, content: bytes | None, reason: str) -> None:
    """A missing, empty or unreadable file says so."""
    if content is not None:
        (tmp_path / "token.txt").touch(mode=0o600)
        (tmp_path / "token.txt").write_bytes(content)
    with pytest.raises(CredentialError) as caught:
        secrets(tmp_path).reveal("file:token.txt")
    assert caught.value.message == f"The secret file token.txt {reason}"
    assert caught.value.fix == f"Put the secret alone into {tmp_path / 'token.txt'} and run chmod 600 on it."


def test_a_secret_file_has_a_size(tmp_path: Path) -> None:
    """One MiB is read, and no more; an absolute path is taken as it is."""
    file = tmp_path / "token.txt"
    file.touch(mode=0o600)
    file.write_bytes(b"a" * 2**20)
    assert len(secrets(tmp_path / "elsewhere").reveal(f"file:{file}")) == 2**20
    file.write_bytes(b"a" * (2**20 + 1))
    with pytest.raises(CredentialError, match="larger than 1 MiB"):
        secrets(tmp_path).reveal("file:token.txt")


def login(access: str, refresh: str = "") -> Login:
    issued = datetime(2026, 11, 1, tzinfo=UTC)
    return Login(platform="x", server="https://x.example", access=access, refresh=refresh, issued=issued)


def test_the_last_two_logins_of_each_name_are_taken_out(tmp_path: Path) -> None:
    """What was renewed may still be on its way; what was renewed before that is over."""
    known = secrets(tmp_path)
    first, second = login("satu-pertama"), login("dua-pertama")
    known.conceal_login("satu", first)
    known.conceal_login("dua", second)
    known.conceal_login("dua", second)
    for access in ("satu-kedua", "satu-ketiga"):
        known.conceal_login("satu", login(access))
    said = "satu-pertama, satu-kedua, satu-ketiga, dua-pertama"
    assert known.redact(said) == "satu-pertama, •••, •••, •••"


def test_the_longest_secret_is_taken_out_first(tmp_path: Path) -> None:
    """One that begins like another leaves no rest of itself."""
    known = secrets(tmp_path)
    known.conceal_login("satu", login("rahasia", refresh="rahasia-panjang"))
    known.conceal("kunci", "kunci-panjang")
    assert known.redact("rahasia-panjang rahasia kunci-panjang kunci") == "••• ••• ••• •••"


def test_the_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """keyring: asks the system's keyring, and says the command that stores a missing entry."""

    class KeyringError(Exception):
        pass

    asked: list[tuple[str, str]] = []

    def get_password(service: str, user: str) -> str | None:
        asked.append((service, user))
        if service == "locked":
            raise KeyringError("Locked.")
        return {"campaign/mastodon": "abc123", "campaign/a/b": "abc456"}.get(f"{service}/{user}")

    errors = SimpleNamespace(KeyringError=KeyringError, NoKeyringError=NotImplementedError)
    monkeypatch.setitem(sys.modules, "keyring", SimpleNamespace(get_password=get_password, errors=errors))
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    assert secrets(tmp_path).reveal("keyring:campaign/mastodon") == "abc123"
    asked.clear()
    assert secrets(tmp_path).reveal("keyring:campaign/a/b") == "abc456"
    assert asked == [("campaign", "a/b")]
    with pytest.raises(CredentialError) as caught:
        secrets(tmp_path).reveal("keyring:campaign/other")
    assert caught.value.message == "The keyring has no entry campaign/other."
    assert "keyring set campaign other" in caught.value.fix
    with pytest.raises(CredentialError, match="Locked"):
        secrets(tmp_path).reveal("keyring:locked/x")


def test_the_keyring_is_optional(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package, the install line is said."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(MissingExtra) as caught:
        secrets(tmp_path).reveal("keyring:campaign/mastodon")
    assert "campaign-cli[keyring]" in caught.value.fix


def test_secrets_are_taken_out_of_text(tmp_path: Path) -> None:
    """Plain, quoted for URLs, in JSON, in base64 of any alignment: no spelling of a revealed secret stays."""
    secret = 'p@ss/wörd "9+1"'
    box = secrets(tmp_path, TOKEN=secret)
    assert box.redact(f"before: {secret}") == f"before: {secret}"
    box.reveal("env:TOKEN")
    box.reveal("env:TOKEN")
    for text in (secret, quote(secret), quote(secret, safe=""), 'p@ss/w\\u00f6rd \\"9+1\\"'):
        assert "•••" in box.redact(f"GET https://x/{text}?a")
        assert text not in box.redact(f"GET https://x/{text}?a")
    for user in ("a", "ab", "abc"):
        header = base64.b64encode(f"{user}:{secret}".encode()).decode()
        left = base64.b64decode(box.redact(header).split("•••")[0] + "====", validate=False)
        assert b"p@ss" not in left
        assert "•••" in box.redact(header)


def test_application_passwords_without_their_spaces(tmp_path: Path) -> None:
    """WordPress shows application passwords in groups; the joined spelling is as secret."""
    box = secrets(tmp_path, TOKEN="abcd efgh ijkl")
    box.reveal("env:TOKEN")
    assert box.redact("x abcdefghijkl y") == "x ••• y"


def test_dotenv_lies_below_the_environment(tmp_path: Path) -> None:
    """.env adds what the environment lacks, and a private file gives no warning."""
    file = tmp_path / ".env"
    file.write_text("A=satu\nB='dua $A'\n# komentar\nC\n", encoding="utf-8")
    file.chmod(0o600)
    merged, problems = load_environment(tmp_path, {"A": "lain"})
    assert merged == {"A": "lain", "B": "dua $A"}
    assert problems == []


@pytest.mark.parametrize("what", ["device", "pipe", "large"])
def test_a_dotenv_is_not_read_without_end(tmp_path: Path, what: str) -> None:
    """A link to a device, a pipe, and what is larger than secrets can be, are an error at once."""
    file = tmp_path / ".env"
    if what == "device":
        file.symlink_to("/dev/zero")
    elif what == "pipe":
        os.mkfifo(file)
    else:
        file.write_bytes(b"A=" + b"x" * 2**20)
    merged, [problem] = load_environment(tmp_path, {"A": "1"})
    assert (merged, problem.severity) == ({"A": "1"}, Severity.ERROR)


def test_a_dotenv_that_others_can_read_is_a_warning(tmp_path: Path) -> None:
    """The warning names the file and the command."""
    file = tmp_path / ".env"
    file.write_text("A=satu\n")
    file.chmod(0o640)
    merged, [problem] = load_environment(tmp_path, {})
    assert merged == {"A": "satu"}
    assert (problem.code, problem.severity, problem.file) == ("A008", Severity.WARNING, ".env")
    assert (problem.line, problem.column, problem.path) == (1, 1, "")
    assert "chmod 600" in problem.fix


def test_a_dotenv_that_cant_be_read(tmp_path: Path) -> None:
    """A .env that is not UTF-8 is an error, not a crash; without .env there is nothing to say."""
    assert load_environment(tmp_path, {"A": "1"}) == ({"A": "1"}, [])
    (tmp_path / ".env").write_bytes(b"A=caf\xe9\n")
    merged, [problem] = load_environment(tmp_path, {"A": "1"})
    assert merged == {"A": "1"}
    assert problem.severity is Severity.ERROR
