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
from campaign_cli.errors import CredentialError, InputError, Unavailable
from campaign_cli.models import Account
from campaign_cli.platforms.base import Choice, Choose, Granted, OAuth, Request, Session
from campaign_cli.platforms.http import HttpAnswer, HttpTransport
from campaign_cli.platforms.mastodon import Mastodon
from campaign_cli.platforms.x import X
from campaign_cli.signin import loopback
from campaign_cli.signin.client import Application, Refused, TokenClient, read_tokens
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


@pytest.mark.parametrize(
    "pasted", ["https://a.example/?code=abc&state=wrong", "https://a.example/?code=abc", "code=abc"]
)
def test_a_pasted_answer_of_another_sign_in(desk: Office, pasted: str) -> None:
    """Its state is not ours: the code is not used."""
    with pytest.raises(InputError, match="another sign-in"):
        desk.sign_in("kicau", browser=Browser(pasted=pasted, follow=False), paste=True)
    assert "codes" not in desk.rules()


@pytest.mark.parametrize(
    ("pasted", "code"),
    [
        ("https://a.example/?state=s&code=4%2F0Ab", "4/0Ab"),
        ("https://a.example/?state=s&co\n  de=4%2F0Ab#_=_", "4/0Ab"),
        ("'https://a.example/masuk?x=1&code=abc&state=s#_'", "abc"),
        ("?code=abc&state=s", "abc"),
        ("abc&state=s", "abc"),
        ("4%2F0Ab", "4/0Ab"),
        ("4/0Ab", "4/0Ab"),
        ("abc#_=_", "abc"),
        ("abc#_", "abc"),
    ],
)
def test_every_way_to_paste(pasted: str, code: str) -> None:
    """As it stands in the browser's line, broken over lines, with what Meta hangs on it, or only a piece of it."""
    assert loopback.code_in(pasted, state="s") == code


@pytest.mark.parametrize(
    "pasted",
    ["https://[", "https://a.example/#code=a&state=s", "code=a&state=\udcff", "abc&state=t", "http://a?state=s"],
)
def test_hostile_pastes_are_said(pasted: str) -> None:
    """Without a traceback."""
    with pytest.raises(InputError):
        loopback.code_in(pasted, state="s")


def test_a_wrong_paste_is_no_end(desk: Office) -> None:
    """Where somebody can be asked again they are told what was wrong, and the same sign-in goes on."""

    class Clumsy(Browser):
        said: list[str]

        def paste(self, wrong: InputError | None = None) -> str:
            self.said = [*getattr(self, "said", []), wrong.message if wrong else ""]
            return {1: "https://[", 2: "dua kata"}.get(len(self.said)) or super().paste()

    browser = Clumsy(follow=False)
    assert desk.works("kicau", desk.sign_in("kicau", browser=browser, paste=True).login.access)
    assert browser.said == ["", "This answer belongs to another sign-in.", "This is no code."]


def test_a_page_that_shows_the_code_knows_no_state() -> None:
    """Mastodon's own page has the code in its address, and nothing else; a state that stands there still counts."""
    page = "https://m.example/oauth/authorize/native?code=abc"
    assert loopback.code_in(page, state="s", shown=True) == "abc"
    with pytest.raises(InputError, match="another sign-in"):
        loopback.code_in(f"{page}&state=t", state="s", shown=True)
    with pytest.raises(InputError, match="another sign-in"):
        loopback.code_in(page, state="s")


def test_the_address_of_a_page_that_shows_the_code(desk: Office) -> None:
    """Pasted whole, it opens the account."""

    class Reader(Browser):
        def paste(self, wrong: InputError | None = None) -> str:
            page = httpx.get(self.shown[0], trust_env=False).text
            code = page.partition("<code>")[2].partition("</code>")[0]
            return f"https://m.example/oauth/authorize/native?code={code}"

    assert desk.works("toot", desk.sign_in("toot", browser=Reader(follow=False), paste=True).login.access)


