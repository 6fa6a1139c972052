"""Renewing: in time, by one process alone, and never at the cost of a refresh token."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import renewing_child
from login_helpers import START, Office, office

from campaign_cli.credentials import Secrets
from campaign_cli.errors import CredentialError, Unavailable
from campaign_cli.logins import Login
from campaign_cli.models import Account
from campaign_cli.signin.renewal import Keeper, due, over, renewed


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Office]:
    """A workspace that is logged in to X on a stage, whose tokens live for two hours."""
    with office(tmp_path) as made:
        made.sign_in("kicau")
        yield made


def test_a_fresh_token_is_left_alone(desk: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the file is read once, however many deliveries there are."""
    secrets, before, read = desk.secrets(), desk.login("kicau"), []
    whole = Path.read_text
    monkeypatch.setattr(Path, "read_text", lambda path, **how: read.append(path) or whole(path, **how))
    for _delivery in range(3):
        assert desk.ready("kicau", secrets) == before.access
    assert read == [secrets.logins.path]
    assert "refresh requests" not in desk.rules()


def test_an_account_without_a_login_costs_nothing(desk: Office) -> None:
    """Not even a look at the folder."""
    secrets = Secrets(environment={}, root=desk.root / "absent")
    account = Account(name="a", platform="x", settings={"token": "env:A"})
    asyncio.run(desk.keeper(secrets).ready(account))
    assert not (desk.root / "absent").exists()


def test_renewed_before_it_ends(desk: Office) -> None:
    """A tenth of its life before; the old access token is still good then, and the new one works."""
    first = desk.login("kicau")
    desk.clock.move(minutes=109)
    second = desk.ready("kicau")
    assert second != first.access
    assert desk.works("kicau", second) and desk.works("kicau", first.access)
    now = desk.login("kicau")
    assert (now.access, now.issued, now.expires) == (second, desk.clock.now(), desk.clock.now() + timedelta(hours=2))
    assert now.refresh != first.refresh and now.renewing is None
    assert (now.client_id, now.client_secret, now.scopes) == (first.client_id, first.client_secret, first.scopes)


def test_renewed_after_it_ended(desk: Office) -> None:
    """A machine that was off for a week goes on by itself."""
    desk.clock.move(days=7)
    assert desk.works("kicau", desk.ready("kicau"))


def test_again_and_again(desk: Office) -> None:
    """Each renewal goes by the refresh token of the one before."""
    for _time in range(5):
        desk.clock.move(hours=2)
        assert desk.works("kicau", desk.ready("kicau"))
    assert desk.rules()["refreshes"] == 5


def test_what_another_process_renewed_is_used(desk: Office) -> None:
    """A process with the old token in its memory sees the new one, without asking the network."""
    mine = desk.secrets()
    desk.ready("kicau", mine)
    desk.clock.move(minutes=109)
    other = desk.ready("kicau")
    assert desk.ready("kicau", mine) == other
    assert desk.rules()["refreshes"] == 1


def test_many_deliveries_of_one_process_renew_once(desk: Office) -> None:
    """Those that come meanwhile wait for it."""
    desk.clock.move(hours=2)
    secrets = desk.secrets()
    keeper = desk.keeper(secrets)

    async def main() -> None:
        await asyncio.gather(*(keeper.ready(desk.accounts["kicau"]) for _delivery in range(20)))

    asyncio.run(main())
    assert desk.rules()["refresh requests"] == 1


