"""``campaign accounts login`` as a person or a script runs it, on a stage; and what other commands say of it."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from conftest import Campaign
from disks import FILES, FULL, READ_ONLY, ROOM, WRITABLE, on_a_small_disk
from login_helpers import Now, Office, office, started

from campaign_cli.dispatch.logins import LoginWatch
from campaign_cli.models import State
from campaign_cli.platforms.base import AccountCheck


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Office]:
    """A workspace whose accounts log in on a stage."""
    with office(tmp_path, clock=Now()) as made:
        yield made


def log_in(root: Path, *arguments: str, **environment: str) -> tuple[int, str, str]:
    """Log in as a script does: read the address, follow it, wait. Exit code, stdout after the address, stderr."""
    with started(root, "accounts", "login", *arguments, **environment) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("http://"), (address, process.communicate())
        page = httpx.get(address, follow_redirects=True, trust_env=False, timeout=30).text
        assert "close this window" in page
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err


def test_login_by_a_script(desk: Office, campaign: Campaign) -> None:
    """The address on stdout, followed; the token works from then on, and no output holds a secret."""
    code, out, err = log_in(
        desk.root, "kicau", "--client-id", "kami", "--client-secret", "env:RAHASIA", RAHASIA="s3kr3t9"
    )
    assert (code, "✓ kicau: @kicau" in out) == (0, True), err
    assert "Redirect address that the application must know: http://127.0.0.1:8719/" in err
    login = desk.login("kicau")
    assert login.client_secret == "s3kr3t9"
    assert not any(secret in out + err for secret in login.secrets)
    for command in (("accounts", "check", "kicau"), ("accounts", "check", "kicau", "--json"), ("accounts", "list")):
        ran = campaign(*command)
        assert ran.code == 0
        assert not any(secret in ran.out + ran.err for secret in login.secrets)


def test_mastodon_needs_no_application(desk: Office) -> None:
    """It registers by itself at the account's server."""
    code, out, _err = log_in(desk.root, "toot")
    assert (code, "read:accounts" in out) == (0, True)


def test_a_second_login_knows_the_application(desk: Office) -> None:
    """What was said once is stored with the tokens."""
    log_in(desk.root, "kicau", "--client-id", "kami", "--port", "0")
    assert log_in(desk.root, "kicau", "--port", "0")[0] == 0
    assert desk.login("kicau").client_id == "kami"


def test_ctrl_c_ends_it_cleanly(desk: Office) -> None:
    """Exit 130, one word, no traceback, nothing stored."""
    with started(desk.root, "accounts", "login", "toot") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _out, err = process.communicate(timeout=60)
        assert process.returncode == 130
    assert "Traceback" not in err and "interrupted" in err
    assert desk.secrets().logins.read("toot") is None


def test_pasting_by_a_script(desk: Office) -> None:
    """The address on stdout, the code into stdin."""
    with started(desk.root, "accounts", "login", "kicau", "--paste", "--client-id", "kami") as process:
        assert process.stdout is not None
        where = httpx.get(process.stdout.readline().strip(), trust_env=False).headers["location"]
        out, err = process.communicate(where + "\n", timeout=60)
        assert (process.returncode, "✓ kicau" in out) == (0, True), err
        assert "code=" not in err


def test_a_secret_on_the_command_line_is_refused_and_not_repeated(desk: Office, campaign: Campaign) -> None:
    """Other users of the machine can read it there."""
    ran = campaign("accounts", "login", "kicau", "--client-id", "a", "--client-secret", "s3kr3t-v4lue")
    assert ran.code == 2
    assert "s3kr3t" not in ran.out + ran.err and "env:NAME" in ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("lain",), "accounts add lain"),
        (("kicau",), "--client-id"),
        (("tele",), "no sign-in"),
        (("tetap",), "token: login:tetap"),
    ],
)
def test_what_can_not_be_logged_in_to(desk: Office, campaign: Campaign, arguments: tuple[str, ...], said: str) -> None:
    """An unknown account, no application, a network without a sign-in, a secret from elsewhere: exit 2 with the fix."""
    with (desk.root / "accounts.yaml").open("a") as file:
        file.write("  tele: {platform: telegram, channel: '@a_channel', token: env:T}\n")
        file.write("  tetap: {platform: x, handle: '@tetap', token: env:T}\n")
    ran = campaign("accounts", "login", *arguments)
    assert ran.code == 2
    assert said in ran.err


def test_the_token_of_another_account_is_not_stored(desk: Office) -> None:
    """The handle of accounts.yaml guards against a mix-up in the browser."""
    path = desk.root / "accounts.yaml"
    path.write_text(path.read_text().replace("token: login:kicau", 'handle: "@lain", token: login:kicau'))
    code, _out, err = log_in(desk.root, "kicau", "--client-id", "kami", "--port", "0")
    assert code == 1 and "belongs to @kicau" in err
    assert desk.secrets().logins.read("kicau") is None