@pytest.mark.parametrize("pasted", ["", "  ", "two words"])
def test_what_is_no_code(desk: Office, pasted: str) -> None:
    """Is said, and not sent."""
    with pytest.raises(InputError, match="no code"):
        desk.sign_in("kicau", browser=Browser(pasted=pasted, follow=False), paste=True)


def test_a_code_that_nobody_gave_out(desk: Office) -> None:
    """The network's refusal is told in its words, with what to check."""
    with pytest.raises(CredentialError, match="invalid_grant") as caught:
        desk.sign_in("kicau", browser=Browser(pasted="salah", follow=False), paste=True)
    assert "secret" in caught.value.fix


def listen(visit: Callable[[int], list[httpx.Response]], *, patience: float = 10) -> tuple[str, list[httpx.Response]]:
    """Listen for state ``s`` while ``visit`` does its requests in a thread; the code and the answers."""

    async def main() -> tuple[str, list[httpx.Response]]:
        async with loopback.listening("s") as listener:
            visiting = asyncio.create_task(asyncio.to_thread(visit, listener.port))
            try:
                code = await listener.wait(patience)
            finally:
                answers = await visiting
            return code, answers

    return asyncio.run(main())


def get(port: int, path: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False, timeout=10)


def test_whoever_else_knocks_changes_nothing() -> None:
    """A browser's icon, another path, a wrong state, a request without a query: the right one still counts."""
    paths = ["/favicon.ico", "/", "/x?code=a&state=s", "/?code=a&state=wrong", "/?state=s", "/?code=right&state=s"]
    code, answers = listen(lambda port: [get(port, path) for path in paths])
    assert code == "right"
    assert [answer.status_code for answer in answers] == [404, 404, 404, 400, 400, 200]
    assert all(answer.headers["cache-control"] == "no-store" for answer in answers)


def test_one_answer_counts() -> None:
    """A second one is told that it comes too late."""

    async def main() -> tuple[str, int]:
        async with loopback.listening("s") as listener:
            first = await asyncio.to_thread(get, listener.port, "/?code=one&state=s")
            second = await asyncio.to_thread(get, listener.port, "/?code=two&state=s")
            assert first.status_code == 200
            return await listener.wait(5), second.status_code

    assert asyncio.run(main()) == ("one", 410)


def test_what_is_no_request_is_dropped() -> None:
    """Garbage and endless heads end their own connection and nothing else."""

    def visit(port: int) -> list[httpx.Response]:
        for junk in (b"\x16\x03\x01" + b"x" * 40_000, b"GET /?code=a&state=s", b"\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                connection.sendall(junk)
        return [get(port, "/?code=right&state=s")]

    assert listen(visit)[0] == "right"


def raw(port: int, request: str) -> bytes:
    """The answer to a request as it is written."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request.encode())
        pieces = []
        while piece := connection.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


@pytest.mark.parametrize(
    "request_head",
    [
        "GET /?code=a&state=s HTTP/1.1\r\nHost: jahat.example:8719\r\n\r\n",
        "GET /?code=a&state=s HTTP/1.1\r\n\r\n",
        "GET /?code=a&state=s HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: jahat.example\r\n\r\n",
        "GET /?code=a&state=s HTTP/1.1\r\nHost: [\r\n\r\n",
        "GET //[x?code=a&state=s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        "POST /?code=a&state=s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    ],
)
def test_a_name_that_was_made_to_lead_here(request_head: str) -> None:
    """Is not this machine's (DNS rebinding), and what can't be read is nothing: no code, and no traceback."""
    heard: list[bytes] = []

    def visit(port: int) -> list[httpx.Response]:
        heard.append(raw(port, request_head))
        return [get(port, "/?code=right&state=s")]

    assert listen(visit)[0] == "right"
    assert heard[0].startswith(b"HTTP/1.1 404 ")


def test_a_page_quotes_nothing_as_html() -> None:
    """The network's words are text."""

    def visit(port: int) -> list[httpx.Response]:
        return [get(port, "/?state=s&error=%3Cscript%3Ealert(1)%3C/script%3Eno")]

    async def main() -> str:
        async with loopback.listening("s") as listener:
            answers = await asyncio.to_thread(visit, listener.port)
            with pytest.raises(CredentialError):
                await listener.wait(5)
            return answers[0].text

    assert "<script" not in asyncio.run(main())


def test_nobody_comes_back(desk: Office) -> None:
    """After a while it ends by itself, and says how to do it on a server; the port is free again."""
    browser = Browser(follow=False)
    with pytest.raises(CredentialError, match="Nobody came back") as caught:
        desk.sign_in("kicau", browser=browser, patience=0.05)
    assert "--paste" in caught.value.fix
    port = urlsplit(browser.shown[1]).port
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))


