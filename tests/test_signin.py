"""Signing in: by a browser that comes back, or by pasting; every kind of network; and what hostile answers lead to."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from login_helpers import OURS, START, Browser, Clock, Office, office
from stage_helpers import ACCOUNTS

from campaign_cli import i18n, platforms
from campaign_cli.credentials import Secrets
from campaign_cli.dispatch.access import check_account
from campaign_cli.errors import CredentialError, InputError
from campaign_cli.models import Account
from campaign_cli.platforms.base import Choice, Choose, Granted, OAuth, Session
from campaign_cli.platforms.http import HttpTransport
from campaign_cli.platforms.mastodon import Mastodon
from campaign_cli.platforms.x import X
from campaign_cli.signin.client import Application, TokenClient
from campaign_cli.signin.endpoints import endpoints
from campaign_cli.signin.flow import Ways, sign_in
from campaign_cli.stage.app import network_class
from campaign_cli.stage.server import StageServer
from campaign_cli.stage.state import StageAccount


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Office]:
    """A workspace whose accounts log in on a stage."""
    with office(tmp_path) as made:
        yield made


def test_by_a_browser_that_comes_back(desk: Office) -> None:
    """The token opens the account; what is needed for renewing is stored with it; the page says that all is done."""
    browser = Browser()
    login = desk.sign_in("kicau", browser=browser).login
    assert desk.works("kicau", login.access)
    assert (login.client_id, login.client_secret) == (OURS.client_id, OURS.client_secret)
    assert login.refresh and login.renewal == "refresh"
    assert login.expires == START + timedelta(hours=2)
    assert "offline.access" in login.scopes
    assert "You can close this window" in browser.pages[0]
    assert browser.shown[1].startswith("http://127.0.0.1:")


def test_the_page_speaks_the_users_language(desk: Office) -> None:
    """As everything that people see."""
    i18n.use_language("id")
    browser = Browser()
    desk.sign_in("kicau", browser=browser)
    assert '<html lang="id">' in browser.pages[0]


def test_pkce_and_state_are_new_each_time(desk: Office) -> None:
    """And the challenge is not the verifier."""
    browser = Browser()
    for _time in range(2):
        desk.sign_in("kicau", browser=browser)
    first, second = (parse_qs(urlsplit(address).query) for address in browser.shown[::2])
    assert first["code_challenge_method"] == ["S256"]
    assert first["state"] != second["state"] and first["code_challenge"] != second["code_challenge"]


def test_mastodon_registers_by_itself(desk: Office) -> None:
    """Nobody types an application's id; the token doesn't end."""
    login = desk.sign_in("toot").login
    assert desk.works("toot", login.access)
    assert login.client_id and login.client_secret
    assert (login.expires, login.ends, login.renewal) == (None, None, "none")
    assert desk.rules()["registered"] == 1


def test_by_pasting_the_whole_address(desk: Office) -> None:
    """On a server without a browser: nobody listens, and the address says the code."""
    browser = Browser(follow=False)
    login = desk.sign_in("kicau", browser=browser, paste=True).login
    assert desk.works("kicau", login.access)
    assert browser.shown[1] == "http://127.0.0.1:8719/"


def test_by_pasting_the_code_alone(desk: Office) -> None:
    """As a page shows it where the network has one for that (Mastodon)."""

    class Reader(Browser):
        def paste(self, wrong: InputError | None = None) -> str:
            page = httpx.get(self.shown[0], trust_env=False).text
            return "  " + page.partition("<code>")[2].partition("</code>")[0] + "\n"

    browser = Reader(follow=False)
    assert desk.works("toot", desk.sign_in("toot", browser=browser, paste=True).login.access)
    assert browser.shown[1] == "urn:ietf:wg:oauth:2.0:oob"


def test_a_redirect_address_of_ones_own(desk: Office) -> None:
    """For networks that lead back to https alone: the person pastes where the browser arrived."""
    browser = Browser(follow=False)
    login = desk.sign_in("kicau", browser=browser, redirect="https://serikat.example/masuk").login
    assert login.redirect == "https://serikat.example/masuk"
    assert desk.works("kicau", login.access)


@pytest.mark.parametrize("redirect", ["http://serikat.example/masuk", "serikat.example", "https://", "https://["])
def test_a_redirect_address_that_others_can_read(desk: Office, redirect: str) -> None:
    """Over http the code would be anybody's on the way: refused before anything is shown."""
    browser = Browser(follow=False)
    with pytest.raises(InputError, match="redirect address") as caught:
        desk.sign_in("kicau", browser=browser, redirect=redirect)
    assert "https://" in caught.value.fix and not browser.shown


