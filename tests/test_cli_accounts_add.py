"""``campaign accounts add``: by options or by answers, tested on the network first; nothing else in the files moves."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from conftest import Campaign
from login_helpers import Now, started
from staged import Staged

from campaign_cli.cli.entries import add_variable, free_variable, with_account
from campaign_cli.credentials import load_environment
from campaign_cli.errors import InputError
from campaign_cli.logins import Login, LoginStore
from campaign_cli.platforms import PLATFORMS, get
from campaign_cli.stage.server import StageServer
from campaign_cli.stage.state import StageAccount

SECRET = "123456789:rahasia-baru-77"
ENTRY = {"platform": "telegram", "channel": "@baru_contoh", "token": "env:BARU_TOKEN"}


def added(stage: Staged, name: str = "baru") -> str:
    """The stage plays one more channel; its address."""
    account = StageAccount(name=name, platform="telegram", user="@baru_contoh", secret=SECRET)
    stage.server.state.add_accounts({name: account})
    return f"{stage.server.url}/telegram/{name}"


def by_options(url: str, *more: str) -> tuple[str, ...]:
    settings = ("--set", "channel=@baru_contoh", "--set", f"url={url}")
    return ("accounts", "add", "baru", "--platform", "telegram", *settings, *more)


def variable(stage: Staged, name: str = "BARU", value: str = SECRET) -> None:
    with (stage.root / ".env").open("a") as file:
        file.write(f"{name}='{value}'\n")


def test_by_options(stage: Staged, campaign: Campaign) -> None:
    """Tested, written, and usable; what stood in the file stands there still."""
    variable(stage)
    path = stage.root / "accounts.yaml"
    before = path.read_text()
    ran = campaign(*by_options(added(stage), "--secret", "token=env:BARU", "--timezone", "WIT"))
    assert ran.code == 0, ran.err
    assert "✓ baru" in ran.out
    text = path.read_text()
    assert [line for line in text.splitlines() if line in before.splitlines()] == before.splitlines()
    assert "timezone: WIT" in text and SECRET not in text + ran.out + ran.err
    assert campaign("accounts", "check", "baru").code == 0


def test_what_the_network_refuses_is_not_written(stage: Staged, campaign: Campaign) -> None:
    """A wrong secret: exit 3, and both files are as they were."""
    variable(stage, value="1:salah")
    before = [(stage.root / name).read_bytes() for name in ("accounts.yaml", ".env")]
    ran = campaign(*by_options(added(stage), "--secret", "token=env:BARU"))
    assert ran.code == 3
    assert [(stage.root / name).read_bytes() for name in ("accounts.yaml", ".env")] == before


def test_untested(stage: Staged, campaign: Campaign) -> None:
    """Without a connection it is written all the same, and said so."""
    ran = campaign(*by_options("http://127.0.0.1:9/telegram/x", "--secret", "token=env:BARU", "--untested"))
    assert (ran.code, "not tested" in ran.err) == (0, True)
    assert "baru:" in (stage.root / "accounts.yaml").read_text()


def test_a_network_that_is_out_of_reach(stage: Staged, campaign: Campaign) -> None:
    """Is a warning: what was typed is not lost."""
    variable(stage)
    ran = campaign(*by_options("http://127.0.0.1:9/telegram/x", "--secret", "token=env:BARU"))
    assert (ran.code, "could not be tested" in ran.err) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "NAME"),
        (("baru",), "--platform"),
        (("baru", "--platform", "telegram"), "--secret token=env:NAME"),
        (("baru", "--platform", "telegram"), "--set channel=…"),
        (("baru", "--platform", "mastodn"), "mastodon"),
        (("baru", "--platform", "friendster"), "not a known platform"),
        (("mastodon", "--platform", "telegram"), "already"),
        (("semua", "--platform", "telegram"), "already"),
        (("Ba Ru", "--platform", "telegram"), "small letters"),
        (("baru", "--platform", "telegram", "--set", "chanel=@a"), "channel"),
        (("baru", "--platform", "telegram", "--set", "channel"), "KEY=VALUE"),
        (("baru", "--platform", "telegram", "--secret", "tokn=env:A"), "token"),
        (("baru", "--platform", "telegram", "--set", "channel=a b c", "--secret", "token=env:A"), "accounts.yaml"),
        (("baru", "--platform", "telegram", "--set", "channel=@abcde", "--secret", "token=login"), "no sign-in"),
    ],
)
def test_what_is_missing_or_wrong_is_exit_2(
    stage: Staged, campaign: Campaign, arguments: tuple[str, ...], said: str
) -> None:
    """Without a terminal nobody is asked: the fix says the option. Nothing is written."""
    before = (stage.root / "accounts.yaml").read_bytes()
    ran = campaign("accounts", "add", *arguments)
    assert ran.code == 2
    assert said in ran.err
    assert (stage.root / "accounts.yaml").read_bytes() == before


@pytest.mark.parametrize("where", ["--set", "--secret"])
def test_a_secret_on_the_command_line_is_refused_and_not_repeated(
    stage: Staged, campaign: Campaign, where: str
) -> None:
    """Whichever option it is given to."""
    ran = campaign("accounts", "add", "baru", "--platform", "telegram", where, f"token={SECRET}")
    assert ran.code == 2
    assert SECRET not in ran.out + ran.err


def test_the_same_account_twice(stage: Staged, campaign: Campaign) -> None:
    """Another name for what is there already is refused: every post would go out twice."""
    assert campaign("accounts", "check").code == 0
    text = (stage.root / "accounts.yaml").read_text()
    ran = campaign(
        *("accounts", "add", "kembar", "--platform", "telegram", "--set", "channel=@fspc_papua"),
        *("--set", f"url={stage.server.url}/telegram/papua", "--secret", "token=env:PAPUA"),
    )
    assert ran.code == 2
    assert "same account" in ran.err
    assert (stage.root / "accounts.yaml").read_text() == text


@pytest.fixture
def signing() -> Iterator[StageServer]:
    """A stage with one account of X."""
    with StageServer(clock=Now().now) as server:
        server.state.add_accounts({"kicau": StageAccount(name="kicau", platform="x", user="kicau", secret="tertutup")})
        yield server


def test_adding_signs_in(tmp_path: Path, signing: StageServer, campaign: Campaign) -> None:
    """``--secret token=login``: the address on stdout, the entry and the token afterwards."""
    (tmp_path / "accounts.yaml").write_text("accounts: {}\n")
    arguments = ("--platform", "x", "--set", f"url={signing.url}/x/kicau", "--secret", "token=login")
    with started(tmp_path, "accounts", "add", "kicau", *arguments, "--client-id", "kami", "--port", "0") as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        httpx.get(address, follow_redirects=True, trust_env=False, timeout=30)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, "kicau is in accounts.yaml" in out) == (0, True), err
    assert "token: login:kicau" in (tmp_path / "accounts.yaml").read_text()
    assert campaign("accounts", "check", "kicau").code == 0


AT_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # passwords are read from the process's own terminal
os.execv(sys.executable, [sys.executable, "-m", "campaign_cli", *sys.argv[1:]])
"""