def test_a_taken_port_is_said(desk: Office) -> None:
    """With the two ways out."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InputError, match="Port") as caught:
            desk.sign_in("kicau", port=taken.getsockname()[1])
    assert "--port" in caught.value.fix and "--paste" in caught.value.fix


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, "html"),
        (502, "html"),
        (400, "html"),
        (200, "empty"),
        (200, "half"),
        (503, "error"),
    ],
)
def test_a_token_address_that_answers_something_else(desk: Office, status: int, body: str) -> None:
    """A proxy's page, nothing, half an answer: the network can't be asked now, and no page is quoted."""
    browser = Browser(follow=False)
    code = arrived(desk, browser)
    order = {"kind": "answer", "account": "kicau", "requests": "any", "status": status, "body": body}
    httpx.post(f"{desk.server.url}/_stage/misbehave", json=order, trust_env=False).raise_for_status()
    with pytest.raises(Unavailable) as caught:
        asyncio.run(trade(desk, code))
    assert "<" not in caught.value.message


def test_a_network_that_has_no_answer_for_now_says_what_to_do(desk: Office) -> None:
    """The code is spent and nothing is stored: a person begins again, later."""
    order = {"kind": "503", "account": "kicau", "requests": "changing"}
    httpx.post(f"{desk.server.url}/_stage/misbehave", json=order, trust_env=False).raise_for_status()
    with pytest.raises(Unavailable) as caught:
        desk.sign_in("kicau")
    assert "Log in again" in caught.value.fix
    assert desk.secrets().logins.read("kicau") is None


def arrived(desk: Office, browser: Browser) -> str:
    """A code that the stage has given."""
    address = client(desk, None).authorize_url(redirect="http://127.0.0.1:9/", state="s", verifier="v" * 50)
    browser.shown = [address]
    return parse_qs(urlsplit(browser.paste()).query)["code"][0]


def client(desk: Office, http: Any) -> TokenClient:
    return TokenClient(endpoints(platforms.get("x"), desk.accounts["kicau"].settings), OURS, http=http)


async def trade(desk: Office, code: str) -> None:
    http = HttpTransport(redact=str, now=desk.clock.now)
    try:
        await client(desk, http).trade_code(code, redirect="http://127.0.0.1:9/", verifier="v" * 50, now=START)
    finally:
        await http.aclose()


ASKED = Request(method="POST", url="https://x.example/token")


def answer(text: str, status: int = 200) -> HttpAnswer:
    return HttpAnswer(status=status, headers={}, content=text.encode(), request=ASKED)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ('{"error": "invalid_grant", "error_description": "used"}', 400),
        ('{"error": "invalid_grant", "error_description": "used", "log_id": "1"}', 200),  # TikTok
        ('{"error": {"message": "used", "type": "OAuthException", "code": 190}}', 400),  # Meta
        ('{"error_type": "OAuthException", "code": 400, "error_message": "used"}', 400),  # Instagram
    ],
)
def test_a_refusal_is_known_in_every_networks_form(text: str, status: int) -> None:
    """Only an answer that says so is one."""
    with pytest.raises(Refused, match="used"):
        read_tokens(ASKED, answer(text, status), now=START, lifetime=None)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("[]", 200),
        ("{}", 200),
        ('{"access_token": ""}', 200),
        ('{"access_token": {"a": 1}}', 200),
        ('{"access_token": null}', 200),
        ("[" * 100_000, 200),
        ('{"error": "temporarily_unavailable"}', 400),
        ('{"error": "invalid_grant"}', 503),
        ('{"error": "rate limited"}', 429),
        ('{"error": {"message": "later", "code": 2, "is_transient": true}}', 400),
        ('{"title": "Bad Request"}', 400),
        ('{"error": "Forbidden"}', 403),
        ('{"error": "Not Found"}', 404),
        ('{"error": {"message": "Application request limit reached", "code": 4}}', 400),
        ('{"error": {"message": "An unknown error occurred", "code": 1}}', 400),
        ('{"access_token": "a\\r\\nCookie: b"}', 200),
        ('{"access_token": "rahasia…"}', 200),
    ],
)
def test_anything_else_is_no_refusal(text: str, status: int) -> None:
    """A login isn't given up because a proxy said something."""
    with pytest.raises(Unavailable):
        read_tokens(ASKED, answer(text, status), now=START, lifetime=None)