def test_a_network_that_takes_https_alone_says_so(desk: Office) -> None:
    """Before anything is shown."""
    browser = Browser()
    with pytest.raises(InputError) as caught:
        desk.sign_in("kicau", browser=browser, platform=adapter(loopback=""))
    assert "--redirect" in caught.value.fix and not browser.shown


@pytest.mark.parametrize("paste", [False, True])
def test_a_person_who_says_no(desk: Office, paste: bool) -> None:
    """error=access_denied is a refused credential, in the network's word, and nothing is stored."""
    desk.rules(deny=True)
    browser = Browser(follow=not paste)
    with pytest.raises(CredentialError, match="access_denied"):
        desk.sign_in("kicau", browser=browser, paste=paste)
    assert desk.secrets().logins.read("kicau") is None


def adapter(**facts: Any) -> X:
    """X with other facts."""
    made = X()
    made.oauth = replace(X.oauth, **facts)  # type: ignore[misc] # an instance of its own
    return made


def sent(platform: X, ask: Callable[[TokenClient], Any], application: Application = OURS) -> list[httpx.Request]:
    """The requests of a client, answered with a token."""
    seen: list[httpx.Request] = []

    def reply(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"access_token": "a"})

    async def main() -> None:
        http = HttpTransport(redact=str, now=lambda: START, wire=httpx.MockTransport(reply))
        await ask(TokenClient(endpoints(platform, {}), application, http=http))

    asyncio.run(main())
    return seen


def form(request: httpx.Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.content.decode()).items()}


def test_how_an_application_proves_itself() -> None:
    """In a header, in the body, under the network's own name, or not at all where it has no secret."""
    basic = sent(adapter(), lambda client: client.refresh("r", now=START))[0]
    assert basic.headers["authorization"].startswith("Basic ")
    assert form(basic) == {"grant_type": "refresh_token", "refresh_token": "r"}
    public = sent(adapter(), lambda client: client.refresh("r", now=START), Application(client_id="kami"))[0]
    assert "authorization" not in public.headers and form(public)["client_id"] == "kami"
    assert "client_secret" not in form(public)
    body = adapter(authentication="post", client_name="client_key", pkce=False, separator=",", challenge="hex")
    post = form(sent(body, lambda client: client.refresh("r", now=START))[0])
    assert (post["client_key"], post["client_secret"]) == (OURS.client_id, OURS.client_secret)
    assert "client_id" not in post


def test_the_authorize_address_of_another_kind_of_network() -> None:
    """Its own name for the application, its own separator, further fields, PKCE written in hex (TikTok, Google)."""
    kind = adapter(client_name="client_key", separator=",", challenge="hex", extra={"access_type": "offline"})
    made = TokenClient(endpoints(kind, {}), OURS, http=None)  # type: ignore[arg-type] # nothing is sent
    query = parse_qs(urlsplit(made.authorize_url(redirect="http://127.0.0.1:1/", state="s", verifier="v" * 50)).query)
    assert query["client_key"] == [OURS.client_id] and "client_id" not in query
    assert query["scope"] == [",".join(kind.oauth.scopes)]  # type: ignore[union-attr]
    assert query["access_type"] == ["offline"]
    assert len(query["code_challenge"][0]) == 64