def typed(root: Path, *arguments: str, answers: list[tuple[str, str]]) -> str:
    """The command at a terminal: each answer is typed when its question stands there. Everything that was shown."""
    main, side = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(map(str, sys.path)), "HOME": str(root)}
    command = [sys.executable, "-c", AT_TERMINAL, "--lang", "en", *arguments]
    process = subprocess.Popen(
        command, cwd=root, env=environment, stdin=side, stdout=side, stderr=side, start_new_session=True
    )
    os.close(side)
    shown, new, left = "", "", list(answers)
    try:
        while True:
            assert select.select([main], [], [], 60)[0], f"it waits for an answer: {shown}"
            try:
                piece = os.read(main, 4096)
            except OSError:
                break
            if not piece:
                break
            shown += piece.decode("utf-8", "replace")
            new += piece.decode("utf-8", "replace")
            if left and left[0][0] in re.sub(r"\s+", " ", new) and new.endswith(" "):  # it reads now, unseen or not
                os.write(main, left.pop(0)[1].encode() + b"\n")
                new = ""
        assert process.wait(60) == 0, shown
        assert not left, (left, shown)
        return shown
    finally:
        process.kill()
        process.wait()
        os.close(main)


def test_at_a_terminal(stage: Staged, campaign: Campaign) -> None:
    """Each question says where to find the answer; the secret is not shown while it is typed, and goes into .env."""
    url = added(stage)
    shown = typed(
        stage.root,
        *("accounts", "add", "--set", f"url={url}"),
        answers=[
            ("called in plans?", "baru"),
            ("Which network is it on?", "telegram"),
            ("token (it is not shown):", SECRET),
            ("channel:", "@baru_contoh"),
            ("Its time zone", "WIT"),
        ],
    )
    assert "@BotFather" in shown and "Its secret is in .env: BARU_TOKEN" in shown
    assert SECRET not in shown
    assert (stage.root / ".env").stat().st_mode & 0o777 == 0o600
    assert load_environment(stage.root, {})[0]["BARU_TOKEN"] == SECRET
    assert campaign("accounts", "check", "baru").code == 0