def test_not_logged_in_yet(desk: Office, campaign: Campaign) -> None:
    """Exit 3 with the command that helps."""
    ran = campaign("accounts", "check", "kicau")
    assert ran.code == 3
    assert "campaign accounts login kicau" in ran.out


def test_check_says_scopes_and_days_left(desk: Office, campaign: Campaign) -> None:
    """For people and as JSON; what renews itself has no end."""
    desk.sign_in("kicau")
    assert "tweet.write" in campaign("accounts", "check", "kicau").out
    found = json.loads(campaign("accounts", "check", "kicau", "--json").out)["accounts"][0]
    assert (found["expires"], found["days_left"]) == (None, None)
    ending(desk, days=3.5)
    ran = campaign("accounts", "check", "kicau")
    assert "3 days left" in ran.out
    found = json.loads(campaign("accounts", "check", "kicau", "--json").out)["accounts"][0]
    assert found["days_left"] == 3
    assert "tweet.read" in found["scopes"]


def ending(desk: Office, **left: float) -> None:
    """Let the login be one that only a person renews."""
    until = datetime.now(UTC) + timedelta(**left)
    desk.secrets().logins.put("kicau", replace(desk.login("kicau"), renewal="none", expires=until))


PLAN = """\
campaign: upah
timezone: WIB
language: id
accounts: [kicau]
posts:
  - {{id: dekat, at: "{near}", text: Upah layak adalah hak.}}
  - {{id: jauh, at: "{far}", text: Kita turun bersama.}}
"""


def planned(desk: Office) -> Path:
    """A plan with posts tomorrow and in ten days."""
    day = datetime.now(UTC).replace(microsecond=0)
    path = desk.root / "plan.yaml"
    near, far = (day + timedelta(days=days) for days in (1, 10))
    path.write_text(PLAN.format(near=near.isoformat(), far=far.isoformat()))
    return path


def test_a_campaign_that_outlives_a_token(desk: Office, campaign: Campaign) -> None:
    """check and queue warn at the account's line; what ends later, or renews itself, is no matter."""
    desk.sign_in("kicau")
    plan = planned(desk)
    assert "A022" not in campaign("check", plan).out
    ending(desk, days=3)
    ran = campaign("check", plan)
    assert ran.code == 0
    assert "accounts.yaml:2:3: warning A022" in ran.out and "campaign accounts login kicau" in ran.out
    queued = campaign("queue", plan, "--yes")
    assert queued.code == 0 and "A022" in queued.err
    assert "due after its token ends" in campaign("accounts", "check", "kicau").err
    ending(desk, days=11)
    assert "A022" not in campaign("check", plan).out
    assert "A022" in campaign("check", "--explain", "A022").out