TRADES = (
    ("https://api.x.com/oauth/access_token", {"grant_type": "ig_exchange_token", "access_token": "{token}"}),
    ("https://api.x.com/refresh_access_token", {"grant_type": "ig_refresh_token", "access_token": "{token}"}),
)


def test_a_short_token_is_traded_for_a_long_one() -> None:
    """The first trade, each one after it, and only the placeholders that the facts name."""
    meta = adapter(renewal="exchange", exchange=TRADES)
    for number, path in enumerate(("/oauth/access_token", "/refresh_access_token")):
        asked = sent(meta, lambda client, number=number: client.exchange(number, "pendek", now=START))[0]
        assert (asked.method, asked.url.path, asked.url.params["access_token"]) == ("GET", path, "pendek")
    facebook = (("https://api.x.com/o", {"client_id": "{client_id}", "client_secret": "{client_secret}"}),)
    asked = sent(adapter(renewal="exchange", exchange=facebook), lambda client: client.exchange(0, "a", now=START))[0]
    assert dict(asked.url.params) == {"client_id": OURS.client_id, "client_secret": OURS.client_secret}


def test_where_one_trade_is_all_there_is_nothing_renews_it() -> None:
    """As with Facebook's long-lived tokens."""
    assert endpoints(adapter(renewal="exchange", exchange=TRADES[:1]), {}).renewal == "none"
    assert endpoints(adapter(renewal="exchange", exchange=TRADES), {}).renewal == "exchange"


def test_a_stand_in_plays_the_sign_in_as_well() -> None:
    """Where the account's url is not the network's own, every address keeps its path there; else nothing changes."""
    own = endpoints(X(), {"url": "https://api.x.com/"})
    assert own.authorize == "https://x.com/i/oauth2/authorize"
    other = endpoints(X(), {"url": "https://panggung.example/x/kicau"})
    assert other.authorize == "https://panggung.example/x/kicau/i/oauth2/authorize"
    assert other.token == "https://panggung.example/x/kicau/2/oauth2/token"
    assert endpoints(Mastodon(), {"url": "https://m.example"}).token == "https://m.example/oauth/token"


def test_a_network_without_a_sign_in_says_what_to_do() -> None:
    """A secret by hand."""
    with pytest.raises(InputError) as caught:
        endpoints(platforms.get("telegram"), {})
    assert "env:NAME" in caught.value.fix


class Pages(Mastodon):
    """A network whose people choose a page, which has a token of its own."""

    oauth = OAuth(
        authorize="{url}/oauth/authorize",
        token="{url}/oauth/token",
        scopes=("pages",),
        registers="{url}/api/v1/apps",
    )

    async def complete(self, session: Session, choose: Choose) -> Granted | None:
        """Two pages."""
        assert session.secret("token").startswith("STAGE-access-")
        page = await choose("Which page?", [Choice(value="1", label="Satu"), Choice(value="2", label="Dua")])
        return Granted(token=f"halaman-{page}", settings={"page": page})


def test_a_person_chooses_a_page(desk: Office) -> None:
    """The page's own token is stored, which doesn't end; the choice comes back as a setting."""
    browser = Browser(chosen="2")
    signed = desk.sign_in("toot", browser=browser, platform=Pages())
    assert signed.login.access == "halaman-2"
    assert (signed.login.refresh, signed.login.expires, signed.login.renewal) == ("", None, "none")
    assert signed.settings == {"page": "2"}
    assert [choice.label for choice in browser.asked[0]] == ["Satu", "Dua"]


def test_nothing_secret_is_in_what_is_shown_after(desk: Office) -> None:
    """Code, verifier, tokens and the application's secret are redacted from the moment they are known."""
    secrets = desk.secrets()
    browser = Browser()
    login = desk.sign_in("kicau", browser=browser, secrets=secrets).login
    assert secrets.redact(" ".join(login.secrets)) == " ".join(["•••"] * 3)