def test_an_answer_that_can_not_be_is_asked_for_again(stage: Staged) -> None:
    """What was typed before is not lost for it; each wrong one is told with its fix."""
    shown = typed(
        stage.root,
        *("accounts", "add", "baru", "--platform", "telegram", "--untested"),
        answers=[
            ("token (it is not shown):", SECRET),
            ("channel:", "a b c"),
            ("→", "@baru_contoh"),
            ("Its time zone", "Mars"),
            ("→", "WIT"),
        ],
    )
    assert "time zone" in shown and "baru is in accounts.yaml" in shown
    text = (stage.root / "accounts.yaml").read_text()
    assert "channel: '@baru_contoh'" in text and "timezone: WIT" in text


ASKED = {
    "linkedin": [
        *(("browser?", "n"), ("token (it is not shown):", "12345"), ("author:", "urn:li:organization:1")),
        *(("client_id (Enter: without):", "12345"), ("client_secret (it is not shown):", "12345")),
    ],
    "whatsapp": [
        *(("token (it is not shown):", "12345"), ("phone_number_id:", "12345")),
        *(("recipients (it is not shown):", "file:a.csv"), ("template:", "kabar")),
    ],
    "tiktok": [("browser?", "n"), ("token (it is not shown):", "12345"), ("handle (Enter: without):", "")],
}


@pytest.mark.parametrize("network", ASKED)
def test_the_order_of_the_questions(stage: Staged, network: str) -> None:
    """The sign-in first, all else as the network's settings stand; and nothing is asked that nobody explains."""
    answers = [*ASKED[network], ("Its time zone", "")]
    shown = typed(stage.root, *("accounts", "add", "baru", "--platform", network, "--untested"), answers=answers)
    assert "baru is in accounts.yaml" in shown


def test_a_name_that_would_be_ambiguous_is_refused_before_anything_is_asked(stage: Staged) -> None:
    """Like that of a network, or of a language."""
    with pytest.raises(AssertionError, match="named like a language"):
        typed(stage.root, *("accounts", "add", "jv", "--platform", "telegram"), answers=[])