def test_check_needs_no_keyring(desk: Office, campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a login ends is no secret: a machine that only checks plans may have no keyring at all."""
    import keyring

    held: dict[tuple[str, str], str] = {}
    desk.sign_in("kicau")
    with monkeypatch.context() as office_hours:
        office_hours.setattr(keyring, "get_password", lambda *entry: held.get(entry))
        office_hours.setattr(keyring, "set_password", lambda *entry: held.update({entry[:2]: entry[2]}))
        until = datetime.now(UTC) + timedelta(days=3)
        kept = replace(desk.login("kicau"), renewal="none", expires=until, in_keyring=True)
        desk.secrets().logins.put("kicau", kept)
    monkeypatch.setitem(sys.modules, "keyring", None)
    ran = campaign("check", planned(desk))
    assert (ran.code, "A022" in ran.out) == (0, True), ran.err


def test_a_token_whose_end_the_account_check_found(desk: Office, campaign: Campaign) -> None:
    """A secret in .env can end, too."""
    from campaign_cli.accounts import store_check
    from campaign_cli.plan import open_workspace

    path = desk.root / "accounts.yaml"
    path.write_text(path.read_text().replace("login:kicau", "env:KICAU"))
    until = datetime.now(UTC) + timedelta(days=3)
    store_check(open_workspace(desk.root)[0], "kicau", {"identity": "1", "expires": until.isoformat()})
    ran = campaign("check", planned(desk))
    assert "A022" in ran.out and "campaign accounts check kicau" in ran.out
    store_check(open_workspace(desk.root)[0], "kicau", {"identity": "1", "expires": "2020-01-01T00:00:00"})
    ran = campaign("check", planned(desk))
    assert (ran.code, "A022" in ran.out) == (0, False), ran.err  # an instant without a zone says nothing


@pytest.mark.parametrize(("days", "left"), [(3, 3), (-1, 0)])
def test_a_token_of_env_that_ends_is_renewed_in_env(
    desk: Office, campaign: Campaign, monkeypatch: pytest.MonkeyPatch, days: int, left: int
) -> None:
    """What is queued after its end is said, and a login would be no help."""
    until = datetime.now(UTC) + timedelta(days=days, minutes=1)

    async def found(*_account: object, **_how: object) -> AccountCheck:
        return AccountCheck(identity="1", handle="@kicau", expires=until)

    path = desk.root / "accounts.yaml"
    path.write_text(path.read_text().replace("login:kicau", "env:KICAU"))
    assert campaign("queue", planned(desk), "--yes").code == 0
    monkeypatch.setattr("campaign_cli.dispatch.access.check_account", found)
    ran = campaign("accounts", "check", "kicau")
    assert "after its token ends" in ran.err and "Renew its secret" in ran.err and "accounts login" not in ran.err
    assert f"{left} days left" in ran.out
    assert json.loads(campaign("accounts", "check", "kicau", "--json").out)["accounts"][0]["days_left"] == left


def test_secrets_that_others_can_read_are_said_by_accounts_check(desk: Office, campaign: Campaign) -> None:
    """Beside what it finds on the network."""
    desk.sign_in("kicau")
    (desk.root / ".env").write_text("A=1\n")
    (desk.root / ".env").chmod(0o644)
    ran = campaign("accounts", "check", "kicau")
    assert (ran.code, "A008" in ran.err, "chmod 600 .env" in ran.err) == (0, True, True)


def test_tokens_that_others_can_read_are_said_by_check(desk: Office, campaign: Campaign) -> None:
    """As .env is."""
    desk.sign_in("kicau")
    (desk.root / ".campaign/tokens.json").chmod(0o644)
    ran = campaign("check", planned(desk))
    assert "A008" in ran.out and "chmod 600" in ran.out
    assert campaign("accounts", "check", "kicau").code == 3


def queue_now(desk: Office, campaign: Campaign, count: int = 3) -> None:
    """Queue posts that are due at once, but not before a slow machine has queued them."""
    at = (datetime.now(UTC) + timedelta(seconds=4)).isoformat(timespec="seconds")
    posts = "".join(f'  - {{id: p{number}, at: "{at}", text: Upah layak {number}.}}\n' for number in range(count))
    head = "campaign: upah\ntimezone: WIB\nlanguage: id\naccounts: [kicau]\nposts:\n"
    (desk.root / "plan.yaml").write_text(head + posts)
    assert campaign("queue", "plan.yaml", "--yes").code == 0


def test_publish_renews_before_it_sends(desk: Office, campaign: Campaign) -> None:
    """A token that is over is renewed once, and everything goes out."""
    desk.sign_in("kicau")
    over = datetime.now(UTC) - timedelta(minutes=1)
    desk.secrets().logins.put("kicau", replace(desk.login("kicau"), expires=over))
    queue_now(desk, campaign)
    ran = campaign("publish", "--until", (datetime.now(UTC) + timedelta(seconds=6)).isoformat(timespec="seconds"))
    assert ran.code == 0, ran.err
    assert len(desk.server.state.posts) == 3
    assert desk.rules()["refresh requests"] == 1


def test_publish_without_a_good_login_is_exit_3(desk: Office, campaign: Campaign) -> None:
    """Nothing is sent, each delivery says why, and what to do."""
    desk.sign_in("kicau")
    desk.rules(refuse=True)
    over = datetime.now(UTC) - timedelta(minutes=1)
    desk.secrets().logins.put("kicau", replace(desk.login("kicau"), expires=over))
    queue_now(desk, campaign)
    ran = campaign("publish", "--until", (datetime.now(UTC) + timedelta(seconds=6)).isoformat(timespec="seconds"))
    assert ran.code == 3
    assert "campaign accounts login kicau" in ran.err
    assert not desk.server.state.posts
    shown = json.loads(campaign("status", "--json").out)["deliveries"]
    assert {one["state"] for one in shown} == {State.FAILED.value}
    assert desk.rules()["refresh requests"] == 1


def test_a_token_that_the_network_took_back(desk: Office, campaign: Campaign) -> None:
    """It is good by its date and refused all the same: exit 3, and what helps is logging in, not a line in .env."""
    desk.sign_in("kicau")
    desk.server.state.issued.clear()
    queue_now(desk, campaign, count=1)
    ran = campaign("publish", "--until", (datetime.now(UTC) + timedelta(seconds=6)).isoformat(timespec="seconds"))
    assert ran.code == 3
    assert "Run: campaign accounts login kicau" in ran.err
    checked = campaign("accounts", "check", "kicau")
    assert checked.code == 3 and "Run: campaign accounts login kicau" in checked.out


@pytest.mark.sqlite  # the ledger lies on the same disk
def test_a_disk_that_takes_nothing_costs_no_login(desk: Office) -> None:
    """Full or read-only: nothing is asked whose answer could not be kept, the reason is said, and it goes on later."""
    desk.sign_in("kicau")
    over = datetime.now(UTC) - timedelta(minutes=1)
    desk.secrets().logins.put("kicau", replace(desk.login("kicau"), expires=over))
    check = ("--lang", "en", "accounts", "check", "kicau")
    add = ("--lang", "en", "accounts", "add", "lagi", "--platform", "telegram", "--untested")
    add += ("--set", "channel=@lagi_contoh", "--secret", "token=env:A")
    steps = (FULL, check, add, ROOM, READ_ONLY, check, add, WRITABLE, check, FILES)
    full, full_add, fixed, fixed_add, after, files = on_a_small_disk(desk.root, *steps)
    assert (full.code, "can't be stored" in full.out) == (1, True)
    assert (fixed.code, "the disk is read-only" in fixed.out or "permission denied" in fixed.out) == (1, True)
    for ran in (full_add, fixed_add):
        assert (ran.code, "accounts.yaml: " in ran.err, ".tmp" in ran.err) == (2, True, False)
    assert (after.code, desk.rules()["refresh requests"]) == (0, 1)
    assert not any(".tmp" in name or "room" in name or ".json." in name for name in files.out.split())


def test_a_token_that_was_refused_before_its_end_costs_one_try(desk: Office, campaign: Campaign) -> None:
    """A wrong clock, a login on another machine: it is renewed, and everything goes out once."""
    desk.sign_in("kicau")
    desk.server.state.issued.clear()
    issued = datetime.now(UTC) - timedelta(minutes=10)
    desk.secrets().logins.put("kicau", replace(desk.login("kicau"), issued=issued))
    queue_now(desk, campaign)
    ran = campaign("publish", "--until", (datetime.now(UTC) + timedelta(seconds=20)).isoformat(timespec="seconds"))
    assert ran.code == 0, ran.err
    assert len(desk.server.state.posts) == 3
    assert desk.rules()["refresh requests"] == 1
    desk.server.state.issued.clear()
    desk.secrets().logins.put("kicau", replace(desk.login("kicau"), issued=issued))
    assert campaign("accounts", "check", "kicau").code == 0


class Told:
    """A notifier that writes down what it is told."""

    enabled = True

    def __init__(self) -> None:
        self.said: list[str] = []

    async def say(self, _title: str, body: str) -> str | None:
        """Write it down."""
        self.said.append(body)
        return None


def watch(desk: Office, told: Told) -> list[str]:
    """One look of a new process."""
    import asyncio

    warned: list[str] = []
    keeper = desk.keeper(desk.secrets())
    clock = desk.clock.now
    made = LoginWatch(keeper, [desk.accounts["kicau"]], clock=clock, notifier=told, warned=warned.append)  # type: ignore[arg-type]
    asyncio.run(made.look())
    asyncio.run(made.look())  # within the hour: nothing
    return warned


def test_people_are_told_days_before_a_login_ends(desk: Office) -> None:
    """A week before, a day before, and when it is over: once each, whichever process sees it first."""
    desk.sign_in("kicau")
    told = Told()
    assert watch(desk, told) == []
    ending(desk, days=30)
    seen = []
    for days in (0, 22, 1, 6.5, 0, 1, 5):
        desk.clock.move(days=days)
        seen.append(len(watch(desk, told)))
    assert seen == [0, 0, 1, 1, 0, 1, 0]
    assert len(told.said) == 3
    assert all("campaign accounts login kicau" in text for text in told.said)


def test_what_is_traded_is_renewed_without_a_delivery(desk: Office) -> None:
    """A campaign may be silent for weeks, and such a token is lost when it has ended."""
    desk.sign_in("kicau")
    login = replace(desk.login("kicau"), renewal="exchange", expires=desk.clock.now() + timedelta(days=60))
    desk.secrets().logins.put("kicau", login)
    asked: list[str] = []

    class Keeper(type(desk.keeper(desk.secrets()))):  # type: ignore[misc] # the real one, seen from outside
        async def ready(self, account: object) -> None:
            asked.append("ready")

    import asyncio

    keeper = Keeper(secrets=desk.secrets(), clock=desk.clock.now, transport=lambda: None)  # type: ignore[arg-type]
    accounts = [desk.accounts["kicau"]]
    asyncio.run(LoginWatch(keeper, accounts, clock=desk.clock.now, notifier=None, warned=asked.append).look())
    assert asked == ["ready"]
