"""What a network's token address answers: tokens, a refusal, or something that is neither."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from login_helpers import OURS, START, Browser, Office, office

from campaign_cli import platforms
from campaign_cli.errors import InputError, Unavailable
from campaign_cli.platforms.base import Request
from campaign_cli.platforms.http import HttpAnswer, HttpTransport
from campaign_cli.signin.client import Application, Refused, TokenClient, read_tokens
from campaign_cli.signin.endpoints import endpoints


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Office]:
    """A workspace whose accounts log in on a stage."""
    with office(tmp_path) as made:
        yield made


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


def test_no_error_is_no_refusal() -> None:
    """TikTok names an error in every answer: "ok" is none."""
    good = '{"access_token": "a", "error": {"code": "ok", "message": ""}}'
    assert read_tokens(ASKED, answer(good), now=START, lifetime=None).access == "a"