def test_a_keyring_that_does_not_open_is_said_before_anything_is_asked(
    stage: Staged, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is typed and tested would be lost otherwise."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    ran = campaign("accounts", "add", "baru", "--platform", "telegram", "--keyring")
    assert ran.code == 2 and "campaign-cli[keyring]" in ran.err


def test_an_old_login_of_that_name_is_no_end(tmp_path: Path, signing: StageServer) -> None:
    """What is over, or of another server, is replaced by signing in; nobody is sent to a command that can't help."""
    (tmp_path / "accounts.yaml").write_text("accounts: {}\n")
    old = datetime.now(UTC) - timedelta(days=1)
    login = Login(platform="x", server="https://lain.example/token", access="lama", issued=old)
    arguments = ("--platform", "x", "--set", f"url={signing.url}/x/kicau", "--secret", "token=login")
    for one in (login, replace(login, server=f"{signing.url}/x/kicau/2/oauth2/token", expires=old)):
        (tmp_path / "accounts.yaml").write_text("accounts: {}\n")
        LoginStore(tmp_path / ".campaign").put("kicau", one)
        with started(tmp_path, "accounts", "add", "kicau", *arguments, "--client-id", "kami", "--port", "0") as process:
            assert process.stdout is not None
            httpx.get(process.stdout.readline().strip(), follow_redirects=True, trust_env=False, timeout=30)
            out, err = process.communicate(timeout=60)
        assert (process.returncode, "kicau is in accounts.yaml" in out) == (0, True), err


ONE = "  a: {platform: telegram, channel: '@aaaaa', token: env:A}"
FILES = {
    "block": f"# head\naccounts:\n  # one\n{ONE}  # a\n  # after\n\nslots: {{pagi: '07:30'}}\n",
    "deep": "accounts:\n    a:\n        platform: telegram\n        channel: '@aaaaa'\n        token: env:A\n# tail\n",
    "no end": "accounts:\n  a: {platform: telegram, channel: '@aaaaa', token: env:A}",
    "empty": "accounts: {}  # none yet\nslots: {pagi: '07:30'}\n",
    "nothing": "accounts:\nslots: {pagi: '07:30'}\n",
    "absent": "slots: {pagi: '07:30'}",
    "flow": "accounts: {a: {platform: telegram, channel: '@aaaaa', token: env:A}}\nslots: {pagi: '07:30'}\n",
    "flow lines": "accounts: {\n  a: {platform: telegram, channel: '@aaaaa', token: env:A}\n}  # end\n",
    "windows": "accounts:\r\n  a: {platform: telegram, channel: '@aaaaa', token: env:A}\r\n# end\r\n",
    "mark": "\ufeffaccounts:\n  a: {platform: telegram, channel: '@aaaaa', token: env:A}\n",
    "list last": "accounts:\n  a: {platform: telegram, channel: '@aaaaa', token: env:A}\ngroups:\n  g:\n    - a\n",
    "blank": "",
}


@pytest.mark.parametrize("kind", FILES)
def test_every_way_to_write_the_file(tmp_path: Path, kind: str) -> None:
    """The entry is there, and nothing that stood in the file has changed: no comment, no line end, no order."""
    path = tmp_path / "accounts.yaml"
    path.write_bytes(FILES[kind].encode())
    written = with_account(tmp_path, "baru", ENTRY)
    assert dict(written.account("baru").settings)["channel"] == "@baru_contoh"
    written.save()
    text = path.read_bytes().decode()
    for comment in re.findall(r"#[^\r\n]*", FILES[kind]):
        assert comment in text
    assert ("\r\n" in text) == ("\r\n" in FILES[kind])
    assert not ("\r\n" in text and re.search(r"[^\r]\n", text))
    assert text.startswith("\ufeff") == FILES[kind].startswith("\ufeff")
    assert text.index("baru") > text.index("a: {") if "a: {" in FILES[kind] else True


@pytest.mark.parametrize(
    "text",
    [
        "{accounts: {a: {platform: telegram, channel: '@aaaaa', token: env:A}}}\n",
        "accounts: &all\n  a: &one {platform: telegram, channel: '@aaaaa', token: env:A}\nx: *all\n",
        "accounts: {a: {platform: telegram, channel: '@aaaaa', token: env:A},}\n",
    ],
)
def test_a_file_that_can_not_be_added_to(tmp_path: Path, text: str) -> None:
    """Is left alone, and the lines to add are shown."""
    path = tmp_path / "accounts.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        with_account(tmp_path, "baru", ENTRY)
    assert "baru:" in caught.value.fix and "env:BARU_TOKEN" in caught.value.fix
    assert path.read_text() == text


def test_a_file_that_somebody_else_changed_meanwhile(tmp_path: Path) -> None:
    """An editor that saved in between wins."""
    path = tmp_path / "accounts.yaml"
    path.write_text(FILES["block"])
    written = with_account(tmp_path, "baru", ENTRY)
    path.write_text("accounts: {}\n")
    with pytest.raises(InputError, match="meanwhile"):
        written.save()
    assert path.read_text() == "accounts: {}\n"


def test_the_mode_of_the_file_stays(tmp_path: Path) -> None:
    """An office that keeps its accounts to itself goes on doing so."""
    path = tmp_path / "accounts.yaml"
    path.write_text(FILES["block"])
    path.chmod(0o600)
    with_account(tmp_path, "baru", ENTRY).save()
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "secret", ["plain", "with 'quotes' and \"more\"", "back\\slash\\", "#hash $HOME ${A}", "spasi di sini"]
)
@pytest.mark.parametrize("before", ["", "A=1", "A=1\n", "# note\nA='x'\n"])
def test_a_secret_in_env_is_read_back_as_it_was(tmp_path: Path, secret: str, before: str) -> None:
    """Whatever signs are in it; the lines before stay, and nobody else may read the file."""
    path = tmp_path / ".env"
    if before:
        path.write_text(before)
    add_variable(tmp_path, "BARU", secret)
    assert load_environment(tmp_path, {})[0]["BARU"] == secret
    assert path.read_text().startswith(before)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_variable_that_is_taken(tmp_path: Path) -> None:
    """Gets a number; letters that a shell can't take become _."""
    assert free_variable({}, "papua-barat_token") == "PAPUA_BARAT_TOKEN"
    assert free_variable({"A_B": "", "A_B_2": ""}, "a-b") == "A_B_3"
    assert free_variable({}, "1a") == "_1A"


@pytest.mark.parametrize("name", PLATFORMS)
def test_every_network_says_where_to_find_what_it_needs(name: str) -> None:
    """Every required setting and every secret has a sentence, and no sentence speaks of a setting that isn't there."""
    platform = get(name)
    fields = platform.Settings.model_fields
    required = {key for key, field in fields.items() if field.is_required()}
    assert (required | set(platform.secrets)) <= set(platform.help)
    assert set(platform.help) <= set(fields)