def test_a_cancelled_sign_in_leaves_nothing_behind(desk: Office) -> None:
    """Ctrl-C while the browser is away: the port is free, and no task is left."""

    async def main() -> None:
        http = HttpTransport(redact=str, now=desk.clock.now)
        people = Browser(follow=False)
        working = asyncio.create_task(
            sign_in(
                platforms.get("x"),
                desk.accounts["kicau"],
                ways=Ways(application=OURS, port=0),
                people=people,
                http=http,
                secrets=Secrets(environment={}, root=desk.root),
                clock=desk.clock.now,
            )
        )
        while not people.shown:
            await asyncio.sleep(0)
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
        assert asyncio.all_tasks() == {asyncio.current_task()}
        with socket.socket() as free:
            free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            free.bind(("127.0.0.1", urlsplit(people.shown[1]).port))

    asyncio.run(main())
    gc.collect()


def test_no_http_to_a_machine_far_away(tmp_path: Path) -> None:
    """A token's address without https gets nothing, whatever accounts.yaml says."""
    account = Account(name="toot", platform="mastodon", settings={"url": "http://m.example", "token": "login:toot"})

    async def main() -> None:
        http = HttpTransport(redact=str, now=lambda: START)
        await sign_in(
            platforms.get("mastodon"),
            account,
            ways=Ways(paste=True),
            people=Browser(follow=False),
            http=http,
            secrets=Secrets(environment={}, root=tmp_path),
            clock=lambda: START,
        )

    with pytest.raises(Exception, match="https"):
        asyncio.run(main())


def test_authlib_is_loaded_by_a_sign_in_alone() -> None:
    """Every delivery's process imports what renews; only a renewal needs the library."""
    program = (
        "import sys, campaign_cli.dispatch.access, campaign_cli.cli.accounts\n"
        "assert not [name for name in sys.modules if name.startswith('authlib')]"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(map(str, sys.path))}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)


SIGNING = [name for name in platforms.PLATFORMS if platforms.get(name).oauth is not None]


@pytest.mark.parametrize("name", SIGNING)
def test_every_network_signs_in_and_renews_on_the_stage(tmp_path: Path, name: str) -> None:
    """By its own facts: the account's check succeeds with the token, and again after each renewal."""
    clock, adapter = Clock(), platforms.get(name)
    written = next(account for account in ACCOUNTS.values() if account.platform == name)
    with StageServer(clock=clock.now) as server:
        url = f"{server.url}/{name}/{written.name}"
        fields = adapter.Settings.model_fields.items()
        usual = {each: field.get_default() for each, field in fields if not field.is_required()}
        own = {**written.settings, "url": url, adapter.secrets[0]: f"login:{written.name}"}
        settings: dict[str, Any] = {**usual, **own}
        account = replace(written, settings=settings)
        user = network_class(name).user(account.name, settings)
        played = StageAccount(name=account.name, platform=name, user=user, secret="tertutup")
        server.state.add_accounts({account.name: played})
        desk = Office(root=tmp_path, server=server, clock=clock, accounts={account.name: account})
        browser = Browser(follow=False)
        redirect = "" if adapter.oauth and adapter.oauth.pasted else "https://serikat.example/masuk"
        if redirect:
            signed = desk.sign_in(account.name, browser=browser, paste=True, redirect=redirect)
        else:
            signed = desk.sign_in(account.name)
        account = replace(account, settings={**settings, **signed.settings})
        for _renewal in range(3):
            secrets = desk.secrets()
            asyncio.run(check_account(account, secrets=secrets, clock=clock.now))
            login = desk.login(account.name)
            assert login.secrets and not any(
                secret in secrets.redact(" ".join(login.secrets)) for secret in login.secrets
            )
            if not login.renews or login.expires is None:
                break
            clock.at = login.expires - (login.expires - login.issued) / 20
        renewals = desk.rules()
        assert renewals.get("refreshes", 0) + max(0, renewals.get("exchanges", 0) - 1) == (2 if login.renews else 0)
