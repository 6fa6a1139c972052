"""Secrets move from .env into the keyring, and none is lost on the way."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from conftest import Campaign

ACCOUNTS = """\
# akun kami
accounts:
  mastodon: {platform: mastodon, url: https://mastodon.example, token: env:MASTODON_TOKEN}  # utama
  web:
    platform: wordpress
    url: https://serikat.example
    username: redaksi
    password: "env:WEB"
notify: [env:NOTIFY]
"""
ENV = "# rahasia\nMASTODON_TOKEN=rahasia-satu\nLAIN=tetap\nexport WEB='rahasia dua'\nNOTIFY=https://hook.example/x\n"


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], str]:
    """The system's keyring, in memory."""
    import keyring as real

    kept: dict[tuple[str, str], str] = {}
    monkeypatch.setattr(real, "get_password", lambda service, user: kept.get((service, user)))
    monkeypatch.setattr(real, "set_password", lambda service, user, secret: kept.update({(service, user): secret}))
    return kept


def workspace(folder: Path) -> None:
    """Accounts and their secrets."""
    (folder / "accounts.yaml").write_text(ACCOUNTS)
    (folder / ".env").write_text(ENV)
    (folder / ".env").chmod(0o600)


def test_everything_moves_and_nothing_else_changes(
    campaign: Campaign, tmp_path: Path, keyring: dict[tuple[str, str], str]
) -> None:
    """Keyring, accounts.yaml and .env say the same afterwards; remarks stay; a second time there is nothing to do."""
    workspace(tmp_path)
    ran = campaign("secrets", "move", "--yes", "--lang", "en")
    assert ran.code == 0, ran.err
    assert keyring == {
        ("campaign", "MASTODON_TOKEN"): "rahasia-satu",
        ("campaign", "WEB"): "rahasia dua",
        ("campaign", "NOTIFY"): "https://hook.example/x",
    }
    after = (tmp_path / "accounts.yaml").read_text()
    assert after == ACCOUNTS.replace("env:MASTODON_TOKEN", '"keyring:campaign/MASTODON_TOKEN"').replace(
        '"env:WEB"', '"keyring:campaign/WEB"'
    ).replace("env:NOTIFY", '"keyring:campaign/NOTIFY"')
    assert (tmp_path / ".env").read_text() == "# rahasia\nLAIN=tetap\n"
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert "rahasia" not in ran.out + ran.err
    assert "Nothing to move" in campaign("secrets", "move", "--lang", "en").out


def test_one_of_them(campaign: Campaign, tmp_path: Path, keyring: dict[tuple[str, str], str]) -> None:
    """A name moves alone; an unknown one is refused with those that there are."""
    workspace(tmp_path)
    ran = campaign("secrets", "move", "LAIN", "--yes", "--lang", "en")
    assert ran.code == 2
    assert "MASTODON_TOKEN, WEB, NOTIFY" in ran.err
    assert campaign("secrets", "move", "WEB", "--service", "serikat", "--yes").code == 0
    assert keyring == {("serikat", "WEB"): "rahasia dua"}
    assert "env:MASTODON_TOKEN" in (tmp_path / "accounts.yaml").read_text()
    assert "MASTODON_TOKEN=rahasia-satu" in (tmp_path / ".env").read_text()


def test_another_secret_of_that_name_is_not_overwritten(
    campaign: Campaign, tmp_path: Path, keyring: dict[tuple[str, str], str]
) -> None:
    """What the keyring has already stays, and so do both files."""
    workspace(tmp_path)
    keyring["campaign", "WEB"] = "lain"
    ran = campaign("secrets", "move", "--yes", "--lang", "en")
    assert (ran.code, "--service" in ran.err) == (2, True)
    assert keyring == {("campaign", "WEB"): "lain"}
    assert (tmp_path / "accounts.yaml").read_text() == ACCOUNTS
    assert (tmp_path / ".env").read_text() == ENV


def test_a_keyring_that_forgets_changes_no_file(
    campaign: Campaign, tmp_path: Path, keyring: dict[tuple[str, str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what can be read back counts as kept."""
    import keyring as real

    workspace(tmp_path)
    monkeypatch.setattr(real, "set_password", lambda *_words: None)
    ran = campaign("secrets", "move", "--yes", "--lang", "en")
    assert (ran.code, "did not keep" in ran.err) == (3, True)
    assert (tmp_path / "accounts.yaml").read_text() == ACCOUNTS
    assert (tmp_path / ".env").read_text() == ENV


def test_nobody_is_asked_without_a_terminal(
    campaign: Campaign, tmp_path: Path, keyring: dict[tuple[str, str], str]
) -> None:
    """Without --yes and without a terminal nothing moves; a service with a slash is refused."""
    workspace(tmp_path)
    assert campaign("secrets", "move").code == 2
    assert campaign("secrets", "move", "--service", "a/b", "--yes").code == 2
    assert keyring == {}