class Child:
    """A process that needs a token."""

    def __init__(self, desk: Office, *, dies: str = "") -> None:
        script = [sys.executable, renewing_child.__file__, str(desk.root), "kicau", desk.clock.now().isoformat(), dies]
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(map(str, sys.path))}
        self._process = subprocess.Popen(
            script, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def __enter__(self) -> Child:
        assert self._line() == "ready"
        return self

    def __exit__(self, *_error: object) -> None:
        self.kill()
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def go(self) -> None:
        """Let it begin."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def said(self) -> str:
        """What it printed; nothing where it was killed."""
        return self._line()

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()

    def lives(self) -> bool:
        """Whether it goes on."""
        return self._process.poll() is None

    def ended(self) -> int:
        """Its end."""
        return self._process.wait(60)


def test_many_processes_renew_once(desk: Office) -> None:
    """Of six at the same instant one asks the network, and all have its token."""
    desk.clock.move(hours=2)
    with ExitStack() as stack:
        children = [stack.enter_context(Child(desk)) for _child in range(6)]
        for child in children:
            child.go()
        said = {child.said() for child in children}
    assert said == {f"token {desk.login('kicau').access}"}
    assert desk.rules()["refresh requests"] == 1


@pytest.mark.parametrize("dies", renewing_child.DEATHS)
def test_killed_at_any_point_where_the_server_takes_the_last_token_once_more(desk: Office, dies: str) -> None:
    """The next process gets in, whatever was on the disk by then; no lock outlives the killed one."""
    desk.rules(reuse_seconds=60)
    desk.clock.move(hours=2)
    with Child(desk, dies=dies) as child:
        child.go()
        assert child.said() == ""
        assert child.ended() == -9
    assert desk.works("kicau", desk.ready("kicau"))
    assert desk.login("kicau").renewing is None


@pytest.mark.parametrize("dies", ["before mark", "after mark", "after tokens"])
def test_killed_before_it_asked_or_after_it_wrote(desk: Office, dies: str) -> None:
    """A server that takes each refresh token once is no trouble there."""
    desk.clock.move(hours=2)
    with Child(desk, dies=dies) as child:
        child.go()
        assert child.ended() == -9
    assert desk.works("kicau", desk.ready("kicau"))


def test_killed_between_answer_and_disk(desk: Office) -> None:
    """Where the server takes each refresh token once, a person must log in again; it is said plainly, and why."""
    desk.clock.move(hours=2)
    with Child(desk, dies="before tokens") as child:
        child.go()
        assert child.ended() == -9
    for _time in range(2):
        with pytest.raises(CredentialError) as caught:
            desk.ready("kicau")
        assert "ended before its answer was stored" in caught.value.message
        assert "campaign accounts login kicau" in caught.value.fix
    assert desk.rules()["refresh requests"] == 2, "a login that was refused for good is asked about once"
    desk.sign_in("kicau")
    assert desk.works("kicau", desk.ready("kicau"))


def test_killed_while_the_answer_is_on_its_way(desk: Office) -> None:
    """The same, seen from the server: it has rotated the token, and nobody heard of it."""
    desk.rules(reuse_seconds=60)
    desk.clock.move(hours=2)
    order = {"kind": "accept-then-stall", "account": "kicau", "requests": "any", "times": 1, "seconds": 60}
    httpx.post(f"{desk.server.url}/_stage/misbehave", json=order, trust_env=False).raise_for_status()
    with Child(desk) as child:
        child.go()
        while not desk.rules().get("refreshes"):
            assert child.lives()
        child.kill()
        assert child.ended() == -9
    assert desk.works("kicau", desk.ready("kicau"))


def spoil(monkeypatch: pytest.MonkeyPatch, secrets: Secrets, *, marked: bool) -> list[str]:
    """Let the disk refuse the mark of a renewal, or its new tokens, until the list that is given is emptied."""
    put, full = secrets.logins.put, ["disk full"]

    def refusing(name: str, login: Login | None) -> None:
        if full and login is not None and bool(login.renewing) is marked:
            raise CredentialError(full[0])
        put(name, login)

    monkeypatch.setattr(secrets.logins, "put", refusing)
    return full


def test_the_new_tokens_are_on_the_disk_before_anybody_has_them(desk: Office, monkeypatch: Any) -> None:
    """A disk that refuses them makes the delivery wait; the answer is kept, and stored as soon as there is room."""
    desk.clock.move(hours=2)
    secrets, before = desk.secrets(), desk.login("kicau")
    full = spoil(monkeypatch, secrets, marked=False)
    keeper = desk.keeper(secrets)
    for _time in range(2):
        with pytest.raises(Unavailable, match="disk full"):
            asyncio.run(keeper.ready(desk.accounts["kicau"]))
        assert secrets.reveal("login:kicau") == before.access
    assert desk.login("kicau").refresh == before.refresh
    full.clear()
    asyncio.run(keeper.ready(desk.accounts["kicau"]))
    assert desk.rules()["refresh requests"] == 1, "a refresh token that was rotated is good for nothing"
    after = desk.login("kicau")
    assert desk.works("kicau", after.access) and after.refresh != before.refresh and after.renewing is None
    assert secrets.reveal("login:kicau") == after.access


def test_what_could_not_be_stored_gives_way_to_a_new_login(desk: Office, monkeypatch: Any) -> None:
    """A person who has logged in meanwhile has the last word."""
    desk.clock.move(hours=2)
    secrets = desk.secrets()
    full = spoil(monkeypatch, secrets, marked=False)
    keeper = desk.keeper(secrets)
    with pytest.raises(Unavailable):
        asyncio.run(keeper.ready(desk.accounts["kicau"]))
    desk.sign_in("kicau")
    full.clear()
    desk.clock.move(hours=2)
    newest = desk.login("kicau")
    asyncio.run(keeper.ready(desk.accounts["kicau"]))
    assert desk.works("kicau", secrets.reveal("login:kicau"))
    assert desk.login("kicau").issued > newest.issued


def test_where_nothing_can_be_written_nothing_is_asked(desk: Office, monkeypatch: Any) -> None:
    """The good token goes on being used; when it is over, the delivery waits for the disk."""
    before, secrets = desk.login("kicau"), desk.secrets()
    spoil(monkeypatch, secrets, marked=True)
    keeper = desk.keeper(secrets)
    desk.clock.move(minutes=109)
    asyncio.run(keeper.ready(desk.accounts["kicau"]))
    assert secrets.reveal("login:kicau") == before.access
    desk.clock.move(minutes=15)
    with pytest.raises(Unavailable, match="disk full"):
        asyncio.run(keeper.ready(desk.accounts["kicau"]))
    assert "refresh requests" not in desk.rules()


def test_the_disk_has_room_for_the_answer_before_it_is_asked_for(desk: Office, monkeypatch: Any) -> None:
    """What fills up meanwhile costs no refresh token."""
    store, login = desk.secrets().logins, desk.login("kicau")
    store.put("kicau", replace(login, renewing=desk.clock.now()))
    room = desk.root / ".campaign/tokens-kicau.room"
    assert room.stat().st_size > 16 * 1024 and room.stat().st_mode & 0o777 == 0o600

    def full(**_where: Any) -> tuple[int, str]:
        raise OSError(errno.ENOSPC, "")

    monkeypatch.setattr("campaign_cli.private.tempfile.mkstemp", full)
    store.put("kicau", replace(login, access="baru" * 1000))
    assert desk.login("kicau").access == "baru" * 1000
    assert not room.exists()
    assert (desk.root / ".campaign/tokens.json").stat().st_mode & 0o777 == 0o600


def test_a_refused_renewal_is_a_credential_error(desk: Office) -> None:
    """Once the access token is over; in the network's words, and without asking it again and again."""
    desk.rules(refuse=True)
    desk.clock.move(hours=3)
    for _time in range(3):
        with pytest.raises(CredentialError, match="invalid_grant") as caught:
            desk.ready("kicau")
        assert caught.value.fix == "Run: campaign accounts login kicau"
    assert desk.rules()["refresh requests"] == 1


def test_a_refused_renewal_lets_the_token_live_to_its_end(desk: Office) -> None:
    """What is due in its last minutes still goes out."""
    desk.rules(refuse=True)
    desk.clock.move(minutes=109)
    assert desk.works("kicau", desk.ready("kicau"))
    desk.clock.move(minutes=5)
    assert desk.works("kicau", desk.ready("kicau"))
    assert desk.rules()["refresh requests"] == 1
    assert desk.login("kicau").ends == desk.login("kicau").expires
    desk.clock.move(minutes=6)
    with pytest.raises(CredentialError):
        desk.ready("kicau")


def refused(desk: Office, secrets: Secrets | None = None) -> bool:
    """Whether there is another token, after the network refused the one that this process has."""
    opened = secrets or desk.secrets()
    token = opened.reveal("login:kicau")
    return asyncio.run(desk.keeper(opened).refused(desk.accounts["kicau"], token))


def test_a_token_that_is_refused_before_its_end_is_renewed(desk: Office) -> None:
    """Once for all who used it; the others see the new one."""
    desk.clock.move(minutes=10)
    secrets = desk.secrets()
    keeper, before = desk.keeper(secrets), secrets.reveal("login:kicau")

    async def main() -> list[bool]:
        return await asyncio.gather(*(keeper.refused(desk.accounts["kicau"], before) for _delivery in range(5)))

    assert asyncio.run(main()) == [True] * 5
    assert asyncio.run(desk.keeper(desk.secrets()).refused(desk.accounts["kicau"], before))
    after = secrets.reveal("login:kicau")
    assert after != before and desk.works("kicau", after)
    assert not refused(desk), "a token that was given just now is not the trouble"
    assert desk.rules()["refresh requests"] == 1


def test_a_refused_token_that_can_not_be_renewed(desk: Office) -> None:
    """While the network can't be asked the delivery waits; once it says no, a person must log in again."""
    desk.clock.move(minutes=10)
    order = {"kind": "503", "account": "kicau", "requests": "any"}
    httpx.post(f"{desk.server.url}/_stage/misbehave", json=order, trust_env=False).raise_for_status()
    with pytest.raises(Unavailable):
        refused(desk)
    httpx.delete(f"{desk.server.url}/_stage/misbehave", trust_env=False)
    desk.rules(refuse=True)
    assert not refused(desk)
    assert desk.login("kicau").refused
    asked = desk.rules()["refresh requests"]
    assert not refused(desk) and desk.rules()["refresh requests"] == asked


def test_a_token_that_nobody_renews_stays_refused(desk: Office) -> None:
    """As it was before: a person logs in."""
    desk.clock.move(minutes=10)
    desk.secrets().logins.put("kicau", replace(desk.login("kicau"), renewal="none"))
    assert not refused(desk)
    assert "refresh requests" not in desk.rules()


def test_a_network_that_can_not_be_asked(desk: Office) -> None:
    """A good token goes on being used; one that is over makes the delivery wait, and nothing is given up."""
    order = {"kind": "503", "account": "kicau", "requests": "any"}
    httpx.post(f"{desk.server.url}/_stage/misbehave", json=order, trust_env=False).raise_for_status()
    before = desk.login("kicau")
    desk.clock.move(minutes=109)
    assert desk.ready("kicau") == before.access
    desk.clock.move(minutes=15)
    with pytest.raises(Unavailable):
        desk.ready("kicau")
    httpx.delete(f"{desk.server.url}/_stage/misbehave", trust_env=False)
    assert desk.works("kicau", desk.ready("kicau"))


def test_while_it_can_not_be_asked_not_every_delivery_asks(desk: Office) -> None:
    """Half a minute lies between two tries of one process."""
    order = {"kind": "503", "account": "kicau", "requests": "any"}
    httpx.post(f"{desk.server.url}/_stage/misbehave", json=order, trust_env=False).raise_for_status()
    desk.clock.move(minutes=109)
    keeper = desk.keeper(desk.secrets())
    for _delivery in range(5):
        asyncio.run(keeper.ready(desk.accounts["kicau"]))
    assert desk.server.state.faults["503"] == 1
    desk.clock.move(seconds=31)
    asyncio.run(keeper.ready(desk.accounts["kicau"]))
    assert desk.server.state.faults["503"] == 2


def test_secrets_go_to_the_server_that_gave_them_alone(desk: Office) -> None:
    """Where accounts.yaml names another one by now, a person must log in there."""
    desk.clock.move(hours=2)
    account = replace(desk.accounts["kicau"], settings={"token": "login:kicau", "url": "https://lain.example"})
    secrets = desk.secrets()
    with pytest.raises(CredentialError):
        asyncio.run(desk.keeper(secrets).ready(account))
    assert "refresh requests" not in desk.rules()


def test_a_new_login_is_not_overwritten_by_a_renewal_of_the_old_one(desk: Office) -> None:
    """Who logs in waits for the renewal, and has the last word."""
    desk.clock.move(hours=2)
    secrets = desk.secrets()
    with desk.secrets().logins.renewing("kicau"):
        waiting = threading.Thread(target=lambda: desk.ready("kicau", secrets))
        waiting.start()
        fresh = replace(desk.login("kicau"), access="baru", expires=desk.clock.now() + timedelta(hours=2))
        desk.secrets().logins.put("kicau", replace(fresh, issued=desk.clock.now()))
    waiting.join(30)
    assert desk.login("kicau").access == "baru"


LOGIN = Login(platform="x", server="s", access="a", issued=START)


def test_when_it_is_time() -> None:
    """A tenth of its life before the end, five minutes at least, a day at most; what is traded, at half its life."""

    def first(**members: Any) -> timedelta | None:
        life = members.pop("life")
        login = replace(LOGIN, expires=START + life, **members)
        steps = (life * number / 1000 for number in range(1001))
        return next((life - step for step in steps if due(login, START + step)), None)

    minute, day = timedelta(minutes=1), timedelta(days=1)
    assert first(life=timedelta(hours=1), renewal="refresh") == pytest.approx(6 * minute, abs=minute)
    assert first(life=20 * minute, renewal="refresh") == pytest.approx(5 * minute, abs=minute)
    assert first(life=4 * minute, renewal="refresh") == pytest.approx(2 * minute, abs=minute)
    assert first(life=60 * day, renewal="refresh") == pytest.approx(day, abs=day / 10)
    assert first(life=60 * day, renewal="exchange") == pytest.approx(30 * day, abs=day / 10)
    assert first(life=day, renewal="none") is None
    assert first(life=day, renewal="refresh", refused="no") is None
    assert not due(LOGIN, START + 1000 * day) and not over(LOGIN, START + 1000 * day)


def test_what_is_traded_too_late_is_lost() -> None:
    """A token that has ended can't be traded: a person must log in again."""
    login = replace(LOGIN, renewal="exchange", expires=START + timedelta(days=60))
    assert not due(login, START + timedelta(days=60)) and over(login, START + timedelta(days=60))


def test_an_answer_that_leaves_things_out() -> None:
    """The refresh token and the scopes stay as they were."""
    from campaign_cli.signin.client import Tokens

    before = replace(LOGIN, refresh="r", scopes=("s",), refresh_expires=START, warned=7, refused="x", renewing=START)
    after = renewed(before, Tokens(access="b"), now=START)
    assert after == replace(before, access="b", warned=None, refused="", renewing=None)


def test_a_lock_that_nobody_gives_back_is_no_end(desk: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A renewal that hangs in another process makes the delivery wait, not fail; a good token goes on being used."""
    monkeypatch.setattr("campaign_cli.logins.PATIENCE", 0.05)
    before = desk.login("kicau").access
    with desk.secrets().logins.renewing("kicau"):
        desk.clock.move(minutes=109)
        assert desk.ready("kicau") == before
        desk.clock.move(minutes=15)
        with pytest.raises(Unavailable):
            desk.ready("kicau")


def test_a_token_is_for_the_server_that_gave_it(desk: Office) -> None:
    """Also while it is good: an account that has moved in accounts.yaml takes none along."""
    account = replace(desk.accounts["kicau"], settings={"token": "login:kicau", "url": "https://lain.example"})
    with pytest.raises(CredentialError, match="not where kicau is") as caught:
        asyncio.run(desk.keeper(desk.secrets()).ready(account))
    assert "accounts login kicau" in caught.value.fix


def test_a_pages_token_serves_instagram_too(tmp_path: Path) -> None:
    """With Facebook's login; it is not renewed at Instagram's address, and goes to no address that is written."""
    secrets = Secrets(environment={}, root=tmp_path)
    server = "https://graph.facebook.com/v25.0/oauth/access_token"
    page = replace(LOGIN, platform="facebook", server=server, access="halaman", renewal="refresh", expires=START)
    secrets.logins.put("halaman", replace(page, expires=START + timedelta(minutes=2)))
    keeper = Keeper(secrets=secrets, clock=lambda: START, transport=lambda: pytest.fail("nothing is asked"))
    settings = {"login": "facebook", "account": "1", "token": "login:halaman", "url": None}
    account = Account(name="ig", platform="instagram", settings=settings)
    assert asyncio.run(keeper.ready(account)) == "halaman"
    assert not asyncio.run(keeper.refused(account, "halaman"))
    with pytest.raises(CredentialError, match="not where ig is"):
        asyncio.run(keeper.ready(replace(account, settings={**settings, "url": "https://lain.example"})))
    secrets.logins.put("halaman", page)
    with pytest.raises(CredentialError, match="is over"):
        asyncio.run(keeper.ready(account))


def test_an_answer_without_a_lifetime_lives_like_the_one_before() -> None:
    """A token that ended after two hours does so again, whether the network says it or not."""
    from campaign_cli.signin.client import Tokens

    before = replace(LOGIN, expires=START + timedelta(hours=2), renewal="refresh")
    later = START + timedelta(days=1)
    assert renewed(before, Tokens(access="b"), now=later).expires == later + timedelta(hours=2)
