"""Bad accounts, secrets and addresses, each through the real command line, against a stage where one is needed."""

# ruff: noqa: E501 - one fault on each line, with all that is said of it

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Campaign
from refusals import HEAD, NOWHERE, POST, contents, refused, workspace
from socket_helpers import answering, serve
from staged import ACCOUNTS, SECRETS, Staged, soon, staged

from campaign_cli.plan import open_workspace
from campaign_cli.platforms.connections import _authorities
from campaign_cli.stage import stage_accounts

GOOD = ACCOUNTS.format(url=NOWHERE, more="")
TOKEN = "token: env:MASTODON_TOKEN"
CASES = {
    # name: what is replaced by what, line:column, code, what is said, the fix
    "broken YAML": ("accounts:\n", "accounts: [\n", "1:11", "P006", "opened here by [ is not closed", "Close it by ]"),
    "a list of accounts": (GOOD, "accounts:\n  - mastodon\n", "2:3", "A004", '"accounts" must be a group of keys, not a list', 'Write lines like "key: value"'),
    "empty file": (GOOD, "", "1:1", "P002", "The file is empty", "Write something in it"),
    "unknown platform": ("platform: mastodon", "platform: mastodn", "2:24", "A002", '"mastodn" is not a known platform. Did you mean "mastodon"?', "Networks that work"),
    "unknown setting": (TOKEN, TOKEN + ", tokn: x", "2:106", "A004", '"tokn" is not known here. Did you mean "token"?', "Known keys"),
    "missing setting": (f", {TOKEN}", "", "2:13", "A004", 'The key "token" is missing', 'Write "token: …"'),
    "secret in the file": (TOKEN, "token: rahasia-mastodon-9f2c", "2:86", "A005", '"token" holds a secret itself', "Put the secret into .env"),
    "no address": (f'"{NOWHERE}/mastodon/mastodon"', "mastodon", "2:39", "A004", "This is not the address of a server", "Write it like https://mastodon.example"),
    "open address": (f'"{NOWHERE}/mastodon/mastodon"', "http://mastodon.example", "2:39", "A004", "mastodon.example must be reached by https", "Write https://"),
    "no channel": ("@fspc_papua", "saluran kami", "5:82", "A004", "This is not the name of a channel", "Write @name"),
    "one of few words": ("  bluesky:", "  insta: {platform: instagram, token: env:A, login: tiktok}\n  bluesky:", "3:53", "A004", '"login" must be one of: instagram, facebook.', "Write one of these words"),
    "unknown zone": ("timezone: WIT}", "timezone: WITT}", "5:125", "A009", '"WITT" is not a time zone. Did you mean "WIT"?', "Write WIB"),
    "unknown member": ("[mastodon, bluesky", "[mastodn, bluesky", "6:18", "A007", '"mastodn". Did you mean "mastodon"?', "Add it under accounts"),
    "no clock time": ('"07:30"', '"25:00"', "7:15", "A011", "A slot is a clock time", 'Write it like "07:30"'),
    "same account twice": ("  bluesky:", f'  dua: {{platform: mastodon, url: "{NOWHERE}/mastodon/mastodon", {TOKEN}}}\n  bluesky:', "3:3", "A006", '"dua" is the same account as "mastodon"', "Keep one of the two"),
}  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with a good plan and accounts that lead nowhere."""
    folder = workspace(tmp_path / "kerja")
    (folder / "plan.yaml").write_text(HEAD + POST, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", CASES)
def test_bad_accounts_are_told_where_and_why(campaign: Campaign, root: Path, name: str) -> None:
    """Every command that reads accounts.yaml names its line and column, fault and fix, and does nothing."""
    old, new, place, code, says, fix = CASES[name]
    assert old in GOOD
    (root / "accounts.yaml").write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    head = f"accounts.yaml:{place}: error {code}: "
    for command in (
        ("check", root / "plan.yaml"),
        ("queue", root / "plan.yaml", "--yes"),
        ("publish",),
        ("post", "x", "--to", "web"),
    ):
        words = refused(campaign, *command, "-w", root, says=head, fix=fix, root=root).splitlines()
        (told,) = [number for number, line in enumerate(words) if line.startswith(head)]
        assert says in words[told]
        assert (
            len([line for line in words if ": error " in line]) <= 2
        )  # one fault, and at most one that follows from it
        assert words[told + 1].startswith(f"    → {fix}")


@pytest.mark.parametrize(("content", "says", "fix"), [
    (b"\xff\xfe\x00", "error A008: The secrets can't be read: it is not UTF-8", "Check its permissions"),
    (None, "error A008: The secrets can't be read: this is a folder, not a file", "Check its permissions"),
])  # fmt: skip
def test_secrets_that_can_not_be_read(
    campaign: Campaign, root: Path, content: bytes | None, says: str, fix: str
) -> None:
    """A .env that is no text, or a folder, is an error of the workspace."""
    (root / ".env").unlink()
    if content is None:
        (root / ".env").mkdir()
    else:
        (root / ".env").write_bytes(content)
    for command in (("check", root / "plan.yaml"), ("queue", root / "plan.yaml", "--yes")):
        refused(campaign, *command, "-w", root, says=f".env:1:1: {says}", fix=fix, root=root)


def test_secrets_that_others_can_read(campaign: Campaign, root: Path) -> None:
    """A .env for everybody is a warning with the command that helps; a secret file for everybody is refused."""
    (root / ".env").chmod(0o644)
    ran = campaign("check", root / "plan.yaml", "-w", root)
    assert ran.code == 0
    assert ".env:1:1: warning A008: Others on this machine can read" in ran.out
    assert "→ Run: chmod 600 .env" in ran.out
    (root / ".env").chmod(0o600)
    (root / "accounts.yaml").write_text(GOOD.replace("env:MASTODON_TOKEN", "file:token.txt"), encoding="utf-8")
    check = ("accounts", "check", "mastodon", "-w", root)
    refused(
        campaign,
        *check,
        code=3,
        says="token.txt can't be read: there is no such file",
        fix="Put the secret alone",
        root=root,
    )
    (root / "token.txt").write_text("rahasia", encoding="utf-8")
    (root / "token.txt").chmod(0o644)
    refused(campaign, *check, code=3, says="Others can read the secret file token.txt", fix="Run: chmod 600", root=root)
    (root / "token.txt").chmod(0o600)
    (root / "token.txt").write_text("\n", encoding="utf-8")
    refused(campaign, *check, code=3, says="The secret file token.txt is empty", fix="Put the secret alone", root=root)


def test_an_absent_secret(campaign: Campaign, stage: Staged) -> None:
    """The variable is named, the exit code is 3, and neither a row nor a request is made."""
    (stage.root / ".env").write_text("", encoding="utf-8")
    for command in (("accounts", "check", "mastodon"), ("post", "x", "--to", "mastodon")):
        refused(
            campaign,
            *command,
            code=3,
            says="MASTODON_TOKEN is not set",
            fix="Write a line MASTODON_TOKEN=…",
            root=stage.root,
        )
    assert ".campaign" not in contents(stage.root)
    assert stage.posts() == []


@pytest.mark.parametrize("account", ["mastodon", "bluesky", "web", "papua"])
def test_a_secret_that_the_network_refuses(campaign: Campaign, stage: Staged, account: str) -> None:
    """401 of every network is exit code 3 with the account and what to do; sending with it fails alone."""
    other = {secret: secret[::-1] for secret in SECRETS.values()} | {SECRETS["PAPUA"]: "123456789:salah-salah-salah"}
    text = (stage.root / ".env").read_text(encoding="utf-8")
    for secret, wrong in other.items():
        text = text.replace(secret, wrong)
    (stage.root / ".env").write_text(text, encoding="utf-8")
    words = refused(
        campaign, "accounts", "check", account, code=3, says=f"✗ {account}: credentials: ", fix="", root=stage.root
    )
    ran = campaign("post", "Sidang ditunda.", "--to", account, "--json")
    assert ran.code == 3
    (delivery,) = json.loads(ran.out)["deliveries"]
    assert delivery["state"] == "failed"
    assert delivery["receipts"] == []
    assert " → " in delivery["error"]
    assert stage.posts() == []
    for wrong in other.values():
        assert wrong not in words + ran.out + ran.err


@pytest.fixture
def ageing(tmp_path: Path) -> Iterator[Staged]:
    """A stage whose clock goes on with every post: past the access token, then past the refresh token; after the third
    post the password is another one."""
    made: list[Staged] = []
    jumps = (timedelta(), timedelta(hours=3), timedelta(days=200), timedelta(days=400))

    def clock() -> datetime:
        posts = len(made[0].posts()) if made else 0
        if posts == 3:
            workspace, _ = open_workspace(tmp_path)
            made[0].server.state.add_accounts(stage_accounts(workspace.accounts, reveal=lambda _: "sandi-baru"))
        return datetime.now(UTC) + jumps[posts]

    with staged(tmp_path, clock=clock) as stage:
        made.append(stage)
        yield stage


def test_an_expired_session(campaign: Campaign, ageing: Staged) -> None:
    """An expired session is refreshed, a dead one replaced by signing in; where that is refused, it is exit code 3 with
    the fix, and what was out stays known."""
    parts = '["Satu.", "Dua.", "Tiga.", "Empat."]'
    plan = ageing.plan(
        f'  - id: rangkaian\n    at: "{soon(seconds=2)}"\n    accounts: [bluesky]\n    thread: {parts}\n'
    )
    assert campaign("queue", plan, "--yes").code == 0
    ran = campaign("publish", "--until", soon(seconds=3))
    assert ran.code == 3, ran.err
    (delivery,) = json.loads(campaign("status", "--json").out)["deliveries"]
    assert delivery["state"] == "failed"
    assert len(delivery["receipts"]) == 3
    assert " → " in delivery["error"]
    assert [post.text for post in ageing.posts()] == ["Satu.", "Dua.", "Tiga."]


@pytest.mark.parametrize(("address", "says"), [
    ("https://tidak-ada.invalid", "tidak-ada.invalid/api/v1/accounts/verify_credentials can't be reached: the name of the server is not known (DNS)"),
    ("http://127.0.0.1:9", "127.0.0.1:9/api/v1/accounts/verify_credentials can't be reached: nothing answers there"),
])  # fmt: skip
def test_a_server_that_is_not_there(
    campaign: Campaign, root: Path, address: str, says: str, environment: pytest.MonkeyPatch
) -> None:
    """No DNS name and no listener are told in plain words; a message that could not leave waits, and says so."""
    (root / "accounts.yaml").write_text(GOOD.replace(f'"{NOWHERE}/mastodon/mastodon"', address), encoding="utf-8")
    refused(
        campaign,
        "accounts",
        "check",
        "mastodon",
        "-w",
        root,
        code=1,
        says=says,
        fix="Check the network connection and the account's address",
        root=root,
    )
    ran = campaign("post", "Sidang ditunda.", "--to", "mastodon", "-w", root)
    assert ran.code == 0
    assert "tried again by: campaign publish" in ran.err
    (delivery,) = json.loads(campaign("status", "--json", "-w", root).out)["deliveries"]
    assert delivery["state"] == "waiting"
    assert "can't be reached" in delivery["error"]


def test_a_check_goes_the_way_that_posts_go(campaign: Campaign, root: Path, environment: pytest.MonkeyPatch) -> None:
    """Where only the proxy leads out, an account is checked by way of it, too, and the proxy's word is told."""
    accounts = GOOD.replace(f'"{NOWHERE}/mastodon/mastodon"', "https://mastodon.example")
    (root / "accounts.yaml").write_text(accounts, encoding="utf-8")
    with serve(answering(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")) as proxy:
        environment.setenv("HTTPS_PROXY", proxy.url)
        ran = campaign("accounts", "check", "mastodon", "-w", root)
    assert ran.code == 1
    assert "407 Proxy Authentication Required" in " ".join(ran.err.split() + ran.out.split())
    assert [head.split(b"\r\n")[0] for head in proxy.heads] == [b"CONNECT mastodon.example:443 HTTP/1.1"]


@pytest.mark.parametrize(
    "command", [("accounts", "check", "mastodon"), ("post", "Sidang ditunda.", "--to", "mastodon")]
)
def test_authorities_that_can_not_be_read(
    campaign: Campaign, root: Path, environment: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """A wrong SSL_CERT_FILE is told, and costs no post: what could not leave waits."""
    environment.setattr("campaign_cli.platforms.connections._authorities", _authorities.__wrapped__)  # read anew
    environment.setenv("SSL_CERT_FILE", str(root / "tidak-ada.pem"))
    ran = campaign(*command, "-w", root)
    said = " ".join((ran.out + ran.err).split())
    assert "SSL_CERT_FILE or SSL_CERT_DIR names can't be read: there is no such file or folder" in said
    assert ran.code == (1 if command[0] == "accounts" else 0)
    assert "Traceback" not in said