def test_what_a_network_says_beside_a_refusal_is_told() -> None:
    """X says with a 403 that the application has no plan; that helps, a number alone doesn't."""
    with pytest.raises(Unavailable, match="client-not-enrolled"):
        read_tokens(ASKED, answer('{"title": "client-not-enrolled"}', 403), now=START, lifetime=None)
    with pytest.raises(Refused, match="invalid_client"):
        read_tokens(ASKED, answer('{"error": "invalid_client"}', 403), now=START, lifetime=None)


@pytest.mark.parametrize("members", [{"client_id": "kami…"}, {"client_id": "kami", "client_secret": "a\u00a0b"}])
def test_an_application_that_was_copied_badly(members: dict[str, str]) -> None:
    """Signs that no application has are said, and not sent."""
    with pytest.raises(InputError, match="signs"):
        Application(**members)


@pytest.mark.parametrize("seconds", ["true", '"soon"', "-5", "0", "1e400", "99999999999999", "null", "[]"])
def test_a_senseless_lifetime_counts_as_none(seconds: str) -> None:
    """Then the network's usual one is taken."""
    tokens = read_tokens(
        ASKED, answer(f'{{"access_token": "a", "expires_in": {seconds}}}'), now=START, lifetime=timedelta(hours=1)
    )
    assert tokens.expires == (START + timedelta(seconds=1) if seconds == "true" else START + timedelta(hours=1))


def test_the_forms_of_a_good_answer() -> None:
    """Scopes by spaces or commas or as a list, the refresh token's own end, Instagram's list of one."""
    tiktok = '{"access_token": "a", "refresh_token": "r", "expires_in": "86400",'
    tiktok += ' "refresh_expires_in": 31536000, "scope": "x,y"}'
    found = read_tokens(ASKED, answer(tiktok), now=START, lifetime=None)
    assert (found.scopes, found.refresh) == (("x", "y"), "r")
    assert found.refresh_expires == START + timedelta(days=365)
    instagram = '{"data": [{"access_token": "a", "user_id": "1", "permissions": "p1,p2"}]}'
    assert read_tokens(ASKED, answer(instagram), now=START, lifetime=None).scopes == ("p1", "p2")


def test_an_answer_without_end_is_cut_off(desk: Office) -> None:
    """The transport's bound counts here, too."""

    async def main() -> None:
        body = b'{"access_token": "' + b"a" * 9_000_000

        def reply(request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, content=body)

        http = HttpTransport(redact=str, now=desk.clock.now, wire=httpx.MockTransport(reply))
        await client(desk, http).refresh("r", now=START)

    with pytest.raises(Unavailable, match="larger"):
        asyncio.run(main())


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


def test_no_error_is_no_refusal() -> None:
    """TikTok names an error in every answer: "ok" is none."""
    good = '{"access_token": "a", "error": {"code": "ok", "message": ""}}'
    assert read_tokens(ASKED, answer(good), now=START, lifetime=None).access == "a"


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
